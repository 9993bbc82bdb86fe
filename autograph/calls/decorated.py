"""What decorators of Python's own put in the place of the user's functions: context managers as
decorators, and `functools.singledispatch`. What that calls is converted.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
from typing import Any

from ..control.choice import Choice
from ..control.conditionals import if_exp
from ..policy import instead
from ..values.optional import Optional, settled
from .asking import type_
from .calls import call
from .choosing import select

Found = Callable[[type], Any]


def within(manager: Any, function: Any, args: Sequence[Any], named: dict[str, Any]) -> Any:
    """It is converted, and never runs as it stands."""
    with manager:
        return function(*args, **named)


def _managed(relaxed: bool, wrapper: FunctionType, /, *args: Any, **named: Any) -> Any:
    """What a context manager has made of a function."""
    cells = _cells_of(wrapper)
    manager = call(cells["self"]._recreate_cm, relaxed)()
    return call(within, relaxed)(manager, cells["func"], args, named)


def _dispatched(relaxed: bool, wrapper: Any, /, *args: Any, **named: Any) -> Any:
    """What `functools.singledispatch` has made of a function."""
    if not args:
        return wrapper(*args, **named)

    def act(implementation: Any, first: Any) -> Any:
        return call(implementation, relaxed)(first, *args[1:], **named)

    return _by_class(args[0], wrapper.dispatch, act)


def _of_method(relaxed: bool, wrapper: FunctionType, /, *args: Any, **named: Any) -> Any:
    """What `functools.singledispatchmethod` has made of a method."""
    cells = _cells_of(wrapper)
    owner, kind = cells["obj"], cells["cls"]

    def act(implementation: Any, first: Any) -> Any:
        method = implementation.__get__(owner, kind)
        return call(method, relaxed)(first, *args[1:], **named)

    return _by_class(args[0], cells["self"].dispatcher.dispatch, act)


def _by_class(x: Any, find: Found, act: Callable[[Any, Any], Any]) -> Any:
    """`act(find(type(x)), x)`, on paths of their own where a tensor has chosen the class."""
    x = settled(x)
    if type(x) is Choice:
        found = {find(type_(o)) for o in x.tl_options}
        if len(found) > 1:
            return select(x, lambda o: act(find(type_(o)), o))
        return act(found.pop(), x)
    if isinstance(x, Optional):
        present, value = x.__tl_flatten__()[0]
        return if_exp(present, lambda: _by_class(value, find, act), lambda: act(find(_NONE), None))
    return act(find(type_(x)), x)


_NONE = type(None)


def _cells_of(function: FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells}


def _nothing(*args: Any) -> None:
    pass


def _code_of(function: Any) -> CodeType:
    code: CodeType = function.__code__
    return code


instead.update(
    {
        _code_of(contextlib.ContextDecorator()(_nothing)): _managed,
        _code_of(functools.singledispatch(_nothing)): _dispatched,
        _code_of(functools.singledispatchmethod(_nothing).__get__(0)): _of_method,
    }
)
