from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmkt.errors import AudioError
from cmkt.signal.music import HARMONICS, Instrument, draw_instrument, drums, harmony, melody, music, tone

RATE = 16_000


def plain(harmonics: int = 1, *, decay: float = np.inf, vibrato_semitones: float = 0.0) -> Instrument:
    amplitudes = np.zeros(HARMONICS, dtype=np.complex128)
    amplitudes[:harmonics] = 1.0
    return Instrument(amplitudes, 0.01, decay, vibrato_semitones, 5.0, 1.0)


def spectrum(x: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    power = np.abs(np.fft.rfft(x.astype(np.float64) * np.hanning(x.size))) ** 2
    return np.fft.rfftfreq(x.size, 1 / RATE).astype(np.float64), power.astype(np.float64)


@pytest.mark.parametrize("n", [1, 100, 3 * RATE])
def test_music_has_the_length_and_level_it_promises(n: int) -> None:
    for seed in range(10):
        x = music(n, RATE, np.random.default_rng(seed))
        assert x.shape == (n,)
        assert x.dtype == np.float32
        rms, peak = float(np.sqrt(np.mean(x.astype(np.float64) ** 2))), float(np.abs(x).max())
        assert peak <= 0.9901
        assert rms == pytest.approx(0.1, rel=1e-3) or (rms < 0.1 and peak == pytest.approx(0.99, rel=1e-3))


def test_music_is_a_function_of_its_generator() -> None:
    first, again, other = (music(RATE, RATE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_samples_are_an_error() -> None:
    with pytest.raises(AudioError, match="`n`"):
        music(0, RATE, np.random.default_rng(0))


def test_music_is_more_tonal_than_noise_and_moves() -> None:
    """The loudest 1% of the bins of a second hold most of the power of music, 1% times ln(100) + 1 of that of noise."""
    shares = []
    for seed in range(20):
        power = np.sort(spectrum(music(RATE, RATE, np.random.default_rng(seed)))[1])[::-1]
        shares.append(power[: power.size // 100].sum() / power.sum())
    assert np.median(shares) > 0.4
    quarters = [spectrum(part)[1] for part in np.split(music(4 * RATE, RATE, np.random.default_rng(1)), 4)]
    assert np.corrcoef(quarters).min() < 0.8


def test_a_tone_has_its_pitch_and_its_harmonics() -> None:
    frequency, power = spectrum(tone(440.0, 1.0, RATE, plain(3)))
    for harmonic in (1, 2, 3):
        near = np.abs(frequency - 440 * harmonic) < 20
        assert power[near].sum() == pytest.approx(power.sum() / 3, rel=0.02)


def test_a_tone_has_no_harmonic_that_would_fold_back() -> None:
    frequency, power = spectrum(tone(3_000.0, 1.0, RATE, plain(HARMONICS)))
    peaks = frequency[power > 1e-3 * power.max()]
    assert (np.minimum(np.abs(peaks - 3_000), np.abs(peaks - 6_000)) < 20).all()


def test_a_struck_tone_decays_to_1_over_e_and_ends_in_silence() -> None:
    x = tone(500.0, 1.0, RATE, plain(decay=0.2))
    early, late = (np.abs(x[round(at * RATE) :][: RATE // 50]).max() for at in (0.1, 0.3))
    assert late / early == pytest.approx(np.exp(-1), rel=0.02)
    assert abs(x[-1]) < 1e-12


def test_vibrato_bends_the_pitch_by_what_it_says() -> None:
    x = tone(1_000.0, 1.0, RATE, plain(vibrato_semitones=0.5))
    crossings = np.flatnonzero((x[:-1] < 0) & (x[1:] >= 0))
    periods = np.diff(crossings[5:-60:10]) / 10
    widest = 12 * np.log2(periods.max() / periods.min())
    assert widest == pytest.approx(1.0, abs=0.15)


def test_melody_and_chords_cover_the_piece_and_stay_on_the_scale() -> None:
    rng = np.random.default_rng(0)
    notes = list(melody(32.0, 7, rng))
    assert all(7 <= note.step <= 28 and 0.0 <= note.beat < 32.0 and note.beats > 0 for note in notes)
    assert max(note.beat + note.beats for note in notes) > 28.0
    bar = [note for note in harmony(32.0, 7, [0, 3, 4, 0], rng) if 4.0 <= note.beat < 5.0]
    assert {note.step % 7 for note in bar} >= {3, 5, 0}


def test_drums_fall_on_every_half_beat() -> None:
    assert [beat for beat, _ in drums(4.0, RATE, np.random.default_rng(0))] == [0.5 * number for number in range(9)]


def test_instruments_differ_and_are_within_their_ranges() -> None:
    rng = np.random.default_rng(0)
    instruments = [draw_instrument(rng) for _ in range(200)]
    assert 0.3 < np.mean([np.isinf(each.decay) for each in instruments]) < 0.5
    assert all(0.003 <= each.attack <= 0.08 and np.abs(each.harmonics).max() <= 1.0 for each in instruments)
