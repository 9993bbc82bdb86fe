"""Functions that call themselves in a branch whose running depends on a tensor.

Tracing would never end there. The tracer, which knows signatures, says what to call instead; it
installs itself as `take_over`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import Any

from treadle.graph.build import current_branch

# take_over(function, converted, relaxed, args, kwargs): the result of the call.
TakeOver = Callable[[FunctionType, Callable[..., Any], bool, Any, Any], Any]
take_over: list[TakeOver] = []


def guarded(function: FunctionType, converted: Any, relaxed: bool) -> Any:
    """`converted`, or what to call instead where `function` is running already."""
    if current_branch() is None or not take_over or not _runs(converted.__code__):
        return converted
    call: Any = functools.partial(_call, function, converted, relaxed)
    call.__tl_code__ = converted.__code__
    return call


def _call(
    function: FunctionType, converted: Callable[..., Any], relaxed: bool, *args: Any, **kwargs: Any
) -> Any:
    return take_over[0](function, converted, relaxed, args, kwargs)


def _runs(code: CodeType) -> bool:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False
