"""`tl.Module`: what it collects, in TensorFlow's order (2.21); names, scopes."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import pytest

import treadle as tl


def variable(name: str, **options: Any) -> tl.Variable:
    return tl.Variable(1.0, name=name, **options)


class Part(tl.Module):
    def __init__(self) -> None:
        super().__init__(name="hey")
        self.b = variable("b")
        self.a = [
            variable("a0"),
            {"z": variable("z"), "y": variable("y")},
            (variable("t", trainable=False),),
        ]


class Whole(tl.Module):
    def __init__(self) -> None:  # without super().__init__()
        self.m = Part()
        self.x = [Part()]
        self.a = variable("na")
        self.z = variable("nz")


def names(variables: Any) -> list[str]:
    return [v.name.removesuffix(":0") for v in variables]


def test_order_of_variables() -> None:
    part = ["a0", "y", "z", "t", "b"]
    assert names(Part().variables) == part
    assert names(Whole().variables) == ["na", "nz", *part, *part]
    assert names(Whole().trainable_variables) == ["na", "nz", *["a0", "y", "z", "b"] * 2]
    assert names(Whole().non_trainable_variables) == ["t", "t"]
    assert [m.name for m in Whole().submodules] == ["hey", "hey"]


def test_each_once_and_through_cycles() -> None:
    whole = Whole()
    whole.again = whole.m
    whole.m.parent = whole
    whole.loop = [whole.z]
    whole.loop.append(whole.loop)
    assert len(whole.variables) == 12
    assert len(whole.submodules) == 2


def test_collections() -> None:
    Point = collections.namedtuple("Point", "x y")

    @dataclasses.dataclass
    class Pair:
        first: Any
        second: Any

    module = tl.Module()
    module.a = Point(variable("px"), variable("py"))
    module.b = Pair(variable("first"), [variable("second")])
    module.c = collections.OrderedDict(b=variable("ob"), a=variable("oa"))
    module.d = {1: variable("one"), "s": variable("mixed")}
    module.e = {"not": {variable("walked")}}
    assert names(module.variables) == ["px", "py", "first", "second", "oa", "ob", "one", "mixed"]


def test_names() -> None:
    class MyCam(tl.Module):
        pass

    class HTTPServer2D(tl.Module):
        pass

    class Bare(tl.Module):
        def __init__(self) -> None:
            pass

    assert (MyCam().name, MyCam(name="MyCam").name, MyCam("abc").name) == ("my_cam", "MyCam", "abc")
    assert HTTPServer2D().name == "http_server2_d"
    assert Bare().name == "bare"
    with pytest.raises(ValueError, match="'a b' is not a valid name of a module"):
        MyCam(name="a b")


def test_name_scopes() -> None:
    class Layer(tl.Module):
        @tl.Module.with_name_scope
        def __call__(self, x: Any) -> Any:
            if not hasattr(self, "w"):
                self.w = variable("w")
            if tl.reduce_sum(x) > 0:  # converted, though it is decorated
                x = x * self.w
            return x

    layer = Layer(name="hey")
    assert tl.function(lambda x: layer(x))(tl.constant(3.0)).numpy() == 3.0
    assert layer.w.name == "hey/w:0"
    with tl.name_scope("outer"):
        inner = Layer(name="in")
    inner(tl.constant(1.0))
    assert inner.w.name == "outer/in/w:0"
    with layer.name_scope as scope:
        assert scope == "hey/"
        assert tl.get_current_name_scope() == "hey"
        with tl.name_scope("outer/"):
            assert tl.get_current_name_scope() == "outer"
    with pytest.raises(ValueError, match="not a valid name of a scope"), tl.name_scope("a b"):
        pass
