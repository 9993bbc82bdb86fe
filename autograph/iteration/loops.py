"""`while` and `for` at run time: Python's own, or a `while` node in a trace."""

from __future__ import annotations

import dis
from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph import Tensor, Value
from treadle.graph.build import is_tracing
from treadle.graph.errors import PythonLoopError
from treadle.graph.ops.texts import is_text

from ..changes import journal
from ..control.conditionals import Getter, Setter
from ..control.rows import rows_of
from ..control.staged_loops import StagedLoop, acted_since, node_count
from ..values.place import Helper, line_of, loop_site, names_of
from ..values.truth import staged
from .left_loops import RestOfLoop, rest_of
from .stream import Loop
from .streams import stream_of

_MOST_ROUNDS = 500  # of a `while True` that is not left
_JUMPS = ("break_", "do_return")  # flags that a `break` or `return` sets


def while_stmt(
    test: Callable[..., Any],
    body: Helper,
    *state: Any,
    get_state: Getter | None = None,
    set_state: Setter | None = None,
    relaxed: bool = False,
    shapes_vary: bool = False,
) -> Any:
    """`while test(state): state = body(state)`; the state after the loop."""
    mark = node_count()
    go_on, scope = _tested(test, state)
    if type(go_on) is not bool and staged(go_on):
        names = names_of(body, len(state))
        loop = StagedLoop(loop_site(body), names, get_state, set_state, relaxed)
        loop.shapes_vary = shapes_vary
        return _unpacked(loop.run_while(test, body, state, go_on, acted_since(mark, scope)))
    single = len(state) == 1
    rounds, start = 0, mark
    while go_on:
        rounds += 1
        if rounds == _MOST_ROUNDS and node_count() > start + rounds and _is_endless(test):
            raise _never_left(body)
        result = body(*state)
        if single:
            state = (result,)
        elif state:
            state = result
        mark = node_count()
        go_on, scope = _tested(test, state)
        if type(go_on) is not bool and staged(go_on):
            names = names_of(body, len(state))
            if not relaxed and any(n.startswith(_JUMPS) for n in names):
                raise _left_by_tensor(body, "while")
            loop = StagedLoop(loop_site(body), names, get_state, set_state, relaxed)
            return _unpacked(loop.run_while(test, body, state, go_on, acted_since(mark, scope)))
    return _unpacked(state)


def for_stmt(
    iterable: Any,
    body: Helper,
    *state: Any,
    extra_test: Callable[..., Any] | None = None,
    get_state: Getter | None = None,
    set_state: Setter | None = None,
    relaxed: bool = False,
) -> Any:
    """`for item in iterable: state = body(item, state)`, as long as `extra_test(state)` holds."""
    if _is_rows(iterable):
        names = names_of(body, len(state), 1)
        loop = StagedLoop(loop_site(body), names, get_state, set_state, relaxed)
        return _unpacked(loop.run_for(rows_of(iterable), body, state, extra_test))
    stream = None if type(iterable) is range else stream_of(iterable)
    if stream is not None:
        names = names_of(body, len(state), 1)
        access = extra_test, get_state, set_state, relaxed
        return _unpacked(stream.run(body, state, Loop(loop_site(body), names, *access)))
    single = len(state) == 1
    items = iter(iterable)
    for item in items:
        result = body(item, *state)
        if single:
            state = (result,)
        elif state:
            state = result
        if extra_test is not None:
            go_on = extra_test(*state)
            if type(go_on) is not bool and staged(go_on):
                if not relaxed:
                    raise _left_by_tensor(body, "for")
                names = names_of(body, len(state), 1)
                site = loop_site(body)
                rest = RestOfLoop(body, extra_test, get_state, set_state, names, site)
                return _unpacked(rest.run(rest_of(iterable, item, items), state, go_on))
            if not go_on:
                break
    return _unpacked(state)


def _is_endless(test: Helper) -> bool:
    """True for the test of a `while True`."""
    names = {instruction.opname for instruction in dis.get_instructions(test)}
    return names <= {"RESUME", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


def _never_left(body: Helper) -> PythonLoopError:
    return PythonLoopError(
        f"the `while` loop at {line_of(body)} runs in Python, while tracing, and has not ended "
        f"after {_MOST_ROUNDS} rounds: a `raise` under a tensor condition does not end it, since "
        "only the run knows that condition; make the loop's own condition a tensor ('while "
        "tl.constant(True)'), for a loop of the graph"
    )


def _tested(test: Helper, state: Sequence[Any]) -> tuple[Any, journal.Scope | None]:
    """What a loop's test gives, and what it touches in a trace."""
    if not is_tracing():
        return test(*state), None
    with journal.opened() as scope:
        return test(*state), scope


def _is_rows(iterable: Any) -> bool:
    """True if the items are rows of a tensor that a graph computes."""
    if isinstance(iterable, Value):
        return not is_text(iterable)
    return isinstance(iterable, Tensor) and is_tracing()


def _unpacked(state: Sequence[Any]) -> Any:
    return state[0] if len(state) == 1 else tuple(state) or None


def _left_by_tensor(body: Helper, kind: str) -> PythonLoopError:
    if kind == "for":
        cure = "iterate over a tensor ('for i in tl.range(n)')"
    else:
        cure = "make its condition a tensor ('while tl.constant(True)')"
    return PythonLoopError(
        f"the `{kind}` loop at {line_of(body)} runs in Python, while tracing, but whether it goes "
        "on came to depend on a tensor (in its condition, or by a `break` or `return` under a "
        f"tensor condition); {cure}, for a loop of the graph, or use @tl.function(relaxed=True)"
    )
