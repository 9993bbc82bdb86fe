"""The table of composites for neural networks and of other functions written on public ones."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
from ops.rows import Row, draw, operands, with_values
from ops.table import precise

import treadle as tl

m, nn = tl.math, tl.nn
SELU = (1.0507009873554805, 1.6732632423543772)


def one(name: str, call: Any, oracle: Any, op: str = "where", **more: Any) -> Row:
    """An activation: its pieces meet at 0, which random operands miss."""
    more = {"sample": operands(1, -4, 4, [(2, 3)]), "ulps": 16, **more}
    return Row(op=op, id=name, call=call, oracle=oracle, **more)


def softmax(x: Any, axis: int = -1) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(x: Any, axis: int = -1) -> Any:
    return np.log(softmax(x, axis))


def gelu(x: Any) -> Any:
    return x * precise(mpmath.ncdf)(x)


def gelu_with_tanh(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def labelled(rng: np.random.Generator, dtype: Any) -> list[Any]:
    return [rng.random((2, 3)).astype(dtype.numpy), draw(rng, dtype, (2, 3), -3, 3)]


def classes(rng: np.random.Generator, dtype: Any) -> list[Any]:
    return [np.array([[2, 0], [1, 1]]), draw(rng, dtype, (2, 2, 3), -3, 3)]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def weighted(z: Any, x: Any) -> Any:
    return -3 * z * np.log(sigmoid(x)) - (1 - z) * np.log(1 - sigmoid(x))


def normalized(x: Any, mean: Any, variance: Any, offset: Any, scale: Any) -> Any:
    return scale * (x - mean) / np.sqrt(variance + 0.1) + offset


def moments(x: Any) -> Any:
    return x.mean((0, 2)), x.var((0, 2))


def contrast(x: Any, factor: Any) -> Any:
    mean = x.mean((-3, -2), keepdims=True)
    return (x - mean) * factor + mean


def clipped(x: Any, limit: float, axis: Any = None) -> Any:
    norm = np.sqrt(np.sum(x * x, axis, keepdims=True))
    return x * np.minimum(1, limit / norm)


ACTIVATIONS = [
    one("relu", nn.relu, lambda x: np.maximum(x, 0), kinds="if"),
    one("relu6", nn.relu6, lambda x: np.clip(2 * x, 0, 12) / 2),
    one("crelu", nn.crelu, lambda x: np.maximum(np.concatenate([x, -x], -1), 0)),
    one("leaky_relu", nn.leaky_relu, lambda x: np.where(x > 0, x, 0.2 * x)),
    one("elu", nn.elu, lambda x: np.where(x > 0, x, np.expm1(x))),
    one("selu", nn.selu, lambda x: SELU[0] * np.where(x > 0, x, SELU[1] * np.expm1(x))),
    one("gelu", nn.gelu, gelu),
    one("gelu-approximate", lambda x: nn.gelu(x, approximate=True), gelu_with_tanh),
    one("silu", nn.silu, lambda x: x * sigmoid(x)),
    one("silu-beta", lambda x: nn.silu(x, 2.0), lambda x: x * sigmoid(2 * x)),
    one("softsign", nn.softsign, lambda x: x / (1 + np.abs(x))),
    one("log_sigmoid", m.log_sigmoid, lambda x: np.log(sigmoid(x))),
    one("softmax", nn.softmax, softmax),
    one("softmax-0", lambda x: nn.softmax(x, axis=0), lambda x: softmax(x, 0)),
    one("log_softmax", nn.log_softmax, log_softmax),
]

LOSSES = [
    one("sigmoid_cross_entropy", nn.sigmoid_cross_entropy_with_logits,
        lambda z, x: -z * np.log(sigmoid(x)) - (1 - z) * np.log(1 - sigmoid(x)), sample=labelled),
    one("weighted_cross_entropy", lambda z, x: nn.weighted_cross_entropy_with_logits(z, x, 3.0),
        weighted, sample=labelled),
    one("softmax_cross_entropy", nn.softmax_cross_entropy_with_logits,
        lambda z, x: -np.sum(z * log_softmax(x), -1), sample=labelled),
    one("sparse_softmax_cross_entropy", nn.sparse_softmax_cross_entropy_with_logits,
        lambda z, x: -np.take_along_axis(log_softmax(x), z[..., None], -1)[..., 0],
        sample=classes),
    one("l2_loss", nn.l2_loss, lambda x: np.sum(x * x) / 2),
]  # fmt: skip

LAYERS = [
    one("moments", lambda x: nn.moments(x, [0, 2]), moments,
        sample=with_values((2, 3, 2)), without=("float16",)),
    one("batch_normalization", lambda *xs: nn.batch_normalization(*xs, 0.1), normalized,
        sample=with_values((4, 3), (3,), (3,), (3,), (3,), low=0.5)),
    one("bias_add", nn.bias_add, np.add, sample=with_values((2, 3, 4), (4,))),
    one("bias_add-channels", lambda x, b: nn.bias_add(x, b, "NCHW"),
        lambda x, b: x + b[:, None], sample=with_values((2, 3, 4), (3,))),
    one("embedding_lookup", lambda p: nn.embedding_lookup(p, [[2, 0], [0, 1]]),
        lambda p: p[np.array([[2, 0], [0, 1]])], sample=with_values((3, 2))),
    one("zero_fraction", nn.zero_fraction, lambda x: np.float32(np.mean(x == 0)), smooth=False,
        kinds="if"),
    one("clip_by_value", lambda x: tl.clip_by_value(x, -1, 2), lambda x: np.clip(x, -1, 2)),
    one("clip_by_norm", lambda x: tl.clip_by_norm(x, 0.5), lambda x: clipped(x, 0.5)),
    one("clip_by_norm-axis", lambda x: tl.clip_by_norm(x, 2.0, [1]),
        lambda x: clipped(x, 2.0, 1)),
    one("global_norm", lambda x, y: tl.linalg.global_norm([x, None, y]),
        lambda x, y: np.sqrt(np.sum(x * x) + np.sum(y * y)), sample=with_values((3,), (2, 2))),
    one("adjust_contrast", tl.image.adjust_contrast, contrast, op="AdjustContrastv2", smooth=False,
        sample=with_values((2, 3, 2, 3), ())),
    one("polyval", lambda x: m.polyval([2, 1, 3], x), lambda x: np.polyval([2, 1, 3], x),
        kinds="ifc"),
    one("lbeta", m.lbeta, lambda x: np.sum(precise(mpmath.loggamma)(x), -1) - precise(
        mpmath.loggamma)(np.sum(x, -1)), sample=operands(1, 0.5, 4, [(2, 3)])),
    one("xlog1py", m.xlog1py, lambda x, y: x * np.log1p(y), sample=with_values(
        (3,), (2, 3), low=0.1)),
    one("reciprocal_no_nan", m.reciprocal_no_nan, lambda x: 1 / x, sample=operands(1, 0.5, 2)),
    one("ndtri", m.ndtri, precise(lambda x: mpmath.sqrt(2) * mpmath.erfinv(2 * x - 1)),
        sample=operands(1, 0.1, 0.9, [(2, 3)])),
]  # fmt: skip

ROWS = [*ACTIVATIONS, *LOSSES, *LAYERS]
