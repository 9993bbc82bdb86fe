"""Guards: what a value that was read must still be for a trace to serve."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType, WrapperDescriptorType
from typing import Any

import numpy as np

from ...graph.node import Value
from .access import MISSING, Access, reference
from .known import MOST_ITEMS, PLAIN, WRAPPERS, Known, Made, Values, is_library, plainly_indexed


class Guard:
    """One condition: a value (by type and value), an object (itself), its type, a length, keys,
    the contents of an array, or that there is no such attribute or item.
    """

    __slots__ = ("expected", "kind", "place")

    def __init__(self, place: Access, kind: str, expected: Any) -> None:
        self.place = place
        self.kind = kind  # value, object, type, length, keys, contents, absent
        self.expected = expected  # of an object or type, a reference

    def wanted(self) -> Any:
        """The value, object, type, length or keys that the trace was made for."""
        if self.kind == "absent":
            return MISSING
        if self.kind == "contents":
            dtype, shape, data = self.expected
            return np.frombuffer(data, dtype).reshape(shape)
        return self.expected() if self.kind in ("object", "type") else self.expected

    def found(self) -> Any:
        """What is there now."""
        x = self.place.current()
        if self.kind == "type":
            return type(x)
        try:
            if self.kind == "length":
                return len(x)
            return tuple(x) if self.kind == "keys" else x
        except TypeError:
            return MISSING

    def holds(self) -> bool:
        root = self.place.root
        if root.kind == "object" and root.base() is None:
            return True  # what is gone is read by nobody
        x = self.found()
        if self.kind in ("object", "type", "absent"):
            return x is self.wanted()
        if self.kind == "contents":
            return bool(contents(x) == self.expected)
        return same_value(x, self.expected)


def same_value(x: Any, y: Any) -> bool:
    """True for plain values of one type that can't be told apart; floats by their bits."""
    if x is y:
        return True
    kind = type(x)
    if kind is not type(y):
        return False
    if kind is float:
        return bool(x.hex() == y.hex())  # -0.0 is not 0.0, NaN is NaN
    if kind is tuple or kind is frozenset or kind is set:
        if len(x) != len(y):
            return False
        if kind is tuple:
            return all([same_value(a, b) for a, b in zip(x, y, strict=True)])
        return bool(x == y) and {type(a) for a in x} == {type(b) for b in y}
    if isinstance(x, np.generic):
        return bool(x.dtype == y.dtype and x.tobytes() == y.tobytes())
    if kind is bytearray:
        return bool(x == y)
    if kind is complex:
        return repr(x) == repr(y)
    return isinstance(x, PLAIN) and bool(x == y)


def contents(x: Any) -> Any:
    """What an array holds, to be compared."""
    return (x.dtype, x.shape, x.tobytes()) if isinstance(x, np.ndarray) else MISSING


def _is_plain(x: Any) -> bool:
    if isinstance(x, (tuple, frozenset)) and type(x) in (tuple, frozenset):
        return len(x) <= MOST_ITEMS and all(_is_plain(item) for item in x)
    return isinstance(x, (*PLAIN, np.generic))


def guards_of(known: Known, values: Values, depth: int = 0) -> Iterator[Guard]:
    """What must hold for `known`: for lists and dicts, of all that is in them."""
    x, place = known.value, known.place
    if place is None or isinstance(x, (Value, Made)):
        return
    if _is_plain(x):
        yield Guard(place, "value", x)
    elif type(x) is bytearray and len(x) <= MOST_ITEMS:
        yield Guard(place, "value", bytearray(x))
    elif type(x) is set:
        if all(_is_plain(item) for item in x):
            yield Guard(place, "value", set(x))
    elif plainly_indexed(x) and len(x) <= MOST_ITEMS and depth < 4:
        if isinstance(x, dict):
            if all(_is_plain(k) for k in x):
                yield Guard(place, "keys", tuple(x))
        else:
            yield Guard(place, "length", len(x))
        for item in values.items(known):
            yield from guards_of(item, values, depth + 1)
    elif plainly_indexed(x):
        yield Guard(place, "length", len(x))
    elif not (isinstance(x, ModuleType) and is_library(x)):
        yield Guard(place, "object", reference(values.seen.get(place, x)))
        if isinstance(x, np.ndarray) and x.size <= MOST_ITEMS and x.dtype.kind in "biufc":
            yield Guard(place, "contents", contents(x))
        if type(x) in WRAPPERS and depth < 4:
            for item in values.wrapped(known):
                yield from guards_of(item, values, depth + 1)


def type_guard(known: Known, values: Values) -> Guard | None:
    """The guard of `isinstance(x, C)`."""
    place = known.place or values.place_of(known)
    if place is None or isinstance(known.value, Value):
        return None
    return Guard(place, "type", reference(type(known.value)))


def length_guard(known: Known, values: Values) -> Guard | None:
    """The guard of `len(x)`."""
    place = known.place or values.place_of(known)
    if isinstance(known.value, WRAPPERS):
        return None
    of_python = isinstance(getattr(type(known.value), "__len__", None), WrapperDescriptorType)
    if place is None or not of_python:
        return None
    return Guard(place, "length", len(known.value))


__all__ = ["Guard", "contents", "guards_of", "length_guard", "same_value", "type_guard"]
