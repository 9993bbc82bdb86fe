"""The traces of one function: found by key and guards, bounded, dropped with what they are for."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from ..runtime import Variable
from .concrete import ConcreteFunction
from .signature import Key, Keyed, open_sizes

MAX_TRACES = 256
_MAX_CALLS = 4_096  # of keys remembered for traces that serve many


class TraceCache:
    """Traces by key. Those of one key differ in what they were guarded for.

    Takes no lock: a reader sees the state before or after a change. Objects may die anywhere.
    """

    def __init__(self) -> None:
        self.quick: dict[Key, ConcreteFunction] = {}  # the latest for what a call looks like
        self.tied: dict[int, Variable] = {}  # the variables that traces capture, by id
        self.created_for: set[Key] = set()  # objects of keys for which a first call was made
        self._kept: dict[ConcreteFunction, Key] = {}  # the oldest, or longest unused, first
        self._by_key: dict[Key, tuple[ConcreteFunction, ...]] = {}
        self._served: dict[Key, ConcreteFunction] = {}  # by keys less general than their own
        self._owners: dict[int, Any] = {}  # weak references to objects that are part of keys

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[ConcreteFunction]:
        return iter(list(self._kept))

    def keys(self) -> list[Key]:
        """Those of all traces, the latest last."""
        return list(self._kept.values())

    def find(self, key: Key) -> ConcreteFunction | None:
        """The trace that serves a call of this key now."""
        for concrete in self._by_key.get(key, ()):
            if concrete.holds():
                return concrete
        served = self._served.get(key)
        if served is not None and served.holds():
            return served
        return None

    def find_general(self, key: Key) -> ConcreteFunction | None:
        """The least general trace that serves it; the key is then remembered."""
        best: ConcreteFunction | None = None
        fewest = 0
        for concrete, general in list(self._kept.items()):
            unknown = _unknown_sizes(general, key)
            if unknown and (best is None or unknown < fewest) and concrete.holds():
                best, fewest = concrete, unknown
        if best is not None:
            if len(self._served) >= _MAX_CALLS:
                self._served.clear()
            self._served[key] = best
        return best

    def remember_call(self, quick: Key, concrete: ConcreteFunction) -> None:
        if concrete in self._kept:
            if len(self.quick) >= _MAX_CALLS:
                self.quick.clear()
            concrete.check = concrete.guards.check()
            self.quick[quick] = concrete

    def keep(self, keyed: Keyed, concrete: ConcreteFunction) -> None:
        for x in keyed.objects:
            self._watch(x)
        self.tied |= {id(v): v for v in concrete.variables}
        self._watch_guards(concrete)
        self._kept[concrete] = keyed.parts
        self._by_key[keyed.parts] = (*self._by_key.get(keyed.parts, ()), concrete)
        if len(self._kept) > MAX_TRACES:
            self._evict()

    def _watch_guards(self, concrete: ConcreteFunction) -> None:
        """Drop the trace when an object dies that its guards look for."""
        concrete.guards.held = frozenset(map(id, concrete.captures))
        this, that = weakref.ref(self), weakref.ref(concrete)

        def died(_: Any) -> None:
            cache, gone = this(), that()
            if cache is not None and gone is not None:
                cache.forget(lambda _, c: c is gone)

        concrete.watched = []
        for reference in concrete.guards.references():
            x = reference()
            if x is not None:
                concrete.watched.append(weakref.ref(x, died))

    def _evict(self) -> None:
        """Drop the oldest trace that was not used since the last time that this was asked."""
        for concrete, key in list(self._kept.items())[:-1]:
            if not concrete.used:
                break
            concrete.used = False
            self._kept.pop(concrete, None)
            self._kept[concrete] = key
        oldest = next(iter(self._kept))
        self.forget(lambda _, c: c is oldest)

    def _watch(self, x: Any) -> None:
        """Drop the traces that are keyed by the identity of `x` when it dies."""
        if id(x) in self._owners:
            return
        number = id(x)
        this = weakref.ref(self)

        def died(_: Any) -> None:
            cache = this()
            if cache is not None:
                cache._owners.pop(number, None)
                cache.created_for = {o for o in cache.created_for if number not in o}
                cache.forget(lambda key, _: _mentions(key, number))

        try:
            self._owners[number] = weakref.ref(x, died)
        except TypeError:
            self._owners[number] = x  # can't be held weakly: lives as long as its traces

    def forget(self, which: Callable[[Key, ConcreteFunction], bool]) -> None:
        """Drop traces."""
        dropped = {c for c, key in list(self._kept.items()) if which(key, c)}
        if not dropped:
            return
        for concrete in dropped:
            self._kept.pop(concrete, None)
            concrete.guards.release()
        by_key: dict[Key, tuple[ConcreteFunction, ...]] = {}
        for concrete, key in list(self._kept.items()):
            by_key[key] = (*by_key.get(key, ()), concrete)
        self._by_key = by_key
        self.quick = {q: c for q, c in list(self.quick.items()) if c not in dropped}
        self._served = {q: c for q, c in list(self._served.items()) if c not in dropped}
        self.tied = {id(v): v for trace in self for v in trace.variables}
        for number, owner in list(self._owners.items()):
            strong = not isinstance(owner, weakref.ref)
            if strong and not any(_mentions(key, number) for key in list(by_key)):
                self._owners.pop(number, None)
                self.created_for = {o for o in self.created_for if number not in o}


def _mentions(key: Any, number: int) -> bool:
    if isinstance(key, tuple):
        return key == ("object", number) or any(_mentions(part, number) for part in key)
    return False


def _unknown_sizes(general: Any, key: Any) -> int:
    """How many sizes `general` leaves open where it covers `key`; 0 where it does not."""
    count = open_sizes(general, key)
    return count or 0


__all__ = ["MAX_TRACES", "TraceCache"]
