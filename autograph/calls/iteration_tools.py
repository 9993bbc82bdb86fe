"""Iterators of the user's classes, and functions of `itertools`, as generators that are converted.

What is written here is Python as a user might write it; it never runs as it stands.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, MethodType
from typing import Any

from treadle.graph.build import is_tracing

from .. import policy
from ..iteration import advancing
from ..iteration.generated import Generated
from ..iteration.stream import Stream
from ..iteration.streams import Once, is_staged
from ..policy import replaced
from .calls import call
from .collecting import listed
from .python_only import refuse_held


def asked(iterator: Any, following: Callable[[Any], Any]) -> Iterator[Any]:
    """The items that `following(iterator)` gives."""
    while True:
        try:
            item = following(iterator)
        except StopIteration:
            return
        yield item


_ASKED: Any = asked


def following_or(following: Callable[[], Any], default: Any) -> Any:
    """`next(iterator, default)`"""
    try:
        return following()
    except StopIteration:
        return default


def takewhile(predicate: Callable[[Any], Any], iterable: Iterable[Any]) -> Iterator[Any]:
    for item in iterable:
        if not predicate(item):
            return
        yield item


def dropwhile(predicate: Callable[[Any], Any], iterable: Iterable[Any]) -> Iterator[Any]:
    dropping = True
    for item in iterable:
        if dropping and not predicate(item):
            dropping = False
        if not dropping:
            yield item


def filterfalse(predicate: Callable[[Any], Any] | None, iterable: Iterable[Any]) -> Iterator[Any]:
    for item in iterable:
        if not (item if predicate is None else predicate(item)):
            yield item


def chain(*iterables: Iterable[Any]) -> Iterator[Any]:
    for iterable in iterables:
        yield from iterable


def chained(iterables: Iterable[Iterable[Any]]) -> Iterator[Any]:
    """`chain.from_iterable(iterables)`"""
    for iterable in iterables:
        yield from iterable


def starmap(function: Callable[..., Any], iterable: Iterable[Any]) -> Iterator[Any]:
    for item in iterable:
        yield function(*item)


def pairwise(iterable: Iterable[Any]) -> Iterator[Any]:
    before: Any
    is_first = True
    for item in iterable:
        if not is_first:
            yield before, item  # noqa: F821 - of the iteration before
        is_first = False
        before = item


def accumulate(
    iterable: Iterable[Any], function: Callable[..., Any], initial: Any = None
) -> Iterator[Any]:
    total = initial
    if initial is not None:
        yield total
    for item in iterable:
        total = item if total is None else function(total, item)
        yield total


def islice(
    iterable: Iterable[Any], start: Any = 0, stop: Any = None, step: Any = 1
) -> Iterator[Any]:
    for number, item in enumerate(iterable):
        if stop is not None and number >= stop:
            return
        if number >= start and (number - start) % step == 0:
            yield item


def compress(data: Iterable[Any], selectors: Iterable[Any]) -> Iterator[Any]:
    for item, selected in zip(data, selectors, strict=False):
        if selected:
            yield item


def groupby(iterable: Iterable[Any], key: Any) -> Iterator[Any]:
    """Each group is a list."""
    group: list[Any] = []
    current: Any
    has_group = False
    for item in iterable:
        found = item if key is None else key(item)
        if has_group and found == current:  # noqa: F821 - of the iteration before
            group.append(item)
        else:
            if has_group:
                yield current, group  # noqa: F821
            group = [item]
            current, has_group = found, True
    if has_group:
        yield current, group


# --- where they take the place of Python's -------------------------------------------------


def _plain(*args: Any) -> tuple[Any, ...]:
    return args


def _accumulated(iterable: Any, func: Any = None, *, initial: Any = None) -> tuple[Any, ...]:
    return iterable, operator.add if func is None else func, initial


def _sliced(iterable: Any, *bounds: Any) -> tuple[Any, ...]:
    return (iterable, 0, bounds[0]) if len(bounds) == 1 else (iterable, *bounds)


def _grouped(iterable: Any, key: Any = None) -> tuple[Any, ...]:
    return iterable, key


def _is_of_run(x: Any) -> bool:
    """True for items of which the run tells something."""
    return is_staged(x) or (isinstance(x, (list, tuple)) and any(map(is_staged, x)))


def _asks_of_run(original: Any, args: tuple[Any, ...]) -> bool:
    """True for what asks a function of the user's, which may give a tensor, about each item."""
    asking = original in (itertools.takewhile, itertools.dropwhile, itertools.filterfalse)
    return asking and len(args) == 2 and policy.may_need_conversion(args[0])


def _instead(original: Any, function: Any, arranged: Callable[..., tuple[Any, ...]]) -> Any:
    def called(*args: Any, **kwargs: Any) -> Any:
        if is_tracing() and (any(map(_is_of_run, args)) or _asks_of_run(original, args)):
            return Generated(function, True, arranged(*args, **kwargs), {})
        converted = [call(a) if callable(a) else a for a in args]
        return original(*converted, **kwargs)

    return called


replaced.update(
    {
        original: _instead(original, function, arranged)
        for original, function, arranged in (
            (itertools.takewhile, takewhile, _plain),
            (itertools.dropwhile, dropwhile, _plain),
            (itertools.filterfalse, filterfalse, _plain),
            (itertools.chain, chain, _plain),
            (itertools.chain.from_iterable, chained, _plain),
            (itertools.starmap, starmap, _plain),
            (itertools.pairwise, pairwise, _plain),
            (itertools.accumulate, accumulate, _accumulated),
            (itertools.islice, islice, _sliced),
            (itertools.compress, compress, _plain),
            (itertools.groupby, groupby, _grouped),
        )
    }
)


def _of_known(original: Any) -> Any:
    """A function of Python's that has to know the number of items."""

    def called(*args: Any, **kwargs: Any) -> Any:
        known = [listed(a) if is_tracing() and is_staged(a) else a for a in args]
        refuse_held(original.__name__, known)
        return original(*known, **kwargs)

    return called


replaced.update(
    {
        original: _of_known(original)
        for original in (
            *(itertools.product, itertools.permutations, itertools.combinations),
            *(itertools.combinations_with_replacement, itertools.zip_longest),
        )
    }
)


def _tee(iterable: Any, n: int = 2, /) -> tuple[Any, ...]:
    """`itertools.tee(...)`"""
    if not (is_tracing() and is_staged(iterable)):
        return itertools.tee(iterable, n)
    items = listed(iterable)
    return tuple([replaced[iter](items) for _ in range(n)])


replaced[itertools.tee] = _tee


def prod(iterable: Iterable[Any], start: Any) -> Any:
    product = start
    for item in iterable:
        product = product * item
    return product


def _prod(iterable: Any, /, *, start: Any = 1) -> Any:
    if not (is_tracing() and _is_of_run(iterable)):
        return math.prod(iterable, start=start)
    return call(prod, relaxed=True)(iterable, start)


replaced[math.prod] = _prod


def _advancing(iterator: Any) -> Callable[..., Any] | None:
    """`next` of an object of the user's, which is a call like any other; None for others."""
    own = _users(iterator, "__next__")
    if own is None:
        return None
    following = call(MethodType(own, iterator))

    def advance(*default: Any) -> Any:
        return call(following_or, relaxed=True)(following, *default) if default else following()

    return advance


advancing.objects.append(_advancing)


def of_class(x: Any) -> Stream | None:
    """How to go over an object whose class has the user's `__iter__`; None for others."""
    iterate = _users(x, "__iter__")
    if iterate is None:
        return None
    iterator = call(MethodType(iterate, x))()
    following = _users(iterator, "__next__")
    if following is not None:
        return Generated(_ASKED, True, (iterator, following), {})
    return iterator if isinstance(iterator, Stream) else Once(iterator)


def _users(x: Any, method: str) -> FunctionType | None:
    found = getattr(type(x), method, None)
    is_own = type(found) is FunctionType and not policy.is_library_function(found)
    return found if is_own else None
