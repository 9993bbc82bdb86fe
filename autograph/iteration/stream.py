"""What a stream is, and those of which each item can be made by its place.

A stream is *indexed* where the item at each place can be made by itself; else it hands its items to
the body of a loop one by one (a condition may leave one out, a generator makes many).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from treadle.graph import Tensor
from treadle.graph.build import convert
from treadle.graph.errors import ConversionError
from treadle.graph.location import Loc, describe, user_location
from treadle.graph.ops.comparison import equal
from treadle.graph.ops.define import constant_of
from treadle.graph.ops.effects import require

from ..changes import journal
from ..changes.item_changes import reader
from ..control.conditionals import Getter, Setter
from ..control.rows import Rows, rows_of
from ..control.staged_loops import StagedLoop
from ..values.inside import staged_in, table_in
from ..values.place import Helper, LoopSite, user_line


@dataclass(frozen=True, slots=True)
class Loop:
    """What goes on around an item: the loop's place in the code and its state's names."""

    site: LoopSite
    names: Sequence[str]
    extra_test: Callable[..., Any] | None = None
    get_state: Getter | None = None
    set_state: Setter | None = None
    relaxed: bool = False


class Stream:
    """Items that only a loop of the graph can go over, unless their number is known."""

    goes_once = False  # as Python's iterators do
    gone: Loc | None = None  # where that was

    def use(self) -> None:
        """Note that it is gone over now; refused where Python's iterator would be at its end."""
        if self.goes_once:
            self.refuse_gone()
            journal.advance(self)
            self.gone = user_location(2)

    def refuse_gone(self) -> None:
        if self.gone is not None:
            raise ConversionError(
                f"an iterator is used again at {describe(user_location(2))}, after it was gone "
                f"over at {describe(self.gone)}: nothing may be left of it. Make a list of it first"
            )

    def by_index(self) -> Indexed | None:
        """The items that are left, where each can be made by its place."""
        return None

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        """The state after `state = body(item, *state)` for each item."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        raise ConversionError(
            f"items of unknown number are needed at {describe(user_location(2))}, while the "
            "function is traced; go over them in a 'for' loop or a comprehension, or make a list "
            "of them by list()"
        )

    def __tl_truth__(self) -> Tensor:
        return convert(True)  # as of each iterator


class Indexed(Stream):
    """`count` items; `item(i)` makes one. `sizes` is the number of them, if that is known."""

    checks = False  # to ask for the size may fail: only where the loop goes on

    def __init__(self, count: Any, item: Callable[[Any], Any]) -> None:
        known = constant_of(count) if isinstance(count, Tensor) else count
        self.known = None if known is None else int(known)
        self.count = count
        self.item = item

    def by_index(self) -> Indexed:
        return self

    def size(self) -> Any:
        """How many there are now: the program may change a list that it goes over."""
        return self.count

    def rows(self) -> Rows:
        zero, one, count = convert(0), convert(1), convert(self.count)

        def more(i: Tensor) -> Tensor:
            now = self.size()
            return i < (count if now is self.count else convert(now))

        return Rows(zero, one, more, self.item, bool(self.known), checks=self.checks)

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        self.use()
        if self.item is nothing:
            return state
        return staged_loop(loop).run_for(self.rows(), body, state, loop.extra_test)

    def __iter__(self) -> Iterator[Any]:
        if self.known is None:
            return super().__iter__()
        self.use()
        return (self.item(convert(i)) for i in range(self.known))


class OfTensor(Indexed):
    """The rows of a tensor."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        if tensor.shape.rank == 0:
            raise TypeError("a scalar tensor can't be iterated over")
        rows = rows_of(tensor, counted=True)
        size = tensor.shape[0] if tensor.shape.rank else None
        super().__init__(rows.count if size is None else size, rows.item)

    def rows(self) -> Rows:
        return rows_of(self.tensor)


class OfList(Indexed):
    """The items of a list that the graph holds, each as it is when it is its turn."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self.arrays = staged_in(owner).arrays
        super().__init__(staged_in(owner).size(), functools.partial(_read, owner))

    def size(self) -> Any:
        held = staged_in(self.owner)
        if held is None:
            return len(self.owner)
        pairs = zip(held.arrays, self.arrays, strict=False)
        return self.count if all(a is b for a, b in pairs) else held.size()


def _read(owner: Any, index: Any) -> Any:
    """A function of its own: the journal counts references, also those of cycles."""
    return reader(owner)(index)


class OfDict(OfList):
    """Keys, values or items of a dict, which must keep its size, as Python has it."""

    checks = True

    def __init__(self, items: Any, owner: Any) -> None:
        self.dict = owner
        super().__init__(items)

    def size(self) -> Any:
        table = table_in(self.dict)
        now = len(self.dict) if table is None else table.size()
        same = equal(convert(now), convert(self.count))
        text = f"dictionary changed size during iteration, at {user_line()}"
        (count,) = require(same, [convert(self.count)], "RuntimeError", text)
        return count


class OfSeveral(Indexed):
    """Items that are made of those of `sources`, as many as `count` makes of their numbers."""

    def __init__(
        self,
        sources: Sequence[Indexed],
        count: Callable[[Sequence[Any]], Any],
        item: Callable[[Any], Any],
    ) -> None:
        self.sources = sources
        self.counted = count
        self.checks = any(s.checks for s in sources)
        super().__init__(count([s.count for s in sources]), item)

    def size(self) -> Any:
        sizes = [s.size() for s in self.sources]
        same = all(now is s.count for now, s in zip(sizes, self.sources, strict=True))
        return self.count if same else self.counted(sizes)


def nothing(index: Any) -> Any:
    raise IndexError("list index out of range")


def staged_loop(loop: Loop) -> StagedLoop:
    return StagedLoop(loop.site, loop.names, loop.get_state, loop.set_state, loop.relaxed)
