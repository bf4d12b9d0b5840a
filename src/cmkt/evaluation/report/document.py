"""A report as a page shows it: sections in order, each with what is there and a sentence for what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, final

from cmkt.errors import ConfigError
from cmkt.evaluation.report.attention import RunMaps, attention_maps
from cmkt.evaluation.report.costs import (
    ModelCost,
    RunCost,
    StepRatio,
    measured_on,
    model_costs,
    model_sources,
    run_costs,
    step_ratios,
)
from cmkt.evaluation.report.curves import Panel, panels, run_colour, run_curves
from cmkt.evaluation.report.reproduce import Recipe, RunConfig, evaluation_recipe, run_configs, run_recipe
from cmkt.evaluation.report.section import Section, make_section
from cmkt.evaluation.report.spoken import dev_mixtures
from cmkt.evaluation.report.test_sets import TestSet, find_test_sets
from cmkt.inference.card import package_version

if TYPE_CHECKING:
    from cmkt.evaluation.report.options import Options
    from cmkt.evaluation.report.sources import Sources

MAPS: Final = 2
"""So many mixtures have an attention map for each run."""


@final
@dataclass(frozen=True, slots=True)
class Document:
    """Everything on the page."""

    title: str
    made: str
    version: str
    sections: tuple[Section, ...]
    maps: tuple[RunMaps, ...]
    panels: tuple[Panel, ...]
    run_legend: tuple[tuple[str, str], ...]
    curves_lacking: tuple[str, ...]
    models: tuple[ModelCost, ...]
    runs: tuple[RunCost, ...]
    ratios: tuple[StepRatio, ...]
    machine: str
    recipes: tuple[Recipe, ...]
    configs: tuple[RunConfig, ...]


def make_document(sources: Sources, options: Options) -> Document:
    """The report of these sources.

    Raises: ConfigError where no test set has the system, the fields or the arms that are asked for.
    """
    test_sets = find_test_sets(sources.evaluations)
    _check_system(test_sets, options.system)
    sections = [make_section(test_set, f"set{number}", options) for number, test_set in enumerate(test_sets, start=1)]
    curves, lacking = run_curves(sources.runs)
    configs = run_configs(sources.runs)
    spoken = [each for section in sections for each in section.spoken] or dev_mixtures(configs)
    costs = run_costs(sources.runs, curves)
    where = model_sources(test_sets, sources.runs)
    foreign = options.allow_foreign
    return Document(
        title=options.title,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=package_version(),
        sections=tuple(sections),
        maps=tuple(attention_maps(sources.runs, spoken[:MAPS], allow_foreign=foreign)),
        panels=tuple(panels(curves)),
        run_legend=tuple((name, run_colour(name, [*curves])) for name in curves),
        curves_lacking=tuple(lacking),
        models=tuple(model_costs(where, measure_speed=options.speed, allow_foreign=foreign)),
        runs=tuple(costs),
        ratios=tuple(step_ratios(costs, {config.run: config.values for config in configs})),
        machine=measured_on() if options.speed else "",
        recipes=(*map(evaluation_recipe, sources.evaluations), *map(run_recipe, sources.runs)),
        configs=tuple(config for config in configs if config.text),
    )


def _check_system(test_sets: Sequence[TestSet], system: str | None) -> None:
    known = list(dict.fromkeys(name for test_set in test_sets for name in test_set.models))
    if system is not None and system not in known:
        raise ConfigError(f"`--system` must be among {', '.join(known) or 'no system at all'}, but is {system!r}.")
