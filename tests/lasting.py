"""Programs that change objects which outlive a call: run as eager code, and traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import treadle as tl

# Makes objects; gives the function, and a function that tells what the objects hold.
Program = Callable[[], tuple[Callable[..., Any], Callable[[], Any]]]
Calls = list[tuple[Any, ...]]
Cases = list[tuple[Program, Calls]]
BOTH_WAYS = [(3,), (-2,), (5,), (-7,)]
TRIPS = [(3,), (0,), (2,)]


def table() -> tuple[Cases, Callable[[Calls], Callable[[Program], Program]]]:
    """An empty table, and the decorator that adds a program to it, with the calls to make."""
    cases: Cases = []

    def case(calls: Calls) -> Callable[[Program], Program]:
        def register(program: Program) -> Program:
            cases.append((program, calls))
            return program

        return register

    return cases, case


class Box:
    def __init__(self, value: Any = 0) -> None:
        self.value = value
        self.inner: Any = None
        self.log: list[Any] = []

    def add(self, x: Any) -> None:
        self.value = self.value + x

    def grow_if(self, x: Any) -> Any:
        if x > 0:
            self.value = self.value + x
        return self.value


def plain(value: Any) -> Any:
    """Values that compare: tensors as arrays."""
    if isinstance(value, tl.Tensor):
        return np.asarray(value).tolist()
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def history(program: Program, calls: list[tuple[Any, ...]], traced: bool) -> list[Any]:
    f, state = program()
    run = tl.function(f) if traced else f
    found = []
    for _ in range(2):
        for args in calls:
            result = run(*[tl.constant(a) for a in args])
            found.append((plain(result), plain(state())))
    return found
