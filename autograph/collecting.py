"""Lists, tuples, sets and dicts made of the items of an iterable."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from copy import copy
from typing import Any

from treadle.graph import Value
from treadle.graph.build import is_tracing
from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location

from .conditionals import Branches
from .inside import staged_in
from .keys import checked, key
from .place import line_of
from .staged_list import StagedList, rows_as_list
from .streams import (
    MOST_UNROLLED,
    Each,
    Loop,
    go_over,
    has_few,
    is_staged,
    site_of,
    stream_of,
)
from .truth import condition, staged


def listed(x: Any) -> Any:
    """A list of the items of any iterable: a Python list, or a `StagedList`."""
    if isinstance(x, Value):
        size = x.shape[0] if x.shape.rank else None
        if size is not None and size <= MOST_UNROLLED:
            return list(x)
        return rows_as_list(x)
    known = staged_in(x)
    if known is not None:
        return known.copy()
    if has_few(x):
        return list(x)
    stream = stream_of(x)
    return list(x) if stream is None else _collected(stream)


def _collected(stream: Any) -> Any:
    return _extended([], stream)


def _extended(items: Any, source: Any) -> Any:
    """`items`, a list of our own, and those of `source`."""

    def step(item: Any, items: Any) -> Any:
        return items + [item]  # noqa: RUF005 - of a list, or of a StagedList

    if not (isinstance(source, Each) and stream_of(source.source) is None):
        if stream_of(source) is None:
            items.extend(source)
            return items
        return go_over(source, step, [items], Loop(site_of(source, step), ["the list"]))[0]
    for args, held in source.candidates():
        if staged(held):
            more = functools.partial(_with_one, source, args)
            branches = Branches(more, None, [items], None, None, line_of(source.make))
            items = branches.emit(condition(held), ["the list"])
        elif held:
            items = _with_one(source, args, items, own=True)
    return items


def _with_one(each: Each, args: Sequence[Any], items: Any, own: bool = False) -> Any:
    items = items if own else copy(items)
    made = each.make(*args)
    if each.flat:
        return _extended(items, made)
    items.append(made)
    return items


def list_(*args: Any) -> Any:
    """`list(iterable)`."""
    return listed(args[0]) if len(args) == 1 and is_staged(args[0]) else list(*args)


def tuple_(*args: Any) -> Any:
    """`tuple(iterable)`."""
    if len(args) != 1 or not is_staged(args[0]):
        return tuple(*args)
    found = listed(args[0])
    if isinstance(found, StagedList):
        raise ConversionError(
            f"a tuple of a length that only the run tells is made at {describe(user_location(2))}; "
            "make a list of it"
        )
    return tuple(found)


def set_(*args: Any) -> Any:
    """`set(iterable)`."""
    found: set[Any] = set(*map(_python_items, args))
    if is_tracing():
        for item in found:
            key(item)
    return found


def dict_(*args: Any, **kwargs: Any) -> Any:
    """`dict(...)`."""
    if not is_tracing():
        return dict(*args, **kwargs)
    return dict(*[checked(_python_items(a), pairs=True) for a in args], **kwargs)


def _python_items(x: Any) -> Any:
    if not is_staged(x):
        return x
    found = listed(x)
    if isinstance(found, StagedList):
        raise ConversionError(
            f"a set or dict of items of a number that only the run tells is made at "
            f"{describe(user_location(2))}; make a list of them"
        )
    return found
