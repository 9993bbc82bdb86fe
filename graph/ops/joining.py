"""Ops that join tensors into one, and take one apart: concat, stack, unstack, split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import apply, convert, hint_of
from ..convert import Array
from ..errors import InvalidArgumentError, OpError, ShapeError
from ..nest import staged_list
from ..node import Tensor
from ..op import ALL, Op, batches
from ..spec import UNKNOWN, Dim, TensorShape, TensorSpec
from .define import batches_along_axis, primitive, same_dtype
from .dims import constant_dims, constant_int, convert_dims, normal_axis, packed, refuse
from .filling import zeros_like
from .queries import shape as shape_of

# --- concat and split, each other's adjoint ----------------------------------------


def _agree(
    shapes: Sequence[TensorShape], free: int | None, what: str
) -> tuple[list[Dim], list[Dim]] | None:
    """The common sizes of `shapes`, and the sizes of the axis `free`, which may differ."""
    known = [s for s in shapes if s.rank is not None]
    if not known:
        return None
    merged = list(known[0])
    for s in known[1:]:
        if len(s) != len(merged):
            raise ShapeError(f"can't {what} tensors of shapes {' and '.join(map(str, shapes))}")
        for axis, (a, b) in enumerate(zip(merged, s, strict=True)):
            if axis == free or a == b:
                continue
            if a is not None and b is not None:
                raise ShapeError(
                    f"can't {what} tensors of shapes {' and '.join(map(str, shapes))}: "
                    f"axis {axis} differs"
                )
            merged[axis] = b if a is None else a
    sizes = [None if s.rank is None or free is None else s[free] for s in shapes]
    return merged, sizes


def _rank_of(specs: Sequence[TensorSpec]) -> int | None:
    return next((len(s.shape) for s in specs if s.shape.rank is not None), None)


def _concat_infer(*values: TensorSpec, axis: int) -> TensorSpec:
    dtype = same_dtype(*values)
    rank = _rank_of(values)
    if rank == 0:
        raise ShapeError("scalars can't be concatenated; use tl.stack")
    axis = normal_axis(axis, rank)
    agreed = _agree([v.shape for v in values], axis if rank else None, "concatenate")
    if agreed is None:
        return TensorSpec(UNKNOWN, dtype)
    dims, sizes = agreed
    dims[axis] = None if None in sizes else sum(d or 0 for d in sizes)
    return TensorSpec(dims, dtype)


def _concat_eval(xp: Any, *values: Array, axis: int) -> Array:
    try:
        return xp.concatenate(values, axis)  # type: ignore[no-any-return]
    except ValueError:
        shapes = " and ".join(str(v.shape) for v in values)
        raise ShapeError(
            f"can't concatenate tensors of shapes {shapes} along axis {axis}"
        ) from None


def _concat_may_fail(*values: Tensor, axis: int) -> bool:
    shapes = [v.spec.shape for v in values]
    if len(shapes) == 1:
        return False
    if any(s.rank is None for s in shapes):
        return True
    free = axis % len(shapes[0])
    return any(
        len({s[i] for s in shapes}) > 1 or (shapes[0][i] is None)
        for i in range(len(shapes[0]))
        if i != free
    )


def _concat_vjp(g: Tensor, out: Tensor, *values: Tensor, axis: int) -> Any:
    pieces: list[Any] = []

    def piece(i: int) -> Tensor:
        if not pieces:
            pieces.extend(_split_like(g, values, axis))
        result: Tensor = pieces[i]
        return result

    return tuple([lambda i=i: piece(i) for i in range(len(values))])


def _split_like(g: Tensor, values: Sequence[Tensor], axis: int) -> Sequence[Tensor]:
    sizes = [v.spec.shape[axis] if v.spec.shape.rank else None for v in values]
    inputs: tuple[Tensor, ...] = (g,)
    if None in sizes:
        inputs = (g, concat([shape_of(v)[axis : axis + 1 or None] for v in values], 0))
    found: Sequence[Tensor] = apply(_split, inputs, {"sizes": TensorShape(sizes), "axis": axis})
    return found


_concat: Op = primitive(
    "concat", _concat_infer, _concat_eval, _concat_vjp, linear=ALL, checks=_concat_may_fail
)


def concat(values: Any, axis: Any, name: str | None = None) -> Tensor:
    """`values`, tensors that differ in size along `axis` at most, joined along it.

    ShapeError where another axis differs, DTypeError where dtypes do.

    >>> import treadle as tl
    >>> tl.concat([[[1, 2]], [[3, 4], [5, 6]]], axis=0).numpy()
    array([[1, 2],
           [3, 4],
           [5, 6]], dtype=int32)
    """
    staged = staged_list(values)
    if staged is not None:
        joined: Tensor = staged.__tl_concat__(constant_int(axis, "axis"))
        return joined
    tensors = _tensors(values, "concat")
    result: Tensor = apply(_concat, tensors, {"axis": constant_int(axis, "axis")})
    return result


def _tensors(values: Any, what: str) -> list[Tensor]:
    """A list of tensors of one dtype; what is no tensor yet takes the dtype of the others."""
    if not isinstance(values, (list, tuple)):
        if isinstance(values, Tensor) and values.shape.rank == 0:
            return [values]
        values = list(convert(values))
    if not values:
        raise InvalidArgumentError(f"{what} needs at least one tensor")
    given = [v for v in values if isinstance(v, Tensor) or hasattr(v, "__tl_tensor__")]
    if not given:
        first = convert(values[0])
        return [first, *(convert(v, hint=first.dtype) for v in values[1:])]
    hint = hint_of(values, given[0])
    return [convert(v, hint=hint) for v in values]


def _split_infer(
    x: TensorSpec, *dynamic: TensorSpec, sizes: TensorShape, axis: int
) -> tuple[TensorSpec, ...]:
    if x.shape.rank is None:
        return tuple([TensorSpec(UNKNOWN, x.dtype) for _ in sizes])
    axis = normal_axis(axis, len(x.shape))
    have = x.shape[axis]
    if have is not None and None not in tuple(sizes):
        total = sum(d or 0 for d in sizes)
        if total != have:
            raise ShapeError(f"the sizes {list(sizes)} add up to {total}, axis {axis} has {have}")
    return tuple([TensorSpec((*x.shape[:axis], d, *x.shape[axis + 1 :]), x.dtype) for d in sizes])


def _split_eval(
    xp: Any, x: Array, *dynamic: Array, sizes: TensorShape, axis: int
) -> tuple[Array, ...]:
    found: list[Any] = dynamic[0].tolist() if dynamic else list(sizes)
    have = x.shape[axis]
    if len(found) != len(sizes) or sum(found) != have or min(found, default=0) < 0:
        raise ShapeError(f"the sizes {found} do not fill axis {axis}, which has {have}")
    front = (slice(None),) * (axis % x.ndim)
    ends = np.cumsum(found).tolist()
    return tuple([x[(*front, slice(b - d, b))] for b, d in zip(ends, found, strict=True)])


def _split_may_fail(x: Tensor, *dynamic: Tensor, sizes: TensorShape, axis: int) -> bool:
    shape = x.spec.shape
    return bool(dynamic) or shape.rank is None or shape[axis] is None


def _zeros_for_missing(gs: Sequence[Any], outs: Sequence[Tensor]) -> list[Tensor]:
    return [zeros_like(o) if g is None else g for g, o in zip(gs, outs, strict=True)]


def _split_vjp(
    gs: Any, outs: Any, x: Tensor, *dynamic: Tensor, sizes: TensorShape, axis: int
) -> Any:
    def joined() -> Tensor:
        result: Tensor = apply(_concat, _zeros_for_missing(gs, outs), {"axis": axis})
        return result

    return (joined, *[None for _ in dynamic])


_split: Op = primitive(
    "split",
    _split_infer,
    _split_eval,
    _split_vjp,
    linear=(0,),
    multiple=True,
    checks=_split_may_fail,
)


def split(
    value: Any,
    num_or_size_splits: Any,
    axis: Any = 0,
    num: int | None = None,
    name: str | None = None,
) -> list[Tensor]:
    """`value` cut along `axis` into equal parts, or into parts of given sizes.

    One of the sizes may be -1: what is left. ShapeError where the sizes don't fill the axis.

    >>> import treadle as tl
    >>> [t.numpy().tolist() for t in tl.split([1, 2, 3, 4, 5, 6], 3)]
    [[1, 2], [3, 4], [5, 6]]
    >>> [t.numpy().tolist() for t in tl.split([1, 2, 3, 4, 5, 6], [1, -1, 2])]
    [[1], [2, 3, 4], [5, 6]]
    """
    x = value if isinstance(value, Tensor) else convert(value)
    try:
        along = normal_axis(constant_int(axis, "axis"), x.spec.shape.rank)
        sizes, inputs = _split_sizes(x, num_or_size_splits, along, num)
    except OpError as error:
        raise refuse(error, _split, x) from None
    return list(apply(_split, (x, *inputs), {"sizes": sizes, "axis": along}))


def _split_sizes(
    x: Tensor, wanted: Any, axis: int, num: int | None
) -> tuple[TensorShape, tuple[Tensor, ...]]:
    have = x.spec.shape[axis] if x.spec.shape.rank else None
    scalar = wanted.shape.rank == 0 if isinstance(wanted, Tensor) else not np.ndim(wanted)
    if scalar:
        return _equal_sizes(x, constant_int(wanted, "the number of parts"), axis, have)
    wanted = packed(wanted)
    sizes = constant_dims(wanted)
    if sizes is None:
        if num is None:
            raise InvalidArgumentError("the number of parts is not known while tracing; give num")
        sizes = [None] * num
    if None in sizes:
        tensor = convert_dims(wanted)
        return TensorShape([None if d is None or d < 0 else d for d in sizes]), (tensor,)
    if -1 in sizes:
        rest = sum(d or 0 for d in sizes) + 1
        if have is not None:
            if rest > have or sizes.count(-1) > 1:
                raise ShapeError(f"the sizes {sizes} do not fill axis {axis}, which has {have}")
            sizes = [have - rest if d == -1 else d for d in sizes]
        else:
            left = shape_of(x)[axis] - rest
            dynamic = convert([left if d == -1 else d for d in sizes])
            return TensorShape([None if d == -1 else d for d in sizes]), (dynamic,)
    return TensorShape(sizes), ()


def _equal_sizes(
    x: Tensor, count: int, axis: int, have: int | None
) -> tuple[TensorShape, tuple[Tensor, ...]]:
    if count < 1:
        raise InvalidArgumentError(f"the number of parts must be positive, it is {count}")
    if have is not None:
        if have % count:
            raise ShapeError(f"axis {axis} of size {have} can't be cut into {count} equal parts")
        return TensorShape([have // count] * count), ()
    part = shape_of(x)[axis] // count
    return TensorShape([None] * count), (stack([part] * count),)


# --- stack and unstack, each other's adjoint ---------------------------------------


def _stack_infer(*values: TensorSpec, axis: int) -> TensorSpec:
    dtype = same_dtype(*values)
    agreed = _agree([v.shape for v in values], None, "stack")
    if agreed is None:
        return TensorSpec(UNKNOWN, dtype)
    dims = agreed[0]
    axis = normal_axis(axis, len(dims) + 1)
    return TensorSpec((*dims[:axis], len(values), *dims[axis:]), dtype)


def _stack_eval(xp: Any, *values: Array, axis: int) -> Array:
    try:
        return xp.stack(values, axis)  # type: ignore[no-any-return]
    except ValueError:
        shapes = " and ".join(str(v.shape) for v in values)
        raise ShapeError(f"can't stack tensors of shapes {shapes}") from None


def _stack_may_fail(*values: Tensor, axis: int) -> bool:
    shapes = [v.spec.shape for v in values]
    first = shapes[0]
    if all(v is values[0] for v in values):
        return False
    return not (first.is_fully_defined() and all(s == first for s in shapes))


def _stack_vjp(g: Tensor, out: Tensor, *values: Tensor, axis: int) -> Any:
    parts: list[Tensor] = []

    def part(i: int) -> Tensor:
        if not parts:
            parts.extend(apply(_unstack, (g,), {"num": len(values), "axis": axis}))
        return parts[i]

    return tuple([lambda i=i: part(i) for i in range(len(values))])


_stack: Op = primitive(
    "stack", _stack_infer, _stack_eval, _stack_vjp, linear=ALL, checks=_stack_may_fail
)


def stack(values: Any, axis: Any = 0, name: str | None = None) -> Tensor:
    """`values`, tensors of one shape, joined along a new axis.

    ShapeError where the shapes differ, DTypeError where the dtypes do.

    >>> import treadle as tl
    >>> tl.stack([[1, 2], [3, 4]], axis=1).numpy()
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    staged = staged_list(values)
    if staged is not None:
        stacked: Tensor = staged.__tl_stack__(constant_int(axis, "axis"))
        return stacked
    result: Tensor = apply(_stack, _tensors(values, "stack"), {"axis": constant_int(axis, "axis")})
    return result


def _unstack_infer(x: TensorSpec, *, num: int, axis: int) -> tuple[TensorSpec, ...]:
    if x.shape.rank is None:
        return (TensorSpec(UNKNOWN, x.dtype),) * num
    axis = normal_axis(axis, len(x.shape))
    if x.shape[axis] not in (None, num):
        raise ShapeError(f"axis {axis} has size {x.shape[axis]}, not {num}")
    part = TensorSpec((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype)
    return (part,) * num


def _unstack_eval(xp: Any, x: Array, *, num: int, axis: int) -> tuple[Array, ...]:
    if x.shape[axis] != num:
        raise ShapeError(f"axis {axis} has size {x.shape[axis]}, not {num}")
    return tuple(xp.moveaxis(x, axis, 0))


def _unstack_may_fail(x: Tensor, *, num: int, axis: int) -> bool:
    return x.spec.shape.rank is None or x.spec.shape[axis] is None


def _unstack_vjp(gs: Any, outs: Any, x: Tensor, *, num: int, axis: int) -> Any:
    return (lambda: apply(_stack, _zeros_for_missing(gs, outs), {"axis": axis}) if num else None,)


_unstack: Op = primitive(
    "unstack",
    _unstack_infer,
    _unstack_eval,
    _unstack_vjp,
    linear=(0,),
    multiple=True,
    checks=_unstack_may_fail,
)


def unstack(
    value: Any, num: int | None = None, axis: Any = 0, name: str | None = None
) -> list[Tensor]:
    """The slices of `value` along `axis`, which must have a known size (or give `num`).

    >>> import treadle as tl
    >>> [t.numpy().tolist() for t in tl.unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    x = value if isinstance(value, Tensor) else convert(value)
    try:
        along = normal_axis(constant_int(axis, "axis"), x.spec.shape.rank)
        if num is None:
            num = x.spec.shape[along] if x.spec.shape.rank else None
        if num is None:
            raise InvalidArgumentError(
                f"the size of axis {along} of {x.spec} is not known while tracing; give num"
            )
    except OpError as error:
        raise refuse(error, _unstack, x) from None
    return list(apply(_unstack, (x,), {"num": num, "axis": along}))


# --- of a batch of examples ----------------------------------------------------------

batches_along_axis(_concat, _stack)


@batches(_split)
def _batched_split(
    batch: Any, flags: Any, x: Tensor, *dynamic: Tensor, sizes: TensorShape, axis: int
) -> Any:
    attrs = {"sizes": sizes, "axis": axis}
    if any(flags[1:]):
        return batch.each(_split, flags, (x, *dynamic), attrs)
    return apply(_split, (x, *dynamic), {**attrs, "axis": batch.axis(axis)})


@batches(_unstack)
def _batched_unstack(batch: Any, flags: Any, x: Tensor, *, num: int, axis: int) -> Any:
    return apply(_unstack, (x,), {"num": num, "axis": batch.axis(axis)})
