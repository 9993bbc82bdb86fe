"""`a, *b = items` of what the graph holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from treadle.graph import Tensor, Value
from treadle.graph.build import convert, is_tracing
from treadle.graph.errors import ConversionError
from treadle.graph.ops.effects import require
from treadle.graph.ops.sequences import range_
from treadle.graph.ops.texts import is_text

from ..iteration.passing import unpacking
from ..iteration.streams import is_staged
from ..values.inside import Inside, staged_in, table_in
from ..values.list_items import here
from ..values.staged_list import StagedList, rows_as_list
from .collecting import listed


def unpack(x: Any, shape: Any) -> Any:
    """`x` as Python can unpack it; for `shape`, what the targets take, see syntax/unpacking.py."""
    flat = type(shape) is int
    if not is_tracing() or (flat and type(x) is tuple):
        return x
    parts = (1,) * shape if flat else shape
    staged = staged_in(found := _listed(x))
    if staged is not None:
        found = _items_of(staged, parts)
    return found if all(part in (1, ...) for part in parts) else _within(found, parts)


def python_items(x: Any, shape: Any = 1) -> Any:
    """The items of `x` in a comprehension that stays Python's own, each one unpacked."""
    if not is_tracing():
        return x
    if staged_in(x) is not None or table_in(x) is not None:
        raise ConversionError(
            f"the comprehension at {here()} goes over items of a number that only the run tells, "
            "and makes a function, or waits: write it as a 'for' loop that appends to a list"
        )
    return x if shape == 1 else (unpack(item, shape) for item in x)


def _listed(x: Any) -> Any:
    if isinstance(x, Value) and not is_text(x):
        unknown = x.shape.rank is None or (x.shape.rank and x.shape[0] is None)
        return rows_as_list(x) if unknown else x
    return listed(x) if is_staged(x) else x


def _items_of(staged: StagedList, parts: Sequence[Any]) -> list[Any]:
    """The items; what a starred target takes is held by the graph."""
    size, starred = staged.size(), ... in parts
    count = len(parts) - starred
    expected = f"at least {count}" if starred else count
    few = f"not enough values to unpack (expected {expected}), at {here()}"
    if count and not staged.arrays:
        raise ValueError(few)
    staged = _checked(size >= count, staged, few)
    if not starred:
        many = f"too many values to unpack (expected {count}), at {here()}"
        staged = _checked(size <= count, staged, many)
        return [staged.read(convert(i)) for i in range(count)]
    before = parts.index(...)
    after = count - before
    first = [staged.read(convert(i)) for i in range(before)]
    last = [staged.read(size - i) for i in range(after, 0, -1)]
    return [*first, Inside(staged.taken(range_(before, size - after))), *last]


def _checked(held: Tensor, staged: StagedList, text: str) -> StagedList:
    if not staged.arrays:
        return staged
    return StagedList(staged.item, require(held, staged.arrays, "ValueError", text))


def _within(found: Any, parts: Sequence[Any]) -> Any:
    """The items, of which those that have targets of their own are unpacked, too."""
    starred = ... in parts
    most = None if starred else len(parts) + 1
    items = list(islice(found, most))
    if len(items) < len(parts) - starred or len(items) == most:
        return items  # Python says what is wrong
    for i, part in enumerate(parts):
        place = i if ... not in parts[:i] else i - len(parts)
        if part not in (1, ...):
            items[place] = unpack(items[place], part)
    return items


unpacking.append(unpack)
