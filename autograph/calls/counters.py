"""`collections.Counter` of what only the run knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from treadle.graph.build import is_tracing

from ..changes import journal
from ..iteration.stream import Loop
from ..iteration.streams import go_over, is_staged, site_of
from ..policy import replaced
from ..values.inside import table_in
from ..values.tables import Table
from . import table_methods
from .collecting import listed
from .keys import is_unknown
from .ordering import sorted_

Count = Counter[Any]


def counter_method(method: Any) -> Callable[..., Any] | None:
    """What to call instead of a method of `Counter` that is Python code; None: that."""
    owner, name = method.__self__, method.__name__
    if name == "update":
        return lambda *args, **kwargs: _update(owner, method, *args, **kwargs)
    if table_in(owner) is None:
        return None
    if name in _METHODS:
        return lambda *args: _METHODS[name](owner, *args)
    raise table_methods.refusal(name)


def _update(owner: Count, method: Any, *args: Any, **kwargs: Any) -> None:
    if args and isinstance(args[0], Iterator):
        args = list(args[0]), *args[1:]  # they may be what only the run knows
    if table_in(owner) is None and not (args and _is_of_run(args[0])):
        if journal.is_watched():
            journal.touch(owner)
        method(*args, **kwargs)
        return
    if kwargs or isinstance(args[0], dict):
        raise table_methods.refusal("update")
    table_methods.put(owner, _counted(Table.of(owner), args[0]))


def _is_of_run(items: Any) -> bool:
    return is_staged(items) or (isinstance(items, (list, tuple)) and any(map(is_unknown, items)))


def _counted(table: Table, items: Any) -> Table:
    def step(item: Any, table: Table) -> Table:
        present, place = table.find(item)
        count = table_methods.either(present, lambda: table.item(place), lambda: 0)
        return table.storing(item, count + 1)

    found: Table = go_over(items, step, [table], Loop(site_of(items, step), ["the counts"]))[0]
    return found


def _most_common(owner: Count, count: Any = None) -> Any:
    found = sorted_(Table.of(owner).pairs(), key=lambda pair: pair[1], reverse=True)
    return found if count is None else found[:count]


def _total(owner: Count) -> Any:
    return replaced[sum](Table.of(owner).values)


def counter_(*args: Any, **kwargs: Any) -> Any:
    """`collections.Counter(iterable)`"""
    if not is_tracing() or not args:
        return Counter(*args, **kwargs)
    items = listed(args[0]) if is_staged(args[0]) and not isinstance(args[0], dict) else args[0]
    made: Count = Counter()
    _update(made, made.update, items, **kwargs)
    return made


_METHODS: dict[str, Callable[..., Any]] = {"most_common": _most_common, "total": _total}
replaced[Counter] = counter_
