"""Places in objects that outlive the call: read again at each call, written back after each run.

A place is state of a trace if code that runs depending on a tensor changes it. While tracing it
holds symbols; what it holds at the end are further results of the graph. The objects themselves get
back what they held, and each run stores its own results.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograph.changes import journal
from ..autograph.changes.contents import ABSENT, ITEMS, Contents, contents_of, put
from ..autograph.values.optional import Maybe, Optional, Source, settled
from ..autograph.values.state import default_dtype
from ..autograph.values.undefined import Undefined, Unused
from ..graph.build import GraphBuilder, convert, is_tracing
from ..graph.dtypes import DType, float64
from ..graph.errors import ConversionError
from ..graph.location import Loc, describe
from ..graph.nest import children, flatten, pack
from ..graph.node import Tensor, Value
from ..graph.spec import TensorSpec
from ..graph.weak import is_weak, mark
from ..runtime import EagerTensor
from .same import Find, Marking, resolved

_NUMBERS = (bool, int, float)
_NEVER = object()


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A place in an object, which is not kept alive; `find` gives the object at a call."""

    find: Find
    place: Any
    label: str
    loc: Loc | None
    argument: bool  # in an argument's list, dict or dataclass, which the trace has a copy of

    def held(self, arguments: Mapping[str, Any]) -> journal.Held | None:
        owner = self.find(arguments)
        return None if owner is None else journal.Held(owner, self.place, self.label, self.loc)


@dataclass(frozen=True, slots=True, eq=False)
class Write:
    """What a place gets: `template` with results at its leaves. `numbers`: which results become
    Python numbers again, by the type that they were of. `or_else`: what it gets if the first
    result, a truth value, says so.
    """

    place: Place
    template: Any
    is_result: tuple[bool, ...]
    numbers: tuple[type | None, ...]
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
        held: Sequence[journal.Held],
        copies: Mapping[int, Find],
        watched: Sequence[Place],
        symbols: Mapping[str, Any],
    ) -> None:
        """`watched` are those that are left changed: a run that raises leaves them so, too."""
        self._held = list(held)
        self.copies = copies
        places = [place.held(symbols) for place in watched]
        self.watched = [(held, held.get()) for held in places if held is not None]
        gone = [p for p, held in zip(watched, places, strict=True) if held is None]
        self._gone = {(place.label, place.place) for place in gone}
        self.given = [place.get() for place in held]
        self._read = [(held, kind_of(held.get())) for held in held]
        self.leaves: list[Any] = []  # what is read for the inputs
        self.inputs: list[Value] = []
        self.writes: list[Write] = []
        self.results: list[Value] = []

    def enter(self, builder: GraphBuilder) -> None:
        """Let the places hold symbols."""
        for held, given in zip(self._held, self.given, strict=True):
            leaves = flatten(given)
            for i, leaf in enumerate(leaves):
                if is_input(leaf):
                    tensor = isinstance(leaf, Tensor)
                    spec = leaf.spec if tensor else TensorSpec((), _dtype_of(leaf))
                    name = "".join(c if c.isalnum() else "_" for c in held.label)
                    self.leaves.append(leaf)
                    leaves[i] = builder.add_input(spec, name)
                    self.inputs.append(leaves[i])
                    if not tensor or is_weak(leaf):
                        mark(leaves[i])
            journal.touch(held.owner, held.label)
            held.put(pack(given, leaves))

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

    def finish(
        self, scope: journal.Scope, may_raise: bool, *results: Sequence[Any]
    ) -> tuple[list[journal.Held], list[Place]] | None:
        """Find what is left, and put back what was there.

        Gives the places that are to be read at each call, or to be watched, too: then the function
        must be traced again with these.
        """
        last = [held.get() for held in self._held]
        left = self._left(journal.lasting(scope, *results), last)
        known = {held.key for held in self._held}
        for held, given, _ in left:
            if id(held.owner) not in self.copies and any(map(is_input, flatten(given))):
                known.add(held.key)
        watched = {held.key for held, _ in self.watched}
        # Objects that an attempt makes are others each time: asked for once, they are left.
        new = [h for h, *_ in left if h.key not in watched and (h.label, h.place) not in self._gone]
        if len(known) > len(self._held) or (may_raise and new):
            again = [held for held, *_ in left if held.key in known]
            return again, [self.place_of(held) for held, *_ in left]
        self.writes, self.results = written(self, left)
        self._read += [(held, kind_of(given)) for held, given, _ in left[len(self._held) :]]
        before = {held.key: held.raw(contents_of(held.owner) or Contents({})) for held, *_ in left}
        journal.resume(scope)
        for held, *_ in left:
            put(held.owner, held.place, before[held.key])
        return None

    def state(self) -> State | None:
        """What the finished trace reads and writes, besides arguments and captures."""
        own = [(h, kind) for h, kind in self._read if id(h.owner) not in self.copies]
        read = [(self.place_of(h), kind) for h, kind in own]
        return State(read, self.writes, len(self._held)) if self.writes else None

    def place_of(self, held: journal.Held) -> Place:
        copied = self.copies.get(id(held.owner))
        find = copied or _reference(held.owner)
        return Place(find, held.place, held.label, held.loc, copied is not None)

    def _left(
        self, entries: Sequence[journal.Entry], last: Sequence[Any]
    ) -> list[tuple[journal.Held, Any, Any]]:
        """The places that are state, what they held before, and what they held last."""
        found: dict[Any, tuple[journal.Held, Any, Any]] = {}
        for held, given, value in zip(self._held, self.given, last, strict=True):
            found[held.key] = (held, given, value)
        for entry in entries:
            assert entry.after is not None
            for held in journal.held(entry, _whole(entry, entry.after)):
                value = held.of(entry.after)
                found.setdefault(held.key, (held, held.of(entry.before), value))
        # Where all items of a container are left, single ones are among them.
        whole = {held.key[0] for held, *_ in found.values() if held.place == ITEMS}
        single = [h.key for h, *_ in found.values() if h.place[0] == "item" and h.key[0] in whole]
        return [value for key, value in found.items() if key not in single]


def _whole(entry: journal.Entry, after: Contents) -> list[Any]:
    """The places that scopes have left, and others in the same object with what only a run knows;
    all items of a container that has others now.
    """
    symbolic = [p for p in entry.places(after) if _is_symbolic(after.at(p))]
    places = list(dict.fromkeys([*entry.staged, *symbolic]))
    if entry.before.structure == after.structure:
        return places
    attributes = [p for p in places if p[0] == "attribute"]
    return attributes if len(attributes) == len(places) else [*attributes, ITEMS]


def _is_symbolic(value: Any) -> bool:
    return any(isinstance(leaf, Value) for leaf in flatten(value))


def is_input(leaf: Any) -> bool:
    """True for what is read anew at each call: tensors, and Python numbers."""
    return isinstance(leaf, Tensor) or type(leaf) in _NUMBERS


def _dtype_of(number: Any) -> DType:
    return float64 if isinstance(number, float) else default_dtype(number)


def kind_of(value: Any) -> Any:
    """What a trace assumes of the value of a place."""
    if isinstance(value, Undefined):
        return "absent"
    if isinstance(value, Tensor):
        shape = value.shape
        return "tensor", value.dtype.code, None if shape.rank is None else tuple(shape)
    if type(value) in _NUMBERS:
        return "number", type(value), _dtype_of(value).code
    items = children(value)
    if items is not None:
        keys = tuple(value) if isinstance(value, dict) else len(items)
        return type(value), keys, tuple([kind_of(item) for item in items])
    if value is None or isinstance(value, (str, bytes, frozenset)):
        return value
    return "object", id(value)


class State:
    """What a finished trace reads at each call, besides arguments and captures, and writes."""

    def __init__(
        self, read: Sequence[tuple[Place, Any]], writes: Sequence[Write], inputs: int
    ) -> None:
        """`read` are the places with what they held; the first `inputs` are read at each call."""
        self._read = read
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
        for place, kind in self._read:
            held = place.held({})
            if held is None or kind_of(held.get()) != kind:
                return False
        return True

    def values(self) -> list[Tensor]:
        """What the places hold now, as tensors."""
        found: list[Tensor] = []
        for place, _ in self._read[: self._inputs]:
            held = place.held({})
            if held is None:
                raise ReferenceError(f"'{place.label}' is gone: the object was deleted")
            for leaf in flatten(held.get()):
                if isinstance(leaf, Tensor):
                    found.append(leaf)
                elif type(leaf) in _NUMBERS:
                    dtype = _dtype_of(leaf)
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
    stored: list[tuple[journal.Held, Any]] = []
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
        (held.leave if is_tracing() else held.put)(value)


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


def written(
    places: Places, left: Sequence[tuple[journal.Held, Any, Any]]
) -> tuple[list[Write], list[Any]]:
    """How the places get what they are left with, and the graph's results for that."""
    writes: list[Write] = []
    results: list[Any] = []
    values = [value for _, given, last in left for value in (given, last)]
    marking = Marking(values, places.copies, _reference)
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
            was_number = not isinstance(old, Tensor) or is_weak(old)
            kind = _python_kind(leaf) if symbolic and was_number else None
            kinds.append(kind if kind and is_weak(leaf) else None)
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


def _python_kind(value: Tensor) -> type | None:
    if value.shape.rank != 0:
        return None
    dtype = value.dtype
    if dtype.is_bool:
        return bool
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
