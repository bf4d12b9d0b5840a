"""Evaluations put together by what they were made on: each test set with the scores of every system on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.system_names import tell_apart
from cmkt.metrics.about import ABOUT

if TYPE_CHECKING:
    from cmkt.evaluation.record import Item, Score
    from cmkt.evaluation.report.sources import Evaluation


@final
@dataclass(frozen=True, slots=True)
class Origin:
    """Where a system of a test set was evaluated, and what it is called there."""

    evaluation: Evaluation
    system: str


@final
@dataclass(frozen=True, slots=True)
class TestSet:
    """The scores on one test set.

    scores: one for each system and mixture, systems by their names in the report; systems: noisy first, clean last;
    metrics: those that have a value, in the order of tables; origins: by system.
    """

    __test__ = False

    title: str
    scores: Mapping[tuple[str, Item], Score]
    systems: tuple[str, ...]
    metrics: tuple[str, ...]
    origins: Mapping[str, Origin]
    evaluations: tuple[Evaluation, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """Every system but noisy and clean."""
        return tuple(name for name in self.systems if name not in (NOISY, CLEAN))

    def of(self, system: str) -> dict[Item, Score]:
        """The scores of one system by mixture."""
        return {item: score for (name, item), score in self.scores.items() if name == system}

    def utterances(self) -> int:
        """How many different utterances were scored."""
        return len({item.id for _, item in self.scores})


def find_test_sets(evaluations: Sequence[Evaluation]) -> list[TestSet]:
    """Each test set, in order of first appearance.

    The same model in two evaluations is one system; different models of one name get as many of their folders' names
    before it as it takes to tell them apart.
    """
    names = _system_names(evaluations)
    together: dict[tuple[str, int], list[Evaluation]] = {}
    for evaluation in evaluations:
        together.setdefault(evaluation.test_set, []).append(evaluation)
    first = [own[0] for own in together.values()]
    titles = tell_apart([*map(_title, first)], [(*each.path.parts, _title(each)) for each in first])
    return [_test_set(title, own, names) for title, own in zip(titles, together.values(), strict=True)]


def _system_names(evaluations: Iterable[Evaluation]) -> dict[tuple[str, str], str]:
    """What each (system, weights) is called in the report."""
    first: dict[tuple[str, str], Path] = {}
    for evaluation in evaluations:
        for score in evaluation.scores:
            first.setdefault((score.system, score.weights), evaluation.path)
    names = tell_apart([name for name, _ in first], [(*path.parts, name) for (name, _), path in first.items()])
    return dict(zip(first, names, strict=True))


def _test_set(title: str, evaluations: Sequence[Evaluation], names: Mapping[tuple[str, str], str]) -> TestSet:
    scores: dict[tuple[str, Item], Score] = {}
    origins: dict[str, Origin] = {}
    for evaluation in evaluations:
        for score in evaluation.scores:
            name = names[score.system, score.weights]
            known = scores.get((name, score.item))
            scores[name, score.item] = replace(score, system=name) if known is None else _joined(known, score)
            origins.setdefault(name, Origin(evaluation, score.system))
    present = {metric for score in scores.values() for metric in score.metrics}
    order = [*ABOUT, *sorted(present - ABOUT.keys())]
    return TestSet(
        title=title,
        scores=scores,
        systems=tuple(sorted(origins, key=lambda name: (name == CLEAN) - (name == NOISY))),
        metrics=tuple(metric for metric in order if metric in present),
        origins=origins,
        evaluations=tuple(evaluations),
    )


def _joined(known: Score, other: Score) -> Score:
    """A score with what another evaluation measured of the same output besides."""
    metrics = other.metrics | known.metrics
    words = known if known.words is not None else other
    return replace(
        known,
        metrics=metrics,
        missing={name: why for name, why in (other.missing | known.missing).items() if name not in metrics},
        words=words.words,
        chance=words.chance,
        text=known.text or other.text,
        heard=known.heard if known.heard is not None else other.heard,
        transcriber=known.transcriber or other.transcriber,
    )


def _title(evaluation: Evaluation) -> str:
    """The name of the data, with the SNRs where they are known."""
    told: Any = evaluation.description.get("test_set")
    if isinstance(told, Mapping) and isinstance(told.get("title"), str):
        return str(told["title"]).replace("`", "")
    data = evaluation.summary.get("data")
    snrs = sorted({score.snr_db for score in evaluation.scores if score.snr_db is not None})
    at = f" at SNR {', '.join(f'{snr_db:g}' for snr_db in snrs)} dB" if snrs else ""
    return (Path(data).name if isinstance(data, str) else evaluation.path.name) + at
