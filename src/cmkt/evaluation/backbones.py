"""What each backbone costs and how far it hears, in the default size and about the paper's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, final

from cmkt.errors import ConfigError
from cmkt.evaluation.cost import COUNTED, count_parameters, macs_per_second, processor_name, real_time_factor
from cmkt.evaluation.receptive_field import receptive_field
from cmkt.evaluation.table import markdown_table

if TYPE_CHECKING:
    from cmkt.models.catalogue import Backbone

DEFAULT_SIZE: Final = "default"
PAPER_SIZE: Final = "paper"
SIZES: Final = (DEFAULT_SIZE, PAPER_SIZE)


@final
@dataclass(frozen=True, slots=True)
class BackboneCost:
    """One row: a backbone in one size, with untrained weights.

    macs_per_second and real_time_factor: for each second of audio, on one thread; latency_seconds: of a stream, None
    where the whole utterance is needed; past_seconds and future_seconds: what is heard before and after a sample, None
    for all that was given.
    """

    name: str
    size: str
    init_args: Mapping[str, Any]
    sample_rate: int
    parameters: int
    macs_per_second: float
    real_time_factor: float
    causal: bool
    latency_seconds: float | None
    past_seconds: float | None
    future_seconds: float | None


def chosen(names: Sequence[str], size: str | None) -> list[tuple[Backbone, str]]:
    """Backbones and sizes to measure: those named, or all, each once; of one size, or both.

    A backbone whose default is of the paper's size is in either. Raises ConfigError for names that are none.
    """
    from cmkt.models.catalogue import BACKBONES

    known = {backbone.name.lower(): backbone for backbone in BACKBONES}
    if unknown := [name for name in names if name.lower() not in known]:
        raise ConfigError(
            f"A backbone must be one of {', '.join(each.name for each in BACKBONES)}, but is {', '.join(unknown)} "
            "instead."
        )
    kept = [known[name] for name in dict.fromkeys(name.lower() for name in names or known)]
    return [(backbone, each) for backbone in kept for each in _sizes(backbone, size)]


def _sizes(backbone: Backbone, size: str | None) -> Sequence[str]:
    if backbone.paper_args is None:
        return (DEFAULT_SIZE,)
    return SIZES if size is None else (size,)


def measure(pairs: Sequence[tuple[Backbone, str]], *, seconds: float, runs: int) -> Iterator[BackboneCost]:
    """A row for each pair, one after the other; seconds and runs as for `real_time_factor`. Seeds torch."""
    for backbone, size in pairs:
        yield _measured(backbone, size, seconds=seconds, runs=runs)


def _measured(backbone: Backbone, size: str, *, seconds: float, runs: int) -> BackboneCost:
    import torch

    from cmkt.inference.enhancer import TorchEnhancer

    args = dict(backbone.paper_args or {}) if size == PAPER_SIZE else {}
    torch.manual_seed(0)
    model = backbone.build(**args)
    enhancer = TorchEnhancer(model)
    rate = enhancer.sample_rate
    heard = receptive_field(model, sample_rate=rate)
    return BackboneCost(
        name=backbone.name,
        size=size,
        init_args=args,
        sample_rate=rate,
        parameters=count_parameters(model),
        macs_per_second=macs_per_second(model, sample_rate=rate, seconds=seconds),
        real_time_factor=real_time_factor(enhancer, seconds=seconds, runs=runs),
        causal=enhancer.causal,
        latency_seconds=enhancer.latency_samples / rate if enhancer.causal else None,
        past_seconds=None if heard.past_samples is None else heard.past_samples / rate,
        future_seconds=None if heard.future_samples is None else heard.future_samples / rate,
    )


def backbones_markdown(costs: Sequence[BackboneCost], *, seconds: float, runs: int) -> str:
    """A table with what its columns mean."""
    header = ["backbone", "size", "parameters", "MACs/s", "real-time factor", "causal", "latency", "hears"]
    rows = [
        [
            each.name,
            each.size,
            _number(each.parameters),
            _number(each.macs_per_second),
            f"{each.real_time_factor:.3g}",
            "yes" if each.causal else "no",
            _milliseconds(each.latency_seconds, otherwise="-"),
            f"{_milliseconds(each.past_seconds, otherwise='all')} before, "
            f"{_milliseconds(each.future_seconds, otherwise='all')} after",
        ]
        for each in costs
    ]
    return f"{markdown_table(header, rows)}\n\n{_reading(seconds, runs)}\n"


def backbones_values(costs: Sequence[BackboneCost], *, seconds: float, runs: int) -> dict[str, Any]:
    """The same for programs."""
    measured = {"seconds": seconds, "runs": runs, "counted": COUNTED, "processor": processor_name()}
    return {**measured, "backbones": [asdict(each) for each in costs]}


def _reading(seconds: float, runs: int) -> str:
    return (
        f"Untrained weights. MACs/s: for each second of audio, over {seconds:g} s; {COUNTED}. Real-time factor: "
        f"processor time over audio time in torch on one thread, {seconds:g} s at once, median of {runs}, on "
        f"{processor_name()}. "
        "Latency: of a stream, computing not counted; a model without one runs in windows. Hears: how far before and "
        "after a sample the input changes it, measured by gradients; all: to the end of what was given, as with "
        "recurrence or attention."
    )


def _number(value: float) -> str:
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


def _milliseconds(seconds: float | None, *, otherwise: str) -> str:
    return otherwise if seconds is None else f"{1e3 * seconds:.3g} ms"
