"""Expressions with `:=` in operands that need not be evaluated: statements compute them.

Otherwise such an operand becomes the body of a lambda, which can't bind names outside of it.
"""

from __future__ import annotations

import ast

from .nodes import FreshNames, Maker, parts


def hoisted(value: ast.expr, fresh: FreshNames, ag: str) -> tuple[list[ast.stmt], ast.expr]:
    """Statements to run before, and what is left of the expression."""
    if not binds_lazily(value):
        return [], value
    make = Maker(ag, value)
    match value:
        case ast.UnaryOp(operand=operand):
            before, operand = hoisted(operand, fresh, ag)
            return before, make.negate(operand)
        case ast.IfExp(test=test):
            result = fresh("value")
            yes, no = make.assign([result], value.body), make.assign([result], value.orelse)
            return [ast.If(test, [yes], [no], **make.at)], make.name(result)
        case ast.BoolOp(op=op, values=[first, *rest]):
            result = fresh("value")
            then = rest[0] if len(rest) == 1 else ast.BoolOp(op, rest, **make.at)
            go_on: ast.expr = make.name(result)
            if isinstance(op, ast.Or):
                go_on = make.negate(go_on)
            again = ast.If(go_on, [make.assign([result], then)], [], **make.at)
            return [make.assign([result], first), again], make.name(result)
        case _:
            return [], value


def nested(stmt: ast.If, ag: str) -> ast.If:
    """`if a and (b := c): ...` as two branches, so that `b` is known to be defined in the body."""
    match stmt.test:
        case ast.BoolOp(op=ast.And(), values=[first, *more]) if not stmt.orelse and binds_lazily(
            stmt.test
        ):
            make = Maker(ag, stmt)
            inner = ast.If(make.both(more), stmt.body, [], **make.at)
            return ast.If(first, [inner], [], **make.at)
        case _:
            return stmt


def binds_lazily(node: ast.expr) -> bool:
    """True if an operand that need not be evaluated has a `:=`."""
    match node:
        case ast.BoolOp():
            return any(binds(v) for v in node.values[1:])
        case ast.IfExp():
            return binds(node.body) or binds(node.orelse)
        case ast.UnaryOp(op=ast.Not()):
            return binds_lazily(node.operand)
        case ast.Compare():
            return any(binds(v) for v in node.comparators[1:])
        case _:
            return False


def binds(node: ast.AST) -> bool:
    """True if the expression has a `:=` of its own scope."""
    todo = [node]
    for each in todo:  # it grows
        if isinstance(each, ast.NamedExpr):
            return True
        if not isinstance(each, ast.Lambda):
            todo += parts(each)
    return False
