from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cmkt.errors import TeacherError
from cmkt.text.embedded import EmbeddedTeacher
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.text.store import StoredTeacher
from cmkt.text.store_writer import StoreWriter
from cmkt.text.teacher import Tokenising, resolve_teacher


def test_embedded_is_the_model_of_the_package() -> None:
    teacher = resolve_teacher("embedded")
    assert isinstance(teacher, EmbeddedTeacher)
    assert isinstance(teacher, Tokenising)


def test_embedded_follows_the_language_of_the_texts(mandarin_package: Path) -> None:
    assert resolve_teacher("embedded", texts=["打开空调"]).width == 16
    assert resolve_teacher("embedded-zh-causal").width == 16
    assert resolve_teacher("embedded", texts=["OPEN THE DOOR"]).width == 384


def test_a_folder_with_a_model_is_a_language_model(tiny_bert: Path) -> None:
    assert isinstance(resolve_teacher(str(tiny_bert)), HuggingFaceTeacher)
    assert isinstance(resolve_teacher(tiny_bert), HuggingFaceTeacher)


def test_a_folder_with_a_store_is_a_stored_teacher(tmp_path: Path) -> None:
    with StoreWriter(tmp_path, identity="teacher", width=2) as writer:
        writer.put("A", torch.ones(1, 2))
    teacher = resolve_teacher(str(tmp_path))
    assert isinstance(teacher, StoredTeacher)
    assert not isinstance(teacher, Tokenising)


def test_a_teacher_is_given_back(counting: Callable[..., Any]) -> None:
    teacher = counting()
    assert resolve_teacher(teacher) is teacher


def test_anything_else_is_refused() -> None:
    with pytest.raises(TeacherError, match=r"`width`, `identity` and `embed`, but is int instead"):
        resolve_teacher(3)  # type: ignore[arg-type]
