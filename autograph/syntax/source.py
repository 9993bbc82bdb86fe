"""The syntax tree of a function, taken from its source file with the file's own positions.

Nothing is dedented: an indented function is parsed below an `if` that stands in for whatever
encloses it, so columns are the file's and the text of multi-line strings stays as it is.
"""

from __future__ import annotations

import ast
import copy
import linecache
import warnings
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType

from .nodes import walk

FunctionNode = ast.FunctionDef | ast.Lambda


class NoSourceError(Exception):
    """The source of a function can't be had; the message says why."""


def function_ast(f: FunctionType) -> FunctionNode:
    """A tree of `f` alone, fresh each time; `NoSourceError` where there is none."""
    code = f.__code__
    lines = linecache.getlines(_file_of(f), f.__globals__)
    if not lines:
        raise NoSourceError(f"its source is not available ({code.co_filename})")
    if code.co_firstlineno > len(lines):
        raise NoSourceError(f"the file {code.co_filename} has changed since it was imported")
    try:
        node = _lambda(code, lines) if code.co_name == "<lambda>" else _def(code, lines)
        if not _same_parameters(node.args, code):
            raise NoSourceError(f"the file {code.co_filename} has changed since it was imported")
    except NoSourceError:
        if code.co_filename != "<string>":
            raise
        # The text of `python -c`, and the function is of an `exec`.
        raise NoSourceError(f"its source is not available ({code.co_filename})") from None
    return node


def may_bind(f: FunctionType) -> bool:
    """False if there is surely no `:=` in `f`."""
    return ":=" in "".join(linecache.getlines(_file_of(f), f.__globals__))


def _file_of(f: FunctionType) -> str:
    """The file with the source, also of a module that is built into the interpreter."""
    file: str = f.__code__.co_filename
    return f.__globals__.get("__file__") or file if file.startswith("<frozen") else file


def mangling_class(code: CodeType) -> str | None:
    """The class whose name private identifiers (`__x`) of `code` are mangled with."""
    parts = code.co_qualname.split(".")[:-1]
    # `f.<locals>.C.method`: what stands before `<locals>` is a function, the rest are classes.
    for i in range(len(parts) - 1, -1, -1):
        if parts[i] != "<locals>" and (i + 1 == len(parts) or parts[i + 1] != "<locals>"):
            return parts[i]
    return None


def quiet_parse(text: str) -> ast.Module:
    """Parse without the warnings that the import of the file has given already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _def(code: CodeType, lines: list[str]) -> ast.FunctionDef:
    first = code.co_firstlineno
    margin = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
    for end in _possible_ends(lines, _last_line(code), len(margin)):
        # Empty lines take the place of those before, so that line numbers are the file's.
        above = "\n" * (first - 2) + "if 1:\n" if margin else "\n" * (first - 1)
        text = above + "".join(lines[first - 1 : end])
        try:
            tree = quiet_parse(text)
        except SyntaxError:
            continue
        found = tree.body[0]
        if margin and isinstance(found, ast.If):
            found = found.body[0]
        if isinstance(found, ast.FunctionDef) and found.name == code.co_name:
            return found
        break
    raise NoSourceError(f"line {first} of {code.co_filename} does not define {code.co_name}")


def _possible_ends(lines: list[str], last: int, margin: int) -> Iterator[int]:
    """Line counts at which a block indented by more than `margin` may end, after line `last`.

    A line with less indentation may still belong to a bracket or string that is open.
    """
    for i in range(last, len(lines)):
        text = lines[i].lstrip()
        if text and text[0] != "#" and len(lines[i]) - len(text) <= margin:
            yield i
    yield len(lines)


def _last_line(code: CodeType) -> int:
    last = max((line for _, _, line in code.co_lines() if line), default=code.co_firstlineno)
    nested = [_last_line(c) for c in code.co_consts if isinstance(c, CodeType)]
    return max([last, *nested])


@lru_cache(maxsize=8)
def _lambdas_in(text: str) -> list[ast.Lambda]:
    try:
        tree = quiet_parse(text)
    except SyntaxError as error:
        raise NoSourceError(f"its file does not parse: {error}") from None
    return [n for n in walk(tree) if isinstance(n, ast.Lambda)]


def _lambda(code: CodeType, lines: list[str]) -> ast.Lambda:
    """The lambda whose body holds all instructions of `code`: the innermost one."""
    # Instructions of no width are those that set the frame up.
    spans = [
        ((line, column), (end_line, end_column))
        for line, end_line, column, end_column in code.co_positions()
        if line and end_line and column is not None and end_column
    ]
    candidates = [n for n in _lambdas_in("".join(lines)) if _same_parameters(n.args, code)]
    if spans:
        start, end = min(s for s, _ in spans), max(e for _, e in spans)
        candidates = [n for n in candidates if _start(n.body) <= start and end <= _end(n.body)]
        candidates.sort(key=lambda n: (_start(n.body), _end(n.body)))
        # Those that are left enclose each other: the innermost starts last.
        candidates = candidates[-1:]
    else:
        candidates = [n for n in candidates if n.lineno == code.co_firstlineno]
    if len(candidates) != 1:
        raise NoSourceError(
            f"the lambda at {code.co_filename}:{code.co_firstlineno} can't be told apart"
        )
    return copy.deepcopy(candidates[0])


def _start(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _same_parameters(args: ast.arguments, code: CodeType) -> bool:
    names = [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    count = code.co_argcount + code.co_kwonlyargcount
    return len(names) == count and all(
        have == name or (name.startswith("__") and have.endswith(name))
        for name, have in zip(names, code.co_varnames, strict=False)
    )
