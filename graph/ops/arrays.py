"""Growable arrays of tensors (`ArraySpec`): what loops save for gradients, and TensorArrays.

The run-time value is a `PersistentArray`. The gradient of an array is an array of the same
elements; in it a missing item means zero, and its size may differ from the array's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import int32
from ..errors import DTypeError, IndexOutOfRangeError, InvalidArgumentError, ShapeError
from ..node import Tensor, Value
from ..op import Op, no_gradient
from ..persistent import PersistentArray
from ..spec import UNKNOWN, ArraySpec, TensorShape, TensorSpec, join_shapes
from .define import primitive
from .dims import run_time_dims
from .queries import shape as shape_of


def _always(*values: Any, **attrs: Any) -> bool:
    return True


def _plain(spec: TensorSpec) -> TensorSpec:
    return spec if spec.name is None else TensorSpec(spec.shape, spec.dtype)


def _require_item(a: ArraySpec, x: TensorSpec) -> None:
    if a.element.dtype is not x.dtype:
        raise DTypeError(f"the array has items of {a.element.dtype.name}, the item is {x}")
    if not a.element.shape.is_compatible_with(x.shape):
        raise ShapeError(f"the array has items of shape {a.element.shape}, the item is {x}")


def _require_index(i: TensorSpec) -> None:
    if not i.dtype.is_integer or i.shape.rank not in (0, None):
        raise DTypeError(f"the index must be an integer scalar, it is {i}")


# --- making, growing, reading ------------------------------------------------------


def _new_infer(*size: TensorSpec, element: TensorSpec) -> ArraySpec:
    return ArraySpec(element)


def _new_eval(xp: Any, *size: Array, element: TensorSpec) -> PersistentArray:
    return PersistentArray([None] * int(size[0]) if size else [], element)


_new = primitive("array_new", _new_infer, _new_eval, no_gradient)


def array_new(size: Any = None, *, element: TensorSpec) -> Any:
    """An array of `size` missing items (none by default), each to be of spec `element`."""
    inputs = () if size is None else (convert(size, int32),)
    return apply(_new, inputs, {"element": _plain(element)})


_size = primitive(
    "array_size",
    lambda a: TensorSpec((), int32),
    lambda xp, a: np.array(a.size, np.int32),
    no_gradient,
    metadata=True,
)


def array_size(a: Any) -> Tensor:
    """The number of items, an int32 scalar."""
    result: Tensor = apply(_size, (a,))
    return result


def _push_infer(a: ArraySpec, x: TensorSpec) -> ArraySpec:
    _require_item(a, x)
    return a


_push = primitive(
    "array_push",
    _push_infer,
    lambda xp, a, x: a.push(x),
    lambda g, out, a, x: (g, lambda: array_read_gradient(g, array_size(a), x)),
    checks=lambda a, x: not _surely_fits(a.spec, x.spec),
)


def _surely_fits(a: ArraySpec, x: TensorSpec) -> bool:
    return join_shapes(a.element.shape, x.shape) == a.element.shape


def array_push(a: Any, x: Any) -> Any:
    """The array with the item `x` at its end."""
    return apply(_push, (a, convert(x, hint=a.spec.element.dtype)))


def _read_infer(a: ArraySpec, i: TensorSpec, *, safe: bool = False) -> TensorSpec:
    _require_index(i)
    return _plain(a.element)


def _read_eval(xp: Any, a: PersistentArray, i: Array, *, safe: bool = False) -> Any:
    index = int(i)
    if not 0 <= index < a.size:
        raise IndexOutOfRangeError(f"index {index} is out of range for an array of {a.size} items")
    item = a.get(index)
    return _zero_item(xp, a, index) if item is None else item


def _zero_item(xp: Any, a: PersistentArray, index: int) -> Any:
    """What a place reads as that was never written: zeros, as in TensorFlow."""
    shape = a.element.shape
    if not shape.is_fully_defined():
        raise InvalidArgumentError(
            f"item {index} was never written, and its shape {shape} is not fully known"
        )
    return xp.zeros(tuple(shape), a.element.dtype.numpy)


_read = primitive(
    "array_read",
    _read_infer,
    _read_eval,
    lambda g, out, a, i, safe=False: (
        lambda: array_accumulate(array_new(element=a.spec.element), i, g),
        None,
    ),
    checks=lambda a, i, safe=False: not safe,
)


def array_read(a: Any, i: Any, safe: bool = False) -> Tensor:
    """The item at `i`; IndexOutOfRangeError outside of 0..size-1.

    `safe` promises that the index is in range: then the read is no run-time check.
    """
    attrs = {"safe": True} if safe else {}
    result: Tensor = apply(_read, (a, convert(i)), attrs)
    return result


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
    checks=_always,
)


def array_write(a: Any, i: Any, x: Any, dynamic: bool = True) -> Any:
    """The array with `x` at `i`; where `dynamic` it grows to hold it, else that is an error."""
    attrs = {} if dynamic else {"dynamic": False}
    return apply(_write, (a, convert(i), convert(x, hint=a.spec.element.dtype)), attrs)


# --- as one tensor -----------------------------------------------------------------


def _whole_items(xp: Any, a: PersistentArray) -> list[Any]:
    items = a.items()
    for index, item in enumerate(items):
        if item is None:
            like = next((v for v in items if v is not None), None)
            items[index] = _zero_item(xp, a, index) if like is None else xp.zeros_like(like)
    return items


def _stack_infer(a: ArraySpec) -> TensorSpec:
    return TensorSpec(TensorShape([None]) + a.element.shape, a.element.dtype)


def _stack_eval(xp: Any, a: PersistentArray) -> Any:
    items = _whole_items(xp, a)
    if not items:
        shape = a.element.shape
        dims = [] if shape.rank is None else [d or 0 for d in shape]
        return xp.zeros((0, *dims), a.element.dtype.numpy)
    try:
        return xp.stack(items)
    except ValueError:
        shapes = " and ".join(dict.fromkeys(str(v.shape) for v in items))
        raise ShapeError(f"the items differ in shape, they can't be stacked: {shapes}") from None


_stack = primitive(
    "array_stack",
    _stack_infer,
    _stack_eval,
    lambda g, out, a: (lambda: array_unstack(g),),
    checks=lambda a: not a.spec.element.shape.is_fully_defined(),
)


def array_stack(a: Any) -> Tensor:
    """The items along a new first axis; what is missing is zero."""
    result: Tensor = apply(_stack, (a,))
    return result


def _unstack_infer(x: TensorSpec) -> ArraySpec:
    if x.shape.rank == 0:
        raise ShapeError("a scalar can't be unstacked")
    return ArraySpec(TensorSpec(x.shape[1:], x.dtype))


_unstack = primitive(
    "array_unstack",
    _unstack_infer,
    lambda xp, x: PersistentArray(list(x), TensorSpec(x.shape[1:], x.dtype)),
    lambda g, out, x: (lambda: _filled(_stack_back, x, g),),
    checks=lambda x: x.spec.shape.rank is None,
)


def array_unstack(x: Any) -> Any:
    """The slices along the first axis as an array."""
    return apply(_unstack, (convert(x),))


def _filled(op: Any, like: Tensor, g: Any, *more: Tensor) -> Any:
    """Apply an op that makes a tensor of the shape of `like` from an array of gradients."""
    known = like.spec.shape
    dims = () if known.is_fully_defined() else (shape_of(like),)
    return apply(op, (g, *more, *dims), {"shape": known})


def _stack_back_eval(xp: Any, g: PersistentArray, *dims: Array, shape: TensorShape) -> Any:
    out = xp.zeros(run_time_dims(dims, shape), g.element.dtype.numpy)
    for i, item in enumerate(g.items()[: len(out)]):
        if item is not None:
            out[i] = item
    return out


_stack_back: Op = primitive(
    "array_stack_gradient",
    lambda g, *dims, shape: TensorSpec(shape, g.element.dtype),
    _stack_back_eval,
    lambda h, out, g, *dims, shape: (lambda: array_unstack(h), *[None for _ in dims]),
)


# --- joined along the first axis ---------------------------------------------------

_lengths = primitive(
    "array_lengths",
    lambda a: TensorSpec((None,), int32),
    lambda xp, a: np.array([0 if v is None else len(v) for v in a.items()], np.int32),
    no_gradient,
    metadata=True,
)


def _concat_infer(a: ArraySpec) -> TensorSpec:
    shape = a.element.shape
    if shape.rank == 0:
        raise ShapeError("scalars can't be concatenated; use stack()")
    joined = UNKNOWN if shape.rank is None else TensorShape((None, *shape[1:]))
    return TensorSpec(joined, a.element.dtype)


def _concat_eval(xp: Any, a: PersistentArray) -> Any:
    items = [v for v in a.items() if v is not None]
    if not items:
        dims = [] if a.element.shape.rank is None else [d or 0 for d in a.element.shape[1:]]
        return xp.zeros((0, *dims), a.element.dtype.numpy)
    try:
        return xp.concatenate(items)
    except ValueError:
        shapes = " and ".join(dict.fromkeys(str(v.shape) for v in items))
        raise ShapeError(f"the items do not fit together: {shapes}") from None


_concat = primitive(
    "array_concat",
    _concat_infer,
    _concat_eval,
    lambda g, out, a: (lambda: array_split(g, apply(_lengths, (a,))),),
    checks=_always,
)


def array_concat(a: Any) -> Tensor:
    """The items joined along their first axis."""
    result: Tensor = apply(_concat, (a,))
    return result


def _split_infer(x: TensorSpec, lengths: TensorSpec) -> ArraySpec:
    if x.shape.rank == 0:
        raise ShapeError("a scalar can't be split")
    shape = UNKNOWN if x.shape.rank is None else TensorShape((None, *x.shape[1:]))
    return ArraySpec(TensorSpec(shape, x.dtype))


def _split_eval(xp: Any, x: Array, lengths: Array) -> PersistentArray:
    if lengths.sum() != len(x) or lengths.min(initial=0) < 0:
        raise ShapeError(f"the lengths {lengths.tolist()} do not add up to {len(x)}")
    items = xp.split(x, np.cumsum(lengths)[:-1]) if lengths.size else []
    return PersistentArray(items, TensorSpec((None, *x.shape[1:]), x.dtype))


_split = primitive(
    "array_split",
    _split_infer,
    _split_eval,
    lambda g, out, x, lengths: (lambda: _filled(_concat_back, x, g, lengths), None),
    checks=_always,
)


def array_split(x: Any, lengths: Any) -> Any:
    """`x` cut along its first axis into items of these lengths."""
    return apply(_split, (convert(x), convert(lengths, hint=int32)))


def _concat_back_eval(
    xp: Any, g: PersistentArray, lengths: Array, *dims: Array, shape: TensorShape
) -> Any:
    out = xp.zeros(run_time_dims(dims, shape), g.element.dtype.numpy)
    ends = np.cumsum(lengths).tolist()
    for item, length, end in zip(g.items(), lengths.tolist(), ends, strict=False):
        if item is not None:
            out[end - length : end] = item
    return out


_concat_back: Op = primitive(
    "array_concat_gradient",
    lambda g, lengths, *dims, shape: TensorSpec(shape, g.element.dtype),
    _concat_back_eval,
    lambda h, out, g, lengths, *dims, shape: (
        lambda: array_split(h, lengths),
        None,
        *[None for _ in dims],
    ),
)


# --- gradients of arrays -----------------------------------------------------------


def array_zeros_like(a: Any) -> Any:
    """The zero gradient of an array: as many items, all missing."""
    return array_new(array_size(a), element=a.spec.element)


def _accumulate_infer(a: ArraySpec, i: TensorSpec, g: TensorSpec) -> ArraySpec:
    _require_index(i)
    _require_item(a, g)
    return a


def _accumulate_eval(xp: Any, a: PersistentArray, i: Array, g: Array) -> PersistentArray:
    index = int(i)
    item = a.get(index)
    return a.set(index, g if item is None else xp.add(item, g))


_accumulate: Op = primitive(
    "array_accumulate",
    _accumulate_infer,
    _accumulate_eval,
    lambda h, out, a, i, g: (h, None, lambda: array_read_gradient(h, i, g)),
)


def array_accumulate(a: Any, i: Any, g: Tensor) -> Any:
    """The array of gradients with `g` added to item `i`."""
    return apply(_accumulate, (a, convert(i), g))


def _add_infer(a: ArraySpec, b: ArraySpec) -> ArraySpec:
    if a.element.dtype is not b.element.dtype:
        raise DTypeError(f"arrays of {a.element.dtype.name} and {b.element.dtype.name} are added")
    if a == b:
        return a
    return ArraySpec(TensorSpec(join_shapes(a.element.shape, b.element.shape), a.element.dtype))


def _add_eval(xp: Any, a: PersistentArray, b: PersistentArray) -> PersistentArray:
    if a.size < b.size:
        a, b = b, a
    for i, item in enumerate(b.items()):
        if item is not None:
            a = _accumulate_eval(xp, a, i, item)  # type: ignore[arg-type]
    return a


_add = primitive("array_add", _add_infer, _add_eval, lambda g, out, a, b: (g, g))


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
)


def _read_gradient_infer(
    a: ArraySpec, i: TensorSpec, *dims: TensorSpec, shape: TensorShape
) -> TensorSpec:
    return TensorSpec(shape, a.element.dtype)


def _read_gradient_eval(
    xp: Any, a: PersistentArray, i: Array, *dims: Array, shape: TensorShape
) -> Any:
    item = a.get(int(i))
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
)


def array_read_gradient(a: Any, i: Any, like: Tensor) -> Tensor:
    """Item `i` of an array of gradients; zeros in the shape of `like` where it is missing."""
    result: Tensor = _filled(_read_gradient, like, a, convert(i))
    return result
