from __future__ import annotations

import pytest
import torch

from cmkt.errors import TextError
from cmkt.text.padding import pad_tokens


def test_rows_are_padded_with_zeros_and_masked() -> None:
    tokens = pad_tokens([torch.ones(2, 3), None, torch.full((1, 3), 5.0)], 3)
    assert tokens.values.tolist() == [[[1, 1, 1], [1, 1, 1]], [[0, 0, 0], [0, 0, 0]], [[5, 5, 5], [0, 0, 0]]]
    assert tokens.mask.tolist() == [[True, True], [False, False], [True, False]]


def test_a_batch_without_any_text_has_no_tokens() -> None:
    tokens = pad_tokens([None, None], 3)
    assert tokens.values.shape == (2, 0, 3)
    assert tokens.mask.shape == (2, 0)
    assert tokens.mask.dtype == torch.bool


def test_an_empty_batch_is_empty() -> None:
    assert pad_tokens([], 3).values.shape == (0, 0, 3)


def test_vectors_of_another_width_are_refused() -> None:
    with pytest.raises(TextError, match=r"text 1 must be \(tokens, 3\), but are \(2, 4\)"):
        pad_tokens([None, torch.ones(2, 4)], 3)
