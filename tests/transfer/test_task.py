from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from cmkt.errors import ConfigError, LayerError
from cmkt.transfer.alignment import AlignmentSpec
from cmkt.transfer.attach import attach
from cmkt.transfer.attention import Attention
from cmkt.transfer.shift import Shift
from cmkt.transfer.shift_schedule import ShiftChange
from cmkt.transfer.sinkhorn import Sinkhorn
from cmkt.transfer.task import TransferTask
from cmkt.types import Losses, Teacher

NOISY = torch.randn(3, 800, generator=torch.Generator().manual_seed(9))
TEXTS = ["a b c d", None, "e f"]
SETTINGS: dict[str, Any] = {"layer": "encoder.2", "layout": "b c t", "sample_rate": 8000}


@pytest.fixture
def make_task(make_net: Callable[[], nn.Sequential], teacher: Teacher, loss: nn.Module) -> Callable[..., TransferTask]:
    def make(**changes: Any) -> TransferTask:
        settings = SETTINGS | {"teacher": teacher, "loss": loss, "alignment": Attention(heads=2, width=16)} | changes
        return attach(settings.pop("model", None) or make_net(), **settings)

    return make


def run(task: TransferTask, texts: list[str | None] | None = None, lengths: Tensor | None = None) -> Losses:
    losses: Losses = task(NOISY, clean=torch.zeros_like(NOISY), texts=texts or TEXTS, lengths=lengths)
    return losses


def backward(losses: Losses) -> None:
    losses.total.backward()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_total_is_the_weighted_sum(make_task: Callable[..., TransferTask], alpha: float) -> None:
    losses = run(make_task(alpha=alpha))
    assert losses.total.item() == pytest.approx(
        alpha * losses.enhancement.item() + (1 - alpha) * losses.transfer.item()
    )
    assert losses.tokens == 6


def test_reductions_of_the_same_batch_by_hand(make_task: Callable[..., TransferTask]) -> None:
    """Six tokens in two utterances with text: sum = mean * 6 / 2."""
    mean, total = (run(make_task(reduction=reduction).eval()).transfer.item() for reduction in ("mean", "sum"))
    assert total == pytest.approx(mean * 3, rel=1e-5)


def test_gradients_reach_the_model_and_every_part_of_the_bridge(make_task: Callable[..., TransferTask]) -> None:
    task = make_task(alpha=0.0)
    backward(run(task))
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in task.branches.parameters())
    weight = task.model.get_submodule("encoder.0").weight
    assert isinstance(weight, Tensor)
    assert weight.grad is not None
    assert weight.grad.abs().sum() > 0


def test_the_bridge_warm_up_keeps_the_transfer_loss_from_the_model(make_task: Callable[..., TransferTask]) -> None:
    task = make_task(alpha=0.0, bridge_warmup_steps=2)
    weight = task.model.get_submodule("encoder.0").get_parameter("weight")
    reached = []
    for _ in range(3):
        task.zero_grad()
        losses = run(task)
        norms = task.gradient_norms(losses)
        backward(losses)
        assert all(p.grad is not None for p in task.branches.parameters())
        reached.append(weight.grad is not None and float(weight.grad.abs().sum()) > 0)
        assert (norms["transfer"] > 0) == reached[-1]
    assert reached == [False, False, True]


@pytest.mark.parametrize("texts", [[None, None, None], ["", "  ", None]])
def test_a_batch_without_text_is_a_connected_zero_and_trains_on_the_other_loss(
    make_task: Callable[..., TransferTask], texts: list[str | None]
) -> None:
    task = make_task()
    losses = run(task, texts)
    backward(losses)
    assert losses.transfer.item() == 0.0
    assert losses.transfer.requires_grad
    assert losses.tokens == 0
    assert all(p.grad is not None and not bool(p.grad.any()) for p in task.branches.parameters())


def test_an_utterance_without_text_changes_nothing_for_the_others(make_task: Callable[..., TransferTask]) -> None:
    task = make_task().eval()
    some = run(task, TEXTS).transfer
    alone = task(NOISY[[0, 2]], clean=NOISY[[0, 2]], texts=["a b c d", "e f"]).transfer
    assert torch.allclose(some, alone, atol=1e-6)


def test_valid_frames_are_rounded_up(make_task: Callable[..., TransferTask]) -> None:
    task = make_task()
    lengths = torch.tensor([800, 401, 1])
    run(task, lengths=lengths)
    seen = task._branches()[0].seen
    assert seen is not None
    assert seen.frames.mask.sum(dim=1).tolist() == [math.ceil(50 * n / 800) for n in (800, 401, 1)] == [50, 26, 1]


def test_both_gradient_norms_are_those_of_autograd(make_task: Callable[..., TransferTask]) -> None:
    task = make_task(alpha=0.25)
    losses = run(task)
    norms = task.gradient_norms(losses)
    seen = task._branches()[0].seen
    assert seen is not None
    (gradient,) = torch.autograd.grad(0.75 * losses.transfer, seen.output, retain_graph=True)
    assert norms["transfer"] == pytest.approx(float(gradient.norm()))
    (gradient,) = torch.autograd.grad(0.25 * losses.enhancement, seen.output, retain_graph=True)
    assert norms["enhancement"] == pytest.approx(float(gradient.norm()))
    backward(losses)


def test_gradient_norms_need_a_forward_pass_with_gradients(make_task: Callable[..., TransferTask]) -> None:
    task = make_task()
    with torch.no_grad():
        losses = run(task)
    with pytest.raises(ConfigError, match="must follow a forward pass with gradients"):
        task.gradient_norms(losses)


def test_mismatch_gap_is_positive_once_the_bridge_reads_the_frames(make_task: Callable[..., TransferTask]) -> None:
    task = make_task(alpha=0.0, alignment=Attention(shift=Shift(tokens=1), heads=2, width=16))
    optimizer = torch.optim.Adam(task.parameters(), lr=1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        backward(run(task, ["a b c", "d e f", "g h i"]))
        optimizer.step()
    gap = task.mismatch_gap()
    assert gap is not None
    assert gap > 0.1


def test_mismatch_gap_is_none_without_a_partner(make_task: Callable[..., TransferTask]) -> None:
    task = make_task()
    run(task, lengths=torch.tensor([800, 500, 300]))
    assert task.mismatch_gap() is None
    run(task, [None, None, None])
    assert task.mismatch_gap() is None


def test_mismatch_gap_needs_a_forward_pass(make_task: Callable[..., TransferTask]) -> None:
    with pytest.raises(ConfigError, match="must follow a forward pass"):
        make_task().mismatch_gap()


def test_drawn_shifts_differ_from_step_to_step_and_a_resumed_task_draws_the_same(
    make_task: Callable[..., TransferTask],
) -> None:
    spec = Attention(shift=Shift(frames=(-20, 20)), heads=2, width=16)
    task = make_task(alignment=spec)
    task.model.eval()  # no dropout, so that only the draw can differ
    values = [run(task).transfer.item() for _ in range(4)]
    assert all(a != b for a, b in pairwise(values))
    resumed = make_task(alignment=spec)
    resumed.load_state_dict(task.state_dict() | {"_extra_state": {"step": 2}})
    resumed.model.eval()
    assert [run(resumed).transfer.item() for _ in range(2)] == values[2:]


@pytest.mark.parametrize("make_alignment", [lambda shift: Attention(shift, heads=2, width=16), Sinkhorn])
def test_a_schedule_follows_the_steps_of_the_task_and_a_resumed_task_goes_on_with_it(
    make_task: Callable[..., TransferTask], make_alignment: Callable[[Shift], AlignmentSpec]
) -> None:
    """ "a b c d" and "e f" have six tokens; a shift of k leaves max(0, 4 - k) + max(0, 2 - k)."""
    shift = Shift(tokens=0, changes=(ShiftChange(step=3, tokens=3), ShiftChange(step=4, tokens=3, frames=(-9, 9))))
    task = make_task(alignment=make_alignment(shift))
    counted, drawn = [], []
    for step in range(7):
        if step == 2:
            state = task.state_dict()
        losses = run(task)
        counted.append(losses.tokens)
        drawn.append(losses.transfer.item())
    assert counted == [6, 4, 2, 1, 1, 1, 1]
    assert len(set(drawn[4:])) == 3
    resumed = make_task(alignment=make_alignment(shift))
    resumed.load_state_dict(state)
    again = [run(resumed) for _ in range(5)]
    assert [each.tokens for each in again] == counted[2:]
    assert [each.transfer.item() for each in again] == drawn[2:]
    assert run(resumed.eval()).tokens == 1


def test_evaluation_draws_the_same_every_time_and_does_not_advance(make_task: Callable[..., TransferTask]) -> None:
    task = make_task(alignment=Attention(shift=Shift(frames=(-20, 20)))).eval()
    assert run(task).transfer.item() == run(task).transfer.item()
    assert task.step == 0


def test_two_tasks_with_one_seed_train_alike(make_task: Callable[..., TransferTask]) -> None:
    results = []
    for _ in range(2):
        torch.manual_seed(0)
        task = make_task(seed=3)
        optimizer = torch.optim.Adam(task.parameters())
        for _ in range(3):
            optimizer.zero_grad()
            losses = run(task)
            backward(losses)
            optimizer.step()
        results.append(losses.total.item())
    assert results[0] == results[1]


def test_nothing_is_nan_under_bfloat16_autocast(make_task: Callable[..., TransferTask]) -> None:
    task = make_task()
    with torch.autocast("cpu", torch.bfloat16):
        losses = run(task, lengths=torch.tensor([800, 400, 16]))
    backward(losses)
    assert losses.transfer.dtype == torch.float32
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in task.parameters())


def test_a_detached_task_says_so(make_task: Callable[..., TransferTask]) -> None:
    task = make_task()
    task.detach()
    task.detach()
    with pytest.raises(ConfigError, match="must be attached to train, but was detached"):
        run(task)


def test_texts_and_clean_that_do_not_fit_are_errors(make_task: Callable[..., TransferTask]) -> None:
    task = make_task()
    with pytest.raises(ConfigError, match="`texts` must have 3 entries"):
        run(task, ["a"])
    for wrong in (None, "abc"):  # a string has as many entries as letters
        with pytest.raises(ConfigError, match="`texts` must be a list"):
            task(NOISY, clean=NOISY, texts=wrong)
    with pytest.raises(ConfigError, match="`clean` must have noisy's shape"):
        task(NOISY, clean=NOISY[:, 1:], texts=TEXTS)


def test_a_frozen_layer_is_an_error_because_the_model_would_learn_nothing(
    make_task: Callable[..., TransferTask],
) -> None:
    task = make_task()
    task.model.get_submodule("encoder").requires_grad_(False)
    with pytest.raises(LayerError, match="`layer` must give a gradient to the model"):
        run(task)


class Checkpointed(nn.Module):
    def __init__(self, net: nn.Sequential, *, reentrant: bool) -> None:
        super().__init__()
        self.net = net
        self.reentrant = reentrant

    def forward(self, noisy: Tensor) -> Tensor:
        output: Tensor = checkpoint(self.net, noisy, use_reentrant=self.reentrant)
        return output


def test_activation_checkpointing_gives_the_same_gradients(
    make_task: Callable[..., TransferTask], make_net: Callable[[], nn.Sequential]
) -> None:
    plain = make_task()
    wrapped = make_task(model=Checkpointed(make_net(), reentrant=False), layer="net.encoder.2")
    for task in (plain, wrapped):
        torch.manual_seed(0)
        backward(run(task))
    for a, b in zip(plain.parameters(), wrapped.parameters(), strict=True):
        assert a.grad is not None
        assert b.grad is not None
        assert torch.allclose(a.grad, b.grad, atol=1e-6)


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_a_reentrant_checkpoint_is_an_error(
    make_net: Callable[[], nn.Sequential], make_task: Callable[..., TransferTask]
) -> None:
    task = make_task(model=nn.Sequential(make_net(), Checkpointed(make_net(), reentrant=True)), layer="1.net.encoder.2")
    with pytest.raises(LayerError, match="reentrant checkpoint"):
        run(task)


class Wrapped(nn.Module):
    """A class of the user's own: torch.compile skips bare containers of torch."""

    def __init__(self, net: nn.Sequential) -> None:
        super().__init__()
        self.net = net

    def forward(self, noisy: Tensor) -> Tensor:
        output: Tensor = self.net(noisy)
        return output


COMPILER_READS_GRAD = "ignore:The .grad attribute of a Tensor that is not a leaf"


@pytest.mark.filterwarnings(COMPILER_READS_GRAD, "ignore:Dynamo does not know how to trace")
def test_compiling_the_task_gives_the_same_losses_and_gradients(
    make_task: Callable[..., TransferTask], make_net: Callable[[], nn.Sequential]
) -> None:
    plain, task = (make_task(model=Wrapped(make_net()), layer="net.encoder.2") for _ in range(2))
    for each in (plain, task):
        each.model.eval()
    compiled = torch.compile(task, backend="aot_eager")
    for _ in range(2):
        expected, losses = run(plain), compiled(NOISY, clean=torch.zeros_like(NOISY), texts=TEXTS)
        assert torch.allclose(losses.transfer, expected.transfer, atol=1e-6)
        assert torch.allclose(losses.total, expected.total, atol=1e-6)
    backward(losses)
    assert all(p.grad is not None for p in task.parameters())


@pytest.mark.filterwarnings(COMPILER_READS_GRAD)
def test_the_model_inside_compiles_as_one_graph_with_the_tap_in_it(
    make_task: Callable[..., TransferTask], make_net: Callable[[], nn.Sequential]
) -> None:
    plain, task = (make_task(model=Wrapped(make_net()), layer="net.encoder.2") for _ in range(2))
    for each in (plain, task):
        each.model.eval()
    task.model.compile(backend="aot_eager", fullgraph=True)
    for _ in range(3):
        expected, losses = run(plain), run(task)
        assert torch.allclose(losses.total, expected.total, atol=1e-6)
    backward(losses)
    assert all(p.grad is not None for p in task.parameters())
    assert task.detach()(NOISY).shape == NOISY.shape
