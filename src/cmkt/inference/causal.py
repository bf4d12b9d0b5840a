"""Frame-by-frame enhancement of an endless signal with a causal model, equal to enhancing it whole.

Frame k of the STFT ends with sample (k + 1) * hop - 1 and starts window - hop samples before its last hop. So the state
is the last window - hop input samples, the model's own state, and the part of the output that later frames still add
to. Output sample i is final once frame (i + window - hop) // hop is through: it leaves at most window - 1 samples
after it came in. What computes the frames, torch or a graph, is behind `Frames`; nothing here imports torch.

A model of waveforms instead of spectra gives samples that lie a whole number of hops behind what it gets. It passes for
frames of hop + delay samples that do not overlap at their ends.

Shapes: C channels, n samples of a chunk, K frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from cmkt.spectral.stft import STFT
    from cmkt.types import FloatArray


@runtime_checkable
class FrameModel(Protocol):
    """A causal model that can be run frame by frame, its state passed in and out."""

    stft: STFT

    def initial_state(self, batch: int) -> list[Tensor]:
        """State before the first frame."""

    def enhance_frames(self, spectrum: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Enhanced spectrum (B, K, bins) of the next K frames, and the state after them."""


@runtime_checkable
class WaveModel(Protocol):
    """A causal model of waveforms that can be run hop by hop, its state passed in and out.

    What it gives lies `delay_samples`, zero or a multiple of `hop_samples`, behind what it gets.
    """

    hop_samples: int
    delay_samples: int

    def initial_state(self, batch: int) -> list[Tensor]:
        """State before the first hop."""

    def enhance_samples(self, noisy: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Enhanced waveform (B, K * hop) of the next K hops, late, and the state after them."""


class Frames(Protocol):
    """A causal model on its way through one signal."""

    @property
    def window_samples(self) -> int:
        """Length of a frame, a multiple of the hop."""

    @property
    def hop_samples(self) -> int:
        """From one frame to the next."""

    def advance(self, signal: FloatArray) -> FloatArray:
        """The next K frames, enhanced, windowed and added at their places: (C, window + (K - 1) * hop) in and out.

        `signal` starts with the window - hop samples that the frame before ended with.
        """


@final
class CausalProcessor:
    """Feeds audio at the model's rate through a causal model; what comes out in total equals the offline output."""

    def __init__(self, frames: Frames, *, channels: int) -> None:
        self._frames = frames
        self._hop = frames.hop_samples
        self._past = frames.window_samples - frames.hop_samples
        self._context: FloatArray = np.zeros((channels, self._past), dtype=np.float32)
        self._overlap: FloatArray = np.zeros((channels, self._past), dtype=np.float32)
        self._pending: FloatArray = np.zeros((channels, 0), dtype=np.float32)
        self._fed = 0
        self._given = -self._past  # the first window - hop samples synthesised lie before the signal

    def feed(self, audio: FloatArray) -> FloatArray:
        """The next samples (C, m) that are final, m >= 0, for the next n samples (C, n)."""
        self._fed += audio.shape[-1]
        return self._advance(audio)

    def flush(self) -> FloatArray:
        """The samples that are still owed (C, m). The processor is at its end after this."""
        missing = -self._fed % self._hop + self._past
        silence = np.zeros((self._context.shape[0], missing), dtype=np.float32)
        given = max(self._given, 0)
        return self._advance(silence)[:, : self._fed - given]

    def _advance(self, audio: FloatArray) -> FloatArray:
        pending = np.concatenate((self._pending, audio), axis=-1) if self._pending.shape[-1] else audio
        whole = pending.shape[-1] // self._hop * self._hop
        self._pending = pending[:, whole:].copy()
        if not whole:
            return pending[:, :0]
        output = self._enhance(pending[:, :whole])
        early = min(max(-self._given, 0), whole)
        self._given += whole
        return output[:, early:]

    def _enhance(self, hops: FloatArray) -> FloatArray:
        """(C, K * hop) in, (C, K * hop) out, delayed by window - hop samples."""
        whole = hops.shape[-1]
        signal = np.concatenate((self._context, hops), axis=-1)
        self._context = signal[:, whole:].copy()
        output = self._frames.advance(signal)
        output[:, : self._past] += self._overlap
        self._overlap = output[:, whole:].copy()
        return output[:, :whole]
