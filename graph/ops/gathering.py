"""Ops that take items by index, and put them back: gather, scatter and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..errors import DTypeError, IndexOutOfRangeError, InvalidArgumentError, OpError, ShapeError
from ..node import Tensor
from ..op import Op
from ..spec import UNKNOWN, TensorShape, TensorSpec
from .casting import cast
from .comparison import equal, where
from .define import constant_of, primitive
from .dims import constant_int, dims_argument, normal_axis, refuse, run_time_dims
from .filling import zeros_like
from .joining import concat
from .queries import shape as shape_of
from .reshaping import broadcast_to, reshape
from .sequences import range_


def require_index_dtype(spec: TensorSpec, what: str = "indices") -> None:
    if not spec.dtype.is_integer:
        raise DTypeError(f"{what} are integers, not {spec.dtype.name}")


def _require_range(indices: Array, size: int, axis: int) -> None:
    if indices.size:
        low, high = int(indices.min()), int(indices.max())
        if low < 0 or high >= size:
            bad = low if low < 0 else high
            raise IndexOutOfRangeError(
                f"index {bad} is out of range for axis {axis} of size {size}"
            )


# --- gather ------------------------------------------------------------------------


def _gather_infer(
    params: TensorSpec, indices: TensorSpec, *, axis: int = 0, batch_dims: int = 0
) -> TensorSpec:
    require_index_dtype(indices)
    old, places = params.shape, indices.shape
    if old.rank == 0:
        raise ShapeError("a scalar has no axis to gather from")
    if old.rank is None or places.rank is None:
        return TensorSpec(UNKNOWN, params.dtype)
    axis = normal_axis(axis, len(old))
    if not batch_dims <= min(axis, len(places)):
        raise InvalidArgumentError(
            f"batch_dims {batch_dims} must not exceed axis {axis} or the rank of the indices"
        )
    if not places[:batch_dims].is_compatible_with(old[:batch_dims]):
        raise ShapeError(f"the first {batch_dims} sizes of {old} and {places} differ")
    batch = places[:batch_dims].merge_with(old[:batch_dims])
    rest = (*old[batch_dims:axis], *places[batch_dims:], *old[axis + 1 :])
    return TensorSpec((*batch, *rest), params.dtype)


def _batched(indices: Array, shape: tuple[int, ...], axis: int, batch_dims: int) -> Any:
    """Indices for NumPy: one array for each axis up to `axis`."""
    inner = indices.shape[batch_dims:]
    width = axis + len(inner)
    key = []
    for i in range(axis):
        spread = [1] * width
        spread[i] = shape[i]
        key.append(np.arange(shape[i]).reshape(spread))
    middle = (1,) * (axis - batch_dims)
    key.append(indices.reshape(indices.shape[:batch_dims] + middle + inner))
    return tuple(key)


def _gather_eval(
    xp: Any, params: Array, indices: Array, *, axis: int = 0, batch_dims: int = 0
) -> Array:
    axis %= params.ndim
    _require_range(indices, params.shape[axis], axis)
    if not batch_dims:
        return xp.take(params, indices, axis)  # type: ignore[no-any-return]
    if indices.shape[:batch_dims] != params.shape[:batch_dims]:
        raise ShapeError(
            f"the first {batch_dims} sizes of {params.shape} and {indices.shape} differ"
        )
    return params[_batched(indices, params.shape, axis, batch_dims)]  # type: ignore[no-any-return]


def _gather_may_fail(
    params: Tensor, indices: Tensor, *, axis: int = 0, batch_dims: int = 0
) -> bool:
    old, places = params.spec.shape, indices.spec.shape
    if old.rank is None or old[axis] is None:
        return True
    if batch_dims and not (places.rank and places[:batch_dims] == old[:batch_dims]):
        return True
    known = constant_of(indices)
    if known is None:
        return not _made_in_range(indices, old[axis])
    return bool(known.size and (known.min() < 0 or known.max() >= old[axis]))


def _made_in_range(indices: Tensor, size: int) -> bool:
    """True for the results of ops that give indices of an axis of this size."""
    node = getattr(indices, "node", None)
    if node is None or node.op.name not in ("argsort", "top_k"):
        return False
    source = node.inputs[0].spec.shape
    return bool(source.rank and source[node.attrs.get("axis", -1)] == size)


def _gather_vjp(
    g: Tensor, out: Tensor, params: Tensor, indices: Tensor, *, axis: int = 0, batch_dims: int = 0
) -> Any:
    def back() -> Tensor:
        known = params.spec.shape
        dims = () if known.is_fully_defined() else (shape_of(params),)
        attrs = {"shape": known, "axis": axis, "batch_dims": batch_dims}
        result: Tensor = apply(_gather_grad, (g, indices, *dims), attrs)
        return result

    return back, None


_gather: Op = primitive("gather", _gather_infer, _gather_eval, _gather_vjp, checks=_gather_may_fail)


def _gather_grad_eval(
    xp: Any,
    g: Array,
    indices: Array,
    *dims: Array,
    shape: TensorShape,
    axis: int = 0,
    batch_dims: int = 0,
) -> Array:
    target = run_time_dims(dims, shape)
    axis %= len(target)
    out = xp.zeros(target, g.dtype)
    if batch_dims:
        np.add.at(out, _batched(indices, target, axis, batch_dims), g)
        return out  # type: ignore[no-any-return]
    rows = g.reshape((*target[:axis], indices.size, *target[axis + 1 :]))
    add_rows(xp.moveaxis(out, axis, 0), indices.reshape(-1), xp.moveaxis(rows, axis, 0))
    return out  # type: ignore[no-any-return]


def add_rows(out: Array, indices: Array, rows: Array) -> None:
    """out[indices[i]] += rows[i], for each i, in place."""
    if rows.ndim == 1 or not indices.size or rows.size < 8 * indices.size:
        np.add.at(out, indices, rows)
        return
    # Rows of one index are brought together and summed as a block: much quicker than `add.at`.
    order = np.argsort(indices, kind="stable")
    places = indices[order]
    starts = np.flatnonzero(np.r_[True, places[1:] != places[:-1]])
    out[places[starts]] += np.add.reduceat(rows[order], starts, axis=0)


def _gather_grad_vjp(
    h: Tensor,
    out: Tensor,
    g: Tensor,
    indices: Tensor,
    *dims: Tensor,
    shape: TensorShape,
    axis: int = 0,
    batch_dims: int = 0,
) -> Any:
    attrs = {"axis": axis, "batch_dims": batch_dims}
    return (lambda: apply(_gather, (h, indices), attrs), None, *[None for _ in dims])


_gather_grad: Op = primitive(
    "gather_grad",
    lambda g, indices, *dims, shape, axis=0, batch_dims=0: TensorSpec(shape, g.dtype),
    _gather_grad_eval,
    _gather_grad_vjp,
)


def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: int = 0,
    name: str | None = None,
) -> Tensor:
    """The slices of `params` along `axis` (0, or `batch_dims`, by default) that `indices` names.

    With `batch_dims` the first axes of both run in step. IndexOutOfRangeError for an index that is
    negative or too large.

    >>> import treadle as tl
    >>> tl.gather([[1, 2], [3, 4], [5, 6]], [2, 0]).numpy()
    array([[5, 6],
           [1, 2]], dtype=int32)
    >>> tl.gather([[1, 2], [3, 4]], [[1], [0]], batch_dims=1).numpy()
    array([[2],
           [3]], dtype=int32)
    """
    x = params if isinstance(params, Tensor) else convert(params)
    index = indices if isinstance(indices, Tensor) else _index_tensor(indices)
    places = index.spec.shape.rank
    if batch_dims < 0:
        if places is None:
            raise InvalidArgumentError("a negative batch_dims needs a known rank of the indices")
        batch_dims += places
    along = batch_dims if axis is None else constant_int(axis, "axis")
    try:
        along = normal_axis(along, x.spec.shape.rank)
        known = constant_of(index) if index.dtype.is_integer else None
        size = x.spec.shape[along] if x.spec.shape.rank else None
        if known is not None and size is not None:
            _require_range(known, size, along)
    except OpError as error:
        raise refuse(error, _gather, x, index) from None
    attrs: dict[str, Any] = {"axis": along}
    if batch_dims:
        attrs["batch_dims"] = batch_dims
    result: Tensor = apply(_gather, (x, index), attrs)
    return result


def _index_tensor(indices: Any) -> Tensor:
    empty = isinstance(indices, (list, tuple)) and np.size(indices) == 0
    return convert(np.zeros(np.shape(indices), np.int32) if empty else indices)


def take_along_axis(x: Tensor, indices: Tensor) -> Tensor:
    """`x[..., indices[..., i]]` for each i of the last axis: what undoes or redoes a sort."""
    rank = x.spec.shape.rank
    if rank is None:
        raise InvalidArgumentError("the rank must be known while tracing")
    result: Tensor = apply(_gather, (x, indices), {"axis": rank - 1, "batch_dims": rank - 1})
    return result


def gather_rows_back(g: Tensor, indices: Tensor, like: Tensor) -> Tensor:
    """The adjoint of `take_along_axis`: zeros in the shape of `like` with g added at `indices`."""
    known = like.spec.shape
    if known.rank is None:
        raise InvalidArgumentError("the rank must be known while tracing")
    dims = () if known.is_fully_defined() else (shape_of(like),)
    attrs = {"shape": known, "axis": len(known) - 1, "batch_dims": len(known) - 1}
    result: Tensor = apply(_gather_grad, (g, indices, *dims), attrs)
    return result


# --- gather_nd and scatter_nd ------------------------------------------------------


def _nd_key(indices: Array, shape: tuple[int, ...]) -> tuple[Array, ...]:
    """The last axis of `indices`, as one array for each axis that it indexes; all in range."""
    depth = indices.shape[-1]
    if depth > len(shape):
        raise ShapeError(f"indices of {depth} numbers select from {len(shape)} axes")
    key = tuple(np.moveaxis(indices, -1, 0))
    for axis, places in enumerate(key):
        _require_range(places, shape[axis], axis)
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


_put: Op = primitive(
    "tensor_scatter",
    _put_infer,
    _put_eval,
    _put_vjp,
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
