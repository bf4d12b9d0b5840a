"""What a report is asked to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from cmkt.errors import ConfigError


@final
@dataclass(frozen=True, slots=True)
class Options:
    """What a report holds.

    utterances: so many worst and so many best of each kind are heard, 0 for none; system: by what that system changed,
    None for the first; group_by: fields of the data that groups are made of beside the usual ones; arms, paired_seeds:
    as of `cmkt compare`; speed: measure real-time factors now; allow_foreign: as in `cmkt.load`.
    """

    title: str = "Speech enhancement report"
    utterances: int = 3
    system: str | None = None
    group_by: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    paired_seeds: bool = False
    speed: bool = False
    allow_foreign: bool = False

    def __post_init__(self) -> None:
        if self.utterances < 0:
            raise ConfigError(f"`utterances` must be 0 or more, but is {self.utterances}.")
        if self.paired_seeds and not self.arms:
            raise ConfigError("`--paired-seeds` must come with --arms, but does not. Name the runs of each arm.")
