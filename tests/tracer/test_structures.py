"""Arguments and results of user-made structures; copies, pickles and forks of functions."""

from __future__ import annotations

import collections
import copy
import dataclasses
import inspect
import multiprocessing
import os
import pickle
import threading
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import treadle as tl

c = tl.constant


class Masked:
    """A container of the user's, as TensorFlow's `__tf_flatten__` has it."""

    def __init__(self, name: str, values: Any, mask: Any) -> None:
        self.name, self.values, self.mask = name, values, mask

    def __tl_flatten__(self) -> Any:
        return self.name, (self.values, self.mask)

    @classmethod
    def __tl_unflatten__(cls, metadata: Any, items: Any) -> Masked:
        return cls(metadata, *items)


class Attrs:
    """What the attrs package makes of a class, as far as anyone asks."""

    __attrs_attrs__ = (SimpleNamespace(name="x"), SimpleNamespace(name="y"))

    def __init__(self, x: Any, y: Any) -> None:
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("frozen")


class Pair(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass(frozen=True)
class Data:
    x: Any
    y: Any
    total: Any = dataclasses.field(init=False, default=None)


def double(s: Any) -> Any:
    return tl.nest.map_structure(lambda v: v if v is None else v * 2, s)


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda a, b: Masked("m", a, b), lambda s: [s.values, s.mask]),
        (Attrs, lambda s: [s.x, s.y]),
        (Pair, list),
        (Data, lambda s: [s.x, s.y]),
        (lambda a, b: {"z": a, "a": [b, None]}, lambda s: [s["z"], s["a"][0]]),
        (lambda a, b: collections.OrderedDict(z=a, a=b), lambda s: [s["z"], s["a"]]),
        (lambda a, b: collections.defaultdict(list, z=a, a=b), lambda s: [s["z"], s["a"]]),
    ],
)
def test_structures_count_by_structure(make: Any, parts: Any) -> None:
    f = tl.function(double)
    for n in (1, 2):
        made = make(c(n), c([1.0 * n]))
        result = f(made)
        assert type(result) is type(made)
        assert [p.numpy().tolist() for p in parts(result)] == [2 * n, [2.0 * n]]
    assert f.cache_info().traces == 1
    f(make(c(1), c([1.0, 2.0])))
    f(make(c(1), 2))
    assert f.cache_info().traces == 3
    concrete = f.get_concrete_function(make(tl.TensorSpec([], tl.int32), tl.TensorSpec([1])))
    assert f.cache_info().traces == 3
    result = concrete(make(c(5), c([1.0])))
    assert [p.numpy().tolist() for p in parts(result)] == [10, [2.0]]
    assert type(concrete.structured_outputs) is type(make(1, 2))


def test_metadata_counts() -> None:
    f = tl.function(lambda m: m.values * len(m.name))
    assert [int(f(Masked(n, c(3), c(0)))) for n in ("a", "bb", "a")] == [3, 6, 3]
    assert f.cache_info().traces == 2


def test_structures_as_loop_state() -> None:
    @tl.function
    def f(m: Any, a: Any, n: Any) -> Any:
        for i in tl.range(n):
            m = Masked(m.name, m.values + i, m.mask)
            a = Attrs(a.x + 1.0, a.y)
        return m.values, a.x

    found = f(Masked("m", c(1), c(2)), Attrs(c(1.0), c(2.0)), c(4))
    assert [x.numpy() for x in found] == [7, 5.0]


# --- copies, pickles, forks ---------------------------------------------------------------


@tl.function
def at_top(x: Any) -> Any:
    """Plus one."""
    return x + 1


class Model(tl.Module):
    def __init__(self, k: float) -> None:
        super().__init__()
        self.v = tl.Variable(k)

    @tl.function
    def method(self, x: Any) -> Any:
        return x * self.v


def test_pickles_by_name() -> None:
    at_top(c(1))
    assert pickle.loads(pickle.dumps(at_top)) is at_top
    assert pickle.loads(pickle.dumps(Model.method)) is Model.method
    model = pickle.loads(pickle.dumps(Model(3.0)))
    assert model.method(c(2.0)).numpy() == 6.0
    bound = pickle.loads(pickle.dumps(model.method))
    assert bound(c(2.0)).numpy() == 6.0


def test_why_a_function_can_not_be_pickled() -> None:
    local = tl.function(lambda x: x)
    with pytest.raises(pickle.PicklingError) as caught:
        pickle.dumps(local)
    assert str(caught.value) == (
        f"the tl.function 'lambda_' can't be pickled: it is pickled by name, and {__name__}."
        "test_why_a_function_can_not_be_pickled.<locals>.<lambda> is not it. Define it at the top "
        "level of a module, under its own name"
    )


def test_copies() -> None:
    model = Model(3.0)
    model.method(c(1.0))
    other = copy.deepcopy(model)
    model.v.assign(10.0)
    assert [m.method(c(1.0)).numpy() for m in (model, other)] == [10.0, 3.0]
    k = tl.Variable(2.0)
    holder = SimpleNamespace(k=k, f=tl.function(lambda x: x * k, reduce_retracing=True))
    copied = copy.deepcopy(holder)
    assert copied.f(c(1.0)).numpy() == 2.0
    assert copied.f is not holder.f
    assert copy.copy(holder.f) is holder.f


@pytest.mark.skipif(not hasattr(os, "fork"), reason="has no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_functions_survive_a_fork() -> None:
    """Also one that another thread is tracing at that moment."""
    model, inside, go_on = Model(3.0), threading.Event(), threading.Event()
    model.method(c(1.0))

    @tl.function
    def slow(x: Any) -> Any:
        if threading.current_thread() is worker:
            inside.set()
            go_on.wait(20)
        return x + 1

    def child(results: Any) -> None:
        values = [model.method(c(2.0)), model.method(tl.ones([2]))[0], slow(c(1)), at_top(c(1))]
        results.put([float(v) for v in values])

    worker = threading.Thread(target=slow, args=(c(1),))
    worker.start()
    assert inside.wait(20)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=child, args=(results,))
    process.start()
    try:
        assert results.get(timeout=20) == [6.0, 3.0, 2.0, 2.0]
    finally:
        go_on.set()
        worker.join()
        process.join(20)
    assert process.exitcode == 0
    assert slow(c(2)).numpy() == 3


def test_a_function_looks_like_what_it_wraps() -> None:
    assert (at_top.__name__, at_top.__doc__) == ("at_top", "Plus one.")
    assert at_top.__wrapped__ is at_top.python_function
    assert str(inspect.signature(at_top)) == "(x: 'Any') -> 'Any'"
    assert inspect.getdoc(at_top) == "Plus one."
    model = Model(2.0)
    assert list(inspect.signature(model.method).parameters) == ["x"]
    assert model.method.__name__ == "method"
    assert model.method.__self__ is model


def test_init_scope_and_eager_runs() -> None:
    seen = []

    @tl.function
    def f(x: Any) -> Any:
        with tl.init_scope():
            seen.append(tl.executing_eagerly())
        seen.append(tl.executing_eagerly())
        return x

    f(c(1))
    tl.config.run_functions_eagerly(True)
    try:
        f(c(1))
    finally:
        tl.config.run_functions_eagerly(False)
    assert seen == [True, False, True, True]
    assert f.python_function(np.float32(3)) == 3


class Swapped:
    """Items before metadata: the wrong way round."""

    def __init__(self, item: Any) -> None:
        self.item = item

    def __tl_flatten__(self) -> Any:
        return [self.item], "metadata"

    @classmethod
    def __tl_unflatten__(cls, metadata: Any, items: Any) -> Swapped:
        return cls(*items)


def test_metadata_that_can_not_be_hashed() -> None:
    f = tl.function(lambda x: x)
    with pytest.raises(TypeError) as caught:
        f(Swapped(1))
    assert str(caught.value) == (
        "Swapped.__tl_flatten__ gives (metadata, items), and its metadata must be hashable, since "
        "a trace is looked up by it; got [1]"
    )
