"""An op's error in terms of what the user wrote."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import AssertionFailedError, OpError
from .location import Loc, argument_texts, describe, user_location
from .op import Op


def explained(error: OpError, op: Op, inputs: Sequence[Any], loc: Loc | None = None) -> OpError:
    """`error` with the user's line, and the text and spec of each operand, added."""
    if getattr(error, "explained", False):
        return error
    loc = loc or user_location(3)
    if isinstance(error, AssertionFailedError):
        inputs = ()  # its message shows the data that the user named
    texts = argument_texts(loc, len(inputs)) or [f"input {i}" for i in range(len(inputs))]
    lines = [f"{op.display or op.name}: {error.message}", f"    {describe(loc)}"]
    for text, value in zip(texts, inputs, strict=True):
        name = getattr(value, "name", "")
        label = text if not text.startswith("input ") or not name else name
        lines.append(
            f"    {label}: {getattr(value, 'spec', None) or f'a Python {type(value).__name__}'}"
        )
    error.args = ("\n".join(lines),)
    error.explained = True  # type: ignore[attr-defined]
    return error
