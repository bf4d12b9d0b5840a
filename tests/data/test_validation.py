"""Which files are usable, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmkt.data.validation import BLOCK_SAMPLES, Checked, Dropped, check_recording, check_speech
from cmkt.signal.floor import speech_to_floor_db

TONE = 0.1 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
Wav = Callable[..., Path]


def reason(outcome: Checked | Dropped) -> str:
    assert isinstance(outcome, Dropped)
    assert outcome.detail
    return outcome.reason


def test_good_file_is_described(wav: Wav) -> None:
    outcome = check_recording(wav("a.wav", TONE), expected_duration=1.05, expected_rate=16_000)
    assert isinstance(outcome, Checked)
    assert (outcome.sample_rate, outcome.channels, outcome.samples, outcome.duration) == (16_000, 1, 16_000, 1.0)
    assert outcome.peak == pytest.approx(0.1, abs=1e-4)
    assert not outcome.clipped


def test_missing_file(tmp_path: Path) -> None:
    assert reason(check_recording(tmp_path / "none.wav")) == "missing"


def test_file_that_is_not_audio(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"this is not audio" * 50)
    assert reason(check_recording(tmp_path / "a.wav")) == "unreadable"


def test_file_that_was_cut_off_is_dropped(wav: Wav) -> None:
    path = wav("a.flac", TONE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert reason(check_recording(path, expected_duration=1.0)) == "unreadable"


def test_zero_bytes_and_zero_samples(tmp_path: Path, wav: Wav) -> None:
    (tmp_path / "zero.wav").touch()
    assert reason(check_recording(tmp_path / "zero.wav")) == "unreadable"
    assert reason(check_recording(wav("empty.wav", np.zeros(0)))) == "empty"


def test_silence(wav: Wav) -> None:
    assert reason(check_recording(wav("a.wav", np.zeros(16_000)))) == "silent"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(wav: Wav, value: float) -> None:
    broken = TONE.copy()
    broken[500] = value
    assert reason(check_recording(wav("a.wav", broken, subtype="FLOAT"))) == "not finite"


def test_clipping_is_measured(wav: Wav) -> None:
    outcome = check_recording(wav("a.wav", np.clip(100 * TONE, -1, 1)))
    assert isinstance(outcome, Checked)
    assert outcome.clipped
    assert outcome.clipped_share > 0.9


@pytest.mark.parametrize(("rate", "subtype"), [(16_000, "PCM_U8"), (8_000, "PCM_16"), (96_000, "PCM_24")])
def test_any_rate_and_depth_is_usable(wav: Wav, rate: int, subtype: str) -> None:
    outcome = check_recording(wav("a.wav", TONE, rate=rate, subtype=subtype))
    assert isinstance(outcome, Checked)
    assert outcome.sample_rate == rate


def test_first_of_six_channels_counts(wav: Wav) -> None:
    channels = np.tile(TONE, (6, 1))
    outcome = check_recording(wav("a.wav", channels))
    assert isinstance(outcome, Checked)
    assert outcome.channels == 6
    channels[0] = 0.0
    assert reason(check_recording(wav("b.wav", channels))) == "silent"


def test_other_rate_duration_and_too_short(wav: Wav) -> None:
    path = wav("a.wav", TONE)
    assert reason(check_recording(path, expected_rate=8_000)) == "other sample rate"
    assert reason(check_recording(path, expected_duration=2.0)) == "duration disagrees"
    assert reason(check_recording(path, minimum_duration=2.0)) == "too short"


def test_statistics_do_not_depend_on_blocks(tmp_path: Path) -> None:
    long = np.tile(TONE, 40)
    long[-1] = 0.9
    soundfile.write(tmp_path / "a.wav", long, 16_000)
    outcome = check_recording(tmp_path / "a.wav")
    assert isinstance(outcome, Checked)
    assert outcome.samples == 640_000
    assert outcome.peak == pytest.approx(0.9, abs=1e-3)


def test_a_click_in_silence_is_silent_because_it_has_no_level_to_mix_at(wav: Wav) -> None:
    dead = np.zeros(60 * 16_000)
    dead[5_000] = 4 / 32_768
    assert reason(check_recording(wav("a.wav", dead))) == "silent"


def test_speech_is_described_with_its_distance_to_the_noise_floor(wav: Wav) -> None:
    noise = 0.003 * np.random.default_rng(0).standard_normal(BLOCK_SAMPLES + 5_000)
    burst = np.where(np.arange(noise.size) % 16_000 < 8_000, 0.1, 0.0) * np.tile(TONE, 17)[: noise.size] * 10
    samples = burst + noise
    path = wav("a.wav", np.stack([samples, TONE.mean() + 0 * samples]), subtype="FLOAT")
    outcome = check_speech(path, expected_duration=samples.size / 16_000)
    assert isinstance(outcome, Checked)
    assert outcome.speech_to_floor_db == pytest.approx(speech_to_floor_db(samples, 16_000), abs=1e-3)
    plain = check_recording(path)
    assert isinstance(plain, Checked)
    assert plain.speech_to_floor_db is None


def test_speech_is_dropped_for_the_same_reasons(wav: Wav, tmp_path: Path) -> None:
    broken = TONE.copy()
    broken[500] = np.nan
    assert reason(check_speech(tmp_path / "none.wav")) == "missing"
    assert reason(check_speech(wav("nan.wav", broken, subtype="FLOAT"))) == "not finite"
    assert reason(check_speech(wav("silent.wav", np.zeros(16_000)))) == "silent"
    assert reason(check_speech(wav("a.wav", TONE), minimum_duration=2.0)) == "too short"
    assert reason(check_speech(wav("a.wav", TONE), expected_duration=2.0)) == "duration disagrees"
