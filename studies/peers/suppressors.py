"""Other people's noise suppressors behind one call; each gives a signal that lies in time where the noisy one lies.

They get what they need for a fair comparison: their own sample rate, their level, samples after the end so that the
tail comes out, and their delay is cut off to the sample. All start cold on each signal, as ours do.

Shapes: T samples, time last.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol, final

import numpy as np
from numpy.typing import NDArray

from cmkt.signal.resample import resample

if TYPE_CHECKING:
    Signal = NDArray[np.float32]

RATE = 16_000
"""Of the signals that come and go, in Hz."""

WEBRTC_LEVELS = (0, 1, 2, 3)
"""It takes away at most 6, 12, 18, 21 dB."""


class FrameSuppressor(Protocol):
    """A suppressor that takes a signal frame by frame."""

    sample_rate: int
    frame_samples: int
    delay_samples: int

    def advance(self, frame: Signal) -> Signal:
        """The next `frame_samples` samples out for as many in, full scale 1.0."""


@final
class WebRTC:
    """The noise suppressor of WebRTC without its high-pass filter, which would cost it SI-SDR by phase alone."""

    sample_rate = RATE
    frame_samples = 160
    # 256-point transforms each 160 samples: an output waits for the 96 samples that overlap.
    delay_samples = 96

    def __init__(self, level: int) -> None:
        from pywebrtc_audio import NoiseSuppressor

        self._suppressor = NoiseSuppressor(sample_rate=RATE, level=level)

    def advance(self, frame: Signal) -> Signal:
        """`frame` may also be any number of frames in one array, which the package cuts itself."""
        out: Signal = self._suppressor.process(frame)
        return out


@final
class RNNoise:
    """RNNoise 0.2 with its own weights, at 48 kHz, the only rate it has.

    Called below the binding's Python functions, which round to 16 bits and wrap around where the output is too loud.
    """

    sample_rate = 48_000
    frame_samples = 480
    # One frame that overlaps and one of look-ahead.
    delay_samples = 960

    def __init__(self) -> None:
        from pyrnnoise.rnnoise import create, destroy, lib

        self._process, self._destroy = lib.rnnoise_process_frame, destroy
        self._state = create()

    def __del__(self) -> None:
        if hasattr(self, "_state"):
            self._destroy(self._state)

    def advance(self, frame: Signal) -> Signal:
        """One frame; RNNoise counts in 16-bit steps."""
        samples = np.multiply(frame, 32_768.0, dtype=np.float32)  # a new array, which the library overwrites
        pointer = samples.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        self._process(self._state, pointer, pointer)
        return np.divide(samples, 32_768.0, dtype=np.float32)


def suppress(make: Callable[[], FrameSuppressor], noisy: Signal) -> Signal:
    """`noisy` (T,) at 16 kHz through a new suppressor, (T,) without its delay. Louder than full scale is scaled."""
    suppressor = make()
    peak = max(float(np.abs(noisy).max(initial=0.0)), 1.0)
    signal = resample(noisy / np.float32(peak), RATE, suppressor.sample_rate)
    step, delay = suppressor.frame_samples, suppressor.delay_samples
    padding = delay + -(signal.size + delay) % step
    padded = np.concatenate((signal, np.zeros(padding, dtype=np.float32))).astype(np.float32)
    frames = [suppressor.advance(padded[start : start + step]) for start in range(0, padded.size, step)]
    out = np.concatenate(frames)[delay : delay + signal.size]
    # T samples at 48 kHz came from T / 3, and come back as such: floor(3 T / 3 + 1/2).
    return np.asarray(resample(out, suppressor.sample_rate, RATE) * np.float32(peak), dtype=np.float32)


def gate(noisy: Signal, *, stationary: bool) -> Signal:
    """noisereduce with its defaults: spectral gating that sees the whole signal, so it has no delay."""
    from noisereduce import reduce_noise

    return np.asarray(reduce_noise(y=noisy, sr=RATE, stationary=stationary), dtype=np.float32)


SYSTEMS: dict[str, Callable[[Signal], Signal]] = {
    **{f"webrtc-{level}": partial(suppress, partial(WebRTC, level)) for level in WEBRTC_LEVELS},
    "rnnoise": partial(suppress, RNNoise),
    "noisereduce-stationary": partial(gate, stationary=True),
    "noisereduce-moving": partial(gate, stationary=False),
}
"""(T,) -> (T,) at 16 kHz, by the name of the folder that its output goes to."""
