from __future__ import annotations

import signal
import subprocess
import sys
import threading
from types import FrameType

from cmkt.inference.interrupts import interrupts_to


def test_the_handler_answers_within_and_whoever_did_before_afterwards() -> None:
    before, heard = signal.getsignal(signal.SIGINT), []

    def handler(number: int, frame: FrameType | None) -> None:
        heard.append(number)

    try:
        with interrupts_to(handler):
            signal.raise_signal(signal.SIGINT)
            raise LookupError
    except LookupError:
        pass
    assert heard == [signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_started_within_ignores_what_is_ignored() -> None:
    code = "import signal; print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
    with interrupts_to(signal.SIG_IGN):
        started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert started.stdout == "True\n"


def test_another_thread_changes_nothing() -> None:
    before, inside = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with interrupts_to(signal.SIG_IGN):
            inside.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [before]
