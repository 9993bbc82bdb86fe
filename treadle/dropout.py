"""Dropout."""

from __future__ import annotations

from typing import Any

from .graph.build import convert
from .graph.dtypes import float32
from .graph.errors import DTypeError, InvalidArgumentError
from .graph.node import Tensor
from .graph.ops.casting import cast
from .graph.ops.comparison import where
from .graph.ops.linear import sizes_of
from .graph.ops.queries import shape as shape_of
from .random import uniform


def dropout(
    x: Any, rate: Any, noise_shape: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """`x` with each item made 0 with probability `rate`, the others scaled up by 1 / (1 - rate).

    Items along axes where `noise_shape` is 1 are kept or dropped together; None there stands for
    the size of x. Floating dtypes; a rate outside of [0, 1) raises InvalidArgumentError.

    >>> import treadle as tl
    >>> y = tl.nn.dropout(tl.ones([1000]), rate=0.5, seed=1)
    >>> sorted(set(y.numpy().tolist()))
    [0.0, 2.0]
    """
    t = convert(x)
    if not t.dtype.is_floating:
        raise DTypeError(
            f"dropout: x has dtype {t.dtype.name}; it must be floating, since what is kept is "
            "scaled. Use tl.cast"
        )
    if isinstance(rate, (int, float)):
        if not 0 <= rate < 1:
            raise InvalidArgumentError(f"the rate of dropout is in [0, 1), it is {rate}")
        if rate == 0:
            return t
    shape = shape_of(t) if noise_shape is None else noise_shape
    if isinstance(shape, (list, tuple)):
        have = iter(sizes_of(t))
        shape = [d if n is None else n for n, d in zip(shape, have, strict=True)]
    drawn = uniform(shape, seed=seed)
    limit = convert(rate, hint=float32)
    scale = 1 / (1 - convert(rate, hint=t.dtype))
    return where(drawn >= cast(limit, float32), t * scale, t.dtype.as_numpy_dtype(0))
