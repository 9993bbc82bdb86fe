"""Functions that take part in a trace, with what is known of their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, MethodType
from typing import Any

from ...graph.node import Tensor
from .facts import Facts, Inner, Scope
from .known import CONTAINERS, PLAIN, Closure, Known, Made

MOST_VALUES = 256  # that an expression may stand for
_NO_RECEIVERS = (*PLAIN, *CONTAINERS, tuple, Tensor, Made, Closure)
Identity = tuple[Any, ...]
MemoKey = tuple[int, str]


@dataclass(eq=False, slots=True)
class Memo:
    """What names and calls stand for, in one function."""

    found: dict[MemoKey, list[Known]] = field(default_factory=dict)
    free: dict[str, list[Known]] = field(default_factory=dict)  # names of others
    # While a name is looked for:
    asked: dict[MemoKey, bool] = field(default_factory=dict)  # it, and whether it asks for itself
    earlier: dict[MemoKey, list[Known]] = field(default_factory=dict)  # what the last round gave
    again: bool = False  # some name depends on itself


@dataclass(eq=False, slots=True)
class Frame:
    """A function. All calls of it (with one `self`) share a frame: what they give is joined."""

    function: FunctionType
    facts: Facts
    arguments: dict[str, dict[Identity, Known]] = field(default_factory=dict)
    closures: dict[int, Closure] = field(default_factory=dict)  # by the id of their node
    inner: dict[MemoKey, dict[Identity, Known]] = field(default_factory=dict)  # their arguments
    is_root: bool = False
    unplaced: bool = False  # it is called from elsewhere, too
    memo: Memo = field(default_factory=Memo)

    def given(self, name: str, scope: Scope | None = None) -> list[Known]:
        """What is known of an argument; with a scope, of that of a function in this one."""
        if scope is None or scope is self.facts.scope:
            return [*self.arguments.get(name, {}).values()]
        return [*self.inner.get((id(scope), name), {}).values()]

    def closure(self, inner: Inner) -> Closure:
        """A function in this one."""
        return self.closures.setdefault(id(inner.node), Closure(self, inner))

    def add_inner(self, scope: Scope, arguments: Mapping[str, Iterable[Known]]) -> bool:
        """Like `add`, for a function in this one."""
        return _joined({(id(scope), name): ks for name, ks in arguments.items()}, self.inner)

    def add(self, arguments: Mapping[str, Iterable[Known]]) -> bool:
        """Join with what another call gives; True if that is more."""
        return _joined(arguments, self.arguments)


def _joined(
    more: Mapping[Any, Iterable[Known]], arguments: dict[Any, dict[Identity, Known]]
) -> bool:
    before = sum(map(len, arguments.values()))
    for name, values in more.items():
        held = arguments.setdefault(name, {})
        for k in values:
            if len(held) < MOST_VALUES:
                held.setdefault(identity(k), k)
    return sum(map(len, arguments.values())) > before


def identity(known: Known) -> Identity:
    """The same for what is one value at one place."""
    x = known.value
    if isinstance(x, MethodType):  # made anew at each access
        return id(x.__func__), id(x.__self__), id(known.place)
    return id(x), id(known.place)


def few(found: list[Known]) -> list[Known]:
    """Each once, and not too many."""
    if len(found) < 2:
        return found
    kept: dict[Identity, Known] = {}
    for k in found:
        kept.setdefault(identity(k), k)
        if len(kept) >= MOST_VALUES:
            break
    return list(kept.values())


def receiver(args: Iterable[Iterable[Known]]) -> int:
    """A number for the object that a call is about: calls of a method of two objects are two
    things. 0 where there is none.
    """
    first = [*next(iter(args), ())]
    if len(first) != 1:
        return 0
    x = first[0].value
    return 0 if isinstance(x, _NO_RECEIVERS) else id(x)


__all__ = ["MOST_VALUES", "Frame", "Memo", "MemoKey", "few", "identity", "receiver"]
