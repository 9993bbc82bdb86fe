"""Lists whose length is known only when the graph runs: one array for each tensor of an item.

A Python list becomes one where it grows in a loop over tensors, or differs in length between the
branches of a tensor condition. It then has the methods of a list; what leaves the function is a
Python list again. `len`, `in`, `sum` and the like come here from `builtins.py`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert, is_tracing
from treadle.graph.errors import ListItemError
from treadle.graph.ops.array_items import array_cut, array_join, array_take
from treadle.graph.ops.array_tensors import array_concat, array_stack, array_unstack
from treadle.graph.ops.arrays import array_new, array_push, array_read, array_size, array_write
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import equal, where
from treadle.graph.ops.effects import require
from treadle.graph.ops.joining import concat, stack
from treadle.graph.ops.reductions import reduce_sum
from treadle.graph.ops.sequences import range_
from treadle.graph.symbolic_text import python_value

from . import given, item_views
from .class_names import named
from .inside import InGraph, Inside, no_value, staged_in, table_in
from .list_items import (
    Item,
    covering,
    fitted,
    here,
    item_of,
    joined_item,
    no_tensors,
    objects_in,
    shown,
    thawed,
)
from .list_objects import objects_of
from .list_places import bounds_of, clipped, place_of
from .list_stacking import concatenated, stacked
from .state import Nested, Plan, Slot

# The methods that compare items; filled by list_searching.py.
searching: dict[str, Callable[..., Any]] = {}
# What makes a list of any items; filled by collecting.py.
collecting: list[Callable[[Any], Any]] = []


@named
class StagedList(InGraph):
    """A list that the graph holds. `item` is None as long as nothing was ever in it.

    Methods change the object, as those of a list do; the arrays behind it are never changed.
    """

    __slots__ = ("__weakref__", "arrays", "item", "leaves")
    __tl_name__ = "a list of a length that the run tells"

    def __init__(self, item: Item | None, arrays: Sequence[Any]) -> None:
        self.item = item
        self.arrays = tuple(arrays)
        self.leaves = False  # as a result, in which numbers are tensors

    @classmethod
    def of(cls, values: Iterable[Any], item: Item | None = None) -> StagedList:
        """A list of `values`, whose items are to be like `item`, if that is given."""
        known = staged_in(values)
        if known is not None:
            made: StagedList = known.copy()
            made._become(joined_item(known.item, item))
            return made
        made = cls(None, ())
        made._become(item)
        for value in values:
            made.append(value)
        return made

    def _become(self, item: Item | None) -> None:
        """Cover the items of `item`, too."""
        if item is None or item == self.item:
            return
        if self.item is None:
            self.arrays = tuple([array_new(element=s) for s in item.specs or (no_tensors(),)])
        elif item.specs:
            parts = zip(self.arrays, self.item.specs, item.specs, self.item.weak, strict=True)
            self.arrays = tuple([covering(*part) for part in parts])
        self.item = item

    # --- the protocols of state, truth values, tensors and results ---------------

    @property
    def __tl_structure__(self) -> object:
        item = self.item
        known = item and (item.structure, item.specs, item.weak, tuple(objects_of(item.plan)))
        return known and (*known, item.origins)  # type: ignore[union-attr]

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        item = self.item

        def make(arrays: Sequence[Any]) -> Any:
            made = StagedList(item, arrays)
            made.leaves = self.leaves
            if not arrays:
                return made if is_tracing() else []
            if not isinstance(arrays[0], Value):
                return made._as_python()
            return item_views.note_made(made, made.origins)

        return list(self.arrays), make

    def _as_python(self) -> Any:
        """The list itself, where the arrays have their values."""
        if not hasattr(self.arrays[0], "_value"):
            return self
        assert self.item is not None
        count = int(array_size(self.arrays[0]))
        return [thawed(self._stored(i)) for i in range(count)]

    def _stored(self, index: int) -> Any:
        """The item at a place, where the run is over: in an object numbers are Python's again."""
        assert self.item is not None
        if self.leaves or not any(self.item.weak):
            return self.read(index)
        found = [array_read(a, index, of_list=True) for a in self.arrays]
        pairs = zip(found, self.item.weak, strict=False)
        return self.item.plan.build([python_value(v) if number else v for v, number in pairs])

    def __tl_truth__(self) -> Tensor:
        return self.size() > 0

    def __tl_tensor__(self) -> Tensor:
        """The items stacked, as `tl.stack` and `tl.convert_to_tensor` do with a list."""
        item = self._known("made a tensor of")
        found = self._stacked(item.plan)
        if found is None:
            raise ListItemError(
                f"the items of this list are {shown(item)}, no tensors: it can't be made a tensor "
                f"of, at {here()}"
            )
        return found

    def _stacked(self, plan: Plan) -> Tensor | None:
        """What `plan` makes of each item, along a new first axis; None if it is no tensor."""
        if isinstance(plan, Slot):
            return array_stack(self.arrays[plan.index])
        parts = [self._stacked(p) for p in plan.items] if isinstance(plan, Nested) else []
        if not parts or not isinstance(plan.build([None] * len(self.arrays)), (list, tuple)):
            return None
        columns = [p for p in parts if p is not None]
        return stack(columns, 1) if len(columns) == len(parts) else None

    def __tl_stack__(self, axis: int) -> Tensor:
        """As `tl.stack` does."""
        return stacked(convert(self), axis)

    def __tl_concat__(self, axis: int) -> Tensor:
        """As `tl.concat` does."""
        if axis == 0 and len(self._known("joined").specs) == 1:
            joined: Tensor = array_concat(self.arrays[0])
            return joined
        return concatenated(convert(self), axis)

    def _known(self, use: str) -> Item:
        if self.item is None:
            raise ListItemError(
                f"a list that is empty on each path is {use} at {here()}: what its items are "
                "like is not known"
            )
        return self.item

    @property
    def origins(self) -> item_views.Origins:
        return None if self.item is None else self.item.origins

    # --- reading -------------------------------------------------------------------

    def size(self) -> Tensor:
        return array_size(self.arrays[0]) if self.arrays else convert(0)

    def read(self, index: Any, owner: Any = None) -> Any:
        """The item at a place counted from the start, of the list `owner`."""
        value = self.made(index)
        if self.origins:
            item_views.note(objects_in(value), self.origins, owner, index)
        return value

    def made(self, index: Any) -> Any:
        """The same, as one that nobody else gets."""
        assert self.item is not None
        found = [array_read(a, index, of_list=True) for a in self.arrays]
        numbers = zip(found, self.item.weak, strict=False)  # of items without a tensor: none
        return self.item.plan.build([weak.mark(v) if number else v for v, number in numbers])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            item_views.spoil(self.origins)
            return self._taken(range_(*bounds_of(key, self.size())))
        self._known("indexed")
        return self.read(place_of(key, self.size()))

    def taken(self, places: Tensor) -> StagedList:
        """A list of the items at these places, for the program."""
        item_views.spoil(self.origins)
        return self._taken(places)

    def keep(self, places: Tensor) -> None:
        """Let there be just the items at these places."""
        item_views.move(self.origins)
        self.arrays = self._taken(places).arrays

    def _taken(self, places: Tensor) -> StagedList:
        return StagedList(self.item, [array_take(a, places) for a in self.arrays])

    def copy(self) -> StagedList:
        """A list of its own."""
        return StagedList(self.item, self.arrays)

    def listed(self) -> StagedList:
        """A list of the same items for the program."""
        item_views.spoil(self.origins)
        return self.copy()

    __copy__ = listed

    def __add__(self, other: Any) -> StagedList:
        if not isinstance(other, (list, StagedList)):
            kind = type(other).__name__
            raise TypeError(f'can only concatenate list (not "{kind}") to list')
        made = self.listed()
        made.extend(other)
        return made

    def __radd__(self, other: Any) -> StagedList:
        return StagedList.of(other) + self

    def __mul__(self, count: Any) -> StagedList:
        item_views.spoil(self.origins)
        size = self.size()
        total = where(convert(count) < 0, convert(0), size * count)
        return self._taken(range_(total) % where(size < 1, convert(1), size))

    __rmul__ = __mul__

    # --- changing --------------------------------------------------------------------

    def append(self, value: Any, owner: Any = None) -> None:
        """Append `value`, where the list is that of `owner`."""
        objects = list(objects_in(value))
        origins = item_views.origins_of(self.origins, [v for _, v in objects])
        size = self.size() if origins else None
        found, leaves = item_of(value)
        self._become(joined_item(self.item, replace(found, origins=origins)))
        assert self.item is not None
        tensors = fitted(leaves, self.item)
        self.arrays = tuple([array_push(a, t) for a, t in zip(self.arrays, tensors, strict=True)])
        item_views.note_appended(origins)
        if origins:
            item_views.note(objects, origins, owner, size)

    def extend(self, values: Any) -> None:
        if isinstance(values, Value) and values.shape.rank != 0:
            values = rows_as_list(values)
        table = table_in(values)
        known = staged_in(values) if table is None else table.ordered()
        values = collecting[0](values) if known is None else known
        if not isinstance(values, StagedList):
            for value in values:
                self.append(value)
            return
        item_views.spoil(values.origins)
        item = joined_item(self.item, values.item)
        if values.item is not None:
            other = values.copy()
            other._become(item)
            self._become(item)
            pairs = zip(self.arrays, other.arrays, strict=True)
            self.arrays = tuple([array_join(a, b) for a, b in pairs])

    def __iadd__(self, other: Any) -> StagedList:
        self.extend(other)
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            self._set_slice(key, value)
            return
        objects = list(objects_in(value))
        origins = item_views.origins_of(self.origins, [v for _, v in objects])
        found, leaves = item_of(value)
        self._known("assigned to")
        self._become(joined_item(self.item, replace(found, origins=origins)))
        item_views.move(self.origins)
        if origins:
            item_views.note(objects, origins)
        assert self.item is not None
        (index,) = self._checked(key, "list assignment index out of range")
        pairs = zip(self.arrays, fitted(leaves, self.item), strict=True)
        self.arrays = tuple([array_write(a, index, t, dynamic=False) for a, t in pairs])

    def write(self, index: Any, value: Any) -> None:
        """Let the item at a place be `value`, which is what it was but for what it holds."""
        assert self.item is not None
        before = [array_read(a, index, of_list=True) for a in self.arrays]
        found, leaves = item_of(value)
        self._become(joined_item(self.item, replace(found, origins=self.origins)))
        new = zip(self.arrays, before, fitted(leaves, self.item), strict=True)
        self.arrays = tuple(
            [a if t is b else array_write(a, index, t, dynamic=False) for a, b, t in new]
        )

    def _set_slice(self, key: slice, values: Any) -> None:
        item_views.move(self.origins)
        if key.step not in (None, 1):
            self._set_steps(key, values)
            return
        start, stop, _ = bounds_of(key, self.size())
        rest = self._taken(range_(where(stop < start, start, stop), self.size()))
        made = self._taken(range_(start))
        made.extend(values)
        made.extend(rest)
        self.item, self.arrays = made.item, made.arrays

    def _set_steps(self, key: slice, values: Any) -> None:
        """`l[::2] = values`: as many as there are places."""
        size, new = self.size(), StagedList.of(values, self.item)
        start, stop, step = bounds_of(key, size)
        places = range_(size)
        ahead = places - start if step > 0 else start - places
        inside = (ahead >= 0) & ((places < stop) if step > 0 else (places > stop))
        inside &= equal(ahead % abs(step), 0)
        text = f"attempt to assign to an extended slice as many items as it has, at {here()}"
        count = reduce_sum(cast(inside, "int32"))
        arrays = require(equal(new.size(), count), new.arrays, "ValueError", text)
        made = self.copy()
        made.extend(StagedList(new.item, arrays))
        found = made._taken(where(inside, size + ahead // abs(step), places))
        self.item, self.arrays = found.item, found.arrays

    def _checked(self, key: Any, text: str) -> tuple[Tensor, ...]:
        """The place, counted from the start, where there is an item; else an IndexError."""
        size = self.size()
        index = place_of(key, size)
        within = (index >= 0) & (index < size)
        return require(within, [index], "IndexError", f"{text}, at {here()}")

    def insert(self, key: Any, value: Any) -> None:
        item_views.move(self.origins)
        size = self.size()
        if isinstance(key, int) and key == 0:
            place: Any = convert(0)
        else:
            place = clipped(place_of(key, size), convert(0), size)
        self.append(value)
        self.arrays = self._taken(concat([range_(place), [size], range_(place, size)], 0)).arrays

    def pop(self, key: Any = -1) -> Any:
        self._known("popped from")
        size = self.size()
        last = isinstance(key, int) and key == -1
        text = f"pop from empty list, at {here()}"
        self.arrays = require(size > 0, self.arrays, "IndexError", text)
        (index,) = (size - 1,) if last else self._checked(key, "pop index out of range")
        value = self.made(index)
        if not item_views.may_be_known(self.origins, last):
            given.forget(value)
        item_views.move(self.origins)
        if last:
            self.arrays = tuple([array_cut(a, index) for a in self.arrays])
        else:
            self._drop(index, index + 1)
        return value

    def _drop(self, start: Tensor, stop: Tensor) -> None:
        item_views.move(self.origins)
        kept = concat([range_(start), range_(stop, self.size())], 0)
        self.arrays = self._taken(kept).arrays

    def __delitem__(self, key: Any) -> None:
        if not isinstance(key, slice):
            self._known("changed")
            (index,) = self._checked(key, "list assignment index out of range")
            self._drop(index, index + 1)
        elif key.step in (None, 1):
            start, stop, _ = bounds_of(key, self.size())
            self._drop(start, where(stop < start, start, stop))
        else:
            raise ListItemError(f"'del' of a slice with a step is not supported, at {here()}")

    def remove(self, value: Any) -> None:
        searching["remove"](self, value)

    def index(self, value: Any, *bounds: Any) -> Any:
        return searching["index"](self, value, *bounds)

    def count(self, value: Any) -> Any:
        return searching["count"](self, value)

    def sort(self, *, key: Any = None, reverse: Any = False) -> None:
        searching["sort"](self, key=key, reverse=reverse)

    def clear(self) -> None:
        item_views.move(self.origins)
        self.arrays = tuple([array_cut(a, convert(0)) for a in self.arrays])

    def reverse(self) -> None:
        item_views.move(self.origins)
        self.arrays = self._taken(range_(self.size() - 1, -1, -1)).arrays

    # --- what a list can do but the graph can't at this point -------------------------

    def __len__(self) -> int:
        raise no_value("The length")

    def __iter__(self) -> Iterator[Any]:
        raise no_value("The items")

    def __lt__(self, other: Any) -> Any:
        return searching["<"](self, other)

    def __le__(self, other: Any) -> Any:
        return searching["<="](self, other)

    def __gt__(self, other: Any) -> Any:
        return searching[">"](self, other)

    def __ge__(self, other: Any) -> Any:
        return searching[">="](self, other)

    def __bool__(self) -> bool:
        raise no_value("The truth value")

    def __contains__(self, value: object) -> bool:
        raise no_value("Whether something is in it")

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StagedList) and self.item == other.item:
            pairs = zip(self.arrays, other.arrays, strict=True)
            if all(a is b for a, b in pairs):
                return True
        raise no_value("Whether it equals another list")

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        items = "?" if self.item is None else ", ".join([f"{s}" for s in self.item.specs])
        return f"<list of {items}, of a length that the run tells>"


def rows_as_list(x: Tensor) -> StagedList:
    """The rows of a tensor."""
    rows = array_unstack(x)
    row = rows.spec.element
    return StagedList(Item(Slot(0), None, (row,), (False,)), [rows])


def stage(x: list[Any] | deque[Any] | StagedList) -> StagedList:
    """Let the graph hold the items of a Python list or deque, from now on. What this gives is of
    its own: copies that Python has made of `x` do not change with it.
    """
    if isinstance(x, StagedList):
        return x
    known = staged_in(x)
    found: StagedList = StagedList.of(list(x)) if known is None else known.copy()
    if isinstance(x, deque):
        x.clear()
        x.append(Inside(found))
    else:
        list.__setitem__(x, slice(None), [Inside(found)])
    return found
