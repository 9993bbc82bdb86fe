"""Functions that call themselves, directly or through others."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import compiled

import treadle as tl
from treadle.runtime.executable import _plans

c = tl.constant


def test_two_calls_of_itself() -> None:
    @tl.function
    def fib(n: Any) -> Any:
        if n < 2:
            return n
        return fib(n - 1) + fib(n - 2)

    assert [int(fib(c(n))) for n in (0, 1, 2, 10)] == [0, 1, 1, 55]
    assert fib.cache_info().traces == 1


def test_it_goes_as_deep_as_python_does() -> None:
    def depth(n: Any) -> Any:
        return c(0) if n <= 0 else depth(n - 1) + 1

    def even(n: Any) -> Any:
        return c(True) if n == 0 else odd(n - 1)

    def odd(n: Any) -> Any:
        return c(False) if n == 0 else even(n - 1)

    def deepest(f: Any) -> int:
        works, fails = 1, 5_000
        while fails - works > 1:
            n = (works + fails) // 2
            try:
                f(c(n))
                works = n
            except RecursionError:
                fails = n
        return works

    for f in (depth, even):
        assert deepest(tl.function(f)) >= deepest(f) - 20


def test_each_function_is_planned_once() -> None:
    @tl.function
    def depth(n: Any) -> Any:
        return c(0) if n <= 0 else depth(n - 1) + 1

    depth(c(1))
    before = len(_plans)
    assert depth(c(200)).numpy() == 200
    assert len(_plans) <= before + 1


def test_python_arguments_unroll() -> None:
    @tl.function
    def power(x: Any, n: int) -> Any:
        return tl.ones_like(x) if n == 0 else x * power(x, n - 1)

    assert power(c(2.0), 5).numpy() == 32.0
    assert power.cache_info().traces == 6


def test_shapes_that_settle() -> None:
    """What the first pass learns of the result is not what the second one does."""

    @tl.function
    def grow(x: Any, n: Any) -> Any:
        if n <= 0:
            return x
        return tl.concat([grow(x, n - 1), x], 0)

    assert grow(c([1.0, 2.0]), c(3)).numpy().tolist() == [1.0, 2.0] * 4
    assert grow(c([1.0]), c(0)).numpy().tolist() == [1.0]


def test_structures() -> None:
    @tl.function
    def f(n: Any) -> Any:
        if n == 0:
            return {"sum": c(0), "powers": [c(1.0)]}
        before = f(n - 1)
        return {"sum": before["sum"] + n, "powers": [before["powers"][0] * 2.0]}

    found = f(c(4))
    assert (found["sum"].numpy(), found["powers"][0].numpy()) == (10, 16.0)


def test_state() -> None:
    total, calls = tl.Variable(0), tl.Variable(0)

    @tl.function
    def visit(n: Any) -> Any:
        calls.assign_add(1)
        if n > 0:
            visit(n - 1)
            total.assign_add(n)
            visit(n - 2)
        return total + calls

    def plain(n: int) -> None:
        nonlocal expected_total, expected_calls
        expected_calls += 1
        if n > 0:
            plain(n - 1)
            expected_total += n
            plain(n - 2)

    expected_total = expected_calls = 0
    plain(6)
    result = visit(c(6)).numpy()
    assert (total.numpy(), calls.numpy()) == (expected_total, expected_calls)
    assert result == expected_total + expected_calls


def test_captures_of_every_pass() -> None:
    a, b, t = tl.Variable(1.0), tl.Variable(10.0), c(100.0)

    @tl.function
    def f(n: Any) -> Any:
        if n <= 0:
            return a + 0.0
        return f(n - 1) * b + t

    assert f(c(0)).numpy() == 1.0
    assert f(c(2)).numpy() == (1.0 * 10.0 + 100.0) * 10.0 + 100.0


def test_mutual_recursion() -> None:
    @tl.function
    def even(n: Any) -> Any:
        if n == 0:
            return c(True)
        return odd(n - 1)

    @tl.function
    def odd(n: Any) -> Any:
        if n == 0:
            return c(False)
        return even(n - 1)

    @tl.function
    def odd_without_an_end(n: Any) -> Any:
        return tl.logical_not(even_of_it(n))

    @tl.function
    def even_of_it(n: Any) -> Any:
        if n == 0:
            return c(True)
        return odd_without_an_end(n - 1)

    for f, parity in ((even, 0), (odd, 1), (odd_without_an_end, 1), (even_of_it, 0)):
        assert [bool(f(c(n))) for n in range(6)] == [n % 2 == parity for n in range(6)], f


def test_a_grammar_of_functions() -> None:
    """Four functions in a ring, with two ways through, each of which may be the first."""

    def ring(wrap: Any) -> list[Any]:
        @wrap
        def a(n: Any, x: Any) -> Any:
            if n <= 0:
                return x
            return b(n - 1, x + 1.0) + 1.0

        @wrap
        def b(n: Any, x: Any) -> Any:
            if n <= 1:
                return x * 2.0
            return d(n - 1, x) - e(n - 2, x)

        @wrap
        def d(n: Any, x: Any) -> Any:
            return a(n - 1, x * 0.5)

        @wrap
        def e(n: Any, x: Any) -> Any:
            if n > 2:
                return a(n - 2, x)
            return d(n - 1, x) + 3.0

        return [a, b, d, e]

    plain = ring(lambda f: f)
    for start in range(4):
        traced = ring(tl.function)
        for k in range(4):
            f, expected = traced[(start + k) % 4], plain[(start + k) % 4]
            for n in (0, 1, 5, 9):
                np.testing.assert_allclose(f(c(n), c(1.5)).numpy(), expected(n, 1.5), rtol=1e-6)


@st.composite
def families(draw: Any) -> str:
    """Four functions that call each other at random; the last ones only end through others."""
    lines = ["def family(wrap):"]
    for i in range(4):
        lines += ["    @wrap", f"    def f{i}(n, x):"]
        if i < 2:
            at_end = draw(st.sampled_from(["x", "x * 2.0", "x + 1.0"]))
            lines += [f"        if n <= {draw(st.integers(0, 2))}:", f"            return {at_end}"]
        terms = []
        for _ in range(draw(st.integers(1, 2))):
            callee = draw(st.integers(0, 3 if i < 2 else 1))
            less = draw(st.integers(1, 2))
            terms.append(f"f{callee}(n - {less}, x * {draw(st.sampled_from([0.5, 2.0]))})")
        result = draw(st.sampled_from([" + ", " - "])).join(terms)
        if draw(st.booleans()):
            lines += [f"        v.assign_add({i + 1.0})"]
        if draw(st.booleans()):
            lines += ["        if n > 2:", f"            return {terms[0]} + 0.5"]
        lines.append(f"        return {result}")
    return "\n".join([*lines, "    return [f0, f1, f2, f3]"]) + "\n"


class PlainVariable:
    def __init__(self) -> None:
        self.value = 0.0

    def assign_add(self, x: float) -> None:
        self.value += x


@settings(max_examples=25)
@given(families(), st.permutations(range(4)), st.integers(-1, 6))
def test_random_families(text: str, order: list[int], n: int) -> None:
    v, plain_v = tl.Variable(0.0), PlainVariable()
    traced = compiled(text, "family", v=v)(tl.function)
    plain = compiled(text, "family", v=plain_v)(lambda f: f)
    for i in order:
        np.testing.assert_allclose(traced[i](c(n), c(1.5)).numpy(), plain[i](n, 1.5), rtol=1e-5)
        assert v.numpy() == plain_v.value


def test_gradient() -> None:
    w = tl.Variable(2.0)

    @tl.function
    def power(x: Any, n: Any) -> Any:
        if n == 0:
            return tl.ones_like(x)
        return x * w * power(x, n - 1)

    x = c(3.0)
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = power(x, c(3))
    dx, dw = tape.gradient(y, [x, w])
    assert (y.numpy(), dx.numpy(), dw.numpy()) == (216.0, 216.0, 324.0)


def test_no_end() -> None:
    @tl.function
    def f(n: Any) -> Any:
        return g(n) + 1

    @tl.function
    def g(n: Any) -> Any:
        return f(n) + 1

    with pytest.raises(RecursionError, match="'f' calls itself on every path: it never returns"):
        f(c(1))
    with pytest.raises(RecursionError, match="'g_2' calls itself on every path"):
        g(c(1))


def test_a_failure_leaves_no_half_known_functions() -> None:
    fail = [True]

    @tl.function
    def f(n: Any) -> Any:
        if n <= 0:
            return c(0)
        r = g(n - 1)
        if fail:
            return json.dumps(object)  # fails while tracing
        return r + 1

    @tl.function
    def g(n: Any) -> Any:
        if n <= 0:
            return c(100)
        return f(n - 1) + 1

    with pytest.raises(TypeError, match="not JSON serializable"):
        f(c(5))
    assert g.cache_info().kept == 0
    fail.clear()
    assert (f(c(4)).numpy(), f(c(5)).numpy(), g(c(4)).numpy()) == (4, 105, 104)
