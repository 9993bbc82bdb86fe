"""The items of lists that the graph holds: what they are like, taken apart into tensors."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from treadle.graph import Tensor
from treadle.graph.build import convert, is_tracing
from treadle.graph.control import join_specs
from treadle.graph.errors import DTypeError, ListItemError
from treadle.graph.location import Loc, describe, user_location
from treadle.graph.nest import sorted_keys
from treadle.graph.ops.array_items import array_as
from treadle.graph.ops.array_tensors import array_stack, array_unstack
from treadle.graph.ops.casting import cast
from treadle.graph.spec import TensorSpec

from . import given
from .filling import Filling
from .inside import staged_in
from .item_views import Origins, joined_origins
from .list_objects import Known, Objects, Reference, joined_plan
from .optional import Optional, settled
from .snapshots import note_kept, variables_in
from .special import is_of_users
from .state import (
    Nested,
    Plan,
    Same,
    Slot,
    accepts,
    default_dtype,
    describe_value,
    is_number,
    is_tensor,
    of_python,
    parts_of,
)

_MUTATORS = (
    *("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort", "update"),
    *("popitem", "setdefault", "__setitem__", "__delitem__", "__iadd__", "__imul__", "__ior__"),
)


# What `parts_of` gives, of objects of the user's classes; set by rebuilt.py.
object_parts: list[Callable[[Any], Any]] = [lambda value: None]


_DEPTH = 40


@dataclass(frozen=True, slots=True)
class Item:
    """What the items of a list have in common: their structure, and the specs of their tensors."""

    plan: Plan
    structure: object
    specs: tuple[TensorSpec, ...]
    weak: tuple[bool, ...]  # Python numbers so far, which take on the dtype of a tensor
    # Where lists that hold nothing but objects of their own were begun; empty: others may know
    # some; None: there is none that can be changed.
    origins: Origins = None


def _take_apart(value: Any, leaves: list[Any], depth: int = 0) -> tuple[Plan, object]:
    """How to put an item together again, and its structure; its tensors and numbers."""
    value = settled(value)
    if depth > _DEPTH:
        raise ListItemError(
            "an object that leads to itself can't be an item of a list whose length is known only "
            f"when the function runs, at {here()}; keep its number in a list of all objects there"
        )
    if is_tensor(value) or is_number(value) or _is_chosen_text(value) or isinstance(value, Filling):
        leaves.append(value)
        return Slot(len(leaves) - 1), None
    if staged_in(value) is not None:
        raise ListItemError(
            "a list whose length is known only when the function runs can't be an item of another "
            f"such list, at {here()}; keep the items in one list, and the lengths in a second one"
        )
    reference = Objects.reference(value)
    if reference is not None:
        leaves.append(reference)
        return Nested([Slot(len(leaves) - 1)], Known(reference.options)), Known
    parts = parts_of(value) or object_parts[0](value)
    if parts is None:
        return Same(value), Same(value)
    if type(value) in (list, dict) or is_of_users(value):
        given.note(value)
    found = [_take_apart(v, leaves, depth + 1) for v in parts[0]]
    make, kind = _frozen(value, parts[1]), getattr(type(value), "__tl_kind__", type(value))
    return Nested([p for p, _ in found], make), (kind, parts[2][1:], tuple(s for _, s in found))  # type: ignore[index]


def _item_dict(order: Sequence[Any], items: dict[Any, Any]) -> ItemDict:
    return ItemDict({name: items[name] for name in order})


def _is_chosen_text(value: Any) -> bool:
    return getattr(type(value), "__tl_chosen__", False) and value.tl_is_text


def _frozen(value: Any, make: Callable[[Sequence[Any]], Any]) -> Callable[[Sequence[Any]], Any]:
    """Items are read as copies: changing such a list or object would be lost, so it is refused."""
    if isinstance(value, list):
        return ItemList
    if type(value) in (dict, ItemDict):
        names, order = sorted_keys(value), list(value)
        return lambda new: _item_dict(order, dict(zip(names, new, strict=True)))
    if is_of_users(value) and not isinstance(value, tuple):
        return lambda new: given.as_read(make(new))
    return make


def item_of(value: Any) -> tuple[Item, list[Any]]:
    """What `value` is like as the item of a list, and its tensors and numbers."""
    found: list[Any] = []
    plan, structure = _take_apart(value, found)
    specs: list[TensorSpec] = []
    leaves = [_like(leaf) for leaf in found]
    numbers = [of_python(leaf) for leaf in leaves]
    for leaf in leaves:
        spec = TensorSpec((), default_dtype(leaf)) if is_number(leaf) else _spec_of(leaf)
        specs.append(TensorSpec(spec.shape, spec.dtype))
    origins: Origins = frozenset() if any(True for _ in objects_in(value)) else None
    return Item(plan, structure, tuple(specs), tuple(numbers), origins), found


def _like(leaf: Any) -> Any:
    """What has the spec of a leaf."""
    if isinstance(leaf, Reference):
        return leaf.like
    return "" if _is_chosen_text(leaf) else leaf


def _spec_of(leaf: Any) -> TensorSpec:
    held: Any = leaf if isinstance(leaf, (Filling, Tensor)) else convert(leaf)
    spec: TensorSpec = held.spec
    return spec


def joined_item(a: Item | None, b: Item | None) -> Item | None:
    """What covers the items of two lists; ListItemError if nothing does."""
    if a is None or b is None:
        return a if b is None else b
    if a.structure != b.structure:
        one, other = shown(a), shown(b)
        if one == other:
            one, other = _in_full(a), _in_full(b)
        texts = f"one is {one}, another one {other}"
        if one.count(" or None") != other.count(" or None"):
            texts += "; where a value is not None, say so: 'if value is not None: ...append(value)'"
        raise ListItemError(
            f"the items of a list must be alike where its length depends on a tensor, at {here()}:"
            f" {texts}"
        )
    specs: list[TensorSpec] = []
    numbers: list[bool] = []
    for x, y, wx, wy in zip(a.specs, b.specs, a.weak, b.weak, strict=True):
        specs.append(_joined_spec(x, y, wx, wy))
        numbers.append(wx and wy)
    plan, origins = joined_plan(a.plan, b.plan), joined_origins(a.origins, b.origins)
    return Item(plan, a.structure, tuple(specs), tuple(numbers), origins)


def _joined_spec(x: TensorSpec, y: TensorSpec, weak_x: bool, weak_y: bool) -> TensorSpec:
    same_kind = x.dtype.kind == y.dtype.kind
    if x.dtype is not y.dtype and same_kind and weak_x and not weak_y:
        x = TensorSpec(x.shape, y.dtype)
    elif x.dtype is not y.dtype and same_kind and weak_y:
        if weak_x and y.dtype.size > x.dtype.size:
            return y
        y = TensorSpec(y.shape, x.dtype)
    try:
        spec = join_specs(x, y)
    except DTypeError:
        raise ListItemError(
            "the items of a list must have one dtype where its length depends on a tensor, at "
            f"{here()}: one is {x.dtype.name}, another one {y.dtype.name}; use tl.cast"
        ) from None
    assert isinstance(spec, TensorSpec)
    return spec


def shown(item: Item) -> str:
    return describe_value(item.plan.build([Filling(s) for s in item.specs]))


def _in_full(item: Item) -> str:
    """The same with all that it holds."""
    return _with_parts(item.plan.build([Filling(s) for s in item.specs]))


def _with_parts(value: Any) -> str:
    if isinstance(value, Optional):
        return f"{_with_parts(value._value)} or None"
    if type(value) is tuple or isinstance(value, list):
        texts = ", ".join(map(_with_parts, value))
        return f"({texts})" if isinstance(value, tuple) else f"[{texts}]"
    if isinstance(value, dict):
        return "{" + ", ".join([f"{k!r}: {_with_parts(v)}" for k, v in value.items()]) + "}"
    held = vars(value) if is_of_users(value) and hasattr(value, "__dict__") else {}
    texts = ", ".join([f"{k}: {_with_parts(v)}" for k, v in held.items()])
    return f"{describe_value(value)} with {texts}" if texts else describe_value(value)


def no_tensors() -> TensorSpec:
    """Of items without a tensor just the number is kept."""
    return TensorSpec((), "bool")


_changed_at: ContextVar[Loc | None] = ContextVar("changed_at", default=None)


@contextmanager
def changed_at(loc: Loc | None) -> Iterator[None]:
    """What is refused inside is so for a change of a list there."""
    token = _changed_at.set(loc)
    try:
        yield
    finally:
        _changed_at.reset(token)


def here() -> str:
    return describe(_changed_at.get() or user_location(2))


# --- in and out of a list ---------------------------------------------------------------


class ItemList(list[Any]):
    """A list read from a StagedList."""

    __tl_kind__ = list
    __tl_name__ = "a list"

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        return list(self), _list_again

    def __tl_leave__(self) -> list[Any]:
        return list(self)

    __copy__ = __tl_leave__

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return copy.deepcopy(list(self), memo)


def _list_again(items: Sequence[Any]) -> list[Any]:
    return ItemList(items) if is_tracing() else list(items)


class ItemDict(dict[Any, Any]):
    """A dict read from a StagedList."""

    __tl_kind__ = dict
    __tl_name__ = "a dict"

    @property
    def __tl_structure__(self) -> object:
        return tuple(sorted_keys(self))

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        items, make, _ = parts_of(dict(self)) or ([], dict, None)
        return items, lambda new: (ItemDict if is_tracing() else dict)(make(new))

    def __tl_leave__(self) -> dict[Any, Any]:
        return dict(self)

    __copy__ = __tl_leave__

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[Any, Any]:
        return copy.deepcopy(dict(self), memo)


def _guarded(plain: Callable[..., Any]) -> Callable[..., Any]:
    """`plain`, which changes such a list or dict, where what it is an item of changes, too."""

    @functools.wraps(plain)
    def change(self: Any, *args: Any, **kwargs: Any) -> Any:
        with changes[0](self):
            return plain(self, *args, **kwargs)

    return change


# Inside of what this gives, an item is changed; set by item_changes.py.
changes: list[Callable[[Any], AbstractContextManager[None]]] = []

for _name in _MUTATORS:
    for _kind in (ItemList, ItemDict):
        if hasattr(_kind, _name):
            setattr(_kind, _name, _guarded(getattr(_kind, _name)))


def parts_of_item(value: Any) -> list[Any]:
    """What an item, or something in it, is made of."""
    value = settled(value)
    if is_tensor(value) or is_number(value) or _is_chosen_text(value):
        return []
    if staged_in(value) is not None or Objects.reference(value) is not None:
        return []
    parts = parts_of(value) or object_parts[0](value)
    return [] if parts is None else list(parts[0])


def part_at(value: Any, path: Sequence[int]) -> Any:
    for place in path:
        value = parts_of_item(value)[place]
    return settled(value)


def objects_in(value: Any, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """The lists, dicts and objects that `value` is, and has in it, with their places."""
    value = settled(value)
    if len(path) > _DEPTH or Objects.reference(value) is not None:
        return
    if isinstance(value, (list, dict)) or (is_of_users(value) and not isinstance(value, tuple)):
        yield path, value
    for place, part in enumerate(parts_of_item(value)):
        yield from objects_in(part, (*path, place))


# What lets the attributes of an object be what a function gives for them; set by rebuilt.py.
thawing: list[Callable[[Any, Callable[[Any], Any]], None]] = [lambda value, part: None]


def thawed(value: Any) -> Any:
    """An item as it leaves the function."""
    value = settled(value)
    if isinstance(value, ItemList):
        return [thawed(v) for v in value]
    if isinstance(value, ItemDict):
        return {k: thawed(v) for k, v in value.items()}
    if Objects.reference(value) is None:
        thawing[0](value, thawed)
    parts = parts_of(value)
    return value if parts is None else parts[1]([thawed(v) for v in parts[0]])


def fitted(leaves: Sequence[Any], item: Item) -> list[Tensor]:
    """The tensors of an item, of the dtypes of the list's."""
    if not item.specs:
        return [convert(True)]
    found: list[Tensor] = []
    for leaf, spec in zip(leaves, item.specs, strict=True):
        if is_number(leaf) and not accepts(spec.dtype, leaf):
            raise DTypeError(f"{leaf!r} is put into a list of {spec.dtype.name}")
        number = of_python(leaf)
        tensor = convert(leaf, spec.dtype if number else None)
        if variables := variables_in(leaf):
            note_kept(tensor, variables)
        found.append(tensor)
    return found


def covering(array: Any, old: TensorSpec, new: TensorSpec, numbers: bool) -> Any:
    """The array of a list whose items are to be covered by `new`; `numbers`: these are numbers."""
    if old.dtype is not new.dtype and numbers:
        return array_unstack(cast(array_stack(array), new.dtype))
    if old.dtype is not new.dtype:
        raise ListItemError(
            f"the items of a list are {old.dtype.name} before and {new.dtype.name} after, at "
            f"{here()}; start it with values of that dtype"
        )
    return array_as(array, new)
