from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cmkt.errors import CmktError, ConfigError, LayerError
from cmkt.transfer.attach import attach
from cmkt.transfer.attention import Attention
from cmkt.transfer.branch import Supervised
from cmkt.transfer.task import TransferTask
from cmkt.types import Teacher

Attach = Callable[..., TransferTask]
SAMPLE_RATE = 8000


@pytest.fixture
def attached(teacher: Teacher, loss: nn.Module) -> Attach:
    def make(model: nn.Module, **changes: Any) -> TransferTask:
        settings: dict[str, Any] = {
            "layer": "encoder.2",
            "layout": "b c t",
            "teacher": teacher,
            "loss": loss,
            "alignment": Attention(heads=2, width=16),
            "sample_rate": SAMPLE_RATE,
        }
        return attach(model, **(settings | changes))

    return make


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def saved(model: nn.Module) -> bytes:
    buffer = io.BytesIO()
    torch.save(model, buffer)
    return buffer.getvalue()


def train_once(task: TransferTask) -> None:
    noisy = torch.randn(2, 800)
    task(noisy, clean=noisy, texts=["a b c", None]).total.backward()


def test_state_dict_and_output_are_identical_before_while_and_after(net: nn.Sequential, attached: Attach) -> None:
    noisy, keys, kind = torch.randn(2, 1600), list(net.state_dict()), type(net)
    before = net.eval()(noisy)
    task = attached(net)
    assert list(net.state_dict()) == keys
    assert torch.equal(net(noisy), before)
    assert task.detach() is net
    assert type(net) is kind
    assert list(net.state_dict()) == keys
    assert torch.equal(net(noisy), before)
    assert hooks(net) == 0


def test_saving_the_model_does_not_grow_and_loads_elsewhere(net: nn.Sequential, attached: Attach) -> None:
    size = len(saved(net))
    task = attached(net)
    train_once(task)
    net.zero_grad(set_to_none=True)
    assert len(saved(net)) < size + 700  # two names and an empty object
    twin = torch.load(io.BytesIO(saved(net)), weights_only=False)
    assert torch.equal(twin.eval()(torch.ones(1, 160)), net.eval()(torch.ones(1, 160)))


def test_a_copied_model_records_nothing_for_the_task(net: nn.Sequential, attached: Attach) -> None:
    task = attached(net)
    train_once(task)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        with task._branches()[0].tap.recording() as recorded:
            twin(torch.ones(1, 160))
        assert recorded == []


def test_a_copied_task_trains_and_detaches_on_its_own(net: nn.Sequential, attached: Attach) -> None:
    task = attached(net)
    train_once(task)
    twin = copy.deepcopy(task)
    train_once(twin)
    assert hooks(twin.detach()) == 0
    train_once(task)
    assert hooks(net) == 1


def test_an_averaged_copy_of_the_model_works(net: nn.Sequential, attached: Attach) -> None:
    task = attached(net)
    average = torch.optim.swa_utils.AveragedModel(net)
    train_once(task)
    average.update_parameters(net)
    assert average(torch.ones(1, 160)).shape == (1, 160)


def test_probing_restores_train_flags_gradients_random_state_and_buffers(net: nn.Sequential, attached: Attach) -> None:
    net.register_module("dropout", nn.BatchNorm1d(12))
    net.get_submodule("encoder").eval()
    net(torch.randn(2, 160)).sum().backward()
    flags = {name: module.training for name, module in net.named_modules()}
    gradients = [None if p.grad is None else p.grad.clone() for p in net.parameters()]
    weights, state = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    attached(net)
    assert {name: module.training for name, module in net.named_modules()} == flags
    assert all(
        torch.equal(p.grad, g)
        for p, g in zip(net.parameters(), gradients, strict=True)
        if g is not None and p.grad is not None
    )
    assert all(torch.equal(value, weights[name]) for name, value in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_arms_share_initial_weights_and_random_numbers(make_net: Callable[[], nn.Sequential], attached: Attach) -> None:
    """Dropout sees the same draws with and without transfer: the bridge consumes none."""
    plain, other, noisy = make_net(), make_net(), torch.randn(2, 800)
    task = attached(other)
    torch.manual_seed(5)
    expected = [plain(noisy) for _ in range(2)]
    torch.manual_seed(5)
    for output in expected:
        losses = task(noisy, clean=torch.zeros_like(noisy), texts=["a b", "c"])
        assert torch.equal(losses.enhancement, output.abs().mean())


def test_facts_of_the_layer_are_measured(net: nn.Sequential, attached: Attach) -> None:
    task = attached(net)
    assert task._branches()[0].seconds_per_frame == pytest.approx(16 / SAMPLE_RATE)
    assert task.get_submodule("branches.0.alignment.bridge.frame_norm").weight.shape == (12,)


def test_seed_decides_the_bridge(make_net: Callable[[], nn.Sequential], attached: Attach) -> None:
    first, again, other = (
        attached(make_net(), seed=seed).get_parameter("branches.0.alignment.bridge.queries.weight")
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


class Net(nn.Module):
    """Has one layer for every way in which a layer can be wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(nn.Conv1d(1, 1, 3, padding=1) for _ in range(4))
        self.twice = nn.Identity()
        self.never = nn.Identity()
        self.pooled = nn.AdaptiveAvgPool1d(1)
        self.dictionary = Dictionary()
        self.sample_rate = SAMPLE_RATE

    def forward(self, noisy: Tensor) -> Tensor:
        x = noisy[:, None]
        for layer in self.encoder:
            x = layer(x)
        self.dictionary(x)
        output: Tensor = (self.twice(self.twice(x)) + self.pooled(x))[:, 0]
        return output


class Dictionary(nn.Module):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"x": x}


class Shortening(Net):
    def forward(self, noisy: Tensor) -> Tensor:
        return super().forward(noisy)[:, 1:]


class Unreliable(Net):
    def forward(self, noisy: Tensor) -> Tensor:
        raise FloatingPointError("the model's own error")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"layer": "encodr.3"},
            r"must name a submodule of Net, but is 'encodr.3' instead. Closest: encoder.3, encoder.",
        ),
        ({"layer": ""}, "must name a submodule of Net, but is '' instead"),
        ({"layer": "twice"}, "exactly once.*'twice' was called 2 times"),
        ({"layer": "never"}, "exactly once.*'never' was called 0 times"),
        ({"layer": "pooled"}, "its axis t does not grow with the input"),
        ({"layer": "encoder.1", "layout": "b t c"}, "its axis t does not grow with the input"),
        ({"layer": "encoder.1", "layout": "t c b"}, "its axis b is not the number of utterances"),
        ({"layer": "encoder.1", "layout": "b f t c"}, "must have as many axes"),
        ({"layer": "dictionary"}, "must return a tensor.*dict"),
    ],
)
def test_wrong_layers_are_errors_before_anything_changes(
    attached: Attach, changes: dict[str, str], message: str
) -> None:
    net = Net()
    with pytest.raises(LayerError, match=message):
        attached(net, **changes)
    assert hooks(net) == 0
    assert net.training


def test_a_layer_may_be_named_by_its_end_or_a_pattern(make_net: Callable[[], nn.Sequential], attached: Attach) -> None:
    wrapped = nn.Sequential(make_net())
    for name in ("encoder.2", "*.2", "0.enc*.2"):
        task = attached(wrapped, layer=name)
        assert [branch.layer for branch in task._branches()] == ["0.encoder.2"]
        task.detach()
    with pytest.raises(
        LayerError, match=r"must mean one submodule of Sequential, but '\*encoder\*' fits 4: 0.encoder, "
    ):
        attached(wrapped, layer="*encoder*")


def test_a_function_reads_frames_from_an_output_that_no_layout_describes(attached: Attach) -> None:
    net = Net()

    def squared_beside(output: dict[str, Tensor]) -> Tensor:
        return torch.cat([output["x"], output["x"] ** 2], dim=1).transpose(1, 2)

    task = attached(net, layer="dictionary", layout=squared_beside)
    noisy = torch.randn(2, 800)
    losses = task(noisy, clean=noisy, texts=["a b c", "d"])
    (1e3 * losses.transfer).backward()
    weight = net.encoder[0].weight
    assert isinstance(weight, Tensor)
    assert weight.grad is not None
    assert weight.grad.abs().sum() > 0
    assert task.gradient_norms(task(noisy, clean=noisy, texts=["a b c", "d"]))["transfer"] > 0


def test_several_layers_are_weighted_by_their_shares(make_net: Callable[[], nn.Sequential], attached: Attach) -> None:
    noisy, texts = torch.randn(2, 800), ["a b c", "d e"]
    kinds = {"encoder.0": Attention(heads=2, width=16), "encoder.2": Attention(heads=2, width=8)}
    alone = [
        attached(make_net().eval(), layer=name, alignment=kind, seed=place)
        for place, (name, kind) in enumerate(kinds.items())
    ]
    both = [Supervised(name, "b c t", kind, weight) for (name, kind), weight in zip(kinds.items(), (3, 1), strict=True)]
    task = attached(make_net().eval(), layer=both, layout="b t c", alignment=None)
    first, second = (each(noisy, clean=noisy, texts=texts).transfer for each in alone)
    losses = task(noisy, clean=noisy, texts=texts)
    assert losses.transfer.item() == pytest.approx(0.75 * first.item() + 0.25 * second.item(), abs=1e-6)
    assert losses.tokens == 10
    norms = task.gradient_norms(losses)
    losses.total.backward()
    assert all(p.grad is not None for p in task.branches.parameters())
    assert norms["transfer"] > 0
    gap = task.mismatch_gap()
    assert gap is not None
    assert hooks(task.detach()) == 0


@pytest.mark.parametrize(
    ("layers", "changes", "message"),
    [
        ([], {}, "each once, but names"),
        ([Supervised("encoder.1", "b c t"), Supervised("*.1", "b c t")], {}, "each once, but names"),
        ([Supervised("encoder.1", "b c t", weight=0.0)], {}, "`weight` of 'encoder.1' must be above 0"),
        ([Supervised("encoder.1", "b c t")], {"layout": "b c t"}, "given to each Supervised"),
        ([Supervised("encoder.1", "b t c")], {}, "does not grow"),
        ([Supervised("encoder.1", "b c t"), Supervised("encodr", "b c t")], {}, "Closest: encoder"),
    ],
)
def test_wrong_lists_of_layers_are_errors_before_anything_changes(
    attached: Attach, layers: list[Supervised], changes: dict[str, Any], message: str
) -> None:
    net = Net()
    with pytest.raises(CmktError, match=message):
        attached(net, **({"layer": layers, "layout": "b t c", "alignment": None} | changes))
    assert hooks(net) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": "b t t"}, "`layout` must name each axis once"),
        ({"alpha": 1.5}, "`alpha` must lie between 0 and 1, but is 1.5"),
        ({"bridge_warmup_steps": -1}, "`bridge_warmup_steps` must be 0 or more"),
        ({"reduction": "max"}, "`reduction` must be"),
        ({"sample_rate": 0}, "`sample_rate` must be the rate in Hz"),
        ({"teacher": 3}, "`teacher` must be"),
        ({"alignment": Attention(heads=3)}, "multiple of `heads`"),
    ],
)
def test_wrong_settings_are_errors_before_anything_changes(
    attached: Attach, changes: dict[str, Any], message: str
) -> None:
    net = Net()
    with pytest.raises(CmktError, match=message):
        attached(net, **({"layer": "encoder.3"} | changes))
    assert hooks(net) == 0


def test_a_model_that_changes_the_length_is_an_error(attached: Attach) -> None:
    net = Shortening()
    with pytest.raises(ConfigError, match="input's shape"):
        attached(net, layer="encoder.3")
    assert hooks(net) == 0


def test_an_error_of_the_model_itself_passes_and_nothing_stays(attached: Attach) -> None:
    net = Unreliable()
    with pytest.raises(FloatingPointError, match="own error"):
        attached(net, layer="encoder.3")
    assert hooks(net) == 0
    assert net.training


def test_a_model_without_sample_rate_needs_one(net: nn.Sequential, attached: Attach) -> None:
    with pytest.raises(
        ConfigError, match="`sample_rate` must be the rate in Hz at which Sequential works, but is None"
    ):
        attached(net, sample_rate=None)
    task = attached(Net(), layer="encoder.3", sample_rate=None)
    assert task._branches()[0].seconds_per_frame == 1 / SAMPLE_RATE


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_scripted_and_compiled_and_lazy_models_are_refused(net: nn.Sequential, attached: Attach) -> None:
    with pytest.raises(ConfigError, match="ScriptModule"):
        attached(torch.jit.script(net))
    with pytest.raises(ConfigError, match="must not be compiled yet"):
        attached(torch.compile(net, backend="eager"))
    with pytest.raises(ConfigError, match="lazy parameters"):
        attached(nn.Sequential(nn.LazyLinear(3)))


def test_the_teacher_is_in_no_state_dict_even_if_it_is_a_module(net: nn.Sequential, attached: Attach) -> None:
    class ModuleTeacher(nn.Module):
        width = 6
        identity = "module"

        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(5, 6)

        def embed(self, texts: list[str]) -> list[Tensor]:
            assert not self.training
            return [self.table(torch.tensor([len(word) for word in text.split()])) for text in texts]

    module = ModuleTeacher()
    task = attached(net, teacher=module)
    train_once(task.train())
    assert not any("table" in key for key in task.state_dict())
    assert all(parameter.grad is None for parameter in module.parameters())
