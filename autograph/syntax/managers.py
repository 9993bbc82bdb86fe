"""`with` statements of one manager each, whose expression binds no names."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from .hoisting import binds
from .nodes import FreshNames, Maker, blocks, walk


def one_manager(stmt: ast.With, fresh: FreshNames, ag: str) -> tuple[list[ast.stmt], ast.With]:
    """Statements to run before, and the `with` of the first manager, around those of the others."""
    item, *more = stmt.items
    body: list[ast.stmt] = stmt.body
    if more:
        body = [ast.copy_location(ast.With(more, body), stmt)]
    before: list[ast.stmt] = []
    if binds(item.context_expr):
        make, manager = Maker(ag, stmt), fresh("manager")
        before.append(make.assign([manager], item.context_expr))
        item = ast.withitem(make.name(manager), item.optional_vars)
    return before, ast.copy_location(ast.With([item], body), stmt)


def unstack(stmts: list[ast.stmt], is_stack: Callable[[ast.expr], bool]) -> None:
    """Write `stack.enter_context(manager)` in a `with ExitStack() as stack` as one more `with`
    around what follows, in place, where the stack is used for nothing else.
    """
    for i, stmt in reversed([*enumerate(stmts)]):
        for block in blocks(stmt):
            unstack(block, is_stack)
        match stmt:
            case ast.With(
                items=[ast.withitem(ast.Call(func=func, args=[]) as made, ast.Name() as name)]
            ) if is_stack(func):
                body = _entered(stmt.body, name.id)
                if not any(isinstance(n, ast.Name) and n.id == name.id for n in _walk(body)):
                    stack = ast.copy_location(ast.Assign([name], made), stmt)
                    stmts[i : i + 1] = [stack, *body]


def _entered(body: list[ast.stmt], stack: str) -> list[ast.stmt]:
    for i, stmt in enumerate(body):
        match stmt:
            case ast.Expr() | ast.Assign(targets=[_]):
                target = stmt.targets[0] if isinstance(stmt, ast.Assign) else None
            case _:
                continue
        match stmt.value:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="enter_context"),
                args=[manager],
                keywords=[],
            ) if name == stack:
                rest = _entered(body[i + 1 :], stack) or [ast.copy_location(ast.Pass(), stmt)]
                inner = ast.With([ast.withitem(manager, target)], rest)
                return [*body[:i], ast.copy_location(inner, stmt)]
    return body


def _walk(body: Sequence[ast.stmt]) -> list[ast.AST]:
    return [node for stmt in body for node in walk(stmt)]
