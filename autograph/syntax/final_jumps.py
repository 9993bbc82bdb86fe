"""`finally` with a `break`, `continue` or `return`: written as a handler, and what comes then.

The jump swallows the exception on its way, as one out of a handler does.
"""

from __future__ import annotations

import ast
import copy

from .nodes import BREAK, CONTINUE, RETURN, Maker, blocks


def without_final(stmt: ast.Try) -> list[ast.stmt]:
    """What may be jumped out of before the `finally`."""
    return [*stmt.body, *(s for h in stmt.handlers for s in h.body), *stmt.orelse]


def with_flags(
    stmt: ast.Try, flags: dict[int, str], make: Maker, surely: bool
) -> tuple[ast.stmt, ast.Try, list[ast.stmt]]:
    """A `try` whose `finally` jumps (`surely`), and perhaps other parts by `flags`: what comes
    before it, it without its `finally`, and what comes then in any case. The flag 0 says that its
    handler has run.
    """
    body, final = stmt.body, _resetting(stmt.finalbody, flags, make)
    if stmt.handlers or stmt.orelse:
        inner = ast.Try(stmt.body, stmt.handlers, stmt.orelse, [])
        body = [ast.copy_location(inner, stmt)]
    handled = flags[0]
    handler: list[ast.stmt] = [make.pass_()]
    if not surely:
        again = ast.copy_location(ast.Raise(), final[-1])
        handler = [make.assign([handled], make.constant(True)), *copy.deepcopy(final), again]
        final = [ast.If(make.negate(make.name(handled)), final, [], **make.at)]
    every = ast.Name("BaseException", ast.Load(), **make.at)
    made = ast.Try(body, [ast.ExceptHandler(every, None, handler, **make.at)], [], [])
    before = make.assign([handled], make.constant(False))
    return before, ast.copy_location(made, stmt), final


def _resetting(
    stmts: list[ast.stmt], flags: dict[int, str], make: Maker, in_loop: bool = False
) -> list[ast.stmt]:
    """`stmts` in which each jump out of them takes back those that were made before."""
    found: list[ast.stmt] = []
    for s in stmts:
        jump = _JUMPS.get(type(s), 0)
        if jump == RETURN or (jump and not in_loop):
            others = [flag for kind, flag in flags.items() if kind not in (0, jump)]
            found += [make.assign([flag], make.constant(False)) for flag in others]
        for block in blocks(s):
            is_body = isinstance(s, (ast.For, ast.While)) and block is s.body
            block[:] = _resetting(block, flags, make, in_loop or is_body)
        found.append(s)
    return found


_JUMPS = {ast.Break: BREAK, ast.Continue: CONTINUE, ast.Return: RETURN}
