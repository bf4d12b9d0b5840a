"""Words through a recogniser: what it hears in noisy, enhanced and clean speech, against the transcript.

A recogniser is no listener, and a weak one saturates: where it misses most words of clean speech, as PocketSphinx does
of learners and children, its rate can neither fall with a better system nor rise much with noise.
`cmkt.evaluation.words` measures what such a one can tell. Shapes: audio is (T,).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self, final

from cmkt.errors import MetricUndefinedError
from cmkt.evaluation.heard import RememberingTranscriber
from cmkt.evaluation.score import Metrics
from cmkt.extras import import_extra
from cmkt.metrics.word_errors import CER, WER, WIL, ErrorCounts, count_errors
from cmkt.text.spoken import SPOKEN_VERSION, spoken_letters, spoken_units
from cmkt.text.transcriber import open_transcriber

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cmkt.evaluation.record import Score
    from cmkt.types import FloatArray, Transcriber

WORD_ERROR_METRICS: Final = (WER, CER, WIL)
NO_TRANSCRIPT: Final = "no transcript"
OTHER_LANGUAGE: Final = "a language that the recogniser does not know"


@final
@dataclass(frozen=True, slots=True)
class SpokenErrors:
    """The errors of some utterances, in words and in characters; they add up: `a + b`."""

    words: ErrorCounts = field(default_factory=ErrorCounts)
    letters: ErrorCounts = field(default_factory=ErrorCounts)
    utterances: int = 0

    @property
    def rates(self) -> dict[str, float]:
        """`wer`, `cer` and `wil` over all utterances together; empty where nothing was said."""
        if self.words.said == 0:
            return {}
        return {WER: self.words.rate, CER: self.letters.rate, WIL: self.words.information_lost}

    def __add__(self, other: Self) -> SpokenErrors:
        return SpokenErrors(self.words + other.words, self.letters + other.letters, self.utterances + other.utterances)


def spoken_errors(*, text: str, heard: str) -> SpokenErrors:
    """The errors of one utterance. Both are compared as `spoken_units` and `spoken_letters` make them out of texts.

    Raises: MetricUndefinedError where the text has no words; MissingExtraError where `jiwer` is not installed.
    """
    said = spoken_units(text)
    if not said:
        raise MetricUndefinedError(NO_TRANSCRIPT)
    return SpokenErrors(
        count_errors(said=said, heard=spoken_units(heard)),
        count_errors(said=spoken_letters(text), heard=spoken_letters(heard)),
        utterances=1,
    )


def corpus_rates(scores: Iterable[Score]) -> dict[str, SpokenErrors]:
    """The errors of each system over all its scores with a text and with what was heard, in the order of their coming.

    Rates of these are sums of errors by sums of words, as the field reports them; the mean over utterances gives a
    short sentence the weight of a long one. Give it the scores of one SNR for the rates of one.

    Raises: MissingExtraError where `jiwer` is not installed.
    """
    totals: dict[str, SpokenErrors] = {}
    for score in scores:
        if score.heard is not None and spoken_units(score.text or ""):
            errors = spoken_errors(text=score.text or "", heard=score.heard)
            totals[score.system] = totals.get(score.system, SpokenErrors()) + errors
    return totals


@final
class WordErrorTest:
    """Measures word errors of the utterances of a test set.

    transcripts: by id, None where there is none; languages: by id where they are stated, ("en", "en-GB"); transcriber:
    its spelling, see `cmkt.text.transcriber`, or itself; device: where it runs, if it is a network; cache_folder: where
    texts are kept, None where they are not.

    Raises: ConfigError, TranscriberError or MissingExtraError where the recogniser cannot be used.
    """

    def __init__(
        self,
        transcripts: Mapping[str, str | None],
        *,
        transcriber: str | Transcriber,
        languages: Mapping[str, str | None] | None = None,
        device: str = "cpu",
        cache_folder: Path | None = None,
    ) -> None:
        import_extra("jiwer", "eval")
        self._transcriber = RememberingTranscriber(open_transcriber(transcriber, device=device), cache_folder)
        self._transcripts = dict(transcripts)
        self._languages = dict(languages or {})
        self.identity = f"{self._transcriber.identity}, spelling {SPOKEN_VERSION}"

    def measure(self, name: str, audio: FloatArray, *, sample_rate: int) -> tuple[Metrics, str | None]:
        """`wer`, `cer` and `wil` of some audio of an utterance, or the reason why there are none, and what was heard.

        It listens without a transcript too. What was heard is None where the language is one that it does not know.

        Raises: AudioError where the audio is not (T,) and finite.
        """
        if not knows(self._transcriber, self._languages.get(name)):
            return Metrics({}, dict.fromkeys(WORD_ERROR_METRICS, f"{OTHER_LANGUAGE}: {self._languages[name]}")), None
        heard = self._transcriber.transcribe(audio, sample_rate=sample_rate).text
        try:
            errors = spoken_errors(text=self._transcripts.get(name) or "", heard=heard)
        except MetricUndefinedError as error:
            return Metrics({}, dict.fromkeys(WORD_ERROR_METRICS, str(error))), heard
        return Metrics(errors.rates, {}), heard


def word_errors_identity(transcriber: str, *, device: str = "cpu") -> str:
    """`WordErrorTest.identity` without a test: changes whenever what is measured on the same audio could.

    Raises: as `WordErrorTest`.
    """
    return WordErrorTest({}, transcriber=transcriber, device=device).identity


def knows(transcriber: Transcriber, language: str | None) -> bool:
    """Whether a recogniser may know a language, by its code ("en", "en-GB"); True where either says nothing."""
    stated = (language or "").lower().replace("_", "-").partition("-")[0]
    return transcriber.languages is None or not stated or stated in transcriber.languages
