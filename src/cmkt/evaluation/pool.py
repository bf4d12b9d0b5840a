"""Many small tasks over processes, where one that fails, or kills its process, never loses the others.

At most two tasks a process are handed out at a time, so memory does not grow with their number.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, final

from cmkt.errors import CmktError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

logger = logging.getLogger(__name__)

Task = TypeVar("Task")
Result = TypeVar("Result")

LONELY_DEATHS = 3
"""So many processes in a row that die with a single task each mean that no process can work at all."""


@final
@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task gave no result."""

    reason: str


@final
@dataclass(frozen=True, slots=True)
class Outcome(Generic[Task, Result]):
    """A task and what became of it."""

    task: Task
    result: Result | Failure


def usable_cores() -> int:
    """The number of processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_tasks(
    work: Callable[[Task], Result], tasks: Iterable[Task], *, jobs: int, prepare: Callable[[], None]
) -> Generator[Outcome[Task, Result], None, None]:
    """The outcome of each task, as it ends and in no fixed order.

    `work` and `prepare` must be picklable; `prepare` runs once in each new process before its first task. With `jobs`
    0 everything runs in a thread of this process, unprepared: no process to start, but a crash ends everything.

    Raises: ConfigError where `jobs` is negative; CmktError where no process survives a single task.
    """
    if jobs < 0:
        raise ConfigError(f"`jobs` must be 0 or more, but is {jobs}.")
    return _run_all(work, deque(tasks), jobs=jobs, prepare=prepare)


def _run_all(
    work: Callable[[Task], Result], pending: deque[Task], *, jobs: int, prepare: Callable[[], None]
) -> Generator[Outcome[Task, Result], None, None]:
    """Tasks whose process died under them are tried once more, each alone."""
    orphans: deque[Task] = deque()
    deaths = 0
    while orphans or pending:
        if not orphans:
            yield from _run_pool(work, pending, jobs=jobs, prepare=prepare, orphans=orphans)
            continue
        task = orphans.popleft()
        died: deque[Task] = deque()
        yield from _run_pool(work, deque([task]), jobs=1, prepare=prepare, orphans=died)
        deaths = deaths + 1 if died else 0
        if deaths == LONELY_DEATHS:
            raise CmktError(
                f"{deaths} processes in a row died at once. Run again with --jobs 0 to see why, or with more memory."
            )
        if died:
            yield Outcome(task, Failure("the process that worked on it died"))


def _run_pool(
    work: Callable[[Task], Result],
    pending: deque[Task],
    *,
    jobs: int,
    prepare: Callable[[], None],
    orphans: deque[Task],
) -> Generator[Outcome[Task, Result], None, None]:
    """Runs until `pending` is empty or a process dies; tasks that were under way then go to `orphans`."""
    executor = _executor(jobs, prepare)
    running: dict[Future[Result], Task] = {}
    broken = False
    try:
        while running or (pending and not broken):
            while pending and not broken and len(running) < 2 * max(jobs, 1):
                task = pending.popleft()
                try:
                    with _ctrl_c_later():
                        running[executor.submit(work, task)] = task
                except BrokenProcessPool:
                    pending.appendleft(task)
                    broken = True
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                task, error = running.pop(future), future.exception()
                if isinstance(error, BrokenProcessPool):
                    orphans.append(task)
                    broken = True
                elif error is not None:
                    logger.debug("a task failed", exc_info=error)
                    yield Outcome(task, Failure(f"{type(error).__name__}: {error}"))
                else:
                    yield Outcome(task, future.result())
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _executor(jobs: int, prepare: Callable[[], None]) -> Executor:
    if jobs == 0:
        return ThreadPoolExecutor(1)
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=(prepare,))


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Holds Ctrl-C back for a moment. A process that is started meanwhile inherits that, so that a Ctrl-C while it is
    still importing, before `_start`, cannot end it with a traceback."""
    if sys.platform == "win32":
        yield
        return
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def _start(prepare: Callable[[], None]) -> None:
    """Ctrl-C is for the parent, which ends the workers in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare()


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
