"""Python lists and dicts that were put into a list whose items the graph holds, as copies.

Python has one object there. That makes no difference until it is changed, which is refused.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from treadle.graph.build import GraphBuilder, current
from treadle.graph.errors import ListItemError
from treadle.graph.location import Loc, describe, user_location

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class _Note:
    """No reference to the object, which the journal would count: what it held tells it from a later
    one in the same place of the memory.
    """

    held: tuple[int, ...]
    loc: Loc | None
    number: int


def _notes() -> dict[int, _Note]:
    builder = current()
    if not isinstance(builder, GraphBuilder):
        return {}
    while not builder.is_function and builder.parent is not None:
        builder = builder.parent
    found: dict[int, _Note] = builder.derived.setdefault("given away", {})
    return found


def _held(owner: Any) -> tuple[int, ...]:
    values = owner.values() if isinstance(owner, dict) else list.__iter__(owner)
    return tuple(map(id, values))


def note(owner: Any) -> None:
    """A copy of the list or dict `owner` is put into a list of the graph's."""
    _notes()[id(owner)] = _Note(_held(owner), user_location(2), next(_numbers))


def mark() -> int:
    """What `refuse_since` takes."""
    return next(_numbers)


def refuse_change(owner: Any) -> None:
    """Refuse that `owner` is changed after it was put into a list."""
    if type(owner) not in (list, dict):
        return
    notes = _notes()
    found = notes.get(id(owner))
    if found is None:
        return
    if found.held != _held(owner):
        del notes[id(owner)]  # another object
        return
    raise _refusal(owner, found, f"is changed at {describe(user_location(2))}")


def refuse_since(start: int, owner: Any, line: str) -> None:
    """Refuse that `owner`, which a loop's body changes, was put into a list there."""
    found = _notes().get(id(owner))
    if found is not None and found.number > start:
        raise _refusal(owner, found, f"changes in the loop at {line}")


def _refusal(owner: Any, found: _Note, change: str) -> ListItemError:
    kind = type(owner).__name__
    return ListItemError(
        f"a {kind} is put into a list at {describe(found.loc)} whose length is known only when the "
        f"function runs, as a copy, and {change}; put a copy of your own into it, {kind}(row), or "
        "make another one to change"
    )
