"""Everything that is checked about a model and its layer before the model is touched."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError, LayerError
from cmkt.transfer.calling import Calling
from cmkt.transfer.layout import FrameReading
from cmkt.transfer.tap import Tap, only_output, tensors_in

# Both lengths and their difference hold a whole number of frames for nearly every hop in use (100, 160, 256, 320, ...).
SHORT_SAMPLES = 7_680
LONG_SAMPLES = 46_080
REFERENCE_RATE = 16_000
_NAMED = 6


@final
@dataclass(frozen=True, slots=True)
class LayerFacts:
    """What was learnt about a layer. width: C of its frames; seconds_per_frame: time from one frame to the next."""

    width: int
    seconds_per_frame: float


def check_model(model: nn.Module) -> None:
    """Raises ConfigError for models whose layers cannot be tapped: scripted, compiled, or not yet initialised."""
    name = type(model).__name__
    for module in model.modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise ConfigError(f"`model` must be an eager nn.Module, but {name} is or contains a ScriptModule.")
        if hasattr(module, "_orig_mod") or module._compiled_call_impl is not None:
            raise ConfigError("`model` must not be compiled yet. Attach first, then compile the task.")
    for parameter in model.parameters():
        if nn.parameter.is_lazy(parameter):
            raise ConfigError(
                f"`model` must be initialised, but {name} has lazy parameters. Run it on audio once first."
            )


def layer_name(model: nn.Module, layer: str) -> str:
    """The name of the one submodule that `layer` means: its exact name, or else the end of it ("lstm" for
    "recurrent.lstm"), or else a pattern ("*.3.conv?") that no other one fits.

    Raises: LayerError that lists the closest names, or those that fit where several do.
    """
    layers: list[str] = [name for name, _ in model.named_modules() if name]
    if layer in layers:
        return layer
    fits = [name for name in layers if layer and name.endswith(f".{layer}")]
    fits = fits or [name for name in layers if fnmatch.fnmatchcase(name, layer)]
    if len(fits) == 1:
        return fits[0]
    if fits:
        named = ", ".join(fits[:_NAMED]) + (", ..." if len(fits) > _NAMED else "")
        raise LayerError(
            f"`layer` must mean one submodule of {type(model).__name__}, but {layer!r} fits {len(fits)}: {named}."
        )
    closest = difflib.get_close_matches(layer, layers, n=4, cutoff=0.4) or list(layers)[:4]
    raise LayerError(
        f"`layer` must name a submodule of {type(model).__name__}, but is {layer!r} instead. "
        f"Closest: {', '.join(closest) or 'it has none'}."
    )


def probe_shapes(sample_rate: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two inputs (B, T) that a model is probed with: other utterances, other lengths."""
    scale = -(-sample_rate // REFERENCE_RATE)
    return (2, SHORT_SAMPLES * scale), (3, LONG_SAMPLES * scale)


def inspect_layer(
    model: nn.Module, calling: Calling, *, layer: str, reading: FrameReading, sample_rate: int
) -> LayerFacts:
    """Runs the model twice on noise, at two lengths and batch sizes, and gives what its layer returned.

    The model is as before afterwards: train flags, gradients, random state, hooks.
    reading: makes frames of what the layer returns.
    Raises: LayerError when the layer is not called exactly once, or no frames can be made of what it returns;
    ConfigError when the model's output is not a waveform of the input's shape.
    """
    shapes = probe_shapes(sample_rate)
    with untouched(model):
        outputs = [_probed(model, calling, layer, shape) for shape in shapes]
    short, long = (reading(output) for output in outputs)
    for frames, (batch, _) in zip((short, long), shapes, strict=True):
        if frames.shape[0] != batch:
            raise LayerError(_misfit(layer, reading, outputs, "its axis b is not the number of utterances"))
    if long.shape[1] <= short.shape[1]:
        raise LayerError(_misfit(layer, reading, outputs, "its axis t does not grow with the input"))
    if long.shape[2] != short.shape[2]:
        raise LayerError(_misfit(layer, reading, outputs, "its width changes with the length of the input"))
    hop_samples = (shapes[1][1] - shapes[0][1]) / (long.shape[1] - short.shape[1])
    return LayerFacts(width=long.shape[2], seconds_per_frame=hop_samples / sample_rate)


def layer_output(model: nn.Module, calling: Calling, *, layer: str, noisy: Tensor, lengths: Tensor) -> object:
    """What a layer returns when the model enhances noisy (B, T), lengths (B,) in samples; no hook is left behind.

    Raises: LayerError when there is no such layer, or it is not called exactly once.
    """
    tap = Tap()
    handle = model.get_submodule(layer_name(model, layer)).register_forward_hook(tap)
    try:
        with tap.recording() as recorded:
            calling.enhance(model, noisy, lengths)
    finally:
        handle.remove()
    return only_output(recorded, layer)


def _misfit(layer: str, reading: FrameReading, outputs: list[object], reason: str) -> str:
    shapes = " and ".join(", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(output)) for output in outputs)
    return (
        f"`layout` must say which axes of {layer!r} are batch, time and width, but {reading} cannot be right: "
        f"{reason}. Two probes (2 utterances, then 3 that are six times as long) gave shapes {shapes}."
    )


def _probed(model: nn.Module, calling: Calling, layer: str, shape: tuple[int, int]) -> object:
    noisy, lengths = probe_input(model, shape)
    return layer_output(model, calling, layer=layer, noisy=noisy, lengths=lengths)


def probe_input(model: nn.Module, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Noise (B, T) on the device and in the precision of the model, and lengths (B,)."""
    like = next(chain(model.parameters(), model.buffers()), torch.zeros(()))
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    noisy = 0.05 * noise.to(device=like.device, dtype=like.dtype if like.is_floating_point() else torch.float32)
    return noisy, torch.full(shape[:1], shape[1], device=like.device)


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Eval mode without gradients inside; train flags of every submodule and the random state are put back."""
    training = {module: module.training for module in model.modules()}
    devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices=sorted(devices)), torch.no_grad():
        model.eval()
        try:
            yield
        finally:
            for module, flag in training.items():
                module.training = flag
