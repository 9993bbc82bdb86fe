"""Changes of items of lists that the graph holds: done to the copy that the program has at hand,
then to the list, then to the other copies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treadle.graph.build import convert
from treadle.graph.errors import ListItemError
from treadle.graph.location import describe

from ..values import given
from ..values.inside import staged_in
from ..values.item_views import (
    View,
    is_replaced,
    known,
    living,
    note,
    origins_of,
    spoil,
    view_of,
)
from ..values.list_items import ItemDict, ItemList, changes, here, objects_in, part_at
from ..values.list_places import place_of
from ..values.staged_list import StagedList, stage
from . import aliases, journal
from .contents import ITEMS, Contents, contents_of, put_all


class Viewed:
    """A list whose items can be changed, where it is indexed."""

    __slots__ = ("of",)

    def __init__(self, of: Any) -> None:
        self.of = of

    def __getitem__(self, key: Any) -> Any:
        staged = staged_in(self.of)
        return staged[key] if isinstance(key, slice) else read(self.of, key)


def has_own_items(x: Any) -> bool:
    """True for a list of the graph's, the items of which may be changed in place."""
    staged = staged_in(x)
    return staged is not None and bool(staged.origins)


def read(owner: Any, key: Any) -> Any:
    """`owner[key]`, as an item that can be changed."""
    staged: StagedList = staged_in(owner)
    return staged.read(place_of(key, staged.size()), owner)


def reader(owner: Any) -> Callable[[Any], Any]:
    """What reads the item at a place, as it is then, where it can be changed."""
    if has_own_items(owner):
        return lambda index: staged_in(owner).read(index, owner)
    staged: StagedList = staged_in(owner)
    copied: Callable[[Any], Any] = staged.copy().read
    return copied


def is_item(x: Any) -> bool:
    """True for what was read from a list, and can perhaps be changed."""
    return bool(known().views) and view_of(x) is not None


class changed:  # noqa: N801 - used as a function
    """Inside, an item `x` of a list is changed."""

    __slots__ = ("view", "x")

    def __init__(self, x: Any) -> None:
        self.x = x
        view = view_of(x) if known().views or isinstance(x, (ItemList, ItemDict)) else None
        self.view = None if view is not None and view.is_busy else view
        if view is None and isinstance(x, (ItemList, ItemDict)):
            raise _refusal(x, "it went through a branch or loop, or another list")
        if self.view is not None:
            _check(x, self.view)

    def __enter__(self) -> None:
        if self.view is not None:
            journal.touch(self.x)
            self.view.is_busy = True

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if self.view is not None:
            try:
                if kind is None:
                    _write(self.x, self.view)
            finally:
                self.view.is_busy = False


changes[:] = [changed]
given.is_item[:] = [is_item]


def _refusal(x: Any, why: str) -> ListItemError:
    return ListItemError(
        f"an item of a list is changed in place at {here()}; the length of the list is known only "
        f"when the function runs, so its items are read as copies, and here a change can't be done "
        f"to the list: {why}. Make another {_kind(x)} and assign it ('items[i] = ...')"
    )


def _kind(x: Any) -> str:
    return next((k.__name__ for k in (list, dict) if isinstance(x, k)), type(x).__name__)


def _check(x: Any, view: View) -> None:
    """Refuse a change of what may be known by other names, or be at another place now."""
    found = known()
    if view.owner is None:
        raise _refusal(x, "which list it is in is not known")
    for origin in view.origins & found.spoilt.keys():
        line = describe(found.spoilt[origin])
        raise _refusal(x, f"something else may lead to items of it since {line}")
    if aliases.is_involved(view.owner):
        raise _refusal(x, "it is one of several lists, of which a tensor chose one")
    others = [(v, o) for v, o in living() if v.origins & view.origins]
    for other in (view, *(v for v, _ in others)):
        if other.is_moved:
            raise _refusal(x, f"its items are at other places since {describe(other.moved)}")
        if other.owner is None or is_replaced(other):
            raise _refusal(x, "something else that is in use may be one of its items")


def _write(x: Any, view: View) -> None:
    owner = view.owner
    known().changes += 1
    journal.touch(owner)
    staged = stage(owner)
    item = staged.made(view.index)
    part = part_at(item, view.path)
    _settle(x, part)
    contents = contents_of(x)
    assert contents is not None
    put_all(part, contents)
    staged.write(view.index, item)
    journal.mark(owner, ITEMS)
    _note_new(x, view)
    if type(x) in (list, dict):
        given.note(x)
    for other, value in living():
        if other.owner is owner and other.batch != view.batch:
            _refresh(value, part_at(staged.made(other.index), other.path))


def _note_new(x: Any, view: View) -> None:
    """Note what was put into `x` just now."""
    new = []
    for path, value in objects_in(x):
        place, at = view_of(value), (*view.path, *path)
        is_there = place is not None and place.owner is view.owner and place.index is view.index
        if place is None or not is_there or place.path != at:
            new.append((at, value))
    if new and not origins_of(view.origins, [value for _, value in new]):
        spoil(view.origins)
    note(new, view.origins, view.owner, view.index)


def _settle(x: Any, part: Any) -> None:
    """Let Python hold the items of a row again, whose number it knows."""
    staged = staged_in(x)
    if staged is not None and isinstance(x, list):
        items = [staged.made(convert(i)) for i in range(len(part))]
        list.__setitem__(x, slice(None), items)


def _refresh(old: Any, new: Any) -> None:
    """Let `old` hold what `new` does, and what is in it."""
    before, after = contents_of(old), contents_of(new)
    assert before is not None
    assert after is not None
    held = {n: _kept(before.attributes.get(n), v) for n, v in after.attributes.items()}
    items = after.items
    if isinstance(items, dict):
        items = {k: _kept(before.items.get(k), v) for k, v in items.items()}
    elif isinstance(items, list):
        items = [_kept(a, b) for a, b in zip(before.items, items, strict=True)]
    journal.touch(old)
    put_all(old, Contents(held, items))


def _kept(old: Any, new: Any) -> Any:
    """The object that is there, with what is new in it."""
    if _kind(old) != _kind(new) or not any(path == () for path, _ in objects_in(new)):
        return new
    _refresh(old, new)
    return old
