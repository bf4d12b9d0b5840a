"""What an enhancer does around its model: arrays and streams of any rate, channel count and length. Imports no torch.

Shapes: C channels, T samples.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from cmkt.audio.check import check_array, check_rate
from cmkt.inference.stream import OFFLINE_WINDOW_SECONDS, STREAM_WINDOW_SECONDS, Stream, check_window

if TYPE_CHECKING:
    from cmkt.inference.stream import Processor
    from cmkt.types import FloatArray


class ArrayEnhancer(ABC):
    """An enhancer of arrays and streams around something that processes audio at one rate.

    sample_rate: that rate in Hz. frame_latency_samples: of a causal model that runs frame by frame or hop by hop, see
    `latency_samples`; None for one that needs the future and runs in windows.
    """

    def __init__(self, *, sample_rate: int, frame_latency_samples: int | None) -> None:
        self._sample_rate = sample_rate
        self._frame_latency_samples = frame_latency_samples

    @property
    def sample_rate(self) -> int:
        """The rate in Hz at which the model works."""
        return self._sample_rate

    @property
    def causal(self) -> bool:
        """Whether streams run frame by frame: the model is causal and carries its state."""
        return self._frame_latency_samples is not None

    @property
    def latency_samples(self) -> int:
        """No sample of a stream comes out later than this after it went in, at the model's rate.

        Computing time is not counted. Window + hop + look-ahead of a causal model of spectra, of which a sample waits
        for the window and look-ahead only; delay + hop of one of waveforms; a window of 4 s of any other.
        """
        return self._delay(round(STREAM_WINDOW_SECONDS * self._sample_rate))

    def enhance(self, noisy: FloatArray, *, sample_rate: int, attenuation_limit_db: float | None = None) -> FloatArray:
        """Enhanced audio of the same shape, (T,) or (C, T), and dtype, at the same rate, without delay.

        attenuation_limit_db: nothing is turned down by more than this; see `cmkt.inference.stream.dry_gain`.
        Warns once per call if `sample_rate` is above the model's, as content above half the model's rate is removed.
        Raises AudioError for audio that cannot be used (not finite, empty, integers, axes swapped, a peak over 100).
        """
        return self._enhance_array(noisy, sample_rate, attenuation_limit_db)

    def stream(
        self,
        *,
        sample_rate: int,
        channels: int = 1,
        attenuation_limit_db: float | None = None,
        window_seconds: float | None = None,
    ) -> Stream:
        """A new stream; many may be open at once, each has its own state and all share the weights.

        Causal models run frame by frame and give what `enhance` gives. Models that need the future run in overlapping
        windows of `window_seconds` with a cross-fade: each sample waits for its window, see `Stream.latency_seconds`.
        Where none is given, a warning says so, and the windows are 4 s long; a causal model takes no notice of it.
        Raises AudioError for a rate, ConfigError for a channel count, limit or window that cannot work.
        """
        rate = check_rate(sample_rate)
        window = STREAM_WINDOW_SECONDS if window_seconds is None else check_window(window_seconds)
        opened = self._open(rate, channels, attenuation_limit_db, window)
        self._warn_band(rate, stacklevel=3)
        if window_seconds is None and not self.causal:
            warnings.warn(
                "The model does not run frame by frame, because it needs the future or carries no state: the stream "
                f"works in windows of {window:g} s, and a sample leaves up to {opened.latency_seconds:.3g} s after it "
                "came in. Choose their length by `window_seconds`, or use a causal model.",
                stacklevel=2,
            )
        return opened

    @abstractmethod
    def _processor(self, channels: int, window_samples: int) -> Processor:
        """What enhances one signal at the model's rate; `window_samples` is for a model that needs the future."""

    def _enhance_array(self, noisy: FloatArray, sample_rate: int, limit_db: float | None) -> FloatArray:
        noisy = np.asarray(noisy)
        audio = check_array(noisy, sample_rate=sample_rate)
        self._warn_band(sample_rate, stacklevel=4)
        channels = 1 if audio.ndim == 1 else audio.shape[0]
        stream = self._open(int(sample_rate), channels, limit_db, OFFLINE_WINDOW_SECONDS)
        parts = (stream.feed(audio), stream.flush())
        return np.concatenate(parts, axis=-1).astype(noisy.dtype, copy=False)

    def _warn_band(self, sample_rate: int, *, stacklevel: int) -> None:
        if sample_rate > self._sample_rate:
            warnings.warn(
                f"The model works at {self._sample_rate} Hz: content above {self._sample_rate // 2} Hz is removed.",
                stacklevel=stacklevel,
            )

    def _open(self, sample_rate: int, channels: int, limit_db: float | None, window_seconds: float) -> Stream:
        window_samples = max(round(window_seconds * self._sample_rate), 1)
        return Stream(
            lambda: self._processor(channels, window_samples),
            sample_rate=sample_rate,
            model_rate=self._sample_rate,
            channels=channels,
            processor_seconds=self._delay(window_samples) / self._sample_rate,
            attenuation_limit_db=limit_db,
        )

    def _delay(self, window_samples: int) -> int:
        return window_samples if self._frame_latency_samples is None else self._frame_latency_samples
