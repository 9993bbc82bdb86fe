"""Activations of neural networks."""

from __future__ import annotations

import math
from typing import Any

from .graph.build import convert
from .graph.node import Tensor
from .graph.ops.arithmetic import absolute
from .graph.ops.axes import stop_gradient
from .graph.ops.comparison import where
from .graph.ops.division import maximum, minimum
from .graph.ops.exponential import exp, expm1, log, sigmoid
from .graph.ops.joining import concat
from .graph.ops.reductions import reduce_max, reduce_sum
from .graph.ops.special import erfc
from .graph.ops.trigonometric import tanh

__all__ = [
    "crelu",
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "silu",
    "softmax",
    "softsign",
    "swish",
]

# Klambauer et al., Self-Normalizing Neural Networks (2017): the fixed point at mean 0, variance 1.
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def relu(features: Any, name: str | None = None) -> Tensor:
    """max(x, 0), elementwise; integer and floating dtypes. The gradient at 0 is 0.

    >>> import treadle as tl
    >>> tl.nn.relu([-1., 0., 2.])
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([0., 0., 2.], dtype=float32)>
    """
    result: Tensor = maximum(0, convert(features))
    return result


def relu6(features: Any, name: str | None = None) -> Tensor:
    """min(max(x, 0), 6), elementwise.

    >>> import treadle as tl
    >>> tl.nn.relu6([-1., 3., 9.])
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([0., 3., 6.], dtype=float32)>
    """
    result: Tensor = minimum(6, relu(features))
    return result


def crelu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """relu(x) and relu(-x), one after the other along `axis`.

    >>> import treadle as tl
    >>> tl.nn.crelu([-1., 2.])
    <tl.Tensor: shape=(4,), dtype=float32, numpy=array([0., 2., 1., 0.], dtype=float32)>
    """
    x = convert(features)
    return relu(concat([x, -x], axis))


def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Tensor:
    """Take x where it is above 0, alpha * x elsewhere; floating dtypes.

    >>> import treadle as tl
    >>> tl.nn.leaky_relu([-1., 2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([-0.2,  2. ], dtype=float32)>
    """
    x = convert(features)
    return where(x > 0, x, x * alpha)


def elu(features: Any, name: str | None = None) -> Tensor:
    """Take x where it is above 0, exp(x) - 1 elsewhere; floating dtypes.

    >>> import treadle as tl
    >>> tl.nn.elu([-1., 2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([-0.63212055,  2.        ], dtype=float32)>
    """
    x = convert(features)
    return where(x > 0, x, expm1(minimum(x, 0)))


def selu(features: Any, name: str | None = None) -> Tensor:
    """The scaled `elu` that keeps mean 0 and variance 1 (Klambauer et al., 2017).

    >>> import treadle as tl
    >>> tl.nn.selu([-1., 2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([-1.1113307,  2.101402 ], dtype=float32)>
    """
    x = convert(features)
    below = expm1(minimum(x, 0)) * (_SELU_SCALE * _SELU_ALPHA)
    return where(x > 0, x * _SELU_SCALE, below)


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """The product of x and the share of the normal distribution below x.

    Source: Hendrycks and Gimpel, Gaussian Error Linear Units (2016).

    `approximate` takes a formula with tanh in place of the error function. Floating dtypes.

    >>> import treadle as tl
    >>> tl.nn.gelu([-1., 0., 2.]).numpy()
    array([-0.15865526,  0.        ,  1.9544997 ], dtype=float32)
    """
    x = convert(features)
    if approximate:
        inner = (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)
        return x * 0.5 * (1 + tanh(inner))
    return x * 0.5 * erfc(x * -math.sqrt(0.5))


def silu(features: Any, beta: Any = 1.0, name: str | None = None) -> Tensor:
    """The product x * sigmoid(beta * x), also called swish; floating dtypes.

    >>> import treadle as tl
    >>> tl.nn.silu([-1., 0., 2.]).numpy()
    array([-0.2689414,  0.       ,  1.761594 ], dtype=float32)
    """
    x = convert(features)
    scaled = x if isinstance(beta, (int, float)) and beta == 1 else x * beta
    return x * sigmoid(scaled)


swish = silu


def softsign(features: Any, name: str | None = None) -> Tensor:
    """The quotient x / (|x| + 1), elementwise; floating dtypes.

    >>> import treadle as tl
    >>> tl.nn.softsign([-1., 0., 3.])
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([-0.5 ,  0.  ,  0.75], dtype=float32)>
    """
    x = convert(features)
    return x / (absolute(x) + 1)


def softmax(logits: Any, axis: Any = -1, name: str | None = None) -> Tensor:
    """exp(x) / sum(exp(x)) along `axis` (the last one by default), without overflow.

    Floating dtypes.

    >>> import treadle as tl
    >>> tl.nn.softmax([[0., 0.], [1000., 0.]])
    <tl.Tensor: shape=(2, 2), dtype=float32, numpy=
    array([[0.5, 0.5],
           [1. , 0. ]], dtype=float32)>
    """
    x = convert(logits)
    axis = -1 if axis is None else axis
    e = exp(x - stop_gradient(reduce_max(x, axis, keepdims=True)))
    return e / reduce_sum(e, axis, keepdims=True)


def log_softmax(logits: Any, axis: Any = -1, name: str | None = None) -> Tensor:
    """log(softmax(x)) along `axis` (the last one by default), without underflow.

    >>> import treadle as tl
    >>> tl.nn.log_softmax([[0., 0.], [1000., 0.]])
    <tl.Tensor: shape=(2, 2), dtype=float32, numpy=
    array([[-6.931472e-01, -6.931472e-01],
           [ 0.000000e+00, -1.000000e+03]], dtype=float32)>
    """
    x = convert(logits)
    axis = -1 if axis is None else axis
    shifted = x - stop_gradient(reduce_max(x, axis, keepdims=True))
    return shifted - log(reduce_sum(exp(shifted), axis, keepdims=True))
