"""`try` at run time: Python's own, and a `try` node where something in its body may raise in a run.

While tracing, Python's own statement runs, and what the user's code raises then is caught then. Of
what may raise in a run note is taken on the way (raise_points.py). If there is any, the statement
is run again for each such exception, in a branch, with the state at that point; the body then
raises that exception at once, so that Python finds the handler.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any, NoReturn

from treadle.graph import Value
from treadle.graph.build import GraphBuilder, convert, current
from treadle.graph.control import Branch, UnknownResultError, emit_cond, new_branch
from treadle.graph.effects import node_effects
from treadle.graph.errors import (
    BranchError,
    ConversionError,
    InternalError,
    LeakedTensorError,
    LoopDtypeError,
    LoopShapeError,
    OperatorNotAllowedInGraphError,
    PythonLoopError,
    UndefinedVariableError,
)
from treadle.graph.op import READ
from treadle.graph.ops.comparison import equal
from treadle.graph.ops.gathering import gather_known
from treadle.graph.ops.logic import logical_and
from treadle.graph.trying import raise_again, raised_is

from ..changes import aliases, journal
from ..changes.births import made_since
from ..changes.contents import ITEMS, Contents, contents_of, differing, key_of, put_all
from ..changes.held import Held, check_structure, joined
from ..values.copies import Copies
from ..values.optional import settled
from ..values.place import local_values, user_frame, user_line
from ..values.stand_ins import stand_in
from ..values.state import Plan, describe_value
from ..values.undefined import Undefined, unused
from .carried import RetryError
from .conditionals import Branches, Getter, Setter, as_left, held_lists, if_stmt, is_one_sided
from .exceptions import PathEndsError, ending, is_about_the_trace, is_of_stand_in, refusal
from .managers import Managed, is_plain
from .raise_points import SCALAR, Point, Points, groups_of
from .raise_states import Version

# About the trace, not of the user's program: no handler of the user's is to see them.
_OURS = (
    *(BranchError, ConversionError, InternalError, LeakedTensorError, LoopDtypeError),
    *(LoopShapeError, OperatorNotAllowedInGraphError, PythonLoopError, RetryError),
    *(UndefinedVariableError, UnknownResultError),
)


class _OnePath:
    """What there is outside of a trace."""

    __slots__ = ("manager",)

    def __init__(self, manager: Any = None) -> None:
        self.manager = manager

    @property
    def body(self) -> _OnePath:
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


_one_path = (_OnePath(),)


def paths(
    get_state: Getter | None = None,
    set_state: Setter | None = None,
    *,
    manager: Any = None,
    catches: Callable[[], Any] = tuple,
    relaxed: bool = False,
) -> Any:
    """The paths through a `try`, or a `with` of `manager`, whose blocks assign what `get_state`
    gives. `catches` gives the classes of its handlers.
    """
    builder = current()
    if manager is None and not isinstance(builder, GraphBuilder):
        return _one_path
    if not isinstance(builder, GraphBuilder) or (manager is not None and is_plain(manager)):
        return (_OnePath(manager),)
    state = get_state or dict, set_state or _nothing
    return _Paths(builder, *state, manager, catches, relaxed)


def _nothing(state: dict[str, Any]) -> None:
    pass


class _PassingError(BaseException):
    """Carries an error of ours past the handlers of the user."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._errors = [error]

    def release(self) -> NoReturn:
        """Raise it. No cycle is left behind: the journal counts references."""
        try:
            raise self._errors.pop()
        finally:
            sys.exc_info()[1].__context__ = None  # type: ignore[union-attr]


class _Body:
    """The body of the `try` on the path that is taken now."""

    __slots__ = ("paths",)

    def __init__(self, paths: _Paths) -> None:
        self.paths = paths

    def __enter__(self) -> None:
        self.paths.start_body()

    def __exit__(self, kind: object, error: BaseException | None, tb: object) -> None:
        self.paths.end_body(error)


class _Paths:
    def __init__(
        self,
        builder: GraphBuilder,
        get_state: Getter,
        set_state: Setter,
        manager: Any,
        catches: Callable[[], Any],
        relaxed: bool,
    ) -> None:
        self.builder = builder
        self.catches = catches
        self._manager = None if manager is None else Managed(manager, builder)
        self.relaxed = relaxed
        self.get_state, self.set_state = get_state, set_state
        self.line = user_line()
        self.notes: Points | None = None
        self.catching: _Catching | None = None
        self.first = _Way()
        self.copies = Copies()  # of lists as the paths leave them
        self.raised: BaseException | None = None  # what has ended the first path
        self.last: dict[str, Any] = {}  # what the names hold there
        self.own_names = journal.names_of(set_state)
        self.initial: dict[str, Any] = {}

    @property
    def body(self) -> _Body:
        return _Body(self)

    def __iter__(self) -> Iterator[_Paths]:
        yield self
        try:
            while self.catching is not None and self.catching.next():
                yield self
            if self.catching is not None:
                self._join(self.catching)
        finally:
            # The journal counts references.
            self.catching = self.raised = self._manager = self.notes = None
            self.first, self.initial, self.last, self.copies = _Way(), {}, {}, Copies()

    @property
    def manager(self) -> Managed:
        assert self._manager is not None
        return self._manager

    def __enter__(self) -> None:
        if self.catching is not None:
            self.catching.enter()

    def __exit__(self, kind: object, error: BaseException | None, tb: object) -> bool:
        if self.catching is None:
            return self._leave_first(error)
        self.catching.leave(error)
        return True

    def start_body(self) -> None:
        if self.catching is not None:
            raise self.catching.error
        self.initial = self.get_state()
        journal.touch_names(self.set_state)
        scope = self.first.open(self.own_names.values(), staged=False)
        self.notes = Points(self.builder, self.get_state, self._manager, scope, self.catches)

    def end_body(self, error: BaseException | None) -> None:
        assert self.notes is not None
        self.notes.end_body()
        if error is not None and is_of_stand_in(error):
            raise _PassingError(refusal(error))
        if error is not None and (isinstance(error, _OURS) or is_about_the_trace(error)):
            raise _PassingError(error)
        if isinstance(error, PathEndsError) and self.notes.points:
            # No handler is to run on this path: go on with the first of the others.
            self._leave_first(error)
            if self.catching is not None and self.catching.next():
                self.catching.enter()
                raise self.catching.error from None

    def _leave_first(self, error: BaseException | None) -> bool:
        notes = self.notes
        if notes is None:
            return False  # the manager can't be entered
        notes.region.close()
        if isinstance(error, _PassingError):
            self.first.drop()
            error.release()
        if not notes.points:
            self.first.drop()
            return False
        self.raised = error
        self.first.close(self.get_state() if error is None else None, self.copies)
        if error is not None and not isinstance(error, PathEndsError):
            self.last = self.get_state()
            notes.go_beyond()
        self.catching = _Catching(self, notes)
        return True

    def _join(self, catching: _Catching) -> None:
        """Put the `try` in place."""
        region, first, raised = catching.notes.region, self.first, self.raised
        if not catching.links:
            # No exception is caught.
            first.resume()
            if first.state is not None:
                self.set_state(first.state)
            elif raised is not None:
                if self.last:
                    self.set_state(self.last)
                try:
                    raise raised
                finally:
                    del raised  # a cycle would keep what the user's frames refer to
            return
        if raised is not None and not isinstance(raised, PathEndsError):
            self.set_state(self.last)
            first.resume()  # what it leaves where it raises is seen there
            try:
                with suppress(PathEndsError), ending():
                    raise raised
            finally:
                del raised
                first.put_back()
        inside = region.values()
        body = region.outline()
        places = self._places([(body, first), *((link.taken, link.way) for link in catching.links)])
        handler, after = catching.finish()
        join = _Join(self, (body, handler), first.changed)
        plans = join.states(first, after)
        self._require_known(handler, inside)
        results = region.emit(catching.slot, body, join.outputs[0], handler, join.outputs[1])
        if first.state is None and after.state is None:
            raise PathEndsError
        left = {n: plan.build(results) for n, plan in plans.items()}
        for place in places:
            place.leave(left.pop(place.label))
        self.set_state(left)
        journal.leave_names(self.own_names, self.initial, left)

    def _places(self, ways: Sequence[tuple[Branch, _Way]]) -> list[Held]:
        """The places in objects that some path changes, as further state of each path."""
        found: list[Held] = []
        for place, left in joined([way.changes for _, way in ways]):
            check_structure(place, left, f"`try` at {self.line}")
            if place.label in self.initial or any(place.label == p.label for p in found):
                place.label += f" ({len(found)})"
            found.append(place)
            key = key_of(place.owner)
            made = key in self.first.made  # other paths may not have come to that
            for (branch, way), contents in zip(ways, left, strict=True):
                other = made and way is not self.first and key not in way.changed
                if way.state is not None:
                    held = unused if contents is None or other else place.of(contents)
                    if place.place == ITEMS:
                        held = as_left(held, way.lists)
                    with branch:
                        way.state[place.label] = settled(held)
                    if id(held) in way.lists:
                        way.left[place.label] = way.lists[id(held)]
        return found

    def _require_known(self, handler: Branch, inside: set[Value]) -> None:
        for value in handler.captures:
            if value in inside:
                raise ConversionError(
                    f"a handler of the `try` at {self.line} reads a tensor that its body has "
                    "computed and keeps elsewhere than in a name assigned in this function: "
                    "assign it to a name"
                )


class _Catching:
    """The handlers' side of a `try`: a chain of branches, one for each exception."""

    def __init__(self, paths: _Paths, notes: Points) -> None:
        self.paths = paths
        self.notes = notes
        self.slot = self.notes.region.slot(SCALAR)
        self.start = new_branch(name="handler")
        self.groups = groups_of(self.notes.points)
        self.links: list[_Link] = []
        self.error: BaseException  # what is raised in place of the body
        self._rest = self.start
        self._number = -1
        self._link: _Link
        self._inside: ExitStack
        self._restored: dict[str, Any]
        self._held: dict[Any, Contents | None]  # of objects, by their keys

    def next(self) -> bool:
        """Go on to the next exception, if there is one."""
        self._number += 1
        return self._number < len(self.groups)

    def enter(self) -> None:
        kind, points = self.groups[self._number]
        # What is done up to here is no code of the user's, for a `try` around this one to watch.
        self.start.builder.watch = _ignore
        with self._rest, self.notes.region.before():
            self._link = _Link(self._rest, self._test(kind, points))
        with ExitStack() as inside:
            inside.enter_context(self.notes.region.before())
            inside.enter_context(self._link.taken)
            inside.enter_context(aliases.hidden(self.notes.scope.views))  # the body's
            scope = self._link.way.open(self.paths.own_names.values())
            scope.ended = [self.notes.scope, *[link.way.scope for link in self.links]]
            inside.callback(self._link.way.drop, restore=True)
            self._restore(list(dict.fromkeys(p.version for p in points)))
            self._restored = self.paths.get_state()
            self._held = self._link.way.contents()
            self.error = (
                points[0].error(self.notes.region, self.slot)
                if kind is None
                else stand_in(kind, self.slot)
            )
            self._inside = inside.pop_all()
        self.start.builder.watch = None

    def leave(self, error: BaseException | None) -> None:
        link = self._link
        with self._inside:
            if isinstance(error, _PassingError):
                error.release()
            if error is self.error and not link.acts and self._is_as_it_was():
                return  # no handler takes it
            self._restored, self._held = {}, {}  # the journal counts references
            if error is None:
                link.way.close(self.paths.get_state(), self.paths.copies)
            else:
                with suppress(PathEndsError), ending():
                    raise error
        self.links.append(link)
        self._rest = link.others

    def _is_as_it_was(self) -> bool:
        names = all(v is self._restored[n] for n, v in self.paths.get_state().items())
        return names and not self._link.way.has_changed(self._held)

    def finish(self) -> tuple[Branch, _Way]:
        """The whole handler, and what it leaves."""
        with self._rest:
            raise_again(self.slot)
        whole = _Way()
        for link in reversed(self.links):
            with link.around:
                ways = link.taken, link.others
                copied = _with_copies(link.way, whole)
                join = _Join(self.paths, ways, link.way.changed)
                plans = join.states(link.way, whole)
                taken, others = join.outputs
                results = emit_cond(link.test, link.taken, taken, link.others, others)
                if link.way.state is not None or whole.state is not None:
                    state = {n: plan.build(results) for n, plan in plans.items()}
                    whole.left = {n: state.pop(_copy_of(n)) for n in copied}
                    whole.state = state
                    for n in copied:
                        self.paths.copies.note(whole.left[n], state[n])
        return self.start, whole

    def _test(self, kind: type[BaseException] | None, points: Sequence[Point]) -> Any:
        """Whether it is an exception of `points`."""
        site = self.notes.site
        assert site is not None
        number = self.notes.region.load(site)
        mine = {p.number for p in points}
        if len(mine) == 1:
            known = equal(number, *mine)
        else:
            table = convert([i in mine for i in range(self.notes.count + 1)])
            known = gather_known(table, number)
        return known if kind is None else logical_and(known, raised_is(self.slot, (kind,)))

    def _restore(self, versions: Sequence[Version]) -> None:
        """The state where the exception was raised."""
        paths, which = self.paths, self.notes.which
        first, *more = versions
        if not more:
            first.restore(self.notes.region, paths.first.made, paths.set_state)
            return
        assert which is not None
        if_stmt(
            equal(self.notes.region.load(which), first.number),
            lambda: first.restore(self.notes.region, paths.first.made, paths.set_state),
            lambda: self._restore(more),
            get_state=paths.get_state,
            set_state=paths.set_state,
        )


def _ignore(*node: Any) -> None:
    pass


class _Way:
    """What one path does to names and objects."""

    def __init__(self) -> None:
        self.state: dict[str, Any] | None = None  # None if it always raises
        self.left: dict[str, Any] = {}  # the state, with copies of lists as it leaves them
        self.lists: dict[int, Any] = {}  # copies of those that changed objects hold, by their ids
        self.entries: list[journal.Entry] = []
        self.changed: set[Any] = set()  # the keys of objects from before
        self.made: set[Any] = set()  # and of objects that it has made
        self._inside: ExitStack | None = None
        self.scope: journal.Scope
        self._locals: dict[str, Any] = {}

    def open(self, own: Iterable[Any], staged: bool = True) -> journal.Scope:
        self._inside = ExitStack()
        self.scope = self._inside.enter_context(journal.opened(own, staged))
        self.scope.frame = id(user_frame())
        self._locals = local_values()
        return self.scope

    def drop(self, restore: bool = False) -> None:
        """It has no end that matters, or was no path of its own."""
        if self._inside is not None:
            if restore:
                self.scope.restore()
            self._inside.close()
            self._inside, self._locals = None, {}

    def close(self, state: dict[str, Any] | None, copies: Copies) -> None:
        """Its end. Objects hold again what they held at its start."""
        assert self._inside is not None
        self._inside.close()
        self._inside = None
        if state is not None:
            state = {n: settled(v) for n, v in state.items()}
        before, self._locals = self._locals, {}
        running = [v for n, v in local_values().items() if v is not before.get(n, before)]
        running += [] if state is None else state.values()
        self.state = state
        self.left = {n: copies.of(v) for n, v in (state or {}).items()}
        self.lists = held_lists(self.scope, copies)
        running += [*self.left.values(), *copies.references()]
        self.entries = journal.closed(self.scope, running=running)
        self.changed = {key_of(entry.owner) for entry in self.entries}
        self.made = self.scope.made

    def contents(self) -> dict[Any, Contents | None]:
        """What the objects that it knows hold now, by their keys."""
        return {key: contents_of(e.owner) for key, e in self.scope.entries.items()}

    def has_changed(self, held: dict[Any, Contents | None]) -> bool:
        """True if objects hold something else than they `held`."""
        now = self.contents()
        before = {key: held.get(key, e.before) for key, e in self.scope.entries.items()}
        pairs = [(before[key], c) for key, c in now.items()]
        return any(a is not None and b is not None and differing(a, b) for a, b in pairs)

    @property
    def changes(self) -> list[journal.Entry] | None:
        return None if self.state is None else self.entries

    def resume(self) -> None:
        """Let objects hold what they held at its end."""
        for entry in self.entries:
            if entry.after is not None:
                put_all(entry.owner, entry.after)

    def put_back(self) -> None:
        for entry in self.entries:
            put_all(entry.owner, entry.before)


class _Link:
    """`taken` if `test`, else `others`."""

    def __init__(self, around: Branch, test: Any) -> None:
        self.around = around
        self.test = test
        self.taken = new_branch(name="caught")
        self.others = new_branch(name="others")
        self.way = _Way()

    @property
    def acts(self) -> bool:
        """Whether it does more than compute."""
        nodes = self.taken.builder.nodes
        return any(effect != READ for node in nodes for effect, _ in node_effects(node))


_FLAG = re.compile(r"(do_return|break|continue)_?\d*")  # set by the lowering of jumps


class _Join(Branches):
    """Joins the states behind two paths."""

    def __init__(self, paths: _Paths, ways: tuple[Branch, Branch], changed: set[Any]) -> None:
        super().__init__(None, None, (), None, None, paths.line, paths.relaxed, ways)
        self.changed = changed
        self.copies = paths.copies
        self.moment = paths.first.scope.moment

    def states(self, a: _Way, b: _Way) -> dict[str, Plan]:
        names = a.state if a.state is not None else b.state or {}
        first, second = _handed_on(a.state, names), _handed_on(b.state, names)
        plans: dict[str, Plan] = {}
        for n in names:
            x, y = first[n], second[n]
            if x is not y and not is_one_sided(x, y):
                if aliases.are_alike(x, y):  # one from before may be known to others, too
                    self.known |= {id(x), id(y)} - made_since(self.moment, (x, y))
                x, y = a.left.get(n, x), b.left.get(n, y)
            plans[n] = self._join(x, y, n)
        return plans

    def _undefined(self, a: Any, b: Any, name: str) -> Undefined:
        for value in (a, b):
            if isinstance(value, Undefined) and value.reason:
                return value
        if isinstance(a, Undefined) and isinstance(b, Undefined):
            return a
        return Undefined(
            name,
            f"'{name}' is used here but some path through the `try` at {self.line} leaves it "
            "undefined; which path is taken only the run will tell, so it must be initialized "
            "before the `try` (or use @tl.function(relaxed=True))",
        )

    def _disagree(self, a: Any, b: Any, name: str) -> BranchError:
        return BranchError(
            f"'{name}' is {describe_value(a)} on one path through the `try` at {self.line} but "
            f"{describe_value(b)} on another one; which path is taken only the run will tell, so "
            "all must agree. Use tl.cast, or values of one type, or @tl.function(relaxed=True)."
        )


def _copy_of(name: str) -> str:
    return f"{name} as it is left"


def _with_copies(*ways: _Way) -> list[str]:
    """The names whose values are lists with copies, which become state as well."""
    live = [(way, way.state) for way in ways if way.state is not None]
    copied = [n for way, state in live for n, v in way.left.items() if v is not state[n]]
    for n in dict.fromkeys(copied):
        for way, state in live:
            # One more copy: of the first one it is known whose copy it is.
            state[_copy_of(n)] = Copies().of(way.left.get(n, state[n]))
    return list(dict.fromkeys(copied))


def _handed_on(state: dict[str, Any] | None, names: Iterable[str]) -> dict[str, Any]:
    """What a path hands on: nothing if it raises, and no undefined name if it jumps away."""
    if state is None:
        return dict.fromkeys(names, unused)
    jumps = any(value is True and _FLAG.fullmatch(name) for name, value in state.items())
    return {n: unused if jumps and isinstance(v, Undefined) else v for n, v in state.items()}


__all__ = ["paths"]
