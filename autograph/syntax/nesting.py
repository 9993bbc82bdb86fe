"""`try` and `with` statements in each other, deeper than CPython can compile: each `try` has some
blocks around it in converted code. The inner ones become functions, as the branches of an `if` do.
"""

from __future__ import annotations

import ast

_NATIVE = (ast.Try, ast.TryStar, ast.With)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def parted(stmts: list[ast.stmt], inside: bool = False) -> None:
    """Put each `try` or `with` that stands in another one into an `if True`, in place."""
    for i, stmt in enumerate(stmts):
        if isinstance(stmt, _SCOPES):
            continue
        native = isinstance(stmt, _NATIVE)
        for block in _blocks(stmt):
            parted(block, inside or native)
        if native and inside:
            stmts[i] = ast.copy_location(ast.If(_always(stmt), [stmt], []), stmt)


def _blocks(stmt: ast.AST) -> list[list[ast.stmt]]:
    fields = ("body", "orelse", "finalbody")
    blocks = [getattr(stmt, name) for name in fields if getattr(stmt, name, None)]
    for name in ("handlers", "cases"):
        blocks += [part.body for part in getattr(stmt, name, ())]
    return blocks


def _always(stmt: ast.stmt) -> ast.expr:
    made = ast.copy_location(ast.Constant(True), stmt)
    made.tl_always = True  # type: ignore[attr-defined]
    return made


def parts(test: ast.Constant) -> bool:
    """True for the test of an `if` that was put around a statement."""
    return hasattr(test, "tl_always")
