"""Which functions take part in a trace, and what is known of their parameters."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any

from ..autograph import policy
from .known import Known, Made


def takes_part(f: FunctionType) -> bool:
    """True for the user's own functions."""
    return policy.DO_NOT_CONVERT not in f.__dict__ and not policy.is_library_function(f)


def may_take_part(x: Any) -> bool:
    """True if a call of `x` runs a function of the user's."""
    if isinstance(x, MethodType):
        return may_take_part(x.__func__)
    if isinstance(x, functools.partial):
        return may_take_part(x.func)
    if isinstance(x, FunctionType):
        return takes_part(x)
    if isinstance(x, type):
        return policy.has_own_init(x)
    return not policy.is_library_type(type(x)) and isinstance(
        getattr(type(x), "__call__", None),  # noqa: B004
        FunctionType,
    )


def bound(
    f: FunctionType, args: Sequence[list[Known]], kwargs: Mapping[str, list[Known]]
) -> dict[str, list[Known]]:
    """What is known of the parameters of `f`, given what is known of the arguments."""
    code = f.__code__
    names = code.co_varnames[: code.co_argcount]
    bound = dict(zip(names, args, strict=False))
    more = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    bound |= {n: v for n, v in kwargs.items() if n in names or n in more}
    defaults = dict(zip(reversed(names), reversed(f.__defaults__ or ()), strict=False))
    for n, value in (defaults | (f.__kwdefaults__ or {})).items():
        bound.setdefault(n, [Known(value)])
    if code.co_flags & inspect.CO_VARARGS:
        rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        bound[rest] = kwargs.get(rest) or [Known(Made([list(a) for a in args[len(names) :]]))]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        count = code.co_argcount + code.co_kwonlyargcount
        rest = code.co_varnames[count + bool(code.co_flags & inspect.CO_VARARGS)]
        if rest in kwargs:
            bound[rest] = kwargs[rest]
    return bound


__all__ = ["bound", "may_take_part", "takes_part"]
