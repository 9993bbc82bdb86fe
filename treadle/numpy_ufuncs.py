"""NumPy's ufuncs on tensors: `np.sin(x)`, `np.maximum(x, 0)`, `np.add.reduce(x)`.

NumPy itself says which dtypes a ufunc works in (`resolve_dtypes`); the operands are cast to these.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .graph.build import convert
from .graph.dtypes import as_dtype
from .graph.node import Tensor
from .graph.ops import (
    arithmetic,
    casting,
    comparison,
    division,
    exponential,
    linear,
    logic,
    rounding,
    shaping,
    trigonometric,
)
from .graph.ops.cumulative import cumprod, cumsum
from .graph.ops.reductions import (
    reduce_all,
    reduce_any,
    reduce_max,
    reduce_min,
    reduce_prod,
    reduce_sum,
)

where = comparison.where


class NoEqual(Exception):  # noqa: N818 - caught by the dispatcher, which tells the user more
    """No ops do what NumPy's function is asked for."""


def as_tensor(x: Any) -> Tensor:
    """`x` as a tensor of the dtype that NumPy gives it: Python ints are int64."""
    if isinstance(x, Tensor):
        return x
    if hasattr(x, "__tl_tensor__"):
        tensor: Tensor = x.__tl_tensor__()
        return tensor
    if isinstance(x, (list, tuple)) and any(map(_holds_tensor, x)):
        return convert(x)
    return convert(np.asarray(x))


def _holds_tensor(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(map(_holds_tensor, x))
    return isinstance(x, Tensor) or hasattr(x, "__tl_tensor__")


def operand(x: Any) -> Any:
    """An operand: numbers of Python stay, since they take the dtype of what is beside them."""
    return x if type(x) in (int, float, complex) else as_tensor(x)


def to(x: Any, dtype: Any) -> Tensor:
    """`x` cast to a NumPy dtype."""
    wanted = as_dtype(dtype)
    if isinstance(x, Tensor):
        return x if x.dtype is wanted else casting.cast(x, wanted)
    return convert(np.asarray(x, wanted.numpy))


def dtype_of(x: Any) -> Any:
    """What NumPy resolves dtypes by: the type of a Python number, else the dtype."""
    return type(x) if type(x) in (int, float, complex) else x.dtype.numpy


def rank_of(x: Tensor) -> int:
    rank = x.shape.rank
    if rank is None:
        raise NoEqual("the rank must be known while tracing")
    return rank


def truth(x: Any) -> Tensor:
    """Which items are not zero."""
    tensor = as_tensor(x)
    return tensor if tensor.dtype.is_bool else comparison.not_equal(tensor, 0)


# --- the table ---------------------------------------------------------------------


def _boolean(numeric: Callable[..., Any], logical: Callable[..., Any]) -> Callable[..., Any]:
    """`numeric`, but `logical` for truth values."""

    def function(x: Any, *rest: Any) -> Any:
        return (logical if x.dtype.is_bool else numeric)(x, *rest)

    return function


def _divmod(x: Any, y: Any) -> Any:
    return division.floordiv(x, y), division.floormod(x, y)


def _hypot(x: Any, y: Any) -> Any:
    x, y = arithmetic.absolute(x), arithmetic.absolute(y)
    large, small = division.maximum(x, y), division.minimum(x, y)
    ratio = where(large > 0, small / where(large > 0, large, shaping.ones_like(large)), small)
    finite = large * exponential.sqrt(1 + ratio * ratio)
    return where(comparison.isinf(x) | comparison.isinf(y), math.inf, finite)


def _logaddexp(x: Any, y: Any) -> Any:
    large = division.maximum(x, y)
    gap = where(x == y, shaping.zeros_like(large), arithmetic.absolute(x - y))
    return large + exponential.log1p(exponential.exp(-gap))


def _logaddexp2(x: Any, y: Any) -> Any:
    return _logaddexp(x * math.log(2), y * math.log(2)) / math.log(2)


def _fmax(x: Any, y: Any) -> Any:
    return where(comparison.isnan(x), y, where(comparison.isnan(y), x, division.maximum(x, y)))


def _fmin(x: Any, y: Any) -> Any:
    return where(comparison.isnan(x), y, where(comparison.isnan(y), x, division.minimum(x, y)))


def _of_floats(function: Callable[..., Any], other: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *rest: (function if x.dtype.is_floating else other)(x, *rest)


def _signbit(x: Any) -> Any:
    return (x < 0) | ((x == 0) & (arithmetic.divide(shaping.ones_like(x), x) < 0))


def _copysign(x: Any, y: Any) -> Any:
    size = arithmetic.absolute(x)
    return where(_signbit(y), -size, size)


def _heaviside(x: Any, y: Any) -> Any:
    step = where(x < 0, shaping.zeros_like(x), shaping.ones_like(x))
    return where(comparison.isnan(x), x, where(x == 0, y, step))


def _modf(x: Any) -> Any:
    whole = rounding.trunc(x)
    part = where(comparison.isinf(x), shaping.zeros_like(x), x - whole)
    return _copysign(part, x), whole


def _cbrt(x: Any) -> Any:
    root = division.power(arithmetic.absolute(x), 1 / 3)
    return _copysign(where(x == 0, shaping.zeros_like(x), root), x)


def _constantly(value: bool) -> Callable[..., Any]:
    return lambda x: shaping.fill(shaping.shape(x), value)


def _widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """A composite that computes float16 in float32, as NumPy does."""

    def wide(*xs: Any) -> Any:
        if xs[0].dtype.name != "float16":
            return function(*xs)
        return to(function(*[to(x, np.float32) for x in xs]), np.float16)

    return wide


def _ordered(compare: Callable[..., Any]) -> Callable[..., Any]:
    """A comparison that orders truth values, too."""
    return lambda *xs: compare(*[to(x, np.uint8) if x.dtype.is_bool else x for x in xs])


def _truth(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of truth values for operands of any dtype."""
    return lambda *xs: function(*[truth(x) for x in xs])


def _same(x: Any) -> Any:
    return shaping.identity(x)


def _matmul(x: Any, y: Any) -> Any:
    """With NumPy's rules for vectors."""
    row, column = x.shape.rank == 1, y.shape.rank == 1
    z = linear.matmul(
        shaping.expand_dims(x, 0) if row else x, shaping.expand_dims(y, -1) if column else y
    )
    axes = [-2] * (row and not column) + [-1] * (column and not row) + [-2, -1] * (row and column)
    return shaping.squeeze(z, axes) if axes else z


def _vecdot(x: Any, y: Any) -> Any:
    return reduce_sum((casting.conj(x) if x.dtype.is_complex else x) * y, -1)


UFUNCS: dict[Any, Callable[..., Any]] = {
    np.add: _boolean(arithmetic.add, logic.logical_or),
    np.subtract: arithmetic.subtract,
    np.multiply: _boolean(arithmetic.multiply, logic.logical_and),
    np.divide: arithmetic.divide,
    np.floor_divide: division.floordiv,
    np.remainder: division.floormod,
    np.fmod: division.truncatemod,
    np.divmod: _divmod,
    np.power: division.power,
    np.float_power: division.power,
    np.negative: arithmetic.negative,
    np.positive: _same,
    np.absolute: _boolean(arithmetic.absolute, _same),
    np.fabs: arithmetic.absolute,
    np.sign: arithmetic.sign,
    np.reciprocal: arithmetic.reciprocal,
    np.square: _boolean(arithmetic.square, _same),
    np.sqrt: exponential.sqrt,
    np.cbrt: _widened(_cbrt),
    np.exp: exponential.exp,
    np.exp2: _widened(lambda x: division.power(shaping.ones_like(x) * 2, x)),
    np.expm1: exponential.expm1,
    np.log: exponential.log,
    np.log2: _widened(lambda x: exponential.log(x) / math.log(2)),
    np.log10: _widened(lambda x: exponential.log(x) / math.log(10)),
    np.log1p: exponential.log1p,
    np.logaddexp: _widened(_logaddexp),
    np.logaddexp2: _widened(_logaddexp2),
    np.hypot: _widened(_hypot),
    np.deg2rad: _widened(lambda x: x * (math.pi / 180)),
    np.radians: _widened(lambda x: x * (math.pi / 180)),
    np.rad2deg: _widened(lambda x: x * (180 / math.pi)),
    np.degrees: _widened(lambda x: x * (180 / math.pi)),
    np.rint: rounding.rint,
    np.floor: _of_floats(rounding.floor, _same),
    np.ceil: _of_floats(rounding.ceil, _same),
    np.trunc: _of_floats(rounding.trunc, _same),
    np.modf: _modf,
    np.maximum: _boolean(division.maximum, logic.logical_or),
    np.minimum: _boolean(division.minimum, logic.logical_and),
    np.fmax: _of_floats(_fmax, _boolean(division.maximum, logic.logical_or)),
    np.fmin: _of_floats(_fmin, _boolean(division.minimum, logic.logical_and)),
    np.isnan: _of_floats(comparison.isnan, _constantly(False)),
    np.isinf: _of_floats(comparison.isinf, _constantly(False)),
    np.isfinite: _of_floats(comparison.isfinite, _constantly(True)),
    np.signbit: _signbit,
    np.copysign: _copysign,
    np.heaviside: _heaviside,
    np.logical_and: _truth(logic.logical_and),
    np.logical_or: _truth(logic.logical_or),
    np.logical_xor: _truth(logic.logical_xor),
    np.logical_not: _truth(logic.logical_not),
    np.bitwise_and: _boolean(logic.bitwise_and, logic.logical_and),
    np.bitwise_or: _boolean(logic.bitwise_or, logic.logical_or),
    np.bitwise_xor: _boolean(logic.bitwise_xor, logic.logical_xor),
    np.invert: _boolean(logic.invert, logic.logical_not),
    np.left_shift: logic.left_shift,
    np.right_shift: logic.right_shift,
    np.conjugate: lambda x: casting.conj(x) if x.dtype.is_complex else _same(x),
    np.matmul: _matmul,
    np.vecdot: _vecdot,
    np.equal: comparison.equal,
    np.not_equal: comparison.not_equal,
    np.less: _ordered(comparison.less),
    np.less_equal: _ordered(comparison.less_equal),
    np.greater: _ordered(comparison.greater),
    np.greater_equal: _ordered(comparison.greater_equal),
    np.sin: trigonometric.sin,
    np.cos: trigonometric.cos,
    np.tan: trigonometric.tan,
    np.arcsin: trigonometric.asin,
    np.arccos: trigonometric.acos,
    np.arctan: trigonometric.atan,
    np.arctan2: trigonometric.atan2,
    np.sinh: trigonometric.sinh,
    np.cosh: trigonometric.cosh,
    np.tanh: trigonometric.tanh,
    np.arcsinh: trigonometric.asinh,
    np.arccosh: trigonometric.acosh,
    np.arctanh: trigonometric.atanh,
}


def call(ufunc: Any, inputs: tuple[Any, ...], dtype: Any = None) -> Any:
    """The ufunc of the operands, in the dtypes in which NumPy computes it."""
    xs = [operand(x) for x in inputs]
    known = (*[dtype_of(x) for x in xs], *[None] * ufunc.nout)
    options: dict[str, Any] = {}
    if dtype is not None:
        options["signature"] = (*[None] * ufunc.nin, *[np.dtype(dtype)] * ufunc.nout)
    found = ufunc.resolve_dtypes(known, **options)
    results = UFUNCS[ufunc](*[to(x, d) for x, d in zip(xs, found, strict=False)])
    if ufunc.nout == 1:
        return to(results, found[-1])
    return tuple([to(r, d) for r, d in zip(results, found[ufunc.nin :], strict=True)])


# --- methods -----------------------------------------------------------------------

_REDUCED: dict[Any, Callable[..., Any]] = {
    np.add: reduce_sum,
    np.multiply: reduce_prod,
    np.maximum: reduce_max,
    np.minimum: reduce_min,
    np.logical_and: reduce_all,
    np.logical_or: reduce_any,
    np.bitwise_and: reduce_all,
    np.bitwise_or: reduce_any,
}


def accumulator(x: Tensor, dtype: Any = None) -> Tensor:
    """`x` in the dtype in which NumPy adds: small integers as int64 or uint64."""
    if dtype is not None:
        return to(x, dtype)
    if x.dtype.is_bool or (x.dtype.is_integer and x.dtype.size < 8):
        return to(x, np.uint64 if x.dtype.numpy.kind == "u" else np.int64)
    return x


def reduce(ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, keepdims: bool = False) -> Any:
    """`ufunc.reduce`; None for a ufunc that has none here."""
    x = as_tensor(array)
    if ufunc in (np.add, np.multiply):
        x = accumulator(x, dtype)
    elif ufunc in (np.logical_and, np.logical_or):
        x = truth(x)
    elif x.dtype.is_bool:
        ufunc = {np.maximum: np.logical_or, np.minimum: np.logical_and}.get(ufunc, ufunc)
    elif ufunc in (np.bitwise_and, np.bitwise_or):
        return None
    if ufunc not in _REDUCED:
        return None
    return _REDUCED[ufunc](x, axis, keepdims)


def accumulate(ufunc: Any, array: Any, axis: int = 0, dtype: Any = None) -> Any:
    x = as_tensor(array)
    if ufunc is np.add:
        return cumsum(accumulator(x, dtype), axis)
    if ufunc is np.multiply:
        return cumprod(accumulator(x, dtype), axis)
    return None


def outer(ufunc: Any, a: Any, b: Any, dtype: Any = None) -> Any:
    x, y = operand(a), operand(b)
    rank = y.shape.rank if isinstance(y, Tensor) else 0
    if rank and isinstance(x, Tensor):
        sizes = [*_sizes(x), *[1] * rank]
        x = shaping.reshape(x, sizes)
    return call(ufunc, (x, y), dtype)


def _sizes(x: Tensor) -> list[Any]:
    """The sizes of the axes: numbers as far as they are known, else scalars of the program."""
    shape = x.shape.as_list()
    if None not in shape:
        return list(shape)
    found = shaping.shape(x)
    return [found[i] if d is None else d for i, d in enumerate(shape)]


sizes = _sizes
METHODS: dict[str, Callable[..., Any]] = {
    "reduce": reduce,
    "accumulate": accumulate,
    "outer": outer,
}

__all__ = [
    "METHODS",
    "UFUNCS",
    "NoEqual",
    "accumulator",
    "as_tensor",
    "call",
    "operand",
    "rank_of",
    "sizes",
    "to",
    "truth",
]
