"""`==` of lists, deques, dicts and sets whose items the graph holds."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert
from treadle.graph.dtypes import float64, int64, string
from treadle.graph.errors import ConversionError
from treadle.graph.ops.array_tensors import array_stack
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import equal, where
from treadle.graph.ops.filling import fill
from treadle.graph.ops.joining import concat
from treadle.graph.ops.logic import logical_and, logical_not
from treadle.graph.ops.reductions import reduce_all
from treadle.graph.ops.statistics import argmax

from ..control.logic import and_
from ..values.inside import Inside, InTable, staged_in, table_in
from ..values.list_items import here
from ..values.staged_list import StagedList
from ..values.tables import Kept, Table
from ..values.truth import condition, staged
from . import table_methods


def is_held(x: Any) -> bool:
    """True for a list, deque, dict or set whose items the graph holds."""
    if not (Inside.alive or InTable.alive) and type(x) is not StagedList:
        return False
    return staged_in(x) is not None or table_in(x) is not None


def compared_in_graph(a: Any, sign: str, b: Any) -> Any:
    """`a == b` or `a != b`, of which one is held by the graph."""
    if isinstance(a, Kept) or (isinstance(b, Kept) and isinstance(a, (set, frozenset))):
        return _OF_SETS[sign](a, b)
    if sign not in ("==", "!="):
        raise _refusal(sign)
    found = _equal(a, b)
    if sign == "==":
        return weak.mark(found) if isinstance(found, Value) else found
    return weak.mark(logical_not(found)) if isinstance(found, Value) else not found


_OF_SETS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def _equal(a: Any, b: Any) -> Any:
    kind = _kind(a)
    if kind is None or kind is not _kind(b):
        return False
    if kind in (list, deque):
        return _equal_lists(StagedList.of(a), StagedList.of(b))
    return _equal_tables(a, b) if table_in(b) is None else _equal_tables(b, a)


def _kind(x: Any) -> type | None:
    if type(x) is StagedList:
        return list
    kinds: tuple[type, ...] = (list, deque, dict, set)
    return next((kind for kind in kinds if isinstance(x, kind)), None)


def _equal_lists(a: StagedList, b: StagedList) -> Any:
    same = equal(a.size(), b.size())
    if a.item is None or b.item is None:
        return same
    if a.item.structure != b.item.structure:
        return logical_and(same, equal(a.size(), 0))
    if any(s.shape.rank != 0 for s in (*a.item.specs, *b.item.specs)):
        raise _refusal("==")
    pairs = list(zip(a.arrays, b.arrays, strict=True)) if a.item.specs else []

    def items() -> Any:
        found = convert(True)
        for x, y in pairs:
            found = logical_and(found, reduce_all(_by_item(array_stack(x), array_stack(y))))
        return found

    return and_(same, items)


def first_difference(a: StagedList, b: StagedList) -> Tensor:
    """The first place at which two lists have different items, or one of them has none."""
    sizes = a.size(), b.size()
    count = where(sizes[0] < sizes[1], *sizes)
    if a.item is None or b.item is None or a.item.structure != b.item.structure:
        return where(count < 1, count, 0)
    if any(s.shape.rank != 0 for s in (*a.item.specs, *b.item.specs)):
        raise _refusal("<")
    found = fill([count], True)
    for x, y in zip(a.arrays, b.arrays, strict=True):
        pair = array_stack(x)[:count], array_stack(y)[:count]
        found = logical_and(found, _by_item(*pair))
    place: Tensor = argmax(cast(concat([logical_not(found), [True]], 0), "int32"), 0)
    return cast(place, "int32")


def _by_item(a: Tensor, b: Tensor) -> Tensor:
    if a.dtype is not b.dtype and string not in (a.dtype, b.dtype):
        floats = a.dtype.is_floating or b.dtype.is_floating
        a, b = (cast(v, float64 if floats else int64) for v in (a, b))
    found: Tensor = equal(a, b)
    return found


def _equal_tables(held: Any, other: Any) -> Any:
    """`held == other`, of which the first one is held by the graph."""
    if table_in(other) is not None:
        raise _refusal("==")
    found: Any = equal(Table.of(held).size(), len(other))
    for key in other:
        present = table_methods.contains(held, key)
        if present is False:
            return False
        found = logical_and(found, present)
        if isinstance(other, dict):
            found = and_(found, _same(held, key, other[key]))
    return found


def _same(held: Any, key: Any, value: Any) -> Callable[[], Any]:
    def ask() -> Any:
        same = table_methods.get(held, key, value) == value
        return condition(same) if staged(same) else convert(bool(same))

    return ask


def _refusal(sign: str) -> ConversionError:
    return ConversionError(
        f"lists, dicts or sets are compared by '{sign}' at {here()}, whose items are known only "
        "when the function runs; compare their items"
    )
