"""Whether what is about to be scored lies on its references: a look at a few mixtures before hours of scoring."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from cmkt.evaluation.evaluated_model import Model
from cmkt.evaluation.kept_audio import spread
from cmkt.evaluation.opened import open_held_out, open_mixture
from cmkt.evaluation.pool import Failure, run_tasks
from cmkt.evaluation.reference_check import ReferenceFit, find_misfits, fit_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cmkt.evaluation.settings import Settings
    from cmkt.evaluation.systems import System

CHECKED: Final = 20
CHECKED_OF_MODELS: Final = 5
"""Fewer, as each is enhanced for it."""


def check_systems(settings: Settings, systems: Sequence[System]) -> list[str]:
    """What is wrong with a system's output on the whole, "NAME: what, and which scores suffer", by a few mixtures.

    Mixtures that cannot be read, or on which a system fails, are left out: scoring tells about them.
    """
    fits: dict[str, list[ReferenceFit | None]] = {system.name: [] for system in systems}
    tasks = list(_chosen(settings, systems))
    for outcome in run_tasks(partial(_fit, settings), tasks, jobs=0, prepare=_nothing):
        if not isinstance(outcome.result, Failure):
            fits[outcome.task[1].name].append(outcome.result)
    return [f"{name}: {sentence}" for name, own in fits.items() for sentence in find_misfits(own)]


def _chosen(settings: Settings, systems: Sequence[System]) -> Iterator[tuple[int, System]]:
    held_out = open_held_out(settings)
    with_reference = [index for index in range(len(held_out.items)) if held_out.has_reference(index)]
    chosen = [with_reference[place] for place in spread(len(with_reference), CHECKED)]
    for_models = {chosen[place] for place in spread(len(chosen), CHECKED_OF_MODELS)}
    for index in chosen:
        for system in systems:
            if index in for_models or not isinstance(system, Model):
                yield index, system


def _fit(settings: Settings, task: tuple[int, System]) -> ReferenceFit | None:
    index, system = task
    mixture = open_mixture(settings, index)
    if mixture.clean is None:
        return None
    estimate = system.estimate(mixture)
    return fit_reference(estimate=estimate, reference=mixture.clean, sample_rate=mixture.sample_rate)


def _nothing() -> None:
    """`run_tasks` prepares no process here."""
