"""Arms: systems that differ in their training seed alone, put together under one name."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from cmkt.errors import ConfigError, DataError
from cmkt.evaluation.record import CLEAN, NOISY
from cmkt.evaluation.run_scores import Evaluated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cmkt.evaluation.record import Item, Score

SPELLING = "NAME=RUN,RUN,..."


@final
@dataclass(frozen=True, slots=True)
class Arm:
    """A configuration that was trained once or several times."""

    name: str
    runs: tuple[Evaluated, ...]


def find_arms(systems: Sequence[Evaluated], spellings: Sequence[str]) -> list[Arm]:
    """The arms that are spelled "NAME=RUN,RUN,...", the runs by the names of the systems, the baseline first.

    Raises: ConfigError where a spelling or a name is wrong, an arm or a run is named twice, or there are fewer than two
    arms or no arm of two runs; DataError where two runs of an arm are the same model.
    """
    by_name = {system.name: system for system in systems}
    named: dict[str, list[str]] = {}
    for spelling in spellings:
        name, _, runs = spelling.partition("=")
        listed = [run.strip() for run in runs.split(",") if run.strip()]
        if not name.strip() or not listed:
            raise ConfigError(f"`arms` must be {SPELLING}, but one is {spelling!r}.")
        if name.strip() in named:
            raise ConfigError(f"`arms` must name each arm once, but name {name.strip()!r} twice.")
        named[name.strip()] = listed
    _check_names(named, known=list(by_name))
    arms = [Arm(name, tuple(by_name[run] for run in runs)) for name, runs in named.items()]
    for arm in arms:
        _check_different(arm)
    return arms


def _check_names(named: Mapping[str, Sequence[str]], *, known: Sequence[str]) -> None:
    runs = [run for own in named.values() for run in own]
    if reserved := [name for name in named if name in (NOISY, CLEAN)]:
        raise ConfigError(
            f"`arms` must not be called {NOISY} or {CLEAN}, which have a meaning, but one is {reserved[0]}."
        )
    if unknown := [run for run in runs if run not in known]:
        raise ConfigError(
            f"`arms` must name systems of the evaluations, but name {', '.join(unknown)}."
            f" There are: {', '.join(known)}."
        )
    if repeated := [run for run, count in Counter(runs).items() if count > 1]:
        raise ConfigError(f"`arms` must name each run once, but name {', '.join(repeated)} again.")
    if len(named) < 2 or max(len(own) for own in named.values()) < 2:
        raise ConfigError(
            "`arms` must be two or more, one of them with two runs or more, but are "
            f"{', '.join(f'{name} with {len(own)}' for name, own in named.items())}. Leave out --arms to compare runs."
        )


def _check_different(arm: Arm) -> None:
    weights = Counter(next(iter(run.scores.values())).weights for run in arm.runs if run.scores)
    if any(count > 1 for fingerprint, count in weights.items() if fingerprint):
        raise DataError(
            f"The runs of `{arm.name}` must be different models, but some are the same one: its seeds would seem to"
            " change nothing. Name each run once."
        )


def mean_of_runs(arm: Arm) -> Evaluated:
    """One system of the arm's name: each metric of a mixture is its mean over runs, where every run has it."""
    items = [item for item in arm.runs[0].scores if all(item in run.scores for run in arm.runs)]
    return Evaluated(arm.name, {item: _mean(arm, item) for item in items})


def _mean(arm: Arm, item: Item) -> Score:
    scores = [run.scores[item] for run in arm.runs]
    known = next((score for score in scores if score.error is None), scores[0])
    shared = [metric for metric in scores[0].metrics if all(metric in score.metrics for score in scores)]
    metrics = {metric: statistics.fmean(score.metrics[metric] for score in scores) for metric in shared}
    error = next((score.error for score in scores if score.error is not None), None)
    return replace(known, system=arm.name, weights="", metrics=metrics, error=error)
