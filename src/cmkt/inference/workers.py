"""Enhancing files in several processes, each with an enhancer of its own that computes in one thread.

A process gets one file at a time through a pipe and answers through it. When this end of the pipe closes, by Ctrl-C or
because this process died, the next answer fails, and the process deletes what it was writing and ends. So it ignores
Ctrl-C itself.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, final

from cmkt.audio.write import discard_unfinished
from cmkt.errors import CmktError, ConfigError
from cmkt.inference.files import Outcome, attempt
from cmkt.inference.interrupts import interrupts_to

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from cmkt.inference.destinations import Arrangement, Job
    from cmkt.inference.stream import Streaming

_LOGGER = logging.getLogger(__name__)
_THREAD_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class _Ready:
    """The enhancer is loaded."""


@dataclass(frozen=True, slots=True)
class _Unusable:
    """The enhancer cannot be loaded."""

    error: CmktError


@dataclass(frozen=True, slots=True)
class _Progress:
    seconds: float


@dataclass(frozen=True, slots=True)
class _Said:
    """A warning, or a line of the log where a level is given."""

    text: str
    level: int | None = None


@dataclass(frozen=True, slots=True)
class _Finished:
    """What `attempt` gave."""

    result: float | str


class _AbandonedError(Exception):
    """Nobody listens any more."""


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    connection: Connection
    ready: bool = False
    job: Job | None = None


def enhance_in_processes(
    load: Callable[[], Streaming],
    arrangement: Arrangement,
    *,
    processes: int,
    attenuation_limit_db: float | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Outcome:
    """`cmkt.inference.files.enhance_arranged` over several processes.

    load is called in each of them, so it must be picklable: a function of a module, or a `functools.partial` of one.
    The processes are new ones, so a script that calls this needs `if __name__ == "__main__"`. A file whose process dies
    is a failed one; the others go on.
    Raises ConfigError for fewer than one process, or if none starts, and what `load` raises.
    """
    if processes < 1:
        raise ConfigError(f"`processes` must be at least 1, but is {processes}.")
    team = _Team(load, arrangement.jobs, attenuation_limit_db, on_progress or (lambda _: None))
    team.work(min(processes, len(arrangement.jobs)))
    outcome = Outcome(skipped=list(arrangement.skipped), elapsed_seconds=team.elapsed_seconds)
    for job in arrangement.jobs:
        outcome.add(job, team.results[job])
    return outcome


@final
class _Team:
    """The processes at work, and what they gave."""

    def __init__(
        self,
        load: Callable[[], Streaming],
        jobs: list[Job],
        attenuation_limit_db: float | None,
        on_progress: Callable[[float], None],
    ) -> None:
        self.results: dict[Job, float | str] = {}
        self._load = load
        self._limit_db = attenuation_limit_db
        self._on_progress = on_progress
        self._waiting = deque(jobs)
        self._workers: list[_Worker] = []
        self._leaving: list[_Worker] = []
        self._started: float | None = None

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the first job was given out."""
        return 0.0 if self._started is None else time.perf_counter() - self._started

    def work(self, processes: int) -> None:
        """Until no job is left. Whatever happens, no process is left, and none is killed while it writes."""
        try:
            for _ in range(processes):
                self._hire()
            while self._workers:
                for connection in wait([worker.connection for worker in self._workers]):
                    self._hear(next(worker for worker in self._workers if worker.connection is connection))
        finally:
            for worker in (*self._workers, *self._leaving):
                worker.connection.close()
            for worker in (*self._workers, *self._leaving):
                worker.process.join()

    def _hire(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._load, self._limit_db))
        self._workers.append(_Worker(process, ours))
        with interrupts_to(signal.SIG_IGN):  # what is started within ignores Ctrl-C from its birth
            process.start()
        theirs.close()

    def _hear(self, worker: _Worker) -> None:
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if isinstance(message, _Progress):
            self._on_progress(message.seconds)
        elif isinstance(message, _Said):
            _repeat(message)
        elif isinstance(message, _Unusable):
            raise message.error
        else:
            worker.ready = True
            if worker.job is not None:
                self.results[worker.job] = message.result
            self._occupy(worker)

    def _occupy(self, worker: _Worker) -> None:
        worker.job = None
        if not self._waiting:
            self._workers.remove(worker)
            self._leaving.append(worker)
            worker.connection.close()
            return
        if self._started is None:
            self._started = time.perf_counter()
        worker.job = self._waiting.popleft()
        try:
            worker.connection.send(worker.job)
        except OSError:
            _LOGGER.debug("a process died while it was idle")
            self._waiting.appendleft(worker.job)
            worker.job = None

    def _bury(self, worker: _Worker) -> None:
        """A process died: its file failed, and another process takes its place if there are files left."""
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()
        code = worker.process.exitcode
        if worker.job is not None:
            discard_unfinished(worker.job.destination)
            self.results[worker.job] = f"its process died (exit code {code}{_killed(code)})"
        if self._waiting and worker.ready:
            self._hire()
        elif self._waiting and not self._workers:
            raise ConfigError(
                f"A process must start and load the model, but it died (exit code {code}{_killed(code)})."
            )


def _killed(code: int | None) -> str:
    return ", killed, perhaps for lack of memory: use fewer processes (--jobs)" if code == -signal.SIGKILL else ""


def _repeat(said: _Said) -> None:
    if said.level is None:
        warnings.warn(said.text, stacklevel=2)
    else:
        _LOGGER.log(said.level, "%s", said.text)


def _serve(connection: Connection, load: Callable[[], Streaming], attenuation_limit_db: float | None) -> None:
    """One process: load, then enhance what comes until nothing comes any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def send(message: _Ready | _Unusable | _Progress | _Said | _Finished) -> None:
        try:
            connection.send(message)
        except OSError as error:
            raise _AbandonedError from error

    with suppress(_AbandonedError, EOFError), _forwarding(send):
        try:
            enhancer = _load_for_one_thread(load)
        except CmktError as error:
            send(_Unusable(error))
            return
        except BaseException as error:
            send(_Unusable(ConfigError(f"The model must load in each process, but: {type(error).__name__}: {error}")))
            raise
        send(_Ready())
        while True:
            job = connection.recv()
            result = attempt(
                enhancer,
                job,
                attenuation_limit_db=attenuation_limit_db,
                on_progress=lambda seconds: send(_Progress(seconds)),
            )
            send(_Finished(result))


def _load_for_one_thread(load: Callable[[], Streaming]) -> Streaming:
    """The environment counts when libraries are loaded, which torch may have been before, or by `load`."""
    os.environ.update(dict.fromkeys(_THREAD_COUNTS, "1"))
    _limit_torch()
    enhancer = load()
    _limit_torch()
    return enhancer


def _limit_torch() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


@contextmanager
def _forwarding(send: Callable[[_Said], None]) -> Iterator[None]:
    """Warnings and log lines of this package go where the user sees them once, and not into the progress bar."""
    handler = _Forwarder(send)
    logger = logging.getLogger("cmkt")
    logger.addHandler(handler)
    logger.propagate = False
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_, **__: send(_Said(str(message)))
        yield


@final
class _Forwarder(logging.Handler):
    def __init__(self, send: Callable[[_Said], None]) -> None:
        super().__init__(logging.INFO)
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        self._send(_Said(record.getMessage(), record.levelno))
