"""Frame-by-frame enhancement of an endless signal with a causal model, equal to enhancing it whole.

Frame k of the STFT ends with sample (k + 1) * hop - 1 and starts window - hop samples before its last hop. So the state
is the last window - hop input samples, the model's own state, and the part of the output that later frames still add
to. Output sample i is final once frame (i + window - hop) // hop is through: it leaves at most window - 1 samples
after it came in.

Shapes: C channels, n samples of a chunk, K frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final, runtime_checkable

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
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


@final
class CausalProcessor:
    """Feeds audio at the model's rate through a causal model; what comes out in total equals the offline output."""

    def __init__(self, model: FrameModel, *, channels: int, device: torch.device, dtype: torch.dtype) -> None:
        stft = model.stft
        self._model = model
        self._device, self._dtype = device, dtype
        self._window, self._hop = stft.window_samples, stft.hop_samples
        past = self._window - self._hop
        self._state = model.initial_state(channels)
        self._context = torch.zeros(channels, past, device=device, dtype=dtype)
        self._overlap = torch.zeros(channels, past, device=device, dtype=dtype)
        self._pending = np.zeros((channels, 0), dtype=np.float32)
        self._fed = 0
        self._given = -past  # the first window - hop samples synthesised lie before the signal

    def feed(self, audio: FloatArray) -> FloatArray:
        """The next samples (C, m) that are final, m >= 0, for the next n samples (C, n)."""
        self._fed += audio.shape[-1]
        return self._advance(audio)

    def flush(self) -> FloatArray:
        """The samples that are still owed (C, m). The processor is at its end after this."""
        past = self._window - self._hop
        missing = -self._fed % self._hop + past
        silence = np.zeros((self._context.shape[0], missing), dtype=np.float32)
        given = max(self._given, 0)
        return self._advance(silence)[:, : self._fed - given]

    def _advance(self, audio: FloatArray) -> FloatArray:
        pending = np.concatenate((self._pending, audio), axis=-1)
        whole = pending.shape[-1] // self._hop * self._hop
        self._pending = pending[:, whole:].copy()
        if not whole:
            return pending[:, :0]
        with torch.no_grad():
            hops = torch.from_numpy(np.ascontiguousarray(pending[:, :whole])).to(self._device, self._dtype)
            output = self._enhance(hops).cpu().numpy()
        early = min(max(-self._given, 0), whole)
        self._given += whole
        return output[:, early:]

    def _enhance(self, hops: Tensor) -> Tensor:
        """(C, K * hop) in, (C, K * hop) out, delayed by window - hop samples."""
        stft, whole = self._model.stft, hops.shape[-1]
        signal = torch.cat((self._context, hops), dim=-1)
        self._context = signal[:, whole:].clone()
        spectrum = stft.analyse_frames(signal.unfold(-1, self._window, self._hop))
        enhanced, state = self._model.enhance_frames(spectrum, self._state)
        # A state may be a view of the block that it ended; a copy lets go of the block.
        self._state = [tensor.clone() for tensor in state]
        output = stft.overlap_add(stft.synthesise_frames(enhanced))
        output[:, : self._overlap.shape[-1]] += self._overlap
        self._overlap = output[:, whole:].clone()
        return output[:, :whole]
