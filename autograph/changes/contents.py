"""What mutable objects hold: taken as a copy, compared, and put back place by place."""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from types import CellType, GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import Any

import numpy as np

from treadle.graph import Tensor

from ..values.inside import Inside, InTable, staged_in, table_in
from ..values.item_views import placed
from ..values.special import is_added, original
from ..values.staged_list import StagedList
from ..values.state import namespace_of
from ..values.undefined import Undefined

ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "<absent>"})()
# ("attribute", name), ("item", index or key), or ("items", None) for all items of a container
Place = tuple[str, Any]
ITEMS: Place = ("items", None)
# How a plain dict does what an OrderedDict has methods for.
IN_ORDER = "'d[k] = d.pop(k)' moves a key to the end, 'd.pop(next(iter(d)))' drops the first one"
_CLASS_OWN = (GetSetDescriptorType, MappingProxyType)


class GlobalName:
    """A global name as an object with one attribute."""

    __slots__ = ("name", "namespace")

    def __init__(self, namespace: dict[str, Any], name: str) -> None:
        self.namespace = namespace
        self.name = name


class SetItems(frozenset[Any]):
    """The items of a set."""


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """A copy of what an object holds; `items` is None for what is no container."""

    attributes: dict[str, Any]
    items: Any = None

    def values(self) -> Iterator[Any]:
        yield from self.attributes.values()
        if isinstance(self.items, dict):
            yield from self.items.keys()
            yield from self.items.values()
        elif isinstance(self.items, (list, frozenset)):
            yield from self.items

    def at(self, place: Place) -> Any:
        kind, key = place
        if kind == "attribute":
            return self.attributes.get(key, ABSENT)
        return self.items if place == ITEMS else self.items[key]

    @property
    def structure(self) -> Any:
        """Where it is the same, containers are compared item by item."""
        if isinstance(self.items, dict):
            table = table_in(self.items)
            return tuple(self.items) if table is None else id(table)
        if isinstance(self.items, StagedList):
            return id(self.items.item), tuple(map(id, self.items.arrays))
        return len(self.items) if isinstance(self.items, list) else None


def key_of(owner: Any) -> Any:
    if isinstance(owner, GlobalName):
        return id(owner.namespace), owner.name
    return id(owner)


def contents_of(owner: Any) -> Contents | None:
    """What `owner` holds; None where it can't be changed, or only by ops."""
    kind = type(owner)
    if kind is GlobalName:
        value = owner.namespace.get(owner.name, ABSENT)
        return Contents({} if value is ABSENT else {owner.name: value})
    if kind is CellType:
        try:
            return Contents({"cell_contents": owner.cell_contents})
        except ValueError:
            return Contents({})
    if kind is StagedList:
        return Contents({}, owner.copy())
    if issubclass(kind, Tensor) or hasattr(kind, "__tl_tensor__") or kind is Undefined:
        return None
    items = _items_of(owner)
    if isinstance(owner, type):
        own = [(n, v) for n, v in vars(owner).items() if not isinstance(v, _CLASS_OWN)]
        found = {n: original(v) for n, v in own if not is_added(v)}
        return Contents(found)
    attributes = dict(namespace_of(owner) or ())
    for name, slot in _slots(kind).items():
        try:
            attributes[name] = slot.__get__(owner, kind)
        except AttributeError:
            continue
    if items is None and not attributes and namespace_of(owner) is None and not _slots(kind):
        return None
    return Contents(attributes, items)


def _items_of(owner: Any) -> Any:
    if isinstance(owner, (list, deque)):
        staged = staged_in(owner)
        return list(owner) if staged is None else staged.copy()
    if isinstance(owner, dict):
        return {k: dict.__getitem__(owner, k) for k in _kind_of_dict(owner).__iter__(owner)}
    if isinstance(owner, set):
        table = table_in(owner)
        return SetItems(set.__iter__(owner)) if table is None else table
    if isinstance(owner, bytearray):
        return bytes(owner)
    if isinstance(owner, np.ndarray):
        return owner.copy()
    return None


def _kind_of_dict(owner: Any) -> Any:
    return OrderedDict if isinstance(owner, OrderedDict) else dict


_without_slots: weakref.WeakSet[type] = weakref.WeakSet()


def _slots(cls: type) -> dict[str, Any]:
    """The descriptors of the slots that the user's classes declare."""
    if cls in _without_slots:
        return {}
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if "__slots__" in vars(base):
            members = vars(base).items()
            found |= {n: d for n, d in members if isinstance(d, MemberDescriptorType)}
    if not found:
        _without_slots.add(cls)
    return found


def inherited(owner: Any, name: str) -> Any:
    """The value of an attribute that `owner` has from its class alone."""
    if isinstance(owner, (GlobalName, CellType)):
        return ABSENT
    classes = owner.__mro__[1:] if isinstance(owner, type) else type(owner).__mro__
    for cls in classes:
        if name in vars(cls):
            found = vars(cls)[name]
            return ABSENT if hasattr(type(found), "__get__") else found
    return ABSENT


def put(owner: Any, place: Place, value: Any) -> None:
    """Let `owner` hold `value` there, without running any of the user's code."""
    kind, key = place
    if kind == "attribute":
        _put_attribute(owner, key, value)
    elif kind == "items":
        put_items(owner, value)
    elif isinstance(owner, dict):
        _kind_of_dict(owner).__setitem__(owner, key, value)
    elif isinstance(owner, list):
        list.__setitem__(owner, key, value)
    else:
        owner[key] = value


def _put_attribute(owner: Any, name: str, value: Any) -> None:
    gone = value is ABSENT
    if isinstance(owner, GlobalName):
        if gone:
            owner.namespace.pop(name, None)
        else:
            owner.namespace[name] = value
    elif isinstance(owner, CellType):
        if gone:
            del owner.cell_contents
        else:
            owner.cell_contents = value
    elif isinstance(owner, type):
        if gone:
            type.__delattr__(owner, name)
        else:
            type.__setattr__(owner, name, value)
    elif name in _slots(type(owner)):
        slot = _slots(type(owner))[name]
        if gone:
            slot.__delete__(owner)
        else:
            slot.__set__(owner, value)
    else:
        namespace = namespace_of(owner)
        assert namespace is not None
        if gone:
            namespace.pop(name, None)
        else:
            namespace[name] = value


def put_items(owner: Any, items: Any) -> None:
    """Let a container hold just `items`."""
    if isinstance(items, StagedList):
        placed(items)
        items = items.copy()
    if isinstance(owner, StagedList):
        new = items if isinstance(items, StagedList) else StagedList.of(items, owner.item)
        owner.item, owner.arrays = new.item, new.arrays
    elif isinstance(owner, list):
        held = [Inside(items)] if isinstance(items, StagedList) else items
        list.__setitem__(owner, slice(None), held)
    elif isinstance(owner, deque):
        deque.clear(owner)
        deque.extend(owner, [Inside(items)] if isinstance(items, StagedList) else items)
    elif isinstance(owner, dict):
        kind = _kind_of_dict(owner)
        kind.clear(owner)
        for key, value in items.items():
            kind.__setitem__(owner, key, value)
    elif isinstance(owner, set):
        set.clear(owner)
        set.update(owner, (items,) if isinstance(items, InTable) else items)
        if isinstance(items, InTable):
            items.owner = weakref.ref(owner)
    elif isinstance(owner, bytearray):
        owner[:] = items
    else:
        owner[...] = items


def put_all(owner: Any, contents: Contents) -> None:
    """Let `owner` hold what it held when `contents` was taken."""
    now = contents_of(owner)
    assert now is not None
    for kind, name in differing(now, contents):
        if kind == "attribute":
            _put_attribute(owner, name, contents.attributes.get(name, ABSENT))
    if contents.items is not None:
        put_items(owner, contents.items)


def differing(before: Contents, *after: Contents) -> list[Place]:
    """The places that hold something else, item by item where the containers are alike."""
    found: list[Place] = []
    names = dict.fromkeys([n for c in (before, *after) for n in c.attributes])
    for name in names:
        old = before.attributes.get(name, ABSENT)
        if any(c.attributes.get(name, ABSENT) is not old for c in after):
            found.append(("attribute", name))
    old = before.items
    if any(c.structure != before.structure for c in after):
        found.append(ITEMS)
    elif isinstance(old, (list, dict)):
        keys = range(len(old)) if isinstance(old, list) else old
        found += [("item", k) for k in keys if any(c.items[k] is not old[k] for c in after)]
    elif isinstance(old, np.ndarray):
        if any(c.items.tobytes() != old.tobytes() for c in after):
            found.append(ITEMS)
    elif any(c.items != old for c in after):
        found.append(ITEMS)
    return found
