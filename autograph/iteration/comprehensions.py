"""Comprehensions at run time; the calls are made by `comprehension_syntax.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import GeneratorType
from typing import Any

from treadle.graph.build import is_tracing

from ..changes import journal
from ..values.place import Helper
from .stream import Indexed, Loop
from .streams import Each, Once, go_over, stream_of


def each(
    source: Any,
    make: Callable[..., Any],
    where: Callable[..., Any] | None = None,
    flat: bool = False,
    take: Callable[[Any], Any] | None = None,
) -> Each:
    """`make(item) for item in source if where(item)`; `flat`: the items of what `make` gives;
    `take(item)` gives the arguments where the item is not all there is, or not a plain tuple.
    """
    if stream_of(source) is None:
        source = iter(source) if not isinstance(source, (list, tuple, range)) else source
    return Each(source, make, () if where is None else (where,), flat, take)


def generator(stream: Each) -> Any:
    """A generator expression that goes elsewhere: Python's own, if it goes over Python's items."""
    if _is_staged(stream):
        return Once(stream)
    return Filtered(stream) if is_tracing() and _has_tests(stream) else iter(stream)


class Filtered(Once):
    """One over Python's items, of which only the run may know whether they are left out."""

    def __init__(self, stream: Each) -> None:
        super().__init__(stream)
        self.items = iter(stream)
        self.is_started = False

    __class__ = property(lambda self: GeneratorType)

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        if self.is_started:
            return go_over(self.items, body, state, loop)
        return super().run(body, state, loop)

    def by_index(self) -> Indexed | None:
        found = stream_of(list(self), force=True)
        return None if found is None else found.by_index()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        journal.advance(self)
        self.is_started = True
        return next(self.items)


def _has_tests(stream: Each) -> bool:
    inner = stream.source
    return bool(stream.tests or stream.flat or (isinstance(inner, Each) and _has_tests(inner)))


def _is_staged(stream: Each) -> bool:
    source = stream.source
    return _is_staged(source) if isinstance(source, Each) else stream_of(source) is not None
