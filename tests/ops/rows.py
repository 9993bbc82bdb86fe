"""A row of the table that the op tests walk: how to call an op, and what it must give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from treadle.graph import dtypes
from treadle.graph.dtypes import DType

Array = np.ndarray[Any, Any]
Sample = Callable[[np.random.Generator, DType], list[Any]]

INTEGERS = tuple(d for d in dtypes.ALL if d.is_integer)
FLOATS = tuple(d for d in dtypes.ALL if d.is_floating)
COMPLEXES = tuple(d for d in dtypes.ALL if d.is_complex)
KINDS = {
    "b": (dtypes.bool_,),
    "i": INTEGERS,
    "f": FLOATS,
    "c": COMPLEXES,
    "O": (dtypes.string,),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """`call` on tensors gives what `oracle` gives on NumPy arrays.

    sample    the operands, for a random generator and a dtype; arrays, or Python values that are
              passed as they are (axes, flags)
    kinds     the kinds of dtypes to try: b, i, f, c, O
    ulps      how far a result may be off, in units of the dtype's rounding error
    smooth    True if gradients of first and second order are tested
    specials  True if NaN, infinities, zeros and denormals are tried: elementwise ops
    shaped    the operands may be of any shape
    signed    the sign of zeros is as the oracle's
    wide      the oracle is called in float64 for all floats (and complex128), not in the dtype
    """

    op: str
    call: Callable[..., Any]
    oracle: Callable[..., Any]
    sample: Sample
    kinds: str = "f"
    id: str = ""
    ulps: float = 4
    smooth: bool = True
    specials: bool = False
    shaped: bool = False
    signed: bool = True
    wide: bool = True
    without: Sequence[str] = field(default_factory=tuple)  # dtypes that are not accepted

    @property
    def dtypes(self) -> list[DType]:
        return [d for kind in self.kinds for d in KINDS[kind] if d.name not in self.without]

    def __str__(self) -> str:
        return self.id or self.op


def param(row: Row, dtype: DType | None = None) -> Any:
    name = str(row) if dtype is None else f"{row}-{dtype.name}"
    return pytest.param(row, id=name) if dtype is None else pytest.param(row, dtype, id=name)


def draw(rng: np.random.Generator, dtype: DType, shape: Any, low: float, high: float) -> Array:
    """Random items between `low` and `high` (as far as the dtype has them), as an array."""
    if dtype.is_bool:
        return rng.random(shape) < 0.5
    if dtype.name == "string":
        words = np.array([b"", b"a", b"warp", b"weft"], object)
        return words[rng.integers(0, 4, shape)] if shape else np.array(b"warp", object)
    x = rng.uniform(low, high, shape)
    if dtype.is_integer:
        return np.clip(np.rint(x), max(low, dtype.min), high).astype(dtype.numpy)
    if dtype.is_complex:
        return (x + 1j * rng.uniform(low, high, shape)).astype(dtype.numpy)
    return np.asarray(x).astype(dtype.numpy)


def operands(
    count: int, low: float = -3, high: float = 3, shapes: Sequence[Any] = ((2, 3),)
) -> Sample:
    """`count` arrays of one dtype; the shapes are taken in turn."""

    def sample(rng: np.random.Generator, dtype: DType) -> list[Any]:
        return [draw(rng, dtype, shapes[i % len(shapes)], low, high) for i in range(count)]

    return sample


def with_values(*shapes: Any, low: float = -3, high: float = 3, more: Sequence[Any] = ()) -> Sample:
    """Arrays of these shapes, then the Python values `more`."""

    def sample(rng: np.random.Generator, dtype: DType) -> list[Any]:
        return [*(draw(rng, dtype, s, low, high) for s in shapes), *more]

    return sample
