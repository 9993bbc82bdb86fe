"""How a source of random states becomes samples; shared by streams, seeds and generators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .graph.build import convert
from .graph.dtypes import DType, float64, int32, uint64
from .graph.errors import DTypeError, InvalidArgumentError
from .graph.node import Tensor
from .graph.ops import random as ops
from .graph.ops.casting import cast
from .graph.ops.cumulative import cumsum
from .graph.ops.division import minimum
from .graph.ops.exponential import exp
from .graph.ops.gathering import gather
from .graph.ops.queries import shape as shape_of
from .graph.ops.reductions import reduce_max
from .graph.ops.sorting import argsort, searchsorted

# Gives the state to draw numbers of a shape from.
Source = Callable[[Any], Tensor]


def spread_uniform(source: Source, shape: Any, low: Any, high: Any, dtype: DType) -> Tensor:
    """Numbers in [low, high); integers of all bits where both are None."""
    if dtype.is_integer:
        if low is None and high is None:
            return ops.draw(source(shape), "bits", shape, dtype)
        if high is None:
            raise InvalidArgumentError(f"Must specify maxval for integer dtype {dtype.name}")
        return ops.draw_between(source(shape), 0 if low is None else low, high, shape, dtype)
    numbers = ops.draw(source(shape), "uniform", shape, dtype)
    least = 0 if low is None else low
    above = 1 if high is None else high
    if _is(least, 0) and _is(above, 1):
        return numbers
    start = convert(least, hint=dtype)
    return numbers * (convert(above, hint=dtype) - start) + start


def _is(value: Any, number: int) -> bool:
    return isinstance(value, (int, float)) and value == number


def spread_normal(
    source: Source, kind: str, shape: Any, mean: Any, stddev: Any, dtype: DType
) -> Tensor:
    """Normal numbers of this mean and standard deviation."""
    numbers = ops.draw(source(shape), kind, shape, dtype)
    if not _is(stddev, 1):
        numbers = numbers * convert(stddev, hint=dtype)
    return numbers if _is(mean, 0) else numbers + convert(mean, hint=dtype)


def shuffled(source: Source, value: Any) -> Tensor:
    """The slices along the first axis in random order."""
    x = convert(value)
    if x.shape.rank == 0:
        raise InvalidArgumentError("a scalar can't be shuffled")
    known = x.shape[0] if x.shape.rank else None
    shape = shape_of(x)[:1] if known is None else [known]
    return gather(x, argsort(ops.draw(source(shape), "bits", shape, uint64)))


def pick(source: Source, logits: Any, num_samples: Any, dtype: DType) -> Tensor:
    """Places drawn by their probabilities, by the inverse of the cumulative distribution."""
    x = convert(logits)
    if not x.dtype.is_floating:
        raise DTypeError(f"logits are floating, not {x.dtype.name}")
    if x.shape.rank not in (2, None):
        raise InvalidArgumentError(f"logits have shape (rows, classes), not {x.shape}")
    weights = exp(cast(x, float64) - cast(reduce_max(x, axis=-1, keepdims=True), float64))
    below = cumsum(weights, axis=-1)
    rows, classes = (x.shape[i] if x.shape.rank else None for i in range(2))
    count = num_samples if isinstance(num_samples, int) else convert(num_samples, hint=int32)
    shape = [shape_of(x)[0] if rows is None else rows, count]
    points = ops.draw(source(shape), "uniform", shape, float64) * below[:, -1:]
    found = searchsorted(below, points, side="right")
    last = shape_of(x)[1] - 1 if classes is None else classes - 1
    return cast(minimum(found, last), dtype)
