"""PESQ-WB, the perceived quality of speech.

ITU-T P.862.2 (11/2007): MOS-LQO from 1.04 to 4.64, higher is better. Identical signals have 4.6439.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from cmkt.errors import MetricUndefinedError, MissingExtraError, extra_hint
from cmkt.metrics.pair import check_pair
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

RATE = 16_000

MOST_UTTERANCES = 50
"""The reference code of ITU-T writes past its tables, and crashes, when it finds more utterances than this."""

VAD_FRAME_SAMPLES = 64
PAUSE_FRAMES = 50
"""Its activity detector has frames of 4 ms, and only pauses longer than 200 ms part utterances."""


def pesq_wb(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    """Wide-band PESQ as MOS-LQO, 1.04 to 4.64, higher is better. Other rates are resampled to 16 kHz first.

    Shape: estimate (T,), reference (T,).

    Raises:
        ConfigError: shapes differ or are not (T,).
        MetricUndefinedError: silence, no utterance found, under a quarter of a second, not finite, or so long that
            there may be more than 50 utterances; continuous speech reaches that after about 40 s.
        MissingExtraError: `pesq` is not installed.
    """
    try:
        import pesq
    except ImportError as error:
        raise MissingExtraError(extra_hint("pesq", "eval")) from error
    estimate, reference = check_pair(estimate=estimate, reference=reference, sample_rate=sample_rate)
    estimate = resample(estimate, sample_rate, RATE).astype(np.float32)
    reference = resample(reference, sample_rate, RATE).astype(np.float32)
    if _most_utterances(reference) > MOST_UTTERANCES:
        raise MetricUndefinedError(
            f"PESQ takes at most {MOST_UTTERANCES} utterances between pauses, and {reference.size / RATE:.0f} s of "
            "this reference may hold more; score shorter pieces"
        )
    try:
        score = float(pesq.pesq(RATE, reference, estimate, "wb"))
    except pesq.NoUtterancesError as error:
        raise MetricUndefinedError("PESQ finds no utterance") from error
    except pesq.BufferTooShortError as error:
        raise MetricUndefinedError("PESQ needs at least a quarter of a second") from error
    except pesq.PesqError as error:
        raise MetricUndefinedError(f"PESQ fails: {error}") from error
    if not math.isfinite(score):
        raise MetricUndefinedError("PESQ gives no finite value")
    return score


def _most_utterances(reference: NDArray[np.float32]) -> int:
    """The largest number of utterances that an activity detector with any threshold finds in `reference` (T,)."""
    frames = reference[: reference.size // VAD_FRAME_SAMPLES * VAD_FRAME_SAMPLES].reshape(-1, VAD_FRAME_SAMPLES)
    energy = np.square(frames).sum(axis=1)
    most = 0
    for threshold_db in np.arange(0.0, -70.0, -1.5):
        active = np.flatnonzero(energy >= energy.max(initial=0.0) * 10 ** (threshold_db / 10))
        most = max(most, 1 + int((np.diff(active) > PAUSE_FRAMES).sum()))
    return most
