"""`finally` with a `break`, `continue` or `return`: written as a handler and an `else`.

The jump swallows the exception on its way, as one out of a handler does.
"""

from __future__ import annotations

import ast
import copy


def as_handler(stmt: ast.Try) -> ast.Try:
    """A `try` out of which only its `finally` jumps, without that."""
    body = stmt.body
    if stmt.handlers or stmt.orelse:
        inner = ast.Try(stmt.body, stmt.handlers, stmt.orelse, [])
        body = [ast.copy_location(inner, stmt)]
    last = stmt.finalbody[-1]
    again = ast.copy_location(ast.Raise(), last)
    every = ast.copy_location(ast.Name("BaseException", ast.Load()), last)
    handler = ast.ExceptHandler(every, None, [*copy.deepcopy(stmt.finalbody), again])
    made = ast.Try(body, [ast.copy_location(handler, last)], stmt.finalbody, [])
    return ast.copy_location(made, stmt)
