"""In relaxed functions: the rest of a Python `for` loop, once a tensor decides whether it goes on.

The rest of a `range`, and of a long list of like items, becomes a loop of the graph if the body can
do with a tensor for its item. Else each further iteration is a branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from treadle.graph import Tensor, weak
from treadle.graph.build import convert
from treadle.graph.errors import PythonLoopError
from treadle.graph.ops.sequences import range_

from ..changes.sharing import is_named
from ..control.conditionals import Branches, Getter, Setter
from ..control.rows import rows_of
from ..control.staged_loops import StagedLoop
from ..values.place import Helper, LoopSite, user_line
from ..values.truth import condition, staged

_BRANCHES = 16  # as many iterations become branches without further thought
_MOST = 1_000


class RestOfLoop:
    """The iterations of one loop that run only if `extra_test(state)` holds."""

    def __init__(
        self,
        body: Helper,
        extra_test: Callable[..., Any],
        get_state: Getter | None,
        set_state: Setter | None,
        names: Sequence[str],
        site: LoopSite,
    ) -> None:
        self.body = body
        self.extra_test = extra_test
        self.get_state = get_state
        self.set_state = set_state
        self.names = names  # of the state
        self.site = site

    def run(self, items: Sequence[Any], state: Sequence[Any], go_on: Any) -> Sequence[Any]:
        """The state behind the loop; `go_on` is whether the first of `items` is gone to."""
        rows = _as_tensor(items)
        if rows is not None:
            access = self.get_state, self.set_state
            loop = StagedLoop(self.site, self.names, *access, relaxed=True)
            loop.may_stage = False  # there is another way
            try:
                return loop.run_for(rows_of(rows), self.body, state, self.extra_test)
            except Exception:
                if len(items) > _MOST:
                    raise
        for item in items:
            if type(go_on) is not bool and staged(go_on):
                state = self._perhaps(item, state, go_on)
            elif go_on:
                result = self.body(item, *state)
                state = result if len(state) > 1 else [result][: len(state)]
            else:
                break
            go_on = self.extra_test(*state)
        return state

    def _perhaps(self, item: Any, state: Sequence[Any], go_on: Any) -> Sequence[Any]:
        def once(*values: Any) -> Any:
            return self.body(item, *values)

        access = (self.get_state, self.set_state)
        branches = Branches(once, None, state, *access, self.site.line, relaxed=True)
        result = branches.emit(condition(go_on), self.names)
        return result if len(state) > 1 else [result][: len(state)]


def rest_of(iterable: Any, item: Any, items: Iterator[Any]) -> Sequence[Any]:
    """What is left of `iterable` behind `item`."""
    if type(iterable) is range:
        return iterable[iterable.index(item) + 1 :]
    if iterable is items and is_named(iterable):
        raise PythonLoopError(
            f"a `for` loop over an iterator is left at {user_line()} by a tensor-valued `break` or "
            "`return`; how far it comes only the run knows, and the iterator has a name, by which "
            "it may be used again. Go over a list instead, or over a tensor"
        )
    rest = list(islice(items, _MOST + 1))
    if len(rest) > _MOST and not hasattr(iterable, "__len__"):
        raise PythonLoopError(
            f"a `for` loop over a {type(iterable).__name__} is left by a tensor-valued `break` or "
            f"`return`, and it does not end within {_MOST} items, which are all traced; iterate "
            "over a tensor"
        )
    return [*rest, *items]


def _as_tensor(items: Sequence[Any]) -> Tensor | None:
    """The items as the rows of one tensor, where that is worth while."""
    if type(items) is range:
        tensor: Tensor = range_(items.start, items.stop, items.step)
        return weak.mark(tensor) if len(items) else None
    kinds = set(map(type, items))
    if len(items) <= _BRANCHES or not kinds <= {int, float}:
        return None
    return weak.mark(convert(items)) if len(kinds) == 1 else None
