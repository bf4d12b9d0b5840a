from __future__ import annotations

import numpy as np
import pytest

from cmkt.errors import ConfigError
from cmkt.text.candidates import NEAREST, draw_candidates

LENGTHS = {f"sentence {number}": number for number in range(100)}


def drawn(
    target: str = "sentence 50", *, count: int = 10, seed: int = 0, lengths: dict[str, int] = LENGTHS
) -> list[str]:
    return draw_candidates(target, lengths, count=count, rng=np.random.default_rng(seed))


def test_the_true_sentence_is_never_a_candidate_and_none_comes_twice() -> None:
    for seed in range(20):
        candidates = drawn(seed=seed)
        assert "sentence 50" not in candidates
        assert len(set(candidates)) == 10


def test_candidates_are_among_the_nearest_in_length() -> None:
    for seed in range(20):
        assert all(abs(LENGTHS[each] - 50) <= NEAREST * 10 / 2 for each in drawn(seed=seed))


def test_the_same_draw_gives_the_same_candidates_whatever_the_order_of_the_data() -> None:
    backwards = dict(reversed(LENGTHS.items()))
    assert drawn() == drawn(lengths=backwards)
    assert drawn(seed=1) != drawn(seed=2)


def test_few_sentences_give_what_there_is() -> None:
    few = {"a": 3, "b": 4, "c": 40}
    assert sorted(drawn("a", lengths=few)) == ["b", "c"]
    assert drawn("a", lengths={"a": 3}) == []


def test_no_candidate_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="`candidates` must be at least 1"):
        drawn(count=0)
