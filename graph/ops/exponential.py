"""Exponentials, logarithms, roots, and the functions made of them."""

from __future__ import annotations

from typing import Any

from ..build import convert, operands
from ..node import Tensor
from ..op import OPS
from .arithmetic import add, strong, xdivy
from .casting import conj
from .comparison import equal, where
from .define import FLOAT, FLOATING, elementwise

exp = elementwise(
    "exp",
    lambda m, x: m.exp(x),
    lambda g, out, x: (lambda: strong(g, conj(out)),),
    ufunc="exp",
    accepts=FLOAT,
    doc="""e to the power x. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.exp([0., 1.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([1.      , 2.718282], dtype=float32)>
    """,
)
expm1 = elementwise(
    "expm1",
    lambda m, x: m.expm1(x),
    lambda g, out, x: (lambda: strong(g, conj(out + 1)),),
    ufunc="expm1",
    accepts=FLOAT,
    doc="""exp(x) - 1, precise near 0. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.expm1([0., 1e-10])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.e+00, 1.e-10], dtype=float32)>
    """,
)
log = elementwise(
    "log",
    lambda m, x: m.log(x),
    lambda g, out, x: (lambda: xdivy(g, conj(x)),),
    ufunc="log",
    accepts=FLOAT,
    doc="""The natural logarithm: -inf at 0, NaN below. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.log([1., 2., 0.]).numpy()
    array([0.       , 0.6931472,      -inf], dtype=float32)
    """,
)
log1p = elementwise(
    "log1p",
    lambda m, x: m.log1p(x),
    lambda g, out, x: (lambda: xdivy(g, conj(1 + x)),),
    ufunc="log1p",
    accepts=FLOAT,
    doc="""log(1 + x), precise near 0. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.log1p([0., 1e-10])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.e+00, 1.e-10], dtype=float32)>
    """,
)
sqrt = elementwise(
    "sqrt",
    lambda m, x: m.sqrt(x),
    lambda g, out, x: (lambda: xdivy(g, conj(out * 2)),),
    ufunc="sqrt",
    accepts=FLOAT,
    doc="""The square root; NaN below 0. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.sqrt([4., 2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([2.       , 1.4142135], dtype=float32)>
    """,
)
rsqrt = elementwise(
    "rsqrt",
    lambda m, x: 1 / m.sqrt(x),
    lambda g, out, x: (lambda: xdivy(strong(g * -0.5, conj(out)), conj(x)),),
    accepts=FLOAT,
    doc="""1 / sqrt(x). Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.rsqrt([4., 0.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.5, inf], dtype=float32)>
    """,
)
sigmoid = elementwise(
    "sigmoid",
    lambda m, x: 1 / (1 + m.exp(-x)),
    lambda g, out, x: (lambda: g * conj(out * (1 - out)),),
    accepts=FLOAT,
    doc="""1 / (1 + exp(-x)). Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.sigmoid([0., 100., -100.])
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([0.5, 1. , 0. ], dtype=float32)>
    """,
)
softplus = elementwise(
    "softplus",
    lambda m, x: m.maximum(x, 0) + m.log1p(m.exp(-m.abs(x))),
    lambda g, out, x: (lambda: g * sigmoid(x),),
    accepts=FLOATING,
    doc="""log(1 + exp(x)), without overflow. Floating dtypes.

    >>> import treadle as tl
    >>> tl.math.softplus([0., 100., -100.]).numpy()
    array([6.931472e-01, 1.000000e+02, 3.783506e-44], dtype=float32)
    """,
)
xlogy = elementwise(
    "xlogy",
    lambda m, x, y: m.where(x == 0, x, x * m.log(y)),
    lambda g, out, x, y: (
        lambda: strong(g, conj(log(where(equal(x, 0), 1, y)))),
        lambda: strong(g, conj(xdivy(x, y))),
    ),
    jvp=lambda ts, out, x, y: _xlogy_tangent(ts[0], ts[1], x, y),
    arity=2,
    accepts=FLOAT,
    doc="""x * log(y), but 0 where x is 0, even if y is 0 or NaN there. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.xlogy([0., 2.], [0., 3.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.       , 2.1972246], dtype=float32)>
    """,
)


def _xlogy_tangent(tx: Any, ty: Any, x: Tensor, y: Tensor) -> Tensor:
    """Where x is 0 the product does not vary with y, not even if y varies without bound."""
    by_y = None if ty is None else strong(where(equal(x, 0), 0, ty), xdivy(x, y))
    if tx is None:
        assert by_y is not None
        return by_y
    by_x = strong(tx, log(where(equal(x, 0), 1, y)))
    return by_x if by_y is None else add(by_x, by_y)


def xlog1py(x: Any, y: Any, name: str | None = None) -> Tensor:
    """The product x * log(1 + y), but 0 where x is 0, even if y is -1 or NaN there.

    >>> import treadle as tl
    >>> tl.math.xlog1py([0., 2.], [-1., 1e-10])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.e+00, 2.e-10], dtype=float32)>
    """
    x, y = operands(OPS["xlogy"], x, y)
    return strong(x, log1p(y))


def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """log(sigmoid(x)), without underflow. Floating dtypes.

    >>> import treadle as tl
    >>> tl.math.log_sigmoid([0., 100., -100.]).numpy()
    array([-6.931472e-01, -3.783506e-44, -1.000000e+02], dtype=float32)
    """
    return -softplus(-convert(x))
