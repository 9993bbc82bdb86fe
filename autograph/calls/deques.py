"""`collections.deque` whose items the graph holds, as those of a list."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from treadle.graph import Value
from treadle.graph.build import convert, is_tracing
from treadle.graph.ops.comparison import where
from treadle.graph.ops.effects import require
from treadle.graph.ops.sequences import range_

from ..changes.journal import touch
from ..iteration.streams import is_staged
from ..policy import replaced
from ..values.inside import Inside, staged_in
from ..values.list_items import here
from ..values.staged_list import StagedList, searching, stage
from .collecting import listed

Deque = deque[Any]


def deque_method(method: Any) -> Callable[..., Any]:
    """What to call instead of the method of a deque."""
    owner, name = method.__self__, method.__name__
    if not is_tracing() or (name not in _METHODS and name not in searching):
        return method  # type: ignore[no-any-return]
    if name not in _READING:
        touch(owner)

    def act(*args: Any, **kwargs: Any) -> Any:
        known = staged_in(owner) is not None
        if name in searching:
            return searching[name](owner, *args, **kwargs)
        if not known and not any(_is_of_run(a, name) for a in args[:1]):
            return method(*args, **kwargs)
        return _METHODS[name](owner, *args, **kwargs)

    return act


def _is_of_run(first: Any, name: str) -> bool:
    """True for an argument of the method `name` that Python's own can't do with."""
    if name in ("extend", "extendleft"):
        return is_staged(first)
    return isinstance(first, Value) and name not in ("append", "appendleft")


def _cut(owner: Deque, staged: StagedList, first: bool) -> None:
    """Leave out what is too much, the `first` items or the last ones."""
    most = owner.maxlen
    if most is None:
        return
    size = staged.size()
    over = where(size > most, size - most, convert(0))
    places = range_(over, size) if first else range_(size - over)
    staged.keep(places)


def _append(owner: Deque, value: Any) -> None:
    staged = stage(owner)
    staged.append(value, owner)
    _cut(owner, staged, True)


def _append_left(owner: Deque, value: Any) -> None:
    staged = stage(owner)
    staged.insert(0, value)
    _cut(owner, staged, False)


def _extend(owner: Deque, values: Iterable[Any]) -> None:
    staged = stage(owner)
    staged.extend(listed(values) if is_staged(values) else list(values))
    _cut(owner, staged, True)


def _extend_left(owner: Deque, values: Iterable[Any]) -> None:
    new = StagedList.of(listed(values) if is_staged(values) else list(values))
    new.reverse()
    staged = stage(owner)
    new.extend(staged)
    staged.item, staged.arrays = new.item, new.arrays
    _cut(owner, staged, False)


def _pop(owner: Deque) -> Any:
    return _taken(owner, -1)


def _pop_left(owner: Deque) -> Any:
    return _taken(owner, 0)


def _taken(owner: Deque, place: int) -> Any:
    staged = stage(owner)
    if staged.item is None:
        raise IndexError("pop from an empty deque")
    text = f"pop from an empty deque, at {here()}"
    staged.arrays = tuple(require(staged.size() > 0, staged.arrays, "IndexError", text))
    return staged.pop(place)


def _insert(owner: Deque, place: Any, value: Any) -> None:
    staged = stage(owner)
    if owner.maxlen is not None:
        text = f"deque already at its maximum size, at {here()}"
        room = staged.size() < owner.maxlen
        staged.arrays = tuple(require(room, staged.arrays, "IndexError", text))
    staged.insert(place, value)


def _rotate(owner: Deque, count: Any = 1) -> None:
    staged = stage(owner)
    size = staged.size()
    places = (range_(size) - count) % where(size < 1, convert(1), size)
    staged.keep(places)


def _copy(owner: Deque) -> Deque:
    return _holding(staged_in(owner).listed(), owner.maxlen)


def _holding(staged: StagedList, maxlen: int | None) -> Deque:
    made: Deque = deque(maxlen=maxlen)
    if maxlen != 0:
        made.append(Inside(staged))
        _cut(made, staged, True)
    return made


def deque_(*args: Any, **kwargs: Any) -> Any:
    """`collections.deque(iterable, maxlen)`"""
    if not (is_tracing() and args and is_staged(args[0])):
        return deque(*args, **kwargs)
    items = listed(args[0])
    made: Deque = deque((), *args[1:], **kwargs)
    if isinstance(items, StagedList):
        return _holding(items, made.maxlen)
    made.extend(items)
    return made


_METHODS: dict[str, Callable[..., Any]] = {
    "append": _append,
    "appendleft": _append_left,
    "clear": lambda owner: stage(owner).clear(),
    "copy": _copy,
    "__copy__": _copy,
    "extend": _extend,
    "extendleft": _extend_left,
    "insert": _insert,
    "pop": _pop,
    "popleft": _pop_left,
    "reverse": lambda owner: stage(owner).reverse(),
    "rotate": _rotate,
}
_READING = frozenset(["copy", "__copy__", "count", "index"])
replaced[deque] = deque_
