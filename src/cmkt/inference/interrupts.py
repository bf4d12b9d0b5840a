"""Who answers Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_to(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    """Within, SIGINT goes to the handler, and what is started inherits it where it is SIG_IGN; then as it was before.

    Only the main thread can arrange that: in another nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
