"""What users and the tracer ask of AutoGraph."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, TypeVar

from treadle.graph.errors import ConversionError
from treadle.graph.location import Loc
from treadle.graph.node import _reasons

from . import policy
from .convert import Conversion, is_converted, known_of, reason_of, template_of
from .operators import call
from .syntax.source import NoSourceError
from .syntax.text import formatted

F = TypeVar("F", bound=Callable[..., Any])
_MARKED = "it is marked by do_not_convert"


def convert(function: Callable[..., Any], relaxed: bool = False) -> Callable[..., Any]:
    """`function` with control flow that works on tensors, or itself if it can't be converted.

    `relaxed`: where two paths give different dtypes or shapes, what fits both is found.
    `why_unconverted` tells why it could not.
    """
    if isinstance(function, MethodType):
        made = convert(function.__func__, relaxed)
        return function if made is function.__func__ else MethodType(made, function.__self__)
    if isinstance(function, functools.partial):
        inner = convert(function.func, relaxed)
        return functools.partial(inner, *function.args, **function.keywords)
    if not isinstance(function, FunctionType):
        made_callable: Callable[..., Any] = call(function, relaxed)
        return made_callable
    if policy.DO_NOT_CONVERT in function.__dict__ or is_converted(function.__code__):
        return function
    if policy.is_ours(function) and policy.is_library_function(function):
        return function  # it knows tensors; converted, others would call it so, too
    template = template_of(function)
    if template is None:
        return function
    policy.count_as_user(function)
    return template.complete(function, relaxed)


def to_graph(entity: Callable[..., Any], recursive: bool = True) -> Callable[..., Any]:
    """The converted function; an error where `convert` would leave it as it is.

    >>> import treadle as tl
    >>> def positive(x):
    ...     return x if x > 0 else -x
    >>> tl.autograph.to_graph(positive)(-3)
    3
    """
    made = convert(entity)
    reason = why_unconverted(entity)
    if reason is not None:
        raise ConversionError(f"{entity!r} was not converted: {reason}")
    return made


def to_code(entity: Callable[..., Any], recursive: bool = True) -> str:
    """The Python that AutoGraph makes of a function: a program of its own, but for the names that
    the function takes from outside. What rebinds names of a function around it stands in one here.

    >>> import treadle as tl
    >>> def positive(x):
    ...     return x if x > 0 else -x
    >>> print(tl.autograph.to_code(positive))
    def positive(x):
        from treadle.autograph import operators as ag
        return ag.if_exp(x > 0, lambda: x, lambda: -x)
    <BLANKLINE>
    """
    function = entity
    while not isinstance(function, FunctionType):
        inner = getattr(function, "python_function", None) or getattr(function, "__func__", None)
        inner = inner or getattr(function, "func", None) or getattr(function, "__wrapped__", None)
        if inner is None:
            inner = getattr(type(function), "__call__", None)  # noqa: B004
        if not callable(inner) or type(inner) is type(function):
            raise ConversionError(f"{entity!r} has no Python source")
        function = inner
    reason = policy.why_not(function.__code__)
    if reason is None:
        try:
            conversion = Conversion(function)
        except NoSourceError as error:
            reason = str(error)
        else:
            return formatted(conversion.node, conversion.ag, function.__code__.co_freevars)
    raise ConversionError(f"{entity!r} can't be converted: {reason}")


def do_not_convert(function: F) -> F:
    """Let `function`, and what it calls, run as it is written.

    >>> import treadle as tl
    >>> @tl.autograph.do_not_convert
    ... def plain(x):
    ...     return x + 1
    """
    target: Any = function.__func__ if isinstance(function, MethodType) else function
    setattr(target, policy.DO_NOT_CONVERT, True)
    if isinstance(target, FunctionType):
        known_of(target.__code__).note = _MARKED
    return function


def why_unconverted(function: Callable[..., Any]) -> str | None:
    """Why `function` runs as it is written; None if it was converted, or not tried yet."""
    while isinstance(function, (MethodType, functools.partial)):
        function = function.__func__ if isinstance(function, MethodType) else function.func
    if not isinstance(function, FunctionType):
        return None
    if policy.DO_NOT_CONVERT in function.__dict__:
        return _MARKED
    return reason_of(function.__code__)


def _reason_at(loc: Loc) -> str | None:
    """For the message where the truth value of a symbolic tensor was asked for."""
    reason = reason_of(loc.code)
    if reason is None and policy.is_library_file(loc.code.co_filename):
        return "it is part of an installed package"
    return reason


_reasons.append(_reason_at)
