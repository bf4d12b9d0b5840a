"""What an exported ONNX graph says about itself, in its metadata: all that a runtime needs, and a seal over the file.

The entry `cmkt` is one JSON object, `cmkt_sha256` the SHA-256 of the whole file with those 64 digits as zeros. Shapes
and names of the graph's inputs and outputs are in docs/onnx.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, final

from cmkt.errors import CheckpointError

FORMAT = 1
WAVE_FORMAT = 2
"""Of a graph of waveforms, which earlier versions cannot run."""

CARD_KEY = "cmkt"
SEAL_KEY = "cmkt_sha256"
UNSEALED = "0" * 64
WINDOW = "root of a periodic Hann window times sqrt(2 * hop / window)"

NO_WINDOW = "none"

SPECTRUM_INPUTS = ("real", "imaginary")
SPECTRUM_OUTPUTS = ("enhanced_real", "enhanced_imaginary")
WAVE_INPUTS = ("noisy",)
WAVE_OUTPUTS = ("enhanced",)


@final
@dataclass(frozen=True, slots=True)
class State:
    """One state tensor: the input it is, the output that is the next one, and its shape without the batch axis."""

    input: str
    output: str
    shape: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class GraphCard:
    """What the entry `cmkt` holds.

    sample_rate in Hz; window_samples, hop_samples and window describe the STFT around the graph; latency_samples is
    window + hop + look-ahead; every state is zero before the first frame; class_path and weights_sha256 name the model
    and the weights file that it was exported from, training is what the model's own card says of them. A graph of
    waveforms has `window` "none" and format 2; what it gives lies window_samples - hop_samples behind what it gets, and
    its latency_samples are the window_samples.
    """

    sample_rate: int
    window_samples: int
    hop_samples: int
    latency_samples: int
    states: tuple[State, ...]
    class_path: str
    weights_sha256: str
    window: str = WINDOW
    cmkt_version: str = ""
    format: int = FORMAT
    training: Mapping[str, Any] = field(default_factory=dict)

    def dumps(self) -> str:
        """The card as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)

    @property
    def of_waveforms(self) -> bool:
        """Whether the graph takes samples and not spectra."""
        return self.window == NO_WINDOW

    @property
    def signal_inputs(self) -> tuple[str, ...]:
        """Names of the inputs before the states."""
        return WAVE_INPUTS if self.of_waveforms else SPECTRUM_INPUTS

    @property
    def signal_outputs(self) -> tuple[str, ...]:
        """Names of the outputs before the states."""
        return WAVE_OUTPUTS if self.of_waveforms else SPECTRUM_OUTPUTS

    @property
    def inputs(self) -> list[str]:
        """Names of the graph's inputs, in order."""
        return [*self.signal_inputs, *(state.input for state in self.states)]

    @property
    def outputs(self) -> list[str]:
        """Names of the graph's outputs, in order."""
        return [*self.signal_outputs, *(state.output for state in self.states)]


def parse_graph_card(metadata: Mapping[str, str], name: str) -> GraphCard:
    """The card in a graph's metadata. Raises CheckpointError, naming the file, if there is none that can be used."""
    if CARD_KEY not in metadata:
        raise CheckpointError(
            f"{name} must be a graph that `cmkt export` wrote, but has no metadata `{CARD_KEY}`. A graph of another "
            "origin does not say what its inputs mean."
        )
    try:
        fields = json.loads(metadata[CARD_KEY])
    except ValueError as error:
        raise _unusable(name, str(error)) from error
    if not isinstance(fields, dict) or "format" not in fields:
        raise _unusable(name, "it has no `format`")
    if fields["format"] not in (FORMAT, WAVE_FORMAT):
        raise CheckpointError(
            f"{name} must have format {FORMAT} or {WAVE_FORMAT}, but has {fields['format']!r} (written by cmkt "
            f"{fields.get('cmkt_version')}). Upgrade cmkt, or export the model with this version."
        )
    try:
        states = tuple(State(state["input"], state["output"], tuple(state["shape"])) for state in fields.pop("states"))
        card = GraphCard(**fields, states=states)
    except (KeyError, TypeError) as error:
        raise _unusable(name, str(error)) from error
    wrong = _wrong(card)
    if wrong:
        raise _unusable(name, f"`{wrong}` is {getattr(card, wrong)!r}")
    return card


def seal(data: bytes) -> bytes:
    """The file with its own SHA-256 in place of the zeros that stand for it."""
    assert data.count(UNSEALED.encode()) == 1, "the seal must stand for zeros in one place"
    return data.replace(UNSEALED.encode(), hashlib.sha256(data).hexdigest().encode())


def check_seal(data: bytes, metadata: Mapping[str, str], name: str) -> None:
    """Raises CheckpointError if the file is not as it was written. A file without seal passes."""
    digits = metadata.get(SEAL_KEY)
    if digits is None:
        return
    if hashlib.sha256(data.replace(digits.encode(), UNSEALED.encode())).hexdigest() != digits:
        raise CheckpointError(
            f"{name} must be as `cmkt export` wrote it, but its SHA-256 differs: it is damaged. Copy or export it "
            f"again. A graph that was changed on purpose must lose its metadata entry `{SEAL_KEY}`."
        )


def _unusable(name: str, reason: str) -> CheckpointError:
    return CheckpointError(f"The metadata `{CARD_KEY}` of {name} must be what this version writes, but {reason}.")


def _wrong(card: GraphCard) -> str | None:
    """The first field that is not of its type or cannot be."""
    numbers = ("sample_rate", "window_samples", "hop_samples", "latency_samples")
    for field_name in numbers:
        value = getattr(card, field_name)
        if not isinstance(value, int) or value < 1:
            return field_name
    shortest = card.hop_samples if card.of_waveforms else 2 * card.hop_samples
    if card.window_samples < shortest or card.window_samples % card.hop_samples:
        return "hop_samples"
    for field_name in ("class_path", "weights_sha256", "cmkt_version"):
        if not isinstance(getattr(card, field_name), str):
            return field_name
    if card.window != (NO_WINDOW if card.format == WAVE_FORMAT else WINDOW):
        return "window"
    sizes = [size for state in card.states for size in state.shape]
    return "states" if not all(isinstance(size, int) and size >= 1 for size in sizes) else None
