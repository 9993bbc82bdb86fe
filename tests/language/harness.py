"""Runs a program untraced and traced, and says what each did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import treadle as tl

Made = Any  # a function, or a function and what shows the state that it leaves behind


@dataclass(frozen=True)
class Py:
    """An argument that stays a Python value."""

    value: Any


@dataclass(eq=False)
class Raised:
    """An exception; an error of ours stands for the class of Python's that it derives from."""

    kind: type[BaseException]
    args: Any

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Raised)
            and issubclass(self.kind, other.kind)
            and self.args == other.args
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass
class Program:
    """One program: `make` builds it anew, `calls` are the arguments of one call after the other."""

    make: Callable[[], Made]
    calls: tuple[tuple[Any, ...], ...]
    relaxed: bool = False
    refused: tuple[type[BaseException], str] | None = None  # class, and what its message says

    @property
    def name(self) -> str:
        return self.make.__name__


@dataclass
class Collection:
    programs: list[Program] = field(default_factory=list)

    def __call__(self, *calls: Any, relaxed: bool = False, refused: Any = None) -> Any:
        """Adds a program; a call with one argument may be written without its tuple."""
        each = tuple(c if isinstance(c, tuple) else (c,) for c in calls)

        def register(make: Callable[[], Made]) -> Callable[[], Made]:
            self.programs.append(Program(make, each, relaxed, refused))
            return make

        return register


def argument(value: Any) -> Any:
    return value.value if isinstance(value, Py) else tl.constant(value)


def plain(value: Any) -> Any:
    """A result without tensors. Numbers and texts become tensors when they leave a function."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bool, int, float, np.ndarray, np.generic)) or tl.is_tensor(value):
        return np.asarray(value).tolist()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return (type(value), [plain(v) for v in value])
    if hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
        return type(value).__name__, {k: plain(v) for k, v in vars(value).items()}
    return value


def run(program: Program, wrap: Callable[[Any], Any]) -> list[Any]:
    """What each call gives or raises, and the state after it."""
    made = program.make()
    f, state = made if isinstance(made, tuple) else (made, lambda: None)
    wrapped = wrap(f)
    seen: list[Any] = []
    for call in program.calls:
        try:
            seen.append(plain(wrapped(*map(argument, call))))
        except Exception as error:
            if isinstance(error, tl.errors.ConversionError):
                raise
            seen.append(Raised(type(error), plain(error.args) if _is_users(error) else None))
        seen.append(plain(state()))
    return seen


def _is_users(error: Exception) -> bool:
    return type(error).__module__ not in ("builtins", "treadle.graph.errors")


def first_call(program: Program) -> Any:
    made = program.make()
    f = made[0] if isinstance(made, tuple) else made
    return tl.function(f, relaxed=program.relaxed)(*map(argument, program.calls[0]))


def untraced(program: Program) -> list[Any]:
    return run(program, lambda f: f)


def traced(program: Program) -> list[Any]:
    return run(program, tl.function(relaxed=True) if program.relaxed else tl.function)
