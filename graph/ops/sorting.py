"""Order: sort, argsort, top_k, and searches in what is sorted."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import DType, as_dtype, bool_, int32
from ..errors import DTypeError, InvalidArgumentError, ShapeError
from ..node import Tensor
from ..op import OPS, Op, batches, no_gradient
from ..spec import Dim, TensorShape, TensorSpec
from .axes import transpose
from .casting import cast
from .define import batches_along_axis, batches_as_they_are, primitive, same_dtype
from .dims import constant_int, normal_axis, partial_value
from .gathering import gather_rows_back, take_along_axis
from .reshaping import reshape_like

# --- sort and argsort --------------------------------------------------------------


def _sort_infer(x: TensorSpec, *, axis: int = -1, descending: bool = False) -> TensorSpec:
    _require_order(x)
    if x.shape.rank == 0:
        raise ShapeError("a scalar can't be sorted")
    normal_axis(axis, x.shape.rank)
    return TensorSpec(x.shape, x.dtype)


def _require_order(x: TensorSpec) -> None:
    if x.dtype.is_complex or x.dtype.is_bool:
        raise DTypeError(f"items of dtype {x.dtype.name} have no order")


def _descending_order(xp: Any, x: Array, axis: int) -> Array:
    """Places from the largest item on; equal items stay in order."""
    size = x.shape[axis]
    return size - 1 - xp.flip(xp.argsort(xp.flip(x, axis), axis, kind="stable"), axis)  # type: ignore[no-any-return]


def _sort_eval(xp: Any, x: Array, *, axis: int = -1, descending: bool = False) -> Array:
    ordered = xp.sort(x, axis)
    if not descending:
        return ordered  # type: ignore[no-any-return]
    ordered = xp.flip(ordered, axis)
    if x.dtype.kind == "f" and xp.isnan(x).any():  # NaN is last in both directions
        return xp.take_along_axis(x, _argsort_eval(xp, x, axis=axis, descending=True), axis)  # type: ignore[no-any-return]
    return ordered  # type: ignore[no-any-return]


def _sort_vjp(
    g: Tensor, out: Tensor, x: Tensor, *, axis: int = -1, descending: bool = False
) -> Any:
    def back() -> Tensor:
        order = apply(_argsort, (x,), {"axis": axis, "descending": descending})
        return _put_back(g, order, axis)

    return (back,)


def _put_back(g: Tensor, order: Tensor, axis: int) -> Tensor:
    """What is in place i goes to place order[i] along the axis."""
    inverse = apply(_argsort, (order,), {"axis": axis, "descending": False})
    return _along(g, inverse, axis)


def _along(x: Tensor, places: Tensor, axis: int) -> Tensor:
    rank = x.spec.shape.rank
    if rank is None:
        raise InvalidArgumentError("the rank must be known while tracing")
    axis %= rank
    if axis == rank - 1:
        return take_along_axis(x, places)
    swap = list(range(rank))
    swap[axis], swap[-1] = rank - 1, axis
    return transpose(take_along_axis(transpose(x, swap), transpose(places, swap)), swap)


def _sort_jvp(
    ts: Any, out: Tensor, x: Tensor, *, axis: int = -1, descending: bool = False
) -> Tensor:
    return _along(ts[0], apply(_argsort, (x,), {"axis": axis, "descending": descending}), axis)


_sort: Op = primitive("sort", _sort_infer, _sort_eval, _sort_vjp, jvp=_sort_jvp)


def _argsort_infer(x: TensorSpec, *, axis: int = -1, descending: bool = False) -> TensorSpec:
    return TensorSpec(_sort_infer(x, axis=axis).shape, int32)


def _argsort_eval(xp: Any, x: Array, *, axis: int = -1, descending: bool = False) -> Array:
    if not descending:
        return xp.argsort(x, axis, kind="stable").astype(np.int32)  # type: ignore[no-any-return]
    if x.dtype.kind == "f" and xp.isnan(x).any():
        # By key: NaN last, then from the largest on.
        hidden = xp.isnan(x)
        order = _descending_order(xp, xp.where(hidden, -np.inf, x), axis)
        late = xp.take_along_axis(hidden, order, axis)
        order = xp.take_along_axis(order, xp.argsort(late, axis, kind="stable"), axis)
        return order.astype(np.int32)  # type: ignore[no-any-return]
    return _descending_order(xp, x, axis).astype(np.int32)


_argsort: Op = primitive("argsort", _argsort_infer, _argsort_eval, no_gradient)


def _direction(direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise InvalidArgumentError(
            f"direction must be ASCENDING or DESCENDING, it is {direction!r}"
        )
    return direction == "DESCENDING"


def sort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None
) -> Tensor:
    """`values` in order along `axis`; NaN comes last.

    >>> import treadle as tl
    >>> tl.sort([3, 1, 2], direction="DESCENDING").numpy()
    array([3, 2, 1], dtype=int32)
    """
    x = values if isinstance(values, Tensor) else convert(values)
    attrs = {"axis": constant_int(axis, "axis"), "descending": _direction(direction)}
    result: Tensor = apply(_sort, (x,), attrs)
    return result


def argsort(
    values: Any,
    axis: Any = -1,
    direction: str = "ASCENDING",
    stable: bool = True,
    name: str | None = None,
) -> Tensor:
    """The places (int32) of the items of `values` in order along `axis`; always stable.

    >>> import treadle as tl
    >>> tl.argsort([3, 1, 2]).numpy()
    array([1, 2, 0], dtype=int32)
    """
    x = values if isinstance(values, Tensor) else convert(values)
    attrs = {"axis": constant_int(axis, "axis"), "descending": _direction(direction)}
    result: Tensor = apply(_argsort, (x,), attrs)
    return result


# --- top_k -------------------------------------------------------------------------


class TopK(NamedTuple):
    """The largest items and their places."""

    values: Tensor
    indices: Tensor


def _top_k_infer(
    x: TensorSpec, *dynamic: TensorSpec, k: int | None
) -> tuple[TensorSpec, TensorSpec]:
    _require_order(x)
    if x.shape.rank == 0:
        raise ShapeError("a scalar has no largest items")
    if x.shape.rank is None:
        return TensorSpec(None, x.dtype), TensorSpec(None, int32)
    last = x.shape[-1]
    if k is not None:
        _require_k(k, last)
    dims: list[Dim] = [*x.shape[:-1], k]
    return TensorSpec(dims, x.dtype), TensorSpec(dims, int32)


def _require_k(k: int, last: Dim) -> None:
    if k < 0 or (last is not None and k > last):
        raise InvalidArgumentError(f"k is {k}, the last axis has {last} items")


def _top_k_eval(xp: Any, x: Array, *dynamic: Array, k: int | None) -> tuple[Array, Array]:
    count = int(dynamic[0]) if k is None else k
    _require_k(count, x.shape[-1])
    order = _argsort_eval(xp, x, axis=-1, descending=True)[..., :count]
    return xp.take_along_axis(x, order, -1), order


def _top_k_vjp(gs: Any, outs: Any, x: Tensor, *dynamic: Tensor, k: int | None) -> Any:
    back = None if gs[0] is None else lambda: gather_rows_back(gs[0], outs[1], x)
    return (back, *[None for _ in dynamic])


_top_k: Op = primitive(
    "top_k",
    _top_k_infer,
    _top_k_eval,
    _top_k_vjp,
    jvp=lambda ts, outs, x, *dynamic, k: [take_along_axis(ts[0], outs[1]), None],
    multiple=True,
    checks=lambda x, *dynamic, k: k is None or not x.spec.shape.rank or x.spec.shape[-1] is None,
)


def top_k(
    input: Any,
    k: Any = 1,
    sorted: bool = True,
    index_type: Any = int32,
    name: str | None = None,
) -> TopK:
    """The `k` largest items of the last axis and their places, from the largest on.

    Of equal items the one of the lowest place comes first. `sorted=False` is allowed and changes
    nothing.

    >>> import treadle as tl
    >>> values, indices = tl.math.top_k([1, 3, 3, 2], k=2)
    >>> values.numpy(), indices.numpy()
    (array([3, 3], dtype=int32), array([1, 2], dtype=int32))
    """
    x = input if isinstance(input, Tensor) else convert(input)
    known = np.asarray(k) if isinstance(k, int) else partial_value(k)
    count = None if known is None or known.dtype == object else int(known)
    inputs = (x,) if count is not None else (x, convert(k))
    values, indices = apply(_top_k, inputs, {"k": count})
    wanted = as_dtype(index_type)
    return TopK(values, indices if wanted is int32 else cast(indices, wanted))


def _in_top_k_infer(targets: TensorSpec, predictions: TensorSpec, k: TensorSpec) -> TensorSpec:
    if not targets.dtype.is_integer or not predictions.dtype.is_floating:
        raise DTypeError(f"targets are integers and predictions floating, not {targets}")
    if predictions.shape.rank not in (2, None) or targets.shape.rank not in (1, None):
        raise ShapeError("targets have shape (batch,), predictions (batch, classes)")
    return TensorSpec(TensorShape([None]).merge_with(targets.shape), bool_)


def _in_top_k_eval(xp: Any, targets: Array, predictions: Array, k: Array) -> Array:
    count, classes = predictions.shape
    if targets.shape != (count,):
        raise ShapeError(f"there are {targets.shape} targets for {count} rows of predictions")
    inside = (targets >= 0) & (targets < classes)
    own = predictions[xp.arange(count), xp.where(inside, targets, 0)]
    better = (predictions > own[:, None]).sum(1)
    return inside & xp.isfinite(own) & (better < int(k))  # type: ignore[no-any-return]


_in_top_k: Op = primitive(
    "in_top_k", _in_top_k_infer, _in_top_k_eval, no_gradient, checks=lambda *v: True
)


def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """For each row: whether the prediction for its target is among the `k` largest.

    Ties at the boundary count as being in.

    >>> import treadle as tl
    >>> tl.math.in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], k=1).numpy()
    array([ True, False])
    """
    inputs = (convert(targets), convert(predictions), convert(k))
    result: Tensor = apply(_in_top_k, inputs)
    return result


# --- search ------------------------------------------------------------------------


def _search_infer(
    rows: TensorSpec, values: TensorSpec, *, side: str, out_type: DType
) -> TensorSpec:
    same_dtype(rows, values)
    _require_order(rows)
    a, b = rows.shape, values.shape
    if a.rank is None or b.rank is None:
        return TensorSpec(b, out_type)
    if a.rank == 0 or a.rank != b.rank or not a[:-1].is_compatible_with(b[:-1]):
        raise ShapeError(f"the shapes {a} and {b} differ before the last axis")
    return TensorSpec(b, out_type)


def _search_eval(xp: Any, rows: Array, values: Array, *, side: str, out_type: DType) -> Array:
    if rows.ndim == 1:
        return xp.searchsorted(rows, values, side).astype(out_type.numpy)  # type: ignore[no-any-return]
    if rows.shape[:-1] != values.shape[:-1]:
        raise ShapeError(f"the shapes {rows.shape} and {values.shape} differ before the last axis")
    flat = rows.reshape(-1, rows.shape[-1])
    wanted = values.reshape(-1, values.shape[-1])
    found = [xp.searchsorted(r, v, side) for r, v in zip(flat, wanted, strict=True)]
    return xp.asarray(found, out_type.numpy).reshape(values.shape)  # type: ignore[no-any-return]


_search: Op = primitive(
    "searchsorted",
    _search_infer,
    _search_eval,
    no_gradient,
    checks=lambda rows, values, **_: (
        rows.spec.shape.rank != 1 and not rows.spec.shape.is_fully_defined()
    ),
)


def searchsorted(
    sorted_sequence: Any,
    values: Any,
    side: str = "left",
    out_type: Any = int32,
    name: str | None = None,
) -> Tensor:
    """Where each value has to be inserted to keep the last axis of `sorted_sequence` in order.

    Before equal items (side "left") or after them ("right"). Other axes run in step.

    >>> import treadle as tl
    >>> tl.searchsorted([1, 3, 5], [0, 3, 6]).numpy()
    array([0, 1, 3], dtype=int32)
    """
    if side not in ("left", "right"):
        raise InvalidArgumentError(f"side must be 'left' or 'right', it is {side!r}")
    rows = convert(sorted_sequence)
    wanted = convert(values, hint=rows.dtype)
    attrs = {"side": side, "out_type": as_dtype(out_type)}
    result: Tensor = apply(_search, (rows, wanted), attrs)
    return result


# --- of a batch of examples ----------------------------------------------------------

batches_along_axis(_sort, _argsort)
batches_as_they_are(_top_k)


@batches(_in_top_k)
def _batched_in_top_k(
    batch: Any, flags: Any, targets: Tensor, predictions: Tensor, k: Tensor
) -> Any:
    inputs = (targets, predictions, k)
    shape = predictions.spec.shape
    if flags[2] or shape.rank is None or shape[-1] is None:
        return batch.each(_in_top_k, flags, inputs, {})
    t, p = batch.fulls((targets, predictions), flags[:2])
    wide = reshape_safely(p, TensorShape([None, shape[-1]]))
    found = apply(_in_top_k, (reshape_safely(t, TensorShape([None])), wide, k))
    return reshape_like(found, t)


def reshape_safely(x: Tensor, shape: TensorShape) -> Any:
    return apply(OPS["reshape"], (x,), {"shape": shape})


@batches(_search)
def _batched_search(batch: Any, flags: Any, rows: Tensor, values: Tensor, **attrs: Any) -> Any:
    width, height = batch.rank(rows, flags[0]), batch.rank(values, flags[1])
    if not flags[0] and width == height == 1:
        flat = reshape_safely(values, TensorShape([None]))
        return reshape_like(apply(_search, (rows, flat), attrs), values)
    if width is None or width != height:
        return batch.each(_search, flags, (rows, values), attrs)
    return apply(_search, batch.fulls((rows, values), flags), attrs)
