"""Deques and sets as results of a function: what they hold leaves as tensors."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from .inside import Inside, Mark, no_value, staged_in, table_in
from .staged_list import StagedList
from .state import leaves_of
from .tables import Kept, Table, of_class


class Handed:
    """A deque or set as its items; `make` makes it of others."""

    __slots__ = ("items", "make")

    def __init__(self, items: Sequence[Any], make: Callable[[Any], Any]) -> None:
        self.items = items
        self.make = make

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        return list(self.items), self._made

    def _made(self, new: Sequence[Any]) -> Any:
        if len(new) == 1 and type(new[0]) in (list, set) and type(self.items[0]) is not list:
            return self.make(new[0])  # of a run
        return self.make(new) if any(map(leaves_of, new)) else Handed(new, self.make)


def handed_out(result: Any, leaving: Callable[[Any], Any]) -> Any:
    """A result of a function that is a deque or a set, with what the graph holds of it, as it is
    `leaving`; None for others.
    """
    if isinstance(result, Mark):
        raise no_value("The keys", "dict", "keys are")
    held = type(result) is deque and any(type(x) is Inside or leaves_of(x) for x in result)
    if held:
        most = result.maxlen
        items = list(result) if staged_in(result) is None else [leaving(staged_in(result))]
        return Handed([leaving(x) for x in items], lambda new: _as_deque(new, most))
    table = table_in(result)  # refuses what Python's code has put together
    if isinstance(result, Kept):
        return set(result) if table is None else Handed([leaving(table)], _as_set)
    return None


def _as_deque(items: Any, most: int | None) -> Any:
    held = len(items) == 1 and isinstance(items[0], StagedList)
    return deque([Inside(items[0])] if held else items, most)


def _as_set(items: Any) -> set[Any]:
    one = next(iter(items), None)
    made: set[Any] = of_class(Kept(), one) if isinstance(one, Table) else set(items)
    return made
