"""Growable arrays (`ArraySpec`): what loops save for gradients, and TensorArrays.

The run-time value is a `PersistentArray`. Its items are tensors, or, where a loop saves what loops
inside of it have saved, arrays. The gradient of an array is an array of the same elements; in it a
missing item means zero, and its size may differ from the array's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import int32
from ..errors import DTypeError, IndexOutOfRangeError, InvalidArgumentError, ShapeError
from ..node import Tensor, Value
from ..op import ALL, Op, no_gradient
from ..persistent import PersistentArray
from ..spec import UNKNOWN, ArraySpec, Element, TensorShape, TensorSpec, join_shapes
from .define import primitive
from .dims import run_time_dims
from .queries import shape as shape_of


def always(*values: Any, **attrs: Any) -> bool:
    return True


def _plain(spec: Element) -> Element:
    if isinstance(spec, ArraySpec) or spec.name is None:
        return spec
    return TensorSpec(spec.shape, spec.dtype)


def _require_item(a: ArraySpec, x: Element) -> None:
    if a.element.dtype is not x.dtype or type(a.element) is not type(x):
        raise DTypeError(f"the array has items of {a.element.dtype.name}, the item is {x}")
    if isinstance(a.element, ArraySpec):
        assert isinstance(x, ArraySpec)
        _require_item(a.element, x.element)
    elif not a.element.shape.is_compatible_with(x.shape):
        raise ShapeError(f"the array has items of shape {a.element.shape}, the item is {x}")


def _joined(a: Element, b: Element) -> Element:
    if isinstance(a, ArraySpec) and isinstance(b, ArraySpec):
        return ArraySpec(_joined(a.element, b.element))
    return TensorSpec(join_shapes(a.shape, b.shape), a.dtype)


def _require_index(i: TensorSpec) -> None:
    if not i.dtype.is_integer or i.shape.rank not in (0, None):
        raise DTypeError(f"the index must be an integer scalar, it is {i}")


# --- making, growing, reading ------------------------------------------------------


def _new_infer(*size: TensorSpec, element: Element) -> ArraySpec:
    return ArraySpec(element)


def _new_eval(xp: Any, *size: Array, element: Element) -> PersistentArray:
    return PersistentArray([None] * int(size[0]) if size else [], element)


_new = primitive("array_new", _new_infer, _new_eval, no_gradient)


def array_new(size: Any = None, *, element: Element) -> Any:
    """An array of `size` missing items (none by default), each to be of spec `element`."""
    inputs = () if size is None else (convert(size, int32),)
    return apply(_new, inputs, {"element": _plain(element)})


_size = primitive(
    "array_size",
    lambda a, *, longest=False: TensorSpec((), int32),
    lambda xp, a, *, longest=False: np.array((a if longest else even(a)).size, np.int32),
    no_gradient,
    metadata=True,
)


def even(a: PersistentArray) -> PersistentArray:
    """`a`; InvalidArgumentError where its length differs between the examples of a batch."""
    if a.ragged:
        raise InvalidArgumentError(
            "in a vmap the lists or arrays of the examples have become of different lengths, in a "
            "loop that runs for some examples longer than for others; give them one length: make "
            "the TensorArray with its size and write to its places"
        )
    return a


def array_size(a: Any, longest: bool = False) -> Tensor:
    """The number of items, an int32 scalar. Of a batch of arrays it must be one for all, or else
    the greatest with `longest`.
    """
    result: Tensor = apply(_size, (a,), {"longest": True} if longest else {})
    return result


def _push_infer(a: ArraySpec, x: Element) -> ArraySpec:
    _require_item(a, x)
    return a


_push = primitive(
    "array_push",
    _push_infer,
    lambda xp, a, x: a.push(x),
    lambda g, out, a, x: (g, lambda: array_read_gradient(g, array_size(a, longest=True), x)),
    linear=ALL,
    checks=lambda a, x: not _surely_fits(a.spec, x.spec),
)


def _surely_fits(a: ArraySpec, x: Element) -> bool:
    return _joined(a.element, x) == _plain(a.element)


def array_push(a: Any, x: Any) -> Any:
    """The array with the item `x` (a tensor, or an array) at its end."""
    return apply(_push, (a, convert(x, hint=a.spec.element.dtype)))


def _read_infer(
    a: ArraySpec, i: TensorSpec, *, safe: bool = False, of_list: bool = False
) -> Element:
    _require_index(i)
    return _plain(a.element)


def _read_eval(
    xp: Any, a: PersistentArray, i: Array, *, safe: bool = False, of_list: bool = False
) -> Any:
    index = int(i)
    if not 0 <= index < (a if safe else even(a)).size:
        if of_list:
            raise IndexError("list index out of range")
        raise IndexOutOfRangeError(f"index {index} is out of range for an array of {a.size} items")
    item = a.get(index)
    return zero_item(xp, a, index) if item is None else item


def zero_item(xp: Any, a: PersistentArray, index: int) -> Any:
    """What a place reads as that was never written: zeros, as in TensorFlow."""
    if isinstance(a.element, ArraySpec):
        return PersistentArray([], a.element.element)
    shape = a.element.shape
    if not shape.is_fully_defined():
        written = [item for item in a.items() if item is not None]
        if len({item.shape for item in written}) == 1:
            return xp.zeros_like(written[0])
        raise InvalidArgumentError(
            f"item {index} was never written, and its shape {shape} is not fully known"
        )
    return xp.zeros(tuple(shape), a.element.dtype.numpy)


_read = primitive(
    "array_read",
    _read_infer,
    _read_eval,
    lambda g, out, a, i, safe=False, of_list=False: (
        lambda: array_accumulate(array_new(element=a.spec.element), i, g),
        None,
    ),
    jvp=lambda ts, out, a, i, safe=False, of_list=False: array_read_gradient(ts[0], i, out),
    checks=lambda a, i, safe=False, of_list=False: not safe,
)


def array_read(a: Any, i: Any, safe: bool = False, of_list: bool = False) -> Any:
    """The item at `i`; IndexOutOfRangeError outside of 0..size-1, the IndexError of Python's lists
    with `of_list`.

    `safe` promises that the index is in range: then the read is no run-time check.
    """
    return apply(
        _read, (a, convert(i)), {"safe": True} if safe else {"of_list": True} if of_list else {}
    )


def _write_infer(a: ArraySpec, i: TensorSpec, x: TensorSpec, *, dynamic: bool = True) -> ArraySpec:
    _require_index(i)
    _require_item(a, x)
    return a


def _write_eval(
    xp: Any, a: PersistentArray, i: Array, x: Array, *, dynamic: bool = True
) -> PersistentArray:
    index = int(i)
    if index < 0 or (index >= a.size and not dynamic):
        raise IndexOutOfRangeError(
            f"index {index} is out of range for an array of {a.size} items of fixed size"
            if index >= 0
            else f"index {index} is negative"
        )
    return a.set(index, x)


_write = primitive(
    "array_write",
    _write_infer,
    _write_eval,
    lambda g, out, a, i, x, dynamic=True: (
        lambda: apply(_clear, (g, i)),
        None,
        lambda: array_read_gradient(g, i, x),
    ),
    linear=(0, 2),
    checks=always,
)


def array_write(a: Any, i: Any, x: Any, dynamic: bool = True) -> Any:
    """The array with `x` at `i`; where `dynamic` it grows to hold it, else that is an error."""
    attrs = {} if dynamic else {"dynamic": False}
    return apply(_write, (a, convert(i), convert(x, hint=a.spec.element.dtype)), attrs)


# --- gradients of arrays -----------------------------------------------------------


def array_zeros_like(a: Any) -> Any:
    """The zero gradient of an array: as many items, all missing."""
    return array_new(array_size(a, longest=True), element=a.spec.element)


def filled(op: Any, like: Tensor, g: Any, *more: Tensor, axis: int = 0) -> Any:
    """Apply an op that makes a tensor of the shape of `like` from an array of gradients."""
    known = like.spec.shape
    dims = () if known.is_fully_defined() else (shape_of(like),)
    attrs = {"shape": known, "axis": axis} if axis else {"shape": known}
    return apply(op, (g, *more, *dims), attrs)


def _accumulate_infer(a: ArraySpec, i: TensorSpec, g: Element) -> ArraySpec:
    _require_index(i)
    _require_item(a, g)
    return a


def _accumulate_eval(xp: Any, a: PersistentArray, i: Any, g: Any) -> PersistentArray:
    index = int(i)
    item = a.get(index)
    if item is not None:
        g = _add_eval(xp, item, g) if isinstance(g, PersistentArray) else xp.add(item, g)
    return a.set(index, g)


_accumulate: Op = primitive(
    "array_accumulate",
    _accumulate_infer,
    _accumulate_eval,
    lambda h, out, a, i, g: (h, None, lambda: array_read_gradient(h, i, g)),
    linear=(0, 2),
)


def array_accumulate(a: Any, i: Any, g: Any) -> Any:
    """The array of gradients with `g` added to item `i`."""
    return apply(_accumulate, (a, convert(i), g))


def _add_infer(a: ArraySpec, b: ArraySpec) -> ArraySpec:
    if a.element.dtype is not b.element.dtype:
        raise DTypeError(f"arrays of {a.element.dtype.name} and {b.element.dtype.name} are added")
    return a if a == b else ArraySpec(_joined(a.element, b.element))


def _add_eval(xp: Any, a: PersistentArray, b: PersistentArray) -> PersistentArray:
    if a.size < b.size:
        a, b = b, a
    for i, item in enumerate(b.items()):
        if item is not None:
            a = _accumulate_eval(xp, a, i, item)
    return a


_add = primitive("array_add", _add_infer, _add_eval, lambda g, out, a, b: (g, g), linear=ALL)


def array_add(a: Any, b: Any) -> Any:
    """The sum of two arrays of gradients, item by item.

    To add a single item, as the adjoint of a read does, takes constant time.
    """
    for total, term in ((a, b), (b, a)):
        node = term.node if isinstance(term, Value) else None
        if node is not None and node.op is _accumulate:
            zeros, index, g = node.inputs
            if zeros.node is not None and zeros.node.op is _new:
                return array_accumulate(total, index, g)
    return apply(_add, (a, b))


def _clear_eval(xp: Any, g: PersistentArray, i: Array) -> PersistentArray:
    return g if g.get(int(i)) is None else g.set(int(i), None)


_clear: Op = primitive(
    "array_clear",
    lambda g, i: g,
    _clear_eval,
    lambda h, out, g, i: (lambda: apply(_clear, (h, i)), None),
    linear=(0,),
)


def _read_gradient_infer(
    a: ArraySpec, i: TensorSpec, *dims: TensorSpec, shape: TensorShape
) -> Element:
    return a.element if isinstance(a.element, ArraySpec) else TensorSpec(shape, a.element.dtype)


def _read_gradient_eval(
    xp: Any, a: PersistentArray, i: Array, *dims: Array, shape: TensorShape
) -> Any:
    item = a.get(int(i))
    if item is None and isinstance(a.element, ArraySpec):
        return PersistentArray([], a.element.element)
    return xp.zeros(run_time_dims(dims, shape), a.element.dtype.numpy) if item is None else item


_read_gradient: Op = primitive(
    "array_read_gradient",
    _read_gradient_infer,
    _read_gradient_eval,
    lambda h, out, a, i, *dims, shape: (
        lambda: array_accumulate(array_new(element=a.spec.element), i, h),
        None,
        *[None for _ in dims],
    ),
    linear=(0,),
)


def array_read_gradient(a: Any, i: Any, like: Any) -> Any:
    """Item `i` of an array of gradients; zeros in the shape of `like` where it is missing."""
    if isinstance(like.spec, ArraySpec):
        return apply(_read_gradient, (a, convert(i)), {"shape": UNKNOWN})
    return filled(_read_gradient, like, a, convert(i))
