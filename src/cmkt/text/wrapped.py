"""A teacher around another one, whose tokens and width it keeps."""

from __future__ import annotations

import os

from cmkt.text.teacher import resolve_teacher
from cmkt.types import Teacher


class WrappedTeacher:
    """teacher: the one inside, as of `cmkt.attach`. Raises what `resolve_teacher` raises."""

    def __init__(self, teacher: str | os.PathLike[str] | Teacher) -> None:
        self.teacher = resolve_teacher(teacher)

    @property
    def width(self) -> int:
        """D, that of the teacher."""
        return self.teacher.width

    @property
    def causal(self) -> bool | None:
        """As the teacher says."""
        return getattr(self.teacher, "causal", None)
