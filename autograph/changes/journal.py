"""Which objects a branch, a loop's body or a trace changes, and what they held before.

A *scope* is a piece of code that is traced although it may not run, or may run often. Converted
code says what it is going to change (`changing.py`); each open scope then keeps a copy of what that
object held. Where the scope ends the objects get back what they held, and what they held last
becomes state. Objects that were born in the scope are nobody else's business.
"""

from __future__ import annotations

import ast
import dis
import gc
import itertools
from collections import deque
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import chain
from types import CellType
from typing import Any

import numpy as np

from treadle.graph.build import is_tracing
from treadle.graph.errors import ConversionError
from treadle.graph.location import Loc, describe, expression_at, user_location

from ..values import item_views
from ..values.inside import InGraph, staged_in
from ..values.place import local_values, user_frame, uses_names
from ..values.special import caching
from ..values.staged_list import stage
from ..values.state import holds_tensor
from . import aliases, births
from .births import made_since, owner_of, watched
from .contents import (
    ABSENT,
    ITEMS,
    Contents,
    GlobalName,
    Place,
    contents_of,
    differing,
    key_of,
    put_all,
)
from .lifetime import born_inside
from .sharing import is_named


@dataclass(slots=True, eq=False)
class Entry:
    """An object that may have been changed; `loc` is where that was first about to happen."""

    owner: Any
    before: Contents
    name: str | None  # as the user calls it, if that is known
    loc: Loc | None
    has_birth: bool  # the collector tells when it was made
    assigned: set[Place] = field(default_factory=set)
    staged: set[Place] = field(default_factory=set)  # what a scope inside of this one has left
    after: Contents | None = None

    def label(self, place: Place) -> str:
        kind, key = place
        text = self.name or _text_at(self.loc) or f"the {type(self.owner).__name__}"
        if isinstance(self.owner, (GlobalName, CellType)):
            return text
        if kind == "attribute":
            return f"{text}.{key}"
        return text if place == ITEMS else f"{text}[{key!r}]"

    def places(self, *after: Contents) -> list[Place]:
        """What differs, or was assigned the same again."""
        found = differing(self.before, *after)
        known = set(found)
        if ITEMS in known:
            known |= {p for p in self.assigned if p[0] == "item"}
        more = [p for p in self.assigned if p not in known and p != ITEMS]
        return found + [p for p in more if _is_assigned(p, self.before, *after)]


def _is_assigned(place: Place, *contents: Contents) -> bool:
    """False where nothing is, and for the same container again, which has its own entry."""
    try:
        held = [c.at(place) for c in contents]
    except (LookupError, TypeError):
        return False
    if isinstance(held[0], _CONTAINERS):
        return False
    is_some = any if place[0] == "attribute" else all
    return is_some(v is not ABSENT for v in held)


_CONTAINERS = (list, dict, set, bytearray, deque, np.ndarray)


@dataclass(slots=True, eq=False)
class Scope:
    """What was touched since it was opened; `ignored` are taken care of by other means.

    `staged`: what it holds may not run, or run often. Only the scope of a trace is not, and that
    of the body of a `try` in it, as far as these have come to no place that may raise.
    """

    staged: bool = True
    is_trace: bool = False
    entries: dict[Any, Entry] = field(default_factory=dict)
    ignored: set[Any] = field(default_factory=set)
    advanced: dict[int, tuple[Any, Loc | None]] = field(default_factory=dict)  # iterators
    noted: list[Any] = field(default_factory=list)  # what the points of a `try` refer to
    ended: list[Scope] = field(default_factory=list)  # others that still refer to objects
    made: set[Any] = field(default_factory=set)  # the keys of objects born in it
    views: int = field(default_factory=aliases.count)  # those from before know their lists
    moment: int = 0  # at which it was opened
    young: set[int] = field(default_factory=set)  # the ids of what was made in it
    cached: list[tuple[Any, str]] = field(default_factory=list)  # attributes that end with it
    turned: dict[Any, dict[Place, Any]] | None = None  # marks of what was changed before `turn`
    repeats: bool = False  # the body of a loop
    frame: int = 0  # the id of the user's that it is in, if it is a path of a `try`
    number: int = field(default_factory=itertools.count().__next__)

    def gather(self) -> None:
        """Bring lists that Python has put together from others (`+=`) to one, in this graph."""
        for entry in self.entries.values():
            if isinstance(entry.owner, (list, deque)) and staged_in(entry.owner) is not None:
                stage(entry.owner)

    def owners(self) -> list[Any]:
        """All objects that were touched: those that did not change may refer to others."""
        return [e.owner for e in self.entries.values() if not isinstance(e.owner, GlobalName)]

    def made_inside(self) -> set[int]:
        """The ids of the objects that it touched and that were made in it, as far as is known."""
        owners = [e.owner for e in self.entries.values() if e.has_birth]
        return made_since(self.moment, [*owners, *[i for i, _ in self.advanced.values()]])

    def made_among(self, owners: Iterable[Any]) -> set[int]:
        """The ids of those `owners` that were made in it, while it is open."""
        entries = [(o, self.entries.get(id(o))) for o in owners]
        young = made_since(self.moment, [o for o, e in entries if e is None or e.has_birth])
        dicts = [o for o, _ in entries if isinstance(o, dict) and id(o) in young]
        return young - self._older(dicts)

    def born(self, young: set[int], known: set[int]) -> set[int]:
        """`known`, and what was made in it by when it was made."""
        dicts = {key: e.owner for key, e in self.entries.items() if isinstance(e.owner, dict)}
        older = self._older([dicts[key] for key in young - known if key in dicts])
        return known | young - older

    def _older(self, dicts: Sequence[dict[Any, Any]]) -> set[int]:
        """The ids of those that are the `__dict__` of an object from before."""
        owners = [(d, owner_of(d)) for d in dicts]
        young = made_since(self.moment, [o for _, o in owners if o is not None])
        return {id(d) for d, o in owners if o is not None and id(o) not in young}

    def restore(self) -> None:
        for entry in self.entries.values():
            put_all(entry.owner, entry.before)

    def put_back(self) -> list[Entry]:
        """The objects in which items were assigned, and which hold again what they held."""
        return [
            entry
            for entry in self.entries.values()
            if entry.assigned and contents_of(entry.owner) == entry.before
        ]

    def has_changed(self, owner: Any) -> bool:
        """True if `owner` is a container that held something else at the end of the scope."""
        is_container = isinstance(owner, (list, dict, InGraph))
        entry = self.entries.get(key_of(owner)) if is_container else None
        after = None if entry is None else entry.after
        return entry is not None and after is not None and bool(entry.places(after))

    def changed(self) -> list[Entry]:
        """The objects that hold something else now, with `after`."""
        found = []
        for key, entry in self.entries.items():
            if key not in self.ignored:
                entry.after = contents_of(entry.owner)
                if entry.after is not None and entry.places(entry.after):
                    found.append(entry)
        return found


_scopes: ContextVar[tuple[Scope, ...]] = ContextVar("scopes", default=())


def is_watched() -> bool:
    """True inside of a scope."""
    return bool(_scopes.get()) and is_tracing()


def is_staged() -> bool:
    """True inside of a scope that may not run, or run often."""
    scopes = _scopes.get()
    return bool(scopes) and scopes[-1].staged and is_tracing()


@contextmanager
def opened(
    ignored: Iterable[Any] = (),
    staged: bool = True,
    is_trace: bool = False,
    repeats: bool = False,
) -> Iterator[Scope]:
    """A scope; objects get back what they held if the block fails."""
    around = _scopes.get()
    staged = staged or bool(around and around[-1].staged)
    ids = {key_of(owner) for owner in ignored}
    scope = Scope(staged, is_trace, ignored=ids, repeats=repeats)
    token = _scopes.set((*around, scope))
    try:
        with watched() as scope.moment:
            try:
                yield scope
            finally:
                for owner, name in scope.cached:
                    vars(owner).pop(name, None)
            scope.gather()
            scope.young = scope.made_inside()
            if not is_trace:
                item_views.leave(scope.number)
    except BaseException as error:
        leaves: BaseException | None = error
        while leaves is not None:  # what it says stays
            scope.entries.pop(key_of(leaves), None)
            leaves = leaves.__cause__
        scope.restore()
        item_views.drop(scope.number)
        raise
    finally:
        _scopes.reset(token)


def touch(owner: Any, name: str | None = None, place: Place | None = None) -> None:
    """`owner` may be changed next (at `place`); `name` is how the user calls it."""
    key, scopes = key_of(owner), _scopes.get()
    if type(owner) is dict and not (scopes and key in scopes[0].entries):
        of = owner_of(owner) if uses_names("__dict__", "vars") else None
        if of is not None:  # its items are the attributes of that object
            key, owner, name, place = key_of(of), of, None, place and ("attribute", place[1])
    before = None
    for scope in reversed(scopes):
        entry = scope.entries.get(key)
        if entry is None:
            if before is None:
                before = contents_of(owner)
                if before is None:
                    return
                loc = user_location(2)
                name = name or _name_in_frame(owner)
            entry = scope.entries[key] = Entry(owner, before, name, loc, has_birth(owner))
        if place is not None:
            entry.assigned.add(place)


def cache(owner: Any, name: str, value: Any) -> None:
    """`owner` keeps what a cached property gives while its tensors exist and it surely is there."""
    vars(owner)[name] = value
    scope = _scopes.get()[-1]
    if scope.staged or holds_tensor(value):
        scope.cached.append((owner, name))


def has_birth(owner: Any) -> bool:
    """True if the collector tells when it was made."""
    return gc.is_tracked(owner) and not isinstance(owner, GlobalName)


def _name_in_frame(owner: Any) -> str | None:
    """The local name of an object where the user's code is now."""
    return next((name for name, value in local_values().items() if value is owner), None)


def advance(iterator: Any) -> None:
    """An item is taken from `iterator`, which can't be put back."""
    for scope in _scopes.get():
        if scope.staged:
            scope.advanced.setdefault(id(iterator), (iterator, user_location(2)))


def _text_at(loc: Loc | None) -> str:
    expression = expression_at(loc)
    if isinstance(expression, ast.Call):
        expression = expression.func
        if isinstance(expression, ast.Attribute):
            expression = expression.value
    if expression is None:
        return ""
    text = ast.unparse(expression)
    return text if len(text) <= 40 else ""


def closed(
    scope: Scope, *results: Sequence[Any], running: Sequence[Any] = (), held: Iterable[Any] = ()
) -> list[Entry]:
    """The objects from before the scope that it changed. They hold again what they held then.

    `results` are sequences of our own with what the scope was given and hands on; objects known
    only through them are not from before, nor those that but the function that is running refers
    to, by names that hold the values `running`. `held` gives further references of our own.
    """
    changed = scope.changed()
    if not (changed or scope.advanced or scope.noted):
        return []
    for entry in changed:
        put_all(entry.owner, entry.before)
    outer = _scopes.get()
    owners = scope.owners()
    owners += [iterator for iterator, _ in scope.advanced.values()]
    copies = chain(_copies((*outer, scope, *scope.ended), scope.views), running, held)
    born = scope.born(scope.young, born_inside(owners, copies, (*results, running)))
    scope.made |= {key for key, entry in scope.entries.items() if id(entry.owner) in born}
    for iterator, loc in scope.advanced.values():
        if id(iterator) not in born:
            raise ConversionError(
                f"an iterator is advanced at {describe(loc)}; whether or how often that happens "
                "depends on a tensor. Iterate over a tensor, or make the iterator there"
            )
        for other in outer:
            other.advanced.pop(id(iterator), None)
    for key, entry in scope.entries.items():
        if id(entry.owner) in born:
            if entry.after is not None:
                put_all(entry.owner, entry.after)
            for other in outer:
                other.entries.pop(key, None)
                if any(entry.owner is noted for noted in other.noted):
                    other.made.add(key)
    return [entry for entry in changed if id(entry.owner) not in born]


def lasting(scope: Scope, *results: Sequence[Any]) -> list[Entry]:
    """The objects from before a trace in which scopes have left something, with `after`.

    All objects hold what they held before it; `resume` takes that back.
    """
    scope.changed()
    scope.restore()
    staged = [e for e in scope.entries.values() if e.staged and e.after is not None]
    owners = scope.owners()
    # What is only kept to be put back (an object that a path chose, say) may refer to others.
    after = [v for e in scope.entries.values() if e.after is not None for v in e.after.values()]
    born = born_inside(owners, _copies(_scopes.get()), (*results, after))
    if not {id(e.owner) for e in staged} <= born:
        births.collected()  # attempts to trace a loop leave cycles behind that refer to them
        born = born_inside(owners, _copies(_scopes.get()), (*results, after))
        born = scope.born(scope.made_inside(), born)
    return [e for e in staged if id(e.owner) not in born]


def of_trace() -> Scope:
    """The scope of the trace that is under way."""
    return next(scope for scope in reversed(_scopes.get()) if scope.is_trace)


def turn() -> None:
    """From here on a tensor decides whether the code of the trace is reached: something raises."""
    scopes, scope = _scopes.get(), of_trace()
    if scope.turned is not None:
        return
    scope.staged = True
    scope.turned = {}
    inside = scopes[scopes.index(scope) + 1 :]
    for key, entry in scope.entries.items():
        inner = next((s.entries[key] for s in inside if key in s.entries), None)
        now = contents_of(entry.owner) if inner is None else inner.before
        if now is not None:
            scope.turned[key] = {p: _mark_of(now.at(p)) for p in differing(entry.before, now)}


def _mark_of(value: Any) -> Any:
    """Tells a value from others, without a reference to it."""
    if isinstance(value, (list, dict)):
        return [id(v) for v in (value.values() if isinstance(value, dict) else value)]
    return id(value)


def stage_all(scope: Scope, among: Container[int] | None = None) -> None:
    """What the scope has changed is for the run to say; `among`: of objects with these ids."""
    for entry in scope.changed():
        if entry.after is not None and (among is None or id(entry.owner) in among):
            entry.staged.update(entry.places(entry.after))
        elif entry.after is not None and scope.turned is not None:
            known = scope.turned.get(key_of(entry.owner), {})
            for place in entry.places(entry.after):
                if place not in known or known[place] != _mark_of(entry.after.at(place)):
                    entry.staged.add(place)


def note_changes() -> None:
    """Here an exception leaves the trace: what scopes in it have changed on the way here will be
    left so.
    """
    scopes = _scopes.get()
    first = max((i for i, scope in enumerate(scopes) if scope.is_trace), default=0)
    for scope in scopes[first + 1 :]:
        for key, entry in scope.entries.items():
            after, outermost = contents_of(entry.owner), scopes[first].entries.get(key)
            if after is not None and outermost is not None:
                outermost.staged.update(entry.places(after))


def resume(scope: Scope) -> None:
    for entry in scope.entries.values():
        if entry.after is not None:
            put_all(entry.owner, entry.after)


def told() -> Iterator[Any]:
    """What the open scopes know of; some of it, like the cell of a name, only they refer to."""
    for scope in _scopes.get():
        yield from scope.owners()
        yield from scope.noted


def references() -> Iterator[Any]:
    """The references to objects that the open scopes hold, one by one."""
    yield from _copies(_scopes.get(), aliases.count())


def _copies(scopes: Sequence[Scope], views: int = 0) -> Iterator[Any]:
    """The references to objects that scopes hold, one by one, and all but the first `views`."""
    seen: set[int] = set()
    yield from aliases.references(views)
    yield from item_views.references()
    for scope in scopes:
        yield from scope.noted
        yield from scope.noted
        yield from (iterator for iterator, _ in scope.advanced.values())
        for entry in scope.entries.values():
            yield entry.owner
            for contents in (entry.before, entry.after):
                if contents is not None and id(contents) not in seen:
                    seen.add(id(contents))
                    yield from contents.values()


# --- names that a construct assigns in place ------------------------------------------------


def names_of(set_state: Any) -> dict[str, Any]:
    """The nonlocal and global names that `set_state` assigns: cells, and GlobalNames."""
    if set_state is None:
        return {}
    code, names = set_state.__code__, {}
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname == "STORE_DEREF":
            names[name] = set_state.__closure__[code.co_freevars.index(name)]
        elif instruction.opname == "STORE_GLOBAL":
            names[name] = GlobalName(set_state.__globals__, name)
    return names


def leave_names(names: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> None:
    """Tell the scopes around of names that a construct has assigned by `set_state`."""
    for name, variable in names.items():
        if before.get(name) is not after.get(name):
            place = ("attribute", name if isinstance(variable, GlobalName) else "cell_contents")
            mark(variable, place)


def mark(owner: Any, place: Place) -> None:
    """What `owner` holds there is for the run to say."""
    for scope in _scopes.get():
        entry = scope.entries.get(key_of(owner))
        if entry is not None:
            entry.staged.add(place)


def touch_names(set_state: Any) -> None:
    if not is_watched():
        return
    frame = user_frame()
    own = () if frame is None else frame.f_code.co_cellvars
    for name, variable in names_of(set_state).items():
        if name in own:
            _leave_out(variable, id(frame))
        touch(variable, name)


def _leave_out(variable: Any, frame: int) -> None:
    """A path of a `try` in the same function has its variables, where they matter, as its state."""
    key = key_of(variable)
    for scope in _scopes.get():
        if scope.frame == frame and key not in scope.entries:
            scope.ignored.add(key)


def _made_in_loop(values: Sequence[Any]) -> set[int]:
    """The ids of those that were surely made since the body of the innermost loop began."""
    around = [s for s in _scopes.get() if s.repeats or s.is_trace]
    if not around:
        return set()
    # The collector does not know dicts of numbers.
    others = {id(v) for v in values if not (gc.is_tracked(v) or is_named(v))}
    return around[-1].made_among(values) | others


item_views.Scopes.open = staticmethod(lambda: [s.number for s in _scopes.get()])
item_views.Scopes.born = staticmethod(_made_in_loop)
item_views.Scopes.references = staticmethod(references)
caching[:] = [cache]
