"""The table of elementwise ops: each with NumPy or mpmath as its oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from ops.rows import Row, draw, operands

import treadle as tl

m, nn = tl.math, tl.nn


def one(
    op: str,
    call: Callable[..., Any],
    oracle: Callable[..., Any],
    kinds: str = "fc",
    low: float = -3,
    high: float = 3,
    **more: Any,
) -> Row:
    more.setdefault("specials", "f" in kinds)
    more.setdefault("shaped", True)
    return Row(op=op, call=call, oracle=oracle, kinds=kinds, sample=operands(1, low, high), **more)


def two(
    op: str,
    call: Callable[..., Any],
    oracle: Callable[..., Any],
    kinds: str = "ifc",
    low: float = -3,
    high: float = 3,
    **more: Any,
) -> Row:
    more.setdefault("specials", "f" in kinds)
    more.setdefault("shaped", True)
    sample = more.pop("sample", operands(2, low, high, [(2, 3), (3,)]))
    return Row(op=op, call=call, oracle=oracle, kinds=kinds, sample=sample, **more)


def precise(function: Callable[..., Any], **special: float) -> Callable[..., Any]:
    """An mpmath function over arrays, correct to the last bit; `special` where it raises."""

    def value(x: float) -> float:
        if np.isnan(x):
            return float("nan")
        key = {np.inf: "inf", -np.inf: "minus_inf"}.get(x, "pole")
        if np.isinf(x) and key in special:
            return special[key]
        try:
            with mpmath.workdps(40):
                found = function(mpmath.mpf(float(x)))
        except (ValueError, ZeroDivisionError, OverflowError):
            return special.get(key, float("nan"))
        return float(mpmath.re(found)) if mpmath.im(found) == 0 else float("nan")

    return np.vectorize(value, otypes=[float])


def nonzero(rng: np.random.Generator, dtype: Any) -> list[Any]:
    x, y = (draw(rng, dtype, s, -9, 9) for s in ((2, 3), (3,)))
    return [x, np.where(y == 0, np.array(2, dtype.numpy), y)]


def quotient(x: Any, y: Any) -> Any:
    """C's division of integers."""
    q = np.abs(x.astype(object)) // np.abs(y.astype(object))
    return np.where((x < 0) != (y < 0), -q, q).astype(x.dtype)


def power_operands(rng: np.random.Generator, dtype: Any) -> list[Any]:
    low = 0 if dtype.is_integer else -2
    return [draw(rng, dtype, (2, 3), 0.5, 3), draw(rng, dtype, (3,), low, 3)]


def choice(rng: np.random.Generator, dtype: Any) -> list[Any]:
    return [
        rng.random((2, 1)) < 0.5,
        draw(rng, dtype, (3,), -3, 3),
        draw(rng, dtype, (2, 3), -3, 3),
    ]


def shifts(rng: np.random.Generator, dtype: Any) -> list[Any]:
    counts = np.array([0, 1, 7, 8 * dtype.size - 1, 8 * dtype.size, 100])
    return [draw(rng, dtype, (4, 6), -100, 100), counts.astype(dtype.numpy)]


def shifted(left: bool) -> Callable[..., Any]:
    def oracle(x: Any, y: Any) -> Any:
        width = 8 * x.dtype.itemsize
        moved = [
            int(a) << int(b) if left else int(a) >> int(b)
            for a, b in np.broadcast(x, y)
        ]  # fmt: skip
        wrapped = [v & (2**width - 1) for v in moved]
        unsigned = np.array(wrapped, f"u{x.dtype.itemsize}")
        return unsigned.view(x.dtype).reshape(np.broadcast_shapes(x.shape, y.shape))

    return oracle


def cast_row(source: str, to: Any, oracle: Callable[..., Any], smooth: bool = False) -> Row:
    return Row(
        op="cast", id=f"cast-{source}-to-{to.name}", call=lambda x: tl.cast(x, to), oracle=oracle,
        kinds=source, sample=operands(1, -100, 100), wide=False, smooth=smooth, shaped=True,
    )  # fmt: skip


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def zero_rule(function: Callable[..., Any], where: int) -> Callable[..., Any]:
    """`function`, but 0 where its operand number `where` is 0."""
    return lambda *xs: np.where(xs[where] == 0, 0, function(*xs))


ROWS = [
    # --- arithmetic
    two("add", tl.add, np.add),
    two("subtract", tl.subtract, np.subtract),
    two("multiply", tl.multiply, np.multiply),
    two("divide", tl.divide, np.divide, "fc", 0.5, 3),
    two("divide", tl.divide, lambda x, y: np.divide(x.astype(float), y), "i", sample=nonzero,
        id="divide-integers", smooth=False),
    two("join", tl.add, np.add, "O", smooth=False),
    two("strong_multiply", lambda x, y: m.multiply_no_nan(y, x), zero_rule(np.multiply, 0),
        signed=False),
    two("xdivy", m.xdivy, zero_rule(np.divide, 0), "fc", 0.5, 3, signed=False),
    two("divide_no_nan", m.divide_no_nan, zero_rule(np.divide, 1), "fc", 0.5, 3),
    one("negative", tl.negative, np.negative, "ifc"),
    one("square", tl.square, np.square, "ifc"),
    one("reciprocal", m.reciprocal, lambda x: 1 / x, low=0.5),
    one("sign", tl.sign, np.sign, "ifc"),
    one("abs", tl.abs, np.abs, "ifc"),
    two("subtract", m.squared_difference, lambda x, y: np.square(x - y), "if",
        id="squared_difference"),
    two("floordiv", m.floordiv, np.floor_divide, "if", sample=nonzero, smooth=False, wide=False),
    two("floormod", m.floormod, np.remainder, "if", sample=nonzero, wide=False),
    two("truncatediv", m.truncatediv, quotient, "i", sample=nonzero, smooth=False),
    two("truncatediv", m.truncatediv, lambda x, y: np.trunc(x / y), "f", id="truncatediv-floats",
        sample=nonzero, smooth=False, wide=False),
    two("truncatemod", m.truncatemod, np.fmod, "if", sample=nonzero, wide=False),
    two("pow", tl.pow, np.power, sample=power_operands, ulps=16),
    two("maximum", tl.maximum, np.maximum, "if"),
    two("minimum", tl.minimum, np.minimum, "if"),
    # --- comparison, choice, logic, bits
    *(
        two(f.__name__, f, getattr(np, f.__name__), kinds, smooth=False)
        for f, kinds in [
            (tl.less, "if"), (tl.less_equal, "if"), (tl.greater, "if"), (tl.greater_equal, "if"),
            (tl.equal, "bifcO"), (tl.not_equal, "bifcO"),
        ]
    ),
    one("isnan", m.is_nan, np.isnan, smooth=False),
    one("isinf", m.is_inf, np.isinf, smooth=False),
    one("isfinite", m.is_finite, np.isfinite, smooth=False),
    Row(op="where", call=tl.where, oracle=np.where, kinds="bifcO", sample=choice, shaped=True),
    Row(op="nonzero", call=tl.where, oracle=np.argwhere, kinds="b", sample=operands(1),
        smooth=False),
    two("logical_and", tl.logical_and, np.logical_and, "b", smooth=False),
    two("logical_or", tl.logical_or, np.logical_or, "b", smooth=False),
    two("logical_xor", m.logical_xor, np.logical_xor, "b", smooth=False),
    one("logical_not", tl.logical_not, np.logical_not, "b", smooth=False),
    two("bitwise_and", tl.bitwise.bitwise_and, np.bitwise_and, "i", -99, 99, smooth=False),
    two("bitwise_or", tl.bitwise.bitwise_or, np.bitwise_or, "i", -99, 99, smooth=False),
    two("bitwise_xor", tl.bitwise.bitwise_xor, np.bitwise_xor, "i", -99, 99, smooth=False),
    one("invert", tl.bitwise.invert, np.invert, "i", smooth=False),
    two("left_shift", tl.bitwise.left_shift, shifted(True), "i", sample=shifts, smooth=False),
    two("right_shift", tl.bitwise.right_shift, shifted(False), "i", sample=shifts, smooth=False),
    # --- dtypes
    cast_row("if", tl.float64, lambda x: x.astype(np.float64), smooth=True),
    cast_row("bif", tl.float32, lambda x: x.astype(np.float32)),
    cast_row("biu"[:2], tl.uint8, lambda x: x.astype(np.uint8)),
    cast_row("f", tl.int16, lambda x: np.trunc(x).astype(np.int16)),
    cast_row("bif", tl.bool, lambda x: x != 0),
    cast_row("bif", tl.complex64, lambda x: x.astype(np.complex64)),
    cast_row("c", tl.float64, lambda x: x.real.astype(np.float64), smooth=True),
    two("complex", tl.complex, lambda x, y: x + 1j * y, "f", without=("float16",), specials=False),
    one("conj", m.conj, np.conj, "c"),
    one("real", m.real, np.real, "c"),
    one("imag", m.imag, np.imag, "c"),
    one("angle", m.angle, np.angle, "c"),
    # --- rounding
    one("floor", tl.floor, np.floor, "f", smooth=False),
    one("ceil", m.ceil, np.ceil, "f", smooth=False),
    one("trunc", m.trunc, np.trunc, "f", smooth=False),
    one("round", tl.round, np.rint, "f", smooth=False),
    one("round", tl.round, lambda x: x, "i", id="round-integers", smooth=False),
    # --- exponentials
    one("exp", tl.exp, np.exp),
    one("expm1", m.expm1, np.expm1),
    one("log", m.log, np.log, low=0.2),
    one("log1p", m.log1p, np.log1p, low=-0.7),
    one("sqrt", tl.sqrt, np.sqrt, low=0.2),
    one("rsqrt", m.rsqrt, lambda x: 1 / np.sqrt(x), low=0.2),
    one("sigmoid", tl.sigmoid, sigmoid),
    one("softplus", m.softplus, lambda x: np.logaddexp(x, 0), "f"),
    two("xlogy", m.xlogy, zero_rule(lambda x, y: x * np.log(y), 0), "fc", 0.2, 3,
        signed=False),
    # --- trigonometry
    one("sin", tl.sin, np.sin),
    one("cos", tl.cos, np.cos),
    one("tan", tl.tan, np.tan, low=-1, high=1),
    one("asin", tl.asin, np.arcsin, low=-0.9, high=0.9),
    one("acos", tl.acos, np.arccos, low=-0.9, high=0.9),
    one("atan", tl.atan, np.arctan, low=-0.6, high=0.6),
    two("atan2", tl.atan2, np.arctan2, "f"),
    one("sinh", tl.sinh, np.sinh),
    one("cosh", tl.cosh, np.cosh),
    one("tanh", tl.tanh, np.tanh),
    one("asinh", tl.asinh, np.arcsinh, low=-0.6, high=0.6),
    one("acosh", tl.acosh, np.arccosh, low=1.2),
    one("atanh", tl.atanh, np.arctanh, low=-0.8, high=0.8),
    # --- special functions
    one("erf", m.erf, precise(mpmath.erf), "f", signed=False),
    one("erfc", m.erfc, precise(lambda x: mpmath.erfc(min(x, 1e5))), "f", ulps=6),
    one("erfinv", m.erfinv, precise(mpmath.erfinv), "f", -0.9, 0.9, specials=False),
    one("erfcinv", m.erfcinv, precise(lambda x: mpmath.erfinv(1 - x)), "f", 0.2, 1.8,
        specials=False, ulps=8),
    one("lgamma", m.lgamma, precise(lambda x: mpmath.re(mpmath.loggamma(x)), pole=np.inf,
        inf=np.inf, minus_inf=np.inf), "f", 0.2, 9, ulps=16),
    one("digamma", m.digamma, precise(mpmath.digamma, inf=np.inf, minus_inf=np.nan), "f", 0.2, 9,
        ulps=16, specials=False),
    one("polygamma", lambda x: m.polygamma(2, x), precise(lambda x: mpmath.polygamma(2, x)), "f",
        0.2, 9, specials=False),
]  # fmt: skip
