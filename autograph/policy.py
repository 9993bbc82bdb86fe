"""What is converted and what is left alone.

Converted is the user's Python: functions, methods, callable objects. Never converted are treadle,
NumPy, the standard library, installed packages (but for those of whose functions one was handed to
treadle), generators, coroutines and whatever has no Python source.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import os
import sys
import sysconfig
from collections.abc import (
    Callable,
    ItemsView,
    Iterator,
    KeysView,
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Set,
    ValuesView,
)
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from treadle.graph.location import is_internal

DO_NOT_CONVERT = "__tl_do_not_convert__"
_GENERATORS = (
    inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
    | inspect.CO_ITERABLE_COROUTINE
)
_OUR_ROOTS = frozenset({"treadle", "numpy"})
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class made while the program runs
_INSTALLED = tuple(
    {
        os.path.join(resolve(sysconfig.get_paths()[kind]), "")
        for kind in ("stdlib", "platstdlib", "purelib", "platlib")
        for resolve in (os.path.abspath, os.path.realpath)
    }
)
_user_roots: set[str] = set()
_library_files: dict[str, bool] = {}


def count_as_user(f: FunctionType) -> None:
    """Convert also what else the package of `f` holds, although it is installed."""
    root = _root(f.__globals__.get("__name__"))
    if root not in sys.stdlib_module_names:
        _user_roots.add(root)


def is_library_module(module: ModuleType) -> bool:
    root = _root(module.__name__)
    file = getattr(module, "__file__", None)
    if root in _OUR_ROOTS:
        return root != "treadle" or file is None or is_internal(file)
    return root not in _user_roots and root != "__main__" and is_library_file(file)


def is_library_function(f: FunctionType) -> bool:
    if is_given(f) or f.__code__ in converted:
        return False
    root, file = _root(f.__globals__.get("__name__")), f.__code__.co_filename
    if root in _OUR_ROOTS:
        return root != "treadle" or is_internal(file)
    return root not in _user_roots and is_library_file(file)


_ABSTRACT = (
    *(MutableSequence, Mapping, MutableMapping, Set, MutableSet),
    *(KeysView, ItemsView, ValuesView),
)


def _methods_of(cls: type) -> Iterator[FunctionType]:
    for value in vars(cls).values():
        method = getattr(value, "__func__", value)
        if isinstance(method, FunctionType):
            yield method


# Methods that Python gives to the user's classes: those of @functools.total_ordering and of
# `collections.abc`. Those that search in a sequence are in `list_searching.py`.
_GIVEN = frozenset(
    f.__code__
    for f in (
        *(f for derived in functools._convert.values() for _, f in derived),  # type: ignore[attr-defined]
        *(f for kind in _ABSTRACT for f in _methods_of(kind)),
    )
)


def is_given(f: FunctionType) -> bool:
    """True for methods of Python's own that call the user's and are converted as those are."""
    return f.__code__ in _GIVEN


def is_library_type(cls: type) -> bool:
    """True if instances of the class are none of the user's own making."""
    module = sys.modules.get(cls.__module__)
    if module is builtins:  # so says a class, too, that exec() made without a __name__
        return not cls.__flags__ & _HEAP_TYPE or getattr(builtins, cls.__name__, None) is cls
    return module is not None and is_library_module(module)


_CHANGING_MODULES = frozenset(
    ["heapq", "_heapq", "bisect", "_bisect", "random", "operator", "_operator"]
)
_UNCHANGING = (str, bytes, int, float, complex, tuple, frozenset, range, slice, type(None))


def may_change_something(value: object) -> bool:
    """True if a call of `value`, which is not converted, may change an object of the user's."""
    match value:
        case BuiltinFunctionType() if isinstance(value.__self__, (ModuleType, type(None))):
            if value.__module__ == "builtins":
                return value in (setattr, delattr, next)
            return value.__module__ in _CHANGING_MODULES
        case BuiltinFunctionType() | MethodType():
            return not isinstance(value.__self__, (_UNCHANGING, ModuleType)) and not is_ours(
                value.__self__
            )
        case MethodDescriptorType() | WrapperDescriptorType():
            return not issubclass(value.__objclass__, _UNCHANGING)
        case FunctionType():
            return _root(value.__module__) in _CHANGING_MODULES or not is_library_function(value)
        case _:
            return isinstance(value, functools.partial)


def is_changed_by_methods(cls: type) -> bool:
    """True for library types whose methods may change the object, in ways that the journal must
    be told of: containers, but no tensors and variables.
    """
    return not (issubclass(cls, _UNCHANGING) or _root(cls.__module__) == "treadle")


def is_ours(value: object) -> bool:
    """True for functions and objects of treadle and NumPy."""
    module = getattr(value, "__module__", None) or type(value).__module__
    return _root(module) in _OUR_ROOTS or _root(type(value).__module__) in _OUR_ROOTS


def is_installed(root: str) -> bool:
    """True for the top package of a library that is neither ours nor Python's own."""
    module = sys.modules.get(root)
    ours = root in _OUR_ROOTS or root in sys.stdlib_module_names
    return module is not None and not ours and is_library_module(module)


def why_not(code: CodeType) -> str | None:
    """Why functions of this code can't be converted, as far as the code itself tells."""
    if code.co_flags & _GENERATORS:
        kind = "a generator" if code.co_flags & inspect.CO_GENERATOR else "an async function"
        return f"it is {kind}"
    if not code.co_flags & inspect.CO_NEWLOCALS:
        return "it is no function"
    return None


# What stands in for Python's builtins in a trace; filled by builtins.py.
replaced: dict[Any, Any] = {}
# Code of ours that is converted as if it were the user's; filled by heaps.py.
converted: set[CodeType] = set()
# What is called instead of a function of this code of Python's own; filled by decorated.py.
instead: dict[CodeType, Callable[..., Any]] = {}


def is_replaced(value: object) -> bool:
    """True for a builtin that something stands in for in a trace, or that calls functions."""
    if takes_functions(value) or is_decorated(value):
        return True
    return isinstance(value, (BuiltinFunctionType, FunctionType, type)) and value in replaced


def is_decorated(value: object) -> bool:
    """True for what a decorator of Python's own has made of a function."""
    return isinstance(value, FunctionType) and value.__code__ in instead


def takes_functions(value: object) -> bool:
    """True for what of `itertools` calls a function that it is given."""
    return isinstance(value, type) and value.__module__ == "itertools"


def may_need_conversion(value: object) -> bool:
    """True if a call of `value` may run code that has to be converted."""
    match value:
        case FunctionType():
            if DO_NOT_CONVERT in value.__dict__ or why_not(value.__code__):
                return False
            return not is_library_function(value)
        case MethodType():
            return may_need_conversion(value.__func__)
        case staticmethod() | classmethod():
            return may_need_conversion(value.__func__)
        case functools.partial():
            return may_need_conversion(value.func)
        case type():
            return has_own_init(value)
        case _:
            cls = type(value)
            # Not callable(): of a class whose calls are Python the function is wanted.
            own = getattr(cls, "__call__", None)  # noqa: B004
            return isinstance(own, FunctionType) and not is_library_type(cls)


def is_bare_class(value: object) -> bool:
    """True for a class of the user's whose objects are made without code of the user's."""
    return (
        type(value) is type
        and not is_library_type(value)
        and not issubclass(value, (BaseException, tuple))
        and not hasattr(value, "__dataclass_fields__")
        and not has_own_init(value)
    )


def has_own_init(cls: type) -> bool:
    """True if the class is made in the plain way and its `__init__` is the user's Python."""
    init: Any = cls.__init__  # type: ignore[misc]
    return (
        type(cls).__call__ is type.__call__
        and isinstance(init, FunctionType)
        and not init.__code__.co_filename.startswith("<")
        and may_need_conversion(init)
    )


def _root(module: object) -> str:
    return module.partition(".")[0] if isinstance(module, str) else ""


def is_library_file(file: str | None) -> bool:
    """True for a file that came with Python or was installed, None for what is built in."""
    if file is None:
        return True  # built into the interpreter
    known = _library_files.get(file)
    if known is None:
        known = file.startswith("<frozen ") or os.path.abspath(file).startswith(_INSTALLED)
        _library_files[file] = known
    return known
