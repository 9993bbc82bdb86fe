"""Recursion of plain Python functions, within a trace, on a tensor condition.

A call with a signature that is being traced already becomes a `call` of a function of its own, as
if the user had decorated it. Calls with another Python value at each level are traced one inside
of the other, as deep as they go.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from operator import is_
from types import FunctionType
from typing import Any, NamedTuple

from ..autograph.control import recursion
from ..graph import Tensor
from ..graph.build import GraphBuilder, convert, current
from ..graph.nest import children, rebuild
from .function import Function
from .signature import Key, Keyed

DEEPEST = 25  # levels that are traced one inside of the other
MOST = 60  # calls that are traced so, within one call from outside


class _Level(NamedTuple):
    identity: Any
    key: Key
    form: Key  # the key of the arguments without the Python numbers in them
    numbers: list[Any]


class _Recursion(NamedTuple):
    levels: tuple[_Level, ...]
    calls: list[_Level]  # all that were traced so far


_active: ContextVar[_Recursion | None] = ContextVar("recursion", default=None)


def call_again(
    function: FunctionType, converted: Callable[..., Any], relaxed: bool, args: Any, kwargs: Any
) -> Any:
    """A call of `function` while it runs: traced again, or a `call` node."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    active = _active.get() or _Recursion((), [])
    identity = (function.__code__, *map(id, function.__closure__ or ()))
    level = _level(identity, bound.arguments)
    levels = [known for known in active.levels if known.identity == identity]
    if any(known.key == level.key for known in levels):
        return _function(function, identity, relaxed)(*args, **kwargs)
    alike = bool(levels) and levels[-1].form == level.form
    if len(levels) < DEEPEST and not (alike and len(active.calls) >= MOST):
        with _entered(active, level):
            return converted(*args, **kwargs)
    changing = alike and [
        i for i, n in enumerate(level.numbers) if not _same(n, levels[-1].numbers[i])
    ]
    if not changing:
        raise RecursionError(
            f"'{function.__name__}' calls itself under a condition that depends on a tensor, with "
            f"arguments of another shape or another Python value at each of {DEEPEST} levels: "
            "its trace has no end. Make what changes a tensor of one shape"
        )
    place = count()
    for name, value in bound.arguments.items():
        bound.arguments[name] = _mapped(
            value, lambda n: convert(n) if next(place) in changing else n
        )
    with _entered(active, _level(identity, bound.arguments)):
        return _function(function, identity, relaxed)(*bound.args, **bound.kwargs)


def _level(identity: Any, arguments: Mapping[str, Any]) -> _Level:
    numbers: list[Any] = []

    def blank(number: Any) -> Any:
        numbers.append(number)
        return type(number)()

    form = {name: _mapped(x, blank) for name, x in arguments.items()}
    return _Level(identity, Keyed(arguments, {}).parts, Keyed(form, {}).parts, numbers)


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """`value` with the Python numbers in it changed."""
    if type(value) in (int, float):
        return change(value)
    items = None if isinstance(value, Tensor) else children(value)
    if items is None or hasattr(type(value), "__tl_flatten__"):
        return value
    changed = [_mapped(item, change) for item in items]
    return value if all(map(is_, items, changed)) else rebuild(value, changed)


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


@contextmanager
def _entered(active: _Recursion, level: _Level) -> Iterator[None]:
    active.calls.append(level)
    token = _active.set(_Recursion((*active.levels, level), active.calls))
    try:
        yield
    finally:
        _active.reset(token)


def _function(function: FunctionType, identity: Any, relaxed: bool) -> Function[..., Any]:
    """The traced form of `function`, one for each trace."""
    builder = current()
    assert isinstance(builder, GraphBuilder)
    while builder.parent is not None:
        builder = builder.parent
    made = builder.derived.get(("recursive", identity))
    if made is None:
        made = builder.derived["recursive", identity] = Function(function, relaxed=relaxed)
        made.is_helper = True
    found: Function[..., Any] = made
    return found


recursion.take_over.append(call_again)
