"""Comprehensions at run time; the calls are made by `comprehension_syntax.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .streams import Each, Once, stream_of


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
    return Once(stream) if _is_staged(stream) else iter(stream)


def _is_staged(stream: Each) -> bool:
    source = stream.source
    return _is_staged(source) if isinstance(source, Each) else stream_of(source) is not None
