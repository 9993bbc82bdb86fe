"""Where a list that the graph holds stands in the place of a Python list's items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from treadle.graph.errors import OperatorNotAllowedInGraphError
from treadle.graph.location import describe, user_location


class InGraph:
    """The base of `StagedList`, a list of a length that only the run tells."""

    __slots__ = ()


def no_value(what: str) -> OperatorNotAllowedInGraphError:
    return OperatorNotAllowedInGraphError(
        f"{what} of a list was asked for at {describe(user_location(2))}, whose length is known "
        "only when the function runs, by code that AutoGraph did not convert"
    )


class Inside:
    """The only item of a Python list whose items the graph holds. Converted code sees through it;
    for other code it is no value at all.
    """

    __slots__ = ("staged",)
    __tl_inside__ = True
    alive = 0  # how many there are: where there are none, no list is searched for them

    def __init__(self, staged: Any) -> None:
        self.staged = staged
        Inside.alive += 1

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
        return repr(self.staged)


def _refuse_use(self: Inside, *args: Any) -> NoReturn:
    raise no_value("The items")


for _name in ("bool", "len", "iter", "add", "radd", "sub", "mul", "lt", "gt", "le", "ge", "int"):
    setattr(Inside, f"__{_name}__", _refuse_use)


def staged_in(x: Any) -> Any:
    """The StagedList that `x` is, or that a Python list holds in place of its items."""
    if issubclass(type(x), InGraph):
        return x
    if not Inside.alive or not isinstance(x, list) or not any(type(v) is Inside for v in x):
        return None
    if list.__len__(x) == 1:
        item: Inside = list.__getitem__(x, 0)
        return item.staged
    # What Python made of such lists by `+`, `*` or `[*x, y]`.
    inside = next(v.staged for v in list.__iter__(x) if type(v) is Inside)
    made: Any = type(inside)(None, ())
    for v in list.__iter__(x):
        if type(v) is Inside:
            made.extend(v.staged)
        else:
            made.append(v)
    return made


def copied(x: Any) -> Any:
    """A copy of a list or dict and of those in it, with what they hold now; all else as it is."""
    known = staged_in(x)
    if known is not None:
        return known.copy()
    if type(x) is list:
        return [copied(v) for v in x]
    if type(x) is dict:
        return {k: copied(v) for k, v in x.items()}
    if type(x) is tuple:
        items = tuple([copied(v) for v in x])
        return x if all(a is b for a, b in zip(items, x, strict=True)) else items
    return x
