"""Another sample rate for a whole signal or for a stream of chunks; both give the same samples.

From T samples come floor(T * to_rate / from_rate + 1/2). The count of soxr can differ from this by a sample, so the end
is trimmed or padded with zeros. Shapes: C channels, time last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import soxr

from cmkt.errors import AudioError

if TYPE_CHECKING:
    from cmkt.types import FloatArray

QUALITY = "HQ"


def resampled_length(samples: int, from_rate: int, to_rate: int) -> int:
    """How many samples `resample` gives for `samples`: floor(samples * to_rate / from_rate + 1/2)."""
    return (2 * samples * to_rate + from_rate) // (2 * from_rate)


def resample(x: FloatArray, from_rate: int, to_rate: int) -> FloatArray:
    """`x` (..., T) at another rate: (..., floor(T * to_rate / from_rate + 1/2)), without delay, in the dtype of `x`.

    Equal rates give `x` itself. float16 comes back as float32.

    Raises:
        AudioError: a rate is not positive, or `x` is not float.
    """
    _check_rates(from_rate, to_rate)
    if not np.issubdtype(x.dtype, np.floating):
        raise AudioError(f"`x` must be float with full scale 1.0, but is {x.dtype} instead. Convert it first.")
    if from_rate == to_rate:
        return x
    total = resampled_length(x.shape[-1], from_rate, to_rate)
    if x.size == 0:
        return np.zeros((*x.shape[:-1], total), dtype=x.dtype)
    dtype = np.float64 if x.dtype == np.float64 else np.float32
    columns = np.ascontiguousarray(x.reshape(-1, x.shape[-1]).T, dtype=dtype)
    resampled: FloatArray = soxr.resample(columns, from_rate, to_rate, QUALITY).T
    return np.ascontiguousarray(_fit(resampled, total)).reshape(*x.shape[:-1], total)


@final
class StreamResampler:
    """`resample` for a signal that arrives in chunks, in float32.

    What all `feed` and the `flush` give, put together, equals `resample` of all that was fed. After `flush` the
    resampler is new and takes the next signal. Some time is always withheld, at most 37 ms between 16 and 48 kHz, 58 ms
    between 16 and 44.1 kHz, 80 ms from 96 kHz, and 116 ms between 8 and 16 kHz.
    """

    def __init__(self, from_rate: int, to_rate: int, channels: int) -> None:
        """Rates in Hz, and C, the channels of every chunk."""
        _check_rates(from_rate, to_rate)
        if channels < 1:
            raise AudioError(f"`channels` must be at least 1, but is {channels} instead.")
        self.from_rate = from_rate
        self.to_rate = to_rate
        self.channels = channels
        self._stream = soxr.ResampleStream(from_rate, to_rate, channels, dtype="float32", quality=QUALITY)
        self._fed = 0
        self._given = 0

    def feed(self, chunk: FloatArray) -> FloatArray:
        """What is ready after `chunk` (C, n), n >= 0: (C, m) float32, where m may be 0 as some time is withheld.

        Raises:
            AudioError: the chunk is not (C, n).
        """
        if chunk.ndim != 2 or chunk.shape[0] != self.channels:
            raise AudioError(f"`chunk` must have shape ({self.channels}, n), but has {chunk.shape} instead.")
        self._fed += chunk.shape[-1]
        if self.from_rate == self.to_rate:
            return chunk.astype(np.float32)
        if chunk.shape[-1] == 0:
            return np.zeros((self.channels, 0), dtype=np.float32)
        ready = self._process(chunk, last=False)
        self._given += ready.shape[-1]
        return ready

    def flush(self) -> FloatArray:
        """The rest, (C, m) float32, so that the total is floor(fed * to_rate / from_rate + 1/2)."""
        rest = np.zeros((self.channels, 0), dtype=np.float32)
        if self.from_rate != self.to_rate and self._fed:
            total = resampled_length(self._fed, self.from_rate, self.to_rate)
            rest = _fit(self._process(rest, last=True), total - self._given)
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget what was fed; the next chunk starts a new signal."""
        self._stream.clear()
        self._fed = 0
        self._given = 0

    def _process(self, chunk: FloatArray, *, last: bool) -> FloatArray:
        columns = np.ascontiguousarray(chunk.T, dtype=np.float32)
        ready: FloatArray = self._stream.resample_chunk(columns, last=last)
        return np.ascontiguousarray(ready.reshape(-1, self.channels).T)


def _fit(x: FloatArray, total: int) -> FloatArray:
    """`x` (C, n) trimmed or zero-padded at its end to (C, total)."""
    if x.shape[-1] >= total:
        return x[..., :total]
    return np.pad(x, ((0, 0), (0, total - x.shape[-1])))


def _check_rates(from_rate: int, to_rate: int) -> None:
    for name, rate in (("from_rate", from_rate), ("to_rate", to_rate)):
        if rate <= 0:
            raise AudioError(f"`{name}` must be positive, in Hz, but is {rate} instead.")
