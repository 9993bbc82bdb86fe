"""NumPy's functions that choose items, compute and multiply arrays, on tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .graph.build import convert
from .graph.node import Tensor
from .graph.ops import matrices, reductions, rounding, segments, shaping
from .graph.ops.casting import cast, imag, real
from .graph.ops.comparison import isnan, where
from .graph.ops.einsum import einsum
from .graph.ops.gathering import gather
from .graph.ops.linear import matmul, tensordot
from .graph.ops.masking import boolean_mask
from .graph.ops.scattering import gather_nd
from .graph.ops.sequences import range_
from .graph.ops.trigonometric import angle, sin
from .numpy_arrays import TABLE, common, diff, moveaxis, ravel, shape_of
from .numpy_reductions import flat, implements
from .numpy_ufuncs import NoEqual, as_tensor, call, operand, rank_of, sizes, to, truth

__all__ = ["TABLE"]


# --- choosing ----------------------------------------------------------------------


@implements(np.where)
def _where(condition: Any, x: Any = None, y: Any = None) -> Any:
    chosen = truth(condition)
    if x is None and y is None:
        return _nonzero(chosen)
    a, b = common(x, y)
    return where(chosen, a, b)


@implements(np.argwhere)
def _argwhere(a: Any) -> Any:
    found: Tensor = where(truth(a))
    return found


@implements(np.nonzero)
def _nonzero(a: Any) -> Any:
    return tuple(shaping.unstack(_argwhere(a), axis=1))


@implements(np.flatnonzero)
def _flatnonzero(a: Any) -> Any:
    return shaping.reshape(_argwhere(ravel(a)), [-1])


@implements(np.select)
def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    *choices, result = common(*choicelist, default)
    for condition, choice in reversed(list(zip(condlist, choices, strict=True))):
        result = where(as_tensor(condition), choice, result)
    return result


@implements(np.clip)
def _clip(a: Any, a_min: Any = None, a_max: Any = None, min: Any = None, max: Any = None) -> Any:
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if low is not None:
        a = call(np.maximum, (a, low))
    return as_tensor(a) if high is None else call(np.minimum, (a, high))


@implements(np.take)
def _take(a: Any, indices: Any, axis: Any = None) -> Any:
    x, axis = flat(a, axis)
    places = as_tensor(indices)
    size = cast(shaping.shape(x)[axis], places.dtype)
    return gather(x, where(places < 0, places + size, places), axis=axis)


@implements(np.take_along_axis)
def _take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    x, axis = flat(arr, axis)
    axis = axis % rank_of(x)
    places = to(as_tensor(indices), np.int64)
    size = cast(shaping.shape(x)[axis], places.dtype)
    wanted = where(places < 0, places + size, places)
    return _gathered_along(x, wanted, axis)


def _gathered_along(x: Tensor, places: Tensor, axis: int) -> Tensor:
    counts = shaping.unstack(cast(shaping.shape(places), places.dtype), rank_of(places))
    grids = shaping.meshgrid(*[range_(n) for n in counts], indexing="ij")
    grids[axis] = places
    return gather_nd(x, shaping.stack(grids, -1))


@implements(np.compress)
def _compress(condition: Any, a: Any, axis: Any = None) -> Any:
    x, axis = flat(a, axis)
    return boolean_mask(x, as_tensor(condition), axis=axis)


@implements(np.extract)
def _extract(condition: Any, arr: Any) -> Any:
    return boolean_mask(ravel(arr), truth(ravel(condition)))


@implements(np.unique)
def _unique(ar: Any) -> Any:
    found: Tensor = TABLE[np.sort](segments.unique(ravel(ar))[0])
    return found


@implements(np.bincount)
def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    if weights is not None:
        w = to(as_tensor(weights), np.float64)
        return segments.bincount(as_tensor(x), weights=w, minlength=minlength, dtype="float64")
    return to(segments.bincount(as_tensor(x), minlength=minlength), np.int64)


@implements(np.isin)
def _isin(element: Any, test_elements: Any, invert: bool = False) -> Any:
    x, items = common(as_tensor(element), as_tensor(test_elements))
    found = reductions.reduce_any(shaping.expand_dims(x, -1) == shaping.reshape(items, [-1]), -1)
    return ~found if invert else found


# --- values ------------------------------------------------------------------------


@implements(np.round, np.around)
def _round(a: Any, decimals: int = 0) -> Any:
    x = as_tensor(a)
    if x.dtype.is_integer and decimals >= 0:
        return shaping.identity(x)
    if decimals == 0:
        return rounding.rint(x)
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return rounding.rint(x * scale) / scale
    whole = rounding.rint(x / scale) * scale
    return to(whole, x.dtype.numpy)


@implements(np.real)
def _real(val: Any) -> Any:
    return real(as_tensor(val))


@implements(np.imag)
def _imag(val: Any) -> Any:
    x = as_tensor(val)
    return imag(x) if x.dtype.is_complex else shaping.zeros_like(x)


@implements(np.angle)
def _angle(z: Any, deg: bool = False) -> Any:
    x = as_tensor(z)
    found = angle(x if x.dtype.is_complex or x.dtype.is_floating else to(x, np.float64))
    return found * (180 / math.pi) if deg else found


@implements(np.nan_to_num)
def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    x = as_tensor(x)
    if not x.dtype.is_floating:
        return shaping.identity(x)
    limits = np.finfo(x.dtype.numpy)
    low = float(limits.min) if neginf is None else neginf
    high = float(limits.max) if posinf is None else posinf
    x = where(isnan(x), nan, x)
    return where(x == -np.inf, low, where(x == np.inf, high, x))


@implements(np.sinc)
def _sinc(x: Any) -> Any:
    x = as_tensor(x)
    x = x if x.dtype.is_floating else to(x, np.float64)
    y = math.pi * where(x == 0, 1.0, x)
    return where(x == 0, 1.0, sin(y) / y)


@implements(np.isclose)
def _isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    x, y = common(a, b)
    if not (x.dtype.is_floating or x.dtype.is_complex):
        x, y = to(x, np.float64), to(y, np.float64)
    finite = abs(y) < np.inf
    near = (abs(x - y) <= atol + rtol * abs(y)) & finite
    near = near | (x == y)
    return near | (isnan(x) & isnan(y)) if equal_nan else near


@implements(np.allclose)
def _allclose(a: Any, b: Any, **options: Any) -> Any:
    return reductions.reduce_all(_isclose(a, b, **options))


@implements(np.array_equal)
def _array_equal(a1: Any, a2: Any) -> Any:
    x, y = as_tensor(a1), as_tensor(a2)
    if not x.shape.is_compatible_with(y.shape):
        return False
    if not (x.shape.is_fully_defined() and y.shape.is_fully_defined()):
        raise NoEqual("the shapes must be known while tracing")
    return reductions.reduce_all(call(np.equal, (x, y)))


@implements(np.zeros_like, np.empty_like)
def _zeros_like(a: Any, dtype: Any = None) -> Any:
    return shaping.zeros_like(as_tensor(a), dtype=dtype)


@implements(np.ones_like)
def _ones_like(a: Any, dtype: Any = None) -> Any:
    return shaping.ones_like(as_tensor(a), dtype=dtype)


@implements(np.full_like)
def _full_like(a: Any, fill_value: Any, dtype: Any = None) -> Any:
    x = as_tensor(a)
    value = to(operand(fill_value), x.dtype.numpy if dtype is None else dtype)
    return shaping.broadcast_to(value, shaping.shape(x))


@implements(np.copy)
def _copy(a: Any) -> Any:
    return shaping.identity(as_tensor(a))


@implements(np.meshgrid)
def _meshgrid(*xi: Any, indexing: str = "xy") -> Any:
    return tuple(shaping.meshgrid(*[as_tensor(x) for x in xi], indexing=indexing))


@implements(np.linspace)
def _linspace(start: Any, stop: Any, num: Any = 50) -> Any:
    a, b = common(start, stop)
    if not a.dtype.is_floating:
        a, b = to(a, np.float64), to(b, np.float64)
    return shaping.linspace(a, b, num)


# --- products ----------------------------------------------------------------------


@implements(np.dot)
def _dot(a: Any, b: Any) -> Any:
    x, y = common(as_tensor(a), as_tensor(b))
    if rank_of(x) == 0 or rank_of(y) == 0:
        return call(np.multiply, (x, y))
    return tensordot(x, y, [[rank_of(x) - 1], [max(rank_of(y) - 2, 0)]])


@implements(np.vdot)
def _vdot(a: Any, b: Any) -> Any:
    x, y = common(as_tensor(a), as_tensor(b))
    return call(np.vecdot, (ravel(x), ravel(y)))


@implements(np.inner)
def _inner(a: Any, b: Any) -> Any:
    x, y = common(as_tensor(a), as_tensor(b))
    if rank_of(x) == 0 or rank_of(y) == 0:
        return call(np.multiply, (x, y))
    return tensordot(x, y, [[rank_of(x) - 1], [rank_of(y) - 1]])


@implements(np.outer, np.linalg.outer)
def _outer(a: Any, b: Any, x1: Any = None, x2: Any = None) -> Any:
    return call(np.multiply, (shaping.reshape(as_tensor(a), [-1, 1]), ravel(b)))


@implements(np.tensordot, np.linalg.tensordot)
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    x, y = common(as_tensor(a), as_tensor(b))
    return tensordot(x, y, axes)


@implements(np.linalg.matmul)
def _matmul(x1: Any, x2: Any) -> Any:
    return call(np.matmul, (x1, x2))


@implements(np.einsum)
def _einsum(*operands: Any, optimize: Any = False) -> Any:
    equation, *xs = operands
    if not isinstance(equation, str):
        raise NoEqual("only the form with a string of subscripts has an equal")
    return einsum(equation, *common(*[as_tensor(x) for x in xs]))


@implements(np.kron)
def _kron(a: Any, b: Any) -> Any:
    x, y = as_tensor(a), as_tensor(b)
    rank = max(rank_of(x), rank_of(y))
    xs, ys = ([1] * (rank - rank_of(t)) + sizes(t) for t in (x, y))
    wide = [d for n in xs for d in (n, 1)]
    narrow = [d for n in ys for d in (1, n)]
    product = call(np.multiply, (shaping.reshape(x, wide), shaping.reshape(y, narrow)))
    return shaping.reshape(product, [n * m for n, m in zip(xs, ys, strict=True)])


@implements(np.cross)
def _cross(a: Any, b: Any) -> Any:
    x, y = common(as_tensor(a), as_tensor(b))
    return matrices.cross(x, y)


@implements(np.diag)
def _diag(v: Any, k: int = 0) -> Any:
    x = as_tensor(v)
    return matrices.diag(x, k) if rank_of(x) == 1 else matrices.diag_part(x, k)


@implements(np.diagonal)
def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return matrices.diag_part(moveaxis(a, (axis1, axis2), (-2, -1)), offset)


@implements(np.trace)
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return TABLE[np.sum](_diagonal(a, offset, axis1, axis2), -1)


def _triangle(m: Any, keep: Any) -> Any:
    x = as_tensor(m)
    rows, columns = sizes(x)[-2:]
    i = shaping.expand_dims(range_(rows), 1)
    return where(keep(i, range_(columns)), x, shaping.zeros_like(x))


@implements(np.tril)
def _tril(m: Any, k: int = 0) -> Any:
    return _triangle(m, lambda i, j: j - i <= k)


@implements(np.triu)
def _triu(m: Any, k: int = 0) -> Any:
    return _triangle(m, lambda i, j: j - i >= k)


@implements(np.linalg.matrix_power)
def _matrix_power(a: Any, n: int) -> Any:
    x = as_tensor(a)
    if n < 0:
        raise NoEqual("no inverse has an equal")
    size = x.shape[-1]
    if size is None:
        raise NoEqual("the size must be known while tracing")
    result = convert(np.broadcast_to(np.eye(size, dtype=x.dtype.numpy), shape_of(x)).copy())
    for _ in range(n):
        result = matmul(result, x)
    return result


@implements(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    items = shaping.unstack(as_tensor(p))
    point = operand(x)
    total: Any = call(np.multiply, (point, 0))
    for c in items:
        total = call(np.add, (call(np.multiply, (total, point)), c))
    return total


@implements(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    values = as_tensor(y)
    head = (slice(None),) * (axis % rank_of(values))
    steps: Any = dx if x is None else diff(x)
    pairs = call(np.add, (values[(*head, slice(1, None))], values[(*head, slice(None, -1))]))
    area = call(np.divide, (call(np.multiply, (steps, pairs)), 2.0))
    return TABLE[np.sum](area, axis)
