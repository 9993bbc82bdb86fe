"""`while` and `for` at run time: Python's own, or a `while` node in a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph import Tensor, Value
from treadle.graph.build import is_tracing
from treadle.graph.errors import PythonLoopError

from .conditionals import Getter, Setter, untracked_error
from .place import Helper, line_of, loop_site, names_of
from .rows import rows_of
from .staged_loops import StagedLoop, acted_since, node_count
from .truth import staged


def while_stmt(
    test: Callable[..., Any],
    body: Helper,
    *state: Any,
    get_state: Getter | None = None,
    set_state: Setter | None = None,
    untracked: Sequence[str] = (),
) -> Any:
    """`while test(state): state = body(state)`; the state after the loop."""
    mark = node_count()
    go_on = test(*state)
    if type(go_on) is not bool and staged(go_on):
        if untracked:
            raise untracked_error(untracked, "loop", line_of(body))
        loop = StagedLoop(loop_site(body), names_of(body, len(state)), get_state, set_state)
        return _unpacked(loop.run_while(test, body, state, go_on, acted_since(mark)))
    single = len(state) == 1
    while go_on:
        result = body(*state)
        if single:
            state = (result,)
        elif state:
            state = result
        go_on = test(*state)
        if type(go_on) is not bool and staged(go_on):
            raise _left_by_tensor(body, "while")
    return _unpacked(state)


def for_stmt(
    iterable: Any,
    body: Helper,
    *state: Any,
    extra_test: Callable[..., Any] | None = None,
    get_state: Getter | None = None,
    set_state: Setter | None = None,
    untracked: Sequence[str] = (),
) -> Any:
    """`for item in iterable: state = body(item, state)`, as long as `extra_test(state)` holds."""
    if _is_rows(iterable):
        if untracked:
            raise untracked_error(untracked, "loop", line_of(body))
        loop = StagedLoop(loop_site(body), names_of(body, len(state), 1), get_state, set_state)
        return _unpacked(loop.run_for(rows_of(iterable), body, state, extra_test))
    take_over = getattr(type(iterable), "__tl_for__", None)
    if take_over is not None and is_tracing():
        return _unpacked(take_over(iterable, body, state, extra_test))
    single = len(state) == 1
    for item in iterable:
        result = body(item, *state)
        if single:
            state = (result,)
        elif state:
            state = result
        if extra_test is not None:
            go_on = extra_test(*state)
            if type(go_on) is not bool and staged(go_on):
                raise _left_by_tensor(body, "for")
            if not go_on:
                break
    return _unpacked(state)


def _is_rows(iterable: Any) -> bool:
    """True if the items are rows of a tensor that a graph computes."""
    if isinstance(iterable, Value):
        return True
    return isinstance(iterable, Tensor) and is_tracing()


def _unpacked(state: Sequence[Any]) -> Any:
    return state[0] if len(state) == 1 else tuple(state) or None


def _left_by_tensor(body: Helper, kind: str) -> PythonLoopError:
    if kind == "for":
        cure = "iterate over a tensor ('for i in tl.range(n)'), for a loop of the graph"
    else:
        cure = "make its condition a tensor ('while tl.constant(True)'), for a loop of the graph"
    return PythonLoopError(
        f"the `{kind}` loop at {line_of(body)} runs in Python, while tracing, but whether it goes "
        "on came to depend on a tensor (in its condition, or by a `break` or `return` under a "
        f"tensor condition); {cure}"
    )
