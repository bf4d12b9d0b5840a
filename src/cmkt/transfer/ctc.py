"""A character-CTC head on the frames: text supervision without a language model, the control of "the LM helps".

Legend: B utterances, F frames of width C, N characters, V classes of them and one more, the blank.

    p_f = softmax(P LN(h_f))                     over V + 1 classes
    L   = -log sum over all paths that spell the characters of prod_f p_f(path_f)      (Graves et al. 2006)

It is called as an alignment and stands where one stands: the teacher is "characters", whose vectors are one-hot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from cmkt.errors import ConfigError
from cmkt.transfer.alignment import seeded_build
from cmkt.types import Aligned, Frames, Teacher, Tokens


@final
class CTCHead(nn.Module):
    """Module of `CTC`. The blank is the last class. On CUDA torch's own gradient of CTC is not deterministic."""

    def __init__(self, frame_width: int, classes: int) -> None:
        super().__init__()
        self.blank = classes
        self.frame_norm = nn.LayerNorm(frame_width)
        self.head = nn.Linear(frame_width, classes + 1)

    def forward(self, frames: Frames, tokens: Tokens, generator: torch.Generator | None = None) -> Aligned:
        """`distance`: an utterance's CTC loss in nats, shared equally by its characters, so that the mean over tokens
        is nats per character and the sum is the utterance's loss.

        tokens: values (B, N, V) one-hot. Utterances with more characters (and blanks between equal neighbours) than
        frames have no path and are not counted. `matrix` says where each character is most heard, p_f over the frames;
        it does not look at the order.
        """
        del generator
        scores = self.head(self.frame_norm(frames.values.to(self.head.weight.dtype)))
        log_probabilities = scores.float().log_softmax(dim=-1)
        labels = tokens.values.argmax(dim=-1)
        counted = tokens.mask & spellable(labels, tokens.mask, frames.mask)[:, None]
        loss = _ctc(log_probabilities, labels, tokens.mask, frames.mask, blank=self.blank)
        distance = (loss / tokens.mask.sum(dim=1).clamp(min=1))[:, None].expand(counted.shape)
        return Aligned(
            distance=distance.masked_fill(~counted, 0.0),
            counted=counted,
            matrix=_heard(log_probabilities.detach(), labels, frames.mask).masked_fill(~counted[..., None], 0.0),
        )


@dataclass(frozen=True)
class CTC:
    """Specification of the character-CTC head, with `teacher="characters"`."""

    def check_teacher(self, teacher: Teacher) -> None:
        """Raises ConfigError unless the teacher's vectors are one-hot characters."""
        if not getattr(teacher, "one_hot", False):
            raise ConfigError(
                f"`teacher` must be 'characters' for CTC, which spells and needs no language model, but is "
                f"{teacher.identity} instead."
            )

    def build(self, frame_width: int, token_width: int, *, seed: int) -> CTCHead:
        """A fresh head whose weights depend on `seed` only. token_width: the number of classes, without the blank."""
        with seeded_build(seed):
            return CTCHead(frame_width, token_width)


def spellable(labels: Tensor, tokens: Tensor, frames: Tensor) -> Tensor:
    """Which utterances have text and a path: a frame for each character, and one more between equal neighbours.

    Shape: labels (B, N), tokens (B, N) bool, frames (B, F) bool -> (B,) bool.
    """
    repeats = ((labels[:, 1:] == labels[:, :-1]) & tokens[:, 1:]).sum(dim=1)
    characters = tokens.sum(dim=1)
    return (characters > 0) & (characters + repeats <= frames.sum(dim=1))


def _ctc(log_probabilities: Tensor, labels: Tensor, tokens: Tensor, frames: Tensor, *, blank: int) -> Tensor:
    """The loss of each utterance (B,) in nats; zero, without a gradient, where there is no path."""
    return functional.ctc_loss(
        log_probabilities.transpose(0, 1),
        functional.pad(labels, (0, 1)),  # so that a batch without any text is one too
        frames.sum(dim=1).clamp(min=1),
        tokens.sum(dim=1),
        blank=blank,
        reduction="none",
        zero_infinity=True,
    )


def _heard(log_probabilities: Tensor, labels: Tensor, frames: Tensor) -> Tensor:
    """(B, N, F), each row a distribution over the real frames."""
    spread = labels[:, None, :].expand(-1, log_probabilities.shape[1], -1)
    emitted = log_probabilities.gather(2, spread).transpose(1, 2)
    return emitted.masked_fill(~frames[:, None, :], torch.finfo(torch.float32).min).softmax(dim=-1)
