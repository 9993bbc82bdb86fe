"""Reshape, broadcast, and the inverse of broadcasting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..build import apply, convert, current
from ..convert import Array
from ..dtypes import int32
from ..errors import DTypeError, ShapeError
from ..node import Tensor
from ..op import OPS, Op, batches, loops_over_batches, no_gradient
from ..spec import UNKNOWN, Dim, TensorShape, TensorSpec, broadcast_shapes
from .define import primitive
from .dims import dims_argument, partial_value, require_dims, run_time_dims, text
from .queries import shape as shape_of


def _reshape_infer(
    x: TensorSpec, *dims: TensorSpec, shape: TensorShape, safe: bool = False
) -> TensorSpec:
    require_dims(dims)
    if shape.rank is None:
        return TensorSpec(UNKNOWN, x.dtype)
    total = x.shape.num_elements()
    known = math.prod(d for d in shape if d is not None)
    unknown = shape.count(None)
    if total is None or unknown > 1:
        if total is not None and (total % known if known else total):
            raise _unequal(x.shape, shape)
        return TensorSpec(shape, x.dtype)
    if unknown:
        if not known and not total:
            if not dims:
                raise ShapeError(f"the size that -1 stands for in {text(shape)} is not determined")
            return TensorSpec(shape, x.dtype)
        if not known or total % known:
            raise _unequal(x.shape, shape)
        return TensorSpec([total // known if d is None else d for d in shape], x.dtype)
    if total != known:
        raise _unequal(x.shape, shape)
    return TensorSpec(shape, x.dtype)


def _unequal(old: Any, new: Any) -> ShapeError:
    have = math.prod(old)
    want = math.prod(d for d in new if d not in (None, -1))
    more = "" if want == math.prod(d or 0 for d in new) else "a multiple of "
    return ShapeError(f"the shape {text(old)} has {have} items, {text(new)} needs {more}{want}")


def _reshape_eval(xp: Any, x: Array, *dims: Array, shape: TensorShape, safe: bool = False) -> Array:
    if dims:
        target = tuple(dims[0].reshape(-1).tolist())
    else:
        target = tuple([-1 if d is None else d for d in shape])
    try:
        return x.reshape(target)
    except ValueError:
        raise _unequal(x.shape, target) from None


def _reshape_may_fail(x: Tensor, *dims: Tensor, shape: TensorShape, safe: bool = False) -> bool:
    if safe:
        return False
    old = x.spec.shape
    if dims or shape.rank is None or old.rank is None:
        return True
    if old.is_fully_defined():
        return False
    known = math.prod(d for d in shape if d is not None)
    have = math.prod(d for d in old if d is not None)
    return None not in tuple(shape) or not known or have % known != 0


def _reshape_vjp(g: Tensor, out: Tensor, x: Tensor, *dims: Tensor, **attrs: Any) -> Any:
    return (lambda: reshape_like(g, x), *[None for _ in dims])


_reshape: Op = primitive("reshape", _reshape_infer, _reshape_eval, _reshape_vjp,
                     jvp=lambda ts, out, x, *dims, **attrs: reshape_like(ts[0], out),
                     checks=_reshape_may_fail)  # fmt: skip


SIZES_DIFFER = "the sizes that it makes depend on the example; give sizes that all examples have"


@batches(_reshape)
def _batched_reshape(
    batch: Any, flags: Any, x: Tensor, *dims: Tensor, shape: TensorShape, safe: bool = False
) -> Any:
    if any(flags[1:]):
        raise batch.refuse("reshape", SIZES_DIFFER)
    old = batch.example(x.spec)
    if not dims and old.shape.is_fully_defined():
        shape = _reshape_infer(old, shape=shape).shape
    if dims or shape.is_fully_defined() or batch.count:
        static, sizes = (shape, dims) if dims or None not in shape else (shape, None)
        if sizes is None:  # one size follows from the others
            return apply(_reshape, (x,), {"shape": batch.shape(static)})
        static, sizes = batch.dims(static, sizes)
        attrs = {"shape": static, "safe": True} if safe else {"shape": static}
        return apply(_reshape, (x, *sizes), attrs)
    known = math.prod(d for d in shape if d is not None)
    total = apply(OPS["reduce_prod"], (batch.sizes(x),), {"axis": None, "keepdims": False})
    rest = apply(OPS["floordiv"], (total, convert(np.array(max(known, 1), np.int32))))
    pieces = [rest if d is None else convert(np.array(d, np.int32)) for d in shape]
    static, sizes = batch.dims(shape, (apply(OPS["stack"], pieces, {"axis": 0}),))
    return apply(_reshape, (x, *sizes), {"shape": static})


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """The items of `tensor`, in order, in another shape.

    One size may be -1: it follows from the others. ShapeError where the numbers of items differ.

    >>> import treadle as tl
    >>> tl.reshape([1, 2, 3, 4, 5, 6], [2, -1]).numpy()
    array([[1, 2, 3],
           [4, 5, 6]], dtype=int32)
    """
    x = tensor if isinstance(tensor, Tensor) else convert(tensor)
    static, dims = dims_argument(shape, wildcard=True)
    if dims and x.spec.shape.is_fully_defined() and static.rank and static.count(None) == 1:
        static = _reshape_infer(x.spec, *[d.spec for d in dims], shape=static).shape
    result: Tensor = apply(_reshape, (x, *dims), {"shape": static})
    return result


def reshape_like(x: Tensor, like: Tensor) -> Tensor:
    """`x` in the shape of `like`, which is known to have as many items."""
    known = like.spec.shape
    dims = () if known.is_fully_defined() else (shape_of(like),)
    result: Tensor = apply(_reshape, (x, *dims), {"shape": known, "safe": True})
    return result


# --- broadcasting and its inverse --------------------------------------------------


def _broadcast_infer(
    x: TensorSpec, *dims: TensorSpec, shape: TensorShape, safe: bool = False
) -> TensorSpec:
    require_dims(dims)
    if shape.rank is None or x.shape.rank is None:
        return TensorSpec(shape, x.dtype)
    if len(x.shape) > len(shape):
        raise ShapeError(f"the shape {x.shape} has more axes than {text(shape)}")
    out: list[Dim] = list(shape)
    for axis in range(1, len(x.shape) + 1):
        have, want = x.shape[-axis], out[-axis]
        if want is None:
            out[-axis] = None if have == 1 else have
        elif have not in (None, 1, want):
            raise ShapeError(f"the shape {x.shape} does not broadcast to {text(shape)}")
    return TensorSpec(out, x.dtype)


def _broadcast_eval(
    xp: Any, x: Array, *dims: Array, shape: TensorShape, safe: bool = False
) -> Array:
    target = run_time_dims(dims, shape)
    try:
        return xp.broadcast_to(x, target)  # type: ignore[no-any-return]
    except ValueError:
        raise ShapeError(f"the shape {x.shape} does not broadcast to {target}") from None


def _broadcast_may_fail(x: Tensor, *dims: Tensor, shape: TensorShape, safe: bool = False) -> bool:
    old = x.spec.shape
    if safe or old.rank == 0:
        return False
    if old.rank is None or shape.rank is None or len(old) > len(shape):
        return True
    return any(a is None or (a != 1 and b is None)
               for a, b in zip(old[::-1], shape[::-1], strict=False))  # fmt: skip


def _broadcast_vjp(g: Tensor, out: Tensor, x: Tensor, *dims: Tensor, **attrs: Any) -> Any:
    return (lambda: sum_to_like(g, x), *[None for _ in dims])


_broadcast_to: Op = primitive("broadcast_to", _broadcast_infer, _broadcast_eval, _broadcast_vjp,
                          jvp=lambda ts, out, x, *dims, **attrs: broadcast_like(ts[0], out),
                          checks=_broadcast_may_fail)  # fmt: skip


@batches(_broadcast_to)
def _batched_broadcast(
    batch: Any, flags: Any, x: Tensor, *dims: Tensor, shape: TensorShape, safe: bool = False
) -> Any:
    if any(flags[1:]):
        raise batch.refuse("broadcast_to", SIZES_DIFFER)
    x = batch.grown_to(x, shape, dims)
    static, sizes = batch.dims(shape, dims)
    attrs = {"shape": static, "safe": True} if safe else {"shape": static}
    return apply(_broadcast_to, (x, *sizes), attrs)


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """`input` repeated along axes of size 1 (and new ones in front) until it has `shape`.

    ShapeError where it does not broadcast to it.

    >>> import treadle as tl
    >>> tl.broadcast_to([1, 2, 3], [2, 3]).numpy()
    array([[1, 2, 3],
           [1, 2, 3]], dtype=int32)
    """
    x = input if isinstance(input, Tensor) else convert(input)
    static, dims = dims_argument(shape)
    result: Tensor = apply(_broadcast_to, (x, *dims), {"shape": static})
    return result


def broadcast_like(x: Tensor, like: Tensor) -> Tensor:
    """`x` broadcast to the shape of `like`, to which it is known to broadcast."""
    known = like.spec.shape
    dims = () if known.is_fully_defined() else (shape_of(like),)
    result: Tensor = apply(_broadcast_to, (x, *dims), {"shape": known, "safe": True})
    return result


def _sum_to_infer(g: TensorSpec, *dims: TensorSpec, shape: TensorShape) -> TensorSpec:
    require_dims(dims)
    return TensorSpec(shape, g.dtype)


def _sum_to_eval(xp: Any, g: Array, *dims: Array, shape: TensorShape) -> Array:
    target = run_time_dims(dims, shape)
    if g.shape == target:
        return g
    extra = g.ndim - len(target)
    ones = [i + extra for i, d in enumerate(target) if d == 1 and g.shape[i + extra] != 1]
    axes = (*range(extra), *ones)
    total = g.sum(axis=axes, dtype=g.dtype)
    return total.reshape(target)  # type: ignore[no-any-return]


def _sum_to_vjp(g: Tensor, out: Tensor, x: Tensor, *dims: Tensor, **attrs: Any) -> Any:
    return (lambda: broadcast_like(g, x), *[None for _ in dims])


_sum_to: Op = primitive("sum_to", _sum_to_infer, _sum_to_eval, _sum_to_vjp, linear=(0,))


@batches(_sum_to)
def _batched_sum_to(batch: Any, flags: Any, g: Tensor, *dims: Tensor, shape: TensorShape) -> Any:
    if any(flags[1:]):
        raise batch.refuse("the adjoint of a broadcast", SIZES_DIFFER)
    have, wanted = g.spec.shape.rank, shape.rank
    if have is None or wanted is None:
        return batch.each(_sum_to, flags, (g, *dims), {"shape": shape})
    static, sizes = batch.dims(shape, dims)
    extra = have - 1 - wanted
    if extra:
        attrs = {"axis": tuple(range(1, 1 + extra)), "keepdims": False}
        g = apply(OPS["reduce_sum"], (g,), attrs)
    if g.spec.shape == static and static.is_fully_defined():
        return g
    return apply(_sum_to, (g, *sizes), {"shape": static})


def sum_to(g: Tensor, shape: Any) -> Tensor:
    """Undo a broadcast from `shape` to that of `g`, by adding up: the adjoint of broadcasting."""
    static, dims = dims_argument(shape)
    if not dims and g.spec.shape == static:
        return g
    result: Tensor = apply(_sum_to, (g, *dims), {"shape": static})
    return result


def sum_to_like(g: Tensor, like: Tensor) -> Tensor:
    """`sum_to(g, shape_of(like))`, with all that is known of the shape."""
    known = like.spec.shape
    if known.is_fully_defined():
        if g.spec.shape == known:
            return g
        result: Tensor = apply(_sum_to, (g,), {"shape": known})
    else:
        result = apply(_sum_to, (g, shape_of(like)), {"shape": known})
    return result


# --- the shapes that broadcasting gives --------------------------------------------


def broadcast_static_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """The shape that two known shapes broadcast to; ShapeError (a ValueError) if there is none.

    >>> import treadle as tl
    >>> tl.broadcast_static_shape(tl.TensorShape([2, 1]), tl.TensorShape([3]))
    TensorShape([2, 3])
    """
    return broadcast_shapes(TensorShape(shape_x), TensorShape(shape_y))


def _dynamic_eval(xp: Any, x: Array, y: Array) -> Array:
    try:
        return np.array(np.broadcast_shapes(tuple(x.tolist()), tuple(y.tolist())), x.dtype)
    except ValueError:
        raise ShapeError(
            f"shapes {tuple(x.tolist())} and {tuple(y.tolist())} do not broadcast"
        ) from None


def _dynamic_infer(x: TensorSpec, y: TensorSpec) -> TensorSpec:
    if x.dtype is not y.dtype:
        raise DTypeError(f"dtypes {x.dtype.name} and {y.dtype.name} are mixed")
    sizes = [s.shape[0] if s.shape.rank else None for s in (x, y)]
    return TensorSpec([None if None in sizes else max(d or 0 for d in sizes)], x.dtype)


_broadcast_shape = primitive(
    "broadcast_shape", _dynamic_infer, _dynamic_eval, no_gradient, checks=lambda x, y: True
)
loops_over_batches(_broadcast_shape)


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """The shape that two shapes, given as 1-D integer tensors, broadcast to when the program runs.

    >>> import treadle as tl
    >>> tl.broadcast_dynamic_shape([2, 1], [3]).numpy()
    array([2, 3], dtype=int32)
    """
    x, y = convert(shape_x, hint=int32), convert(shape_y, hint=int32)
    known = [partial_value(v) for v in (x, y)]
    if all(v is not None and v.dtype != object for v in known):
        folded = _dynamic_eval(np, *known)  # type: ignore[arg-type]
        return current().constant(folded)
    result: Tensor = apply(_broadcast_shape, (x, y))
    return result
