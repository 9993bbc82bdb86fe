"""Lists and dicts that a loop's state holds, and something else, too."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

from .. import policy
from ..values.place import frames_of_user
from ..values.state import is_number, is_tensor, parts_of
from .contents import contents_of

_LIMIT = 2_000  # objects that are looked at
_FRAMES = 8


def is_shared(x: Any, name: str = "") -> bool:
    """True if a name of the user's leads to `x`, other than `name`, that of the state."""
    seen: set[int] = set()
    todo = deque(_roots(name))  # the nearest first
    while todo and len(seen) < _LIMIT:
        value = todo.popleft()
        if value is x:
            return True
        if id(value) not in seen and not (is_tensor(value) or is_number(value)):
            seen.add(id(value))
            todo += _inside(value)
    return False


def is_named(x: Any) -> bool:
    """True if a name of the user's leads to `x`, a global one among them."""
    frames = islice(frames_of_user(), _FRAMES)
    return any(v is x for *_, names in frames for v in list(names.values())) or is_shared(x)


def _roots(name: str) -> Iterator[Any]:
    nearest = None
    for function, local, others in islice(frames_of_user(), _FRAMES):
        own = nearest in (None, function)
        yield from (v for n, v in local.items() if not (own and n == name))
        if nearest is None:
            nearest, kinds = function, (list, dict, tuple)
            yield from (v for v in list(others.values()) if isinstance(v, kinds))


def _inside(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    parts = parts_of(value)
    if parts is not None:
        return parts[0]
    if isinstance(value, type) or policy.is_library_type(type(value)):
        return []  # our own bookkeeping, too
    contents = contents_of(value)
    return [] if contents is None else list(contents.values())


def at(value: Any, path: tuple[int, ...]) -> Any:
    """What is in a value at a place; None if that is not known."""
    for index in path:
        parts = parts_of(value)
        if parts is None or index >= len(parts[0]):
            return None
        value = parts[0][index]
    return value
