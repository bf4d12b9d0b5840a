"""The contract between transfer and a model, anybody's: `check_transfer(model, Place("encoder.3", "b c t"))`.

Attaching must change nothing about the model but the gradients it gets. A check passes silently or raises
AssertionError with what was promised and what happened. The model itself is left alone: every check works on a copy.
"""

from __future__ import annotations

import copy
import io
import pickle
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.checkpoint import checkpoint

from cmkt.errors import CmktError
from cmkt.transfer.attach import attach
from cmkt.transfer.inspection import layer_name
from cmkt.transfer.layout import FrameReading
from cmkt.transfer.task import TransferTask

_SEED = 20250307
_SECONDS = 0.4
_LEVEL = 0.05
_DECAY = 0.75
_TOLERANCE = 1e-5
_MOST_BYTES = 700  # what a tap may add to a saved model: two names and an empty object
_TEXTS = ("a few words", "and some more of them")


@final
@dataclass(frozen=True, slots=True)
class Place:
    """Where transfer is attached: `layer`, `layout` and `sample_rate` of `cmkt.attach`."""

    layer: str
    layout: str | FrameReading = "b t c"
    sample_rate: int | None = None

    def attached(self, model: nn.Module) -> TransferTask:
        """A task on the model itself."""
        return attach(model, layer=self.layer, layout=self.layout, teacher=_Words(), sample_rate=self.sample_rate)

    def noisy(self, model: nn.Module) -> Tensor:
        """Two utterances of noise for it."""
        rate: Any = model.sample_rate if self.sample_rate is None else self.sample_rate
        generator = torch.Generator().manual_seed(_SEED)
        return _LEVEL * torch.randn(2, int(_SECONDS * rate), generator=generator)


def check_untouched(model: nn.Module, place: Place) -> None:
    """Class, state_dict keys and outputs are identical before attaching, while attached and after detaching."""
    model = copy.deepcopy(model).eval()
    noisy, keys, kind, hooks = place.noisy(model), list(model.state_dict()), type(model), _hooks(model)
    before = _run(model, noisy)
    task = place.attached(model)
    for state in ("attached", "detached"):
        _require(list(model.state_dict()) == keys, f"the keys of the state_dict must stay while {state}")
        _require(torch.equal(_run(model, noisy), before), f"the output must stay while {state}")
        _require(task.detach() is model, "`detach` must give the very model back")
    _require(type(model) is kind, f"the class must stay {kind}, but is {type(model)}")
    _require(_hooks(model) == hooks, f"no hook must stay, but {_hooks(model) - hooks} do")


def check_training(model: nn.Module, place: Place) -> None:
    """The transfer loss alone gives finite gradients to the model and to every parameter of the bridge."""
    model = copy.deepcopy(model).train()
    task = place.attached(model)
    noisy = place.noisy(model)
    task(noisy, clean=noisy, texts=_TEXTS).transfer.backward()
    reached = [p.grad for p in model.parameters() if p.grad is not None and bool(p.grad.any())]
    _require(bool(reached), "the transfer loss must give a gradient to the model, but gives none")
    gradients = [*reached, *(p.grad for p in task.branches.parameters())]
    finite = all(gradient is not None and bool(gradient.isfinite().all()) for gradient in gradients)
    _require(finite, "every gradient of model and bridge must be there and finite")


def check_copies(model: nn.Module, place: Place) -> None:
    """In the middle of training, `deepcopy`, `pickle` and `torch.save` give the model without the task."""
    model = copy.deepcopy(model)
    alone = len(_saved(model))
    task = place.attached(model)
    _step(task, place.noisy(model))
    model.zero_grad(set_to_none=True)
    grown = len(_saved(model)) - alone
    _require(grown < _MOST_BYTES, f"a saved model must not hold the task, but grew by {grown} bytes")
    copies = {
        "deepcopy": copy.deepcopy(model),
        "pickle": pickle.loads(pickle.dumps(model)),
        "torch.save": torch.load(io.BytesIO(_saved(model)), weights_only=False),
    }
    wanted = _run(model.eval(), place.noisy(model))
    for how, twin in copies.items():
        with task._branches()[0].tap.recording() as recorded:
            output = _run(twin.eval(), place.noisy(model))
        _require(torch.equal(output, wanted), f"{how} must give a model with the same output")
        _require(not recorded, f"a copy by {how} must not record for the task")


def check_average(model: nn.Module, place: Place) -> None:
    """An exponential moving average of the model's weights works while it is trained with transfer."""
    model = copy.deepcopy(model)
    task = place.attached(model)
    average = AveragedModel(model, avg_fn=lambda averaged, current, _: _DECAY * averaged + (1.0 - _DECAY) * current)
    average.update_parameters(model)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    _step(task, place.noisy(model))
    average.update_parameters(model)
    after, averaged = dict(model.named_parameters()), dict(average.module.named_parameters())
    _require(any(not torch.equal(after[name], before[name]) for name in before), "a step must move the weights")
    for name, value in averaged.items():
        wanted = _DECAY * before[name] + (1.0 - _DECAY) * after[name]
        _close(value, wanted, f"the moving average of {name}")


def check_checkpointing(model: nn.Module, place: Place) -> None:
    """Activation checkpointing of the whole model, which runs it twice, gives the gradients that it has without."""
    plain = place.attached(copy.deepcopy(model).train())
    name = layer_name(model, place.layer)  # its end alone would not be found behind the prefix
    wrapped = Place(f"net.{name}", place.layout, place.sample_rate or getattr(model, "sample_rate", None))
    saving = wrapped.attached(_Checkpointed(copy.deepcopy(model).train()))
    for task in (plain, saving):
        _backward(task, place.noisy(model))
    for (name, wanted), found in zip(plain.model.named_parameters(), saving.model.parameters(), strict=True):
        _require((wanted.grad is None) == (found.grad is None), f"{name} must have a gradient in both ways or in none")
        if wanted.grad is not None and found.grad is not None:
            _close(found.grad, wanted.grad, f"the gradient of {name} under activation checkpointing")


def check_refusal(model: nn.Module, place: Place) -> None:
    """A layer that is not there, and a layout that cannot be, are errors before anything changes."""
    model = copy.deepcopy(model)
    flags, hooks = [module.training for module in model.modules()], _hooks(model)
    for wrong in (Place("no_such_layer", place.layout, place.sample_rate), Place(place.layer, "t c b f", 16_000)):
        try:
            wrong.attached(model)
        except CmktError:
            pass
        else:
            raise AssertionError(f"{wrong.layer!r} as {wrong.layout!r} must be refused, but was taken.")
        _require(_hooks(model) == hooks, "a refused layer must leave no hook")
        _require([module.training for module in model.modules()] == flags, "a refused layer must leave train flags")


def check_compiled(model: nn.Module, place: Place) -> None:
    """`torch.compile` of the task, with the aot_eager backend, gives the losses and gradients that it has without."""
    plain, task = (place.attached(copy.deepcopy(model).eval()) for _ in range(2))
    compiled: Any = torch.compile(task, backend="aot_eager")
    noisy = place.noisy(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what the compiler leaves to Python
        wanted, losses = (each(noisy, clean=0.5 * noisy, texts=_TEXTS) for each in (plain, compiled))
        for each in (wanted, losses):
            each.total.backward()
    _close(losses.transfer, wanted.transfer, "the transfer loss of the compiled task")
    _close(losses.enhancement, wanted.enhancement, "the enhancement loss of the compiled task")
    for (name, expected), found in zip(plain.named_parameters(), task.parameters(), strict=True):
        _require(
            (expected.grad is None) == (found.grad is None), f"{name} must have a gradient in both ways or in none"
        )
        if expected.grad is not None and found.grad is not None:
            _close(found.grad, expected.grad, f"the gradient of {name} of the compiled task")


TRANSFER_CHECKS: tuple[Callable[[nn.Module, Place], None], ...] = (
    check_untouched,
    check_training,
    check_copies,
    check_average,
    check_checkpointing,
    check_refusal,
)
"""Every part of the contract but `check_compiled`, which takes long."""


def check_transfer(model: nn.Module, place: Place) -> None:
    """Run `TRANSFER_CHECKS` on a model. Raises AssertionError at the first breach."""
    for check in TRANSFER_CHECKS:
        check(model, place)


@final
class _Words:
    """A teacher with a fixed vector for every word."""

    width = 8
    identity = "words"

    def embed(self, texts: Sequence[str]) -> list[Tensor]:
        """(N, 8) for each text of N words."""
        return [torch.stack([_vector(word) for word in text.split()]) for text in texts]


@final
class _Checkpointed(nn.Module):
    """The model with its activations thrown away and computed again."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, noisy: Tensor) -> Tensor:
        """As the model's."""
        output: Tensor = checkpoint(self.net, noisy, use_reentrant=False)
        return output


def _vector(word: str) -> Tensor:
    return torch.randn(_Words.width, generator=torch.Generator().manual_seed(sum(map(ord, word))))


def _backward(task: TransferTask, noisy: Tensor) -> None:
    """One pass whose draws, of dropout for instance, are always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        task(noisy, clean=0.5 * noisy, texts=_TEXTS).total.backward()


def _step(task: TransferTask, noisy: Tensor) -> None:
    optimizer = torch.optim.SGD(task.parameters(), lr=0.1)
    _backward(task.train(), noisy)
    optimizer.step()


def _run(model: nn.Module, noisy: Tensor) -> Tensor:
    with torch.no_grad():
        output: Tensor = model(noisy)
    return output


def _hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def _saved(model: nn.Module) -> bytes:
    buffer = io.BytesIO()
    torch.save(model, buffer)
    return buffer.getvalue()


def _close(found: Tensor, wanted: Tensor, what: str) -> None:
    found, wanted = found.detach(), wanted.detach()
    difference = float((found - wanted).abs().max()) if found.numel() else 0.0
    scale = max(1.0, float(wanted.abs().max()) if wanted.numel() else 0.0)
    _require(
        difference <= _TOLERANCE * scale, f"{what} must agree within {_TOLERANCE}, but differs by {difference:.3g}"
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(f"{message}.")
