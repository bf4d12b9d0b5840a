"""From a word in a configuration to a teacher."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from cmkt.errors import TeacherError
from cmkt.text.characters import CharacterTeacher
from cmkt.text.embedded import EMBEDDED, EMBEDDED_MODELS, EmbeddedTeacher, embedded_name
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.text.store import StoredTeacher, is_store
from cmkt.types import Teacher

CHARACTERS = "characters"


@runtime_checkable
class Tokenising(Protocol):
    """A teacher that can also show how it reads a text; the shipped language models can, a store cannot."""

    @property
    def unknown_tokens(self) -> int:
        """How many tokens embedded so far it did not know."""

    def normalise(self, text: str) -> str:
        """The text as it reads it."""

    def tokens(self, text: str) -> Sequence[str]:
        """The tokens of one text, one for each row of its vectors."""


def resolve_teacher(teacher: str | os.PathLike[str] | Teacher, *, texts: Iterable[str | None] = ()) -> Teacher:
    """A teacher from its name, or the teacher itself. A name is "embedded", which is the shipped model for the language
    of `texts` (English without any), one of these models ("embedded-en", "embedded-zh", "embedded-zh-causal"),
    "characters" (no language model, for CTC), the folder of an embedding store, a folder with a language model, or one
    on the Hugging Face hub.

    Raises: TeacherError when it is none of these; MissingExtraError, StoreError from the teacher that was named.
    """
    if isinstance(teacher, str | os.PathLike):
        if teacher == EMBEDDED:
            return EmbeddedTeacher(embedded_name(texts))
        if teacher in EMBEDDED_MODELS:
            return EmbeddedTeacher(os.fspath(teacher))
        if teacher == CHARACTERS:
            return CharacterTeacher()
        folder = Path(teacher).expanduser()
        return StoredTeacher(folder) if is_store(folder) else HuggingFaceTeacher(teacher)
    if not isinstance(teacher, Teacher):
        raise TeacherError(
            "`teacher` must be a name, a folder or an object with `width`, `identity` and `embed`, but is "
            f"{type(teacher).__name__} instead."
        )
    return teacher
