"""Places in objects from before that branches and loops have changed: part of their state."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from treadle.graph.errors import ConversionError
from treadle.graph.location import Loc, describe

from ..values.staged_list import StagedList
from ..values.state import same_object
from ..values.tables import DICTS, Kept, like
from ..values.undefined import Undefined
from . import journal
from .contents import ABSENT, IN_ORDER, ITEMS, Contents, Place, contents_of, inherited, key_of, put


@dataclass(slots=True, eq=False)
class Held:
    """A place in an object from before, which is state of a branch or loop."""

    owner: Any
    place: Place
    label: str
    loc: Loc | None

    def get(self) -> Any:
        contents = contents_of(self.owner)
        assert contents is not None
        return self.of(contents)

    def of(self, contents: Contents) -> Any:
        value = self.raw(contents)
        if value is ABSENT and self.place[0] == "attribute":
            value = inherited(self.owner, self.place[1])
        return Undefined(self.label) if value is ABSENT else value

    def raw(self, contents: Contents) -> Any:
        try:
            return contents.at(self.place)
        except (LookupError, TypeError):
            return ABSENT

    def put(self, value: Any) -> None:
        gone = isinstance(value, Undefined) and not value.reason
        put(self.owner, self.place, ABSENT if gone else value)

    def is_inherited(self, value: Any) -> bool:
        """True for an attribute that the class of the object gives it with this value already."""
        kind, name = self.place
        default = inherited(self.owner, name) if kind == "attribute" else ABSENT
        if default is ABSENT or not same_object(default, value):
            return False
        contents = contents_of(self.owner)
        return contents is not None and self.raw(contents) is ABSENT

    def leave(self, value: Any) -> None:
        """Put what a scope leaves there, and tell the scopes around it."""
        journal.touch(self.owner, self.label)
        self.put(value)
        journal.mark(self.owner, self.place)

    @property
    def key(self) -> Any:
        return key_of(self.owner), self.place


def held_at(entry: journal.Entry, places: Sequence[Place]) -> list[Held]:
    return [Held(entry.owner, p, entry.label(p), entry.loc) for p in places]


def joined(ways: Sequence[list[journal.Entry] | None]) -> list[tuple[Held, list[Contents | None]]]:
    """The places that one of several branches changed, with what each left there.

    None stands for a branch whose results do not matter.
    """
    entries: dict[Any, list[journal.Entry | None]] = {}
    for i, way in enumerate(ways):
        for entry in way or ():
            entries.setdefault(key_of(entry.owner), [None] * len(ways))[i] = entry
    found: list[tuple[Held, list[Contents | None]]] = []
    for alike in entries.values():
        first = next(e for e in alike if e is not None)
        first.assigned.update(*(e.assigned for e in alike if e is not None))
        left: list[Contents | None] = []
        for way, own in zip(ways, alike, strict=True):
            left.append(None if way is None else first.before if own is None else own.after)
        places = first.places(*[c for c in left if c is not None])
        found += [(h, left) for h in held_at(first, places)]
    return found


def check_structure(place: Held, left: Sequence[Contents | None], construct: str) -> None:
    """Refuse containers that get other items, or another number of them, on different paths."""
    if place.place != ITEMS or isinstance(place.owner, (list, StagedList)):
        return  # of a list the graph can hold the items
    if type(place.owner) is deque:
        return
    items = [c.items for c in left if c is not None]
    if all(_alike(i, items[0]) for i in items):
        return
    if type(place.owner) in (Kept, *DICTS) and like(*items) is not None:
        return
    kind = type(place.owner).__name__
    article = "an" if kind[0] in "AEIOU" else "a"
    what = "keys" if isinstance(place.owner, dict) else "items"
    cure = "Use a list, or a tensor"
    if isinstance(place.owner, dict):
        cure = "Give it all its keys before, or collect values in a list"
        if isinstance(place.owner, OrderedDict):
            cure = f"Use a plain dict, of which they may: {IN_ORDER}"
        elif type(place.owner) not in DICTS:
            cure = "Use a plain dict, a defaultdict or a Counter, of which they may"
    elif isinstance(place.owner, set):
        cure = "Use a dict that has a truth value for each, or collect values in a list"
    raise ConversionError(
        f"'{place.label}' gets other {what} at {describe(place.loc)}, inside of the {construct}, "
        f"which depends on a tensor; the {what} of {article} {kind} must not. "
        f"{cure}"
    )


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return list(a) == list(b)
    if isinstance(a, list):
        return len(a) == len(b)
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else bool(a == b)
