"""Which samples and frames of a padded batch are real."""

from __future__ import annotations

import torch
from torch import Tensor

from cmkt.spectral.stft import STFT


def sample_mask(waveform: Tensor, lengths: Tensor | None) -> Tensor:
    """(B, T), one where a sample lies before its length, of the waveform's dtype; all ones without lengths."""
    if lengths is None:
        return torch.ones_like(waveform)
    index = torch.arange(waveform.shape[-1], device=waveform.device)
    return (index < lengths.to(waveform.device)[:, None]).to(waveform.dtype)


def frame_mask(spectrum: Tensor, stft: STFT, lengths: Tensor | None) -> Tensor:
    """(B, K, 1), one where a frame belongs to its utterance, real; all ones without lengths."""
    batch, frames = spectrum.shape[:2]
    if lengths is None:
        return torch.ones(batch, frames, 1, device=spectrum.device)
    return stft.frames_within(lengths, frames).float()[..., None]


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of (B, K, W) values over the frames where the (B, K, 1) mask is one."""
    return (values * mask).sum() / (mask.sum() * values.shape[-1]).clamp_min(1.0)
