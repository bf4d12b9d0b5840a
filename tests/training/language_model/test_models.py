from __future__ import annotations

import numpy as np
import torch

from cmkt.text.language.sequences import numbered
from cmkt.text.language.tokenizer import SPECIAL
from cmkt.training.language_model.embeddings import neighbour_embeddings
from cmkt.training.language_model.models import build_decoder, build_encoder
from tests.training.language_model.conftest import SMALL

VOCABULARY = [*SPECIAL, *"abcdefgh"]
TABLE = 0.02 * torch.randn(len(VOCABULARY), SMALL.width, generator=torch.Generator().manual_seed(0))


def test_the_encoder_has_the_decoders_weights_and_looks_both_ways() -> None:
    decoder = build_decoder(SMALL, vocabulary_size=len(VOCABULARY), embeddings=TABLE)
    encoder = build_encoder(SMALL, decoder)
    for name, weight in decoder.state_dict().items():
        assert torch.equal(encoder.state_dict()[name], weight)
    one, other = torch.tensor([[2, 5, 6, 3]]), torch.tensor([[2, 5, 6, 7]])
    mask = torch.ones_like(one)
    with torch.inference_mode():
        causal = [decoder.eval()(input_ids=ids).logits[0, 1] for ids in (one, other)]
        both_ways = [encoder.eval()(input_ids=ids, attention_mask=mask).logits[0, 1] for ids in (one, other)]
    torch.testing.assert_close(causal[0], causal[1])
    assert not torch.allclose(both_ways[0], both_ways[1])


def test_the_table_is_the_given_one_and_used_at_both_ends() -> None:
    decoder = build_decoder(SMALL, vocabulary_size=len(VOCABULARY), embeddings=TABLE)
    assert torch.equal(decoder.get_input_embeddings().weight, TABLE)  # type: ignore[operator]
    assert decoder.get_output_embeddings().weight is decoder.get_input_embeddings().weight  # type: ignore[operator]


def test_building_leaves_torchs_random_state_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    build_decoder(SMALL, vocabulary_size=len(VOCABULARY), embeddings=TABLE)
    assert torch.equal(torch.rand(1), expected)


def test_characters_with_the_same_neighbours_start_alike() -> None:
    """a and b stand between c and d, e and f between g and h."""
    rng = np.random.default_rng(0)
    lines = ["".join(rng.choice(["cad", "cbd", "geh", "gfh"], size=4)) for _ in range(300)]
    table = neighbour_embeddings(numbered(lines, VOCABULARY), vocabulary_size=len(VOCABULARY), width=8)
    assert table.shape == (len(VOCABULARY), 8)
    assert abs(float(table.std()) - 0.02) < 1e-4

    def alike(one: str, other: str) -> float:
        rows = [table[VOCABULARY.index(each)] for each in (one, other)]
        return float(torch.cosine_similarity(rows[0], rows[1], dim=0))

    assert alike("a", "b") > 0.9
    assert alike("e", "f") > 0.9
    assert alike("a", "e") < 0.5


def test_a_table_wider_than_the_vocabulary_has_rank() -> None:
    table = neighbour_embeddings(numbered(["abcd"] * 9, VOCABULARY), vocabulary_size=len(VOCABULARY), width=32)
    assert table.shape == (len(VOCABULARY), 32)
    assert torch.isfinite(table).all()
