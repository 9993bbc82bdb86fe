"""The signature of a call: the key under which its trace is kept.

A tensor counts by dtype and shape, a Python value by type and value, a variable by dtype, shape
and which arguments are the same one, a nested structure by its structure, any other object by
identity. An object's part of the key dies with it: its traces are dropped.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph.dtypes import DType
from ..graph.nest import attribute_names, children, is_mapping, sorted_keys
from ..graph.node import Reference, Tensor, Value
from ..graph.ops.texts import is_text
from ..graph.spec import DataSpec, TensorShape, TensorSpec
from ..runtime import EagerTensor, Variable
from ..runtime.tensor import EagerArray

Key = tuple[Any, ...]
_VALUES = (int, bool, str, bytes, type(None), type(Ellipsis), DType, TensorShape)
_BY_TEXT = (slice, range, complex)  # complex by bits, as float: -0.0 is not 0.0, and NaN is NaN
_BY_TEXT_OF = frozenset(["datetime", "decimal", "fractions", "pathlib", "uuid"])  # their values


def quick_key(args: Sequence[Any]) -> Key | None:
    """The key of the common case, positional eager tensors and plain values; None for others."""
    parts: list[Any] = []
    for a in args:
        kind = type(a)
        if kind is EagerTensor:
            parts.append(a.dtype.code)
            parts.append(a._value.shape)
        elif kind is int or kind is bool or kind is str:
            parts.append(kind)
            parts.append(a)
        else:
            return None
    return tuple(parts)


def tensor_key(dtype: DType, shape: Any) -> Key:
    return ("tensor", dtype.code, None if shape is None else tuple(shape))


class Keyed:
    """A key with what it was made of: tensors, variables, and objects held by identity."""

    __slots__ = ("objects", "parts", "tied", "variables")

    def __init__(self, arguments: Mapping[str, Any], tied: Mapping[int, Variable]) -> None:
        """`tied` are variables that traces of the function capture, by id: an argument that is
        one of them is another case than one that is not.
        """
        self.objects: list[Any] = []
        self.variables: list[Variable] = []
        self.tied = tied
        self.parts: Key = tuple((name, self._key(a)) for name, a in arguments.items())

    def _key(self, x: Any) -> Any:
        if isinstance(x, EagerTensor):
            return tensor_key(x.dtype, x._value.shape)
        if is_text(x):  # of Python's, which only the run knows
            return ("text",)
        if isinstance(x, (Value, TensorSpec)):
            shape = x.shape
            return tensor_key(x.dtype, None if shape.rank is None else shape)
        if isinstance(x, Variable):
            return self._variable_key(x)
        if isinstance(x, (np.ndarray, np.generic)):
            return ("tensor", EagerTensor(np.asarray(x)).dtype.code, x.shape)
        if isinstance(x, EagerArray):
            return ("array", x.spec)
        if isinstance(x, float):
            return (type(x), x.hex())
        if isinstance(x, _VALUES):
            return (type(x), x)
        if isinstance(x, _BY_TEXT) or type(x).__module__.partition(".")[0] in _BY_TEXT_OF:
            return (type(x), repr(x))
        if isinstance(x, (set, frozenset)):
            return (type(x), frozenset([self._key(item) for item in x]))
        if type(x) is functools.partial:  # often made anew for each call
            return ("partial", *[self._part(item) for item in (x.func, x.args, x.keywords)])
        custom = getattr(x, "__tracing_type__", None)
        if custom is not None and not isinstance(x, type):
            return ("custom", type(x), custom())
        items = children(x)
        if items is not None:
            return (*_structure(x), *[self._key(item) for item in items])
        if _is_method(x):
            return ("method", self._object_key(x.__func__), self._object_key(x.__self__))
        return self._object_key(x)

    def _part(self, x: Any) -> Any:
        """The key of what an object holds: that which is no plain value counts as itself."""
        items = None if isinstance(x, Variable) else children(x)
        if items is not None and type(x) in (tuple, list, dict):
            return (*_structure(x), *[self._part(item) for item in items])
        plain = isinstance(x, (*_VALUES, *_BY_TEXT, float)) or _is_method(x)
        return self._key(x) if plain else self._object_key(x)

    def _object_key(self, x: Any) -> Key:
        self.objects.append(x)
        return ("object", id(x))

    def _variable_key(self, x: Variable) -> Key:
        index = next((i for i, v in enumerate(self.variables) if v is x), None)
        if index is None:
            index = len(self.variables)
            self.variables.append(x)
        if id(x) in self.tied:
            return ("variable", x.spec, index, Reference(x))
        return ("variable", x.spec, index)


def key_of(x: Any) -> Key:
    return Keyed({"": x}, {}).parts


def same_key(x: Any, y: Any) -> bool:
    """True if the values count as the same in a signature: a tensor by dtype and shape."""
    return x is y or key_of(x) == key_of(y)


def open_sizes(general: Any, key: Any) -> int | None:
    """How many sizes a key leaves open where it covers another; None where it does not."""
    if not isinstance(general, tuple) or not isinstance(key, tuple):
        return 0 if type(general) is type(key) and general == key else None
    if is_tensor_key(general) and is_tensor_key(key):
        return _tensor_sizes(general, key)
    if len(general) != len(key):
        return None
    total = 0
    for g, k in zip(general, key, strict=True):
        found = open_sizes(g, k)
        if found is None:
            return None
        total += found
    return total


def covers_key(general: Key, key: Key) -> bool:
    """True if a trace of the key `general` serves calls of `key`."""
    return open_sizes(general, key) is not None


def _tensor_sizes(general: Sequence[Any], key: Sequence[Any]) -> int | None:
    if general[1] != key[1]:
        return None
    if general[2] is None:
        return 0 if key[2] is None else 1_000
    if key[2] is None or len(general[2]) != len(key[2]):
        return None
    if any(g is not None and g != k for g, k in zip(general[2], key[2], strict=True)):
        return None
    return sum(size is None for size in general[2])


def is_tensor_key(key: Any) -> bool:
    return isinstance(key, tuple) and len(key) == 3 and key[0] == "tensor"


def alike(x: Any, y: Any) -> bool:
    """True for dicts with the same keys, and for other structures of the same length."""
    if is_mapping(x) or is_mapping(y):
        both = is_mapping(x) and is_mapping(y)
        return both and sorted_keys(x) == sorted_keys(y)
    return len(children(x) or ()) == len(children(y) or ())


def _is_method(x: Any) -> bool:
    """True for a method of an object: it is made anew at each access."""
    return hasattr(x, "__func__") and hasattr(x, "__self__")


def _structure(x: Any) -> Key:
    if is_mapping(x):
        return (type(x), tuple([(type(k), k) for k in sorted_keys(x)]))
    if dataclasses.is_dataclass(x):
        return (type(x), tuple(attribute_names(x)))
    if hasattr(type(x), "__tl_unflatten__"):
        return (type(x), _metadata(x))
    return (type(x),)


def _metadata(x: Any) -> Any:
    """What an object of the user's says of itself besides its items."""
    metadata = x.__tl_flatten__()[0]
    try:
        hash(metadata)
    except TypeError:
        raise TypeError(
            f"{type(x).__qualname__}.__tl_flatten__ gives (metadata, items), and its metadata must "
            f"be hashable, since a trace is looked up by it; got {metadata!r}"
        ) from None
    return metadata


def is_tensor_like(x: Any) -> bool:
    """True for arguments that become inputs of the graph."""
    return isinstance(x, (Tensor, TensorSpec, DataSpec, np.ndarray, np.generic, EagerArray))


def spec_of(x: Any) -> Any:
    """The spec of what is tensor-like."""
    if isinstance(x, (TensorSpec, DataSpec)):
        return x
    if isinstance(x, (Tensor, EagerArray)):
        return x.spec
    return EagerTensor(np.asarray(x)).spec


class Parameters:
    """The parameters of the decorated function: how arguments are bound to names."""

    PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

    def __init__(
        self, name: str, signature: inspect.Signature, gives_defaults: bool = True
    ) -> None:
        self._name = name
        self._gives_defaults = gives_defaults  # to the function, where the call does not
        self.signature = signature
        self.listed = list(self.signature.parameters.values())
        self.names = [p.name for p in self.listed if p.kind in self.PLAIN]
        self.simple = len(self.names) == len(self.listed)

    def without_first(self) -> Parameters:
        """Those of the bound method."""
        signature = self.signature.replace(parameters=self.listed[1:])
        return Parameters(self._name, signature, self._gives_defaults)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by name, with defaults; TypeError as Python gives it."""
        if self.simple and not kwargs and len(args) == len(self.names):
            return dict(zip(self.names, args, strict=True))
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._name}(): {error}") from None
        bound.apply_defaults()
        return dict(bound.arguments)

    def unbind(self, arguments: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for a call of the function."""
        given = dict(arguments)
        if not self._gives_defaults:
            defaults = {p.name: p.default for p in self.listed}
            given = {n: x for n, x in given.items() if x is not defaults[n]}
        bound = inspect.BoundArguments(self.signature, given)
        return bound.args, bound.kwargs
