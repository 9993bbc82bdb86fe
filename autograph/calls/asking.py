"""Python's questions about an object (its class, its attributes) where a tensor chose it."""

from __future__ import annotations

import functools
from typing import Any

from treadle.graph import Value, weak
from treadle.graph.build import convert
from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location

from ..changes.aliases import is_container, view_of
from ..control.choice import Choice, operate
from ..control.conditionals import if_exp
from ..control.operations import Operations
from ..values.optional import Maybe, settled
from ..values.snapshots import refuse_question
from ..values.special import method
from ..values.staged_list import StagedList
from ..values.tables import Kept
from ..values.undefined import Undefined, error_of
from .keys import is_unknown

_NONE = object()
_SHOWN: dict[type, type] = {StagedList: list, Kept: set}


def type_(x: Any, *bases: Any) -> Any:
    """`type(x)`: one of several classes, where `x` is one of several objects."""
    if bases:
        return type(x, *bases)
    x = settled(x)
    if type(x) is Choice:
        return x.tl_pick([type_(o) for o in x.tl_options])
    if type(x) is Value and weak.is_python(x):
        return type(weak.SAMPLES[x.dtype.kind])
    refuse_question(x, type)
    return _SHOWN.get(type(x), type(x))


def class_of(x: Any) -> Any:
    """`x.__class__`."""
    of_run = type(x) is Choice or (type(x) is Value and weak.is_python(x))
    refuse_question(x, type)
    return type_(x) if of_run else x.__class__


def issubclass_(cls: Any, kinds: Any) -> Any:
    if type(cls) is Choice:
        return cls.tl_pick([issubclass(o, kinds) for o in cls.tl_options])
    return issubclass(cls, kinds)


def callable_(x: Any) -> Any:
    if type(x) is Choice:
        return x.tl_pick([callable(o) for o in x.tl_options])
    return callable(x)


def _attribute(x: Any, name: Any) -> Any:
    """`x.name`, or `_NONE`; refused where whether there is one depends on the path."""
    refuse_question(x, lambda y: hasattr(y, name))
    found = getattr(x, name, _NONE)
    if type(found) is Undefined:
        if found.reason:
            raise error_of(found)
        return _NONE
    return found


def hasattr_(x: Any, name: Any) -> Any:
    if type(x) is Choice:
        return x.tl_pick([hasattr(o, name) for o in x.tl_options])
    found = settled(_attribute(x, name))
    return weak.mark(convert(found._present)) if type(found) is Maybe else found is not _NONE


def getattr_(x: Any, name: Any, default: Any = _NONE) -> Any:
    if type(x) is not Choice:
        if default is _NONE:
            return getattr(x, name)
        found = settled(_attribute(x, name))
        if type(found) is Maybe:
            value = found._value
            return if_exp(convert(found._present), lambda: value, lambda: default)
        return default if found is _NONE else found
    if default is _NONE or all(hasattr(o, name) for o in x.tl_options):
        return getattr(x, name)

    def read(option: Any) -> Any:
        return Operations.read(option, name) if hasattr(option, name) else default

    return Operations.select(x, read)


def vars_(*x: Any) -> Any:
    if x and type(x[0]) is Choice:
        return operate(vars, x[0], plain=True)
    return vars(*x)


def hash_(x: Any) -> Any:
    if type(x) is Choice:
        return operate(hash_, x)
    if is_unknown(x):
        raise _refusal("hash()", "use what it is of as a key itself, or compare by '=='")
    own = method(x, "__hash__")
    return hash(x) if own is None else own()


def id_(x: Any) -> Any:
    if type(x) is Choice or (is_container(x) and view_of(x) is not None):
        raise _refusal("id()", "ask by 'is'")
    return id(x)


def _encoded(kind: Any, *args: Any, **kwargs: Any) -> Any:
    """`bytes(x)` and `bytearray(x)`"""
    if args and type(args[0]) is Choice:
        return operate(functools.partial(kind, **kwargs), *args)
    if args and is_unknown(args[0]):
        raise _refusal(f"{kind.__name__}()", "do it on each path of an 'if', or in tl.py_function")
    return kind(*args, **kwargs)


def _refusal(question: str, cure: str) -> ConversionError:
    return ConversionError(
        f"{question} at {describe(user_location(2))} is asked of what only the run knows: {cure}"
    )


QUESTIONS: dict[Any, Any] = {
    type: type_,
    issubclass: issubclass_,
    callable: callable_,
    hasattr: hasattr_,
    getattr: getattr_,
    vars: vars_,
    hash: hash_,
    id: id_,
    bytes: functools.partial(_encoded, bytes),
    bytearray: functools.partial(_encoded, bytearray),
}
