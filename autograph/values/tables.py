"""Dicts and sets whose keys only the run knows: the keys in a list, and the values in another one.

A dict or set becomes one where it gets a symbolic key, or other keys on one path of a branch than
on another. The object stays the same: a `Table` takes the place of its items.
"""

from __future__ import annotations

import functools
import weakref
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert, is_tracing
from treadle.graph.dtypes import float32, float64, int64, string
from treadle.graph.errors import ConversionError, ListItemError
from treadle.graph.ops.array_items import array_cut
from treadle.graph.ops.array_tensors import array_stack
from treadle.graph.ops.arrays import array_push, array_size, array_write
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import equal, where
from treadle.graph.ops.formatting import Text
from treadle.graph.ops.joining import concat
from treadle.graph.ops.logic import logical_and
from treadle.graph.ops.reductions import reduce_any, reduce_sum
from treadle.graph.ops.sequences import range_
from treadle.graph.spec import TensorSpec
from treadle.graph.symbolic_text import python_value

from .class_names import named
from .filling import Filling
from .inside import InTable, Mark, table_in
from .item_views import origins_of
from .list_items import Item, fitted, here, item_of, joined_item, objects_in, thawed
from .staged_list import StagedList
from .state import is_number_member

# Classes of dicts that the graph can hold; others run code of their own.
DICTS = (dict, defaultdict, Counter)


class Kept(set[Any]):
    """A set that converted code makes: its operators, see sets.py, know of Tables.

    Those of `set` itself ask nobody, so other sets never hold a Table.
    """

    __slots__ = ()
    __tl_name__ = "a set"

    def __repr__(self) -> str:
        return repr(set(self))

    def __reduce__(self) -> Any:
        return set, (list(self),)


@named
class Table(InTable):
    """The items of a dict, in their order, or of a set (then `values` is None). Never changed."""

    __slots__ = ("keys", "values")
    __tl_name__ = "a dict or set whose keys the run tells"

    def __init__(self, keys: StagedList, values: StagedList | None) -> None:
        super().__init__()
        self.keys = keys
        self.values = values

    @classmethod
    def of(cls, items: Any) -> Table:
        """That of a dict or set, or of what it holds."""
        known = table_in(items)
        if known is not None:
            found: Table = known
            return found
        keys = _listed(items)
        return cls(keys, _listed(items.values()) if isinstance(items, dict) else None)

    def covering(self, like: Sequence[Item | None]) -> Table:
        """This one, whose keys and values may be like those, too."""
        keys = StagedList.of(self.keys, like[0])
        values = None if self.values is None else StagedList.of(self.values, like[1])
        return Table(keys, values)

    @property
    def __tl_structure__(self) -> object:
        values = self.values
        return self.keys.__tl_structure__, None if values is None else (values.__tl_structure__,)

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        values = () if self.values is None else self.values.arrays
        return [*self.keys.arrays, *values], self._made

    def _made(self, new: Sequence[Any]) -> Any:
        count = len(self.keys.arrays)
        keys = StagedList(self.keys.item, new[:count])
        values = None if self.values is None else StagedList(self.values.item, new[count:])
        if new and hasattr(new[0], "_value"):  # the run is over
            return self._as_python(keys, values)
        if not (new or is_tracing()):
            return set() if values is None else {}
        return type(self)(keys, values)

    def _as_python(self, keys: StagedList, values: StagedList | None) -> Any:
        size = int(array_size(keys.arrays[0]))
        found = [_as_number(keys.read(i)) for i in range(size)]
        if values is None:
            return set(found)
        return {k: self._left(thawed(values.read(i)), values) for i, k in enumerate(found)}

    def _left(self, value: Any, values: StagedList) -> Any:
        """A value as it is left in an object: numbers of Python's stay such."""
        assert values.item is not None
        numbers = bool(values.item.weak) and all(values.item.weak)
        return _as_number(value) if numbers else value

    def __tl_leave__(self) -> Any:
        return Result(self.keys, self.values)

    def __tl_truth__(self) -> Tensor:
        found: Tensor = self.keys.size() > 0
        return found

    def size(self) -> Any:
        return weak.mark(self.keys.size()) if self.keys.arrays else 0

    # --- what a key finds -----------------------------------------------------------------

    def ordered(self) -> StagedList:
        """The keys of a dict, in their order."""
        if self.values is None:
            raise ConversionError(
                "the items of a set are known only when the function runs, and are gone over at "
                f"{here()}; they have no order then: use sorted(s), or a dict with these keys"
            )
        return self.keys.copy()

    def find(self, key: Any) -> tuple[Any, Tensor]:
        """Whether there is `key`, and its place (or 0)."""
        key = sought(key)
        if not is_key(key):
            return False, convert(0)
        found, leaves = _parts(key)
        item = self.keys.item
        if item is None or item.structure != found.structure:
            return False, convert(0)
        matches: Any = None
        for array, leaf, own, other in zip(
            self.keys.arrays, leaves, item.specs, found.specs, strict=True
        ):
            if (own.dtype is string) is not (other.dtype is string):
                return False, convert(0)
            column = _alike(array_stack(array), leaf)
            matches = column if matches is None else logical_and(matches, column)
        if matches is None:
            raise ListItemError(f"a key without a number or text is looked for at {here()}")
        places = where(matches, range_(self.keys.size()), convert(0))
        return reduce_any(matches), reduce_sum(places)

    def item(self, place: Any) -> Any:
        assert self.values is not None
        return self.values.read(place)

    # --- what it is after a change --------------------------------------------------------

    def storing(self, key: Any, value: Any = None) -> Table:
        keys = self.keys.copy()
        size = keys.size()
        _push(keys, key)
        present, place = self.find(key)
        after = size + where(present, convert(0), convert(1))
        _cut(keys, after)
        if self.values is None:
            return Table(keys, None)
        values = self.values.copy()
        new = _push(values, value)
        at = where(present, place, size)
        pairs = zip(values.arrays, new, strict=True)
        values.arrays = tuple([array_write(a, at, t, dynamic=False) for a, t in pairs])
        _cut(values, after)
        return Table(keys, values)

    def without(self, present: Any, place: Tensor) -> Table:
        """This one without the item at `place`, where `present` holds."""
        size = self.keys.size()
        at = where(present, place, size)
        kept = concat([range_(at), range_(at + 1, where(size > at, size, at + 1))], 0)
        values = None if self.values is None else self.values.taken(kept)
        return Table(self.keys.taken(kept), values)

    def pairs(self) -> StagedList:
        """The items of a dict as tuples."""
        keys, values = self.keys, self.values
        assert values is not None
        if keys.item is None or values.item is None:
            return StagedList(None, ())
        like = item_of((_sample(keys.item), _sample(values.item)))[0]
        specs = (*keys.item.specs, *values.item.specs)
        numbers = (*keys.item.weak, *values.item.weak)
        arrays = [*keys.arrays, *(values.arrays if values.item.specs else ())]
        found = Item(like.plan, like.structure, specs, numbers, like.origins)
        return StagedList(found, arrays)


class Result(Table):
    """One that leaves the function: its values are tensors."""

    __slots__ = ()
    __tl_leave__ = None  # type: ignore[assignment]

    def _left(self, value: Any, values: StagedList) -> Any:
        known = isinstance(value, Tensor) and values.item is not None and all(values.item.weak)
        return cast(value, float32) if known and value.dtype is float64 else value


def _sample(item: Item) -> Any:
    """A value like those of a list."""
    return item.plan.build([Filling(s) for s in item.specs])


def _parts(value: Any) -> tuple[Item, list[Any]]:
    """What a key or value is like, and its numbers and tensors. Python's floats have 64 bits."""
    found, leaves = item_of(value)
    pairs = zip(found.specs, leaves, strict=True)
    specs = [TensorSpec((), float64) if type(v) is float else s for s, v in pairs]
    return replace(found, specs=tuple(specs)), leaves


def _push(items: StagedList, value: Any) -> list[Tensor]:
    """Append `value`; its tensors."""
    origins_of(frozenset(), [v for _, v in objects_in(value)])
    found, leaves = _parts(value)
    items._become(joined_item(items.item, found))
    assert items.item is not None
    new = fitted(leaves, items.item)
    items.arrays = tuple([array_push(a, t) for a, t in zip(items.arrays, new, strict=True)])
    return new


def _listed(values: Iterable[Any]) -> StagedList:
    made = StagedList(None, ())
    for value in values:
        _push(made, value)
    return made


def _cut(items: StagedList, size: Any) -> None:
    items.arrays = tuple([array_cut(a, size) for a in items.arrays])


def _alike(column: Tensor, leaf: Any) -> Tensor:
    """For each key whether it is `leaf`."""
    found: Tensor
    if column.dtype is string:
        found = equal(column, convert(leaf))
        return found
    floats = column.dtype.is_floating or weak.kind_of(leaf) == "f"
    dtype = float64 if floats else int64
    other = cast(leaf, dtype) if isinstance(leaf, Value) else convert(leaf, dtype)
    found = equal(cast(column, dtype), other)
    return found


def _as_number(value: Any) -> Any:
    """A key or number of Python's."""
    if isinstance(value, tuple):
        return tuple(map(_as_number, value))
    known = isinstance(value, Tensor) and value.shape.rank == 0
    return python_value(value) if known else value


# --- what can be a key ------------------------------------------------------------------


def sought(key: Any) -> Any:
    """What equals a member of an enum that is looked for, and is a number or text."""
    if is_number_member(key):
        return key._value_
    return tuple(map(sought, key)) if type(key) is tuple else key


def is_key(key: Any) -> bool:
    """True for numbers and texts that the graph can tell apart, and tuples of them."""
    if type(key) is tuple:
        return bool(key) and all(map(is_key, key))
    if type(key) is Value:
        single = key.dtype.is_floating and key.dtype is not float64
        return weak.is_python(key) and not single
    if getattr(type(key), "__tl_chosen__", False):
        return bool(key.tl_is_text)
    return type(key) in (bool, int, float, str, Text)


def _is_value(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(_is_value, value))
    if getattr(type(value), "__tl_chosen__", False):
        return bool(value.tl_is_text)
    known = isinstance(value, (Tensor, np.generic)) or type(value) in (bool, int, float, str)
    return known or value is None or isinstance(value, Text)


def like(*items: Any) -> list[Item | None] | None:
    """What is like the keys, and the values, of all these dicts, sets, or what such ones hold; None
    if the graph can't hold them.
    """
    found: list[Item | None] = [None, None]
    try:
        for one in items:
            table = table_in(one)
            if table is not None:
                each = [table.keys.item], [] if table.values is None else [table.values.item]
            else:
                values = list(one.values()) if isinstance(one, dict) else []
                if not (all(map(is_key, one)) and all(map(_is_value, values))):
                    return None
                each = [_parts(k)[0] for k in one], [_parts(v)[0] for v in values]
            for i, parts in enumerate(each):
                found[i] = functools.reduce(joined_item, parts, found[i])
    except ListItemError:
        return None
    return found


def of_class(d: Any, table: Table) -> Any:
    """A dict of the class of `d` that holds `table`."""
    made = defaultdict(d.default_factory) if isinstance(d, defaultdict) else type(d)()
    hold(made, table)
    return made


def hold(owner: Any, table: Table) -> None:
    """Let a dict or set hold the items of `table`."""
    kind: Any = dict if isinstance(owner, dict) else set
    kind.clear(owner)
    if table.keys.item is None:
        return  # there never was any
    if kind is dict:
        dict.__setitem__(owner, Mark(), table)
    else:
        own = Table(table.keys, None)
        own.owner = weakref.ref(owner)
        set.add(owner, own)


def fits(found: Sequence[Item | None], key: Any, *value: Any) -> bool:
    """True if a table like that can get `key`, with `value`."""
    if not (is_key(key) and all(map(_is_value, value))):
        return False
    try:
        for known, part in zip(found, (key, *value), strict=False):
            joined_item(known, _parts(part)[0])
    except ListItemError:
        return False
    return True
