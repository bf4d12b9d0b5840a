"""Another sample rate for a whole signal or for a stream of chunks; both give the same samples.

A linear-phase low-pass, a sinc under a Kaiser window, is evaluated at the times of the new samples. It reaches 48
periods of the lower rate to either side, which is all that a stream waits for: 3 ms where that rate is 16 kHz. It is
flat within 0.1 dB up to 0.9 of half the lower rate, and at least 80 dB down from half the lower rate on, so that
nothing folds back.

From T samples come floor(T * to_rate / from_rate + 1/2). Shapes: C channels, time last, A = `_reach` input samples.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, final

import numpy as np
from scipy.special import i0

from cmkt.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from cmkt.types import FloatArray

# Reach in periods of the lower rate, cutoff as a share of half that rate, and shape of the Kaiser window. A reach of 32
# would save 1 ms, but with the same pass band it folds what lies up to 4% above half the rate back to just below it.
_PERIODS = 48
_CUTOFF = 0.945
_BETA = 8.2

# A filter with more taps than this (20 MB) is computed as it is needed, which is slow (3 s a second
# from 96,001 to 16,000 Hz): only rates above 48 kHz without a large common divisor come to that.
_MOST_TAPS = 5_000_000

# Taps times outputs that are gathered at once, which bounds memory.
_BLOCK = 2**19


def resampled_length(samples: int, from_rate: int, to_rate: int) -> int:
    """How many samples `resample` gives for `samples`: floor(samples * to_rate / from_rate + 1/2)."""
    return (2 * samples * to_rate + from_rate) // (2 * from_rate)


def withheld_seconds(from_rate: int, to_rate: int) -> float:
    """The longest time that a `StreamResampler` withholds: 48 periods of the lower rate, 0 for equal rates.

    Rounded up to whole samples of `from_rate`.

    Raises:
        AudioError: a rate is not positive.
    """
    _check_rates(from_rate, to_rate)
    return 0.0 if from_rate == to_rate else _reach(Fraction(to_rate, from_rate)) / from_rate


def resample(x: FloatArray, from_rate: int, to_rate: int) -> FloatArray:
    """`x` (..., T) at another rate: (..., floor(T * to_rate / from_rate + 1/2)), without delay, in the dtype of `x`.

    Equal rates give `x` itself. float16 comes back as float32. What lies outside of the signal is taken for silence.

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
    ratio = Fraction(to_rate, from_rate)
    reach = _reach(ratio)
    dtype = np.float64 if x.dtype == np.float64 else np.float32
    flat = x.reshape(-1, x.shape[-1])
    padded = np.zeros((flat.shape[0], flat.shape[1] + 2 * reach), dtype=dtype)
    padded[:, reach - 1 : reach - 1 + flat.shape[1]] = flat
    return _filtered(padded, ratio, 0, total).reshape(*x.shape[:-1], total)


@final
class StreamResampler:
    """`resample` for a signal that arrives in chunks, in float32.

    What all `feed` and the `flush` give, put together, equals `resample` of all that was fed. After `flush` the
    resampler is new and takes the next signal. It withholds at most `withheld_seconds`: 3 ms between 16 kHz and any
    higher rate, 6 ms between 8 and 16 kHz.
    """

    def __init__(self, from_rate: int, to_rate: int, channels: int) -> None:
        """Rates in Hz, and C, the channels of every chunk."""
        _check_rates(from_rate, to_rate)
        if channels < 1:
            raise AudioError(f"`channels` must be at least 1, but is {channels} instead.")
        self.from_rate = from_rate
        self.to_rate = to_rate
        self.channels = channels
        self._ratio = Fraction(to_rate, from_rate)
        self._reach = _reach(self._ratio)
        self.reset()

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
        return self._advance(chunk, max(ceil((self._fed - self._reach) * self._ratio), 0))

    def flush(self) -> FloatArray:
        """The rest, (C, m) float32, so that the total is floor(fed * to_rate / from_rate + 1/2)."""
        rest = np.zeros((self.channels, 0), dtype=np.float32)
        if self.from_rate != self.to_rate and self._fed:
            silence = np.zeros((self.channels, self._reach + 1), dtype=np.float32)
            rest = self._advance(silence, resampled_length(self._fed, self.from_rate, self.to_rate))
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget what was fed; the next chunk starts a new signal."""
        # The input from the first sample on that the next output needs; before the signal there is silence.
        self._held: FloatArray = np.zeros((self.channels, self._reach - 1), dtype=np.float32)
        self._dropped = 0
        self._fed = 0
        self._given = 0

    def _advance(self, chunk: FloatArray, total: int) -> FloatArray:
        """The outputs up to number `total`, after `chunk`; input that none of the later ones needs is dropped."""
        held = np.concatenate((self._held, chunk.astype(np.float32)), axis=-1)
        ready = _filtered(held, self._ratio, self._given, total - self._given, self._dropped)
        self._given = total
        unneeded = int(total / self._ratio) - self._dropped
        self._held = held[:, unneeded:].copy()
        self._dropped += unneeded
        return ready


def _filtered(held: FloatArray, ratio: Fraction, first: int, count: int, dropped: int = 0) -> FloatArray:
    """Outputs `first` to `first + count` (C, count) from the input `held`, of which `dropped` samples are gone.

    Output m lies at m / ratio on the time axis of the input and takes the 2 A samples around it. `held` starts with
    A - 1 samples from before the signal, so that they begin at floor(m / ratio). Each output is the same dot product
    however the signal was cut, hence a stream gives the very samples of the whole.
    """
    up, down = ratio.numerator, ratio.denominator
    out = np.empty((held.shape[0], count), dtype=held.dtype)
    if count == 0:
        return out
    taps = 2 * _reach(ratio)
    windows = np.lib.stride_tricks.sliding_window_view(held, taps, axis=-1)
    table = _table(ratio, held.dtype) if up * taps <= _MOST_TAPS else None
    if table is not None and count >= 4 * up:
        for number in range(up):
            start, phase = divmod((first + number) * down, up)
            outputs = out[:, number::up]
            inputs = windows[:, start - dropped :: down][:, : outputs.shape[1]]
            np.vecdot(inputs, table[phase], out=outputs)
        return out
    step = max(_BLOCK // taps, 1)
    for begin in range(0, count, step):
        starts, phases = np.divmod(np.arange(first + begin, first + min(begin + step, count)) * down, up)
        rows = _rows(phases, ratio, held.dtype) if table is None else table[phases]
        out[:, begin : begin + step] = np.vecdot(np.take(windows, starts - dropped, axis=1), rows)
    return out


def _reach(ratio: Fraction) -> int:
    """A, how many input samples before and after its time an output takes."""
    return ceil(_PERIODS / min(ratio, Fraction(1)))


@lru_cache(maxsize=32)
def _table(ratio: Fraction, dtype: DTypeLike) -> FloatArray:
    """The taps of every phase, (up, 2 A)."""
    phases, step = np.arange(ratio.numerator), max(_BLOCK // (2 * _reach(ratio)), 1)
    return np.concatenate([_rows(phases[at : at + step], ratio, dtype) for at in range(0, phases.size, step)])


def _rows(phases: NDArray[np.int64], ratio: Fraction, dtype: DTypeLike) -> FloatArray:
    """The taps for outputs that lie `phases` / up after an input sample, (phases, 2 A).

    In periods of the lower rate, the tap at time t is c sinc(c t) I0(b sqrt(1 - (t / P)^2)) / I0(b), times the periods
    that an input sample takes; c is the cutoff, b the shape and P the reach.
    """
    reach = _reach(ratio)
    lower = float(min(ratio, Fraction(1)))
    times = lower * (np.arange(1 - reach, reach + 1) - phases[:, None] / ratio.numerator)
    inside = np.maximum(1.0 - (times / _PERIODS) ** 2, 0.0)
    window = np.where(inside > 0.0, i0(_BETA * np.sqrt(inside)) / i0(_BETA), 0.0)
    return (lower * _CUTOFF * np.sinc(_CUTOFF * times) * window).astype(dtype)


def _check_rates(from_rate: int, to_rate: int) -> None:
    for name, rate in (("from_rate", from_rate), ("to_rate", to_rate)):
        if rate <= 0:
            raise AudioError(f"`{name}` must be positive, in Hz, but is {rate} instead.")
