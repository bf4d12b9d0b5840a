"""How a layer's output becomes frames: by a layout such as "b t c" or "b c f t", or by a function of the user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, final

import torch
from torch import Tensor

from cmkt.errors import ConfigError, LayerError
from cmkt.transfer.tap import first_tensor

WIDTH_AXES = "fc"


class FrameReading(Protocol):
    """Makes frames (B, F, C) of whatever a layer returned."""

    def __call__(self, output: Any, /) -> Tensor: ...


def reading_of(layout: str | FrameReading, layer: str) -> LayoutReading | FunctionReading:
    """How frames are made of the output of the layer of that name.

    Raises: ConfigError for a layout that is neither a function nor names axes as `parse_layout` takes them.
    """
    if isinstance(layout, str):
        return LayoutReading(layer, parse_layout(layout))
    if not callable(layout):
        raise ConfigError(
            f'`layout` must be a string such as "b t c", or a function that makes frames (utterances, frames, width) '
            f"of what the layer returns, but is {layout!r} instead."
        )
    return FunctionReading(layer, layout)


@final
@dataclass(frozen=True, slots=True)
class LayoutReading:
    """Frames of the tensor that a layer returned, or of the first in its tuple, whose axes are known."""

    layer: str
    layout: Layout

    def __call__(self, output: Any, /) -> Tensor:
        """(B, F, C). Raises: LayerError when there is no such tensor, or its axes are not as many."""
        return self.layout.to_frames(first_tensor(output, self.layer))

    def __str__(self) -> str:
        return f'"{self.layout}"'


@final
@dataclass(frozen=True, slots=True)
class FunctionReading:
    """Frames that a function of the user's makes of a layer's output."""

    layer: str
    function: Callable[[Any], Tensor]

    def __call__(self, output: Any, /) -> Tensor:
        """(B, F, C). Raises: LayerError when the function gives something else."""
        frames = self.function(output)
        if not isinstance(frames, Tensor) or frames.ndim != 3 or not frames.is_floating_point():
            given = f"{frames.dtype} of shape {tuple(frames.shape)}" if isinstance(frames, Tensor) else type(frames)
            raise LayerError(
                "`layout` must make real frames (utterances, frames, width) of what the layer returns, but of "
                f"{self.layer!r} it made {given} instead."
            )
        return frames

    def __str__(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)


@final
@dataclass(frozen=True, slots=True)
class Layout:
    """The order of a layer's axes: b batch, t time, and the width as c (channels), f (frequency) or both."""

    axes: tuple[str, ...]

    def axis(self, name: str) -> int:
        """The index of the axis called `name`."""
        return self.axes.index(name)

    def to_frames(self, output: Tensor) -> Tensor:
        """The output as frames (B, F, C); frequency and channels are joined, real and imaginary parts as well.

        Raises: LayerError when the number of axes differs from the layout's.
        """
        if output.ndim != len(self.axes):
            raise LayerError(
                f'`layout` must have as many axes as the layer\'s output, but is "{self}" for an output of shape '
                f"{tuple(output.shape)}."
            )
        order = [self.axis("b"), self.axis("t"), *(self.axis(name) for name in WIDTH_AXES if name in self.axes)]
        frames = output.permute(order)
        if frames.is_complex():
            frames = torch.view_as_real(frames)
        return frames.flatten(start_dim=2)

    def __str__(self) -> str:
        return " ".join(self.axes)


def parse_layout(text: str) -> Layout:
    """The layout that `text` names, such as "b t c", "b c t", "b c f t" or "b t f c".

    Raises: ConfigError when an axis is unknown, appears twice, or batch, time or width is missing.
    """
    axes = tuple(text.split())
    complete = "b" in axes and "t" in axes and any(name in axes for name in WIDTH_AXES)
    known = all(name in ("b", "t", "c", "f") for name in axes)
    if not (complete and known and len(set(axes)) == len(axes)):
        raise ConfigError(
            f"`layout` must name each axis once, separated by spaces: b (batch), t (time), and c (channels), "
            f'f (frequency) or both, as in "b t c" or "b c f t", but is {text!r} instead.'
        )
    return Layout(axes)
