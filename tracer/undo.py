"""What a trace that fails leaves in the user's objects.

Eager code that raises has done what it did up to there. So has a trace, unless the trace is what
the error is about; and what can't be used any more (symbols, variables that never got a value) is
taken out of the objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..autograph.changes.contents import Contents, contents_of, put_all
from ..autograph.changes.journal import Entry, Scope
from ..graph.errors import OpError
from ..graph.nest import children
from ..graph.node import Value
from ..runtime import Variable
from ..runtime.variable import StandIn


def keep_side_effects(scope: Scope, error: BaseException) -> None:
    """Let objects be as the user's code left them when it raised `error`, where they can."""
    if not isinstance(error, Exception):
        return
    of_trace = type(error).__module__.partition(".")[0] == "treadle"
    if not of_trace or isinstance(error, OpError):
        scope.entries = {key: e for key, e in scope.entries.items() if _is_unusable(e)}


def put_back(entries: Iterable[Entry]) -> None:
    """After a run that failed: objects that hold a variable without a value hold what they held
    before.
    """
    for entry in entries:
        if _is_unusable(entry):
            put_all(entry.owner, entry.before)


def _is_unusable(entry: Entry) -> bool:
    after = contents_of(entry.owner)
    return after is not None and any(map(_is_left_over, _values(after)))


def _values(contents: Contents) -> list[Any]:
    return [*contents.values(), contents.items]


def _is_left_over(x: Any, depth: int = 0) -> bool:
    if isinstance(x, (Value, StandIn)) or hasattr(type(x), "__tl_leave__"):
        return True
    if isinstance(x, Variable):
        return x._value.array is None
    return depth < 4 and any([_is_left_over(item, depth + 1) for item in children(x) or ()])


__all__ = ["keep_side_effects", "put_back"]
