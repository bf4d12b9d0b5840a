"""What an evaluation measures of each system on each mixture, and what a score that is there still lacks of it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final

from cmkt.errors import ConfigError
from cmkt.evaluation.opened import open_held_out, open_word_errors
from cmkt.evaluation.record import CLEAN
from cmkt.evaluation.score import check_installed
from cmkt.evaluation.sound import sound_identity
from cmkt.metrics.identification import IDENTIFIED, MARGIN
from cmkt.metrics.registry import DEFAULT_METRICS, METRICS, choose_metrics
from cmkt.metrics.word_errors import CER, WER, WIL

if TYPE_CHECKING:
    from cmkt.evaluation.record import Item, Score
    from cmkt.evaluation.settings import Settings
    from cmkt.evaluation.systems import System

IDENTIFICATION: Final = (IDENTIFIED, MARGIN)
WORD_ERRORS: Final = (WER, CER, WIL)
METRIC_SETS: Final = MappingProxyType(
    {"usual": tuple(DEFAULT_METRICS), "dnsmos": tuple(name for name in METRICS if name.startswith("dnsmos_"))}
)
"""Sets of metrics by the word that stands for them."""


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """The settings with what they come to on their test set.

    data: fingerprint of the test set; blind: whether no mixture has a clean reference; metrics: of sound, by name, in
    the order of tables; sound, words, transcriber: how sound, the identification of sentences and word errors are
    measured, None where they are not.
    """

    settings: Settings
    data: str
    blind: bool
    metrics: tuple[str, ...]
    sound: str
    words: str | None = None
    transcriber: str | None = None

    @property
    def measures_words(self) -> bool:
        """Whether words are measured in any way, and so of clean speech too."""
        return self.words is not None or self.transcriber is not None

    def all_metrics(self, system: str) -> tuple[str, ...]:
        """The names of everything that is measured of a system: words alone of clean."""
        sound = () if system == CLEAN else self.metrics
        errors = () if self.transcriber is None else WORD_ERRORS
        return (*sound, *errors, *(() if self.words is None else IDENTIFICATION))

    def lacking_sound(self, system: str, known: Score | None) -> tuple[str, ...]:
        """The metrics of sound that a score does not have, or has by an older measure; all where there is no score."""
        if system == CLEAN:
            return ()
        if known is None or known.sound != self.sound:
            return self.metrics
        return tuple(name for name in self.metrics if name not in known.metrics and name not in known.missing)

    def lacks_words(self, known: Score | None) -> bool:
        """Whether a score lacks the identification of sentences, as it is measured now."""
        return self.words is not None and (known is None or known.words != self.words)

    def lacks_word_errors(self, known: Score | None) -> bool:
        """Whether a score lacks word errors by the recogniser of now."""
        return self.transcriber is not None and (known is None or known.transcriber != self.transcriber)

    def lacks_anything(self, system: str, known: Score | None) -> bool:
        """Whether there is anything to measure."""
        return (
            known is None
            or bool(self.lacking_sound(system, known))
            or self.lacks_words(known)
            or self.lacks_word_errors(known)
        )


@final
@dataclass(frozen=True, slots=True)
class Task:
    """One system on the mixture at `index` of the test set, and what was measured of it before."""

    index: int
    item: Item
    system: System
    known: Score | None = None


def make_plan(settings: Settings) -> Plan:
    """The plan of some settings, once their test set is open.

    Raises: ConfigError where metrics are unknown, need a reference where no mixture has one, or nothing is measured;
    DataError where the data cannot be used; MissingExtraError where a package is not installed.
    """
    held_out = open_held_out(settings)
    blind = not any(held_out.has_reference(index) for index in range(len(held_out.items)))
    metrics = _blind_metrics(settings.metrics) if blind else _metrics(settings.metrics)
    if not metrics and settings.candidates is None and settings.transcriber is None:
        raise ConfigError("`metrics` must name at least one metric where words are not measured, but names none.")
    check_installed(choose_metrics(metrics))
    return Plan(
        settings, held_out.fingerprint(), blind, metrics, sound_identity(), _words(settings), _transcriber(settings)
    )


def _metrics(wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(DEFAULT_METRICS if wanted is None else choose_metrics(_spelt_out(wanted)))


def _spelt_out(wanted: tuple[str, ...]) -> list[str]:
    """The names of metrics, with those of a set in place of the set."""
    return [name for spelling in wanted for name in METRIC_SETS.get(spelling, (spelling,))]


def _blind_metrics(wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """Where there is no reference."""
    possible = tuple(name for name, metric in METRICS.items() if not metric.needs_reference)
    if wanted is None:
        return possible
    chosen = tuple(choose_metrics(_spelt_out(wanted)))
    if impossible := [name for name in chosen if name not in possible]:
        raise ConfigError(
            f"`metrics` must need no clean reference, as no recording has one, but {', '.join(impossible)} do. "
            f"Choose among {', '.join(possible)}."
        )
    return chosen


def _words(settings: Settings) -> str | None:
    if settings.candidates is None:
        return None
    from cmkt.evaluation.words import words_identity

    return words_identity(settings.candidates)


def _transcriber(settings: Settings) -> str | None:
    test = open_word_errors(settings)
    return None if test is None else test.identity
