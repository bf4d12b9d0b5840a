"""Which layers of a model can be supervised: shape, layout and frame rate of each, found by running it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor, nn

from cmkt.errors import LayerError
from cmkt.transfer.calling import Calling, calling_of
from cmkt.transfer.inspection import check_model, probe_input, probe_shapes, untouched
from cmkt.transfer.layout import Layout
from cmkt.transfer.tap import Tap, first_tensor, only_output

FRAMES_PER_SECOND = (10.0, 400.0)
"""Syllables come 4 to 8 times a second: fewer frames cannot tell tokens apart, more are costly and hardly differ."""

WIDTH = (16, 2048)
"""Narrower frames hold too little of a token, wider ones make the bridge larger than the model."""

_SEQUENCE_MODELS = (nn.RNNBase, nn.TransformerEncoder, nn.TransformerEncoderLayer, nn.MultiheadAttention)
_CHANNELS_FIRST = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.BatchNorm1d, nn.BatchNorm2d)


@final
@dataclass(frozen=True, slots=True)
class LayerReport:
    """What a layer returns. shape: for the longer probe; layout, frames_per_second, width: None where `problem` says
    why the layer cannot be supervised."""

    name: str
    kind: str
    shape: tuple[int, ...] | None
    layout: str | None
    frames_per_second: float | None
    width: int | None
    problem: str | None


def list_layers(model: nn.Module, *, sample_rate: int) -> list[LayerReport]:
    """Every submodule of `model` in the order of `named_modules`, after two runs on noise. The model is left as it was.

    Raises ConfigError for a model that cannot be tapped or does not return a waveform of its input's shape.
    """
    check_model(model)
    calling = calling_of(model)
    names = [name for name, _ in model.named_modules() if name]
    short, long = (_outputs(model, calling, names, shape) for shape in probe_shapes(sample_rate))
    modules = dict(model.named_modules())
    return [_report(name, modules[name], short[name], long[name], sample_rate) for name in names]


def recommended(layers: list[LayerReport], model: nn.Module) -> LayerReport | None:
    """The layer to try first: the last sequence model over time; without one, the one deepest in the model.

    "Deepest" is the layer with the fewest numbers a second, where the model has condensed most, the last of equals. The
    model's last layer and what holds it are its output, and so are layers beside it, unless there are no others. Layers
    with a frame rate or width outside FRAMES_PER_SECOND and WIDTH are left out. None where no layer is left.
    """
    modules = dict(model.named_modules())
    usable = [layer for layer in layers if layer.problem is None and _in_range(layer)]
    sequence = [layer for layer in usable if isinstance(modules[layer.name], _SEQUENCE_MODELS)]
    if sequence:
        return sequence[-1]
    inner = {layer.name: layer for layer in reversed(_before_the_output(usable))}
    best = min(inner.values(), key=_numbers_per_second, default=None)
    while best and (holder := inner.get(best.name.rpartition(".")[0])) and _same_frames(holder, best):
        best = holder  # "dense", not its last part "dense.1"
    return best


def _before_the_output(usable: list[LayerReport]) -> list[LayerReport]:
    if not usable:
        return []
    end = usable[-1].name
    group = end.rpartition(".")[0]
    others = [layer for layer in usable if not f"{end}.".startswith(f"{layer.name}.")]
    return [layer for layer in others if not (group and layer.name.startswith(f"{group}."))] or others


def _numbers_per_second(layer: LayerReport) -> float:
    return (layer.width or 0) * (layer.frames_per_second or 0.0)


def _same_frames(a: LayerReport, b: LayerReport) -> bool:
    return (a.shape, a.layout) == (b.shape, b.layout)


def _in_range(layer: LayerReport) -> bool:
    rate, width = layer.frames_per_second or 0.0, layer.width or 0
    return FRAMES_PER_SECOND[0] <= rate <= FRAMES_PER_SECOND[1] and WIDTH[0] <= width <= WIDTH[1]


def _outputs(model: nn.Module, calling: Calling, names: list[str], shape: tuple[int, int]) -> dict[str, Tensor | str]:
    """What each layer returned, or why that is no tensor from a single call."""
    modules = dict(model.named_modules())
    taps = {name: Tap() for name in names}
    handles = [modules[name].register_forward_hook(tap) for name, tap in taps.items()]
    found: dict[str, Tensor | str] = {}
    try:
        with untouched(model):
            for tap in taps.values():
                tap.armed = True
            calling.enhance(model, *probe_input(model, shape))
    finally:
        for handle in handles:
            handle.remove()
    for name, tap in taps.items():
        try:
            found[name] = first_tensor(only_output(tap.outputs, name), name)
        except LayerError:
            found[name] = "not called" if not tap.outputs else _unusable(tap.outputs)
    return found


def _unusable(outputs: list[object]) -> str:
    return f"called {len(outputs)} times" if len(outputs) > 1 else f"returns {type(outputs[0]).__name__}"


def _report(name: str, module: nn.Module, short: Tensor | str, long: Tensor | str, sample_rate: int) -> LayerReport:
    kind = type(module).__name__
    if isinstance(short, str) or isinstance(long, str):
        problem = short if isinstance(short, str) else str(long)
        return LayerReport(name, kind, None, None, None, None, problem=problem)
    shape = tuple(long.shape)
    layout = guess_layout(module, short, long, sample_rate)
    if layout is None:
        return LayerReport(name, kind, shape, None, None, None, problem="no single axis of utterances and of time")
    frames = [layout.to_frames(output) for output in (short, long)]
    samples = [length for _, length in probe_shapes(sample_rate)]
    rate = sample_rate * (frames[1].shape[1] - frames[0].shape[1]) / (samples[1] - samples[0])
    return LayerReport(name, kind, shape, str(layout), rate, int(frames[1].shape[2]), problem=None)


def guess_layout(module: nn.Module, short: Tensor, long: Tensor, sample_rate: int) -> Layout | None:
    """The layout that both outputs agree with: b counts the utterances, t grows with the length, the rest is width.

    Of two other axes the one after b is c for convolutions and norms of channels, and the last is c elsewhere. None
    where batch or time is joined with something else, or there are more than four axes.
    """
    (batch_short, samples_short), (batch_long, samples_long) = probe_shapes(sample_rate)
    sizes = list(zip(short.shape, long.shape, strict=False))
    if short.ndim != long.ndim or not 3 <= short.ndim <= 4:
        return None
    batch = [axis for axis, pair in enumerate(sizes) if pair == (batch_short, batch_long)]
    growth = samples_long / samples_short
    time = [axis for axis, (a, b) in enumerate(sizes) if b > a and abs(b / growth - a) <= 4 and axis not in batch[:1]]
    rest = [axis for axis in range(short.ndim) if axis not in (*batch[:1], *time)]
    if not batch or len(time) != 1 or any(sizes[axis][0] != sizes[axis][1] for axis in rest):
        return None
    axes = dict.fromkeys(rest, "c")
    if len(rest) == 2:
        channels = rest[0] if isinstance(module, _CHANNELS_FIRST) or rest[0] == batch[0] + 1 else rest[1]
        axes = {axis: "c" if axis == channels else "f" for axis in rest}
    axes[batch[0]], axes[time[0]] = "b", "t"
    return Layout(tuple(axes[axis] for axis in range(short.ndim)))
