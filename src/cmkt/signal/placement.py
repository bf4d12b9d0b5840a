"""Noise recordings of any length laid out over the length of a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cmkt.errors import AudioError
from cmkt.signal.level import is_silent
from cmkt.signal.mono import check_mono

if TYPE_CHECKING:
    from cmkt.types import FloatArray

EVENT_SECONDS = 1.0
"""A recording shorter than this is an event: it is never looped."""

EVENTS_PER_SECOND = (0.5, 2.0)
"""Range from which the rate of events in a mixture is drawn."""

CROSSFADE_SECONDS = 0.05


def place_noise(recordings: Sequence[FloatArray], total: int, sample_rate: int, rng: np.random.Generator) -> FloatArray:
    """Noise of `total` samples, (total,), from one drawn recording or from all events of its class.

    One of the `recordings` that are not silent is drawn. At least as long as `total`, it is cropped at a random start;
    from one second up, it is looped from a random start with a crossfade; under one second, it is an event, and it and
    the other events among `recordings` are placed whole at random times, which may overlap. The levels are those of
    the recordings. The result is never silent.

    Shape: recordings, each (n_i,), of one class.

    Raises:
        AudioError: no recording, all silent, one of the wrong shape or not finite, or `total` under 1.
    """
    if total < 1:
        raise AudioError(f"`total` must be at least 1 sample, but is {total} instead.")
    audible = [x for x in recordings if not is_silent(check_mono(x, "recordings"))]
    if not audible:
        raise AudioError(
            f"`recordings` must hold one that is not silent, but none of its {len(recordings)} is. Drop such files."
        )
    drawn = int(rng.integers(len(audible)))
    recording = audible[drawn]
    if recording.size >= total:
        return crop(recording, total, rng)
    shortest = int(EVENT_SECONDS * sample_rate)
    if recording.size >= shortest:
        return loop(recording, total, int(CROSSFADE_SECONDS * sample_rate), rng)
    others = [x for i, x in enumerate(audible) if i != drawn and x.size < min(shortest, total)]
    return scatter([recording, *others], total, _event_count(total / sample_rate, rng), rng)


def crop(recording: FloatArray, total: int, rng: np.random.Generator) -> FloatArray:
    """`total` samples from a random start; where they would be silent, samples around the loudest one instead."""
    last = recording.size - total
    start = int(rng.integers(last + 1))
    if is_silent(recording[start : start + total]):
        loudest = int(np.abs(recording).argmax())
        start = int(np.clip(loudest - rng.integers(total), 0, last))
    return recording[start : start + total].copy()


def loop(recording: FloatArray, total: int, fade: int, rng: np.random.Generator) -> FloatArray:
    """The recording again and again from a random phase, its end faded into its beginning at equal power.

    The period is n - fade samples, where n is the length of the recording.
    """
    period = recording.size - fade
    angle = (np.arange(fade) + 0.5) / max(fade, 1) * (np.pi / 2)
    unit = recording[:period].copy()
    unit[:fade] = recording[:fade] * np.sin(angle) + recording[period:] * np.cos(angle)
    looped: FloatArray = unit[(int(rng.integers(period)) + np.arange(total)) % period]
    return looped if not is_silent(looped) else crop(np.tile(recording, 2), total, rng)


def scatter(events: Sequence[FloatArray], total: int, count: int, rng: np.random.Generator) -> FloatArray:
    """`count` events at random times, each whole. The first one is always there; none is repeated before all were used.

    Shape: events, each (n_i,) with n_i <= total. Gives (total,).
    """
    out = np.zeros(total, dtype=events[0].dtype)
    order = [0, *(1 + rng.permutation(len(events) - 1))]
    for index in range(count):
        event = events[int(order[index % len(order)])]
        start = int(rng.integers(total - event.size + 1))
        out[start : start + event.size] += event
    return out


def _event_count(seconds: float, rng: np.random.Generator) -> int:
    return max(1, round(seconds * float(rng.uniform(*EVENTS_PER_SECOND))))
