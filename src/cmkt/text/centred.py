"""A teacher without the direction that all its vectors share, which makes L_CMA small without saying anything.

u_t = z_t / |z_t|,   m = mean of u over the tokens of many texts,   z'_t = u_t - m
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from typing import final

import torch
from torch import Tensor
from torch.nn import functional

from cmkt.errors import ConfigError
from cmkt.text.embedding import unique_texts
from cmkt.text.store import StoredTeacher
from cmkt.text.wrapped import WrappedTeacher
from cmkt.types import Teacher

MOST_TEXTS = 2000
"""So many texts settle a mean direction; those whose hash is smallest are taken, whatever their order."""


@final
class CentredTeacher(WrappedTeacher):
    """The teacher's vectors scaled to length one, minus their mean.

    teacher: as of `cmkt.attach`. texts: whose mean it is; of a store it is that of all that the store holds, and none
    are needed. mean: m itself, (D,), in place of texts. Without any, `fill` must give them before the first `embed`
    (`cmkt fit` and `cmkt probe` do).

    Raises: what `resolve_teacher` raises; ConfigError for texts without a token.
    """

    def __init__(
        self,
        teacher: str | os.PathLike[str] | Teacher,
        texts: Iterable[str | None] = (),
        *,
        mean: Tensor | None = None,
    ) -> None:
        super().__init__(teacher)
        self._mean = mean
        if mean is not None:
            return
        if isinstance(self.teacher, StoredTeacher):
            self._mean = self.teacher.mean_direction
        elif given := list(texts):
            self.fill(given)

    @property
    def filled(self) -> bool:
        """Whether there is a mean to subtract."""
        return self._mean is not None

    @property
    def mean(self) -> Tensor:
        """m, (D,) float32. Raises: ConfigError when there were no texts to take it of."""
        if self._mean is None:
            raise ConfigError(
                "`texts` must be given for the mean direction, but are not. Pass those of the training data: "
                "CentredTeacher(teacher, texts=...)."
            )
        return self._mean

    @property
    def identity(self) -> str:
        """That of the teacher, with a digest of the mean, 0 before there is one."""
        mean = self._mean
        digest = "0" if mean is None else hashlib.blake2b(mean.numpy().tobytes(), digest_size=4).hexdigest()
        return f"centred-{digest}-{self.teacher.identity}"

    def fill(self, texts: Iterable[str | None]) -> None:
        """Takes the mean over these texts, at most 2,000 of them."""
        chosen = sorted(unique_texts(texts), key=lambda text: hashlib.blake2b(text.encode(), digest_size=8).digest())
        vectors = self.teacher.embed(chosen[:MOST_TEXTS]) if chosen else []
        if not sum(len(each) for each in vectors):
            raise ConfigError("`texts` must hold words to take a mean direction of, but hold none.")
        self._mean = functional.normalize(torch.cat(vectors).double(), dim=-1).mean(dim=0).float()

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """One (N_i, D) float32 tensor on the CPU for each text.

        Raises: what the teacher raises; ConfigError as `mean`.
        """
        return [functional.normalize(each.float(), dim=-1) - self.mean for each in self.teacher.embed(texts)]


def centred(teacher: Teacher, texts: Iterable[str | None]) -> CentredTeacher:
    """The teacher without its mean direction, that of its store or of these texts."""
    made = CentredTeacher(teacher)
    if not made.filled:
        made.fill(texts)
    return made
