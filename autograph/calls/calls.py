"""Calls: what is called is converted first, if it is the user's Python."""

from __future__ import annotations

import functools
import itertools
import operator
from collections import Counter, deque
from collections.abc import Callable
from contextvars import ContextVar
from inspect import CO_GENERATOR
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import Any

from treadle.graph import weak
from treadle.graph.build import is_tracing
from treadle.graph.ops.sequences import range_ as tensor_range

from .. import policy
from ..changes import journal
from ..changes.rebuilt import note_made
from ..control.choice import Choice, operate
from ..control.recursion import guarded
from ..convert import is_converted, known_template, template_of
from ..iteration.generated import Generated
from ..policy import replaced
from ..values import special
from ..values.inside import staged_in
from ..values.staged_list import StagedList, searching
from ..values.truth import staged
from . import changing, choosing, keys
from .choosing import call_chosen
from .deques import deque_method
from .formatting import text_method
from .list_methods import list_method, staged_method
from .python_only import picking, refuse_held
from .texts import call_method, is_of_run

# Is told of each function and method that is called converted.
listener: ContextVar[Callable[[Any], None] | None] = ContextVar("listener", default=None)


def call(function: Any, relaxed: bool = False) -> Any:
    """What to call instead of `function`: the converted one, or itself where none is needed.

    A function that is called in a `relaxed` one is converted as relaxed.
    """
    made = _converted(function, relaxed)
    if made is function and journal.is_watched():
        return changing.watched(function)
    return made


def _converted(function: Any, relaxed: bool) -> Any:
    kind = type(function)
    if kind is Choice:
        return functools.partial(call_chosen, relaxed, function)
    if kind is FunctionType:
        if function in replaced:
            return replaced[function]
        return _told(function, function, _function(function, relaxed))
    if kind is MethodType:
        return _method(function, relaxed)
    if kind is BuiltinFunctionType:
        return _of_builtin(function)
    if kind is MethodWrapperType:
        return changing.special_method(function)
    if kind in _UNBOUND and function.__objclass__ in _CONTAINERS and is_tracing():
        return functools.partial(_call_unbound, relaxed, function)
    if kind is type and function in replaced:
        return replaced[function]
    if policy.takes_functions(function) and is_tracing():
        return functools.partial(_with_functions, relaxed, function)
    if isinstance(function, type):
        return _class(function, relaxed)
    if kind is operator.itemgetter and is_tracing():
        return picking(function)
    if not policy.may_need_conversion(function):
        return function
    if isinstance(function, functools.partial):
        inner = call(function.func, relaxed)
        if inner is function.func:
            return function
        return functools.partial(inner, *function.args, **function.keywords)
    return MethodType(call(kind.__call__, relaxed), function)


_UNBOUND = (MethodDescriptorType, WrapperDescriptorType)
_CONTAINERS = (list, dict, set, deque, str)


def _call_unbound(relaxed: bool, function: Any, *args: Any, **kwargs: Any) -> Any:
    """`list.append(x, v)`"""
    if args and function.__objclass__ is str and is_of_run(args[0]):
        return call_method(function.__name__, *args, **kwargs)
    if not (args and isinstance(args[0], function.__objclass__)):
        return function(*args, **kwargs)
    return call(function.__get__(args[0]), relaxed)(*args[1:], **kwargs)


def _method(function: MethodType, relaxed: bool) -> Any:
    """What to call instead of a method of Python code."""
    inner, owner = function.__func__, function.__self__
    special.meet_class(type(owner))
    if type(owner) is Counter and is_tracing():
        counting = keys.counting[0](function)
        if counting is not None:
            return counting
    if type(owner) is StagedList:
        return staged_method(function)
    if type(inner) is FunctionType:
        made = _told(function, inner, _function(inner, relaxed))
    else:
        made = call(inner, relaxed)
    return function if made is inner else MethodType(made, owner)


def _class(cls: type, relaxed: bool) -> Any:
    """What to call instead of a class."""
    special.meet_class(cls)
    if policy.is_bare_class(cls) and is_tracing():
        return functools.partial(_make, cls)
    if policy.may_need_conversion(cls):
        return functools.partial(_construct, relaxed, cls)
    return cls


def _of_builtin(function: Any) -> Any:
    """What to call instead of a function or method of a built-in class."""
    owner = function.__self__
    if isinstance(owner, list) and (type(owner) is list or staged_in(owner) is not None):
        return list_method(function)
    if type(owner) is deque:
        return deque_method(function)
    if isinstance(owner, (dict, set)):
        return keys.method(function)
    if type(owner) is str:
        return text_method(function)
    if isinstance(owner, tuple) and is_tracing() and function.__name__ in searching:
        return functools.partial(searching[function.__name__], owner)
    if type(owner) is bytes and is_tracing():
        return functools.partial(operate, function)
    return replaced.get(function, function)


def _told(called: Any, function: FunctionType, made: Any) -> Any:
    if made is not function:
        tell = listener.get()
        if tell is not None:
            tell(called)
    return made


def _function(function: FunctionType, relaxed: bool) -> Any:
    if policy.is_decorated(function) and is_tracing():
        return functools.partial(policy.instead[function.__code__], relaxed, function)
    made = _as_converted(function, relaxed)
    return guarded(function, made, relaxed) if is_converted(made.__code__) else made


def _as_converted(function: FunctionType, relaxed: bool) -> Any:
    template = known_template(function)
    if template is not None and policy.DO_NOT_CONVERT not in function.__dict__:
        special.meet(function)
        return template.function(function, relaxed or policy.is_given(function))
    if function.__code__.co_flags & CO_GENERATOR:
        return _generated(function, relaxed)
    if is_converted(function.__code__) or not policy.may_need_conversion(function):
        return function
    template = template_of(function)
    special.meet(function)
    relaxed = relaxed or policy.is_given(function)
    return function if template is None else template.function(function, relaxed)


def _generated(function: FunctionType, relaxed: bool) -> Any:
    """What to call instead of a generator function."""
    kept = policy.DO_NOT_CONVERT in function.__dict__ or policy.is_library_function(function)
    if kept or not is_tracing():
        return function

    def start(*args: Any, **kwargs: Any) -> Generated:
        return Generated(function, relaxed, args, kwargs)

    return start


def _make(cls: type, /, *args: Any, **kwargs: Any) -> Any:
    """`cls(*args, **kwargs)` of a class without Python code for that."""
    made = cls(*args, **kwargs)
    note_made(made)
    return made


def _construct(relaxed: bool, cls: type, /, *args: Any, **kwargs: Any) -> Any:
    """What `cls(*args, **kwargs)` does, with `__init__` converted."""
    made = cls.__new__(cls, *args, **kwargs)
    if isinstance(made, cls):
        note_made(made)
        init: Callable[..., Any] = call(type(made).__init__, relaxed)
        result = init(made, *args, **kwargs)
        if result is not None:
            kind = type(result).__name__
            raise TypeError(f"__init__() should return None, not '{kind}'")
    return made


def _with_functions(relaxed: bool, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call `function`, which calls functions that it is given: these are converted."""
    if function is not itertools.repeat:
        refuse_held(function.__name__, args)
    given = [call(a, relaxed) if isinstance(a, _CALLED) else a for a in args]
    named = {k: call(a, relaxed) if isinstance(a, _CALLED) else a for k, a in kwargs.items()}
    return function(*given, **named)


_CALLED = (FunctionType, MethodType, functools.partial)


def range_(*args: Any) -> Any:
    """`range(...)`, over tensors if an argument is one."""
    if any(type(a) is not int and staged(a) for a in args):
        return weak.mark(tensor_range(*args))
    return range(*args)


changing.convert_with(functools.partial(_converted, relaxed=False))
choosing.convert_with(call)
special.convert_with(call)
