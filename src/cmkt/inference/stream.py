"""A stream: chunks of any size at any rate in, enhanced audio out, sample for sample as long as the input.

Around the model's own processing there are, in this order: resampling to the model's rate and back, the strength
control, and a memoryless peak guard. None of them takes a statistic over the signal. Imports no torch.

Shapes: C channels, n samples of a chunk, m samples that are final.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, final

import numpy as np

from cmkt.errors import AudioError, ConfigError
from cmkt.signal.limiter import guard_peaks
from cmkt.signal.resample import StreamResampler, withheld_seconds

if TYPE_CHECKING:
    from cmkt.types import FloatArray

BLOCK_SECONDS = 10.0
"""Channels times time that are worked on at once, which bounds memory."""

OFFLINE_WINDOW_SECONDS = 30.0
"""Window of a model that needs the future where nobody waits: for arrays and for files, so that both agree."""

STREAM_WINDOW_SECONDS = 4.0
"""Window of such a model in a stream, unless another is asked for."""

_SHORTEST_WINDOW_SECONDS = 0.1

# 40 dB above full scale: no recording, but an integer array that was only cast to float.
_HIGHEST_PEAK = 100.0


class Processor(Protocol):
    """Enhancement at the model's rate, (C, n) in and (C, m) out; after flush as many came out as went in."""

    def feed(self, audio: FloatArray) -> FloatArray:
        """The next samples that are final."""

    def flush(self) -> FloatArray:
        """The samples that are still owed."""


class Streaming(Protocol):
    """An enhancer that opens streams."""

    @property
    def sample_rate(self) -> int:
        """The model's rate in Hz."""

    def stream(
        self,
        *,
        sample_rate: int,
        channels: int = 1,
        attenuation_limit_db: float | None = None,
        window_seconds: float | None = None,
    ) -> Stream:
        """A new stream with a state of its own."""


def dry_gain(attenuation_limit_db: float | None) -> float:
    """Share g of the unprocessed signal in g * noisy + (1 - g) * enhanced: 10^(-limit / 20), and 0 without a limit.

    Whatever the model removes altogether is then turned down by exactly the limit, and what it leaves stays as it is.
    Raises ConfigError unless the limit is a number of at least 0 dB.
    """
    if attenuation_limit_db is None:
        return 0.0
    if not attenuation_limit_db >= 0.0:
        raise ConfigError(
            f"`attenuation_limit_db` must be at least 0 dB, but is {attenuation_limit_db}. "
            "12 turns nothing down by more than 12 dB; leave it out for no limit."
        )
    return float(10.0 ** (-attenuation_limit_db / 20.0))


def check_window(window_seconds: float) -> float:
    """The length of a window in seconds. Raises ConfigError unless it is finite and at least 0.1 s."""
    if not _SHORTEST_WINDOW_SECONDS <= window_seconds < float("inf"):
        raise ConfigError(
            f"`window_seconds` must be at least {_SHORTEST_WINDOW_SECONDS} s, but is {window_seconds}. A model that "
            "needs the future sees nothing but its window: 2 to 4 s hold a phrase."
        )
    return window_seconds


@final
class Stream:
    """Enhances chunk by chunk. Use as `with enhancer.stream(sample_rate=...) as s: s.feed(chunk); s.flush()`."""

    def __init__(
        self,
        make_processor: Callable[[], Processor],
        *,
        sample_rate: int,
        model_rate: int,
        channels: int,
        processor_seconds: float,
        attenuation_limit_db: float | None = None,
    ) -> None:
        if channels < 1:
            raise ConfigError(f"`channels` must be at least 1, but is {channels}.")
        self._make_processor = make_processor
        self._sample_rate, self._model_rate = sample_rate, model_rate
        self._channels = channels
        self._dry_gain = dry_gain(attenuation_limit_db)
        self._processor_seconds = processor_seconds
        self._block_samples = max(int(BLOCK_SECONDS * sample_rate / channels), 1)
        self.reset()

    @property
    def latency_seconds(self) -> float:
        """No sample comes out later than this after it went in, computing time not counted.

        At the model's rate: `ArrayEnhancer.latency_samples` of a causal model, the length of a window of any other.
        At another rate, what the two resamplers withhold is added: 6 ms if both rates are 16 kHz or more.
        """
        there = withheld_seconds(self._sample_rate, self._model_rate)
        back = withheld_seconds(self._model_rate, self._sample_rate)
        return self._processor_seconds + there + back

    def reset(self) -> None:
        """Forget everything: the next chunk is the start of a new signal."""
        self._processor = self._make_processor()
        self._down: StreamResampler | None = None
        self._up: StreamResampler | None = None
        if self._sample_rate != self._model_rate:
            self._down = StreamResampler(self._sample_rate, self._model_rate, self._channels)
            self._up = StreamResampler(self._model_rate, self._sample_rate, self._channels)
        self._dry: FloatArray = np.zeros((self._channels, 0), dtype=np.float32)
        self._fed = self._given = 0
        self._ended = False
        self._flat = self._channels == 1
        self._dtype: np.dtype[np.floating] = np.dtype(np.float32)

    def feed(self, chunk: FloatArray) -> FloatArray:
        """Samples that became final, (m,) or (C, m), m >= 0, in the dtype of the chunk, (n,) or (C, n), n >= 0.

        Raises AudioError, and leaves the stream as it was, if the chunk has another rank, channel count or an integer
        dtype, is not finite, or has a peak of more than 100; ConfigError after flush or at the end of the `with` block.
        """
        self._check_open()
        audio = self._checked(chunk)
        self._flat, self._dtype = chunk.ndim == 1, chunk.dtype
        starts = range(0, max(audio.shape[-1], 1), self._block_samples)
        return self._shaped([self._feed_block(audio[:, start : start + self._block_samples]) for start in starts])

    def flush(self) -> FloatArray:
        """The rest, so that in total as many samples came out as went in. Then only `reset` opens the stream again."""
        self._check_open()
        self._ended = True
        if self._fed == 0:
            return self._shaped([self._dry])
        parts = []
        if self._down is not None and self._up is not None:
            # A little silence first: rounding of the two rates then never costs a sample, and even one sample at a
            # high rate is at least one at the model's.
            extra = -(-self._sample_rate // self._model_rate)
            silence = np.zeros((self._channels, extra), dtype=np.float32)
            parts.append(self._up.feed(self._processor.feed(self._down.feed(silence))))
            parts.append(self._up.feed(self._processor.feed(self._down.flush())))
            parts.append(self._up.feed(self._processor.flush()))
            parts.append(self._up.flush())
        else:
            parts.append(self._processor.flush())
        wet = np.concatenate(parts, axis=-1)[:, : self._fed - self._given]
        return self._shaped([self._finish(wet)])

    def _feed_block(self, audio: FloatArray) -> FloatArray:
        self._fed += audio.shape[-1]
        if self._dry_gain:
            self._dry = np.concatenate((self._dry, audio), axis=-1)
        if self._down is not None and self._up is not None:
            return self._finish(self._up.feed(self._processor.feed(self._down.feed(audio.astype(np.float32)))))
        return self._finish(self._processor.feed(audio))

    def _finish(self, wet: FloatArray) -> FloatArray:
        """Strength control and peak guard. Output sample i belongs to input sample i, so the dry path waits for it."""
        samples = wet.shape[-1]
        self._given += samples
        if self._dry_gain:
            dry, self._dry = self._dry[:, :samples], self._dry[:, samples:].copy()
            wet = self._dry_gain * dry + (1.0 - self._dry_gain) * wet
        return guard_peaks(wet)

    def _shaped(self, parts: list[FloatArray]) -> FloatArray:
        joined = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
        audio = joined.astype(self._dtype, copy=False)
        return audio[0] if self._flat else audio

    def _checked(self, chunk: FloatArray) -> FloatArray:
        if not isinstance(chunk, np.ndarray) or not np.issubdtype(chunk.dtype, np.floating):
            kind = chunk.dtype if isinstance(chunk, np.ndarray) else type(chunk).__name__
            raise AudioError(
                f"A chunk must be a float array with full scale 1.0, but is {kind}. Divide int16 by 32768."
            )
        audio = chunk[None] if chunk.ndim == 1 else chunk
        if audio.ndim != 2 or audio.shape[0] != self._channels:
            raise AudioError(
                f"A chunk must be ({self._channels}, n) as the stream has {self._channels} channel(s), "
                f"but has shape {chunk.shape}."
            )
        peak = float(np.abs(audio).max(initial=0.0))  # NaN where there is one
        if not np.isfinite(peak):
            raise AudioError("A chunk must be finite, but holds NaN or infinity. Clean it and feed it again.")
        if peak > _HIGHEST_PEAK:
            raise AudioError(f"A chunk must have full scale 1, but its peak is {peak:.0f}. Divide int16 by 32768.")
        return audio

    def _check_open(self) -> None:
        if self._ended:
            raise ConfigError(
                "The stream must be open, but it has been flushed or closed. Call `reset` or open another."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
