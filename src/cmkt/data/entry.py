"""What a recipe says about one file, before anybody has looked into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["speech", "noise", "rir"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One audio file of a corpus.

    duration: seconds where the corpus states it, then it is checked; text: the transcript, None where there is none;
    custom: anything else, JSON values only; noise has its class there, under "class".
    """

    id: str
    path: Path
    duration: float | None = None
    text: str | None = None
    speaker: str | None = None
    language: str | None = None
    gender: str | None = None
    custom: dict[str, object] = field(default_factory=dict)
