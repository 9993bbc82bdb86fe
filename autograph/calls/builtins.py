"""Python's builtins on symbolic tensors, staged lists and streams.

Each gives what Python gives on the values, or a tensor of it: `int(x)` is a cast, `len(x)` the size
that the run finds. What holds nothing symbolic goes to the builtin itself.
"""

from __future__ import annotations

import functools
import operator
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, KeysView, Sequence
from typing import Any

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import convert, is_tracing
from treadle.graph.dtypes import float64, int64
from treadle.graph.errors import ConversionError
from treadle.graph.location import describe, user_location
from treadle.graph.ops.axes import identity
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import equal, not_equal, where
from treadle.graph.ops.division import floordiv, floormod
from treadle.graph.ops.logic import logical_not
from treadle.graph.ops.queries import shape as shape_of
from treadle.graph.ops.reductions import reduce_all, reduce_any, reduce_sum
from treadle.graph.ops.rounding import rint
from treadle.graph.ops.texts import text_method

from ..control.choice import Choice, operate
from ..control.logic import and_, or_
from ..iteration.advancing import next_
from ..iteration.sequence_iterators import SequenceIterator, once
from ..iteration.stream import Indexed, Loop, Stream
from ..iteration.streams import (
    Each,
    Live,
    Once,
    backwards,
    enumerated,
    go_over,
    in_groups,
    is_asked,
    is_staged,
    live,
    of_one,
    site_of,
    stream_of,
    zipped,
)
from ..policy import replaced
from ..values.inside import staged_in, table_in
from ..values.optional import taken
from ..values.place import loop_site
from ..values.special import is_of_users, method
from ..values.staged_list import StagedList
from ..values.truth import condition, not_, staged
from . import keys
from .asking import QUESTIONS
from .calls import call
from .changing import delete_attribute, set_attribute
from .collecting import any_order, list_, listed, set_, tuple_
from .formatting import repr_, str_
from .indexing import items
from .list_searching import count, index, matches
from .math_functions import FUNCTIONS, OF_NUMBERS, of_numbers, on_symbols, whole
from .ordering import compared, max_, min_, sorted_
from .records import RECORDS
from .texts import is_of_run

_ABSENT = object()


def _any_staged(values: Iterable[Any]) -> bool:
    return any(is_staged(v) for v in values)


# --- sizes and truth ---------------------------------------------------------------------


def len_(x: Any) -> Any:
    """`len(x)`."""
    x = taken(x)
    if is_of_run(x):
        return text_method("len", x)
    if isinstance(x, Value):
        shape = x.shape
        if shape.rank == 0:
            raise TypeError("a scalar tensor has no len()")
        size = None if shape.rank is None else shape[0]
        return weak.mark(shape_of(x)[0]) if size is None else size
    if type(x) is Choice:
        return operate(len_, x)
    own = method(x, "__len__")
    if own is not None:
        return own()
    x = live(x)
    known = staged_in(x.now() if isinstance(x, Live) else x)
    if known is not None:
        return _number(known.size())
    table = table_in(x)
    return len(x) if table is None else table.size()


def _number(x: Any, dtype: Any = None) -> Any:
    """A tensor as the number that Python would have."""
    if not isinstance(x, Value):
        return x
    return weak.mark(identity(x) if dtype is None or x.dtype is dtype else cast(x, dtype))


def bool_(*args: Any, **kwargs: Any) -> Any:
    """`bool(x)`."""
    known = staged_in(args[0]) if args else None
    if known is not None:
        return _number(condition(known))
    if args and staged(args[0]):
        return _number(condition(*args, **kwargs))
    return bool(*args, **kwargs)


def int_(*args: Any, **kwargs: Any) -> Any:
    """`int(x)`: the whole part of a symbolic tensor."""
    args = tuple(map(taken, args))
    if args and type(args[0]) is Choice:
        return operate(functools.partial(int_, **kwargs), *args)
    if args and is_of_run(args[0]):
        return text_method("int", *args, **kwargs)
    if len(args) == 1 and isinstance(args[0], Value):
        x = args[0]
        return _number(x) if x.dtype.is_integer else whole(x)
    return int(*args, **kwargs)


def float_(*args: Any) -> Any:
    """`float(x)`: a symbolic tensor as a number of 64 bits."""
    args = tuple(map(taken, args))
    if args and type(args[0]) is Choice:
        return operate(float_, *args)
    if args and is_of_run(args[0]):
        return text_method("float", *args)
    if len(args) == 1 and isinstance(args[0], Value):
        return _number(args[0], float64)
    own = method(args[0], "__float__") if args else None
    return float(*args) if own is None else own()


def ord_(x: Any, /) -> Any:
    """`ord(x)`"""
    return text_method("ord", x) if is_of_run(x) else ord(x)


def chr_(x: Any, /) -> Any:
    """`chr(x)`"""
    return text_method("chr", x) if isinstance(x, Value) else chr(x)


_round = of_numbers(round)


def round_(*args: Any, **kwargs: Any) -> Any:
    """`round(x)`, half to even."""
    if args and isinstance(args[0], Value):
        return _rounded(*args, **kwargs)
    return _round(*args, **kwargs)


def _rounded(x: Value, ndigits: Any = None) -> Any:
    if isinstance(ndigits, Value):
        return _round(x, ndigits)
    if ndigits is None or ndigits == 0:
        return x if x.dtype.is_integer else rint(x)
    if not x.dtype.is_integer:
        scale = 10.0**ndigits
        return rint(x * scale) / scale
    return x if ndigits > 0 else _to_tens(x, 10**-ndigits)


def _to_tens(x: Value, unit: int) -> Any:
    """An integer as a multiple of `unit`, the even one of two that are as near."""
    number, rest = floordiv(x, unit), floormod(x, unit)
    even = equal(floormod(number, 2), 0)
    up = where(equal(rest * 2, unit), ~even, rest * 2 > unit)
    found: Any = (number + cast(up, x.dtype)) * unit
    return weak.mark(found) if weak.is_python(x) else found


def divmod_(x: Any, y: Any) -> Any:
    """`divmod(x, y)`."""
    if isinstance(x, Value) or isinstance(y, Value):
        return floordiv(x, y), floormod(x, y)
    return divmod(x, y)


def in_(value: Any, within: Any) -> Any:
    """`value in within`."""
    if not is_tracing():
        return value in within
    within = live(taken(within))
    if is_of_run(within) or (isinstance(within, str) and is_of_run(value)):
        return text_method("in", within, value)
    if isinstance(within, Value):
        if within.shape.rank == 0:
            raise TypeError("a scalar tensor has no items, of which 'in' could ask")
        return reduce_any(equal(within, value))
    if type(within) is Choice or (type(value) is Choice and not isinstance(within, (dict, set))):
        return operate(in_, value, within)
    own = method(within, "__contains__")
    if own is not None:
        found = own(value)
        return condition(found) if staged(found) else bool(found)
    if _is_searched(within):
        if is_staged(within):
            return any_(Each(within, lambda v: v == value, (), False))
        return _disjunction(v is value or compared(v, "==", value) for v in within)
    if isinstance(within, (dict, set, frozenset, KeysView)) and (
        keys.is_unknown(value) or table_in(within) is not None
    ):
        return keys.contains(within, value)
    known = staged_in(within)
    if known is not None:
        return reduce_any(matches(known, value)) if known.arrays else False
    if isinstance(within, Stream) or is_asked(within):
        return any_(Each(within, lambda v: v == value, (), False))
    if isinstance(within, (list, tuple, range, deque)) and (
        isinstance(value, Value) or not _are_plain(value, *within)
    ):
        return _disjunction(v is value or compared(v, "==", value) for v in within)
    return value in within


def _is_searched(x: Any) -> bool:
    """True for an object of the user's that Python goes over to find an item."""
    given = Sequence.__contains__
    return is_of_users(x) and getattr(type(x), "__contains__", given) is given


_PLAIN = frozenset([bool, int, float, complex, str, bytes, type(None)])


def _are_plain(*values: Any) -> bool:
    return _PLAIN.issuperset(map(type, values))


def not_in(value: Any, within: Any) -> Any:
    """`value not in within`."""
    found = in_(value, within)
    return logical_not(condition(found)) if staged(found) else not found


# --- going over items --------------------------------------------------------------------


def enumerate_(iterable: Any, start: Any = 0) -> Any:
    if not is_staged(iterable):
        return enumerate(iterable, start)
    return once(enumerated(iterable, start))


def zip_(*iterables: Any, strict: bool = False) -> Any:
    """`zip(...)`."""
    if iterables and is_tracing() and all(hasattr(type(x), "__tl_zip__") for x in iterables):
        return iterables[0].__tl_zip__(iterables[1:])
    if not _any_staged(iterables):
        return zip(*iterables, strict=strict)
    first, count = iterables[0], len(iterables)
    one = isinstance(first, (Once, SequenceIterator)) and all(i is first for i in iterables)
    if one and count > 1:
        return once(in_groups(listed(first), count))
    if not all(map(is_staged, iterables)) and all(map(_has_known_size, iterables)):
        return zip(*[_in_python(i) for i in iterables], strict=strict)
    return once(zipped([_with_places(i) for i in iterables], strict))


def _in_python(x: Any) -> Any:
    """A stream of a known number of items as what Python can go over."""
    return x if isinstance(x, Tensor) else stream_of(x) or x


def _with_places(x: Any) -> Any:
    """A list of what has no items by place, unless it may have no end."""
    sized = isinstance(x, Collection) and not isinstance(x, (list, tuple, range, Tensor))
    return list(x) if sized and not is_staged(x) else listed(x) if _goes_once(x) else x


def _goes_once(x: Any) -> bool:
    """True for a stream whose items come one after the other only."""
    stream = stream_of(x)
    return stream is not None and not isinstance(stream, Indexed)


def _has_known_size(x: Any) -> bool:
    stream = stream_of(x)
    return stream is None or (isinstance(stream, Indexed) and stream.known is not None)


def reversed_(sequence: Any) -> Any:
    return once(backwards(sequence)) if is_staged(sequence) else reversed(sequence)


def iter_(*args: Any) -> Any:
    """`iter(x)`; of what the graph holds its place is state of the graph."""
    if len(args) > 1 or not is_tracing():
        return iter(*args)
    (x,) = args
    if isinstance(x, Stream) and x.goes_once:
        return x
    if isinstance(x, Live):
        return SequenceIterator(x.now())
    if table_in(x) is not None:
        return SequenceIterator(listed(x))
    if staged_in(x) is not None or (isinstance(x, Value) and not _has_known_size(x)):
        return SequenceIterator(x)
    return iter(x)


def map_(function: Any, *iterables: Any) -> Any:
    function = call(function)
    if not _any_staged(iterables):
        return map(function, *iterables)
    if len(iterables) == 1:
        return once(Each(iterables[0], of_one(function), (), False))
    return once(Each(zip_(*iterables), of_one(lambda items: function(*items)), (), False))


def filter_(function: Any, iterable: Any) -> Any:
    test = bool_ if function is None else call(function)
    if is_staged(iterable):
        return once(Each(iterable, lambda v: v, (of_one(test),), False))
    if is_tracing() and isinstance(iterable, (list, tuple)):
        return once(Each(iterable, lambda v: v, (of_one(test),), False))
    return filter(test, iterable)


# --- all items in one ------------------------------------------------------------------


def sum_(iterable: Any, /, start: Any = 0) -> Any:
    """`sum(iterable, start)`."""
    if not is_staged(iterable):
        return sum(iterable, start)
    iterable = any_order(iterable, whole=True)
    items: Any = iterable
    numbers = weak.is_weak(iterable)
    if not isinstance(iterable, Value):
        items = listed(iterable)
        if not isinstance(items, StagedList):
            return sum(items, start)
        if not items.arrays:
            return start
        numbers = items.item is not None and all(items.item.weak)
        items = convert(items)
    whole_numbers = numbers and (items.dtype.is_integer or items.dtype.is_bool)
    total = reduce_sum(cast(items, int64) if whole_numbers else items, 0)
    if numbers:
        weak.mark(total)
    return total if type(start) is int and start == 0 else start + total


def any_(iterable: Any, /) -> Any:
    """`any(iterable)`."""
    return _decided(iterable, True)


def all_(iterable: Any, /) -> Any:
    """`all(iterable)`."""
    return _decided(iterable, False)


def _decided(iterable: Any, stop: bool) -> Any:
    if isinstance(iterable, Value) and iterable.shape.rank == 1:
        truths = iterable if iterable.dtype.is_bool else not_equal(iterable, 0)
        return reduce_any(truths) if stop else reduce_all(truths)
    if not is_tracing():
        return any(iterable) if stop else all(iterable)
    if not is_staged(iterable) or (isinstance(iterable, Each) and not is_staged(_source(iterable))):
        values = _values(iterable, stop)
        return _disjunction(values) if stop else _conjunction(values)

    def step(item: Any, found: Any) -> Any:
        return condition(item) if staged(item) else bool(item)

    def go_on(found: Any) -> Any:
        return not_(found) if stop else found

    loop = Loop(site_of(iterable, step), ["the truth value"], go_on, relaxed=True)
    return go_over(iterable, step, [not stop], loop)[0]


def _values(iterable: Any, stop: bool) -> Iterator[Any]:
    """What is asked for its truth; one that a test leaves out decides nothing."""
    if not isinstance(iterable, Each) or isinstance(iterable.source, Each):
        yield from iterable
        return
    for args, held in iterable.candidates():
        make = _making(iterable, args, stop)
        if not staged(held):
            if held:
                yield make()
        else:
            yield and_(held, make) if stop else or_(not_(held), make)


def _making(each: Each, args: Sequence[Any], stop: bool) -> Callable[[], Any]:
    """What makes an item; of several ones, what is decided by them."""

    def make() -> Any:
        made = each.make(*args)
        return _decided(made, stop) if each.flat else made

    vars(make)["__tl_code__"] = each.make.__code__  # for its line
    return make


def _source(each: Each) -> Any:
    source = each.source
    while isinstance(source, Each):
        source = source.source
    return source


def _disjunction(values: Iterable[Any]) -> Any:
    """`any(values)` with short circuit, where a value may be a tensor."""
    rest = iter(values)
    for value in rest:
        if staged(value):
            return or_(condition(value), lambda: _disjunction(rest))
        if value:
            return True
    return False


def _conjunction(values: Iterable[Any]) -> Any:
    rest = iter(values)
    for value in rest:
        if staged(value):
            return and_(condition(value), lambda: _conjunction(rest))
        if not value:
            return False
    return True


def reduce(function: Any, iterable: Any, *initial: Any) -> Any:
    """`functools.reduce(...)`."""
    function = call(function)
    if not is_staged(iterable):
        return functools.reduce(function, iterable, *initial)
    if not initial:
        stream = stream_of(iterable)
        if isinstance(stream, Indexed) and stream.known:
            first, item = stream.item(convert(0)), stream.item
            iterable = Indexed(stream.known - 1, lambda i: item(i + 1))
            initial = (first,)
        else:
            raise ConversionError(
                f"functools.reduce() at {describe(user_location(2))} goes over items of a number "
                "that only the run tells; give it an initial value"
            )

    def step(item: Any, result: Any) -> Any:
        return function(result, item)

    return go_over(iterable, step, initial, Loop(loop_site(step), ["the result"]))[0]


def _of_held(function: Any, own: Any) -> Any:
    """`function` of items and a value; `own` is what it is of a list."""
    return lambda x, v: own(listed(x), v) if is_staged(x) else function(x, v)


BUILTINS: dict[Any, Any] = {
    next: next_,
    len: len_,
    bool: bool_,
    int: int_,
    float: float_,
    ord: ord_,
    chr: chr_,
    round: round_,
    divmod: divmod_,
    enumerate: enumerate_,
    zip: zip_,
    reversed: reversed_,
    map: map_,
    filter: filter_,
    list: list_,
    tuple: tuple_,
    set: set_,
    sum: sum_,
    any: any_,
    all: all_,
    max: max_,
    min: min_,
    sorted: sorted_,
    iter: iter_,
    str: str_,
    repr: repr_,
}
replaced.update({**BUILTINS, **QUESTIONS, **RECORDS})
replaced.update({f: of_numbers(f) for f in OF_NUMBERS if f not in replaced})
replaced.update({f: on_symbols(f) for f in FUNCTIONS})
replaced.update({functools.reduce: reduce, operator.contains: lambda x, v: in_(v, x)})
replaced.update({operator.not_: not_, operator.truth: bool_, operator.length_hint: len_})
replaced.update({operator.getitem: lambda x, key: items(x)[key]})
replaced.update({setattr: set_attribute, delattr: delete_attribute})
replaced[operator.countOf] = _of_held(operator.countOf, count)
replaced[operator.indexOf] = _of_held(operator.indexOf, index)
