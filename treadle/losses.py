"""Losses of neural networks, stable for all inputs."""

from __future__ import annotations

from typing import Any

from .activations import log_softmax
from .graph.build import convert
from .graph.errors import DTypeError, ShapeError
from .graph.node import Tensor
from .graph.ops.arithmetic import multiply_no_nan
from .graph.ops.axes import expand_dims, squeeze
from .graph.ops.exponential import softplus
from .graph.ops.gathering import gather
from .graph.ops.reductions import reduce_sum

__all__ = [
    "l2_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]


def _pair(labels: Any, logits: Any) -> tuple[Tensor, Tensor]:
    if labels is None or logits is None:
        raise ValueError("both labels and logits must be given")
    x = convert(logits)
    z = convert(labels, hint=x.dtype)
    if not z.shape.is_compatible_with(x.shape):
        raise ShapeError(f"labels have the shape {z.shape}, logits {x.shape}; they must be equal")
    return z, x


def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """-z log(p) - (1 - z) log(1 - p) with p = sigmoid(logits), for each label z in [0, 1].

    Labels and logits have one shape and floating dtype, and so has the result.

    >>> import treadle as tl
    >>> tl.nn.sigmoid_cross_entropy_with_logits(labels=[1., 0.], logits=[0., 100.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([  0.6931472, 100.       ], dtype=float32)>
    """
    z, x = _pair(labels, logits)
    return softplus(x) - x * z


def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None
) -> Tensor:
    """`sigmoid_cross_entropy_with_logits` with the first term times `pos_weight`.

    >>> import treadle as tl
    >>> tl.nn.weighted_cross_entropy_with_logits(labels=[1., 0.], logits=[0., 0.], pos_weight=3.)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([2.0794415, 0.6931472], dtype=float32)>
    """
    z, x = _pair(labels, logits)
    weight = 1 + (convert(pos_weight, hint=x.dtype) - 1) * z
    return (1 - z) * x + weight * softplus(-x)


def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> Tensor:
    """-sum(labels * log(softmax(logits))) along `axis`, which the result lacks.

    Labels are probabilities, or weights, of each class; where they are 0 logits may be -inf.

    >>> import treadle as tl
    >>> tl.nn.softmax_cross_entropy_with_logits(labels=[[0., 1.]], logits=[[1000., 0.]])
    <tl.Tensor: shape=(1,), dtype=float32, numpy=array([1000.], dtype=float32)>
    """
    x = convert(logits)
    z = convert(labels, hint=x.dtype)
    return -reduce_sum(multiply_no_nan(log_softmax(x, axis), z), axis)


def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> Tensor:
    """-log(softmax(logits)) of the class that each label names.

    Labels are int32 or int64 of shape [...], logits have the shape [..., classes]; a label that is
    no class raises IndexOutOfRangeError.

    >>> import treadle as tl
    >>> tl.nn.sparse_softmax_cross_entropy_with_logits(labels=[1], logits=[[1000., 0.]])
    <tl.Tensor: shape=(1,), dtype=float32, numpy=array([1000.], dtype=float32)>
    """
    x, z = convert(logits), convert(labels)
    if not z.dtype.is_integer:
        raise DTypeError(f"labels have dtype {z.dtype.name}, an integer dtype is needed")
    rank = x.shape.rank
    if rank is None or rank == 0 or not z.shape.is_compatible_with(x.shape[:-1]):
        raise ShapeError(
            f"labels have the shape {z.shape}, logits {x.shape}: one axis more is needed"
        )
    picked = gather(log_softmax(x), expand_dims(z, -1), axis=-1, batch_dims=rank - 1)
    return -squeeze(picked, [-1])


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """Half of the sum of squares.

    >>> import treadle as tl
    >>> tl.nn.l2_loss([3., 4.])
    <tl.Tensor: shape=(), dtype=float32, numpy=12.5>
    """
    x = convert(t)
    return reduce_sum(x * x) * 0.5
