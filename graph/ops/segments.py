"""Ops over items that belong together: unique, bincount, segment sums."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import DType, as_dtype, int32
from ..errors import DTypeError, IndexOutOfRangeError, InvalidArgumentError, ShapeError
from ..node import Tensor
from ..op import Op, batches, has_no_batches
from ..spec import UNKNOWN, Dim, TensorSpec
from .axes import expand_dims, transpose
from .casting import cast
from .comparison import where
from .define import constant_of, primitive
from .dims import constant_int, partial_value
from .division import maximum
from .filling import ones_like, zeros_like
from .gathering import add_rows, gather, require_index_dtype
from .queries import shape as shape_of
from .reshaping import reshape

# --- unique ------------------------------------------------------------------------


class Unique(NamedTuple):
    """The distinct items, and which of them each item is."""

    y: Tensor
    idx: Tensor


class UniqueWithCounts(NamedTuple):
    """The distinct items, which of them each item is, and how often each occurs."""

    y: Tensor
    idx: Tensor
    count: Tensor  # type: ignore[assignment]


def _unique_infer(x: TensorSpec, *, out_idx: DType) -> tuple[TensorSpec, ...]:
    if x.shape.rank not in (1, None):
        raise ShapeError(f"unique takes a vector, this has shape {x.shape}")
    size = x.shape[0] if x.shape.rank else None
    return TensorSpec((None,), x.dtype), TensorSpec((size,), out_idx), TensorSpec((None,), out_idx)


def _unique_eval(xp: Any, x: Array, *, out_idx: DType) -> tuple[Array, ...]:
    if x.dtype.kind == "O":  # strings
        places: dict[Any, int] = {}
        idx = np.array([places.setdefault(v, len(places)) for v in x.tolist()], out_idx.numpy)
        values = np.array([*places, None], object)[:-1]
        return values, idx, np.bincount(idx, minlength=len(places)).astype(out_idx.numpy)
    _, first, inverse, count = xp.unique(
        x, return_index=True, return_inverse=True, return_counts=True
    )
    order = xp.argsort(first)  # by first occurrence, where NumPy sorts by value
    rank = xp.empty_like(order)
    rank[order] = xp.arange(len(order))
    dtype = out_idx.numpy
    return x[first[order]], rank[inverse].astype(dtype), count[order].astype(dtype)


_unique: Op = primitive(
    "unique",
    _unique_infer,
    _unique_eval,
    lambda gs, outs, x, *, out_idx: (None,),
    multiple=True,
    checks=lambda x, *, out_idx: x.spec.shape.rank is None,
)


def unique(x: Any, out_idx: Any = int32, name: str | None = None) -> Unique:
    """The distinct items of a vector in order of first occurrence, and which each item is.

    >>> import treadle as tl
    >>> y, idx = tl.unique([5, 5, 2, 5])
    >>> y.numpy(), idx.numpy()
    (array([5, 2], dtype=int32), array([0, 0, 1, 0], dtype=int32))
    """
    y, idx, _ = apply(_unique, (convert(x),), {"out_idx": as_dtype(out_idx)})
    return Unique(y, idx)


def unique_with_counts(x: Any, out_idx: Any = int32, name: str | None = None) -> UniqueWithCounts:
    """`unique`, and how often each distinct item occurs.

    >>> import treadle as tl
    >>> tl.unique_with_counts([5, 5, 2, 5]).count.numpy()
    array([3, 1], dtype=int32)
    """
    return UniqueWithCounts(*apply(_unique, (convert(x),), {"out_idx": as_dtype(out_idx)}))


# --- bincount ----------------------------------------------------------------------


def _bincount_infer(
    x: TensorSpec, *weights: TensorSpec, minlength: int, maxlength: int | None, dtype: DType
) -> TensorSpec:
    require_index_dtype(x, "what bincount counts")
    if weights and not weights[0].shape.is_compatible_with(x.shape):
        raise ShapeError(f"the weights have shape {weights[0].shape}, the items {x.shape}")
    size = maxlength if maxlength is not None and minlength >= maxlength else None
    return TensorSpec((size,), weights[0].dtype if weights else dtype)


def _bincount_eval(
    xp: Any, x: Array, *weights: Array, minlength: int, maxlength: int | None, dtype: DType
) -> Array:
    flat = x.reshape(-1)
    if flat.size and flat.min() < 0:
        raise InvalidArgumentError(f"bincount takes items >= 0, there is {flat.min()}")
    size = max(int(flat.max()) + 1 if flat.size else 0, minlength)
    size = size if maxlength is None else min(size, maxlength)
    kept = flat < size
    if not weights:
        return xp.bincount(flat[kept], minlength=size)[:size].astype(dtype.numpy)  # type: ignore[no-any-return]
    out = xp.zeros(size, weights[0].dtype)
    np.add.at(out, flat[kept], weights[0].reshape(-1)[kept])
    return out  # type: ignore[no-any-return]


def _bincount_vjp(g: Tensor, out: Tensor, x: Tensor, *weights: Tensor, **attrs: Any) -> Any:
    return (None, *[lambda: _rows_or_zero(g, x) for _ in weights])


def _rows_or_zero(g: Tensor, ids: Tensor) -> Tensor:
    """g[ids], and zero for what is no row of g."""
    size = shape_of(g, ids.dtype if ids.dtype.name in ("int32", "int64") else int32)[0]
    inside = (ids >= 0) & (ids < size)
    rows = gather(g, where(inside, ids, 0))
    rank = rows.spec.shape.rank
    width = ids.spec.shape.rank
    if rank is None or width is None:
        raise InvalidArgumentError("the rank must be known while tracing")
    for _ in range(rank - width):
        inside = expand_dims(inside, -1)
    return where(inside, rows, zeros_like(rows))


_bincount: Op = primitive(
    "bincount",
    _bincount_infer,
    _bincount_eval,
    _bincount_vjp,
    linear=(1,),
    checks=lambda *values, **attrs: True,
)


def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = int32,
    name: str | None = None,
) -> Tensor:
    """How often each of 0, 1, 2, ... occurs in `arr`, or the sum of the weights where it does.

    The result is long enough for the largest item, at least `minlength` and at most `maxlength`.

    >>> import treadle as tl
    >>> tl.math.bincount([1, 1, 3]).numpy()
    array([0, 2, 0, 1], dtype=int32)
    """
    inputs = [convert(arr)] + ([] if weights is None else [convert(weights)])
    attrs = {
        "minlength": 0 if minlength is None else constant_int(minlength, "minlength"),
        "maxlength": None if maxlength is None else constant_int(maxlength, "maxlength"),
        "dtype": as_dtype(dtype),
    }
    result: Tensor = apply(_bincount, inputs, attrs)
    return result


# --- segment sums ------------------------------------------------------------------


def _segment_infer(
    data: TensorSpec, ids: TensorSpec, *count: TensorSpec, num: int | None, ordered: bool
) -> TensorSpec:
    require_index_dtype(ids, "segment ids")
    if ordered and ids.shape.rank not in (1, None):
        raise ShapeError(f"segment ids are a vector, they have shape {ids.shape}")
    if data.shape.rank is None or ids.shape.rank is None:
        return TensorSpec(UNKNOWN, data.dtype)
    front = data.shape[: len(ids.shape)]
    if not front.is_compatible_with(ids.shape):
        raise ShapeError(f"segment ids of shape {ids.shape} do not fit data of {data.shape}")
    dims: list[Dim] = [num, *data.shape[len(ids.shape) :]]
    return TensorSpec(dims, data.dtype)


def _segment_eval(
    xp: Any, data: Array, ids: Array, *count: Array, num: int | None, ordered: bool
) -> Array:
    flat = ids.reshape(-1)
    if data.shape[: ids.ndim] != ids.shape:
        raise ShapeError(f"segment ids of shape {ids.shape} do not fit data of {data.shape}")
    rows = data.reshape((flat.size, *data.shape[ids.ndim :]))
    if ordered:
        if flat.size and (flat[0] < 0 or (flat[1:] < flat[:-1]).any()):
            raise InvalidArgumentError("segment ids are not sorted, or negative")
        size = int(flat[-1]) + 1 if flat.size else 0
    else:
        size = int(count[0]) if num is None else num
        if flat.size and flat.max() >= size:
            raise IndexOutOfRangeError(f"segment id {flat.max()} is out of range for {size}")
        kept = flat >= 0
        if not kept.all():
            flat, rows = flat[kept], rows[kept]
    out = xp.zeros((size, *rows.shape[1:]), data.dtype)
    add_rows(out, flat, rows)
    return out  # type: ignore[no-any-return]


_segment_sum: Op = primitive(
    "segment_sum",
    _segment_infer,
    _segment_eval,
    lambda g, out, data, ids, *count, num, ordered: (
        lambda: gather(g, ids) if ordered else _rows_or_zero(g, ids),
        None,
        *[None for _ in count],
    ),
    linear=(0,),
    checks=lambda *values, **attrs: True,
)


def segment_sum(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Sums of the rows of `data` that have the same id; ids are sorted, one for each row.

    InvalidArgumentError where they are not sorted.

    >>> import treadle as tl
    >>> tl.math.segment_sum([1, 2, 3, 4], [0, 0, 1, 1]).numpy()
    array([3, 7], dtype=int32)
    """
    ids = convert(segment_ids)
    known = constant_of(ids) if ids.dtype.is_integer else None
    attrs: dict[str, Any] = {"num": None, "ordered": True}
    if known is not None and known.ndim == 1:
        attrs["num"] = int(known.max(initial=-1)) + 1
    result: Tensor = apply(_segment_sum, (convert(data), ids), attrs)
    return result


def unsorted_segment_sum(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """Sums of the items of `data` that have the same id; a negative id drops its item.

    The ids cover the first axes of `data`. IndexOutOfRangeError for an id >= `num_segments`.

    >>> import treadle as tl
    >>> tl.math.unsorted_segment_sum([1, 2, 3, 4], [1, 0, 1, -1], 3).numpy()
    array([2, 4, 0], dtype=int32)
    """
    known = partial_value(num_segments)
    num = None if known is None or known.dtype == object else int(known)
    inputs = [convert(data), convert(segment_ids)]
    if num is None:
        inputs.append(convert(num_segments))
    result: Tensor = apply(_segment_sum, inputs, {"num": num, "ordered": False})
    return result


def unsorted_segment_mean(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """Means of the items of `data` that have the same id; 0 for an id that none has.

    >>> import treadle as tl
    >>> tl.math.unsorted_segment_mean([1., 2., 5.], [0, 1, 0], 2).numpy()
    array([3., 2.], dtype=float32)
    """
    x, ids = convert(data), convert(segment_ids)
    if not x.dtype.is_differentiable:
        raise DTypeError(f"a mean needs a floating dtype, not {x.dtype.name}")
    total = unsorted_segment_sum(x, ids, num_segments)
    count = unsorted_segment_sum(ones_like(ids, x.dtype.real_dtype), ids, num_segments)
    rank, width = x.spec.shape.rank, ids.spec.shape.rank
    if rank is None or width is None:
        raise InvalidArgumentError("the rank must be known while tracing")
    return total / cast(reshape(maximum(count, 1), [-1, *[1] * (rank - width)]), x.dtype)


# --- of a batch of examples ----------------------------------------------------------

has_no_batches(
    "how many distinct items there are depends on the example; sort them, which keeps the size",
    _unique,
)


@batches(_bincount)
def _batched_bincount(
    batch: Any,
    flags: Any,
    *inputs: Tensor,
    minlength: int,
    maxlength: int | None,
    dtype: DType,
) -> Any:
    if maxlength is None or minlength < maxlength:
        raise batch.refuse(
            "bincount",
            "the size of the result depends on the example; give maxlength and a minlength equal "
            "to it",
        )
    attrs: dict[str, Any] = {"minlength": minlength, "maxlength": maxlength, "dtype": dtype}
    return batch.each(_bincount, flags, inputs, attrs)


@batches(_segment_sum)
def _batched_segment_sum(
    batch: Any,
    flags: Any,
    data: Tensor,
    ids: Tensor,
    *count: Tensor,
    num: int | None,
    ordered: bool,
) -> Any:
    attrs = {"num": num, "ordered": ordered}
    if flags[1] and ordered:
        raise batch.refuse(
            "segment_sum",
            "how many segments there are depends on the example; use unsorted_segment_sum, which "
            "takes their number",
        )
    rank, width = data.spec.shape.rank, ids.spec.shape.rank
    if any(flags[1:]) or rank is None or width is None:
        return batch.each(_segment_sum, flags, (data, ids, *count), attrs)
    order = [*range(1, 1 + width), 0, *range(1 + width, rank)]
    found = apply(_segment_sum, (transpose(data, order), ids, *count), attrs)
    return batch.to_front(found, 1)
