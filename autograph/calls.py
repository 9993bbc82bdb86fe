"""Calls: what is called is converted first, if it is the user's Python."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from treadle.graph.ops.sequences import range_ as tensor_range

from . import policy
from .convert import is_converted, known_template, template_of
from .truth import staged


def call(function: Any) -> Any:
    """What to call instead of `function`: the converted one, or itself where none is needed."""
    kind = type(function)
    if kind is FunctionType:
        return _function(function)
    if kind is MethodType:
        made = call(function.__func__)
        return function if made is function.__func__ else MethodType(made, function.__self__)
    if kind is BuiltinFunctionType or not policy.may_need_conversion(function):
        return function
    if isinstance(function, functools.partial):
        inner = call(function.func)
        if inner is function.func:
            return function
        return functools.partial(inner, *function.args, **function.keywords)
    if isinstance(function, type):
        return functools.partial(_construct, function)
    return MethodType(call(kind.__call__), function)


def _function(function: FunctionType) -> Any:
    template = known_template(function)
    if template is not None and policy.DO_NOT_CONVERT not in function.__dict__:
        return template.function(function)
    if is_converted(function.__code__) or not policy.may_need_conversion(function):
        return function
    template = template_of(function)
    return function if template is None else template.function(function)


def _construct(cls: type, *args: Any, **kwargs: Any) -> Any:
    """What `cls(*args, **kwargs)` does, with `__init__` converted."""
    made = cls.__new__(cls, *args, **kwargs)
    if isinstance(made, cls):
        init: Callable[..., Any] = call(type(made).__init__)
        result = init(made, *args, **kwargs)
        if result is not None:
            kind = type(result).__name__
            raise TypeError(f"__init__() should return None, not '{kind}'")
    return made


def range_(*args: Any) -> Any:
    """`range(...)`, over tensors if an argument is one."""
    if any(type(a) is not int and staged(a) for a in args):
        return tensor_range(*args)
    return range(*args)
