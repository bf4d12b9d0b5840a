"""How well audio fits given sentences: forced alignment by PocketSphinx, offline, with its English model.

Found when it was tried (5.1.1), on speech of the corpus:
- A candidate's scores are relative to the best of the senones that are active, which are only its own. They can be
  compared between candidates only where all are computed (`compallsen`): the margin of an utterance at 0 dB was -28
  nats a word without it and +30 with it.
- With the beams that suit recognition most wrong sentences die on the way and the true one sometimes too; without any
  beam (0) every sentence that fits into the time is aligned, at no cost in time.
- `bestpath` may leave words out of the sentence that it was told to align, so it is off.
- The front end carries something of one utterance into the next (13 nats in 1,520) unless `reinit_feat` is called.
- The best of several sentences in one grammar has exactly the likelihood that it has alone under `set_align_text`
  (a test holds this), so that ten candidates cost one pass instead of ten.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, final

import numpy as np

from cmkt.errors import ConfigError, MetricUndefinedError
from cmkt.extras import import_extra
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cmkt.types import FloatArray

SAMPLE_RATE: Final = 16_000
PEAK: Final = 0.5
"""Audio is scaled to this peak: the features do not hear level, but 16 bits would lose what is very soft."""
SHORTEST_SECONDS: Final = 0.1
NATS: Final = 1024.0
"""Scores are kept in steps of 1,024 (10 bits are shifted out), so their logarithm is multiplied by that."""
_GRAMMAR: Final = "sentences"
_PRONUNCIATION: Final = re.compile(r"\(\d+\)$")


@final
@dataclass(frozen=True, slots=True)
class Fit:
    """The sentence that fits best and the log-likelihood of the audio along it, in nats."""

    sentence: str
    log_likelihood: float


@final
class PocketsphinxAligner:
    """Forced alignment under PocketSphinx' own English model. A decoder holds state: one for each process."""

    def __init__(self) -> None:
        """Raises: MissingExtraError when pocketsphinx is not installed."""
        pocketsphinx = import_extra("pocketsphinx", "asr")
        self._decoder = pocketsphinx.Decoder(
            pocketsphinx.Config(
                lm=None,
                loglevel="FATAL",
                compallsen=True,
                bestpath=False,
                beam=0.0,
                wbeam=0.0,
                pbeam=0.0,
                lw=1.0,
                wip=1.0,
                pip=1.0,
            )
        )

    @property
    def identity(self) -> str:
        """Changes whenever a likelihood could."""
        return aligner_identity()

    def unknown(self, words: Sequence[str]) -> list[str]:
        """The words that the dictionary does not have, each once, in order."""
        return [word for word in dict.fromkeys(words) if self._decoder.lookup_word(word) is None]

    def phones(self, words: Sequence[str]) -> int:
        """How many phones the words have, in their first pronunciation. All must be known."""
        return sum(len(self._decoder.lookup_word(word).split()) for word in words)

    def best(self, audio: FloatArray, *, sample_rate: int, sentences: Sequence[str]) -> Fit | None:
        """The best of some sentences for audio (T,); None where none can be aligned, as in silence or too short audio.

        sentences: words of the dictionary, separated by spaces.

        Raises:
            ConfigError: there is no sentence, or one is empty.
            MetricUndefinedError: PocketSphinx refuses, as it does an unknown word.
        """
        if not sentences or not all(sentence.split() for sentence in sentences):
            raise ConfigError(f"`sentences` must be one or more, none of them empty, but is {list(sentences)!r}.")
        samples = sixteen_bits(audio, sample_rate=sample_rate)
        if len(samples) < SHORTEST_SECONDS * SAMPLE_RATE or not samples.any():
            return None
        try:
            return self._search(samples.tobytes(), sentences)
        except RuntimeError as error:
            raise MetricUndefinedError(f"PocketSphinx cannot align: {error}") from error

    def _search(self, samples: bytes, sentences: Sequence[str]) -> Fit | None:
        decoder = self._decoder
        decoder.add_fsg(_GRAMMAR, decoder.create_fsg(_GRAMMAR, 0, 1, list(_transitions(sentences))))
        decoder.activate_search(_GRAMMAR)
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(samples, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        if found is None or found.score <= 0:
            return None
        sentence = " ".join(_PRONUNCIATION.sub("", word) for word in found.hypstr.split())
        return Fit(sentence, math.log(found.score) * NATS)


def aligner_identity() -> str:
    """The version of PocketSphinx and of how it is used here, without starting it."""
    import_extra("pocketsphinx", "asr")
    return f"pocketsphinx {version('pocketsphinx')} en-us alignment 1"


def sixteen_bits(audio: FloatArray, *, sample_rate: int) -> np.ndarray:
    """The audio (T,) as the recogniser hears it: little-endian int16 at 16 kHz, its peak at 0.5 of full scale."""
    heard = resample(np.asarray(audio, dtype=np.float32), sample_rate, SAMPLE_RATE).astype(np.float64)
    peak = float(np.abs(heard).max()) if heard.size else 0.0
    if peak > 0:
        heard = heard * (PEAK / peak)
    return np.round(heard * 32767).astype("<i2")


def _transitions(sentences: Sequence[str]) -> Iterator[tuple[int, int, float, str]]:
    """A grammar of parallel chains of words from state 0 to state 1, all of weight 1."""
    fresh = 2
    for sentence in sentences:
        words, state = sentence.split(), 0
        for place, word in enumerate(words):
            last = place == len(words) - 1
            target = 1 if last else fresh
            fresh += not last
            yield state, target, 1.0, word
            state = target
