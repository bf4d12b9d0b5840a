"""The values that cross from one part to another, and the protocols outsiders implement.

Shapes, once for the whole package: B utterances, T samples, F frames of a layer, C width of a frame, N tokens,
D width of a token. Waveforms have time last; frames and tokens are (B, time, width) with a bool mask, True where real.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    FloatArray = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Frames:
    """Output of one layer of an enhancer, time-major.

    values: (B, F, C); mask: (B, F) bool; seconds_per_frame: time from one frame to the next.
    """

    values: Tensor
    mask: Tensor
    seconds_per_frame: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """Teacher vectors of a batch of transcripts, special tokens removed.

    values: (B, N, D), zero where padded; mask: (B, N) bool. N may be 0, and a row without text has no True.
    """

    values: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class Aligned:
    """What an alignment gives for a batch.

    distance: (B, N), 1 - cos(z_t, zhat_t) (of CTC, nats), zero where not counted; counted: (B, N) bool, the tokens that
    supervise; matrix: (B, N, F), the weight of each frame in zhat_t, rows sum to one where counted.
    """

    distance: Tensor
    counted: Tensor
    matrix: Tensor


@dataclass(frozen=True, slots=True)
class Losses:
    """Scalars of one batch: total is what to differentiate; transfer is L_CMA; tokens is how many tokens it counted."""

    total: Tensor
    enhancement: Tensor
    transfer: Tensor
    tokens: int


@runtime_checkable
class Teacher(Protocol):
    """A frozen language model, or a store of what one said. Not an nn.Module: it is never in a state_dict.

    One that also has `causal: bool | None` says with it whether no vector depends on a later token; the alignment
    Causal needs one that says True.
    """

    @property
    def width(self) -> int:
        """D, the width of a token vector."""

    @property
    def identity(self) -> str:
        """Changes whenever the vectors could: weights, layer, pooling and normalisation are all in it."""

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """One (N_i, D) float32 tensor on the CPU for each text, special tokens removed."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser made of some audio.

    text: as it writes it, empty where it heard no word; confidence: 0 to 1, higher is surer and comparable only within
    one recogniser; None where it has none.
    """

    text: str
    confidence: float | None = None


@runtime_checkable
class Transcriber(Protocol):
    """A speech recogniser. It may hold state that is not shared: one for each process."""

    @property
    def identity(self) -> str:
        """Changes whenever the text could: the recogniser, its version, weights and settings are all in it."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages it knows as ISO 639 codes ("en"); None where it does not say."""

    def transcribe(self, audio: FloatArray, *, sample_rate: int) -> Heard:
        """What it hears in audio (T,), the same whatever it heard before.

        Raises: AudioError where the audio is not (T,) and finite.
        """


@runtime_checkable
class Enhancer(Protocol):
    """Anything that enhances arrays; the torch and the ONNX enhancer are two of these."""

    @property
    def sample_rate(self) -> int:
        """The rate in Hz at which the model works."""

    def enhance(self, noisy: FloatArray, *, sample_rate: int, attenuation_limit_db: float | None = None) -> FloatArray:
        """Enhanced audio of the same shape, (time,) or (channels, time), at the same rate."""


class Metric(Protocol):
    """A score of one utterance. Raises MetricUndefinedError where it has no value."""

    def __call__(self, *, estimate: FloatArray, reference: FloatArray, sample_rate: int) -> float: ...
