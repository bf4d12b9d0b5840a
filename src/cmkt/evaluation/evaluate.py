"""Scores of systems on the mixtures of a test set, in parallel and resumable.

A worker reads or makes the mixture again by itself, which costs little beside scoring, so that memory holds one
utterance a worker. A score that lacks only words, or only some metrics, gets what it lacks.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from tqdm import tqdm

from cmkt.evaluation.description import write_description
from cmkt.evaluation.kept_audio import kept_ids, lacks_audio
from cmkt.evaluation.misfits import check_systems
from cmkt.evaluation.opened import forget_all, open_held_out, open_sentences
from cmkt.evaluation.plan import Task
from cmkt.evaluation.pool import Failure, Outcome, run_tasks
from cmkt.evaluation.record import ScoreWriter, load_scores
from cmkt.evaluation.systems import Clean
from cmkt.evaluation.work import failed, work

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from cmkt.evaluation.held_out import HeldOut
    from cmkt.evaluation.plan import Plan
    from cmkt.evaluation.record import Item, Score
    from cmkt.evaluation.systems import System

    Key = tuple[str, str, Item]

logger = logging.getLogger(__name__)


def evaluate(plan: Plan, systems: Sequence[System], *, jobs: int = 1, progress: bool = True) -> list[Score]:
    """The score of each system on each mixture, in the order of the test set; those already in the file are read.

    Where words are measured, the clean reference is one more system, with words alone.

    Raises: DataError where the data cannot be used; ConfigError where a setting cannot work; MissingExtraError where a
    package is not installed. A mixture or system that fails gives a score with `error` set.
    """
    try:
        held_out = open_held_out(plan.settings)
        open_sentences(plan.settings)  # data without usable transcripts must show now
        misfits = check_systems(plan.settings, systems)
        for misfit in misfits:
            logger.warning("Warning: %s", misfit)
        write_description(plan, held_out, systems, warnings=misfits)
        known = _reusable(plan)
        tasks = list(_tasks(plan, held_out, systems, known))
        pending = _pending(plan, held_out, tasks)
        outcomes = run_tasks(partial(work, plan), pending, jobs=min(jobs, len(pending)), prepare=_use_one_thread)
        bar = tqdm(total=len(tasks), initial=len(tasks) - len(pending), disable=not progress, unit="score")
        with bar, closing(_written(plan, outcomes)) as written:
            for key, score in written:
                known[key] = score
                bar.update()
    finally:
        forget_all()
    return [known[_key(task)] for task in tasks]


def _tasks(plan: Plan, held_out: HeldOut, systems: Sequence[System], known: dict[Key, Score]) -> Iterator[Task]:
    for index, item in enumerate(held_out.items):
        words_of_clean = [Clean()] if plan.measures_words and held_out.has_reference(index) else []
        for system in [*systems, *words_of_clean]:
            yield Task(index, item, system, known.get((system.name, system.weights, item)))


def _pending(plan: Plan, held_out: HeldOut, tasks: Sequence[Task]) -> list[Task]:
    """The tasks of which anything is to be measured, or audio to be kept."""
    output, kept = plan.settings.output, kept_ids(held_out.items, plan.settings.save_audio)

    def lacks_own_audio(task: Task) -> bool:
        has_reference = held_out.has_reference(task.index)
        return task.item.id in kept and lacks_audio(output, task.item, task.system.name, has_reference=has_reference)

    return [task for task in tasks if plan.lacks_anything(task.system.name, task.known) or lacks_own_audio(task)]


def _written(
    plan: Plan, outcomes: Generator[Outcome[Task, Score], None, None]
) -> Generator[tuple[Key, Score], None, None]:
    """Each score once it is in the file."""
    try:
        with ScoreWriter(plan.settings.scores_path) as writer:
            for outcome in outcomes:
                score = outcome.result
                if isinstance(score, Failure):
                    score = failed(plan, outcome.task, score.reason)
                writer.write(score)
                yield _key(outcome.task), score
    finally:
        outcomes.close()


def _key(task: Task) -> Key:
    return task.system.name, task.system.weights, task.item


def _reusable(plan: Plan) -> dict[Key, Score]:
    """The scores in the file that were computed on the same mixtures, without failures."""
    if not plan.settings.scores_path.exists():
        return {}
    return {
        (score.system, score.weights, score.item): score
        for score in load_scores(plan.settings.scores_path)
        if score.data == plan.data and score.seed == plan.settings.seed and score.error is None
    }


def _use_one_thread() -> None:
    """In a worker: the processes are the parallelism, and threads would fight over the cores. Imports no torch."""
    os.environ["OMP_NUM_THREADS"] = "1"  # what torch follows when it is imported later
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
