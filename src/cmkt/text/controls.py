"""Controls: teachers that a real one must beat before a gain may be called language.

`ShuffledTeacher` keeps the language model and takes away what was said: another utterance's transcript. `RandomTeacher`
keeps what was said and takes away the language model: a random vector for each token. A gain that survives both is
regularisation.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, final

import torch
from torch import Tensor

from cmkt.errors import ConfigError
from cmkt.text.centred import CentredTeacher
from cmkt.text.normalisation import tidy
from cmkt.text.teacher import Tokenising, resolve_teacher
from cmkt.text.wrapped import WrappedTeacher
from cmkt.types import Teacher

Control = Literal["shuffled", "random"]

LENGTH_TOLERANCE = 0.1
FEWEST_TEXTS = 2


@final
class ShuffledTeacher(WrappedTeacher):
    """The teacher's vectors of another utterance's transcript, of similar length and never the same words.

    teacher: as of `cmkt.attach`. texts: the transcripts to choose from, such as those of the training data; without
    any, `fill` must give them before the first `embed` (`cmkt fit` does). seed: of the choice, which depends on it, the
    text and the choice there is alone, so that an utterance has the same wrong text in every epoch, as it had the same
    right one. Lengths differ by at most 10% in characters, where the texts allow it.

    Raises: what `resolve_teacher` raises; ConfigError for texts that are all alike.
    """

    def __init__(
        self, teacher: str | os.PathLike[str] | Teacher, texts: Iterable[str | None] = (), *, seed: int = 0
    ) -> None:
        super().__init__(teacher)
        self.seed = seed
        self._lengths: list[int] = []
        self._texts: list[str] = []
        self._places: dict[str, int] = {}
        given = list(texts)
        if given:
            self.fill(given)

    @property
    def one_hot(self) -> bool:
        """Whether the teacher is one of characters."""
        return getattr(self.teacher, "one_hot", False)

    @property
    def filled(self) -> bool:
        """Whether there are transcripts to choose from."""
        return bool(self._texts)

    @property
    def identity(self) -> str:
        """That of the teacher, with the seed and a digest of the transcripts to choose from."""
        pool = hashlib.blake2b("\n".join(self._texts).encode(), digest_size=4).hexdigest()
        return f"shuffled-{self.seed}-{pool}-{self.teacher.identity}"

    def fill(self, texts: Iterable[str | None]) -> None:
        """Sets the transcripts to choose from.

        Raises: ConfigError unless two of them differ in more than case and white space.
        """
        different = {_words(text): tidy(text) for text in texts if text is not None and text.strip()}
        if len(different) < FEWEST_TEXTS:
            raise ConfigError(
                f"`texts` must hold {FEWEST_TEXTS} different transcripts to shuffle, but holds {len(different)}."
            )
        keys = sorted(different, key=lambda words: (len(words), words))
        self._places = {words: place for place, words in enumerate(keys)}
        self._lengths = [len(words) for words in keys]
        self._texts = [different[words] for words in keys]

    def other_text(self, text: str) -> str:
        """The transcript that stands in for `text`.

        Raises: ConfigError when there are none to choose from.
        """
        if not self._texts:
            raise ConfigError(
                "`texts` must hold the transcripts to shuffle, but is empty. Pass those of the training data: "
                "ShuffledTeacher(teacher, texts=...)."
            )
        words = _words(text)
        low = bisect_left(self._lengths, len(words) * (1 - LENGTH_TOLERANCE))
        high = bisect_right(self._lengths, len(words) * (1 + LENGTH_TOLERANCE))
        own = self._places.get(words)
        others = high - low - (own is not None)
        if others < 1:
            return self._texts[self._nearest(len(words), own)]
        place = low + _number(self.seed, words) % others
        return self._texts[place + (own is not None and place >= own)]

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """The vectors of the other text of each. Raises what the teacher raises; ConfigError as `other_text`."""
        return self.teacher.embed([self.other_text(text) for text in texts])

    def _nearest(self, length: int, own: int | None) -> int:
        after = bisect_left(self._lengths, length) if own is None else own + 1
        before = after - 1 if own is None else own - 1
        places = [place for place in (before, after) if 0 <= place < len(self._lengths)]
        return min(places, key=lambda place: abs(self._lengths[place] - length))


@final
class RandomTeacher:
    """A fixed random direction for each token of the vocabulary: as many tokens and the width of the teacher, whose
    tokenizer is used and whose model is not.

    teacher: a language model, as of `cmkt.attach`; not a store, which does not know which tokens its vectors are of.
    seed: of the vectors, which depend on it and the token's spelling alone. They share no direction: always predicting
    the mean costs 1, more than it does with most language models.

    Raises: what `resolve_teacher` raises; ConfigError for a teacher that cannot show its tokens.
    """

    causal = True

    def __init__(self, teacher: str | os.PathLike[str] | Teacher, *, seed: int = 0) -> None:
        resolved = resolve_teacher(teacher)
        if not isinstance(resolved, Tokenising):
            raise ConfigError(
                "`teacher` must show the tokens of a text for random vectors, but a "
                f"{type(resolved).__name__} does not. Name the language model itself ('embedded', a folder or a name): "
                "only its tokenizer runs, so that no store is needed."
            )
        self.teacher: Teacher = resolved
        self.seed = seed
        self._tokenising = resolved
        self._vectors: dict[str, Tensor] = {}

    @property
    def width(self) -> int:
        """D, that of the teacher."""
        return self.teacher.width

    @property
    def identity(self) -> str:
        """That of the teacher, with the seed."""
        return f"random-{self.seed}-{self.teacher.identity}"

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """One (N_i, D) float32 tensor on the CPU for each text. Raises TextError as the teacher does."""
        return [torch.stack([self._vector(token) for token in self._tokenising.tokens(text)]) for text in texts]

    def _vector(self, token: str) -> Tensor:
        if token not in self._vectors:
            generator = torch.Generator().manual_seed(_number(self.seed, token))
            self._vectors[token] = torch.randn(self.width, generator=generator)
        return self._vectors[token]


def controlled(
    teacher: str | os.PathLike[str] | Teacher, control: Control | None, *, seed: int, subtract_mean: bool = False
) -> Teacher:
    """The teacher, without its mean direction where that is asked for, or the control of that name around it.

    Raises: ConfigError for another name, and what the control raises.
    """
    if subtract_mean and control == "random":
        raise ConfigError("`subtract_mean` must be left out for random vectors: they share no direction.")
    teacher = CentredTeacher(teacher) if subtract_mean else resolve_teacher(teacher)
    if control is None:
        return teacher
    if control == "shuffled":
        return ShuffledTeacher(teacher, seed=seed)
    if control == "random":
        return RandomTeacher(teacher, seed=seed)
    raise ConfigError(f"`control` must be 'shuffled', 'random' or null, but is {control!r} instead.")


def real_teacher(teacher: Teacher) -> Teacher:
    """The language model or store inside a control and a subtraction of the mean, or the teacher itself."""
    while isinstance(teacher, ShuffledTeacher | RandomTeacher | CentredTeacher):
        teacher = teacher.teacher
    return teacher


def _words(text: str) -> str:
    return tidy(text).casefold()


def _number(seed: int, text: str) -> int:
    digest = hashlib.blake2b(f"{seed}:{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1  # fits a generator's signed seed
