"""Free Python values are part of a trace's key: a change is seen, as Python would see it."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import enum
import functools
import gc
import inspect
import logging
import math
import sys
import textwrap
import types
import warnings
import weakref
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.tracer.guards import Guards, guards_from
from treadle.tracer.reading import reader as reading

K = 2
SCALE = 2.0
TABLE = {"a": 1, "b": 2}
LIST = [1, 2, 3]
cfg = SimpleNamespace(K=2, inner=SimpleNamespace(rate=2.0), values=[1, 2], names={"x": 1})
Pair = namedtuple("Pair", "k rest")
pair = Pair(2, None)
settings = types.ModuleType("settings_of_a_program")
settings.K = 2  # type: ignore[attr-defined]
traces: list[int] = []
c = tl.constant


class Color(enum.Enum):
    RED = 1
    BLUE = 2


color = Color.RED


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    before = {k: v for k, v in globals().items() if k.isupper()}
    traces.clear()
    yield
    globals().update(before)
    cfg.__dict__.pop("later", None)
    cfg.__dict__.update(K=2, inner=SimpleNamespace(rate=2.0), values=[1, 2], names={"x": 1})
    settings.K = 2  # type: ignore[attr-defined]
    TABLE.clear()
    TABLE.update(a=1, b=2)
    LIST[:] = [1, 2, 3]


def helper(x: Any) -> Any:
    return x * K


def of_config(config: Any, x: Any) -> Any:
    rate = config.inner
    return x * rate.rate


def set_global(name: str, value: Any) -> Callable[[], None]:
    return lambda: globals().__setitem__(name, value)


def setting(owner: Any, name: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(owner, name, value)


def first_true(x: Any) -> Any:
    for name, value in cfg.names.items():
        if name == "x":
            x = x * value
    return x


# ruff: noqa: E501, B009, PLC3002
CASES: list[tuple[str, Callable[[Any], Any], Callable[[], Any]]] = [
    ("a global", lambda x: x * K, set_global("K", 5)),
    ("a float, by bits", lambda x: x * SCALE, set_global("SCALE", 2.5)),
    ("a sign of zero", lambda x: x / tl.cast(SCALE, tl.float32), set_global("SCALE", -0.0)),
    ("its type", lambda x: x * K, set_global("K", 2.0)),
    ("a bool for an int", lambda x: x + len(str(K)), set_global("K", True)),
    ("an attribute", lambda x: x * cfg.K, setting(cfg, "K", 5)),
    ("along attributes", lambda x: x * cfg.inner.rate, lambda: setattr(cfg.inner, "rate", 5.0)),
    ("on the way", lambda x: x * cfg.inner.rate, setting(cfg, "inner", SimpleNamespace(rate=3.0))),
    ("a module's", lambda x: x * settings.K, setting(settings, "K", 5)),
    ("an item", lambda x: x * TABLE["a"], lambda: TABLE.update(a=7)),
    ("an item by a global", lambda x: x * LIST[K], set_global("K", 0)),
    ("an item from the end", lambda x: x * LIST[-1], lambda: LIST.__setitem__(2, 9)),
    ("a length", lambda x: x * len(LIST), lambda: LIST.append(4)),
    ("keys", lambda x: x * sum(1 for _ in TABLE), lambda: TABLE.update(c=3)),
    ("a sum", lambda x: x * sum(LIST), lambda: LIST.__setitem__(0, 9)),
    ("a slice", lambda x: x * sum(LIST[1:]), lambda: LIST.__setitem__(1, 9)),
    ("unpacked", lambda x: tl.concat([[x], LIST], 0), lambda: LIST.append(5)),
    ("items of a dict", first_true, lambda: cfg.names.update(x=5)),
    ("dict.get", lambda x: x * TABLE.get("a", 0), lambda: TABLE.update(a=9)),
    ("a comprehension", lambda x: x * sum([v + 1 for v in cfg.values]), lambda: cfg.values.insert(0, 8)),
    ("enumerate", lambda x: x * max(i * v for i, v in enumerate(LIST)), lambda: LIST.append(9)),
    ("zip", lambda x: x * sum(a * b for a, b in zip(LIST, cfg.values, strict=False)), lambda: cfg.values.append(9)),
    ("a helper's global", lambda x: helper(x), set_global("K", 5)),
    ("a helper's argument", lambda x: of_config(cfg, x), setting(cfg, "inner", SimpleNamespace(rate=7.0))),
    ("the helper", lambda x: helper(x), set_global("helper", lambda x: x + 100)),
    ("a function of a library", lambda x: ACT(x), set_global("ACT", tl.exp)),
    ("a partial", lambda x: functools.partial(helper)(x), set_global("K", 5)),
    ("a nested function", lambda x: (lambda y: y * K)(x), set_global("K", 5)),
    ("handed on", lambda x: tl.cond(x > 0, lambda: x * K, lambda: x), set_global("K", 5)),
    ("a named tuple", lambda x: x * pair.k, set_global("pair", Pair(7, None))),
    ("an enum", lambda x: x * color.value, set_global("color", Color.BLUE)),
    ("getattr", lambda x: x * getattr(cfg, "K"), setting(cfg, "K", 5)),
    ("hasattr", lambda x: x * (2 if hasattr(cfg, "K") else 3), lambda: cfg.__dict__.pop("K", 0)),
    ("a walrus", lambda x: x * n if (n := cfg.K) else x, setting(cfg, "K", 5)),
    ("a tuple", lambda x: x * SHAPE[0], set_global("SHAPE", (3, 2))),
    ("None", lambda x: x if OPTION is None else x * OPTION, set_global("OPTION", 3)),
    ("a string", lambda x: x * 2 if MODE == "double" else x, set_global("MODE", "single")),
    ("a tensor", lambda x: x * T, set_global("T", tl.constant(7.0))),
    ("an array", lambda x: x * A, set_global("A", np.array(7.0, np.float32))),
    ("a variable", lambda x: x * V, set_global("V", tl.Variable(7.0))),
    ("not there yet", lambda x: x * getattr(cfg, "later", 2), setting(cfg, "later", 5)),
    ("no key yet", lambda x: x * TABLE.get("later", 2), lambda: TABLE.update(later=5)),
    ("not in", lambda x: x * 2 if "z" not in TABLE else x, lambda: TABLE.update(z=1)),
]  # fmt: skip
ACT = tl.sin
SHAPE = (2, 3)
OPTION = None
MODE = "double"
T = tl.constant(2.0)
A = np.array(2.0, np.float32)
V = tl.Variable(2.0)


@pytest.mark.parametrize("autograph", [True, False])
@pytest.mark.parametrize(("program", "change"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_change_is_seen(
    program: Callable[[Any], Any], change: Callable[[], Any], autograph: bool
) -> None:
    """The traced function gives what plain Python gives, before and after, and traces twice."""
    f = tl.function(program, autograph=autograph)
    saved = dict(globals())
    try:
        for traces_so_far in (1, 2):
            for x in (c(3.0), c(3.0)):
                expected = np.asarray(program(c(3.0)))
                assert np.asarray(f(x)).tolist() == expected.tolist()
                assert math.copysign(1, f(x).numpy().flat[0]) == math.copysign(1, expected.flat[0])
            assert f.experimental_get_tracing_count() == traces_so_far
            change()
    finally:
        globals().update(saved)


def test_flip_flopping_makes_two_traces() -> None:
    f = tl.function(lambda x: x * K)
    for n in range(10):
        globals()["K"] = (2, 5)[n % 2]
        assert f(c(1.0)).numpy() == (2.0, 5.0)[n % 2]
    assert f.cache_info()[:2] == (2, 2)


def test_variants_are_bounded() -> None:
    f = tl.function(lambda x: x * K)
    limit = f.cache_info().limit
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for n in range(limit + 10):
            globals()["K"] = n
            assert f(c(1.0)).numpy() == n
    assert ["K was 7 in trace 8, is 8" in str(w.message) for w in told] == [True]
    assert f.cache_info()[:2] == (limit + 10, limit)


def test_an_equal_value_is_no_change() -> None:
    f = tl.function(lambda x: x * SCALE + cfg.K + TABLE["a"] + len(MODE))
    f(c(1.0))
    globals()["SCALE"] = float("2.0")
    globals()["MODE"] = "dou" + "ble"
    cfg.K = int("2")
    TABLE["a"] = 1
    f(c(1.0))
    assert f.cache_info().traces == 1


def test_closure_cells() -> None:
    k = 2

    @tl.function
    def f(x: Any) -> Any:
        return x * k

    def other(x: Any) -> Any:
        return f(x) + k

    g = tl.function(other)
    assert [f(c(1.0)).numpy(), g(c(1.0)).numpy()] == [2.0, 4.0]
    k = 5
    assert [g(c(1.0)).numpy(), f(c(1.0)).numpy()] == [10.0, 5.0]
    assert f.cache_info().traces == g.cache_info().traces == 2


def test_guards_of_functions_that_are_called_count_for_the_caller() -> None:
    inner = tl.function(lambda x: x * cfg.K)
    middle = tl.function(lambda x: inner(x) + 1.0)
    outer = tl.function(lambda x: middle(x) + 1.0)
    assert outer(c(1.0)).numpy() == 4.0
    cfg.K = 10
    assert outer(c(1.0)).numpy() == 12.0
    assert outer.cache_info().traces == middle.cache_info().traces == 2


def test_recursion() -> None:
    @tl.function
    def even(n: Any) -> Any:
        return c(0) if n == 0 else odd(n - 1)

    @tl.function
    def odd(n: Any) -> Any:
        return c(K) if n == 0 else even(n - 1)

    assert [int(even(c(3))), int(odd(c(2)))] == [2, 2]
    globals()["K"] = 5
    assert [int(odd(c(2))), int(even(c(3)))] == [5, 5]


class Base:
    rate = 2.0

    def __init__(self) -> None:
        self.k = 2.0
        self.__hidden = 3.0
        self.layers = [Layer(2.0), Layer(3.0)]
        self.named = {"a": Layer(4.0)}

    @property
    def doubled(self) -> Any:
        return self.k * 2

    @functools.cached_property
    def cached(self) -> Any:
        return self.k

    def helper(self, x: Any) -> Any:
        return x * self.k

    @staticmethod
    def static(x: Any) -> Any:
        return x * K

    @classmethod
    def of_class(cls, x: Any) -> Any:
        return x * cls.rate

    def hidden(self, x: Any) -> Any:
        return x * self.__hidden

    def inherited(self, x: Any) -> Any:
        return x * self.k


class Layer:
    def __init__(self, w: float) -> None:
        self.w = w

    def __call__(self, x: Any) -> Any:
        return x * self.w


class Dots(dict[str, Any]):
    __getattr__ = dict.__getitem__


class Proxy:
    def __init__(self, data: Any) -> None:
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return self._data[name]


class Slots:
    __slots__ = ("__weakref__", "k")

    def __init__(self) -> None:
        self.k = 2.0


class Model(Base):
    def __init__(self) -> None:
        super().__init__()
        self.dots = Dots(k=2.0)
        self.proxy = Proxy({"k": 2.0})
        self.slots = Slots()
        self.chosen: Any = self.layers[0]

    def inherited(self, x: Any) -> Any:
        return super().inherited(x) + 1.0

    def loop(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def table(self, x: Any) -> Any:
        for i, (_, layer) in enumerate(self.named.items()):
            x = layer(x) + float(i)
        return x

    def alias(self, x: Any) -> Any:
        last = self.layers[-1]
        return x * last.w

    def picked(self, x: Any) -> Any:
        layer = self.layers[1] if self.chosen is None else self.chosen
        return layer(x)


def replace(items: list[Any], i: int, value: Any) -> None:
    items[i] = value


METHODS: list[tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]] = [
    (lambda self, x: x * self.k, lambda m: setattr(m, "k", 5.0)),
    (lambda self, x: x * self.rate, lambda m: setattr(m, "rate", 5.0)),
    (lambda self, x: x * self.doubled, lambda m: setattr(m, "k", 5.0)),
    (lambda self, x: x * self.cached, lambda m: m.__dict__.update(cached=9.0)),
    (lambda self, x: self.helper(x), lambda m: setattr(m, "k", 5.0)),
    (lambda self, x: self.helper(x), lambda m: setattr(m, "helper", lambda x: x - 1.0)),
    (lambda self, x: self.static(x), lambda m: globals().__setitem__("K", 9)),
    (lambda self, x: self.hidden(x), lambda m: setattr(m, "_Base__hidden", 9.0)),
    (lambda self, x: self.inherited(x), lambda m: setattr(m, "k", 9.0)),
    (lambda self, x: self.loop(x), lambda m: setattr(m.layers[1], "w", 9.0)),
    (lambda self, x: self.loop(x), lambda m: m.layers.append(Layer(9.0))),
    (lambda self, x: self.loop(x), lambda m: replace(m.layers, 0, Layer(9.0))),
    (lambda self, x: self.table(x), lambda m: setattr(m.named["a"], "w", 9.0)),
    (lambda self, x: self.table(x), lambda m: m.named.update(b=Layer(9.0))),
    (lambda self, x: self.alias(x), lambda m: setattr(m.layers[1], "w", 9.0)),
    (lambda self, x: self.picked(x), lambda m: setattr(m.layers[0], "w", 9.0)),
    (lambda self, x: self.picked(x), lambda m: setattr(m, "chosen", None)),
    (lambda self, x: x * self.dots.k, lambda m: m.dots.update(k=9.0)),
    (lambda self, x: x * self.proxy.k, lambda m: m.proxy._data.update(k=9.0)),
    (lambda self, x: x * self.slots.k, lambda m: setattr(m.slots, "k", 9.0)),
]  # fmt: skip


@pytest.mark.parametrize(("program", "change"), METHODS)
def test_changes_of_self(program: Callable[[Any, Any], Any], change: Callable[[Any], Any]) -> None:
    f = tl.function(program)
    model, other = Model(), Model()
    try:
        for count in (1, 2):
            for _ in range(3):
                assert float(f(model, c(3.0))) == float(program(model, c(3.0)))
            assert f.experimental_get_tracing_count() == count
            change(model)
        assert float(f(other, c(3.0))) == float(program(other, c(3.0)))
    finally:
        globals()["K"] = 2


def test_contents_of_a_small_array() -> None:
    weights = np.array([1.0, 2.0], np.float32)
    f = tl.function(lambda x: x * weights[1] + tl.reduce_sum(weights))
    for first, result in ((1.0, 5.0), (3.0, 7.0), (3.0, 7.0)):
        weights[0] = first
        assert f(c(1.0)).numpy() == result
    assert f.experimental_get_tracing_count() == 2
    assert "the contents of weights was [1. 2.] in trace 1, is [3. 2.]" in str(f.explain())


def test_attributes_of_a_class() -> None:
    f = tl.function(lambda x: Base.rate * x + Base.of_class(x))
    try:
        assert f(c(1.0)).numpy() == 4.0
        Base.rate = 3.0
        assert f(c(1.0)).numpy() == 6.0
    finally:
        Base.rate = 2.0


def test_a_method_is_replaced_in_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    f = tl.function(lambda m, x: m.helper(x))
    model = Model()
    assert f(model, c(1.0)).numpy() == 2.0
    monkeypatch.setattr(Base, "helper", lambda self, x: x + 10.0)
    assert f(model, c(1.0)).numpy() == 11.0


def test_functions_as_arguments_and_in_tables() -> None:
    table = {"a": helper}

    @tl.function
    def call(fn: Any, x: Any) -> Any:
        return fn(x) + table["a"](x)

    @tl.function
    def choose(name: Any, x: Any) -> Any:
        fn = table[name]
        return fn(x)

    assert [call(helper, c(1.0)).numpy(), choose("a", c(1.0)).numpy()] == [4.0, 2.0]
    globals()["K"] = 5
    assert [call(helper, c(1.0)).numpy(), choose("a", c(1.0)).numpy()] == [10.0, 5.0]


def made_by(k: float) -> Callable[[Any], Any]:
    def inner(x: Any) -> Any:
        return x * k * SCALE

    return inner


def test_functions_that_are_made_while_tracing() -> None:
    f = tl.function(lambda x: made_by(3.0)(x))
    assert f(c(1.0)).numpy() == 6.0
    globals()["SCALE"] = 4.0
    assert f(c(1.0)).numpy() == 12.0
    f(c(1.0))
    assert f.cache_info().traces == 2


def test_objects_that_are_made_while_tracing_are_no_reason() -> None:
    f = tl.function(lambda x: Layer(SCALE)(x))
    assert [f(c(1.0)).numpy() for _ in range(3)] == [2.0] * 3
    gc.collect()
    f(c(1.0))
    assert f.cache_info().traces == 1
    globals()["SCALE"] = 4.0
    assert f(c(1.0)).numpy() == 4.0


# --- what is not guarded ----------------------------------------------------------------


class Counting:
    def __init__(self) -> None:
        self.count = 0
        self.log: list[int] = []
        self.last: Any = None
        self.table: dict[int, int] = {}

    @tl.function
    def __call__(self, x: Any) -> Any:
        self.count += 1
        self.log.append(self.count)
        self.last = self.count
        self.table[self.count] = self.count
        traces.append(self.count)
        return x * 2.0 + 0.0 * len(self.log) + 0.0 * self.count


def test_what_the_function_changes_itself() -> None:
    model = Counting()
    for _ in range(3):
        for n in (1, 2):
            model(tl.ones([n]))
    assert model.count == len(model.log) == len(traces) == 2


def test_what_a_helper_changes() -> None:
    def note(log: list[Any], x: Any) -> Any:
        log.append(1)
        return x * len(log) / len(log)

    log: list[Any] = []
    f = tl.function(lambda x: note(log, x))
    for _ in range(2):
        for n in (1, 2):
            f(tl.ones([n]))
    assert len(log) == 2


def test_a_global_trace_counter() -> None:
    space: dict[str, Any] = {"tl": tl}
    exec("count = 0\ndef f(x):\n    global count\n    count += 1\n    return x * 2.0\n", space)
    f = tl.function(space["f"])
    for _ in range(3):
        for n in (1, 2):
            f(tl.ones([n]))
    assert space["count"] == 2


def test_what_is_made_the_first_time_is_guarded() -> None:
    class Lazy:
        def __init__(self) -> None:
            self.v: Any = None

        @tl.function
        def __call__(self, x: Any) -> Any:
            if self.v is None:
                self.v = tl.Variable(2.0)
            return self.v * x

    model = Lazy()
    assert [model(c(3.0)).numpy() for _ in range(3)] == [6.0] * 3
    assert Lazy.__call__.cache_info().traces == 1  # type: ignore[attr-defined]
    model.v = tl.Variable(10.0)
    assert model(c(3.0)).numpy() == 30.0


def test_assigning_to_a_variable_is_no_change() -> None:
    f = tl.function(lambda x: x * V)
    f(c(1.0))
    V.assign(3.0)
    assert f(c(1.0)).numpy() == 3.0
    V.assign(2.0)
    assert f.cache_info().traces == 1


def test_arguments_are_no_free_values() -> None:
    @dataclass
    class Config:
        rate: float
        layer: Layer

    f = tl.function(lambda config, x: x * config.rate * config.layer.w)
    layer = Layer(2.0)
    for _ in range(3):
        assert f(Config(2.0, layer), c(1.0)).numpy() == 4.0
    assert f.cache_info().traces == 1
    layer.w = 5.0
    assert f(Config(2.0, layer), c(1.0)).numpy() == 10.0


# --- how ----------------------------------------------------------------------------------


def test_the_check_runs_no_code_of_the_users() -> None:
    ran: list[str] = []

    class Sly:
        def __init__(self) -> None:
            self._k = 2.0
            self.weights = {"a": 1.0}

        @property
        def k(self) -> float:
            ran.append("property")
            return self._k

        def __getattr__(self, name: str) -> Any:
            ran.append("getattr")
            raise AttributeError(name)

        def __eq__(self, other: object) -> bool:
            ran.append("eq")
            return True

        def __bool__(self) -> bool:
            ran.append("bool")
            return True

        __hash__ = None  # type: ignore[assignment]

    sly = Sly()
    f = tl.function(lambda x: x * sly.k * sly.weights["a"] if sly is not None else x)
    assert f(c(1.0)).numpy() == 2.0
    ran.clear()
    assert f(c(1.0)).numpy() == 2.0
    assert ran == []
    sly._k = 3.0
    assert f(c(1.0)).numpy() == 3.0


def test_objects_are_not_kept_alive() -> None:
    class Act:
        def __call__(self, x: Any) -> Any:
            return x * 2.0

    class Holder:
        act: Any = None

    holder = Holder()
    holder.act = Act()
    f = tl.function(lambda x: holder.act(x))
    assert f(c(1.0)).numpy() == 2.0
    alive = weakref.ref(holder.act)
    holder.act = Act()
    gc.collect()
    assert alive() is None
    assert f.cache_info().kept == 0
    assert f(c(1.0)).numpy() == 2.0


def test_traces_die_with_their_function() -> None:
    def make() -> Any:
        k = 2.0

        @tl.function
        def f(x: Any) -> Any:
            return x * k * SCALE

        f(c(1.0))
        return f

    f = make()
    alive = [weakref.ref(f), weakref.ref(f.get_concrete_function(c(1.0)))]
    del f
    gc.collect()
    assert [r() for r in alive] == [None, None]


def test_code_without_source() -> None:
    """As in the REPL: names and attributes are found in the bytecode."""
    space: dict[str, Any] = {"tl": tl, "K": 2, "cfg": SimpleNamespace(rate=3.0)}
    exec("def helper(x):\n    return x * cfg.rate\ndef f(x):\n    return helper(x) * K\n", space)
    f = tl.function(space["f"])
    assert f(c(1.0)).numpy() == 6.0
    space["K"] = 3
    assert f(c(1.0)).numpy() == 9.0
    space["cfg"].rate = 1.0
    assert f(c(1.0)).numpy() == 3.0
    f(c(1.0))
    assert f.cache_info().traces == 3


def test_private_names_that_look_like_the_checks_own() -> None:
    space: dict[str, Any] = {"tl": tl, "id": 3, "len": len, "Exception": 5, "check": 1}
    exec("def f(x):\n    return x * id * Exception * check * factory()\n", space)
    exec("def factory():\n    return 1\n", space)
    f = tl.function(space["f"])
    for _ in range(2):
        assert f(c(1.0)).numpy() == 15.0
    space["id"] = 4
    assert f(c(1.0)).numpy() == 20.0
    space["check"] = 2
    assert f(c(1.0)).numpy() == 40.0


@pytest.mark.parametrize(
    "name", ["check", "same", "found", "__tl_check", "__tl_constant_0", "__tl_0", "len", "tuple"]
)
def test_a_global_has_a_name_of_the_checks_own(name: str) -> None:
    space: dict[str, Any] = {name: 2.0, "one": {"a": [1.0]}}
    exec(f"def f(x):\n    return x * {name} * one['a'][0] * one['a'][0]\n", space)
    f = tl.function(space["f"])
    for value in (2.0, 3.0):
        space[name] = value
        for _ in range(2):
            assert f(c(1.0)).numpy() == value
    assert f.cache_info().traces == 2
    exec(f"def {name}(x):\n    return x * 2.0\ndef f(x):\n    return {name}(x)\n", space)
    f = tl.function(space["f"])
    for _ in range(2):
        assert f(c(1.0)).numpy() == 2.0
    exec(f"def {name}(x):\n    return x * 3.0\n", space)
    assert f(c(1.0)).numpy() == 3.0


def test_get_concrete_function_looks_too() -> None:
    f = tl.function(lambda x: x * K)
    first = f.get_concrete_function(c(1.0))
    assert f.get_concrete_function(c(2.0)) is first
    globals()["K"] = 5
    assert f.get_concrete_function(c(2.0)) is not first
    assert first(c(1.0)).numpy() == 2.0


def test_deque_and_ordered_dict() -> None:
    items = collections.deque([1.0, 2.0])
    table = collections.OrderedDict(a=1.0)

    @tl.function
    def f(x: Any) -> Any:
        for v in items:
            x = x * v
        return x * table["a"]

    assert f(c(1.0)).numpy() == 2.0
    items.append(5.0)
    assert f(c(1.0)).numpy() == 10.0
    table["a"] = 2.0
    assert f(c(1.0)).numpy() == 20.0


def test_a_module_of_another_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other_file.py").write_text("RATE = 2.0\ndef scale(x):\n    return x * RATE\n")
    monkeypatch.syspath_prepend(tmp_path)
    import other_file

    f = tl.function(lambda x: other_file.scale(x))
    assert f(c(1.0)).numpy() == 2.0
    other_file.RATE = 7.0
    assert f(c(1.0)).numpy() == 7.0
    del sys.modules["other_file"]


@pytest.mark.parametrize("module", [argparse, dataclasses, inspect, logging, textwrap])
def test_pythons_own_code_is_read(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a function reads: a check can be made of it, and it holds."""
    monkeypatch.setattr(reading, "takes_part", lambda f: True)
    monkeypatch.setattr(reading, "may_take_part", lambda x: isinstance(x, types.FunctionType))
    monkeypatch.setattr(reading, "MOST_CALLS", 30)
    classes = [x for x in vars(module).values() if isinstance(x, type)]
    functions = [
        x
        for owner in (module, *classes)
        for x in vars(owner).values()
        if isinstance(x, types.FunctionType)
    ]
    assert len(functions) > 5
    for f in functions:
        found = reading.Reading()
        found.read(f, {})
        made = Guards(f.__globals__)
        made.own = guards_from(found, {})
        assert made.broken() is None
        assert made.holds()


# --- what the text leads to -----------------------------------------------------------------


class Link:
    def __init__(self, k: float, rest: Any) -> None:
        self.k = k
        self.rest = rest


def test_a_linked_list_is_followed_to_its_end() -> None:
    links = Link(1.0, Link(2.0, Link(3.0, None)))

    @tl.function
    def f(x: Any) -> Any:
        link = links
        while link is not None:
            x = x * link.k
            link = link.rest
        return x

    assert f(c(1.0)).numpy() == 6.0
    links.rest.rest.k = 5.0
    assert f(c(1.0)).numpy() == 10.0
    links.rest.rest.rest = Link(2.0, None)
    assert f(c(1.0)).numpy() == 20.0
    f(c(1.0))
    assert f.cache_info().traces == 3


def interpret(program: Any, x: Any) -> Any:
    for step in program:
        x = interpret(step, x) if isinstance(step, list) else x + step
    return x


def test_data_that_a_function_interprets() -> None:
    """Time and frames go with the code: as many lists as may be are one argument."""
    program: Any = [1]
    for k in range(200):
        program = [k, program, [k, k]]
    found = reading.Reading()
    found.read(interpret, {"program": program, "x": c(0)})
    assert found._steps < 500
    shallow: Any = [[k, [k, [k]]] for k in range(50)]
    f = tl.function(lambda x: interpret(shallow, x))
    assert f(c(0)).numpy() == 3 * sum(range(50))
    shallow[3][1][1][0] = 10
    assert f(c(0)).numpy() == 3 * sum(range(50)) + 7


def counted(f: Callable[..., Any]) -> Any:
    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return f(*args, **kwargs)

    return wrapper


@counted
def scaled(x: Any) -> Any:
    return x * SCALE


def test_names_that_depend_on_calls_of_each_other() -> None:
    @tl.function
    def f(n: Any) -> Any:
        if n > 0:
            n = scaled(scaled(n))
        else:
            m = scaled(n)
            n = scaled(m)
            m = scaled(n)
        return n

    assert f(c(1.0)).numpy() == 4.0
    globals()["SCALE"] = 3.0
    assert f(c(-1.0)).numpy() == -9.0


def test_methods_of_two_objects_are_two_things() -> None:
    class Part:
        def __init__(self, k: float) -> None:
            self.k = k
            self.calls = 0

        def __call__(self, x: Any) -> Any:
            return x * self.k

    parts = [Part(float(k)) for k in range(1, 60)]
    f = tl.function(lambda x: [p(x) for p in parts][-1])
    for k in (59.0, 7.0):
        parts[-1].k = k
        assert f(c(1.0)).numpy() == k
    parts[-1].calls = 5
    f(c(1.0))
    assert f.cache_info().traces == 2


# --- ways to a value ------------------------------------------------------------------------


def with_default(x: Any, k: float = 2.0, *, m: float = 1.0) -> Any:
    return x * k * m


class Row:
    """What Python's operators and statements do with it is the user's code."""

    def __init__(self) -> None:
        self.items = [2.0]

    def __iter__(self) -> Iterator[float]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return len(self.items) > 1

    def __contains__(self, x: float) -> bool:
        return x in self.items

    def __getitem__(self, i: int) -> float:
        return self.items[i]

    def __mul__(self, x: Any) -> Any:
        return x * self.items[0]

    def __neg__(self) -> float:
        return -self.items[0]


row = Row()


@pytest.mark.parametrize(
    "program",
    [
        lambda x: x * row[0],
        lambda x: x * sum(v for v in row),
        lambda x: x * len(row) if row else x,
        lambda x: x * 3.0 if 7.0 in row else x,
        lambda x: row * x,
        lambda x: x * -row,
        lambda x: x * max([*row]),
    ],
)
def test_operators_of_the_users_classes(program: Any) -> None:
    row.items = [2.0]
    f = tl.function(program)
    first = program(1.0)
    assert f(c(1.0)).numpy() == first
    row.items.insert(0, 7.0)
    assert program(1.0) != first
    assert f(c(1.0)).numpy() == program(1.0)
    f(c(1.0))
    assert f.cache_info().traces == 2


def changed_default(name: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(with_default, name, value)


def own_default(x: Any, options: Any = {"k": 2.0}) -> Any:  # noqa: B006
    return x * options["k"]


bare = SimpleNamespace(k=2.0, a=np.array([2.0], np.float32))
bound_to_it = functools.partial(lambda o, x: x * o.k, bare)


@pytest.mark.parametrize(
    ("program", "args", "change"),
    [
        (lambda x: with_default(x), (), changed_default("__defaults__", (3.0,))),
        (lambda x: with_default(x) * 2, (), changed_default("__kwdefaults__", {"m": 2.0})),
        (own_default, (), lambda: own_default.__defaults__[0].update(k=3.0)),  # type: ignore[index]
        (lambda x: x * bare.a[0], (), setting(bare, "a", np.array([3.0], np.float32))),
        (lambda x: x * vars(bare)["k"], (), setting(bare, "k", 3.0)),
        (lambda x: x * bare.__dict__["k"], (), setting(bare, "k", 3.0)),
        (lambda o, x: x * o.k, (bare,), setting(bare, "k", 3.0)),
        (lambda o, x: x * o[0].k, ([bare],), setting(bare, "k", 3.0)),
        (lambda o, x: x * o["o"].k, ({"o": bare},), setting(bare, "k", 3.0)),
        (lambda x, o=bare: x * o.k, (), setting(bare, "k", 3.0)),
        (lambda x: bound_to_it(x), (), setting(bare, "k", 3.0)),
    ],
)
def test_ways_to_a_value(program: Any, args: Any, change: Callable[[], None]) -> None:
    bare.k, bare.a = 2.0, np.array([2.0], np.float32)
    with_default.__defaults__, with_default.__kwdefaults__ = (2.0,), {"m": 1.0}
    own_default.__defaults__[0]["k"] = 2.0  # type: ignore[index]
    f = tl.function(program)
    first = float(program(*args, 1.0))
    for _ in range(2):
        assert f(*args, c(1.0)).numpy() == first
    change()
    assert program(*args, 1.0) != first
    for _ in range(2):
        assert f(*args, c(1.0)).numpy() == float(program(*args, 1.0))
    assert f.cache_info().traces == 2


def test_a_container_that_the_function_changes_is_the_same_one() -> None:
    holder = SimpleNamespace(items=[], inner=SimpleNamespace(n=0))

    @tl.function
    def f(x: Any) -> Any:
        if x > 0:
            holder.items.append(x)
            holder.inner.n += 1
        return x

    for _ in range(2):
        f(c(3))
    assert [int(x) for x in holder.items] == [3, 3]
    before = holder.items
    holder.items = [1]
    f(c(4))
    assert [int(x) for x in holder.items] == [1, 4]
    assert len(before) == 2
    holder.inner = SimpleNamespace(n=10)
    gc.collect()
    f(c(5))
    assert holder.inner.n == 11
