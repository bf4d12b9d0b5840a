"""Audio inside a page: lossless FLAC of 16 bits as a data URI, which every browser plays. Shape: audio (T,)."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import soundfile

if TYPE_CHECKING:
    from cmkt.types import FloatArray

FULL_SCALE: Final = 32767 / 32768
BYTES_PER_SAMPLE: Final = 2.7
"""In a page, at most: 16 bits in base64, where FLAC saves nothing. Speech in noise takes half to two thirds of it."""


class Audio(NamedTuple):
    """A signal (T,) and its rate in Hz."""

    samples: FloatArray
    sample_rate: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.sample_rate

    def first(self, seconds: float) -> Audio:
        """Its beginning, no longer than that."""
        return Audio(self.samples[: max(1, round(seconds * self.sample_rate))], self.sample_rate)


def audio_uri(audio: Audio) -> str:
    """A data URI; samples beyond full scale are clipped."""
    file = io.BytesIO()
    clipped = np.clip(np.asarray(audio.samples, dtype=np.float64), -1.0, FULL_SCALE)
    soundfile.write(file, clipped, audio.sample_rate, format="FLAC", subtype="PCM_16")
    return "data:audio/flac;base64," + base64.b64encode(file.getvalue()).decode("ascii")
