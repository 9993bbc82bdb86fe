"""Where an index or slice points in a list of a length that only the run tells."""

from __future__ import annotations

from typing import Any

from treadle.graph import Tensor, Value
from treadle.graph.build import convert
from treadle.graph.errors import ListItemError
from treadle.graph.ops.casting import cast
from treadle.graph.ops.comparison import where

from .list_items import here
from .state import describe_value


def is_symbolic(key: Any) -> bool:
    """True if an index holds a symbolic tensor."""
    if isinstance(key, Value):
        return True
    if isinstance(key, slice):
        return any(isinstance(b, Value) for b in (key.start, key.stop, key.step))
    return isinstance(key, tuple) and any(map(is_symbolic, key))


def place_of(key: Any, size: Tensor) -> Tensor:
    """A place, counted from the start. The read itself checks that it is in range."""
    if isinstance(key, int):
        return convert(key) if key >= 0 else size + key
    index = convert(key)
    if not index.dtype.is_integer or index.shape.rank not in (0, None):
        raise TypeError(f"list indices must be integers or slices, not {describe_value(key)}")
    index = cast(index, "int32")
    found: Tensor = where(index < 0, index + size, index)
    return found


def bounds_of(key: slice, size: Tensor) -> tuple[Tensor, Tensor, int]:
    """Start, stop and step of a slice, within a list of that size."""
    step = 1 if key.step is None else key.step
    if not isinstance(step, int):
        raise ListItemError(f"the step of a slice must be a Python int, at {here()}")
    if step == 0:
        raise ValueError("slice step cannot be zero")
    low, high = (convert(0), size) if step > 0 else (convert(-1), size - 1)

    def bound(value: Any, default: Tensor) -> Tensor:
        if value is None:
            return default
        return clipped(place_of(value, size), low, high)

    first, last = (low, high) if step > 0 else (high, low)
    return bound(key.start, first), bound(key.stop, last), step


def clipped(place: Tensor, low: Any, high: Any) -> Tensor:
    """The place nearest to `place` between `low` and `high`."""
    found: Tensor = where(place < low, low, where(place > high, high, place))
    return found
