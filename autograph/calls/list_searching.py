"""Methods of lists that compare items with each other, or with a value."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.errors import ListItemError
from treadle.graph.ops.array_tensors import array_stack
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import equal
from treadle.graph.ops.effects import require
from treadle.graph.ops.filling import fill
from treadle.graph.ops.joining import concat
from treadle.graph.ops.logic import logical_and
from treadle.graph.ops.queries import shape as shape_of
from treadle.graph.ops.reductions import reduce_sum
from treadle.graph.ops.sequences import range_
from treadle.graph.ops.statistics import argmax

from ..changes.contents import put_items
from ..values.inside import staged_in
from ..values.list_items import here, item_of
from ..values.list_places import bounds_of
from ..values.optional import settled
from ..values.special import is_of_users
from ..values.staged_list import StagedList, stage
from .ordering import sorted_


def _is_python(owner: Any, *values: Any) -> bool:
    """True if Python can compare all of it."""
    return staged_in(owner) is None and not any(
        isinstance(v, Value) or staged_in(v) is not None for v in (*owner, *values)
    )


def matches(owner: Any, value: Any) -> Tensor:
    """For each item whether it equals `value`."""
    items, value = StagedList.of(owner), settled(value)
    item, by_parts = items.item, not isinstance(value, (list, dict)) and not is_of_users(value)
    like, leaves = item_of(value) if by_parts else (item, [])
    if item is None or like is None or item.structure != like.structure:
        return fill([items.size()], False)
    if not by_parts or any(s.shape.rank != 0 for s in item.specs):
        raise ListItemError(
            f"items that are no scalars are compared at {here()}; compare them one by one"
        )
    if not item.specs:
        return fill([items.size()], True)
    pairs = zip(items.arrays, leaves, strict=True)
    found: Tensor = functools.reduce(logical_and, [equal(array_stack(a), v) for a, v in pairs])
    return found


def index(owner: Any, value: Any, *bounds: Any) -> Any:
    """`owner.index(value, start, stop)`"""
    if _is_python(owner, value, *bounds):
        return owner.index(value, *bounds)
    kind = "deque" if isinstance(owner, deque) else "list"
    text = f"{kind}.index(x): x not in {kind}"
    if not isinstance(value, Tensor):
        text = f"{value!r} is not in {kind}"
    return weak.mark(_place(owner, value, text, bounds))


def _place(owner: Any, value: Any, text: str, bounds: Sequence[Any] = ()) -> Tensor:
    """The place of the first item that equals `value`; ValueError if there is none."""
    found = matches(owner, value)
    size = shape_of(found)[0]
    if bounds:
        start, stop, _ = bounds_of(slice(bounds[0], *bounds[1:] or [None]), size)
        places = range_(size)
        found = found & (places >= start) & (places < stop)
    place = cast(argmax(cast(concat([found, [True]], 0), "int32"), 0), "int32")
    (place,) = require(place < size, [place], "ValueError", f"{text}, at {here()}")
    return place


def count(owner: Any, value: Any) -> Any:
    """`owner.count(value)`"""
    if _is_python(owner, value):
        return owner.count(value)
    return weak.mark(reduce_sum(cast(matches(owner, value), "int32")))


def remove(owner: Any, value: Any) -> None:
    """`owner.remove(value)`"""
    if _is_python(owner, value):
        owner.remove(value)
        return
    place = _place(owner, value, "list.remove(x): x not in list")
    del stage(owner)[place]


def sort(owner: Any, *, key: Any = None, reverse: Any = False) -> None:
    """`owner.sort()`"""
    put_items(owner, sorted_(owner, key=key, reverse=reverse))


METHODS: dict[str, Callable[..., Any]] = {
    "count": count,
    "index": index,
    "remove": remove,
    "sort": sort,
}
