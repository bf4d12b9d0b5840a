from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from cmkt.text.language.tokenizer import MASK_ID, SPECIAL
from cmkt.training.language_model.models import build_decoder, build_encoder
from cmkt.training.language_model.objectives import MaskedCharacter, NextCharacter
from tests.training.language_model.conftest import SMALL

SIZE = 20
LINES = torch.tensor([[2, 7, 8, 9, 3], [2, 12, 3, 0, 0]])


@pytest.fixture(scope="module")
def decoder() -> nn.Module:
    table = 0.5 * torch.randn(SIZE, SMALL.width, generator=torch.Generator().manual_seed(0))
    return build_decoder(SMALL, vocabulary_size=SIZE, embeddings=table)


def test_the_next_character_is_the_librarys_own_loss(decoder: Any) -> None:
    labels = LINES.masked_fill(LINES == 0, -100)
    expected = decoder(input_ids=LINES, labels=labels).loss
    torch.testing.assert_close(NextCharacter()(decoder, LINES, progress=0.0), expected)


def test_a_sample_of_rare_characters_stands_for_all_until_late(
    decoder: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = NextCharacter()(decoder, LINES, progress=0.0)
    for frequent in (torch.arange(8), torch.arange(SIZE)):
        torch.testing.assert_close(NextCharacter(frequent)(decoder, LINES, progress=0.5), everything)
    monkeypatch.setattr("cmkt.training.language_model.objectives.SAMPLED", 3)
    few = NextCharacter(torch.arange(8))
    torch.manual_seed(0)
    drawn = torch.stack([few(decoder, LINES, progress=0.5).detach() for _ in range(200)])
    assert drawn.std() > 0
    torch.testing.assert_close(drawn.mean(), everything.detach(), rtol=0.02, atol=0)
    torch.testing.assert_close(few(decoder, LINES, progress=0.9), everything)


class Recording(nn.Module):
    """Remembers what it was shown; knows nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.lm_head = nn.Linear(4, SIZE, bias=False)
        nn.init.zeros_(self.lm_head.weight)
        self.model = self._states
        self.seen = torch.empty(0)

    def _states(self, *, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        self.seen = input_ids
        assert torch.equal(attention_mask.bool(), input_ids != 0)
        return type("Output", (), {"last_hidden_state": torch.zeros(*input_ids.shape, 4)})()


def test_masks_hide_a_share_of_the_characters_and_nothing_else() -> None:
    lines = torch.randint(len(SPECIAL), SIZE, (200, 50), generator=torch.Generator().manual_seed(0))
    lines[:, 0], lines[:, -2], lines[:, -1] = 2, 3, 0
    model = Recording()
    torch.manual_seed(0)
    loss = MaskedCharacter(0.25)(model, lines, progress=0.0)
    assert loss.item() == pytest.approx(math.log(SIZE))
    assert torch.equal(model.seen[:, [0, -2, -1]], lines[:, [0, -2, -1]])
    inner, shown = lines[:, 1:-2], model.seen[:, 1:-2]
    assert float((shown == MASK_ID).float().mean()) == pytest.approx(0.25 * 0.8, abs=0.01)
    replaced = (shown != inner) & (shown != MASK_ID)
    assert float(replaced.float().mean()) == pytest.approx(0.25 * 0.1 * (1 - 1 / 15), abs=0.005)


def test_a_batch_too_short_for_a_mask_is_learnt_whole(decoder: nn.Module) -> None:
    encoder = build_encoder(SMALL, decoder)
    torch.manual_seed(0)
    loss = MaskedCharacter(1e-9)(encoder, LINES, progress=0.0)
    assert torch.isfinite(loss)
    loss.backward()  # type: ignore[no-untyped-call]


def test_a_batch_learnt_whole_is_mostly_masks() -> None:
    lines = torch.randint(len(SPECIAL), SIZE, (200, 50), generator=torch.Generator().manual_seed(0))
    model = Recording()
    torch.manual_seed(0)
    MaskedCharacter(1e-9)(model, lines, progress=0.0)
    assert float((model.seen == MASK_ID).float().mean()) == pytest.approx(0.8, abs=0.01)
