"""The lowered form of a function's body: statements, and structured control flow without jumps.

`break`, `continue` and `return` become `Jump` marks at the end of a block, flags and guards (see
lower.py). The marks stay, so that the analyses follow the flow that the user wrote.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from enum import Enum, auto

from .activity import Activity

Block = list["Stmt"]


class Kind(Enum):
    """Where a jump leads."""

    BREAK = auto()
    CONTINUE = auto()
    RETURN = auto()  # sets the flag `do_return`; code behind it is guarded
    REAL_RETURN = auto()  # stays a `return` statement
    SKIP = auto()  # the branch of a guard that is taken after one of `skipped`


@dataclass(slots=True, eq=False)
class Stmt:
    """A statement: `node` as the user wrote it, or what stands for it.

    live    names that are read later when the flow goes on behind the statement
    exits   names, but for flags, that are read where jumps out of it lead
    exc     names that are read if it raises and somebody around it goes on
    """

    node: ast.stmt
    activity: Activity
    live: int = field(default=0, init=False)
    exits: int = field(default=0, init=False)
    exc: int = field(default=0, init=False)


@dataclass(slots=True, eq=False)
class Simple(Stmt):
    """A statement that is no control flow, or that is left as it is."""


@dataclass(slots=True, eq=False)
class Jump(Stmt):
    """The end of a block that does not fall through; `live` are the names read where it leads."""

    kind: Kind
    value: ast.expr | None = None
    loop: Loop | None = None
    skipped: list[Jump] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class If(Stmt):
    """A branch that may depend on a tensor.

    `returns`: each way through it ends in a real return (or raises).
    """

    test: ast.expr
    test_activity: Activity
    body: Block
    orelse: Block
    returns: bool = False
    body_activity: Activity = field(default_factory=Activity)
    orelse_activity: Activity = field(default_factory=Activity)


@dataclass(slots=True, eq=False)
class Loop(Stmt):
    """`while test: body`, or `for target in iter: body` that goes on while `test` holds.

    `step` runs after the body, also after `continue`: the test of a `while` where it binds names.
    """

    test: ast.expr | None
    target: ast.expr | None = None
    iter: ast.expr | None = None
    body: Block = field(default_factory=list)
    step: Block = field(default_factory=list)
    test_activity: Activity = field(default_factory=Activity)
    target_activity: Activity = field(default_factory=Activity)
    iter_activity: Activity = field(default_factory=Activity)
    break_flag: str = ""  # empty where there is no break
    continue_flag: str = ""  # empty where no guard needs it
    endless: bool = False  # it can only be left by a jump
    returns: bool = False  # a return is made in it
    body_activity: Activity = field(default_factory=Activity)  # of target, body and step
    # filled by the analyses
    live_head: int = 0  # read at the start of an iteration or behind the loop
    live_step: int = 0
    live_break: int = 0
    undefined_at_break: int | None = None


@dataclass(slots=True, eq=False)
class Part:
    """A block of a native statement with what runs before it: a handler's head."""

    head: Activity
    body: Block


@dataclass(slots=True, eq=False)
class Native(Stmt):
    """A compound statement that stays Python's own (with, try); its blocks are converted.

    suppresses  a `with` whose context manager may swallow an exception
    staged      such a `with`, or a `try` whose body may raise in a run (see tries.py)
    """

    head: Activity
    parts: list[Part]
    suppresses: bool = False
    staged: bool = False
    caught: int = 0  # names that its handlers, or what follows them, read


@dataclass(slots=True, eq=False)
class Function:
    """A lowered function body and what is known of its names."""

    body: Block
    parameters: int
    locals: int
    globals: int
    nonlocals: int
    flags: int  # the names of flags, which guards read
    written_inside: int  # locals that inner functions assign
    perhaps: int = 0  # names of the functions around that may have no value
    declarations: list[ast.stmt] = field(default_factory=list)  # global and nonlocal statements
    docstring: ast.stmt | None = None
