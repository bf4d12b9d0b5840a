"""Short-time Fourier transform with causal framing and perfect reconstruction.

Frame k ends with sample (k + 1) * hop - 1: nothing later enters it, so offline and streaming see the same frames. The
waveform is padded on the left by window - hop zeros, which makes every sample lie in window / hop frames:

    K = ceil(samples / hop) + window / hop - 1

Analysis and synthesis use the square root of a periodic Hann window, scaled so that their products sum to one.
torch.istft is avoided because it centres frames and does not export.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError


class STFT(nn.Module):
    """Analysis (B, T) -> (B, K, bins) and synthesis (B, K, bins) -> (B, T). No parameters, nothing in state_dict.

    Raises ConfigError unless the window is a multiple, at least twofold, of the hop.
    """

    window: Tensor

    def __init__(self, window_samples: int = 400, hop_samples: int = 200) -> None:
        super().__init__()
        if hop_samples < 1 or window_samples < 2 * hop_samples or window_samples % hop_samples:
            raise ConfigError(
                "`window_samples` must be a multiple of `hop_samples`, at least twice as long, "
                f"but they are {window_samples} and {hop_samples}. Use for example 400 and 200."
            )
        self.window_samples = window_samples
        self.hop_samples = hop_samples
        self.overlap = window_samples // hop_samples
        self.bins = window_samples // 2 + 1
        window = torch.hann_window(window_samples, periodic=True, dtype=torch.float64).sqrt()
        # The squares of a Hann window's root sum to overlap / 2 at every sample.
        self.register_buffer("window", (window * (2.0 / self.overlap) ** 0.5).float(), persistent=False)

    def frames(self, samples: int) -> int:
        """K, the number of frames of a waveform of so many samples."""
        return -(-samples // self.hop_samples) + self.overlap - 1

    def frames_within(self, lengths: Tensor, frames: int) -> Tensor:
        """(B, frames) bool: which frames belong to waveforms of `lengths` (B,) in samples."""
        real = torch.tensor([self.frames(int(n)) for n in lengths.tolist()], device=self.window.device)
        return torch.arange(frames, device=self.window.device) < real[:, None]

    def analyse(self, waveform: Tensor) -> Tensor:
        """Complex spectrum (B, K, bins) of a waveform (B, T)."""
        samples = waveform.shape[-1]
        past = self.window_samples - self.hop_samples
        total = (self.frames(samples) - 1) * self.hop_samples + self.window_samples
        padded = nn.functional.pad(waveform, (past, total - past - samples))
        return self.analyse_frames(padded.unfold(-1, self.window_samples, self.hop_samples))

    def analyse_frames(self, segments: Tensor) -> Tensor:
        """Complex spectrum (..., bins) of segments (..., window)."""
        spectrum: Tensor = torch.fft.rfft(segments * self.window.to(segments.dtype))
        return spectrum

    def synthesise_frames(self, spectrum: Tensor) -> Tensor:
        """Windowed segments (..., window) of a spectrum (..., bins), ready to overlap and add."""
        segments: Tensor = torch.fft.irfft(spectrum, n=self.window_samples)
        return segments * self.window.to(segments.dtype)

    def overlap_add(self, segments: Tensor) -> Tensor:
        """(B, K, window) -> (B, (K - 1) * hop + window): segments added at their places."""
        batch, frames, _ = segments.shape
        parts = segments.reshape(batch, frames, self.overlap, self.hop_samples)
        total = segments.new_zeros(batch, frames + self.overlap - 1, self.hop_samples)
        for j in range(self.overlap):
            total[:, j : j + frames] += parts[:, :, j]
        return total.reshape(batch, -1)

    def synthesise(self, spectrum: Tensor, samples: int) -> Tensor:
        """Waveform (B, samples) of a spectrum (B, K, bins) that `analyse` gave for as many samples."""
        past = self.window_samples - self.hop_samples
        return self.overlap_add(self.synthesise_frames(spectrum))[:, past : past + samples]
