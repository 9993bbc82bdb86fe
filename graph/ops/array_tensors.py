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
from .arrays import always, filled, zero_item
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
    jvp=lambda ts, out, a: filled(_stack_back, out, ts[0]),
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
    lambda g, out, x: (lambda: filled(_stack_back, x, g),),
    linear=(0,),
    checks=lambda x: x.spec.shape.rank is None,
)


def array_unstack(x: Any) -> Any:
    """The slices along the first axis as an array."""
    return apply(_unstack, (convert(x),))


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
    linear=(0,),
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
    jvp=lambda ts, out, a: filled(_concat_back, out, ts[0], apply(_lengths, (a,))),
    checks=always,
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
    lambda g, out, x, lengths: (lambda: filled(_concat_back, x, g, lengths), None),
    linear=(0,),
    checks=always,
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
    linear=(0,),
)
