"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import Any

from ..build import convert
from ..node import Tensor
from .arithmetic import square, strong, xdivy
from .casting import COMPLEX, complex_, conj, imag, real_part, zeros
from .define import FLOAT, FLOATING, Function, elementwise
from .exponential import sqrt

sin = elementwise(
    "sin",
    lambda m, x: m.sin(x),
    lambda g, out, x: (lambda: g * conj(cos(x)),),
    ufunc="sin",
    accepts=FLOAT,
    doc="""The sine of an angle in radians. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.sin([0., 1.5707964])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0., 1.], dtype=float32)>
    """,
)
cos: Function = elementwise(
    "cos",
    lambda m, x: m.cos(x),
    lambda g, out, x: (lambda: -g * conj(sin(x)),),
    ufunc="cos",
    accepts=FLOAT,
    doc="""The cosine of an angle in radians. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.cos([0., 3.1415927])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([ 1., -1.], dtype=float32)>
    """,
)
tan = elementwise(
    "tan",
    lambda m, x: m.tan(x),
    lambda g, out, x: (lambda: g * conj(1 + square(out)),),
    ufunc="tan",
    accepts=FLOAT,
    doc="""The tangent of an angle in radians. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.tan([0., 0.7853982])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0., 1.], dtype=float32)>
    """,
)
asin = elementwise(
    "asin",
    lambda m, x: m.arcsin(x),
    lambda g, out, x: (lambda: xdivy(g, conj(sqrt(1 - square(x)))),),
    ufunc="arcsin",
    accepts=FLOAT,
    doc="""The angle in [-pi/2, pi/2] whose sine is x; NaN beyond 1. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.asin([0., 1., 2.]).numpy()
    array([0.       , 1.5707964,       nan], dtype=float32)
    """,
)
acos = elementwise(
    "acos",
    lambda m, x: m.arccos(x),
    lambda g, out, x: (lambda: xdivy(-g, conj(sqrt(1 - square(x)))),),
    ufunc="arccos",
    accepts=FLOAT,
    doc="""The angle in [0, pi] whose cosine is x; NaN beyond 1. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.acos([1., 0., 2.]).numpy()
    array([0.       , 1.5707964,       nan], dtype=float32)
    """,
)
atan = elementwise(
    "atan",
    lambda m, x: m.arctan(x),
    lambda g, out, x: (lambda: xdivy(g, conj(1 + square(x))),),
    ufunc="arctan",
    accepts=FLOAT,
    doc="""The angle in [-pi/2, pi/2] whose tangent is x. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.atan([0., 1.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.       , 0.7853982], dtype=float32)>
    """,
)
atan2 = elementwise(
    "atan2",
    lambda m, y, x: m.arctan2(y, x),
    lambda g, out, y, x: (
        lambda: strong(g, x / (square(x) + square(y))),
        lambda: strong(g, -y / (square(x) + square(y))),
    ),
    arity=2,
    ufunc="arctan2",
    accepts=FLOATING,
    doc="""The angle in [-pi, pi] of the point at x to the right and y up. Floating dtypes.

    >>> import treadle as tl
    >>> tl.atan2([1., -1.], [0., -1.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([ 1.5707964, -2.3561945], dtype=float32)>
    """,
)
sinh = elementwise(
    "sinh",
    lambda m, x: m.sinh(x),
    lambda g, out, x: (lambda: strong(g, conj(cosh(x))),),
    ufunc="sinh",
    accepts=FLOAT,
    doc="""The hyperbolic sine. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.sinh([0., 1.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.       , 1.1752012], dtype=float32)>
    """,
)
cosh: Function = elementwise(
    "cosh",
    lambda m, x: m.cosh(x),
    lambda g, out, x: (lambda: strong(g, conj(sinh(x))),),
    ufunc="cosh",
    accepts=FLOAT,
    doc="""The hyperbolic cosine. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.cosh([0., 1.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([1.       , 1.5430807], dtype=float32)>
    """,
)
tanh = elementwise(
    "tanh",
    lambda m, x: m.tanh(x),
    lambda g, out, x: (lambda: g * conj(1 - square(out)),),
    ufunc="tanh",
    accepts=FLOAT,
    doc="""The hyperbolic tangent. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.tanh([0., 1., 100.]).numpy()
    array([0.       , 0.7615942, 1.       ], dtype=float32)
    """,
)
asinh = elementwise(
    "asinh",
    lambda m, x: m.arcsinh(x),
    lambda g, out, x: (lambda: g / conj(cosh(out)),),
    ufunc="arcsinh",
    accepts=FLOAT,
    doc="""The inverse of sinh. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.asinh([0., 1.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.       , 0.8813736], dtype=float32)>
    """,
)
acosh = elementwise(
    "acosh",
    lambda m, x: m.arccosh(x),
    lambda g, out, x: (lambda: xdivy(g, conj(sinh(out))),),
    ufunc="arccosh",
    accepts=FLOAT,
    doc="""The inverse of cosh; NaN below 1. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.acosh([1., 2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.      , 1.316958], dtype=float32)>
    """,
)
atanh = elementwise(
    "atanh",
    lambda m, x: m.arctanh(x),
    lambda g, out, x: (lambda: xdivy(g, conj(1 - square(x))),),
    ufunc="arctanh",
    accepts=FLOAT,
    doc="""The inverse of tanh; infinite at -1 and 1, NaN beyond. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.atanh([0., 0.5, 1.]).numpy()
    array([0.        , 0.54930615,        inf], dtype=float32)
    """,
)
_angle = elementwise(
    "angle",
    lambda m, x: m.arctan2(m.imag(x), m.real(x)),
    lambda g, out, x: (lambda: xdivy(complex_(zeros(g), g), conj(x)),),
    jvp=lambda ts, out, x: imag(xdivy(ts[0], x)),
    accepts=COMPLEX,
    result=real_part,
)


def angle(input: Any, name: str | None = None) -> Tensor:
    """The angle of a complex number in the plane; 0 or pi for a real one.

    >>> import treadle as tl
    >>> tl.math.angle([1.j, -1. + 0.j])
    <tl.Tensor: shape=(2,), dtype=float64, numpy=array([1.57079633, 3.14159265])>
    """
    x = convert(input)
    if not x.dtype.is_complex:
        x = complex_(x, zeros(x))
    result: Tensor = _angle(x)
    return result
