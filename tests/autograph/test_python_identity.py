"""Converted code that meets no tensor does what the code as written does."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import python_programs as programs

from treadle import autograph


def outcome(f: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    log: list[Any] = []
    args = copy.deepcopy(args)
    try:
        result: Any = f(log, *args)
    except Exception as error:
        result = type(error), str(error)
    return result, [str(x) if isinstance(x, BaseException) else x for x in log], args


@pytest.mark.parametrize(
    ("f", "args"),
    programs.CASES,
    ids=[f"{f.__name__}-{i}" for i, (f, _) in enumerate(programs.CASES)],
)
def test_converted_is_as_written(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    converted = autograph.convert(f)
    if autograph.why_unconverted(f) is None:
        assert converted is not f
    assert outcome(converted, args) == outcome(f, args)
