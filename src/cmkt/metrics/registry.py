"""The metrics of an evaluation, by name, in the order of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, final

from cmkt.metrics.pesq import pesq_wb
from cmkt.metrics.si_sdr import si_sdr
from cmkt.metrics.stoi import estoi, stoi

if TYPE_CHECKING:
    from cmkt.types import FloatArray, Metric


@final
@dataclass(frozen=True, slots=True)
class RegisteredMetric:
    """A metric with what a table says about it. Calling it calls the metric.

    name: as in result files; title: as in tables; unit: "MOS-LQO", "dB" or "" for a plain number.
    """

    name: str
    title: str
    metric: Metric
    unit: str
    higher_is_better: bool

    @property
    def direction(self) -> str:
        """ "higher is better" or "lower is better"."""
        return "higher is better" if self.higher_is_better else "lower is better"

    def __call__(self, *, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float:
        """The score of one utterance; see the metric for range and errors."""
        return self.metric(estimate=estimate, reference=reference, sample_rate=sample_rate)


METRICS: Mapping[str, RegisteredMetric] = MappingProxyType(
    {
        registered.name: registered
        for registered in (
            RegisteredMetric("pesq_wb", "PESQ-WB", pesq_wb, "MOS-LQO", higher_is_better=True),
            RegisteredMetric("stoi", "STOI", stoi, "", higher_is_better=True),
            RegisteredMetric("estoi", "ESTOI", estoi, "", higher_is_better=True),
            RegisteredMetric("si_sdr", "SI-SDR", si_sdr, "dB", higher_is_better=True),
        )
    }
)
"""Metrics by name, ordered."""
