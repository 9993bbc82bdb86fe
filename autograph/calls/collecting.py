"""Lists, tuples, sets and dicts made of the items of an iterable."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from treadle.graph import Value
from treadle.graph.build import is_tracing
from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location
from treadle.graph.operators import repeated
from treadle.graph.ops.formatting import Text
from treadle.graph.ops.texts import is_text

from ..control.choice import Choice
from ..control.conditionals import Branches
from ..iteration.stream import Loop, Stream
from ..iteration.streams import (
    MOST_UNROLLED,
    Each,
    Live,
    go_over,
    has_few,
    is_staged,
    live,
    site_of,
    stream_of,
)
from ..values.inside import Inside, staged_in, table_in
from ..values.place import line_of
from ..values.staged_list import StagedList, collecting, rows_as_list
from ..values.tables import Kept
from ..values.truth import condition, staged
from .gathering import in_list, pairs_in
from .keys import is_unknown
from .table_methods import made, update


def listed(x: Any) -> Any:
    """A list of the items of any iterable: a Python list, or a `StagedList`."""
    if isinstance(x, Value) and not is_text(x):
        size = x.shape[0] if x.shape.rank else None
        if size is not None and size <= MOST_UNROLLED:
            return list(x)
        return rows_as_list(x)
    x = live(x)
    if isinstance(x, Live):
        return x.now()
    known = staged_in(x)
    if known is not None:
        return known.listed()
    table = table_in(x)
    if table is not None:
        return table.ordered()
    if has_few(x):
        return list(x)
    stream = stream_of(x)
    return list(x) if stream is None else _collected(stream)


def any_order(x: Any, whole: bool = False) -> Any:
    """The items of a set, where their order makes no difference; `whole`: where they are ints."""
    table = table_in(x) if isinstance(x, set) else None
    if table is None:
        return x
    item = table.keys.item
    floats = item is not None and any(s.dtype.is_floating for s in item.specs)
    return x if whole and floats else table.keys.copy()


def _collected(stream: Any) -> Any:
    return _extended([], stream)


def _extended(items: Any, source: Any) -> Any:
    """`items`, a list of our own, and those of `source`."""

    def step(item: Any, items: Any) -> Any:
        if not isinstance(items, StagedList):
            return [*items, item]
        made = items.copy()  # nobody else knows the other one
        made.append(item)
        return made

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


def starred(x: Any) -> Any:
    """`x` as several arguments or items of a tuple: Python must know how many."""
    x = in_list(x)
    if is_tracing() and (staged_in(x) is not None or table_in(x) is not None or _is_text(x)):
        raise ConversionError(
            f"items of a number that only the run tells become arguments, or items of a tuple, at "
            f"{describe(user_location(2))}; pass the list itself"
        )
    return x


def unpacked(x: Any) -> Any:
    """`x` as several items of a list."""
    held = staged_in(x) is not None or table_in(x) is not None
    others = not held and is_staged(x) and not isinstance(x, (Value, Choice))
    if _is_text(x) or isinstance(x, (Stream, StagedList)) or others:
        found = listed(x)
        return [Inside(found)] if isinstance(found, StagedList) else found
    table = table_in(x)
    return x if table is None else [Inside(table.ordered())]


def _is_text(x: Any) -> bool:
    """True for a text of a length that only the run knows."""
    return is_text(x) or (isinstance(x, (Text, Choice)) and is_staged(x))


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
    items = [_python_items(a) for a in args]
    if not is_tracing():
        return set(*items)
    return made(Kept(), items[0]) if any(map(_is_of_run, items)) else Kept(*items)


def dict_(*args: Any, **kwargs: Any) -> Any:
    """`dict(...)`."""
    if not is_tracing():
        return dict(*args, **kwargs)
    items = [_python_items(pairs_in(a)) for a in args]
    if any(_is_of_run(a, pairs=True) for a in items):
        made_of = made({}, items[0])
        if kwargs:
            update(made_of, kwargs)
        return made_of
    return dict(*items, **kwargs)


def _python_items(x: Any) -> Any:
    if isinstance(x, Iterator):
        x = list(x)  # its items are looked at: they may be keys that only the run knows
    if not is_staged(x):
        return x
    return x if table_in(x) is not None else listed(x)


def _is_of_run(items: Any, pairs: bool = False) -> bool:
    """True if only the run knows the keys that a set or dict of `items` has."""
    if table_in(items) is not None or staged_in(items) is not None:
        return True
    if not isinstance(items, (list, tuple)):
        return False
    firsts = [i[0] if pairs and isinstance(i, (tuple, list)) and i else i for i in items]
    return any(map(is_unknown, firsts))


def _repeated(items: Any, count: Any) -> StagedList:
    """`items * count`"""
    if isinstance(items, tuple):
        raise ConversionError(
            f"a tuple of a length that only the run tells is made at {describe(user_location(2))}; "
            "make a list of it"
        )
    made: StagedList = StagedList.of(items) * count
    return made


collecting.append(listed)
repeated.append(_repeated)
