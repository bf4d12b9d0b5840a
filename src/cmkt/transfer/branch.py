"""A branch: one supervised layer of an enhancer, from what its tap records to the distances of its alignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from cmkt.errors import LayerError
from cmkt.transfer.alignment import AlignmentSpec, say_step
from cmkt.transfer.layout import FrameReading
from cmkt.transfer.mismatch import mismatch_pairs, take_frames
from cmkt.transfer.tap import Tap, only_output, tensors_in
from cmkt.types import Aligned, Frames, Tokens


@dataclass(frozen=True)
class Supervised:
    """A layer to supervise, where there are several, as of `cmkt.attach`.

    layer: its name; layout: the axes of its output, or a callable; alignment: default `Attention()`; weight: of its
    L_CMA beside those of the other layers, above 0: the weights are divided by their sum.
    """

    layer: str
    layout: str | FrameReading = "b t c"
    alignment: AlignmentSpec | None = None
    weight: float = 1.0


@final
@dataclass(frozen=True, slots=True)
class Seen:
    """What a branch saw in the latest forward pass.

    output: the first tensor in what the layer returned that has a gradient; frames: made of it; aligned: what the
    alignment gave.
    """

    output: Tensor
    frames: Frames
    aligned: Aligned


@final
class Branch(nn.Module):
    """The alignment of one layer with the tap that feeds it.

    seen: of the latest forward pass; it is neither copied nor pickled, because its tensors are inside a graph.
    """

    def __init__(
        self, *, layer: str, reading: FrameReading, alignment: nn.Module, seconds_per_frame: float, weight: float
    ) -> None:
        super().__init__()
        self.layer = layer
        self.reading = reading
        self.alignment = alignment
        self.seconds_per_frame = seconds_per_frame
        self.weight = weight
        self.tap = Tap()
        self.seen: Seen | None = None
        self._handle: RemovableHandle | None = None

    @property
    def attached(self) -> bool:
        """Whether the tap is on its layer."""
        return self._handle is not None

    def attach_to(self, model: nn.Module) -> None:
        """Puts the tap on the layer of that name."""
        self._handle = model.get_submodule(self.layer).register_forward_hook(self.tap)

    def detach(self) -> None:
        """Takes the tap off, where it is on."""
        if self._handle is not None:
            self._handle.remove()
        self._handle = self.seen = None

    def forward(
        self,
        recorded: list[object],
        tokens: Tokens,
        *,
        lengths: Tensor,
        samples: int,
        generator: torch.Generator,
        needs_gradient: bool,
        step: int = 0,
        cut: bool = False,
    ) -> Aligned:
        """What the alignment makes of the layer's output. lengths: (B,) of `samples`; step: training passes so far;
        cut: the model gets no gradient.

        Raises: LayerError when the layer was not called exactly once, or should give a gradient and gives none.
        """
        raw = only_output(recorded, self.layer)
        values = self.reading(raw)
        frames = self._frames(values.detach() if cut else values, lengths, samples)
        output = next((tensor for tensor in tensors_in(raw) if tensor.requires_grad), frames.values)
        if needs_gradient and not output.requires_grad:
            raise LayerError(
                f"`layer` must give a gradient to the model, but {self.layer!r} gives none: it and all before it are "
                "frozen, or it is inside a reentrant checkpoint (use_reentrant=False works)."
            )
        say_step(self.alignment, step)
        aligned: Aligned = self.alignment(frames, tokens, generator)
        self.seen = Seen(output, frames, aligned)
        return aligned

    def mismatch(self, tokens: Tokens, generator: torch.Generator) -> Tensor:
        """By how much the distance of each counted token grows on another utterance's frames, of the latest pass."""
        if self.seen is None:
            return torch.zeros(0)
        own, other = mismatch_pairs(self.seen.frames, tokens)
        if not own:
            return torch.zeros(0)
        chosen = Tokens(values=tokens.values[own], mask=tokens.mask[own])
        true, wrong = (self.alignment(take_frames(self.seen.frames, rows), chosen, generator) for rows in (own, other))
        difference: Tensor = (wrong.distance - true.distance)[true.counted & wrong.counted]
        return difference

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"seen": None}

    def _frames(self, values: Tensor, lengths: Tensor, samples: int) -> Frames:
        count = values.shape[1]
        valid = (lengths * count + samples - 1) // samples  # ceil(F * length / T) in integers
        mask = torch.arange(count, device=values.device) < valid[:, None]
        return Frames(values=values, mask=mask, seconds_per_frame=self.seconds_per_frame)
