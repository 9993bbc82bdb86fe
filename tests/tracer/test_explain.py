"""`explain()`, the warning of a function that keeps retracing, general traces, relaxed shapes."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import treadle as tl

c = tl.constant
Spec = tl.TensorSpec
RATE = 1
OBJECTS = [SimpleNamespace(), SimpleNamespace()]


@dataclass
class Options:
    rate: float
    mode: str


def last_reason(*calls: tuple[Any, ...], **options: Any) -> Any:
    """Why the last of several calls was traced."""
    f: Any = tl.function(lambda x, k=None, m=None: c(0), **options)
    for args in calls:
        f(*args)
    return f.explain()[-1]


@pytest.mark.parametrize(
    ("one", "other", "place", "old", "new", "cure"),
    [
        (tl.ones([3]), tl.ones([4]), "x", "f32[3]", "f32[4]", "reduce_retracing=True"),
        (tl.ones([3]), tl.ones([2, 3]), "x", "f32[3]", "f32[2,3]", "reduce_retracing=True"),
        (tl.ones([3]), tl.ones([3], tl.int32), "x", "f32[3]", "i32[3]", "tl.cast"),
        (np.ones(3), np.ones(4), "x", "f64[3]", "f64[4]", "input_signature"),
        (1, 2, "x", "1", "2", "tl.constant(2)"),
        (1.0, 1, "x", "1.0", "1", "tl.constant(1)"),
        (c(1), 1, "x", "i32[]", "1", "as a tensor each time"),
        ("a", "b", "x", "'a'", "'b'", "a trace of its own"),
        ([c(1), 1], [c(1), 2], "x[1]", "1", "2", "tl.constant(2)"),
        ([c(1)], [c(1), c(2)], "x", "a list of 1", "a list of 2", "the same structure"),
        ([c(1)], (c(1),), "x", "a list of 1", "a tuple of 1", "the same structure"),
        ({"a": 1}, {"a": 2}, "x['a']", "1", "2", "tl.constant(2)"),
        (Options(0.1, "a"), Options(0.2, "a"), "x.rate", "0.1", "0.2", "tl.constant(0.2)"),
        (OBJECTS[0], OBJECTS[1], "x", "another SimpleNamespace", "another one", "__tracing_type"),
        (tl.Variable(1.0), tl.Variable([1.0]), "x", "var<f32[]>", "var<f32[1]>", "variables of"),
        (len, max, "x", "len", "max", "the same object"),
    ],
)  # fmt: skip
def test_reasons(one: Any, other: Any, place: str, old: str, new: str, cure: str) -> None:
    found = last_reason((one,), (other,))
    assert (found.number, found.closest, found.place, found.old) == (2, 1, place, old)
    assert found.new == new
    assert cure in found.cure


def test_the_closest_trace_is_named() -> None:
    found = last_reason((tl.ones([3]), 1), (tl.ones([4]), 2), (tl.ones([4]), 3))
    assert (found.closest, found.place, found.old, found.new) == (2, "k", "2", "3")
    found = last_reason((tl.ones([3]), 1), (tl.ones([4]), 2))
    assert found.reason == "x was f32[3] in trace 1, is f32[4], and 1 more differs"


def test_what_belongs_to_a_difference_is_not_counted_again() -> None:
    found = last_reason((c(1.0),), ([c(1.0), c(2.0)],))
    assert found.reason == "x was f32[] in trace 1, is a list of 2"
    found = last_reason((c(1.0), 2, 3), ([c(1.0)], 3, 4))
    assert found.reason == "x was f32[] in trace 1, is a list of 1, and 2 more differ"


def test_functions_that_are_made_for_each_call() -> None:
    @tl.function
    def apply(f: Any, x: Any) -> Any:
        return f(x)

    for _ in range(3):
        apply(lambda x: x + 1, c(1.0))
    found = apply.explain()[-1]
    assert found.reason.startswith(
        "f was test_functions_that_are_made_for_each_call.<locals>.<lamb"
    )
    assert found.reason.endswith(f"<lambda> in trace {found.closest}, is another one")
    assert found.cure == (
        "make the function 'f' once, before the calls, and pass that one: each time that `lambda` "
        "or `def` runs, it makes another one"
    )


def test_a_partial_of_a_method_counts_by_the_object() -> None:
    class Model:
        def method(self, k: Any, x: Any) -> Any:
            return x * k

    @tl.function
    def apply(f: Any, x: Any) -> Any:
        return f(x)

    model, other = Model(), Model()
    for k in (2, 2, 3, 3):
        assert apply(functools.partial(model.method, k), c(1.0)).numpy() == k
    assert apply.experimental_get_tracing_count() == 2
    apply(functools.partial(other.method, 2), c(1.0))
    assert apply.experimental_get_tracing_count() == 3


def test_the_page() -> None:
    config = SimpleNamespace(rate=1, layers=[1.0, 2.0])

    @tl.function
    def step(x: Any, training: Any = True) -> Any:
        return x * config.rate * len(config.layers)

    assert str(step.explain()) == "step: no trace yet"
    step(tl.ones([3]))
    step(tl.ones([3]), training=False)
    config.rate = 5
    step(tl.ones([3]))
    config.layers.append(3.0)
    step(tl.ones([3]))
    assert str(step.explain()) == (
        "step was traced 4 times\n"
        "1. step(x: f32[3], training=True)\n"
        "   the first call\n"
        "2. step(x: f32[3], training=False)\n"
        "   training was True in trace 1, is False\n"
        "   to avoid it: each value of 'training' needs a trace of its own; pass it as a tensor if "
        "it may be one\n"
        "3. step(x: f32[3], training=True)\n"
        "   config.rate was 1 in trace 1, is 5\n"
        "   to avoid it: make 'config.rate' an argument (as a tensor), or keep it in a "
        "tl.Variable; a number that the function reads is part of the trace\n"
        "4. step(x: f32[3], training=True)\n"
        "   len(config.layers) was 2 in trace 3, is 3\n"
        "   to avoid it: keep 'config.layers' as it is, or make it an argument"
    )
    step.cache_clear()
    step(tl.ones([3]))
    found = step.explain()
    assert [r.kept for r in found] == [False] * 4 + [True]
    assert found[-1].reason == "the same as trace 4, which was dropped"
    assert "(dropped)" in str(found)


def test_explain_of_a_method() -> None:
    class Model:
        @tl.function
        def method(self, x: Any) -> Any:
            return x

    model = Model()
    model.method(c(1))
    assert str(model.method.explain()).splitlines()[1] == "1. method(self=another Model, x: i32[])"


def test_a_function_that_keeps_retracing_warns_once() -> None:
    f: Any = tl.function(lambda x, k: x * k, name="scale")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for n in range(30):
            f(c(1.0), n)
    assert [w.category for w in told] == [tl.errors.RetracingWarning]
    assert str(told[0].message) == (
        "'scale' keeps being traced, and its traces are not used again: k was 7 in trace 8, is 8. "
        "To avoid it: pass 'k' as a tensor: tl.constant(8). scale.explain() tells of each trace"
    )
    assert told[0].filename == __file__


def test_traces_that_are_used_again_are_no_reason_to_warn() -> None:
    f: Any = tl.function(lambda x, k: x * k)
    for n in range(30):
        f(c(1.0), n)
        f(c(1.0), n)
    for n in range(30):
        f.get_concrete_function(Spec([n]), 0)


# --- more general traces ------------------------------------------------------------------


def test_a_general_trace_serves_what_it_covers() -> None:
    f: Any = tl.function(lambda x: tl.shape(x))
    general = f.get_concrete_function(Spec([None, 3]))
    assert f.get_concrete_function(Spec([None, 3])) is general
    assert f(tl.ones([7, 3])).numpy().tolist() == [7, 3]
    assert f(tl.ones([7, 3])).numpy().tolist() == [7, 3]
    assert f(np.ones((5, 3), np.float32)).numpy().tolist() == [5, 3]
    assert f.experimental_get_tracing_count() == 1
    assert f(tl.ones([3, 7])).numpy().tolist() == [3, 7]
    assert f(tl.ones([7, 3], tl.int32)).numpy().tolist() == [7, 3]
    assert f.experimental_get_tracing_count() == 3
    assert f.get_concrete_function(tl.ones([7, 3])) is general, "the exact key is remembered"


def test_the_most_special_trace_is_used() -> None:
    f: Any = tl.function(lambda x: c(str(x.shape)))
    f(tl.ones([2, 3]))
    f.get_concrete_function(Spec(None))
    f.get_concrete_function(Spec([None, None]))
    f.get_concrete_function(Spec([None, 3]))
    shown = {n: f(tl.ones(n)).numpy().decode() for n in [(2, 3), (4, 3), (4, 4), (4,)]}
    assert shown == {
        (2, 3): "(2, 3)",
        (4, 3): "(None, 3)",
        (4, 4): "(None, None)",
        (4,): "<unknown>",
    }
    assert f.experimental_get_tracing_count() == 4


def test_structures_and_values_beside_general_tensors() -> None:
    f: Any = tl.function(lambda pair, k: pair["a"] * k)
    f.get_concrete_function({"a": Spec([None])}, 2)
    assert f({"a": tl.ones([4])}, 2).numpy().tolist() == [2.0] * 4
    assert f.experimental_get_tracing_count() == 1
    f({"a": tl.ones([4])}, 3)
    f({"b": tl.ones([4]), "a": tl.ones([4])}, 2)
    assert f.experimental_get_tracing_count() == 3


def test_a_general_trace_is_guarded_as_well() -> None:
    f: Any = tl.function(lambda x: x * RATE)
    f.get_concrete_function(Spec([None]))
    assert f(tl.ones([2])).numpy().tolist() == [1, 1]
    globals()["RATE"] = 3
    try:
        assert f(tl.ones([2])).numpy().tolist() == [3, 3]
    finally:
        globals()["RATE"] = 1


def shapes_of(f: Any) -> list[str]:
    return [r.arguments["x"].shown for r in f.explain()]


def test_reduce_retracing_leaves_open_what_differs() -> None:
    f: Any = tl.function(lambda x: x * 2.0, reduce_retracing=True)
    for shape in ([2, 3], [4, 3], [5, 3], [6, 3], [2, 3]):
        assert f(tl.ones(shape)).numpy().shape == tuple(shape)
    assert shapes_of(f) == ["f32[2,3]", "f32[?,3]"]
    f(tl.ones([2, 4]))
    f(tl.ones([7, 9]))
    assert shapes_of(f)[2:] == ["f32[?,?]"]
    f(tl.ones([2]))
    f(tl.ones([2, 2, 2]))
    assert shapes_of(f)[3:] == ["f32[...]"]
    f(tl.ones([2, 3], tl.float64))
    assert shapes_of(f)[4:] == ["f64[2,3]"]


def test_reduce_retracing_of_structures() -> None:
    f: Any = tl.function(lambda xs, k: xs[0] + xs[1] * k, reduce_retracing=True)
    for n in (1, 2, 3, 4):
        assert f((tl.ones([n]), tl.ones([1])), 2).numpy().tolist() == [3.0] * n
    assert f.experimental_get_tracing_count() == 2
    f((tl.ones([1]), tl.ones([1])), 3)
    assert f.experimental_get_tracing_count() == 3


def test_reduce_retracing_with_variables() -> None:
    class Model:
        v: Any = None

        @tl.function(reduce_retracing=True)
        def method(self, x: Any) -> Any:
            if self.v is None:
                self.v = tl.Variable(2.0)
            self.v.assign_add(1.0)
            return x * self.v

    model = Model()
    results = [model.method(tl.ones([n])).numpy().tolist() for n in (1, 2, 3)]
    assert results == [[3.0], [4.0] * 2, [5.0] * 3]
    assert Model.method.experimental_get_tracing_count() == 2
