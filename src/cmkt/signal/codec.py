"""What is left of a signal after a lossy codec: there and back in memory, in time with the signal.

All codecs are those of libsndfile. On real speech the cross-correlation of what goes in and what comes out peaks within
0.2 samples of no delay: where a codec has a delay, the decoder takes it off. MP3 at a constant low bit rate (1105
samples) and wide-band Opus below 10 kbit/s (up to 0.8 samples early) are left out.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import soundfile

from cmkt.errors import AudioError
from cmkt.signal.mono import check_mono
from cmkt.signal.resample import resample

if TYPE_CHECKING:
    from cmkt.types import FloatArray

BLOCK_SAMPLES = 8192
"""libsndfile crashes when a minute of Vorbis is written at once."""


@final
@dataclass(frozen=True, slots=True)
class Codec:
    """A codec of libsndfile: container and subtype as soundfile names them.

    sample_rates: in Hz, ascending, at which it works; signals are coded at the first that is not below theirs, or at
    the last. compression: soundfile's `compression_level` at the (worst, best) quality; None where nothing can be set.
    bitrate_mode: as soundfile has it, None where the codec has but one.
    """

    name: str
    container: str
    subtype: str
    sample_rates: tuple[int, ...]
    compression: tuple[float, float] | None = None
    bitrate_mode: str | None = None


_TELEPHONE = (8_000,)
_ANY = (8_000, 16_000, 24_000, 48_000)

CODECS = (
    Codec("opus", "OGG", "OPUS", _ANY, (0.985, 0.94)),
    Codec("opus-narrow", "OGG", "OPUS", _TELEPHONE, (0.99, 0.97)),
    Codec("mp3", "MP3", "MPEG_LAYER_III", _ANY, (0.99, 0.5), "VARIABLE"),
    Codec("vorbis", "OGG", "VORBIS", _ANY, (1.0, 0.6)),
    Codec("mu-law", "WAV", "ULAW", _TELEPHONE),
    Codec("a-law", "WAV", "ALAW", _TELEPHONE),
    Codec("gsm", "RAW", "GSM610", _TELEPHONE),
    Codec("adpcm", "WAV", "IMA_ADPCM", _TELEPHONE),
)
"""At 16 kHz: Opus at 12 to 23 kbit/s, and at 10 to 15 as on a telephone; MP3 at 21 to 37 and Vorbis at 34 to 48 kbit/s;
G.711 (64), GSM full rate (13) and IMA ADPCM (32 kbit/s) through the band of a telephone."""


def through_codec(x: FloatArray, codec: Codec, sample_rate: int, *, quality: float = 0.5) -> FloatArray:
    """`x` (T,) coded and decoded, (T,) in its dtype, in time with it. quality: 0 is the codec's worst, 1 its best.

    Samples beyond full scale (1.0) are cut off on the way in.

    Raises:
        AudioError: this libsndfile lacks the codec, `quality` is not in [0, 1], or `x` is empty, not (T,), float and
            finite.
    """
    check_mono(x, "x")
    if not 0.0 <= quality <= 1.0:
        raise AudioError(f"`quality` must be in [0, 1], but is {quality:g} instead.")
    if not soundfile.check_format(codec.container, codec.subtype):
        raise AudioError(
            f"`codec` must be one that this libsndfile ({soundfile.__libsndfile_version__}) has, but is {codec.name} "
            "instead. Install soundfile from PyPI, which brings all."
        )
    rate = next((each for each in codec.sample_rates if each >= sample_rate), codec.sample_rates[-1])
    narrow = np.clip(resample(x, sample_rate, rate), -1.0, 1.0).astype(np.float32)
    back = resample(_there_and_back(narrow, codec, rate, quality), rate, sample_rate)[: x.size]
    # Codecs that work in blocks give a little more; one sample can be lost between the rates.
    return np.pad(back, (0, x.size - back.size)).astype(x.dtype)


def _there_and_back(x: FloatArray, codec: Codec, sample_rate: int, quality: float) -> FloatArray:
    stored = io.BytesIO()
    with soundfile.SoundFile(
        stored,
        "w",
        sample_rate,
        1,
        codec.subtype,
        format=codec.container,
        bitrate_mode=codec.bitrate_mode,
        compression_level=_compression(codec, quality),
    ) as file:
        for start in range(0, x.size, BLOCK_SAMPLES):
            file.write(x[start : start + BLOCK_SAMPLES])
    stored.seek(0)
    bare = {"samplerate": sample_rate, "channels": 1, "subtype": codec.subtype, "format": "RAW"}
    decoded: FloatArray
    decoded, _ = soundfile.read(stored, dtype="float32", **(bare if codec.container == "RAW" else {}))
    return decoded


def _compression(codec: Codec, quality: float) -> float | None:
    if codec.compression is None:
        return None
    worst, best = codec.compression
    return worst + (best - worst) * quality
