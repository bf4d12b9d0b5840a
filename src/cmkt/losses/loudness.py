"""Disturbance of loudness: how much of the estimate's loudness is too much, or missing, as a listener would hear it.

A differentiable simplification of the perceptual model of ITU-T P.862 (PESQ; Rix et al., ICASSP 2001): critical bands,
Zwicker's loudness, a dead zone for what is masked, and more weight for what was added than for what was removed. Left
out, because noisy and enhanced speech here are in time and have passed no telephone: alignment in time, filters, gain
compensation. Bands after Schroeder's Bark scale, threshold in quiet after Terhardt (Hearing Research 1979), eq. 4.
As a training loss in Martin-Doñas et al., "A Deep Learning Loss Function Based on the Perceptual Evaluation of the
Speech Quality", IEEE SPL 2018.

A model trained with this is trained towards PESQ: judge it by other measures as well.

Shapes: B utterances, T samples, K frames, W bands.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from cmkt.losses.masking import frame_mask, sample_mask
from cmkt.spectral.stft import STFT

SPEECH_DB_SPL = 79.0
"""Speech is taken to be played at this level."""

BAND_BARK = 0.45
EXPONENT = 0.23
LOUDNESS_SCALE = 0.1866
"""Zwicker's exponent, and the scale of loudness in P.862 at 16 kHz."""

DEAD_ZONE = 0.25
ASYMMETRY_EXPONENT, ASYMMETRY_OFFSET, ASYMMETRY_LIMITS = 1.2, 50.0, (3.0, 12.0)
SYMMETRIC_WEIGHT, ASYMMETRIC_WEIGHT = 0.1, 0.0309
"""Points on the MOS scale for each unit of disturbance, P.862 section 10.2.11."""

CAP = 45.0
"""Most that one frame counts, approached smoothly."""

_EPS = 1e-8


@final
class LoudnessDisturbance(nn.Module):
    """Disturbance in points of the MOS scale, mean over utterances, at least 0; lower is better.

    Utterances whose reference is silent count zero. Shapes: estimate and reference (B, T), lengths (B,) or None; gives
    a scalar.
    """

    def __init__(self, sample_rate: int = 16_000, window_samples: int = 512, hop_samples: int = 256) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.stft = STFT(window_samples, hop_samples)
        bands, width, threshold = _critical_bands(self.stft.bins, sample_rate)
        self.bands: Tensor
        self.width: Tensor
        self.threshold: Tensor
        self.register_buffer("bands", bands.float(), persistent=False)
        self.register_buffer("width", width.float(), persistent=False)
        self.register_buffer("threshold", threshold.float(), persistent=False)

    def forward(self, *, estimate: Tensor, reference: Tensor, lengths: Tensor | None = None) -> Tensor:
        mask = sample_mask(reference, lengths)
        heard, wanted = self._powers(estimate.float() * mask), self._powers(reference.float() * mask)
        inside = frame_mask(wanted, self.stft, lengths)[..., 0]
        gain, sounding = self._to_listening_level(wanted, inside)
        heard, wanted = heard * gain, wanted * gain
        difference = self._difference(heard, wanted)
        factor = ((heard + ASYMMETRY_OFFSET) / (wanted + ASYMMETRY_OFFSET)) ** ASYMMETRY_EXPONENT
        low, high = ASYMMETRY_LIMITS
        factor = torch.where(factor < low, 0.0, factor.clamp(max=high)).detach()
        total = self.width.sum()
        symmetric = total * ((difference.square() @ self.width) / total + _EPS).sqrt()
        added = (difference.abs() * factor) @ self.width
        weight = ((wanted.sum(-1) + 1e5) / 1e7) ** -0.04
        points = SYMMETRIC_WEIGHT * _rms(_capped(symmetric * weight), inside) + ASYMMETRIC_WEIGHT * _rms(
            _capped(added * weight), inside
        )
        return torch.where(sounding, points, points.new_zeros(())).mean()

    def _powers(self, waveform: Tensor) -> Tensor:
        """(B, K, W): mean square of each band in each frame, as if it lasted a hop."""
        spectrum = self.stft.analyse(waveform)
        power = spectrum.real.square() + spectrum.imag.square()
        scale: float = 2.0 / (self.stft.window_samples * self.stft.hop_samples)
        banded: Tensor = (power * scale) @ self.bands
        return banded

    def _to_listening_level(self, wanted: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """Gain (B, 1, 1) that plays the louder frames of the reference at SPEECH_DB_SPL, and whether there is any."""
        power = wanted.sum(-1) * inside
        loud = power > 0.05 * power.mean(-1, keepdim=True)
        level = (power * loud).sum(-1) / loud.sum(-1).clamp_min(1)
        sounding = level > 1e-10
        gain = 10 ** (SPEECH_DB_SPL / 10) / torch.where(sounding, level, torch.ones_like(level))
        return gain[:, None, None], sounding

    def _difference(self, heard: Tensor, wanted: Tensor) -> Tensor:
        """Loudness of the estimate minus that of the reference, without the part that is masked."""
        a, b = self._loudness(heard), self._loudness(wanted)
        difference = a - b
        masked = DEAD_ZONE * torch.minimum(a, b)
        return difference.sign() * (difference.abs() - masked).clamp_min(0.0)

    def _loudness(self, power: Tensor) -> Tensor:
        """Zwicker and Fastl, "Psychoacoustics", eq. 8.7, zero below the threshold in quiet."""
        above = (0.5 + 0.5 * power / self.threshold) ** EXPONENT - 1.0
        return LOUDNESS_SCALE * (self.threshold / 0.5) ** EXPONENT * above.clamp_min(0.0)


def _capped(disturbance: Tensor) -> Tensor:
    return CAP * torch.tanh(disturbance / CAP)


def _rms(values: Tensor, inside: Tensor) -> Tensor:
    """Over the frames (B, K) of an utterance that are inside: (B,)."""
    return ((values.square() * inside).sum(-1) / inside.sum(-1).clamp_min(1.0) + _EPS).sqrt()


def _critical_bands(bins: int, sample_rate: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which bin is in which band (bins, W), width of the bands in Bark (W,), threshold in quiet as power (W,)."""
    hz = torch.arange(bins, dtype=torch.float64) * sample_rate / 2 / (bins - 1)
    edges = torch.cat((hz[:1], (hz[1:] + hz[:-1]) / 2, hz[-1:]))
    bark = 7.0 * torch.asinh(edges / 650.0)
    index = (bark[:-1] / BAND_BARK).floor().long()
    _, index = torch.unique(index, return_inverse=True)
    bands = nn.functional.one_hot(index).double()
    khz = ((hz @ bands) / bands.sum(0) / 1000.0).clamp_min(0.02)
    threshold_db = 3.64 * khz**-0.8 - 6.5 * torch.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4
    return bands, (bark[1:] - bark[:-1]) @ bands, 10 ** (threshold_db / 10)
