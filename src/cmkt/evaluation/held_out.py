"""What systems are evaluated on: held-out mixtures, whoever made them.

A `Source` names a test set and can cross into other processes; opened, it is a `HeldOut`. Two kinds are ours: a
prepared folder that is mixed on the fly (`prepared_set`) and pairs of files (`pair_set`). Shapes: T samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, final

from cmkt.data.draw import share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cmkt.evaluation.record import Item


@final
@dataclass(frozen=True, slots=True)
class HeldOutMixture:
    """Noisy speech to enhance.

    noisy, clean: (T,) float32 at `sample_rate` in Hz, clean None where there is no reference. metadata: any fields of
    the data (text, speaker, language, noise_ids, noise_classes, ...), JSON values. names: what a file may be called,
    without its suffix, that holds some system's output on this mixture, one name for each rule of
    `cmkt.evaluation.enhanced_folder`.
    """

    item: Item
    noisy: NDArray[np.float32]
    clean: NDArray[np.float32] | None
    sample_rate: int
    metadata: Mapping[str, object] = field(default_factory=dict)
    names: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in an utterance, None where that is not known, and in which language, None where it is not said."""

    text: str | None
    language: str | None = None

    @property
    def english(self) -> str | None:
        """The text, unless another language is stated."""
        return self.text if self.language is None or self.language.lower().startswith("en") else None


class HeldOut(Protocol):
    """An open test set. Its mixtures can be asked for in any order."""

    @property
    def items(self) -> Sequence[Item]:
        """The identity of each mixture that is evaluated, in order, each once."""

    @property
    def transcripts(self) -> Mapping[str, Transcript]:
        """By id, of all utterances of the data and not only of those evaluated."""

    @property
    def sample_rates(self) -> frozenset[int]:
        """The rates in Hz of all mixtures."""

    @property
    def fields(self) -> frozenset[str]:
        """The names of `record.other_fields` of the metadata of all mixtures, known before any is made."""

    def has_reference(self, index: int) -> bool:
        """Whether mixture `index` has a clean reference."""

    def mixture(self, index: int) -> HeldOutMixture:
        """Mixture `index`.

        Raises: DataError where its audio is gone, damaged or cannot be used.
        """

    def fingerprint(self) -> str:
        """Hex digits by which scores are known to be of the same data, whatever items are chosen.

        How much of a change they see, and whether they see one where the data only moved, each kind says. It may read
        all of the data.
        """


class Source(Protocol):
    """Where a test set is. Hashable and picklable."""

    @property
    def title(self) -> str:
        """What it is and its conditions, for a heading: "`test` at SNR -5, 0 dB"."""

    def described(self) -> dict[str, object]:
        """Its kind, paths and conditions as JSON values."""

    def open(self, *, seed: int, limit: int | None, sample_rate: int | None) -> HeldOut:
        """The test set; `limit` takes that many utterances by `take_utterances`, `sample_rate` in Hz is that of all.

        Raises: DataError where the data cannot be used; ConfigError for a rate that cannot work.
        """


def take_utterances(ids: Sequence[str], limit: int | None, *, seed: int) -> set[str]:
    """`limit` of the utterances, or all, chosen by the hash of their ids: a smaller set is part of a larger one."""
    return set(sorted(set(ids), key=lambda name: (share(name, seed=seed), name))[:limit])
