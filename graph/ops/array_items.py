"""Arrays of tensors as Python's lists are used: parts of them, joined, cut, in another order."""

from __future__ import annotations

from typing import Any

from ..build import apply, convert
from ..convert import Array
from ..dtypes import int32
from ..errors import DTypeError
from ..node import Tensor
from ..op import ALL, Op
from ..persistent import PersistentArray
from ..spec import ArraySpec, Element, TensorSpec
from .arrays import _accumulate_eval, _joined, array_size, even
from .define import primitive
from .sequences import range_


def _take_infer(a: ArraySpec, indices: TensorSpec) -> ArraySpec:
    if not indices.dtype.is_integer or indices.shape.rank not in (1, None):
        raise DTypeError(f"the indices must be a vector of integers, they are {indices}")
    return a


def _take_eval(xp: Any, a: PersistentArray, indices: Array) -> PersistentArray:
    items = a.items()
    size = len(items)
    return PersistentArray([items[i] if i < size else None for i in indices.tolist()], a.element)


_take = primitive(
    "array_take",
    _take_infer,
    _take_eval,
    lambda g, out, a, indices: (lambda: apply(_put, (g, indices)), None),
    linear=(0,),
)


def array_take(a: Any, indices: Any) -> Any:
    """The items at `indices`, an int32 vector whose numbers must be in range."""
    return apply(_take, (a, convert(indices, hint=int32)))


def _put_eval(xp: Any, g: PersistentArray, indices: Array) -> PersistentArray:
    out = PersistentArray([], g.element)
    for i, item in zip(indices.tolist(), g.items(), strict=False):
        if item is not None:
            out = _accumulate_eval(xp, out, i, item)
    return out


_put: Op = primitive(
    "array_put",
    _take_infer,
    _put_eval,
    lambda h, out, g, indices: (lambda: apply(_take, (h, indices)), None),
    linear=(0,),
)


def _join_infer(a: ArraySpec, b: ArraySpec) -> ArraySpec:
    if a.element.dtype is not b.element.dtype:
        raise DTypeError(f"arrays of {a.element.dtype.name} and {b.element.dtype.name} are joined")
    return a if a == b else ArraySpec(_joined(a.element, b.element))


def _join_eval(xp: Any, a: PersistentArray, b: PersistentArray) -> PersistentArray:
    for item in even(b).items():
        a = even(a).push(item)
    return a


def _join_gradients(g: Any, out: Any, a: Any, b: Any) -> tuple[Any, Any]:
    def second() -> Any:
        start = array_size(a)
        return array_take(g, range_(start, start + array_size(b)))

    return lambda: array_cut(g, array_size(a)), second


_join = primitive("array_join", _join_infer, _join_eval, _join_gradients, linear=ALL)


def array_join(a: Any, b: Any) -> Any:
    """The items of `a`, then those of `b`."""
    return apply(_join, (a, b))


def _cut_eval(xp: Any, a: PersistentArray, size: Any) -> PersistentArray:
    # A copy: what grows from a part of a list that others know would remember what they know.
    made = PersistentArray(a.items()[: int(size)], a.element)
    made.ragged = a.ragged
    return made


_cut = primitive(
    "array_cut",
    lambda a, size: a,
    _cut_eval,
    lambda g, out, a, size: (g, None),
    linear=(0,),
)


def array_cut(a: Any, size: Tensor) -> Any:
    """The first `size` items."""
    return apply(_cut, (a, convert(size, hint=int32)))


def _as_eval(xp: Any, a: PersistentArray, *, element: Element) -> PersistentArray:
    return PersistentArray(a.items(), element)


_as: Op = primitive(
    "array_as",
    lambda a, *, element: ArraySpec(element),
    _as_eval,
    lambda g, out, a, *, element: (lambda: array_as(g, a.spec.element),),
    linear=(0,),
)


def array_as(a: Any, element: Element) -> Any:
    """The same array, of which less is known: `element` covers the spec of its items."""
    return a if a.spec.element == element else apply(_as, (a,), {"element": element})
