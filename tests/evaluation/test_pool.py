from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from cmkt.errors import CmktError, ConfigError
from cmkt.evaluation.pool import Failure, run_tasks, usable_cores


def nothing() -> None:
    pass


def halve(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number // 2


def die_on(victim: int, number: int) -> int:
    if number in (victim, victim + 1):
        os._exit(1)
    return number


def die(number: int) -> int:
    os._exit(1)


def mark(folder: Path) -> None:
    (folder / str(os.getpid())).touch()


@pytest.mark.parametrize("jobs", [0, 1])
def test_a_task_that_fails_loses_no_other(jobs: int) -> None:
    outcomes = {each.task: each.result for each in run_tasks(halve, range(6), jobs=jobs, prepare=nothing)}
    failed = {number: Failure(f"ValueError: {number} is odd") for number in (1, 3, 5)}
    assert outcomes == {0: 0, 2: 1, 4: 2, **failed}


def test_a_process_that_dies_costs_only_the_task_that_killed_it() -> None:
    outcomes = {each.task: each.result for each in run_tasks(partial(die_on, 2), range(6), jobs=2, prepare=nothing)}
    died = Failure("the process that worked on it died")
    assert outcomes == {0: 0, 1: 1, 2: died, 3: died, 4: 4, 5: 5}


def test_when_no_process_survives_it_ends_with_an_error() -> None:
    with pytest.raises(CmktError, match="3 processes in a row died"):
        list(run_tasks(die, range(8), jobs=2, prepare=nothing))


def test_each_process_is_prepared_and_this_one_is_not(tmp_path: Path) -> None:
    list(run_tasks(halve, [2, 4], jobs=1, prepare=partial(mark, tmp_path)))
    list(run_tasks(halve, [2, 4], jobs=0, prepare=partial(mark, tmp_path)))
    names = [path.name for path in tmp_path.iterdir()]
    assert len(names) == 1
    assert names != [str(os.getpid())]


def test_the_caller_may_stop_before_the_end() -> None:
    outcomes = run_tasks(halve, range(0, 100, 2), jobs=0, prepare=nothing)
    assert next(outcomes).result == 0
    outcomes.close()
    assert list(outcomes) == []


def test_no_task_needs_no_process() -> None:
    assert list(run_tasks(halve, [], jobs=4, prepare=nothing)) == []


def test_a_negative_number_of_processes_is_refused() -> None:
    with pytest.raises(ConfigError, match="`jobs`"):
        next(run_tasks(halve, [2], jobs=-1, prepare=nothing))


def test_there_is_at_least_one_core() -> None:
    assert usable_cores() >= 1


SLOW_START = """
import os, signal, sys, threading
from cmkt.evaluation.pool import run_tasks

def nothing(): pass
def double(x): return 2 * x

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell hands it down ignored
    threading.Timer(0.3, lambda: os.killpg(0, signal.SIGINT)).start()
    try:
        for outcome in run_tasks(double, range(100_000), jobs=1, prepare=nothing): pass
    except KeyboardInterrupt:
        print("stopped", flush=True)
else:
    import time
    time.sleep(1.0)  # the process is still importing when Ctrl-C comes
"""


def test_ctrl_c_while_a_process_starts_prints_no_traceback(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SLOW_START)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False, start_new_session=True
    )
    assert done.stdout == "stopped\n"
    assert "Traceback" not in done.stderr


KILLED_PARENT = """
import os, signal, sys
from cmkt.evaluation.pool import run_tasks

def nothing(): pass
def name(_): return os.getpid()

if __name__ == "__main__":
    for outcome in run_tasks(name, range(100_000), jobs=1, prepare=nothing):
        print(outcome.result, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(KILLED_PARENT)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300, check=False)
    if not Path("/proc/self").exists():
        pytest.skip("needs /proc to see whether a process of another parent lives")
    give_up = time.monotonic() + 120
    while lives(int(done.stdout)):
        assert time.monotonic() < give_up, "the process is still there"
        time.sleep(0.05)


def lives(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
