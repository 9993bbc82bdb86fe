"""Random programs: converted as written, and traced on tensors as on Python's numbers."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from random_programs import compiled, programs

import treadle as tl

numbers = st.tuples(*[st.integers(-5, 9)] * 3)
quickly = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def outcome(f: Any, args: tuple[int, ...]) -> Any:
    log: list[Any] = []
    try:
        return f(log, *args), log
    except Exception as error:
        return type(error), str(error), log


@quickly
@given(programs(tensors=False), numbers)
def test_python_values(text: str, args: tuple[int, ...]) -> None:
    f = compiled(text, nothing=contextlib.nullcontext)
    converted = tl.autograph.convert(f)
    assert converted is not f
    assert outcome(converted, args) == outcome(f, args)


@quickly
@given(programs(tensors=True), numbers)
def test_tensors(text: str, args: tuple[int, ...]) -> None:
    f = compiled(text, nothing=contextlib.nullcontext)
    expected = f([], *args)
    try:
        with np.errstate(over="raise"):
            f([], *map(np.int64, args))
    except (FloatingPointError, OverflowError):
        reject()  # Python's numbers grow beyond the 64 bits of the tensors
    try:
        got = tl.function(f)([], *[tl.constant(a, tl.int64) for a in args])  # no int32: that wraps
    except tl.errors.PythonLoopError:
        reject()  # a loop over Python's numbers, left by a tensor
    assert [int(x) for x in got] == list(expected)
