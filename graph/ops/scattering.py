"""Items by all their indices: gather_nd, and scatter_nd that puts them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..errors import DTypeError, InvalidArgumentError, ShapeError
from ..node import Tensor
from ..op import Op, batches
from ..spec import UNKNOWN, TensorShape, TensorSpec
from .casting import cast
from .comparison import equal, where
from .define import constant_of, primitive
from .dims import dims_argument, run_time_dims
from .filling import zeros_like
from .gathering import add_rows, require_index_dtype, require_range
from .joining import concat
from .queries import shape as shape_of
from .reshaping import broadcast_to, reshape
from .sequences import range_

# --- gather_nd and scatter_nd ------------------------------------------------------


def _nd_key(indices: Array, shape: tuple[int, ...]) -> tuple[Array, ...]:
    """The last axis of `indices`, as one array for each axis that it indexes; all in range."""
    depth = indices.shape[-1]
    if depth > len(shape):
        raise ShapeError(f"indices of {depth} numbers select from {len(shape)} axes")
    key = tuple(np.moveaxis(indices, -1, 0))
    for axis, places in enumerate(key):
        require_range(places, shape[axis], axis)
    return key


def _gather_nd_infer(params: TensorSpec, indices: TensorSpec) -> TensorSpec:
    require_index_dtype(indices)
    old, places = params.shape, indices.shape
    if places.rank == 0:
        raise ShapeError("indices need at least one axis")
    if old.rank is None or places.rank is None or places[-1] is None:
        return TensorSpec(UNKNOWN, params.dtype)
    if places[-1] > len(old):
        raise ShapeError(f"indices of {places[-1]} numbers select from {len(old)} axes")
    return TensorSpec((*places[:-1], *old[places[-1] :]), params.dtype)


def _nd_may_fail(indices: Tensor, shape: TensorShape) -> bool:
    known = constant_of(indices)
    if known is None or shape.rank is None or not shape.is_fully_defined():
        return True
    limits = np.array(tuple(shape)[: known.shape[-1]])
    return bool(known.size and ((known < 0).any() or (known >= limits).any()))


_gather_nd: Op = primitive(
    "gather_nd",
    _gather_nd_infer,
    lambda xp, params, indices: xp.asarray(params)[(*_nd_key(indices, params.shape), ...)],
    lambda g, out, params, indices: (lambda: _scatter_like(indices, g, params), None),
    linear=(0,),
    checks=lambda params, indices: _nd_may_fail(indices, params.spec.shape),
)


def gather_nd(params: Any, indices: Any, batch_dims: int = 0, name: str | None = None) -> Tensor:
    """The slices of `params` that the rows of `indices` name: `params[i, j]` for a row (i, j).

    With `batch_dims` the first axes of both run in step. IndexOutOfRangeError for an index that is
    negative or too large.

    >>> import treadle as tl
    >>> tl.gather_nd([[1, 2], [3, 4]], [[0, 0], [1, 1]]).numpy()
    array([1, 4], dtype=int32)
    """
    x = params if isinstance(params, Tensor) else convert(params)
    index = indices if isinstance(indices, Tensor) else convert(indices)
    result: Tensor = apply(_gather_nd, (x, _with_batch(index, batch_dims)))
    return result


def _with_batch(index: Tensor, batch_dims: int) -> Tensor:
    """The indices with the numbers of the batch put in front of each row."""
    if not batch_dims:
        return index
    rank = index.spec.shape.rank
    if rank is None or batch_dims >= rank:
        raise InvalidArgumentError(f"batch_dims {batch_dims} needs indices of a higher rank")
    sizes = shape_of(index)
    outer = concat([sizes[:-1], [1]], 0)
    columns = []
    for axis in range(batch_dims):
        spread = [1] * rank
        spread[axis] = -1
        numbers = cast(range_(sizes[axis]), index.dtype)
        columns.append(broadcast_to(reshape(numbers, spread), outer))
    return concat([*columns, index], -1)


def _scatter_nd_infer(
    indices: TensorSpec, updates: TensorSpec, *dims: TensorSpec, shape: TensorShape
) -> TensorSpec:
    require_index_dtype(indices)
    _require_updates(shape, indices.shape, updates.shape)
    return TensorSpec(shape, updates.dtype)


def _require_updates(shape: TensorShape, places: TensorShape, updates: TensorShape) -> None:
    if places.rank == 0:
        raise ShapeError("indices need at least one axis")
    if shape.rank is None or places.rank is None or places[-1] is None:
        return
    if places[-1] > len(shape):
        raise ShapeError(f"indices of {places[-1]} numbers select from {len(shape)} axes")
    wanted = places[:-1] + shape[places[-1] :]
    if not wanted.is_compatible_with(updates):
        raise ShapeError(f"the updates have shape {updates}, {wanted} is needed")


def _scatter_nd_eval(
    xp: Any, indices: Array, updates: Array, *dims: Array, shape: TensorShape
) -> Array:
    out = xp.zeros(run_time_dims(dims, shape), updates.dtype)
    key = _nd_key(indices, out.shape)
    _require_run_time_updates(out, indices, updates)
    if len(key) == 1:
        flat = updates.reshape((key[0].size, *out.shape[1:]))
        add_rows(out, key[0].reshape(-1), flat)
    elif key:
        np.add.at(out, key, updates)
    else:
        out += updates.reshape((-1, *out.shape)).sum(0, dtype=out.dtype)
    return out  # type: ignore[no-any-return]


def _require_run_time_updates(out: Array, indices: Array, updates: Array) -> None:
    wanted = indices.shape[:-1] + out.shape[indices.shape[-1] :]
    if updates.shape != wanted:
        raise ShapeError(f"the updates have shape {updates.shape}, {wanted} is needed")


_scatter_nd: Op = primitive(
    "scatter_nd",
    _scatter_nd_infer,
    _scatter_nd_eval,
    lambda g, out, indices, updates, *dims, shape: (
        None,
        lambda: gather_nd(g, indices),
        *[None for _ in dims],
    ),
    linear=(1,),
    checks=lambda indices, updates, *dims, shape: (
        _nd_may_fail(indices, shape) or not updates.spec.shape.is_fully_defined()
    ),
)


def _scatter_like(indices: Tensor, updates: Tensor, like: Tensor) -> Tensor:
    known = like.spec.shape
    dims = () if known.is_fully_defined() else (shape_of(like),)
    result: Tensor = apply(_scatter_nd, (indices, updates, *dims), {"shape": known})
    return result


def scatter_nd(indices: Any, updates: Any, shape: Any, name: str | None = None) -> Tensor:
    """Zeros of `shape` with each of `updates` added at the place that a row of `indices` names.

    >>> import treadle as tl
    >>> tl.scatter_nd([[1], [3], [1]], [9, 10, 1], [5]).numpy()
    array([ 0, 10,  0, 10,  0], dtype=int32)
    """
    static, dims = dims_argument(shape)
    inputs = (convert(indices), convert(updates), *dims)
    result: Tensor = apply(_scatter_nd, inputs, {"shape": static})
    return result


# --- a tensor with some items changed ----------------------------------------------

_MODES = {
    "add": np.add,
    "sub": np.subtract,
    "max": np.maximum,
    "min": np.minimum,
}


def _put_infer(x: TensorSpec, indices: TensorSpec, updates: TensorSpec, *, mode: str) -> TensorSpec:
    require_index_dtype(indices)
    if updates.dtype is not x.dtype:
        raise DTypeError(
            f"the tensor has dtype {x.dtype.name}, the updates {updates.dtype.name}; use tl.cast"
        )
    _require_updates(x.shape, indices.shape, updates.shape)
    return TensorSpec(x.shape, x.dtype)


def _put_eval(xp: Any, x: Array, indices: Array, updates: Array, *, mode: str) -> Array:
    out = xp.array(x)
    key = _nd_key(indices, out.shape)
    _require_run_time_updates(out, indices, updates)
    if mode == "update":
        out[key or ...] = updates
    else:
        _MODES[mode].at(out, key or (...,), updates)  # type: ignore[arg-type]
    return out  # type: ignore[no-any-return]


def _put_vjp(
    g: Tensor, out: Tensor, x: Tensor, indices: Tensor, updates: Tensor, *, mode: str
) -> Any:
    if mode == "update":
        zeros = zeros_like(updates, g.dtype)
        return (
            lambda: apply(_put, (g, indices, zeros), {"mode": "update"}),
            None,
            lambda: gather_nd(g, indices),
        )
    if mode in ("add", "sub"):
        sign = 1 if mode == "add" else -1
        return (g, None, lambda: gather_nd(g, indices) * sign)

    def shares() -> tuple[Tensor, Tensor, Tensor]:
        """Where x and where each update is the result, and g divided among all that are."""
        kept = cast(equal(x, out), g.dtype)
        given = cast(equal(updates, gather_nd(out, indices)), g.dtype)
        count = kept + _scatter_like(indices, given, x)
        return kept, given, g / where(equal(count, 0), 1, count)

    def for_x() -> Tensor:
        kept, _, share = shares()
        return share * kept

    def for_updates() -> Tensor:
        _, given, share = shares()
        return gather_nd(share, indices) * given

    return for_x, None, for_updates


def _put_jvp(
    ts: Any, out: Tensor, x: Tensor, indices: Tensor, updates: Tensor, *, mode: str
) -> Any:
    if mode in ("max", "min"):
        return NotImplemented  # where several are the largest, they share: see _put_vjp
    tx, _, tu = ts
    into = zeros_like(x) if tx is None else tx
    return apply(_put, (into, indices, zeros_like(updates) if tu is None else tu), {"mode": mode})


_put: Op = primitive(
    "tensor_scatter",
    _put_infer,
    _put_eval,
    _put_vjp,
    jvp=_put_jvp,
    checks=lambda x, indices, updates, mode: (
        _nd_may_fail(indices, x.spec.shape) or not updates.spec.shape.is_fully_defined()
    ),
)


def _put_function(mode: str, what: str, example: str) -> Any:
    def function(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        x = tensor if isinstance(tensor, Tensor) else convert(tensor)
        inputs = (x, convert(indices), convert(updates, hint=x.dtype))
        result: Tensor = apply(_put, inputs, {"mode": mode})
        return result

    public = f"tensor_scatter_nd_{mode}"
    function.__name__ = function.__qualname__ = public
    function.__doc__ = f"""`tensor` with {what} the places that the rows of `indices` name.

    IndexOutOfRangeError for an index that is negative or too large.

    >>> import treadle as tl
    >>> tl.{public}([1, 2, 3, 4], [[1], [3]], [9, 1]).numpy()
    array({example}, dtype=int32)
    """
    return function


tensor_scatter_nd_update = _put_function("update", "`updates` in", "[1, 9, 3, 1]")
tensor_scatter_nd_add = _put_function("add", "`updates` added at", "[ 1, 11,  3,  5]")
tensor_scatter_nd_sub = _put_function("sub", "`updates` subtracted at", "[ 1, -7,  3,  3]")
tensor_scatter_nd_max = _put_function("max", "the larger of item and update in", "[1, 9, 3, 4]")
tensor_scatter_nd_min = _put_function("min", "the smaller of item and update in", "[1, 2, 3, 1]")


# --- of a batch of examples ----------------------------------------------------------


@batches(_gather_nd)
def _batched_gather_nd(batch: Any, flags: Any, params: Tensor, indices: Tensor) -> Any:
    if not flags[0]:
        return apply(_gather_nd, (params, indices))
    return apply(_gather_nd, (params, _own(batch, flags[1], indices)))


def _own(batch: Any, flag: bool, indices: Tensor) -> Any:
    """Indices with the number of the example in front."""
    return _with_batch(batch.full(indices, flag), 1)


@batches(_scatter_nd)
def _batched_scatter_nd(
    batch: Any, flags: Any, indices: Tensor, updates: Tensor, *dims: Tensor, shape: TensorShape
) -> Any:
    if any(flags[2:]):
        inputs = (indices, updates, *dims)
        return batch.each(_scatter_nd, flags, inputs, {"shape": shape})
    static, sizes = batch.dims(shape, dims)
    places = _own(batch, flags[0], indices)
    given = (places, batch.full(updates, flags[1]), *sizes)
    return apply(_scatter_nd, given, {"shape": static})


@batches(_put)
def _batched_put(
    batch: Any, flags: Any, x: Tensor, indices: Tensor, updates: Tensor, *, mode: str
) -> Any:
    places = _own(batch, flags[1], indices)
    given = (batch.full(x, flags[0]), places, batch.full(updates, flags[2]))
    return apply(_put, given, {"mode": mode})
