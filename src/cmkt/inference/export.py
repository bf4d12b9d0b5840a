"""Exporting a causal enhancer as one stateful ONNX graph: spectrum and state in, spectrum and state out.

The number of frames and the batch are free, so the same file enhances whole signals and streams. The STFT stays outside
(`torch.istft` does not export), complex numbers become their parts, batch norms are folded into the convolutions, and
shapes are constants wherever they can be. A model of waveforms becomes a graph of waveforms, with whole hops in the
place of frames.

Shapes: B channels, K frames, W bins.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, final, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from cmkt.audio.write import atomic_path
from cmkt.errors import CheckpointError, ConfigError, MissingExtraError, extra_hint
from cmkt.inference.card import package_version, read_card
from cmkt.inference.causal import FrameModel, WaveModel
from cmkt.inference.enhancer import TorchEnhancer, hop_samples, stepping
from cmkt.inference.graph_card import (
    CARD_KEY,
    FORMAT,
    NO_WINDOW,
    SEAL_KEY,
    UNSEALED,
    WAVE_FORMAT,
    WINDOW,
    GraphCard,
    State,
    seal,
)
from cmkt.inference.graph_shapes import fold_shapes
from cmkt.inference.load import find_card, load_torch
from cmkt.inference.onnx import UNUSABLE, OnnxEnhancer

if TYPE_CHECKING:
    from cmkt.inference.array_enhancer import ArrayEnhancer
    from cmkt.types import FloatArray

TOLERANCE = 1e-4
"""How far the graph's waveform may be from torch's, full scale being 1."""

OPSET = 17
"""The first with layer normalisation."""

_CHECK_SECONDS = 3.0
_CHECK_CHANNELS = 2
_CHECK_LEVEL = 0.1
_SEED = 0
_EXAMPLE = (3, 5)  # channels and frames of what is traced


@runtime_checkable
class PartsModel(Protocol):
    """What makes a frame model exportable."""

    def enhance_parts(
        self, real: Tensor, imaginary: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """`enhance_frames` in real numbers."""


@runtime_checkable
class Foldable(Protocol):
    """A part of a model that is faster without its batch norm. In evaluation both are the same map."""

    def fold_norm(self) -> None:
        """Puts the norm into the weights beside it."""


@final
@dataclass(frozen=True, slots=True)
class Export:
    """What was written. difference: the largest one between the waveforms of graph and torch, whole and streamed."""

    path: Path
    card: GraphCard
    difference: float
    bytes: int


def export_saved(source: str | Path, path: str | Path, *, allow_foreign: bool = False) -> Export:
    """Exports a saved enhancer, named as for `cmkt.load`. Raises what `cmkt.load` and `export_model` do."""
    card = read_card(find_card(source))
    model = load_torch(source, allow_foreign=allow_foreign).model
    return export_model(model, path, weights_sha256=card.sha256, training=card.training)


def export_model(
    model: nn.Module, path: str | Path, *, weights_sha256: str = "", training: Mapping[str, Any] | None = None
) -> Export:
    """Writes a model as a graph, once that has been checked against the model, whole and frame by frame.

    weights_sha256 and training are kept in the graph's metadata. The model itself is left as it is.
    Raises ConfigError if the model cannot be run frame by frame in real numbers, CheckpointError, and writes nothing,
    if it does not export or the graph differs from it by more than 1e-4.
    """
    path = Path(path)
    model = copy.deepcopy(model).cpu().float().eval()
    states = _states(_checked(model))
    card = _card(model, states, weights_sha256, training or {})
    wanted = _enhanced(TorchEnhancer(model))
    for module in model.modules():
        if isinstance(module, Foldable):
            module.fold_norm()
    with atomic_path(path) as temporary:
        _export(model, card, temporary)
        difference = _finished(temporary, card, wanted)
        if not difference <= TOLERANCE:
            raise CheckpointError(
                f"The graph, whole and frame by frame, must agree with the model within {TOLERANCE}, but differs by "
                f"{difference:.2g}. Nothing was written. {_promise(card)}"
            )
    return Export(path, card, difference, path.stat().st_size)


@final
class _Parts(nn.Module):
    """The map that is exported."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, real: Tensor, imaginary: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        assert isinstance(self.model, PartsModel)
        enhanced_real, enhanced_imaginary, after = self.model.enhance_parts(real, imaginary, list(state))
        return enhanced_real, enhanced_imaginary, *after


@final
class _Samples(nn.Module):
    """The map that is exported of a model of waveforms."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, noisy: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        assert isinstance(self.model, WaveModel)
        enhanced, after = self.model.enhance_samples(noisy, list(state))
        return enhanced, *after


def _checked(model: nn.Module) -> FrameModel | WaveModel:
    name = type(model).__name__
    if not getattr(model, "causal", False):
        raise ConfigError(
            f"A model must be causal to become a graph, but {name} needs the whole utterance. Train a CRN."
        )
    steps = stepping(model)
    if steps is None:
        raise ConfigError(
            f"A model must run frame by frame to become a graph, but {name} lacks one of `stft`, `initial_state` and "
            "`enhance_frames`, or of `hop_samples`, `delay_samples`, `initial_state` and `enhance_samples`."
        )
    if isinstance(steps, FrameModel) and not isinstance(model, PartsModel):
        raise ConfigError(
            f"ONNX has no complex numbers, so {name} must have `enhance_parts(real, imaginary, state)`, but has none. "
            "Put its computation there, in real numbers, and call that in `enhance_frames`."
        )
    return steps


def _states(model: FrameModel | WaveModel) -> tuple[State, ...]:
    """Names and shapes of the state. Raises ConfigError unless it starts with zeros and has the batch in front."""
    two, three = model.initial_state(2), model.initial_state(3)
    for index, (a, b) in enumerate(zip(two, three, strict=True)):
        if a.shape[:1] != (2,) or b.shape != (3, *a.shape[1:]) or bool(a.any()):
            raise ConfigError(
                f"The state before the first frame must be zeros of shape (batch, ...), but tensor {index} of "
                f"{type(model).__name__}.initial_state(2) has shape {tuple(a.shape)}{' and others' * bool(a.any())}."
            )
    return tuple(State(f"state_{i}", f"next_state_{i}", tuple(tensor.shape[1:])) for i, tensor in enumerate(two))


def _card(model: nn.Module, states: tuple[State, ...], weights_sha256: str, training: Mapping[str, Any]) -> GraphCard:
    enhancer = TorchEnhancer(model)
    assert isinstance(model, FrameModel | WaveModel)
    hop, waves = hop_samples(model), not isinstance(model, FrameModel)
    return GraphCard(
        sample_rate=enhancer.sample_rate,
        window_samples=model.stft.window_samples if isinstance(model, FrameModel) else hop + model.delay_samples,
        hop_samples=hop,
        window=NO_WINDOW if waves else WINDOW,
        format=WAVE_FORMAT if waves else FORMAT,
        latency_samples=enhancer.latency_samples,
        states=states,
        class_path=f"{type(model).__module__}.{type(model).__qualname__}",
        weights_sha256=weights_sha256,
        cmkt_version=package_version(),
        training=dict(training),
    )


def _finished(path: Path, card: GraphCard, wanted: FloatArray) -> float:
    """The largest difference from torch's waveform of the graph, whole and streamed, once it is described and written.

    Raises CheckpointError if it does not run at every number of channels and frames.
    """
    try:
        path.write_bytes(_described(path, card))
        graph = OnnxEnhancer(path)
        return max(_distance(_enhanced(graph), wanted), _distance(_streamed(graph), wanted))
    except UNUSABLE as error:
        raise CheckpointError(
            f"The graph must run for any number of channels and frames, but does not: {str(error).strip()}. "
            f"Nothing was written. {card.class_path} must not turn sizes into numbers, as `int(x.shape[1])` does."
        ) from error


def _described(path: Path, card: GraphCard) -> bytes:
    """The file with the card in its metadata, sealed, without what the exporter notes of our source files."""
    import onnx

    graph = onnx.load(path)
    fold_shapes(graph, lambda channels, frames: _silence(card, channels, frames))
    onnx.helper.set_model_props(graph, {CARD_KEY: card.dumps(), SEAL_KEY: UNSEALED})
    graph.producer_name, graph.producer_version = "cmkt", card.cmkt_version
    for node in graph.graph.node:
        node.doc_string = ""
    return seal(graph.SerializeToString())


def _export(model: nn.Module, card: GraphCard, path: Path) -> None:
    """What torch's TorchScript exporter makes of the model.

    It is the old one, but the one that works: with torch 2.13 and onnxscript 0.7.2 the new one took 26 to 85 s instead
    of one, failed at the second model of a process, and left out the small constant that keeps silence from becoming
    0 * inf, as its optimiser takes 1e-12 for zero.
    """
    if find_spec("onnx") is None:
        raise MissingExtraError(extra_hint("onnx", "export"))
    shape = _signal_shape(card, *_EXAMPLE)
    signal = torch.randn(len(card.signal_inputs), *shape, generator=torch.Generator().manual_seed(_SEED))
    state = [torch.zeros(_EXAMPLE[0], *state.shape) for state in card.states]
    steps = "samples" if card.of_waveforms else "frames"
    free = {name: {0: "channels"} for name in (*card.inputs, *card.outputs)}
    free |= {name: {0: "channels", 1: steps} for name in (*card.signal_inputs, *card.signal_outputs)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its age, and of what is checked afterwards
            torch.onnx.export(
                _Samples(model) if card.of_waveforms else _Parts(model),
                (*signal, *state),
                str(path),
                dynamo=False,
                input_names=card.inputs,
                output_names=card.outputs,
                dynamic_axes=free,
                opset_version=OPSET,
            )
    except RuntimeError as error:
        raise CheckpointError(
            f"{card.class_path} must be exportable, but torch cannot: {error}. `{_exported_method(card)}` must consist "
            "of operations that ONNX has, and must not depend on the values of its inputs."
        ) from error


def _exported_method(card: GraphCard) -> str:
    return "enhance_samples" if card.of_waveforms else "enhance_parts"


def _promise(card: GraphCard) -> str:
    """What a model broke whose graph differs from it."""
    if card.of_waveforms:
        return (
            f"`enhance_samples` of {card.class_path} must give the same for any number of hops at once, and remember "
            "nothing but its state."
        )
    return (
        f"`enhance_parts` of {card.class_path} must compute what `enhance_frames` does for any number of frames, and "
        "the model must use the STFT of cmkt."
    )


def _silence(card: GraphCard, channels: int, frames: int) -> dict[str, FloatArray]:
    """Inputs of the graph."""
    shapes = dict.fromkeys(card.signal_inputs, _signal_shape(card, channels, frames))
    shapes |= {state.input: (channels, *state.shape) for state in card.states}
    return {name: np.zeros(shape, dtype=np.float32) for name, shape in shapes.items()}


def _signal_shape(card: GraphCard, channels: int, frames: int) -> tuple[int, ...]:
    """Of each input before the states, for so many frames or hops."""
    if card.of_waveforms:
        return channels, frames * card.hop_samples
    return channels, frames, card.window_samples // 2 + 1


def _noise_like(sample_rate: int) -> FloatArray:
    """(2, 3 s): noise that swells four times a second, with half a second of silence and a click."""
    samples = int(_CHECK_SECONDS * sample_rate)
    time = np.arange(samples) / sample_rate
    noise = np.random.default_rng(_SEED).standard_normal((_CHECK_CHANNELS, samples))
    audio = _CHECK_LEVEL * noise * (1.0 + np.sin(2.0 * np.pi * 4.0 * time)) * (np.abs(time - 1.25) > 0.25)
    audio[:, samples // 2] = 1.0
    return audio.astype(np.float32)


def _enhanced(enhancer: ArrayEnhancer) -> FloatArray:
    return enhancer.enhance(_noise_like(enhancer.sample_rate), sample_rate=enhancer.sample_rate)


def _streamed(enhancer: OnnxEnhancer) -> FloatArray:
    """Frame by frame."""
    audio, hop = _noise_like(enhancer.sample_rate), enhancer.card.hop_samples
    with enhancer.stream(sample_rate=enhancer.sample_rate, channels=_CHECK_CHANNELS) as stream:
        parts = [stream.feed(audio[:, start : start + hop]) for start in range(0, audio.shape[-1], hop)]
        return np.concatenate((*parts, stream.flush()), axis=-1)


def _distance(a: FloatArray, b: FloatArray) -> float:
    return float(np.abs(a - b).max())
