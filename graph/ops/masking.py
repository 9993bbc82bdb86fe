"""What selects by a mask or deals out by numbers."""

from __future__ import annotations

from typing import Any

from ..build import apply, convert
from ..dtypes import as_dtype, bool_, int32, int64
from ..errors import DTypeError, IndexOutOfRangeError, InvalidArgumentError, ShapeError
from ..node import Tensor
from ..op import OPS
from ..spec import TensorShape
from .axes import expand_dims
from .casting import cast
from .comparison import NONZERO, equal
from .define import constant_of
from .dims import constant_int, normal_axis, refuse
from .filling import zeros
from .gathering import gather
from .joining import concat
from .queries import shape as shape_of
from .reductions import reduce_max
from .reshaping import reshape
from .scattering import tensor_scatter_nd_update
from .sequences import range_


def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """The slices of `tensor` where `mask` is true; the mask covers the axes from `axis` on.

    ShapeError where the sizes of the mask are not those of the axes.

    >>> import treadle as tl
    >>> tl.boolean_mask([[1, 2], [3, 4], [5, 6]], [True, False, True]).numpy()
    array([[1, 2],
           [5, 6]], dtype=int32)
    """
    x = tensor if isinstance(tensor, Tensor) else convert(tensor)
    m = mask if isinstance(mask, Tensor) else convert(mask)
    if not m.dtype.is_bool:
        raise refuse(DTypeError(f"a mask has dtype bool, not {m.dtype.name}"), OPS["gather"], x, m)
    width, rank = m.spec.shape.rank, x.spec.shape.rank
    if not width:
        raise InvalidArgumentError(
            f"a mask needs a known rank of at least 1, it has {m.spec.shape}"
        )
    along = 0 if axis is None else constant_int(axis, "axis")
    along = normal_axis(along, rank)
    covered = x.spec.shape[along : along + width]
    if not m.spec.shape.is_compatible_with(covered):
        error = ShapeError(f"a mask of shape {m.spec.shape} does not fit the axes {covered}")
        raise refuse(error, OPS["gather"], x, m)
    if width > 1:
        x = _merged(x, along, width)
    count = m.spec.shape.num_elements()
    if count is None or x.spec.shape[along] is None:
        x = _same_size(x, m, along)
    chosen = apply(NONZERO, (reshape(m, [-1]),))
    return gather(x, reshape(chosen, [-1]), axis=along)


def _merged(x: Tensor, axis: int, width: int) -> Tensor:
    """`x` with `width` axes from `axis` on made one."""
    shape = x.spec.shape
    if shape.rank is not None and shape.count(None) <= 1:
        tail = shape[axis + width :]
        if None not in tuple(tail) and None not in tuple(shape[:axis]):
            return reshape(x, [*shape[:axis], -1, *tail])
    sizes = shape_of(x)
    return reshape(x, concat([sizes[:axis], [-1], sizes[axis + width :]], 0))


def _same_size(x: Tensor, mask: Tensor, axis: int) -> Tensor:
    """`x`, checked when the program runs to have as many items on `axis` as the mask has."""
    if axis != 0:
        return x
    rank = x.spec.shape.rank
    count = shape_of(reshape(mask, [-1]))
    sizes = shape_of(x)[1:] if rank != 1 else None
    return reshape(x, count if sizes is None else concat([count, sizes], 0))


def sequence_mask(
    lengths: Any, maxlen: Any = None, dtype: Any = bool_, name: str | None = None
) -> Tensor:
    """For each length a row of that many True, then False, up to `maxlen` (default: the longest).

    >>> import treadle as tl
    >>> tl.sequence_mask([1, 3]).numpy()
    array([[ True, False, False],
           [ True,  True,  True]])
    """
    count = convert(lengths)
    longest = reduce_max(count) if maxlen is None else convert(maxlen, hint=count.dtype)
    longest = longest if longest.dtype is count.dtype else cast(longest, count.dtype)
    mask = range_(longest) < expand_dims(count, -1)
    wanted = as_dtype(dtype)
    return mask if wanted is bool_ else cast(mask, wanted)


# --- partition and stitch ----------------------------------------------------------


def dynamic_partition(
    data: Any, partitions: Any, num_partitions: int, name: str | None = None
) -> list[Tensor]:
    """`data` dealt out to `num_partitions` tensors: each slice to the one that its number names.

    >>> import treadle as tl
    >>> [t.numpy().tolist() for t in tl.dynamic_partition([1, 2, 3, 4], [0, 1, 1, 0], 2)]
    [[1, 4], [2, 3]]
    """
    x = convert(data)
    numbers = convert(partitions)
    known = constant_of(numbers)
    if known is not None and known.size and (known.min() < 0 or known.max() >= num_partitions):
        error = IndexOutOfRangeError(f"partitions lie outside of 0..{num_partitions - 1}")
        raise refuse(error, OPS["gather"], x, numbers)
    return [boolean_mask(x, equal(numbers, i)) for i in range(num_partitions)]


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """One tensor from several: slice `data[m][i, ...]` goes to place `indices[m][i]`.

    Where several go to one place the last stays; what none goes to is zero.

    >>> import treadle as tl
    >>> tl.dynamic_stitch([[0, 2], [1, 3]], [[10, 12], [11, 13]]).numpy()
    array([10, 11, 12, 13], dtype=int32)
    """
    places = [convert(i) for i in indices]
    values = [convert(d) for d in data]
    ranks = [p.spec.shape.rank for p in places]
    if None in ranks:
        raise InvalidArgumentError("the ranks of the indices must be known while tracing")
    rest = [v.spec.shape[r:] for v, r in zip(values, ranks, strict=True)]
    inner = TensorShape(None)
    for r in rest:
        inner = inner.merge_with(r)
    flat = concat([reshape(p, [-1]) for p in places], 0)
    rows = concat(
        [
            reshape(v, concat([[-1], shape_of(v)[r:]], 0)) if r != 1 else v
            for v, r in zip(values, ranks, strict=True)
        ],
        0,
    )
    known = constant_of(flat)
    count = reduce_max(flat) + 1 if known is None else int(known.max(initial=-1)) + 1
    sizes = shape_of(rows)[1:]
    head = convert([count]) if isinstance(count, Tensor) else convert([count], int32)
    if head.dtype is int64:
        head = cast(head, int32)
    blank = zeros(concat([head, sizes], 0), rows.dtype)
    return tensor_scatter_nd_update(blank, reshape(flat, [-1, 1]), rows)  # type: ignore[no-any-return]
