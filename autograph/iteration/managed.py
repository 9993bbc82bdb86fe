"""`with` at run time. In a trace, a generator that is a context manager is turned inside out: the
body of the `with` is what is done with what it yields.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from functools import partial
from inspect import CO_GENERATOR
from types import FunctionType
from typing import Any

from treadle.graph.build import is_tracing
from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location

from .. import policy
from ..changes import journal
from ..control.asserting import require
from ..control.choice import Choice
from ..control.conditionals import Getter, Setter
from ..control.operations import Operations
from ..control.trying import paths
from ..convert import Template, turned_template
from ..syntax.generators import Use
from ..values.inside import staged_in
from ..values.place import loop_site
from ..values.truth import not_
from .generated import Generated
from .stream import Loop

_MANAGER: Any = contextlib._GeneratorContextManager


def with_stmt(
    manager: Any,
    body: Callable[[Any], None],
    *,
    get_state: Getter | None = None,
    set_state: Setter | None = None,
    relaxed: bool = False,
) -> None:
    """`with manager as item: body(item)`"""
    if not is_tracing():
        with manager as item:
            body(item)
        return
    if type(manager) is Choice:
        again = partial(
            with_stmt, body=body, get_state=get_state, set_state=set_state, relaxed=relaxed
        )
        journal.touch_names(set_state)
        Operations.select(manager, again)
        return
    template = _template(manager)
    if template is not None:
        loop = Loop(loop_site(body), [], None, get_state, set_state, relaxed)
        _run(template, manager, body, loop)
        return
    items: list[Any] = []
    for path in paths(get_state, set_state, manager=manager, relaxed=relaxed):
        with path:
            items = [None]  # no name is to hold it: the journal counts references
            with path.manager as items[0], path.body:
                body(items.pop())
                if isinstance(manager, contextlib.ExitStack):
                    _refuse_unknown(manager)


def _refuse_unknown(stack: Any) -> None:
    """Refuse a stack of which only the run knows what is on it: Python's own code empties it."""
    if staged_in(stack._exit_callbacks) is None:
        return
    stack._exit_callbacks = deque()
    raise ConversionError(
        f"at {describe(user_location())} the ExitStack of a `with` holds callbacks or context "
        "managers that are added where that depends on a tensor. Add them in any case, and ask in "
        "them: `def undo(): if c: ...` and `stack.callback(undo)`; or write a `with` of its own in "
        "the branch"
    )


def _template(manager: Any) -> Template | None:
    """How to turn the user's generator that is the manager inside out, if that can be."""
    if type(manager) is not _MANAGER or not hasattr(manager, "func"):
        return None
    function = manager.func
    if not isinstance(function, FunctionType) or policy.DO_NOT_CONVERT in function.__dict__:
        return None
    if policy.is_library_function(function) or not function.__code__.co_flags & CO_GENERATOR:
        return None
    return turned_template(function, Use.MANAGER)


def _run(template: Template, manager: Any, body: Callable[[Any], None], loop: Loop) -> None:
    has_yielded = [False]

    def consume(item: Any) -> None:
        journal.touch(has_yielded)
        require(not_(has_yielded[0]), RuntimeError("generator didn't stop"))
        has_yielded[0] = True
        body(item)

    generator = Generated(manager.func, loop.relaxed, manager.args, manager.kwds)
    manager.gen.close()
    generator.run_as(template, consume, (), loop)
    require(has_yielded[0], RuntimeError("generator didn't yield"))
