"""Where a list that the graph holds stands in the place of a Python list's items."""

from __future__ import annotations

import sys
from collections import UserList, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

from treadle.graph.errors import OperatorNotAllowedInGraphError
from treadle.graph.location import describe, is_internal, user_location
from treadle.graph.symbolic_text import is_active

from .class_names import named


class InGraph:
    """The base of `StagedList`, a list of a length that only the run tells."""

    __slots__ = ()


class InTable:
    """The base of `Table`, a dict or set whose keys only the run knows."""

    __slots__ = ("owner",)  # the set that holds it: no other one may
    __tl_table__ = True
    alive = 0

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        InTable.alive += 1
        return object.__new__(cls)

    def __init__(self) -> None:
        self.owner: Any = None

    def __del__(self) -> None:
        InTable.alive -= 1

    def __repr__(self) -> str:
        return _text_of(self, "dict or set", "keys are")


@named
class Mark:
    """The only key of a dict whose items the graph holds, in a `Table`.

    All are alike, so that where Python's code puts two such dicts together, that is noticed.
    """

    __slots__ = ()
    __tl_name__ = "a key of a dict whose keys the run tells"

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        if self is other or type(other) is not Mark:
            return self is other
        if is_internal(sys._getframe(1).f_code.co_filename):
            return True
        raise no_value("The items", "dict", "keys are")

    def __repr__(self) -> str:
        return _text_of(self, "dict", "keys are")


_MARK = Mark()


def table_in(x: Any) -> Any:
    """The Table that `x` is, or that a dict or set holds in place of its items."""
    if not InTable.alive:
        return None
    if isinstance(x, dict):
        found = dict.get(x, _MARK)
    elif isinstance(x, (set, frozenset)):
        found = next((v for v in _items(x) if isinstance(v, InTable)), None)
        if found is not None and (found.owner is None or found.owner() is not x):
            raise no_value("The items", "set", "items are")
    else:
        return x if isinstance(x, InTable) else None
    if found is not None and len(x) > 1:
        raise no_value("The items", "dict or set", "keys are")
    return found


def _items(x: Any) -> Iterator[Any]:
    return set.__iter__(x) if isinstance(x, set) else frozenset.__iter__(x)


def _text_of(x: Any, kind: str, unknown: str) -> str:
    if is_active():
        raise no_value("The text", kind, unknown)
    return f"<{getattr(type(x), '__tl_name__', '...')}>"


def no_value(
    what: str, kind: str = "list", unknown: str = "length is"
) -> OperatorNotAllowedInGraphError:
    return OperatorNotAllowedInGraphError(
        f"{what} of a {kind} was asked for at {describe(user_location(2))}, whose {unknown} known "
        "only when the function runs, by code that AutoGraph did not convert"
    )


@named
class Inside:
    """The only item of a Python list or deque whose items the graph holds. Converted code sees
    through it; for other code it is no value at all.
    """

    __slots__ = ("staged",)
    __tl_name__ = "an item of a list of a length that the run tells"
    __tl_inside__ = True
    alive = 0  # how many there are: where there are none, no list is searched for them

    def __new__(cls, *args: Any) -> Inside:
        Inside.alive += 1
        return object.__new__(cls)

    def __init__(self, staged: Any) -> None:
        self.staged = staged

    def __deepcopy__(self, memo: Any) -> Inside:
        return Inside(self.staged.copy())

    def __del__(self) -> None:
        Inside.alive -= 1

    @staticmethod
    def whole(x: list[Any]) -> Any:
        """The list that `x` stands for."""
        return staged_in(x)

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        arrays, make = self.staged.__tl_flatten__()

        def again(new: Sequence[Any]) -> Any:
            made = make(new)
            return Inside(made) if isinstance(made, InGraph) else made

        return arrays, again

    @property
    def __tl_structure__(self) -> object:
        return self.staged.__tl_structure__

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name if name.startswith("__") else str(no_value("An item")))

    def __repr__(self) -> str:
        if is_active():
            raise no_value("The text")
        return repr(self.staged)


def _refuse_use(self: Inside, *args: Any) -> NoReturn:
    raise no_value("The items")


for _name in (
    "bool",
    "len",
    "iter",
    "add",
    "radd",
    "sub",
    "mul",
    "rmul",
    "lt",
    "gt",
    "le",
    "ge",
    "int",
    "float",
    "index",
    "array",
):
    setattr(Inside, f"__{_name}__", _refuse_use)


def staged_in(x: Any) -> Any:
    """The StagedList that `x` is, or that a list or deque holds in place of its items."""
    if issubclass(type(x), InGraph):
        return x
    if not Inside.alive or not isinstance(x, (list, deque, UserList)):
        return None
    if isinstance(x, UserList):
        x = x.data
    kind: Any = list if isinstance(x, list) else deque
    if not any(type(v) is Inside for v in kind.__iter__(x)):
        return None
    if kind.__len__(x) == 1:
        item: Inside = kind.__getitem__(x, 0)
        return item.staged
    # What Python made of such lists by `+`, `*` or `[*x, y]`.
    inside = next(v.staged for v in kind.__iter__(x) if type(v) is Inside)
    made: Any = type(inside)(None, ())
    for v in kind.__iter__(x):
        if type(v) is Inside:
            made.extend(v.staged)
        else:
            made.append(v)
    return made
