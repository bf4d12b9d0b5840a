"""The tap: the forward hook that takes a layer's output while a model trains.

It refers to nothing, so a model that carries it saves, copies and pickles as it would without it: a bound method of a
trainer in its place would drag the trainer, the teacher and the optimiser into `torch.save(model)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

from torch import Tensor, nn

from cmkt.errors import LayerError


@final
class Tap:
    """A forward hook that keeps what its layer returns while it is armed, and copies and pickles empty."""

    __slots__ = ("armed", "outputs")

    def __init__(self) -> None:
        self.armed = False
        self.outputs: list[object] = []

    def __call__(self, module: nn.Module, arguments: tuple[Any, ...], output: object) -> None:
        if self.armed:
            self.outputs.append(output)

    def __reduce__(self) -> tuple[type[Tap], tuple[()]]:
        return Tap, ()

    @contextmanager
    def recording(self) -> Iterator[list[object]]:
        """Arms the tap for the block and gives the list that it fills; afterwards the tap holds nothing."""
        recorded: list[object] = []
        self.outputs, self.armed = recorded, True
        try:
            yield recorded
        finally:
            self.outputs, self.armed = [], False


def only_output(recorded: list[object], layer: str) -> object:
    """What the layer returned in its single call.

    Raises: LayerError when the layer was not called exactly once.
    """
    if len(recorded) != 1:
        raise LayerError(
            f"`layer` must be called exactly once in a forward pass, but {layer!r} was called {len(recorded)} times. "
            "Tap a layer that contains it or follows it."
        )
    return recorded[0]


def first_tensor(output: object, layer: str) -> Tensor:
    """The tensor that a layer returned; of a tuple or list (as from an LSTM) the first element.

    Raises: LayerError when it is something else.
    """
    found = output[0] if isinstance(output, (tuple, list)) and output else output
    if not isinstance(found, Tensor):
        raise LayerError(
            f"`layer` must return a tensor, or a tuple that starts with one, but {layer!r} returned "
            f"{type(output).__name__} instead. Tap a layer inside it, or give a function as `layout` that makes frames "
            "of it."
        )
    return found


def tensors_in(output: object) -> Iterator[Tensor]:
    """Every tensor in an output of nested tuples, lists and dicts, in order."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, (tuple, list, dict)):
        for part in output.values() if isinstance(output, dict) else output:
            yield from tensors_in(part)
