"""What counts as the same call: the signature cache, `input_signature`, and binding."""

from __future__ import annotations

import collections
import functools
import gc
import inspect
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import treadle as tl

c = tl.constant
Spec = tl.TensorSpec


@dataclass
class Point:
    x: Any
    y: Any


class Slotted:
    __slots__ = ("k",)

    def __init__(self, k: int) -> None:
        self.k = k


def traced(**options: Any) -> Any:
    """A traced function of anything; `.traces` has the arguments of each trace."""
    traces: list[Any] = []

    def f(*args: Any, **kwargs: Any) -> Any:
        traces.append((args, kwargs))
        return c(len(traces))

    function: Any = tl.function(f, **options)
    function.traces = traces
    return function


FUNCTION = len
THING = SimpleNamespace()
VALUES: list[Any] = [
    *(1, 1.0, True, 0, 0.0, -0.0, False, float("nan"), float("inf"), None, 2**70),
    *(1j, 0j, complex(0.0, -0.0), complex(-0.0, 0.0), "a", b"a", "", ...),
    *(range(3), range(4), slice(1, 2), slice(1, 2, 1), (1, 2), [1, 2], (), [], [[]]),
    *({}, {"a": 1}, {"a": 1.0}, {1: "a"}, {True: "a"}, {"a": {"b": 1}}),
    *(Point(1, 2), Point(2, 1), tl.float32, "float32", np.float32, tl.TensorShape([1]), (1,)),
    *(tl.TensorShape(None), FUNCTION, THING, SimpleNamespace()),
    *(c(1), c([1]), c(1.0), c([1.0, 2.0]), c("a"), np.float16(1), np.zeros((2, 2), np.int8)),
    *([c(1)], (c(1),), {"a": c(1)}, Point(c(1), 2), [c(1), c(1)], [c(1), 1]),
    *(tl.Variable(1.0), tl.Variable(1.0, shape=tl.TensorShape(None)), tl.Variable([1])),
    *(collections.OrderedDict(a=1), collections.defaultdict(list, a=1), Slotted(1)),
]


@pytest.mark.filterwarnings("ignore::treadle.errors.RetracingWarning")
def test_each_value_has_one_trace() -> None:
    f = traced()
    first = [int(f(x)) for x in VALUES]
    assert first == list(range(1, len(VALUES) + 1))
    assert [int(f(x)) for x in VALUES] == first
    assert [int(f(x)) for x in reversed(VALUES)] == first[::-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (c([1, 2]), c([3, 4])),
        (c([1, 2]), np.array([3, 4], np.int32)),
        (c([1, 2]), np.array([3, 4], ">i4")),
        (c(1.5), np.float32(2.5)),
        (np.str_("a"), c("b")),
        (range(3), range(9)[:3]),
        (slice(None, 2), slice(None, 2)),
        ({"a": 1, "b": c(2)}, {"b": c(3), "a": 1}),
        (Point(c(1), "k"), Point(c(7), "k")),
        (float("nan"), -float("nan") * -1),
        (tl.zeros([0, 3]), tl.zeros([0, 3])),
    ],
)
def test_values_that_are_one_signature(one: Any, other: Any) -> None:
    f = traced()
    assert f(one).numpy() == f(other).numpy() == f([one][0]).numpy() == 1


def test_arguments_are_bound_before_they_count() -> None:
    traces = []

    @tl.function
    def f(a: Any, b: Any = 2, /, c: Any = 3, *rest: Any, d: Any = 4, **more: Any) -> Any:
        traces.append(1)
        return [a, b, c, rest, d, more]

    t = tl.constant(1)
    for call in (
        *(lambda: f(t), lambda: f(t, 2), lambda: f(t, 2, 3), lambda: f(t, c=3)),
        *(lambda: f(t, 2, c=3, d=4), lambda: f(t, d=4)),
    ):
        assert [int(x) for x in tl.nest.flatten(call())] == [1, 2, 3, 4]
    assert len(traces) == 1
    found = f(t, 2, 3, t, 5, d=t, e=t, b=6)
    assert tl.nest.map_structure(int, found) == [1, 2, 3, (1, 5), 1, {"e": 1, "b": 6}]
    f(t, 2, 3, t, 5, b=6, e=t, d=t)
    assert len(traces) == 2
    f(t, 2, 3, t, 6, b=6, e=t, d=t)
    assert len(traces) == 3
    assert str(inspect.signature(f)).startswith("(a: 'Any', b: 'Any' = 2, /, c: 'Any' = 3, *rest")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: f(), r"f\(\): missing a required argument: 'a'"),
        (lambda f: f(1, 2, 3), r"f\(\): too many positional arguments"),
        (lambda f: f(1, c=3), r"f\(\): got an unexpected keyword argument 'c'"),
        (lambda f: f(1, a=3), r"f\(\): multiple values for argument 'a'"),
    ],
)
def test_calls_that_do_not_bind(call: Callable[[Any], Any], message: str) -> None:
    @tl.function
    def f(a: Any, b: Any = 2) -> Any:
        return c(1)

    with pytest.raises(TypeError, match=message):
        call(f)
    assert f(1).numpy() == 1


@pytest.mark.parametrize("default", [c(10.0), np.float32(10.0), tl.Variable(10.0)])
def test_tensors_as_defaults(default: Any) -> None:
    @tl.function
    def f(x: Any, y: Any = default) -> Any:
        return x + y

    assert [f(c(1.0)).numpy() for _ in range(3)] == [11.0] * 3
    assert f(c(1.0), c(2.0)).numpy() == 3.0


def test_objects_without_weak_references_live_as_long_as_their_traces() -> None:
    f = traced()
    for _ in range(3):
        assert f(Slotted(1234)).numpy() == len(f.traces)  # a dead one's id is not taken for another
    assert len(f.traces) == 3
    f.traces.clear()
    f.cache_clear()
    gc.collect()
    assert not any(isinstance(x, Slotted) and x.k == 1234 for x in gc.get_objects())


def test_dead_objects_take_their_traces_along() -> None:
    class Thing:
        pass

    f = traced()
    things = [Thing(), Thing()]
    alive = [weakref.ref(x) for x in things]
    for x in things:
        f(x, [things[0]])
    assert f.cache_info().kept == 2
    f.traces.clear()
    del things[0], x
    gc.collect()
    assert [r() is None for r in alive] == [True, False]
    assert f.cache_info().kept == 0, "both had the first one in a list"


def test_methods_as_arguments() -> None:
    """A bound method is made anew at each access."""

    class Thing:
        def __init__(self, k: int) -> None:
            self.k = k

        def times(self, x: Any) -> Any:
            return x * self.k

        @tl.function
        def traced_times(self, x: Any) -> Any:
            return x * self.k

    @tl.function
    def call(method: Any, x: Any) -> Any:
        return method(x)

    one, two = Thing(1), Thing(2)
    for x in (3, 4):
        assert [int(call(t.times, c(x))) for t in (one, two)] == [x, 2 * x]
        assert [int(call(t.traced_times, c(x))) for t in (one, two)] == [x, 2 * x]
    assert call.cache_info().traces == 4
    assert one.traced_times == one.traced_times != two.traced_times
    del one, two
    gc.collect()
    assert call.cache_info().kept == 0


def test_an_object_may_say_what_it_counts_as() -> None:
    class Fruit:
        def __init__(self, name: str, ripe: bool) -> None:
            self.name, self.ripe = name, ripe

        def __tracing_type__(self) -> Any:
            return self.name

    f = traced()
    assert [int(f(Fruit(n, r))) for n in ("fig", "plum") for r in (True, False)] == [1, 1, 2, 2]


@pytest.mark.filterwarnings("ignore::treadle.errors.RetracingWarning")
def test_the_least_recently_used_trace_goes_first() -> None:
    f = traced()
    limit = f.cache_info().limit
    for n in range(limit):
        f(n)
    for n in range(limit, limit + 100):
        f(0)
        f(n)
    assert f(0).numpy() == 1
    assert f.cache_info() == (limit + 100, limit, limit)
    assert f.experimental_get_tracing_count() == limit + 100


# --- what counts by value ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ({1, 2}, {2, 1}, {1, 3}),
        ({1, 2}, {2, 1}, frozenset({1, 2})),
        (frozenset({1}), frozenset({1}), frozenset({True})),
        (Fraction(1, 3), Fraction(2, 6), Fraction(1, 4)),
        (Decimal("1.0"), Decimal("1.0"), Decimal("1.00")),
        (date(2024, 1, 2), date(2024, 1, 2), date(2024, 1, 3)),
        (PurePosixPath("a/b"), PurePosixPath("a/b"), PurePosixPath("a")),
        (functools.partial(pow, 2), functools.partial(pow, 2), functools.partial(pow, 3)),
        (functools.partial(pow, exp=2), functools.partial(pow, exp=2), functools.partial(pow)),
        (slice(1, 2), slice(1, 2), slice(1, None)),
        (b"a", b"a", "a"),
        (1, 1, True),
        (0.0, 0.0, -0.0),
        (0, 0, 0.0),
        (float("nan"), float("nan"), 1.0),
    ],
)
def test_values_count_by_type_and_value(one: Any, same: Any, other: Any) -> None:
    f = tl.function(lambda a, x: c(repr(a)))
    for a in (one, same, other, one):
        assert f(a, c(1)).numpy() == repr(a).encode()
    assert f.experimental_get_tracing_count() == 2


def test_a_set_that_has_grown() -> None:
    s = {1, 2}
    f = tl.function(lambda s, x: x * len(s))
    assert f(s, c(1)).numpy() == 2
    s.add(3)
    assert f(s, c(1)).numpy() == 3


def test_a_partial_with_a_tensor_in_it_is_that_tensors() -> None:
    f = tl.function(lambda g, x: g(x))
    assert [f(functools.partial(tl.add, c(k)), c(1)).numpy() for k in (1, 5, 7)] == [2, 6, 8]


def test_tensor_arrays_count_by_what_they_may_hold() -> None:
    @tl.function
    def total(items: Any) -> Any:
        result = c(0.0)
        for i in tl.range(items.size()):
            result += items.read(i)
        return result

    def made(*values: float, dynamic: bool = False) -> Any:
        items = tl.TensorArray(tl.float32, len(values), dynamic_size=dynamic)
        return items.unstack(c(list(values)))

    assert [total(made(k, 2.0)).numpy() for k in (1.0, 5.0)] == [3.0, 7.0]
    assert total.experimental_get_tracing_count() == 1
    assert total(made(1.0, 2.0, 3.0, dynamic=True)).numpy() == 6.0
    assert total(made(1.0, dynamic=True)).numpy() == 1.0
    assert total.experimental_get_tracing_count() == 2
    first = total.get_concrete_function(made(1.0, 2.0))
    assert first(made(3.0, 4.0)).numpy() == 7.0
    with pytest.raises(tl.errors.SignatureError, match="the argument 'items' was traced as"):
        first(3.0)


def test_gradients_through_a_tensor_array_argument() -> None:
    f = tl.function(lambda items: tl.reduce_sum(items.stack() ** 2))
    x = c([1.0, 2.0])
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = f(tl.TensorArray(tl.float32, 2).unstack(x))
    assert tape.gradient(y, x).numpy().tolist() == [2.0, 4.0]


# --- kinds of callables -----------------------------------------------------------------


def test_kinds_of_callables() -> None:
    class Thing:
        k = 3

        @staticmethod
        @tl.function
        def static(x: Any) -> Any:
            return x + 1

        @tl.function
        @staticmethod
        def static_other_way_round(x: Any) -> Any:
            return x + 1

        @classmethod
        @tl.function
        def of_class(cls, x: Any) -> Any:
            return x + cls.k

        @tl.function
        @classmethod
        def of_class_other_way_round(cls, x: Any) -> Any:
            return x + cls.k

        @property
        @tl.function
        def constant(self) -> Any:
            return c(7)

        def plain(self, x: Any) -> Any:
            return x + self.k

        def __call__(self, x: Any) -> Any:
            return x * self.k

    thing, x = Thing(), c(1)
    for owner in (Thing, thing):
        assert (owner.static(x).numpy(), owner.static_other_way_round(x).numpy()) == (2, 2)
        assert (owner.of_class(x).numpy(), owner.of_class_other_way_round(x).numpy()) == (4, 4)
    assert thing.constant.numpy() == 7
    assert tl.function(thing)(x).numpy() == 3
    assert tl.function(thing.plain)(x).numpy() == 4
    assert tl.function(lambda a: a * 2)(x).numpy() == 2
    assert tl.function(tl.add)(x, 4).numpy() == 5
    assert tl.function(abs)(c(-3)).numpy() == 3
    assert tl.function(functools.partial(lambda a, b: a - b, b=c(1)))(c(5)).numpy() == 4
    assert functools.partial(tl.function(lambda a, b: a - b), c(5))(c(1)).numpy() == 4
    assert tl.function(lambda a: a, name="renamed").get_concrete_function(x).name == "renamed"


# --- input_signature --------------------------------------------------------------------


def test_input_signature_converts_and_makes_one_trace() -> None:
    traces = []

    @tl.function(input_signature=[Spec([None, 2]), Spec([], tl.int32)])
    def f(x: Any, n: Any) -> Any:
        traces.append((x.shape, n.dtype))
        return tl.reduce_sum(x) + tl.cast(n, tl.float32)

    v = tl.Variable(tl.ones([4, 2]))
    calls = [
        *(f(tl.ones([3, 2]), 1), f([[1, 2]], c(2)), f(np.ones((1, 2)), n=3), f(v, np.int32(2))),
        *(f(n=True, x=tl.zeros([0, 2])), f.get_concrete_function()(tl.ones([1, 2]), c(1))),
    ]
    assert [x.numpy() for x in calls] == [7.0, 5.0, 5.0, 10.0, 1.0, 3.0]
    assert f.get_concrete_function(Spec([3, 2]), 1) is f.get_concrete_function()
    assert traces == [((None, 2), tl.int32)]


MISFIT = "Python inputs incompatible with input_signature: "
TAKES_X = MISFIT + "f() takes the argument 'x' with shape (None, 2) and dtype float32, got "


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((tl.ones([3]), 1), TAKES_X + "shape (3,) and dtype float32"),
        ((tl.ones([3, 2], tl.float64), 1), TAKES_X + "shape (3, 2) and dtype float64"),
        (("a", 1), TAKES_X + "shape () and dtype string"),
        ((None, 1), TAKES_X + "None"),
        (([[1.0, 2.0], [3.0]], 1), TAKES_X + "[[1.0, 2.0], [3.0]]"),
        (
            (tl.ones([3, 2]), 1.5),
            MISFIT + "f() takes the argument 'n' with shape () and dtype int32, got 1.5",
        ),
        (
            (tl.ones([3, 2]), 1, 3),
            MISFIT + "that of f() has no entry for 'k', which therefore keeps its default 2",
        ),
    ],
)
def test_input_signature_misfits(args: Any, message: str) -> None:
    @tl.function(input_signature=[Spec([None, 2]), Spec([], tl.int32)])
    def f(x: Any, n: Any, k: int = 2) -> Any:
        return tl.reduce_sum(x) * k

    with pytest.raises(tl.errors.SignatureError) as caught:
        f(*args)
    shown = str(caught.value)
    assert shown.startswith(message + ", at test_signature.py:")
    assert shown.endswith(": f(*args)")
    assert isinstance(caught.value, (TypeError, ValueError))
    assert f(tl.ones([1, 2]), 1, 2).numpy() == 4.0
    with pytest.raises(TypeError, match=r"f\(\): missing a required argument: 'n'"):
        f(tl.ones([1, 2]))


def test_input_signature_of_methods_whose_own_object_has_any_name() -> None:
    class Model:
        @tl.function(input_signature=[Spec([])])
        def plain(this, x: Any) -> Any:
            return x * 2

        @tl.function(input_signature=[Spec([])])
        def usual(self, x: Any, k: Any = 3) -> Any:
            return x * k

        @staticmethod
        @tl.function(input_signature=[Spec([])])
        def static(x: Any) -> Any:
            return x * 4

        @classmethod
        @tl.function(input_signature=[Spec([])])
        def of_class(kind, x: Any) -> Any:
            return x * 5

    m = Model()
    found = [f(1.0).numpy() for f in (m.plain, m.usual, m.static, Model.static, Model.of_class)]
    assert found == [2.0, 3.0, 4.0, 4.0, 5.0]
    assert m.plain.get_concrete_function()(2.0).numpy() == 4.0
    assert Model.of_class.get_concrete_function()(2.0).numpy() == 10.0


def test_nested_input_signature() -> None:
    @tl.function(input_signature=[[Spec([None]), Spec([])], {"a": Spec([]), "b": (Spec([]),)}])
    def f(pair: Any, named: Any) -> Any:
        assert isinstance(pair, list)
        return pair[0] + pair[1] + named["a"] + named["b"][0]

    assert f([[1.0], 2.0], {"a": 1.0, "b": (2.0,)}).numpy().tolist() == [6.0]
    assert f((c([1.0, 2.0]), 2), {"b": [2.0], "a": c(1.0)}).numpy().tolist() == [6.0, 7.0]
    assert f.cache_info().traces == 1
    for pair, named in [
        ([[1.0]], {"a": 1.0, "b": (2.0,)}),
        ([[1.0], 2.0], {"a": 1.0}),
        ([[1.0], 2.0], {"a": 1.0, "c": (2.0,)}),
        (c([1.0, 2.0]), {"a": 1.0, "b": (2.0,)}),
        ([[1.0], 2.0], [1.0, (2.0,)]),
    ]:
        with pytest.raises(tl.errors.SignatureError, match="incompatible with input_signature"):
            f(pair, named)


def test_input_signature_and_the_parameters() -> None:
    one = [Spec([])]
    assert tl.function(lambda x, y=2.0: x * y, input_signature=one * 2)(3.0).numpy() == 6.0
    assert tl.function(lambda *xs: xs[0] - xs[1], input_signature=one * 2)(3.0, 1).numpy() == 2.0
    assert tl.function(lambda: c(1), input_signature=[])().numpy() == 1
    with pytest.raises(tl.errors.SignatureError, match=r"has 3 entries, lambda_\(\) takes 1"):
        tl.function(lambda x: x, input_signature=one * 3)
    with pytest.raises(tl.errors.SignatureError, match="has no entry for 'y', which has no defau"):
        tl.function(lambda x, y: x, input_signature=one)
    with pytest.raises(tl.errors.SignatureError, match=r"takes the argument 'xs' with .* got \(1"):
        tl.function(lambda *xs: xs[0], input_signature=one * 2)(1.0)
    with pytest.raises(tl.errors.SignatureError, match="has no entry for 'z'"):
        tl.function(lambda x, **more: x, input_signature=one)(1.0, z=1)

    class Thing:
        @tl.function(input_signature=one)
        def method(self, x: Any) -> Any:
            return x * 2.0

    thing = Thing()
    assert thing.method(3).numpy() == 6.0
    assert thing.method.get_concrete_function()(c(4.0)).numpy() == 8.0
    assert Thing.method.cache_info().traces == 1


@pytest.mark.parametrize("spec", [3, None, tl.float32, (tl.TensorSpec([2]), "a"), np.zeros(2)])
def test_an_input_signature_holds_specs(spec: Any) -> None:
    wrong = spec[1] if isinstance(spec, tuple) else spec
    with pytest.raises(TypeError) as caught:
        tl.function(lambda x: x, input_signature=[spec])
    assert str(caught.value) == (
        "input_signature must be a possibly nested sequence of TensorSpec objects: that of "
        f"lambda_() holds {wrong!r} of type {type(wrong).__name__}. What is no tensor can be a "
        "parameter with a default"
    )


def test_the_printed_signature_keeps_a_spec_s_own_name() -> None:
    named, plain = tl.TensorSpec([2], name="inp"), tl.TensorSpec([3])
    f = tl.function(lambda d, *more: d)
    text = f.get_concrete_function({"k": named, "j": plain}, plain, named)
    lines = text.pretty_printed_signature().splitlines()
    assert lines[1].count("name='inp'") == 1
    assert lines[1].count("name=None") == 1
    assert ["name=None" in lines[2], "name='inp'" in lines[3]] == [True, True]


def test_input_signature_misfits_name_the_item() -> None:
    @tl.function(input_signature=({"a": Spec([None], tl.int32), "b": (Spec([]),)},))
    def f(d: Any) -> Any:
        return tl.cast(d["a"], tl.float32) + d["b"][0]

    with pytest.raises(tl.errors.SignatureError) as caught:
        f({"a": tl.constant([1]), "b": (tl.ones([2]),)})
    wanted = "f() takes the argument d['b'][0] with shape () and dtype float32, got shape (2,) and "
    assert MISFIT + wanted + "dtype float32" in str(caught.value)
