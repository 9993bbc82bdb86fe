"""Places in objects that outlive the call: read again at each call, written back after each run.

A place is state of a trace if code that runs depending on a tensor changes it. While tracing it
holds symbols; what it holds at the end are further results of the graph. The objects themselves get
back what they held, and each run stores its own results.
"""

from __future__ import annotations

import functools
import operator
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograph.changes import journal
from ..autograph.changes.contents import ABSENT, ITEMS, Contents, contents_of, put, put_all
from ..autograph.changes.held import Held, held_at
from ..autograph.values.optional import Maybe, Optional, Source, settled
from ..autograph.values.undefined import Undefined, Unused
from ..graph.build import GraphBuilder, convert, is_tracing
from ..graph.dtypes import string
from ..graph.errors import ConversionError
from ..graph.location import Loc, describe
from ..graph.nest import children, flatten, pack, rebuild
from ..graph.node import Tensor, Value
from ..graph.spec import TensorSpec
from ..graph.weak import is_python, is_weak, mark
from ..runtime import EagerTensor
from .kinds import Kinds, dtype_of, inputs_in, is_input, is_lasting, objects_in
from .same import Find, Marking, is_made_up, resolved, with_same_items

_NEVER = object()


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A place in an object, which is not kept alive; `find` gives the object at a call."""

    find: Find
    place: Any
    label: str
    loc: Loc | None
    argument: bool  # in an argument's list, dict or dataclass, which the trace has a copy of

    def value(self, arguments: Mapping[str, Any]) -> Any:
        """What is there."""
        held = self.held(arguments)
        return None if held is None else held.get()

    def held(self, arguments: Mapping[str, Any]) -> Held | None:
        owner = self.find(arguments)
        return None if owner is None else Held(owner, self.place, self.label, self.loc)


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """What a place gets: `template` with results at its leaves. `numbers`: which results become
    Python numbers and texts again, and what makes them such. `or_else`: what it gets if the first
    result, a truth value, says so.
    """

    place: Place
    template: Any
    is_result: tuple[bool, ...]
    numbers: tuple[Callable[[Any], Any] | None, ...]
    or_else: Any = _NEVER


def _reference(owner: Any) -> Find:
    try:
        weak = weakref.ref(owner)
    except TypeError:
        return lambda _: owner
    return lambda _: weak()


class Places:
    """The places that one attempt to trace knows, with the symbols that they hold meanwhile."""

    def __init__(
        self,
        held: Sequence[Held],
        copies: Mapping[int, Find],
        watched: Sequence[Place],
        symbols: Mapping[str, Any],
    ) -> None:
        """`watched` are those that are left changed: a run that raises leaves them so, too."""
        inside = {id(x) for h in held for x in objects_in(h.get())}
        self._held = [h for h in held if id(h.owner) not in inside]
        self._copies = copies
        self.finds = dict(copies)  # and how to find the lists and dicts in places, by their ids
        places = [place.held(symbols) for place in watched]
        self.watched = [(held, held.get()) for held in places if held is not None]
        gone = [p for p, held in zip(watched, places, strict=True) if held is None]
        self._gone = {(place.label, place.place) for place in gone}
        self.given = [place.get() for place in self._held]
        self._kinds = Kinds()
        pairs = zip(self._held, self.given, strict=True)
        self._read = [(held, self._kinds.at(held.owner, given)) for held, given in pairs]
        # What the code may know by other names, too: it must be the same at each call.
        self._fixed = self._kinds.known_elsewhere(self.given)
        # Places in what those hold: what was there, and the symbols that are there now.
        self._inner: list[tuple[Held, Any, Any]] = []
        self.leaves: list[Any] = []  # what is read for the inputs
        self.inputs: list[Value] = []
        self.writes: list[Write] = []
        self.results: list[Value] = []

    def enter(self, builder: GraphBuilder) -> None:
        """Let the places hold symbols."""
        seen: set[int] = set()
        for held, given in zip(self._held, self.given, strict=True):
            find = self.place_of(held).value
            fill = self._inside if held.place == ITEMS else self._entered
            journal.touch(held.owner, held.label)
            held.put(fill(builder, held, given, find, seen))

    def _entered(
        self, builder: GraphBuilder, held: Held, given: Any, find: Find, seen: set[int]
    ) -> Any:
        """`given` with symbols: lists and dicts stay the same ones."""
        if children(given) is None:
            return self._input(builder, held.label, given) if is_input(given) else given
        if not is_lasting(given):
            return self._inside(builder, held, given, find, seen)
        if id(given) in seen:
            return given
        seen.add(id(given))
        self.finds.setdefault(id(given), find)
        before = contents_of(given)
        now = contents_of(self._inside(builder, held, given, find, seen))
        assert before is not None
        assert now is not None
        journal.touch(given, held.label)
        put_all(given, now)
        places = [("attribute", name) for name in now.attributes]
        for place in places if now.items is None else [*places, ITEMS]:
            inner = Held(given, place, held.label, held.loc)
            self._inner.append((inner, inner.of(before), inner.of(now)))
        return given

    def _inside(
        self, builder: GraphBuilder, held: Held, given: Any, find: Find, seen: set[int]
    ) -> Any:
        """One like `given`, with symbols in it."""
        items = children(given)
        if items is None:
            return given
        ways = [functools.partial(_child, find, i) for i in range(len(items))]
        new = [
            self._entered(builder, held, x, way, seen) for x, way in zip(items, ways, strict=True)
        ]
        return rebuild(given, new)

    def _input(self, builder: GraphBuilder, label: str, leaf: Any) -> Value:
        tensor = isinstance(leaf, Tensor)
        spec = leaf.spec if tensor else TensorSpec((), dtype_of(leaf))
        name = "".join(c if c.isalnum() else "_" for c in label)
        self.leaves.append(leaf)
        made = builder.add_input(spec, name)
        self.inputs.append(made)
        if not tensor or is_weak(leaf):
            mark(made)
        return made

    def now(self, surely: bool) -> tuple[list[Write], list[Any]]:
        """What a run that raises here leaves in the places; `surely`: the user's code raises."""
        writes: list[Write] = []
        results: list[Any] = []
        for held, given in self.watched:
            try:
                one, found = written(self, [(held, given, held.get())])
            except ConversionError:
                if surely:
                    raise
                continue
            writes += one
            results += found
        return writes, results

    @staticmethod
    def stage(scope: journal.Scope) -> None:
        """What holds something that only a trace can hold gets what that is at each call. So does
        what holds a tensor, in a function that writes objects: it may depend on these.
        """
        changed = [(e, e.after) for e in scope.changed() if e.after is not None]
        for test in (is_made_up, _is_symbolic):
            for entry, after in changed:
                entry.staged.update(p for p in entry.places(after) if test(after.at(p)))
            if not any(entry.staged for entry, _ in changed):
                break

    def finish(
        self, scope: journal.Scope, may_raise: bool, *results: Sequence[Any]
    ) -> tuple[list[Held], list[Place]] | None:
        """Find what is left, and put back what was there.

        Gives the places that are to be read at each call, or to be watched, too: then the function
        must be traced again with these.
        """
        last = [held.get() for held in (*self._held, *(held for held, *_ in self._inner))]
        left = self._left(journal.lasting(scope, *results), last)
        known = {held.key for held in self._held}
        for held, given, _ in left:
            if id(held.owner) not in self.finds and any(map(is_input, flatten(given))):
                known.add(held.key)
        watched = {held.key for held, _ in self.watched}
        # Objects that an attempt makes are others each time: asked for once, they are left.
        unseen = [
            h for h, *_ in left if h.key not in watched and (h.label, h.place) not in self._gone
        ]
        if len(known) > len(self._held) or (may_raise and unseen):
            again = [held for held, *_ in left if held.key in known]
            return again, [self.place_of(held) for held, *_ in left]
        others = [(h, given) for h, given, _ in left if id(h.owner) not in self.finds]
        self._read += [
            (h, self._kinds.at(h.owner, given)) for h, given in others[len(self._held) :]
        ]
        places = [*(held for held, *_ in left), *(held for held, *_ in self._inner)]
        before = [held.raw(contents_of(held.owner) or Contents({})) for held in places]
        journal.resume(scope)
        self.writes, self.results = written(self, left)
        for held, value in zip(places, before, strict=True):
            put(held.owner, held.place, value)
        self._kinds = Kinds()
        return None

    def state(self) -> State | None:
        """What the finished trace reads and writes, besides arguments and captures."""
        read = [(self.place_of(h), kind) for h, kind in self._read]
        return State(read, self.writes, len(self._held), self._fixed) if self.writes else None

    def place_of(self, held: Held) -> Place:
        find = self.finds.get(id(held.owner)) or _reference(held.owner)
        return Place(find, held.place, held.label, held.loc, id(held.owner) in self._copies)

    def _left(
        self, entries: Sequence[journal.Entry], last: Sequence[Any]
    ) -> list[tuple[Held, Any, Any]]:
        """The places that are state, what they held before, and what they held last."""
        found: dict[Any, tuple[Held, Any, Any]] = {}
        for held, given, value in zip(self._held, self.given, last, strict=False):
            found[held.key] = (held, given, value)
        for entry in entries:
            assert entry.after is not None
            for held in held_at(entry, _whole(entry, entry.after)):
                value = held.of(entry.after)
                found.setdefault(held.key, (held, held.of(entry.before), value))
        for (held, given, entered), value in zip(self._inner, last[len(self._held) :], strict=True):
            if not _is_same(entered, value):
                found.setdefault(held.key, (held, given, value))
        # Where all items of a container are left, single ones are among them.
        whole = {held.key[0] for held, *_ in found.values() if held.place == ITEMS}
        single = [h.key for h, *_ in found.values() if h.place[0] == "item" and h.key[0] in whole]
        return [value for key, value in found.items() if key not in single]


def _whole(entry: journal.Entry, after: Contents) -> list[Any]:
    """The places that scopes have left, or all items of a container that has others now."""
    if entry.before.structure == after.structure:
        return list(entry.staged)
    attributes = [p for p in entry.staged if p[0] == "attribute"]
    return attributes if len(attributes) == len(entry.staged) else [*attributes, ITEMS]


def _is_symbolic(value: Any) -> bool:
    return any(isinstance(leaf, Value) for leaf in flatten(value))


def _is_same(a: Any, b: Any) -> bool:
    """True for the same object, and for the same ones in two containers."""
    first, second = children(a), children(b)
    if a is b or first is None or second is None or type(a) is not type(b):
        return a is b
    keys = not isinstance(a, dict) or list(a) == list(b)
    return keys and len(first) == len(second) and all(map(operator.is_, first, second))


def _child(find: Find, index: int, arguments: Mapping[str, Any]) -> Any:
    return (children(find(arguments)) or ())[index]


class State:
    """What a finished trace reads at each call, besides arguments and captures, and writes."""

    def __init__(
        self,
        read: Sequence[tuple[Place, Any]],
        writes: Sequence[Write],
        inputs: int,
        fixed: Sequence[tuple[int, Any]] = (),
    ) -> None:
        """`read` are the places with what they held; the first `inputs` are read at each call.
        `fixed` are objects in them, by number, for which no other ones may stand.
        """
        self._read = read
        self._fixed = fixed
        self._inputs = inputs
        self._writes = writes
        self._in_arguments = any(w.place.argument for w in writes)
        self.rescue: Any = None  # of a run that raises
        self.outputs = sum(sum(w.is_result) + (w.or_else is not _NEVER) for w in writes)

    def written(self, arguments: Mapping[str, Any]) -> set[Any]:
        """The places that are written, as `("attribute", id of the object, name)`, or `("items",
        id)`.
        """
        found: set[Any] = set()
        for place in (write.place for write in self._writes):
            owner, (kind, name) = id(place.find(arguments)), place.place
            if kind == "attribute":
                found.add((kind, owner, name))
            elif place.argument or place.place == ITEMS:
                found.add(("items", owner))
        return found

    def items_written(self, arguments: Mapping[str, Any]) -> dict[int, set[Any]]:
        """The keys of the items that are written, by the ids of containers that keep their keys
        and lengths.
        """
        found: dict[int, set[Any]] = {}
        others: set[int] = set()
        for write in self._writes:
            owner, place = id(write.place.find(arguments)), write.place.place
            if place == ITEMS or ABSENT in (write.or_else, write.template):
                others.add(owner)
            elif place[0] == "item":
                found.setdefault(owner, set()).add(place[1])
        return {owner: keys for owner, keys in found.items() if owner not in others}

    def recursion(self, name: str) -> str:
        label = self._writes[0].place.label
        return (
            f"'{label}' is changed at {describe(self._writes[0].place.loc)} where that depends on "
            f"a tensor, in '{name}', which calls itself. Return the new value instead, or keep it "
            "in a tl.Variable"
        )

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Refuse arguments that share a list or dict, where the function changes one: it was traced
        with copies.
        """
        if not self._in_arguments:
            return
        seen: set[int] = set()
        pending = list(arguments.values())
        while pending:
            x = pending.pop()
            items = children(x)
            if items is None or isinstance(x, tuple):
                pending += items or ()
            elif id(x) in seen:
                raise ConversionError(
                    f"'{self._writes[0].place.label}' is changed at "
                    f"{describe(self._writes[0].place.loc)}, where that depends on a tensor, and "
                    f"one {type(x).__name__} is given to the function in two places; give it a copy"
                )
            else:
                seen.add(id(x))
                pending += items

    def fits(self) -> bool:
        """True if the places hold what the trace was made for."""
        kinds = Kinds()
        for place, kind in self._read:
            held = place.held({})
            if held is None or kinds.at(held.owner, held.get()) != kind:
                return False
        objects = kinds.objects if self._fixed else []
        return all(objects[number] is x for number, x in self._fixed)

    def values(self) -> list[Tensor]:
        """What the places hold now, as tensors."""
        found: list[Tensor] = []
        seen: dict[int, Any] = {}
        for place, _ in self._read[: self._inputs]:
            held = place.held({})
            if held is None:
                raise ReferenceError(f"'{place.label}' is gone: the object was deleted")
            for leaf in inputs_in(held.get(), seen):
                if isinstance(leaf, Tensor):
                    found.append(leaf)
                else:
                    dtype = dtype_of(leaf)
                    array = np.asarray(leaf, dtype.numpy)
                    found.append(convert(leaf, dtype) if is_tracing() else EagerTensor(array))
        return found

    def write(self, results: Sequence[Tensor], arguments: Mapping[str, Any]) -> None:
        """Store the results of a run."""
        put_results(self._writes, results, arguments)


def put_results(
    writes: Sequence[Write], results: Sequence[Tensor], arguments: Mapping[str, Any]
) -> None:
    """Let the places of `writes` hold the results of a run."""
    remaining = iter(results)
    stored: list[tuple[Held, Any]] = []
    for write in writes:
        present = None if write.or_else is _NEVER else next(remaining)
        value = resolved(pack(write.template, list(_leaves(write, remaining))), arguments)
        if present is not None and is_tracing():
            kind = Maybe if write.or_else is ABSENT else Optional
            value = kind(present, value, Source(write.place.label, "a function called"))
        elif present is not None and not present:
            value = write.or_else
        held = write.place.held(arguments)
        if held is not None:
            stored.append((held, value))
    for held, value in stored:
        if is_tracing():
            held.leave(value)
        elif held.place == ITEMS:
            held.put(with_same_items(held.get(), value))
        elif not held.is_inherited(value):
            held.put(value)


def _leaves(write: Write, results: Iterator[Tensor]) -> Iterator[Any]:
    for leaf, is_result, number in zip(
        flatten(write.template), write.is_result, write.numbers, strict=True
    ):
        if not is_result:
            yield leaf
        else:
            tensor = next(results)
            if number is None:
                yield tensor
            else:
                eager = isinstance(tensor, EagerTensor)
                yield number(tensor.numpy()) if eager else mark(tensor)


def written(places: Places, left: Sequence[tuple[Held, Any, Any]]) -> tuple[list[Write], list[Any]]:
    """How the places get what they are left with, and the graph's results for that."""
    writes: list[Write] = []
    results: list[Any] = []
    values = [value for _, given, last in left for value in (given, last)]
    marking = Marking(values, places.finds, _reference)
    for held, given, last in left:
        value, or_else = settled(last), _NEVER
        if isinstance(value, Optional):
            or_else = ABSENT if isinstance(value, Maybe) else None
            results.append(convert(value._present))
            value = value._value
        if isinstance(value, Undefined):
            if value.reason:
                raise ConversionError(
                    f"{value.reason}. '{held.label}' outlives the call, which must know whether it "
                    f"is there: it is set at {describe(held.loc)}"
                )
            writes.append(Write(places.place_of(held), ABSENT, (False,), (None,)))
            continue
        mark_in = marking.inside if held.place == ITEMS else marking.marked
        value = mark_in(value)
        before = flatten(mark_in(given))
        leaves = flatten(value)
        is_result, kinds = [], []
        for i, leaf in enumerate(leaves):
            symbolic = isinstance(leaf, Value)
            is_result.append(symbolic)
            old = before[i] if len(before) == len(leaves) else None
            was_number = not isinstance(old, Tensor) or is_python(old)
            kind = _python_kind(leaf) if symbolic and was_number else None
            kinds.append(kind if kind and is_python(leaf) else None)
            if symbolic:
                results.append(leaf)
                leaves[i] = None
            elif isinstance(leaf, (Optional, Unused)):
                raise ConversionError(
                    f"'{held.label}' outlives the call; at {describe(held.loc)} it gets a value "
                    "that may be None in parts. Give it a tensor on each path, or return the value"
                )
        template = pack(value, leaves)
        place = places.place_of(held)
        writes.append(Write(place, template, tuple(is_result), tuple(kinds), or_else))
    return writes, results


def _as_text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _python_kind(value: Tensor) -> Callable[[Any], Any] | None:
    if value.shape.rank != 0:
        return None
    dtype = value.dtype
    if dtype.is_bool:
        return bool
    if dtype is string:
        return _as_text
    return int if dtype.is_integer else float if dtype.is_floating else None


def copies_of(arguments: Mapping[str, Any], symbols: Mapping[str, Any]) -> dict[int, Find]:
    """How to find the argument's list, dict or dataclass for each copy of it in a trace."""
    found: dict[int, Find] = {}

    def visit(original: Any, copy: Any, find: Find) -> None:
        items = children(original)
        if items is None or original is copy:
            return
        found[id(copy)] = find
        for i, (x, y) in enumerate(zip(items, children(copy) or (), strict=True)):
            visit(x, y, lambda given, i=i: (children(find(given)) or ())[i])  # type: ignore[misc]

    for name, x in arguments.items():
        visit(x, symbols[name], lambda given, name=name: given.get(name))  # type: ignore[misc]
    return found


__all__ = ["Place", "Places", "State", "Write", "copies_of", "put_results"]
