"""Lowered statements -> Python statements in functional form.

A forward walk. Branches and loops become calls of operators on helper functions (constructs.py),
all else stays as the user wrote it, with its expressions converted.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Container

from .activity import Activity, Names
from .constructs import Constructs
from .expressions import Expressions
from .frames import Env, Frame, join_undefined
from .ir import Block, Function, If, Jump, Kind, Loop, Native, Part, Simple, Stmt
from .nodes import FreshNames, Maker, walk
from .tries import add_try, add_with


class Emitter:
    """Writes the new body of one function."""

    def __init__(
        self,
        function: Function,
        names: Names,
        ag: str,
        fresh: FreshNames,
        expressions: Expressions,
    ) -> None:
        self.function = function
        self.names = names
        self.ag = ag
        self.expressions = expressions
        self.holders = 0  # names that may hold an `Undefined`
        whole = Activity()
        for stmt in function.body:
            whole.include(stmt.activity)
            whole.gen |= stmt.activity.gen
        self.whole = whole
        self.constructs = Constructs(self, fresh)
        # The `try` statements around, with their state and how it is accessed.
        self.tries: list[tuple[Frame, int, dict[str, ast.expr]]] = []

    def body(self) -> list[ast.stmt]:
        """The statements of the converted function."""
        function = self.function
        free = function.locals & ~function.parameters
        env = Env(undefined=free | function.perhaps, bound=function.parameters, unbound=free)
        self.holders |= function.perhaps
        frame = Frame(parameters=function.parameters)
        stmts = self.block(function.body, env, frame)[0]
        head = [function.docstring] if function.docstring else []
        frame.lent |= free & (self.whole.gen | self.whole.captured)
        declared = self.declarations(frame, stmts)
        return [*head, *function.declarations, *declared, *stmts] or [
            ast.Pass(lineno=1, col_offset=0)
        ]

    def declarations(self, frame: Frame, stmts: list[ast.stmt]) -> list[ast.stmt]:
        """`name: object` for names that only helpers bind, so that they are local here, too."""
        missing = frame.lent & self.function.locals & ~(frame.outer | frame.parameters)
        missing &= ~frame.bound
        if not missing:
            return []
        make = Maker(self.ag, stmts[0] if stmts else ast.Pass(lineno=1, col_offset=0))
        return [make.declare(n) for n in self.names.of(missing)]

    def block(self, block: Block, env: Env, frame: Frame) -> tuple[list[ast.stmt], Jump | None]:
        """The statements, and the jump to elsewhere that the block ends with."""
        out: list[ast.stmt] = []
        for stmt in block:
            if isinstance(stmt, Jump):
                return out, self._jump(stmt, env, frame, out)
            self._stmt(stmt, env, frame, out)
        return out, None

    def _stmt(self, stmt: Stmt, env: Env, frame: Frame, out: list[ast.stmt]) -> None:
        match stmt:
            case Simple():
                self._simple(stmt, env, frame, out)
            case If():
                self.constructs.add_if(stmt, env, frame, out)
            case Loop():
                self.constructs.add_loop(stmt, env, frame, out)
            case Native():
                self._native(stmt, env, frame, out)

    def expr(self, node: ast.expr, activity: Activity, env: Env, frame: Frame) -> ast.expr:
        """Convert an expression at the state `env`, and count what it binds."""
        self.prepare(activity, env, frame)
        node = self.expressions.expression(node)
        self.account(activity, env, frame)
        return node

    def prepare(self, activity: Activity, env: Env, frame: Frame) -> None:
        maybe = activity.gen & env.maybe_undefined()
        self.expressions.depth = frame.depth
        self.expressions.undefined = self._texts(maybe & self.holders)
        self.expressions.unbound = self._texts(maybe & ~env.bound)

    def _texts(self, mask: int) -> Container[str]:
        return self.names.of(mask) if mask else ()

    def account(self, activity: Activity, env: Env, frame: Frame) -> None:
        env.touch(activity.writes)
        env.bind(activity.kill & ~activity.dels)
        env.delete(activity.kill & activity.dels)
        frame.bound |= activity.writes

    def _simple(self, stmt: Simple, env: Env, frame: Frame, out: list[ast.stmt]) -> None:
        node = stmt.node
        self.prepare(stmt.activity, env, frame)
        for name in _read_in_place(node):
            make = Maker(self.ag, node)
            checked = self.expressions.expression(make.name(name))
            if not isinstance(checked, ast.Name):
                out.append(make.expr(checked))
        self._announce(stmt, out)
        out.append(self.expressions.statement(node))
        self.account(stmt.activity, env, frame)
        if isinstance(node, ast.Raise):
            env.end()

    def _announce(self, stmt: Simple, out: list[ast.stmt]) -> None:
        """Tell the journal of names of other functions that the statement assigns."""
        function = self.function
        others = (function.globals | function.nonlocals) & ~function.flags
        make = Maker(self.ag, stmt.node)
        names = self.names.of(stmt.activity.writes & others)
        out += [make.expr(make.call("assigning", make.thunk(make.name(n)))) for n in names]

    def _jump(self, jump: Jump, env: Env, frame: Frame, out: list[ast.stmt]) -> Jump | None:
        if jump.value is not None:
            jump.value = self.expr(jump.value, jump.activity, env, frame)
        if jump.kind is Kind.REAL_RETURN:
            out.append(Maker(self.ag, jump.node).give(jump.value))
            env.end()
            return None
        if jump.kind is Kind.BREAK and jump.loop is not None:
            loop = jump.loop
            loop.undefined_at_break = join_undefined(loop.undefined_at_break, env.undefined)
        env.leave()
        return jump

    def flags_of(self, jump: Jump) -> dict[str, ast.expr]:
        """The flags that a jump sets."""
        make = Maker(self.ag, jump.node)
        match jump.kind, jump.loop:
            case Kind.BREAK, Loop() as loop:
                return {loop.break_flag: make.constant(True)}
            case Kind.CONTINUE, Loop() as loop if loop.continue_flag:
                return {loop.continue_flag: make.constant(True)}
            case Kind.RETURN, _:
                do_return, return_value = self.names.of(jump.activity.kill & self.function.flags)
                value = jump.value or make.constant(None)
                # The value first: where it raises, nothing was returned.
                return {return_value: value, do_return: make.constant(True)}
            case _:
                return {}

    def set_flags(self, jump: Jump, env: Env, frame: Frame, out: list[ast.stmt]) -> None:
        """The jump as assignments to its flags."""
        make = Maker(self.ag, jump.node)
        for flag, value in self.flags_of(jump).items():
            out.append(make.assign([flag], value))
            bit = self.names.bit(flag)
            env.bound |= bit
            env.unbound &= ~bit
            frame.bound |= bit

    def part(self, block: Block, env: Env, frame: Frame) -> list[ast.stmt]:
        """A block inside of a native statement."""
        out, jump = self.block(block, env, frame)
        if jump is not None:
            self.set_flags(jump, env, frame, out)
            if not out and isinstance(jump.node, (ast.Break, ast.Continue)):
                out.append(Maker(self.ag, jump.node).pass_())  # its line is counted
        return out

    def _native(self, stmt: Native, env: Env, frame: Frame, out: list[ast.stmt]) -> None:
        node = copy.copy(stmt.node)
        out.append(node)
        match node:
            case ast.If():
                node.test = self.expr(node.test, stmt.head, env, frame)
                other = env.copy()
                node.body = self._filled(self.part(stmt.parts[0].body, env, frame), node)
                node.orelse = self.part(stmt.parts[1].body, other, frame)
                env.become(env.joined(other))
            case ast.Try() if stmt.staged:
                out.pop()
                add_try(self, node, stmt, env, frame, out)
            case ast.With() if stmt.staged:
                out.pop()
                add_with(self, node, stmt, env, frame, out)
            case ast.With():
                self._native_with(node, stmt, env, frame)
            case ast.Try() | ast.TryStar():
                self.native_try(node, stmt, env, frame)

    def _native_with(self, node: ast.With, stmt: Native, env: Env, frame: Frame) -> None:
        self.prepare(stmt.head, env, frame)
        node.items = [copy.copy(item) for item in node.items]
        for item in node.items:
            self.expressions.children(item)
        self.account(stmt.head, env, frame)
        node.body = self._filled(self.part(stmt.parts[0].body, env, frame), node)

    def native_try(self, node: ast.Try | ast.TryStar, stmt: Native, env: Env, frame: Frame) -> None:
        body, orelse, final, *handlers = stmt.parts
        before = self.interrupted(env, [body, orelse])
        node.body = self._filled(self.part(body.body, env, frame), node)
        node.orelse = self.part(orelse.body, env, frame)
        ends = env.copy()
        caught = []
        for old, part in zip(node.handlers, handlers, strict=True):
            handler = copy.copy(old)
            inside = before.copy()
            if handler.type is not None:
                self.prepare(part.head, inside, frame)
                handler.type = self.expressions.expression(handler.type)
            self.account(_without_deletes(part.head), inside, frame)
            handler.body = self._filled(self.part(part.body, inside, frame), node)
            inside.delete(part.head.dels)
            ends = ends.joined(inside)
            caught.append(handler)
        node.handlers = caught
        at_final = self.interrupted(before, handlers)
        start = at_final.copy()
        node.finalbody = self.part(final.body, at_final, frame)
        if at_final.ended:
            ends.end()
        made = at_final.bound & ~start.bound
        ends.touch(_writes(final.body))
        ends.bind(made)
        if ends.undefined is not None:
            ends.undefined |= at_final.maybe_undefined() & ~start.maybe_undefined()
        env.become(ends)

    def interrupted(self, env: Env, parts: list[Part]) -> Env:
        """The state after some of the statements of `parts`."""
        writes = dels = 0
        for part in parts:
            writes |= part.head.writes
            for stmt in part.body:
                writes |= stmt.activity.writes
                dels |= stmt.activity.dels
        found = env.copy()
        found.touch(writes)
        found.bound &= ~dels
        if found.undefined is not None:
            found.undefined |= dels
        return found

    def _filled(self, stmts: list[ast.stmt], node: ast.stmt) -> list[ast.stmt]:
        return stmts or [Maker(self.ag, node).pass_()]


def _writes(block: Block) -> int:
    writes = 0
    for stmt in block:
        writes |= stmt.activity.writes
    return writes


def _without_deletes(head: Activity) -> Activity:
    return Activity(head.gen, head.kill, head.writes)


def _read_in_place(node: ast.stmt) -> list[str]:
    """Names that the statement reads as part of changing them."""
    match node:
        case ast.AugAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Delete(targets=targets):
            return [n.id for t in targets for n in walk(t) if isinstance(n, ast.Name)]
        case _:
            return []
