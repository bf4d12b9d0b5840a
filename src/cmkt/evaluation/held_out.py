"""What an evaluation reads, opened once in each process: mixtures, models, and the sentences that may be said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, final

from cmkt.data.manifest import cut_text, load_prepared
from cmkt.data.testset import TestMixture, TestMixtures
from cmkt.errors import DataError
from cmkt.evaluation.cache import default_cache
from cmkt.evaluation.record import Item
from cmkt.evaluation.words import SentenceTest
from cmkt.inference.load import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lhotse import MonoCut

    from cmkt.evaluation.evaluate import Settings
    from cmkt.inference.enhancer import TorchEnhancer


@final
@dataclass(frozen=True, slots=True)
class HeldOut:
    """The mixtures that are evaluated and the identity of each.

    transcripts: by id, of all utterances of the data and not only of those evaluated; None where there is none, or the
    language is stated and is not English.
    """

    mixtures: TestMixtures
    items: tuple[Item, ...]
    transcripts: Mapping[str, str | None]


@lru_cache(maxsize=1)
def open_held_out(settings: Settings) -> HeldOut:
    """The test set of some settings.

    Raises: DataError where the data cannot be used or ids repeat.
    """
    prepared = load_prepared(settings.data)
    mixtures = TestMixtures(
        prepared,
        snrs_db=settings.snrs_db,
        sample_rate=settings.sample_rate,
        seed=settings.seed,
        limit=settings.limit,
    )
    ids = mixtures.ids
    if repeated := [name for name, count in Counter(ids).items() if count > 1]:
        raise DataError(f"Each utterance of {settings.data} must have its own id, but these repeat: {repeated[:5]}.")
    items = tuple(Item(name, snr_db) for name in ids for snr_db in settings.snrs_db)
    return HeldOut(mixtures, items, {cut.id: _english_text(cut) for cut in prepared.speech})


def _english_text(cut: MonoCut) -> str | None:
    stated = [each.language for each in cut.supervisions if each.language]
    return cut_text(cut) if all(language.lower().startswith("en") for language in stated) else None


@lru_cache(maxsize=1)
def open_sentences(settings: Settings) -> SentenceTest | None:
    """The test of words; None where words are not measured.

    Raises: DataError where there are too few transcripts; MissingExtraError where pocketsphinx is not installed.
    """
    if settings.candidates is None:
        return None
    return SentenceTest(
        open_held_out(settings).transcripts,
        candidates=settings.candidates,
        seed=settings.seed,
        cache_folder=settings.words_cache or default_cache(),
    )


@lru_cache(maxsize=1)
def open_mixture(settings: Settings, index: int) -> TestMixture:
    """A mixture of the test set."""
    return open_held_out(settings).mixtures[index]


@lru_cache(maxsize=16)
def open_enhancer(source: str, device: str, *, allow_foreign: bool) -> TorchEnhancer:
    """A model."""
    return load(source, device=device, allow_foreign=allow_foreign)


def forget_all() -> None:
    """Frees everything that is open in this process."""
    for opened in (open_held_out, open_sentences, open_mixture, open_enhancer):
        opened.cache_clear()
