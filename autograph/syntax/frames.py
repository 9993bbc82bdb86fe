"""What is known of names where code is generated: which are bound, which may be undefined."""

from __future__ import annotations

from dataclasses import dataclass

ALL = -1


@dataclass(slots=True)
class Env:
    """The state of names at one point of the generated code.

    undefined   names that have no value yet on some way that the user's flow takes to this point;
                None where the user's flow never comes
    bound       names that surely are bound, as Python sees the generated code
    unbound     names that surely are not
    ended       the generated code never gets here either
    """

    undefined: int | None
    bound: int
    unbound: int
    ended: bool = False

    def copy(self) -> Env:
        return Env(self.undefined, self.bound, self.unbound, self.ended)

    def maybe_undefined(self) -> int:
        return self.undefined or 0

    def bind(self, names: int) -> None:
        """A statement of this very function has bound `names`."""
        if self.undefined is not None:
            self.undefined &= ~names
        self.bound |= names
        self.unbound &= ~names

    def delete(self, names: int) -> None:
        if self.undefined is not None:
            self.undefined |= names
        self.bound &= ~names
        self.unbound |= names

    def touch(self, names: int) -> None:
        """Names that perhaps were bound or deleted."""
        self.unbound &= ~names

    def leave(self) -> None:
        """The user's flow goes elsewhere, the generated code goes on."""
        self.undefined = None

    def end(self) -> None:
        self.undefined, self.ended = None, True

    def become(self, other: Env) -> None:
        self.undefined, self.ended = other.undefined, other.ended
        self.bound, self.unbound = other.bound, other.unbound

    def joined(self, other: Env) -> Env:
        if self.ended:
            return other
        if other.ended:
            return self
        return Env(
            join_undefined(self.undefined, other.undefined),
            self.bound & other.bound,
            self.unbound & other.unbound,
        )


def join_undefined(a: int | None, b: int | None) -> int | None:
    if a is None:
        return b
    return a if b is None else a | b


@dataclass(slots=True)
class Frame:
    """A function of the generated code: the user's or a helper in it."""

    depth: int = 0
    parameters: int = 0
    bound: int = 0  # by statements of this function itself
    outer: int = 0  # names that it declares nonlocal or global
    lent: int = 0  # names that helpers in it declare nonlocal
