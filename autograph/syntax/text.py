"""Converted code as text."""

from __future__ import annotations

import ast

from .nodes import walk
from .source import FunctionNode


def formatted(node: FunctionNode) -> str:
    """The text of a converted function: no blank lines, no brackets around returned tuples."""
    text = ast.unparse(ast.fix_missing_locations(node))
    tree = ast.parse(text)
    lines = text.splitlines()
    kept = _lines_of_texts(tree)
    for n in walk(tree):
        if isinstance(n, ast.Return) and isinstance(n.value, ast.Tuple) and n.value.elts:
            i = n.lineno - 1
            if n.end_lineno == n.lineno and lines[i].lstrip().startswith("return ("):
                lines[i] = lines[i].replace("return (", "return ", 1)[:-1]
    return "\n".join(line for i, line in enumerate(lines) if line or i in kept) + "\n"


def _lines_of_texts(tree: ast.AST) -> set[int]:
    """The lines inside of strings, whose blank lines count."""
    found: set[int] = set()
    for n in walk(tree):
        if isinstance(n, ast.Constant) and isinstance(n.value, str):
            found.update(range(n.lineno - 1, n.end_lineno or n.lineno))
    return found
