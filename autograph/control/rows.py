"""What a `for` loop over a tensor goes over: its rows, or the numbers of a range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert
from treadle.graph.ops.casting import cast
from treadle.graph.ops.define import constant_of
from treadle.graph.ops.gathering import gather_known
from treadle.graph.ops.queries import shape as shape_of


@dataclass(frozen=True, slots=True)
class Rows:
    """A counter that starts at `start` and grows by `step` while `more(counter)` holds.

    The loop's variable is `item(counter)`. `surely`: there is at least one. `checks`: `more` may
    fail, and is asked for only where the loop goes on.
    """

    start: Tensor
    step: Tensor
    more: Callable[[Tensor], Tensor]
    item: Callable[[Tensor], Tensor]
    surely: bool
    count: Any = None
    checks: bool = False


def rows_of(tensor: Tensor, counted: bool = False) -> Rows:
    """How to go over `tensor`. A range is not stored: its numbers are computed.

    `counted`: the counter is to be the number of the row.
    """
    rank = tensor.shape.rank
    if rank == 0:
        raise TypeError("a scalar tensor can't be iterated over")
    size = tensor.shape[0] if rank else None
    if weak.is_python(tensor):  # a range() of Python's, or the characters of a text
        rows = _rows_of(tensor, size, counted)
        return replace(rows, item=lambda i: weak.mark(rows.item(i)))
    return _rows_of(tensor, size, counted)


def _rows_of(tensor: Tensor, size: int | None, counted: bool) -> Rows:
    surely = size is not None and size > 0
    node = tensor.node if isinstance(tensor, Value) else None
    if node is not None and node.op.name == "range":
        start, limit, delta = node.inputs
        known = constant_of(delta)
        if known is not None and known and start.dtype.is_integer and not counted:
            return _integers(start, limit, delta, int(known), surely)
    count = shape_of(tensor)[0] if size is None else convert(size)
    zero, one = convert(0), convert(1)
    if node is not None and node.op.name == "range":
        return Rows(
            zero,
            one,
            lambda i: i < count,
            lambda i: start + cast(i, start.dtype) * delta,
            surely,
            count,
        )
    return Rows(zero, one, lambda i: i < count, lambda i: gather_known(tensor, i), surely, count)


def _integers(start: Tensor, limit: Tensor, delta: Tensor, step: int, surely: bool) -> Rows:
    if step == 1:
        return Rows(start, delta, lambda i: i < limit, lambda i: i, surely)
    if step == -1:
        return Rows(start, delta, lambda i: i > limit, lambda i: i, surely)
    # Counted, so that the last step can't leave the range of the dtype.
    count = -((start - limit) // delta)
    zero, one = convert(0, start.dtype), convert(1, start.dtype)
    return Rows(zero, one, lambda i: i < count, lambda i: start + i * delta, surely)
