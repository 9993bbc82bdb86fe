"""Which functions take part in a trace, and what is known of their parameters."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any

from ...autograph import policy
from .known import Known, Values

# Those that read; what `+=` and the like change is not changed just since it could be.
_ARITHMETIC = [
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"),
    *("lshift", "rshift"),
]
_OPERATORS = tuple(
    f"__{name}__"
    for name in [
        *("getitem", "len", "iter", "bool", "contains", "reversed", "neg", "pos", "abs", "invert"),
        *("eq", "ne", "lt", "le", "gt", "ge", "float", "int", "index", "round", "array"),
        *_ARITHMETIC,
        *(f"r{name}" for name in _ARITHMETIC),
    ]
)


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


def operators_of(x: Any) -> Iterator[FunctionType]:
    """The functions of the user's that Python calls for operators on `x`, if it is theirs."""
    kind = type(x)
    if not policy.is_library_type(kind):
        for name in _OPERATORS:
            own = getattr(kind, name, None)
            if isinstance(own, FunctionType) and takes_part(own):
                yield own


def _defaults(f: FunctionType, names: Sequence[str], values: Values) -> dict[str, Known]:
    """The defaults of parameters, and where they are found."""
    here = values.place_of(Known(f), f.__name__)
    given = f.__defaults__ or ()
    listed: list[tuple[str, str, Any, Any]] = []
    for i, (n, value) in enumerate(zip(names[len(names) - len(given) :], given, strict=True)):
        listed.append((n, "__defaults__", i, value))
    for n, value in (f.__kwdefaults__ or {}).items():
        listed.append((n, "__kwdefaults__", n, value))
    found: dict[str, Known] = {}
    for n, where, key, value in listed:
        place = None
        if here is not None:
            place = values.places.item(values.places.attribute(here, where), key)
            place.name = f"the default of '{n}' of {f.__name__}()"
        found[n] = values.known(value, place)
    return found


def bound(
    f: FunctionType,
    args: Sequence[list[Known]],
    kwargs: Mapping[str, list[Known]],
    values: Values,
    made: Callable[..., list[Known]],
) -> dict[str, list[Known]]:
    """What is known of the parameters of `f`, given what is known of the arguments."""
    code = f.__code__
    names = code.co_varnames[: code.co_argcount]
    bound = dict(zip(names, args, strict=False))
    more = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    bound |= {n: v for n, v in kwargs.items() if n in names or n in more}
    if f.__defaults__ or f.__kwdefaults__:
        for n, default in _defaults(f, names, values).items():
            bound.setdefault(n, [default])
    if code.co_flags & inspect.CO_VARARGS:
        rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        bound[rest] = kwargs.get(rest) or made([list(a) for a in args[len(names) :]])
    if code.co_flags & inspect.CO_VARKEYWORDS:
        count = code.co_argcount + code.co_kwonlyargcount
        rest = code.co_varnames[count + bool(code.co_flags & inspect.CO_VARARGS)]
        others = {n: v for n, v in kwargs.items() if n not in names and n not in more}
        if rest in others:
            bound[rest] = kwargs[rest]
        elif others:
            bound[rest] = made([list(v) for v in others.values()], names=others)
    return bound


__all__ = ["bound", "may_take_part", "operators_of", "takes_part"]
