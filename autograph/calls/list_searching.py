"""Methods of lists that compare items with each other, or with a value."""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph import Tensor, weak
from treadle.graph.build import convert
from treadle.graph.dtypes import bool_
from treadle.graph.errors import ListItemError
from treadle.graph.ops.array_tensors import array_stack
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import equal
from treadle.graph.ops.effects import require
from treadle.graph.ops.filling import fill
from treadle.graph.ops.joining import concat
from treadle.graph.ops.logic import logical_and
from treadle.graph.ops.queries import shape as shape_of
from treadle.graph.ops.reductions import reduce_sum
from treadle.graph.ops.sequences import range_
from treadle.graph.ops.statistics import argmax

from ..changes.contents import put_items
from ..control.choice import picked
from ..control.object_numbers import reference_of
from ..policy import instead
from ..values.inside import staged_in
from ..values.list_items import here, item_of
from ..values.list_objects import Known
from ..values.list_places import bounds_of
from ..values.optional import Source, settled
from ..values.place import user_line
from ..values.special import is_of_users
from ..values.staged_list import StagedList, stage
from ..values.state import Nested
from ..values.truth import condition, staged
from .collecting import listed
from .indexing import is_scalar
from .ordering import compared, is_of_run, order_of, sorted_


def _is_python(owner: Any, *values: Any) -> bool:
    """True if Python can compare all of it."""
    return staged_in(owner) is None and not any(
        is_of_run(v) or staged_in(v) is not None for v in (*owner, *values)
    )


def _each(owner: Any, value: Any) -> Any:
    """The same, as a list where that is known while tracing."""
    if staged_in(owner) is not None:
        return matches(owner, value)
    found = [v is value or compared(v, "==", value) for v in owner]
    truths = [condition(v) if staged(v) else bool(v) for v in found]
    return convert(truths, bool_) if any(map(staged, found)) else truths


def matches(owner: Any, value: Any) -> Tensor:
    """For each item whether it equals `value`."""
    if staged_in(owner) is None:
        return convert(_each(owner, value), bool_)
    items, value = StagedList.of(owner), settled(value)
    objects = _same_objects(items, value)
    if objects is not None:
        return objects
    item, by_parts = items.item, not isinstance(value, (list, dict)) and not is_of_users(value)
    like, leaves = item_of(value) if by_parts else (item, [])
    if item is None or like is None or item.structure != like.structure:
        return fill([items.size()], False)
    if not by_parts or any(s.shape.rank != 0 for s in item.specs):
        raise ListItemError(
            f"items that are no scalars are compared at {here()}; compare them one by one"
        )
    if not item.specs:
        return fill([items.size()], True)
    pairs = zip(items.arrays, leaves, strict=True)
    each = [equal(array_stack(a), v) for a, v in pairs]
    alike: Tensor = functools.reduce(logical_and, each)
    return alike


def _same_objects(items: StagedList, value: Any) -> Tensor | None:
    """For each item whether it is `value`, where all are objects that are equal if they are one."""
    plan, reference = items.item and items.item.plan, reference_of(value)
    known = plan.make if isinstance(plan, Nested) else None
    if reference is None or not isinstance(known, Known):
        return None
    options = *known.options.values(), *reference.options.values()
    if any(getattr(type(o), "__eq__", None) is not object.__eq__ for o in options):
        return None
    found: Tensor = equal(array_stack(items.arrays[0]), reference.number())
    return found


def index(owner: Any, value: Any, *bounds: Any) -> Any:
    """`owner.index(value, start, stop)`"""
    if _is_python(owner, value, *bounds):
        return owner.index(value, *bounds)
    kind = next((k.__name__ for k in (deque, tuple) if isinstance(owner, k)), "list")
    text = f"{kind}.index(x): x not in {kind}"
    if not isinstance(value, Tensor):
        text = f"{value!r} is not in {kind}"
    place = _place(owner, value, text, bounds)
    return place if isinstance(place, int) else weak.mark(place)


def _place(owner: Any, value: Any, text: str, bounds: Sequence[Any] = ()) -> Any:
    """The place of the first item that equals `value`; ValueError if there is none."""
    found = _each(owner, value)
    if isinstance(found, list):
        if not any(isinstance(b, Tensor) for b in bounds):
            if True not in found:
                raise ValueError(text)
            return found.index(True, *bounds)
        found = convert(found, bool_)
    size = shape_of(found)[0]
    if bounds:
        start, stop, _ = bounds_of(slice(bounds[0], *bounds[1:] or [None]), size)
        places = range_(size)
        found = found & (places >= start) & (places < stop)
    place = cast(argmax(cast(concat([found, [True]], 0), "int32"), 0), "int32")
    (place,) = require(place < size, [place], "ValueError", f"{text}, at {here()}")
    return place


def count(owner: Any, value: Any) -> Any:
    """`owner.count(value)`"""
    if _is_python(owner, value):
        return owner.count(value)
    found = _each(owner, value)
    if isinstance(found, list):
        return sum(found)
    return weak.mark(reduce_sum(cast(found, "int32")))


def remove(owner: Any, value: Any) -> None:
    """`owner.remove(value)`"""
    if _is_python(owner, value):
        owner.remove(value)
        return
    place = _place(owner, value, "list.remove(x): x not in list")
    if isinstance(place, int):
        del owner[place]
        return
    if staged_in(owner) is None and not all(map(is_scalar, owner)):
        source = Source("", f".remove() at {user_line()}")
        pairs = enumerate(itertools.pairwise(owner))
        put_items(owner, [picked(cast(place <= i, "int32"), pair, source) for i, pair in pairs])
        return
    del stage(owner)[place]


def sort(owner: Any, *, key: Any = None, reverse: Any = False) -> None:
    """`owner.sort()`"""
    staged = staged_in(owner)
    if staged is not None and staged.origins:
        places = order_of(owner, key, reverse)
        stage(owner).keep(places)
        return
    put_items(owner, sorted_(owner, key=key, reverse=reverse))


def _compared(sign: str, a: Any, b: Any) -> Any:
    return compared(a, sign, b)


METHODS: dict[str, Callable[..., Any]] = {
    "count": count,
    "index": index,
    "remove": remove,
    "sort": sort,
    **{sign: functools.partial(_compared, sign) for sign in ("<", "<=", ">", ">=")},
}


def _of_sequence(own: Callable[..., Any]) -> Callable[..., Any]:
    """A method that `collections.abc.Sequence` gives to a class of the user's."""

    def search(
        relaxed: bool, function: Any, /, owner: Any, value: Any, start: Any = 0, stop: Any = None
    ) -> Any:
        bounds = (start,) if stop is None else (start, stop)
        untold = type(start) is int and start == 0 and stop is None
        return own(listed(owner), value, *(() if untold else bounds))

    return search


instead[Sequence.index.__code__] = _of_sequence(index)
instead[Sequence.count.__code__] = _of_sequence(count)
