"""`iter(x)` of what is read by index and whose length only the run knows: its place is state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from treadle.graph.build import convert
from treadle.graph.ops.comparison import where
from treadle.graph.ops.effects import require

from ..changes import journal
from ..control.conditionals import if_exp
from ..values.place import Helper
from .passing import state_of
from .stream import Indexed, Loop, Stream, staged_loop
from .streams import stream_of


class SequenceIterator(Stream):
    """As Python's iterator of a sequence: what is left starts at `at`."""

    goes_once = True

    def __init__(self, source: Any) -> None:
        self.source = source
        self.at: Any = convert(0)

    def _items(self) -> Indexed:
        items = stream_of(self.source)
        assert isinstance(items, Indexed)
        return items

    def by_index(self) -> Indexed:
        """What is left; how much of that its consumer takes is not known."""
        self.use()
        items, at = self._items(), self.at
        return Indexed(convert(items.count) - at, lambda i: items.item(at + i))

    def next(self, *default: Any) -> Any:
        """`next(self, default)`"""
        self.refuse_gone()
        items, at = self._items(), self.at
        left = at < convert(items.count)
        journal.touch(self)
        if not default:
            (at,) = require(left, [at], "StopIteration", "")
            self.at = at + 1
            return items.item(at)
        self.at = where(left, at + 1, at)
        return if_exp(left, lambda: items.item(at), lambda: default[0])

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        self.refuse_gone()
        items, test, number = self._items(), loop.extra_test, len(state)
        journal.touch(self)
        rows = replace(items.rows(), start=self.at, surely=False)
        if test is None:
            state = staged_loop(loop).run_for(rows, body, state, None)
            self.at = convert(items.size())
            return state

        def step(item: Any, at: Any, *state: Any) -> Any:
            return at + 1, *state_of(body(item, *state), number)

        inner = staged_loop(replace(loop, names=["place", *loop.names]))
        self.at, *state = inner.run_for(rows, step, (self.at, *state), lambda _, *s: test(*s))
        return state


def once(x: Any) -> Any:
    """`x`, which Python would give as an iterator."""
    if isinstance(x, Indexed) and x.known is None:
        return SequenceIterator(x)
    if isinstance(x, Stream):
        x.goes_once = True
    return x
