"""Plans: the Python source that a graph runs as."""

from __future__ import annotations

import gc
import linecache
import math
import threading
import traceback
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.runtime.executable import executable
from treadle.runtime.plan import forget_dead

c = tl.constant


def plan_of(function: Any, *args: Any) -> Any:
    return executable(function.get_concrete_function(*args).graph).plan


def plans() -> int:
    gc.collect()
    forget_dead()
    return sum(name.startswith("<plan") for name in linecache.cache)


def test_the_source_reads_as_the_program() -> None:
    @tl.function
    def collatz(n: Any, steps: Any) -> Any:
        while n > 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        return steps

    assert collatz(c(27), c(0)).numpy() == 111
    plan = plan_of(collatz, c(27), c(0))
    assert "".join(linecache.getlines(plan.filename)) == plan.source
    lines = [line.strip() for line in plan.source.splitlines()]
    assert lines[0] == "def collatz(n, steps):"
    assert "while True:" in lines
    assert sum(line.startswith("if ") for line in lines) == 2
    assert "else:" in lines
    code = compile(plan.source, "copy", "exec")
    namespace = dict(plan.namespace)
    exec(code, namespace)
    (result,) = namespace["collatz"](np.array(27, np.int32), np.array(0, np.int32))
    assert result == 111


def test_constants_are_bound_once() -> None:
    table = np.arange(1000.0, dtype=np.float32)

    @tl.function
    def f(x: Any) -> Any:
        return (x + table) * table + 2.0 * x + 2.0

    np.testing.assert_allclose(f(c(1.0)).numpy(), (1 + table) * table + 4)
    arrays = [v for v in plan_of(f, c(1.0)).namespace.values() if isinstance(v, np.ndarray)]
    assert sorted(a.size for a in arrays) == [1, 1000]


# --- depth and length ---------------------------------------------------------------------


def nested(kind: str, depth: int) -> Callable[[Any], Any]:
    """`depth` conds, switches, whiles or calls inside of each other."""

    def level(x: Any, n: int) -> Any:
        if n == 0:
            return tl.gather(c([1, 2, 3]), x) + x
        if kind == "cond":
            return tl.cond(x > -n, lambda: level(x, n - 1), lambda: x - n)
        if kind == "switch":
            index = tl.cast(x > -n, tl.int32)
            return tl.switch_case(index, [lambda: x - n, lambda: level(x, n - 1)])
        if kind == "while":
            return tl.while_loop(
                lambda i, y: i < 1, lambda i, y: (i + 1, level(y, n - 1)), (c(0), x)
            )[1]
        return tl.function(lambda y: level(y, n - 1), autograph=False)(x)

    return lambda x: level(x, depth)


@pytest.mark.parametrize(
    ("kind", "depth"), [("cond", 45), ("while", 30), ("switch", 30), ("call", 25)]
)
def test_deeper_than_python_nests_blocks(kind: str, depth: int) -> None:
    program = nested(kind, depth)
    f = tl.function(program, autograph=False)
    for x in (0, 2, 1):
        assert f(c(x)).numpy() == program(c(x)).numpy() == 2 * x + 1
    with pytest.raises(tl.errors.IndexOutOfRangeError, match="index 3 is out of range") as caught:
        f(c(3))
    assert "test_plan.py" in str(caught.value)
    assert "return tl.gather(c([1, 2, 3]), x) + x" in str(caught.value)


def test_a_long_graph_runs_in_parts() -> None:
    v = tl.Variable(0.0)

    @tl.function
    def f(x: Any, i: Any) -> Any:
        first = x
        for n in range(5_000):
            x = x + 1.0
            if n % 1_000 == 0:
                v.assign_add(x[0])
        y = tl.gather(x, i)
        v.assign_add(100.0)
        return x, y, first

    x, y, first = f(c([0.0, 1.0]), c(1))
    assert (x.numpy().tolist(), y.numpy(), first.numpy()[1]) == ([5_000.0, 5_001.0], 5_001.0, 1.0)
    total = sum(n + 1.0 for n in range(0, 5_000, 1_000))
    assert v.numpy() == total + 100.0
    assert len(plan_of(f, c([0.0, 1.0]), c(1)).parts) > 1
    with pytest.raises(tl.errors.IndexOutOfRangeError) as caught:
        f(c([0.0]), c(7))
    message = str(caught.value)
    assert "index 7 is out of range for axis 0 of size 1" in message
    assert "y = tl.gather(x, i)" in message
    assert v.numpy() == 2 * total + 100.0, "what came before the failing op stays"


# --- errors ---------------------------------------------------------------------------------


def test_errors_name_the_users_line_through_calls_and_loops() -> None:
    @tl.function
    def inner(x: Any, d: Any) -> Any:
        return x // d

    @tl.function
    def outer(x: Any, d: Any) -> Any:
        while x > 0:
            if x > 5:
                x = inner(x, d)  # the call
            d = d - 1
        return x

    with pytest.raises(tl.errors.DivisionByZeroError) as caught:
        outer(c(100), c(1))
    lines = str(caught.value).splitlines()
    assert lines[0] == "floordiv: integer division by zero"
    assert "return x // d" in lines[1]
    assert lines[2:] == ["    x: i32[]", "    d: i32[]"]
    shown = "".join(traceback.format_exception(caught.value))
    assert shown.count("integer division by zero") == 1
    assert inner(c(7), c(2)).numpy() == 3


def test_no_warning_leaks() -> None:
    """Warnings are errors here; NumPy would warn of each of these."""

    def f(x: Any) -> Any:
        return [
            *(x / 0.0, tl.math.log(x - 5.0), tl.exp(x * 1e3), tl.sqrt(-x), x * 1e38 * 1e38),
            *(tl.cast(x * 1e30, tl.int32), tl.pow(0.0, -x), tl.reduce_mean(x[:0])),
        ]

    for found in (f(c([1.0])), tl.function(f)(c([1.0]))):
        inf, nan = np.inf, np.nan
        values = [float(np.ravel(t.numpy())[0]) for t in found]
        np.testing.assert_array_equal(values, [inf, nan, inf, nan, inf, 2**31 - 1, inf, nan])


# --- memory -----------------------------------------------------------------------------------


def peak(function: Any, *args: Any) -> float:
    """The most arrays of a million floats alive at once while `function` runs a second time."""
    function(*args)
    tracemalloc.start()
    try:
        function(*args)
        return tracemalloc.get_traced_memory()[1] / 4e6
    finally:
        tracemalloc.stop()


def test_temporaries_are_freed_at_their_last_use() -> None:
    x = tl.zeros([1_000_000])

    @tl.function
    def chain(x: Any) -> Any:
        for _ in range(30):
            x = tl.sin(x) + 1.0
        return tl.reduce_sum(x)

    @tl.function
    def loop(x: Any, n: Any) -> Any:
        while n > 0:
            y = tl.sin(x)
            z = tl.cos(y)
            x = z * 2.0 + 1.0
            n -= 1
        return tl.reduce_sum(x)

    @tl.function
    def branch(x: Any, p: Any) -> Any:
        if p > 0:
            y = tl.sin(x)
            r = chain(y)
        else:
            r = c(0.0)
        return r

    assert peak(chain, x) < 2.1
    assert peak(loop, x, c(4)) < 3.1
    assert peak(branch, x, c(1)) < 3.1


def test_results_do_not_alias_what_may_change() -> None:
    v = tl.Variable([1.0, 2.0])

    @tl.function
    def f(x: Any) -> Any:
        before = v.read_value()
        v.assign_add(x)
        between = tl.reshape(v, [2, 1])
        v.assign(before * 10.0)
        return x, before, between, v.read_value(), tl.identity(x), x[:1], tl.transpose(x)

    x = c([1.0, 1.0])
    results = f(x)
    kept = [t.numpy().tolist() for t in results]
    assert kept[:4] == [[1.0, 1.0], [1.0, 2.0], [[2.0], [3.0]], [10.0, 20.0]]
    v.assign([0.0, 0.0])
    f(c([5.0, 5.0]))
    for t in results:
        t.numpy()[...] = 99.0
        np.from_dlpack(t)[...] = 99.0
    assert [t.numpy().tolist() for t in results] == kept
    assert x.numpy().tolist() == [1.0, 1.0]


def test_a_constant_in_a_graph_is_out_of_reach() -> None:
    source = np.array([1.0, 2.0], np.float32)
    f = tl.function(lambda: tl.constant(source)).get_concrete_function()
    array = f().numpy()
    array[0] = source[0] = 9.0
    assert f().numpy().tolist() == [1.0, 2.0]


def test_plans_die_with_their_functions() -> None:
    before = plans()

    def make(k: int) -> None:
        @tl.function
        def f(x: Any) -> Any:
            return f(x - 1) + k if x > 0 else x  # a cycle through itself

        @tl.function
        def g(x: Any) -> Any:
            y = f(x)
            for _ in range(3):
                y = y * 2
            return y

        with tl.GradientTape() as tape:
            v = tl.Variable(2.0)
            y = g(c(2)) * 2
            z = tl.function(lambda: v * v * v)()
        assert y.numpy() == 2 * 8 * (2 * k)
        assert tape.gradient(z, v).numpy() == 12.0

    for k in range(5):
        make(k)
    assert plans() == before


@pytest.mark.filterwarnings("ignore:.*keeps being traced")  # on purpose
def test_dropped_traces_take_their_plans_along() -> None:
    before = plans()
    f = tl.function(lambda n: c(n))
    for n in range(20):
        f(n)
    assert plans() == before + 20
    f.cache_clear()
    assert plans() == before
    assert f(3).numpy() == 3


# --- threads ----------------------------------------------------------------------------------


def test_threads_run_one_plan_at_once() -> None:
    @tl.function
    def f(x: Any) -> Any:
        total = c(0.0)
        while total < 50.0:
            total = total + x
        return total

    found: list[tuple[int, float]] = []
    together = threading.Barrier(4)

    def work(k: int) -> None:
        together.wait()
        for _ in range(50):
            found.append((k, float(f(c(float(k))))))  # noqa: PERF401

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    assert all(value == math.ceil(50 / k) * k for k, value in found)


@pytest.mark.parametrize("dtype", [tl.int8, tl.uint16, tl.int32, tl.int64, tl.float32, tl.float64])
def test_scalars_are_computed_by_operators(dtype: Any) -> None:
    @tl.function
    def f(x: Any, y: Any) -> Any:
        z = x * y + y - tl.constant(3, dtype)
        return z, z < y, z <= x, z > y, z >= x, tl.equal(x, y), tl.not_equal(x, y)

    a, b = c(100, dtype), c(7, dtype)  # the product overflows in eight bits
    lines = plan_of(f, a, b).source
    assert all(f" {sign} " in lines for sign in ("+", "-", "*", "<", "<=", ">", ">=", "==", "!="))
    for got, want in zip(f(a, b), f.python_function(a, b), strict=True):
        assert got.dtype is want.dtype
        assert got.numpy().dtype == want.numpy().dtype
        assert got.numpy() == want.numpy()


def test_special_scalars() -> None:
    @tl.function
    def f(x: Any, y: Any) -> Any:
        return x * y, x + y, x - y, x < y, tl.equal(x, y)

    for pair in [
        (math.inf, 0.0),
        (math.inf, -math.inf),
        (math.nan, 1.0),
        (1e308, 1e308),
        (-0.0, 0),
    ]:
        xs = [c(v, tl.float64) for v in pair]
        for got, want in zip(f(*xs), f.python_function(*xs), strict=True):
            assert got.numpy().tobytes() == want.numpy().tobytes()
