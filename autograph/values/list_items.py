"""The items of lists that the graph holds: what they are like, taken apart into tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NoReturn

from treadle.graph import Tensor
from treadle.graph.build import convert, is_tracing
from treadle.graph.control import join_specs
from treadle.graph.errors import DTypeError, ListItemError
from treadle.graph.location import Loc, describe, user_location
from treadle.graph.ops.array_items import array_as
from treadle.graph.ops.array_tensors import array_stack, array_unstack
from treadle.graph.ops.casting import cast
from treadle.graph.spec import TensorSpec

from . import given
from .filling import Filling
from .inside import staged_in
from .list_objects import Known, Objects, Reference, joined_plan
from .optional import Optional, settled
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


def _is_chosen_text(value: Any) -> bool:
    return getattr(type(value), "__tl_chosen__", False) and value.tl_is_text


def _frozen(value: Any, make: Callable[[Sequence[Any]], Any]) -> Callable[[Sequence[Any]], Any]:
    """Items are read as copies: changing such a list or object would be lost, so it is refused."""
    if isinstance(value, list):
        return lambda new: ItemList(make(new))
    if type(value) is dict:
        return lambda new: ItemDict(make(new))
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
    return Item(plan, structure, tuple(specs), tuple(numbers)), found


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
    return Item(joined_plan(a.plan, b.plan), a.structure, tuple(specs), tuple(numbers))


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


def _refuse_change(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
    raise ListItemError(
        f"an item of a list is changed in place at {here()}; the length of the list is known only "
        "when the function runs, so its items are read as copies: make a new one and assign it "
        "('row = list(rows[i])', ..., 'rows[i] = row')"
    )


class ItemList(list[Any]):
    """A list read from a StagedList."""

    __tl_kind__ = list
    __tl_name__ = "a list"

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        return list(self), _list_again

    def __tl_leave__(self) -> list[Any]:
        return list(self)


def _list_again(items: Sequence[Any]) -> list[Any]:
    return ItemList(items) if is_tracing() else list(items)


class ItemDict(dict[Any, Any]):
    """A dict read from a StagedList."""

    __tl_kind__ = dict
    __tl_name__ = "a dict"

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        items, make, _ = parts_of(dict(self)) or ([], dict, None)
        return items, lambda new: (ItemDict if is_tracing() else dict)(make(new))

    def __tl_leave__(self) -> dict[Any, Any]:
        return dict(self)


for _name in _MUTATORS:
    for _kind in (ItemList, ItemDict):
        if hasattr(_kind, _name):
            setattr(_kind, _name, _refuse_change)


def thawed(value: Any) -> Any:
    """An item as it leaves the function."""
    value = settled(value)
    if isinstance(value, ItemList):
        return [thawed(v) for v in value]
    if isinstance(value, ItemDict):
        return {k: thawed(v) for k, v in value.items()}
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
        found.append(convert(leaf, spec.dtype if number else None))
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
