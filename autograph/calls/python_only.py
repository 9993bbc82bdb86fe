"""Functions of Python's own that go over what they are given: not over what the graph holds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location

from ..policy import replaced
from ..values.inside import staged_in, table_in
from .gathering import in_list
from .indexing import items
from .keys import key


def refuse_held(name: str, values: Iterable[Any]) -> None:
    """Refuse that Python goes over a list, dict or set whose items the graph holds."""
    if any(staged_in(v) is not None or table_in(v) is not None for v in values):
        raise ConversionError(
            f"{name}() at {describe(user_location(2))} goes over items of a number that only the "
            "run tells, which is Python's own business: go over them in a 'for' loop"
        )


def frozenset_(*args: Any) -> Any:
    """`frozenset(iterable)`"""
    args = tuple(map(in_list, args))
    refuse_held("frozenset", args)
    return frozenset([key(v) for v in args[0]]) if len(args) == 1 else frozenset(*args)


def picking(getter: operator.itemgetter[Any]) -> Callable[[Any], Any]:
    """What to call instead of `operator.itemgetter(...)`."""
    keys: tuple[Any, ...] = getter.__reduce__()[1]  # type: ignore[assignment]

    def pick(x: Any) -> Any:
        found = tuple([items(x)[k] for k in keys])
        return found if len(found) > 1 else found[0]

    return pick


replaced[frozenset] = frozenset_
