"""Lists and dicts of which a tensor chose one: `c = a if x > 0 else b`.

`c` is a list of its own with the items of the chosen one, and is known here. A change of `c` is
done to the list that was chosen (`choosing.py`), and `c` gets the items of that again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NoReturn

from treadle.graph import Value
from treadle.graph.build import GraphBuilder, current
from treadle.graph.errors import BranchError
from treadle.graph.location import describe, user_location

from ..values.inside import InGraph, staged_in
from ..values.item_views import spoil
from ..values.optional import Source
from .rebuilt import home_of

_VIEWS = "chosen lists"


class View:
    """`target` stands for `options[index]`; without an index that is not known any more."""

    __slots__ = ("index", "options", "own", "source", "target")

    def __init__(
        self, index: Any, options: Sequence[Any], target: Any, source: Source, own: set[int]
    ) -> None:
        self.index = index
        self.options = list(options)
        self.own = own  # ids of the options that nothing else refers to
        self.target = target
        self.source = source

    @property
    def is_known(self) -> bool:
        """False outside of the branch or loop in which it was chosen."""
        if isinstance(self.index, Value):
            return id(self.index.owner) in home_of()
        return self.index is not None

    def refuse(self) -> NoReturn:
        kind = type(self.target).__name__
        raise BranchError(
            f"{self.source.what}, which is one of several {kind}s, is changed at "
            f"{describe(user_location(2))}; which one it is was chosen in {self.source.place}. "
            "Change it there"
        )


class Operations:
    """How a change is done to the chosen one; set by `choosing.py`."""

    change: Callable[[Any, Callable[[Any], Any]], Any]


def _views() -> dict[int, View]:
    builder = current()
    if not isinstance(builder, GraphBuilder):
        return {}
    while builder.parent is not None:
        builder = builder.parent
    found: dict[int, View] = builder.derived.setdefault(_VIEWS, {})
    return found


_DICTS = (dict, defaultdict, Counter)


def is_container(x: Any) -> bool:
    return type(x) is list or type(x) in _DICTS or issubclass(type(x), InGraph)


def are_alike(a: Any, b: Any) -> bool:
    """True for two lists (the graph may hold them), and for two dicts of one class."""
    if not (is_container(a) and is_container(b)):
        return False
    kinds = [type(x) if isinstance(x, dict) else list for x in (a, b)]
    return kinds[0] is kinds[1]


def view_of(x: Any) -> View | None:
    """What `x` stands for, if it is a list that was chosen."""
    views = _views()
    return views.get(id(x)) if views else None


def known_view(x: Any) -> View | None:
    """The same, where it is known which one that is."""
    view = view_of(x)
    return view if view is not None and view.index is not None else None


def is_involved(x: Any) -> bool:
    """True if a change of `x` changes other lists, too."""
    views = _views()
    return bool(views) and (
        id(x) in views or any(_has(v, x) and v.is_known for v in views.values())
    )


def _has(view: View, x: Any) -> bool:
    return any(o is x for o in view.options)


def depending_on(changed: Sequence[Any]) -> list[View]:
    """The views whose items are those of lists that were changed, in the order of their making."""
    views = _views()
    owners = set(map(id, changed))
    found: list[View] = []
    for view in views.values():  # a view can only depend on those before it
        if view.is_known and any(id(o) in owners for o in view.options):
            owners.add(id(view.target))
            found.append(view)
    return found


def count() -> int:
    """How many there are."""
    return len(_views())


def forget(since: int, until: int | None = None) -> None:
    """Those after the first `since`, up to `until`, were of a graph that is over, or not used."""
    views = _views()
    for key in list(islice(views, since, until)):
        del views[key]


@contextmanager
def hidden(since: int) -> Iterator[None]:
    """Inside, nothing is known of those that were chosen after the first `since`."""
    views = _views()
    later = {key: views.pop(key) for key in list(islice(views, since, None))}
    try:
        yield
    finally:
        views.update(later)


def references(since: int = 0) -> Iterator[Any]:
    """Every reference that is held here, but for those of the first `since`."""
    for view in islice(_views().values(), since, None):
        yield view.target
        yield from view.options


def ended() -> Iterator[View]:
    """Those that were chosen inside of a branch or loop that is over."""
    return (view for view in _views().values() if not view.is_known)


def register(index: Any, options: Sequence[Any], target: Any, source: Source, own: set[int]) -> Any:
    """`target`, which stands for `options[index]`. Nobody else knows those whose ids are in `own`,
    nor one for which None stands.
    """
    if isinstance(index, int) and options[index] is not None:
        return options[index]
    every = [snapshot(target) if o is None else o for o in options]
    own = own | {id(o) for o, given in zip(every, options, strict=True) if given is None}
    _views()[id(target)] = View(index, every, target, source, own)
    return target


def lost(target: Any, view: View) -> Any:
    """`target`, which came out of the loop in which it was chosen."""
    for chosen in (target, *view.options):
        spoil(getattr(staged_in(chosen), "origins", None))
    _views()[id(target)] = View(None, view.options, target, view.source, view.own)
    return target


def as_alias(copy: Any, x: Any, state: frozenset[int]) -> None:
    """Let `copy` stand for what `x` does, whose items it has: for lists that others know than the
    loop, whose own are those in `state`.
    """
    view = known_view(x) if is_container(x) else None
    if view is not None and not {id(o) for o in view.options} <= view.own | state:
        _views()[id(copy)] = View(view.index, view.options, copy, view.source, view.own)


def snapshot(x: Any) -> Any:
    """What a list or dict holds now, as one of its own."""
    known = staged_in(x)
    return x.copy() if known is None else known.copy()


def union(
    a: Any, b: Any, known: set[int]
) -> tuple[list[Any], set[int], tuple[list[int], list[int]]]:
    """The lists that `a` and `b` stand for, the ids of those that nobody else knows, and which of
    them are the options of either one.

    None stands for one that nothing else refers to.
    """
    options: list[Any] = []
    tables = []
    unknown: set[int] = set()
    for x in (a, b):
        view = known_view(x)
        if view is None:
            own = [x if id(x) in known else None]
        else:  # one that was chosen inside of the branch goes out as part of the choice
            unknown |= view.own
            own = [o if view.is_known or id(o) in known else None for o in view.options]
        table = []
        for o in own:
            places = [i for i, p in enumerate(options) if p is o and o is not None]
            if not places:
                options.append(o)
                places = [len(options) - 1]
            table.append(places[0])
        tables.append(table)
    return options, unknown, (tables[0], tables[1])
