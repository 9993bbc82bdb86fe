"""Counts and places: histograms, confusion matrices, permutations."""

from __future__ import annotations

from typing import Any

from .clipping import clip_by_value
from .debugging import assert_less
from .graph.build import convert
from .graph.dtypes import as_dtype, int32
from .graph.node import Tensor
from .graph.ops.arithmetic import divide
from .graph.ops.casting import cast
from .graph.ops.comparison import where
from .graph.ops.cumulative import cumprod
from .graph.ops.division import floordiv, floormod
from .graph.ops.gathering import gather
from .graph.ops.reductions import reduce_all, reduce_max, reduce_prod
from .graph.ops.rounding import floor
from .graph.ops.scattering import scatter_nd
from .graph.ops.segments import bincount
from .graph.ops.sequences import range_
from .graph.ops.shaping import concat, expand_dims, ones_like, reshape, shape, stack, transpose


def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """For each value the number of its bin, of `nbins` equal ones over `value_range`.

    What lies outside of the range goes into the first or last bin.

    >>> import treadle as tl
    >>> tl.histogram_fixed_width_bins([-1., 0.5, 2.2, 9.], [0., 5.], nbins=5).numpy()
    array([0, 0, 2, 4], dtype=int32)
    """
    x = convert(values)
    limits = convert(value_range, hint=x.dtype)
    scaled = divide(x - limits[0], limits[1] - limits[0]) * cast(nbins, x.dtype)
    places = clip_by_value(floor(scaled), 0, cast(convert(nbins) - 1, x.dtype))
    return cast(places, as_dtype(dtype))


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = int32, name: str | None = None
) -> Tensor:
    """How many values lie in each of `nbins` equal bins over `value_range`.

    >>> import treadle as tl
    >>> tl.histogram_fixed_width([-1., 0.5, 2.2, 9.], [0., 5.], nbins=5).numpy()
    array([2, 0, 1, 0, 1], dtype=int32)
    """
    places = histogram_fixed_width_bins(values, value_range, nbins)
    return bincount(reshape(places, [-1]), minlength=nbins, maxlength=nbins, dtype=dtype)


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = int32,
    name: str | None = None,
) -> Tensor:
    """How often each prediction (column) was made for each label (row).

    >>> import treadle as tl
    >>> tl.math.confusion_matrix([1, 2, 1], [1, 0, 2])
    <tl.Tensor: shape=(3, 3), dtype=int32, numpy=
    array([[0, 0, 0],
           [0, 1, 1],
           [1, 0, 0]], dtype=int32)>
    """
    rows, columns = cast(labels, "int64"), cast(predictions, "int64")
    if num_classes is None:
        size = reduce_max(concat([rows, columns], 0)) + 1
    else:
        size = cast(num_classes, "int64")
        for given in (rows, columns):
            assert_less(given, size, message="a class is out of range")
    wanted = as_dtype(dtype)
    counts = ones_like(rows, wanted) if weights is None else cast(weights, wanted)
    return scatter_nd(stack([rows, columns], 1), counts, stack([size, size]))


def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """The permutation that undoes the permutation `x`.

    >>> import treadle as tl
    >>> tl.math.invert_permutation([2, 0, 1]).numpy()
    array([1, 2, 0], dtype=int32)
    """
    order = convert(x)
    numbers = cast(range_(shape(order)[0]), order.dtype)
    return scatter_nd(expand_dims(order, 1), numbers, cast(shape(order), order.dtype))


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """True if no item is smaller than the one before.

    >>> import treadle as tl
    >>> tl.math.is_non_decreasing([1, 2, 2]).numpy()
    np.True_
    """
    row = reshape(convert(x), [-1])
    return reduce_all(row[1:] >= row[:-1])


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """True if each item is larger than the one before.

    >>> import treadle as tl
    >>> tl.math.is_strictly_increasing([1, 2, 2]).numpy()
    np.False_
    """
    row = reshape(convert(x), [-1])
    return reduce_all(row[1:] > row[:-1])


def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """The places in an array of shape `dims` of the items with these numbers: a row an axis.

    Raises InvalidArgumentError for a number that is too large.

    >>> import treadle as tl
    >>> tl.unravel_index([2, 5, 7], [3, 3])
    <tl.Tensor: shape=(2, 3), dtype=int32, numpy=
    array([[0, 1, 2],
           [2, 2, 1]], dtype=int32)>
    """
    places = convert(indices)
    sizes = convert(dims, hint=places.dtype)
    assert_less(places, reduce_prod(sizes), message="an index is out of the range of dims")
    steps = cumprod(sizes, exclusive=True, reverse=True)
    column = concat([[-1], ones_like(shape(places))], 0)
    return floormod(floordiv(places, reshape(steps, column)), reshape(sizes, column))


def reverse_sequence(
    input: Any,
    seq_lengths: Any,
    seq_axis: int | None = None,
    batch_axis: int | None = None,
    name: str | None = None,
) -> Tensor:
    """`input` with the first `seq_lengths[b]` items of each sequence b in reverse order.

    >>> import treadle as tl
    >>> tl.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], seq_axis=1, batch_axis=0)
    <tl.Tensor: shape=(2, 3), dtype=int32, numpy=
    array([[2, 1, 3],
           [6, 5, 4]], dtype=int32)>
    """
    x = convert(input)
    count = x.shape.rank
    if count is None or seq_axis is None:
        raise ValueError("reverse_sequence needs seq_axis, and a tensor of known rank")
    batch = 0 if batch_axis is None else batch_axis % count
    along = seq_axis % count
    order = [batch, along, *[i for i in range(count) if i not in (batch, along)]]
    rows = transpose(x, order)
    places = range_(shape(rows)[1])
    lengths = expand_dims(cast(seq_lengths, places.dtype), 1)
    mirrored = gather(
        rows, where(places < lengths, lengths - 1 - places, places), batch_dims=1, axis=1
    )
    return transpose(mirrored, [order.index(i) for i in range(count)])


__all__ = [
    "confusion_matrix",
    "histogram_fixed_width",
    "histogram_fixed_width_bins",
    "invert_permutation",
    "is_non_decreasing",
    "is_strictly_increasing",
    "reverse_sequence",
    "unravel_index",
]
