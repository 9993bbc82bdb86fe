"""Arrays of tensors as one tensor, and back: stack, unstack, concat, split."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import int32
from ..errors import ShapeError
from ..node import Tensor
from ..op import Op, no_gradient
from ..persistent import PersistentArray
from ..spec import UNKNOWN, ArraySpec, TensorShape, TensorSpec
from .arrays import always, even, filled, zero_item
from .define import primitive
from .dims import run_time_dims

# --- as one tensor -----------------------------------------------------------------


def _whole_items(xp: Any, a: PersistentArray) -> list[Any]:
    items = a.items()
    for index, item in enumerate(items):
        if item is None:
            like = next((v for v in items if v is not None), None)
            items[index] = zero_item(xp, a, index) if like is None else xp.zeros_like(like)
    return items


def _stack_infer(a: ArraySpec, *, axis: int = 0) -> TensorSpec:
    shape = a.element.shape
    wider = UNKNOWN if shape.rank is None else (*shape[:axis], None, *shape[axis:])
    return TensorSpec(wider, a.element.dtype)


def _stack_eval(xp: Any, a: PersistentArray, *, axis: int = 0) -> Any:
    items = _whole_items(xp, even(a))
    if not items:
        shape = a.element.shape
        dims = [] if shape.rank is None else [d or 0 for d in shape]
        return xp.zeros((*dims[:axis], 0, *dims[axis:]), a.element.dtype.numpy)
    try:
        return xp.stack(items, axis)
    except ValueError:
        shapes = " and ".join(dict.fromkeys(str(v.shape) for v in items))
        raise ShapeError(f"the items differ in shape, they can't be stacked: {shapes}") from None


_stack = primitive(
    "array_stack",
    _stack_infer,
    _stack_eval,
    lambda g, out, a, *, axis=0: (lambda: array_unstack(g, axis),),
    jvp=lambda ts, out, a, *, axis=0: filled(_stack_back, out, ts[0], axis=axis),
    checks=lambda a, *, axis=0: not a.spec.element.shape.is_fully_defined(),
)


def array_stack(a: Any, axis: int = 0) -> Tensor:
    """The items along a new axis, the first; what is missing is zero."""
    result: Tensor = apply(_stack, (a,), {"axis": axis} if axis else {})
    return result


def _unstack_infer(x: TensorSpec, *, axis: int = 0) -> ArraySpec:
    shape = x.shape
    if shape.rank is not None and shape.rank <= axis:
        raise ShapeError("a scalar can't be unstacked")
    return ArraySpec(TensorSpec(shape[:axis] + shape[axis + 1 :], x.dtype))


def _unstack_eval(xp: Any, x: Array, *, axis: int = 0) -> PersistentArray:
    shape = TensorShape(x.shape)
    items = list(xp.moveaxis(x, axis, 0) if axis else x)
    return PersistentArray(items, TensorSpec(shape[:axis] + shape[axis + 1 :], x.dtype))


_unstack: Op = primitive(
    "array_unstack",
    _unstack_infer,
    _unstack_eval,
    lambda g, out, x, *, axis=0: (lambda: filled(_stack_back, x, g, axis=axis),),
    linear=(0,),
    checks=lambda x, *, axis=0: x.spec.shape.rank is None,
)


def array_unstack(x: Any, axis: int = 0) -> Any:
    """The slices along an axis, the first, as an array."""
    return apply(_unstack, (convert(x),), {"axis": axis} if axis else {})


def _stack_back_eval(
    xp: Any, g: PersistentArray, *dims: Array, shape: TensorShape, axis: int = 0
) -> Any:
    out = xp.zeros(run_time_dims(dims, shape), g.element.dtype.numpy)
    rows = xp.moveaxis(out, axis, 0)
    for i, item in enumerate(g.items()[: len(rows)]):
        if item is not None:
            rows[i] = item
    return out


_stack_back: Op = primitive(
    "array_stack_gradient",
    lambda g, *dims, shape, axis=0: TensorSpec(shape, g.element.dtype),
    _stack_back_eval,
    lambda h, out, g, *dims, shape, axis=0: (
        lambda: array_unstack(h, axis),
        *[None for _ in dims],
    ),
    linear=(0,),
)


# --- joined along the first axis ---------------------------------------------------

_lengths = primitive(
    "array_lengths",
    lambda a, *, axis=0: TensorSpec((None,), int32),
    lambda xp, a, *, axis=0: np.array(
        [0 if v is None else v.shape[axis] for v in a.items()], np.int32
    ),
    no_gradient,
    metadata=True,
)


def _freed(shape: TensorShape, axis: int) -> TensorShape:
    """`shape` with any size on an axis."""
    if shape.rank is None:
        return UNKNOWN
    return TensorShape((*shape[:axis], None, *shape[axis + 1 :]))


def _concat_infer(a: ArraySpec, *, axis: int = 0) -> TensorSpec:
    shape = a.element.shape
    if shape.rank is not None and shape.rank <= axis:
        raise ShapeError("scalars can't be concatenated; use stack()")
    return TensorSpec(_freed(shape, axis), a.element.dtype)


def _concat_eval(xp: Any, a: PersistentArray, *, axis: int = 0) -> Any:
    items = [v for v in even(a).items() if v is not None]
    if not items:
        shape = _freed(a.element.shape, axis)
        dims = [0] if shape.rank is None else [d or 0 for d in shape]
        return xp.zeros(dims, a.element.dtype.numpy)
    try:
        return xp.concatenate(items, axis)
    except ValueError:
        shapes = " and ".join(dict.fromkeys(str(v.shape) for v in items))
        raise ShapeError(f"the items do not fit together: {shapes}") from None


def _lengths_of(a: Any, axis: int) -> Any:
    return apply(_lengths, (a,), {"axis": axis} if axis else {})


def _split_back(g: Tensor, a: Any, axis: int) -> Any:
    return apply(_split, (g, _lengths_of(a, axis)), {"axis": axis} if axis else {})


_concat = primitive(
    "array_concat",
    _concat_infer,
    _concat_eval,
    lambda g, out, a, *, axis=0: (lambda: _split_back(g, a, axis),),
    jvp=lambda ts, out, a, *, axis=0: filled(
        _concat_back, out, ts[0], _lengths_of(a, axis), axis=axis
    ),
    checks=always,
)


def array_concat(a: Any) -> Tensor:
    """The items joined along their first axis."""
    result: Tensor = apply(_concat, (a,))
    return result


def _split_infer(x: TensorSpec, lengths: TensorSpec, *, axis: int = 0) -> ArraySpec:
    if x.shape.rank is not None and x.shape.rank <= axis:
        raise ShapeError("a scalar can't be split")
    return ArraySpec(TensorSpec(_freed(x.shape, axis), x.dtype))


def _split_eval(xp: Any, x: Array, lengths: Array, *, axis: int = 0) -> PersistentArray:
    if lengths.sum() != x.shape[axis] or lengths.min(initial=0) < 0:
        raise ShapeError(f"the lengths {lengths.tolist()} do not add up to {x.shape[axis]}")
    items = xp.split(x, np.cumsum(lengths)[:-1], axis) if lengths.size else []
    return PersistentArray(items, TensorSpec(_freed(TensorShape(x.shape), axis), x.dtype))


_split: Op = primitive(
    "array_split",
    _split_infer,
    _split_eval,
    lambda g, out, x, lengths, *, axis=0: (
        lambda: filled(_concat_back, x, g, lengths, axis=axis),
        None,
    ),
    linear=(0,),
    checks=always,
)


def array_split(x: Any, lengths: Any) -> Any:
    """`x` cut along its first axis into items of these lengths."""
    return apply(_split, (convert(x), convert(lengths, hint=int32)))


def _concat_back_eval(
    xp: Any,
    g: PersistentArray,
    lengths: Array,
    *dims: Array,
    shape: TensorShape,
    axis: int = 0,
) -> Any:
    out = xp.zeros(run_time_dims(dims, shape), g.element.dtype.numpy)
    ends = np.cumsum(lengths).tolist()
    front = (slice(None),) * axis
    for item, length, end in zip(g.items(), lengths.tolist(), ends, strict=False):
        if item is not None:
            out[(*front, slice(end - length, end))] = item
    return out


_concat_back: Op = primitive(
    "array_concat_gradient",
    lambda g, lengths, *dims, shape, axis=0: TensorSpec(shape, g.element.dtype),
    _concat_back_eval,
    lambda h, out, g, lengths, *dims, shape, axis=0: (
        lambda: apply(_split, (h, lengths), {"axis": axis} if axis else {}),
        None,
        *[None for _ in dims],
    ),
    linear=(0,),
)
