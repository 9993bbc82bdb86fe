"""Operators and properties of the user's classes: `v + w`, `-v`, `v[i]`, `v.size`.

Python looks for their methods in the class, so the class has converted ones there for as long as a
trace runs. Code that is not traced (another thread's, say) gets the user's own ones.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
import threading
from abc import ABCMeta
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from types import CellType, DynamicClassAttribute, FunctionType, MethodType, ModuleType
from typing import Any

from treadle.graph import Tensor
from treadle.graph.build import convert, is_tracing
from treadle.graph.ops.logic import logical_not
from treadle.graph.symbolic_text import is_active

from .. import policy

_BINARY = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul", "and", "or"),
    *("xor", "lshift", "rshift"),
)
_NAMES = frozenset(
    [f"__{prefix}{name}__" for name in _BINARY for prefix in ("", "r", "i")]
    + [f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "neg", "pos", "invert")]
    + [
        f"__{name}__"
        for name in ("abs", "round", "getitem", "enter", "exit", "missing", "post_init")
    ]
    + ["__get__", "__set__", "__delete__"]
)
_lock = threading.RLock()
comparing: list[Callable[[Any, str, Any], Any]] = []  # set by ordering.py, of tuples
caching: list[Callable[[Any, str, Any], None]] = []  # set by journal.py, of attributes
_convert: list[Callable[[Any], Any]] = []


def convert_with(convert: Callable[[Any], Any]) -> None:
    """Let `convert` find what to call instead of a method; `calls.py` needs this module, too."""
    _convert[:] = [convert]


class _Method:
    """A method that is converted where it is called in a trace."""

    __slots__ = ("__wrapped__",)

    def __init__(self, function: FunctionType) -> None:
        self.__wrapped__ = function

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        function = self.__wrapped__
        if is_tracing():
            function = _convert[0](function)
        return function if owner is None else MethodType(function, owner)

    def __call__(self, *args: Any) -> Any:
        """Python looks `__get__` up without binding it."""
        return self.__get__(None)(*args)


class _Text(_Method):
    """`__str__` and the like, which must give a text of Python: one with marks."""

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        function = super().__get__(owner, cls)
        return function if not is_tracing() else lambda *args: _as_marked(function(*args))


def _as_marked(made: Any) -> Any:
    if type(made) is str or made is NotImplemented:
        return made
    return str(convert(made)) if is_active() else str(made)


class _Inherited(_Method):
    """One that a class of Python's own has given to a class of the user's."""


class _NotEqual:
    """`v != w` by `__eq__`, as Python has it, of what may be a tensor."""

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        if not is_tracing():
            return object.__ne__.__get__(owner, cls)
        return _not_equal if owner is None else MethodType(_not_equal, owner)


def _not_equal(owner: Any, other: Any) -> Any:
    equal: Any = type(owner).__eq__(owner, other)  # type: ignore[call-arg]
    if equal is NotImplemented:
        return equal
    return logical_not(equal) if isinstance(equal, Tensor) else not equal


class _Property(property):
    """A property whose getter is converted in a trace."""

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        if owner is None or self.fget is None or not is_tracing():
            return super().__get__(owner, cls)
        return _convert[0](self.fget)(owner)


class _Dynamic:
    """An attribute that a class looks up in its own way, whose getter is converted in a trace."""

    def __init__(self, own: DynamicClassAttribute) -> None:
        self.__wrapped__ = own

    def __get__(self, owner: Any, cls: Any = None) -> Any:
        own = self.__wrapped__
        if owner is None or own.fget is None or not is_tracing():
            return own.__get__(owner, cls)
        return _convert[0](own.fget)(owner)

    def __set__(self, owner: Any, value: Any) -> None:
        self.__wrapped__.__set__(owner, value)

    def __delete__(self, owner: Any) -> None:
        self.__wrapped__.__delete__(owner)


class _Cached(functools.cached_property[Any]):
    """One whose function is converted in a trace."""

    def __get__(self, owner: Any, cls: Any = None) -> Any:  # type: ignore[override]
        if owner is None or self.attrname is None or not is_tracing():
            return super().__get__(owner, cls)
        value = _convert[0](self.func)(owner)
        caching[0](owner, self.attrname, value)
        return value


_PATCHES = (_Method, _Property, _Dynamic, _NotEqual, _Cached)


class _Patches:
    """What the traces that run now have changed in classes."""

    def __init__(self) -> None:
        self.traces = 0
        self.seen: set[Any] = set()  # classes, and ids of namespaces
        self.replaced: list[tuple[type, str, Any]] = []

    def restore(self) -> None:
        for cls, name, value in reversed(self.replaced):
            if not isinstance(vars(cls).get(name), _PATCHES):
                continue  # the user's code has set another one
            if value is None:
                type.__delattr__(cls, name)
            else:
                type.__setattr__(cls, name, value)
        self.replaced.clear()
        self.seen.clear()


_patches = _Patches()


@contextmanager
def converted_methods(function: Any, arguments: Iterable[Any] = ()) -> Iterator[None]:
    """Inside, operators of the classes that `function`, and what it calls, meets are converted."""
    with _lock:
        _patches.traces += 1
    try:
        inner = getattr(function, "__func__", function)
        if isinstance(inner, FunctionType):
            meet(inner)
        if isinstance(function, MethodType):
            meet_values([function.__self__])
        meet_values(arguments)
        yield
    finally:
        with _lock:
            _patches.traces -= 1
            if not _patches.traces:
                _patches.restore()


def meet(function: FunctionType) -> None:
    """Converted is `function`: it may use the classes that its names stand for."""
    if not _patches.traces:
        return
    if id(function.__globals__) not in _patches.seen:
        _patches.seen.add(id(function.__globals__))
        meet_values(function.__globals__.values())
    meet_values(_contents(function.__closure__ or ()))


def _contents(cells: Iterable[CellType]) -> Iterator[Any]:
    for cell in cells:
        try:
            yield cell.cell_contents
        except ValueError:
            continue


_MOST = 5_000  # values that are looked at from one place


def meet_values(values: Iterable[Any]) -> None:
    """Meet the classes among `values`, of those, and of what these hold."""
    todo, seen = list(values), set()
    for value in todo:  # it grows, and keeps what has an id in `seen`
        cls = value if isinstance(value, type) else type(value)
        if cls in _PLAIN:
            continue
        is_new = cls not in _patches.seen
        meet_class(cls)
        if is_new and not policy.is_library_type(cls):
            todo += [v for v in vars(cls).values() if not hasattr(type(v), "__get__")]
        if id(value) not in seen and len(todo) < _MOST:
            seen.add(id(value))
            todo += _held_by(value)


def _held_by(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return islice(dict.values(value), _MOST_ITEMS)
    for kind in (list, tuple, set, frozenset, deque):
        if isinstance(value, kind):
            iterate: Any = kind.__iter__
            return islice(iterate(value), _MOST_ITEMS)
    if isinstance(value, (type, ModuleType)) or not is_of_users(value):
        return ()
    # To ask for `__dict__` would make the object slower for good.
    return islice(gc.get_referents(value), _MOST_ITEMS)


_MOST_ITEMS = 100  # of one container
_PLAIN = frozenset([bool, int, float, complex, str, bytes, type(None), FunctionType])


def meet_class(cls: type) -> None:
    """Objects of `cls` may be used by converted code."""
    if cls in _patches.seen or not _patches.traces:
        return
    with _lock:
        for base in cls.__mro__:
            if base not in _patches.seen:
                _patches.seen.add(base)
                if not policy.is_library_type(base):
                    _patch(base)


def _patch(cls: type) -> None:
    for name, value in list(vars(cls).items()):
        made: Any = None
        if hasattr(type(value), "__get__"):
            meet_class(type(value))
        own = name in _NAMES or (name == "__init__" and type(cls).__call__ is not type.__call__)
        if isinstance(value, FunctionType) and own and _is_wanted(value):
            made = _Method(value)
        elif isinstance(value, FunctionType) and name in _TEXTS and _is_wanted(value):
            made = _Text(value)
        elif isinstance(value, FunctionType) and name in _SIGNS and _is_generated(cls, value):
            made = _Method(_by_fields(value, _SIGNS[name]))
        elif type(value) is property and _is_wanted(value.fget):
            made = _Property(value.fget, value.fset, value.fdel, value.__doc__)
        elif isinstance(value, DynamicClassAttribute) and _is_wanted(value.fget):
            made = _Dynamic(value)
        elif isinstance(value, functools.cached_property) and _is_wanted(value.func):
            made = _Cached(value.func)
            made.attrname = value.attrname
        if made is not None:
            type.__setattr__(cls, name, made)
            _patches.replaced.append((cls, name, value))
    for name, function in _given(cls):
        type.__setattr__(cls, name, _Inherited(function))
        _patches.replaced.append((cls, name, None))
    converted = isinstance(vars(cls).get("__eq__"), _Method)
    if converted and getattr(cls, "__ne__", None) is object.__ne__:
        type.__setattr__(cls, "__ne__", _NotEqual())
        _patches.replaced.append((cls, "__ne__", None))


def _given(cls: type) -> Iterator[tuple[str, FunctionType]]:
    """The operators that `cls` has from a class of `collections.abc`."""
    if not isinstance(cls, ABCMeta):
        return
    for name in _NAMES.difference(vars(cls)):
        found = getattr(cls, name, None)
        if isinstance(found, FunctionType) and policy.is_given(found):
            yield name, found


_TEXTS = ("__str__", "__repr__", "__format__")
_SIGNS = {"__eq__": "==", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}


def _is_generated(cls: type, function: FunctionType) -> bool:
    generated = function.__code__.co_filename.startswith("<string")
    return generated and "__dataclass_fields__" in vars(cls)


def _by_fields(function: FunctionType, sign: str) -> Any:
    """A comparison of dataclasses, which compares their fields in tuples."""

    @functools.wraps(function)
    def compare(one: Any, other: Any) -> Any:
        if not is_tracing() or type(one) is not type(other):
            chosen = hasattr(type(other), "__tl_chosen__")  # which compares itself
            return NotImplemented if chosen else function(one, other)
        names = [f.name for f in dataclasses.fields(one) if f.compare]
        both = [tuple([getattr(x, n) for n in names]) for x in (one, other)]
        return comparing[0](both[0], sign, both[1])

    setattr(compare, policy.DO_NOT_CONVERT, True)
    return compare


def _is_wanted(function: Any) -> bool:
    return (
        isinstance(function, FunctionType)
        and not function.__code__.co_filename.startswith("<string")
        and policy.may_need_conversion(function)
    )


def is_added(value: Any) -> bool:
    """True for what a class has only during a trace."""
    return type(value) in (_NotEqual, _Inherited)


def original(value: Any) -> Any:
    """What the user's class has for what it has during a trace."""
    if type(value) in (_Property, _Cached):
        return next((v for _, _, v in _patches.replaced if _is_of(value, v)), value)
    return value.__wrapped__ if type(value) in (_Method, _Text, _Dynamic) else value


def _is_of(made: Any, value: Any) -> bool:
    if isinstance(made, _Cached):
        return isinstance(value, functools.cached_property) and value.func is made.func
    return type(value) is property and value.fget is made.fget and value.fset is made.fset


def is_of_users(x: Any) -> bool:
    """True for an object of a class that Python code of the user's has made."""
    return bool(type(x).__flags__ & 1 << 9) and not policy.is_library_type(type(x))


def method(x: Any, name: str) -> Callable[..., Any] | None:
    """The converted method `name` of an object, where its class has one that is converted."""
    found = getattr(type(x), name, None)
    if not isinstance(found, FunctionType) or not is_tracing():
        return None
    if not policy.may_need_conversion(found):
        return None
    if policy.is_library_type(type(x)) and not policy.is_given(found):
        return None
    return MethodType(_convert[0](found), x)
