"""The ONNX enhancer: the same as the torch one, in numpy and onnxruntime. Imports no torch.

Shapes: C channels, K frames.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from cmkt.errors import CheckpointError, ConfigError
from cmkt.inference.array_enhancer import ArrayEnhancer
from cmkt.inference.causal import CausalProcessor
from cmkt.inference.graph_card import GraphCard, check_seal, parse_graph_card
from cmkt.signal.stft import FrameTransform

if TYPE_CHECKING:
    from cmkt.inference.stream import Processor
    from cmkt.types import FloatArray

_ERRORS_ONLY = 3
UNUSABLE = (
    runtime.Fail, runtime.InvalidArgument, runtime.InvalidGraph, runtime.InvalidProtobuf, runtime.NoModel,
    runtime.NotImplemented, runtime.RuntimeException,
)  # fmt: skip
"""What onnxruntime raises for a graph that it cannot load or run."""


@final
class OnnxEnhancer(ArrayEnhancer):
    """An enhancer around a graph that `cmkt export` wrote.

    threads: of the CPU that one call may use. Frames are small, so more than one rarely pays.
    Raises ConfigError if the file cannot be read, CheckpointError if it is damaged, of another origin or version.
    """

    def __init__(self, path: str | Path, *, threads: int = 1) -> None:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ConfigError(f"The model {path} must be readable, but is not: {error}.") from error
        self._sha256 = hashlib.sha256(data).hexdigest()
        self._session = _session(data, str(path), threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._card = parse_graph_card(metadata, str(path))
        check_seal(data, metadata, str(path))
        _check_names(self._session, self._card, str(path))
        super().__init__(sample_rate=self._card.sample_rate, frame_latency_samples=self._card.latency_samples)

    @property
    def sha256(self) -> str:
        """64 hex digits that change with any byte of the file."""
        return self._sha256

    @property
    def card(self) -> GraphCard:
        """What the graph says about itself."""
        return self._card

    def _processor(self, channels: int, window_samples: int) -> Processor:
        kind = OnnxSamples if self._card.of_waveforms else OnnxFrames
        return CausalProcessor(kind(self._session, self._card, channels=channels), channels=channels)


class _GraphSteps:
    """A graph on its way through one signal, with its state."""

    def __init__(self, session: onnxruntime.InferenceSession, card: GraphCard, *, channels: int) -> None:
        self._session, self._card = session, card
        self._state = [np.zeros((channels, *state.shape), dtype=np.float32) for state in card.states]

    @property
    def window_samples(self) -> int:
        """Length of a frame; of a graph of waveforms, a hop and the delay."""
        return self._card.window_samples

    @property
    def hop_samples(self) -> int:
        """From one frame to the next, what is taken at a time."""
        return self._card.hop_samples

    def _run(self, *signals: FloatArray) -> list[FloatArray]:
        """The outputs before the states, which are kept."""
        inputs = dict(zip(self._card.inputs, (*signals, *self._state), strict=True))
        outputs: list[FloatArray] = self._session.run(self._card.outputs, inputs)
        count = len(self._card.signal_outputs)
        self._state = outputs[count:]
        return outputs[:count]


@final
class OnnxFrames(_GraphSteps):
    """`cmkt.inference.causal.Frames` of a graph."""

    def __init__(self, session: onnxruntime.InferenceSession, card: GraphCard, *, channels: int) -> None:
        super().__init__(session, card, channels=channels)
        self._transform = FrameTransform(card.window_samples, card.hop_samples)

    def advance(self, signal: FloatArray) -> FloatArray:
        """The next K frames, enhanced, windowed and added: (C, window + (K - 1) * hop) in and out."""
        spectrum = self._transform.analyse(signal)
        spectrum.real, spectrum.imag = self._run(
            np.ascontiguousarray(spectrum.real), np.ascontiguousarray(spectrum.imag)
        )
        return self._transform.synthesise(spectrum)


@final
class OnnxSamples(_GraphSteps):
    """`cmkt.inference.causal.Frames` of a graph of waveforms."""

    def advance(self, signal: FloatArray) -> FloatArray:
        """The next K hops, enhanced and late: (C, delay + K * hop) in and out, the last `delay` samples zero."""
        delay = self.window_samples - self.hop_samples
        (enhanced,) = self._run(np.ascontiguousarray(signal[:, delay:], dtype=np.float32))
        return np.pad(enhanced, ((0, 0), (0, delay)))


def _session(data: bytes, name: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except UNUSABLE as error:
        raise CheckpointError(
            f"{name} must be a whole ONNX graph, but onnxruntime cannot load it: {error}. Copy or export it again."
        ) from error


def _check_names(session: onnxruntime.InferenceSession, card: GraphCard, name: str) -> None:
    found = [node.name for node in session.get_inputs()], [node.name for node in session.get_outputs()]
    if found != (card.inputs, card.outputs):
        raise CheckpointError(
            f"The inputs and outputs of {name} must be {card.inputs} and {card.outputs}, but are {found[0]} and "
            f"{found[1]}. Export it again."
        )
