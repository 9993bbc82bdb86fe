"""Ops that order, add and drop axes, and ops that leave a tensor as it is."""

from __future__ import annotations

from typing import Any

from ..build import apply, convert
from ..convert import Array
from ..dtypes import DType, as_dtype
from ..errors import DTypeError, InvalidArgumentError, ShapeError
from ..node import Tensor
from ..op import OPS, Op, batches, no_gradient
from ..spec import UNKNOWN, TensorShape, TensorSpec, covers
from .define import batches_along_axis, batches_as_they_are, batches_in_step, primitive
from .dims import constant_ints, normal_axis, refuse, text
from .reshaping import reshape_like


def _transpose_infer(x: TensorSpec, *, perm: tuple[int, ...] | None) -> TensorSpec:
    if x.shape.rank is None:
        return TensorSpec([None] * len(perm) if perm is not None else UNKNOWN, x.dtype)
    if perm is None:
        return TensorSpec(x.shape[::-1], x.dtype)
    if sorted(perm) != list(range(len(x.shape))):
        raise InvalidArgumentError(
            f"perm {list(perm)} is no order of the {len(x.shape)} axes of the operand"
        )
    return TensorSpec([x.shape[i] for i in perm], x.dtype)


def _transpose_vjp(g: Tensor, out: Tensor, x: Tensor, *, perm: tuple[int, ...] | None) -> Any:
    if perm is None:
        return (lambda: apply(_transpose, (g,), {"perm": None}),)
    inverse = tuple([perm.index(i) for i in range(len(perm))])
    return (lambda: apply(_transpose, (g,), {"perm": inverse}),)


_transpose: Op = primitive(
    "transpose",
    _transpose_infer,
    lambda xp, x, *, perm: x.transpose(perm),
    _transpose_vjp,
    linear=(0,),
)


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = None) -> Tensor:
    """`a` with its axes in the order `perm`; reversed by default.

    `conjugate` also conjugates complex items.

    >>> import treadle as tl
    >>> tl.transpose([[1, 2, 3], [4, 5, 6]]).numpy()
    array([[1, 4],
           [2, 5],
           [3, 6]], dtype=int32)
    """
    x = a if isinstance(a, Tensor) else convert(a)
    rank = x.spec.shape.rank
    order = None if perm is None else constant_ints(perm, "perm")
    if order is not None:
        try:
            order = tuple([normal_axis(i, rank, "perm") for i in order])
        except InvalidArgumentError as error:
            raise refuse(error, _transpose, x) from None
        if rank is None and min(order, default=0) < 0:
            order = tuple([i % len(order) for i in order])
    result: Tensor = apply(_transpose, (x,), {"perm": order})
    if conjugate and result.dtype.is_complex:
        result = apply(OPS["conj"], (result,))
    return result


def _expand_infer(x: TensorSpec, *, axis: int) -> TensorSpec:
    if x.shape.rank is None:
        return TensorSpec(UNKNOWN, x.dtype)
    axis = normal_axis(axis, len(x.shape) + 1)
    return TensorSpec((*x.shape[:axis], 1, *x.shape[axis:]), x.dtype)


def _expand_eval(xp: Any, x: Array, *, axis: int) -> Array:
    place = axis if axis >= 0 else axis + x.ndim + 1
    return x[(*(slice(None),) * place, None)]


_expand_dims = primitive(
    "expand_dims",
    _expand_infer,
    _expand_eval,
    lambda g, out, x, *, axis: (lambda: apply(_squeeze, (g,), {"axis": (axis,)}),),
    linear=(0,),
)


def expand_dims(input: Any, axis: Any, name: str | None = None) -> Tensor:
    """`input` with a new axis of size 1 at place `axis`.

    >>> import treadle as tl
    >>> tl.expand_dims([1, 2, 3], -1).shape
    TensorShape([3, 1])
    """
    x = input if isinstance(input, Tensor) else convert(input)
    result: Tensor = apply(_expand_dims, (x,), {"axis": constant_int_axis(axis)})
    return result


def constant_int_axis(axis: Any) -> int:
    """An axis given as a Python int or a constant tensor."""
    return axis if type(axis) is int else constant_ints(axis, "axis")[0]


def _squeeze_infer(x: TensorSpec, *, axis: tuple[int, ...]) -> TensorSpec:
    old = x.shape
    if old.rank is None or (not axis and not old.is_fully_defined()):
        return TensorSpec(UNKNOWN, x.dtype)
    gone = {normal_axis(i, len(old)) for i in axis}
    for i in gone:
        if old[i] not in (1, None):
            raise _not_one(i, old)
    return TensorSpec(
        [d for i, d in enumerate(old) if (i not in gone if axis else d != 1)], x.dtype
    )


def _not_one(axis: int, shape: Any) -> ShapeError:
    return ShapeError(f"axis {axis} of the shape {shape} has size {shape[axis]}, not 1")


def _squeeze_eval(xp: Any, x: Array, *, axis: tuple[int, ...]) -> Array:
    for i in axis:
        if x.shape[i] != 1:
            raise _not_one(i, x.shape)
    return x.squeeze(axis or None)


def _squeeze_may_fail(x: Tensor, *, axis: tuple[int, ...]) -> bool:
    old = x.spec.shape
    return bool(axis) and (old.rank is None or any(old[i] is None for i in axis))


_squeeze: Op = primitive(
    "squeeze",
    _squeeze_infer,
    _squeeze_eval,
    lambda g, out, x, *, axis: (lambda: reshape_like(g, x),),
    linear=(0,),
    checks=_squeeze_may_fail,
)


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """`input` without its axes of size 1, or without those in `axis` (which must have size 1).

    >>> import treadle as tl
    >>> tl.squeeze(tl.zeros([1, 2, 1, 3]), axis=[2]).shape
    TensorShape([1, 2, 3])
    """
    x = input if isinstance(input, Tensor) else convert(input)
    axes = () if axis is None else constant_ints(axis, "axis")
    result: Tensor = apply(_squeeze, (x,), {"axis": axes})
    return result


# --- as it is ----------------------------------------------------------------------

_identity = primitive("identity", lambda x: x, lambda xp, x: x, lambda g, out, x: (g,), linear=(0,))
_stop = primitive("stop_gradient", lambda x: x, lambda xp, x: x, no_gradient)


def identity(input: Any, name: str | None = None) -> Tensor:
    """A tensor of the same value; of a variable, its value now.

    >>> import treadle as tl
    >>> tl.identity(3.).numpy()
    np.float32(3.0)
    """
    result: Tensor = apply(_identity, (convert(input),))
    return result


def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """The value of `input`, which gradients take as a constant.

    >>> import treadle as tl
    >>> x = tl.constant(3.)
    >>> with tl.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * tl.stop_gradient(x)
    >>> float(tape.gradient(y, x))
    3.0
    """
    result: Tensor = apply(_stop, (convert(input),))
    return result


def _ensure_infer(x: TensorSpec, *, shape: TensorShape) -> TensorSpec:
    if not x.shape.is_compatible_with(shape):
        raise ShapeError(f"the shape {x.shape} is not compatible with {text(shape)}")
    return TensorSpec(x.shape.merge_with(shape), x.dtype)


def _ensure_eval(xp: Any, x: Array, *, shape: TensorShape) -> Array:
    if not shape.is_compatible_with(x.shape):
        raise ShapeError(f"the shape {x.shape} is not compatible with {text(shape)}")
    return x


_ensure_shape = primitive(
    "ensure_shape",
    _ensure_infer,
    _ensure_eval,
    lambda g, out, x, *, shape: (g,),
    jvp=lambda ts, out, x, *, shape: ts[0],
    checks=lambda x, *, shape: not covers(shape, x.spec.shape),
)


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """`x`, checked when the program runs to have a shape that fits `shape` (None fits any size).

    While tracing the result has all that `shape` tells. ShapeError where it does not fit.

    >>> import treadle as tl
    >>> tl.ensure_shape([[1, 2]], [None, 2]).shape
    TensorShape([1, 2])
    """
    result: Tensor = apply(_ensure_shape, (convert(x),), {"shape": TensorShape(shape)})
    return result


def _bitcast_infer(x: TensorSpec, *, type: DType) -> TensorSpec:
    have, want = x.dtype.size, type.size
    if x.dtype.kind in "Ob" or type.kind in "Ob":
        raise DTypeError(f"the bits of {x.dtype.name} can't be taken as {type.name}")
    if x.shape.rank is None or have == want:
        return TensorSpec(x.shape, type)
    if have > want:
        return TensorSpec((*x.shape, have // want), type)
    if not x.shape.rank or x.shape[-1] not in (None, want // have):
        raise ShapeError(
            f"{want // have} items of {x.dtype.name} make one of {type.name}: the last axis "
            f"of the shape {x.shape} must have this size"
        )
    return TensorSpec(x.shape[:-1], type)


def _bitcast_eval(xp: Any, x: Array, *, type: DType) -> Array:
    have, want = x.dtype.itemsize, type.size
    x = xp.ascontiguousarray(x).reshape(x.shape)
    if have > want:
        return x.reshape((*x.shape, 1)).view(type.numpy)
    return x.view(type.numpy) if have == want else x.view(type.numpy).reshape(x.shape[:-1])


_bitcast = primitive(
    "bitcast",
    _bitcast_infer,
    _bitcast_eval,
    no_gradient,
    checks=lambda x, *, type: (
        x.dtype.size < type.size and (not x.spec.shape.rank or x.spec.shape[-1] is None)
    ),
)


def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """The bits of `input` taken as another dtype.

    A wider dtype is made of all items of the last axis, a narrower one adds a last axis.

    >>> import treadle as tl
    >>> hex(int(tl.bitcast(1.0, tl.uint32)))
    '0x3f800000'
    """
    result: Tensor = apply(_bitcast, (convert(input),), {"type": as_dtype(type)})
    return result


# --- of a batch of examples ----------------------------------------------------------

batches_along_axis(_expand_dims)
batches_in_step(_identity, _stop)


@batches(_transpose)
def _batched_transpose(batch: Any, flags: Any, x: Tensor, *, perm: tuple[int, ...] | None) -> Any:
    rank = x.spec.shape.rank
    if perm is None and rank is None:
        return batch.each(_transpose, flags, (x,), {"perm": None})
    order = perm if perm is not None else tuple(range((rank or 1) - 1))[::-1]
    return apply(_transpose, (x,), {"perm": (0, *[i + 1 for i in order])})


@batches(_squeeze)
def _batched_squeeze(batch: Any, flags: Any, x: Tensor, *, axis: tuple[int, ...]) -> Any:
    shape = x.spec.shape
    if not axis:
        if shape.rank is None or None in tuple(shape[1:]):
            return batch.each(_squeeze, flags, (x,), {"axis": axis})
        axis = tuple([i for i, d in enumerate(shape[1:]) if d == 1])
        if not axis:
            return x
    return apply(_squeeze, (x,), {"axis": tuple([batch.axis(i) for i in axis])})


@batches(_ensure_shape)
def _batched_ensure(batch: Any, flags: Any, x: Tensor, *, shape: TensorShape) -> Any:
    return apply(_ensure_shape, (x,), {"shape": batch.shape(shape)})


batches_as_they_are(_bitcast)
