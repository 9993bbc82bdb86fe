"""Normalization, biases and lookups of neural networks."""

from __future__ import annotations

from typing import Any

from .clipping import clip_by_norm
from .graph.build import convert
from .graph.dtypes import float16, float32
from .graph.errors import InvalidArgumentError, ShapeError
from .graph.node import Tensor
from .graph.ops.arithmetic import add, multiply, squared_difference
from .graph.ops.casting import cast
from .graph.ops.exponential import rsqrt
from .graph.ops.gathering import gather
from .graph.ops.linear import known_rank
from .graph.ops.queries import size as size_of
from .graph.ops.reshaping import reshape
from .graph.ops.statistics import count_nonzero, reduce_mean

__all__ = [
    "batch_normalization",
    "bias_add",
    "embedding_lookup",
    "moments",
    "zero_fraction",
]


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The mean and the variance along `axes`; `shift` is ignored. Floating dtypes.

    >>> import treadle as tl
    >>> mean, variance = tl.nn.moments(tl.constant([[1., 2.], [3., 6.]]), axes=[0])
    >>> mean.numpy(), variance.numpy()
    (array([2., 4.], dtype=float32), array([1., 4.], dtype=float32))
    """
    x = convert(x)
    y = cast(x, float32) if x.dtype is float16 else x
    mean = reduce_mean(y, axes, keepdims=True)
    variance = reduce_mean(squared_difference(y, mean), axes, keepdims)
    if not keepdims:
        mean = reduce_mean(mean, axes)
    return cast(mean, x.dtype), cast(variance, x.dtype)


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: Any,
    name: str | None = None,
) -> Tensor:
    """The value scale * (x - mean) / sqrt(variance + variance_epsilon) + offset; all broadcast.

    `offset` and `scale` may be None (Ioffe and Szegedy, 2015).

    >>> import treadle as tl
    >>> tl.nn.batch_normalization(tl.constant([1., 3.]), 2., 1., None, None, 0.)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([-1.,  1.], dtype=float32)>
    """
    t = convert(x)
    factor = rsqrt(add(convert(variance, hint=t.dtype), variance_epsilon))
    if scale is not None:
        factor = multiply(factor, scale)
    shift = -(convert(mean, hint=t.dtype) * factor)
    return t * factor + (shift if offset is None else add(shift, offset))


def bias_add(
    value: Any, bias: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """`value` plus a vector along its last axis, or along axis 1 if `data_format` is "NC...".

    >>> import treadle as tl
    >>> tl.nn.bias_add([[1., 2.], [3., 4.]], [10., 20.])
    <tl.Tensor: shape=(2, 2), dtype=float32, numpy=
    array([[11., 22.],
           [13., 24.]], dtype=float32)>
    """
    x = convert(value)
    b = convert(bias, hint=x.dtype)
    if b.shape.rank not in (1, None):
        raise ShapeError(f"a bias is a vector, this has the shape {b.shape}")
    if data_format is not None and data_format.startswith("NC"):
        b = reshape(b, [-1] + [1] * (known_rank(x) - 2))
    elif data_format is not None and not data_format.startswith("N"):
        raise InvalidArgumentError(f"data_format={data_format!r}; use 'N...C' or 'NC...'")
    return x + b


def embedding_lookup(
    params: Any, ids: Any, max_norm: Any = None, name: str | None = None
) -> Tensor:
    """The rows of `params` that `ids` name, of shape ids.shape + params.shape[1:].

    With `max_norm` rows of a larger norm are scaled down to it.

    >>> import treadle as tl
    >>> tl.nn.embedding_lookup([[1., 2.], [3., 4.]], [1, 1, 0])
    <tl.Tensor: shape=(3, 2), dtype=float32, numpy=
    array([[3., 4.],
           [3., 4.],
           [1., 2.]], dtype=float32)>
    """
    rows = gather(params, ids)
    if max_norm is None:
        return rows
    return clip_by_norm(rows, max_norm, list(range(known_rank(convert(ids)), known_rank(rows))))


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of items that are 0, as float32; NaN if there are no items.

    >>> import treadle as tl
    >>> tl.nn.zero_fraction([0, 1, 0, 3])
    <tl.Tensor: shape=(), dtype=float32, numpy=0.5>
    """
    x = convert(value)
    total = cast(size_of(x), float32)
    return (total - cast(count_nonzero(x), float32)) / total
