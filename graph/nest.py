"""Nested structures of tensors: lists, tuples, named tuples, dicts, dataclasses, attrs classes,
and classes of the user's with `__tl_flatten__`, which gives `(metadata, items)`, and a class method
`__tl_unflatten__(metadata, items)`.
"""

from __future__ import annotations

import copy
import dataclasses
from collections import ChainMap, UserDict, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeGuard

from .spec import TensorShape


def children(structure: Any) -> list[Any] | None:
    """The items of one level of nesting, dicts by sorted key; None for a leaf."""
    if isinstance(structure, (list, tuple)) and not isinstance(structure, TensorShape):
        return list(structure)
    if is_mapping(structure):
        return [structure[k] for k in sorted_keys(structure)]
    if dataclasses.is_dataclass(structure) and not isinstance(structure, type):
        return [getattr(structure, name) for name in attribute_names(structure)]
    if hasattr(type(structure), "__tl_flatten__"):
        user = hasattr(type(structure), "__tl_unflatten__")
        return list(structure.__tl_flatten__()[1 if user else 0])
    if hasattr(type(structure), "__attrs_attrs__"):
        return [getattr(structure, a.name) for a in type(structure).__attrs_attrs__]
    return None


def item_names(structure: Any) -> list[str]:
    """How a program reaches each of the `children`: `[0]`, `['key']`, `.field`."""
    count = len(children(structure) or ())
    if is_mapping(structure):
        return [f"[{k!r}]" for k in sorted_keys(structure)]
    if dataclasses.is_dataclass(structure):
        return [f".{name}" for name in attribute_names(structure)]
    fields: Any = getattr(structure, "_fields", None)
    if fields is None:
        fields = [a.name for a in getattr(type(structure), "__attrs_attrs__", ())]
    return [f".{n}" for n in fields] if len(fields) == count else [f"[{i}]" for i in range(count)]


_MAPPINGS = (dict, UserDict, ChainMap, MappingProxyType)


def is_mapping(x: Any) -> TypeGuard[Mapping[Any, Any]]:
    """True for dicts and what of the library holds one. Other mappings are objects like any other:
    their items are what code of the user's makes of their attributes.
    """
    return isinstance(x, _MAPPINGS)


def sorted_keys(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)


def rebuild(structure: Any, items: Sequence[Any]) -> Any:
    """A structure of the same kind with other items."""
    if is_mapping(structure):
        values = dict(zip(sorted_keys(structure), items, strict=True))
        ordered = {k: values[k] for k in structure}
        if len(items) == 1 and hasattr(type(next(iter(structure.values()))), "__tl_table__"):
            made = items[0]  # a graph held its items, or does
            ordered = made if type(made) is dict else {type(next(iter(structure)))(): made}
        kind: Any = type(structure)
        if isinstance(structure, defaultdict):
            return kind(structure.default_factory, ordered)
        return ordered if kind is dict else kind(ordered)
    if dataclasses.is_dataclass(structure) and not isinstance(structure, type):
        return _with_attributes(structure, attribute_names(structure), items)
    if hasattr(structure, "_fields"):
        return structure._make(items)
    if type(structure) is list and _is_inside(structure) and type(items[0]) is list:
        return items[0]  # the items of a list that a graph held
    if hasattr(type(structure), "__tl_unflatten__"):
        return type(structure).__tl_unflatten__(structure.__tl_flatten__()[0], tuple(items))
    if hasattr(type(structure), "__tl_flatten__"):
        return structure.__tl_flatten__()[1](items)
    if hasattr(type(structure), "__attrs_attrs__"):
        names = [a.name for a in type(structure).__attrs_attrs__]
        return _with_attributes(structure, names, items)
    return type(structure)(items)


def attribute_names(structure: Any) -> list[str]:
    """What a dataclass consists of: its fields, and attributes that it has got besides."""
    fields = [f.name for f in dataclasses.fields(structure) if hasattr(structure, f.name)]
    return [*fields, *sorted(set(getattr(structure, "__dict__", ())).difference(fields))]


def _with_attributes(structure: Any, names: Sequence[str], items: Sequence[Any]) -> Any:
    """A copy that is made without running the class's code, which has run for the original."""
    made = copy.copy(structure)
    for name, item in zip(names, items, strict=True):
        object.__setattr__(made, name, item)  # also where the class is frozen
    return made


def _is_inside(structure: list[Any]) -> bool:
    return len(structure) == 1 and hasattr(type(structure[0]), "__tl_inside__")


def staged_list(x: Any) -> Any:
    """The list of a length that only the run tells, which `x` is or holds; None for others."""
    if type(x) is list or type(x) is deque:
        kinds: set[Any] = set(map(type, x))
        for kind in kinds:
            if hasattr(kind, "__tl_inside__"):
                return kind.whole(x)
        return None
    return x if hasattr(type(x), "__tl_concat__") else None


def flatten(structure: Any) -> list[Any]:
    """The leaves, depth first.

    >>> import treadle as tl
    >>> tl.nest.flatten({"b": [1, (2, 3)], "a": 0})
    [0, 1, 2, 3]
    """
    items = children(structure)
    if items is None:
        return [structure]
    return [leaf for item in items for leaf in flatten(item)]


def pack(structure: Any, leaves: Sequence[Any]) -> Any:
    """The structure with its leaves replaced, in the order of `flatten`.

    >>> import treadle as tl
    >>> tl.nest.pack_sequence_as({"b": [1, 2], "a": 0}, ["x", "y", "z"])
    {'b': ['y', 'z'], 'a': 'x'}
    """
    remaining = iter(leaves)
    packed = _pack(structure, remaining)
    if next(remaining, _NOTHING) is not _NOTHING:
        raise ValueError("there are more leaves than the structure has places")
    return packed


_NOTHING = object()


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    items = children(structure)
    if items is None:
        leaf = next(leaves, _NOTHING)
        if leaf is _NOTHING:
            raise ValueError("there are fewer leaves than the structure has places")
        return leaf
    return rebuild(structure, [_pack(item, leaves) for item in items])


def map_structure(function: Any, *structures: Any) -> Any:
    """`function` of each leaf (of several structures of the same kind), in their structure.

    >>> import treadle as tl
    >>> tl.nest.map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    flat = [flatten(s) for s in structures]
    return pack(structures[0], [function(*xs) for xs in zip(*flat, strict=True)])
