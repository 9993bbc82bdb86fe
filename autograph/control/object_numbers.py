"""What a list that the graph holds keeps by number: objects from before the trace, exceptions."""

from __future__ import annotations

from enum import Enum
from typing import Any

from treadle.graph import Value
from treadle.graph.build import GraphBuilder, convert, current
from treadle.graph.dtypes import int32
from treadle.graph.ops.gathering import gather_known
from treadle.graph.ops.raising import Recipe, without_slot

from ..changes import journal
from ..changes.rebuilt import is_plain_object
from ..values.list_objects import Objects, Reference
from ..values.optional import Source
from ..values.place import user_line
from ..values.stand_ins import RaisedInRun
from .choice import Choice, picked
from .options import is_function, told_apart


def reference_of(value: Any) -> Reference | None:
    """How a list keeps `value`, if that is an object from before the trace, or one of several."""
    options = value.tl_options if type(value) is Choice else (value,)
    if not all(map(_is_known, options)):
        return None
    options = [without_slot(o) if isinstance(o, BaseException) else o for o in options]
    numbers = [_number(o) for o in options]

    def number() -> Any:
        if len(numbers) == 1:
            return convert(numbers[0], int32)
        return gather_known(convert(numbers, int32), convert(value.tl_index, int32))

    return Reference(dict(zip(numbers, options, strict=True)), number)


def _is_known(option: Any) -> bool:
    if is_function(option) or isinstance(option, Enum):
        return True
    if isinstance(option, BaseException):
        return not (isinstance(option, RaisedInRun) or Recipe(option).tensors)
    if not isinstance(current(), GraphBuilder) or not is_plain_object(option):
        return False
    return not journal.of_trace().made_among([option])


def _number(option: Any) -> int:
    builder = current()
    while isinstance(builder, GraphBuilder) and builder.parent is not None:
        builder = builder.parent
    if not isinstance(builder, GraphBuilder):
        return id(option)
    known: dict[Any, tuple[int, Any]] = builder.derived.setdefault("objects in lists", {})
    return known.setdefault(told_apart(option), (len(known), option))[0]


def _of_number(number: Any, options: dict[int, Any]) -> Any:
    """The one of `options` that has the `number`."""
    if hasattr(number, "_value"):  # the run is over
        return options[int(number)]
    numbers = sorted(options)
    found = [options[n] for n in numbers]
    source = Source("", f"the list at {user_line()}")
    if len(numbers) == 1:
        return found[0]
    if not isinstance(number, Value):
        return Choice(number, found, source)
    table = [numbers.index(n) if n in options else 0 for n in range(numbers[-1] + 1)]
    return picked(gather_known(convert(table, int32), number), found, source)


Objects.reference = staticmethod(reference_of)
Objects.of_number = staticmethod(_of_number)
