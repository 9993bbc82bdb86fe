"""What Python's own messages call the objects that stand for what only the run knows."""

from __future__ import annotations

from typing import Any, TypeVar

from treadle.graph import Value

T = TypeVar("T", bound=type[Any])

_NAMES = [Value.__name__]


def named(cls: T) -> T:
    """A class that Python calls by its `__tl_name__`: "not iterable", it says of that."""
    cls.__name__ = cls.__tl_name__
    _NAMES.append(cls.__name__)
    return cls


def names_one(message: str) -> bool:
    return any(name in message for name in _NAMES)
