"""What code that is not converted may change, and does not tell of."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator, MutableMapping, MutableSequence, MutableSet
from itertools import islice
from types import CellType, FunctionType
from typing import Any

import numpy as np

from .. import policy
from ..values.state import namespace_of
from . import journal
from .contents import GlobalName

MUTABLE = (list, dict, set, bytearray, deque, np.ndarray)
ABSTRACT = (MutableMapping, MutableSequence, MutableSet)
_KEEPING = ("contextlib", "queue")  # what an ExitStack or Queue is given, it keeps in an attribute
_REACH = 3  # how deep in an argument a function is thought to change something


def touch_all(function: Any, arguments: tuple[Any, ...]) -> None:
    """Touch what a call of `function`, which says nothing, may change."""
    inner = getattr(function, "__func__", function)
    if isinstance(inner, FunctionType):
        for name, cell in zip(inner.__code__.co_freevars, inner.__closure__ or (), strict=True):
            journal.touch(cell, name)
            touch_argument(_value_of(cell))
        for name in inner.__code__.co_names:
            if name in inner.__globals__:
                journal.touch(GlobalName(inner.__globals__, name), name)
                touch_argument(inner.__globals__[name])
    if isinstance(function, functools.partial):
        touch_all(function.func, (*function.args, *function.keywords.values()))
    if function is next and isinstance(arguments[0], Iterator):
        journal.advance(arguments[0])
    owner = getattr(function, "__self__", None)
    for x in (owner, *arguments):
        touch_argument(x)
    if type(owner).__module__ in _KEEPING:
        for value in list((namespace_of(owner) or {}).values()):
            touch_argument(value, _REACH - 1)


def _value_of(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def touch_argument(x: Any, depth: int = 0) -> None:
    """Touch an argument and what is in it."""
    own = not policy.is_library_type(type(x)) or isinstance(x, ABSTRACT)
    if own or isinstance(x, MUTABLE):
        journal.touch(x)
    if depth == _REACH or isinstance(x, (type, FunctionType)):
        return
    inner: list[Any] = []
    # No code of the user's class runs.
    if isinstance(x, (list, tuple)):
        kind: Any = list if isinstance(x, list) else tuple
        inner = list(islice(kind.__iter__(x), 100))
    elif isinstance(x, dict):
        inner = list(islice(dict.values(x), 100))
    elif own:
        inner = list((namespace_of(x) or {}).values())
    for item in inner:
        touch_argument(item, depth + 1)
