from __future__ import annotations

import torch

from cmkt.text.pooling import Unit, pool_vectors, units_of


def test_a_word_has_all_its_tokens_and_special_ones_belong_to_none() -> None:
    spans = [(0, 0), (0, 4), (4, 7), (7, 10), (0, 0)]
    assert units_of("walking on", spans, "words") == (Unit("walking", (1, 2)), Unit("on", (3,)))


def test_a_token_with_the_space_before_it_belongs_to_its_word_alone() -> None:
    assert units_of("a cat", [(0, 1), (1, 5)], "words") == (Unit("a", (0,)), Unit("cat", (1,)))


def test_a_token_of_several_characters_is_that_of_each() -> None:
    assert units_of("今天 好", [(0, 2), (3, 4)], "characters") == (
        Unit("今", (0,)),
        Unit("天", (0,)),
        Unit("好", (1,)),
    )


def test_a_character_of_several_tokens_has_all_of_them() -> None:
    assert units_of("我", [(0, 1), (0, 1), (0, 1)], "characters") == (Unit("我", (0, 1, 2)),)


def test_mixed_scripts_are_cut_where_they_meet() -> None:
    spans = [(place, place + 1) for place in range(6)]
    assert [unit.text for unit in units_of("用ok吗は!", spans, "words")] == ["用", "ok", "吗", "は", "!"]


def test_what_no_token_covers_is_left_out() -> None:
    assert units_of("a b", [(0, 1)], "words") == (Unit("a", (0,)),)


def test_a_unit_is_the_mean_of_its_tokens() -> None:
    states = torch.tensor([[9.0, 9.0], [1.0, 0.0], [3.0, 2.0]])
    pooled = pool_vectors(states, (Unit("walking", (1, 2)), Unit("on", (2,))))
    assert pooled.tolist() == [[2.0, 1.0], [3.0, 2.0]]
