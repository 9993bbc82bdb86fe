"""Like `language.harness`, but exceptions are compared with their arguments and causes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from language.harness import Program, argument, plain

import treadle as tl


def described(error: BaseException | None) -> Any:
    """What there is to compare of an exception."""
    if error is None:
        return None
    own = {k: plain(v) for k, v in vars(error).items() if k not in ("__notes__", "explained")}
    kind = AssertionError if isinstance(error, AssertionError) else type(error)
    if kind.__module__ == "treadle.graph.errors":
        return kind
    return kind, plain(error.args), own, described(error.__cause__)


def run(program: Program, wrap: Callable[[Any], Any]) -> list[Any]:
    made = program.make()
    f, state = made if isinstance(made, tuple) else (made, lambda: None)
    wrapped = wrap(f)
    seen: list[Any] = []
    for call in program.calls:
        try:
            seen.append(plain(wrapped(*map(argument, call))))
        except Exception as error:
            seen.append(described(error))
        seen.append(plain(state()))
    return seen


def both(program: Program) -> tuple[list[Any], list[Any]]:
    """What a program does untraced and traced."""
    return run(program, lambda f: f), run(program, tl.function)
