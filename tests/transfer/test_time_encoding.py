from __future__ import annotations

import torch

from cmkt.transfer.time_encoding import POSITION_FEATURES, TIME_FEATURES, encode_position, encode_seconds


def test_similarity_depends_on_the_difference_of_times_only() -> None:
    near = encode_seconds(torch.tensor([1.0, 1.3])).prod(dim=0).sum()
    far = encode_seconds(torch.tensor([11.0, 11.3])).prod(dim=0).sum()
    assert torch.allclose(near, far, atol=1e-4)


def test_similarity_falls_from_frames_to_tens_of_seconds() -> None:
    encoded = encode_seconds(torch.tensor([0.0, 0.05, 0.5, 5.0, 30.0]))
    similarity = encoded @ encoded[0]
    assert similarity.shape == (5,)
    assert similarity[0] > similarity[1] > similarity[2] > similarity[3] > similarity[4]


def test_encoding_is_float32_of_the_stated_width() -> None:
    encoded = encode_seconds(torch.zeros(2, 3, dtype=torch.float64))
    assert encoded.shape == (2, 3, TIME_FEATURES)
    assert encoded.dtype == torch.float32


def test_tokens_stand_at_the_middle_of_equal_parts() -> None:
    features, relative = encode_position(torch.tensor([[True, True], [True, False]]))
    assert features.shape == (2, 2, POSITION_FEATURES)
    assert relative[0].tolist() == [0.25, 0.75]
    assert relative[1, 0] == 0.5


def test_the_number_of_tokens_is_among_the_features() -> None:
    short, _ = encode_position(torch.ones(1, 3, dtype=torch.bool))
    long, _ = encode_position(torch.ones(1, 9, dtype=torch.bool))
    assert torch.allclose(short[0, 1, :-1], long[0, 4, :-1], atol=1e-4)
    assert short[0, 1, -1] < long[0, 4, -1] < 1


def test_a_row_without_tokens_is_finite() -> None:
    features, relative = encode_position(torch.zeros(1, 4, dtype=torch.bool))
    assert features.isfinite().all()
    assert relative.isfinite().all()
