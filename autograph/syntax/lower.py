"""Statements -> lowered statements: `break`, `continue` and `return` become flags and guards.

What follows a branch that always jumps moves into the other branch, so most early returns need no
flag at all: `if c: return a` / `return b` is one branch with two results. Where that can't be, a
flag is set and the code behind it is guarded by `if flag: (skip) else: (the rest)`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from itertools import chain

from .activity import Activity, Names, Scanner
from .binding_comprehensions import as_loops
from .else_clauses import set_on_each_way
from .final_jumps import with_flags, without_final
from .flags import Flags
from .hoisting import asked, binds, hoisted, nested
from .ir import Block, Function, If, Jump, Kind, Loop, Native, Part, Simple
from .item_stores import item_stores
from .managers import one_manager
from .nodes import BREAK, CONTINUE, RETURN, FreshNames, Jumps, Maker
from .patterns import as_branches
from .tries import may_raise

_PLAIN = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Pass)  # the flow goes on
_KINDS = {BREAK: Kind.BREAK, CONTINUE: Kind.CONTINUE, RETURN: Kind.RETURN}


class Tail(Enum):
    """What happens at the end of a block."""

    NEXT = auto()  # something follows
    LOOP = auto()  # the next iteration
    RETURN = auto()  # the function returns None


@dataclass(frozen=True, slots=True)
class Context:
    """Where a block stands. `real`: a `return` in it may stay a return."""

    real: bool
    tail: Tail
    loop: Loop | None = None

    def inner(self) -> Context:
        """A block in the middle of this one."""
        return self if self.tail is Tail.NEXT else Context(self.real, Tail.NEXT, self.loop)


class _NeedsFlagsError(Exception):
    """A return inside a `with` or `try` can't stay a return."""


class Lowerer:
    """Lowers the body of one function.

    is_python(test)     the truth value of the expression never is a tensor
    suppresses(node)    the context managers of a `with` may swallow exceptions
    is_builtin(node, *) the expression is the name of one of these builtins
    own                 the local names of the function
    may_bind            a `:=` may be in it
    """

    def __init__(
        self,
        names: Names,
        fresh: FreshNames,
        ag: str,
        is_python: Callable[[ast.expr], bool],
        suppresses: Callable[[ast.With], bool],
        is_builtin: Callable[..., bool],
        own: Collection[str] = (),
        may_bind: bool = True,
    ) -> None:
        self.names = names
        self.fresh = fresh
        self.ag = ag
        self.is_python = is_python
        self.suppresses = suppresses
        self.is_builtin = is_builtin
        self.scanner = Scanner(names)
        self.own = own
        self.jumps = Jumps()
        self.flags = Flags(names, fresh)
        self.parameters = 0
        self.bound = 0
        self.declarations: list[ast.stmt] = []
        self._binds = may_bind  # a `:=` is somewhere

    def function(self, stmts: Sequence[ast.stmt], parameters: Sequence[str]) -> Function:
        docstring = None
        if stmts and isinstance(stmts[0], ast.Expr) and _is_text(stmts[0].value):
            docstring, stmts = stmts[0], stmts[1:]
        mask = self.parameters = self.names.mask(parameters)
        self._binds = self._binds and any(map(binds, stmts))
        body = self.block(stmts, Context(real=True, tail=Tail.RETURN))
        scanner = self.scanner
        return Function(
            body=body,
            parameters=mask,
            locals=(mask | self.bound | self.flags.bits) & ~(scanner.globals | scanner.nonlocals),
            globals=scanner.globals,
            nonlocals=scanner.nonlocals,
            flags=self.flags.bits,
            written_inside=scanner.written_inside,
            declarations=self.declarations,
            docstring=docstring,
        )

    def block(self, stmts: Sequence[ast.stmt], context: Context) -> Block:
        out: Block = []
        for i, stmt in enumerate(stmts):
            rest = stmts[i + 1 :]
            if rest and not isinstance(stmt, _PLAIN) and self.jumps.stops([stmt]):
                self._activity(*rest)  # unreachable code still says which names are local
                self._statement(stmt, (), context, out)
                break
            if self._statement(stmt, rest, context, out):
                break
        return out

    # Each of the following adds to `out`; True says that the rest is dealt with as well.

    def _statement(
        self, stmt: ast.stmt, rest: Sequence[ast.stmt], context: Context, out: Block
    ) -> bool:
        loops = as_loops(stmt, self.fresh, self.ag, self.is_builtin) if self._binds else None
        if loops is not None:
            *before, stmt = loops
            out += self.block(before, context.inner())
        stores = item_stores(stmt, self.own, self.fresh, self.ag)
        if stores is not None:
            for part in stores:
                self._statement(part, (), context, out)
            return False
        return self._one(stmt, rest, context, out)

    def _one(self, stmt: ast.stmt, rest: Sequence[ast.stmt], context: Context, out: Block) -> bool:
        match stmt:
            case ast.Return():
                value = stmt.value and self._hoisted(stmt.value, context, out)
                kind = Kind.REAL_RETURN if context.real else Kind.RETURN
                return self._jump(stmt, kind, out, value)
            case ast.Break():
                assert context.loop is not None
                self.flags.of_break(context.loop)
                return self._jump(stmt, Kind.BREAK, out, loop=context.loop)
            case ast.Continue():
                return self._jump(stmt, Kind.CONTINUE, out, loop=context.loop)
            case ast.Global() | ast.Nonlocal():
                self._activity(stmt)
                if stmt not in self.declarations:
                    self.declarations.append(stmt)
                return False
            case ast.Match() if not self.jumps.opaque(stmt):
                branches = as_branches(stmt, self.fresh, self.ag)
                out += self.block([*branches, *rest], context)
                return True
            case ast.Try() if self.jumps.of_block(stmt.finalbody) and not self.jumps.opaque(stmt):
                return self._staged_try(stmt, rest, context, out)
            case ast.If() | ast.While() | ast.For() | ast.With() | ast.Try():
                if not self.jumps.opaque(stmt):
                    return self._compound(stmt, rest, context, out)
            case ast.TryStar():
                if not self.jumps.opaque(stmt):
                    return self._native(stmt, rest, context, out)
            case _:
                stmt = self._without_lazy(stmt, context, out)
        out.append(Simple(stmt, self._activity(stmt)))
        return False

    def _without_lazy(self, stmt: ast.stmt, context: Context, out: Block) -> ast.stmt:
        """A statement that is no control flow, with its value or test hoisted."""
        match stmt:
            case ast.Assign() | ast.Expr() | ast.AugAssign() | ast.AnnAssign() if stmt.value:
                value = self._hoisted(stmt.value, context, out)
                if value is not stmt.value:
                    stmt = copy.copy(stmt)
                    stmt.value = value
            case ast.Assert():
                test = self._hoisted(stmt.test, context, out, truth=True)
                if test is not stmt.test:
                    stmt = ast.copy_location(ast.Assert(test, stmt.msg), stmt)
            case _:
                pass
        return stmt

    def _compound(
        self, stmt: ast.stmt, rest: Sequence[ast.stmt], context: Context, out: Block
    ) -> bool:
        match stmt:
            case ast.If():
                if self.is_python(stmt.test):
                    return self._native(stmt, rest, context, out)
                return self._if(stmt, rest, context, out)
            case ast.While() | ast.For():
                return self._loop(stmt, rest, context, out)
            case _:
                return self._native(stmt, rest, context, out)

    def _jump(
        self,
        stmt: ast.stmt,
        kind: Kind,
        out: Block,
        value: ast.expr | None = None,
        loop: Loop | None = None,
    ) -> bool:
        activity = self._activity(value)
        out.append(Jump(stmt, activity, kind, value, loop))
        if kind is Kind.BREAK and loop is not None:
            self.scanner.write(loop.break_flag, activity)
        elif kind is Kind.RETURN:
            for name in self.flags.of_return():
                self.scanner.write(name, activity)
        return True

    def _if(self, stmt: ast.If, rest: Sequence[ast.stmt], context: Context, out: Block) -> bool:
        stmt = nested(stmt, self.ag)
        test = self._hoisted(stmt.test, context, out, truth=True)
        jumps = self.jumps.of(stmt)
        if not jumps:
            self._add_if(stmt, test, stmt.body, stmt.orelse, context.inner(), out)
            return False
        body, orelse, last = self._merged(stmt, rest)
        if context.real:
            ends = self.jumps.stops(body) and self.jumps.stops(orelse)
            if last and (context.tail is Tail.RETURN or ends):
                inner = Context(real=True, tail=Tail.RETURN)
                self._add_if(stmt, test, body, orelse, inner, out, returns=True)
                return True
            if context.tail is not Tail.RETURN:
                raise _NeedsFlagsError
            out += self._flags_before_return(stmt)
            inner = Context(real=False, tail=Tail.NEXT)
            self._add_if(stmt, test, stmt.body, stmt.orelse, inner, out)
            out += self._guarded_return(stmt, rest, context)
            return True
        if last:
            self._add_if(stmt, test, body, orelse, context, out)
        else:
            self._add_if(stmt, test, stmt.body, stmt.orelse, context.inner(), out)
            out += self._guarded(stmt, jumps, rest, context)
        return True

    def _merged(
        self, stmt: ast.If, rest: Sequence[ast.stmt]
    ) -> tuple[list[ast.stmt], list[ast.stmt], bool]:
        """The branches with `rest` moved into the one that goes on; False if there is no one."""
        body, orelse = stmt.body, stmt.orelse
        if self.jumps.stops(body):
            if not self.jumps.stops(orelse):
                orelse = [*orelse, *rest]
        elif self.jumps.stops(orelse):
            body = [*body, *rest]
        elif rest:
            return body, orelse, False
        return body, orelse, True

    def _add_if(
        self,
        stmt: ast.stmt,
        test: ast.expr,
        body: Sequence[ast.stmt],
        orelse: Sequence[ast.stmt],
        inner: Context,
        out: Block,
        returns: bool = False,
    ) -> None:
        test_activity = self._activity(test)
        made = If(
            stmt,
            Activity(),
            test,
            test_activity,
            self.block(body, inner),
            self.block(orelse, inner),
            returns,
        )
        out.append(made)

    def _guarded(
        self, stmt: ast.stmt, jumps: int, rest: Sequence[ast.stmt], context: Context
    ) -> Block:
        """`rest`, run only if none of `jumps` has been made."""
        flags = self.flags.of(jumps, context.loop)
        skipped = [Jump(stmt, Activity(), _KINDS[bit], None, context.loop) for bit in flags]
        make = Maker(self.ag, stmt)
        test = make.either([make.name(f) for f in flags.values()])
        skip = Jump(stmt, Activity(), Kind.SKIP, skipped=skipped)
        orelse = self.block(rest, context)
        if not orelse:
            return []
        return [If(stmt, Activity(), test, self._activity(test), [skip], orelse)]

    def _guarded_return(self, stmt: ast.stmt, rest: Sequence[ast.stmt], context: Context) -> Block:
        """`if do_return: return return_value`, then `rest`."""
        do_return, return_value = self.flags.of_return()
        make = Maker(self.ag, stmt)
        give = make.give(make.name(return_value))
        if self.jumps.stops([stmt]):
            return self.block([give], context)
        return self.block([ast.If(make.name(do_return), [give], [], **make.at), *rest], context)

    def _flags_before_return(self, stmt: ast.stmt) -> Block:
        do_return, return_value = self.flags.of_return()
        make = Maker(self.ag, stmt)
        return [
            self._simple(make.assign([do_return], make.constant(False))),
            self._simple(make.assign([return_value], make.operator("unused"))),
        ]

    def _loop(
        self, stmt: ast.While | ast.For, rest: Sequence[ast.stmt], context: Context, out: Block
    ) -> bool:
        make = Maker(self.ag, stmt)
        jumps = self.jumps.of_block(stmt.body)
        returns = bool(jumps & RETURN)
        if returns and context.real and context.tail is not Tail.RETURN:
            raise _NeedsFlagsError
        loop = Loop(stmt, Activity(), None, returns=returns)
        flags: list[str] = []
        before: Block = []
        if jumps & BREAK:
            flags.append(self.flags.of_break(loop))
            before.append(self._simple(make.assign([flags[0]], make.constant(False))))
        if returns:
            flags.append(self.flags.of_return()[0])
            if context.real:
                before += self._flags_before_return(stmt)
        if jumps & BREAK:
            for name in sorted(set_on_each_way(stmt, self.jumps)):
                if not self._may_be_set(name):
                    before.append(self._simple(make.assign([name], make.operator("unused"))))
        out += before
        if isinstance(stmt, ast.For):
            loop.target, loop.iter = stmt.target, self._hoisted(stmt.iter, context, out)
            loop.target_activity = self._activity(stmt.target)
            loop.iter_activity = self._activity(loop.iter)
        body = self.block(stmt.body, Context(real=False, tail=Tail.LOOP, loop=loop))
        loop.body = [*self._reset_flags(loop, returns, make), *body]
        running = [make.negate(make.either([make.name(f) for f in flags]))] if flags else []
        if isinstance(stmt, ast.While):
            loop.endless = isinstance(stmt.test, ast.Constant) and bool(stmt.test.value)
            loop.test = self._while_test(stmt, loop, running, flags, jumps, context, out)
        elif running:
            loop.test = running[0]
        if loop.test is not None:
            loop.test_activity = self._activity(loop.test)
        out.append(loop)
        return self._behind_loop(stmt, loop, rest, context, returns, out)

    def _may_be_set(self, name: str) -> bool:
        """True if something before may have assigned the name, as far as that is told by now."""
        bit = self.names.bit(name)
        known = self.bound | self.parameters | self.scanner.globals | self.scanner.nonlocals
        return bool(bit & known)

    def _reset_flags(self, loop: Loop, returns: bool, make: Maker) -> Block:
        """At the start of an iteration no jump has been made; as a constant, for the tracer."""
        flags = [f for f in (loop.break_flag, loop.continue_flag) if f]
        resets = [make.assign([f], make.constant(False)) for f in flags]
        if returns:
            do_return, return_value = self.flags.of_return()
            resets.append(make.assign([do_return], make.constant(False)))
            resets.append(make.assign([return_value], make.operator("unused")))
        return [self._simple(r) for r in resets]

    def _while_test(
        self,
        stmt: ast.While,
        loop: Loop,
        running: Sequence[ast.expr],
        flags: Sequence[str],
        jumps: int,
        context: Context,
        out: Block,
    ) -> ast.expr:
        make = Maker(self.ag, stmt.test)
        if not (self._binds and binds(stmt.test)):
            return make.both([*running, stmt.test])
        # The test binds names: it is evaluated before the loop and at the end of its body.
        value = self.fresh("test")
        first, again = (asked(value, stmt.test, self.fresh, self.ag) for _ in range(2))
        out += self.block(first, context.inner())
        inner = Context(real=False, tail=Tail.LOOP, loop=loop)
        kinds = jumps & (BREAK | RETURN)
        loop.step = self._guarded(stmt, kinds, again, inner) if kinds else self.block(again, inner)
        return make.both([*running, make.name(value)])

    def _behind_loop(
        self,
        stmt: ast.While | ast.For,
        loop: Loop,
        rest: Sequence[ast.stmt],
        context: Context,
        returns: bool,
        out: Block,
    ) -> bool:
        make = Maker(self.ag, stmt)
        if loop.endless and not loop.break_flag:
            self._activity(*stmt.orelse)
            if returns and context.real:
                value = make.name(self.flags.of_return()[1])
                self._jump(make.give(value), Kind.REAL_RETURN, out, value)
            return True
        if stmt.orelse:
            if loop.break_flag:
                test = make.negate(make.name(loop.break_flag))
                rest = [ast.If(test, stmt.orelse, [], **make.at), *rest]
            else:
                rest = [*stmt.orelse, *rest]
        if returns and context.real:
            out += self._guarded_return(stmt, rest, context)
        elif returns:
            out += self._guarded(stmt, RETURN, rest, context)
        else:
            out += self.block(rest, context)
        return True

    def _native(
        self, stmt: ast.stmt, rest: Sequence[ast.stmt], context: Context, out: Block
    ) -> bool:
        jumps = self.jumps.of(stmt)
        tail = Tail.NEXT if rest else context.tail
        if isinstance(stmt, ast.Try) and self._is_staged(stmt):
            return self._staged_try(stmt, rest, context, out)
        if isinstance(stmt, ast.With) and self.suppresses(stmt):
            before, stmt = one_manager(stmt, self.fresh, self.ag)
            out += self.block(before, context.inner())
            return self._staged_try(stmt, rest, context, out)
        if context.real:
            if not jumps & RETURN:
                out.append(self._add_native(stmt, context.inner(), guards=False))
                return False
            try:
                out.append(self._add_native(stmt, replace(context, tail=tail), guards=False))
            except _NeedsFlagsError:
                if context.tail is not Tail.RETURN:
                    raise
                out += self._flags_before_return(stmt)
                inner = Context(real=False, tail=Tail.NEXT)
                out.append(self._add_native(stmt, inner, guards=True))
                out += self._guarded_return(stmt, rest, context)
                return True
            return False
        out.append(self._add_native(stmt, replace(context, tail=tail), guards=True))
        if jumps and rest:
            out += self._guarded(stmt, jumps, rest, context)
            return True
        return False

    def _is_staged(self, stmt: ast.Try) -> bool:
        """True if something in the body may raise in a run, or not at all while tracing."""
        names = {h.name for h in stmt.handlers if h.name}
        if any((self.scanner.globals | self.scanner.nonlocals) & self.names.bit(n) for n in names):
            return False
        return any(map(may_raise, stmt.body))

    def _staged_try(
        self, stmt: ast.Try | ast.With, rest: Sequence[ast.stmt], context: Context, out: Block
    ) -> bool:
        """A `try` or `with` that is run more than once while it is traced: jumps are flags."""
        final: list[ast.stmt] = []
        if isinstance(stmt, ast.Try) and self.jumps.of_block(stmt.finalbody):
            flags = self.flags.of(self.jumps.of_block(without_final(stmt)), context.loop)
            flags[0] = self.flags.new("handled")
            surely = self.jumps.stops(stmt.finalbody)
            before, stmt, final = with_flags(stmt, flags, Maker(self.ag, stmt), surely)
            out += self.block([before], context.inner())
        elif isinstance(stmt, ast.Try) and stmt.handlers and stmt.finalbody:
            inner = copy.copy(stmt)
            inner.finalbody = []
            stmt = ast.copy_location(ast.Try([inner], [], [], stmt.finalbody), stmt)
        jumps = self.jumps.of_block([stmt, *final])
        returns = context.real and jumps & RETURN
        if returns and context.tail is not Tail.RETURN:
            raise _NeedsFlagsError
        if returns:
            out += self._flags_before_return(stmt)
        inside = replace(context, real=False, tail=Tail.NEXT)
        made = self._add_native(stmt, inside, guards=True)
        made.staged = True
        out.append(made)
        if self.jumps.stops(final):
            out += self.block(final, context)
            return True
        out += self.block(final, inside)
        if returns:
            out += self._guarded_return(stmt, rest, context)
            return True
        if jumps and rest:
            out += self._guarded(stmt, jumps, rest, context)
            return True
        return False

    def _add_native(self, stmt: ast.stmt, inner: Context, guards: bool) -> Native:
        head, suppresses = Activity(), False
        parts: list[Part] = []

        def part(block: Sequence[ast.stmt], context: Context, *heads: ast.AST | None) -> None:
            activity = self._activity(*heads)
            parts.append(Part(activity, self.block(block, context)))

        match stmt:
            case ast.If():
                head = self._activity(stmt.test)
                part(stmt.body, inner)
                part(stmt.orelse, inner)
            case ast.With():
                suppresses = self.suppresses(stmt)
                if suppresses:
                    head = self._activity(stmt.items[0].context_expr)
                    part(stmt.body, inner, stmt.items[0].optional_vars)
                else:
                    parts_of = ((i.context_expr, i.optional_vars) for i in stmt.items)
                    head = self._activity(*chain.from_iterable(parts_of))
                    part(stmt.body, inner)
            case ast.Try() | ast.TryStar():
                part(stmt.body, inner.inner() if stmt.orelse else inner)
                if self.jumps.stops(stmt.body):
                    self._activity(*stmt.orelse)
                    part([], inner)
                elif guards and stmt.orelse and (jumps := self.jumps.of_block(stmt.body)):
                    parts.append(Part(Activity(), self._guarded(stmt, jumps, stmt.orelse, inner)))
                else:
                    part(stmt.orelse, inner)
                part(stmt.finalbody, inner.inner())
                for handler in stmt.handlers:
                    part(handler.body, inner, handler.type)
                    if handler.name is not None:
                        bit = self.names.bit(handler.name)
                        parts[-1].head.kill |= bit
                        parts[-1].head.writes |= bit
                        parts[-1].head.dels |= bit
                        self.bound |= bit
            case _:
                raise AssertionError(stmt)
        return Native(stmt, Activity(), head, parts, suppresses)

    def _hoisted(
        self, value: ast.expr, context: Context, out: Block, truth: bool = False
    ) -> ast.expr:
        before, value = hoisted(value, self.fresh, self.ag, truth) if self._binds else ([], value)
        out += self.block(before, context.inner())
        return value

    def _activity(self, *nodes: ast.AST | None) -> Activity:
        found = self.scanner.of(*nodes)
        self.bound |= found.writes
        return found

    def _simple(self, stmt: ast.stmt) -> Simple:
        return Simple(stmt, self._activity(stmt))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
