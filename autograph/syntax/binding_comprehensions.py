"""Comprehensions with `:=`, as loops before the statement: a name that they bind is the function's.

`big = [y for x in xs if (y := f(x)) > 2]` becomes

    value = []
    for x_1 in xs:
        if (y := f(x_1)) > 2:
            value.append(y)
    big = value
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .hoisting import binds
from .nodes import FreshNames, Maker, walk

IsBuiltin = Callable[..., bool]
_DISPLAYS = (ast.ListComp, ast.SetComp, ast.DictComp)
_CONSUMERS = (list, tuple, set, sum, max, min, sorted)
_SCOPES = (ast.Lambda, *_DISPLAYS, ast.GeneratorExp)
_FIELDS = {
    **dict.fromkeys((ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return), "value"),
    **dict.fromkeys((ast.If, ast.Assert), "test"),
    ast.For: "iter",
}


def as_loops(
    stmt: ast.stmt, fresh: FreshNames, ag: str, is_builtin: IsBuiltin
) -> list[ast.stmt] | None:
    """The statements that `stmt` becomes; None if there is nothing to do, or it can't be done."""
    field = _FIELDS.get(type(stmt))
    value = getattr(stmt, field, None) if field else None
    if field is None or value is None or not any(_is_binding(n) for n in walk(value)):
        return None
    loops = _Loops(fresh, ag, is_builtin)
    made = copy.copy(stmt)
    setattr(made, field, loops.visit(copy.deepcopy(value)))
    return [*loops.before, made] if loops.before else None


def _is_binding(node: ast.AST) -> bool:
    """True for a comprehension with a `:=`, whose targets can get other names."""
    if not isinstance(node, (*_DISPLAYS, ast.GeneratorExp)) or not binds(node):
        return False
    own = _names(*(g.target for g in node.generators))
    inner = [n for n in walk(node) if isinstance(n, _SCOPES) and n is not node]
    return all(
        not isinstance(n, ast.Lambda) and own.isdisjoint(_names(*(g.target for g in n.generators)))
        for n in inner
    )


def _names(*nodes: ast.AST) -> set[str]:
    return {n.id for node in nodes for n in walk(node) if isinstance(n, ast.Name)}


def _bound(node: ast.AST) -> set[str]:
    return _names(*(n.target for n in walk(node) if isinstance(n, ast.NamedExpr)))


class _Loops:
    """Moves comprehensions out of an expression; what is evaluated before them, too."""

    def __init__(self, fresh: FreshNames, ag: str, is_builtin: IsBuiltin) -> None:
        self.before: list[ast.stmt] = []
        self.fresh = fresh
        self.ag = ag
        self.is_builtin = is_builtin

    def visit(self, node: ast.expr) -> ast.expr:
        if not any(map(_is_binding, walk(node))):
            return node
        match node:
            case ast.ListComp() | ast.SetComp() | ast.DictComp() if _is_binding(node):
                return self._collected(node)
            case ast.Call(args=[ast.GeneratorExp() as given, *rest], keywords=[]) if _is_binding(
                given
            ):
                found = self._consumed(node, given, rest)
                if found is not None:
                    return found
        evaluated: list[_Place] = []
        for place in _operands(node):
            part = place.get()
            if any(map(_is_binding, walk(part))):
                for earlier in evaluated:
                    self._keep(earlier)
                place.put(self.visit(part))
            evaluated.append(place)
        return node

    def _keep(self, place: _Place) -> None:
        """Evaluate an operand before what is moved out next."""
        part = place.get()
        if isinstance(part, ast.Constant) or place.field == "func":
            return
        make = Maker(self.ag, part)
        value = self.fresh("value")
        if isinstance(part, ast.Starred):
            kept: ast.expr = ast.Tuple([part], ast.Load(), **make.at)
            place.put(ast.Starred(make.name(value), ast.Load(), **make.at))
        else:
            kept = part
            place.put(make.name(value))
        self.before.append(make.assign([value], kept))

    def _collected(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> ast.expr:
        make = Maker(self.ag, node)
        value = self.fresh("value")
        empty: ast.expr
        add: list[ast.stmt]
        if isinstance(node, ast.DictComp):
            empty = ast.Dict([], [], **make.at)
            key = self.fresh("key")  # evaluated before the value
            place = ast.Subscript(make.name(value), make.name(key), ast.Store(), **make.at)
            add = [make.assign([key], node.key), ast.Assign([place], node.value, **make.at)]
        elif isinstance(node, ast.SetComp):
            none = ast.Tuple([], ast.Load(), **make.at)
            empty = ast.Set([ast.Starred(none, ast.Load(), **make.at)], **make.at)
            add = [self._add(value, "add", node.elt, make)]
        else:
            empty = ast.List([], ast.Load(), **make.at)
            add = [self._add(value, "append", node.elt, make)]
        self._loop(make.assign([value], empty), node.generators, add, make)
        return make.name(value)

    def _consumed(
        self, call: ast.Call, given: ast.GeneratorExp, rest: list[ast.expr]
    ) -> ast.expr | None:
        """A call of a builtin that takes the items one after the other."""
        make = Maker(self.ag, call)
        func = call.func
        value = self.fresh("value")
        leave = ast.Break(**make.at)
        alone = len(given.generators) == 1
        plain = all(isinstance(r, (ast.Constant, ast.Name)) for r in rest)
        if self.is_builtin(func, *_CONSUMERS) and plain and _bound(given).isdisjoint(_names(*rest)):
            add = self._add(value, "append", given.elt, make)
            empty = ast.List([], ast.Load(), **make.at)
            self._loop(make.assign([value], empty), given.generators, [add], make)
            call.args = [make.name(value), *rest]
            return call
        if self.is_builtin(func, any, all) and alone and not rest:
            found = self.is_builtin(func, any)
            test = given.elt if found else make.negate(given.elt)
            hit = make.assign([value], make.constant(found))
            inner: list[ast.stmt] = [ast.If(test, [hit, leave], [], **make.at)]
            start = make.assign([value], make.constant(not found))
            self._loop(start, given.generators, inner, make)
            return make.name(value)
        if self.is_builtin(func, next) and alone and len(rest) == 1:
            inner = [make.assign([value], given.elt), leave]
            self._loop(make.assign([value], rest[0]), given.generators, inner, make)
            return make.name(value)
        return None

    def _add(self, value: str, method: str, item: ast.expr, make: Maker) -> ast.stmt:
        add = ast.Attribute(make.name(value), method, ast.Load(), **make.at)
        return make.expr(ast.Call(add, [item], [], **make.at))

    def _loop(
        self,
        start: ast.stmt,
        generators: list[ast.comprehension],
        inner: list[ast.stmt],
        make: Maker,
    ) -> None:
        """The targets of a comprehension are its own: they get other names."""
        names = [n.id for g in generators for n in walk(g.target) if isinstance(n, ast.Name)]
        renamed = _Renamed({n: self.fresh(n) for n in dict.fromkeys(names)})
        block = [renamed.visit(stmt) for stmt in inner]
        for i, g in reversed(list(enumerate(generators))):
            for test in reversed(g.ifs):
                block = [ast.If(renamed.visit(test), block, [], **make.at)]
            source = renamed.visit(g.iter) if i else g.iter
            block = [ast.For(renamed.visit(g.target), source, block, [], **make.at)]
        self.before += [start, *block]


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(self._names.get(node.id, node.id), node.ctx), node)


@dataclass(frozen=True, slots=True)
class _Place:
    """An operand of `node`."""

    node: ast.expr
    field: str
    index: int | None = None

    def get(self) -> ast.expr:
        found: Any = getattr(self.node, self.field)
        part: ast.expr = found if self.index is None else found[self.index]
        return part

    def put(self, part: ast.expr) -> None:
        if self.index is None:
            setattr(self.node, self.field, part)
        else:
            getattr(self.node, self.field)[self.index] = part


def _operands(node: ast.expr) -> list[_Place]:
    """Those that are surely evaluated, in their order."""
    match node:
        case ast.BoolOp():
            return [_Place(node, "values", 0)]
        case ast.Compare():
            return [_Place(node, "left"), _Place(node, "comparators", 0)]
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return [_Place(node, "elts", i) for i in range(len(items))]
        case ast.Call(args=args):
            return [_Place(node, "func"), *[_Place(node, "args", i) for i in range(len(args))]]
    fields = _FIELDS_OF.get(type(node), ())
    return [_Place(node, field) for field in fields]


_FIELDS_OF: dict[type[ast.expr], tuple[str, ...]] = {
    ast.IfExp: ("test",),
    ast.BinOp: ("left", "right"),
    ast.UnaryOp: ("operand",),
    ast.NamedExpr: ("value",),
    ast.Starred: ("value",),
    ast.Subscript: ("value", "slice"),
    ast.Attribute: ("value",),
}
