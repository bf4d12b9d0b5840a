"""Attaching alignments to the layers of a model that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

import torch
from torch import nn

from cmkt.errors import ConfigError
from cmkt.losses.mae import MAE
from cmkt.text.teacher import resolve_teacher
from cmkt.transfer.alignment import AlignmentSpec, check_teacher
from cmkt.transfer.attention import Attention
from cmkt.transfer.branch import Branch, Supervised
from cmkt.transfer.calling import Calling, calling_of
from cmkt.transfer.inspection import check_model, inspect_layer, layer_name
from cmkt.transfer.layout import FrameReading, reading_of
from cmkt.transfer.objective import Reduction
from cmkt.transfer.task import TransferTask
from cmkt.types import Teacher


def attach(
    model: nn.Module,
    *,
    layer: str | Sequence[Supervised],
    layout: str | FrameReading = "b t c",
    teacher: str | Teacher,
    alignment: AlignmentSpec | None = None,
    loss: nn.Module | None = None,
    alpha: float = 0.7,
    reduction: Reduction = "mean",
    bridge_warmup_steps: int = 0,
    sample_rate: int | None = None,
    seed: int = 0,
) -> TransferTask:
    """A task that trains `model` with linguistic transfer at `layer`; `task.detach()` gives the model back untouched.

    model: (B, T) -> (B, T), called with `lengths=` where its forward has that parameter. layer: name of a submodule
    that is called once in a forward pass, its end or a pattern where no other one fits; or several `Supervised`, each
    with its own layout, alignment and weight (hierarchical transfer). layout: the axes of its output, such as "b t c"
    or "b c f t", or a function that makes frames (B, F, C) of whatever the layer returns.
    teacher: "embedded" (English; Mandarin is "embedded-zh"), a store, a language model's name or folder, or a Teacher.
    alignment: default `Attention()`.
    loss: L_SE, called as loss(estimate=, reference=, lengths=), default `MAE()`. alpha: weight of L_SE, 0 to 1.
    reduction: of L_CMA, "mean" over tokens or the paper's "sum". bridge_warmup_steps: of a model that is trained
    already, passes in which L_CMA trains the fresh bridge alone. sample_rate: in Hz, default `model.sample_rate`.
    seed: of the bridge's weights and of drawn shifts; torch's random state is left alone.

    Everything is checked before the model is touched. Raises: LayerError for a layer that does not exist, has no time
    axis or is not called exactly once; ConfigError for anything else that cannot work, such as a teacher that the
    alignment does not take. Reference: arXiv 2503.07078; several layers: arXiv 2309.16093.
    """
    check_model(model)
    supervised = _supervised(model, layer, layout, alignment)
    _check_objective(alpha, reduction, bridge_warmup_steps)
    rate = _sample_rate(model, sample_rate)
    resolved = resolve_teacher(teacher)
    for each in supervised:
        check_teacher(each.alignment or Attention(), resolved)
    calling = calling_of(model)
    branches = [
        _branch(model, each, calling, token_width=resolved.width, sample_rate=rate, seed=seed + place)
        for place, each in enumerate(supervised)
    ]
    device = next((tensor.device for tensor in _tensors(model.get_submodule(branches[0].layer), model)), "cpu")
    task = TransferTask(
        model,
        branches=[branch.to(device) for branch in branches],
        loss=(loss or MAE()).to(device),
        teacher=resolved,
        calling=calling,
        alpha=alpha,
        reduction=reduction,
        bridge_warmup_steps=bridge_warmup_steps,
        seed=seed,
    )
    task.training = model.training  # not task.train(), which would unfreeze submodules that are in eval mode
    for branch in branches:
        branch.attach_to(model)
    return task


def _supervised(
    model: nn.Module, layer: str | Sequence[Supervised], layout: str | FrameReading, alignment: AlignmentSpec | None
) -> list[Supervised]:
    """What was asked for, with exact names."""
    if isinstance(layer, str):
        return [Supervised(layer_name(model, layer), layout, alignment)]
    if layout != "b t c" or alignment is not None:
        raise ConfigError(
            "`layout` and `alignment` must be given to each Supervised where there are several layers, but were given "
            "to attach."
        )
    named = [replace(each, layer=layer_name(model, each.layer)) for each in layer]
    names = [each.layer for each in named]
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"`layer` must name at least one layer, and each once, but names {names}.")
    if wrong := [each for each in named if not 0 < each.weight < float("inf")]:
        raise ConfigError(f"`weight` of {wrong[0].layer!r} must be above 0 and finite, but is {wrong[0].weight}.")
    return named


def _branch(
    model: nn.Module, asked: Supervised, calling: Calling, *, token_width: int, sample_rate: int, seed: int
) -> Branch:
    reading = reading_of(asked.layout, asked.layer)
    facts = inspect_layer(model, calling, layer=asked.layer, reading=reading, sample_rate=sample_rate)
    return Branch(
        layer=asked.layer,
        reading=reading,
        alignment=(asked.alignment or Attention()).build(facts.width, token_width, seed=seed),
        seconds_per_frame=facts.seconds_per_frame,
        weight=asked.weight,
    )


def _check_objective(alpha: float, reduction: str, bridge_warmup_steps: int) -> None:
    if not 0.0 <= alpha <= 1.0:
        raise ConfigError(f"`alpha` must lie between 0 and 1, but is {alpha} instead.")
    if reduction not in ("mean", "sum"):
        raise ConfigError(f"`reduction` must be 'mean' or 'sum', but is {reduction!r} instead.")
    if bridge_warmup_steps < 0:
        raise ConfigError(f"`bridge_warmup_steps` must be 0 or more, but is {bridge_warmup_steps} instead.")


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
