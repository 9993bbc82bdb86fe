"""Quotients and remainders in whole numbers, powers, and the larger and smaller of two."""

from __future__ import annotations

from typing import Any

from ..build import binary, convert, operands
from ..errors import DivisionByZeroError, InvalidArgumentError
from ..node import Tensor
from ..op import OPS, no_gradient
from ..weak import is_weak
from .arithmetic import divide, square, strong
from .casting import conj
from .comparison import greater, greater_equal, less_equal, not_equal, where
from .define import INTEGER, REAL, Function, constant_of, elementwise
from .exponential import log
from .rounding import trunc


def _divisor_may_be_zero(x: Tensor, y: Tensor) -> bool:
    if not y.dtype.is_integer:
        return False
    known = constant_of(y)
    return known is None or not known.all()


def _refuse_zero(xp: Any, y: Any) -> None:
    if y.dtype.kind in "iu" and not xp.all(y):
        raise DivisionByZeroError("integer division by zero")


def _floordiv(xp: Any, x: Any, y: Any) -> Any:
    _refuse_zero(xp, y)
    return xp.floor_divide(x, y)


def _floormod(xp: Any, x: Any, y: Any) -> Any:
    _refuse_zero(xp, y)
    return xp.remainder(x, y)


def _truncatediv(xp: Any, x: Any, y: Any) -> Any:
    _refuse_zero(xp, y)
    return xp.floor_divide(x - xp.fmod(x, y), y)


def _truncatemod(xp: Any, x: Any, y: Any) -> Any:
    _refuse_zero(xp, y)
    return xp.fmod(x, y)


floordiv = elementwise(
    "floordiv",
    lambda m, x, y: m.floor_divide(x, y),
    no_gradient,
    arity=2,
    accepts=REAL,
    eval=_floordiv,
    checks=_divisor_may_be_zero,
    doc="""The largest whole number not above x / y, elementwise, as Python's `//`.

    Integers divided by zero raise DivisionByZeroError (a ZeroDivisionError).

    >>> import treadle as tl
    >>> tl.math.floordiv([7, -7], 2)
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([ 3, -4], dtype=int32)>
    """,
)
floormod = elementwise(
    "floormod",
    lambda m, x, y: m.remainder(x, y),
    lambda g, out, x, y: (g, lambda: -g * floordiv(x, y)),
    arity=2,
    accepts=REAL,
    eval=_floormod,
    checks=_divisor_may_be_zero,
    doc="""The remainder of x // y, elementwise, with the sign of y, as Python's `%`.

    Integers divided by zero raise DivisionByZeroError (a ZeroDivisionError).

    >>> import treadle as tl
    >>> tl.math.floormod([7, -7], 3)
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([1, 2], dtype=int32)>
    """,
)
_truncatediv_int = elementwise(
    "truncatediv",
    lambda m, x, y: m.floor_divide(x - m.fmod(x, y), y),
    no_gradient,
    arity=2,
    accepts=INTEGER,
    eval=_truncatediv,
    checks=_divisor_may_be_zero,
)
truncatemod = elementwise(
    "truncatemod",
    lambda m, x, y: m.fmod(x, y),
    lambda g, out, x, y: (g, lambda: -g * truncatediv(x, y)),
    arity=2,
    accepts=REAL,
    eval=_truncatemod,
    checks=_divisor_may_be_zero,
    doc="""The remainder of x / y rounded to zero, elementwise, with the sign of x, as C's `%`.

    Integers divided by zero raise DivisionByZeroError (a ZeroDivisionError).

    >>> import treadle as tl
    >>> tl.math.truncatemod([7, -7], 3)
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([ 1, -1], dtype=int32)>
    """,
)


def truncatediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The quotient x / y rounded to zero, elementwise, as C divides integers.

    Integers divided by zero raise DivisionByZeroError (a ZeroDivisionError).

    >>> import treadle as tl
    >>> tl.math.truncatediv([7, -7], 2)
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([ 3, -3], dtype=int32)>
    """
    x, y = operands(OPS["truncatediv"], x, y)
    if x.dtype.is_floating:
        return trunc(divide(x, y))
    return _truncatediv_int(x, y)


# --- powers ------------------------------------------------------------------


def _exponent_may_be_negative(x: Tensor, y: Tensor) -> bool:
    if y.dtype.kind != "i":
        return False
    known = constant_of(y)
    return known is None or bool((known < 0).any())


def _pow(xp: Any, x: Any, y: Any) -> Any:
    if y.dtype.kind == "i" and xp.any(y < 0):
        raise InvalidArgumentError(
            "an integer to a negative power is no integer; use tl.cast to a floating dtype"
        )
    return xp.power(x, y)


def _pow_by_exponent(g: Tensor, out: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The logarithm counts only where it exists: 0 ** y does not vary with y > 0."""
    usable = not_equal(x, 0) if x.dtype.is_complex else greater(x, 0)
    return strong(strong(g, conj(out)), conj(log(where(usable, x, 1))))


_power: Function = elementwise(
    "pow",
    lambda m, x, y: m.power(x, y),
    lambda g, out, x, y: (
        lambda: strong(g, conj(strong(y, _power(x, y - 1)))),
        lambda: _pow_by_exponent(g, out, x, y),
    ),
    arity=2,
    eval=_pow,
    checks=_exponent_may_be_negative,
)


def power(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The power x ** y, elementwise with broadcasting; numeric dtypes, equal for both.

    Integers wrap; to a negative power they raise InvalidArgumentError.

    >>> import treadle as tl
    >>> tl.pow([2., 3.], [3., 0.5])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([8.       , 1.7320509], dtype=float32)>
    """
    if (type(y) is int or type(y) is float) and y == 2 and not is_weak(x):
        x = x if isinstance(x, Tensor) else convert(x)
        if x.dtype.is_floating or (x.dtype.is_numeric and type(y) is int):
            return square(x)
    result: Tensor = binary(_POWER, x, y)
    return result


_POWER = OPS["pow"]

# --- the larger and the smaller ----------------------------------------------

# Of equal operands the first one gets the whole gradient.
maximum = elementwise(
    "maximum",
    lambda m, x, y: m.maximum(x, y),
    lambda g, out, x, y: (
        lambda: where(greater_equal(x, y), g, 0),
        lambda: where(greater_equal(x, y), 0, g),
    ),
    arity=2,
    ufunc="maximum",
    accepts=REAL,
    doc="""The larger of x and y, elementwise with broadcasting; NaN if either is NaN.

    >>> import treadle as tl
    >>> tl.maximum([1., 5.], [3., 2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([3., 5.], dtype=float32)>
    """,
)
minimum = elementwise(
    "minimum",
    lambda m, x, y: m.minimum(x, y),
    lambda g, out, x, y: (
        lambda: where(less_equal(x, y), g, 0),
        lambda: where(less_equal(x, y), 0, g),
    ),
    arity=2,
    ufunc="minimum",
    accepts=REAL,
    doc="""The smaller of x and y, elementwise with broadcasting; NaN if either is NaN.

    >>> import treadle as tl
    >>> tl.minimum([1., 5.], [3., 2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([1., 2.], dtype=float32)>
    """,
)
