"""Objects of the program as items of a list that the graph holds: kept by their numbers, so that an
item that is read is the object itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from treadle.graph.dtypes import int32
from treadle.graph.spec import TensorSpec

from .filling import Filling
from .state import Nested, Plan


class Reference:
    """The number of one of the objects `options`; `number` makes it in the current graph."""

    __slots__ = ("number", "options")
    like = Filling(TensorSpec((), int32))

    def __init__(self, options: dict[int, Any], number: Callable[[], Any]) -> None:
        self.options = options
        self.number = number

    def __tl_tensor__(self) -> Any:
        return self.number()


class Known:
    """Makes one of the objects `options` of its number."""

    __slots__ = ("options",)

    def __init__(self, options: dict[int, Any]) -> None:
        self.options = options

    def __call__(self, parts: Sequence[Any]) -> Any:
        return Objects.of_number(parts[0], self.options)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and self.options.keys() == other.options.keys()

    __hash__ = None  # type: ignore[assignment]


class Objects:
    """Set by control/object_numbers.py, which knows of one of several objects."""

    reference: Callable[[Any], Reference | None]
    of_number: Callable[[Any, dict[int, Any]], Any]


def joined_plan(a: Plan, b: Plan) -> Plan:
    """The plan of what either one is for; they are of one structure."""
    if not (isinstance(a, Nested) and isinstance(b, Nested)):
        return a
    make = a.make
    if isinstance(make, Known) and isinstance(b.make, Known):
        make = Known(make.options | b.make.options)
    return Nested([joined_plan(p, q) for p, q in zip(a.items, b.items, strict=True)], make)


def objects_of(plan: Plan) -> Iterator[frozenset[int]]:
    """The numbers of the objects that are made."""
    if isinstance(plan, Nested):
        if isinstance(plan.make, Known):
            yield frozenset(plan.make.options)
        for part in plan.items:
            yield from objects_of(part)
