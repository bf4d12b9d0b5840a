from __future__ import annotations

import copy
import gc
import pickle

import pytest
import torch
from torch import nn

from cmkt.errors import LayerError
from cmkt.transfer.tap import Tap, first_tensor, only_output, tensors_in


def test_records_only_while_armed() -> None:
    layer, tap = nn.Identity(), Tap()
    layer.register_forward_hook(tap)
    layer(torch.ones(1))
    with tap.recording() as recorded:
        layer(torch.ones(2))
    layer(torch.ones(3))
    assert [output.shape[0] for output in recorded if isinstance(output, torch.Tensor)] == [2]
    assert tap.outputs == []


def test_disarms_when_the_model_fails() -> None:
    tap = Tap()
    with pytest.raises(RuntimeError, match="stop"), tap.recording():
        raise RuntimeError("stop")
    assert not tap.armed


def test_copies_and_pickles_empty_even_while_recording() -> None:
    tap = Tap()
    with tap.recording() as recorded:
        recorded.append(torch.zeros(1000))
        for twin in (copy.copy(tap), copy.deepcopy(tap), pickle.loads(pickle.dumps(tap))):
            assert twin is not tap
            assert not twin.armed
            assert twin.outputs == []
        assert len(pickle.dumps(tap)) < 60


def test_refers_to_nothing_at_rest() -> None:
    referents = gc.get_referents(Tap())
    assert all(referent in ([], False) or referent is Tap for referent in referents)


def test_first_element_of_a_tuple_is_the_output() -> None:
    lstm = nn.LSTM(3, 4, batch_first=True)
    assert first_tensor(lstm(torch.zeros(2, 5, 3)), "lstm").shape == (2, 5, 4)


@pytest.mark.parametrize("calls", [0, 2])
def test_calls_other_than_one_are_an_error_that_names_the_layer(calls: int) -> None:
    with pytest.raises(LayerError, match=f"exactly once.*'encoder.3' was called {calls} times"):
        only_output([torch.zeros(1)] * calls, "encoder.3")


@pytest.mark.parametrize("output", [None, {"a": torch.zeros(1)}, (), ({},)])
def test_output_that_is_no_tensor_is_an_error(output: object) -> None:
    with pytest.raises(LayerError, match="`layer` must return a tensor"):
        first_tensor(output, "encoder")


def test_tensors_are_found_in_nested_outputs_in_order() -> None:
    found = tensors_in(({"a": torch.ones(1), "b": [torch.ones(2), None]}, torch.ones(3), "text"))
    assert [len(tensor) for tensor in found] == [1, 2, 3]
