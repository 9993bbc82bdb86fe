"""NumPy's reductions on tensors: sums, means, order statistics, norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .graph.node import Tensor
from .graph.ops import cumulative, reductions, shaping, sorting, statistics
from .graph.ops.casting import cast
from .graph.ops.comparison import isnan, where
from .graph.ops.exponential import sqrt
from .graph.ops.gathering import gather
from .graph.ops.rounding import floor
from .numpy_ufuncs import NoEqual, accumulator, as_tensor, to, truth

TABLE: dict[Any, Callable[..., Any]] = {}


def implements(*functions: Any) -> Callable[[Any], Any]:
    """Enter the decorated function into the table, under NumPy's functions."""

    def enter(function: Any) -> Any:
        TABLE.update(dict.fromkeys(functions, function))
        return function

    return enter


def floats(x: Any) -> Tensor:
    """`x`, integers and truth values as float64: what NumPy takes means of."""
    x = as_tensor(x)
    return x if x.dtype.is_floating or x.dtype.is_complex else to(x, np.float64)


def flat(x: Any, axis: Any) -> tuple[Tensor, Any]:
    """NumPy's `axis=None`: the items in one row."""
    x = as_tensor(x)
    return (shaping.reshape(x, [-1]), 0) if axis is None else (x, axis)


@implements(np.sum)
def _sum(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None
) -> Any:
    total = reductions.reduce_sum(accumulator(as_tensor(a), dtype), axis, keepdims)
    return total if initial is None else total + initial


@implements(np.prod)
def _prod(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None
) -> Any:
    product = reductions.reduce_prod(accumulator(as_tensor(a), dtype), axis, keepdims)
    return product if initial is None else product * initial


@implements(np.max, np.amax)
def _max(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_tensor(a)
    reduce = reductions.reduce_any if x.dtype.is_bool else reductions.reduce_max
    return reduce(x, axis, keepdims)


@implements(np.min, np.amin)
def _min(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_tensor(a)
    reduce = reductions.reduce_all if x.dtype.is_bool else reductions.reduce_min
    return reduce(x, axis, keepdims)


@implements(np.ptp)
def _ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _max(a, axis, keepdims) - _min(a, axis, keepdims)


@implements(np.any)
def _any(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return reductions.reduce_any(truth(a), axis, keepdims)


@implements(np.all)
def _all(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return reductions.reduce_all(truth(a), axis, keepdims)


@implements(np.count_nonzero)
def _count_nonzero(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return reductions.reduce_sum(to(truth(a), np.int64), axis, keepdims)


@implements(np.mean)
def _mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    x = floats(a) if dtype is None else to(as_tensor(a), dtype)
    if x.dtype.name == "float16":  # NumPy adds these in float32
        return to(statistics.reduce_mean(to(x, np.float32), axis, keepdims), np.float16)
    return statistics.reduce_mean(x, axis, keepdims)


def _size(x: Tensor, axis: Any) -> Tensor:
    """The number of items that a reduction takes together, as a float."""
    return reductions.reduce_sum(shaping.ones_like(x, dtype=_real_dtype(x)), axis, True)


def _real_dtype(x: Tensor) -> Any:
    return {"complex64": "float32", "complex128": "float64"}.get(x.dtype.name, x.dtype)


@implements(np.var)
def _var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: bool = False,
    correction: Any = None,
) -> Any:
    x = floats(a) if dtype is None else to(as_tensor(a), dtype)
    given = x.dtype
    if given.name == "float16":
        x = to(x, np.float32)
    lost = ddof if correction is None else correction
    gap = x - statistics.reduce_mean(x, axis, True)
    if gap.dtype.is_complex:
        gap = abs(gap)
    total = reductions.reduce_sum(gap * gap, axis, True)
    found = total / _not_negative(_size(x, axis) - lost)
    result = found if keepdims else _dropped(found, axis)
    return cast(result, given) if given.name == "float16" else result


def _not_negative(count: Tensor) -> Tensor:
    """NumPy takes 0 for a negative count of degrees of freedom."""
    return where(count < 0, shaping.zeros_like(count), count)


def _dropped(x: Tensor, axis: Any) -> Tensor:
    if axis is None:
        return shaping.reshape(x, [])
    return shaping.squeeze(x, list(axis) if isinstance(axis, tuple) else [axis])


@implements(np.std)
def _std(a: Any, axis: Any = None, dtype: Any = None, **options: Any) -> Any:
    x = floats(a) if dtype is None else to(as_tensor(a), dtype)
    if x.dtype.name == "float16":
        return to(sqrt(_var(to(x, np.float32), axis, **options)), np.float16)
    return sqrt(_var(x, axis, **options))


@implements(np.average)
def _average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    x = floats(a)
    if weights is None:
        result = _mean(x, axis, keepdims=keepdims)
        count = _size(x, axis)
        total = count if keepdims else _dropped(count, axis)
    else:
        w = as_tensor(weights)
        common = np.result_type(x.dtype.numpy, w.dtype.numpy)
        x, w = to(x, common), to(w, common)
        if w.shape.rank != x.shape.rank and isinstance(axis, int) and x.shape.rank is not None:
            w = shaping.reshape(w, [-1 if i == axis % x.shape.rank else 1 for i in range(x.ndim)])  # type: ignore[arg-type]
        w = shaping.broadcast_to(w, shaping.shape(x))
        total = reductions.reduce_sum(w, axis, keepdims)
        result = reductions.reduce_sum(x * w, axis, keepdims) / total
    return (result, total) if returned else result


# --- with NaN left out -------------------------------------------------------------


def _filled(a: Any, value: float) -> Tensor:
    x = as_tensor(a)
    return where(isnan(x), value, x) if x.dtype.is_floating else x


@implements(np.nansum)
def _nansum(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return _sum(_filled(a, 0.0), axis, dtype, keepdims)


@implements(np.nanprod)
def _nanprod(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return _prod(_filled(a, 1.0), axis, dtype, keepdims)


def _nan_where_none(x: Tensor, result: Tensor, axis: Any, keepdims: bool) -> Tensor:
    if not x.dtype.is_floating:
        return result
    return where(reductions.reduce_all(isnan(x), axis, keepdims), float("nan"), result)


@implements(np.nanmax)
def _nanmax(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_tensor(a)
    return _nan_where_none(x, _max(_filled(x, -np.inf), axis, keepdims), axis, keepdims)


@implements(np.nanmin)
def _nanmin(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_tensor(a)
    return _nan_where_none(x, _min(_filled(x, np.inf), axis, keepdims), axis, keepdims)


@implements(np.nanmean)
def _nanmean(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    x = floats(a) if dtype is None else to(as_tensor(a), dtype)
    count = reductions.reduce_sum(where(isnan(x), shaping.zeros_like(x), 1.0), axis, keepdims)
    return _nansum(x, axis, None, keepdims) / count


# --- order -------------------------------------------------------------------------


def _arg(find: Callable[..., Any]) -> Callable[..., Any]:
    def function(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x, place = flat(a, axis)
        x = to(x, np.uint8) if x.dtype.is_bool else x
        found = find(x, place)
        if not keepdims:
            return found
        if axis is None:
            return shaping.reshape(found, [1] * (as_tensor(a).shape.rank or 0))
        return shaping.expand_dims(found, axis)

    return function


implements(np.argmax)(_arg(statistics.argmax))
implements(np.argmin)(_arg(statistics.argmin))


@implements(np.sort)
def _sort(a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    x, axis = flat(a, axis)
    if x.dtype.is_bool:
        return to(sorting.sort(to(x, np.uint8), axis), np.bool_)
    return sorting.sort(x, axis)


@implements(np.argsort)
def _argsort(a: Any, axis: Any = -1, kind: Any = None, stable: Any = None) -> Any:
    x, axis = flat(a, axis)
    return to(sorting.argsort(to(x, np.uint8) if x.dtype.is_bool else x, axis), np.int64)


@implements(np.searchsorted)
def _searchsorted(a: Any, v: Any, side: str = "left") -> Any:
    x, y = as_tensor(a), as_tensor(v)
    common = np.result_type(x.dtype.numpy, y.dtype.numpy)
    row = shaping.reshape(to(y, common), [-1])
    found = sorting.searchsorted(to(x, common), row, side=side)
    return to(shaping.reshape(found, shaping.shape(y)), np.int64)


@implements(np.quantile)
def _quantile(
    a: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    if method != "linear":
        raise NoEqual("only method='linear' has an equal")
    x = floats(a)
    weak = isinstance(q, (int, float))
    dtype = x.dtype.numpy if weak else np.result_type(x.dtype.numpy, as_tensor(q).dtype.numpy)
    parts, x = to(as_tensor(q), dtype), to(x, dtype)
    rank = x.shape.rank
    if rank is None:
        raise NoEqual("the rank must be known while tracing")
    axes = list(range(rank)) if axis is None else list(np.atleast_1d(np.asarray(axis)) % rank)
    kept = [i for i in range(rank) if i not in axes]
    rows = shaping.transpose(x, [*kept, *axes])
    outer = shaping.shape(rows)[: len(kept)]
    rows = sorting.sort(shaping.reshape(rows, shaping.concat([outer, [-1]], 0)), -1)
    size = shaping.shape(rows)[-1]
    place = parts * cast(size - 1, parts.dtype)
    below = floor(place)
    low = cast(below, "int32")
    high = where(low + 1 < size, low + 1, size - 1)
    first, second = gather(rows, low, axis=-1), gather(rows, high, axis=-1)
    found = first + (second - first) * (place - below)
    found = where(reductions.reduce_any(isnan(rows), -1, parts.shape.rank == 1), np.nan, found)
    if parts.shape.rank == 1:
        found = shaping.transpose(found, [len(kept), *range(len(kept))])
    if keepdims:
        for i in sorted(axes):
            found = shaping.expand_dims(found, int(i) + (parts.shape.rank or 0))
    return found


@implements(np.percentile)
def _percentile(a: Any, q: Any, **options: Any) -> Any:
    part = q / 100 if isinstance(q, (int, float)) else as_tensor(q) / 100
    return _quantile(a, part, **options)


@implements(np.median)
def _median(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = floats(a)
    return _quantile(x, 0.5, axis, keepdims=keepdims)


# --- running totals ----------------------------------------------------------------


@implements(np.cumsum)
def _cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    x, axis = flat(a, axis)
    return cumulative.cumsum(accumulator(x, dtype), axis)


@implements(np.cumprod)
def _cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    x, axis = flat(a, axis)
    return cumulative.cumprod(accumulator(x, dtype), axis)


# --- norms -------------------------------------------------------------------------


@implements(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = floats(x)
    if axis is None and ord is None:
        rank = x.shape.rank or 0
        squares = reductions.reduce_sum(_squared(x), None, False)
        found = sqrt(squares)
        return shaping.reshape(found, [1] * rank) if keepdims else found
    axes = tuple(range(x.shape.rank or 0)) if axis is None else axis
    axes = axes if isinstance(axes, tuple) else (axes,)
    if len(axes) == 1:
        return _vector_norm(x, 2 if ord is None else ord, axes[0], keepdims)
    row, column = (int(i) % (x.shape.rank or 1) for i in axes)
    if ord in (None, "fro"):
        return sqrt(reductions.reduce_sum(_squared(x), list(axes), keepdims))
    pairs = {1: (row, column), -1: (row, column), np.inf: (column, row), -np.inf: (column, row)}
    if ord not in pairs:
        raise NoEqual(f"no matrix norm of ord {ord!r}")
    first, second = pairs[ord]
    sums = reductions.reduce_sum(abs(x), first, True)
    best = (reductions.reduce_max if ord > 0 else reductions.reduce_min)(sums, second, True)
    return best if keepdims else shaping.squeeze(best, list(axes))


@implements(np.linalg.vector_norm)
def _vector_norm_of(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = floats(x)
    if axis is None:
        found = _vector_norm(shaping.reshape(x, [-1]), ord, 0, False)
        return shaping.reshape(found, [1] * (x.shape.rank or 0)) if keepdims else found
    return _vector_norm(x, ord, axis, keepdims)


@implements(np.linalg.matrix_norm)
def _matrix_norm(x: Any, keepdims: bool = False, ord: Any = "fro") -> Any:
    return _norm(x, ord, (-2, -1), keepdims)


def _squared(x: Tensor) -> Tensor:
    size = abs(x) if x.dtype.is_complex else x
    return size * size


def _vector_norm(x: Tensor, ord: Any, axis: Any, keepdims: bool) -> Tensor:
    if ord == 2:
        return sqrt(reductions.reduce_sum(_squared(x), axis, keepdims))
    size = abs(x)
    if ord == np.inf:
        return reductions.reduce_max(size, axis, keepdims)
    if ord == -np.inf:
        return reductions.reduce_min(size, axis, keepdims)
    if ord == 0:
        return reductions.reduce_sum(cast(truth(x), size.dtype), axis, keepdims)
    if not isinstance(ord, (int, float)):
        raise NoEqual(f"no norm of ord {ord!r}")
    return reductions.reduce_sum(size**ord, axis, keepdims) ** (1.0 / ord)


__all__ = ["TABLE", "flat", "floats", "implements"]
