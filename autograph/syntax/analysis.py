"""What is alive where: summaries of statements, from the leaves up, then liveness, backward.

Both follow the flow that the user wrote: behind a `Jump` comes the place that it leads to, although
in the generated code the flow goes on to the next guard.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from .activity import Activity, Names
from .ir import Block, Function, If, Jump, Kind, Loop, Native, Part, Simple, Stmt

ALL = -1


def analyse(function: Function, names: Names) -> None:
    """Fill in the activities of compound statements and what is alive behind each statement."""
    _Summaries(names, function.flags).block(function.body)
    _Liveness(function.flags).block(function.body, 0, _Around())


def perhaps_unset(function: Function) -> int:
    """Captured names that get their value in a branch or loop: none on some path, perhaps."""
    set_before, found, captured = function.parameters, function.perhaps, 0
    for stmt in function.body:
        if not isinstance(stmt, Simple):
            found |= stmt.activity.writes & function.locals & ~set_before
        set_before |= stmt.activity.kill & ~stmt.activity.dels
        captured |= stmt.activity.captured
    return found & captured & ~function.flags


class _Summaries:
    """The activity of each compound statement; methods tell whether the flow gets to its end."""

    def __init__(self, names: Names, flags: int) -> None:
        self.names = names
        self.flags = flags

    def block(self, block: Block) -> tuple[Activity, bool]:
        total, falls = Activity(), True
        for stmt in block:
            falls = self.stmt(stmt) and falls
            total.then(stmt.activity)
        if not falls:
            # The generated code goes on from a jump: the next guard reads the flags.
            raises = isinstance(block[-1], Simple)
            total.kill |= ALL if raises else ~self.flags
        return total, falls

    def stmt(self, stmt: Stmt) -> bool:
        match stmt:
            case Simple():
                return not isinstance(stmt.node, ast.Raise)
            case Jump():
                if stmt.kind is Kind.CONTINUE and stmt.loop and stmt.loop.continue_flag:
                    stmt.activity.writes |= self.names.bit(stmt.loop.continue_flag)
                return False
            case If():
                return self._if(stmt)
            case Loop():
                return self._loop(stmt)
            case Native():
                return self._native(stmt)
        raise AssertionError(stmt)

    def _if(self, stmt: If) -> bool:
        stmt.body_activity, falls = self.block(stmt.body)
        stmt.orelse_activity, else_falls = self.block(stmt.orelse)
        stmt.activity.then(stmt.test_activity)
        stmt.activity.then(_either([stmt.body_activity, stmt.orelse_activity]))
        return falls or else_falls

    def _loop(self, stmt: Loop) -> bool:
        once = stmt.body_activity
        once.then(stmt.target_activity)
        once.then(self.block(stmt.body)[0])
        once.kill = stmt.target_activity.kill  # of `continue`, which leads to the step
        once.then(self.block(stmt.step)[0])
        total = stmt.activity
        total.then(stmt.iter_activity)
        if stmt.iter is None:
            total.then(stmt.test_activity)
        else:
            total.perhaps(stmt.test_activity)
        total.perhaps(once)
        return not stmt.endless or bool(stmt.break_flag)

    def _native(self, stmt: Native) -> bool:
        stmt.activity.then(stmt.head)
        found = [self._part(p) for p in stmt.parts]
        activities = [a for a, _ in found]
        falls = [f for _, f in found]
        match stmt.node:
            case ast.With():
                if stmt.suppresses:
                    stmt.activity.perhaps(activities[0])
                    return True
                stmt.activity.then(activities[0])
                return falls[0]
            case ast.If():
                stmt.activity.then(_either(activities))
                return any(falls)
            case _:
                return self._try(stmt, activities, falls)

    def _part(self, part: Part) -> tuple[Activity, bool]:
        activity, falls = self.block(part.body)
        total = Activity()
        total.then(part.head)
        total.then(activity)
        return total, falls

    def _try(self, stmt: Native, activities: list[Activity], falls: list[bool]) -> bool:
        body, orelse, final, *handlers = activities
        plain = Activity()
        plain.then(body)
        plain.then(orelse)
        stmt.activity.then(_either([plain, *handlers]))
        stmt.activity.gen |= final.gen  # it may find nothing of the body done
        stmt.activity.then(final)
        through = (falls[0] and falls[1]) or any(falls[3:])
        return falls[2] and through


def _either(activities: list[Activity]) -> Activity:
    """One of several ways is taken."""
    total = Activity()
    kill = ALL
    for a in activities:
        total.perhaps(a)
        kill &= a.kill
    total.kill = kill
    return total


@dataclass(frozen=True, slots=True)
class _Around:
    """What encloses a statement.

    exc     names that are read if it raises
    final   names that the `finally` blocks read which a jump would pass
    """

    exc: int = 0
    final: int = 0


class _Liveness:
    def __init__(self, flags: int) -> None:
        self.flags = flags

    def block(self, block: Block, out: int, around: _Around) -> int:
        out |= around.exc
        for stmt in reversed(block):
            out = self.stmt(stmt, out, around) | around.exc
        return out

    def stmt(self, stmt: Stmt, out: int, around: _Around) -> int:
        """Note what is alive behind `stmt`, given `out` if the flow passes; what is before it."""
        stmt.live, stmt.exc = out, around.exc
        match stmt:
            case Jump():
                # Flags go on to the next guard, all else to where the jump leads.
                stmt.exits = self._target(stmt, around)
                stmt.live = stmt.exits | (out & self.flags)
                return _before(stmt.live, stmt.activity)
            case If():
                inner = self.block(stmt.body, out, around) | self.block(stmt.orelse, out, around)
                stmt.exits = _exits(stmt.body) | _exits(stmt.orelse)
                return _before(inner, stmt.test_activity)
            case Loop():
                return self._loop(stmt, out, around)
            case Native():
                return self._native(stmt, out, around)
            case _:
                return _before(out, stmt.activity)

    def _target(self, jump: Jump, around: _Around) -> int:
        match jump.kind, jump.loop:
            case Kind.BREAK, Loop() as loop:
                return loop.live_break | around.final
            case Kind.CONTINUE, Loop() as loop:
                return loop.live_step | around.final
            case Kind.SKIP, _:
                found = 0
                for j in jump.skipped:
                    found |= self._target(j, around)
                return found
            case _:
                return around.final

    def _loop(self, stmt: Loop, out: int, around: _Around) -> int:
        stmt.live_break = out
        if stmt.returns:
            stmt.exits = around.final
        test, target = stmt.test_activity, stmt.target_activity
        leave = (out & self.flags) if stmt.endless else out
        head = (
            leave
            | stmt.exits
            | (out & self.flags)
            | test.gen
            | (stmt.body_activity.gen & ~test.kill)
        )
        while True:
            stmt.live_head = head
            stmt.live_step = self.block(stmt.step, head, around)
            inner = self.block(stmt.body, stmt.live_step, around)
            more = head | test.gen | (_before(inner, target) & ~test.kill)
            if more == head:
                break
            head = more
        return _before(head, stmt.iter_activity)

    def _native(self, stmt: Native, out: int, around: _Around) -> int:
        match stmt.node:
            case ast.With():
                if stmt.suppresses:
                    around = replace(around, exc=around.exc | out)
                inner = self.block(stmt.parts[0].body, out, around)
                inner = _before(inner, stmt.parts[0].head)
            case ast.If():
                inner = 0
                for part in stmt.parts:
                    inner |= self.block(part.body, out, around)
            case _:
                inner = self._try(stmt, out, around)
        for part in stmt.parts:
            stmt.exits |= _exits(part.body)
        return _before(inner, stmt.head)

    def _try(self, stmt: Native, out: int, around: _Around) -> int:
        body, orelse, final, *handlers = stmt.parts
        ends = _summary(final.body)
        jumps = 0
        for part in (body, orelse, *handlers):
            jumps |= self._leads_to(part.body, around)
        behind = self.block(final.body, out | jumps, around)
        escaping = _before(around.exc, ends)
        inner = _Around(escaping, around.final | ends.gen)
        caught = escaping
        for handler in handlers:
            caught |= _before(self.block(handler.body, behind, inner), handler.head)
        last = self.block(orelse.body, behind, inner)
        stmt.caught = caught | escaping | ends.gen
        return self.block(body.body, last, replace(inner, exc=caught)) | caught

    def _leads_to(self, block: Block, around: _Around) -> int:
        """What is read where the jumps in `block` lead."""
        found = 0
        for stmt in block:
            match stmt:
                case Jump():
                    found |= self._target(stmt, around)
                case If():
                    found |= self._leads_to(stmt.body, around)
                    found |= self._leads_to(stmt.orelse, around)
                case Native():
                    for part in stmt.parts:
                        found |= self._leads_to(part.body, around)
                case Loop(returns=True):
                    found |= around.final
                case _:
                    pass
        return found


def _before(out: int, activity: Activity) -> int:
    return (out & ~activity.kill) | activity.gen


def _exits(block: Block) -> int:
    found = 0
    for stmt in block:
        found |= stmt.exits
    return found


def _summary(block: Block) -> Activity:
    total = Activity()
    for stmt in block:
        total.then(stmt.activity)
    return total
