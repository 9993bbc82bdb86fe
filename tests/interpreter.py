"""The slow, obvious way to run a graph: what passes and backends are compared with."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from treadle.graph.node import Graph, Node

Results = list[Any]


class Storage:
    """The run-time value of a variable."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)


def run(graph: Graph, arguments: Sequence[Any], order: random.Random | None = None) -> Results:
    """The results of `graph` on arrays and `Storage`s (or what the ops take for them).

    The nodes run as they are listed, or in any order that the edges allow, drawn from `order`.
    """
    values: dict[Any, Any] = dict(zip(graph.inputs, arguments, strict=True))
    done: set[Node] = set()
    waiting = list(graph.nodes)
    with np.errstate(all="ignore"):
        while waiting:
            node = waiting[0] if order is None else order.choice(_ready(waiting, values, done))
            assert all(before in done for before in node.after), "an edge goes backwards"
            results = _results(node, [values[v] for v in node.inputs], order)
            values.update(zip(node.outputs, results, strict=True))
            done.add(node)
            waiting.remove(node)
    return [values[v] for v in graph.outputs]


def _ready(waiting: list[Node], values: dict[Any, Any], done: set[Node]) -> list[Node]:
    return [n for n in waiting if all(v in values for v in n.inputs) and done.issuperset(n.after)]


def _results(node: Node, inputs: Results, order: random.Random | None) -> Results:
    attrs = node.attrs
    match node.op.name:
        case "cond":
            return run(attrs["then"] if inputs[0] else attrs["orelse"], inputs[1:], order)
        case "switch":
            branches = attrs["branches"]
            index = int(inputs[0])
            return run(branches[index if 0 <= index < len(branches) else -1], inputs[1:], order)
        case "while":
            count = len(attrs["body"].outputs)
            while run(attrs["test"], inputs, order)[0]:
                inputs = [*run(attrs["body"], inputs, order), *inputs[count:]]
            return inputs[:count]
        case "call":
            return run(attrs["callee"].graph, inputs, order)
    assert node.op.eval is not None
    found = node.op.eval(np, *inputs, **attrs)
    return list(found) if node.op.multiple else [found]
