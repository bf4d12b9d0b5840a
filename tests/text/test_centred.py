from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from cmkt.errors import ConfigError, StoreError
from cmkt.text.centred import CentredTeacher, centred
from cmkt.text.controls import ShuffledTeacher, controlled, real_teacher
from cmkt.text.embedding import embed_texts
from cmkt.text.store import StoredTeacher
from cmkt.text.store_writer import StoreWriter
from cmkt.types import Teacher

TEXTS = ["A B C", "D E", "F G H I"]


class Biased:
    """Random vectors that all lean one way."""

    width = 6
    identity = "biased"
    causal = True

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        return [
            torch.randn(len(text.split()), 6, generator=torch.Generator().manual_seed(len(text))) + 3 for text in texts
        ]


def mean_length(vectors: list[Tensor]) -> float:
    return float(normalize(torch.cat(vectors), dim=-1).mean(dim=0).norm())


def test_the_mean_of_unit_vectors_is_gone() -> None:
    teacher = CentredTeacher(Biased(), TEXTS)
    assert isinstance(teacher, Teacher)
    vectors = torch.cat(teacher.embed(TEXTS))
    torch.testing.assert_close(vectors.mean(dim=0), torch.zeros(6), atol=1e-6, rtol=0)
    expected = normalize(Biased().embed(TEXTS[:1])[0], dim=-1) - teacher.mean
    torch.testing.assert_close(teacher.embed(TEXTS[:1])[0], expected)
    assert mean_length(Biased().embed(TEXTS)) > 0.9
    assert (teacher.width, teacher.causal) == (6, True)


def test_the_mean_of_a_store_is_that_of_all_it_holds(tmp_path: Path) -> None:
    embed_texts(Biased(), TEXTS, tmp_path / "store", progress=False)
    stored = CentredTeacher(tmp_path / "store")
    torch.testing.assert_close(stored.mean, CentredTeacher(Biased(), TEXTS).mean, atol=1e-6, rtol=0)
    torch.testing.assert_close(torch.cat(stored.embed(TEXTS)).mean(dim=0), torch.zeros(6), atol=1e-3, rtol=0)
    assert stored.filled
    with StoreWriter(tmp_path / "empty", identity="biased", width=6):
        pass
    with pytest.raises(StoreError, match="but is empty"):
        CentredTeacher(tmp_path / "empty")


def test_the_identity_follows_the_mean() -> None:
    one, same, other = (CentredTeacher(Biased(), texts) for texts in (TEXTS, TEXTS[::-1], TEXTS[:2]))
    assert one.identity == same.identity
    assert one.identity != other.identity
    assert one.identity.endswith("biased")


def test_without_texts_it_says_what_to_give() -> None:
    with pytest.raises(ConfigError, match="`texts` must be given for the mean"):
        CentredTeacher(Biased()).embed(["A"])
    for texts in ([], [None, " "]):
        with pytest.raises(ConfigError, match="hold none"):
            CentredTeacher(Biased()).fill(texts)


def test_it_may_be_filled_later_or_be_given_its_mean(counting: Callable[..., Teacher]) -> None:
    made = centred(counting(), TEXTS)
    assert made.filled
    again = CentredTeacher(counting(), mean=made.mean)
    assert again.identity == made.identity
    assert torch.equal(again.embed(TEXTS)[0], made.embed(TEXTS)[0])


def test_controls_go_around_it_and_random_vectors_have_nothing_to_subtract(tmp_path: Path) -> None:
    embed_texts(Biased(), TEXTS, tmp_path / "store", progress=False)
    shuffled = controlled(tmp_path / "store", "shuffled", seed=0, subtract_mean=True)
    assert isinstance(shuffled, ShuffledTeacher)
    assert isinstance(shuffled.teacher, CentredTeacher)
    assert isinstance(real_teacher(shuffled), StoredTeacher)
    with pytest.raises(ConfigError, match="`subtract_mean` must be left out for random"):
        controlled(Biased(), "random", seed=0, subtract_mean=True)
