"""Some rows of a tensor: what the updates of a variable are given as."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .build import apply, convert
from .dtypes import DType
from .errors import ShapeError
from .node import Tensor
from .op import OPS
from .ops.arithmetic import add
from .ops.casting import cast
from .ops.scattering import scatter_nd
from .ops.shaping import concat, expand_dims
from .spec import TensorShape


class IndexedSlices:
    """The rows `values` at the places `indices` of a tensor of shape `dense_shape`.

    As a tensor it is zero elsewhere; rows named twice are added.

    >>> import treadle as tl
    >>> rows = tl.IndexedSlices(tl.constant([5., 7.]), tl.constant([2, 0]), dense_shape=[4])
    >>> tl.convert_to_tensor(rows)
    <tl.Tensor: shape=(4,), dtype=float32, numpy=array([7., 0., 5., 0.], dtype=float32)>
    """

    __slots__ = ("dense_shape", "indices", "values")

    def __init__(self, values: Any, indices: Any, dense_shape: Any = None) -> None:
        self.values = convert(values)
        self.indices = convert(indices)
        self.dense_shape = None if dense_shape is None else convert(dense_shape)

    @property
    def dtype(self) -> DType:
        return self.values.dtype

    @property
    def shape(self) -> TensorShape:
        rows = self.values.shape
        return rows if rows.rank is None else TensorShape([None, *rows[1:]])

    def __tl_tensor__(self) -> Tensor:
        if self.dense_shape is None:
            raise ShapeError("IndexedSlices need a dense_shape to become a tensor")
        shape = cast(self.dense_shape, self.indices.dtype)
        return scatter_nd(expand_dims(self.indices, -1), self.values, shape)

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], IndexedSlices]]:
        """What it consists of where it goes through a graph."""
        return [self.values, self.indices, self.dense_shape], _of_parts

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(apply(OPS["negative"], (self.values,)), self.indices, self.dense_shape)

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self.indices!r}, values={self.values!r})"


def _of_parts(parts: Sequence[Any]) -> IndexedSlices:
    made = IndexedSlices.__new__(IndexedSlices)  # the parts may stand for tensors
    made.values, made.indices, made.dense_shape = parts
    return made


def add_rows(a: Any, b: Any) -> Any:
    """The sum of two gradients, at least one of which is of some rows."""
    if isinstance(a, IndexedSlices) and isinstance(b, IndexedSlices):
        dtype = a.indices.dtype
        indices = concat([a.indices, cast(b.indices, dtype)], 0)
        return IndexedSlices(concat([a.values, b.values], 0), indices, a.dense_shape)
    return add(convert(a), convert(b))
