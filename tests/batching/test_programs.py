"""Random programs with nested control flow: for a batch of examples what they give for each."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tensor_programs import load, programs

import treadle as tl

A = np.array([0.3, -1.2, 2.5, 0.9])
B = np.array([[0.5, -0.5, 2.0], [1.5, 0.1, -2.0], [0.2, 0.2, 0.7], [-1.0, 3.0, 0.4]])
N = np.array([3, -2, 7, 0])
P = np.array([1, 3, 0, 2])
_numbers = count()
SEVERAL = (ValueError, IndexError, ZeroDivisionError, AssertionError)


def shared(text: str) -> str:
    """The program without writes of variables: examples would write different values."""
    return re.sub(r"v\.assign(_add|_sub)?\(", "tl.identity(", text)


def outcomes(f: Any, examples: list[tuple[Any, ...]]) -> list[Any]:
    """What `f` gives for each example: arrays, or the class of an error."""
    found: list[Any] = []
    for values in examples:
        try:
            found.append([y.numpy() for y in f(*map(tl.constant, values))])
        except SEVERAL as error:
            found.append(type(error))
    return found


def assert_as_single(text: str, file: Path) -> None:
    program = load(shared(text), file, tl=tl, v=tl.Variable(0.7, dtype=tl.float64))
    traced = tl.function(program)
    examples = list(zip(A, B, N, P, strict=True))
    single = outcomes(traced, examples)
    failed = [s for s in single if isinstance(s, type)]
    mapped = tl.vmap(program)
    if failed:
        with pytest.raises(tuple(failed)):
            mapped(tl.constant(A), tl.constant(B), tl.constant(N), tl.constant(P))
    kept = [i for i, s in enumerate(single) if not isinstance(s, type)]
    if not kept:
        return
    got = mapped(*[tl.constant(x[kept]) for x in (A, B, N, P)])
    for column, rows in zip(got, zip(*[single[i] for i in kept], strict=True), strict=True):
        np.testing.assert_allclose(column.numpy(), np.stack(rows), rtol=1e-9, atol=1e-12)


@settings(
    max_examples=60,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=programs(longest=15))
def test_a_batch_as_each_example(text: str, tmp_path: Path) -> None:
    assert_as_single(text, tmp_path / f"program{next(_numbers)}.py")


@settings(
    max_examples=25,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=programs(longest=12, slopes=True))
def test_with_gradients_inside(text: str, tmp_path: Path) -> None:
    assert_as_single(text, tmp_path / f"program{next(_numbers)}.py")


def slopes_of(f: Any) -> Any:
    """The gradients of what a program gives, by its first two arguments."""

    def slopes(a: Any, b: Any, n: Any, p: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch([a, b])
            c, d, e, *_ = f(a, b, n, p)
            y = tl.reduce_sum(tl.tanh(c)) + tl.reduce_sum(tl.sin(d)) + tl.reduce_sum(tl.tanh(e))
        return tape.gradient(y, [a, b], unconnected_gradients="zero")

    return slopes


@settings(
    max_examples=25,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=programs(longest=12))
def test_gradients(text: str, tmp_path: Path) -> None:
    """Those of a batch, and a batch of gradients, are those of each example."""
    v = tl.Variable(0.7, dtype=tl.float64)
    program = load(shared(text), tmp_path / f"program{next(_numbers)}.py", tl=tl, v=v)
    single = outcomes(slopes_of(tl.function(program)), list(zip(A, B, N, P, strict=True)))
    kept = [i for i, s in enumerate(single) if not isinstance(s, type)]
    if not kept:
        return
    xs = [tl.constant(x[kept]) for x in (A, B, N, P)]
    for f in (slopes_of(tl.vmap(program)), tl.vmap(slopes_of(program))):
        for got, rows in zip(f(*xs), zip(*[single[i] for i in kept], strict=True), strict=True):
            want = np.stack(rows)
            least = 1e-9 * (1 + np.abs(np.nan_to_num(want)).max())
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-7, atol=least)
