"""Small makers of syntax nodes that carry the position of what they stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any

BREAK, CONTINUE, RETURN = 1, 2, 4  # kinds of jumps, as bits


# What these fields hold has no nodes of its own, or none that count.
_NO_NODES = frozenset(
    (
        *(
            "ctx",
            "op",
            "ops",
            "id",
            "attr",
            "arg",
            "names",
            "module",
            "level",
            "kind",
            "conversion",
        ),
        *("type_comment", "type_ignores", "is_async", "simple"),
    )
)


_fields: dict[type[ast.AST], list[str]] = {ast.Constant: [], ast.MatchSingleton: []}


def fields(node: ast.AST) -> list[str]:
    """The fields that hold nodes, without contexts and comparisons' operators."""
    found = _fields.get(node.__class__)
    if found is None:
        found = _fields[node.__class__] = [n for n in node._fields if n not in _NO_NODES]
    return found


def parts(node: ast.AST) -> list[ast.AST]:
    """The nodes right below `node`, without contexts and comparisons' operators."""
    found: list[ast.AST] = []
    for field in fields(node):
        value = getattr(node, field, None)
        if value.__class__ is list:
            found += [v for v in value if isinstance(v, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def walk(node: ast.AST) -> list[ast.AST]:
    """`node` and all below it, in the order of `ast.walk`, which takes three times as long."""
    found = [node]
    for each in found:  # it grows
        found += parts(each)
    return found


class FreshNames:
    """Readable names that the code does not use yet: `loop_body`, then `loop_body_1`."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self._counts: dict[str, int] = {}

    def __call__(self, base: str) -> str:
        return self.together(base)[0]

    def together(self, *bases: str) -> list[str]:
        """Names that bear the same number."""
        count = self._counts.get(bases[0], 0)
        while True:
            names = [f"{n.rstrip('_')}_{count}" for n in bases] if count else list(bases)
            count += 1
            if self.taken.isdisjoint(names):
                break
        self._counts[bases[0]] = count
        self.taken.update(names)
        return names


class Maker:
    """Makes nodes at the place of `at`; `ag` is the name of the namespace of operators."""

    def __init__(self, ag: str, at: ast.AST) -> None:
        self.ag = ag
        line, column = getattr(at, "lineno", 1), getattr(at, "col_offset", 0)
        head = at
        match at:
            case ast.If(test=head) | ast.While(test=head) | ast.For(iter=head):
                pass
        # One line: Python counts a call to the line of its method's name, which is the last one.
        end = getattr(head, "end_col_offset", None) or 0
        one_line = getattr(head, "end_lineno", None) == line and end > column
        self.at: dict[str, Any] = {
            "lineno": line,
            "col_offset": column,
            "end_lineno": line,
            "end_col_offset": end if one_line else column + 1,
        }

    def name(self, name: str) -> ast.Name:
        return ast.Name(name, ast.Load(), **self.at)

    def constant(self, value: Any) -> ast.Constant:
        return ast.Constant(value, **self.at)

    def assign(self, names: Sequence[str], value: ast.expr) -> ast.Assign:
        stored: list[ast.expr] = [ast.Name(n, ast.Store(), **self.at) for n in names]
        target = stored[0] if len(stored) == 1 else ast.Tuple(stored, ast.Store(), **self.at)
        return ast.Assign([target], value, **self.at)

    def expr(self, value: ast.expr) -> ast.Expr:
        return ast.Expr(value, **self.at)

    def give(self, value: ast.expr | None) -> ast.Return:
        return ast.Return(value, **self.at)

    def tuple(self, items: Sequence[ast.expr]) -> ast.expr:
        return items[0] if len(items) == 1 else ast.Tuple(list(items), ast.Load(), **self.at)

    def operator(self, attribute: str) -> ast.Attribute:
        return ast.Attribute(self.name(self.ag), attribute, ast.Load(), **self.at)

    def call(
        self, operator: str, *args: ast.expr, keywords: dict[str, ast.expr] | None = None
    ) -> ast.Call:
        """`ag.operator(*args)`."""
        given = [ast.keyword(k, v, **self.at) for k, v in (keywords or {}).items()]
        return ast.Call(self.operator(operator), list(args), given, **self.at)

    def thunk(self, value: ast.expr) -> ast.Lambda:
        """`lambda: value`."""
        return ast.Lambda(ast.arguments([], [], None, [], [], None, []), value, **self.at)

    def negate(self, value: ast.expr) -> ast.UnaryOp:
        return ast.UnaryOp(ast.Not(), value, **self.at)

    def either(self, values: Sequence[ast.expr]) -> ast.expr:
        return values[0] if len(values) == 1 else ast.BoolOp(ast.Or(), list(values), **self.at)

    def both(self, values: Sequence[ast.expr]) -> ast.expr:
        *first, last = values
        if first and isinstance(last, ast.BoolOp) and isinstance(last.op, ast.And):
            values = [*first, *last.values]
        return values[0] if len(values) == 1 else ast.BoolOp(ast.And(), list(values), **self.at)

    def function(
        self,
        name: str,
        args: Sequence[str],
        body: list[ast.stmt],
        defaults: dict[str, ast.expr] | None = None,
    ) -> ast.FunctionDef:
        names = [*args, *(defaults or {})]
        arguments = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(n, None, **self.at) for n in names],
            vararg=None,
            kwonlyargs=[],
            kw_defaults=[],
            kwarg=None,
            defaults=list((defaults or {}).values()),
        )
        made = ast.FunctionDef(name, arguments, body, [], None, **self.at)
        made.type_params = []  # type: ignore[attr-defined,unused-ignore]
        return made

    def pass_(self) -> ast.Pass:
        return ast.Pass(**self.at)

    def declare(self, name: str) -> ast.AnnAssign:
        """`name: object`, which makes it a local name and does nothing else."""
        target = ast.Name(name, ast.Store(), **self.at)
        return ast.AnnAssign(target, self.name("object"), None, 1, **self.at)


class Jumps:
    """Which jumps leave a statement, and which statements never let the flow pass."""

    def __init__(self) -> None:
        # By id; the statements are kept, so that no other one can get the id.
        self._known: dict[int, tuple[ast.stmt, int]] = {}
        self._opaque: dict[int, tuple[ast.stmt, bool]] = {}
        self._stops: dict[int, tuple[ast.stmt, bool]] = {}

    def of(self, stmt: ast.stmt) -> int:
        """The kinds of jumps that leave `stmt`."""
        known = self._known.get(id(stmt))
        if known is None:
            known = self._known[id(stmt)] = stmt, self._find(stmt)
        return known[1]

    def of_block(self, stmts: Iterable[ast.stmt]) -> int:
        found = 0
        for s in stmts:
            found |= self.of(s)
        return found

    def _find(self, stmt: ast.stmt) -> int:
        match stmt:
            case ast.Return():
                return RETURN
            case ast.Break():
                return BREAK
            case ast.Continue():
                return CONTINUE
            case ast.For() | ast.AsyncFor() | ast.While():
                return (self.of_block(stmt.body) & RETURN) | self.of_block(stmt.orelse)
            case _:
                found = 0
                for block in blocks(stmt):
                    found |= self.of_block(block)
                return found

    def stops(self, stmts: Sequence[ast.stmt]) -> bool:
        """True if the flow surely does not reach the end of the block."""
        for s in stmts:
            known = self._stops.get(id(s))
            if known is None:
                known = self._stops[id(s)] = s, self._stop(s)
            if known[1]:
                return True
        return False

    def _stop(self, stmt: ast.stmt) -> bool:
        match stmt:
            case ast.Return() | ast.Break() | ast.Continue() | ast.Raise():
                return True
            case ast.If():
                return self.stops(stmt.body) and self.stops(stmt.orelse)
            case ast.While(test=ast.Constant(value=value)) if value:
                return not self.of_block(stmt.body) & BREAK
            case ast.Try() | ast.TryStar():
                through = [[*stmt.body, *stmt.orelse], *(h.body for h in stmt.handlers)]
                return self.stops(stmt.finalbody) or all(self.stops(b) for b in through)
            case _:
                return False

    def opaque(self, stmt: ast.stmt) -> bool:
        """True if the statement must stay as it is: a jump out of the `finally` of a `try` with
        `except*` is in it.
        """
        known = self._opaque.get(id(stmt))
        if known is None:
            jumps = isinstance(stmt, ast.TryStar) and bool(self.of_block(stmt.finalbody))
            found = jumps or any(
                self.opaque(s) and self.of(s) for block in blocks(stmt) for s in block
            )
            known = self._opaque[id(stmt)] = stmt, found
        return known[1]


def blocks(stmt: ast.stmt) -> list[list[ast.stmt]]:
    """The blocks of a compound statement that run in the same function."""
    match stmt:
        case ast.If() | ast.For() | ast.AsyncFor() | ast.While():
            return [stmt.body, stmt.orelse]
        case ast.With() | ast.AsyncWith():
            return [stmt.body]
        case ast.Try() | ast.TryStar():
            return [stmt.body, *(h.body for h in stmt.handlers), stmt.orelse, stmt.finalbody]
        case ast.Match():
            return [c.body for c in stmt.cases]
        case _:
            return []
