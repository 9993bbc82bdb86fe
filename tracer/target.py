"""What `tl.function` is applied to: how it is called, and what it must not be."""

from __future__ import annotations

import dis
import functools
import inspect
import linecache
import os
from collections.abc import Callable
from types import CodeType
from typing import Any

from ..graph.errors import ConversionError
from ..graph.location import Loc, describe

_ANY = inspect.Signature(
    [
        inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL),
        inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD),
    ]
)
_SUSPENDING = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def signature_of(target: Callable[..., Any]) -> inspect.Signature:
    """The signature; builtins that have none take anything."""
    try:
        return inspect.signature(target)
    except ValueError:
        return _ANY


def code_of(target: Any) -> CodeType | None:
    """The code of what is called; None for what is not written in Python."""
    while isinstance(target, (functools.partial, functools.partialmethod)):
        target = target.func
    code = getattr(getattr(target, "__func__", target), "__code__", None)
    if code is None and not isinstance(target, type):
        code = getattr(getattr(type(target), "__call__", None), "__code__", None)  # noqa: B004
    return code if isinstance(code, CodeType) else None


def refuse_suspending(target: Any) -> None:
    """ConversionError for generator functions and coroutines."""
    code = code_of(target)
    if code is None or not code.co_flags & _SUSPENDING:
        return
    where = _stop(code)
    if code.co_flags & inspect.CO_GENERATOR:
        raise ConversionError(
            f"a generator function can't be a tl.function: '{code.co_name}' yields, at {where}. "
            "A graph runs as a whole: return a list or a stacked tensor, or let a tl.function "
            f"loop over {code.co_name}()"
        )
    raise ConversionError(
        f"an async function can't be a tl.function: '{code.co_name}', at {where}. A graph runs as "
        "a whole: make it a plain function, and await around the call"
    )


def _stop(code: CodeType) -> str:
    """Where it stops for the first time; of an async function that does not, its first line."""
    for i in dis.get_instructions(code):
        if i.opname in ("YIELD_VALUE", "GET_AWAITABLE"):
            return describe(Loc(code, i.offset))
    number = code.co_firstlineno
    for n, line in enumerate(linecache.getlines(code.co_filename)[number - 1 :]):
        if line.lstrip().startswith("async"):  # below the decorators
            return f"{os.path.basename(code.co_filename)}:{number + n}: {line.strip()}"
    return describe(Loc(code, 0))


__all__ = ["code_of", "refuse_suspending", "signature_of"]
