"""PESQ, the perceived quality of speech, wide and narrow band.

Wide band (50 to 7,000 Hz), ITU-T P.862.2 (11/2007): MOS-LQO from 1.04 to 4.64, higher is better. Identical signals have
4.6439. Narrow band (300 to 3,400 Hz, as on a telephone), P.862 (02/2001) mapped by P.862.1 (11/2003): 1.02 to 4.55,
higher is better; identical signals have 4.5486. The two are different scales.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from cmkt.errors import MetricUndefinedError
from cmkt.extras import import_extra
from cmkt.metrics.pair import check_pair
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

WIDE_BAND: Final = "wb", 16_000
NARROW_BAND: Final = "nb", 8_000
"""What the package calls a band, and the rate at which it is scored."""

MOST_UTTERANCES = 50
"""The reference code of ITU-T writes past its tables, and crashes, when it finds more utterances than this."""

VAD_FRAMES_IN_SECOND = 250
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
    return _pesq(estimate, reference, sample_rate, *WIDE_BAND)


def pesq_nb(*, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
    """Narrow-band PESQ as MOS-LQO, 1.02 to 4.55, higher is better. Other rates are resampled to 8 kHz first.

    Shape: estimate (T,), reference (T,).

    Raises: as `pesq_wb`.
    """
    return _pesq(estimate, reference, sample_rate, *NARROW_BAND)


def _pesq(estimate: FloatArray, reference: FloatArray, sample_rate: int, band: str, rate: int) -> float:
    pesq = import_extra("pesq", "eval")
    estimate, reference = check_pair(estimate=estimate, reference=reference, sample_rate=sample_rate)
    estimate = resample(estimate, sample_rate, rate).astype(np.float32)
    reference = resample(reference, sample_rate, rate).astype(np.float32)
    if _most_utterances(reference, rate) > MOST_UTTERANCES:
        raise MetricUndefinedError(
            f"PESQ takes at most {MOST_UTTERANCES} utterances between pauses, and {reference.size / rate:.0f} s of "
            "this reference may hold more; score shorter pieces"
        )
    try:
        score = float(pesq.pesq(rate, reference, estimate, band))
    except pesq.NoUtterancesError as error:
        raise MetricUndefinedError("PESQ finds no utterance") from error
    except pesq.BufferTooShortError as error:
        raise MetricUndefinedError("PESQ needs at least a quarter of a second") from error
    except pesq.PesqError as error:
        raise MetricUndefinedError(f"PESQ fails: {error}") from error
    if not math.isfinite(score):
        raise MetricUndefinedError("PESQ gives no finite value")
    return score


def _most_utterances(reference: NDArray[np.float32], rate: int) -> int:
    """The largest number of utterances that an activity detector with any threshold finds in `reference` (T,)."""
    samples = rate // VAD_FRAMES_IN_SECOND
    frames = reference[: reference.size // samples * samples].reshape(-1, samples)
    energy = np.square(frames).sum(axis=1)
    most = 0
    for threshold_db in np.arange(0.0, -70.0, -1.5):
        active = np.flatnonzero(energy >= energy.max(initial=0.0) * 10 ** (threshold_db / 10))
        most = max(most, 1 + int((np.diff(active) > PAUSE_FRAMES).sum()))
    return most
