"""`next()`: the first item of a stream, or Python's own where an iterator is Python's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treadle.graph.build import convert, is_tracing
from treadle.graph.ops.effects import require
from treadle.graph.ops.logic import logical_not

from ..changes import journal
from ..control.conditionals import if_exp
from ..values.facts import assume
from ..values.optional import Maybe
from ..values.state import leaves_of, with_leaves
from ..values.undefined import Undefined
from .comprehensions import Filtered
from .generated import Generated
from .sequence_iterators import SequenceIterator
from .stream import Loop, Stream
from .streams import go_over, site_of

_ITEM = "the item"
# How to advance objects of the user's classes; filled by iteration_tools.py.
objects: list[Callable[[Any], Callable[..., Any] | None]] = []


def next_(iterator: Any, *default: Any) -> Any:
    """`next(iterator, default)`. A stream gives its first item, and then it is used up."""
    if not is_tracing():
        return next(iterator, *default)
    if isinstance(iterator, Stream) and not isinstance(iterator, (Filtered, Generated)):
        return first(iterator, *default)
    own = objects[0](iterator)
    if own is not None:
        return own(*default)
    journal.advance(iterator)
    return next(iterator, *default)


def first(iterator: Any, *default: Any) -> Any:
    """`next(iterator, default)` of what nobody else knows."""
    if not isinstance(iterator, Stream) or not is_tracing():
        return next_(iterator, *default)
    if isinstance(iterator, SequenceIterator):
        return iterator.next(*default)

    def step(item: Any, found: Any) -> Any:
        return item

    def go_on(found: Any) -> Any:
        if isinstance(found, Maybe):
            return logical_not(convert(found._present))
        return isinstance(found, Undefined)

    loop = Loop(site_of(iterator, step), [_ITEM], go_on, relaxed=True)
    found = go_over(iterator, step, [Undefined(_ITEM)], loop)[0]
    if isinstance(found, Undefined):
        return next(iter(()), *default)
    if not isinstance(found, Maybe):
        return found
    present = convert(found._present)
    if default:
        return if_exp(present, lambda: found._value, lambda: default[0])
    checked = require(present, leaves_of(found._value), "StopIteration", "")
    assume(present, True)
    return with_leaves(found._value, checked)
