"""`and` and `or` at run time, with short circuit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph import Tensor
from treadle.graph.build import convert
from treadle.graph.errors import BranchError

from ..values.place import line_of
from ..values.state import is_tensor
from ..values.truth import condition, staged
from ..values.undefined import OnlyTruth, Undefined
from .conditionals import Branches

Thunk = Callable[[], Any]


def and_(value: Any, *rest: Thunk, relaxed: bool = False) -> Any:
    """`value and ...`: the operands in `rest` are evaluated only if they are needed."""
    for i, thunk in enumerate(rest):
        if type(value) is not bool and staged(value):
            return _in_graph(value, rest[i:], True, relaxed)
        if not value:
            return value
        value = thunk()
    return value


def or_(value: Any, *rest: Thunk, relaxed: bool = False) -> Any:
    """`value or ...`."""
    for i, thunk in enumerate(rest):
        if type(value) is not bool and staged(value):
            return _in_graph(value, rest[i:], False, relaxed)
        if value:
            return value
        value = thunk()
    return value


def _in_graph(value: Any, rest: Sequence[Thunk], is_and: bool, relaxed: bool) -> Any:
    test = condition(value)
    # Of a truth value it is known what it is where the other operands are not evaluated.
    decided: Any = (not is_and) if is_tensor(value) and value.dtype.is_bool else value

    def go_on() -> Any:
        return (and_ if is_and else or_)(rest[0](), *rest[1:], relaxed=relaxed)

    def stop() -> Any:
        return decided

    def joined(go_on: Thunk, stop: Thunk) -> Any:
        ways = (go_on, stop) if is_and else (stop, go_on)
        branches = Branches(*ways, (), None, None, line_of(rest[0]), relaxed=relaxed)
        return branches.emit(test, ())

    if not isinstance(value, OnlyTruth):
        try:
            found = joined(go_on, stop)
        except BranchError as error:
            disagree: Exception = error.with_traceback(None)  # it refers to this frame
        else:
            inner = type(found) is OnlyTruth  # of the other operands, on their path
            if not inner and (type(found) is not Undefined or found.error is not BranchError):
                return found
            disagree = BranchError(found.reason)
    else:
        disagree = BranchError(value.reason)
    return OnlyTruth(joined(lambda: _truth(go_on()), lambda: not is_and), disagree)


def _truth(value: Any) -> Tensor:
    return condition(value) if staged(value) else convert(bool(value))
