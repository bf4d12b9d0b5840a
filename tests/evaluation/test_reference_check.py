"""Signals that do not lie on their references are told with the scores that suffer; all others are left in peace."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.audio.reproducible import write_float32
from cmkt.data.pairs import Pair
from cmkt.evaluation.reference_check import ReferenceFit, check_noisy, find_misfits, fit_reference
from cmkt.inference.load import load
from cmkt.signal.mixing import mix
from cmkt.signal.resample import resample
from tests.evaluation.conftest import RATE, voice

Signal = NDArray[np.float32]


def shifted(x: Signal, samples: int) -> Signal:
    return (
        np.concatenate([np.zeros(samples, np.float32), x[:-samples]])
        if samples > 0
        else np.append(x[-samples:], np.zeros(-samples, np.float32))
    )


def noisy_at(snr_db: float, clean: Signal, rng: np.random.Generator) -> Signal:
    noise = rng.standard_normal(clean.size).astype(np.float32)
    return np.asarray(mix(clean, noise, snr_db=snr_db, sample_rate=RATE)[0], dtype=np.float32)


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Signal, Signal]]:
    """Noisy and clean at -5 and 5 dB."""
    rng = np.random.default_rng(0)
    speech = [voice(1.5, rng) for _ in range(6)]
    return [
        (
            mix(x, rng.standard_normal(x.size).astype(np.float32), snr_db=snr_db, sample_rate=RATE)[0].astype(
                np.float32
            ),
            x,
        )
        for x, snr_db in zip(speech, (-5.0, 5.0) * 3, strict=True)
    ]


def fits(signals: list[Signal], pairs: list[tuple[Signal, Signal]]) -> list[ReferenceFit | None]:
    return [
        fit_reference(estimate=signal, reference=clean, sample_rate=RATE)
        for signal, (_, clean) in zip(signals, pairs, strict=True)
    ]


def scale_db(told: str) -> float:
    found = re.fullmatch(r"scaled by about ([+-][\d.]+) dB against the reference\. Segmental SNR, LSD .*", told)
    assert found is not None, told
    return float(found[1])


def test_noisy_speech_fits_its_reference(pairs: list[tuple[Signal, Signal]]) -> None:
    assert find_misfits(fits([noisy for noisy, _ in pairs], pairs)) == []
    assert find_misfits([]) == []


def test_a_shift_is_told_in_ms_and_samples(pairs: list[tuple[Signal, Signal]]) -> None:
    (told,) = find_misfits(fits([shifted(noisy, 197) for noisy, _ in pairs], pairs))
    assert told.startswith("shifted by 12.3 ms (197 samples later) against the reference in 6 of 6 checked. SI-SDR")
    (told,) = find_misfits(fits([shifted(noisy, -1) for noisy, _ in pairs], pairs))
    assert "(1 sample earlier)" in told


def test_one_file_that_is_shifted_and_shifts_that_differ_are_told(pairs: list[tuple[Signal, Signal]]) -> None:
    signals = [noisy for noisy, _ in pairs]
    (told,) = find_misfits(fits([shifted(signals[0], 160), *signals[1:]], pairs))
    assert "shifted by 10 ms (160 samples later) against the reference in 1 of 6 checked" in told
    (told,) = find_misfits(fits([shifted(signals[0], 160), shifted(signals[1], -80), *signals[2:]], pairs))
    assert "shifted by -5 to 10 ms against the reference in 2 of 6 checked" in told


def test_scale_and_polarity_are_told_beside_a_shift(pairs: list[tuple[Signal, Signal]]) -> None:
    signals = [shifted(np.float32(-0.5) * noisy, 197) for noisy, _ in pairs]
    shift, scale, inverted = find_misfits(fits(signals, pairs))
    assert shift.startswith("shifted by 12.3 ms")
    assert scale_db(scale) == pytest.approx(-6.0, abs=0.5)
    assert inverted.startswith("inverted in 6 of 6 checked")


def test_a_scale_within_what_suppressors_do_or_of_two_files_is_not_told(pairs: list[tuple[Signal, Signal]]) -> None:
    assert find_misfits(fits([np.float32(0.75) * noisy for noisy, _ in pairs], pairs)) == []
    assert find_misfits(fits([np.float32(0.25) * noisy for noisy, _ in pairs], pairs)[:2]) == []
    (told,) = find_misfits(fits([np.float32(3.0) * noisy for noisy, _ in pairs], pairs))
    assert scale_db(told) == pytest.approx(9.5, abs=0.5)


def test_other_utterances_hold_nothing_of_the_reference(pairs: list[tuple[Signal, Signal]]) -> None:
    rng = np.random.default_rng(1)
    (told,) = find_misfits(fits([0.1 * rng.standard_normal(x.size).astype(np.float32) for _, x in pairs], pairs))
    assert told.startswith("nothing of the reference found in 6 of 6 checked")


def test_files_cut_at_another_speed_are_told(pairs: list[tuple[Signal, Signal]]) -> None:
    faster = [resample(clean, 16_200, RATE) for _, clean in pairs]
    faster = [np.pad(x, (0, clean.size - x.size)) for x, (_, clean) in zip(faster, pairs, strict=True)]
    assert find_misfits(fits(faster, pairs))


def test_what_was_resampled_and_back_still_fits(pairs: list[tuple[Signal, Signal]]) -> None:
    back = [resample(resample(noisy, RATE, 44_100), 44_100, RATE) for noisy, _ in pairs]
    assert find_misfits(fits(back, pairs)) == []


@pytest.mark.parametrize("bad", [np.zeros(RATE), np.full(RATE, np.nan), np.zeros(0)])
def test_silence_nan_and_nothing_cannot_be_told(bad: Signal) -> None:
    good = 0.1 * np.random.default_rng(0).standard_normal(bad.size)
    assert fit_reference(estimate=bad, reference=good, sample_rate=RATE) is None
    assert fit_reference(estimate=good, reference=bad, sample_rate=RATE) is None
    assert fit_reference(estimate=good[:8000], reference=good[:8000], sample_rate=RATE) is None
    assert find_misfits([None, None]) == []


def test_noisy_files_of_a_list_are_checked_and_damaged_ones_left_to_scoring(
    pairs: list[tuple[Signal, Signal]], tmp_path: Path
) -> None:
    listed = []
    for number, (noisy, clean) in enumerate(pairs):
        paths = tmp_path / f"noisy{number}.wav", tmp_path / f"clean{number}.wav"
        write_float32(paths[0], shifted(noisy, 16), RATE)
        write_float32(paths[1], clean, RATE)
        listed.append(Pair(str(number), *paths))
    listed += [Pair("gone", tmp_path / "gone.wav", tmp_path / "clean0.wav"), Pair("alone", tmp_path / "noisy0.wav")]
    assert "(16 samples later) against the reference in 6 of 6 checked" in check_noisy(listed)[0]
    assert "in 2 of 2 checked" in check_noisy(listed, count=2)[0]
    assert check_noisy(listed[-1:]) == []


@pytest.mark.corpus
def test_real_mixtures_and_the_default_model_fit_and_its_latency_shows(corpus: Path) -> None:
    """At -5 dB, the hardest; docs/test_sets.md has all 1,900."""
    from cmkt.audio.read import read_audio
    from cmkt.recipes.jsonl import read_list

    rng, model = np.random.default_rng(0), load("default")
    kept: dict[str, list[ReferenceFit | None]] = {"noisy": [], "enhanced": [], "late": []}
    for entry in read_list(corpus / "speech.test.jsonl", part=(0.0, 0.1)):
        clean = read_audio(entry.path)[0][0]
        noise = np.cumsum(rng.standard_normal(clean.size)) * 0.01 + rng.standard_normal(clean.size)
        noisy = mix(clean, noise.astype(np.float32), snr_db=-5.0, sample_rate=RATE)[0].astype(np.float32)
        enhanced = np.asarray(model.enhance(noisy, sample_rate=RATE))
        late = shifted(enhanced, model.latency_samples)
        for name, signal in (("noisy", noisy), ("enhanced", enhanced), ("late", late)):
            kept[name].append(fit_reference(estimate=signal, reference=clean, sample_rate=RATE))
    assert len(kept["noisy"]) > 5
    assert find_misfits(kept["noisy"]) == find_misfits(kept["enhanced"]) == []
    assert f"({model.latency_samples} samples later)" in find_misfits(kept["late"])[0]
