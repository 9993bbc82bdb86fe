"""Ops on queues. A queue is state: what reads and changes it keeps its place; gradients stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import bool_, int32
from ..errors import DTypeError, InvalidArgumentError, ShapeError
from ..fifo import Fifo
from ..node import Tensor
from ..op import CHECKS, READ, WRITE, has_no_batches, no_gradient
from ..spec import DataSpec, Spec, TensorShape, TensorSpec
from .define import constant_of, primitive

CHANGES = (WRITE, CHECKS)


def _require_item(queue: DataSpec, specs: Sequence[TensorSpec], many: bool) -> None:
    if len(specs) != len(queue.items):
        raise InvalidArgumentError(
            f"an element of the queue has {len(queue.items)} tensors, {len(specs)} are given"
        )
    for i, (held, given) in enumerate(zip(queue.items, specs, strict=True)):
        if given.dtype is not held.dtype:
            raise DTypeError(
                f"tensor {i} of an element has dtype {held.dtype.name}, the one given "
                f"{given.dtype.name}; use tl.cast"
            )
        if many and given.shape.rank == 0:
            raise ShapeError(f"tensor {i} is a scalar: it has no rows to be elements")
        shape = given.shape[1:] if many and given.shape.rank else given.shape
        if not (many and given.shape.rank is None) and not held.shape.is_compatible_with(shape):
            raise ShapeError(f"tensor {i} of an element has shape {held.shape}, not {shape}")


def _put_infer(queue: DataSpec, *values: TensorSpec, many: bool) -> tuple[Spec, ...]:
    _require_item(queue, values, many)
    sizes = {v.shape[0] for v in values if many and v.shape.rank} - {None}
    if len(sizes) > 1:
        raise ShapeError(f"the tensors have different numbers of rows: {sorted(sizes)}")
    return ()


def _put_eval(xp: Any, queue: Fifo, *values: Array, many: bool) -> tuple[()]:
    arrays = [np.asarray(v) for v in values]
    queue.put(list(zip(*arrays, strict=True)) if many else [tuple(arrays)])
    return ()


_put = primitive(
    "queue_put",
    _put_infer,
    _put_eval,
    no_gradient,
    multiple=True,
    effects=CHANGES,
    display="enqueue",
)


def _take_infer(queue: DataSpec) -> tuple[Spec, ...]:
    return queue.items


def _take_eval(xp: Any, queue: Fifo) -> tuple[Array, ...]:
    return queue.take(1, 1)[0]


_take = primitive(
    "queue_take",
    _take_infer,
    _take_eval,
    no_gradient,
    multiple=True,
    effects=CHANGES,
    display="dequeue",
)


def _take_many_infer(
    queue: DataSpec, count: TensorSpec, *, size: int | None, up_to: bool
) -> tuple[Spec, ...]:
    if not count.dtype.is_integer or count.shape.rank not in (0, None):
        raise DTypeError(f"the number of elements is an integer scalar, not {count}")
    for item in queue.items:
        if not item.shape.is_fully_defined():
            raise ShapeError(
                "many elements are put together into one tensor: the queue must be made with the "
                "shapes of its elements"
            )
    known = None if up_to else size
    return tuple([TensorSpec((known, *item.shape), item.dtype) for item in queue.items])


def _take_many_eval(
    xp: Any, queue: Fifo, count: Array, *, size: int | None, up_to: bool
) -> tuple[Array, ...]:
    number = int(count)
    if number < 0:
        raise InvalidArgumentError(f"the number of elements is {number}, it must not be negative")
    items = queue.take(number, min(1, number) if up_to else number)
    if not items:
        raise InvalidArgumentError("the number of elements is 0, nothing can be put together")
    return tuple([np.stack(arrays) for arrays in zip(*items, strict=True)])


_take_many = primitive(
    "queue_take_many",
    _take_many_infer,
    _take_many_eval,
    no_gradient,
    multiple=True,
    effects=CHANGES,
    display="dequeue_many",
)
_size = primitive(
    "queue_size",
    lambda queue: TensorSpec((), int32),
    lambda xp, queue: np.array(len(queue), np.int32),
    no_gradient,
    effects=(READ,),
)
_is_closed = primitive(
    "queue_is_closed",
    lambda queue: TensorSpec((), bool_),
    lambda xp, queue: np.array(queue.closed),
    no_gradient,
    effects=(READ,),
)


def _close_eval(xp: Any, queue: Fifo, *, cancel: bool) -> tuple[()]:
    queue.close(cancel)
    return ()


_close = primitive(
    "queue_close",
    lambda queue, *, cancel: (),
    _close_eval,
    no_gradient,
    multiple=True,
    effects=(WRITE,),
)

has_no_batches(
    "all examples share one queue, and there is no order among them; put and take outside of the "
    "vmap, whole batches with enqueue_many and dequeue_many",
    *(_put, _take, _take_many, _size, _is_closed, _close),
)


def put(queue: Any, values: Sequence[Any], many: bool = False) -> None:
    """Put an element, or with `many` one for each row, into a queue."""
    items = queue.spec.items
    hints = [*[item.dtype for item in items], *[None] * len(values)]
    tensors = [convert(v, hint=h) for v, h in zip(values, hints, strict=False)]
    apply(_put, (queue, *tensors), {"many": many})


def take(queue: Any) -> tuple[Tensor, ...]:
    """The tensors of the next element."""
    found: tuple[Tensor, ...] = apply(_take, (queue,))
    return found


def take_many(queue: Any, count: Any, up_to: bool) -> tuple[Tensor, ...]:
    """The tensors of the next elements, put together."""
    number = convert(count)
    known = constant_of(number)
    plain = known is not None and known.dtype.kind in "iu" and known.size == 1 and known >= 0
    attrs = {"size": int(known) if plain and known is not None else None, "up_to": up_to}
    found: tuple[Tensor, ...] = apply(_take_many, (queue, number), attrs)
    return found


def size(queue: Any) -> Tensor:
    result: Tensor = apply(_size, (queue,))
    return result


def is_closed(queue: Any) -> Tensor:
    result: Tensor = apply(_is_closed, (queue,))
    return result


def close(queue: Any, cancel: bool) -> None:
    apply(_close, (queue,), {"cancel": cancel})


def spec_of(items: Sequence[tuple[Any, Any]]) -> DataSpec:
    """The spec of a queue, from the dtype and the shape of each tensor of an element."""
    return DataSpec("queue", [TensorSpec(TensorShape(shape), dtype) for dtype, shape in items])


__all__ = ["close", "is_closed", "put", "size", "spec_of", "take", "take_many"]
