"""Reductions of the rows that have the same number, composed of scatter ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .graph.build import convert
from .graph.node import Tensor
from .graph.ops.casting import cast
from .graph.ops.comparison import where
from .graph.ops.division import maximum
from .graph.ops.exponential import sqrt
from .graph.ops.reductions import reduce_max
from .graph.ops.scattering import (
    gather_nd,
    tensor_scatter_nd_add,
    tensor_scatter_nd_max,
    tensor_scatter_nd_min,
)
from .graph.ops.segments import unsorted_segment_sum
from .graph.ops.shaping import concat, expand_dims, fill, ones_like, reshape, shape, zeros


def _limit(x: Tensor, top: bool) -> Any:
    dtype = x.dtype.numpy
    info: Any = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    return dtype.type(info.max if top else info.min)


def _reduced(change: Callable[..., Tensor], top: bool) -> Callable[[Any, Any, Any], Tensor]:
    def function(data: Any, segment_ids: Any, num_segments: Any) -> Tensor:
        x, ids = convert(data), convert(segment_ids)
        rank = ids.shape.rank
        assert rank is not None, "the rank of segment_ids must be known"
        sizes = shape(x)[rank:]
        start = fill(
            concat([reshape(cast(num_segments, sizes.dtype), [1]), sizes], 0), _limit(x, top)
        )
        rows = reshape(x, concat([[-1], sizes], 0))
        flat = reshape(ids, [-1, 1])
        kept = reshape(where(flat[:, 0] >= 0), [-1, 1])
        return change(start, gather_nd(flat, kept), gather_nd(rows, kept))

    return function


_max = _reduced(tensor_scatter_nd_max, False)
_min = _reduced(tensor_scatter_nd_min, True)


def unsorted_segment_max(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The largest of the rows with each number; the smallest number of the dtype where none is.

    Rows with a negative number are left out.

    >>> import treadle as tl
    >>> tl.math.unsorted_segment_max([1, 5, 3], [1, 0, 1], 2).numpy()
    array([5, 3], dtype=int32)
    """
    return _max(data, segment_ids, num_segments)


def unsorted_segment_min(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The smallest of the rows with each number; the largest number of the dtype where none is.

    >>> import treadle as tl
    >>> tl.math.unsorted_segment_min([1, 5, 3], [1, 0, 1], 2).numpy()
    array([5, 1], dtype=int32)
    """
    return _min(data, segment_ids, num_segments)


def unsorted_segment_sqrt_n(
    data: Any, segment_ids: Any, num_segments: Any, name: str | None = None
) -> Tensor:
    """The sum of the rows with each number, by the root of their count.

    >>> import treadle as tl
    >>> tl.math.unsorted_segment_sqrt_n([1., 5., 3., 4., 4.], [1, 0, 1, 1, 1], 2).numpy()
    array([5., 6.], dtype=float32)
    """
    x = convert(data)
    total = unsorted_segment_sum(x, segment_ids, num_segments)
    count = unsorted_segment_sum(ones_like(x), segment_ids, num_segments)
    return total / sqrt(maximum(count, 1))


def _count(segment_ids: Any) -> Tensor:
    ids = convert(segment_ids)
    return reduce_max(concat([cast(reshape(ids, [-1]), "int64"), [-1]], 0)) + 1


def _zero_where_none(result: Tensor, segment_ids: Any, count: Tensor) -> Tensor:
    ids = convert(segment_ids)
    there = tensor_scatter_nd_add(
        zeros(reshape(count, [1]), "int32"), expand_dims(ids, 1), ones_like(ids, "int32")
    )
    wide = reshape(there, concat([[-1], ones_like(shape(result)[1:])], 0))
    return where(wide > 0, result, 0)


def segment_max(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The largest of the rows with each of the sorted numbers; 0 where none is.

    >>> import treadle as tl
    >>> tl.math.segment_max([1, 5, 3], [0, 0, 2]).numpy()
    array([5, 0, 3], dtype=int32)
    """
    count = _count(segment_ids)
    return _zero_where_none(_max(data, segment_ids, count), segment_ids, count)


def segment_min(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The smallest of the rows with each of the sorted numbers; 0 where none is.

    >>> import treadle as tl
    >>> tl.math.segment_min([1, 5, 3], [0, 0, 2]).numpy()
    array([1, 0, 3], dtype=int32)
    """
    count = _count(segment_ids)
    return _zero_where_none(_min(data, segment_ids, count), segment_ids, count)


def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """The mean of the rows with each of the sorted numbers; 0 where none is.

    >>> import treadle as tl
    >>> tl.math.segment_mean([1., 5., 3.], [0, 0, 2]).numpy()
    array([3., 0., 3.], dtype=float32)
    """
    x, count = convert(data), _count(segment_ids)
    total = unsorted_segment_sum(x, segment_ids, count)
    number = unsorted_segment_sum(ones_like(x), segment_ids, count)
    return total / maximum(number, 1)


__all__ = [
    "segment_max",
    "segment_mean",
    "segment_min",
    "unsorted_segment_max",
    "unsorted_segment_min",
    "unsorted_segment_sqrt_n",
]
