"""Streams and cursors: what a dataset and an iterator are when a program runs.

A stream is lazy: each iteration over it starts anew. An element is a tuple of arrays, or of streams
where a dataset holds datasets.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from . import philox
from .convert import Array
from .errors import InvalidArgumentError, OutOfRangeError, ShapeError

Element = tuple[Any, ...]
INFINITE, UNKNOWN = -1, -2  # sizes of streams, as TensorFlow has them


class Stream:
    """What `start()` goes over, and how many elements these are (or INFINITE, UNKNOWN)."""

    __slots__ = ("_start", "size")

    def __init__(self, start: Callable[[], Iterator[Element]], size: int) -> None:
        self._start = start
        self.size = size

    def __iter__(self) -> Iterator[Element]:
        return iter(self._start())


class Cursor:
    """A place in an iteration over a stream. Looking for a next element computes it."""

    __slots__ = ("_elements", "_found", "_lock")

    def __init__(self, stream: Stream) -> None:
        self._elements: Iterator[Element] | None = iter(stream)
        self._found: Element | None = None
        self._lock = threading.Lock()

    def has_next(self) -> bool:
        with self._lock:
            return self._look() is not None

    def next(self) -> Element:
        """The next element; OutOfRangeError at the end."""
        with self._lock:
            found = self._look()
            self._found = None
        if found is None:
            raise OutOfRangeError("End of sequence: the iterator has no more elements")
        return found

    def _look(self) -> Element | None:
        if self._found is None and self._elements is not None:
            self._found = next(self._elements, None)
            if self._found is None:
                self._elements = None  # generators are closed, and an end stays one
        return self._found


def only(stream: Stream) -> Element:
    """The one element of a stream."""
    found = list(islice(stream, 2))
    if len(found) != 1:
        count = "more than one element" if found else "no element"
        raise InvalidArgumentError(f"the dataset has {count}; just one is needed")
    return found[0]


# --- sources -----------------------------------------------------------------------


def slices(arrays: Sequence[Array]) -> Stream:
    """The rows of `arrays`, side by side."""
    lengths = {len(a) for a in arrays}
    if len(lengths) > 1:
        shapes = " and ".join(str(a.shape) for a in arrays)
        raise ShapeError(f"all components need the same first size, the shapes are {shapes}")
    count = lengths.pop() if lengths else 0
    return Stream(lambda: (tuple([a[i, ...] for a in arrays]) for i in range(count)), count)


def counted(start: int, stop: int, step: int, dtype: Any) -> Stream:
    if step == 0:
        raise InvalidArgumentError("the step of a range must not be 0")
    numbers = range(start, stop, step)
    return Stream(lambda: ((np.asarray(i, dtype),) for i in numbers), len(numbers))


# --- several streams ---------------------------------------------------------------


def zipped(streams: Sequence[Stream]) -> Stream:
    sizes = [s.size for s in streams]
    if UNKNOWN in sizes:
        size = UNKNOWN
    else:
        size = min([n for n in sizes if n != INFINITE], default=INFINITE)
    return Stream(lambda: (sum(row, ()) for row in zip(*streams, strict=False)), size)


def concatenated(streams: Sequence[Stream]) -> Stream:
    sizes = [s.size for s in streams]
    special = INFINITE if INFINITE in sizes else UNKNOWN if UNKNOWN in sizes else None
    return Stream(lambda: chain(*streams), sum(sizes) if special is None else special)


Function = Callable[[Element], Element]


def mapped(source: Stream, function: Function) -> Stream:
    return Stream(lambda: map(function, source), source.size)


def filtered(source: Stream, function: Function) -> Stream:
    return Stream(lambda: (e for e in source if function(e)[0]), UNKNOWN)


def taken_while(source: Stream, function: Function) -> Stream:
    def start() -> Iterator[Element]:
        for element in source:
            if not function(element)[0]:
                return
            yield element

    return Stream(start, UNKNOWN)


def scanned(source: Stream, function: Function, state: Element) -> Stream:
    """`function(state + element)` gives the next state, then the element."""

    def start() -> Iterator[Element]:
        current = state
        for element in source:
            results = function((*current, *element))
            current = results[: len(state)]
            yield results[len(state) :]

    return Stream(start, source.size)


def flattened(source: Stream, function: Function) -> Stream:
    return Stream(lambda: (e for outer in source for e in function(outer)[0]), UNKNOWN)


def interleaved(source: Stream, function: Function, cycle: int, block: int) -> Stream:
    """`block` elements in turn from each of `cycle` streams; one that ends is replaced."""
    cycle, block = positive(cycle, "cycle_length"), positive(block, "block_length")

    def start() -> Iterator[Element]:
        inputs: Iterator[Element] | None = iter(source)
        places: list[Iterator[Element] | None] = [None] * cycle
        at = 0
        while inputs is not None or any(p is not None for p in places):
            if places[at] is None and inputs is not None:
                outer = next(inputs, None)
                if outer is None:
                    inputs = None
                    continue
                places[at] = iter(function(outer)[0])
            inner = places[at]
            if inner is not None:
                given = 0
                for element in islice(inner, block):
                    given += 1
                    yield element
                if given < block:
                    places[at] = None
            at = (at + 1) % cycle

    return Stream(start, UNKNOWN)


# --- grouping ----------------------------------------------------------------------


def batched(source: Stream, count: int, drop: bool, join: Callable[[Any], Any]) -> Stream:
    """`count` elements become one; `join` makes one array of those of a component."""
    count = positive(count, "batch_size")

    def start() -> Iterator[Element]:
        elements = iter(source)
        while rows := list(islice(elements, count)):
            if len(rows) < count and drop:
                return
            yield tuple([join(column) for column in enumerate(zip(*rows, strict=True))])

    size = source.size
    if size >= 0:
        size = size // count if drop else -(-size // count)
    return Stream(start, size)


def stacked(column: tuple[int, Sequence[Array]]) -> Array:
    number, items = column
    first = np.shape(items[0])
    for i, item in enumerate(items):
        if np.shape(item) != first:
            raise InvalidArgumentError(
                f"elements of different shapes can't be batched: component {number} has shape "
                f"{first} in the first element and {np.shape(item)} in element {i} of the batch; "
                "use padded_batch"
            )
    return np.stack(items)


def padded(
    column: tuple[int, Sequence[Array]],
    shapes: Sequence[Sequence[int | None] | None],
    values: Sequence[Array],
) -> Array:
    """The items of a component, filled up at their ends to `shapes`, or to the longest."""
    number, items = column
    wanted = shapes[number]
    longest = np.max([np.shape(v) for v in items], axis=0).tolist() if np.ndim(items[0]) else []
    sizes = [
        have if size is None else size
        for have, size in zip(longest, wanted or [None] * len(longest), strict=True)
    ]
    if any(have > size for have, size in zip(longest, sizes, strict=True)):
        raise InvalidArgumentError(
            f"component {number} has an element of sizes {longest}, which can't be padded to "
            f"{sizes}: it is longer"
        )
    out = np.full((len(items), *sizes), values[number], np.asarray(items[0]).dtype)
    for i, item in enumerate(items):
        place: tuple[Any, ...] = (i, *[slice(n) for n in np.shape(item)])
        out[place] = item
    return out


def unbatched(source: Stream, rows: int | None) -> Stream:
    """`rows`: how many each element has, where that is known."""
    size = source.size * rows if rows is not None and source.size >= 0 else UNKNOWN
    return Stream(lambda: (e for batch in source for e in slices(batch)), size)


def windows(source: Stream, count: int, shift: int, stride: int, drop: bool) -> Stream:
    """Streams of `count` elements, `stride` apart, that start `shift` after each other."""
    count, shift, stride = (
        positive(n, what) for n, what in ((count, "size"), (shift, "shift"), (stride, "stride"))
    )
    reach = (count - 1) * stride + 1

    def start() -> Iterator[Element]:
        elements = iter(source)
        held: deque[Element] = deque()
        while True:
            held.extend(islice(elements, reach - len(held)))
            if not held or (drop and len(held) < reach):
                return
            window = list(islice(held, 0, reach, stride))
            yield tuple([_column(window, i) for i in range(len(window[0]))])
            for _ in range(min(shift, len(held))):
                held.popleft()
            if shift > reach:
                deque(islice(elements, shift - reach), maxlen=0)

    size = source.size
    if size >= 0:
        size = max(0, (size - reach) // shift + 1) if drop else -(-size // shift)
    return Stream(start, size)


def _column(rows: list[Element], number: int) -> Stream:
    return Stream(lambda: ((row[number],) for row in rows), len(rows))


# --- order and number --------------------------------------------------------------


def taken(source: Stream, count: int) -> Stream:
    if count < 0:
        return source
    size = {INFINITE: count, UNKNOWN: UNKNOWN}.get(source.size, min(source.size, count))
    return Stream(lambda: islice(source, count), size)


def skipped(source: Stream, count: int) -> Stream:
    if count < 0:
        return Stream(lambda: iter(()), 0)
    size = max(source.size - count, 0) if source.size >= 0 else source.size
    return Stream(lambda: islice(source, count, None), size)


def sharded(source: Stream, count: int, index: int) -> Stream:
    if not 0 <= index < count:
        raise InvalidArgumentError(f"shard {index} of {count}: the index must be below the number")
    size = max(0, -(-(source.size - index) // count)) if source.size >= 0 else source.size
    return Stream(lambda: islice(source, index, None, count), size)


def repeated(source: Stream, count: int) -> Stream:
    """All over again, `count` times; without end where `count` is negative."""

    def start() -> Iterator[Element]:
        left = count
        while left:
            empty = True
            for element in source:
                empty = False
                yield element
            if empty and left < 0:
                return  # or it would never end
            left -= 1

    if source.size == 0 or count == 0:
        size = 0
    elif count < 0:
        size = INFINITE
    else:
        size = source.size * count if source.size >= 0 else source.size
    return Stream(start, size)


def numbered(source: Stream, first: int) -> Stream:
    def start() -> Iterator[Element]:
        for i, element in enumerate(source, first):
            yield (np.asarray(i, np.int64), *element)

    return Stream(start, source.size)


def cached(source: Stream) -> Stream:
    """What the first whole iteration gave, from then on."""
    kept: list[list[Element]] = []

    def start() -> Iterator[Element]:
        if kept:
            yield from kept[0]
            return
        found: list[Element] = []
        for element in source:
            found.append(element)
            yield element
        kept[:] = [found]

    return Stream(start, source.size)


class _Words:
    """32-bit random words in TensorFlow's order, from a key and the upper half of a counter."""

    def __init__(self, seeds: Sequence[int]) -> None:
        low, high = (int(s) & 0xFFFFFFFFFFFFFFFF for s in seeds)
        self._state = philox.state_of(low, high << 64)
        self._words: Iterator[int] = iter(())

    def __call__(self) -> int:
        word = next(self._words, None)
        if word is None:
            self._words = iter(philox.stream(np, self._state, 64).tolist())
            self._state = philox.advanced(self._state, 16)
            word = next(self._words)
        return word


def shuffled(source: Stream, buffer: int, seeds: Sequence[int], again: bool) -> Stream:
    """Each element from a random place of a buffer; TensorFlow's order for the same seeds.

    With `again` each iteration has an order of its own.
    """
    if buffer == 0 or buffer < -1:
        raise InvalidArgumentError(f"buffer_size must be greater than zero, it is {buffer}")
    draw = _Words(seeds)

    def start() -> Iterator[Element]:
        word = _Words([draw(), draw()] if again else seeds)
        return _shuffle(iter(source), buffer, word)

    return Stream(start, source.size)


def _shuffle(elements: Iterator[Element], buffer: int, word: _Words) -> Iterator[Element]:
    held = list(elements) if buffer == -1 else list(islice(elements, buffer))
    first, count = 0, len(held)  # the elements are in `count` places from `first` on, in a ring
    while count:
        index = (first + word() % count) % len(held)
        found, held[index] = held[index], held[first]
        yield found
        later = next(elements, None)
        if later is None:
            count -= 1
        else:
            held[first] = later
        first = (first + 1) % len(held)


def positive(number: int, what: str) -> int:
    if number < 1:
        raise InvalidArgumentError(f"{what} must be greater than zero, it is {number}")
    return number
