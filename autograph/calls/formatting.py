"""Texts that are made of values: f-strings, `str(x)`, `"...".format(x)`, `", ".join(...)`.

Where a value is symbolic the text is a `Text`, which the run makes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treadle.graph import Value
from treadle.graph.build import is_tracing
from treadle.graph.ops.formatting import Text, text

from ..values.inside import staged_in, table_in
from ..values.special import is_of_users


def text_method(method: Any) -> Callable[..., Any]:
    """What to call instead of the method of a Python text."""
    if not is_tracing() or method.__name__ not in ("format", "join"):
        return method  # type: ignore[no-any-return]
    if method.__name__ == "format":
        return lambda *args, **kwargs: text(lambda: method(*args, **kwargs))

    def join(parts: Any) -> Any:
        items = list(parts)
        return text(lambda: method([str(p) if isinstance(p, Text) else p for p in items]))

    return join


def str_(*args: Any, **kwargs: Any) -> Any:
    """`str(x)`."""
    if len(args) == 1 and not kwargs and _is_of_run(args[0]):
        return text(lambda: str(args[0]))
    return str(*args, **kwargs)


def _is_of_run(x: Any) -> bool:
    held = staged_in(x) is not None or table_in(x) is not None
    users = is_tracing() and is_of_users(x)  # whose __str__ may make a text of tensors
    return held or users or isinstance(x, (Value, Text))


def repr_(x: Any) -> str:
    """`repr(x)`."""
    return text(lambda: repr(x)) if _is_of_run(x) else repr(x)


__all__ = ["repr_", "str_", "text", "text_method"]
