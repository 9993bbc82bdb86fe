"""Python's `math`, `int` and `float` on symbolic tensors: its values, and its errors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.autograph.calls.math_functions import FUNCTIONS

VALUES = (0.5, 2.25, -0.75, 7.5, 0.0, -3.5, 1.0, math.inf, -math.inf, math.nan, 710.5)
TWO = ("atan2", "pow", "fmod", "hypot", "isclose")


def outcome(f: Callable[..., Any], *args: Any) -> Any:
    try:
        return float(f(*args))
    except (ValueError, OverflowError) as error:
        return OverflowError if isinstance(error, OverflowError) else ValueError


@pytest.mark.parametrize("name", sorted(f.__name__ for f in FUNCTIONS))
def test_is_as_on_floats(name: str) -> None:
    function = getattr(math, name)
    two = name in TWO
    # The name is looked up in the function's globals, where AutoGraph finds it.
    traced = tl.function((lambda x, y: function(x, y)) if two else lambda x: function(x))
    for x in VALUES:
        for y in (2.0, -0.5) if two else (None,):
            args = [x] if y is None else [x, y]
            expected = outcome(function, *args)
            got = outcome(traced, *[tl.constant(a, tl.float64) for a in args])
            if isinstance(expected, float):
                np.testing.assert_allclose(got, expected, rtol=1e-6)
            else:
                assert got is expected, args


def test_they_are_called_as_attributes() -> None:
    @tl.function
    def f(x):
        k = math.floor(x) + math.ceil(x)
        return x * k + math.sqrt(x) / math.pi, math.log(x, 3), math.hypot(x, 1.0)

    x = 2.5
    k = math.floor(x) + math.ceil(x)
    expected = [x * k + math.sqrt(x) / math.pi, math.log(x, 3), math.hypot(x, 1.0)]
    np.testing.assert_allclose([float(v) for v in f(tl.constant(x))], expected, rtol=1e-6)


def test_python_numbers_stay_pythons() -> None:
    @tl.function
    def f(x):
        assert type(math.floor(2.5)) is int
        return x * math.sqrt(4.0)

    assert float(f(tl.constant(3.0))) == 6.0


def test_the_errors_of_int() -> None:
    f = tl.function(lambda x: int(x))
    assert int(f(tl.constant(-2.7))) == -2
    assert int(f(tl.constant(1e12, tl.float64))) == 10**12
    with pytest.raises(ValueError, match="cannot convert float NaN to integer"):
        f(tl.constant(math.nan))
    with pytest.raises(OverflowError, match="cannot convert float infinity to integer"):
        f(tl.constant(-math.inf))
