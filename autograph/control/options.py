"""What a tensor may choose one of: texts and other plain values, functions, classes, objects."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, MethodWrapperType
from typing import Any

from treadle.graph.errors import BranchError
from treadle.graph.ops.raising import Recipe

from ..changes.contents import contents_of
from ..changes.rebuilt import ErrorShape, Rebuilt, Shape, holds_foreign, home_of
from ..values.filling import Filling
from ..values.optional import Optional, Source
from ..values.special import is_of_users
from ..values.stand_ins import RaisedInRun
from ..values.state import is_number, is_tensor, is_variable, parts_of
from ..values.tables import Kept
from ..values.undefined import Undefined, Unused

_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, MethodWrapperType)
# Values of Python that never change, and are told apart by `==`.
VALUES = (str, bytes, range, slice, frozenset)
# Containers that are chosen as objects are: which one it is matters, since they change.
_CHANGING = (set, Kept, deque)
_MOST = 16  # a text that takes on more values in a loop is a string tensor


class Place:
    """Stands for the value at a place."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def can_be_chosen(value: Any) -> bool:
    kind = type(value)
    if hasattr(kind, "__tl_chosen__") or kind in (Rebuilt, Place, *VALUES):
        return True
    if is_function(value) or is_variable(value):
        return True
    if is_changing(value):
        return not _holds_foreign(value)
    if value is None or is_tensor(value) or is_number(value) or parts_of(value) is not None:
        return False
    if isinstance(value, Enum):
        return True
    if isinstance(value, (Undefined, Unused, Optional, Filling)):
        return False
    if isinstance(value, BaseException):
        return not isinstance(value, RaisedInRun)  # of which all is known
    return is_of_users(value) or (callable(value) and hasattr(value, "__dict__"))


def is_value(x: Any) -> bool:
    """True for a plain value, and for one of several."""
    return type(x) in VALUES or (
        hasattr(type(x), "__tl_chosen__") and type(x.tl_options[0]) in VALUES
    )


def kind_of_value(x: Any) -> str:
    kind: type = type(x.tl_options[0] if hasattr(type(x), "__tl_chosen__") else x)
    return kind.__name__ if kind is bytes else f"a {kind.__name__}"


def is_changing(value: Any) -> bool:
    """True for a set or deque."""
    return type(value) in _CHANGING


def _holds_foreign(value: Any) -> bool:
    contents = contents_of(value)
    items = () if contents is None else contents.items
    held = items if isinstance(items, (list, set)) else [items]
    return any(holds_foreign(v, home_of()) for v in held)


def may_be_together(options: Sequence[Any]) -> bool:
    """True if these can be told apart by an index."""
    if len({is_variable(o) for o in options}) > 1:
        return False
    if not any(type(o) in VALUES for o in options):
        return True
    different: list[Any] = []
    for o in options:
        if not any(is_same(o, known) for known in different):
            different.append(o)
    return len(set(map(type, options))) == 1 and len(different) <= _MOST


def is_same(a: Any, b: Any) -> bool:
    if a is b or type(a) is not type(b):
        return a is b
    if isinstance(a, BaseException):
        return Recipe(a).text == Recipe(b).text
    return isinstance(a, (Shape, *VALUES)) and a == b


def told_apart(option: Any) -> Any:
    """What is the same for the same options only."""
    if isinstance(option, (Shape, str)):
        return option
    if isinstance(option, BaseException):
        return type(option), Recipe(option).text
    return (type(option), repr(option)) if type(option) in VALUES else id(option)


def is_function(option: Any) -> bool:
    return isinstance(option, (type, *_FUNCTIONS))


def is_tensor_outside(option: Any) -> bool:
    """True for what leaves the function as a tensor."""
    return type(option) in (str, bytes) or is_variable(option)


def order_of(option: Any) -> tuple[str, str, int]:
    if isinstance(option, ErrorShape):
        return option.cls.__name__, option.text, 0
    if isinstance(option, Shape):
        rank = 0 if option.copied is None else 1 + option.copied.was_read
        return option.cls.__name__, " ".join(option.names), rank
    if type(option) in VALUES:
        return type(option).__name__, option if type(option) is str else repr(option), 0
    if isinstance(option, BaseException):
        return type(option).__name__, Recipe(option).text, 0
    name = getattr(option, "__qualname__", None) or getattr(option, "name", "")
    return type(option).__name__, str(name), id(option)


def made_in_loop(option: Any, source: Source) -> BranchError:
    kind = "deque" if isinstance(option, deque) else "set"
    return BranchError(
        f"{source.what} stands for another {kind} after an iteration of {source.place}, and which "
        f"one depends on the iteration. Keep one {kind}, and change that (.clear(), .update() or "
        ".extend())"
    )


class Left:
    """One of several values or containers of Python's, as it leaves the function."""

    __slots__ = ("index", "options")

    def __init__(self, index: Any, options: Sequence[Any]) -> None:
        self.index = index
        self.options = options

    @staticmethod
    def holds(option: Any) -> bool:
        """True for one that a run can give: it holds nothing of the graph."""
        if is_changing(option):
            return all(v is None or is_number(v) for v in option)
        return type(option) in VALUES

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        return [self.index], self._made

    def _made(self, parts: Sequence[Any]) -> Any:
        if not hasattr(parts[0], "_value"):
            return Left(parts[0], self.options)
        found = self.options[int(parts[0])]  # the run is over
        return set(found) if isinstance(found, set) else copy(found)
