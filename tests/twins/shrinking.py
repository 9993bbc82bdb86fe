"""Makes a program smaller while it fails in the same way."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any


def shrunk(text: str, fails: Callable[[str], bool]) -> str:
    """Removes statements and replaces expressions by their parts, as long as that is possible."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(text):
            if fails(candidate):
                text, smaller = candidate, True
                break
    return text


def _smaller(text: str) -> Iterator[str]:
    tree = ast.parse(text)
    count = sum(1 for _ in _edits(tree))
    seen = {text}
    for index in range(count):
        tree = ast.parse(text)
        for i, edit in enumerate(_edits(tree)):
            if i == index:
                edit()
                break
        candidate = ast.unparse(ast.fix_missing_locations(tree))
        if candidate not in seen and _compiles(candidate):
            seen.add(candidate)
            yield candidate


def _compiles(text: str) -> bool:
    try:
        compile(text, "<candidate>", "exec")
    except SyntaxError:
        return False
    return True


def _edits(tree: ast.AST) -> Iterator[Callable[[], Any]]:
    """Ways to change the tree in place, the largest first."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "handlers", "finalbody", "cases"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield from _of_block(block)
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and not isinstance(node, (ast.Attribute, ast.Call)):
                for part in ast.iter_child_nodes(value):
                    if isinstance(part, ast.expr) and not isinstance(value, ast.Constant):
                        yield lambda n=node, k=name, p=part: setattr(n, k, p)


def _of_block(block: list[Any]) -> Iterator[Callable[[], Any]]:
    for i in range(len(block)):
        yield lambda i=i: block.pop(i)
    for i, stmt in enumerate(block):
        inner = getattr(stmt, "body", None)
        if isinstance(inner, list) and not isinstance(stmt, ast.ExceptHandler):
            yield lambda i=i, inner=inner: block.__setitem__(slice(i, i + 1), inner)
        if isinstance(stmt, (ast.For, ast.While, ast.If, ast.Try, ast.With)):
            for call in ast.walk(stmt):
                if isinstance(call, ast.Return):
                    yield lambda i=i: block.__setitem__(i, ast.Pass())
                    break
