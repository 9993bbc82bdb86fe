"""Whole numbers near a number."""

from __future__ import annotations

from ..op import no_gradient
from .define import FLOATING, REAL, elementwise

floor = elementwise(
    "floor",
    lambda m, x: m.floor(x),
    no_gradient,
    ufunc="floor",
    accepts=FLOATING,
    doc="""The largest whole number not above x; floating dtypes.

    >>> import treadle as tl
    >>> tl.floor([1.7, -1.2])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([ 1., -2.], dtype=float32)>
    """,
)
ceil = elementwise(
    "ceil",
    lambda m, x: m.ceil(x),
    no_gradient,
    ufunc="ceil",
    accepts=FLOATING,
    doc="""The smallest whole number not below x; floating dtypes.

    >>> import treadle as tl
    >>> tl.math.ceil([1.2, -1.7])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([ 2., -1.], dtype=float32)>
    """,
)
trunc = elementwise(
    "trunc",
    lambda m, x: m.trunc(x),
    no_gradient,
    ufunc="trunc",
    accepts=FLOATING,
    doc="""The whole number next to x on the side of 0; floating dtypes.

    >>> import treadle as tl
    >>> tl.math.trunc([1.7, -1.7])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([ 1., -1.], dtype=float32)>
    """,
)
rint = elementwise(
    "round",
    lambda m, x: m.rint(x),
    no_gradient,
    accepts=REAL,
    eval=lambda xp, x: x.copy() if x.dtype.kind in "iu" else xp.rint(x),
    doc="""The nearest whole number, halves to the even one; integers are left as they are.

    >>> import treadle as tl
    >>> tl.round([0.5, 1.5, 2.4])
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([0., 2., 2.], dtype=float32)>
    """,
)
