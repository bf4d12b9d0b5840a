"""Calling an enhancer that nobody here wrote: with or without lengths, and with a waveform of the same length back."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from cmkt.errors import ConfigError


@final
@dataclass(frozen=True, slots=True)
class Calling:
    """How a model is called; found once, when it is attached."""

    takes_lengths: bool

    def enhance(self, model: nn.Module, noisy: Tensor, lengths: Tensor) -> Tensor:
        """The model's estimate, (B, T) -> (B, T).

        Raises: ConfigError when the model returns something else than a waveform of the input's shape.
        """
        estimate = model(noisy, lengths=lengths) if self.takes_lengths else model(noisy)
        name = type(model).__name__
        if not isinstance(estimate, Tensor):
            raise ConfigError(
                f"`model` must return the enhanced waveform as one tensor, but {name} returned "
                f"{type(estimate).__name__} instead. Wrap it in a module whose forward returns the waveform."
            )
        if estimate.shape != noisy.shape:
            raise ConfigError(
                f"`model` must return a waveform of its input's shape {tuple(noisy.shape)}, but {name} returned "
                f"{tuple(estimate.shape)} instead. Wrap it in a module that pads or trims."
            )
        return estimate


def calling_of(model: nn.Module) -> Calling:
    """How `model` wants to be called: with `lengths=` where its forward has a parameter of that name."""
    return Calling(takes_lengths="lengths" in inspect.signature(model.forward).parameters)


def check_lengths(lengths: Tensor | None, noisy: Tensor) -> Tensor:
    """Lengths (B,) in samples on the device of noisy (B, T); the full length where none are given.

    Raises: ConfigError when shapes or values do not fit.
    """
    if noisy.ndim != 2:
        raise ConfigError(f"`noisy` must be (utterances, samples), but has shape {tuple(noisy.shape)} instead.")
    batch, samples = noisy.shape
    if lengths is None:
        return noisy.new_full((batch,), samples).long()
    if lengths.shape != (batch,):
        raise ConfigError(f"`lengths` must have shape ({batch},), but has shape {tuple(lengths.shape)} instead.")
    if bool(((lengths < 1) | (lengths > samples)).any()):
        raise ConfigError(f"`lengths` must lie between 1 and {samples} samples, but is {lengths.tolist()} instead.")
    return lengths.to(noisy.device)
