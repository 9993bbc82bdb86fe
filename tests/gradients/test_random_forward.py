"""Random programs in forward mode: against reverse mode, in both orders, eager and traced."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tensor_programs import load, programs
from test_programs import Arguments, arguments, gradients, outcome, quickly, tensors

import treadle as tl

ALONG = (0.7, [0.3, -1.1, 0.4], -0.6)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forward_programs")


def total(program: Any, xs: Any) -> Any:
    a, b, c, _, _ = program(*xs)
    return tl.sin(a) + tl.reduce_sum(tl.tanh(b)) + c


def directions() -> list[Any]:
    return [tl.constant(d, tl.float64) for d in ALONG]


def tangent(f: Callable[..., Any], v: Any, inside: bool) -> Callable[..., Any]:
    """The derivative of `f` along the directions: of two arguments and the variable."""

    def run(*xs: Any) -> Any:
        with tl.autodiff.ForwardAccumulator([*xs[:2], v], directions()) as accumulator:
            y = f(*xs)
        return accumulator.jvp(y, unconnected_gradients="zero")

    return tl.function(run, autograph=False) if inside else run


def slope(f: Callable[..., Any], v: Any, inside: bool) -> Callable[..., Any]:
    """The same in reverse mode."""

    def run(*xs: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(xs[:2])
            y = f(*xs)
        found = tape.gradient(y, [*xs[:2], v], unconnected_gradients="zero")
        return tl.add_n([tl.reduce_sum(g * d) for g, d in zip(found, directions(), strict=True)])

    return tl.function(run, autograph=False) if inside else run


def assert_near(got: Any, want: Any) -> None:
    assert got[0] is want[0]
    np.testing.assert_equal(got[2], want[2])
    for g, w in zip(got[1], want[1], strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-9 * (1 + np.abs(w).max()))


def check(text: str, args: Arguments, file: Path) -> None:
    v = tl.Variable(0.75, dtype=tl.float64)
    program = load(text, file, tl=tl, v=v)
    traced = tl.function(program)
    xs = tensors(args)
    every = outcome(gradients(program, xs, v, False), v)
    if not all(np.isfinite(g).all() for g in every[1]):
        return
    parts = [np.sum(g * np.asarray(d)) for g, d in zip(every[1], ALONG, strict=False)]
    want = (every[0], [np.sum(parts)] if parts else [], every[2])
    for f in (program, traced):
        for inside in (False, True):
            if f is program and inside:
                continue
            run = tangent(lambda *xs, f=f: total(f, xs), v, inside)
            assert_near(outcome(lambda: [run(*xs)], v), want)  # noqa: B023


def check_second(text: str, args: Arguments, file: Path) -> None:
    v = tl.Variable(0.75, dtype=tl.float64)
    program = load(text, file, tl=tl, v=v)
    traced = tl.function(program)
    xs = tensors(args)

    def over(outer: Any, inner: Any, f: Any, inside: tuple[bool, bool]) -> Any:
        found = outer(inner(lambda *xs: total(f, xs), v, inside[0]), v, inside[1])
        return outcome(lambda: [found(*xs)], v)

    want = over(slope, slope, program, (False, False))
    if not all(np.isfinite(g).all() for g in want[1]):
        return
    for outer, inner in ((tangent, slope), (slope, tangent), (tangent, tangent)):
        assert_near(over(outer, inner, program, (False, False)), want)
        for inside in ((False, False), (True, False), (False, True)):
            assert_near(over(outer, inner, traced, inside), want)


@settings(quickly, max_examples=30)
@given(text=programs(longest=12), args=arguments)
def test_along_a_direction(text: str, args: Arguments, folder: Path) -> None:
    check(text, args, folder / f"program{next(_numbers)}.py")


@settings(quickly, max_examples=20)
@given(text=programs(longest=12), args=arguments)
def test_second_order(text: str, args: Arguments, folder: Path) -> None:
    check_second(text, args, folder / f"program{next(_numbers)}.py")
