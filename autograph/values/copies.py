"""Copies of the lists and dicts that a path hands on, as it leaves them: the objects themselves get
back what they held before, if they are from before.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from typing import Any

from .inside import InGraph, staged_in
from .state import is_tensor, parts_of

Path = tuple[int, ...]


class Copies:
    """Which lists and dicts were copied, also those in tuples and the like; `kept` are not."""

    __slots__ = ("_kept", "_made", "_originals")

    def __init__(self, kept: frozenset[int] = frozenset()) -> None:
        self._kept = kept  # ids
        self._made: list[Any] = []
        self._originals: dict[int, Any] = {}  # by the ids of their copies

    def of(self, x: Any) -> Any:
        """`x` with copies of the lists and dicts in it."""
        if id(x) in self._kept:
            return x
        known = None if type(x) is deque else staged_in(x)
        if known is not None:
            return self.note(known.copy(), x)
        if type(x) is list:
            return self.note([self.of(v) for v in x], x)
        if type(x) is dict:
            return self.note({k: self.of(v) for k, v in x.items()}, x)
        if type(x) in (defaultdict, Counter):
            made: Any = defaultdict(x.default_factory) if type(x) is defaultdict else Counter()
            dict.update(made, {k: self.of(v) for k, v in x.items()})
            return self.note(made, x)
        parts = parts_of(x) if isinstance(x, tuple) or is_ours(type(x)) else None
        if parts is None:
            return x
        items = [self.of(v) for v in parts[0]]
        return x if all(a is b for a, b in zip(items, parts[0], strict=True)) else parts[1](items)

    def note(self, copy: Any, x: Any) -> Any:
        """`copy`, which is one of `x`."""
        self._made.append(copy)
        self._originals[id(copy)] = x
        return copy

    def original(self, x: Any) -> Any:
        """What `x` is a copy of, else `x`."""
        return self._originals.get(id(x), x)

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """Each copy and its original."""
        return zip(self._made, self._originals.values(), strict=True)

    def references(self) -> Iterator[Any]:
        """The references that are held here."""
        yield from self._made
        yield from self._originals.values()


def containers(x: Any) -> frozenset[int]:
    """The ids of the lists and dicts in `x`."""
    found: set[int] = set()
    todo = [x]
    while todo:
        x = todo.pop()
        if id(x) not in found and not is_tensor(x):
            if isinstance(x, (list, dict)) or staged_in(x) is not None:
                found.add(id(x))
            todo += _parts(x)
    return frozenset(found)


def _parts(x: Any) -> list[Any]:
    parts = parts_of(x)
    return [] if parts is None else parts[0]


def containers_at(x: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The lists and dicts in `x`, with their places."""
    if isinstance(x, (list, dict)):
        yield path, x
    if not is_tensor(x):
        for i, v in enumerate(_parts(x)):
            yield from containers_at(v, (*path, i))


def unchanged(before: Any, after: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """The lists and dicts that are the same ones in two values, with their places."""
    if before is after and isinstance(before, (list, dict, InGraph)):
        yield path, before
    elif not is_tensor(before) and not is_tensor(after):
        for i, (x, y) in enumerate(zip(_parts(before), _parts(after), strict=False)):
            yield from unchanged(x, y, (*path, i))


def is_ours(kind: type) -> bool:
    """True for what AutoGraph makes in place of Python's values."""
    return hasattr(kind, "__tl_flatten__") and not hasattr(kind, "__tl_unflatten__")
