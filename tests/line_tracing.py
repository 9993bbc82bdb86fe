"""Which lines of a function run, by Python's own line tracing."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_of(source: Callable[..., Any], f: Callable[..., Any], *args: Any) -> set[int]:
    """The lines of `source` that run where `f`, which may be converted from it, is called."""
    seen: set[int] = set()
    lines, first = inspect.getsourcelines(source)
    file = source.__code__.co_filename

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename != file:
            return None
        if event == "line" and first <= frame.f_lineno < first + len(lines):
            seen.add(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        f(*args)
    finally:
        sys.settrace(before)
    return seen
