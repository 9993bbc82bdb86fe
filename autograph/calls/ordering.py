"""`max`, `min` and `sorted`, where the keys may be tensors."""

from __future__ import annotations

import builtins
import functools
import operator
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert, is_tracing
from treadle.graph.dtypes import string
from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location
from treadle.graph.ops.array_tensors import array_stack
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import where
from treadle.graph.ops.cumulative import cumsum
from treadle.graph.ops.define import constant_of
from treadle.graph.ops.effects import require
from treadle.graph.ops.filling import zeros
from treadle.graph.ops.gathering import gather
from treadle.graph.ops.joining import concat
from treadle.graph.ops.logic import logical_and
from treadle.graph.ops.queries import shape as shape_of
from treadle.graph.ops.sorting import argsort
from treadle.graph.ops.statistics import argmax, argmin

from ..changes.rebuilt import is_mutable
from ..control.choice import Choice, operate, picked
from ..control.conditionals import if_exp
from ..control.logic import and_, or_
from ..iteration.streams import Each, of_one
from ..values.inside import staged_in
from ..values.optional import Optional, Source, settled, taken
from ..values.place import user_line
from ..values.special import comparing, is_of_users
from ..values.staged_list import StagedList
from ..values.state import Slot, of_python
from ..values.truth import condition, not_, staged
from .calls import call
from .collecting import any_order, listed
from .equality import compared_in_graph, first_difference, is_held
from .keys import Keyed

_ABSENT = object()


def max_(*args: Any, key: Any = None, default: Any = _ABSENT) -> Any:
    """`max(...)`."""
    return _extreme("max", args, key, default)


def min_(*args: Any, key: Any = None, default: Any = _ABSENT) -> Any:
    """`min(...)`."""
    return _extreme("min", args, key, default)


def _extreme(name: str, args: Sequence[Any], key: Any, default: Any) -> Any:
    key = None if key is None else _key(key)
    given = {} if default is _ABSENT else {"default": default}
    if not is_tracing() or not args:
        return getattr(builtins, name)(*args, key=key, **given)
    items: Any = args
    if len(args) == 1:
        if isinstance(args[0], Value) and args[0].shape.rank == 1 and key is None:
            return _of_stack(name, args[0], args[0], default)
        items = listed(any_order(args[0]) if key is None else args[0])
        if isinstance(items, StagedList):
            keys = _ranks(_keys(items, key)) if items.arrays else convert(0.0)
            return _of_stack(name, items, keys, default)
    if not items:
        return getattr(builtins, name)(items, key=key, **given)
    better = _greater if name == "max" else less
    best, mark = items[0], items[0] if key is None else key(items[0])
    for item in items[1:]:
        value = item if key is None else key(item)
        won = better(value, mark)
        if staged(won):
            best, mark = _chosen(won, item, best), _chosen(won, value, mark)
        elif won:
            best, mark = item, value
    return best


def _key(function: Any) -> Any:
    """What to call for the key of an item: `d.get` is asked for what there is."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, dict) and function.__name__ == "get" and is_tracing():
        return Keyed(owner).__getitem__
    return call(function)


def _greater(a: Any, b: Any) -> Any:
    """`a > b`, by which `max` goes, too."""
    return _is_before(b, a) if _is_by_parts(a, b, "__gt__") else a > b


def less(a: Any, b: Any) -> Any:
    """`a < b`, of tuples part by part where a part is a tensor."""
    return _is_before(a, b) if _is_by_parts(a, b, "__lt__") else a < b


def _is_by_parts(a: Any, b: Any, name: str) -> bool:
    """True for tuples and lists of tensors that have Python's own order, and for held lists."""
    if is_held(a) or is_held(b):
        return True
    return _has_parts(a, name) and _has_parts(b, name) and (is_of_run(a) or is_of_run(b))


def _has_parts(x: Any, name: str = "__lt__") -> bool:
    """True for tuples (named ones, too) and lists whose class has no order of its own."""
    kind = next((k for k in (tuple, list) if isinstance(x, k)), None)
    return kind is not None and getattr(type(x), name) is getattr(kind, name)


def _is_before(a: Any, b: Any) -> Any:
    """`a < b`: the first parts that differ tell."""
    if is_held(a) or is_held(b):
        return _less_lists(StagedList.of(a), StagedList.of(b))
    if not (a and b):
        return len(a) < len(b)
    return or_(less(a[0], b[0]), lambda: and_(_equal(a[0], b[0]), lambda: less(a[1:], b[1:])))


def _less_lists(a: StagedList, b: StagedList) -> Any:
    """`a < b` of lists of which the graph holds one: the first items that differ tell."""
    if not (a.arrays and b.arrays):
        return a.size() < b.size()
    place = first_difference(a, b)
    within = (place < a.size()) & (place < b.size())
    return if_exp(within, lambda: less(a[place], b[place]), lambda: a.size() < b.size())


def _equal(a: Any, b: Any) -> Any:
    """`a == b`, of tuples, lists and dicts part by part where a part is a tensor."""
    if a is b:
        return True
    if is_held(a) or is_held(b):
        return compared_in_graph(a, "==", b)
    if not (is_of_run(a) or is_of_run(b)):
        return a == b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and _equal([a[k] for k in a], [b[k] for k in a])
    if not (isinstance(a, (tuple, list)) and isinstance(b, (tuple, list))):
        return a == b
    alike = isinstance(a, list) is isinstance(b, list) and len(a) == len(b)
    return alike and (not a or and_(_equal(a[0], b[0]), lambda: _equal(a[1:], b[1:])))


_COMPARISONS: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "==": (operator.eq, _equal),
    "!=": (operator.ne, lambda a, b: not_(_equal(a, b))),
    "<": (operator.lt, _is_before),
    ">": (operator.gt, lambda a, b: _is_before(b, a)),
    "<=": (operator.le, lambda a, b: not_(_is_before(b, a))),
    ">=": (operator.ge, lambda a, b: not_(_is_before(a, b))),
}


_OF_ORDER = {"<": "__lt__", ">": "__gt__", "<=": "__le__", ">=": "__ge__"}
_LISTS = (list, deque, StagedList)


def _itself(value: Any) -> Any:
    return value


def _of_optional(a: Any, sign: str, b: Any) -> Any:
    """The comparison of what may be None, where its value has parts; None for others."""
    a, b = settled(a), settled(b)
    held = [x._value if isinstance(x, Optional) else x for x in (a, b)]
    if not all(isinstance(x, _OF_PARTS) for x in held):
        return None
    if sign not in ("==", "!="):
        return compared(taken(a), sign, taken(b))
    present = [x._present for x in (a, b) if isinstance(x, Optional)]
    if not present:
        return compared(a, sign, b)
    rest = [functools.partial(_itself, p) for p in present[1:]]
    found = and_(present[0], *rest, lambda: compared(held[0], "==", held[1]))
    return found if sign == "==" else not_(found)


_OF_PARTS = (tuple, list, dict)


def compared(a: Any, sign: str, b: Any) -> Any:
    """`a < b` and the like, of tuples, lists or dicts."""
    if isinstance(a, Optional) or isinstance(b, Optional):
        found = _of_optional(a, sign, b)
        if found is not None:
            return found
    if is_held(a) or is_held(b):
        if sign in _OF_ORDER and is_tracing() and all(isinstance(x, _LISTS) for x in (a, b)):
            return _COMPARISONS[sign][1](a, b)
        return compared_in_graph(a, sign, b) if is_tracing() else _COMPARISONS[sign][0](a, b)
    plain, by_parts = _COMPARISONS[sign]
    if sign in _OF_ORDER:
        by_order = is_tracing() and _is_by_parts(a, b, _OF_ORDER[sign])
        return by_parts(a, b) if by_order else plain(a, b)
    both = isinstance(a, _OF_PARTS) and isinstance(b, _OF_PARTS)
    symbolic = both and is_tracing() and (is_of_run(a) or is_of_run(b))
    return by_parts(a, b) if symbolic else plain(a, b)


def _chosen(test: Any, a: Any, b: Any) -> Any:
    test = condition(test)
    scalars = [v for v in (a, b) if isinstance(v, Tensor) and v.shape.rank == 0]
    numbers = [v for v in (a, b) if of_python(v)]
    if scalars and all(isinstance(v, (Tensor, int, float)) for v in (a, b)) and len(numbers) < 2:
        return where(test, a, b)
    return if_exp(test, lambda: a, lambda: b)


def _of_stack(name: str, items: Any, keys: Tensor, default: Any) -> Any:
    """The item with the largest or smallest of `keys`, the first one of several."""
    size = shape_of(keys)[0] if isinstance(items, Value) else items.size()
    numbers = weak.is_weak(items)  # a range() of Python's

    def best() -> Any:
        place = (argmax if name == "max" else argmin)(keys, 0)
        if not isinstance(items, Value):
            return items[place]
        return weak.mark(gather(items, place)) if numbers else gather(items, place)

    known = constant_of(size) if isinstance(size, Tensor) else size
    if known is not None and int(known) > 0:
        return best()
    if default is not _ABSENT:
        return if_exp(size > 0, best, lambda: default)
    text = f"{name}() arg is an empty sequence, at {describe(user_location(2))}"
    if isinstance(items, Value):
        (items,) = require(size > 0, [items], "ValueError", text)
    else:
        items = StagedList(items.item, require(size > 0, items.arrays, "ValueError", text))
    return best()


def _keys(items: Any, key: Any) -> Any:
    return items if key is None else listed(Each(items, of_one(key), (), False))


def order_of(items: Any, key: Any, reverse: Any) -> Tensor:
    """The places of the items of a list that the graph holds, in their order."""
    key = None if key is None else _key(key)
    return _order(_keys(staged_in(items) if key is None else items, key), reverse)


def sorted_(iterable: Any, /, *, key: Any = None, reverse: Any = False) -> Any:
    """`sorted(...)`: a new list."""
    key = None if key is None else _key(key)
    if not is_tracing():
        return sorted(iterable, key=key, reverse=reverse)
    if type(iterable) is Choice:
        return operate(functools.partial(sorted_, key=key, reverse=reverse), iterable)
    items = listed(any_order(iterable) if key is None else iterable)
    if isinstance(items, StagedList):
        return items.taken(_order(_keys(items, key), reverse)) if items.arrays else items
    keys = items if key is None else [key(v) for v in items]
    if any(map(_has_own_order, keys)):
        return _by_comparisons(items, keys, reverse)
    if not any(map(_is_symbolic, keys)):
        order = sorted(range(len(items)), key=keys.__getitem__, reverse=reverse)
        return [items[i] for i in order]
    places = _order(keys, reverse)
    if len(items) <= _MOST_CHOSEN and any(map(is_mutable, items)):
        return _at_places(items, places)
    ranked = StagedList.of(items)
    return [ranked.read(places[i]) for i in range(len(items))]


def _by_comparisons(items: Sequence[Any], keys: Sequence[Any], reverse: Any) -> list[Any]:
    """The items in the order that the `<` of their keys gives, whatever it is; stable."""
    ranks: list[Any] = [0] * len(keys)
    for i, later in enumerate(keys):
        for j, earlier in enumerate(keys[:i]):
            found = less(earlier, later) if reverse else less(later, earlier)
            moved = condition(found) if staged(found) else bool(found)
            if isinstance(moved, bool):
                ranks[j if moved else i] += 1
            else:
                ranks[i] = ranks[i] + cast(~moved, "int32")
                ranks[j] = ranks[j] + cast(moved, "int32")
    if all(isinstance(r, int) for r in ranks):
        return [items[ranks.index(place)] for place in range(len(items))]
    return _at_places(items, cast(argsort(convert(ranks)), "int32"))


def _has_own_order(key: Any) -> bool:
    """True for what only its own `<` can order, and for tuples with such a part."""
    if _has_parts(key):
        return any(map(_has_own_order, key))
    return is_of_users(key) or (type(key) is Choice and not key.tl_is_text)


_MOST_CHOSEN = 16


def _at_places(items: Sequence[Any], places: Tensor) -> list[Any]:
    """The items themselves, which may change later."""
    source = Source("", f"sorted() at {user_line()}")
    return [picked(places[i], list(items), source) for i in range(len(items))]


def _is_symbolic(key: Any) -> bool:
    if isinstance(key, (tuple, list)):
        return any(map(_is_symbolic, key))
    return isinstance(key, Tensor) or type(key) is Choice


def is_of_run(x: Any) -> bool:
    """True for what may give a tensor where it, or what is in it, is compared."""
    if is_held(x):
        return True
    if isinstance(x, (tuple, list)):
        return any(map(is_of_run, x))
    if isinstance(x, dict):
        return any(map(is_of_run, dict.values(x)))
    return isinstance(x, (Tensor, Choice, Optional)) or is_of_users(x)


def _order(keys: Any, reverse: Any) -> Tensor:
    """The places of the items in their order; keys that are tuples count part by part."""
    direction = "DESCENDING" if reverse else "ASCENDING"
    columns = _columns(keys)
    order = None
    for column in reversed(columns):
        if order is None:
            order = argsort(column, 0, direction, stable=True)
        else:
            order = gather(order, argsort(gather(column, order), 0, direction, stable=True))
    assert order is not None
    return order


def _ranks(keys: Any) -> Tensor:
    """A tensor that orders the items as their keys do."""
    columns = _columns(keys)
    if len(columns) == 1 and columns[0].dtype is not string:
        return columns[0]
    order = _order(keys, False)
    same: list[Any] = [gather(c, order[1:]) == gather(c, order[:-1]) for c in columns]
    steps = cast(~functools.reduce(logical_and, same), "int32")
    ranks = concat([zeros([1], "int32"), cumsum(steps)], 0)
    found: Tensor = gather(ranks, argsort(order))
    return found


def _columns(keys: Any) -> list[Tensor]:
    """One tensor for each part of the keys, the first one counts most."""
    if isinstance(keys, StagedList):
        item = keys.item
        if item is None or isinstance(item.plan, Slot):
            return [convert(keys)]
        return [array_stack(a) for a in keys.arrays]
    if not isinstance(keys[0], (tuple, list)):
        return [_column(keys)]
    if len({len(k) for k in keys}) > 1:
        raise ConversionError(
            f"keys of different lengths are compared at {describe(user_location(2))}, which hold "
            "tensors; give them one length"
        )
    parts = [[k[i] for k in keys] for i in range(len(keys[0]))]
    return [c for part in parts for c in _columns(part)]


def _column(keys: Sequence[Any]) -> Tensor:
    """Keys that are no tuples; what Python can compare counts by its rank."""
    if any(map(_is_symbolic, keys)) or all(isinstance(k, (bool, int)) for k in keys):
        return convert(list(keys))
    ranks: list[Any] = []
    for k in sorted(keys):
        if not ranks or ranks[-1] != k:
            ranks.append(k)
    return convert([ranks.index(k) for k in keys])


comparing[:] = [compared]
