"""The gradient of a small network for each of many examples is one batched graph."""

from __future__ import annotations

import numpy as np
import pytest

import treadle as tl
from treadle.graph.walk import nodes_within

rows = pytest.importorskip(
    "benchmarks.rows_batching", reason="the sources are not beside the tests"
)


def test_is_one_graph_without_loops() -> None:
    arguments = rows.data()
    mapped = tl.function(lambda p, x, y: tl.vmap(rows.gradient, in_axes=(None, 0, 0))(p, x, y))
    graph = mapped.get_concrete_function(*arguments).graph
    assert not any(node.op.structured for node in nodes_within(graph))
    written = tl.function(rows.by_hand)
    count = len(written.get_concrete_function(*arguments).graph.nodes)
    assert len(graph.nodes) < 2.5 * count
    for got, want in zip(mapped(*arguments), written(*arguments), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6)
