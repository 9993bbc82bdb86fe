"""Random graphs for property tests: arithmetic, effects, checks that may fail, control flow."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from interpreter import Storage, run

from treadle.graph.build import GraphBuilder, interpreting
from treadle.graph.control import call, emit_cond, emit_switch, emit_while, new_branch
from treadle.graph.dtypes import float32, int32
from treadle.graph.errors import OpError
from treadle.graph.node import FunctionRef, Graph
from treadle.graph.ops import (
    arithmetic,
    axes,
    comparison,
    division,
    effects,
    gathering,
    logic,
    reductions,
    reshaping,
    state,
)
from treadle.graph.ops.queries import shape as shape_of
from treadle.graph.spec import ResourceSpec, TensorSpec

printed = io.StringIO()

FLOAT, INT, VECTOR = TensorSpec((), float32), TensorSpec((), int32), TensorSpec([None], float32)
VARIABLE = ResourceSpec(FLOAT)
INPUTS = {"x": VECTOR, "y": VECTOR, "a": FLOAT, "n": INT, "p": VARIABLE, "q": VARIABLE}
_FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, float("inf"), float("nan"))
_UNARY = (arithmetic.negative, arithmetic.absolute, axes.identity, arithmetic.square)
_BINARY = (
    *(arithmetic.add, arithmetic.subtract, arithmetic.multiply, arithmetic.divide),
    comparison.maximum if hasattr(comparison, "maximum") else arithmetic.add,
)


class Pools(NamedTuple):
    """The values at hand while a graph is made, by kind."""

    vectors: list[Any]
    floats: list[Any]
    ints: list[Any]
    bools: list[Any]
    variables: list[Any]

    def copy(self) -> Pools:
        return Pools(*[list(pool) for pool in self])


@st.composite
def graphs(draw: Any) -> Graph:
    """A graph with the inputs INPUTS and a few results."""
    return _Maker(draw).graph()


class _Maker:
    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw
        self._functions: list[FunctionRef] = []

    def _pick(self, items: Any) -> Any:
        """One of `items`, rather a late one."""
        return items[-1 - self._draw(st.integers(0, len(items) - 1))]

    def graph(self) -> Graph:
        for i in range(self._draw(st.integers(0, 2))):
            self._functions.append(FunctionRef(f"helper{i}", self._one(f"helper{i}", 4)))
        return self._one("main", 12)

    def _one(self, name: str, longest: int) -> Graph:
        builder = GraphBuilder(name)
        values = {n: builder.add_input(s, n) for n, s in INPUTS.items()}
        pools = Pools(
            [values["x"], values["y"]], [values["a"]], [values["n"]], [], [values["p"], values["q"]]
        )
        with interpreting(builder):
            pools.bools.append(comparison.less(values["n"], 2))
            self._steps(pools, longest, 2)
            outputs = [self._pick(pool) for pool in pools[:4]]
            if longest > 4:
                last = self._draw(st.integers(0, 5))
                outputs += [v for pool in pools[:4] for v in pool[::-1][:last]]
        return builder.finish(outputs)

    def _steps(self, pools: Pools, longest: int, depth: int) -> None:
        for _ in range(self._draw(st.integers(1, longest))):
            steps = [self._vector, self._float, self._int, self._bool, self._constant, self._effect]
            steps += [self._float, self._effect, self._effect]
            plain = len(steps)
            if depth:
                steps += [self._cond, self._switch, self._while, self._call]
            step = self._pick(steps)
            try:
                if step in steps[:plain]:
                    step(pools)
                else:
                    step(pools, depth - 1)
            except OpError:
                pass  # known to fail while tracing: the user would see it

    # --- plain ops -----------------------------------------------------------------

    def _vector(self, pools: Pools) -> None:
        x, y = self._pick(pools.vectors), self._pick(pools.vectors + pools.floats)
        makers: list[Callable[[], Any]] = [
            lambda: self._pick(_UNARY)(x),
            lambda: self._pick(_BINARY)(x, y),
            lambda: comparison.where(self._pick(pools.bools), x, y),
            lambda: reshaping.reshape(x, self._pick([[3], [-1], [3, 1], [1, -1], [-1, 1]])),
            lambda: reshaping.reshape(x, shape_of(y)),
            lambda: axes.transpose(axes.transpose(x)),
            lambda: reshaping.reshape_like(arithmetic.negative(x), x),
            lambda: reshaping.sum_to_like(arithmetic.add(x, x), x),
            lambda: reshaping.reshape(axes.expand_dims(x, 0), [-1]),
        ]
        result = self._pick(makers)()
        if result.shape.rank == 0:
            pools.floats.append(result)
        else:
            pools.vectors.append(result)

    def _float(self, pools: Pools) -> None:
        x, y = self._pick(pools.floats), self._pick(pools.floats)
        makers: list[Callable[[], Any]] = [
            lambda: self._pick(_UNARY)(x),
            lambda: self._pick(_BINARY)(x, y),
            lambda: comparison.where(self._pick(pools.bools), x, y),
            lambda: reductions.reduce_sum(self._pick(pools.vectors)),
            lambda: gathering.gather(reshaping.reshape(x, [1]), self._pick(pools.ints)),
        ]
        pools.floats.append(self._pick(makers)())

    def _int(self, pools: Pools) -> None:
        x, y = self._pick(pools.ints), self._pick(pools.ints)
        maker = self._pick(
            [division.floordiv, arithmetic.add, arithmetic.subtract, arithmetic.multiply]
        )
        pools.ints.append(maker(x, y))

    def _bool(self, pools: Pools) -> None:
        x, y = self._pick(pools.bools), self._pick(pools.bools)
        makers: list[Callable[[], Any]] = [
            lambda: logic.logical_not(x),
            lambda: logic.logical_and(x, y),
            lambda: logic.logical_or(x, y),
            lambda: comparison.less(self._pick(pools.floats), self._pick(pools.floats)),
            lambda: comparison.equal(self._pick(pools.ints), self._pick(pools.ints)),
        ]
        pools.bools.append(self._pick(makers)())

    def _constant(self, pools: Pools) -> None:
        one = axes.convert
        kind = self._draw(st.integers(0, 3))
        if kind == 0:
            pools.floats.append(one(self._pick(_FLOATS), float32))
        elif kind == 1:
            pools.ints.append(one(self._draw(st.integers(-2, 3)), int32))
        elif kind == 2:
            pools.bools.append(one(self._draw(st.booleans())))
        else:
            pools.vectors.append(one([self._pick(_FLOATS) for _ in range(3)], float32))

    def _effect(self, pools: Pools) -> None:
        variable, x = self._pick(pools.variables), self._pick(pools.floats)
        makers: list[Callable[[], Any]] = [
            lambda: state.read(variable),
            lambda: state.read(variable),
            lambda: state.assign(variable, x),
            lambda: state.assign_add(variable, x),
            lambda: effects.assert_true(logic.logical_or(self._pick(pools.bools), True), x),
            lambda: effects.assert_true(comparison.less(self._pick(pools.ints), 3), x),
            lambda: effects.print_(x, output_stream=printed),
        ]
        found = self._pick(makers)()
        if found is not None:
            pools.floats.append(found)

    # --- control flow --------------------------------------------------------------

    def _branch(self, pools: Pools, depth: int) -> tuple[Any, list[Any]]:
        branch = new_branch()
        inner = pools.copy()
        with branch:
            self._steps(inner, 4, depth)
        return branch, [self._pick(inner.floats), self._pick(inner.ints)]

    def _joined(self, pools: Pools, results: Any) -> None:
        pools.floats.append(results[0])
        pools.ints.append(results[1])

    def _cond(self, pools: Pools, depth: int) -> None:
        then, orelse = self._branch(pools, depth), self._branch(pools, depth)
        self._joined(pools, emit_cond(self._pick(pools.bools), *then, *orelse))

    def _switch(self, pools: Pools, depth: int) -> None:
        found = [self._branch(pools, depth) for _ in range(self._draw(st.integers(1, 3)))]
        branches, outputs = zip(*found, strict=True)
        self._joined(pools, emit_switch(self._pick(pools.ints), branches, outputs))

    def _while(self, pools: Pools, depth: int) -> None:
        times = self._draw(st.integers(0, 3))
        start = axes.convert(0, int32)
        initial = [
            start,
            self._pick(pools.floats),
            self._pick(pools.ints),
            self._pick(pools.floats),
        ]
        specs = [INT, FLOAT, INT, FLOAT]
        test, body = new_branch(specs, ["i"]), new_branch(specs, ["i"])
        with test:
            again = comparison.less(test.inputs[0], times)
        inner = pools.copy()
        i, a, n, b = body.inputs
        with body:
            inner.floats.extend([a, b])
            inner.ints.extend([i, n])
            self._steps(inner, 4, depth)
            results = [arithmetic.add(i, 1), self._pick([a, *inner.floats])]
            results += [self._pick([n, *inner.ints]), self._pick([a, b, *inner.floats])]
        found = emit_while(initial, test, again, body, results)
        self._joined(pools, found[1:3])
        pools.floats.append(found[3])

    def _call(self, pools: Pools, depth: int) -> None:
        if not self._functions:
            return
        inputs = [self._pick(pools.vectors), self._pick(pools.vectors), self._pick(pools.floats)]
        if any(v.shape.rank != 1 for v in inputs[:2]):
            return
        inputs += [self._pick(pools.ints), self._pick(pools.variables), pools.variables[1]]
        found = call(self._pick(self._functions), inputs)
        self._joined(pools, found[1:3])
        pools.bools.append(found[3])
        pools.vectors.append(found[0])


class Outcome(NamedTuple):
    """All that a run of a graph does."""

    results: Any
    state: Any
    text: str


def outcome(graph: Graph, n: int, size: int = 3) -> Outcome:
    """Run a random graph on fixed arrays, with the int input `n`."""
    p, q = Storage(np.float32(2.0)), Storage(np.float32(-0.5))
    x = np.linspace(-1, 2, size, dtype=np.float32)
    arguments = [x, x[::-1] * np.float32(0.25), np.float32(1.5), np.int32(n), p, q]
    printed.seek(0)
    printed.truncate()
    try:
        results: Any = [bits(v) for v in run(graph, arguments)]
    except Exception as error:  # the executor, not the op, makes NumPy's errors readable
        results = type(error)
    return Outcome(results, (bits(p.array), bits(q.array)), printed.getvalue())


def bits(value: Any) -> Any:
    """Dtype, shape and bytes; all NaNs are one."""
    array = np.array(value)
    if array.dtype.hasobject:
        return array.shape, array.tolist()
    if array.dtype.kind == "f":
        array[np.isnan(array)] = np.nan
    return array.dtype.str, array.shape, array.tobytes()
