"""NumPy's functions that shape, join and move arrays, on tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .graph.node import Tensor
from .graph.ops import matrices, shaping
from .numpy_reductions import TABLE, implements
from .numpy_ufuncs import NoEqual, as_tensor, call, operand, rank_of, to


def common(*values: Any) -> list[Tensor]:
    """Operands cast to the dtype that NumPy finds for all of them."""
    found = [operand(v) for v in values]
    kinds = [v.dtype.numpy if isinstance(v, Tensor) else v for v in found]
    dtype = np.result_type(*kinds)
    return [to(v, dtype) for v in found]


# --- shapes ------------------------------------------------------------------------


@implements(np.reshape)
def _reshape(a: Any, shape: Any = None, order: Any = "C") -> Any:
    if order != "C":
        raise NoEqual("only order='C' has an equal")
    return shaping.reshape(
        as_tensor(a), shape if isinstance(shape, (list, tuple, Tensor)) else [shape]
    )


@implements(np.ravel)
def ravel(a: Any) -> Any:
    return shaping.reshape(as_tensor(a), [-1])


@implements(np.transpose, np.permute_dims)
def _transpose(a: Any, axes: Any = None) -> Any:
    x = as_tensor(a)
    return shaping.transpose(x, None if axes is None else [i % rank_of(x) for i in axes])


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(x: Any) -> Any:
    return matrices.matrix_transpose(as_tensor(x))


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    x = as_tensor(a)
    order = list(range(rank_of(x)))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return shaping.transpose(x, order)


@implements(np.moveaxis)
def moveaxis(a: Any, source: Any, destination: Any) -> Any:
    x = as_tensor(a)
    rank = rank_of(x)
    first = [i % rank for i in np.atleast_1d(np.asarray(source)).tolist()]
    goal = [i % rank for i in np.atleast_1d(np.asarray(destination)).tolist()]
    order = [i for i in range(rank) if i not in first]
    for place, axis in sorted(zip(goal, first, strict=True)):
        order.insert(place, axis)
    return shaping.transpose(x, order)


@implements(np.expand_dims)
def _expand_dims(a: Any, axis: Any) -> Any:
    x = as_tensor(a)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    for i in sorted(i % (rank_of(x) + len(axes)) for i in axes):
        x = shaping.expand_dims(x, i)
    return x


@implements(np.squeeze)
def _squeeze(a: Any, axis: Any = None) -> Any:
    return shaping.squeeze(as_tensor(a), list(axis) if isinstance(axis, tuple) else axis)


@implements(np.broadcast_to)
def _broadcast_to(array: Any, shape: Any) -> Any:
    return shaping.broadcast_to(
        as_tensor(array), shape if isinstance(shape, (list, tuple, Tensor)) else [shape]
    )


@implements(np.broadcast_arrays)
def _broadcast_arrays(*args: Any) -> Any:
    xs = [as_tensor(x) for x in args]
    shape: Any = shaping.shape(xs[0])
    for x in xs[1:]:
        shape = shaping.broadcast_dynamic_shape(shape, shaping.shape(x))
    return tuple([shaping.broadcast_to(x, shape) for x in xs])


def _at_least(rank: int, value: Any) -> Tensor:
    x: Tensor = as_tensor(value)
    while rank_of(x) < rank:
        x = shaping.expand_dims(x, -1 if rank_of(x) == 2 else 0)
    return x


def _several(function: Any, xs: Sequence[Any]) -> Any:
    found = [function(x) for x in xs]
    return found[0] if len(found) == 1 else tuple(found)


@implements(np.atleast_1d)
def _atleast_1d(*arys: Any) -> Any:
    return _several(lambda x: _at_least(1, x), arys)


@implements(np.atleast_2d)
def _atleast_2d(*arys: Any) -> Any:
    return _several(lambda x: _at_least(2, x), arys)


@implements(np.atleast_3d)
def _atleast_3d(*arys: Any) -> Any:
    return _several(lambda x: _at_least(3, x), arys)


@implements(np.shape)
def shape_of(a: Any) -> Any:
    shape = as_tensor(a).shape
    if not shape.is_fully_defined():
        raise NoEqual(f"the shape {shape} is not known while tracing; tl.shape gives it")
    return tuple(shape.as_list())


@implements(np.ndim)
def _ndim(a: Any) -> Any:
    return rank_of(as_tensor(a))


@implements(np.size)
def _size(a: Any, axis: Any = None) -> Any:
    shape = shape_of(a)
    if axis is None:
        return math.prod(shape)
    return math.prod([shape[i] for i in (axis if isinstance(axis, tuple) else (axis,))])


# --- joining and splitting ---------------------------------------------------------


def _listed(arrays: Any) -> list[Any]:
    if isinstance(arrays, (list, tuple)):
        return list(arrays)
    return shaping.unstack(as_tensor(arrays))


@implements(np.concatenate)
def _concatenate(arrays: Any, axis: Any = 0, dtype: Any = None) -> Any:
    xs = common(*[as_tensor(x) for x in _listed(arrays)])
    if dtype is not None:
        xs = [to(x, dtype) for x in xs]
    if axis is None:
        xs, axis = [shaping.reshape(x, [-1]) for x in xs], 0
    return shaping.concat(xs, axis)


@implements(np.stack)
def _stack(arrays: Any, axis: int = 0, dtype: Any = None) -> Any:
    xs = common(*[as_tensor(x) for x in _listed(arrays)])
    return shaping.stack(xs if dtype is None else [to(x, dtype) for x in xs], axis)


@implements(np.vstack)
def _vstack(tup: Any) -> Any:
    return _concatenate([_at_least(2, x) for x in _listed(tup)], 0)


@implements(np.hstack)
def _hstack(tup: Any) -> Any:
    xs = [_at_least(1, x) for x in _listed(tup)]
    return _concatenate(xs, 0 if rank_of(xs[0]) == 1 else 1)


@implements(np.dstack)
def _dstack(tup: Any) -> Any:
    return _concatenate([_at_least(3, x) for x in _listed(tup)], 2)


@implements(np.column_stack)
def _column_stack(tup: Any) -> Any:
    xs = [as_tensor(x) for x in _listed(tup)]
    return _concatenate([x if rank_of(x) > 1 else shaping.reshape(x, [-1, 1]) for x in xs], 1)


@implements(np.append)
def _append(arr: Any, values: Any, axis: Any = None) -> Any:
    return _concatenate([arr, values], axis)


@implements(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    x = as_tensor(ary)
    size = x.shape[axis]
    if isinstance(indices_or_sections, (int, np.integer)):
        if size is None:
            raise NoEqual("the size of the axis that is split must be known while tracing")
        count = int(indices_or_sections)
        parts = [size // count + (i < size % count) for i in range(count)]
        ends = np.cumsum(parts).tolist()[:-1]
    else:
        ends = list(indices_or_sections)
    axis = axis % rank_of(x)
    head = (slice(None),) * axis
    return [x[(*head, slice(a, b))] for a, b in zip([None, *ends], [*ends, None], strict=True)]


@implements(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    size = as_tensor(ary).shape[axis]
    counted = isinstance(indices_or_sections, (int, np.integer)) and size is not None
    if counted and size % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return _array_split(ary, indices_or_sections, axis)


@implements(np.hsplit)
def _hsplit(ary: Any, indices_or_sections: Any) -> Any:
    x = as_tensor(ary)
    return _split(x, indices_or_sections, 0 if rank_of(x) == 1 else 1)


@implements(np.vsplit)
def _vsplit(ary: Any, indices_or_sections: Any) -> Any:
    return _split(ary, indices_or_sections, 0)


@implements(np.unstack)
def _unstack(x: Any, axis: int = 0) -> Any:
    return tuple(shaping.unstack(as_tensor(x), axis=axis))


# --- moving ------------------------------------------------------------------------


@implements(np.tile)
def _tile(A: Any, reps: Any) -> Any:  # noqa: N803 - NumPy's name
    counts = list(reps) if isinstance(reps, (list, tuple)) else [reps]
    x = as_tensor(A)
    while rank_of(x) < len(counts):
        x = shaping.expand_dims(x, 0)
    return shaping.tile(x, [1] * (rank_of(x) - len(counts)) + counts)


@implements(np.repeat)
def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    return shaping.repeat(as_tensor(a), repeats, axis)


@implements(np.roll)
def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    x = as_tensor(a)
    if axis is None:
        row = shaping.roll(shaping.reshape(x, [-1]), shift, 0)
        return shaping.reshape(row, shaping.shape(x))
    shift = list(shift) if isinstance(shift, tuple) else shift
    axes = list(axis) if isinstance(axis, tuple) else axis
    if isinstance(axes, list) and not isinstance(shift, list):
        shift = [shift] * len(axes)
    return shaping.roll(x, shift, axes)


@implements(np.flip)
def _flip(m: Any, axis: Any = None) -> Any:
    x = as_tensor(m)
    axes = range(rank_of(x)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return shaping.reverse(x, [i % rank_of(x) for i in axes])


@implements(np.fliplr)
def _fliplr(m: Any) -> Any:
    return _flip(m, 1)


@implements(np.flipud)
def _flipud(m: Any) -> Any:
    return _flip(m, 0)


@implements(np.rot90)
def _rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    x = as_tensor(m)
    a, b = axes
    match k % 4:
        case 1:
            return swapaxes(_flip(x, b), a, b)
        case 2:
            return _flip(x, (a, b))
        case 3:
            return _flip(swapaxes(x, a, b), b)
    return shaping.identity(x)


@implements(np.pad)
def _pad(array: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = 0) -> Any:
    x = as_tensor(array)
    if mode not in ("constant", "reflect", "symmetric"):
        raise NoEqual(f"no padding of mode {mode!r}")
    if isinstance(pad_width, Tensor):
        widths: Any = pad_width
    else:
        widths = np.broadcast_to(np.asarray(pad_width), (rank_of(x), 2)).astype(np.int32)
    return shaping.pad(x, widths, mode.upper(), to(operand(constant_values), x.dtype.numpy))


@implements(np.diff)
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    x = as_tensor(a)
    head = (slice(None),) * (axis % rank_of(x))
    for _ in range(n):
        after, before = x[(*head, slice(1, None))], x[(*head, slice(None, -1))]
        x = call(np.not_equal if x.dtype.is_bool else np.subtract, (after, before))
    return x


__all__ = ["TABLE", "common", "diff", "moveaxis", "ravel", "shape_of", "swapaxes"]
