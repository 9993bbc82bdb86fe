"""Methods of Python lists that meet what the graph holds: the list itself, or an argument."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from treadle.graph import Value
from treadle.graph.build import is_tracing

from ..changes.aliases import Operations, is_involved
from ..changes.journal import touch
from ..iteration.stream import Stream
from ..iteration.streams import backwards
from ..values.given import refuse_change
from ..values.inside import staged_in, table_in
from ..values.staged_list import StagedList, searching, stage
from .gathering import in_list

# Methods that look at their argument; of the others it makes no difference what it is.
_CURIOUS = frozenset(["count", "extend", "index", "insert", "pop", "remove", "sort"])
_CHANGING = frozenset(["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"])


def list_method(method: Any) -> Callable[..., Any]:
    """What to call instead of the method of a list."""
    owner, name = method.__self__, method.__name__
    if name in _CHANGING:
        if is_involved(owner):
            return functools.partial(_changed, owner, name)
        refuse_change(owner)
        touch(owner)
    staged = staged_in(owner)
    if staged is not None:
        if name == "append":
            return functools.partial(stage(owner).append, owner=owner)
        return _of_staged(stage(owner) if name in _CHANGING else staged, name)
    return functools.partial(_call, method) if name in _CURIOUS and is_tracing() else method


def _changed(owner: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call a method that changes a list of which a tensor chose one."""
    args = tuple([list(a) if isinstance(a, Iterator) else a for a in args])

    def act(one: Any) -> Any:
        staged = staged_in(one)
        if staged is not None:
            own = one if staged is one else stage(one)
            return _of_staged(own, name)(*args, **kwargs)
        return _call(getattr(one, name), *args, **kwargs)

    return Operations.change(owner, act)


def _call(method: Any, *args: Any, **kwargs: Any) -> Any:
    owner, name = method.__self__, method.__name__
    if name in searching:
        return searching[name](owner, *args, **kwargs)
    if name == "extend":
        args = tuple(map(in_list, args))
    held = any(staged_in(v) is not None or table_in(v) is not None for v in args)
    if not held and not any(isinstance(v, (Value, Stream)) for v in args):
        return method(*args, **kwargs)
    return getattr(stage(owner), name)(*args, **kwargs)


def staged_method(method: Any) -> Callable[..., Any]:
    """The method of a `StagedList`, which is told to the journal."""
    if method.__name__ in _CHANGING:
        if is_involved(method.__self__):
            return functools.partial(_changed, method.__self__, method.__name__)
        touch(method.__self__)
    if method.__name__ == "append":
        return functools.partial(method, owner=method.__self__)
    return _of_staged(method.__self__, method.__name__)


def _of_staged(owner: StagedList, name: str) -> Callable[..., Any]:
    if name in searching:
        return functools.partial(searching[name], owner)
    if name == "__reversed__":
        return functools.partial(backwards, owner)
    found: Callable[..., Any] = getattr(owner, "listed" if name == "copy" else name)
    return found
