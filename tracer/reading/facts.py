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


Source = ast.expr | Each | Part | None  # None: nothing is known of it


@dataclass(eq=False, slots=True)
class Scope:
    """The names of a function, or of a comprehension or function in it."""

    parent: Scope | None = None
    parameters: tuple[str, ...] = ()
    local: dict[str, list[Source]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)  # declared global or nonlocal


@dataclass(eq=False, slots=True)
class Read:
    """An expression whose value is used."""

    expr: ast.expr
    scope: Scope


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
    codes: set[int] = field(default_factory=set)  # ids of the codes of functions defined in it


__all__ = ["Each", "Facts", "Part", "Read", "Scope", "Site", "Source"]
