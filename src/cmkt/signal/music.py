"""Music made from nothing: melody, chords, bass and drums in a drawn key and tempo, for augmentation.

It has what makes music a noise of its own to an enhancer: steady harmonics as of a voice, onsets on a beat, vibrato. It
is not meant to please. A tone is one period of its waveform read at the speed of its pitch, which costs the same
whatever the number of harmonics.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from scipy.fft import irfft

from cmkt.errors import AudioError
from cmkt.signal.synthesis import levelled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]

TEMPO_BPM = (55.0, 180.0)
ROOT_HZ = (55.0, 110.0)
"""The lowest note of the key: A1 to A2, at any tuning."""

SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10))
"""Semitones above the root: major, minor, pentatonic, blues."""

PART_PROBABILITY = 0.6
"""Of melody, chords, bass and drums each; where none is drawn there is a melody."""

BAR_BEATS = 4
HARMONICS = 40
SLOPE = (1.0, 2.6)
"""Amplitude of harmonic k is about k^-slope, from bright to dull."""

ATTACK_SECONDS = (0.003, 0.08)
DECAY_SECONDS = (0.1, 1.0)
HELD_PROBABILITY = 0.4
"""Of an instrument that holds its tones, like a bow or a pipe; the others are plucked or struck."""

RELEASE_SECONDS = 0.05
VIBRATO_PROBABILITY = 0.5
VIBRATO_HZ = (4.0, 7.0)
VIBRATO_SEMITONES = (0.1, 0.6)
TABLE = 2048


@final
@dataclass(frozen=True, slots=True)
class Instrument:
    """harmonics: (HARMONICS,) complex amplitudes from the fundamental up. attack: seconds to full level. decay: seconds
    from there to 1/e, infinite for held tones. vibrato_semitones: to either side. gain: of the whole part."""

    harmonics: NDArray[np.complex128]
    attack: float
    decay: float
    vibrato_semitones: float
    vibrato_hz: float
    gain: float


@final
@dataclass(frozen=True, slots=True)
class Note:
    """When it begins and how long it is held, in beats, and its step on the scale, which goes on through octaves."""

    beat: float
    beats: float
    step: int


def music(n: int, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(n,) float32 at an RMS of 0.1: one to four parts in one key and on one beat, from anywhere in the first bar.

    Raises:
        AudioError: `n` is under 1.
    """
    if n < 1:
        raise AudioError(f"`n` must be at least 1 sample, but is {n} instead.")
    beat_seconds = 60.0 / float(rng.uniform(*TEMPO_BPM))
    root_hz = float(rng.uniform(*ROOT_HZ))
    scale = SCALES[int(rng.integers(len(SCALES)))]
    chords = [int(step) for step in rng.integers(len(scale), size=4)]
    start = float(rng.uniform(0, BAR_BEATS))
    end = start + n / sample_rate / beat_seconds
    playing = rng.random(4) < PART_PROBABILITY
    playing[0] |= not playing.any()
    out = 1e-5 * rng.standard_normal(n)

    def play(notes: Iterator[Note], instrument: Instrument) -> None:
        for note in notes:
            if note.beat + note.beats > start:
                octave, degree = divmod(note.step, len(scale))
                hz = root_hz * 2 ** (octave + scale[degree] / 12)
                sound = tone(hz, note.beats * beat_seconds, sample_rate, instrument)
                _add(out, sound, round((note.beat - start) * beat_seconds * sample_rate))

    if playing[0]:
        play(melody(end, len(scale), rng), draw_instrument(rng))
    if playing[1]:
        play(harmony(end, len(scale), chords, rng), draw_instrument(rng))
    if playing[2]:
        play(bass(end, chords, rng), draw_instrument(rng))
    if playing[3]:
        for beat, sound in drums(end, sample_rate, rng):
            _add(out, sound, round((beat - start) * beat_seconds * sample_rate))
    if np.abs(out).max() < 1e-4:  # a rest, in a very short piece
        out += tone(4 * root_hz, n / sample_rate, sample_rate, draw_instrument(rng))[:n]
    return levelled(out)


def draw_instrument(rng: np.random.Generator) -> Instrument:
    """Brightness, uneven harmonics, attack, decay or hold, vibrato and gain, always all drawn."""
    slope, attack, decay, depth, vibrato_hz, gain = rng.uniform(
        *np.transpose([SLOPE, ATTACK_SECONDS, DECAY_SECONDS, VIBRATO_SEMITONES, VIBRATO_HZ, (0.3, 1.0)])
    )
    held, trembling = rng.random(2) < (HELD_PROBABILITY, VIBRATO_PROBABILITY)
    number = np.arange(1, HARMONICS + 1)
    uneven = rng.uniform(0.3, 1.0, HARMONICS) * np.exp(2j * np.pi * rng.random(HARMONICS))
    return Instrument(
        harmonics=number**-slope * uneven,
        attack=float(attack),
        decay=np.inf if held else float(decay),
        vibrato_semitones=float(depth) if trembling else 0.0,
        vibrato_hz=float(vibrato_hz),
        gain=float(gain),
    )


def tone(hz: float, seconds: float, sample_rate: int, instrument: Instrument) -> Float64:
    """(m,) one note of an instrument, held for `seconds` and released in 50 ms; no harmonic reaches half the rate."""
    time = np.arange(round((seconds + RELEASE_SECONDS) * sample_rate) + 1) / sample_rate
    bend = instrument.vibrato_semitones / 12 * np.sin(2 * np.pi * instrument.vibrato_hz * time)
    phase = np.cumsum(hz / sample_rate * np.exp2(bend)) if instrument.vibrato_semitones else hz * time
    highest = hz * 2 ** (instrument.vibrato_semitones / 12)
    count = min(HARMONICS, int(0.49 * sample_rate / highest))
    spectrum = np.zeros(TABLE // 2 + 1, dtype=np.complex128)
    spectrum[1 : count + 1] = TABLE / 2 * instrument.harmonics[:count]
    wave: Float64 = irfft(spectrum, TABLE)[(phase % 1.0 * TABLE).astype(np.intp) % TABLE]
    envelope = np.minimum(time / instrument.attack, 1.0) * np.clip((time[-1] - time) / RELEASE_SECONDS, 0.0, 1.0)
    if np.isfinite(instrument.decay):
        envelope *= np.exp(-time / instrument.decay)
    sound: Float64 = instrument.gain * envelope * wave
    return sound


def melody(end: float, steps: int, rng: np.random.Generator) -> Iterator[Note]:
    """A walk over the scale of `steps` steps an octave, one to four octaves up, with rests, until beat `end`."""
    beat, step = 0.0, int(rng.integers(2 * steps, 3 * steps))
    while beat < end:
        beats = float(rng.choice([0.25, 0.5, 0.5, 1.0, 1.0, 2.0]))
        step = int(np.clip(step + rng.integers(-3, 4), steps, 4 * steps))
        if rng.random() < 0.85:
            yield Note(beat, beats, step)
        beat += beats


def harmony(end: float, steps: int, chords: list[int], rng: np.random.Generator) -> Iterator[Note]:
    """A chord of three or four thirds in each bar, one or two octaves up: held, repeated on the beat, or broken."""
    octave, voices = int(rng.integers(1, 3)), int(rng.integers(3, 5))
    beats = float(rng.choice([BAR_BEATS, 2.0, 1.0]))
    broken = bool(rng.random() < 0.3)
    for number in range(int(end / beats) + 1):
        beat = number * beats
        chord = chords[int(beat / BAR_BEATS) % len(chords)]
        for voice in range(voices):
            delay = voice * beats / voices if broken else 0.0
            yield Note(beat + delay, beats - delay, octave * steps + chord + 2 * voice)


def bass(end: float, chords: list[int], rng: np.random.Generator) -> Iterator[Note]:
    """The lowest note of each bar's chord, on every half beat, beat or other beat."""
    beats = float(rng.choice([0.5, 1.0, 2.0]))
    for number in range(int(end / beats) + 1):
        yield Note(number * beats, 0.9 * beats, chords[int(number * beats / BAR_BEATS) % len(chords)])


def drums(end: float, sample_rate: int, rng: np.random.Generator) -> Iterator[tuple[float, Float64]]:
    """(beat, sound (m,)): a falling tone on beats one and three, a burst of noise on two and four, hiss between."""
    gain = float(rng.uniform(0.3, 1.5))
    drop, snare, hat = (float(x) for x in rng.uniform((0.03, 0.03, 0.01), (0.08, 0.06, 0.03)))
    time = np.arange(round(0.25 * sample_rate)) / sample_rate
    kick = np.sin(2 * np.pi * (45 * time + 4 * (1 - np.exp(-time / 0.03)))) * np.exp(-time / drop)
    for number in range(int(2 * end) + 1):
        if number % 2:
            yield number / 2, 0.4 * gain * np.diff(rng.standard_normal(time.size), prepend=0.0) * np.exp(-time / hat)
        elif number % 4:
            yield number / 2, 0.6 * gain * rng.standard_normal(time.size) * np.exp(-time / snare)
        else:
            yield number / 2, 2.0 * gain * kick


def _add(out: Float64, sound: Float64, start: int) -> None:
    """Adds what of `sound` (m,) lies inside `out` (n,) when it begins at sample `start`, which can be negative."""
    first, last = max(start, 0), min(start + sound.size, out.size)
    if first < last:
        out[first:last] += sound[first - start : last - start]
