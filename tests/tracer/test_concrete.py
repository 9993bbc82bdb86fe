"""Concrete functions: one trace, called with what it was traced for."""

from __future__ import annotations

import collections
import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import treadle as tl

c = tl.constant
Spec = tl.TensorSpec
Pair = collections.namedtuple("Pair", "first second")


@dataclass
class Point:
    x: Any
    y: Any


@tl.function
def affine(x: Any, y: Any = 2, *, k: Any = None) -> Any:
    return x * y if k is None else x * y + k


def test_the_same_spec_gives_the_same_object() -> None:
    concrete = affine.get_concrete_function(Spec([None]))
    assert affine.get_concrete_function(Spec([None])) is concrete
    assert affine.get_concrete_function(x=Spec([None]), y=2, k=None) is concrete
    values = affine.get_concrete_function(c([1.0, 2.0]))
    assert affine.get_concrete_function(Spec([2])) is values is not concrete
    before = affine.cache_info().traces
    affine(c([5.0, 6.0]))
    assert affine.cache_info().traces == before


def test_what_it_tells() -> None:
    concrete = affine.get_concrete_function(Spec([None]))
    assert repr(concrete) == "<ConcreteFunction affine(x=f32[?], y=2, k=None)>"
    assert concrete.structured_input_signature == ((Spec([None], name="x"), 2), {"k": None})
    assert concrete.structured_outputs == Spec([None])
    assert [v.shape for v in concrete.inputs] == [(None,)]
    assert [v.dtype for v in concrete.outputs] == [tl.float32]
    assert concrete.captured_inputs == []
    assert isinstance(concrete.graph, tl.graph.Graph)


def test_calls() -> None:
    concrete = affine.get_concrete_function(Spec([None]))
    x = c([1.0, 2.0])
    for found in (
        *(concrete(x), concrete(x=x), concrete([1, 2]), concrete(np.array([1.0, 2.0]))),
        *(concrete(x, 2), concrete(x, y=2, k=None), concrete(tl.Variable([1.0, 2.0]))),
    ):
        assert found.numpy().tolist() == [2.0, 4.0]
    tensors = affine.get_concrete_function(x, c(3.0), k=c(1.0))
    assert tensors(x, 2, k=5).numpy().tolist() == [7.0, 9.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: f(), "affine() misses the argument 'x'"),
        (lambda f: f(c([1.0]), 2, None), "affine(): too many positional arguments"),
        (lambda f: f(c([1.0]), x=c([1.0])), "affine(): multiple values for argument 'x'"),
        (lambda f: f(c([1.0]), z=1), "affine(): got an unexpected keyword argument 'z'"),
        (lambda f: f(c([1.0]), 3), "affine(): the argument 'y' was traced as 2, got 3"),
        (lambda f: f(c([1.0]), 2.0), "affine(): the argument 'y' was traced as 2, got 2.0"),
        (lambda f: f(c([1.0]), k=1), "affine(): the argument 'k' was traced as None, got 1"),
        (
            lambda f: f(c([1.0]), c(2)),
            "affine(): the argument 'y' was traced as 2, got <tl.Tensor: shape=(), dtype=int32, "
            "numpy=2>",
        ),
        (
            lambda f: f(c([[1.0]])),
            "affine(): the argument 'x' must be a tensor of shape (None,) and dtype float32, got "
            "shape (1, 1) and dtype float32, at test_concrete.py:",
        ),
        (
            lambda f: f(c([1])),
            "affine(): the argument 'x' must be a tensor of shape (None,) and dtype float32, got "
            "shape (1,) and dtype int32, at test_concrete.py:",
        ),
    ],
)
def test_calls_that_do_not_fit(call: Callable[[Any], Any], message: str) -> None:
    with pytest.raises((tl.errors.SignatureError, tl.errors.InvalidArgumentError)) as caught:
        call(tl.function(affine.python_function).get_concrete_function(Spec([None])))
    assert str(caught.value).startswith(message)


def test_nested_arguments() -> None:
    @tl.function
    def f(d: Any, n: int = 1) -> Any:
        return d["a"] + d["b"][0].x * n

    one = {"a": Spec([]), "b": [Point(Spec([]), 3)]}
    concrete = f.get_concrete_function(one)
    assert concrete({"b": [Point(c(2.0), 3)], "a": c(1.0)}).numpy() == 3.0
    assert concrete({"a": 1, "b": (Point(2.0, 3),)}, 1).numpy() == 3.0
    for d in (
        *({"a": 1, "b": 2}, {"a": 1, "c": [Point(2.0, 3)]}, {"a": 1, "b": []}, 5),
        *({"a": 1, "b": [Point(2.0, 4)]}, {"a": [1.0], "b": [Point(2.0, 3)]}),
    ):
        with pytest.raises((tl.errors.SignatureError, tl.errors.OpError)):
            concrete(d)


def test_specs_with_names_name_keywords() -> None:
    f = tl.function(lambda x, y: x - y)
    concrete = f.get_concrete_function(Spec([], name="p"), Spec([], name="q"))
    assert concrete(c(1.0), c(3.0)).numpy() == -2.0
    assert concrete(p=1.0, q=3.0).numpy() == concrete(q=3.0, x=1.0).numpy() == -2.0
    assert concrete.structured_input_signature[0][0].name == "p"


def test_variable_arguments() -> None:
    @tl.function
    def f(a: Any, b: Any, x: Any) -> Any:
        a.assign_add(x)
        return a + b

    v, w = tl.Variable(1.0), tl.Variable(5.0)
    two = f.get_concrete_function(v, w, Spec([]))
    one = f.get_concrete_function(v, v, Spec([]))
    assert (two(v, w, 1.0).numpy(), two(w, v, 1.0).numpy(), one(v, v, 1.0).numpy()) == (7, 8, 6)
    with pytest.raises(tl.errors.SignatureError, match="'b' must be the same variable as one bef"):
        one(v, w, 1.0)
    with pytest.raises(tl.errors.SignatureError, match="'b' must be another variable than those"):
        two(v, v, 1.0)
    with pytest.raises(tl.errors.SignatureError, match=r"'a' must be a variable, got 1\.0"):
        two(1.0, w, 1.0)
    with pytest.raises(tl.errors.SignatureError, match=r"must be a var<f32\[\]>, got a var<f32\[1"):
        two(tl.Variable([1.0]), w, 1.0)


def test_variables_that_are_given_and_captured() -> None:
    v, w = tl.Variable(1.0), tl.Variable(5.0)
    f = tl.function(lambda a: a * 10.0 + v)
    apart, same = f.get_concrete_function(w), f.get_concrete_function(v)
    assert (apart(w).numpy(), same(v).numpy()) == (51.0, 11.0)
    with pytest.raises(tl.errors.SignatureError, match="given as an argument and also used"):
        apart(v)
    with pytest.raises(tl.errors.SignatureError, match="'a' must be the variable 'Variable:0' its"):
        same(w)


def test_methods() -> None:
    class Thing:
        def __init__(self, k: float) -> None:
            self.k = k

        @tl.function
        def scale(self, x: Any) -> Any:
            return x * self.k

    two, three = Thing(2.0), Thing(3.0)
    concrete = two.scale.get_concrete_function(Spec([]))
    assert concrete(c(5.0)).numpy() == concrete(x=5.0).numpy() == 10.0
    assert concrete.structured_input_signature == ((Spec([], name="x"),), {})
    assert three.scale.get_concrete_function(Spec([]))(c(5.0)).numpy() == 15.0
    assert Thing.scale.get_concrete_function(two, Spec([])) is concrete
    alive = weakref.ref(two)
    del two
    gc.collect()
    assert alive() is None, "a concrete function holds the object weakly"
    assert concrete(c(1.0)).numpy() == 2.0


def test_variables_and_named_specs_in_signatures() -> None:
    f: Any = tl.function(lambda v, w, x: v + w + x)
    v, w = tl.Variable(1.0), tl.Variable(2.0, trainable=False)
    concrete = f.get_concrete_function(v, w, Spec([], name="given"))
    shown = "VariableSpec(shape=(), dtype=tl.float32, trainable={}, alias_id={})"
    (first, second, third), _ = concrete.structured_input_signature
    assert (repr(first), repr(second)) == (shown.format(True, 0), shown.format(False, 1))
    assert third.name == "given"
    assert concrete.pretty_printed_signature().splitlines()[1:4] == [
        f"  v (POSITIONAL_OR_KEYWORD): {first}",
        f"  w (POSITIONAL_OR_KEYWORD): {second}",
        "  x (POSITIONAL_OR_KEYWORD): TensorSpec(shape=(), dtype=tl.float32, name='given')",
    ]


def test_objects_that_were_given() -> None:
    class Thing:
        k = 3

    thing, other = Thing(), Thing()
    f = tl.function(lambda t, x: x * t.k)
    concrete = f.get_concrete_function(thing, Spec([]))
    assert concrete(thing, 2.0).numpy() == concrete(x=2.0).numpy() == 6.0
    with pytest.raises(tl.errors.SignatureError, match="'t' was traced as <Thing>, got"):
        concrete(other, 2.0)


def test_called_inside_of_a_function() -> None:
    v = tl.Variable(10.0)
    concrete = tl.function(lambda x: x * v).get_concrete_function(Spec([]))

    @tl.function
    def outer(x: Any) -> Any:
        return concrete(x + 1.0) + concrete(2.0)

    assert outer(c(1.0)).numpy() == 40.0
    with tl.GradientTape() as tape:
        y = outer(c(1.0))
    assert tape.gradient(y, v).numpy() == 4.0
    with pytest.raises(tl.errors.InvalidArgumentError, match="must be a tensor of shape"):
        outer(c([1.0]))


def test_results_have_the_structure_of_what_was_returned() -> None:
    @tl.function
    def f(x: Any) -> Any:
        return (
            [x, (x, 2), {"k": x, "n": None, "e": []}, Pair(x, 1.5), Point(x, "s")],
            *(None, True, np.arange(3), object, (), collections.OrderedDict(b=x, a=x)),
            *(collections.defaultdict(list, q=x), {3: x, "m": x}, tl.TensorShape([1, None])),
        )

    found = f(c(7))
    (first, *rest) = found
    assert isinstance(found, tuple)
    assert [first[0].numpy(), first[1][0].numpy(), first[1][1].numpy()] == [7, 7, 2]
    assert first[2]["k"].numpy() == 7
    assert (first[2]["n"], first[2]["e"]) == (None, [])
    assert isinstance(first[3], Pair)
    assert first[3].second.dtype is tl.float32
    assert isinstance(first[4], Point)
    assert first[4].y.numpy() == b"s"
    assert rest[0] is None
    assert rest[1].dtype is tl.bool
    assert rest[2].numpy().tolist() == [0, 1, 2]
    assert rest[3] is object
    assert rest[4] == ()
    assert list(rest[5]) == ["b", "a"]
    assert rest[6].default_factory is list
    assert {k: v.numpy() for k, v in rest[7].items()} == {3: 7, "m": 7}
    assert rest[8] == (1, None)


def test_results_are_the_callers_own() -> None:
    @tl.function
    def f(x: Any) -> Any:
        return [x, {"a": x}]

    one, two = f(c(1)), f(c(2))
    one.append(3)
    one[1]["b"] = 4
    assert (len(f(c(1))), list(two[1])) == (2, ["a"])


def test_copies_and_pickles() -> None:
    f = tl.function(lambda x: x + 1)
    assert f(c(1)).numpy() == 2
    again = copy.deepcopy({"f": f})["f"]
    assert (again is f, again(c(1)).numpy(), copy.copy(f) is f) == (False, 2, True)

    class Model(tl.Module):
        def __init__(self) -> None:
            self.v = tl.Variable(1.0)
            self.call = self.times

        @tl.function
        def times(self, x: Any) -> Any:
            return x * self.v

    model = Model()
    model.call(2.0)
    other = copy.deepcopy(model)
    other.v.assign(10.0)
    assert (model.call(2.0).numpy(), other.call(2.0).numpy()) == (2.0, 20.0)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(f)  # by name, as Python's functions; a lambda has none
    concrete = f.get_concrete_function(c(1))
    assert copy.copy(concrete) is concrete
    for how in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"concrete function .* can't be copied or pickled"):
            how(concrete)


class Doubler:
    """Its methods have other names for their own object."""

    factor = 2

    @tl.function
    def double(this, x: Any) -> Any:
        return x * this.factor

    @tl.function
    def doubled(self, x: Any, times: int = 1) -> Any:
        return x * self.factor * times

    @tl.function
    def both(this, other: Any, x: Any) -> Any:
        return x * this.factor * other.factor

    @classmethod
    @tl.function
    def make(klass, x: Any) -> Any:
        return x * klass.factor


def test_a_method_s_own_object_may_be_given_or_left_out() -> None:
    d, spec, x = Doubler(), tl.TensorSpec([]), tl.constant(3.0)
    for concrete in (
        d.double.get_concrete_function(spec),
        Doubler.double.get_concrete_function(d, spec),
        d.doubled.get_concrete_function(spec),
        Doubler.doubled.get_concrete_function(d, spec),
    ):
        assert concrete(x).numpy() == 6
        assert concrete(d, x).numpy() == 6
    assert Doubler.make.get_concrete_function(spec)(x).numpy() == 6
    twice = d.both.get_concrete_function(d, spec)
    assert twice(d, x).numpy() == 12
    assert twice(d, d, x).numpy() == 12
    with pytest.raises(tl.errors.SignatureError, match="both"):
        twice(Doubler(), x)
