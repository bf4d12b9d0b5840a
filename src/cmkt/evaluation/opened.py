"""What an evaluation reads, opened once in each process: the test set, its mixtures, and what tests words."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cmkt.evaluation.cache import ResultCache
from cmkt.evaluation.enhanced_folder import forget_files
from cmkt.evaluation.evaluated_model import open_enhancer

if TYPE_CHECKING:
    from cmkt.evaluation.held_out import HeldOut, HeldOutMixture
    from cmkt.evaluation.settings import Settings
    from cmkt.evaluation.word_errors import WordErrorTest
    from cmkt.evaluation.words import SentenceTest


@lru_cache(maxsize=1)
def open_held_out(settings: Settings) -> HeldOut:
    """The test set of some settings. Raises as `Source.open`."""
    return settings.source.open(seed=settings.seed, limit=settings.limit, sample_rate=settings.sample_rate)


@lru_cache(maxsize=1)
def open_mixture(settings: Settings, index: int) -> HeldOutMixture:
    """A mixture of the test set. Raises as `HeldOut.mixture`."""
    return open_held_out(settings).mixture(index)


@lru_cache(maxsize=1)
def open_sentences(settings: Settings) -> SentenceTest | None:
    """The identification of sentences; None where words are not measured.

    Raises: DataError where there are too few transcripts; MissingExtraError where pocketsphinx is not installed.
    """
    if settings.candidates is None:
        return None
    from cmkt.evaluation.words import SentenceTest

    return SentenceTest(
        {name: said.english for name, said in open_held_out(settings).transcripts.items()},
        candidates=settings.candidates,
        seed=settings.seed,
        cache_folder=settings.cache,
    )


@lru_cache(maxsize=1)
def open_word_errors(settings: Settings) -> WordErrorTest | None:
    """The recogniser with what was said; None where word errors are not measured.

    Raises: ConfigError, TranscriberError or MissingExtraError where the recogniser cannot be used.
    """
    if settings.transcriber is None:
        return None
    from cmkt.evaluation.word_errors import WordErrorTest

    said = open_held_out(settings).transcripts
    return WordErrorTest(
        {name: each.text for name, each in said.items()},
        transcriber=settings.transcriber,
        languages={name: each.language for name, each in said.items()},
        device=settings.transcriber_device,
        cache_folder=settings.cache,
    )


def open_cache(settings: Settings) -> ResultCache:
    """What was measured before."""
    return ResultCache(settings.cache)


def forget_all() -> None:
    """Frees everything that is open in this process."""
    for opened in (open_held_out, open_mixture, open_sentences, open_word_errors, open_enhancer):
        opened.cache_clear()
    forget_files()
