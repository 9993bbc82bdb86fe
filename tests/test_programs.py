"""Random programs: as plain Python over NumPy's numbers, eager, traced, unoptimized, parsed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensor_programs import PlainVariable, load, plain, programs

import treadle as tl
from treadle.runtime.executable import Executable

Arguments = tuple[float, list[float], int, int]
Outcome = tuple[Any, list[Any], float]  # the kind of error, the results, the variable behind

arguments = st.tuples(
    st.sampled_from([0.3, -0.7, 1.5, 0.0]),
    st.sampled_from([[0.5, -1.0, 2.0], [0.0, 0.0, 1.0], [-0.4, 0.3, 0.2]]),
    st.sampled_from([0, 1, 2, 3, -2, 7]),
    st.integers(0, 3),
)
quickly = settings(
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ]
)
KINDS = (AssertionError, IndexError, ZeroDivisionError)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


def outcome(run: Callable[[], Any], v: Any) -> Outcome:
    """All that a program does."""
    v.assign(0.75)
    try:
        with np.errstate(all="ignore", divide="raise"):
            results = [np.asarray(x) for x in run()]
    except FloatingPointError:  # an int divided by zero; no float is
        return ZeroDivisionError, [], float(v.numpy())
    except KINDS as error:
        return next(kind for kind in KINDS if isinstance(error, kind)), [], float(v.numpy())
    return None, results, float(v.numpy())


def assert_same(got: Outcome, want: Outcome) -> None:
    assert got[0] is want[0]
    np.testing.assert_equal(got[2], want[2])
    for x, y in zip(got[1], want[1], strict=True):
        assert (x.dtype, x.shape) == (y.dtype, y.shape)
        np.testing.assert_array_equal(x, y)


def tensors(args: Arguments) -> list[Any]:
    kinds = (tl.float64, tl.float64, tl.int64, tl.int64)
    return [tl.constant(x, d) for x, d in zip(args, kinds, strict=True)]


def run_graph(graph: Any, concrete: Any, xs: list[Any], optimized: bool) -> Any:
    """Run `graph` in place of the concrete function's own."""
    runner = Executable(graph, optimized=optimized).compile()
    return runner([x._value for x in (*xs, *concrete.captures)])


def check_values(text: str, args: Arguments, file: Path) -> None:
    plain_v, v = PlainVariable(0.75), tl.Variable(0.75, dtype=tl.float64)
    program = load(text, file, tl=tl, v=v)
    xs = tensors(args)
    want = outcome(lambda: program(*xs), v)
    if "tape" not in text:
        in_numpy = load(text, file, tl=plain, v=plain_v)
        numbers = (np.float64(args[0]), np.array(args[1]), *map(np.int64, args[2:]))
        assert_same(want, outcome(lambda: in_numpy(*numbers), plain_v))
    traced = tl.function(program)
    assert_same(outcome(lambda: traced(*xs), v), want)
    concrete = traced.get_concrete_function(*xs)
    for graph in (concrete.graph, tl.graph.parse(str(concrete.graph))):
        for optimized in (True, False):
            found = outcome(lambda: run_graph(graph, concrete, xs, optimized), v)  # noqa: B023
            assert_same(found, want)


def gradients(program: Any, xs: list[Any], v: Any, inside: bool) -> Callable[[], Any]:
    """The gradient of the float results with respect to the float arguments and the variable."""

    def run(*xs: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(xs[:2])
            a, b, c, _, _ = program(*xs)
            y = tl.sin(a) + tl.reduce_sum(tl.tanh(b)) + c
        return tape.gradient(y, [*xs[:2], v], unconnected_gradients="zero")

    found = tl.function(run, autograph=False) if inside else run
    return lambda: found(*xs)


def check_gradients(text: str, args: Arguments, file: Path) -> None:
    v = tl.Variable(0.75, dtype=tl.float64)
    program = load(text, file, tl=tl, v=v)
    xs = tensors(args)
    want = outcome(gradients(program, xs, v, False), v)
    if not all(np.isfinite(g).all() for g in want[1]):
        return
    traced = tl.function(program)
    for inside in (False, True):
        got = outcome(gradients(traced, xs, v, inside), v)
        assert got[0] is want[0]
        np.testing.assert_equal(got[2], want[2])
        for g, w in zip(got[1], want[1], strict=True):
            np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-9 * (1 + np.abs(w).max()))


@quickly
@given(text=programs(), args=arguments)
def test_values(text: str, args: Arguments, folder: Path) -> None:
    check_values(text, args, folder / f"program{next(_numbers)}.py")


@quickly
@given(text=programs(longest=15, slopes=True), args=arguments)
def test_programs_with_gradients(text: str, args: Arguments, folder: Path) -> None:
    check_values(text, args, folder / f"program{next(_numbers)}.py")


@quickly
@given(text=programs(longest=15), args=arguments)
def test_gradients(text: str, args: Arguments, folder: Path) -> None:
    check_gradients(text, args, folder / f"program{next(_numbers)}.py")
