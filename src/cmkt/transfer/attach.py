"""Attaching an alignment to one layer of a model that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import torch
from torch import nn

from cmkt.errors import ConfigError
from cmkt.losses.mae import MAE
from cmkt.text.teacher import resolve_teacher
from cmkt.transfer.alignment import AlignmentSpec, check_teacher
from cmkt.transfer.attention import Attention
from cmkt.transfer.calling import calling_of
from cmkt.transfer.inspection import check_model, find_layer, inspect_layer
from cmkt.transfer.layout import parse_layout
from cmkt.transfer.objective import Reduction
from cmkt.transfer.tap import Tap
from cmkt.transfer.task import TransferTask
from cmkt.types import Teacher


def attach(
    model: nn.Module,
    *,
    layer: str,
    layout: str = "b t c",
    teacher: str | Teacher,
    alignment: AlignmentSpec | None = None,
    loss: nn.Module | None = None,
    alpha: float = 0.7,
    reduction: Reduction = "mean",
    sample_rate: int | None = None,
    seed: int = 0,
) -> TransferTask:
    """A task that trains `model` with linguistic transfer at `layer`; `task.detach()` gives the model back untouched.

    model: (B, T) -> (B, T), called with `lengths=` where its forward has that parameter. layer: exact name of a
    submodule that is called once in a forward pass. layout: the axes of its output, such as "b t c" or "b c f t".
    teacher: "embedded", a store, a language model's name or folder, or a Teacher. alignment: default `Attention()`.
    loss: L_SE, called as loss(estimate=, reference=, lengths=), default `MAE()`. alpha: weight of L_SE, 0 to 1.
    reduction: of L_CMA, "mean" over tokens or the paper's "sum". sample_rate: in Hz, default `model.sample_rate`.
    seed: of the bridge's weights and of drawn shifts; torch's random state is left alone.

    Everything is checked before the model is touched. Raises: LayerError for a layer that does not exist, has no time
    axis or is not called exactly once; ConfigError for anything else that cannot work, such as a teacher that the
    alignment does not take. Reference: arXiv 2503.07078.
    """
    check_model(model)
    target = find_layer(model, layer)
    parsed = parse_layout(layout)
    _check_objective(alpha, reduction)
    rate = _sample_rate(model, sample_rate)
    resolved = resolve_teacher(teacher)
    spec = alignment or Attention()
    check_teacher(spec, resolved)
    calling = calling_of(model)
    facts = inspect_layer(model, calling, layer=layer, layout=parsed, sample_rate=rate)
    bridge = spec.build(facts.width, resolved.width, seed=seed)
    device = next((tensor.device for tensor in _tensors(target, model)), torch.device("cpu"))
    task = TransferTask(
        model,
        alignment=bridge.to(device),
        loss=(loss or MAE()).to(device),
        teacher=resolved,
        tap=Tap(),
        calling=calling,
        layer=layer,
        layout=parsed,
        seconds_per_frame=facts.seconds_per_frame,
        alpha=alpha,
        reduction=reduction,
        seed=seed,
    )
    task.training = model.training  # not task.train(), which would unfreeze submodules that are in eval mode
    task._register()
    return task


def _check_objective(alpha: float, reduction: str) -> None:
    if not 0.0 <= alpha <= 1.0:
        raise ConfigError(f"`alpha` must lie between 0 and 1, but is {alpha} instead.")
    if reduction not in ("mean", "sum"):
        raise ConfigError(f"`reduction` must be 'mean' or 'sum', but is {reduction!r} instead.")


def _sample_rate(model: nn.Module, given: int | None) -> int:
    rate = getattr(model, "sample_rate", None) if given is None else given
    if not isinstance(rate, int) or rate < 1:
        raise ConfigError(
            f"`sample_rate` must be the rate in Hz at which {type(model).__name__} works, but is {rate!r} instead. "
            "Pass sample_rate=, or give the model an attribute of that name."
        )
    return rate


def _tensors(target: nn.Module, model: nn.Module) -> Iterator[torch.Tensor]:
    return chain(target.parameters(), model.parameters(), target.buffers(), model.buffers())
