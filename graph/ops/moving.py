"""Ops that move or repeat items: tile, repeat, reverse, roll."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import int32
from ..errors import DTypeError, InvalidArgumentError, OpError, ShapeError
from ..node import Tensor
from ..op import Op, batches, has_no_batches, no_gradient
from ..spec import UNKNOWN, Dim, TensorShape, TensorSpec
from .define import primitive
from .dims import (
    constant_dims,
    constant_ints,
    convert_dims,
    normal_axis,
    packed,
    partial_value,
    refuse,
)
from .gathering import gather
from .joining import concat
from .queries import shape as shape_of
from .reshaping import reshape, reshape_like, sum_to

# --- tile and repeat ---------------------------------------------------------------


def _tile_infer(x: TensorSpec, *dynamic: TensorSpec, multiples: TensorShape) -> TensorSpec:
    if multiples.rank is None or x.shape.rank is None:
        rank = multiples.rank if x.shape.rank is None else x.shape.rank
        return TensorSpec(UNKNOWN if rank is None else [None] * rank, x.dtype)
    if len(multiples) != len(x.shape):
        raise ShapeError(
            f"there are {len(multiples)} multiples, the operand has the shape {x.shape}"
        )
    dims: list[Dim] = [
        0 if 0 in (d, m) else None if d is None or m is None else d * m
        for d, m in zip(x.shape, multiples, strict=True)
    ]
    return TensorSpec(dims, x.dtype)


def _tile_eval(xp: Any, x: Array, *dynamic: Array, multiples: TensorShape) -> Array:
    counts = dynamic[0].tolist() if dynamic else tuple(multiples)
    if len(counts) != x.ndim or min(counts, default=0) < 0:
        raise ShapeError(f"{list(counts)} are no multiples for the shape {x.shape}")
    return xp.tile(x, counts)  # type: ignore[no-any-return]


def _tile_vjp(g: Tensor, out: Tensor, x: Tensor, *dynamic: Tensor, multiples: TensorShape) -> Any:
    def back() -> Tensor:
        rank = len(multiples) if multiples.rank is not None else x.spec.shape.rank
        if rank is None:
            raise InvalidArgumentError("the gradient of tile needs a known rank")
        counts = dynamic[0] if dynamic else multiples
        sizes = shape_of(x, dynamic[0].dtype if dynamic else int32)
        pairs: list[Any] = []
        ones: list[Any] = []
        for i in range(rank):
            known = x.spec.shape[i] if x.spec.shape.rank is not None else None
            size = sizes[i] if known is None else known
            pairs += [counts[i], size]
            ones += [1, size]
        return reshape_like(sum_to(reshape(g, pairs), ones), x)

    return (back, *[None for _ in dynamic])


_tile = primitive(
    "tile",
    _tile_infer,
    _tile_eval,
    _tile_vjp,
    linear=(0,),
    checks=lambda x, *dynamic, multiples: bool(dynamic) or x.spec.shape.rank is None,
)


def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """`input` repeated as a whole, `multiples[i]` times along axis i.

    >>> import treadle as tl
    >>> tl.tile([[1, 2]], [2, 2]).numpy()
    array([[1, 2, 1, 2],
           [1, 2, 1, 2]], dtype=int32)
    """
    x = input if isinstance(input, Tensor) else convert(input)
    multiples = packed(multiples)
    counts = constant_dims(multiples)
    try:
        static = TensorShape(counts)
    except ValueError as error:
        raise refuse(InvalidArgumentError(str(error)), _tile, x) from None
    dynamic = (convert_dims(multiples),) if counts is None or None in counts else ()
    result: Tensor = apply(_tile, (x, *dynamic), {"multiples": static})
    return result


def _repeat_index_eval(xp: Any, counts: Array, *size: Array, total: int | None = None) -> Array:
    if counts.min(initial=0) < 0:
        raise InvalidArgumentError(f"repeats are not negative, these are {counts.tolist()}")
    if counts.ndim == 0 or counts.size == 1:
        counts = xp.broadcast_to(counts.reshape(-1), (int(size[0]),))
    elif size and counts.size != int(size[0]):
        raise ShapeError(f"there are {counts.size} repeats for an axis of size {int(size[0])}")
    return xp.repeat(xp.arange(counts.size, dtype=xp.int32), counts)  # type: ignore[no-any-return]


_repeat_index = primitive(
    "repeat_index",
    lambda counts, size, *, total=None: TensorSpec((total,), "int32"),
    _repeat_index_eval,
    no_gradient,
    checks=lambda counts, size, *, total=None: total is None,
)


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """`input` with each slice along `axis` repeated; without an axis, of its items in one row.

    `repeats` is a count for all slices or one for each.

    >>> import treadle as tl
    >>> tl.repeat([[1, 2], [3, 4]], [1, 2], axis=0).numpy()
    array([[1, 2],
           [3, 4],
           [3, 4]], dtype=int32)
    """
    x = input if isinstance(input, Tensor) else convert(input)
    if axis is None:
        x, axis = reshape(x, [-1]), 0
    counts = convert(repeats)
    size = shape_of(x)[axis]
    known, have = partial_value(counts), x.spec.shape[axis] if x.spec.shape.rank else None
    total = None
    if known is not None and known.dtype != object and have is not None:
        try:
            total = len(_repeat_index_eval(np, known, np.array(have)))
        except OpError as error:
            raise refuse(error, _repeat_index, counts, size) from None
    index = apply(_repeat_index, (counts, size), {"total": total})
    return gather(x, index, axis=axis)


# --- reverse and roll --------------------------------------------------------------


def _reverse_infer(x: TensorSpec, *, axis: tuple[int, ...]) -> TensorSpec:
    if x.shape.rank is not None:
        places = [normal_axis(i, len(x.shape)) for i in axis]
        if len(set(places)) < len(places):
            raise InvalidArgumentError(f"axis {list(axis)} names an axis twice")
    return TensorSpec(x.shape, x.dtype)


_reverse: Op = primitive(
    "reverse",
    _reverse_infer,
    lambda xp, x, *, axis: xp.flip(x, axis),
    lambda g, out, x, *, axis: (lambda: apply(_reverse, (g,), {"axis": axis}),),
    linear=(0,),
)


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """`tensor` in reverse order along each axis in `axis`.

    >>> import treadle as tl
    >>> tl.reverse([[1, 2], [3, 4]], [1]).numpy()
    array([[2, 1],
           [4, 3]], dtype=int32)
    """
    x = tensor if isinstance(tensor, Tensor) else convert(tensor)
    result: Tensor = apply(_reverse, (x,), {"axis": constant_ints(axis, "axis")})
    return result


def _roll_infer(x: TensorSpec, shift: TensorSpec, *, axis: tuple[int, ...]) -> TensorSpec:
    if x.shape.rank is not None:
        for i in axis:
            normal_axis(i, len(x.shape))
    if not shift.dtype.is_integer:
        raise DTypeError(f"shift is an integer, not {shift.dtype.name}")
    if shift.shape.is_fully_defined() and (shift.shape.num_elements() or 0) != len(axis):
        raise ShapeError(f"there are {shift.shape.num_elements()} shifts for {len(axis)} axes")
    return TensorSpec(x.shape, x.dtype)


def _roll_eval(xp: Any, x: Array, shift: Array, *, axis: tuple[int, ...]) -> Array:
    shifts = shift.reshape(-1).tolist()
    if len(shifts) != len(axis):
        raise ShapeError(f"there are {len(shifts)} shifts for {len(axis)} axes")
    return xp.roll(x, shifts, axis)  # type: ignore[no-any-return]


_roll: Op = primitive(
    "roll",
    _roll_infer,
    _roll_eval,
    lambda g, out, x, shift, *, axis: (lambda: apply(_roll, (g, -shift), {"axis": axis}), None),
    linear=(0,),
    checks=lambda x, shift, *, axis: not shift.spec.shape.is_fully_defined(),
)


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """`input` moved by `shift` places along `axis`; what leaves at one end enters at the other.

    >>> import treadle as tl
    >>> tl.roll([1, 2, 3, 4], shift=1, axis=0).numpy()
    array([4, 1, 2, 3], dtype=int32)
    """
    x = input if isinstance(input, Tensor) else convert(input)
    places = constant_ints(axis, "axis")
    result: Tensor = apply(_roll, (x, convert(shift)), {"axis": places})
    return result


# --- of a batch of examples ----------------------------------------------------------

has_no_batches(
    "how often an item is repeated depends on the example, so the sizes of the results do; give "
    "repeats that all examples have",
    _repeat_index,
)


@batches(_tile)
def _batched_tile(
    batch: Any, flags: Any, x: Tensor, *dynamic: Tensor, multiples: TensorShape
) -> Any:
    if any(flags[1:]) or (multiples.rank is None and not dynamic):
        return batch.each(_tile, flags, (x, *dynamic), {"multiples": multiples})
    counts = [concat([convert(np.array([1], d.dtype.numpy)), d], 0) for d in dynamic]
    static = TensorShape(None if multiples.rank is None else [1, *multiples])
    return apply(_tile, (x, *counts), {"multiples": static})


@batches(_reverse)
def _batched_reverse(batch: Any, flags: Any, x: Tensor, *, axis: tuple[int, ...]) -> Any:
    return apply(_reverse, (x,), {"axis": batch.axes(axis, x)})


@batches(_roll)
def _batched_roll(
    batch: Any, flags: Any, x: Tensor, shift: Tensor, *, axis: tuple[int, ...]
) -> Any:
    if flags[1]:
        return batch.each(_roll, flags, (x, shift), {"axis": axis})
    return apply(_roll, (x, shift), {"axis": batch.axes(axis, x)})
