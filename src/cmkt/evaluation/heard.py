"""What a recogniser heard before, by content: the same audio is never recognised twice by the same recogniser."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from cmkt.evaluation.cache import ResultCache, content_key
from cmkt.signal.mono import check_mono
from cmkt.types import Heard

if TYPE_CHECKING:
    from pathlib import Path

    from cmkt.types import FloatArray, Transcriber


@final
class RememberingTranscriber:
    """A transcriber that keeps every text in a folder; with None for a folder, nothing is kept."""

    def __init__(self, transcriber: Transcriber, folder: Path | None) -> None:
        self._transcriber = transcriber
        self._identity = transcriber.identity
        self._cache = ResultCache(folder)

    @property
    def identity(self) -> str:
        """That of the transcriber."""
        return self._identity

    @property
    def languages(self) -> frozenset[str] | None:
        """Those of the transcriber."""
        return self._transcriber.languages

    def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
        """What the transcriber hears in audio (T,), or heard in it before.

        Raises: AudioError where the audio is not (T,) and finite.
        """
        if audio.size or audio.ndim != 1:
            check_mono(audio, "audio")
        samples = np.ascontiguousarray(audio, dtype=np.float32)
        key = content_key(f"heard {self._identity} {sample_rate} {samples.shape}".encode(), samples.tobytes())
        match self._cache.get(key):
            case {"text": str(text), "confidence": None}:
                return Heard(text)
            case {"text": str(text), "confidence": float(confidence)}:
                return Heard(text, confidence)
        heard = self._transcriber.transcribe(samples, sample_rate=sample_rate)
        self._cache.put(key, {"text": heard.text, "confidence": heard.confidence})
        return heard
