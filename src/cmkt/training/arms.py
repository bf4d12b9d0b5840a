"""The arms of a comparison: the same model and loss, plain or with linguistic transfer, behind one call.

Both arms are called as `arm(noisy, clean=, lengths=, texts=) -> Losses` and keep the model under `model`, so that a
training loop needs to know neither. Building an arm takes no random number: the same seed gives both the same model.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final

import torch
from torch import Tensor, nn

from cmkt.errors import ConfigError, DataError, StoreError
from cmkt.text.centred import CentredTeacher
from cmkt.text.controls import Control, ShuffledTeacher, controlled, real_teacher
from cmkt.text.store import StoredTeacher
from cmkt.training.data import MixtureData
from cmkt.transfer.attach import attach
from cmkt.transfer.branch import Supervised
from cmkt.transfer.calling import calling_of, check_lengths
from cmkt.transfer.objective import Reduction
from cmkt.transfer.task import TransferTask
from cmkt.types import Losses, Teacher


class ConfiguredAlignment(Protocol):
    """An `AlignmentSpec` as a configuration may name it. jsonargparse takes declared return types literally, so that
    an alignment whose `build` declares its own class needs Any here."""

    def build(self, frame_width: int, token_width: int, *, seed: int) -> Any:
        """As `AlignmentSpec.build`."""


@final
@dataclass(frozen=True, slots=True)
class SupervisedLayer:
    """One of several layers in a configuration: `cmkt.Supervised`."""

    layer: str
    layout: str = "b t c"
    alignment: ConfiguredAlignment | None = None
    weight: float = 1.0


@final
@dataclass(frozen=True, slots=True)
class Transfer:
    """Settings of linguistic transfer in a configuration; each is that of `cmkt.attach`.

    layer: name of the submodule to supervise, or a list of `SupervisedLayer`, each with its own layout, alignment and
    weight; layout: the axes of its output; teacher: an embedding store, "embedded" (`cmkt fit` takes the shipped model
    for the language of the training transcripts), "characters" (for CTC), a language model's name or folder, or a
    Teacher; control: "shuffled" (every utterance has another one's transcript) or "random" (a random vector for each
    token), to tell language from regularisation; subtract_mean: take the direction that all vectors of the teacher
    share off them, `cmkt.CentredTeacher`;
    alignment: its specification, default `Attention()`; alpha: weight of L_SE; reduction: of L_CMA, "mean" or "sum";
    bridge_warmup_steps: steps in which L_CMA trains the bridge alone;
    seed: of the bridge and of the control; log_gradient_norms_every: steps between logs of the gradient norms of both
    weighted terms at the layer, 0 for never.
    """

    layer: str | list[SupervisedLayer]
    layout: str = "b t c"
    teacher: str | Teacher = "embedded"
    control: Control | None = None
    subtract_mean: bool = False
    alignment: ConfiguredAlignment | None = None
    alpha: float = 0.7
    reduction: Reduction = "mean"
    bridge_warmup_steps: int = 0
    seed: int = 0
    log_gradient_norms_every: int = 100


@final
class PlainTask(nn.Module):
    """The plain arm: `total` is L_SE, `transfer` is zero. Transcripts are accepted and not looked at."""

    def __init__(self, model: nn.Module, loss: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.loss = loss
        self._calling = calling_of(model)

    def forward(
        self, noisy: Tensor, *, clean: Tensor, lengths: Tensor | None = None, texts: Sequence[str | None]
    ) -> Losses:
        """Shape: noisy and clean (B, T), lengths (B,) in samples."""
        del texts
        lengths = check_lengths(lengths, noisy)
        estimate = self._calling.enhance(self.model, noisy, lengths)
        enhancement = self.loss(estimate=estimate, reference=clean, lengths=lengths)
        return Losses(total=enhancement, enhancement=enhancement, transfer=enhancement.new_zeros(()), tokens=0)


def build_arm(model: nn.Module, loss: nn.Module, transfer: Transfer | None) -> PlainTask | TransferTask:
    """The arm that `transfer` asks for. The model and torch's random state are as before.

    Raises what `cmkt.attach` raises.
    """
    _check_loss(loss)
    if transfer is None:
        return PlainTask(model, loss)
    if transfer.log_gradient_norms_every < 0:
        raise ConfigError(
            "`log_gradient_norms_every` must be a number of steps, or 0 for never, "
            f"but is {transfer.log_gradient_norms_every} instead."
        )
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        return attach(
            model,
            layer=_layers(transfer.layer),
            layout=transfer.layout,
            teacher=controlled(
                transfer.teacher, transfer.control, seed=transfer.seed, subtract_mean=transfer.subtract_mean
            ),
            alignment=transfer.alignment,
            loss=loss,
            alpha=transfer.alpha,
            reduction=transfer.reduction,
            bridge_warmup_steps=transfer.bridge_warmup_steps,
            seed=transfer.seed,
        )


def _layers(configured: str | list[SupervisedLayer]) -> str | list[Supervised]:
    if isinstance(configured, str):
        return configured
    return [Supervised(each.layer, each.layout, each.alignment, each.weight) for each in configured]


def _check_loss(loss: nn.Module) -> None:
    taken = inspect.signature(loss.forward).parameters
    open_ended = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values())
    if not open_ended and not {"estimate", "reference", "lengths"} <= taken.keys():
        raise ConfigError(
            "`loss` must be called as loss(estimate=, reference=, lengths=), but "
            f"{type(loss).__name__} takes ({', '.join(taken)}) instead. Use a class of cmkt.losses, or wrap it."
        )


def prepare_teacher(teacher: Teacher, data: MixtureData) -> None:
    """Checks that the teacher fits the data, and gives a shuffled one the training transcripts to choose from, and a
    centred one those to take its mean of.

    Raises as `check_covered`; ConfigError when there are no two different transcripts to shuffle.
    """
    check_covered(teacher, data)
    if isinstance(teacher, ShuffledTeacher) and not teacher.filled:
        teacher.fill(data.train_set.texts)
    inside = teacher.teacher if isinstance(teacher, ShuffledTeacher) else teacher
    if isinstance(inside, CentredTeacher) and not inside.filled:
        inside.fill(data.train_set.texts)


def check_covered(teacher: Teacher, data: MixtureData) -> None:
    """Raises DataError when there is no transcript to learn from, StoreError when a store lacks some of them."""
    teacher = real_teacher(teacher)
    if not any(data.train_set.texts):
        raise DataError(
            f"Transfer needs transcripts, but the utterances in {data.train} have none. "
            "Prepare the folder with transcripts, or train without model.transfer."
        )
    texts = data.texts()
    if not isinstance(teacher, StoredTeacher) or teacher.covers(texts):
        return
    missing = teacher.missing(texts)
    raise StoreError(
        f"The store {teacher.path} must hold every transcript, but lacks {len(missing)} of {len(texts)}, "
        f"such as {missing[0]!r}. Run: cmkt embed --data {data.train} {data.dev} --output {teacher.path}"
    )
