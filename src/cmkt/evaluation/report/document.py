"""A report as a page shows it: sections in order, each with what is there and a sentence for what is missing."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, final

from cmkt.errors import ConfigError
from cmkt.evaluation.groups import group_cells
from cmkt.evaluation.harm import HARM_METRICS, find_harm
from cmkt.evaluation.record import NOISY
from cmkt.evaluation.report.attention import RunMaps, Spoken, attention_maps
from cmkt.evaluation.report.audible import Audible
from cmkt.evaluation.report.chosen import Chosen, choose
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
from cmkt.evaluation.report.distributions import Distribution, distributions
from cmkt.evaluation.report.palette import colour_class
from cmkt.evaluation.report.reproduce import Recipe, RunConfig, evaluation_recipe, run_configs, run_recipe
from cmkt.evaluation.report.tables import (
    Comparisons,
    Harmed,
    Table,
    comparisons,
    group_tables,
    harm_rows,
    summary_table,
)
from cmkt.evaluation.report.test_sets import TestSet, find_test_sets
from cmkt.evaluation.report.utterances import Card, make_cards, shown_systems, title_of
from cmkt.inference.card import package_version

if TYPE_CHECKING:
    from cmkt.evaluation.report.sources import Sources

logger = logging.getLogger(__name__)

MAPS: Final = 2
"""So many mixtures have an attention map for each run."""


@final
@dataclass(frozen=True, slots=True)
class Options:
    """What a report holds.

    utterances: so many worst and so many best of each kind are heard, 0 for none; system: by what that system changed,
    None for the first; speed: measure real-time factors now; allow_foreign: as in `cmkt.load`.
    """

    title: str = "Speech enhancement report"
    utterances: int = 3
    system: str | None = None
    speed: bool = False
    allow_foreign: bool = False

    def __post_init__(self) -> None:
        if self.utterances < 0:
            raise ConfigError(f"`utterances` must be 0 or more, but is {self.utterances}.")


@final
@dataclass(frozen=True, slots=True)
class Evaluated:
    """A test set. focus: the system whose worst and best are heard; lacking: what is not shown, and how to get it."""

    anchor: str
    title: str
    notes: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    summary: Table
    harm: str
    harmed: tuple[Harmed, ...]
    groups: tuple[Table, ...]
    comparisons: Comparisons | None
    distributions: tuple[Distribution, ...]
    focus: str
    cards: tuple[Card, ...]
    cards_note: str


@final
@dataclass(frozen=True, slots=True)
class Document:
    """Everything on the page."""

    title: str
    made: str
    version: str
    evaluated: tuple[Evaluated, ...]
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

    Raises: ConfigError where no test set has the system that is asked for.
    """
    test_sets = find_test_sets(sources.evaluations)
    _check_system(test_sets, options.system)
    evaluated, spoken = [], []
    for number, test_set in enumerate(test_sets, start=1):
        section, heard = _evaluated(test_set, f"set{number}", options)
        evaluated.append(section)
        spoken += heard
    curves, lacking = run_curves(sources.runs)
    configs = run_configs(sources.runs)
    costs = run_costs(sources.runs, curves)
    return Document(
        title=options.title,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=package_version(),
        evaluated=tuple(evaluated),
        maps=tuple(attention_maps(sources.runs, spoken[:MAPS], allow_foreign=options.allow_foreign)),
        panels=tuple(panels(curves)),
        run_legend=tuple((name, run_colour(name, [*curves])) for name in curves),
        curves_lacking=tuple(lacking),
        models=tuple(
            model_costs(
                model_sources(test_sets, sources.runs),
                measure_speed=options.speed,
                allow_foreign=options.allow_foreign,
            )
        ),
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


def _evaluated(test_set: TestSet, anchor: str, options: Options) -> tuple[Evaluated, list[Spoken]]:
    scores = [*test_set.scores.values()]
    everything = group_cells(scores, test_set.metrics)
    cells = [cell for cell in everything if cell.metric in HARM_METRICS]
    overall = [cell for cell in everything if cell.grouping == everything[0].grouping] if everything else []
    harm = find_harm(cells)
    focus = options.system if options.system in test_set.models else next(iter(test_set.models), "")
    cards, note, spoken = _heard(test_set, focus, options)
    section = Evaluated(
        anchor=anchor,
        title=test_set.title,
        notes=tuple(_notes(test_set)),
        legend=tuple((name, colour_class(name, test_set.systems)) for name in test_set.systems),
        summary=summary_table(test_set, overall),
        harm=harm.sentence,
        harmed=tuple(harm_rows(harm, test_set)),
        groups=tuple(group_tables(test_set, cells)),
        comparisons=comparisons(test_set),
        distributions=tuple(distributions(scores, test_set.metrics, test_set.systems)),
        focus=focus,
        cards=tuple(cards),
        cards_note=note,
    )
    return section, spoken


def _heard(test_set: TestSet, focus: str, options: Options) -> tuple[list[Card], str, list[Spoken]]:
    """The mixtures to hear, a sentence about what could not be chosen, and those that attention can be drawn on."""
    if not focus or not options.utterances:
        return [], "", []
    audible = Audible(test_set, allow_foreign=options.allow_foreign)
    items = list(dict.fromkeys(item for _, item in test_set.scores))
    usable = audible.heard(items, focus)
    chosen = choose(test_set, focus, each=options.utterances, usable=lambda item: item in usable or not usable)
    cards = make_cards(test_set, chosen, shown_systems(test_set, focus), audible.get)
    return cards, _audio_note(len(usable), len(items), audible.refusal(focus)), _spoken(test_set, chosen, audible)


def _audio_note(usable: int, count: int, refusal: str) -> str:
    """What was chosen from, where it is not everything, and how to get more."""
    if usable == count:
        return ""
    how = f"More cannot be made here: {refusal} `cmkt evaluate --save-audio 24`, run again, keeps more."
    return (
        f"Chosen among the {usable} of {count} mixtures whose audio was kept. {how}"
        if usable
        else f"No audio was kept. {how}"
    )


def _spoken(test_set: TestSet, chosen: Sequence[Chosen], audible: Audible) -> list[Spoken]:
    """What attention can be drawn on: mixtures with a transcript and noisy audio."""
    found = []
    for each in chosen:
        text, noisy = test_set.scores[NOISY, each.item].text, audible.get(each.item, NOISY)
        if text and noisy is not None:
            found.append(Spoken(title_of(each.item), text, noisy))
    return found


def _notes(test_set: TestSet) -> list[str]:
    """What readers must know before they believe a table."""
    notes = []
    scores = test_set.scores.values()
    failed = Counter(score.system for score in scores if score.error is not None)
    notes += [f"{system} failed on {count} mixtures." for system, count in failed.items()]
    for metric in test_set.metrics:
        reasons = Counter(score.missing[metric].partition(":")[0] for score in scores if metric in score.missing)
        if reasons:
            told = "; ".join(f"{count} times: {reason}" for reason, count in reasons.most_common(3))
            notes.append(f"{metric} has no value {told}.")
    if any(metric.startswith("dnsmos") for metric in test_set.metrics):
        notes.append("DNSMOS favours over-suppression: a gain in it alone is none.")
    for evaluation in test_set.evaluations:
        verdicts: Any = evaluation.summary.get("verdicts")
        for name, verdict in verdicts.items() if isinstance(verdicts, dict) else ():
            notes.append(f"{name}: {verdict.get('verdict')}. {'; '.join(verdict.get('reasons', ()))}.")
    return notes
