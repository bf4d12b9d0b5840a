"""CSIG, CBAK and COVL: how listeners would rate the speech, the background and the whole, after ITU-T P.835.

Hu and Loizou, Evaluation of Objective Quality Measures for Speech Enhancement, IEEE Transactions on Audio, Speech, and
Language Processing 16(1), 2008: linear regressions on PESQ, LLR, WSS and segmental SNR. Each from 1 to 5,
higher is better. Identical signals have 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cmkt.errors import MetricUndefinedError
from cmkt.metrics.llr import log_likelihood_ratio
from cmkt.metrics.pair import check_pair
from cmkt.metrics.pesq import pesq_wb
from cmkt.metrics.segmental_snr import segmental_snr
from cmkt.metrics.wss import weighted_spectral_slope
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from cmkt.types import FloatArray

RATE: Final = 16_000
WORST: Final = 1.0
BEST: Final = 5.0


class Composite(NamedTuple):
    """csig: distortion of the speech; cbak: intrusion of the background; covl: overall. 1 is bad, 5 excellent."""

    csig: float
    cbak: float
    covl: float


def composite(*, estimate: FloatArray, reference: FloatArray, sample_rate: int, pesq: float | None = None) -> Composite:
    """The three ratings of an estimate. Higher rates are resampled to 16 kHz first.

    The paper used narrow-band PESQ at 8 kHz; what the field reports since, and this, is the same formula on PESQ-WB at
    16 kHz. `pesq` is that value where it is known already, which saves most of the time.

    Shape: estimate (T,), reference (T,).

    Raises:
        ConfigError: shapes differ or are not (T,).
        MetricUndefinedError: PESQ-WB has no value, or the rate is under 16 kHz, whose upper half LLR would invent.
        MissingExtraError: `pesq` is not installed.
    """
    if pesq is None:
        pesq = pesq_wb(estimate=estimate, reference=reference, sample_rate=sample_rate)
    estimate, reference = check_pair(estimate=estimate, reference=reference, sample_rate=sample_rate)
    if sample_rate < RATE:
        raise MetricUndefinedError(f"composite measures need {RATE} Hz or more")
    e, s = (resample(x, sample_rate, RATE).astype(np.float64) for x in (estimate, reference))
    return regress(
        pesq=pesq,
        llr=log_likelihood_ratio(estimate=e, reference=s, sample_rate=RATE),
        wss=weighted_spectral_slope(estimate=e, reference=s, sample_rate=RATE),
        snr_seg=segmental_snr(estimate=e, reference=s, sample_rate=RATE),
    )


def regress(*, pesq: float, llr: float, wss: float, snr_seg: float) -> Composite:
    """The regressions of the paper, each held within 1 and 5.

    >>> regress(pesq=2.0, llr=1.0, wss=50.0, snr_seg=0.0)
    Composite(csig=2.82, cbak=2.24, covl=2.342)
    """
    csig = 3.093 - 1.029 * llr + 0.603 * pesq - 0.009 * wss
    cbak = 1.634 + 0.478 * pesq - 0.007 * wss + 0.063 * snr_seg
    covl = 1.594 + 0.805 * pesq - 0.512 * llr - 0.007 * wss
    return Composite(*(min(max(value, WORST), BEST) for value in (csig, cbak, covl)))
