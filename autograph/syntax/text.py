"""Converted code as text."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable

from .nodes import walk
from .source import FunctionNode

OPERATORS = "treadle.autograph"


def formatted(node: FunctionNode, ag: str, free: Iterable[str]) -> str:
    """The text of a converted function: no blank lines, no brackets around returned tuples.

    It says what `ag` stands for. Where it rebinds some of the names that are `free` in it, it
    stands in a function that has them.
    """
    ast.fix_missing_locations(node)
    bound = {name for n in walk(node) if isinstance(n, ast.Nonlocal) for name in n.names}
    outer = [name for name in free if name in bound]
    origin: list[ast.stmt] = []
    if any(isinstance(n, ast.Name) and n.id == ag for n in walk(node)):
        alias = ast.alias("operators", ag if ag != "operators" else None)
        origin = [ast.ImportFrom(OPERATORS, [alias], 0)]
    shown: ast.Module
    if isinstance(node, ast.Lambda):
        shown = ast.Module([*origin, ast.Expr(node)], [])
    elif outer:
        args = ast.arguments([], [ast.arg(name) for name in outer], None, [], [], None, [])
        body = [*origin, node, ast.Return(ast.Name(node.name, ast.Load()))]
        shown = ast.Module([_with_body(ast.FunctionDef("factory", args, [], []), body)], [])
    else:
        first = 1 if ast.get_docstring(node, clean=False) is not None else 0
        body = [*node.body[:first], *origin, *node.body[first:]]
        shown = ast.Module([_with_body(copy.copy(node), body)], [])
    text = ast.unparse(ast.fix_missing_locations(shown)).strip("\n")
    tree = ast.parse(text)
    lines = text.splitlines()
    kept = _lines_of_texts(tree)
    for n in walk(tree):
        if isinstance(n, ast.Return) and isinstance(n.value, ast.Tuple) and n.value.elts:
            i = n.lineno - 1
            if n.end_lineno == n.lineno and lines[i].lstrip().startswith("return ("):
                lines[i] = lines[i].replace("return (", "return ", 1)[:-1]
    return "\n".join(line for i, line in enumerate(lines) if line or i in kept) + "\n"


def _with_body(node: ast.FunctionDef, body: list[ast.stmt]) -> ast.FunctionDef:
    node.body = body
    node.type_params = []  # type: ignore[attr-defined,unused-ignore]
    return node


def _lines_of_texts(tree: ast.AST) -> set[int]:
    """The lines inside of strings, whose blank lines count."""
    found: set[int] = set()
    for n in walk(tree):
        if isinstance(n, ast.Constant) and isinstance(n.value, str):
            found.update(range(n.lineno - 1, n.end_lineno or n.lineno))
    return found
