from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cmkt.errors import StoreError, TextError
from cmkt.text.embedding import embed_texts, unique_texts
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.text.store import StoredTeacher

Teachers = Callable[..., Any]


def test_texts_are_taken_once_and_nothing_is_left_out_but_emptiness() -> None:
    assert unique_texts(["B A", None, "", " B  A ", "  ", "A"]) == ["B A", "A"]


def test_a_store_is_filled_and_counted(tmp_path: Path, counting: Teachers) -> None:
    teacher = counting()
    done = embed_texts(teacher, ["A B", "C", None, "A B"], tmp_path, progress=False)
    assert (done.embedded, done.present, done.store.texts, done.store.tokens) == (2, 0, 2, 3)
    assert done.bytes_per_token == done.file_bytes / 3
    torch.testing.assert_close(StoredTeacher(tmp_path).embed(["C"]), teacher.embed(["C"]), atol=1e-3, rtol=1e-3)


def test_a_second_run_asks_only_for_what_is_missing(tmp_path: Path, counting: Teachers) -> None:
    embed_texts(counting(), ["A", "B"], tmp_path, progress=False)
    teacher = counting()
    done = embed_texts(teacher, ["A", "B", "C"], tmp_path, progress=False)
    assert teacher.asked == ["C"]
    assert (done.embedded, done.present) == (1, 2)


def test_a_run_that_failed_keeps_what_it_had(tmp_path: Path, counting: Teachers) -> None:
    class Failing(counting().__class__):  # type: ignore[misc]
        def embed(self, texts: Sequence[str]) -> list[Tensor]:
            if "A" in texts:
                raise TextError("a text must please, but 'A' does not")
            vectors: list[Tensor] = super().embed(texts)
            return vectors

    with pytest.raises(TextError):
        embed_texts(Failing(), ["A", "LONGER", "LONGEST"], tmp_path, chunk_texts=2, progress=False)
    assert StoredTeacher(tmp_path).missing(["A", "LONGER", "LONGEST"]) == ["A"]


def test_a_changed_teacher_never_returns_stale_vectors(tmp_path: Path, counting: Teachers) -> None:
    embed_texts(counting(identity="old"), ["A"], tmp_path, progress=False)
    with pytest.raises(StoreError, match=r"teacher new .*written by old"):
        embed_texts(counting(identity="new"), ["A"], tmp_path, progress=False)


def test_unknown_tokens_are_counted_in_the_store(tmp_path: Path, tiny_bert: Path) -> None:
    embed_texts(HuggingFaceTeacher(tiny_bert), ["THE ZEBRA", "THE FOX"], tmp_path, progress=False)
    done = embed_texts(HuggingFaceTeacher(tiny_bert), ["THE LAZY DOG"], tmp_path, progress=False)
    assert (done.store.unknown, done.store.tokens) == (1, 7)


def test_stored_vectors_are_those_of_every_family(tmp_path: Path, tiny_model: Path) -> None:
    teacher = HuggingFaceTeacher(tiny_model)
    texts = ["THE QUICK BROWN FOX", "YOU"]
    embed_texts(teacher, texts, tmp_path, progress=False)
    stored = StoredTeacher(tmp_path)
    assert (stored.identity, stored.width) == (teacher.identity, teacher.width)
    torch.testing.assert_close(stored.embed(texts), teacher.embed(texts), atol=1e-3, rtol=1e-3)


def test_a_store_says_of_its_teacher_whether_it_is_causal(
    tmp_path: Path, tiny_bert: Path, tiny_llama: Path, counting: Teachers
) -> None:
    teachers = {"bert": HuggingFaceTeacher(tiny_bert), "llama": HuggingFaceTeacher(tiny_llama), "own": counting()}
    for name, teacher in teachers.items():
        embed_texts(teacher, ["the quick fox"], tmp_path / name, progress=False)
    assert [StoredTeacher(tmp_path / name).causal for name in teachers] == [False, True, None]
