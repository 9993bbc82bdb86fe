"""What to say of paths that do not agree on a value."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence
from typing import Any

from treadle.graph.errors import BranchError
from treadle.graph.nest import attribute_names

from ..values.place import Helper, leaves_by_return
from ..values.state import describe_value, is_number, is_tensor
from ..values.undefined import Undefined


def undefined_on_a_path(a: Any, b: Any, name: str, line: str) -> Undefined:
    for value in (a, b):
        if isinstance(value, Undefined) and value.reason:
            return value
    sides = ((a, "main"), (b, "else"))
    missing = [label for value, label in sides if isinstance(value, Undefined)]
    if len(missing) == 2:
        return a if isinstance(a, Undefined) else b
    return Undefined(
        name,
        f"'{name}' is used here but the {missing[0]} branch of the `if` at {line} leaves "
        "it undefined; which branch runs depends on a tensor, so it must be initialized in "
        "both branches or before the `if` (or use @tl.function(relaxed=True))",
    )


def disagreement(a: Any, b: Any, name: str, line: str, site: Helper | None) -> BranchError:
    """`site`: a branch, as a function."""
    word = leaves_by_return(site) if site is not None and not name else ""
    if word:
        return BranchError(
            f"the function returns {describe_value(a)} from inside of the `{word}` at "
            f"{line} but {describe_value(b)} behind it; whether it returns there depends "
            f"on a tensor, so both must agree. {_cure(a, b)}"
        )
    what = f"'{name}' is" if name else "the result is"
    for kind, cure in ((set, ".add, .update, .clear"), (deque, ".append, .extend, .clear")):
        if isinstance(a, kind) and isinstance(b, kind):
            return BranchError(
                f"{what} one {kind.__name__} in the main branch of the `if` at {line} and "
                "another one in its else branch, and holds what the branch computes; which one "
                f"depends on a tensor. Begin with one {kind.__name__} before the `if`, and "
                f"change that in the branches ({cure})"
            )
    return BranchError(
        f"{what} {_described(a, b)} in the main branch of the `if` at {line} but "
        f"{_described(b, a)} in its else branch; which one runs depends on a tensor, so both "
        f"must agree. {_cure(a, b)}"
    )


def names_of_parts(value: Any, name: str, count: int) -> Sequence[str]:
    """What messages call the parts of a value: the fields of a record by their own names."""
    if name and not isinstance(value, tuple) and dataclasses.is_dataclass(value):
        return [f"{name}.{field}" for field in attribute_names(value)]
    return [name] * count


def _described(value: Any, other: Any) -> str:
    """The value in a message, with its length where that is what differs."""
    shown = describe_value(value)
    if not (isinstance(value, tuple) and type(value) is type(other)) or len(value) == len(other):
        return shown
    return f"{shown} of {len(value)} item{'' if len(value) == 1 else 's'}"


def _cure(a: Any, b: Any) -> str:
    if is_tensor(a) or is_tensor(b) or (is_number(a) and is_number(b)):
        return "Use tl.cast, or a number of the same kind, or @tl.function(relaxed=True)."
    return "Make both branches give values of one type."
