from __future__ import annotations

import pytest
import torch

from cmkt.errors import StoreError
from cmkt.text.record import Metadata, Statistics, coding_error, decode_vectors, encode_vectors, text_key


def test_keys_are_sixteen_bytes_of_the_tidied_text() -> None:
    assert len(text_key("A")) == 16
    assert text_key(" A  B") == text_key("A B")
    assert text_key("A B") != text_key("a b")


def test_vectors_come_back_within_half_precision() -> None:
    vectors = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    value = encode_vectors(vectors)
    assert len(value) == 8 + 5 * 7 * 2
    back = decode_vectors(value, 7)
    assert back.dtype == torch.float32
    torch.testing.assert_close(back, vectors, atol=1e-6, rtol=2**-11)


def test_vectors_in_eight_bits_come_back_within_half_a_step_of_their_block() -> None:
    vectors = torch.randn(5, 70, generator=torch.Generator().manual_seed(0))
    vectors[:, 3] = 500.0  # such channels exist in language models: it costs its own block and no other
    vectors[2] = 0.0
    value = encode_vectors(vectors, bits=8)
    assert len(value) == 8 + 5 * 70 + 5 * 3 * 2
    back = decode_vectors(value, 70, bits=8)
    assert back.dtype == torch.float32
    for start in (0, 32, 64):
        block, restored = vectors[:, start : start + 32], back[:, start : start + 32]
        half_step = block.abs().amax(dim=1, keepdim=True) / 254
        assert bool(((block - restored).abs() <= half_step * 1.2 + 1e-6).all())
    assert not back[2].any()


def test_the_coding_error_of_eight_bits_is_small_and_that_of_sixteen_smaller() -> None:
    vectors = torch.randn(20, 384, generator=torch.Generator().manual_seed(0))
    eight, half = (float(coding_error(vectors, bits=bits).mean()) for bits in (8, 16))
    assert 0 < half < eight / 20
    assert eight < 1e-4


def test_eight_bits_cut_short_are_noticed() -> None:
    value = encode_vectors(torch.ones(3, 40), bits=8)
    with pytest.raises(StoreError, match="damaged"):
        decode_vectors(value[:-1], 40, bits=8)
    with pytest.raises(StoreError, match="damaged"):
        decode_vectors(value, 40, bits=16)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e6])
def test_vectors_that_half_precision_cannot_hold_are_refused(bad: float) -> None:
    with pytest.raises(StoreError, match="finite"):
        encode_vectors(torch.tensor([[1.0, bad]]))


@pytest.mark.parametrize("damage", [lambda v: v[:-1], lambda v: v[:4], lambda v: v[:-1] + b"\x99", lambda v: b""])
def test_a_damaged_record_is_noticed(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(StoreError, match="damaged"):
        decode_vectors(damage(encode_vectors(torch.ones(3, 4))), 4)


def test_metadata_come_back_and_another_format_is_refused() -> None:
    metadata = Metadata(identity="bert", width=3)
    assert Metadata.decode(metadata.encode()) == metadata
    with pytest.raises(StoreError, match="must have format 1 or 2, but has 3"):
        Metadata.decode(metadata.encode().replace(b'"format": 1', b'"format": 3'))
    with pytest.raises(StoreError, match="damaged"):
        Metadata.decode(b"{")
    eight = Metadata(identity="bert", width=3, bits=8)
    assert Metadata.decode(eight.encode()) == eight
    assert b'"format": 2' in eight.encode()


def test_metadata_remember_whether_the_teacher_is_causal_and_old_ones_do_not_know() -> None:
    for causal in (True, False, None):
        metadata = Metadata(identity="gpt", width=3, causal=causal)
        assert Metadata.decode(metadata.encode()) == metadata
        assert metadata.same_teacher(Metadata(identity="gpt", width=3))
    assert Metadata.decode(b'{"format": 1, "teacher": "old", "width": 3}').causal is None
    assert not Metadata(identity="gpt", width=3).same_teacher(Metadata(identity="gpt", width=4))


def test_the_floor_of_two_right_angles_is_worked_by_hand() -> None:
    """Unit vectors (1, 0) and (0, 1): the best direction is the diagonal, 1 - cos 45 degrees."""
    statistics = Statistics.empty(2).plus(torch.tensor([[3.0, 0.0], [0.0, 0.5]]))
    assert statistics.mean_direction_floor == pytest.approx(1 - 2**-0.5)


def test_the_floor_is_what_answering_the_mean_direction_costs() -> None:
    vectors = torch.randn(50, 6, generator=torch.Generator().manual_seed(1)) + 0.5
    mean = torch.nn.functional.normalize(vectors, dim=-1).mean(0)
    expected = (1 - torch.cosine_similarity(vectors, mean[None])).mean()
    statistics = Statistics.empty(6).plus(vectors[:20]).plus(vectors[20:])
    assert statistics.mean_direction_floor == pytest.approx(float(expected), abs=1e-6)


def test_statistics_come_back() -> None:
    statistics = Statistics.empty(2).plus(torch.ones(3, 2)).plus_unknown(2)
    back = Statistics.decode(statistics.encode())
    assert (back.texts, back.tokens, back.unknown) == (1, 3, 2)
    assert back.direction_sum.tolist() == statistics.direction_sum.tolist()
    assert back.unknown_share == pytest.approx(2 / 3)


def test_an_empty_store_has_a_floor_of_zero() -> None:
    assert Statistics.empty(2).mean_direction_floor == 0.0
    assert Statistics.empty(2).unknown_share == 0.0
