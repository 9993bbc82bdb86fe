"""`x[key]` as Python has it; `tl.slice` and `tl.strided_slice`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import convert
from ..errors import DTypeError, IndexOutOfRangeError, InvalidArgumentError, OpError, ShapeError
from ..node import Tensor
from ..op import OPS
from .casting import cast
from .comparison import where
from .define import constant_of
from .dims import constant_dims, convert_dims, packed, refuse
from .gathering import gather
from .masking import boolean_mask
from .queries import shape as shape_of
from .slicing import index, slice_

__all__ = ["getitem", "slice_", "strided_slice"]

_PLAIN = (int, type(None))


def getitem(x: Tensor, key: Any) -> Tensor:
    """`x[key]` for integers, slices, None, Ellipsis, masks, and one list or tensor of integers.

    Integers and slice bounds may be tensors. A mask (bool) selects the items where it is true, a
    tensor of integers the rows that it names. IndexOutOfRangeError where an integer is.
    """
    kind = type(key)
    if kind is int:
        return index(x, str(key))
    if kind is slice:
        start, stop, step = key.start, key.stop, key.step
        if type(start) in _PLAIN and type(stop) in _PLAIN and step is None:
            return index(x, f"{'' if start is None else start}:{'' if stop is None else stop}")
    try:
        return _general(x, key if kind is tuple else (key,))
    except OpError as error:
        raise refuse(error, OPS["strided_slice"], x) from None


def _general(x: Tensor, items: tuple[Any, ...]) -> Tensor:
    texts: list[str] = []
    bounds: list[Tensor] = []
    places: list[tuple[int, Tensor]] = []  # of the items that are masks or integer tensors

    def text_of(value: Any) -> str:
        """A bound as text; what is not known while tracing becomes an input."""
        if value is None:
            return ""
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            return str(int(value))
        tensor = convert(value)
        if not tensor.dtype.is_integer or tensor.shape.rank not in (0, None):
            raise DTypeError(f"{value!r} is no index: integers, slices, None, ... and masks are")
        array = constant_of(tensor)
        if array is not None:
            return str(int(array))
        bounds.append(tensor)
        return f"${len(bounds) - 1}"

    for item in items:
        if item is None:
            texts.append("None")
        elif item is ...:
            texts.append("...")
        elif isinstance(item, slice):
            parts = [text_of(item.start), text_of(item.stop)]
            texts.append(":".join([*parts, text_of(item.step)] if item.step is not None else parts))
        elif _is_several(item):
            places.append((len(texts), convert(item)))
            texts.append(":")
        else:
            texts.append(text_of(item))
    if not places:
        return index(x, ", ".join(texts), bounds)
    return _with_tensors(x, texts, bounds, places)


def _is_several(item: Any) -> bool:
    """True for masks and for what names several rows: lists, arrays, tensors of some rank."""
    if isinstance(item, (bool, np.bool_, list)):
        return True
    if hasattr(item, "__tl_tensor__"):
        item = item.__tl_tensor__()
    if isinstance(item, (Tensor, np.ndarray)):
        return item.dtype == np.bool_ or (item.shape != () and getattr(item, "ndim", 1) != 0)
    return False


def _with_tensors(
    x: Tensor, texts: list[str], bounds: list[Tensor], places: list[tuple[int, Tensor]]
) -> Tensor:
    """The plain part of an index first, then the mask or the tensor of integers."""
    if len(places) > 1:
        raise InvalidArgumentError("an index has one mask or tensor at most; use tl.gather_nd")
    place, selector = places[0]
    is_mask = selector.dtype.is_bool
    width = selector.spec.shape.rank if is_mask else 1
    if width is None:
        raise InvalidArgumentError("the rank of a mask must be known while tracing")
    if width == 0:
        raise InvalidArgumentError("a mask has at least one axis; use tl.cond or tl.where")
    texts[place : place + 1] = [":"] * width
    rank = x.spec.shape.rank
    if "..." in texts[:place] and rank is None:
        raise InvalidArgumentError("the rank must be known while tracing")
    axis = 0
    consumed = sum(t not in ("None", "...") for t in texts)
    for t in texts[:place]:
        if t == "...":
            axis += (rank or 0) - consumed
        elif t == "None" or ":" in t:
            axis += 1
    if any(t != ":" for t in texts):
        x = index(x, ", ".join(texts), bounds)
    if is_mask:
        return boolean_mask(x, selector, axis=axis)
    return gather(x, _from_the_front(x, selector, axis), axis=axis)


def _from_the_front(x: Tensor, selector: Tensor, axis: int) -> Tensor:
    """Negative indices counted from the end, as Python does."""
    if not selector.dtype.is_integer:
        raise DTypeError(f"an index is an integer, a slice or a mask, not {selector.dtype.name}")
    known = constant_of(selector)
    size = x.spec.shape[axis] if x.spec.shape.rank else None
    if known is not None and (size is not None or not known.size or known.min() >= 0):
        if known.size and size is not None and (known.min() < -size or known.max() >= size):
            bad = int(known.min() if known.min() < -size else known.max())
            raise IndexOutOfRangeError(
                f"index {bad} is out of range for axis {axis} of size {size}"
            )
        return convert(np.where(known < 0, known + (size or 0), known).astype(known.dtype))
    total = cast(shape_of(x)[axis], selector.dtype) if size is None else size
    return where(selector < 0, selector + total, selector)


def strided_slice(
    input_: Any,
    begin: Any,
    end: Any,
    strides: Any = None,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    var: Any = None,
    name: str | None = None,
) -> Tensor:
    """`input_[begin[0]:end[0]:strides[0], ...]`, with TensorFlow's bit masks.

    Bit i of a mask says of item i: leave out its begin or its end; it is an Ellipsis, a new axis,
    or the single index `begin[i]`.

    >>> import treadle as tl
    >>> tl.strided_slice([1, 2, 3, 4, 5], [1], [5], [2]).numpy()
    array([2, 4], dtype=int32)
    """
    x = input_ if isinstance(input_, Tensor) else convert(input_)
    begin = packed(begin)
    known = constant_dims(begin)
    if known is None:
        raise InvalidArgumentError("the number of items in begin must be known while tracing")
    count = len(known)
    starts, ends = _entries(begin, count), _entries(end, count)
    steps = [None] * count if strides is None else _entries(strides, count)
    key: list[Any] = []
    for i in range(count):
        bit = 1 << i
        if ellipsis_mask & bit:
            key.append(...)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_axis_mask & bit:
            key.append(starts[i])
        else:
            start = None if begin_mask & bit else starts[i]
            key.append(slice(start, None if end_mask & bit else ends[i], steps[i]))
    return getitem(x, tuple(key))


def _entries(value: Any, count: int) -> list[Any]:
    """The items of a 1-D integer argument: Python ints as far as they are known."""
    value = packed(value)
    known = constant_dims(value)
    if known is not None and len(known) != count:
        raise ShapeError(f"there are {count} items in begin, here {len(known)}")
    if known is not None and None not in known:
        return list(known)
    tensor = convert_dims(value)
    return [index(tensor, str(i)) for i in range(count)]
