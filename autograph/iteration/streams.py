"""What a loop may go over besides a tensor: `zip`, `map`, comprehensions and the like."""

from __future__ import annotations

import functools
from collections.abc import Callable, ItemsView, Iterator, KeysView, Sequence, ValuesView
from dataclasses import replace
from types import FunctionType
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert, is_tracing
from treadle.graph.errors import ConversionError
from treadle.graph.location import Loc, describe, user_location
from treadle.graph.ops.comparison import equal, where
from treadle.graph.ops.define import constant_of
from treadle.graph.ops.effects import require
from treadle.graph.ops.formatting import Text
from treadle.graph.ops.texts import characters, is_text

from .. import policy
from ..changes import journal
from ..control.choice import Choice, choice_as_tensor, operate
from ..control.conditionals import Branches
from ..control.options import is_changing
from ..values import special
from ..values.inside import InTable, staged_in, table_in
from ..values.optional import Optional, taken
from ..values.place import Helper, LoopSite, line_of, loop_site, user_line
from ..values.staged_list import StagedList
from ..values.truth import condition, staged
from .left_loops import RestOfLoop, rest_of
from .passing import packed, state_of, unpacked
from .stream import Indexed, Loop, OfDict, OfList, OfSeveral, OfTensor, Stream, nothing, staged_loop

MOST_UNROLLED = 32  # items of known number become a Python list up to here


class Live(Stream):
    """The items that something has when it is gone over; `owner` is a dict."""

    owner: Any = None

    def now(self) -> StagedList:
        raise NotImplementedError

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        return go_over(self.now(), body, state, loop)

    def __tl_truth__(self) -> Tensor:
        return self.now().__tl_truth__()


# How to go over the views of dicts that the graph holds; filled by table_methods.py.
views: list[Callable[[Any], Any]] = []


def live(x: Any) -> Any:
    """A view of a dict that the graph holds as a stream; all else as it is."""
    return views[0](x) if InTable.alive and isinstance(x, _VIEWS) else x


_VIEWS = (KeysView, ValuesView, ItemsView)


def is_asked(x: Any) -> bool:
    """True for what is asked for its items when the graph runs."""
    return hasattr(type(x), "__tl_iterate__") and is_tracing()


# How to go over objects of the user's classes; filled by iteration_tools.py.
classes: list[Callable[[Any], Stream | None]] = []


def is_staged(x: Any) -> bool:
    """True if `x` is a tensor, list or stream whose items only the run knows, or may know."""
    if isinstance(x, (Value, Stream, Text)) or is_asked(x) or _is_uneven(x):
        return True
    if staged_in(x) is not None or _of_user(x):
        return True
    if _by_index(x) is not None:
        return True
    return table_in(x) is not None or live(x) is not x


def _is_uneven(x: Any) -> bool:
    """True for one of several texts and the like of different lengths."""
    if type(x) is not Choice:
        return False
    kinds = str, bytes, range, frozenset
    known = all(isinstance(o, kinds) for o in x.tl_options)
    return is_changing(x.tl_options[0]) or (known and len(set(map(len, x.tl_options))) > 1)


def _items_of(x: Any) -> Any:
    table = table_in(x)
    found = staged_in(x) if table is None else table.ordered()
    return list(x) if found is None else found.listed()


def _by_index(x: Any) -> Indexed | None:
    """Objects of the user's that Python would ask for one item after the other, until there is no
    further one: where only the run knows how many there are.
    """
    kind = type(x)
    own = special.is_of_users(x) and getattr(kind, "__iter__", None) in (None, Sequence.__iter__)
    count, item = (special.method(x, n) if own else None for n in ("__len__", "__getitem__"))
    size = count() if count is not None and item is not None else None
    return Indexed(size, item) if isinstance(size, Value) and item is not None else None


def _of_user(x: Any) -> bool:
    """True for objects of which the user's Python gives the items."""
    found = getattr(type(x), "__iter__", None)
    return type(found) is FunctionType and is_tracing() and not policy.is_library_function(found)


class Asked(Stream):
    """The items of an object that is asked for them one by one: a dataset."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        more, item = self.source.__tl_iterate__()
        return staged_loop(loop).run_items(more, item, body, state, loop.extra_test)


def site_of(source: Any, step: Helper) -> LoopSite:
    """Where the loop over `source` is, as messages have it; `step` is our own."""
    while isinstance(source, Once) and source.source is not None:
        source = source.source
    return loop_site(getattr(source, "make", step))


class Each(Stream):
    """`make(item)` for each item of `source` for which all of `tests` hold.

    `flat`: what is made are iterables, whose items are meant.
    `take`: what gives the arguments of `make` for an item; else it is one, or a tuple of them.
    """

    def __init__(
        self,
        source: Any,
        make: Callable[..., Any],
        tests: Sequence[Any],
        flat: bool,
        take: Callable[[Any], Sequence[Any]] | None = None,
    ) -> None:
        self.source = source
        self.make = make
        self.tests = tests
        self.flat = flat
        self.take = take

    def _arguments(self, item: Any) -> Sequence[Any]:
        return self.take(item) if self.take else unpacked(item, self.make.__code__.co_argcount)

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        self.use()

        def step(item: Any, *state: Any) -> Any:
            return self._guarded(0, self._arguments(item), body, state, loop)

        return go_over(self.source, step, state, loop)

    def _guarded(
        self, index: int, args: Sequence[Any], body: Helper, state: Sequence[Any], loop: Loop
    ) -> Any:
        """The state after an item for which all tests before that at `index` hold.

        No function here refers to itself: the journal counts references, also those of cycles.
        """
        if index < len(self.tests):
            held = self.tests[index](*args)
            if staged(held):
                go_on = functools.partial(self._go_on, index + 1, args, body, loop)
                return self._branch(held, go_on, state, loop)
            return self._guarded(index + 1, args, body, state, loop) if held else packed(state)
        made = self.make(*args)
        return packed(go_over(made, body, state, loop)) if self.flat else body(made, *state)

    def _go_on(self, index: int, args: Sequence[Any], body: Helper, loop: Loop, *state: Any) -> Any:
        return self._guarded(index, args, body, state, loop)

    def _branch(self, held: Any, go_on: Helper, state: Sequence[Any], loop: Loop) -> Any:
        line = line_of(self.make)
        branches = Branches(
            go_on, None, state, loop.get_state, loop.set_state, line, relaxed=loop.relaxed
        )
        return branches.emit(condition(held), loop.names)

    def candidates(self) -> Iterator[tuple[Sequence[Any], Any]]:
        """Each item of a Python source, and whether it counts."""
        self.use()
        stream = stream_of(self.source)
        for item in self.source if stream is None else stream:
            args = self._arguments(item)
            held: Any = True
            for test in self.tests:
                held = test(*args)
            yield args, held

    def __iter__(self) -> Iterator[Any]:
        """In Python, where the source is Python's and no test is a tensor."""
        for args, held in self.candidates():
            if held:
                if self.flat:
                    yield from self.make(*args)
                else:
                    yield self.make(*args)


class Once(Stream):
    """Items that can be gone over once, as those of Python's iterators."""

    goes_once = True

    def __init__(self, source: Any = None) -> None:
        self.source = source
        self.ended = False
        self.left: Loc | None = None  # where it was gone over but perhaps not to its end

    def begin(self, loop: Loop) -> bool:
        """Note that it is gone over now; False if there is nothing left."""
        if self.left is not None:
            raise ConversionError(
                f"an iterator is used again at {describe(user_location(2))}: it was gone over at "
                f"{describe(self.left)}, and how far depends on a tensor. Make a list of it first"
            )
        if self.ended:
            return False
        journal.advance(self)
        self.ended = True
        if loop.extra_test is not None:
            self.left = user_location(2)
        return True

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        return go_over(self.source, body, state, loop) if self.begin(loop) else state


def of_one(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """`function` with one parameter, whatever others it has."""
    return lambda item: function(item)  # noqa: PLW0108


class Numbered(Stream):
    """`enumerate` of a stream: the number is one more state."""

    def __init__(self, source: Any, start: Any) -> None:
        self.source = source
        self.start = start

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        count = len(state)

        def step(item: Any, number: Any, *state: Any) -> Any:
            return number + 1, *state_of(body((number, item), *state), count)

        test = loop.extra_test
        inner = replace(
            loop,
            names=["number", *loop.names],
            extra_test=None if test is None else lambda _, *state: test(*state),
        )
        return go_over(self.source, step, (self.start, *state), inner)[1:]


def has_few(x: Any) -> bool:
    """True for a stream of a known number of items, small enough for a Python list."""
    if isinstance(x, Each):
        source = stream_of(x.source)
        return not (x.tests or x.flat) and source is not None and has_few(source)
    return isinstance(x, Indexed) and x.known is not None and x.known <= MOST_UNROLLED


def go_over(source: Any, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
    """The state after `state = body(item, *state)` for each item of any iterable."""
    stream = stream_of(source)
    if stream is not None:
        return stream.run(body, state, loop)
    count = len(state)
    items = iter(source)
    for item in items:
        state = state_of(body(item, *state), count)
        if loop.extra_test is not None:
            go_on = loop.extra_test(*state)
            if type(go_on) is not bool and staged(go_on):
                if not loop.relaxed:
                    raise left_by_tensor(loop)
                access = loop.extra_test, loop.get_state, loop.set_state
                rest = RestOfLoop(body, *access, loop.names, loop.site)
                return rest.run(rest_of(source, item, items), state, go_on)
            if not go_on:
                break
    return state


def left_by_tensor(loop: Loop) -> ConversionError:
    return ConversionError(
        f"the loop at {loop.site.line} goes over items of a Python iterable, while tracing, but "
        "whether it goes on depends on a tensor (by a `break` or `return`); put the items into a "
        "tensor, and iterate over that, or use @tl.function(relaxed=True)"
    )


def stream_of(x: Any, force: bool = False) -> Stream | None:
    """How to go over `x` in the graph; None for what Python goes over.

    `force`: Python sequences, too, as tensors.
    """
    x = live(taken(x) if isinstance(x, Optional) and is_text(x._value) else x)
    owner = x
    if isinstance(x, Live):
        owner, x = x.owner, x.now()
    if isinstance(x, Stream):
        return x
    if _is_uneven(x) and not x.tl_is_text:
        return stream_of(StagedList.of(operate(_items_of, x)))
    if is_text(x) or isinstance(x, Text) or _is_uneven(x):
        return OfTensor(characters(choice_as_tensor(x)))
    if isinstance(x, Value) or (isinstance(x, Tensor) and (force or is_tracing())):
        return OfTensor(x)
    if is_asked(x):
        return Asked(x)
    table = table_in(x)
    if table is not None:
        x = table.ordered()
    known = staged_in(x)
    if known is not None:
        if not known.arrays:
            return Indexed(0, nothing)
        return OfDict(x, owner) if isinstance(owner, dict) else OfList(x)
    if _of_user(x):
        return classes[0](x)
    by_index = _by_index(x)
    if by_index is not None:
        return by_index
    if force and isinstance(x, range):
        start, step = x.start, x.step
        return Indexed(len(x), lambda i: i * step + start)
    if force and isinstance(x, (list, tuple)):
        listed = StagedList.of(x)
        return Indexed(len(x), listed.read) if x else Indexed(0, nothing)
    return None


def indexed(x: Any) -> Indexed:
    """`x` as an indexed stream; refused where it is none."""
    found = stream_of(x, force=True)
    by_index = None if found is None else found.by_index()
    if by_index is not None:
        by_index.use()
        return by_index
    raise ConversionError(
        f"what is gone over at {describe(user_location(2))}, together with items of a number that "
        "only the run tells, must be tensors or lists; make a list of the other one by list()"
    )


def zipped(sources: Sequence[Any], strict: bool = False) -> Indexed:
    streams = [indexed(s) for s in sources]
    known = [s.known for s in streams if s.known is not None]
    if len(known) == len(streams):
        count = len(list(zip(*map(range, known), strict=strict)))  # Python refuses other lengths
        return Indexed(count, lambda i: tuple([s.item(i) for s in streams]))

    def least(counts: Sequence[Any]) -> Any:
        count: Any = convert(counts[0])
        for i, given in enumerate(counts[1:], 2):
            other = convert(given)
            if strict:
                text = f"zip() argument {i} is not as long as argument 1, at {user_line()}"
                (count,) = require(equal(count, other), [count], "ValueError", text)
            else:
                count = where(other < count, other, count)
        return count

    return OfSeveral(streams, least, lambda i: tuple([s.item(i) for s in streams]))


def in_groups(items: Any, count: int) -> Any:
    """`zip(*[iter(items)] * count)`"""
    found = indexed(items)

    def group(i: Any) -> tuple[Any, ...]:
        return tuple([found.item(i * count + k) for k in range(count)])

    return Indexed(found.count // count, group)


def enumerated(source: Any, start: Any) -> Stream:
    stream = stream_of(source, force=True)
    if isinstance(stream, Indexed):
        stream.use()
        item = stream.item
        numbered = lambda i: (_place(i) + start, item(i))  # noqa: E731
        return OfSeveral([stream], lambda counts: counts[0], numbered)
    return Numbered(source, start)


def _place(index: Tensor) -> Any:
    """The place of an item as a number of Python's."""
    known = constant_of(index)
    return weak.mark(index) if known is None else int(known)


def backwards(source: Any) -> Indexed:
    stream = indexed(source)
    last = stream.count - 1
    return OfSeveral([stream], lambda _: stream.count, lambda i: stream.item(last - i))
