"""Which objects were made after a moment: those that the collector counts as young.

The collector is paused while a function is traced, so all that was made since it last ran is in its
youngest generation. At each moment the young ones are written down and become older.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..values.state import namespace_of

_lock = threading.Lock()
_made: list[set[int]] = []  # the ids of what was made between two moments
_watchers = 0


@contextmanager
def watched() -> Iterator[int]:
    """Inside, `made_since` may be asked; gives the moment at which it begins."""
    global _watchers  # noqa: PLW0603 - the collector is a global of the process
    with _lock:
        _watchers += 1
    moment = collected()
    try:
        yield moment
    finally:
        with _lock:
            _watchers -= 1
            if not _watchers:
                _made.clear()


def collected() -> int:
    """Collect the young ones that nobody needs; the others are written down. Gives the moment."""
    with _lock:
        _made.append({id(x) for x in gc.get_objects(generation=0)})
        gc.collect(0)
        return len(_made)


def made_since(moment: int, objects: Iterable[Any]) -> set[int]:
    """The ids of those `objects` that were made after `moment` and are known to the collector.

    An id that is in use since before can't be that of a later object.
    """
    wanted = set(map(id, objects))
    if not wanted:
        return wanted
    with _lock:
        young = {i for i in map(id, gc.get_objects(generation=0)) if i in wanted}
        return young.union(*[wanted & made for made in _made[moment:]])


def young(moment: int) -> list[Any]:
    """What was made after `moment`, as far as the collector knows it."""
    with _lock:
        older = set().union(*_made[moment:])
        return [
            *gc.get_objects(generation=0),
            *(x for x in gc.get_objects(generation=1) if id(x) in older),
        ]


def owner_of(x: dict[Any, Any]) -> Any:
    """The object of which `x` is the `__dict__`, which is made when it is asked for; else None."""
    return next((owner for owner in gc.get_referrers(x) if namespace_of(owner) is x), None)
