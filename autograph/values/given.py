"""Lists, dicts and objects that were put into a list whose items the graph holds, or read from
one: as copies.

Python has one object there. That makes no difference until it is changed, which is refused.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from treadle.graph.build import GraphBuilder, current
from treadle.graph.errors import ConversionError, ListItemError
from treadle.graph.location import Loc, describe, user_location


@dataclass(frozen=True, slots=True)
class Copied:
    """What was read from a list of the graph's, or else was put into one."""

    was_read: bool
    loc: Loc | None = field(compare=False)
    is_apart: bool = False


_numbers = itertools.count()
_original: ContextVar[Callable[[Any], Any]] = ContextVar("original", default=lambda x: x)


@dataclass(frozen=True, slots=True)
class _Note:
    """No reference to the object, which the journal would count: a weak one, or what it held, tells
    it from a later one in the same place of the memory.
    """

    held: Any
    loc: Loc | None
    number: int
    was_read: bool
    is_apart: bool = False

    def is_of(self, owner: Any) -> bool:
        held = self.held
        return held() is owner if isinstance(held, weakref.ref) else bool(held == _held(owner))


def _notes() -> dict[int, _Note]:
    return of_trace("given away")


def of_trace(name: str) -> dict[int, Any]:
    """What the trace keeps by this name."""
    builder = current()
    if not isinstance(builder, GraphBuilder):
        return {}
    while not builder.is_function and builder.parent is not None:
        builder = builder.parent
    found: dict[int, Any] = builder.derived.setdefault(name, {})
    return found


def _held(owner: Any) -> Any:
    if not _is_container(owner):
        try:
            return weakref.ref(owner)
        except TypeError:
            return None
    values = owner.values() if isinstance(owner, dict) else list.__iter__(owner)
    return tuple(map(id, values))


def _is_container(owner: Any) -> bool:
    return isinstance(owner, (list, dict))


def note(owner: Any) -> None:
    """A copy of `owner` is put into a list of the graph's."""
    owner = _original.get()(owner)
    _notes()[id(owner)] = _Note(_held(owner), user_location(2), next(_numbers), False)


def note_apart(owner: Any) -> None:
    """There is a copy of `owner` that stands for the same object."""
    if _is_container(owner):
        _notes()[id(owner)] = _Note(_held(owner), user_location(2), next(_numbers), False, True)


def as_read(owner: Any) -> Any:
    """`owner`, a copy of what is in a list of the graph's."""
    notes = _notes()
    if notes or isinstance(current(), GraphBuilder):
        notes[id(owner)] = _Note(_held(owner), None, next(_numbers), True)
    return owner


def copied(owner: Any) -> Copied | None:
    """Whether there is a copy of `owner` in a list, or it is one."""
    found = _notes().get(id(owner))
    known = found is not None and found.is_of(owner)
    if found is None or not known:
        return None
    return Copied(found.was_read, found.loc, found.is_apart)


def as_copied(owner: Any, known: Copied) -> Any:
    """`owner`, which stands for another object, of which this is `known`."""
    held, number = _held(owner), next(_numbers)
    _notes()[id(owner)] = _Note(held, known.loc, number, known.was_read, known.is_apart)
    return owner


@contextmanager
def on_path(original: Callable[[Any], Any]) -> Iterator[None]:
    """Inside, lists and dicts may be copies of what `original` gives for them."""
    token = _original.set(original)
    try:
        yield
    finally:
        _original.reset(token)


# Whether an object is an item of a list that it can be changed in; set by item_changes.py.
is_item: list[Callable[[Any], bool]] = [lambda owner: False]


def forget(owner: Any) -> None:
    """`owner` is in no list any more."""
    _notes().pop(id(owner), None)


def mark() -> int:
    """What `refuse_since` takes."""
    return next(_numbers)


def refuse_change(owner: Any) -> None:
    """Refuse that `owner` is changed after it was put into a list, or read from one."""
    notes = _notes()
    found = notes.get(id(owner))
    if found is None:
        return
    if not found.is_of(owner):
        del notes[id(owner)]  # another object
        return
    if is_item[0](owner):
        return  # the change is done to the list, too, or refused there
    if found.was_read:
        raise ListItemError(
            f"an item of a list is changed in place at {describe(user_location(2))}; the length of "
            "the list is known only when the function runs, so its items are read as copies: make "
            f"another {type(owner).__name__} and assign it ('items[i] = ...')"
        )
    raise _refusal(owner, found, f"is changed at {describe(user_location(2))}")


def refuse_since(start: int, owner: Any, line: str) -> None:
    """Refuse that `owner`, which a loop's body changes, was put into a list there."""
    found = _notes().get(id(owner))
    if found is not None and found.number > start and not found.was_read:
        raise _refusal(owner, found, f"changes in the loop at {line}")


def note_arrays(items: Sequence[Any]) -> Any:
    """The one of `items` is a tensor with what one of several NumPy arrays holds."""
    of_trace("chosen arrays")[id(items[0])] = items[0]
    return items[0]


def refuse_item(x: Any) -> None:
    """Refuse that an item is assigned to one of several NumPy arrays."""
    if id(x) in of_trace("chosen arrays"):
        raise ConversionError(
            "an item is assigned to one of several NumPy arrays, of which a tensor chose one, at "
            f"{describe(user_location(2))}: assign it in both branches there, or use tensors"
        )


def _refusal(owner: Any, found: _Note, change: str) -> ListItemError:
    kind = type(owner).__name__
    copied = f"{kind}(row)" if _is_container(owner) else "copy.copy(row)"
    if found.is_apart:
        return ListItemError(
            f"a {kind} is put, at {describe(found.loc)}, into what may be None or something else "
            f"there, as a copy, and {change}; put a copy of your own into it, {copied}"
        )
    return ListItemError(
        f"a {kind} is put into a list at {describe(found.loc)} whose length is known only when the "
        f"function runs, as a copy, and {change}; put a copy of your own into it, {copied}, or "
        "make another one to change"
    )
