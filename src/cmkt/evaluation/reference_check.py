"""Whether what is scored lies on its reference: shifted in time, scaled, inverted, or something else altogether.

Scores punish such a slip as if it were noise: a shift by one sample costs the default model 7.4 dB of SI-SDR
(docs/test_sets.md). The limits come from 1,900 pairs of real speech at -5 to 10 dB, noisy and enhanced by six systems:
the distinctness was 19.4 at least and the shift 0.12 samples at most, while 1,500 unrelated pairs reached 17.3.

Shapes: T samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from cmkt.data.pair_audio import read_pair
from cmkt.errors import DataError
from cmkt.signal.agreement import agreeing_gain
from cmkt.signal.delay import find_delay
from cmkt.signal.level import is_silent

if TYPE_CHECKING:
    from cmkt.data.pairs import Pair
    from cmkt.types import FloatArray

SHORTEST_SECONDS = 1.0
"""Of half a second, unrelated speech has a distinctness of up to 28."""

FOUND = 18.0
"""The distinctness (see `cmkt.signal.delay`) from which on the reference is surely in the signal."""

SHIFT_SAMPLES = 0.75
"""Less is within what heavy suppression at -5 dB makes up: 0.45 at most."""

SCALE_DB = 4.0
FEWEST = 3
"""Pairs that it takes to tell a scale, which a suppressor changes too: the default model by -2 dB."""


@final
@dataclass(frozen=True, slots=True)
class ReferenceFit:
    """How one signal lies on its reference.

    distinctness: see `cmkt.signal.delay`; shift_samples: how much later it is; gain: the factor of the reference in it,
    negative where it is inverted. Both are None where the reference is not surely in it.
    """

    sample_rate: int
    distinctness: float
    shift_samples: float | None = None
    gain: float | None = None


def fit_reference(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> ReferenceFit | None:
    """How `estimate` (T,), or noisy speech, lies on `reference` (T,).

    None where nobody can tell: one is silent or not finite, or they last less than a second.

    Raises:
        AudioError: lengths differ or one is not (T,).
    """
    for x in (estimate, reference):
        if x.size < SHORTEST_SECONDS * sample_rate or not np.isfinite(x).all() or is_silent(x):
            return None
    delay = find_delay(estimate, reference, sample_rate=sample_rate)
    if delay.distinctness < FOUND:
        return ReferenceFit(sample_rate, delay.distinctness)
    later = round(delay.samples)
    length = reference.size - abs(later)
    ours, theirs = estimate[max(later, 0) :][:length], reference[max(-later, 0) :][:length]
    gain = None if is_silent(theirs) else agreeing_gain(ours, theirs, sample_rate=sample_rate)
    return ReferenceFit(sample_rate, delay.distinctness, delay.samples, gain)


def find_misfits(fits: Sequence[ReferenceFit | None]) -> list[str]:
    """What is wrong with signals of one kind, given how some of them fit: a sentence each, with the scores that suffer.

    A single shifted signal is enough to be told. References must be lost, or signals inverted, in half of them, and a
    scale is that of most. Nothing for signals that fit.
    """
    known = [fit for fit in fits if fit is not None]
    found = [fit for fit in known if fit.shift_samples is not None]
    if 2 * len(found) <= len(known):
        return [_lost(len(known) - len(found), len(known))] if known else []
    told = (_shifted(found), _scaled(found), _inverted(found))
    return [sentence for sentence in told if sentence is not None]


def check_noisy(pairs: Sequence[Pair], *, count: int = 20) -> list[str]:
    """`find_misfits` of `count` noisy files against their references, spread over the pairs.

    Files that cannot be read are left out: scoring tells about them.
    """
    with_reference = [pair for pair in pairs if pair.clean is not None]
    step = max(1, len(with_reference) // count)
    return find_misfits([_fit_noisy(pair) for pair in with_reference[::step][:count]])


def _fit_noisy(pair: Pair) -> ReferenceFit | None:
    try:
        audio = read_pair(pair)
    except DataError:
        return None
    assert audio.clean is not None
    return fit_reference(estimate=audio.noisy, reference=audio.clean, sample_rate=audio.sample_rate)


def _lost(lost: int, known: int) -> str:
    return (
        f"nothing of the reference found in {lost} of {known} checked. No score against it means anything then. "
        "Are they the same utterances, at the same speed, and not cut?"
    )


def _shifted(found: Sequence[ReferenceFit]) -> str | None:
    shifts = [fit.shift_samples for fit in found if fit.shift_samples is not None]
    shifts = sorted(shift for shift in shifts if abs(shift) >= SHIFT_SAMPLES)
    if not shifts:
        return None
    per_ms = found[0].sample_rate / 1000
    if shifts[-1] - shifts[0] <= 1.0:
        by = f"{shifts[0] / per_ms:.3g} ms ({_samples(shifts[0])})"
    else:
        by = f"{shifts[0] / per_ms:.3g} to {shifts[-1] / per_ms:.3g} ms"
    return (
        f"shifted by {by} against the reference in {len(shifts)} of {len(found)} checked. SI-SDR, segmental SNR and "
        "CBAK fall from one sample on, STOI, ESTOI, LSD, CSIG and COVL from milliseconds on; PESQ aligns both itself. "
        "Cut a system's delay off its output, or both files at the same place."
    )


def _samples(shift: float) -> str:
    count = max(1, round(abs(shift)))
    return f"{count} sample{'s' * (count > 1)} {'later' if shift > 0 else 'earlier'}"


def _scaled(found: Sequence[ReferenceFit]) -> str | None:
    """By the upper quartile: suppressors take speech away where noise is loud, and nothing adds any."""
    gains_db = [20 * math.log10(abs(fit.gain)) for fit in found if fit.gain]
    if len(gains_db) < FEWEST:
        return None
    gain_db = float(np.percentile(gains_db, 75))
    if abs(gain_db) < SCALE_DB:
        return None
    return (
        f"scaled by about {gain_db:+.1f} dB against the reference. Segmental SNR, LSD and CBAK depend on the level; "
        "PESQ, STOI, ESTOI and SI-SDR do not. Scale them back."
    )


def _inverted(found: Sequence[ReferenceFit]) -> str | None:
    inverted = sum(fit.gain is not None and fit.gain < 0 for fit in found)
    if not inverted or 2 * inverted < len(found):
        return None
    return (
        f"inverted in {inverted} of {len(found)} checked. Segmental SNR and CBAK fall; no other score notices. "
        "Multiply them by -1."
    )
