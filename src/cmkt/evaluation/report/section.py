"""What a page shows of one test set: tables, distributions, and the mixtures to hear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from cmkt.evaluation.groupings import STANDARD
from cmkt.evaluation.groups import group_cells
from cmkt.evaluation.harm import HARM_METRICS, find_harm
from cmkt.evaluation.record import NOISY
from cmkt.evaluation.report.audible import Audible
from cmkt.evaluation.report.chosen import Chosen, choose
from cmkt.evaluation.report.compared import Comparisons, comparisons
from cmkt.evaluation.report.distributions import Distribution, distributions
from cmkt.evaluation.report.group_tables import Harmed, Spread, group_spreads, group_tables, harm_rows
from cmkt.evaluation.report.notes import audio_note, notes, size
from cmkt.evaluation.report.overview import summary_table, word_table
from cmkt.evaluation.report.palette import colour_class
from cmkt.evaluation.report.spoken import Spoken
from cmkt.evaluation.report.utterances import Card, make_cards, shown_systems, title_of

if TYPE_CHECKING:
    from cmkt.evaluation.report.entries import Table
    from cmkt.evaluation.report.options import Options
    from cmkt.evaluation.report.test_sets import TestSet


@final
@dataclass(frozen=True, slots=True)
class Section:
    """A test set on the page. anchor: of its links; focus: the system whose worst and best are heard, "" for none."""

    anchor: str
    title: str
    size: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    summary: Table
    words: Table | None
    harm: str
    harmed: tuple[Harmed, ...]
    groups: tuple[Table, ...]
    spreads: tuple[Spread, ...]
    comparisons: Comparisons | None
    distributions: tuple[Distribution, ...]
    focus: str
    cards: tuple[Card, ...]
    cards_note: str
    spoken: tuple[Spoken, ...]


def make_section(test_set: TestSet, anchor: str, options: Options) -> Section:
    """The section.

    Raises: ConfigError where the data do not have a field to group by, or arms name no systems.
    """
    scores = [*test_set.scores.values()]
    grouped = [metric for metric in HARM_METRICS if metric in test_set.metrics] or test_set.metrics
    cells = group_cells(scores, grouped, fields=[*STANDARD, *options.group_by])
    harm = find_harm(cells)
    focus = options.system if options.system in test_set.models else next(iter(test_set.models), "")
    audible = Audible(test_set, allow_foreign=options.allow_foreign)
    chosen, cards_note = _chosen(test_set, focus, audible, options)
    return Section(
        anchor=anchor,
        title=test_set.title,
        size=tuple(size(test_set)),
        notes=tuple(notes(test_set)),
        legend=tuple((name, colour_class(name, test_set.systems)) for name in test_set.systems),
        summary=summary_table(test_set, group_cells(scores, test_set.metrics, fields=())),
        words=word_table(test_set),
        harm=harm.sentence,
        harmed=tuple(harm_rows(harm, test_set)),
        groups=tuple(group_tables(test_set, cells)),
        spreads=tuple(group_spreads(test_set, cells)),
        comparisons=comparisons(test_set, arms=options.arms, paired_seeds=options.paired_seeds),
        distributions=tuple(distributions(scores, test_set.metrics, test_set.systems)),
        focus=focus if options.utterances else "",
        cards=tuple(make_cards(test_set, chosen, shown_systems(test_set, focus), audible.get)),
        cards_note=cards_note,
        spoken=tuple(_spoken(test_set, chosen, audible)),
    )


def _chosen(test_set: TestSet, focus: str, audible: Audible, options: Options) -> tuple[list[Chosen], str]:
    """The mixtures to hear, and a sentence where not all could be chosen from."""
    if not focus or not options.utterances:
        return [], ""
    items = list(dict.fromkeys(item for _, item in test_set.scores))
    usable = audible.heard(items, focus)
    chosen = choose(test_set, focus, each=options.utterances, usable=lambda item: item in usable or not usable)
    return chosen, audio_note(len(usable), len(items), audible.refusal(focus) if len(usable) < len(items) else "")


def _spoken(test_set: TestSet, chosen: Sequence[Chosen], audible: Audible) -> list[Spoken]:
    """What attention can be drawn on: mixtures with a transcript and noisy audio."""
    found = []
    for each in chosen:
        text, noisy = test_set.scores[NOISY, each.item].text, audible.get(each.item, NOISY)
        if text and noisy is not None:
            found.append(Spoken(title_of(each.item), text, noisy))
    return found
