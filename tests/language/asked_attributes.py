"""Attributes that are asked for: by `hasattr` and `getattr`, and by getters of other kinds."""

from __future__ import annotations

import enum
from types import DynamicClassAttribute

from treadle.errors import UndefinedVariableError

from .harness import Collection

program = Collection()


class Plain:
    pass


@program(3, 1, relaxed=True)
def set_on_one_path():
    def f(x):
        o = Plain()
        if x > 2:
            o.a = 1
        return hasattr(o, "a"), getattr(o, "a", 7), hasattr(o, "b"), getattr(o, "b", 2)

    return f


@program(3, 1, relaxed=True)
def deleted_on_one_path():
    def f(x):
        o = Plain()
        o.a = 5
        if x > 2:
            del o.a
        if not hasattr(o, "a"):
            o.a = 3
        return o.a

    return f


@program(3, 1, relaxed=True)
def condition_that_asks():
    def f(x):
        o = Plain()
        if x > 2:
            o.a = 1
        if hasattr(o, "a"):
            return o.a + 1
        return 5

    return f


@program(3, refused=(UndefinedVariableError, r"'o\.a' .*relaxed=True"))
def asked_in_a_strict_function():
    def f(x):
        o = Plain()
        if x > 2:
            o.a = 1
        return hasattr(o, "a")

    return f


@program(3, 1)
def callable_of_either():
    def f(x):
        c = len if x > 2 else Plain()
        if callable(c):
            return 1
        return 2

    return f


class Level:
    top = 4

    def __init__(self, level):
        self._level = level

    @DynamicClassAttribute
    def level(self):
        if self._level > 2:
            return self.top
        return self._level

    @level.setter
    def level(self, level):
        self._level = level

    @enum.property
    def twice(self):
        if self._level > 2:
            return 1
        return self._level * 2


@program(3, 1, 2)
def getters_of_other_kinds():
    kept = Level(1)

    def f(x):
        o = Level(1)
        if x > 1:
            o.level = x + 1
        if x > 2:
            kept.level = x
        return o.level, o.twice, kept.level

    return f, lambda: vars(kept)
