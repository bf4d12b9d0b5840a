"""Audio files of which equal samples make equal bytes.

`cmkt.audio.write` is for listening: libsndfile scales float samples by 32767 when it writes 16 bits and divides by
32768 when it reads, and float WAV files carry the time of writing. Shapes: T samples, full scale 1.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from scipy.io import wavfile

from cmkt.audio.write import atomic_path
from cmkt.errors import AudioError, AudioFileError

if TYPE_CHECKING:
    from cmkt.types import FloatArray

HIGHEST_INT16 = 32767 / 32768
"""The highest sample that 16 bits hold; the lowest is -1."""


def write_int16(path: Path, audio: FloatArray, sample_rate: int) -> None:
    """Writes `audio` (T,) with 16 bits as the format of the suffix, .wav or .flac; it reads back within 2**-16.

    Raises:
        AudioError: a sample lies outside of [-1, 1), where 16 bits would clip it.
        AudioFileError: it cannot be written.
    """
    integers = np.rint(np.asarray(audio, dtype=np.float64) * 32768)
    if integers.size and (integers.max() > 32767 or integers.min() < -32768):
        raise AudioError(
            f"samples of {path.name} must lie within full scale for 16 bits, but reach {np.abs(audio).max():.3f}. "
            "Write floats."
        )
    with atomic_path(path) as temporary:
        try:
            soundfile.write(temporary, integers.astype(np.int16), sample_rate, subtype="PCM_16")
        except soundfile.SoundFileError as error:
            raise AudioFileError(f"'{path}' cannot be written: {error}") from error


def write_float32(path: Path, audio: FloatArray, sample_rate: int) -> None:
    """Writes `audio` (T,) as a WAV file of 32-bit floats, which holds the samples exactly."""
    with atomic_path(path) as temporary:
        wavfile.write(temporary, sample_rate, np.asarray(audio, dtype=np.float32))
