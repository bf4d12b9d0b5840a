"""What each evaluated model and each run costs: size, multiplications, delay, speed, and its training."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cmkt.errors import CmktError, DataError
from cmkt.evaluation.cost import count_parameters, macs_per_second, processor_name, real_time_factor
from cmkt.evaluation.training_cost import TrainingCost, read_cost
from cmkt.inference.load import DEFAULT, GRAPH_SUFFIX, load, load_torch

if TYPE_CHECKING:
    from cmkt.evaluation.report.sources import Run
    from cmkt.evaluation.report.test_sets import TestSet
    from cmkt.inference.array_enhancer import ArrayEnhancer

    Curves = Mapping[str, tuple[list[int], list[float]]]

logger = logging.getLogger(__name__)

SPEED: str = "train/steps_per_second"


@final
@dataclass(frozen=True, slots=True)
class ModelCost:
    """A model. None where not known; latency_ms: None for one that needs the future; reason: why something lacks."""

    name: str
    kind: str = ""
    parameters: int | None = None
    macs_per_second: float | None = None
    latency_ms: float | None = None
    real_time_factor: float | None = None
    reason: str = ""


@final
@dataclass(frozen=True, slots=True)
class RunCost:
    """Training of a run. seconds_per_step: the median over its log, which one long pause does not move."""

    name: str
    cost: TrainingCost | None
    seconds_per_step: float | None


@final
@dataclass(frozen=True, slots=True)
class StepRatio:
    """How much longer a step with transfer takes than one of the run that differs in nothing else."""

    transfer: str
    plain: str
    ratio: float
    caution: str


def model_sources(test_sets: Iterable[TestSet], runs: Iterable[Run]) -> dict[str, str]:
    """Where the models are, by name: those that were evaluated, as far as evaluations say, and the runs."""
    sources = {}
    for test_set in test_sets:
        for name in test_set.models:
            origin = test_set.origins[name]
            source = origin.evaluation.source(origin.system)
            if source is not None:
                sources[name] = source
    known = {Path(source).resolve() for source in sources.values() if source != DEFAULT}
    for run in runs:
        if run.path not in known:
            sources.setdefault(run.name, str(run.path))
    return sources


def model_costs(sources: Mapping[str, str], *, measure_speed: bool, allow_foreign: bool = False) -> list[ModelCost]:
    """What each model costs; its speed only where asked, as it takes seconds and depends on this machine."""
    return [
        _model_cost(name, source, measure_speed=measure_speed, allow_foreign=allow_foreign)
        for name, source in sources.items()
        if source == DEFAULT or not Path(source).is_dir() or _may_be_model(Path(source))
    ]


def _may_be_model(folder: Path) -> bool:
    """A folder that some other system enhanced into holds none."""
    return any((folder / name).exists() for name in ("model.json", "enhancer", "config.yaml", "checkpoints"))


def _model_cost(name: str, source: str, *, measure_speed: bool, allow_foreign: bool) -> ModelCost:
    try:
        enhancer: ArrayEnhancer = load(source, allow_foreign=allow_foreign)
    except (CmktError, ModuleNotFoundError) as error:
        return ModelCost(name, reason=str(error))
    factor = real_time_factor(enhancer) if measure_speed else None
    delay = 1000 * enhancer.latency_samples / enhancer.sample_rate if enhancer.causal else None
    found = ModelCost(name, "ONNX graph", latency_ms=delay, real_time_factor=factor)
    if Path(source).suffix == GRAPH_SUFFIX:
        return replace(found, reason="A graph does not say its parameters; name the run that it was exported from.")
    try:
        model = load_torch(source, allow_foreign=allow_foreign).model
    except (CmktError, ModuleNotFoundError) as error:
        return replace(found, reason=str(error))
    return replace(
        found,
        kind=type(model).__name__,
        parameters=count_parameters(model),
        macs_per_second=macs_per_second(model, sample_rate=enhancer.sample_rate),
    )


def run_costs(runs: Sequence[Run], curves: Mapping[str, Curves]) -> list[RunCost]:
    """What is known of the training of each run; runs of which nothing is known are left out."""
    found = []
    for run in runs:
        try:
            cost = read_cost(run.path)
        except DataError as error:
            logger.warning("%s", error)
            cost = None
        found.append(RunCost(run.name, cost, _seconds_per_step(cost, curves.get(run.name, {}))))
    return [each for each in found if each.cost is not None or each.seconds_per_step is not None]


def _seconds_per_step(cost: TrainingCost | None, curves: Curves) -> float | None:
    speeds = [value for value in curves.get(SPEED, ([], []))[1] if value > 0]
    if speeds:
        return 1 / statistics.median(speeds)
    return None if cost is None else cost.seconds_per_step


def step_ratios(costs: Sequence[RunCost], configs: Mapping[str, Mapping[str, Any]]) -> list[StepRatio]:
    """For each run with transfer, against the plain run whose configuration is the same otherwise."""
    by_name = {cost.name: cost for cost in costs if cost.seconds_per_step is not None}
    plain = {name: config for name, config in configs.items() if name in by_name and not _transfer(config)}
    ratios = []
    for name, config in configs.items():
        if name not in by_name or not _transfer(config):
            continue
        twin = next((other for other in plain if _otherwise(plain[other]) == _otherwise(config)), None)
        own, other = by_name[name], by_name.get(twin or "")
        if other is not None and own.seconds_per_step is not None and other.seconds_per_step is not None:
            ratio = own.seconds_per_step / other.seconds_per_step
            ratios.append(StepRatio(name, other.name, ratio, _caution(own, other)))
    return ratios


def _transfer(config: Mapping[str, Any]) -> Any:
    model = config.get("model")
    return model.get("transfer") if isinstance(model, Mapping) else None


def _otherwise(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without what two arms may differ in: transfer, output, and where a run starts from a resume."""
    left_out = ("output", "ckpt_path", "checkpoint_every")
    own = {key: value for key, value in config.items() if key not in left_out}
    model = {key: value for key, value in own.get("model", {}).items() if key != "transfer"}
    trainer = {key: value for key, value in own.get("trainer", {}).items() if key != "default_root_dir"}
    return {**own, "model": model, "trainer": trainer}


def _caution(first: RunCost, second: RunCost) -> str:
    if first.cost is None or second.cost is None:
        return "on which machines is not known"
    if (first.cost.device, first.cost.threads) != (second.cost.device, second.cost.threads):
        return "on different devices or threads, so that it says little"
    return ""


def measured_on() -> str:
    """The machine that speeds of this report are of."""
    return processor_name()
