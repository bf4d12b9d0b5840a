"""Shape arithmetic that is taken out of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from cmkt.inference.graph_shapes import constant_shape, fold_shapes

if TYPE_CHECKING:
    from cmkt.types import FloatArray

WIDTH = 6


def constant(name: str, *values: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def split_and_joined() -> onnx.ModelProto:
    """x (C, K, 6) -> joined (C * K, 6) -> y (C, K, 2, 3), with shapes as a tracer writes them."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["channels"]),
        helper.make_node("Gather", ["shape", "one"], ["frames"]),
        helper.make_node("Mul", ["channels", "frames"], ["rows"]),
        helper.make_node("Concat", ["rows", "six"], ["joined_shape"], axis=0),
        helper.make_node("Reshape", ["x", "joined_shape"], ["joined"]),
        helper.make_node("Concat", ["channels", "frames", "six"], ["again_shape"], axis=0),
        helper.make_node("Reshape", ["joined", "again_shape"], ["again"]),
        helper.make_node("Concat", ["channels", "frames", "two", "three"], ["y_shape"], axis=0),
        helper.make_node("Reshape", ["again", "y_shape"], ["y"]),
    ]
    numbers = {"zero": 0, "one": 1, "two": 2, "three": 3, "six": WIDTH}
    graph = helper.make_graph(
        nodes,
        "shapes",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["channels", "frames", WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["channels", "frames", 2, 3])],
        [constant(name, value) for name, value in numbers.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def with_subgraphs() -> onnx.ModelProto:
    """x (C, K, 6) -> y (C, K, 2, 3): a branch in the body of a loop adds to x, three times.

    Nothing but the branch uses the constant `add` and the node `offset`; nothing at all uses `unused`.
    """
    number = TensorProto.FLOAT
    adding = helper.make_graph(
        [
            helper.make_node("Add", ["before", "offset"], ["moved"]),
            helper.make_node("Add", ["moved", "add"], ["added"]),
        ],
        "adding",
        [],
        [helper.make_tensor_value_info("added", number, None)],
    )
    keeping = helper.make_graph(
        [helper.make_node("Identity", ["before"], ["kept"])],
        "keeping",
        [],
        [helper.make_tensor_value_info("kept", number, None)],
    )
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["goes_on"]),
            helper.make_node("If", ["going"], ["after"], then_branch=adding, else_branch=keeping),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", number, None),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", number, None),
        ],
    )
    model = split_and_joined()
    model.graph.node[-1].output[0] = "before_loop"
    model.graph.node.extend(
        [
            helper.make_node("Neg", ["half"], ["offset"]),
            helper.make_node("Neg", ["half"], ["unused"]),
            helper.make_node("Loop", ["rounds", "", "before_loop"], ["y"], body=body),
        ]
    )
    floats = {"half": 0.5, "add": 2.0}
    model.graph.initializer.extend(
        numpy_helper.from_array(np.array(value, dtype=np.float32), name) for name, value in floats.items()
    )
    model.graph.initializer.append(numpy_helper.from_array(np.array(3, dtype=np.int64), "rounds"))
    return model


def inputs(channels: int, frames: int) -> dict[str, FloatArray]:
    size = channels * frames * WIDTH
    return {"x": np.arange(size, dtype=np.float32).reshape(channels, frames, WIDTH)}


@pytest.mark.parametrize(
    ("sources", "targets", "shape"),
    [
        ([(2, 8, 3, 5), (3, 8, 7, 5)], [(2, 4, 2, 3, 5), (3, 4, 2, 7, 5)], [0, 4, 2, -1, 5]),
        ([(2, 3, 4, 5), (3, 7, 4, 5)], [(2, 3, 20), (3, 7, 20)], [0, 0, 20]),
        ([(2, 3, 6), (3, 7, 6)], [(6, 6), (21, 6)], [-1, 6]),
        ([(6, 6), (21, 6)], [(2, 3, 6), (3, 7, 6)], None),
    ],
)
def test_axes_are_constant_copied_or_the_rest(
    sources: list[tuple[int, ...]], targets: list[tuple[int, ...]], shape: list[int] | None
) -> None:
    assert constant_shape(sources, targets) == shape


@pytest.mark.parametrize(("channels", "frames"), [(1, 1), (2, 3), (4, 9)])
def test_what_can_be_folded_is_and_the_graph_gives_the_same(channels: int, frames: int) -> None:
    model = split_and_joined()
    fold_shapes(model, inputs)
    onnx.checker.check_model(model, full_check=True)
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Concat") == 1  # of the one whose two free axes come from a single one
    assert "Mul" not in kinds
    assert {each.name for each in model.graph.initializer if each.name.startswith("cmkt_")} == {
        "cmkt_shape_of_joined",
        "cmkt_shape_of_y",
    }
    assert "two" not in {each.name for each in model.graph.initializer}
    results = [
        onnxruntime.InferenceSession(each.SerializeToString()).run(None, inputs(channels, frames))[0]
        for each in (split_and_joined(), model)
    ]
    assert np.array_equal(*results)
    assert results[1].shape == (channels, frames, 2, 3)


def test_what_only_the_bodies_of_loops_and_branches_use_is_kept() -> None:
    model = with_subgraphs()
    fold_shapes(model, inputs)
    onnx.checker.check_model(model, full_check=True)
    made = {name for node in model.graph.node for name in node.output}
    assert "offset" in made
    assert "unused" not in made
    given = inputs(2, 3)
    (result,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, given)
    assert np.array_equal(result, given["x"].reshape(2, 3, 2, 3) + 3 * (2.0 - 0.5))


def test_a_graph_without_reshapes_stays_as_it_is() -> None:
    model = split_and_joined()
    fold_shapes(model, inputs)
    again = onnx.ModelProto()
    again.CopyFrom(model)
    for node in [each for each in again.graph.node if each.op_type == "Reshape"]:
        node.op_type = "Identity"
        del node.input[1:]
    before = again.SerializeToString()
    fold_shapes(again, inputs)
    assert again.SerializeToString() == before
