"""What a program made is freed with it: nothing of ours keeps its classes and functions."""

from __future__ import annotations

import gc
import weakref

import treadle as tl


def program() -> list[weakref.ref[type]]:
    class Box:
        def __init__(self) -> None:
            self.log: list[object] = []

    class Slotted:
        __slots__ = ("v",)

    class WrongError(Exception):
        pass

    @tl.function
    def f(x: tl.Tensor) -> object:
        box, slotted = Box(), Slotted()
        if x > 0:
            box.log.append(x)
            slotted.v = x
        else:
            box.log.append(-x)
            slotted.v = 2 * x
        try:
            if x > 5:
                raise WrongError("large")
            inner(x)
        except WrongError:
            x = x - 5
        return x + box.log[0] + slotted.v

    @tl.function
    def inner(x: tl.Tensor) -> None:
        if x < -5:
            raise WrongError("small")

    for v in (1, 7, -7):
        f(tl.constant(v))
    return [weakref.ref(kind) for kind in (Box, Slotted, WrongError)]


def test_classes_of_a_program_that_is_over() -> None:
    found = program()
    gc.collect()
    assert [ref() for ref in found] == [None] * 3
