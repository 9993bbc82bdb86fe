"""Items of lists that the graph holds, which the program has at hand: they are copies, and known
here, so that a change of one is done to its list, and to the other copies.

A list's items are its own as long as nothing else leads to them. Where that was seen to end, the
list's origin is spoilt: then its items can't be changed any more.
"""

from __future__ import annotations

import gc
import itertools
import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from treadle.graph.location import Loc, user_location

from .given import of_trace
from .state import namespace_of, rebuilt

Origins = frozenset[Loc | None] | None
_numbers = itertools.count()
_FEW = 64


@dataclass(slots=True, eq=False)
class View:
    """An object at a place of the list `owner`, if that is known; `batch` is what was read with
    it. Where `is_moved`, the place may be that of another item now.
    """

    held: Any  # a weak reference, where there can be one, else a list with the object
    origins: frozenset[Loc | None]
    scope: int
    batch: int
    owner: Any = None
    index: Any = None
    path: tuple[int, ...] = ()
    moved: Loc | None = None
    is_moved: bool = False
    is_busy: bool = False

    @property
    def value(self) -> Any:
        return self.held[0] if type(self.held) is list else self.held()


@dataclass(slots=True, eq=False)
class Known:
    """What a trace knows of such objects."""

    views: list[View] = field(default_factory=list)
    spoilt: dict[Loc | None, Loc | None] = field(default_factory=dict)
    rebuilt: list[Any] = field(default_factory=list)  # lists and dicts that joins have made
    most: int = _FEW
    made: list[tuple[Any, frozenset[Loc | None], int]] = field(default_factory=list)
    appended: dict[Loc | None, tuple[int, int]] = field(default_factory=dict)  # when, in what scope
    changes: int = 0


class Scopes:
    """What the journal knows; set there."""

    open: Callable[[], list[int]]  # the numbers of scopes, the innermost one last
    born: Callable[[Sequence[Any]], set[int]]  # ids of what was made since a loop's body began
    references: Callable[[], Iterable[Any]]


def known() -> Known:
    found: Known = of_trace("item views").setdefault(0, Known())
    return found


def joined_origins(a: Origins, b: Origins) -> Origins:
    if a is None or b is None:
        return a if b is None else b
    return a | b if a and b else frozenset()


def note(
    objects: Iterable[tuple[tuple[int, ...], Any]],
    origins: frozenset[Loc | None],
    owner: Any = None,
    index: Any = None,
) -> None:
    """Objects with their places in an item were read from a list, or put into one."""
    scopes, batch, views = Scopes.open(), next(_numbers), known().views
    for path, value in objects:
        held: Any = [value]
        if type(value).__weakrefoffset__:
            held = weakref.ref(value)
        scope = scopes[-1] if scopes else -1
        views.append(View(held, origins, scope, batch, owner, index, path))


def note_rebuilt(value: Any) -> Any:
    """`value`, a list, dict or object that a join has made, or a loop hands to its body."""
    found = known()
    found.rebuilt.append(value)
    if len(found.rebuilt) > found.most:
        _forget_unused(found.rebuilt)
        found.most = 2 * len(found.rebuilt) + _FEW
    return value


rebuilt[:] = [note_rebuilt]


def view_of(value: Any) -> View | None:
    return next((v for v in reversed(known().views) if v.value is value), None)


def origins_of(items: Origins, objects: Sequence[Any]) -> Origins:
    """Those of a list that has `items` and gets an item with these `objects`."""
    if not objects:
        return items or None
    found, ids = known(), set(map(id, objects))
    copies = [v for v in found.views if id(v.value) in ids]
    for view in copies:
        spoil(view.origins)
    rebuilt = any(id(v) in ids for v in found.rebuilt)
    if (
        items == frozenset()
        or copies
        or rebuilt
        or len(ids) < len(objects)
        or not ids <= Scopes.born(objects)
    ):
        return frozenset()
    return items or frozenset([_here()])


def _here() -> Loc | None:
    """The user's line; a scope is left by way of `contextlib`."""
    depth = 2
    while (loc := user_location(depth)) is not None:
        if not loc.code.co_filename.endswith("contextlib.py"):
            break
        depth += 1
    return loc


def spoil(origins: Origins) -> None:
    """Something else leads to items of a list, too."""
    spoilt = known().spoilt
    for origin in origins or ():
        if origin not in spoilt:
            spoilt[origin] = _here()


def spoil_of(value: Any) -> None:
    """There is to be a copy of `value`, which may be an item of a list."""
    view = view_of(value)
    if view is not None:
        spoil(view.origins)


def move(origins: Origins) -> None:
    """The items of a list get other places, or others are there."""
    if origins:
        loc = user_location(2)
        for view in known().views:
            if view.origins & origins and not view.is_moved:
                view.is_moved, view.moved = True, loc


def note_made(made: Any, origins: Origins) -> Any:
    """`made` is a list that stands for another one from here on, unless `placed`."""
    if origins:
        known().made.append((weakref.ref(made), origins, next(_numbers)))
    return made


def placed(made: Any) -> None:
    """The items of `made` are put into the list that it stands for."""
    found = known()
    if found.made:
        found.made = [m for m in found.made if m[0]() is not made]


def is_replaced(view: View) -> bool:
    """True if another list stands for that of the view now."""
    return any(n > view.batch and o & view.origins for _, o, n in known().made)


def living(scope: int | None = None) -> list[tuple[View, Any]]:
    """The views of scopes that are open (or of `scope`), and their objects, which are in use."""
    found = known()
    if not found.views:
        return []
    _forget_unused(found.rebuilt)
    counts = Counter(map(id, Scopes.references()))
    numbers = Scopes.open()
    alive: list[tuple[View, Any]] = []
    kept: list[View] = []
    for view in found.views:
        value = view.value
        # Two references are those of the name here, and of the call.
        used = value is not None and sys.getrefcount(value) > 2 + counts[id(value)]
        is_open = not numbers or view.scope in numbers
        if is_open and (used or view.is_busy):
            kept.append(view)
            if scope is None or view.scope == scope:
                alive.append((view, value))
        elif value is not None:
            counts.update(map(id, _held_by(value)))
    found.views = kept
    return alive


def _forget_unused(values: list[Any]) -> None:
    for i in range(len(values) - 1, -1, -1):  # what holds others was made after these
        if sys.getrefcount(values[i]) <= _OF_LIST:
            del values[i]


_OF_LIST = 2  # references: that of the list, and of the call


def _held_by(value: Any) -> Iterator[Any]:
    """What `value`, which nobody uses, refers to."""
    for found in gc.get_referents(value):
        yield found
        if type(found) is dict and found is namespace_of(value):
            yield from found.values()


def leave(scope: int) -> None:
    """A scope ends. What is still in use of it goes out, as what its lists do not know."""
    found = known()
    for view, _ in living(scope):
        spoil(view.origins)
    found.views = [v for v in found.views if v.scope != scope]


def note_appended(origins: Origins) -> None:
    scopes = Scopes.open()
    for origin in origins or ():
        known().appended[origin] = next(_numbers), scopes[-1] if scopes else -1


def may_be_known(origins: Origins, last: bool) -> bool:
    """True if something in use may be the item that a list loses, the `last` one or any."""
    if not origins:
        return False
    found, scopes = known().appended, Scopes.open()
    for view, _ in living():
        for origin in view.origins & origins:
            number, scope = found.get(origin, (0, -1))
            surely = last and scopes and scope == scopes[-1] and not view.is_moved
            if not (surely and view.batch < number):
                return True
    return False


@dataclass(slots=True, eq=False)
class Attempts:
    """Of a loop, to trace its body: what was seen in one that is not used does not count."""

    start: int
    spoilt: dict[Loc | None, Loc | None]
    changes: int = 0
    moved: int = 0

    @staticmethod
    def begin() -> Attempts:
        return Attempts(next(_numbers), dict(known().spoilt))

    def again(self) -> None:
        found = known()
        found.views = [v for v in found.views if v.batch < self.start]
        found.spoilt = dict(self.spoilt)
        self.changes, self.moved = found.changes, self._moved()

    def _moved(self) -> int:
        return sum(v.is_moved for v in known().views if v.batch < self.start)

    def are_refused_later(self) -> bool:
        """True if items were changed, and were moved or came to be known elsewhere: the next
        iteration may not change them.
        """
        found = known()
        new = found.spoilt.keys() - self.spoilt.keys()
        if found.changes == self.changes or not (new or self._moved() > self.moved):
            return False
        self.spoilt = dict(found.spoilt)
        return True


def drop(scope: int) -> None:
    """What was made in a scope that has failed is not needed."""
    found = known()
    found.views = [v for v in found.views if v.scope != scope]


def references() -> Iterator[Any]:
    """Every reference that is held here."""
    found = known()
    yield from found.rebuilt
    for view in found.views:
        if type(view.held) is list:
            yield from view.held
        yield view.owner
