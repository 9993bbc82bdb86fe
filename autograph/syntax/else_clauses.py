"""Names that each way out of a loop assigns: before its `break`, and in its `else`,
unless that raises or returns.

Of these it need not be known what they are before the loop.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from .nodes import Jumps, walk


def set_on_each_way(stmt: ast.For | ast.While, jumps: Jumps) -> set[str]:
    """The names that have a value behind the loop, whether it is left by `break` or not."""
    breaks: list[set[str]] = []
    _follow(stmt.body, set(), breaks, jumps)
    if not (stmt.orelse and breaks):
        return set()
    ways = breaks
    if not jumps.stops(stmt.orelse):
        if jumps.of_block(stmt.orelse):
            return set()
        ways = [*breaks, _follow(stmt.orelse, set(), [], jumps)]
    common = set.intersection(*ways)
    return {name for name in common if not _may_be_read_first(name, stmt)}


def _may_be_read_first(name: str, stmt: ast.For | ast.While) -> bool:
    """True if the loop may read the name before it assigns it."""
    found = [n for n in walk(stmt) if isinstance(n, ast.Name) and n.id == name]
    stored = min(n.lineno for n in found if isinstance(n.ctx, ast.Store))
    return any(isinstance(n.ctx, ast.Load) and n.lineno <= stored for n in found)


def _follow(
    stmts: Iterable[ast.stmt], assigned: set[str], breaks: list[set[str]], jumps: Jumps
) -> set[str]:
    """What is assigned at the end; `breaks` gets what is assigned at each `break`."""
    for stmt in stmts:
        match stmt:
            case ast.Break():
                breaks.append(assigned)
            case ast.Assign(targets=targets):
                assigned = assigned | _names(targets)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                assigned = assigned | {name}
            case ast.Delete(targets=targets):
                assigned = assigned - _names(targets)
            case ast.If(body=body, orelse=orelse):
                ways = [_follow(b, assigned, breaks, jumps) for b in (body, orelse)]
                open_ = [w for w, b in zip(ways, (body, orelse), strict=True) if not jumps.stops(b)]
                assigned = set.intersection(*open_) if open_ else assigned
            case ast.With(body=body):
                _follow(body, assigned, breaks, jumps)  # it may swallow an exception
            case ast.For(orelse=orelse) | ast.While(orelse=orelse):
                _follow(orelse, assigned, breaks, jumps)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                for block in (body, *(h.body for h in handlers), orelse, final):
                    _follow(block, assigned, breaks, jumps)
            case ast.Match(cases=cases):
                for case in cases:
                    _follow(case.body, assigned, breaks, jumps)
    return assigned


def _names(targets: Sequence[ast.expr]) -> set[str]:
    found: set[str] = set()
    for target in targets:
        match target:
            case ast.Name(id=name):
                found.add(name)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                found |= _names(items)
            case ast.Starred(value=value):
                found |= _names([value])
    return found
