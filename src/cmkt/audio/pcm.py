"""Raw samples without a header, as pipes carry them: interleaved, little-endian.

Shapes: C channels, n samples of a block, time last. Full scale is 1.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

import numpy as np

from cmkt.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cmkt.types import FloatArray

PcmFormat = Literal["s16le", "f32le"]

FORMATS: dict[PcmFormat, np.dtype[np.int16] | np.dtype[np.float32]] = {
    "s16le": np.dtype("<i2"),
    "f32le": np.dtype("<f4"),
}
"""16-bit integers and 32-bit floats, called as in ffmpeg."""

_FULL_SCALE = 32_768


@dataclass(slots=True)
@final
class PcmDecoder:
    """Bytes in pieces of any size in, blocks out. What is left of a sample waits for the next piece."""

    format: PcmFormat
    channels: int
    rest: bytes = b""

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ConfigError(f"`channels` must be at least 1, but is {self.channels}.")

    def decode(self, data: bytes) -> NDArray[np.float32]:
        """(C, n) float32, n >= 0."""
        dtype = FORMATS[self.format]
        data = self.rest + data
        samples = len(data) // (dtype.itemsize * self.channels)
        whole = samples * dtype.itemsize * self.channels
        self.rest = data[whole:]
        values = np.frombuffer(data[:whole], dtype=dtype).reshape(samples, self.channels).T
        block = np.ascontiguousarray(values, dtype=np.float32)
        return block / np.float32(_FULL_SCALE) if self.format == "s16le" else block


def encode_pcm(block: FloatArray, format: PcmFormat) -> bytes:
    """The bytes of `block` (C, n); integers are rounded to the nearest, and clip what is beyond full scale."""
    if format == "s16le":
        block = np.clip(np.rint(block * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
    return np.ascontiguousarray(block.T).astype(FORMATS[format]).tobytes()
