"""What a decorated function promises: when it traces, what it captures, threads, recursion."""

from __future__ import annotations

import functools
import gc
import inspect
import math
import threading
import weakref
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import treadle as tl

Pair = namedtuple("Pair", "first second")


@dataclass
class Point:
    x: Any
    y: Any


def counting(**options: Any) -> tuple[Any, list[Any]]:
    """A traced identity, and the arguments of each of its traces."""
    seen: list[Any] = []

    @tl.function(**options)
    def f(x: Any) -> Any:
        seen.append(x)
        return tl.constant(len(seen))

    return f, seen


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (tl.constant([1, 2]), tl.constant([3, 4]), tl.constant([1, 2, 3])),
        (tl.constant(1), tl.constant(2), tl.constant(1.0)),
        (np.ones(2), tl.constant(np.zeros(2)), np.ones(2, np.float32)),
        (1, 1, 2),
        (1, 1, 1.0),
        (1, 1, True),
        (0.0, 0.0, -0.0),
        (math.nan, float("nan"), 1.0),
        ("relu", "relu", "tanh"),
        (None, None, 0),
        ([1, (2, 3)], [1, (2, 3)], [1, [2, 3]]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": 1, "c": 2}),
        ([tl.constant(1)], [tl.constant(2)], [tl.constant(1), tl.constant(1)]),
        (Pair(tl.constant(1), 2), Pair(tl.constant(5), 2), Pair(tl.constant(1), 3)),
        (Point(tl.constant(1), 2), Point(tl.constant(5), 2), Point(tl.constant(1), 3)),
        (tl.Variable(1.0), tl.Variable(2.0), tl.Variable([1.0])),
        (tl.float32, tl.float32, tl.int32),
    ],
    ids=lambda x: None,
)
def test_signatures(one: Any, same: Any, other: Any) -> None:
    f, seen = counting()
    for x, traces in ((one, 1), (same, 1), (other, 2), (one, 2), (same, 2), (other, 2)):
        f(x)
        assert len(seen) == traces


def test_objects_count_by_identity_and_are_not_kept_alive() -> None:
    class Thing:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    f, seen = counting()
    a, b = Thing(), Thing()
    for x in (a, b, a, b):
        f(x)
    assert [seen[0] is a, seen[1] is b, len(seen)] == [True, True, 2]
    seen.clear()
    alive = weakref.ref(a)
    del a, x
    gc.collect()
    assert alive() is None
    assert f.cache_info().kept == 1


def test_keywords_and_defaults_are_one_signature() -> None:
    traced = []

    @tl.function
    def f(x: Any, factor: int = 2, *, shift: int = 0) -> Any:
        traced.append(factor)
        return x * factor + shift

    x = tl.constant(3)
    calls = [f(x), f(x, 2), f(x=x), f(factor=2, x=x), f(x, shift=0)]
    assert [int(r) for r in calls] == [6] * 5
    assert traced == [2]
    assert f(x, 3, shift=1).numpy() == 10
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        f()
    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        f(x, size=1)


def test_variables_as_arguments_share_a_trace_but_not_when_they_are_one() -> None:
    traced = []

    @tl.function
    def f(v: Any, w: Any) -> Any:
        traced.append(1)
        v.assign_add(1.0)
        return v + w

    a, b, c = tl.Variable(1.0), tl.Variable(10.0), tl.Variable(100.0)
    assert [float(f(a, b)), float(f(b, c)), len(traced)] == [12.0, 111.0, 1]
    assert [float(f(c, c)), len(traced)] == [202.0, 2]


def test_methods_are_traced_for_each_instance_and_freed_with_it() -> None:
    class Scale:
        def __init__(self, k: float) -> None:
            self.k = k

        @tl.function
        def __call__(self, x: Any) -> Any:
            return x * self.k

        @staticmethod
        @tl.function
        def twice(x: Any) -> Any:
            return x + x

    two, three = Scale(2.0), Scale(3.0)
    x = tl.constant(1.0)
    assert [float(two(x)), float(three(x)), float(two(x))] == [2.0, 3.0, 2.0]
    assert Scale.twice(x).numpy() == 2.0
    alive = weakref.ref(two)
    del two
    gc.collect()
    assert alive() is None
    assert Scale.__dict__["__call__"].cache_info().kept == 1


def test_captures_are_read_when_the_graph_runs() -> None:
    v, fixed = tl.Variable(2.0), tl.constant(10.0)
    f = tl.function(lambda x: x * v + fixed)
    assert f(tl.constant(1.0)).numpy() == 12.0
    v.assign(3.0)
    assert f(tl.constant(1.0)).numpy() == 13.0
    concrete = f.get_concrete_function(tl.constant(1.0))
    assert [c is v for c in concrete.captured_inputs] == [True, False]
    assert concrete.variables == (v,)


def test_functions_in_functions_become_calls_that_a_pass_inlines() -> None:
    @tl.function
    def inner(x: Any) -> Any:
        return tl.sin(x)

    @tl.function
    def outer(x: Any) -> Any:
        return inner(x) + inner(2.0 * x)

    assert outer(tl.constant(0.5)).numpy() == pytest.approx(math.sin(0.5) + math.sin(1.0))
    graph = outer.get_concrete_function(tl.constant(0.5)).graph
    assert [n.op.name for n in graph.nodes].count("call") == 2
    assert "call" not in [n.op.name for n in tl.graph.optimize(graph).nodes]


def test_closures_over_outer_symbolic_tensors() -> None:
    @tl.function
    def outer(x: Any) -> Any:
        inner = tl.function(lambda y: y * x)
        return inner(x) + inner(tl.constant(2.0))

    assert outer(tl.constant(3.0)).numpy() == 15.0
    assert outer(tl.constant(4.0)).numpy() == 24.0


def test_recursion_and_mutual_recursion() -> None:
    @tl.function
    def factorial(n: Any) -> Any:
        if n <= 1:
            return tl.constant(1)
        return n * factorial(n - 1)

    @tl.function
    def even(n: Any) -> Any:
        return tl.cond(n == 0, lambda: tl.constant(True), lambda: odd(n - 1))

    @tl.function
    def odd(n: Any) -> Any:
        return tl.cond(n == 0, lambda: tl.constant(False), lambda: even(n - 1))

    assert [int(factorial(tl.constant(n))) for n in (1, 5, 10)] == [1, 120, 3628800]
    assert [bool(even(tl.constant(n))) for n in (0, 3, 8)] == [True, False, True]


def test_endless_recursion_is_an_error() -> None:
    @tl.function
    def f(n: Any) -> Any:
        return f(n - 1)

    with pytest.raises(RecursionError, match="'f' calls itself on every path"):
        f(tl.constant(1))


def test_a_function_made_of_a_wrapped_one_looks_like_it() -> None:
    @tl.function
    def scale(x: Any, factor: int = 2) -> Any:
        """Times factor."""
        return x * factor

    assert (scale.__name__, scale.__doc__) == ("scale", "Times factor.")
    assert list(inspect.signature(scale).parameters) == ["x", "factor"]
    assert scale.__wrapped__ is scale.python_function
    assert functools.partial(scale, factor=3)(tl.constant(2)).numpy() == 6


def test_an_error_while_tracing_leaves_the_function_usable() -> None:
    fail = [True]

    @tl.function
    def f(x: Any) -> Any:
        if fail:
            raise KeyError("not yet")
        return x + 1

    with pytest.raises(KeyError, match="not yet"):
        f(tl.constant(1))
    fail.clear()
    assert f(tl.constant(1)).numpy() == 2


def test_threads_trace_once_and_get_their_own_results() -> None:
    traced = []

    @tl.function
    def f(x: Any) -> Any:
        traced.append(threading.get_ident())
        total = tl.constant(0)
        for i in tl.range(x):
            total += i
        return total

    start = threading.Barrier(8)
    results: dict[int, list[int]] = {}

    def work(n: int) -> None:
        start.wait()
        results[n] = [int(f(tl.constant(n))) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == {n: [sum(range(n))] * 20 for n in range(8)}
    assert len(traced) == 1


@pytest.mark.filterwarnings("ignore::treadle.errors.RetracingWarning")
def test_traces_are_bounded_and_can_be_dropped() -> None:
    f, seen = counting()
    limit = f.cache_info().limit
    for n in range(limit + 5):
        f(n)
    assert f.cache_info()[:2] == (limit + 5, limit)
    f.cache_clear()
    assert f.cache_info().kept == 0
    f(0)
    assert len(seen) == limit + 6


def test_results_keep_their_structure() -> None:
    @tl.function
    def f(x: Any) -> Any:
        return {"pair": Pair(x, None), "list": [x + 1, 2.5], "text": "a"}

    result = f(tl.constant(1))
    assert isinstance(result["pair"], Pair)
    assert result["pair"].second is None
    assert [v.numpy() for v in result["list"]] == [2, 2.5]
    assert result["text"].numpy() == b"a"


def test_symbolic_tensors_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """As TensorFlow 2.21 shows them."""

    @tl.function
    def f(a: Any, b: Any) -> Any:
        print(b, [a], f"{b}", a + 1)
        return a

    f(tl.constant(1), tl.constant([1.0]))
    f.get_concrete_function(tl.TensorSpec([], tl.int32), tl.TensorSpec(None))
    assert capsys.readouterr().out.splitlines() == [
        "Tensor(\"b:0\", shape=(1,), dtype=float32) [<tl.Tensor 'a:0' shape=() dtype=int32>] "
        'Tensor("b:0", shape=(1,), dtype=float32) Tensor("add:0", shape=(), dtype=int32)',
        "Tensor(\"b:0\", dtype=float32) [<tl.Tensor 'a:0' shape=() dtype=int32>] "
        'Tensor("b:0", dtype=float32) Tensor("add:0", shape=(), dtype=int32)',
    ]
