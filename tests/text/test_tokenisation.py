from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cmkt.text.tokenisation import Encoded, batches_by_tokens, pad_ids


def test_real_ids_leave_out_special_tokens() -> None:
    assert Encoded((101, 7, 8, 102), (False, True, True, False)).real_ids == [7, 8]


def test_padding_is_on_the_right_and_masked() -> None:
    ids, mask = pad_ids([Encoded((5, 6, 7), (True,) * 3), Encoded((8,), (True,))], pad_id=9)
    assert ids.tolist() == [[5, 6, 7], [8, 9, 9]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_batches_count_padding() -> None:
    assert batches_by_tokens([2, 9, 3, 4], batch_tokens=9) == [[1], [3, 2], [0]]


def test_a_text_longer_than_a_batch_is_a_batch_of_its_own() -> None:
    assert batches_by_tokens([20, 1], batch_tokens=4) == [[0], [1]]


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 100))
def test_every_text_is_in_exactly_one_batch_that_fits(lengths: list[int], batch_tokens: int) -> None:
    batches = batches_by_tokens(lengths, batch_tokens)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= batch_tokens
