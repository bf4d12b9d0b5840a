"""Taking shape arithmetic out of an ONNX graph: `Reshape` to shapes that are known but for the free axes.

Traced code that reads `x.shape` becomes six or more small nodes for each reshape, and one frame is so little work that
they take longer than the network. ONNX can say most of it in constants: 0 copies an axis of the input, -1 takes what is
left. Which of them fits is found by running the graph at several sizes of its free axes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

    from cmkt.types import FloatArray

SIZES = ((2, 3), (3, 151), (5, 70))
"""Channels and frames that the graph is run at: no axis agrees with another in all of them by chance, and a model that
works in chunks of frames has several."""

_COPY, _REST = 0, -1
_SILENT = 4  # errors are raised as well


def fold_shapes(model: ModelProto, make_inputs: Callable[[int, int], dict[str, FloatArray]]) -> None:
    """Replaces computed shapes of `Reshape` nodes by constants where they fit, in place, and removes what is unused.

    make_inputs: inputs of the graph for so many channels and frames.
    """
    reshapes = [node for node in model.graph.node if node.op_type == "Reshape" and _computed(model.graph, node)]
    if not reshapes:
        return
    inputs, shapes = _observed(model, reshapes, [make_inputs(*size) for size in SIZES])
    for node, sources, targets in zip(reshapes, inputs, shapes, strict=True):
        if (shape := constant_shape(sources, targets)) is not None:
            node.input[1] = _initializer(model.graph, f"cmkt_shape_of_{node.output[0]}", shape)
    _prune(model.graph)


def constant_shape(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> list[int] | None:
    """The shape, with 0 for "as the input's axis" and at most one -1 for "the rest", that gives each target.

    sources, targets: shapes of the input and output of one `Reshape`, observed together. None where there is none.
    """
    shape = []
    for axis, sizes in enumerate(zip(*targets, strict=True)):
        if len(set(sizes)) == 1:
            shape.append(sizes[0])
        elif all(axis < len(source) and source[axis] == size for source, size in zip(sources, sizes, strict=True)):
            shape.append(_COPY)
        else:
            shape.append(_REST)
    return shape if shape.count(_REST) <= 1 else None


def _computed(graph: GraphProto, node: NodeProto) -> bool:
    made = {name: other for other in graph.node for name in other.output}
    return node.input[1] in made and made[node.input[1]].op_type != "Constant"


def _observed(
    model: ModelProto, reshapes: Sequence[NodeProto], runs: Iterable[dict[str, FloatArray]]
) -> tuple[list[list[tuple[int, ...]]], list[list[tuple[int, ...]]]]:
    """Shapes of the inputs and of the outputs of the nodes: for each node, one of each run."""
    import onnx

    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    names = [name for node in reshapes for name in (node.input[0], node.output[0])]
    known = {output.name for output in watched.graph.output}
    watched.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(names) if name not in known)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = _SILENT
    session = onnxruntime.InferenceSession(watched.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = [[np.shape(value) for value in session.run(names, inputs)] for inputs in runs]
    by_name = [list(each) for each in zip(*found, strict=True)]
    return by_name[::2], by_name[1::2]


def _initializer(graph: GraphProto, name: str, shape: list[int]) -> str:
    from onnx import numpy_helper

    graph.initializer.append(numpy_helper.from_array(np.array(shape, dtype=np.int64), name))
    return name


def _prune(graph: GraphProto) -> None:
    """Removes nodes and constants that no output needs."""
    needed = {output.name for output in graph.output}
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(_used(node))
    kept = [node for node in graph.node if needed.intersection(node.output)]
    constants = [each for each in graph.initializer if each.name in needed]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(constants)


def _used(node: NodeProto) -> Iterator[str]:
    """Names of what a node reads, and of all that the bodies of a loop or a branch read, from within or without."""
    yield from node.input
    for attribute in node.attribute:
        for body in (attribute.g, *attribute.graphs):
            yield from (output.name for output in body.output)
            for inner in body.node:
                yield from _used(inner)
