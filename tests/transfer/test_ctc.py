from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cmkt.errors import ConfigError
from cmkt.testing.alignment import check_objective
from cmkt.text.characters import CharacterTeacher
from cmkt.text.controls import ShuffledTeacher
from cmkt.text.embedded import EmbeddedTeacher
from cmkt.text.padding import pad_tokens
from cmkt.transfer.alignment import AlignmentSpec, check_teacher
from cmkt.transfer.attach import attach
from cmkt.transfer.ctc import CTC, CTCHead, spellable
from cmkt.transfer.objective import transfer_loss
from cmkt.transfer.probe import Pair, probe
from cmkt.types import Aligned, Frames, Tokens
from tests.transfer.conftest import MemoryTeacher


def spelled(*texts: str, classes: int = 4) -> Tokens:
    """Letters from a on, one-hot."""
    rows = [
        functional.one_hot(torch.tensor([ord(letter) - ord("a") for letter in text], dtype=torch.int64), classes)
        for text in texts
    ]
    return pad_tokens([row.float() for row in rows], classes)


def frames_of(*counts: int, width: int = 3) -> Frames:
    mask = torch.arange(max(counts)) < torch.tensor(counts)[:, None]
    return Frames(torch.randn(*mask.shape, width), mask, 0.02)


def saying(log_odds: Tensor) -> CTCHead:
    """A head of which every frame says the same, whatever it is."""
    head = CTC().build(3, len(log_odds) - 1, seed=0)
    nn.init.zeros_(head.head.weight)
    head.head.bias.data = log_odds
    return head


def test_it_keeps_the_contract_of_a_text_objective() -> None:
    check_objective(CTC(), spelled("abcdabbcd", "dcbaa", "abababa"))
    assert isinstance(CTC(), AlignmentSpec)


def test_one_character_in_two_frames_by_hand() -> None:
    """Of the paths over (a, blank), aa, a- and -a spell "a": 1 - p(blank)^2."""
    blank = 0.25
    aligned = saying(torch.tensor([1 - blank, blank]).log())(frames_of(2), spelled("a", classes=1))
    assert float(aligned.distance.detach()) == pytest.approx(-math.log(1 - blank**2), abs=1e-6)


def test_the_loss_is_shared_by_the_characters() -> None:
    """Over three frames "ab" has the paths aab, abb, -ab, a-b, ab-: five of 27 when all classes are alike."""
    aligned = saying(torch.zeros(3))(frames_of(3), spelled("ab", classes=2))
    loss = -math.log(5 / 27)
    assert aligned.distance[0].tolist() == pytest.approx([loss / 2] * 2)
    assert float(transfer_loss(aligned, "sum").detach()) == pytest.approx(loss)
    assert float(transfer_loss(aligned, "mean").detach()) == pytest.approx(loss / 2)


def test_texts_without_room_are_left_out_and_give_no_gradient() -> None:
    """ "aab" needs four frames, a blank between the two a."""
    tokens = spelled("aab", "aab", "abc")
    assert spellable(tokens.values.argmax(dim=-1), tokens.mask, frames_of(3, 4, 3).mask).tolist() == [
        False,
        True,
        True,
    ]
    frames = frames_of(3, 4, 3)
    values = frames.values.clone().requires_grad_()
    aligned = CTC().build(3, 4, seed=0)(Frames(values, frames.mask, 0.02), tokens)
    assert aligned.counted.any(dim=1).tolist() == [False, True, True]
    transfer_loss(aligned, "mean").backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert values.grad.isfinite().all()
    assert [bool(row.any()) for row in values.grad] == [False, True, True]


def test_utterances_without_text_contribute_nothing() -> None:
    frames = frames_of(9, 9, 0)
    module = CTC().build(3, 4, seed=0)
    both = module(frames, spelled("abc", "", "ab"))
    alone = module(Frames(frames.values[:1], frames.mask[:1], 0.02), spelled("abc"))
    assert both.counted.any(dim=1).tolist() == [True, False, False]
    losses = [float(transfer_loss(aligned, "mean").detach()) for aligned in (both, alone)]
    assert losses[0] == pytest.approx(losses[1])


def test_the_matrix_shows_where_a_character_is_heard() -> None:
    head = CTC().build(4, 4, seed=0)
    values = (torch.eye(4)[[2, 0, 1, 3, 3]] * 10)[None]
    nn.init.zeros_(head.head.weight)
    head.head.weight.data[:4] = 5 * torch.eye(4)
    aligned: Aligned = head(Frames(values, torch.ones(1, 5, dtype=torch.bool), 0.02), spelled("cab"))
    assert aligned.matrix[0].argmax(dim=1).tolist() == [0, 1, 2]


def test_it_learns_to_spell() -> None:
    generator = torch.Generator().manual_seed(0)
    voice = torch.randn(4, 8, generator=generator)

    def utterance() -> Pair:
        letters = torch.randint(4, (6,), generator=generator)
        return voice[letters].repeat_interleave(3, dim=0), 0.05, functional.one_hot(letters, 4).float()

    train, held_out = ([utterance() for _ in range(count)] for count in (64, 16))
    assert probe(train, held_out, CTC(), steps=200, seed=0, learning_rate=1e-2).loss < 0.5


def test_only_characters_are_spelled() -> None:
    for teacher in (CharacterTeacher(), ShuffledTeacher("characters", ["a", "b"])):
        check_teacher(CTC(), teacher)
    with pytest.raises(ConfigError, match="must be 'characters' for CTC"):
        check_teacher(CTC(), MemoryTeacher())


def test_a_model_is_trained_with_it_as_with_any_alignment(net: nn.Module, loss: nn.Module) -> None:
    task = attach(
        net, layer="encoder.2", layout="b c t", teacher="characters", alignment=CTC(), loss=loss, sample_rate=8000
    )
    noisy = torch.randn(4, 1600)
    texts = ["The cat!", None, "x" * 500, "..."]
    losses = task(noisy, clean=noisy, texts=texts)
    losses.total.backward()
    assert losses.tokens == len("the cat")
    assert float(losses.transfer.detach()) > 0
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.encoder.parameters())  # type: ignore[union-attr]
    assert task.detach() is net


def test_the_language_model_of_the_config_before_is_refused(net: nn.Module, loss: nn.Module) -> None:
    with pytest.raises(ConfigError, match="needs no language model"):
        attach(
            net,
            layer="encoder.2",
            layout="b c t",
            teacher=EmbeddedTeacher(),
            alignment=CTC(),
            loss=loss,
            sample_rate=8000,
        )
