"""What the code of a function reads, calls and changes, as far as its text tells.

What the expressions stand for is found when the function is traced (`expressions.py`).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False, slots=True)
class Each:
    """Any item of what an expression stands for."""

    source: Source


@dataclass(eq=False, slots=True)
class Part:
    """One item of it."""

    source: Source
    index: int


@dataclass(eq=False, slots=True)
class Some:
    """A list of items of it."""

    source: Source


@dataclass(eq=False, slots=True)
class Read:
    """An expression whose value is used, and where."""

    expr: ast.expr
    scope: Scope


# None: nothing is known of it
Source = ast.expr | ast.FunctionDef | ast.AsyncFunctionDef | Each | Part | Some | Read | None


@dataclass(eq=False, slots=True)
class Scope:
    """The names of a function, or of a comprehension or function in it."""

    parent: Scope | None = None
    parameters: tuple[str, ...] = ()
    local: dict[str, list[Source]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)  # declared global or nonlocal


@dataclass(eq=False, slots=True)
class Inner:
    """A function or comprehension in a function, and what it gives."""

    node: ast.AST
    scope: Scope
    positional: tuple[str, ...] = ()
    rest: str | None = None  # the parameter of more positional arguments
    named: str | None = None  # that of more keyword arguments
    returns: list[Read] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Site:
    """A call or a change: where it is, and the statements that it is in."""

    node: Any  # the ast.Call; of a change, its target or the container that it changes
    scope: Scope
    line: int
    inside: tuple[ast.AST, ...]


@dataclass(eq=False, slots=True)
class Facts:
    """All that was found in one function, with the functions and comprehensions in it."""

    scope: Scope
    reads: list[Read] = field(default_factory=list)
    calls: list[Site] = field(default_factory=list)
    assigned: list[Site] = field(default_factory=list)  # names of outer scopes, attributes, items
    changed: list[Site] = field(default_factory=list)  # containers that grow or shrink
    returns: list[Read] = field(default_factory=list)
    inner: dict[int, Inner] = field(default_factory=dict)  # by the id of the node
    codes: set[int] = field(default_factory=set)  # ids of the codes of functions defined in it


__all__ = ["Each", "Facts", "Inner", "Part", "Read", "Scope", "Site", "Some", "Source"]
