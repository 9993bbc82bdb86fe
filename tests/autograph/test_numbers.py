"""Symbolic scalars that stand for Python numbers: they are as weak, and as precise, as these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.graph.weak import is_weak


def mean_of_positive(x):
    count, total = 0, 0.0
    for v in x:
        if v > 0:
            count += 1
            total += v
    return total / count


def by_place(x):
    total = 0.0
    for i, v in enumerate(x):
        total += v * i
    return total


def by_range(x):
    total = 0.0
    for i in range(int(x[1])):
        total += x[0] / (i + 1)
        total = total * i
    return total


def of_length(x):
    found = [v for v in x if v > 0]
    return x * len(found), x / len(found)


def of_whole_parts(x):
    k = int(x[1])
    return x * k, x + k // 2, x - k / 2, -k * x, abs(-k) * x, k**2 * x, 2.5 * x * k, min(k, 2) * x


def of_branches(x):
    k = 2 if x[0] > 0 else 3
    r = 0.5 if x[0] > 0 else 0.25
    return x * k, x * r, x * (k / r), x + k * r


def of_truth(x):
    n = 0
    for v in x:
        n += bool(v > 1)
    return x * n


def of_comparisons(x):
    n = 0
    for i in range(int(x[1])):
        n += i > 0
    return x * n


def of_state(x):
    n = 1
    while n < x[1]:
        n *= 2
    return x / n


def inside_out(x):
    count = 0
    for v in x:
        seen = 0
        for w in x:
            if w < v:
                seen += 1
        count += seen
    return x * count


PROGRAMS = [
    *(mean_of_positive, by_place, by_range, of_length, of_whole_parts, of_branches, of_truth),
    *(of_comparisons, of_state, inside_out),
]


def leaves(x: Any) -> list[Any]:
    return [np.asarray(v) for v in (x if isinstance(x, tuple) else (x,))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("f", PROGRAMS)
def test_traced_is_as_eager(f: Callable[..., Any], dtype: str) -> None:
    traced = tl.function(f)
    for values in ([1.5, 2.7, -3.0], [-1.0, 4.0, 2.0]):
        x = tl.constant(values, dtype)
        got, expected = leaves(traced(x)), leaves(f(x))
        assert len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, 1e-6 if dtype == "float32" else 1e-12)


def factorial(n):
    product = 1
    for i in range(n):
        product *= i + 1
    return product


def total(n):
    result = 0
    for i in range(n):
        result += i
    return result


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


@pytest.mark.parametrize(("f", "n"), [(factorial, 20), (total, 70_000), (fibonacci, 90)])
def test_whole_numbers_do_not_wrap_as_int32(f: Callable[..., Any], n: int) -> None:
    assert int(tl.function(f)(tl.constant(n))) == f(n)


def test_floats_have_64_bits() -> None:
    def halved(n: Any) -> Any:
        x, steps = 1.0, 0
        for _ in range(n):
            x = x / 3
            steps += 1
        return tl.cast(steps, tl.float64) * x

    np.testing.assert_allclose(tl.function(halved)(tl.constant(20)), 20 * (1 / 3) ** 20, rtol=1e-7)


def test_dtypes_of_what_is_returned() -> None:
    @tl.function
    def f(x):
        n, r = 0, 1.0
        while x > 0:
            x, n, r = x - 1, n + 1, r * 0.5
        return n, r, n / 2, n * n

    n, r, half, square = f(tl.constant(3))
    assert [v.dtype for v in (n, r, half, square)] == [
        tl.int32,
        tl.float32,
        tl.float32,
        tl.int64,  # which it may need
    ]


def test_what_an_op_gets() -> None:
    seen = []

    @tl.function
    def f(x):
        k = float(x)
        seen.append((k, tl.sqrt(k), tl.constant(k), tl.stack([k, x]), tl.stack([int(x), 0.5])))
        v = [k * tl.cast(x, tl.float64), k * tl.cast(x, tl.float16)]
        return tl.nest.map_structure(tl.identity, v)

    double, half = f(tl.constant(2.0))
    assert double.dtype is tl.float64
    assert half.dtype is tl.float16
    k, *others = seen[0]
    assert is_weak(k)
    assert not any(map(is_weak, others))
    assert {v.dtype for v in others} == {tl.float32}


def test_tensors_stay_strong() -> None:
    """What is a tensor without tracing keeps its dtype."""

    @tl.function
    def f(x, n):
        for i in tl.range(n):
            x = x * i
        return x

    with pytest.raises(tl.errors.DTypeError, match="float32 and int32"):
        f(tl.constant(1.0), tl.constant(3))


def test_an_argument_of_a_traced_function() -> None:
    inner = tl.function(lambda x, n: x * tl.cast(n, tl.float32) + tl.sqrt(float(n)))

    @tl.function
    def f(x):
        return inner(x, int(x) * 1)

    assert float(f(tl.constant(4.0))) == 18.0


def test_gradients_pass_what_stands_for_a_number() -> None:
    def f(x):
        n, decay = 0, 1.0
        for v in x:
            if v > 0:
                n += 1
            decay = decay * 0.5
        return tl.reduce_sum(x * x) / n * decay

    x = tl.constant([1.0, -2.0, 3.0])
    found = []
    for run in (f, tl.function(f)):
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = run(x)
        found.append(tape.gradient(y, x).numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
    np.testing.assert_allclose(found[0], x * 2 / 2 * 0.125, rtol=1e-6)


def of_sums(x):
    count = sum(1 for v in x if v > 0)
    last = max(i for i, _ in enumerate(x))
    total = sum(range(int(x[1]) + 1))
    return (
        x * count,
        x / sum([2 for v in x if v > 0]),
        x * last,
        x * total,
        x * max(range(last + 1)),
    )


@pytest.mark.parametrize("values", [[1.5, 2.0, -3.0], [5.0, 4.0, 2.0]])
def test_sums_and_extremes_of_numbers(values: list[float]) -> None:
    x = tl.constant(values)
    for a, b in zip(tl.function(of_sums)(x), of_sums(x), strict=True):
        np.testing.assert_allclose(a, b, 1e-6)
