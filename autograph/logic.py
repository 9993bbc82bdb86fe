"""`and` and `or` at run time, with short circuit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .conditionals import Branches
from .place import line_of
from .truth import condition, staged

Thunk = Callable[[], Any]


def and_(value: Any, *rest: Thunk) -> Any:
    """`value and ...`: the operands in `rest` are evaluated only if they are needed."""
    for i, thunk in enumerate(rest):
        if type(value) is not bool and staged(value):
            return _in_graph(value, rest[i:], is_and=True)
        if not value:
            return value
        value = thunk()
    return value


def or_(value: Any, *rest: Thunk) -> Any:
    """`value or ...`."""
    for i, thunk in enumerate(rest):
        if type(value) is not bool and staged(value):
            return _in_graph(value, rest[i:], is_and=False)
        if value:
            return value
        value = thunk()
    return value


def _in_graph(value: Any, rest: Sequence[Thunk], is_and: bool) -> Any:
    test = condition(value)
    # Of a truth value it is known what it is where the other operands are not evaluated.
    decided: Any = (not is_and) if value.dtype.is_bool else value

    def go_on() -> Any:
        return (and_ if is_and else or_)(rest[0](), *rest[1:])

    def stop() -> Any:
        return decided

    ways = (go_on, stop) if is_and else (stop, go_on)
    return Branches(*ways, (), None, None, line_of(rest[0])).emit(test, ())
