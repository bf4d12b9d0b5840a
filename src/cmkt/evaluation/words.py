"""Words: closed-set sentence identification on the utterances of a test set, see `cmkt.metrics.identification`.

The true transcript of an utterance competes with others of the same data, which depend on (seed, utterance id) only.
Shapes: audio is (T,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from cmkt.data.draw import generator
from cmkt.errors import ConfigError, DataError, MetricUndefinedError
from cmkt.evaluation.cache import ResultCache, content_key
from cmkt.evaluation.score import Metrics
from cmkt.metrics.identification import IDENTIFIED, MARGIN, chance, identify
from cmkt.text.candidates import draw_candidates
from cmkt.text.pocketsphinx import PocketsphinxAligner, aligner_identity, sixteen_bits
from cmkt.text.spoken import spoken_words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cmkt.types import FloatArray

WORD_METRICS: Final = (IDENTIFIED, MARGIN)
UNKNOWN_WORDS: Final = "words outside the dictionary"
NO_TRANSCRIPT: Final = "no English transcript"
NO_OTHERS: Final = "no other transcript to compete with"
NOT_ALIGNED: Final = "the true sentence, or every other, cannot be aligned"


def words_identity(candidates: int) -> str:
    """Changes whenever what is measured on the same audio and data could.

    Raises: ConfigError where `candidates` is below 1; MissingExtraError where pocketsphinx is not installed.
    """
    if candidates < 1:
        raise ConfigError(f"`candidates` must be at least 1, but is {candidates}.")
    return f"{aligner_identity()}, {candidates} others"


@final
class SentenceTest:
    """Identifies the sentences of a data folder among others of it.

    transcripts: of every utterance by id, None where there is none; candidates: how many others compete;
    cache_folder: where likelihoods are kept, None where they are not.

    Raises: DataError where no utterance can be used.
    """

    def __init__(
        self, transcripts: Mapping[str, str | None], *, candidates: int, seed: int, cache_folder: Path | None
    ) -> None:
        self.identity = words_identity(candidates)
        self._candidates = candidates
        self._seed = seed
        self._cache = ResultCache(cache_folder)
        self._aligner = PocketsphinxAligner()
        self._words = {name: spoken_words(text or "") for name, text in transcripts.items()}
        self._lengths = {
            " ".join(words): self._aligner.phones(words)
            for words in self._words.values()
            if words and not self._aligner.unknown(words)
        }
        if len(self._lengths) < 2:
            raise DataError(
                "Words are measured on two different English transcripts or more, all of whose words PocketSphinx "
                f"knows, but the data have {len(self._lengths)} of these among {len(transcripts)} utterances. "
                "Leave out --words, or prepare the data with transcripts."
            )

    def sentences(self, name: str) -> tuple[str, list[str]]:
        """The true sentence of an utterance and those that compete with it.

        Raises: MetricUndefinedError with the reason why this utterance is left out.
        """
        words = self._words.get(name, ())
        if not words:
            raise MetricUndefinedError(NO_TRANSCRIPT)
        if unknown := self._aligner.unknown(words):
            raise MetricUndefinedError(f"{UNKNOWN_WORDS}: {', '.join(unknown)}")
        true, rng = " ".join(words), generator(self._seed, 0, f"words {name}")
        others = draw_candidates(true, self._lengths, count=self._candidates, rng=rng)
        if not others:
            raise MetricUndefinedError(NO_OTHERS)
        return true, others

    def chance(self, name: str) -> float | None:
        """The rate of guessing for an utterance; None where it is left out."""
        try:
            return chance(len(self.sentences(name)[1]))
        except MetricUndefinedError:
            return None

    def measure(self, name: str, audio: FloatArray, *, sample_rate: int) -> Metrics:
        """`identified` and `word_margin` of some audio of an utterance, or the reason why there is none."""
        try:
            true, others = self.sentences(name)
            likelihoods = self._likelihoods(audio, sample_rate, true, others)
        except MetricUndefinedError as error:
            return Metrics({}, dict.fromkeys(WORD_METRICS, str(error)))
        outcome = identify(*likelihoods, words=len(true.split()))
        if outcome.margin is None:
            return Metrics({IDENTIFIED: float(outcome.identified)}, {MARGIN: NOT_ALIGNED})
        return Metrics({IDENTIFIED: float(outcome.identified), MARGIN: outcome.margin}, {})

    def _likelihoods(
        self, audio: FloatArray, sample_rate: int, true: str, others: list[str]
    ) -> tuple[float | None, float | None]:
        heard = sixteen_bits(audio, sample_rate=sample_rate).tobytes()
        key = content_key(self._aligner.identity.encode(), heard, *(each.encode() for each in (true, *others)))
        kept = self._cache.get(key)
        if isinstance(kept, list) and len(kept) == 2 and all(each is None or isinstance(each, float) for each in kept):
            return kept[0], kept[1]
        fits = [
            self._aligner.best(audio, sample_rate=sample_rate, sentences=sentences) for sentences in ([true], others)
        ]
        found = [None if fit is None else fit.log_likelihood for fit in fits]
        self._cache.put(key, found)
        return found[0], found[1]
