"""Changes of objects in converted code: each is told to the journal before it happens.

ag.changing(self).n += 1
ag.changing(table)[key] = value
ag.assigning(lambda: count)         # before `count = ...` for a nonlocal or global name
"""

from __future__ import annotations

import functools
import operator
import weakref
from collections import deque
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np

from treadle.graph import Tensor, Value
from treadle.graph.build import is_tracing

from .. import policy
from ..changes import aliases, journal
from ..changes.contents import ITEMS, GlobalName, Place
from ..changes.item_changes import Viewed, changed, has_own_items, is_item
from ..changes.touching import ABSTRACT, MUTABLE, touch_all, touch_argument
from ..control.choice import Choice
from ..convert import is_converted
from ..values.given import refuse_change
from ..values.inside import InTable, staged_in, table_in
from ..values.list_places import is_symbolic
from ..values.optional import taken
from ..values.staged_list import StagedList, stage
from . import keys, table_methods
from .gathering import in_list

Convert = Callable[[Any], Any]
_OF_DICTS = frozenset(["clear", "pop", "popitem", "setdefault", "update"])
# Classes, and whether their objects run the user's code when they are changed.
_special: weakref.WeakKeyDictionary[type, bool] = weakref.WeakKeyDictionary()


def changing(owner: Any, sign: str = "") -> Any:
    """`owner`, of which an attribute or item is assigned or deleted next, or which itself is
    changed by an operator `sign` of sets.
    """
    if not is_tracing():
        return owner
    owner = taken(owner)
    kind = type(owner)
    if sign and isinstance(owner, dict) and table_in(owner) is not None:
        raise table_methods.refusal(sign)
    if kind is Choice:
        return owner  # which tells its options
    if journal.is_watched():
        refuse_change(owner)
        journal.touch(owner)
        if kind not in MUTABLE and isinstance(owner, ABSTRACT):
            touch_argument(owner)  # such as UserDict, which keeps its items in an attribute
    special = _special.get(kind)
    if special is None:
        special = _special[kind] = _is_special(kind)
    own = special or isinstance(owner, (list, dict, deque, StagedList)) or InTable.alive
    return Changing(owner) if own or journal.is_staged() or is_item(owner) else owner


def in_place(owner: Any, sign: str, value: Any) -> Any:
    """`owner += value` and the like; what `owner` is then."""
    owner = taken(owner)
    changing(owner, sign if sign == "|=" else "")
    if aliases.is_container(owner) and is_tracing():
        involved = aliases.is_involved(owner)
        many = isinstance(owner, list) and isinstance(value, Value)
        if sign == "*=" and (involved or many):
            aliases.Operations.change(owner, lambda o: _repeat(o, value))
            return owner
        given = sign == "|=" and isinstance(owner, dict) and not isinstance(value, dict)
        if sign != "*=" and (involved or given):
            change: Any = _convert[0](owner.extend if sign == "+=" else owner.update)
            change(value)
            return owner
    if sign == "+=" and is_tracing() and _is_list(owner):
        value = in_list(value)
        if staged_in(value) is not None:
            extend: Any = _convert[0](owner.extend)
            extend(value)
            return owner
    if isinstance(owner, np.ndarray) and isinstance(value, Tensor):
        return _BINARY[sign](owner, value)  # a tensor: the array stays as it is
    return _IN_PLACE[sign](owner, value)


_BINARY = {"+=": operator.add, "*=": operator.mul, "|=": operator.or_}
_IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "+=": operator.iadd,
    "*=": operator.imul,
    "|=": operator.ior,
}


def _repeat(owner: Any, count: Any) -> None:
    staged = stage(owner)
    made = staged * count
    staged.item, staged.arrays = made.item, made.arrays


def assigning(thunk: FunctionType) -> None:
    """The variable that `thunk` reads is assigned next."""
    if journal.is_watched():
        free = thunk.__code__.co_freevars
        if free:
            assert thunk.__closure__ is not None
            journal.touch(thunk.__closure__[0], free[0])
        else:
            name = thunk.__code__.co_names[0]
            journal.touch(GlobalName(thunk.__globals__, name), name)


def _is_special(kind: type) -> bool:
    names = ("__setattr__", "__delattr__", "__setitem__", "__delitem__")
    if any(policy.may_need_conversion(getattr(kind, n, None)) for n in names):
        return True
    return any(
        isinstance(value, property) and policy.may_need_conversion(value.fset)
        for base in kind.__mro__
        for value in vars(base).values()
    )


_convert: list[Convert] = []


def convert_with(convert: Convert) -> None:
    """Let `convert` find what to call instead of a method; `calls.py` needs this module, too."""
    _convert[:] = [convert]


def _converted(owner: Any, method: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """What `plain(owner, ...)` calls: the user's method, converted, where there is one."""
    found = getattr(type(owner), method, None)
    if isinstance(found, FunctionType) and policy.may_need_conversion(found):
        made: Callable[..., Any] = _convert[0](found)
        return made
    return plain


class Changing:
    """Stands for an object in the target of an assignment."""

    __slots__ = ("_owner",)

    def __init__(self, owner: Any) -> None:
        object.__setattr__(self, "_owner", owner)

    def __getattribute__(self, name: str) -> Any:
        owner = object.__getattribute__(self, "_owner")
        found = property_of(owner, name)
        if found is not None and policy.may_need_conversion(found.fget):
            value = _convert[0](found.fget)(owner)
        else:
            value = getattr(owner, name)
        if isinstance(value, dict) and table_in(value) is not None:
            raise table_methods.refusal("an operator in place")
        _touch(value, None)  # `owner.name += value` may change it in place
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        owner = object.__getattribute__(self, "_owner")
        found = property_of(owner, name)
        if found is not None and policy.may_need_conversion(found.fset):
            _convert[0](found.fset)(owner, value)
            return
        if found is None:
            _touch(owner, ("attribute", name))
        with changed(owner):
            _converted(owner, "__setattr__", setattr)(owner, name, value)

    def __delattr__(self, name: str) -> None:
        owner = object.__getattribute__(self, "_owner")
        _touch(owner, ("attribute", name))
        with changed(owner):
            _converted(owner, "__delattr__", delattr)(owner, name)

    def __getitem__(self, key: Any) -> Any:
        owner = object.__getattribute__(self, "_owner")
        value = _item_of(owner, key)
        _touch(value, None)
        return value

    def __setitem__(self, key: Any, value: Any) -> None:
        owner = object.__getattribute__(self, "_owner")
        if aliases.is_container(owner) and aliases.is_involved(owner):
            aliases.Operations.change(owner, lambda o: _set_item(o, key, value))
            return
        with changed(owner):
            _set_item(owner, key, value)

    def __delitem__(self, key: Any) -> None:
        owner = object.__getattribute__(self, "_owner")
        if aliases.is_container(owner) and aliases.is_involved(owner):
            aliases.Operations.change(owner, lambda o: operator.delitem(o, key))
            return
        with changed(owner):
            _del_item(owner, key)


def _touch(owner: Any, place: Place | None) -> None:
    if journal.is_watched():
        journal.touch(owner, None, place)


def property_of(owner: Any, name: str) -> property | None:
    for base in type(owner).__mro__:
        if name in vars(base):
            found = vars(base)[name]
            return found if isinstance(found, property) else None
    return None


def _set_item(owner: Any, key: Any, value: Any) -> None:
    if isinstance(key, slice):
        value = in_list(value)
    held = staged_in(owner) is not None or (isinstance(key, slice) and staged_in(value) is not None)
    if _is_list(owner) and (held or is_symbolic(key)):
        _touch(owner, None)
        stage(owner)[key] = value
        journal.mark(owner, ITEMS)
        return
    if isinstance(owner, dict) and _is_keyed(owner, key):
        keys.store(owner, key, value)
        return
    if isinstance(owner, (list, dict)):
        _touch(owner, _item(owner, key))
    _converted(owner, "__setitem__", operator.setitem)(owner, key, value)


def _del_item(owner: Any, key: Any) -> None:
    if _is_list(owner) and (is_symbolic(key) or staged_in(owner) is not None):
        del stage(owner)[key]
    elif isinstance(owner, dict) and _is_keyed(owner, key):
        keys.delete(owner, key)
    else:
        _converted(owner, "__delitem__", operator.delitem)(owner, key)


def _item_of(owner: Any, key: Any) -> Any:
    if _is_list(owner) and has_own_items(owner):
        return Viewed(owner)[key]
    if _is_list(owner) and (is_symbolic(key) or staged_in(owner) is not None):
        return StagedList.of(owner)[key]
    if isinstance(owner, dict) and _is_keyed(owner, key):
        return keys.read(owner, key)
    return _converted(owner, "__getitem__", operator.getitem)(owner, key)


def _is_keyed(owner: dict[Any, Any], key: Any) -> bool:
    """True if only the run knows which item of a dict that is."""
    return keys.is_unknown(key) or table_in(owner) is not None


def _is_list(owner: Any) -> bool:
    return isinstance(owner, list) or type(owner) is deque


def _item(owner: Any, key: Any) -> Place | None:
    if isinstance(owner, dict):
        return ("item", key)
    if type(key) is int and -len(owner) <= key < len(owner):
        return ("item", key % len(owner))
    return None


_SPECIAL = ("__setitem__", "__delitem__", "__setattr__", "__delattr__")


def special_method(method: Any) -> Any:
    """What to call instead of a method such as `x.__setitem__` of a class of C."""
    if not is_tracing():
        return method
    if method.__name__ not in _SPECIAL:
        staged = staged_in(method.__self__)
        return method if staged is None else functools.partial(_on_staged, method, staged)
    return functools.partial(getattr(Changing, method.__name__), Changing(method.__self__))


_BUILTINS = {
    "__len__": len,
    "__iter__": iter,
    "__reversed__": reversed,
    "__contains__": operator.contains,
    "__repr__": repr,
    "__str__": str,
}


def _on_staged(method: Any, staged: Any, *args: Any) -> Any:
    """`method`, which is a list's own, on what the graph holds of the list."""
    name = method.__name__
    if name in _BUILTINS:
        builtin = _BUILTINS[name]
        return policy.replaced.get(builtin, builtin)(staged, *args)
    if not hasattr(operator, name):
        return method(*args)
    return getattr(operator, name)(staged, *args)


def set_attribute(x: Any, name: str, value: Any) -> None:
    """`setattr(x, name, value)`"""
    setattr(changing(x), name, value)


def delete_attribute(x: Any, name: str) -> None:
    """`delattr(x, name)`"""
    delattr(changing(x), name)


# --- calls ---------------------------------------------------------------------------------


def watched(function: Any) -> Any:
    """`function`, which is not converted, as it is called in a scope: what it may change is
    touched first.
    """
    owner = getattr(function, "__self__", None)
    if isinstance(function, (BuiltinFunctionType, MethodType)) and isinstance(owner, MUTABLE):
        if function.__name__ in _OF_DICTS:
            refuse_change(owner)
        journal.touch(owner)
    if not journal.is_staged():
        return function
    code = getattr(function, "__code__", None)
    if not policy.may_change_something(function) or (code is not None and is_converted(code)):
        return function

    def call(*args: Any, **kwargs: Any) -> Any:
        touch_all(function, (*args, *kwargs.values()))
        return function(*args, **kwargs)

    return call
