"""Texts with symbolic tensors in them: marks stand for what the run will put there.

While an exception is made in a branch of a trace, the text of a symbolic tensor (`f"{x:.2f}"`,
`str(x)`) is a mark, which the run replaces by the text of the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

from .errors import OperatorNotAllowedInGraphError
from .location import describe, user_location

_MARK = re.compile("\ue0f0(\\d+)\ue0f1")
_active: ContextVar[bool] = ContextVar("symbolic_text", default=False)
_numbers = count()


class Part:
    """What a mark stands for: a tensor, and the function that made a text of it."""

    __slots__ = ("__weakref__", "is_python", "make", "spec", "value")

    def __init__(self, value: Any, make: Callable[..., str], spec: str | None) -> None:
        self.value = value
        self.make = make
        self.spec = spec
        self.is_python = value in value.owner.numbers  # it stands for a Python number or text

    def text(self, value: Any) -> str:
        """The text of the tensor that the run gives, or a mark for a symbolic one."""
        found = mark(value, self.make, self.spec) if type(value) is type(self.value) else None
        if found is not None:
            return found
        if self.is_python:
            value = python_value(value)
        return self.make(value) if self.spec is None else format(value, self.spec)

    def symbolic(self) -> str:
        """The text of the symbolic tensor itself."""
        with symbolic_text(False):
            return self.make(self.value)


def python_value(value: Any) -> Any:
    """An eager tensor as the Python number or text that it stands for."""
    found = value.numpy()
    return found.decode() if isinstance(found, bytes) else found.item()


_parts: WeakValueDictionary[int, Part] = WeakValueDictionary()


@contextmanager
def symbolic_text(active: bool = True) -> Iterator[None]:
    """Inside, texts of symbolic tensors are marks."""
    token = _active.set(active)
    try:
        yield
    finally:
        _active.reset(token)


def is_active() -> bool:
    """True where texts of symbolic tensors are marks."""
    return _active.get()


def mark(value: Any, make: Callable[..., str], spec: str | None = None) -> str | None:
    """The text that stands for `make(value)` (or `format(value, spec)`); None outside of
    `symbolic_text`.
    """
    if not _active.get():
        return None
    if spec is not None and has_marks(spec):
        raise OperatorNotAllowedInGraphError(
            f"the format of a text at {describe(user_location(2))} depends on a tensor, whose "
            "value only the run knows. Use a format that is known, or tl.strings"
        )
    part, number = Part(value, make, spec), next(_numbers)
    _parts[number] = part
    value.owner.derived.setdefault("texts", []).append(part)  # it lives as long as the graph
    return f"\ue0f0{number}\ue0f1"


def split(text: str) -> list[str | Part]:
    """The plain pieces of a text and what its marks stand for."""
    pieces = _MARK.split(text)
    found: list[str | Part] = []
    for i, piece in enumerate(pieces):
        if i % 2:
            part = _parts.get(int(piece))
            found.append("?" if part is None else part)
        elif piece:
            found.append(piece)
    return found


def has_marks(text: str) -> bool:
    return "\ue0f0" in text
