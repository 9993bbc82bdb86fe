"""Expressions with `:=` in operands that need not be evaluated: statements compute them.

Otherwise such an operand becomes the body of a lambda, which can't bind names outside of it.

    if a and (b := c): ...              value = ag.bool_(a)
    else: ...                           if value:               (marked: `b` is perhaps undefined)
                                            value = ag.bool_(b := c)
                                        if value: ...
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from typing import Any

from .nodes import FreshNames, Maker, parts

_SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Place = tuple[ast.AST, str, int | None]  # a node, its field and the position in that


def hoisted(
    value: ast.expr, fresh: FreshNames, ag: str, truth: bool = False
) -> tuple[list[ast.stmt], ast.expr]:
    """Statements to run before, and what is left of the expression.

    `truth`: nothing but its truth value is asked for.
    """
    if not _holds_lazy(value):
        return [], value
    make = Maker(ag, value)
    match value:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            before, operand = hoisted(operand, fresh, ag, True)
            return before, make.negate(operand)
        case ast.NamedExpr(target=target, value=inner):
            before, inner = hoisted(inner, fresh, ag)
            return before, ast.NamedExpr(target, inner, **make.at)
        case ast.IfExp() if binds_lazily(value):
            before, test = hoisted(value.test, fresh, ag, True)
            result = fresh("value")
            yes, no = make.assign([result], value.body), make.assign([result], value.orelse)
            return [*before, perhaps(test, [yes], [no], make)], make.name(result)
        case ast.BoolOp(op=op, values=values) if binds_lazily(value):
            return _one_by_one(op, values, fresh("value"), make, truth)
        case ast.Compare() if binds_lazily(value):
            return hoisted(_pairs(value, fresh, make), fresh, ag, truth)
        case ast.Dict():
            return [], value
        case _:
            return _parts_hoisted(value, fresh, ag)


def asked(name: str, test: ast.expr, fresh: FreshNames, ag: str) -> list[ast.stmt]:
    """`name = test`, of which the truth value is wanted."""
    before, test = hoisted(copy.deepcopy(test), fresh, ag, truth=True)
    return [*before, Maker(ag, test).assign([name], test)]


def perhaps(test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], make: Maker) -> ast.If:
    """An `if` behind which a name that only one branch sets is known to be perhaps undefined."""
    made = ast.If(test, body, orelse, **make.at)
    made.tl_perhaps = True  # type: ignore[attr-defined]
    return made


def is_perhaps(stmt: ast.stmt) -> bool:
    return hasattr(stmt, "tl_perhaps")


def _one_by_one(
    op: ast.boolop, values: Sequence[ast.expr], result: str, make: Maker, truth: bool
) -> tuple[list[ast.stmt], ast.expr]:
    """`a and b and c`: `result = a`, `if result: result = b`, `if result: result = c`."""

    def set_to(operand: ast.expr) -> ast.stmt:
        at = Maker(make.ag, operand)
        return at.assign([result], at.call("bool_", operand) if truth else operand)

    first, *rest = values
    stmts = [set_to(first)]
    for operand in rest:
        go_on: ast.expr = make.name(result)
        if isinstance(op, ast.Or):
            go_on = make.negate(go_on)
        stmts.append(perhaps(go_on, [set_to(operand)], [], Maker(make.ag, operand)))
    return stmts, make.name(result)


def _pairs(node: ast.Compare, fresh: FreshNames, make: Maker) -> ast.expr:
    """`a < b < c` as `a < b and b < c`, with `b` evaluated once."""
    left, links = node.left, list[ast.expr]()
    *middle, last = node.comparators
    for op, right in zip(node.ops, [*middle, last], strict=True):
        value, again = right, right
        if right is not last and not isinstance(right, ast.Constant):
            name = fresh("middle")
            value = ast.NamedExpr(ast.Name(name, ast.Store(), **make.at), right, **make.at)
            again = make.name(name)
        links.append(ast.Compare(left, [op], [value], **make.at))
        left = again
    return make.both(links)


def _parts_hoisted(value: ast.expr, fresh: FreshNames, ag: str) -> tuple[list[ast.stmt], ast.expr]:
    """Up to the last part that has to be hoisted, each part is computed before, in order."""
    value = copy.deepcopy(value)
    places = list(_places(value))
    last = max((i for i, p in enumerate(places) if _holds_lazy(_at(p))), default=-1)
    stmts: list[ast.stmt] = []
    for place in places[: last + 1]:
        part = _at(place)
        before, part = hoisted(part, fresh, ag)
        stmts += before
        if place is not places[last] and not isinstance(part, ast.Constant):
            make, name = Maker(ag, part), fresh("part")
            stmts.append(make.assign([name], part))
            part = make.name(name)
        _put(place, part)
    return stmts, value


def _places(node: ast.AST) -> Iterator[Place]:
    """The parts of an expression in the order in which they are evaluated."""
    for field in node._fields:
        held: Any = getattr(node, field, None)
        for i, part in enumerate(held if isinstance(held, list) else [held]):
            if isinstance(part, (ast.keyword, ast.Starred, ast.FormattedValue, ast.Slice)):
                yield from _places(part)
            elif field == "func" and isinstance(part, (ast.Name, ast.Attribute)):
                if isinstance(part, ast.Attribute) and not isinstance(part.value, ast.Name):
                    yield from _places(part)
            elif isinstance(part, ast.expr):
                yield node, field, i if isinstance(held, list) else None


def _at(place: Place) -> ast.expr:
    node, field, i = place
    held: Any = getattr(node, field)
    found: ast.expr = held if i is None else held[i]
    return found


def _put(place: Place, part: ast.expr) -> None:
    node, field, i = place
    if i is None:
        setattr(node, field, part)
    else:
        getattr(node, field)[i] = part


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


def _holds_lazy(node: ast.AST) -> bool:
    """True if `binds_lazily` holds for a part of the expression that runs in its own scope."""
    if isinstance(node, _SCOPES):
        return False
    own = isinstance(node, ast.expr) and binds_lazily(node)
    return own or (binds(node) and any(map(_holds_lazy, parts(node))))


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
