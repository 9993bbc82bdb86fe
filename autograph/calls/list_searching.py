"""Methods of lists that compare items with each other, or with a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert
from treadle.graph.errors import ListItemError
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import equal
from treadle.graph.ops.effects import require
from treadle.graph.ops.reductions import reduce_any, reduce_sum
from treadle.graph.ops.statistics import argmax

from ..changes.contents import put_items
from ..values.inside import staged_in
from ..values.list_items import here
from ..values.staged_list import StagedList, stage
from .ordering import sorted_


def _is_python(owner: Any, *values: Any) -> bool:
    """True if Python can compare all of it."""
    return staged_in(owner) is None and not any(
        isinstance(v, Value) or staged_in(v) is not None for v in (*owner, *values)
    )


def _matches(owner: Any, value: Any) -> Tensor:
    """For each item whether it equals `value`."""
    items = StagedList.of(owner)
    if items.item is not None and any(s.shape.rank != 0 for s in items.item.specs):
        raise ListItemError(
            f"items that are no scalars are compared at {here()}; compare them one by one"
        )
    found: Tensor = equal(convert(items), value)
    return found


def index(owner: Any, value: Any, *bounds: Any) -> Any:
    """`owner.index(value)`"""
    if _is_python(owner, value, *bounds):
        return owner.index(value, *bounds)
    if bounds:
        raise ListItemError(f".index() with bounds needs Python values, at {here()}; take a slice")
    return weak.mark(_place(owner, value, "list.index(x): x not in list"))


def _place(owner: Any, value: Any, text: str) -> Tensor:
    matches = _matches(owner, value)
    found: Tensor = cast(argmax(cast(matches, "int32"), 0), "int32")
    (found,) = require(reduce_any(matches), [found], "ValueError", f"{text}, at {here()}")
    return found


def count(owner: Any, value: Any) -> Any:
    """`owner.count(value)`"""
    if _is_python(owner, value):
        return owner.count(value)
    return weak.mark(reduce_sum(cast(_matches(owner, value), "int32")))


def remove(owner: Any, value: Any) -> None:
    """`owner.remove(value)`"""
    if _is_python(owner, value):
        owner.remove(value)
    else:
        del stage(owner)[_place(owner, value, "list.remove(x): x not in list")]


def sort(owner: Any, *, key: Any = None, reverse: Any = False) -> None:
    """`owner.sort()`"""
    put_items(owner, sorted_(owner, key=key, reverse=reverse))


METHODS: dict[str, Callable[..., Any]] = {
    "count": count,
    "index": index,
    "remove": remove,
    "sort": sort,
}
