"""Slices: all of Python's `x[...]` with integers, slices, None and Ellipsis, and `tl.slice`.

The op `strided_slice` has the index as text, `key="0, 1:, $0:$1"`; `$n` is its n-th extra input, an
integer scalar.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..errors import DTypeError, IndexOutOfRangeError, InvalidArgumentError, OpError, ShapeError
from ..node import Tensor
from ..op import OPS, Op, batches
from ..spec import UNKNOWN, Dim, TensorShape, TensorSpec
from .define import primitive
from .dims import constant_dims, convert_dims, packed, refuse, run_time_dims
from .queries import shape as shape_of


class Input(NamedTuple):
    """The place of a bound that is an input."""

    number: int


Bound = int | Input | None


class Span(NamedTuple):
    """A slice whose bounds may be inputs."""

    start: Bound
    stop: Bound
    step: Bound


Item = int | Input | Span | EllipsisType | None


def _bound(text: str) -> Bound:
    text = text.strip()
    if not text:
        return None
    return Input(int(text[1:])) if text[0] == "$" else int(text)


@lru_cache(4096)
def parse_key(key: str) -> tuple[Item, ...]:
    """The items of an index in text form."""
    items: list[Item] = []
    for part in filter(None, (p.strip() for p in key.split(","))):
        if part == "...":
            items.append(...)
        elif part == "None":
            items.append(None)
        elif ":" in part:
            items.append(Span(*(*map(_bound, part.split(":")), None)[:3]))
        else:
            items.append(_bound(part))
    return tuple(items)


@lru_cache(4096)
def _static_index(key: str) -> Any:
    """The index as NumPy takes it, or None where inputs belong in it."""
    return None if "$" in key else _numpy_index(key, ())


def _numpy_index(key: str, bounds: Sequence[int]) -> Any:
    def value(b: Bound) -> int | None:
        return bounds[b.number] if isinstance(b, Input) else b

    items = parse_key(key)
    index: list[Any] = []
    for item in items:
        if isinstance(item, Span):
            index.append(slice(*map(value, item)))
        else:
            index.append(bounds[item.number] if isinstance(item, Input) else item)
    # With an Ellipsis NumPy gives a view even where a single item is left.
    return tuple(index if ... in items else [*index, ...])


def _axes(items: Sequence[Item], rank: int) -> list[int | None]:
    """The axis that each item is about; for the Ellipsis the first of those it stands for."""
    count = sum(item is not None and item is not ... for item in items)
    if count > rank:
        raise InvalidArgumentError(f"there are {count} indices for {rank} axes")
    if sum(item is ... for item in items) > 1:
        raise InvalidArgumentError("an index has one '...' at most")
    axes: list[int | None] = []
    axis = 0
    for item in items:
        axes.append(None if item is None else axis)
        axis += 0 if item is None else rank - count if item is ... else 1
    return axes


def _length(span: Span, size: Dim) -> Dim:
    if span.step == 0:
        raise InvalidArgumentError("the step of a slice must not be 0")
    if any(isinstance(b, Input) for b in span):
        return None
    if size is not None:
        return len(range(*slice(*span).indices(size)))
    # Of an axis of unknown size only an empty slice is known: x[3:3].
    start, stop, step = span
    forward = (step or 1) > 0  # type: ignore[operator]
    if stop == 0 and forward and (start is None or start >= 0):  # type: ignore[operator]
        return 0
    return None


def _infer(x: TensorSpec, *bounds: TensorSpec, key: str) -> TensorSpec:
    for b in bounds:
        if not b.dtype.is_integer or b.shape.rank not in (0, None):
            raise DTypeError(f"an index is an integer scalar, not {b}")
    if x.shape.rank is None:
        return TensorSpec(UNKNOWN, x.dtype)
    return TensorSpec(_result_shape(tuple(x.shape), key), x.dtype)


@lru_cache(4096)
def _result_shape(old: tuple[Dim, ...], key: str) -> TensorShape:
    items = parse_key(key)
    axes = _axes(items, len(old))
    dims: list[Dim] = []
    end = 0
    for item, axis in zip(items, axes, strict=True):
        if axis is None:
            dims.append(1)
            continue
        end = axis + 1
        if item is ...:
            end = axis + len(old) - sum(i is not None and i is not ... for i in items)
            dims.extend(old[axis:end])
        elif isinstance(item, Span):
            dims.append(_length(item, old[axis]))
        elif isinstance(item, int):
            _require_in_range(item, axis, old[axis])
    if ... not in items:
        dims.extend(old[end:])
    return TensorShape(dims)


def _require_in_range(index: int, axis: int, size: Dim) -> None:
    if size is not None and not -size <= index < size:
        raise IndexOutOfRangeError(f"index {index} is out of range for axis {axis} of size {size}")


def _eval(xp: Any, x: Array, *bounds: Array, key: str) -> Array:
    index = _static_index(key)
    if index is None:
        index = _numpy_index(key, [int(b) for b in bounds])
    try:
        return x[index]  # type: ignore[no-any-return]
    except (IndexError, ValueError):
        raise _failure(x.shape, key, [int(b) for b in bounds]) from None


def _failure(shape: tuple[int, ...], key: str, bounds: Sequence[int]) -> OpError:
    """The error in words: which index misses which axis."""
    items = parse_key(key)
    try:
        for item, axis in zip(items, _axes(items, len(shape)), strict=True):
            if isinstance(item, (int, Input)) and axis is not None:
                index = bounds[item.number] if isinstance(item, Input) else item
                _require_in_range(index, axis, shape[axis])
    except OpError as error:
        return error
    return InvalidArgumentError("the step of a slice must not be 0")


def _may_fail(x: Tensor, *bounds: Tensor, key: str) -> bool:
    shape = x.spec.shape
    if shape.rank is None:
        return True
    items = parse_key(key)
    for item, axis in zip(items, _axes(items, len(shape)), strict=True):
        if isinstance(item, Input) or (isinstance(item, Span) and isinstance(item.step, Input)):
            return True
        if isinstance(item, int) and axis is not None and shape[axis] is None:
            return True
    return False


def _vjp(g: Tensor, out: Tensor, x: Tensor, *bounds: Tensor, key: str) -> Any:
    def back() -> Tensor:
        known = x.spec.shape
        dims = () if known.is_fully_defined() else (shape_of(x),)
        result: Tensor = apply(_slice_grad, (g, *bounds, *dims), {"key": key, "shape": known})
        return result

    return (back, *[None for _ in bounds])


_strided_slice: Op = primitive(
    "strided_slice", _infer, _eval, _vjp, linear=(0,), checks=_may_fail, display="indexing"
)


def _grad_eval(xp: Any, g: Array, *more: Array, key: str, shape: TensorShape) -> Array:
    dims = () if shape.is_fully_defined() else more[-1:]
    out = xp.zeros(run_time_dims(dims, shape), g.dtype)
    out[
        _static_index(key) or _numpy_index(key, [int(b) for b in more[: len(more) - len(dims)]])
    ] = g
    return out  # type: ignore[no-any-return]


def _grad_vjp(
    h: Tensor, out: Tensor, g: Tensor, *more: Tensor, key: str, shape: TensorShape
) -> Any:
    bounds = more if shape.is_fully_defined() else more[:-1]
    return (
        lambda: apply(_strided_slice, (h, *bounds), {"key": key}),
        *[None for _ in more],
    )


_slice_grad: Op = primitive(
    "slice_grad",
    lambda g, *more, key, shape: TensorSpec(shape, g.dtype),
    _grad_eval,
    _grad_vjp,
    linear=(0,),
)


def index(x: Tensor, key: str, bounds: Sequence[Tensor] = ()) -> Tensor:
    """`x[key]`, where `$n` in the text `key` stands for `bounds[n]`."""
    result: Tensor = apply(_strided_slice, (x, *bounds), {"key": key})
    return result


# --- slices by begin and size ------------------------------------------------------


def _slice_infer(
    x: TensorSpec, begin: TensorSpec, size: TensorSpec, *, shape: TensorShape
) -> TensorSpec:
    for spec in (begin, size):
        if not spec.dtype.is_integer or spec.shape.rank not in (1, None):
            raise DTypeError(f"begin and size are 1-D tensors of integers, not {spec}")
        length = spec.shape[0] if spec.shape.rank else None
        if x.shape.rank is not None and length not in (None, len(x.shape)):
            raise ShapeError(f"begin and size have {length} items, the operand has {x.shape}")
    return TensorSpec(shape, x.dtype)


def _slice_eval(xp: Any, x: Array, begin: Array, size: Array, *, shape: TensorShape) -> Array:
    first, count = begin.tolist(), size.tolist()
    if len(first) != x.ndim or len(count) != x.ndim:
        raise ShapeError(f"begin and size have {len(first)} items, the operand has {x.shape}")
    return x[_box(first, count, x.shape)]


def _box(begin: Sequence[int], size: Sequence[int], shape: Sequence[int]) -> tuple[slice, ...]:
    spans = []
    for axis, (b, s, d) in enumerate(zip(begin, size, shape, strict=True)):
        end = d if s == -1 else b + s
        if b < 0 or s < -1 or not b <= end <= d:
            raise IndexOutOfRangeError(
                f"begin {b} and size {s} do not lie within axis {axis} of size {d}"
            )
        spans.append(slice(b, end))
    return tuple(spans)


def _slice_vjp(
    g: Tensor, out: Tensor, x: Tensor, begin: Tensor, size: Tensor, *, shape: TensorShape
) -> Any:
    def back() -> Tensor:
        known = x.spec.shape
        dims = () if known.is_fully_defined() else (shape_of(x),)
        result: Tensor = apply(_slice_back, (g, begin, *dims), {"shape": known})
        return result

    return back, None, None


_slice: Op = primitive(
    "slice",
    _slice_infer,
    _slice_eval,
    _slice_vjp,
    linear=(0,),
    checks=lambda *values, **attrs: True,
)


def _slice_back_eval(xp: Any, g: Array, begin: Array, *dims: Array, shape: TensorShape) -> Array:
    out = xp.zeros(run_time_dims(dims, shape), g.dtype)
    out[_box(begin.tolist(), g.shape, out.shape)] = g
    return out  # type: ignore[no-any-return]


_slice_back: Op = primitive(
    "slice_back",
    lambda g, begin, *dims, shape: TensorSpec(shape, g.dtype),
    _slice_back_eval,
    lambda h, out, g, begin, *dims, shape: (
        lambda: slice_(h, begin, shape_of(g)),
        None,
        *[None for _ in dims],
    ),
    linear=(0,),
)


def slice_(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """The part of `input_` that starts at `begin` and has the shape `size`; -1 is all that is left.

    IndexOutOfRangeError where it does not lie within the tensor.

    >>> import treadle as tl
    >>> tl.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1]).numpy()
    array([[2, 3],
           [5, 6]], dtype=int32)
    """
    x = input_ if isinstance(input_, Tensor) else convert(input_)
    begin, size = packed(begin), packed(size)
    first, count = constant_dims(begin), constant_dims(size)
    old = x.spec.shape
    dims: list[Dim] | None = None
    if count is not None and (first is None or len(first) == len(count)):
        first = [None] * len(count) if first is None else first
        sizes = [None] * len(count) if old.rank is None else list(old)
        if len(sizes) == len(count):
            dims = [
                s if s != -1 else None if d is None or b is None else max(0, d - b)
                for b, s, d in zip(first, count, sizes, strict=True)
            ]
            if None not in (*first, *count) and old.is_fully_defined():
                try:
                    spans = _box(first, count, old)  # type: ignore[arg-type]
                except OpError as error:
                    raise refuse(error, _slice, x) from None
                return index(x, ", ".join(f"{s.start}:{s.stop}" for s in spans))
    static = TensorShape(None if old.rank is None else [None] * len(old))
    static = static if dims is None else TensorShape(dims)
    begin, size = convert_dims(begin), convert_dims(size)
    result: Tensor = apply(_slice, (x, begin, size), {"shape": static})
    return result


# --- of a batch of examples ----------------------------------------------------------


def _place_of_each(key: str, flags: Any) -> int | None:
    """The first item of an index that is an integer of each example's own, if nothing but
    integers and slices come before; None where that is not so.
    """
    for place, item in enumerate(parse_key(key)):
        if item is None or item is ...:
            return None
        if isinstance(item, Input) and flags[1 + item.number]:
            return place
    return None


def _key(items: Sequence[Item]) -> str:
    """An index as text."""

    def shown(b: Any) -> str:
        return "" if b is None else f"${b.number}" if isinstance(b, Input) else str(b)

    texts = []
    for item in items:
        if isinstance(item, Span):
            parts = [shown(item.start), shown(item.stop)]
            texts.append(":".join([*parts, shown(item.step)] if item.step is not None else parts))
        else:
            texts.append("None" if item is None else "..." if item is ... else shown(item))
    return ", ".join(texts)


def _from_the_front(i: Tensor, size: Any) -> Any:
    """Indices with negative ones counted from the front."""
    end = apply(OPS["cast"], (size,), {"dtype": i.dtype})
    zero = convert(np.zeros((), i.dtype.numpy))
    return apply(OPS["where"], (apply(OPS["less"], (i, zero)), apply(OPS["add"], (i, end)), i))


@batches(_strided_slice)
def _batched_slice(batch: Any, flags: Any, x: Tensor, *bounds: Tensor, key: str) -> Any:
    if not any(flags[1:]):
        return apply(_strided_slice, (x, *bounds), {"key": f":, {key}"})
    place = _place_of_each(key, flags)
    if place is None:
        return batch.each(_strided_slice, flags, (x, *bounds), {"key": key})
    items = parse_key(key)
    item = items[place]
    assert isinstance(item, Input)
    axis = place + int(flags[0])
    size = index(shape_of(x), str(axis))
    i = _from_the_front(bounds[item.number], size)
    attrs: dict[str, Any] = {"axis": axis, "batch_dims": 1} if flags[0] else {"axis": axis}
    picked = apply(OPS["gather"], (x, i), attrs)
    if not flags[0] and axis:
        picked = batch.to_front(picked, axis)
    rest = _key([*items[:place], *items[place + 1 :]])
    if not rest:
        return picked
    return _batched_slice(batch, (True, *flags[1:]), picked, *bounds, key=rest)


@batches(_slice_grad)
def _batched_slice_grad(
    batch: Any, flags: Any, g: Tensor, *more: Tensor, key: str, shape: TensorShape
) -> Any:
    bounds, dims = (more, ()) if shape.is_fully_defined() else (more[:-1], more[-1:])
    static, sizes = batch.dims(shape, dims)
    if not any(flags[1:]):
        attrs = {"key": f":, {key}", "shape": static}
        return apply(_slice_grad, (g, *bounds, *sizes), attrs)
    items = parse_key(key)
    if len(items) == 1 and isinstance(items[0], Input) and not any(flags[1 + len(bounds) :]):
        size = index(shape_of(g), "0") if not static.rank else None
        size = constant_size(static[1]) if static.rank and static[1] is not None else size
        size = (
            index(sizes[0], "1") if sizes and (static.rank is None or static[1] is None) else size
        )
        i = _from_the_front(bounds[items[0].number], size)
        wide = batch.fulls((g, i), (flags[0], True))
        attrs = {"shape": static, "axis": 1, "batch_dims": 1}
        return apply(OPS["gather_grad"], (*wide, *sizes), attrs)
    return batch.each(_slice_grad, flags, (g, *more), {"key": key, "shape": shape})


def constant_size(size: Any) -> Tensor:
    return convert(np.array(size, np.int32))


@batches(_slice)
def _batched_part(
    batch: Any, flags: Any, x: Tensor, begin: Tensor, size: Tensor, *, shape: TensorShape
) -> Any:
    if any(flags[1:]):
        return batch.each(_slice, flags, (x, begin, size), {"shape": shape})
    first = _in_front(0, begin)
    return apply(_slice, (x, first, _in_front(-1, size)), {"shape": batch.shape(shape)})


def _in_front(number: int, x: Tensor) -> Any:
    one = convert(np.array([number], x.dtype.numpy))
    return apply(OPS["concat"], (one, x), {"axis": 0})


@batches(_slice_back)
def _batched_part_back(
    batch: Any, flags: Any, g: Tensor, begin: Tensor, *dims: Tensor, shape: TensorShape
) -> Any:
    if any(flags[1:]):
        return batch.each(_slice_back, flags, (g, begin, *dims), {"shape": shape})
    static, sizes = batch.dims(shape, dims)
    return apply(_slice_back, (g, _in_front(0, begin), *sizes), {"shape": static})
