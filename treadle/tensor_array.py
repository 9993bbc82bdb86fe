"""`TensorArray`: a list of tensors that loops can read, write and grow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .control_flow import while_loop
from .graph.build import GraphBuilder, convert, current
from .graph.dtypes import DType, as_dtype, int32
from .graph.errors import DTypeError, ShapeError
from .graph.node import Tensor, Value
from .graph.ops.array_tensors import array_concat, array_split, array_stack, array_unstack
from .graph.ops.arrays import array_new, array_read, array_size, array_write
from .graph.ops.axes import ensure_shape
from .graph.ops.casting import cast
from .graph.ops.dims import partial_value
from .graph.ops.gathering import gather
from .graph.ops.queries import shape as shape_of
from .graph.spec import TensorShape, TensorSpec, covers


class TensorArray:
    """A list of tensors of one dtype, eager and traced; gradients flow through it.

    It never changes: what writes gives a new array, eagerly too (`ta = ta.write(i, x)`), in
    constant time. An item may be read as often as needed; one that was never written reads as
    zeros. Unless `dynamic_size`, a write at or behind `size` is an IndexOutOfRangeError. The items
    have one shape, `element_shape` or that of the first item written (else ShapeError); with
    `infer_shape=False` only what `element_shape` says is asked of them.

    >>> import treadle as tl
    >>> @tl.function
    ... def squares(n):
    ...     ta = tl.TensorArray(tl.int32, size=0, dynamic_size=True)
    ...     for i in tl.range(n):
    ...         ta = ta.write(i, i * i)
    ...     return ta.stack()
    >>> squares(tl.constant(5)).numpy()
    array([ 0,  1,  4,  9, 16], dtype=int32)
    """

    __slots__ = ("_array", "_count", "_inferring", "_shape", "dtype", "dynamic_size", "name")

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        *,
        infer_shape: bool = True,
        element_shape: Any = None,
        name: str | None = None,
    ) -> None:
        """`size` is an int scalar (0 by default); `clear_after_read` is there for TensorFlow's
        sake and does nothing.
        """
        self.dtype: DType = as_dtype(dtype)
        self.dynamic_size = bool(dynamic_size)
        self.name = name or tensor_array_name or "TensorArray"
        self._inferring = infer_shape
        self._shape = TensorShape(element_shape)
        count = cast(0 if size is None else size, int32)
        known = None if self.dynamic_size else partial_value(count)
        self._count = None if known is None or known.item() is None else int(known)
        self._array = array_new(count, element=TensorSpec(self._shape, self.dtype))

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the items' shape."""
        return self._shape

    def __repr__(self) -> str:
        return f"<tl.TensorArray: dtype={self.dtype.name}, element_shape={self._shape}>"

    def __tracing_type__(self) -> Any:
        """What it counts as, as an argument of a function."""
        static = self.dynamic_size, self._inferring, self._count, self._shape
        return (self.dtype, *static, self._array.spec)

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], TensorArray]]:
        """What loops, branches and functions carry, and how to put it together again."""
        array, builder = self._array, current()
        if isinstance(builder, GraphBuilder) and array is not None:
            array = array if isinstance(array, Value) else builder.resolve(array)
        return [array], lambda items: self._with(items[0])

    def _with(self, array: Any, shape: TensorShape | None = None) -> TensorArray:
        """The same array with other contents."""
        new = TensorArray.__new__(TensorArray)
        new.dtype, new.dynamic_size, new.name = self.dtype, self.dynamic_size, self.name
        new._inferring, new._count = self._inferring, self._count
        new._shape = self._shape if shape is None else shape
        new._array = array
        return new

    # --- single items --------------------------------------------------------------

    def size(self, name: str | None = None) -> Tensor:
        """The number of items, an int32 scalar."""
        return array_size(self._array)

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The item at `index`; IndexOutOfRangeError outside of 0..size-1."""
        return _shaped(array_read(self._array, index), self._shape)

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with `value` at `index`.

        Raises IndexOutOfRangeError, DTypeError for another dtype, ShapeError for another shape.
        """
        x = self._own(value)
        shape = self._joined(x.shape)
        x = _shaped(x, self._array.spec.element.shape)
        return self._with(array_write(self._array, index, x, self.dynamic_size), shape)

    def identity(self) -> TensorArray:
        """An array of the same items."""
        return self._with(self._array)

    # --- all items -----------------------------------------------------------------

    def stack(self, name: str | None = None) -> Tensor:
        """The items along a new first axis; ShapeError if they differ in shape."""
        return _shaped(array_stack(self._array), TensorShape([self._count]) + self._shape)

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """An array of the slices of `value` along its first axis.

        Raises ShapeError for a scalar, and where there are not as many as a fixed size says.
        """
        x = self._own(value)
        if x.shape.rank == 0:
            raise ShapeError("unstack: a scalar can't be unstacked")
        count = x.shape[0]
        if self._count is not None and count not in (None, self._count):
            raise ShapeError(
                f"unstack: {count} items can't be put into a TensorArray of size {self._count}; "
                "make it with dynamic_size=True, or with that size"
            )
        shape = self._joined(x.shape[1:])
        x = _shaped(x, TensorShape([self._count]) + self._array.spec.element.shape)
        return self._with(array_unstack(x), shape)

    def concat(self, name: str | None = None) -> Tensor:
        """The items joined along their first axis; they may differ in its size."""
        return array_concat(self._array)

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """An array of the pieces of `value`, cut along its first axis, of these lengths.

        Raises ShapeError where the lengths do not add up to the size of that axis.
        """
        x = self._own(value)
        pieces = cast(lengths, int32)
        count = pieces.shape[0] if pieces.shape.rank else None
        if self._count is not None and count not in (None, self._count):
            raise ShapeError(
                f"split: {count} items can't be put into a TensorArray of size {self._count}"
            )
        if self._inferring and x.shape.rank:
            self._joined(TensorShape([None]) + x.shape[1:])
        return self._with(array_split(x, pieces))

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The items at `indices`, a vector of ints, along a new first axis."""
        return gather(self.stack(), cast(indices, int32))

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with the slices of `value` along its first axis at `indices`."""
        places, x = cast(indices, int32), self._own(value)
        if x.shape.rank == 0:
            raise ShapeError("scatter: a scalar has no slices to put in")
        shape = self._joined(x.shape[1:])
        count = shape_of(places)[0] if places.shape[0] is None else convert(places.shape[0])
        _, filled = while_loop(
            lambda i, ta: i < count,
            lambda i, ta: (i + 1, ta.write(places[i], x[i])),
            [0, self],
        )
        result: TensorArray = filled._with(filled._array, shape)
        return result

    def _own(self, value: Any) -> Tensor:
        x = convert(value, hint=self.dtype)
        if x.dtype is not self.dtype:
            raise DTypeError(
                f"the TensorArray has dtype {self.dtype.name}, the value has {x.dtype.name}; "
                "use tl.cast"
            )
        return x

    def _joined(self, shape: TensorShape) -> TensorShape:
        """What is known of the items' shape once one of `shape` is among them."""
        if not self._shape.is_compatible_with(shape):
            raise ShapeError(
                f"the items of the TensorArray have shape {self._shape}, the value has shape "
                f"{shape}; make the array with infer_shape=False if they are to differ"
            )
        return self._shape.merge_with(shape) if self._inferring else self._shape


def _shaped(x: Tensor, shape: TensorShape) -> Tensor:
    """`x`, with its shape checked where it might not be `shape`."""
    return x if covers(shape, x.shape) else ensure_shape(x, shape)


__all__ = ["TensorArray"]
