"""How to evaluate: on what, how much of it, and what to measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from cmkt.errors import ConfigError
from cmkt.evaluation.record import SCORES

if TYPE_CHECKING:
    from cmkt.evaluation.held_out import Source


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """What to evaluate on, how and where to.

    source: the test set; output: the folder of results; seed: of mixtures, of the choice of utterances and of the
    sentences that compete; sample_rate: that of everything in Hz, None for that of the files, or 16 kHz where mixtures
    are made on the fly; limit: that many utterances, chosen by the hash of their ids, so that a smaller set is part of
    a larger one; save_audio: that many utterances, spread over the set, leave their audio in the output.
    metrics: names of metrics of sound, or of sets of them (`usual`, `dnsmos`), None for the usual ones; candidates: how
    many other sentences compete with the true one where sentences are identified, None where they are not; transcriber:
    the spelling of the recogniser whose word errors are counted (see `cmkt.text.transcriber`), None where they are not,
    and where it runs. cache: the folder where everything that was measured is kept by content, None for nowhere.
    """

    source: Source
    output: Path
    seed: int = 0
    sample_rate: int | None = None
    limit: int | None = None
    save_audio: int = 0
    metrics: tuple[str, ...] | None = None
    candidates: int | None = None
    transcriber: str | None = None
    transcriber_device: str = "cpu"
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"`limit` must be 1 or more utterances, but is {self.limit}.")
        if self.sample_rate is not None and self.sample_rate < 1:
            raise ConfigError(f"`sample_rate` must be positive, in Hz, but is {self.sample_rate}.")
        if self.save_audio < 0:
            raise ConfigError(f"`save_audio` must be 0 or more utterances, but is {self.save_audio}.")
        if self.candidates is not None and self.candidates < 1:
            raise ConfigError(f"`candidates` must be 1 or more sentences, but is {self.candidates}.")

    @property
    def scores_path(self) -> Path:
        """The file of scores, one JSON line each."""
        return self.output / SCORES
