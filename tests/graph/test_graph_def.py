"""`as_graph_def`: nodes under names that TensorFlow's guides look for."""

from __future__ import annotations

from typing import Any

import pytest

import treadle as tl


def nodes(function: Any, *args: Any) -> list[Any]:
    graph = tl.function(function).get_concrete_function(*args).graph
    return list(graph.as_graph_def().node)


def test_names_and_inputs() -> None:
    found = nodes(lambda x: (x + x) * 2.0, tl.TensorSpec([]))
    assert [(n.name, n.op, n.input) for n in found] == [
        ("x", "placeholder", []),
        ("add", "add", ["x", "x"]),
        ("const", "const", []),
        ("multiply", "multiply", ["add", "const"]),
        ("identity", "identity", ["multiply"]),
    ]


def loss(pairs: Any) -> Any:
    total = tl.constant(0)
    for x, y in pairs:
        total += tl.abs(y - x)
    return total


@pytest.mark.parametrize(("items", "size"), [(2, 8), (10, 32)])
def test_a_python_loop_grows_the_graph(items: int, size: int) -> None:
    """The sizes that TensorFlow's guide on functions prints: a constant counts at each use."""
    assert len(nodes(loss, [(1, 1)] * items)) == size


def test_loops_and_branches() -> None:
    def looped(x: Any) -> Any:
        while x > 0:
            x = x - 1
        return x

    def branched(x: Any) -> Any:
        return x if x > 0 else -x

    def reduced(n: Any) -> Any:
        total = tl.constant(0, tl.int64)
        for x in tl.data.Dataset.range(n):
            total += x
        return total

    spec = tl.TensorSpec([], tl.int64)
    for function, name in [(looped, "while"), (branched, "cond"), (reduced, "ReduceDataset")]:
        assert [n.name for n in nodes(function, spec)].count(name) == 1
