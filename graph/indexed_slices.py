"""Some rows of a tensor: what the updates of a variable are given as."""

from __future__ import annotations

from typing import Any

from .build import apply, convert
from .dtypes import DType
from .errors import ShapeError
from .node import Tensor
from .op import OPS
from .ops.casting import cast
from .ops.scattering import scatter_nd
from .ops.shaping import expand_dims
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

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(apply(OPS["negative"], (self.values,)), self.indices, self.dense_shape)

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self.indices!r}, values={self.values!r})"
