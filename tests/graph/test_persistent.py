"""Persistent arrays against lists that are copied at each step."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from treadle.graph.persistent import PersistentArray
from treadle.graph.spec import TensorSpec

SPEC = TensorSpec([])
Version = tuple[PersistentArray, list[Any]]


class AgainstCopies(RuleBasedStateMachine):
    """Any version may be read or changed at any time."""

    versions = Bundle("versions")

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Version] = []
        self.count = 0

    def kept(self, array: PersistentArray, items: list[Any]) -> Version:
        self.all.append((array, items))
        return array, items

    def fresh(self) -> int:
        self.count += 1
        return self.count

    @rule(target=versions, size=st.integers(0, 3))
    def start(self, size: int) -> Version:
        return self.kept(PersistentArray([None] * size, SPEC), [None] * size)

    @rule(target=versions, version=versions)
    def push(self, version: Version) -> Version:
        array, items = version
        item = self.fresh()
        return self.kept(array.push(item), [*items, item])

    @rule(target=versions, version=versions, index=st.integers(0, 8), clear=st.booleans())
    def put(self, version: Version, index: int, clear: bool) -> Version:
        array, items = version
        item = None if clear else self.fresh()
        grown = items + [None] * (index + 1 - len(items))
        return self.kept(array.set(index, item), [*grown[:index], item, *grown[index + 1 :]])

    @rule(target=versions, version=versions, size=st.integers(0, 6))
    def resize(self, version: Version, size: int) -> Version:
        array, items = version
        return self.kept(array.resized(size), (items + [None] * size)[:size])

    @rule(version=versions, index=st.integers(-1, 9))
    def get(self, version: Version, index: int) -> None:
        array, items = version
        assert array.get(index) == (items[index] if 0 <= index < len(items) else None)

    @invariant()
    def every_version_is_as_it_was(self) -> None:
        for array, items in self.all:
            assert len(array) == len(items)
            assert array.items() == items


TestAgainstCopies = AgainstCopies.TestCase


def test_growing_one_version_copies_nothing() -> None:
    array = PersistentArray([], SPEC).push(0)  # from there on it has its own list
    held = array._state.items
    for i in range(1, 1000):
        array = array.push(i)
    assert array._state.items is held
    assert array.items() == list(range(1000))


def test_two_that_grow_from_nothing_do_not_share() -> None:
    empty = PersistentArray([], SPEC)
    first, second = empty.push(1), empty.push(2)
    assert first._state is not second._state
    assert (first.items(), second.items(), empty.items()) == ([1], [2], [])


def test_old_versions_do_not_hold_new_ones_alive() -> None:
    array = PersistentArray([0], SPEC)
    kept = []
    for i in range(100):
        array = array.set(0, i)
        kept.append(sys.getrefcount(array._state))
    # Each state is held by its version alone: those before are gone.
    assert len(set(kept)) == 1


def test_threads_that_use_different_versions() -> None:
    old = PersistentArray([0] * 50, SPEC)
    new = old
    for i in range(50):
        new = new.set(i, 1)
    wrong: list[Any] = []

    def read(array: PersistentArray, want: int) -> None:
        wrong.extend(got for _ in range(50) for i in range(50) if (got := array.get(i)) != want)

    threads = [threading.Thread(target=read, args=pair) for pair in ((old, 0), (new, 1)) * 2]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


def test_negative_places() -> None:
    with pytest.raises(IndexError):
        PersistentArray([], SPEC).set(-1, 0)
