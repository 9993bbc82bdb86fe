"""Evaluating ops on constants, and telling constants and attributes apart to the bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..convert import Array
from ..op import Attrs, Op
from ..spec import Spec, TensorSpec

SMALL = 1024  # elements of the largest constants that are read or made
# Ops whose result is of unknown size before it is there, but never larger than their inputs.
_NO_LARGER = frozenset(
    {"broadcast_shape", "ensure_shape", "gather", "nonzero", "reshape", "squeeze", "strided_slice"}
)


def fold(
    op: Op, arrays: Sequence[Array], attrs: Attrs, specs: Sequence[Spec] | None
) -> list[Array] | None:
    """The results of `op` on constants; None if they are large, or evaluation fails.

    What fails here fails when the program runs: the node stays.
    """
    if op.eval is None or not specs or not _is_cheap(op, arrays, specs):
        return None
    try:
        found = op.eval(np, *arrays, **attrs)
    except Exception:  # the user's error, which belongs to the run
        return None
    results = list(found) if op.multiple else [found]
    if len(results) != len(specs):
        return None
    out = []
    for result, spec in zip(results, specs, strict=True):
        if not isinstance(result, (np.ndarray, np.generic)) or result.dtype != spec.dtype.numpy:
            return None
        if result.size > SMALL or not spec.shape.is_compatible_with(result.shape):
            return None
        out.append(np.array(result, order="C"))
    return out


def _is_cheap(op: Op, arrays: Sequence[Array], specs: Sequence[Spec]) -> bool:
    if any(a.size > SMALL for a in arrays):
        return False
    for spec in specs:
        if not isinstance(spec, TensorSpec):
            return False
        size = spec.shape.num_elements()
        if size is None:
            if op.name == "range":
                return _range_length(arrays) <= SMALL
            if op.name not in _NO_LARGER and not op.elementwise:
                return False
        elif size > SMALL:
            return False
    return True


def _range_length(arrays: Sequence[Array]) -> float:
    if len(arrays) != 3 or any(a.size != 1 for a in arrays):
        return math.inf
    start, limit, delta = (float(a.item()) for a in arrays)
    return abs((limit - start) / delta) if delta else math.inf


def constant_key(array: Array) -> Any:
    """Equal for constants that are equal to the bit; large ones are equal only to themselves."""
    if array.size > SMALL:
        return id(array)
    content = repr(array.tolist()) if array.dtype.hasobject else array.tobytes()
    return (array.dtype.str, array.dtype.name, array.shape, content)


def attrs_key(attrs: Attrs) -> Any:
    """Hashable, and equal only for attributes of equal types and bits: 1, 1.0 and True differ."""
    return tuple([(name, _attr_key(value)) for name, value in attrs.items()])


def _attr_key(value: Any) -> Any:
    kind = type(value)
    if kind is float or kind is complex:
        return kind, repr(value)
    if kind is tuple or kind is list:
        return kind, tuple([_attr_key(v) for v in value])
    if kind is np.ndarray:
        return kind, constant_key(value)
    try:
        hash(value)
    except TypeError:
        return kind, id(value)
    return kind, value


def is_filled(array: Array | None, value: float, signed: bool = False) -> bool:
    """True if all elements are `value`; `signed` asks for the sign of a zero, too."""
    if array is None or array.dtype.kind not in "biufcV" or array.size == 0:
        return False
    if array.size == 1:
        item = array.item()
        same_sign = not signed or value != 0 or array.dtype.kind != "f"
        return bool(item == value) and (
            same_sign or math.copysign(1.0, item) == math.copysign(1.0, value)
        )
    if not bool((array == np.array(value).astype(array.dtype)).all()):
        return False
    if signed and value == 0 and array.dtype.kind == "f":
        return bool((np.signbit(array) == (math.copysign(1.0, value) < 0)).all())
    return True
