"""Readable names for the text form: the user's own where they are known, else v0, v1, ...

A name is an identifier, unique in its function, and never one of Python's or of an op.
"""

from __future__ import annotations

import builtins
import keyword
import linecache
import re
from collections.abc import Iterable
from types import CodeType

from .dtypes import BY_CODE
from .literals import WORDS
from .location import Loc
from .op import OPS

AUTOMATIC = re.compile(r"[ve]\d+")  # names that the printer makes: values, and effects to wait for
_BUILTINS = frozenset(dir(builtins))
_TARGET = re.compile(r"\s*([A-Za-z_]\w*)\s*(?::[^=#]+)?=(?!=)\s*")

Place = tuple[int, int, int, int]  # line, end line, column, end column


def readable(name: str) -> str:
    """`name` as an identifier that shadows nothing; '' if nothing is left of it."""
    name = re.sub(r":\d+$", "", name)  # TensorFlow's "w:0"
    name = re.sub(r"\W+", "_", name, flags=re.ASCII)
    if not name.strip("_"):
        return ""
    if name[0].isdigit():
        name = f"_{name}"
    while _is_taken(name):
        name += "_"
    return name


def _is_taken(name: str) -> bool:
    return (
        keyword.iskeyword(name)
        or name in _BUILTINS
        or name in OPS
        or name in BY_CODE
        or name in WORDS
        or name == "bf16"
        or AUTOMATIC.fullmatch(name) is not None
    )


class Namespace:
    """The names in use in one function of the text."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._used = set(taken)
        self._counts: dict[str, int] = {}

    def unique(self, wanted: str) -> str:
        """`wanted`, or with a number after it if that is taken."""
        name, stem = wanted, wanted.rstrip("_")
        while name in self._used:
            number = self._counts[stem] = self._counts.get(stem, 0) + 1
            name = f"{stem}_{number}"
        self._used.add(name)
        return name


class Positions:
    """Lines and columns of locations, with each code object's table read once."""

    def __init__(self) -> None:
        self._tables: dict[CodeType, list[Place]] = {}

    def __call__(self, loc: Loc) -> Place:
        if loc.lasti < 0:
            return loc.positions()
        table = self._tables.get(loc.code)
        if table is None:
            first = loc.code.co_firstlineno
            table = [
                (p[0] or first, p[1] or 0, p[2] or 0, p[3] or 0) for p in loc.code.co_positions()
            ]
            self._tables[loc.code] = table
        index = loc.lasti // 2
        return table[index] if index < len(table) else loc.positions()


def assigned_name(loc: Loc, place: Place) -> str:
    """The name that the user's line gives to the value computed at `place`: y of `y = x @ w`."""
    line, end_line, start, end = place
    if not end:
        return ""
    head = linecache.getline(loc.file, line)
    target = _TARGET.match(head)
    if target is None or len(head[: target.end()].encode()) != start:
        return ""
    tail = linecache.getline(loc.file, end_line).encode()[end:].strip()
    return target[1] if not tail or tail.startswith(b"#") else ""
