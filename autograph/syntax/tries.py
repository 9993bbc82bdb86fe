"""`try` and `with` statements whose bodies may raise in a run: Python's own, in a loop over the
paths through it.

    for path in ag.paths(get_state=get_state, set_state=set_state, catches=lambda: ValueError):
        with path:
            try:
                with path.body: ...
            except ValueError: ...

    for path in ag.paths(get_state=..., set_state=..., manager=opened(x)):
        with path:
            with path.manager as file:
                with path.body: ...

Outside of a trace there is one path, on which nothing happens that Python would not do by itself.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from .frames import Env, Frame
from .ir import Block, Native
from .nodes import Maker

if TYPE_CHECKING:
    from .emit import Emitter


def add_try(
    emitter: Emitter,
    node: ast.Try | ast.With,
    stmt: Native,
    env: Env,
    frame: Frame,
    out: list[ast.stmt],
) -> None:
    """Add the statement; `node` is a copy to fill in."""
    make = Maker(emitter.ag, node)
    constructs = emitter.constructs
    function = emitter.function
    caught = 0
    writes = function.written_inside if stmt.activity.calls else 0
    for part in stmt.parts:
        writes |= _writes(part.body)
        caught |= part.head.dels
    read = stmt.live | stmt.exits | stmt.caught | constructs.never_parameters
    around = emitter.tries[-1] if emitter.tries else None
    if around is not None and around[0] is frame:
        read |= around[1]  # on each path here, the one around takes note of what they hold
    state = writes & ~caught & read
    emitter.holders |= state & env.maybe_undefined()
    if around is not None and around[0] is frame and around[1] == state:
        access = around[2]
    else:
        access = constructs.access(state, make, frame, out)
    path = constructs.fresh("path")
    emitter.tries.append((frame, state, access))
    if isinstance(node, ast.Try):
        caught_here = [copy.deepcopy(h.type) for h in node.handlers if h.type is not None]
        if caught_here:
            one = len(caught_here) == 1
            classes = caught_here[0] if one else ast.Tuple(caught_here, ast.Load(), **make.at)
            access = {**access, "catches": make.thunk(classes)}
        emitter.native_try(node, stmt, env, frame)
    else:
        emitter.native_with(node, stmt, env, frame)
        item = node.items[0]
        access = {**access, "manager": item.context_expr}
        item.context_expr = _part(path, "manager", make)
    emitter.tries.pop()
    node.body = [_with(_part(path, "body", make), node.body)]
    target = ast.Name(path, ast.Store(), **make.at)
    paths = make.call("paths", keywords=access)
    out.append(ast.For(target, paths, [_with(make.name(path), [node])], [], **make.at))


def _part(path: str, name: str, make: Maker) -> ast.expr:
    return ast.Attribute(make.name(path), name, ast.Load(), **make.at)


def _with(manager: ast.expr, body: list[ast.stmt]) -> ast.With:
    made = ast.With([ast.withitem(manager)], body)
    return ast.copy_location(made, manager)


def _writes(block: Block) -> int:
    writes = 0
    for stmt in block:
        writes |= stmt.activity.writes
    return writes
