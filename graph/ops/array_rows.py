"""Arrays whose items hold a batch of examples: what `vmap` makes of arrays.

The first axes of an item are the batch; an index or mask has just these axes. Arrays of examples
that left a loop at different trips differ in length: such an array is marked as ragged, and what
would have to know its length refuses it (`arrays.even`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..errors import IndexOutOfRangeError
from ..node import Tensor
from ..op import OPS, Op, batches, no_gradient
from ..persistent import PersistentArray
from ..spec import UNKNOWN, ArraySpec, Dim, Element, TensorShape, TensorSpec
from .array_items import array_as
from .array_tensors import array_stack, array_unstack
from .arrays import (
    _accumulate_eval,
    _joined,
    array_accumulate,
    array_new,
    array_write,
    even,
    zero_item,
)
from .define import batches_in_step, primitive


def _with_axis(element: Element, at: int, count: Dim) -> Element:
    if isinstance(element, ArraySpec):
        return ArraySpec(_with_axis(element.element, at, count))
    shape = element.shape
    wider = UNKNOWN if shape.rank is None else (*shape[:at], count, *shape[at:])
    return TensorSpec(wider, element.dtype)


def _without_axis(element: Element, at: int) -> Element:
    if isinstance(element, ArraySpec):
        return ArraySpec(_without_axis(element.element, at))
    shape = element.shape
    return TensorSpec(shape[:at] + shape[at + 1 :], element.dtype)


def _mapped(function: Any, a: PersistentArray, element: Element) -> PersistentArray:
    """The array of what `function` gives for the items, those of inner arrays too."""
    inner = element.element if isinstance(element, ArraySpec) else element
    items = [
        None if v is None
        else _mapped(function, v, inner) if isinstance(v, PersistentArray)
        else function(v)
        for v in a.items()
    ]  # fmt: skip
    made = PersistentArray(items, element)
    made.ragged = a.ragged
    return made


# --- the same array for all examples -----------------------------------------------


def _spread_eval(
    xp: Any, a: PersistentArray, size: Array, *, count: Dim, at: int = 0
) -> PersistentArray:
    many = int(size)

    def wider(x: Array) -> Array:
        shape = (*x.shape[:at], many, *x.shape[at:])
        return xp.broadcast_to(xp.expand_dims(x, at), shape)  # type: ignore[no-any-return]

    return _mapped(wider, a, _with_axis(a.element, at, count))


_spread: Op = primitive(
    "array_spread",
    lambda a, size, *, count, at=0: ArraySpec(_with_axis(a.element, at, count)),
    _spread_eval,
    lambda g, out, a, size, *, count, at=0: (lambda: apply(_gathered, (g,), {"at": at}), None),
    linear=(0,),
)


def _gathered_eval(xp: Any, g: PersistentArray, *, at: int) -> PersistentArray:
    return _mapped(lambda x: x.sum(at, dtype=x.dtype), g, _without_axis(g.element, at))


def _gathered_vjp(h: Any, out: Any, g: Any, *, at: int) -> Any:
    def back() -> Any:
        return apply(_spread, (h, apply(_rows, (g,), {"at": at})), {"count": None, "at": at})

    return (back,)


_gathered: Op = primitive(
    "array_gathered",
    lambda g, *, at: ArraySpec(_without_axis(g.element, at)),
    _gathered_eval,
    _gathered_vjp,
    linear=(0,),
)


def _rows_eval(xp: Any, g: PersistentArray, *, at: int) -> Array:
    items = [v for v in g.items() if v is not None]
    while items and isinstance(items[0], PersistentArray):
        items = [v for v in items[0].items() if v is not None]
    return np.array(items[0].shape[at] if items else 0, np.int32)


_rows: Op = primitive(
    "array_rows",
    lambda g, *, at: TensorSpec((), "int32"),
    _rows_eval,
    no_gradient,
    metadata=True,
)


def array_spread(a: Any, size: Any, count: Dim) -> Any:
    """The array `a`, of one example, for `size` of them (`count`, where that is known)."""
    return apply(_spread, (a, size), {"count": count})


# --- another item for each example -------------------------------------------------


def _choose(xp: Any, mask: Array, x: Any, y: Any) -> Any:
    """The rows of `x` where the mask holds, else those of `y`; what is missing is zero."""
    if x is None and y is None:
        return None
    if isinstance(x, PersistentArray) or isinstance(y, PersistentArray):
        like: Any = x if x is not None else y
        empty = PersistentArray([], like.element)
        return _select_eval(xp, mask, empty if x is None else x, empty if y is None else y)
    like = x if x is not None else y
    spread = mask.reshape(mask.shape + (1,) * (like.ndim - mask.ndim))
    zero = np.zeros((), like.dtype)
    return xp.where(spread, zero if x is None else x, zero if y is None else y)


def _select_eval(
    xp: Any, mask: Array, a: PersistentArray, b: PersistentArray, *, exact: bool = True
) -> PersistentArray:
    if mask.all():
        return a
    if not mask.any():
        return b
    size = max(a.size, b.size)
    items = [_choose(xp, mask, a.get(i), b.get(i)) for i in range(size)]
    made = PersistentArray(items, a.element)
    made.ragged = a.ragged or b.ragged or (exact and a.size != b.size)
    return made


_select: Op = primitive(
    "array_select",
    lambda mask, a, b, *, exact=True: ArraySpec(_joined(a.element, b.element)),
    _select_eval,
    lambda g, out, mask, a, b, *, exact=True: (
        None,
        lambda: _chosen(mask, g, array_new(element=g.spec.element)),
        lambda: _chosen(mask, array_new(element=g.spec.element), g),
    ),
    linear=(1, 2),
)


def _chosen(mask: Tensor, a: Any, b: Any) -> Any:
    return apply(_select, (mask, a, b), {"exact": False})


def array_select(mask: Tensor, a: Any, b: Any) -> Any:
    """For each example the array `a` where `mask` holds, else `b`."""
    return apply(_select, (mask, a, b))


def _places(i: Array) -> list[tuple[int, Array]]:
    """The distinct indices, and for each a mask of the examples that have it."""
    return [(int(v), i == v) for v in np.unique(i)]


def _read_eval(
    xp: Any, a: PersistentArray, i: Array, *like: Any, safe: bool = False, of_list: bool = False
) -> Any:
    if not safe:
        even(a)
        bad = i[(i < 0) | (i >= a.size)]
        if bad.size:
            if of_list:
                raise IndexError("list index out of range")
            raise IndexOutOfRangeError(
                f"index {bad[0]} is out of range for an array of {a.size} items"
            )
    out: Any = None
    for index, mask in _places(i):
        item = a.get(index)
        if item is None and like:
            item = xp.zeros_like(like[0]) if isinstance(like[0], np.ndarray) else None
        elif item is None:
            item = zero_item(xp, a, index)
        out = item if out is None else _choose(xp, mask, item, out)
    if out is None:  # there are no examples
        if like:
            return like[0]
        shape = a.element.shape
        return xp.zeros([d or 0 for d in shape[i.ndim:]] if shape.rank is None else
                        [*i.shape, *[d or 0 for d in shape[i.ndim:]]],
                        a.element.dtype.numpy)  # fmt: skip
    return out


def _read_infer(
    a: ArraySpec, i: TensorSpec, *like: Any, safe: bool = False, of_list: bool = False
) -> Element:
    if like:
        found: Element = like[0]
        return found
    if isinstance(a.element, ArraySpec):
        return a.element
    return TensorSpec(a.element.shape, a.element.dtype)


_read: Op = primitive(
    "array_read_rows",
    _read_infer,
    _read_eval,
    lambda g, out, a, i, *like, **attrs: (
        lambda: array_accumulate_rows(array_new(element=a.spec.element), i, g),
        *[None for _ in (i, *like)],
    ),
    jvp=lambda ts, out, a, i, *like, **attrs: (
        None if ts[0] is None else array_read_rows(ts[0], i, out, safe=True)
    ),
    checks=lambda a, i, *like, safe=False, of_list=False: not safe,
)


def array_read_rows(a: Any, i: Tensor, *like: Any, **attrs: bool) -> Any:
    """Of each example the item at its index in `i`; what is missing is zero, in the shape of
    `like` if that is given.
    """
    return apply(_read, (a, i, *like), attrs)


def _write_eval(
    xp: Any, a: PersistentArray, i: Array, x: Any, *, dynamic: bool = True
) -> PersistentArray:
    even(a)
    if i.size and (i.min() < 0 or (i.max() >= a.size and not dynamic)):
        bad = i.min() if i.min() < 0 else i.max()
        raise IndexOutOfRangeError(f"index {bad} is out of range for an array of {a.size} items")
    size = a.size
    lengths = np.maximum(i + 1, size)
    for index, mask in _places(i):
        a = a.set(index, _choose(xp, mask, x, a.get(index)))
    if lengths.size and lengths.min() != lengths.max():
        a.ragged = True
    return a


_write: Op = primitive(
    "array_write_rows",
    lambda a, i, x, *, dynamic=True: a,
    _write_eval,
    lambda g, out, a, i, x, *, dynamic=True: (
        lambda: apply(_clear, (g, i)),
        None,
        lambda: array_read_rows(g, i, x, safe=True),
    ),
    linear=(0, 2),
    checks=lambda a, i, x, *, dynamic=True: True,
)


def array_write_rows(a: Any, i: Tensor, x: Any, dynamic: bool = True) -> Any:
    """The array with the rows of `x` written at the index of each example."""
    return apply(_write, (a, i, x), {} if dynamic else {"dynamic": False})


def _clear_eval(xp: Any, g: PersistentArray, i: Array) -> PersistentArray:
    for index, mask in _places(i):
        item = g.get(index)
        if item is not None:
            g = g.set(index, _choose(xp, mask, None, item))
    return g


_clear: Op = primitive(
    "array_clear_rows",
    lambda g, i: g,
    _clear_eval,
    lambda h, out, g, i: (lambda: apply(_clear, (h, i)), None),
    linear=(0,),
)


def array_clear_rows(g: Any, i: Tensor) -> Any:
    """The array of gradients without those of the items that each example names."""
    return apply(_clear, (g, i))


def _add_eval(xp: Any, a: PersistentArray, i: Array, g: Any) -> PersistentArray:
    for index, mask in _places(i):
        a = _accumulate_eval(xp, a, index, _choose(xp, mask, g, None))
    return a


_accumulate: Op = primitive(
    "array_accumulate_rows",
    lambda a, i, g: a,
    _add_eval,
    lambda h, out, a, i, g: (h, None, lambda: array_read_rows(h, i, g, safe=True)),
    linear=(0, 2),
)


def array_accumulate_rows(a: Any, i: Tensor, g: Any) -> Any:
    """The array of gradients with the rows of `g` added to the items that each example names."""
    return apply(_accumulate, (a, i, g))


# --- of a batch of examples ----------------------------------------------------------


def _rules() -> None:
    """An index or mask may have as many batch axes as the items: nested batches are of one kind."""
    for op in (_select, _read, _write, _clear, _accumulate):

        @batches(op)
        def rule(batch: Any, flags: Any, *inputs: Any, _op: Op = op, **attrs: Any) -> Any:
            return apply(_op, batch.fulls(inputs, flags), attrs)


_rules()


@batches(_spread)
def _batched_spread(
    batch: Any, flags: Any, a: Any, size: Tensor, *, count: Dim, at: int = 0
) -> Any:
    if flags[1]:
        raise batch.refuse("a list", "how many examples there are depends on the example")
    return apply(_spread, (a, size), {"count": count, "at": at + 1})


@batches(_gathered)
def _batched_gathered(batch: Any, flags: Any, g: Any, *, at: int) -> Any:
    return apply(_gathered, (g,), {"at": at + 1})


@batches(_rows)
def _batched_rows(batch: Any, flags: Any, g: Any, *, at: int) -> Any:
    return apply(_rows, (g,), {"at": at + 1})


# --- the rules of arrays whose items are no batch yet ------------------------------


@batches(OPS["array_new"])
def _batched_new(batch: Any, flags: Any, size: Tensor, *, element: Element) -> Any:
    raise batch.refuse("a list or TensorArray", SIZE_DIFFERS)


SIZE_DIFFERS = "its size depends on the example; give it the greatest size"


@batches(OPS["array_size"])
def _batched_size(batch: Any, flags: Any, a: Any, **attrs: bool) -> Any:
    return apply(OPS["array_size"], (a,), attrs)


batches_in_step(OPS["array_push"], OPS["array_add"], OPS["array_join"])


@batches(OPS["array_read"])
def _batched_read(batch: Any, flags: Any, a: Any, i: Tensor, **attrs: bool) -> Any:
    if flags[1]:
        return array_read_rows(batch.full(a, flags[0]), i, **attrs)
    return apply(OPS["array_read"], (a, i), attrs)


@batches(OPS["array_write"])
def _batched_write(
    batch: Any, flags: Any, a: Any, i: Tensor, x: Tensor, *, dynamic: bool = True
) -> Any:
    a, x = batch.fulls((a, x), (flags[0], flags[2]))
    return array_write_rows(a, i, x, dynamic) if flags[1] else array_write(a, i, x, dynamic)


@batches(OPS["array_accumulate"])
def _batched_accumulate(batch: Any, flags: Any, a: Any, i: Tensor, g: Any) -> Any:
    a, g = batch.fulls((a, g), (flags[0], flags[2]))
    return array_accumulate_rows(a, i, g) if flags[1] else array_accumulate(a, i, g)


@batches(OPS["array_clear"])
def _batched_clear(batch: Any, flags: Any, g: Any, i: Tensor) -> Any:
    if flags[1]:
        return array_clear_rows(batch.full(g, flags[0]), i)
    return apply(OPS["array_clear"], (g, i))


@batches(OPS["array_read_gradient"])
def _batched_read_gradient(
    batch: Any, flags: Any, g: Any, i: Tensor, *dims: Tensor, shape: TensorShape
) -> Any:
    if any(flags[2:]):
        raise batch.refuse("the gradient of a list", SIZE_DIFFERS)
    nested = isinstance(g.spec.element, ArraySpec)
    static, sizes = (shape, ()) if nested else batch.dims(shape, dims)
    if not flags[1]:
        return apply(OPS["array_read_gradient"], (g, i, *sizes), {"shape": static})
    g = batch.full(g, flags[0])
    if nested:
        return array_read_rows(g, i, array_new(element=g.spec.element.element), safe=True)
    zero = convert(np.zeros((), g.dtype.numpy))
    blank = apply(OPS["broadcast_to"], (zero, *sizes), {"shape": static, "safe": True})
    return array_read_rows(g, i, blank, safe=True)


@batches(OPS["array_as"])
def _batched_as(batch: Any, flags: Any, a: Any, *, element: Element) -> Any:
    return array_as(a, batch.spec(element))


for _op in (OPS["array_take"], OPS["array_put"], OPS["array_cut"]):

    @batches(_op)
    def _batched_part(batch: Any, flags: Any, a: Any, part: Tensor, _op: Op = _op) -> Any:
        if flags[1]:
            raise batch.refuse("a part of a list", "which part depends on the example")
        return apply(_op, (a, part))


@batches(OPS["array_stack"])
def _batched_stack(batch: Any, flags: Any, a: Any, *, axis: int = 0) -> Any:
    return array_stack(a, axis + 1)


@batches(OPS["array_unstack"])
def _batched_unstack(batch: Any, flags: Any, x: Tensor, *, axis: int = 0) -> Any:
    return array_unstack(x, axis + 1)


@batches(OPS["array_stack_gradient"])
def _batched_stack_gradient(
    batch: Any, flags: Any, g: Any, *dims: Tensor, shape: TensorShape, axis: int = 0
) -> Any:
    if any(flags[1:]):
        raise batch.refuse("the gradient of a list", SIZE_DIFFERS)
    static, sizes = batch.dims(shape, dims)
    return apply(OPS["array_stack_gradient"], (g, *sizes), {"shape": static, "axis": axis + 1})


@batches(OPS["array_lengths"])
def _batched_lengths(batch: Any, flags: Any, a: Any, *, axis: int = 0) -> Any:
    return apply(OPS["array_lengths"], (a,), {"axis": axis + 1})


@batches(OPS["array_concat"])
def _batched_concat(batch: Any, flags: Any, a: Any, *, axis: int = 0) -> Any:
    return apply(OPS["array_concat"], (a,), {"axis": axis + 1})


@batches(OPS["array_split"])
def _batched_split(batch: Any, flags: Any, x: Tensor, lengths: Tensor, *, axis: int = 0) -> Any:
    if flags[1]:
        raise batch.refuse("a split of a TensorArray", SIZE_DIFFERS)
    return apply(OPS["array_split"], (x, lengths), {"axis": axis + 1})


@batches(OPS["array_concat_gradient"])
def _batched_concat_gradient(
    batch: Any,
    flags: Any,
    g: Any,
    lengths: Tensor,
    *dims: Tensor,
    shape: TensorShape,
    axis: int = 0,
) -> Any:
    if any(flags[1:]):
        raise batch.refuse("the gradient of a list", SIZE_DIFFERS)
    static, sizes = batch.dims(shape, dims)
    attrs = {"shape": static, "axis": axis + 1}
    return apply(OPS["array_concat_gradient"], (g, lengths, *sizes), attrs)


__all__ = [
    "array_accumulate_rows",
    "array_clear_rows",
    "array_read_rows",
    "array_select",
    "array_spread",
    "array_write_rows",
]
