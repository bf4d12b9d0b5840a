"""Words heard by PocketSphinx with its own English language model: offline, without a network or a download.

It is an old and weak recogniser (Huggins-Daines et al. 2006). It needs clean, near, native speech; of anything else it
misses most words, so that its error rate stays near 1 and says little (docs/evaluation.md).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, final

from cmkt.extras import import_extra
from cmkt.text.audible import audible
from cmkt.text.pocketsphinx import SAMPLE_RATE, sixteen_bits
from cmkt.types import Heard

if TYPE_CHECKING:
    from cmkt.types import FloatArray

RECOGNITION_VERSION: Final = 1
"""Part of the identity: raise it whenever this file makes other text of the same audio."""


@final
class PocketsphinxTranscriber:
    """Recognition with all of PocketSphinx' own settings. A process has one decoder for all of these."""

    def __init__(self) -> None:
        """Raises: MissingExtraError when pocketsphinx is not installed."""
        import_extra("pocketsphinx", "asr")
        self._decoder = _decoder()

    @property
    def identity(self) -> str:
        """As `Transcriber.identity`."""
        return f"pocketsphinx {version('pocketsphinx')} en-us recognition {RECOGNITION_VERSION}"

    @property
    def languages(self) -> frozenset[str]:
        """English alone."""
        return frozenset({"en"})

    def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
        """What it hears in audio (T,), one utterance rather than an hour, as memory grows with its length.

        The confidence is the geometric mean over its words of the sentence's posterior probability in the lattice.

        Raises: AudioError where the audio is not (T,) and finite.
        """
        samples = audible(audio, sample_rate=sample_rate, at=SAMPLE_RATE)
        if samples is None:
            return Heard("")
        decoder = self._decoder
        decoder.reinit_feat()  # otherwise the front end carries something of the utterance before into this one
        decoder.start_utt()
        decoder.process_raw(sixteen_bits(samples, sample_rate=SAMPLE_RATE).tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        if found is None or not found.hypstr:
            return Heard("")
        return Heard(found.hypstr, min(1.0, found.prob) ** (1 / len(found.hypstr.split())))


@lru_cache(maxsize=1)
def _decoder() -> Any:
    """Loading the language model takes a second and 100 MB."""
    pocketsphinx = import_extra("pocketsphinx", "asr")
    return pocketsphinx.Decoder(pocketsphinx.Config(loglevel="FATAL"))
