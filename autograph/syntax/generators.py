"""Generator functions turned inside out: `yield v` becomes a call of what is done with `v`.

    def positive(x):                        def positive(x):
        for v in x:                             consumer, state = ag.consuming()
            if v > 0:                           for v in x:
                yield v                             if v > 0:
                                                        state = ag.yielded(consumer, v, state)
                                                return (state, None)

The consumer's state is then a variable like others, so the conditions and loops around a `yield`
may be those of a graph. What the consumer raises there is not the generator's to catch, unless it
is a context manager: a handler around a `yield` begins with `if ag.is_consuming(consumer): raise`,
and a `with` around it is left as when the generator is closed.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from enum import Enum, auto

from .nodes import FreshNames, Maker, blocks, parts


class Use(Enum):
    """How a generator is consumed."""

    ALL = auto()  # to its end
    SOME = auto()  # the consumer may have enough before
    MANAGER = auto()  # it is a context manager


def turned(node: ast.FunctionDef, fresh: FreshNames, ag: str, use: Use) -> list[str] | None:
    """Rewrite a generator function in place: its new local names. None if a `yield` stands where
    that can't be: within a larger expression, or in a `try` with `except*`.
    """
    rewriting = _Rewriting(fresh, ag, use)
    try:
        body = rewriting.block(node.body)
    except _StaysError:
        return None
    make = Maker(ag, node)
    marks = [make.constant(True)] if rewriting.catches else []
    start = make.assign([rewriting.consumer, rewriting.state], make.call("consuming", *marks))
    end = Maker(ag, node.body[-1])
    node.body = [start, *body, rewriting.end(end, end.constant(None))]
    return rewriting.names


class _StaysError(Exception):
    """A `yield` stands where it can't be rewritten."""


class _Rewriting:
    def __init__(self, fresh: FreshNames, ag: str, use: Use) -> None:
        self.fresh = fresh
        self.ag = ag
        self.use = use
        self.consumer = fresh("consumer")
        self.state = fresh("state")
        self.names = [self.consumer, self.state]
        self.catches = False  # a `yield` stands in a `try` with handlers
        self.yields = 0

    def block(self, stmts: Sequence[ast.stmt]) -> list[ast.stmt]:
        return [new for stmt in stmts for new in self.statement(stmt)]

    def statement(self, stmt: ast.stmt) -> list[ast.stmt]:
        make = Maker(self.ag, stmt)
        match stmt:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return [stmt]
            case ast.Expr(value=ast.Yield(value=value)):
                return self.taken(value, make)
            case ast.Expr(value=ast.YieldFrom(value=value)):
                return self.delegated(value, self.own("value"), make)
            case ast.Assign(value=ast.Yield(value=value)):
                sent = ast.Assign(stmt.targets, make.constant(None), **make.at)
                return [*self.taken(value, make), sent]
            case ast.Assign(value=ast.YieldFrom(value=value)):
                name = self.own("value")
                given = ast.Assign(stmt.targets, make.name(name), **make.at)
                return [*self.delegated(value, name, make), given]
            case ast.Return(value=ast.YieldFrom(value=value)):
                name = self.own("value")
                return [*self.delegated(value, name, make), self.end(make, make.name(name))]
            case ast.Return(value=value):
                self.refuse(value)
                return [self.end(make, value or make.constant(None))]
        before = self.yields
        for part in parts(stmt):
            if not isinstance(part, ast.stmt):
                self.refuse(part)
        inside = stmt.body if isinstance(stmt, (ast.Try, ast.TryStar)) else []
        for block in blocks(stmt):
            is_body = block is inside
            block[:] = self.block(block)
            if is_body and self.yields > before:
                self.keep_handlers_out(stmt)
        if isinstance(stmt, ast.With) and self.yields > before and self.use is not Use.MANAGER:
            return [self.keep_manager_out(stmt)]
        return [stmt]

    def keep_handlers_out(self, stmt: ast.stmt) -> None:
        """Let the handlers of a `try` with a `yield` pass on what the consumer raises."""
        if isinstance(stmt, ast.TryStar):
            raise _StaysError
        if not isinstance(stmt, ast.Try) or self.use is Use.MANAGER:
            return
        for handler in stmt.handlers:
            make = Maker(self.ag, handler)
            test = make.call("is_consuming", make.name(self.consumer))
            raised = ast.Raise(None, None, **make.at)
            handler.body.insert(0, ast.If(test, [raised], [], **make.at))
            self.catches = True

    def keep_manager_out(self, stmt: ast.With) -> ast.stmt:
        """Let the managers of a `with` with a `yield` see no more of what the consumer raises than
        that the generator is closed.

            try:
                with manager:
                    try:
                        ...
                    except Exception as error:
                        if ag.is_consuming(consumer):
                            raise ag.Closed(error)
                        raise
            except ag.Closed as closed:
                raise closed.error
        """
        make = Maker(self.ag, stmt)
        error, closed = self.own("error"), self.own("closed")
        close = ast.Raise(make.call("Closed", make.name(error)), None, **make.at)
        test = make.call("is_consuming", make.name(self.consumer))
        handler = ast.ExceptHandler(
            ast.Name("Exception", ast.Load(), **make.at),
            error,
            [ast.If(test, [close], [], **make.at), ast.Raise(None, None, **make.at)],
            **make.at,
        )
        stmt.body = [ast.Try(stmt.body, [handler], [], [], **make.at)]
        raised = ast.Attribute(make.name(closed), "error", ast.Load(), **make.at)
        outer = ast.ExceptHandler(
            make.operator("Closed"), closed, [ast.Raise(raised, None, **make.at)], **make.at
        )
        self.catches = True
        return ast.Try([stmt], [outer], [], [], **make.at)

    def taken(self, value: ast.expr | None, make: Maker) -> list[ast.stmt]:
        """`yield value`"""
        self.yields += 1
        self.refuse(value)
        item = value or make.constant(None)
        call = make.call("yielded", make.name(self.consumer), item, make.name(self.state))
        return [make.assign([self.state], call), *self.stop(make)]

    def delegated(self, value: ast.expr, result: str, make: Maker) -> list[ast.stmt]:
        """`result = yield from value`"""
        self.yields += 1
        self.refuse(value)
        call = make.call("yielded_from", make.name(self.consumer), value, make.name(self.state))
        return [make.assign([self.state, result], call), *self.stop(make)]

    def stop(self, make: Maker) -> list[ast.stmt]:
        if self.use is not Use.SOME:
            return []
        test = make.call("has_enough", make.name(self.consumer), make.name(self.state))
        return [ast.If(test, [self.end(make, make.operator("unused"))], [], **make.at)]

    def end(self, make: Maker, value: ast.expr) -> ast.stmt:
        return make.give(make.tuple([make.name(self.state), value]))

    def own(self, base: str) -> str:
        name = self.fresh(base)
        self.names.append(name)
        return name

    def refuse(self, part: ast.AST | None) -> None:
        """Give up if there is a `yield` in a part other than a block."""
        pending = [] if part is None else [part]
        while pending:
            node = pending.pop()
            if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)):
                raise _StaysError
            if not isinstance(node, (ast.Lambda, ast.stmt)):
                pending += parts(node)
