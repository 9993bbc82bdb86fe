"""`heapq` and `bisect` on lists that the graph holds, or of what only the run knows.

What is written here is Python as a user might write it: it is converted, and never runs as it
stands. Heaps get their items in the order in which CPython's have them.
"""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Callable
from types import FunctionType
from typing import Any

from treadle.graph import Tensor
from treadle.graph.build import is_tracing

from ..changes.journal import is_watched
from ..iteration.streams import is_staged
from ..policy import replaced
from ..values.inside import staged_in
from .calls import call
from .changing import watched
from .ordering import less, sorted_


def _itself(item: Any) -> Any:
    return item


def _rise(heap: Any, start: Any, place: Any, of: Any) -> None:
    """Move the item at `place` up, as far as those above it, down from `start`, are larger."""
    item = heap[place]
    rising = True
    while rising and place > start:
        above = (place - 1) // 2
        parent = heap[above]
        if less(of(item), of(parent)):
            heap[place] = parent
            place = above
        else:
            rising = False
    heap[place] = item


def _sink(heap: Any, place: Any, of: Any) -> None:
    """Move the item at `place` down to a leaf, smaller ones up, and from there up again."""
    size = len(heap)
    start = place
    item = heap[place]
    child = 2 * place + 1
    while child < size:
        other = child + 1
        if other < size and not less(of(heap[child]), of(heap[other])):
            child = other
        heap[place] = heap[child]
        place = child
        child = 2 * place + 1
    heap[place] = item
    _rise(heap, start, place, of)


def _push(heap: Any, item: Any, of: Any = _itself) -> None:
    heap.append(item)
    _rise(heap, 0, len(heap) - 1, of)


def _pop(heap: Any, of: Any = _itself) -> Any:
    last = heap.pop()
    smallest = last
    if len(heap) > 0:
        smallest = heap[0]
        heap[0] = last
        _sink(heap, 0, of)
    return smallest


def _replace(heap: Any, item: Any, of: Any = _itself) -> Any:
    smallest = heap[0]
    heap[0] = item
    _sink(heap, 0, of)
    return smallest


def _push_pop(heap: Any, item: Any, of: Any = _itself) -> Any:
    result = item
    if len(heap) > 0:
        smallest = heap[0]
        if less(of(smallest), of(item)):
            result = smallest
            heap[0] = item
            _sink(heap, 0, of)
    return result


def _make_heap(heap: Any, of: Any = _itself) -> None:
    half = len(heap) // 2
    for i in range(half):
        _sink(heap, half - 1 - i, of)


def _with_numbers(function: Any, heap: Any, items: Any, more: int) -> Any:
    """`function` on a heap of objects, which the graph can't move: it moves their numbers."""
    known = [*heap, *items]
    size = len(heap)
    numbers = list(range(size))
    given = range(size, size + len(items))
    result = function(numbers, *given, of=lambda number: known[number])
    heap[:] = [known[numbers[i]] for i in range(size + more)]
    return None if result is None else known[result]


def _place_left(items: Any, item: Any, low: Any, high: Any, key: Any) -> Any:
    while low < high:
        middle = (low + high) // 2
        other = items[middle]
        if less(other if key is None else key(other), item):
            low = middle + 1
        else:
            high = middle
    return low


def _place_right(items: Any, item: Any, low: Any, high: Any, key: Any) -> Any:
    while low < high:
        middle = (low + high) // 2
        other = items[middle]
        if less(item, other if key is None else key(other)):
            high = middle
        else:
            low = middle + 1
    return low


def _insert(place: Any, items: Any, item: Any, low: Any, high: Any, key: Any) -> None:
    items.insert(place(items, item if key is None else key(item), low, high, key), item)


def _insert_number(place: Any, items: Any, item: Any, low: Any, high: Any, key: Any) -> None:
    """`_insert` of an object, which the graph can't move."""
    known = [*items, item]
    numbers = list(range(len(items)))
    at = place(items, item if key is None else key(item), low, high, key)
    numbers.insert(at, len(items))
    items[:] = [known[numbers[i]] for i in range(len(known))]


# --- where they take the place of Python's -------------------------------------------------


def _is_of_run(*values: Any) -> bool:
    """True if only the run may know the order of one of `values`, or of what is in it."""
    return is_tracing() and any(map(_asks_run, values))


def _asks_run(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return staged_in(x) is not None or any(map(_asks_run, x))
    return isinstance(x, Tensor) or _has_own_order(x)


def _has_own_order(x: Any) -> bool:
    return not isinstance(x, Tensor) and isinstance(getattr(type(x), "__lt__", None), FunctionType)


def _watched(plain: Callable[..., Any]) -> Any:
    return watched(plain) if is_watched() else plain


def _on_heap(
    plain: Callable[..., Any], function: Callable[..., Any], more: int = 0
) -> Callable[..., Any]:
    """`more`: how many more items the heap has then."""

    def called(heap: Any, *args: Any) -> Any:
        if not _is_of_run(heap, *args):
            return _watched(plain)(heap, *args)
        if staged_in(heap) is None and any(map(_has_own_order, (*heap, *args))):
            return call(_with_numbers)(function, heap, args, more)
        return call(function)(heap, *args)

    return called


def _searching(plain: Callable[..., Any], place: Callable[..., Any]) -> Callable[..., Any]:
    def called(a: Any, x: Any, lo: Any = 0, hi: Any = None, *, key: Any = None) -> Any:
        if not _is_of_run(a, x, lo, hi):
            return plain(a, x, lo, hi, key=None if key is None else call(key))
        return call(place)(a, x, lo, _size(a) if hi is None else hi, key)

    return called


def _inserting(plain: Callable[..., Any], place: Callable[..., Any]) -> Callable[..., Any]:
    def called(a: Any, x: Any, lo: Any = 0, hi: Any = None, *, key: Any = None) -> None:
        if not _is_of_run(a, x, lo, hi):
            _watched(plain)(a, x, lo, hi, key=None if key is None else call(key))
        else:
            objects = staged_in(a) is None and any(map(_has_own_order, (*a, x)))
            insert = _insert_number if objects else _insert
            call(insert)(place, a, x, lo, _size(a) if hi is None else hi, key)

    return called


def _size(items: Any) -> Any:
    return call(len)(items)


def _smallest(n: Any, iterable: Any, key: Any = None) -> Any:
    return _first(heapq.nsmallest, n, iterable, key, False)


def _largest(n: Any, iterable: Any, key: Any = None) -> Any:
    return _first(heapq.nlargest, n, iterable, key, True)


def _first(plain: Callable[..., Any], n: Any, iterable: Any, key: Any, reverse: bool) -> Any:
    """They are the first ones of all in their order, by definition."""
    if not is_tracing():
        return plain(n, iterable, key)
    kept = iterable if is_staged(iterable) or isinstance(iterable, list) else list(iterable)
    found = sorted_(kept, key=key, reverse=reverse)
    if isinstance(n, int):
        return found[: max(n, 0)]
    return call(_cut)(found, n)


def _cut(items: Any, n: Any) -> Any:
    return items[: max(n, 0)]


OWN = (
    *(_itself, _rise, _sink, _push, _pop, _replace, _push_pop, _make_heap, _with_numbers),
    *(_place_left, _place_right, _insert, _insert_number, _cut),
)
replaced.update(
    {
        heapq.heappush: _on_heap(heapq.heappush, _push, 1),
        heapq.heappop: _on_heap(heapq.heappop, _pop, -1),
        heapq.heapreplace: _on_heap(heapq.heapreplace, _replace),
        heapq.heappushpop: _on_heap(heapq.heappushpop, _push_pop),
        heapq.heapify: _on_heap(heapq.heapify, _make_heap),
        heapq.nsmallest: _smallest,
        heapq.nlargest: _largest,
        bisect.bisect_left: _searching(bisect.bisect_left, _place_left),
        bisect.bisect_right: _searching(bisect.bisect_right, _place_right),
        bisect.insort_left: _inserting(bisect.insort_left, _place_left),
        bisect.insort_right: _inserting(bisect.insort_right, _place_right),
    }
)
