"""Persistent arrays: growable lists of tensors whose old versions stay readable.

The run-time value of an `ArraySpec`: what loops save for their gradients, and TensorArrays. Each
change gives a new version in constant time, as long as the newest version is the one in use:
versions share one Python list, an old one holds what differs from the next (Baker, "Shallow
binding makes functional arrays fast", 1991). To use an old version again moves the list to it; two
that are used in turns (gradients of two values begin with the same zeros) soon have a list each.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from .spec import Element

_lock = threading.Lock()


class _State:
    """The contents of the list at one time: the list itself, or one difference to another."""

    __slots__ = ("index", "item", "items", "moves", "next")

    def __init__(self, items: list[Any] | None, moves: int = 0) -> None:
        self.items = items
        self.moves = moves  # differences that were turned around since the list was made
        self.next: _State | None = None  # with `index` and `item`: as next, but for this item
        self.index = 0
        self.item: Any = None


class PersistentArray:
    """A version of an array: its first `size` items. A missing item is None.

    Growing leaves the state as it is, since a version never looks beyond its own size.
    """

    __slots__ = ("_state", "element", "ragged", "size")

    def __init__(self, items: Iterable[Any], element: Element) -> None:
        """An array of `items`; `element` tells what they have in common."""
        held = list(items)
        self._state = _State(held)
        self.size = len(held)
        self.element = element
        self.ragged = False  # of a batch of arrays: they differ in length (ops/array_rows.py)

    def _version(self, state: _State, size: int) -> PersistentArray:
        new = PersistentArray.__new__(PersistentArray)
        new._state = state
        new.size = size
        new.element = self.element
        new.ragged = self.ragged
        return new

    def __len__(self) -> int:
        return self.size

    def get(self, index: int) -> Any:
        """The item at `index`; None if it is missing or outside."""
        if not 0 <= index < self.size:
            return None
        state = self._state
        items = state.items
        if items is not None:
            item = items[index]
            if state.items is items:  # no other thread has moved the list meanwhile
                return item
        with _lock:
            return _reroot(state)[index]

    def items(self) -> list[Any]:
        """All items in a list of the caller's own."""
        with _lock:
            return _reroot(self._state)[: self.size]

    def push(self, item: Any) -> PersistentArray:
        """The array with one more item."""
        if not (
            self.size or self.ragged
        ):  # others may grow from the same empty array: each gets its own list
            return PersistentArray([item], self.element)
        with _lock:
            state, size = self._state, self.size
            items = state.items
            if items is None:
                items = _reroot(state)
            if len(items) == size:
                items.append(item)
            else:
                state = _write(state, items, size, item)
        new = PersistentArray.__new__(PersistentArray)
        new._state, new.size, new.element = state, size + 1, self.element
        new.ragged = self.ragged
        return new

    def set(self, index: int, item: Any) -> PersistentArray:
        """The array with another item at `index`, which may lie beyond the end."""
        if index < 0:
            raise IndexError(index)
        with _lock:
            state, size = self._state, self.size
            items = _reroot(state)
            if index >= size:
                # What lies between the end and the new item must read as missing.
                for i in range(size, min(index, len(items))):
                    if items[i] is not None:
                        state = _write(state, items, i, None)
                items.extend([None] * (index + 1 - len(items)))
            return self._version(_write(state, items, index, item), max(size, index + 1))

    def resized(self, size: int) -> PersistentArray:
        """The array cut to, or filled up with missing items to, `size`."""
        if size <= self.size:
            return self._version(self._state, size)
        return self.set(size - 1, None)

    def __repr__(self) -> str:
        return f"PersistentArray({self.items()!r})"


def _write(state: _State, items: list[Any], index: int, item: Any) -> _State:
    """Hand the list, with `item` at `index`, from `state` to a new state."""
    new = _State(None, state.moves)
    state.next, state.index, state.item = new, index, items[index]
    state.items = None
    items[index] = item
    new.items = items
    return new


def _reroot(state: _State) -> list[Any]:
    """The list of `state`: moved to it by turning the differences on the way around, or copied,
    where that was done so often that a copy costs no more.
    """
    items = state.items
    if items is not None:
        return items
    path = [state]
    while (following := path[-1].next) is not None:
        path.append(following)
    newer = path.pop()
    held = newer.items
    assert held is not None
    moves = newer.moves + len(path)
    if moves > len(held) // 8:
        held = held.copy()
        for older in reversed(path):
            held[older.index] = older.item
        newer.moves = state.moves = 0
        state.next, state.item, state.items = None, None, held
        return held
    state.moves = moves
    while path:
        older = path.pop()
        newer.next, newer.index, newer.item = older, older.index, held[older.index]
        newer.items = None
        held[older.index] = older.item
        older.next, older.item, older.items = None, None, held
        newer = older
    return held
