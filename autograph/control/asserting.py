"""`assert` at run time: Python's own, or a check in a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treadle.graph.location import Loc, user_location
from treadle.graph.ops.define import constant_of

from ..values.facts import assume
from ..values.place import short
from ..values.truth import condition, staged
from .conditionals import Branches
from .exceptions import PathEndsError, new_error, stage


def assert_stmt(test: Any, message: Callable[[], Any] | None = None) -> None:
    """`assert test, message`."""
    if type(test) is not bool and staged(test):
        holds = condition(test)
        known = constant_of(holds)
        if known is None or not known:
            _check(holds, message)
        assume(holds, True)
    elif not test:
        raise AssertionError(new_error(message)) if message is not None else AssertionError


def _check(holds: Any, message: Callable[[], Any] | None) -> None:
    def fail() -> AssertionError:
        return AssertionError() if message is None else AssertionError(new_error(message))

    _require(holds, fail, user_location(3))


def require(holds: Any, error: Exception) -> None:
    """Raise `error` in the run, unless `holds`."""
    place = user_location(2)
    if staged(holds):
        _require(condition(holds), lambda: error, place)
        assume(condition(holds), True)
    elif not holds:
        stage(error, place)
        raise PathEndsError


def _require(holds: Any, error: Callable[[], Exception], place: Loc | None) -> None:
    line = short(place.file, place.line) if place is not None else "?"

    def fail() -> None:
        stage(error(), place)
        raise PathEndsError

    Branches(lambda: None, fail, (), None, None, line).emit(holds, ())
