"""The slow, obvious way to run a graph: what passes and backends are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from treadle.graph.node import Graph, Node

Results = list[Any]


class Storage:
    """The run-time value of a variable."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)


def run(graph: Graph, arguments: Sequence[Any]) -> Results:
    """The results of `graph` on arrays and `Storage`s."""
    values: dict[Any, Any] = dict(zip(graph.inputs, arguments, strict=True))
    done: set[Node] = set()
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            assert all(before in done for before in node.after), "an edge goes backwards"
            results = _results(node, [values[v] for v in node.inputs])
            values.update(zip(node.outputs, results, strict=True))
            done.add(node)
    return [values[v] for v in graph.outputs]


def _results(node: Node, inputs: Results) -> Results:
    attrs = node.attrs
    match node.op.name:
        case "cond":
            return run(attrs["then"] if inputs[0] else attrs["orelse"], inputs[1:])
        case "switch":
            branches = attrs["branches"]
            index = int(inputs[0])
            return run(branches[index if 0 <= index < len(branches) else -1], inputs[1:])
        case "while":
            count = len(attrs["body"].outputs)
            while run(attrs["test"], inputs)[0]:
                inputs = [*run(attrs["body"], inputs), *inputs[count:]]
            return inputs[:count]
        case "call":
            return run(attrs["callee"].graph, inputs)
    assert node.op.eval is not None
    found = node.op.eval(np, *inputs, **attrs)
    return list(found) if node.op.multiple else [found]
