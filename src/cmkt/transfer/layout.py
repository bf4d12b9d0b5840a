"""Layouts: which axis of a layer's output is what, written as in "b t c" or "b c f t"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from cmkt.errors import ConfigError, LayerError

WIDTH_AXES = "fc"


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
