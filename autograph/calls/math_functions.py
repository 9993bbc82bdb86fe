"""The functions of Python's `math` on symbolic tensors: on floats of 64 bits, as in Python."""

from __future__ import annotations

import cmath
import functools
import math
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert
from treadle.graph.dtypes import float64, int64
from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location
from treadle.graph.ops import arithmetic, exponential, rounding, special, trigonometric
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import equal, isfinite, isinf, isnan
from treadle.graph.ops.division import maximum, power, truncatemod
from treadle.graph.ops.effects import require
from treadle.graph.ops.gamma import lgamma
from treadle.graph.ops.logic import logical_and, logical_not, logical_or

Check = Callable[..., Any]  # of the arguments: a truth value


def whole(x: Tensor, function: Callable[[Any], Any] | None = None) -> Any:
    """The whole number that `function` rounds a symbolic tensor to; the whole part without."""
    if not x.dtype.is_floating:
        return _number(cast(x, int64))
    (x,) = require(logical_not(isnan(x)), [x], "ValueError", "cannot convert float NaN to integer")
    (x,) = require(
        logical_not(isinf(x)), [x], "OverflowError", "cannot convert float infinity to integer"
    )
    return _number(cast(x if function is None else function(x), int64))


_number = weak.mark


def _double(x: Any) -> Tensor:
    return cast(x, float64) if isinstance(x, Tensor) else convert(x, float64)


def _function(op: Callable[..., Any], pole: Check | None = None) -> Callable[..., Any]:
    """A function to floats. Python raises where a finite value has none: OverflowError, or
    ValueError where there is no value, as at a `pole`.
    """

    def on_tensors(*args: Any) -> Any:
        xs = [_double(x) for x in args]
        result = op(*xs)
        defined = logical_not(isnan(result))
        for x in xs:
            defined = logical_or(defined, isnan(x))
        if pole is not None:
            defined = logical_and(defined, logical_not(pole(*xs)))
        (result,) = require(defined, [result], "ValueError", "math domain error")
        fine = logical_not(isinf(result))
        for x in xs:
            fine = logical_or(fine, isinf(x))
        return _number(require(fine, [result], "OverflowError", "math range error")[0])

    return on_tensors


def _log(x: Any, *base: Any) -> Any:
    found = _ln(x)
    return found / _ln(base[0]) if base else found


def _log_to(base: float) -> Callable[..., Any]:
    return lambda x: _log(x) / math.log(base)


def _is_pole_of_gamma(x: Tensor) -> Any:
    return logical_and(logical_and(x <= 0, isfinite(x)), rounding.floor(x) == x)


_ln = _function(exponential.log, lambda x: x <= 0)
FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    math.floor: lambda x: whole(x, rounding.floor),
    math.ceil: lambda x: whole(x, rounding.ceil),
    math.trunc: whole,
    math.sqrt: _function(exponential.sqrt),
    math.exp: _function(exponential.exp),
    math.expm1: _function(exponential.expm1),
    math.log: _log,
    math.log2: _log_to(2.0),
    math.log10: _log_to(10.0),
    math.log1p: _function(exponential.log1p, lambda x: x <= -1),
    math.sin: _function(trigonometric.sin),
    math.cos: _function(trigonometric.cos),
    math.tan: _function(trigonometric.tan),
    math.asin: _function(trigonometric.asin),
    math.acos: _function(trigonometric.acos),
    math.atan: _function(trigonometric.atan),
    math.atan2: _function(trigonometric.atan2),
    math.sinh: _function(trigonometric.sinh),
    math.cosh: _function(trigonometric.cosh),
    math.tanh: _function(trigonometric.tanh),
    math.asinh: _function(trigonometric.asinh),
    math.acosh: _function(trigonometric.acosh),
    math.atanh: _function(trigonometric.atanh, lambda x: equal(arithmetic.absolute(x), 1)),
    math.erf: _function(special.erf),
    math.erfc: _function(special.erfc),
    math.lgamma: _function(lgamma, _is_pole_of_gamma),
    math.fabs: _function(arithmetic.absolute),
    math.pow: _function(power, lambda x, y: logical_and(x == 0, y < 0)),
    math.fmod: _function(truncatemod, lambda x, y: y == 0),
    math.hypot: _function(lambda *xs: exponential.sqrt(functools.reduce(_sum_of_squares, xs, 0.0))),
    math.degrees: _function(lambda x: x * (180.0 / math.pi)),
    math.radians: _function(lambda x: x * (math.pi / 180.0)),
    math.isnan: lambda x: _number(isnan(_double(x))),
    math.isinf: lambda x: _number(isinf(_double(x))),
    math.isfinite: lambda x: _number(isfinite(_double(x))),
}


def _is_close(a: Any, b: Any, *, rel_tol: Any = 1e-09, abs_tol: Any = 0.0) -> Any:
    """`math.isclose(...)`"""
    a, b, rel, least = (_double(x) for x in (a, b, rel_tol, abs_tol))
    (rel,) = require(
        logical_and(rel >= 0, least >= 0), [rel], "ValueError", "tolerances must be non-negative"
    )
    sizes = arithmetic.absolute(a), arithmetic.absolute(b)
    within = maximum(rel * maximum(*sizes), least)
    near = logical_and(arithmetic.absolute(a - b) <= within, isfinite(a - b))
    return _number(logical_or(equal(a, b), near))


FUNCTIONS[math.isclose] = _is_close


def _sum_of_squares(total: Any, x: Any) -> Any:
    return total + x * x


def on_symbols(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of `math`, which knows symbolic tensors."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Value) for x in (*args, *kwargs.values())):
            return FUNCTIONS[function](*args, **kwargs)
        return function(*args, **kwargs)

    return call


def of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of Python's own, which refuses numbers that only the run knows."""

    def call(*args: Any, **kwargs: Any) -> Any:
        given = [*args, *kwargs.values()]
        given += [v for x in given if isinstance(x, (list, tuple)) for v in x]
        if any(isinstance(x, Value) for x in given):
            module = function.__module__
            name = function.__name__ if module == "builtins" else f"{module}.{function.__name__}"
            raise ConversionError(
                f"{name}() at {describe(user_location(2))} needs numbers that Python knows while "
                "tracing, but gets one that only the run knows: use functions of tl, or call it in "
                "tl.py_function"
            )
        return function(*args, **kwargs)

    return call


OF_NUMBERS: list[Callable[..., Any]] = [
    f
    for module in (math, cmath)
    for f in vars(module).values()
    if isinstance(f, BuiltinFunctionType) and f not in FUNCTIONS
]
__all__ = ["FUNCTIONS", "OF_NUMBERS", "of_numbers", "on_symbols", "whole"]
