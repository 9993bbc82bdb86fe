"""`try` statements whose bodies may raise in a run: Python's own, in a loop over the paths through
it. The body of a `with` becomes a function of what its manager gives.

    for path in ag.paths(get_state=get_state, set_state=set_state, catches=lambda: ValueError):
        with path:
            try:
                with path.body: ...
            except ValueError: ...

    ag.with_stmt(opened(x), with_body, get_state=..., set_state=...)

Outside of a trace there is one path, on which nothing happens that Python would not do by itself.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

from .frames import Env, Frame
from .ir import Block, Native
from .nodes import Maker, walk

if TYPE_CHECKING:
    from .emit import Emitter


def add_try(
    emitter: Emitter, node: ast.Try, stmt: Native, env: Env, frame: Frame, out: list[ast.stmt]
) -> None:
    """Add a `try`; `node` is a copy to fill in."""
    make = Maker(emitter.ag, node)
    state, access = _state(emitter, stmt, env, frame, make, out)
    path = emitter.constructs.fresh("path")
    emitter.tries.append((frame, state, access))
    caught_here = [copy.deepcopy(h.type) for h in node.handlers if h.type is not None]
    if caught_here:
        one = len(caught_here) == 1
        classes = caught_here[0] if one else ast.Tuple(caught_here, ast.Load(), **make.at)
        access = {**access, "catches": make.thunk(classes)}
    emitter.native_try(node, stmt, env, frame)
    emitter.tries.pop()
    node.body = [_with(_part(path, "body", make), node.body)]
    target = ast.Name(path, ast.Store(), **make.at)
    paths = make.call("paths", keywords=access)
    out.append(ast.For(target, paths, [_with(make.name(path), [node])], [], **make.at))


def add_with(
    emitter: Emitter, node: ast.With, stmt: Native, env: Env, frame: Frame, out: list[ast.stmt]
) -> None:
    """Add a `with` of one manager."""
    make = Maker(emitter.ag, node)
    item, part = node.items[0], stmt.parts[0]
    manager = emitter.expr(item.context_expr, stmt.head, env, frame)
    state, access = _state(emitter, stmt, env, frame, make, out)
    before = emitter.interrupted(env, stmt.parts)
    inner = Frame(frame.depth + 1)
    emitter.tries.append((inner, state, access))
    helper = emitter.constructs.with_body(item.optional_vars, part, env, inner, frame, make)
    emitter.tries.pop()
    call = make.call("with_stmt", manager, make.name(helper.name), keywords=access)
    out += [helper, make.expr(call)]
    env.become(env.joined(before))


def _state(
    emitter: Emitter, stmt: Native, env: Env, frame: Frame, make: Maker, out: list[ast.stmt]
) -> tuple[int, dict[str, ast.expr]]:
    """The names whose values each path leaves, and the access to them."""
    constructs = emitter.constructs
    function = emitter.function
    caught = 0
    writes = function.written_inside if stmt.activity.calls else 0
    for part in stmt.parts:
        writes |= part.head.writes | _writes(part.body)
        caught |= part.head.dels
    read = stmt.live | stmt.exits | stmt.caught | constructs.never_parameters
    around = emitter.tries[-1] if emitter.tries else None
    if around is not None and around[0] is frame:
        read |= around[1]  # on each path here, the one around takes note of what they hold
    state = writes & ~caught & read
    emitter.holders |= state & env.maybe_undefined()
    if around is not None and around[0] is frame and around[1] == state:
        return state, around[2]
    return state, constructs.access(state, make, frame, out)


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


# All else only names things: an operator or attribute may be the user's, an op may fail.
_SURELY_GOES_ON = (
    *(ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Lambda, ast.arguments, ast.arg),
    *(ast.Assign, ast.AnnAssign, ast.Expr, ast.Pass, ast.Return, ast.Break, ast.Continue),
    *(ast.Global, ast.Nonlocal, ast.Raise),
)


def may_raise(stmt: ast.stmt) -> bool:
    """True if something in `stmt` may raise in a run, or not at all while tracing."""
    nodes = walk(stmt)
    if not all(isinstance(n, _SURELY_GOES_ON) for n in nodes):
        return True
    if isinstance(stmt, ast.Raise) and stmt.exc is not None:
        return True  # one of several, maybe
    return any(isinstance(n, (ast.Tuple, ast.List)) and _is_store(n) for n in nodes)


def _is_store(node: ast.Tuple | ast.List) -> bool:
    return isinstance(node.ctx, ast.Store)
