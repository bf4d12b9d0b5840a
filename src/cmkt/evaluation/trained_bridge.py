"""A trained bridge that can be looked at: what it makes of an utterance, whether a run or a probe trained it.

Shapes: audio (T,), N tokens, F frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import torch

from cmkt.data.testset import TestMixture
from cmkt.evaluation.attention_map import AttentionMap
from cmkt.text.characters import CharacterTeacher, spoken_characters
from cmkt.text.controls import real_teacher
from cmkt.text.teacher import Tokenising
from cmkt.types import Frames, Tokens

if TYPE_CHECKING:
    from torch import nn

    from cmkt.evaluation.frames import FrameSource
    from cmkt.types import FloatArray, Teacher


@final
@dataclass(frozen=True, slots=True)
class TrainedBridge:
    """Where frames come from, a teacher, and an alignment in evaluation mode, on the CPU."""

    source: FrameSource
    teacher: Teacher
    alignment: nn.Module

    @property
    def layer(self) -> str:
        """What the frames are of."""
        return self.source.name

    @property
    def sample_rate(self) -> int:
        """The rate in Hz of the audio it takes."""
        return self.source.sample_rate

    @property
    def alignment_name(self) -> str:
        """Such as "Attention"."""
        return type(self.alignment).__name__.removesuffix("Alignment").removesuffix("Head")

    def attend(self, noisy: FloatArray, text: str) -> AttentionMap:
        """As `attend_mixture`, of noisy speech (T,) alone."""
        samples = np.asarray(noisy, dtype=np.float32)
        return self.attend_mixture(TestMixture(id="", snr_db=0.0, noisy=samples, clean=samples, metadata={}), text)

    def attend_mixture(self, mixture: TestMixture, text: str) -> AttentionMap:
        """The alignment of a transcript with a mixture.

        A shift that is drawn is drawn once, always the same. Raises: TextError for a text without tokens, StoreError
        where the teacher is a store that does not know the text.
        """
        frames = self.source.frames(mixture)
        vectors = self.teacher.embed([text])[0].float()
        with torch.no_grad():
            aligned = self.alignment(
                Frames(frames[None], torch.ones(1, len(frames), dtype=torch.bool), self.source.seconds_per_frame),
                Tokens(vectors[None], torch.ones(1, len(vectors), dtype=torch.bool)),
                torch.Generator().manual_seed(0),
            )
        return AttentionMap(aligned.matrix[0].double().numpy(), _spelled(self.teacher, text, len(vectors)))


def _spelled(teacher: Teacher, text: str, count: int) -> tuple[str, ...]:
    """The tokens of a teacher that can show them, characters for one of these, numbers for any other."""
    real = real_teacher(teacher)
    spelled: tuple[str, ...] = ()
    if isinstance(real, Tokenising):
        spelled = tuple(real.tokens(text))
    elif isinstance(real, CharacterTeacher):
        spelled = tuple(spoken_characters(text))
    return spelled if len(spelled) == count else tuple(map(str, range(1, count + 1)))
