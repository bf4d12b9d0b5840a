"""The metrics of sound, by name, in the order of tables. What tables say about each is in `cmkt.metrics.about`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final

from cmkt.errors import ConfigError
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
        )
    }
)
"""Every metric of sound."""

DEFAULT_METRICS: Final[Mapping[str, RegisteredMetric]] = MappingProxyType(
    {name: metric for name, metric in METRICS.items() if metric.default}
)
"""What an evaluation measures that does not say what."""


def choose_metrics(names: Iterable[str]) -> dict[str, RegisteredMetric]:
    """The metrics of these names, in the order of tables.

    Raises: ConfigError where one is unknown.
    """
    wanted = set(names)
    if unknown := sorted(wanted - METRICS.keys()):
        raise ConfigError(f"`metrics` must be among {', '.join(METRICS)}, but has {', '.join(unknown)}.")
    return {name: metric for name, metric in METRICS.items() if name in wanted}
