"""Gather: items by their place along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..errors import DTypeError, IndexOutOfRangeError, InvalidArgumentError, OpError, ShapeError
from ..node import Tensor
from ..op import Op, batches
from ..spec import UNKNOWN, TensorShape, TensorSpec
from .define import constant_of, primitive
from .dims import constant_int, normal_axis, refuse, run_time_dims
from .queries import shape as shape_of


def require_index_dtype(spec: TensorSpec, what: str = "indices") -> None:
    if not spec.dtype.is_integer:
        raise DTypeError(f"{what} are integers, not {spec.dtype.name}")


def require_range(indices: Array, size: int, axis: int) -> None:
    if indices.size:
        low, high = int(indices.min()), int(indices.max())
        if low < 0 or high >= size:
            bad = low if low < 0 else high
            raise IndexOutOfRangeError(
                f"index {bad} is out of range for axis {axis} of size {size}"
            )


def _gather_infer(
    params: TensorSpec,
    indices: TensorSpec,
    *,
    axis: int = 0,
    batch_dims: int = 0,
    in_range: bool = False,
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
    xp: Any,
    params: Array,
    indices: Array,
    *,
    axis: int = 0,
    batch_dims: int = 0,
    in_range: bool = False,
) -> Array:
    axis %= params.ndim
    if in_range and batch_dims:
        indices = xp.clip(indices, 0, params.shape[axis] - 1)
        return params[_batched(indices, params.shape, axis, batch_dims)]  # type: ignore[no-any-return]
    if in_range:
        if not params.shape[axis]:  # nothing is there, and nothing will be read
            shape = (*params.shape[:axis], *indices.shape, *params.shape[axis + 1 :])
            return xp.zeros(shape, params.dtype)  # type: ignore[no-any-return]
        return xp.take(params, indices, axis, mode="clip")  # type: ignore[no-any-return]
    require_range(indices, params.shape[axis], axis)
    if not batch_dims:
        return xp.take(params, indices, axis)  # type: ignore[no-any-return]
    if indices.shape[:batch_dims] != params.shape[:batch_dims]:
        raise ShapeError(
            f"the first {batch_dims} sizes of {params.shape} and {indices.shape} differ"
        )
    return params[_batched(indices, params.shape, axis, batch_dims)]  # type: ignore[no-any-return]


def _gather_may_fail(
    params: Tensor,
    indices: Tensor,
    *,
    axis: int = 0,
    batch_dims: int = 0,
    in_range: bool = False,
) -> bool:
    if in_range:
        return False
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
    g: Tensor,
    out: Tensor,
    params: Tensor,
    indices: Tensor,
    *,
    axis: int = 0,
    batch_dims: int = 0,
    in_range: bool = False,
) -> Any:
    def back() -> Tensor:
        known = params.spec.shape
        dims = () if known.is_fully_defined() else (shape_of(params),)
        attrs = {"shape": known, "axis": axis, "batch_dims": batch_dims}
        result: Tensor = apply(_gather_grad, (g, indices, *dims), attrs)
        return result

    return back, None


def _gather_jvp(ts: Any, out: Tensor, params: Tensor, indices: Tensor, **attrs: Any) -> Tensor:
    if not attrs.get("batch_dims"):
        attrs["in_range"] = True  # or there would be no result
    result: Tensor = apply(_gather, (ts[0], indices), attrs)
    return result


_gather: Op = primitive(
    "gather", _gather_infer, _gather_eval, _gather_vjp, jvp=_gather_jvp, checks=_gather_may_fail
)


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
    linear=(0,),
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
            require_range(known, size, along)
    except OpError as error:
        raise refuse(error, _gather, x, index) from None
    attrs: dict[str, Any] = {"axis": along}
    if batch_dims:
        attrs["batch_dims"] = batch_dims
    result: Tensor = apply(_gather, (x, index), attrs)
    return result


def gather_known(params: Any, index: Tensor) -> Tensor:
    """`gather` for an index that is known to be in range: nothing is checked."""
    x = params if isinstance(params, Tensor) else convert(params)
    result: Tensor = apply(_gather, (x, index), {"axis": 0, "in_range": True})
    return result


def _index_tensor(indices: Any) -> Tensor:
    """Lists of indices as a tensor; an empty list would be one of floats else."""
    return convert(np.zeros(np.shape(indices), np.int32) if _is_empty(indices) else indices)


def _is_empty(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_empty, value))


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


# --- of a batch of examples ----------------------------------------------------------


@batches(_gather)
def _batched_gather(
    batch: Any,
    flags: Any,
    params: Tensor,
    indices: Tensor,
    *,
    axis: int = 0,
    batch_dims: int = 0,
    in_range: bool = False,
) -> Any:
    more: dict[str, Any] = {"in_range": True} if in_range else {}
    rank = params.spec.shape.rank
    if not flags[0] and not batch_dims and (rank is not None or axis == 0):
        place = axis if axis >= 0 else axis + (rank or 0)
        found: Tensor = apply(_gather, (params, indices), {"axis": place, **more})
        return found if place == 0 else batch.to_front(found, place)
    attrs: dict[str, Any] = {"axis": batch.axis(axis), **more}
    if flags[1] or batch_dims:
        params, indices = batch.fulls((params, indices), flags)
        attrs["batch_dims"] = batch_dims + 1
    return apply(_gather, (params, indices), attrs)


@batches(_gather_grad)
def _batched_gather_grad(
    batch: Any,
    flags: Any,
    g: Tensor,
    indices: Tensor,
    *dims: Tensor,
    shape: TensorShape,
    axis: int = 0,
    batch_dims: int = 0,
) -> Any:
    if any(flags[2:]):
        attrs: dict[str, Any] = {"shape": shape, "axis": axis, "batch_dims": batch_dims}
        return batch.each(_gather_grad, flags, (g, indices, *dims), attrs)
    static, sizes = batch.dims(shape, dims)
    attrs = {"shape": static, "axis": batch.axis(axis)}
    if flags[1] or batch_dims:
        g, indices = batch.fulls((g, indices), flags[:2])
        attrs["batch_dims"] = batch_dims + 1
    return apply(_gather_grad, (g, indices, *sizes), attrs)
