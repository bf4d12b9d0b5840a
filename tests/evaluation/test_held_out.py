from __future__ import annotations

from itertools import pairwise

import pytest

from cmkt.evaluation.held_out import Transcript, take_utterances


def test_a_smaller_limit_is_part_of_a_larger_one_and_of_any_larger_data() -> None:
    ids = [f"u{number}" for number in range(20)]
    chosen = [take_utterances(ids, limit, seed=0) for limit in range(1, 21)]
    assert [len(each) for each in chosen] == list(range(1, 21))
    assert all(smaller < larger for smaller, larger in pairwise(chosen))
    assert take_utterances([*reversed(ids), *ids], 5, seed=0) == chosen[4]
    assert take_utterances(ids, 5, seed=1) != chosen[4]


def test_without_a_limit_all_are_taken() -> None:
    assert take_utterances(["a", "b", "a"], None, seed=0) == {"a", "b"}


@pytest.mark.parametrize(("language", "english"), [(None, "hello"), ("en", "hello"), ("EN-gb", "hello"), ("de", None)])
def test_a_text_is_english_unless_another_language_is_stated(language: str | None, english: str | None) -> None:
    assert Transcript("hello", language).english == english
