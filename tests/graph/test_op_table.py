"""Every op of the table, with its gradient, in the text form and through the passes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interpreter import run
from ops.rows import Row, param
from random_graphs import bits

import treadle as tl
from treadle.graph import Graph, check, optimize, parse, to_text
from treadle.graph.same import difference

TABLES = sorted(path.stem for path in (Path(__file__).parents[1] / "ops").glob("table*.py"))
ROWS: list[Row] = [row for name in TABLES for row in importlib.import_module(f"ops.{name}").ROWS]


def traced(row: Row, values: list[Any]) -> Graph:
    """The graph of the op and its gradients, for arrays of unknown sizes."""

    def call(*xs: Any) -> list[Any]:
        given = iter(xs)
        operands = [next(given) if isinstance(v, np.ndarray) else v for v in values]
        sources = [x for x in xs if row.smooth and x.dtype.is_differentiable]
        with tl.GradientTape() as tape:
            tape.watch(sources)
            found = row.call(*operands)
            results = list(found) if isinstance(found, (list, tuple)) else [found]
        targets = [y for y in results if y.dtype.is_differentiable]
        more = tape.gradient(targets, sources) if sources and targets else []
        return [y for y in [*results, *more] if y is not None]

    arrays = [v for v in values if isinstance(v, np.ndarray)]
    specs = [tl.TensorSpec([None] * a.ndim, tl.as_dtype(a.dtype)) for a in arrays]
    function = tl.function(call, autograph=False)
    graph: Graph = function.get_concrete_function(*specs).graph
    return graph


@pytest.mark.parametrize("row", [param(r) for r in ROWS])
def test_text_and_passes(row: Row) -> None:
    dtype = tl.float64 if "f" in row.kinds else row.dtypes[-1]
    values = row.sample(np.random.default_rng(7), dtype)
    graph = check(traced(row, values))
    tables: dict[str, Any] = {}
    text = to_text(graph, tables)
    again = check(parse(text, tables))
    assert difference(graph, again) is None
    assert to_text(again, tables) == text
    after = check(optimize(graph))
    if graph.captured:
        return
    arrays = [v for v in values if isinstance(v, np.ndarray)]
    before = [bits(r) for r in run(graph, arrays)]
    assert [bits(r) for r in run(after, arrays)] == before
