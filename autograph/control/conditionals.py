"""`if` statements and ternaries at run time: Python's own, or a `cond` node in a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from types import CellType
from typing import Any

import numpy as np

from treadle.graph import Tensor, weak
from treadle.graph.build import convert
from treadle.graph.control import Branch, UnknownResultError, emit_cond, new_branch
from treadle.graph.dtypes import bool_, string
from treadle.graph.errors import BranchError
from treadle.graph.ops.formatting import Text
from treadle.graph.ops.gathering import gather_known

from ..changes import journal
from ..changes.aliases import are_alike, ended, is_container, known_view, register, union, view_of
from ..changes.births import made_since
from ..changes.contents import ITEMS, key_of
from ..changes.held import Held, check_structure, joined
from ..changes.lifetime import born_inside
from ..changes.rebuilt import holds_foreign, home_of, is_mutable, lifted
from ..changes.sharing import is_shared
from ..values import given
from ..values.copies import Copies
from ..values.facts import assume, known_truth
from ..values.filling import filler
from ..values.item_views import spoil_of
from ..values.list_items import changed_at
from ..values.optional import Maybe, Source, settled, settled_items
from ..values.place import Helper, leaves_by_return, line_of, names_of
from ..values.snapshots import as_noted, variables_in
from ..values.state import (
    Nested,
    Plan,
    Same,
    Shared,
    Slot,
    accepts,
    common_dtype,
    is_number,
    is_tensor,
    of_python,
    parts_of,
    same_object,
)
from ..values.truth import condition, staged
from ..values.undefined import (
    OnlyTruth,
    Undefined,
    Unused,
    is_disagreement,
    unused,
    without_truth,
)
from .choice import Choice, choice_as_tensor, is_text
from .disagreements import disagreement, names_of_parts, undefined_on_a_path
from .exceptions import PathEndsError, ending
from .relaxed import as_promoted, promoted
from .widening import widening

Getter = Callable[[], dict[str, Any]]
Setter = Callable[[dict[str, Any]], None]


def if_stmt(
    test: Any,
    if_true: Helper | None,
    if_false: Helper | None,
    *state: Any,
    get_state: Getter | None = None,
    set_state: Setter | None = None,
    relaxed: bool = False,
    perhaps: bool = False,
) -> Any:
    """`if test: ... else: ...` over `state`; a branch that is None hands the state through.

    `perhaps`: a name that one branch leaves undefined is so, perhaps, behind it.
    """
    if type(test) is not bool and staged(test):
        site = if_true or if_false
        if site is None:
            return _unchanged(state)
        branches = Branches(
            if_true, if_false, state, get_state, set_state, line_of(site), relaxed=relaxed
        )
        branches.perhaps = perhaps or relaxed
        return branches.emit(condition(test), names_of(site, len(state)))
    branch = if_true if test else if_false
    return _unchanged(state) if branch is None else branch(*state)


def _unchanged(state: tuple[Any, ...]) -> Any:
    return state[0] if len(state) == 1 else state or None


def if_exp(
    test: Any, if_true: Callable[[], Any], if_false: Callable[[], Any], relaxed: bool = False
) -> Any:
    """`a if test else b`."""
    if type(test) is not bool and staged(test):
        branches = Branches(if_true, if_false, (), None, None, line_of(if_true), relaxed=relaxed)
        return branches.emit(condition(test), ())
    return if_true() if test else if_false()


class Branches:
    """Both branches of one tensor condition, traced and joined."""

    def __init__(
        self,
        if_true: Helper | None,
        if_false: Helper | None,
        state: Sequence[Any],
        get_state: Getter | None,
        set_state: Setter | None,
        line: str,
        relaxed: bool = False,
        ways: tuple[Branch, Branch] | None = None,
    ) -> None:
        self.relaxed = self.perhaps = relaxed
        self.helpers = (if_true, if_false)
        self.state = state
        self.get_state = get_state
        self.set_state = set_state
        self.line = line
        ways = ways or (new_branch(name="then"), new_branch(name="orelse"))
        self.ways = self.then, self.orelse = ways
        self.outputs: tuple[list[Any], list[Any]] = ([], [])
        self.own_names = journal.names_of(set_state)
        self.places: list[Held] = []  # in objects that the branches change
        self.changed: set[Any] = set()  # the keys of these objects
        self.known: set[int] = set()  # lists that others know, too
        self.apart: list[Any] = []  # lists that are one in Python, and two here
        self.widened = False  # inside of what may be None or something else
        self.copies = Copies()  # of lists as the branches leave them
        self.joined: dict[tuple[int, int], tuple[Plan, Any]] = {}  # by the ids of both

    def emit(self, pred: Any, names: Sequence[str]) -> Any:
        """Trace both, add the node; the state named `names`, or the one result without state."""
        initial = self.get_state() if self.get_state is not None else {}
        journal.touch_names(self.set_state)
        try:
            values = self._traced(pred, [*(names or [""]), *initial], initial)
        except BaseException:
            self._restore(initial)
            raise
        if self.set_state is not None:
            found = values[len(names) or 1 :]
            left = dict(zip(initial, found, strict=False))
            self.set_state(left)
            journal.leave_names(self.own_names, initial, left)
        for place, value in zip(self.places, values[len(values) - len(self.places) :], strict=True):
            place.leave(value)
        for owner in self.apart:
            given.note_apart(owner)
        return values[0] if len(names) <= 1 else tuple(values[: len(names)])

    def _traced(self, pred: Any, labels: Sequence[str], initial: dict[str, Any]) -> list[Any]:
        ways: list[list[Any] | None] = []
        changes: list[list[journal.Entry] | None] = []
        copies: list[list[Any]] = []
        lists_left: list[dict[int, Any]] = []
        moment: int | None = None
        unknown: UnknownResultError | None = None
        for branch, helper in zip((self.then, self.orelse), self.helpers, strict=True):
            try:
                with branch, journal.opened(self.own_names.values()) as scope:
                    assume(pred, branch is self.then)
                    with ending():
                        way = [settled(v) for v in self._run(helper, initial)]
                        ways.append(way)
                        copies.append([self.copies.of(v) for v in way])
                        lists_left.append(held_lists(scope, self.copies))
                    moment = scope.moment if moment is None else moment
                self._restore(initial)  # names hold nothing more of the branch's
                held = self.copies.references()
                changes.append(journal.closed(scope, ways[-1] or (), copies[-1], held=held))
                self.changed |= {key_of(entry.owner) for entry in changes[-1] or ()}
                del scope  # references are counted below
            except PathEndsError:
                ways.append(None)
                changes.append(None)
            except UnknownResultError as error:
                # A function that calls itself: what it gives, the other branch tells.
                unknown = error.with_traceback(None)  # it refers to this frame
                ways.append(None)
                changes.append(None)
            except Exception as error:
                if type(error).__module__ == "builtins" and not hasattr(error, "__notes__"):
                    error.add_note(
                        f"raised while tracing the `if` at {self.line}: its condition is a tensor, "
                        "so both branches are traced, whichever will run"
                    )
                raise
        if unknown is not None and ways == [None, None]:
            try:
                raise unknown
            finally:
                del unknown  # a cycle would keep what the user's frames refer to
        then, orelse = (w if w is not None else [unused] * len(labels) for w in ways)
        if len(copies) == len(ways):
            # While nothing else refers to what they give.
            self.known = self._known(ways, copies, initial)
            pairs = zip(zip(then, orelse, strict=True), zip(*copies, strict=True), strict=True)
            chosen = [
                same if same[0] is same[1] or is_one_sided(*same) else copy for same, copy in pairs
            ]
            then, orelse = [a for a, _ in chosen], [b for _, b in chosen]
        for place, left in joined(changes):
            check_structure(place, left, f"`if` at {self.line}")
            self.places.append(place)
            labels = [*labels, place.label]
            found = [unused if c is None else place.of(c) for c in left]
            if len(copies) == len(ways) and place.place == ITEMS:
                found = [as_left(v, lists) for v, lists in zip(found, lists_left, strict=True)]
            elif len(copies) == len(ways) and are_alike(*found):
                assert moment is not None
                self.known |= {id(v) for v in found} - made_since(moment, found)
                found = [lists.get(id(v), v) for v, lists in zip(found, lists_left, strict=True)]
            for branch, way, value in zip(self.ways, (then, orelse), found, strict=True):
                with branch:
                    known = settled_items if place.place == ITEMS else settled
                    way.append(known(value))
        own = len(labels) - len(self.places) - len(initial)
        unread = range(own, own + len(initial))
        places = [None] * (len(labels) - len(self.places)) + [p.loc for p in self.places]
        plans: list[Plan] = []
        for i, label in enumerate(labels):
            with changed_at(places[i]), given.on_path(self.copies.original):
                plans.append(self._joined(then[i], orelse[i], label, i in unread))
        results = emit_cond(pred, self.then, self.outputs[0], self.orelse, self.outputs[1])
        if ways == [None, None]:
            raise PathEndsError
        return [plan.build(results) for plan in plans]

    def _known(
        self, ways: Sequence[Any], copies: Sequence[Any], initial: dict[str, Any]
    ) -> set[int]:
        """The lists and dicts of which either is given, and that something else refers to, too."""
        original = self.copies.original
        found = [original(v) for a, b in zip(*copies, strict=True) for v in _alternatives(a, b)]
        if not found:
            return set()
        found += [o for v in found for o in _options_of(v)]
        state = self.state, initial.values()
        names = *state, *state  # each is set anew
        results = [*ways, *copies]

        def held() -> Iterator[Any]:
            views = (x for view in ended() for x in (view.target, *view.options))
            return chain(found, self.copies.references(), journal.references(), views, *names)

        # The cell of a name is one of those, unless the function is gone.
        cells = [v for v in journal.told() if isinstance(v, CellType)]
        gone = born_inside(cells, chain(held(), cells), results)
        cells = [v for v in cells if id(v) in gone]
        others = (v for v in journal.told() if not isinstance(v, CellType))
        born = born_inside([*found, *cells, *others], chain(held(), cells), results)
        return {id(v) for v in found} - born

    def _run(self, helper: Helper | None, initial: dict[str, Any]) -> list[Any]:
        """The results of a branch: the state, then what it assigned in place."""
        self._restore(initial)
        if helper is None:
            values = list(self.state) or [None]
        else:
            result = helper(*self.state)
            values = list(result) if len(self.state) > 1 else [result]
        if self.get_state is not None:
            values += self.get_state().values()
        return values

    def _restore(self, initial: dict[str, Any]) -> None:
        if self.set_state is not None:
            self.set_state(initial)

    # --- joining -------------------------------------------------------------

    def _joined(self, a: Any, b: Any, name: str, unread: bool) -> Plan:
        """`unread`: a name may hold it that is never read, then it does not matter."""
        around = self.perhaps
        if isinstance(self.own_names.get(name), CellType) and unread:
            self.perhaps = True  # a function that one branch has made may read it
        try:
            return self._join(a, b, name)
        except BranchError as error:
            if not unread:
                raise
            return Same(Undefined(name, str(error), BranchError))
        finally:
            self.perhaps = around

    def _join(self, a: Any, b: Any, name: str) -> Plan:
        """What is one object on both paths, in several places, is one behind them."""
        if not (is_mutable(a) or is_mutable(b)):
            return self._join_anew(a, b, name)
        key = id(self.copies.original(a)), id(self.copies.original(b))
        if key not in self.joined:
            originals = [self.copies.original(v) for v in (a, b)]
            if originals[0] is not originals[1]:
                for original in originals:
                    spoil_of(original)
            plan = self._join_anew(a, b, name)
            known = [given.copied(self.copies.original(v)) for v in (a, b) if is_container(v)]
            if any(known):
                plan = Nested([plan], partial(_as_copied, next(filter(None, known))))
            self.joined[key] = Shared(plan), (a, b)
        return self.joined[key][0]

    def _join_anew(self, a: Any, b: Any, name: str) -> Plan:
        if is_one_sided(a, b):
            return self._one_sided(a, b)
        if type(a) is type(b) is OnlyTruth:
            return Nested([self._join(a.truth, b.truth, name)], a.__tl_flatten__()[1])
        a, b = without_truth(a), without_truth(b)
        if isinstance(a, Undefined) or isinstance(b, Undefined):
            both = isinstance(a, Undefined) and isinstance(b, Undefined)
            perhaps = self.perhaps or Maybe in (type(a), type(b))
            if both or not perhaps or is_disagreement(a) or is_disagreement(b):
                return Same(undefined_on_a_path(a, b, name, self.line))
        with self.then:
            a = _known(a)
        with self.orelse:
            b = _known(b)
        if same_object(a, b):
            return Same(a)
        if are_alike(a, b):
            originals = [self.copies.original(v) for v in (a, b)]
            if originals[0] is originals[1]:
                return Same(originals[0])
            if any(id(v) in self.known or view_of(v) is not None for v in originals):
                return self._chosen(a, b, originals, name)
        return self._join_values(a, b, name)

    def _chosen(self, a: Any, b: Any, originals: Sequence[Any], name: str) -> Plan:
        """One of two lists that others know: its items, and which one it is."""
        options, own, tables = union(originals[0], originals[1], self.known)
        source = Source(name, f"the `if` at {self.line}", home_of())
        plan: Plan = Same(None)
        if not any(map(self._is_lost, originals)):
            ways = zip((self.then, self.orelse), originals, tables, strict=True)
            indices = [self._position(x, table, branch) for branch, x, table in ways]
            plan = self._join(indices[0], indices[1], name)
        first = {id(options[i]) for i in tables[0]}
        every = [self._option(o, (o, unused) if id(o) in first else (unused, o)) for o in options]
        make = partial(_registered, source=source, own=own)
        return Nested([plan, self._join_values(a, b, name), Nested(every, list)], make)

    def _option(self, x: Any, beside: tuple[Any, Any]) -> Plan:
        """A list that may be chosen: as it is, or as it leaves the branch that has made it."""
        return self._join(*beside, "") if self._is_made_there(x) else Same(x)

    def _is_made_there(self, x: Any) -> bool:
        """True for a list made in a branch; one that is from before and changes, is known here."""
        return key_of(x) not in self.changed and holds_foreign(x, home_of())

    def _position(self, x: Any, table: Sequence[int], branch: Branch) -> Any:
        """Which of the options `x` is; `table` says where its own ones are among them."""
        view = view_of(x)
        if view is None:
            return table[0]
        with branch:
            return gather_known(convert(table), convert(view.index))

    @staticmethod
    def _is_lost(x: Any) -> bool:
        """True for one that was chosen in a loop: which one it is, is not known any more."""
        view = view_of(x)
        return view is not None and view.index is None

    def _join_values(self, a: Any, b: Any, name: str) -> Plan:
        kind = widening(a, b, self.perhaps)
        if kind is not None:
            site = self.helpers[0] or self.helpers[1]
            word = leaves_by_return(site) if site is not None and not name else ""
            source = Source(name, f"the `{word or 'if'}` at {self.line}", home_of())
            with self.then:
                wide = kind.widen(a, b, source)
            with self.orelse:
                other = kind.widen(b, a, source)
            around, self.widened = self.widened, True
            try:
                return self._join(wide, other, name)
            finally:
                self.widened = around
        if is_text(a) and is_text(b):
            alike = type(a) is type(b) is Choice and a.__tl_structure__ == b.__tl_structure__
        if is_tensor(a) or is_tensor(b) or (is_text(a) and is_text(b) and not alike):
            with self.then:
                a = choice_as_tensor(a)
            with self.orelse:
                b = choice_as_tensor(b)
        if weak.are_weak(a, b):
            found = common_dtype(a, b) or (promoted(a, b) if self.relaxed else None)
            if found is not None:
                return self._slot(a, b, found)
        if is_tensor(a) or is_tensor(b):
            return self._tensor(a, b, name)
        first, second = parts_of(a), parts_of(b)
        if first is not None and second is not None and first[2] == second[2]:
            pairs = zip(first[0], second[0], names_of_parts(a, name, len(first[0])), strict=True)
            return Nested([self._join(x, y, part) for x, y, part in pairs], first[1])
        if is_number(a) and is_number(b):
            dtype = common_dtype(a, b) or (promoted(a, b) if self.relaxed else None)
            if dtype is not None:
                return self._slot(a, b, dtype)
        raise disagreement(a, b, name, self.line, self.helpers[0] or self.helpers[1])

    def _tensor(self, a: Any, b: Any, name: str) -> Plan:
        for value, other in ((a, b), (b, a)):
            if is_number(value) or weak.is_weak(value):
                dtype = _dtype(other) if is_tensor(other) or is_number(other) else None
                if dtype is not None and accepts(dtype, value):
                    return self._slot(a, b, dtype)
        alike = is_tensor(a) and is_tensor(b) and _dtype(a) is _dtype(b)
        found = _dtype(a) if alike else promoted(a, b) if self.relaxed else None
        if found is None:
            raise disagreement(a, b, name, self.line, self.helpers[0] or self.helpers[1])
        slot = self._slot(a, b, found)
        arrays = isinstance(a, np.ndarray) or isinstance(b, np.ndarray)
        made = Nested([slot], given.note_arrays) if arrays else slot
        return as_noted(made, variables_in(a, b), name)

    def _slot(self, a: Any, b: Any, dtype: Any) -> Plan:
        with self.then:
            self.outputs[0].append(as_promoted(a, dtype))
        with self.orelse:
            self.outputs[1].append(as_promoted(b, dtype))
        return Slot(len(self.outputs[0]) - 1, of_python(a) and of_python(b))

    def _is_given(self, used: Any) -> bool:
        """True for a list or dict that one path hands on as it is, and the other not. If it is one
        from before that the path changes, what it holds then the journal knows.
        """
        if not is_container(used):
            return False
        view = view_of(used)
        if view is not None and not view.is_known:
            return False
        return key_of(used) in self.changed or not holds_foreign(used, home_of())

    def _one_sided(self, a: Any, b: Any) -> Plan:
        """One path hands on nothing: what takes its place there is never read."""
        used, other = (b, self.then) if isinstance(a, Unused) else (a, self.orelse)
        original = self.copies.original(used)
        if not self.widened and self._is_given(original):
            return Same(original)
        if self._is_given(used):
            if original is not used and is_shared(original):
                self.apart += [original, used]
            return Same(used)
        home, there = home_of(), self.orelse if other is self.then else self.then
        with there:
            used = lifted(convert(used) if isinstance(used, Text) else used, home)
        if is_tensor(used) and not hasattr(type(used), "__tl_tensor__"):
            with there:
                tensor = used if isinstance(used, Tensor) else convert(used)
            with other:
                stand_in = filler(tensor.spec)
            pair = (stand_in, tensor) if other is self.then else (tensor, stand_in)
            self.outputs[0].append(pair[0])
            self.outputs[1].append(pair[1])
            slot = Slot(len(self.outputs[0]) - 1, of_python(used))
            return as_noted(slot, variables_in(used))
        parts = parts_of(used)
        if parts is None:
            return Same(used)

        def beside(v: Any) -> tuple[Any, Any]:
            return (unused, v) if other is self.then else (v, unused)

        items = Nested([self._join(*beside(v), "") for v in parts[0]], parts[1])
        original = self.copies.original(used)
        view = view_of(original) if are_alike(used, used) else None
        if view is None:
            return items
        known = self.known | {id(o) for o in view.options} - view.own
        options, own, (table, _) = union(original, original, known)
        every = [self._option(o, beside(o)) for o in options]
        position: Plan = Same(None)
        if not self._is_lost(original):
            position = self._one_sided(*beside(self._position(original, table, there)))
        make = partial(_registered, source=view.source, own=own)
        return Nested([position, items, Nested(every, list)], make)


def held_lists(scope: journal.Scope, copies: Copies) -> dict[int, Any]:
    """Copies of the lists and dicts that were changed, or are in changed objects, at the end of a
    scope, by the ids of those.
    """
    changed = scope.changed()
    values = [v for e in changed if e.after is not None for v in (e.owner, *e.after.values())]
    return {id(v): copies.of(v) for v in values if is_container(v)}


def as_left(items: Any, lists: dict[int, Any]) -> Any:
    """The items of a list, with lists among them as the path leaves them."""
    return [lists.get(id(v), v) for v in items] if type(items) is list else items


def _known(x: Any) -> Any:
    """A truth value that the path itself tells, as Python's: the flag of a jump, say."""
    if not weak.is_python(x) or x.dtype is not bool_:
        return x
    truth = known_truth(x)
    return x if truth is None else truth


def is_one_sided(a: Any, b: Any) -> bool:
    """True if one path hands on nothing: objects need no copy then, the journal knows them."""
    return isinstance(a, Unused) or isinstance(b, Unused)


def _options_of(x: Any) -> list[Any]:
    """What a list that was chosen inside of the branch stands for, where others may know that."""
    view = known_view(x)
    if view is None or view.is_known:
        return []
    return [o for o in view.options if id(o) not in view.own]


def _alternatives(a: Any, b: Any) -> Iterator[Any]:
    """The lists and dicts in two values of which there is one or the other."""
    if are_alike(a, b) and a is not b:
        yield from (a, b)
    first, second = (parts_of(v) if isinstance(v, (tuple, list, dict)) else None for v in (a, b))
    if first is not None and second is not None and first[2] == second[2]:
        for x, y in zip(first[0], second[0], strict=True):
            yield from _alternatives(x, y)


def _registered(items: Sequence[Any], source: Source, own: set[int]) -> Any:
    index, target, options = items
    return register(index, options, target, source, own)


def _as_copied(known: given.Copied, items: Sequence[Any]) -> Any:
    return given.as_copied(items[0], known) if is_container(items[0]) else items[0]


def _dtype(value: Any) -> Any:
    if isinstance(value, str):
        return string
    dtype = getattr(value, "dtype", None)
    return convert(value).dtype if not hasattr(dtype, "is_integer") else dtype
