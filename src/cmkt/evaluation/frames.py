"""Where frames come from for the probe: a layer of an enhancer, or log-mel features to compare it with.

Shapes: T samples, F frames of width C, W bins, M bands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn

from cmkt.data.testset import TestMixture
from cmkt.errors import ConfigError
from cmkt.spectral.stft import STFT
from cmkt.transfer.alignment import seeded_build
from cmkt.transfer.calling import calling_of
from cmkt.transfer.inspection import check_model, inspect_layer, layer_name, layer_output
from cmkt.transfer.layout import reading_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BANDS = 80
WINDOW_SECONDS = 0.025
HOP_SECONDS = 0.0125
POWER_FLOOR = 1e-8


@final
@dataclass(frozen=True, slots=True)
class FrameSource:
    """Gives the frames (F, C), float32 on the CPU, of a mixture at `sample_rate`."""

    name: str
    sample_rate: int
    seconds_per_frame: float
    frames: Callable[[TestMixture], Tensor]


def tapped_model(model: nn.Module, *, name: str, layer: str, layout: str, sample_rate: int) -> FrameSource:
    """Frames of one layer of an enhancer that hears the noisy mixture, in evaluation mode.

    Raises: LayerError and ConfigError as `cmkt.attach`, before anything runs.
    """
    check_model(model)
    layer = layer_name(model, layer)
    reading, calling = reading_of(layout, layer), calling_of(model)
    facts = inspect_layer(model, calling, layer=layer, reading=reading, sample_rate=sample_rate)
    like = next(model.parameters(), torch.zeros(()))
    model.eval()

    @torch.no_grad()
    def frames(mixture: TestMixture) -> Tensor:
        noisy = torch.from_numpy(mixture.noisy)[None].to(like)
        lengths = torch.tensor([noisy.shape[1]], device=noisy.device)
        output = layer_output(model, calling, layer=layer, noisy=noisy, lengths=lengths)
        return reading(output)[0].float().cpu()

    return FrameSource(name, sample_rate, facts.seconds_per_frame, frames)


def untrained(model: nn.Module, *, seed: int) -> nn.Module:
    """A model of the same class and arguments with fresh weights that depend on `seed` only.

    Raises: ConfigError where the model does not say its arguments (`init_args`).
    """
    arguments = getattr(model, "init_args", None)
    if not isinstance(arguments, dict):
        raise ConfigError(
            f"`init_args` must be a dict on {type(model).__name__} to make it anew, but is {arguments!r}."
        )
    with seeded_build(seed):
        fresh: nn.Module = type(model)(**arguments)
    return fresh


def noisy_log_mel(sample_rate: int) -> FrameSource:
    """Log-mel frames of the noisy mixture: what any network could start from."""
    return FrameSource("noisy log-mel", sample_rate, HOP_SECONDS, lambda each: log_mel(each.noisy, sample_rate))


def clean_log_mel(sample_rate: int) -> FrameSource:
    """Log-mel frames of the clean speech: about what a perfect enhancer would give."""
    return FrameSource("clean log-mel", sample_rate, HOP_SECONDS, lambda each: log_mel(each.clean, sample_rate))


def log_mel(audio: NDArray[np.float32], sample_rate: int) -> Tensor:
    """Natural logarithm of the power in 80 triangular mel bands, 25 ms every 12.5 ms: (T,) -> (F, 80).

    The mel scale is that of O'Shaughnessy, 2595 log10(1 + f / 700).
    """
    stft = STFT(round(WINDOW_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate))
    power = stft.analyse(torch.from_numpy(audio)[None])[0].abs().square()
    return (power @ mel_bands(stft.bins, sample_rate)).clamp_min(POWER_FLOOR).log()


def mel_bands(bins: int, sample_rate: int, *, bands: int = BANDS) -> Tensor:
    """Weights (W, M) of triangular bands between 0 Hz and half the rate; each peaks at 1 where the next one starts."""
    top = 2595 * torch.log10(torch.tensor(1 + sample_rate / 1400))
    edges = 700 * (10 ** (torch.linspace(0, float(top), bands + 2) / 2595) - 1)
    frequencies = torch.linspace(0, sample_rate / 2, bins)[:, None]
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp_min(0)
