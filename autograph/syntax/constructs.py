"""Branches and loops in functional form: helper functions over the state, and the operator's call.

    x, y = ag.if_stmt(test, if_true, if_false, x, y)
    x, y = ag.while_stmt(loop_test, loop_body, x, y)
    x, y = ag.for_stmt(iterable, loop_body, x, y, extra_test=loop_test)

Helpers take the state as parameters and return it. Names that can't be parameters (captured by
inner functions, nonlocal, global, read by a handler after an exception) are assigned in place;
`get_state` and `set_state` give the operator access to them. What happens to objects the journal
knows (journal.py).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .frames import Env, Frame, join_undefined
from .hoisting import binds, is_perhaps
from .ir import Block, If, Jump, Loop, Part, Stmt
from .nodes import FreshNames, Maker
from .unpacking import fits, unpacked

if TYPE_CHECKING:
    from .emit import Emitter


class Constructs:
    """Emits branches and loops for an `Emitter`."""

    def __init__(self, emitter: Emitter, fresh: FreshNames) -> None:
        self.emitter = emitter
        self.fresh = fresh
        self.function = emitter.function
        self.names = emitter.names
        function = emitter.function
        self.never_parameters = (
            (emitter.whole.captured & function.locals)
            | function.globals
            | function.nonlocals
            | function.written_inside
        )

    # --- branches ------------------------------------------------------------

    def add_if(self, stmt: If, env: Env, frame: Frame, out: list[ast.stmt]) -> None:
        make = self._maker(stmt)
        body, orelse = stmt.body_activity, stmt.orelse_activity
        writes = body.writes | orelse.writes | self._written_by_calls(stmt)
        shared = self._shared(stmt, writes)
        outputs = 0 if stmt.returns else writes & (stmt.live | stmt.exits) & ~shared
        own = [a.gen & a.writes & ~outputs & ~shared for a in (body, orelse)]
        maybe = env.maybe_undefined()
        self.emitter.holders |= outputs & (maybe | body.dels | orelse.dels)
        self.emitter.holders |= (own[0] | own[1] | shared) & maybe
        test = self.emitter.expr(stmt.test, stmt.test_activity, env, frame)
        if (own[0] | own[1]) & stmt.test_activity.writes:
            # The helpers' defaults are evaluated before the operator's arguments.
            value = self.fresh("condition")
            out.append(make.assign([value], test))
            test = make.name(value)
        access = self.access(shared, make, frame, out)
        if_true, if_false = self.fresh.together("if_true", "if_false")
        ways: list[Env] = []
        helpers: list[ast.expr] = []
        for name, block, mine in ((if_true, stmt.body, own[0]), (if_false, stmt.orelse, own[1])):
            way = env.copy()
            helper = self._branch(name, stmt, block, way, frame, outputs, mine, shared, make)
            ways.append(way)
            if helper is None:
                helpers.append(make.constant(None))
            else:
                out.append(helper)
                helpers.append(make.name(name))
        state = [self.value_of(n, env, make) for n in self.names.of(outputs)]
        if is_perhaps(stmt.node):
            access["perhaps"] = make.constant(True)
        call = make.call("if_stmt", test, *helpers, *state, keywords=access)
        env.undefined = join_undefined(ways[0].undefined, ways[1].undefined)
        env.touch(shared)
        if stmt.returns:
            out.append(make.give(call))
            env.end()
        else:
            out.append(self._result(call, outputs, make, env, frame))

    def _branch(
        self,
        name: str,
        stmt: If,
        block: Block,
        env: Env,
        outer: Frame,
        outputs: int,
        own: int,
        shared: int,
        make: Maker,
    ) -> ast.FunctionDef | None:
        """A branch as a function, or None where it only hands the state through."""
        defaults = {n: self.value_of(n, env, make) for n in self.names.of(own)}
        writes = 0
        for s in block:
            writes |= s.activity.writes
        local = writes & ~shared
        env.bound = (env.bound & ~local) | outputs | own
        env.unbound = (env.unbound | local) & ~(outputs | own)
        frame = Frame(outer.depth + 1, outputs | own)
        stmts, jump = self.emitter.block(block, env, frame)
        live = jump.live if jump is not None else stmt.live
        names = self.names.of(outputs)
        at = _own_line(jump, make)
        if not stmts and not outputs & ~live and at is make:
            return None
        if not env.ended:
            stmts = self._with_state(stmts, names, live, jump, env, at)
        stmts = self.declared(stmts, frame, outer, writes & shared, shared, make)
        return make.function(name, names, stmts or [at.pass_()], defaults)

    # --- loops ---------------------------------------------------------------

    def add_loop(self, stmt: Loop, env: Env, frame: Frame, out: list[ast.stmt]) -> None:
        make = self._maker(stmt)
        once = stmt.body_activity
        writes = once.writes | self._written_by_calls(stmt)
        shared = self._shared(stmt, writes)
        state = writes & (stmt.live_head | stmt.live | stmt.exits) & ~shared
        iterable = None
        if stmt.iter is not None:
            iterable = self.emitter.expr(stmt.iter, stmt.iter_activity, env, frame)
        env_head = env.copy()
        if env_head.undefined is not None:
            env_head.undefined |= once.dels
        self.emitter.holders |= state & env_head.maybe_undefined()
        access = self.access(shared, make, frame, out)
        loop_test, loop_body = self.fresh.together("loop_test", "loop_body")
        names = self.names.of(state)
        local = writes & ~shared
        inside = env_head.copy()
        inside.bound = (inside.bound & ~local) | state
        inside.unbound = (inside.unbound | local) & ~state
        if stmt.test is not None:
            inner = Frame(frame.depth + 1, state)
            at = Maker(make.ag, stmt.test)
            test = self.emitter.expr(stmt.test, stmt.test_activity, inside.copy(), inner)
            out.append(at.function(loop_test, names, [at.give(test)]))
        out.append(self._loop_body(loop_body, stmt, inside, frame, state, shared, make))
        values = [self.value_of(n, env, make) for n in names]
        body = make.name(loop_body)
        if iterable is not None:
            if stmt.test is not None:
                access["extra_test"] = make.name(loop_test)
            call = make.call("for_stmt", iterable, body, *values, keywords=access)
        else:
            call = make.call("while_stmt", make.name(loop_test), body, *values, keywords=access)
        leaves = None if stmt.endless else env_head.undefined
        env.undefined = join_undefined(leaves, stmt.undefined_at_break)
        env.touch(shared)
        if stmt.endless and not (stmt.break_flag or stmt.returns):
            env.end()
        out.append(self._result(call, state, make, env, frame))

    def _loop_body(
        self,
        name: str,
        stmt: Loop,
        env: Env,
        outer: Frame,
        state: int,
        shared: int,
        make: Maker,
    ) -> ast.FunctionDef:
        parameters = self.names.of(state)
        frame = Frame(outer.depth + 1, state)
        stmts: list[ast.stmt] = []
        if stmt.target is not None:
            item = self._item_name(stmt.target, state | shared)
            parameters = [item, *parameters]
            if isinstance(stmt.target, ast.Name) and item == stmt.target.id:
                env.bind(self.names.bit(item))
                frame.parameters |= self.names.bit(item)
            else:
                at = Maker(make.ag, stmt.target)
                target = self.emitter.expr(stmt.target, stmt.target_activity, env, frame)
                value: ast.expr = at.name(item)
                value = value if fits(target, value) else unpacked(target, value, make.ag)
                stmts.append(ast.Assign([target], value, **at.at))
        body, jump = self.emitter.block(stmt.body, env, frame)
        stmts += body
        live = stmt.live_head
        if stmt.step:
            if jump is not None:
                self.emitter.set_flags(jump, env, frame, stmts)
            step, jump = self.emitter.block(stmt.step, env, frame)
            stmts += step
        elif jump is not None:
            live = jump.live
        if not env.ended:
            stmts = self._with_state(stmts, self.names.of(state), live, jump, env, make)
        writes = stmt.body_activity.writes
        stmts = self.declared(stmts, frame, outer, writes & shared, shared, make)
        return make.function(name, parameters, stmts or [make.pass_()])

    def with_body(
        self,
        target: ast.expr | None,
        part: Part,
        env: Env,
        frame: Frame,
        outer: Frame,
        make: Maker,
    ) -> ast.FunctionDef:
        """The body of a `with` as a function of the manager's value; it assigns names in place."""
        item = self.fresh("item")
        stmts: list[ast.stmt] = []
        if target is not None:
            at = Maker(make.ag, target)
            target = self.emitter.expr(target, part.head, env, frame)
            value: ast.expr = at.name(item)
            value = value if fits(target, value) else unpacked(target, value, make.ag)
            stmts.append(ast.Assign([target], value, **at.at))
        stmts += self.emitter.part(part.body, env, frame)
        writes = part.head.writes
        for stmt in part.body:
            writes |= stmt.activity.writes
        shared = writes | self.function.written_inside
        stmts = self.declared(stmts, frame, outer, writes, shared, make)
        return make.function(self.fresh("with_body"), [item], stmts or [make.pass_()])

    def _item_name(self, target: ast.expr, taken: int) -> str:
        """The parameter for the item: the loop's variable itself unless that is state."""
        if not isinstance(target, ast.Name):
            return self.fresh("item")
        if taken & self.names.bit(target.id):
            return self.fresh(f"next_{target.id}")
        return target.id

    # --- state ---------------------------------------------------------------

    def value_of(self, name: str, env: Env, make: Maker) -> ast.expr:
        """The name's value, or an `Undefined` where it has none."""
        bit = self.names.bit(name)
        if env.bound & bit:
            return make.name(name)
        if env.unbound & bit:
            return make.call("undefined", make.constant(name))
        return make.call("peek", make.thunk(make.name(name)))

    def _with_state(
        self,
        stmts: list[ast.stmt],
        names: Sequence[str],
        live: int,
        jump: Jump | None,
        env: Env,
        make: Maker,
    ) -> list[ast.stmt]:
        """A helper's statements and the return of the state; `live` are the names that matter."""
        if not names:
            return stmts
        end = _own_line(jump, Maker(make.ag, stmts[-1]) if stmts else make)
        flags = self.emitter.flags_of(jump) if jump is not None else {}
        values: list[ast.expr] = []
        for name in names:
            value = flags.get(name)
            if value is not None:
                if not isinstance(value, (ast.Name, ast.Constant)) and binds(value):
                    stmts.append(end.assign([name], value))
                    value = end.name(name)
                values.append(value)
            elif live & self.names.bit(name):
                values.append(self.value_of(name, env, end))
            else:
                values.append(end.operator("unused"))
        if stmts and (made := _assigned_call(stmts[-1], values)) is not None:
            return [*stmts[:-1], end.give(made)]
        return [*stmts, end.give(end.tuple(values))]

    def _result(
        self, call: ast.Call, outputs: int, make: Maker, env: Env, frame: Frame
    ) -> ast.stmt:
        if not outputs:
            return make.expr(call)
        env.bound |= outputs
        env.unbound &= ~outputs
        frame.bound |= outputs
        return make.assign(self.names.of(outputs), call)

    def _shared(self, stmt: Stmt, writes: int) -> int:
        # After a flag is set nothing more is done that could raise.
        return writes & (self.never_parameters | (stmt.exc & ~self.function.flags))

    def _written_by_calls(self, stmt: Stmt) -> int:
        return self.function.written_inside if stmt.activity.calls else 0

    def declared(
        self,
        stmts: list[ast.stmt],
        frame: Frame,
        outer: Frame,
        assigned: int,
        shared: int,
        make: Maker,
    ) -> list[ast.stmt]:
        """The statements of a helper below its `nonlocal` and `global` lines.

        `assigned` are the names out of `shared` that it assigns.
        """
        head: list[ast.stmt] = []
        names = self.names.of(assigned & ~self.function.globals)
        if names:
            head.append(ast.Nonlocal(names, **make.at))
        names = self.names.of(assigned & self.function.globals)
        if names:
            head.append(ast.Global(names, **make.at))
        frame.outer |= shared
        outer.lent |= (assigned | (frame.lent & shared)) & ~self.function.globals
        head += self.emitter.declarations(frame, stmts)
        return [*head, *stmts]

    def access(
        self, shared: int, make: Maker, frame: Frame, out: list[ast.stmt]
    ) -> dict[str, ast.expr]:
        """`get_state` and `set_state` for names assigned in place; the operator's keywords."""
        names = self.names.of(shared)
        if not names:
            return {}
        getter, setter, state = (self.fresh(n) for n in ("get_state", "set_state", "state"))
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        writers: list[ast.stmt] = []
        for name in names:
            keys.append(make.constant(name))
            values.append(make.call("peek", make.thunk(make.name(name))))
            item = ast.Subscript(make.name(state), make.constant(name), ast.Load(), **make.at)
            writers.append(make.assign([name], item))
        get = make.give(ast.Dict(keys, values, **make.at))
        inner = Frame(frame.depth + 1)
        writers = self.declared(writers, inner, frame, shared, shared, make)
        out.append(make.function(getter, [], [get]))
        out.append(make.function(setter, [state], writers))
        return {"get_state": make.name(getter), "set_state": make.name(setter)}

    def _maker(self, stmt: Stmt) -> Maker:
        return Maker(self.emitter.ag, stmt.node)


def _own_line(jump: Jump | None, make: Maker) -> Maker:
    """Where a jump stands: its line is to be seen by debuggers, and counted."""
    if jump is None or not isinstance(jump.node, (ast.Break, ast.Continue, ast.Return)):
        return make
    return Maker(make.ag, jump.node)


def _assigned_call(stmt: ast.stmt, values: Sequence[ast.expr]) -> ast.expr | None:
    """The call of an operator that `stmt` assigns to just the names that are returned next."""
    match stmt:
        case ast.Assign(targets=[target], value=ast.Call(func=ast.Attribute(attr=attr)) as call):
            if attr not in ("if_stmt", "while_stmt", "for_stmt"):
                return None
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            given = [v.id if isinstance(v, ast.Name) else "" for v in values]
            same = [n.id if isinstance(n, ast.Name) else "?" for n in names] == given
            return call if same else None
    return None
