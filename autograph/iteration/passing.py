"""How items and the state of a loop are passed to its body, and come back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

# What Python can unpack; filled by calls/unpacking.py.
unpacking: list[Callable[[Any, int], Any]] = []


def unpacked(item: Any, count: int) -> Sequence[Any]:
    """The item as the arguments of a function of `count` parameters, as `a, b = item` has them."""
    if count == 1:
        return (item,)
    values = list(unpacking[0](item, count))
    if len(values) < count:
        raise ValueError(f"not enough values to unpack (expected {count}, got {len(values)})")
    if len(values) > count:
        raise ValueError(f"too many values to unpack (expected {count})")
    return values


def packed(state: Sequence[Any]) -> Any:
    return state[0] if len(state) == 1 else tuple(state) or None


def state_of(result: Any, count: int) -> Sequence[Any]:
    """The state as a sequence, of what the body of a loop gives."""
    return (result,) if count == 1 else result if count else ()
