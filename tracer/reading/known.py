"""What an attribute or item of a known value is, found without running the user's code."""

from __future__ import annotations

import collections
import enum
import functools
import gc
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import (
    DynamicClassAttribute,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

import numpy as np

from ...autograph import policy
from ...graph.dtypes import DType
from ...graph.nest import children
from ...graph.node import Tensor
from ...graph.spec import ResourceSpec, TensorShape, TensorSpec
from .access import Access, Places, reference
from .facts import Inner

MOST_ITEMS = 256
PLAIN = (int, float, complex, bool, str, bytes, type(None), type(Ellipsis), DType, TensorShape)
CONTAINERS = (list, dict, set, bytearray, collections.deque)
SEQUENCES = (list, bytearray, collections.deque)
WRAPPERS = (  # those of the library that hold a list or dict
    collections.UserDict,
    collections.UserList,
    collections.ChainMap,
    MappingProxyType,
)
TENSORS = (Tensor, TensorSpec, ResourceSpec, np.ndarray)


@dataclass(eq=False, slots=True)
class Known:
    """A value, and where a check finds it; no place for arguments, constants, passing values."""

    value: Any
    place: Access | None = None


@dataclass(eq=False, slots=True)
class Made:
    """A tuple or list that the function makes: what its items may be."""

    items: list[list[Known]]
    depth: int = 1  # of those in those
    unordered: bool = False  # each may be anywhere
    names: tuple[str, ...] = ()  # of a dict, its keys


@dataclass(eq=False, slots=True)
class Closure:
    """A function that a function makes."""

    frame: Any  # of the function that makes it
    inner: Inner


@dataclass(eq=False, slots=True)
class Computed:
    """An attribute that a function of the class gives: a property, or `__getattr__`."""

    function: FunctionType
    arguments: list[list[Known]]


_WITHOUT_PARTS = (*PLAIN, *TENSORS, Made, Closure)


class Values:
    """Looks up attributes and items of known values, and remembers where each value was met."""

    def __init__(self) -> None:
        self.places = Places()
        self.seen: dict[Access, Any] = {}
        self.namespaces: dict[int, dict[str, Any]] = {}  # of modules, by id
        self._place_of: dict[int, Access] = {}
        self._alive: list[Any] = []

    def known(self, value: Any, place: Access | None) -> Known:
        if place is not None:
            self.seen[place] = value
            self._place_of.setdefault(id(value), place)
        self._alive.append(value)
        return Known(value, place)

    def namespace(self, names: dict[str, Any]) -> Known:
        """The names of a module, as `globals()` gives them."""
        self.namespaces[id(names)] = names
        return Known(names)

    def place_of(self, known: Known, name: str = "") -> Access | None:
        """Where a check finds `known`; an object that is an argument is found by itself."""
        x = known.value
        if known.place is not None:
            return self._straight(known.place, x)
        found = self._place_of.get(id(x))
        if found is not None:
            return found
        if isinstance(x, ModuleType):
            return self.places.object(x, x.__name__)
        if children(x) is not None or hasattr(type(x), "__tracing_type__"):
            return None  # another one may take its place
        if not _has_weak_reference(x) and not _is_object(x):
            return None
        place = self.places.object(x, name or ("self" if not isinstance(x, type) else x.__name__))
        self.seen[place] = x
        return place

    def _straight(self, place: Access, x: Any) -> Access:
        """The place on the way to `place` that holds `x` itself, if there is one: of objects that
        refer to each other there are ways without end. Those places are guarded as well.
        """
        found, on_the_way = place, place.base
        while isinstance(on_the_way, Access):
            if self.seen.get(on_the_way) is x:
                found = on_the_way
            on_the_way = on_the_way.base
        return found

    def attribute(self, known: Known, name: str) -> list[Known] | Computed:
        """What `known.name` is: at most one value, unless code of the user's has to tell."""
        x = known.value
        if isinstance(x, ModuleType):
            if name == "__dict__" and not is_library(x):
                return [self.namespace(vars(x))]
            if name not in vars(x):
                return []
            return [self._attribute(known, vars(x)[name], name, guarded=not is_library(x))]
        if isinstance(x, type):
            return self._of_class(known, x, name)
        kind = type(x)
        if isinstance(x, _WITHOUT_PARTS) or _root(kind) in ("treadle", "numpy"):
            return []
        if isinstance(x, tuple):
            named = name in getattr(kind, "_fields", ())
            return [self._attribute(known, getattr(x, name), name)] if named else []
        if isinstance(kind.__getattribute__, FunctionType):
            return []
        return self._of_instance(known, name)

    def _of_instance(self, known: Known, name: str) -> list[Known] | Computed:
        x, kind = known.value, type(known.value)
        raw = static(kind, name)
        if isinstance(raw, (property, DynamicClassAttribute)):
            return Computed(raw.fget, [[known]]) if isinstance(raw.fget, FunctionType) else []
        if name == "__class__" and raw is _CLASS:
            return [Known(kind)]
        if isinstance(raw, MemberDescriptorType) or (
            name == "__dict__" and isinstance(raw, GetSetDescriptorType)
        ):
            try:
                return [self._attribute(known, raw.__get__(x), name)]
            except AttributeError:
                return []
        if raw is not _NOTHING and hasattr(type(raw), "__set__"):
            return self._by_getter(known, kind, raw)
        if raw is not _NOTHING and hasattr(type(raw), "__get__"):
            return self._by_descriptor(known, kind, raw, name)
        try:
            # Runs no code of the user's here; `__dict__` would make the object slower for good.
            value = object.__getattribute__(x, name)
        except AttributeError:
            return self._missing(known, kind, name)
        return [self._attribute(known, value, name)]

    def _by_descriptor(
        self, known: Known, kind: type, raw: Any, name: str
    ) -> list[Known] | Computed:
        """What a class has under a name that gives way to an attribute of the object itself."""
        x = known.value
        if isinstance(raw, FunctionType):
            found = object.__getattribute__(x, name)
            if getattr(found, "__func__", None) is not raw:
                return [self._attribute(known, found, name)]
            base = self.place_of(known)
            if base is None:
                place = self.places.attribute(self._place_of_class(kind), name)
            else:
                place = self.places.attribute(self.places.attribute(base, name), "__func__")
                place.name = f"{base.name}.{name}"
            self.seen[place] = raw
            return [Known(found, place)]
        own = getattr(x, "__dict__", None)
        if type(own) is dict and name in own:
            return [self._attribute(known, own[name], name)]
        if isinstance(raw, (staticmethod, classmethod)):
            return self._of_class(Known(kind, self._place_of_class(kind)), kind, name)
        if isinstance(raw, functools.cached_property) and isinstance(raw.func, FunctionType):
            return Computed(raw.func, [[known]])
        return self._by_getter(known, kind, raw)

    def _by_getter(self, known: Known, kind: type, raw: Any) -> list[Known] | Computed:
        get = static(type(raw), "__get__")
        if not isinstance(get, FunctionType) or policy.is_library_function(get):
            return []
        return Computed(get, [[Known(raw)], [known], [Known(kind)]])

    def _place_of_class(self, kind: type) -> Access:
        place = self.places.object(kind, kind.__name__)
        self.seen[place] = kind
        return place

    def absent(self, known: Known, name: str) -> Access | None:
        """The place of an attribute that an object, or an item that a dict, does not have."""
        x = known.value
        if id(x) in self.namespaces:
            return self.places.variable(x, name)
        base = self.place_of(known)
        if base is None:
            return None
        if isinstance(x, dict):
            return self.places.item(base, name)
        kind = type(x)
        if isinstance(x, (type, ModuleType)) or isinstance(kind.__getattribute__, FunctionType):
            return None
        if any(static(kind, n) is not _NOTHING for n in (name, "__getattr__")):
            return None
        try:
            object.__getattribute__(x, name)
        except AttributeError:
            return self.places.attribute(base, name)
        return None

    def _attribute(self, known: Known, value: Any, name: str, guarded: bool = True) -> Known:
        base = self.place_of(known) if guarded else None
        return self.known(value, None if base is None else self.places.attribute(base, name))

    def _of_class(self, known: Known, cls: type, name: str) -> list[Known]:
        if issubclass(cls, enum.Enum):
            member = cls._member_map_.get(name)
            return [] if member is None else [Known(member)]
        raw = static(cls, name)
        library = policy.is_library_type(cls)
        if isinstance(raw, classmethod):
            return [Known(MethodType(raw.__func__, cls))]
        if isinstance(raw, staticmethod):
            raw = raw.__func__
        elif raw is _NOTHING or (
            not isinstance(raw, FunctionType) and hasattr(type(raw), "__get__")
        ):
            return []
        return [self._attribute(known, raw, name, guarded=not library)]

    def _missing(self, known: Known, kind: type, name: str) -> list[Known] | Computed:
        fallback = static(kind, "__getattr__")
        if fallback is dict.__getitem__ and isinstance(known.value, dict):
            return self.item(known, name)
        if isinstance(fallback, FunctionType):
            return Computed(fallback, [[known], [Known(name)]])
        return []

    def item(self, known: Known, key: Any) -> list[Known]:
        """What `known[key]` is."""
        x = known.value
        if isinstance(x, Made):
            if x.unordered:
                return [*self.items(known)]
            if x.names:
                return x.items[x.names.index(key)] if key in x.names else []
            at = isinstance(key, int) and -len(x.items) <= key < len(x.items)
            return x.items[key] if at else []
        if type(x) in (collections.UserDict, collections.UserList):
            return [v for inner in self.wrapped(known) for v in self.item(inner, key)]
        if not plainly_indexed(x) or isinstance(key, slice):
            return []
        try:
            if isinstance(x, dict) and not dict.__contains__(x, key):
                return []  # a defaultdict would get it
            value = x[key] if not isinstance(x, dict) else dict.__getitem__(x, key)
        except Exception:
            return []
        if id(x) in self.namespaces:
            return [self.known(value, self.places.variable(x, key))]
        base = self.place_of(known)
        return [self.known(value, None if base is None else self.places.item(base, key))]

    def wrapped(self, known: Known) -> list[Known]:
        """The list or dict in one of the WRAPPERS."""
        x = known.value
        if type(x) is MappingProxyType:
            inner = gc.get_referents(x)[:1]
            base = self.place_of(known)
            if base is None or not (inner and isinstance(inner[0], dict)):
                return []
            return [Known(inner[0], base)]  # the same items are found by it
        for name in ("data", "maps"):
            found = vars(x).get(name)
            if found is not None:
                return [self._attribute(known, found, name)]
        return []

    def items(self, known: Known) -> Iterable[Known]:
        """What a loop over `known` gives; for a dict, what is in it."""
        x = known.value
        if type(x) in WRAPPERS:
            return [v for inner in self.wrapped(known) for v in self.items(inner)]
        if isinstance(x, Made):
            return [k for candidates in x.items for k in candidates]
        if isinstance(x, dict):
            keys: Iterable[Any] = list(x)[:MOST_ITEMS]
        elif plainly_indexed(x):
            keys = range(min(len(x), MOST_ITEMS))
        elif isinstance(x, (set, frozenset)):
            return [Known(item) for item in list(x)[:MOST_ITEMS]]
        else:
            return []
        return [k for key in keys for k in self.item(known, key)]


_NOTHING = object()
_CLASS = object.__dict__["__class__"]


def is_library(module: ModuleType) -> bool:
    """True for a module that is none of the user's; one without a file may be."""
    root = module.__name__.partition(".")[0]
    if getattr(module, "__file__", None) is None and root not in sys.stdlib_module_names:
        return root in ("treadle", "numpy")
    return policy.is_library_module(module)


def static(cls: type, name: str) -> Any:
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return _NOTHING


def _root(cls: type) -> str:
    return str(cls.__module__).partition(".")[0]


def _has_weak_reference(x: Any) -> bool:
    return isinstance(x, type) or hasattr(reference(x), "__callback__")


def _is_object(x: Any) -> bool:
    """True for what has attributes, but no weak references. It lives as long as its traces."""
    plain = isinstance(x, (*_WITHOUT_PARTS, *CONTAINERS, tuple, frozenset))
    return not plain and type(x).__module__ != "builtins"


def plainly_indexed(x: Any) -> bool:
    """True for lists, tuples and dicts whose items are found by Python itself."""
    if isinstance(x, dict):
        return type(x).__getitem__ is dict.__getitem__ and type(x).__iter__ in (
            dict.__iter__,
            collections.OrderedDict.__iter__,
        )
    if isinstance(x, (list, tuple)):
        kind = list if isinstance(x, list) else tuple
        return type(x).__getitem__ is kind.__getitem__ and type(x).__iter__ is kind.__iter__
    return isinstance(x, collections.deque) and type(x) is collections.deque


__all__ = [
    "CONTAINERS",
    "MOST_ITEMS",
    "PLAIN",
    "SEQUENCES",
    "TENSORS",
    "WRAPPERS",
    "Closure",
    "Computed",
    "Known",
    "Made",
    "Values",
    "is_library",
    "plainly_indexed",
    "static",
]
