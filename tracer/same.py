"""Objects from before the call that a run leaves in places: they stay the same ones.

In what a place gets, a `Same` stands for a list, dict or the like that the user's code had before,
and a `OneOf` for one of several that a tensor chose.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..autograph.changes import aliases, journal
from ..autograph.changes.contents import contents_of
from ..autograph.changes.rebuilt import Shape, is_plain_object
from ..autograph.control.choice import Choice
from ..autograph.values.copies import is_ours
from ..autograph.values.inside import staged_in, table_in
from ..autograph.values.optional import Source
from ..graph.build import convert, is_tracing
from ..graph.nest import children, rebuild
from ..runtime import EagerTensor

Find = Callable[[Mapping[str, Any]], Any]  # an object, from the arguments of a call


class Same:
    """An object that `find` gives at a call; it is not kept alive."""

    __slots__ = ("find",)

    def __init__(self, find: Find) -> None:
        self.find = find

    def found(self, arguments: Mapping[str, Any]) -> Any:
        owner = self.find(arguments)
        if owner is None:
            raise ReferenceError("an object that a function puts into another one was deleted")
        return owner


class OneOf:
    """`options[index]`, or an object of its own that holds `content` where that is None."""

    __slots__ = ("content", "index", "options", "view")

    def __init__(
        self, index: Any, content: Any, options: Sequence[Same | None], view: aliases.View
    ) -> None:
        self.index = index
        self.content = content
        self.options = options
        self.view = view

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], OneOf]]:
        parts = [self.index, self.content]
        return parts, lambda new: OneOf(new[0], new[1], self.options, self.view)

    def found(self, arguments: Mapping[str, Any]) -> Any:
        options = [None if o is None else o.found(arguments) for o in self.options]
        content = resolved(self.content, arguments)
        if is_tracing():
            source = self.view.source
            return aliases.register(self.index, options, content, source, set())
        chosen = options[int(self.index)]
        return content if chosen is None else chosen


class New:
    """An object of the user's class that each run makes."""

    __slots__ = ("shape", "values")

    def __init__(self, shape: Shape, values: Sequence[Any]) -> None:
        self.shape = shape
        self.values = values

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], New]]:
        return list(self.values), lambda new: New(self.shape, new)

    def found(self, arguments: Mapping[str, Any]) -> Any:
        return self.shape.make([resolved(v, arguments) for v in self.values])


class OneObject:
    """`options[index]`: one of several objects, classes or texts."""

    __slots__ = ("index", "options", "source")

    def __init__(self, index: Any, options: Sequence[Any], source: Source) -> None:
        self.index = index
        self.options = options
        self.source = source

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], OneObject]]:
        return [self.index, *self.options], lambda new: OneObject(new[0], new[1:], self.source)

    def found(self, arguments: Mapping[str, Any]) -> Any:
        options = [resolved(o, arguments) for o in self.options]
        if is_tracing():
            return Choice(self.index, options, self.source)
        return options[int(self.index)]


class Marking:
    """Puts marks into `values`: for the objects that `finds` has by their ids, and others from
    before the trace that is under way, which `reference` finds.
    """

    def __init__(
        self, values: Sequence[Any], finds: Mapping[int, Find], reference: Callable[[Any], Find]
    ) -> None:
        self._finds = finds
        self._reference = reference
        objects = list(_objects(values))
        young = journal.of_trace().made_among(objects)
        self._old = {id(x) for x in objects if journal.has_birth(x)} - young
        self._open: set[int] = set()  # new objects that are being marked

    def marked(self, value: Any) -> Any:
        """`value` with marks."""
        if type(value) is Choice:
            options = [self.marked(o) for o in value.tl_options]
            return OneObject(convert(value.tl_index), options, value.tl_source)
        if not _has_identity(value):
            return self.inside(value)
        same = self._same(value)
        if same is not None:
            return same
        if children(value) is None:
            return self._new(value)
        view = aliases.known_view(value)
        if view is None or not view.is_known:
            return self.inside(value)
        options = [self._same(o) for o in view.options]
        return OneOf(convert(view.index), self.inside(value), options, view)

    def inside(self, value: Any) -> Any:
        """A new object like `value`, with marks in it."""
        items = children(value)
        if items is None:
            return value
        new = [self.marked(item) for item in items]
        same = all(a is b for a, b in zip(new, items, strict=True))
        return value if same else rebuild(value, new)

    def _new(self, x: Any) -> Any:
        """An object that the trace has made, in parts; one that leads to itself as it is."""
        contents = contents_of(x)
        if id(x) in self._open or contents is None:
            return x
        self._open.add(id(x))
        shape = Shape.of(x)
        values = [self.marked(contents.attributes[name]) for name in shape.names]
        self._open.discard(id(x))
        return New(shape, values)

    def _same(self, x: Any) -> Same | None:
        find = self._finds.get(id(x))
        if find is None and id(x) in self._old:
            find = self._reference(x)
        return None if find is None else Same(find)


def resolved(value: Any, arguments: Mapping[str, Any]) -> Any:
    """`value` with the objects in place of their marks."""
    if isinstance(value, (Same, OneOf, New, OneObject)):
        return value.found(arguments)
    items = children(value)
    if items is None:
        return value
    new = [resolved(item, arguments) for item in items]
    return value if all(a is b for a, b in zip(new, items, strict=True)) else rebuild(value, new)


def _objects(values: Sequence[Any]) -> Iterator[Any]:
    """What has an identity in `values`, and what that was chosen from."""
    seen: set[int] = set()
    pending = list(values)
    while pending:
        x = pending.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        contents = contents_of(x) if is_plain_object(x) else None
        pending += children(x) or () if contents is None else contents.values()
        pending += x.tl_options if type(x) is Choice else ()
        if _has_identity(x):
            yield x
            view = aliases.known_view(x)
            pending += [] if view is None else view.options


def _has_identity(x: Any) -> bool:
    if aliases.is_container(x) or isinstance(x, (list, dict, deque)):
        return True
    if type(x) is Choice:
        return False
    if children(x) is None:
        return is_plain_object(x)
    return not isinstance(x, tuple) and not is_ours(type(x))


def is_made_up(x: Any, depth: int = 3) -> bool:
    """True for what only a trace can hold, but for tensors: one of several objects, a list of a
    length that the run tells, and what holds such.
    """
    if type(x) is Choice or is_ours(type(x)) or staged_in(x) is not None:
        return True
    if table_in(x) is not None or (aliases.is_container(x) and aliases.known_view(x) is not None):
        return True
    items = children(x) if depth else None
    return items is not None and any(is_made_up(item, depth - 1) for item in items)


def with_same_items(before: Any, after: Any) -> Any:
    """`after`, with the lists and dicts of `before` in place of those that hold the same: the run
    tells only what they hold. Of several alike it is the one at that place from the start, or from
    the end, or else the first that is left.
    """
    if type(before) is list and type(after) is list:
        first = _alike(before, after)
        last = _alike(before[first:][::-1], after[first:][::-1])
        middle = _same_middle(before[first : len(before) - last], after[first : len(after) - last])
        return [*before[:first], *middle, *before[len(before) - last :]]
    if isinstance(before, dict) and type(before) is type(after) and before is not after:
        for key, value in after.items():
            if key in before and _hold_alike(before[key], value):
                after[key] = before[key]
    return after


def _alike(before: Sequence[Any], after: Sequence[Any]) -> int:
    """How many lists and dicts at the start of both hold the same."""
    pairs = list(zip(before, after, strict=False))
    return next((i for i, (b, a) in enumerate(pairs) if not _hold_alike(b, a)), len(pairs))


def _same_middle(before: list[Any], after: list[Any]) -> list[Any]:
    left: dict[Any, deque[Any]] = {}
    for item in before:
        if type(item) in _CONTAINERS:
            left.setdefault(_content(item), deque()).append(item)
    return [_taken(left, item) for item in after]


def _taken(left: Mapping[Any, deque[Any]], item: Any) -> Any:
    alike = left.get(_content(item)) if type(item) in _CONTAINERS else None
    return alike.popleft() if alike else item


def _hold_alike(before: Any, after: Any) -> bool:
    """True for two lists or dicts of equal numbers, texts and tensors, or the same objects."""
    return type(before) in _CONTAINERS and _content(before) == _content(after)


def _content(x: Any) -> Any:
    """What `x` holds, to be compared: 1, 1.0 and True are not the same, a tensor is its value."""
    if type(x) in (*_CONTAINERS, tuple):
        keys = tuple(x) if type(x) is dict else ()
        return type(x), keys, tuple(map(_content, x.values() if type(x) is dict else x))
    if isinstance(x, (*_NUMBERS, EagerTensor)):
        array = np.asarray(x)
        return array.dtype.kind, array.shape, repr(array.tolist())
    return id(x)


_CONTAINERS = (list, dict)
_NUMBERS = (bool, int, float, complex, str)

__all__ = ["Find", "Marking", "is_made_up", "resolved", "with_same_items"]
