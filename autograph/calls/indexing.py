"""`x[i]` and `x[i] = v` where an index, or what is indexed, belongs to the graph."""

from __future__ import annotations

from collections import UserList, deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from treadle.graph import Tensor, Value
from treadle.graph.build import convert, is_tracing
from treadle.graph.location import describe, user_location
from treadle.graph.ops.effects import require
from treadle.graph.ops.item_updates import with_items

from ..changes.item_changes import Viewed
from ..control.choice import Choice, operate, picked
from ..values.given import refuse_item
from ..values.inside import staged_in
from ..values.list_places import is_symbolic, place_of
from ..values.optional import Source
from ..values.place import user_line
from ..values.staged_list import StagedList
from ..values.state import is_number, is_tensor, is_variable
from .changing import changing
from .keys import Keyed


class Items:
    """A Python sequence, text or array that is indexed by what may be symbolic."""

    __slots__ = ("of",)

    def __init__(self, of: Any) -> None:
        self.of = of

    def __getitem__(self, key: Any) -> Any:
        if type(key) is Choice:  # of slices
            return operate(lambda k: items(self.of)[k], key)
        if not is_symbolic(key):
            return self.of[key]
        if isinstance(self.of, np.ndarray):
            return convert(self.of)[key]
        if isinstance(self.of, str):  # the bounds of a slice must be known
            return _one_of(self.of, key) if isinstance(key, Value) else self.of[key]
        if isinstance(key, Value) and not all(map(is_scalar, self.of)):
            return _one_of(self.of, key)
        return StagedList.of(self.of)[key]


def is_scalar(value: Any) -> bool:
    return (is_tensor(value) and not is_variable(value)) or is_number(value)


def _one_of(items: Sequence[Any], key: Value) -> Any:
    """The one of several Python objects at a place that the run tells."""
    place = place_of(key, convert(len(items)))
    kind = "string" if isinstance(items, str) else type(items).__name__
    (place,) = require(
        (place >= 0) & (place < len(items)),
        [place],
        "IndexError",
        f"{kind} index out of range, at {describe(user_location(2))}",
    )
    return picked(place, list(items), Source("", f"the index at {user_line()}"))


def items(x: Any) -> Any:
    """What to index instead of `x`."""
    kind = type(x)
    if kind is Value:
        return x
    if kind is StagedList and x.origins:
        return Viewed(x)
    if kind is dict or isinstance(x, dict):
        return Keyed(x) if is_tracing() else x
    if kind in (list, tuple, deque, np.ndarray, str, bytes, range) and is_tracing():
        known = staged_in(x)
        return Items(x) if known is None else Viewed(x) if known.origins else known
    if isinstance(x, (list, UserList)) and is_tracing():
        own = getattr(kind, "__getitem__", None) not in (list.__getitem__, UserList.__getitem__)
        known = None if own else staged_in(x)
        return x if known is None else Viewed(x) if known.origins else known
    return x


span = slice  # of keys that are arguments


def set_item(x: Any, key: Any, value: Any) -> Any:
    """`x[key] = value`; what `x` is then: a new tensor if it is one, else `x` itself."""
    if isinstance(x, Tensor):
        refuse_item(x)
        return with_items(x, key, value) if is_tracing() else _set(x, key, value)
    return _set(x, key, value)


def _set(x: Any, key: Any, value: Any) -> Any:
    changing(x)[key] = value
    return x


def del_item(x: Any, key: Any) -> Any:
    """`del x[key]`; what `x` is then."""
    del changing(x)[key]
    return x
