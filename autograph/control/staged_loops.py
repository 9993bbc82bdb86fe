"""Loops that become a `while` node: their state is found by tracing the body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph import Tensor
from treadle.graph.build import GraphBuilder, current
from treadle.graph.control import UnknownResultError, emit_while
from treadle.graph.dtypes import float32, float64
from treadle.graph.effects import node_effects
from treadle.graph.errors import (
    DTypeError,
    LoopDtypeError,
    LoopShapeError,
    PythonLoopError,
    UndefinedVariableError,
)
from treadle.graph.op import IO, WRITE
from treadle.graph.ops.define import constant_of
from treadle.graph.ops.logic import logical_and

from ..changes import aliases, journal
from ..changes.contents import ITEMS, key_of
from ..changes.held import Held, check_structure, held_at
from ..values import given
from ..values.copies import Copies, containers, containers_at, unchanged
from ..values.item_views import Attempts
from ..values.optional import UnknownValueError
from ..values.place import Helper, LoopSite
from ..values.state import accepts, is_arithmetic, is_tensor, parts_of, same_object
from ..values.truth import condition, staged
from ..values.undefined import unused
from .carried import Carried, Choices, How, Path, RetryError, Widened
from .conditionals import Getter, Setter
from .exceptions import PathEndsError, ending, place_of_error
from .loop_options import LoopOptions, both
from .relaxed import promoted
from .rows import Rows
from .widening import widening

_ATTEMPTS = 8
_FINAL = (
    *(LoopDtypeError, LoopShapeError, PythonLoopError),
    *(UndefinedVariableError, UnknownResultError),
)
_DEEPEST = 12  # a path in a loop's state: what lies deeper has grown in each attempt


class StagedLoop:
    """One loop over tensors.

    Python numbers in the state become tensors before the loop. Where the body gives them another
    dtype that fits, or can't do with a tensor and does not change them, it is traced again.
    """

    def __init__(
        self,
        site: LoopSite,
        names: Sequence[str],
        get_state: Getter | None,
        set_state: Setter | None,
        relaxed: bool = False,
    ) -> None:
        self.site = site
        self.relaxed = relaxed
        self.shapes_vary = False
        self.count = len(names)
        self.get_state = get_state
        self.set_state = set_state
        self.in_place = get_state() if get_state is not None else {}
        self.own_names = journal.names_of(set_state)
        self.labels = [*names, *self.in_place]
        self.places: list[Held] = []  # in objects that the body changes
        self.held: list[Any] = []  # what they hold before the loop, or behind it
        self.entries: list[journal.Entry] = []  # what the last run of the body changed
        self.changed: list[Path] = []  # state that it changed without assigning it
        self.replaced: list[Path] = []  # where it changed a list and then gave another one
        self.copies = Copies()  # of lists as it left them
        self.next_test: Tensor | None = None
        self.stages_errors = False  # first it is asked whether another attempt helps
        self.may_stage = True
        self.views = aliases.count()
        self.items = Attempts.begin()  # of lists that the body changes
        journal.touch_names(set_state)

    def run_while(
        self, test: Helper, body: Helper, state: Sequence[Any], go_on: Any, acted: bool
    ) -> list[Any]:
        """The state behind a loop whose test gave `go_on` for the first iteration.

        `acted`: in doing so it printed or assigned. Then the test is done at the end of the body,
        and what it gives is carried, so that it is done as often as it should be.
        """
        first = condition(go_on)

        def once(loop: Carried) -> list[Any]:
            return self._call(body, loop.arguments(loop.body), test=test if acted else None)

        def next_internal(loop: Carried, after: Sequence[Any]) -> list[Tensor]:
            if not acted:
                return []
            # A body that always raises comes to no test.
            return [loop.body.inputs[0] if self.next_test is None else self.next_test]

        def holds(loop: Carried) -> Tensor:
            if acted:
                return loop.test.inputs[0]
            return condition(self._call_test(test, loop.arguments(loop.test)))

        surely = constant_of(first)
        internal = [("test", first)] if acted else []
        runs = surely is not None and bool(surely)
        return self._trace(state, internal, once, next_internal, holds, runs)

    def run_for(
        self, rows: Rows, body: Helper, state: Sequence[Any], extra_test: Helper | None
    ) -> list[Any]:
        """The state behind a loop over `rows`."""

        def once(loop: Carried) -> list[Any]:
            index = loop.body.inputs[0]
            return self._call(body, loop.arguments(loop.body), lambda: [rows.item(index)])

        def next_internal(loop: Carried, after: Sequence[Any]) -> list[Tensor]:
            return [loop.body.inputs[0] + rows.step]

        def holds(loop: Carried) -> Tensor:
            if self.places:  # it may be the list that is gone over
                self._enter(loop.arguments(loop.test))
            if extra_test is None:
                return rows.more(loop.test.inputs[0])
            go_on = self._call_test(extra_test, loop.arguments(loop.test))
            if rows.checks and staged(go_on):
                return both(condition(go_on), lambda: rows.more(loop.test.inputs[0]))
            more = rows.more(loop.test.inputs[0])
            found: Tensor = logical_and(more, condition(go_on)) if staged(go_on) else more
            return found

        internal = [("index", rows.start)]
        return self._trace(state, internal, once, next_internal, holds, rows.surely)

    def run_items(
        self,
        more: Callable[[], Tensor],
        item: Callable[[], Any],
        body: Helper,
        state: Sequence[Any],
        extra_test: Helper | None,
    ) -> list[Any]:
        """The state behind a loop over `item()`, which changes as it is asked, while `more()`."""

        def once(loop: Carried) -> list[Any]:
            values = loop.arguments(loop.body)
            self._enter(values)  # what names hold where asking for the item raises
            return self._call(body, values, lambda: [item()])

        def holds(loop: Carried) -> Tensor:
            self._enter(loop.arguments(loop.test))
            if extra_test is None:
                return more()
            go_on = self._call_test(extra_test, loop.arguments(loop.test))
            if not staged(go_on):
                return more()
            # After a `break` no element may be asked for: that would compute it.
            return both(condition(go_on), more)

        self.shapes_vary = True  # what a dataset holds is of unknown shape, often
        return self._trace(state, [], once, lambda loop, after: [], holds, False)

    def _trace(
        self,
        state: Sequence[Any],
        internal: Sequence[tuple[str, Tensor]],
        once: Callable[[Carried], list[Any]],
        next_internal: Callable[[Carried, Sequence[Any]], list[Tensor]],
        holds: Callable[[Carried], Tensor],
        surely: bool,
    ) -> list[Any]:
        given = values = [*state, *self.in_place.values()]
        before = self.in_place
        choices: Choices = {}
        options = LoopOptions()
        first: Exception | None = None
        try:
            for _ in range(_ATTEMPTS + 3 * len(values)):
                own_state = [*internal, *options.internal()]
                loop = self._attempt(values, choices, own_state, surely and options.most is None)
                try:
                    with loop.body, options.of(loop):
                        after = once(loop)
                    mixed = DTypeError() if loop.body.builder.mixes else None
                    if mixed and (found := self._caught(loop, once, mixed)):
                        choices = found
                        continue
                    if self.items.are_refused_later():
                        continue
                    own: Choices = dict.fromkeys(self.changed, How.PYTHON)
                    if own.items() - choices.items():
                        choices = {**choices, **own}  # no copies: others may know them, too
                        continue
                    if found_places := self._new_places():
                        if self._add_places(found_places):
                            names = range(-1, len(given))
                            choices = {p: c for p, c in choices.items() if p[p[0] < 0] in names}
                        values = [*given, *self.held]
                        continue
                    self._restore_places()
                    loop.refuse_shared(self.replaced)
                    loop.match(after, self.copies, {key_of(e.owner) for e in self.entries})
                except RetryError as retry:
                    choices = {**choices, **retry.choices}
                    continue
                except UnknownValueError as error:
                    raise first or error from None
                except _FINAL:
                    raise
                except Exception as error:
                    found = self._probe(loop, once) or self._unknown(loop)
                    found = found or self._doubled(loop, error)
                    once_more = self.may_stage and not self.stages_errors
                    if found is None and once_more and place_of_error(error):
                        self.stages_errors = True  # that is how it is: it is raised in the run
                        continue
                    if found is None:
                        _explain(error, loop)
                        raise
                    first = first or error
                    choices = found
                    continue
                following, bounded = options.following(next_internal), options.bounded(holds)
                return self._emit(loop, after, following, bounded)
            raise self._does_not_settle(choices)
        finally:
            first = None  # a cycle would keep what the user's frames refer to
            self._restore(self.in_place)
            journal.leave_names(self.own_names, before, self.in_place)
            for place, value in zip(self.places, self.held, strict=True):
                place.leave(value)

    def _does_not_settle(self, choices: Choices) -> LoopDtypeError:
        names = dict.fromkeys([f"'{self.labels[path[0]]}'" for path in choices if path])
        grown = [self.labels[path[0]] for path in choices if len(path) > _DEEPEST]
        if grown:
            return LoopDtypeError(
                f"'{grown[0]}' gets deeper in each iteration of the loop at {self.site.line}, "
                "which depends on a tensor: an object that holds the one before it, as in a "
                "linked list, has no one structure there. Keep the values in a list "
                "('items.append(v)', 'items.pop()')"
            )
        return LoopDtypeError(
            f"no dtype and structure was found that {', '.join(names) or 'a variable'} keeps in "
            f"the loop at {self.site.line}, which depends on a tensor: give it a tensor before the "
            "loop, and one like that in each iteration"
        )

    def _new_places(self) -> list[Held]:
        """What the body changed in objects, and is no state so far."""
        known = {place.key for place in self.places}
        whole = {key_of(place.owner) for place in self.places if place.place == ITEMS}
        found = []
        for entry in self.entries:
            assert entry.after is not None
            for place in held_at(entry, entry.places(entry.after)):
                is_part = place.place[0] == "item" and key_of(place.owner) in whole
                if place.key not in known and not is_part:
                    left = [entry.before, entry.after]
                    check_structure(place, left, f"loop at {self.site.line}")
                    found.append(place)
        return found

    def _add_places(self, found: Sequence[Held]) -> bool:
        """Make state of them. True if that is in place of items of what is a whole now."""
        self._restore_places()
        whole = {key_of(place.owner) for place in found if place.place == ITEMS}
        kept = [p for p in self.places if p.place[0] != "item" or key_of(p.owner) not in whole]
        fewer = len(kept) < len(self.places)
        self.places = [*kept, *found]
        self.held = [place.get() for place in self.places]
        own = self.labels[: self.count + len(self.in_place)]
        self.labels = [*own, *(place.label for place in self.places)]
        return fewer

    def _attempt(
        self,
        values: Sequence[Any],
        choices: Choices,
        internal: Sequence[tuple[str, Tensor]],
        surely: bool,
    ) -> Carried:
        self._restore_places()
        aliases.forget(self.views)  # those of the last attempt
        self.items.again()
        unread = range(self.count, self.count + len(self.in_place))
        loop = Carried(
            self.site, self.labels, values, choices, internal, surely, self.relaxed, unread
        )
        loop.shapes_vary = self.shapes_vary
        return loop

    def _emit(
        self,
        loop: Carried,
        after: Sequence[Any],
        next_internal: Callable[[Carried, Sequence[Any]], list[Tensor]],
        holds: Callable[[Carried], Tensor],
    ) -> list[Any]:
        with loop.body:
            loop.outputs[: loop.internal] = next_internal(loop, after)
        with loop.test:
            test = holds(loop)
        loop.drop_constants()
        results = emit_while(loop.initial, loop.test, test, loop.body, loop.outputs)
        inside = aliases.count()
        values = [plan.build(results) for plan in loop.results]
        aliases.forget(self.views, inside)
        behind = self.count + len(self.in_place)
        self.in_place = dict(zip(self.in_place, values[self.count : behind], strict=True))
        self.held = values[behind:]
        return values[: self.count]

    def _call(
        self,
        body: Helper,
        values: Sequence[Any],
        item: Callable[[], list[Any]] = list,
        test: Helper | None = None,
    ) -> list[Any]:
        """The body's results: the state, then what it assigned in place, names first.

        After it, `test` for the next iteration.
        """
        self._enter(values)
        start = given.mark()
        known = containers(values)
        self.copies = Copies(known)
        try:
            names = self.own_names.values()
            with journal.opened(names, repeats=True) as scope, ending(self.stages_errors):
                result = body(*item(), *values[: self.count])
                after = list(result) if self.count > 1 else [result][: self.count]
                del result  # the journal counts references
                if test is not None:
                    self.next_test = condition(test(*after))
                if self.get_state is not None:
                    after += self.get_state().values()
                after += [place.get() for place in self.places]
                copies = [self.copies.of(v) for v in after]
        except PathEndsError:
            self.entries, self.changed, self.next_test = [], [], None
            return [unused] * len(values)
        self._restore(self.in_place)  # names hold nothing more of the body's
        held = self.copies.references()
        self.entries = journal.closed(scope, after, values, copies, held=held)
        for entry in [*self.entries, *scope.put_back()]:
            given.refuse_since(start, entry.owner, self.site.line)
        own = range(self.count + len(self.in_place))
        same = [found for i in own for found in unchanged(values[i], after[i], (i,))]
        self.changed = [path for path, value in same if scope.has_changed(value)]
        self.replaced = [
            path
            for i in own
            for path, value in containers_at(values[i], (i,))
            if path not in self.changed and scope.has_changed(value)
        ]
        for copy, original in self.copies.pairs():
            aliases.as_alias(copy, original, known)
        return copies

    def _call_test(self, test: Helper, values: Sequence[Any]) -> Any:
        self._enter(values)
        return test(*values[: self.count])

    def _enter(self, values: Sequence[Any]) -> None:
        """Let names and objects hold the state that is assigned in place."""
        behind = self.count + len(self.in_place)
        self._restore(dict(zip(self.in_place, values[self.count : behind], strict=True)))
        for place, value in zip(self.places, values[behind:], strict=True):
            place.put(value)

    def _restore_places(self) -> None:
        """Let objects hold what they held before the loop."""
        for place, value in zip(self.places, self.held, strict=True):
            place.put(value)

    def _restore(self, in_place: dict[str, Any]) -> None:
        if self.set_state is not None:
            self.set_state(in_place)

    def _probe(self, loop: Carried, once: Callable[[Carried], list[Any]]) -> Choices | None:
        """What the body makes of the numbers as they are, after it failed with tensors."""
        numbers = {(i,): v for i, v in enumerate(loop.values) if is_arithmetic(v)}
        if not numbers:
            return None
        as_they_are: Choices = {**loop.choices, **dict.fromkeys(numbers, How.PYTHON)}
        internal = list(zip(loop.names, loop.initial, strict=True))[: loop.internal]
        left = self.copies, self.entries, self.changed, self.replaced, self.next_test
        with aliases.hidden(self.views):
            probe = self._attempt(loop.values, as_they_are, internal, loop.surely)
            try:
                with probe.body:
                    after = once(probe)
            except Exception:
                return None
            finally:
                aliases.forget(self.views)
                self.copies, self.entries, self.changed, self.replaced, self.next_test = left
        found = dict(loop.choices)
        for path, before in numbers.items():
            value = after[path[0]]
            if same_object(before, value):
                found[path] = How.PYTHON
            elif is_tensor(value) and hasattr(value, "dtype") and accepts(value.dtype, before):
                found[path] = value.dtype
            elif self.relaxed and (dtype := promoted(before, value)) is not None:
                found[path] = dtype
        return None if found == loop.choices else found

    def _doubled(self, loop: Carried, error: Exception) -> Choices | None:
        """Python's floats as float64, which is what they are, where float32 met that."""
        if not isinstance(error, DTypeError):
            return None
        guessed = {id(None), id(How.TENSOR), id(float32)}
        floats: Choices = {
            path: float64
            for path in floats_in(loop.values)
            if id(loop.choices.get(path)) in guessed
        }
        return {**loop.choices, **floats} if floats else None

    def _caught(
        self, loop: Carried, once: Callable[[Carried], list[Any]], error: Exception
    ) -> Choices | None:
        """What to try after a handler of the user's has caught `error`, which numbers that are
        tensors here may have caused.
        """
        return self._probe(loop, once) or self._doubled(loop, error)

    def _unknown(self, loop: Carried) -> Choices | None:
        """What is None, or undefined, before the loop as something that a later iteration gives,
        after the body failed without.
        """
        found = dict(loop.choices)
        for i, value in enumerate(loop.values):
            kind = widening(value, unused, self.relaxed)
            if kind is not None and (i,) not in found:
                found[i,] = Widened(kind, None)
        return None if found == loop.choices else found


def floats_in(values: Sequence[Any]) -> list[Path]:
    """The places of Python's floats, those in tuples and the like included."""
    found: list[Path] = []
    todo: list[tuple[Path, Any]] = [((i,), v) for i, v in enumerate(values)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, float):
            found.append(path)
        elif not is_tensor(value):
            parts = parts_of(value)
            todo += [((*path, i), v) for i, v in enumerate([] if parts is None else parts[0])]
    return found


def acted_since(mark: int, scope: journal.Scope | None) -> bool:
    """True if the nodes that the current graph got after its first `mark` print or assign, or an
    object was changed.
    """
    if scope is not None and scope.changed():
        return True
    builder = current()
    assert isinstance(builder, GraphBuilder)
    return any(
        effect in (IO, WRITE) for node in builder.nodes[mark:] for effect, _ in node_effects(node)
    )


def node_count() -> int:
    builder = current()
    return len(builder.nodes) if isinstance(builder, GraphBuilder) else 0


def _explain(error: Exception, loop: Carried) -> None:
    for name, value in zip(loop.labels, loop.values, strict=True):
        if is_arithmetic(value) and not isinstance(value, bool):
            error.add_note(
                f"in the loop at {loop.site.line}, '{name}' is a tensor: it was the Python "
                f"{type(value).__name__} {value!r} before"
            )
