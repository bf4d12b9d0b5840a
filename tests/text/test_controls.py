from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cmkt.errors import ConfigError
from cmkt.text.characters import CharacterTeacher
from cmkt.text.controls import RandomTeacher, ShuffledTeacher, controlled, real_teacher
from cmkt.text.embedding import embed_texts
from cmkt.text.huggingface import HuggingFaceTeacher
from cmkt.text.store import StoredTeacher
from cmkt.types import Teacher

Teachers = Callable[..., Any]
WORDS = ("the", "quick", "brown", "fox", "a", "lazy", "dog", "jumps")


def sentences(count: int, seed: int = 0) -> list[str]:
    """Sentences of 3 to 12 words, all different."""
    draw = random.Random(seed)
    return list(dict.fromkeys(" ".join(draw.choices(WORDS, k=draw.randint(3, 12))) for _ in range(count)))


def test_every_text_has_another_one_of_similar_length_and_never_its_own(counting: Teachers) -> None:
    texts = sentences(300)
    shuffled = ShuffledTeacher(counting(), texts)
    chosen = [shuffled.other_text(text) for text in texts]
    assert set(chosen) <= set(texts)
    assert all(other != text for other, text in zip(chosen, texts, strict=True))
    assert all(abs(len(other) - len(text)) <= 0.1 * len(text) for other, text in zip(chosen, texts, strict=True))
    assert len(set(chosen)) > len(texts) / 3


def test_the_vectors_are_those_of_the_other_text(counting: Teachers) -> None:
    teacher, texts = counting(), sentences(50)
    shuffled = ShuffledTeacher(teacher, texts)
    for text, vectors in zip(texts, shuffled.embed(texts), strict=True):
        assert torch.equal(vectors, teacher.embed([shuffled.other_text(text)])[0])


def test_the_choice_depends_on_seed_and_text_only(counting: Teachers) -> None:
    texts = sentences(100)
    first, again = ShuffledTeacher(counting(), texts), ShuffledTeacher(counting(), reversed([*texts, None, texts[0]]))
    other = ShuffledTeacher(counting(), texts, seed=1)
    assert [first.other_text(text) for text in texts] == [again.other_text(text) for text in texts]
    assert [first.other_text(text) for text in texts] != [other.other_text(text) for text in texts]
    assert pickle.loads(pickle.dumps(first)).other_text(texts[0]) == first.other_text(texts[0])


def test_the_same_words_in_other_case_or_spacing_are_its_own(counting: Teachers) -> None:
    shuffled = ShuffledTeacher(counting(), ["THE CAT", "the  cat", "a dog!!"])
    for own in ("The Cat", " the cat"):
        assert shuffled.other_text(own) == "a dog!!"


def test_a_text_that_is_alone_in_its_length_gets_the_nearest(counting: Teachers) -> None:
    shuffled = ShuffledTeacher(counting(), ["a" * 5, "b" * 50, "c" * 100])
    assert shuffled.other_text("b" * 50) == "a" * 5
    assert shuffled.other_text("c" * 100) == "b" * 50
    assert shuffled.other_text("a" * 5) == "b" * 50
    assert shuffled.other_text("d" * 70) == "b" * 50
    assert shuffled.other_text("d" * 1000) == "c" * 100


def test_a_text_that_is_not_among_them_gets_one_too(counting: Teachers) -> None:
    texts = sentences(50)
    assert ShuffledTeacher(counting(), texts).other_text("dev set only words") in texts


def test_a_shuffled_teacher_without_texts_says_what_to_pass(counting: Teachers) -> None:
    empty = ShuffledTeacher(counting())
    assert not empty.filled
    with pytest.raises(ConfigError, match="Pass those of the training data"):
        empty.embed(["the fox"])
    with pytest.raises(ConfigError, match="2 different transcripts"):
        empty.fill(["The fox", "the fox", None, " "])
    empty.fill(["the fox", "the dog"])
    assert empty.other_text("the fox") == "the dog"


def test_a_shuffled_teacher_is_as_its_teacher_and_its_identity_tells_the_choice(tiny_llama: Path) -> None:
    llama = HuggingFaceTeacher(tiny_llama)
    shuffled = ShuffledTeacher(llama, ["one", "two"])
    assert isinstance(shuffled, Teacher)
    assert (shuffled.width, shuffled.causal, shuffled.one_hot) == (llama.width, True, False)
    assert ShuffledTeacher("characters").one_hot
    others = (ShuffledTeacher(llama, ["one", "two"], seed=1), ShuffledTeacher(llama, ["one", "six"]), llama)
    assert shuffled.identity not in {other.identity for other in others}


def test_random_vectors_have_the_teachers_width_and_counts(tiny_model: Path) -> None:
    teacher = HuggingFaceTeacher(tiny_model)
    texts = ["the fox and the dog", "it is so"]
    real, drawn = teacher.embed(texts), RandomTeacher(teacher).embed(texts)
    assert [each.shape for each in drawn] == [each.shape for each in real]
    assert all(each.dtype == torch.float32 for each in drawn)


def test_a_token_has_the_same_random_vector_everywhere_and_no_two_share_one(tiny_bert: Path) -> None:
    teacher = RandomTeacher(HuggingFaceTeacher(tiny_bert))
    (vectors,) = teacher.embed(["the fox and the dog"])
    assert torch.equal(vectors[0], vectors[3])
    assert torch.equal(teacher.embed(["so said the cat"])[0][2], vectors[0])
    assert len(torch.unique(vectors, dim=0)) == 4


def test_random_vectors_depend_on_the_seed_and_not_on_who_came_first(tiny_bert: Path) -> None:
    teacher = HuggingFaceTeacher(tiny_bert)
    first, again, other = (RandomTeacher(teacher, seed=seed) for seed in (0, 0, 1))
    again.embed(["dog and cat"])
    assert torch.equal(first.embed(["the cat"])[0], again.embed(["the cat"])[0])
    assert not torch.equal(first.embed(["the cat"])[0], other.embed(["the cat"])[0])
    assert len({first.identity, other.identity, teacher.identity}) == 3


def test_random_vectors_never_run_the_model(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teacher = HuggingFaceTeacher(tiny_bert)
    monkeypatch.setattr(teacher, "_states", None)
    assert RandomTeacher(teacher).embed(["the cat"])[0].shape == (2, teacher.width)


def test_a_store_cannot_have_random_vectors_and_says_what_can(tmp_path: Path, counting: Teachers) -> None:
    embed_texts(counting(), ["a b"], tmp_path, progress=False)
    with pytest.raises(ConfigError, match=r"StoredTeacher does not.*no store is needed"):
        RandomTeacher(tmp_path)


def test_controls_by_name(tmp_path: Path, tiny_bert: Path, counting: Teachers) -> None:
    embed_texts(counting(), ["a b"], tmp_path, progress=False)
    assert isinstance(controlled(tmp_path, None, seed=0), StoredTeacher)
    shuffled = controlled(tmp_path, "shuffled", seed=3)
    assert isinstance(shuffled, ShuffledTeacher)
    assert shuffled.seed == 3
    assert isinstance(controlled(tiny_bert, "random", seed=0), RandomTeacher)
    assert isinstance(real_teacher(shuffled), StoredTeacher)
    assert isinstance(real_teacher(CharacterTeacher()), CharacterTeacher)
    with pytest.raises(ConfigError, match="`control` must be 'shuffled', 'random' or null"):
        controlled(tmp_path, "shufled", seed=0)  # type: ignore[arg-type]
