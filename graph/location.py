"""Where the user wrote it: cheap to take (two fields of a frame), resolved only when shown."""

from __future__ import annotations

import ast
import contextlib
import functools
import linecache
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any, NamedTuple

import numpy as np

from .settings import full_tracebacks

# Directories whose frames are ours and never the user's; each package adds its own.
_INTERNAL: list[str] = []
PLAN = "<plan "  # what the file names of plans start with
_USER_FILES = ("demo.py",)  # the demo's program is user code that we ship
_known: dict[str, bool] = {}
# What stands between our frames: NumPy, and Python's context managers.
_BETWEEN = (os.path.dirname(os.path.abspath(np.__file__)) + os.sep, contextlib.__file__)


def register_internal(package_file: str) -> None:
    """Count the files beside `package_file` (a package's `__init__`) as treadle's own."""
    _INTERNAL.append(os.path.dirname(os.path.abspath(package_file)) + os.sep)
    _known.clear()


def is_internal(filename: str) -> bool:
    """True for a file of treadle itself."""
    known = _known.get(filename)
    if known is None:
        if filename.startswith(PLAN):
            return True
        ours = os.path.abspath(filename).startswith(tuple(_INTERNAL))
        known = _known[filename] = ours and not filename.endswith(_USER_FILES)
    return known


_LONGEST = 120  # line that messages show


class Loc(NamedTuple):
    """A place in the user's code: a code object and an instruction in it."""

    code: CodeType
    lasti: int

    @property
    def file(self) -> str:
        return self.code.co_filename

    @property
    def function(self) -> str:
        return self.code.co_name

    def positions(self) -> tuple[int, int, int, int]:
        """Line, end line, column, end column (of UTF-8 bytes); 0 where unknown."""
        for i, p in enumerate(self.code.co_positions()):
            if i == self.lasti // 2:
                return p[0] or self.code.co_firstlineno, p[1] or 0, p[2] or 0, p[3] or 0
        return self.code.co_firstlineno, 0, 0, 0

    @property
    def line(self) -> int:
        return self.positions()[0]

    @property
    def source(self) -> str:
        """The line's text, stripped, cut where it is very long; empty where there is no source."""
        if self.file == "<string>":
            return ""  # of `exec`, say: what stands there in the text of `python -c` is another one
        text = linecache.getline(self.file, self.line).strip()
        return text if len(text) <= _LONGEST else text[: _LONGEST - 4] + " ..."

    def __str__(self) -> str:
        return f"{os.path.basename(self.file)}:{self.line}"


def user_location(depth: int = 1) -> Loc | None:
    """The nearest frame outside of treadle, from `depth` frames up."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        internal = _known.get(code.co_filename)
        if internal is None:
            internal = is_internal(code.co_filename)
        if not internal:
            return tuple.__new__(Loc, (code, frame.f_lasti))  # which is how Loc(...) does it
        frame = frame.f_back
    return None


def describe(loc: Loc | None) -> str:
    """`model.py:12: y = x @ w`, or a word where the place is unknown."""
    if loc is None:
        return "an unknown line"
    source = loc.source
    return f"{loc}: {source}" if source else str(loc)


def expression_at(loc: Loc | None) -> ast.expr | None:
    """The expression that is evaluated at a place: the instruction's columns lead to it."""
    if loc is None:
        return None
    line, end_line, start, end = loc.positions()
    if not end:
        return None
    lines = [linecache.getline(loc.file, n) for n in range(line, end_line + 1)]
    if not lines or not lines[0]:
        return None
    raw = [text.encode() for text in lines]
    raw[-1] = raw[-1][:end]
    raw[0] = raw[0][start:]
    try:
        return ast.parse(b"(" + b"".join(raw) + b")", mode="eval").body
    except SyntaxError:
        return _tested(b" " * start + b"".join(raw))


def _tested(source: bytes) -> ast.expr | None:
    """The condition of the `if`, `elif`, `while` or `assert` that starts `source`."""
    text = textwrap.dedent(source.decode()).removeprefix("el")
    try:
        statement = ast.parse(text).body[0]
    except (SyntaxError, IndexError):
        return None
    return getattr(statement, "test", None)


def argument_texts(loc: Loc | None, count: int) -> list[str] | None:
    """The texts of an expression's `count` operands as the user wrote them, or None.

    The sides of `x + y`, the arguments of `tl.add(x, y)`.
    """
    expression = expression_at(loc)
    if expression is None:
        return None
    operands = list(_operands(expression))
    texts = [ast.unparse(o) for o in operands[:count]]
    return texts if len(texts) == count and all(len(t) <= 40 for t in texts) else None


def _operands(expression: ast.expr) -> Iterator[ast.expr]:
    match expression:
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.Compare(left=left, comparators=[right]):
            yield from (left, right)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Subscript(value=value, slice=index):
            yield value
            for item in index.elts if isinstance(index, ast.Tuple) else [index]:
                parts: list[ast.expr | None] = [item]
                if isinstance(item, ast.Slice):
                    parts = [item.lower, item.upper, item.step]
                yield from (p for p in parts if p and not isinstance(p, ast.Constant))
        case ast.Call(args=args, keywords=keywords):
            if not any(isinstance(a, ast.Starred) for a in args):
                yield from args
                yield from (k.value for k in keywords if k.arg)


def strip_internal_frames(error: BaseException) -> BaseException:
    """`error` without treadle's own frames, and what these call of libraries, in its traceback.

    `TREADLE_TRACEBACK=full` keeps them.
    """
    if full_tracebacks():
        return error
    kept: list[TracebackType] = []
    ours = False
    for tb in entries(error.__traceback__):
        ours = is_of_library(tb) and (ours or is_internal(tb.tb_frame.f_code.co_filename))
        if not ours:
            kept.append(tb)
    return error.with_traceback(chained(kept))


def is_of_library(tb: TracebackType) -> bool:
    """True for an entry of treadle's, or of what treadle calls."""
    file = tb.tb_frame.f_code.co_filename
    return is_internal(file) or file.startswith(_BETWEEN)


def entries(tb: TracebackType | None) -> Iterator[TracebackType]:
    """The entries of a traceback, the outermost first."""
    while tb is not None:
        yield tb
        tb = tb.tb_next


def chained(parts: Sequence[TracebackType]) -> TracebackType | None:
    """A traceback of these entries."""
    chain: TracebackType | None = None
    for tb in reversed(parts):
        chain = TracebackType(chain, tb.tb_frame, tb.tb_lasti, tb.tb_lineno)
    return chain


def entry_at(loc: Loc) -> TracebackType:
    """The entry of a traceback for a place, as if the user's own code had raised there."""
    line, end_line, start, end = loc.positions()
    code = loc.code
    first: dict[str, Any] = {"lineno": min(code.co_firstlineno, line), "col_offset": 0}
    there = {"lineno": line, "end_lineno": end_line or line}
    there |= {"col_offset": start, "end_col_offset": end}
    statement = ast.Raise(ast.Name("error", ast.Load(), **there), None, **there)
    arguments = ast.arguments([], [ast.arg("error", None, **first)], None, [], [], None, [])
    made = ast.FunctionDef("raising", arguments, [statement], [], None, None, **first)
    made.type_params = []  # type: ignore[attr-defined,unused-ignore]
    module = compile(ast.Module([made], []), loc.file, "exec", dont_inherit=True)
    inner = next(c for c in module.co_consts if isinstance(c, CodeType))
    qualname = _function_at(loc.file, line, start, code.co_qualname)
    own = qualname.rpartition(".")[2]
    inner = inner.replace(co_name=own, co_qualname=qualname)
    try:
        FunctionType(inner, {"__name__": own})(Exception())
    except Exception as error:
        (_, entry) = entries(error.__traceback__)
    return entry


@functools.lru_cache(256)
def _function_at(file: str, line: int, column: int, name: str) -> str:
    """The qualified name of the user's function at a place: conversion makes functions and lambdas
    of parts of one; the latter have a name as of the user's own.
    """
    if not name.endswith(_LAMBDA):
        return name
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return name
    for n in ast.walk(tree):
        if isinstance(n, ast.Lambda):
            last = (n.end_lineno or n.lineno, n.end_col_offset or 0)
            if (n.lineno, n.col_offset) <= (line, column) < last:
                return name
    while name.endswith(_LAMBDA):
        name = name.removesuffix(_LAMBDA)
    return name


_LAMBDA = ".<locals>.<lambda>"
