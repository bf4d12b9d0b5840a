from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.codec import CODECS, Codec, through_codec

RATE = 16_000
BY_NAME = {codec.name: codec for codec in CODECS}


def voice(seconds: float = 1.5, rate: int = RATE) -> NDArray[np.float32]:
    """A gliding pulse train through two resonances, in syllables: enough of a voice for codecs that model one."""
    time = np.arange(int(seconds * rate)) / rate
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    harmonics = np.arange(1, 25)
    weight = np.exp(-(((harmonics * 120 - 600) / 500) ** 2)) + 0.4 * np.exp(-(((harmonics * 120 - 1900) / 600) ** 2))
    syllables = np.clip(np.sin(2 * np.pi * 2.5 * time), 0, None)
    voiced = (weight[:, None] * np.cos(harmonics[:, None] * phase)).sum(axis=0)
    return np.asarray(0.1 * syllables * voiced, dtype=np.float32)


def delay_samples(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    """By how many samples y is later than x: the peak of the cross-correlation, between samples by a parabola."""
    size = 2 * x.size
    correlation = np.fft.irfft(np.conj(np.fft.rfft(x, size)) * np.fft.rfft(y, size), size)
    peak = int(np.argmax(correlation))
    before, top, after = correlation[[peak - 1, peak, (peak + 1) % size]]
    lag = peak if peak < x.size else peak - size
    return lag + 0.5 * float(before - after) / float(before - 2 * top + after)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("quality", [0.0, 1.0])
def test_every_codec_changes_the_signal_and_keeps_its_time(codec: Codec, quality: float) -> None:
    x = voice()
    y = through_codec(x, codec, RATE, quality=quality)
    assert y.shape == x.shape
    assert y.dtype == np.float32
    assert abs(delay_samples(x, y)) < 0.5
    error_db = 10 * np.log10(np.sum((y - x) ** 2) / np.sum(x**2))
    assert -50 < error_db < -5


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100])
def test_every_codec_works_at_other_rates(codec: Codec, rate: int) -> None:
    x = voice(1.0, rate)
    y = through_codec(x, codec, rate)
    assert y.shape == x.shape
    assert abs(delay_samples(x, y)) < 0.5 * max(rate / 8_000, 1.0)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("samples", [1, 100, 5_001])
def test_every_codec_takes_any_length_and_gives_the_dtype_back(codec: Codec, samples: int) -> None:
    x = 0.1 * np.random.default_rng(0).standard_normal(samples)
    y = through_codec(x, codec, RATE)
    assert y.shape == (samples,)
    assert y.dtype == np.float64
    assert np.isfinite(y).all()


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_every_codec_is_a_function_of_its_input(codec: Codec) -> None:
    x = voice(0.5)
    np.testing.assert_array_equal(through_codec(x, codec, RATE), through_codec(x, codec, RATE))


@pytest.mark.parametrize("name", ["opus", "opus-narrow", "mp3", "vorbis"])
def test_better_quality_is_closer_to_the_signal(name: str) -> None:
    x = voice()
    errors = [float(np.sum((through_codec(x, BY_NAME[name], RATE, quality=q) - x) ** 2)) for q in (0.0, 1.0)]
    assert errors[1] < errors[0]


@pytest.mark.parametrize("name", ["opus-narrow", "mu-law", "a-law", "gsm", "adpcm"])
def test_a_telephone_passes_nothing_above_4_khz(name: str) -> None:
    x = (0.1 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    power = np.abs(np.fft.rfft(through_codec(x, BY_NAME[name], RATE))) ** 2
    assert power[np.fft.rfftfreq(RATE, 1 / RATE) > 4_100].sum() < 1e-4 * power.sum()


def test_mu_law_is_the_curve_of_g711() -> None:
    """From 1/4 to 1/2 of full scale a step is 1/64, so that the error reaches 1/128 (at 8 kHz: unfiltered)."""
    x = np.linspace(0.45, 0.49, 200, dtype=np.float32)
    error = np.abs(through_codec(x, BY_NAME["mu-law"], 8_000) - x)
    assert 0.25 / 64 < error.max() <= 0.5 / 64


def test_a_minute_of_vorbis_does_not_crash() -> None:
    x = np.tile(voice(3.0, 48_000), 20)
    assert through_codec(x, BY_NAME["vorbis"], 48_000).shape == x.shape


def test_what_is_beyond_full_scale_is_cut_off() -> None:
    x = np.full(400, 3.0, dtype=np.float32)
    assert np.abs(through_codec(x, BY_NAME["mu-law"], 8_000)).max() <= 1.0


@pytest.mark.parametrize("quality", [-0.1, 1.1, float("nan")])
def test_a_quality_outside_0_to_1_is_an_error(quality: float) -> None:
    with pytest.raises(AudioError, match="quality"):
        through_codec(voice(0.1), CODECS[0], RATE, quality=quality)


def test_no_samples_two_channels_and_nan_are_an_error() -> None:
    for wrong in (np.zeros(0), np.zeros((2, 100)), np.array([np.nan, 1.0])):
        with pytest.raises(AudioError, match="`x`"):
            through_codec(wrong, CODECS[0], RATE)


def test_a_codec_that_libsndfile_lacks_is_an_error_that_names_it() -> None:
    unknown = dataclasses.replace(BY_NAME["gsm"], name="gsm-in-mp3", container="MP3", subtype="GSM610")
    with pytest.raises(AudioError, match="gsm-in-mp3"):
        through_codec(voice(0.1), unknown, RATE)


def test_no_codec_moves_real_speech(corpus: Path) -> None:
    """Voices of the test speech, two seconds of each, at the worst quality: the peak of the correlation stays at 0."""
    listed = (corpus / "speech.test.jsonl").read_text(encoding="utf-8").splitlines()[::40]
    for line in listed:
        speech, rate = soundfile.read(corpus / json.loads(line)["audio"], frames=2 * RATE, dtype="float32")
        for codec in CODECS:
            assert abs(delay_samples(speech, through_codec(speech, codec, rate, quality=0.0))) < 0.5, codec.name
