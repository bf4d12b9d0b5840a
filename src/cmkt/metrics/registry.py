"""The metrics of sound, by name, in the order of tables. What tables say about each is in `cmkt.metrics.about`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final

from cmkt.errors import ConfigError
from cmkt.metrics.composite import Composite, composite
from cmkt.metrics.dnsmos import P835, dnsmos_p808, dnsmos_p835
from cmkt.metrics.log_spectral_distance import log_spectral_distance
from cmkt.metrics.pesq import pesq_nb, pesq_wb
from cmkt.metrics.segmental_snr import segmental_snr
from cmkt.metrics.si_sdr import si_sdr
from cmkt.metrics.stoi import estoi, stoi
from cmkt.metrics.utterance import Utterance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cmkt.types import FloatArray, Metric


@final
@dataclass(frozen=True, slots=True)
class RegisteredMetric:
    """A metric by its name in result files.

    compute: the value of an utterance, MetricUndefinedError where there is none; needs_reference: False where the
    estimate alone is enough; default: whether an evaluation that names no metrics has it.
    """

    name: str
    compute: Callable[[Utterance], float]
    needs_reference: bool = True
    default: bool = True

    def __call__(self, *, estimate: FloatArray, reference: FloatArray | None = None, sample_rate: int) -> float:
        """The score of one utterance (T,); see the metric for range and errors."""
        return self.compute(Utterance(estimate=estimate, reference=reference, sample_rate=sample_rate))


def _against_reference(metric: Metric, utterance: Utterance) -> float:
    return metric(estimate=utterance.estimate, reference=utterance.reference, sample_rate=utterance.sample_rate)


_pesq_wb = partial(_against_reference, pesq_wb)


def _composite(utterance: Utterance) -> Composite:
    return composite(
        estimate=utterance.estimate,
        reference=utterance.reference,
        sample_rate=utterance.sample_rate,
        pesq=utterance.once(_pesq_wb),
    )


def _rating(part: str, utterance: Utterance) -> float:
    rating: float = getattr(utterance.once(_composite), part)
    return rating


def _p835(utterance: Utterance) -> P835:
    return dnsmos_p835(estimate=utterance.estimate, sample_rate=utterance.sample_rate)


def _guess(part: str, utterance: Utterance) -> float:
    guess: float = getattr(utterance.once(_p835), part)
    return guess


def _p808(utterance: Utterance) -> float:
    return dnsmos_p808(estimate=utterance.estimate, sample_rate=utterance.sample_rate)


METRICS: Final[Mapping[str, RegisteredMetric]] = MappingProxyType(
    {
        each.name: each
        for each in (
            RegisteredMetric("pesq_wb", _pesq_wb),
            RegisteredMetric("pesq_nb", partial(_against_reference, pesq_nb)),
            RegisteredMetric("stoi", partial(_against_reference, stoi)),
            RegisteredMetric("estoi", partial(_against_reference, estoi)),
            RegisteredMetric("si_sdr", partial(_against_reference, si_sdr)),
            RegisteredMetric("snr_seg", partial(_against_reference, segmental_snr)),
            RegisteredMetric("lsd", partial(_against_reference, log_spectral_distance)),
            RegisteredMetric("csig", partial(_rating, "csig")),
            RegisteredMetric("cbak", partial(_rating, "cbak")),
            RegisteredMetric("covl", partial(_rating, "covl")),
            RegisteredMetric("dnsmos_sig", partial(_guess, "sig"), needs_reference=False, default=False),
            RegisteredMetric("dnsmos_bak", partial(_guess, "bak"), needs_reference=False, default=False),
            RegisteredMetric("dnsmos_ovrl", partial(_guess, "ovrl"), needs_reference=False, default=False),
            RegisteredMetric("dnsmos_p808", _p808, needs_reference=False, default=False),
        )
    }
)
"""Every metric of sound."""

DEFAULT_METRICS: Final[Mapping[str, RegisteredMetric]] = MappingProxyType(
    {name: metric for name, metric in METRICS.items() if metric.default}
)
"""What an evaluation measures that does not say what: all that compare with a reference.

Together they cost three to four times PESQ-WB. DNSMOS P.835 costs ten times as much as all of them (docs/metrics.md).
"""


def choose_metrics(names: Iterable[str]) -> dict[str, RegisteredMetric]:
    """The metrics of these names, in the order of tables.

    Raises: ConfigError where one is unknown.
    """
    wanted = set(names)
    if unknown := sorted(wanted - METRICS.keys()):
        raise ConfigError(f"`metrics` must be among {', '.join(METRICS)}, but has {', '.join(unknown)}.")
    return {name: metric for name, metric in METRICS.items() if name in wanted}
