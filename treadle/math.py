"""Mathematical functions under TensorFlow's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .activations import log_softmax, softmax, softsign
from .counting import (
    confusion_matrix,
    invert_permutation,
    is_non_decreasing,
    is_strictly_increasing,
)
from .graph.build import convert
from .graph.node import Tensor
from .graph.ops.arithmetic import absolute as abs
from .graph.ops.arithmetic import (
    add,
    divide,
    divide_no_nan,
    multiply,
    multiply_no_nan,
    negative,
    reciprocal,
    sign,
    square,
    squared_difference,
    subtract,
    xdivy,
)
from .graph.ops.casting import conj, imag, real
from .graph.ops.comparison import (
    equal,
    greater,
    greater_equal,
    less,
    less_equal,
    not_equal,
)
from .graph.ops.comparison import isfinite as is_finite
from .graph.ops.comparison import isinf as is_inf
from .graph.ops.comparison import isnan as is_nan
from .graph.ops.cumulative import cumprod, cumsum
from .graph.ops.division import floordiv, floormod, maximum, minimum, truncatediv, truncatemod
from .graph.ops.division import power as pow
from .graph.ops.exponential import (
    exp,
    expm1,
    log,
    log1p,
    log_sigmoid,
    rsqrt,
    sigmoid,
    softplus,
    sqrt,
    xlog1py,
    xlogy,
)
from .graph.ops.filling import zeros_like
from .graph.ops.gamma import digamma, lgamma, polygamma
from .graph.ops.logic import logical_and, logical_not, logical_or, logical_xor
from .graph.ops.norms import l2_normalize
from .graph.ops.reductions import (
    reduce_all,
    reduce_any,
    reduce_logsumexp,
    reduce_max,
    reduce_min,
    reduce_prod,
    reduce_sum,
)
from .graph.ops.rounding import ceil, floor, rint, trunc
from .graph.ops.rounding import rint as round
from .graph.ops.segments import bincount, segment_sum, unsorted_segment_mean, unsorted_segment_sum
from .graph.ops.sorting import in_top_k, top_k
from .graph.ops.special import erf, erfc, erfcinv, erfinv, ndtri
from .graph.ops.statistics import (
    add_n,
    argmax,
    argmin,
    count_nonzero,
    reduce_euclidean_norm,
    reduce_mean,
    reduce_std,
    reduce_variance,
)
from .graph.ops.trigonometric import (
    acos,
    acosh,
    angle,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    sin,
    sinh,
    tan,
    tanh,
)
from .normalization import zero_fraction
from .segments import (
    segment_max,
    segment_mean,
    segment_min,
    unsorted_segment_max,
    unsorted_segment_min,
    unsorted_segment_sqrt_n,
)

__all__ = [
    "abs",
    "accumulate_n",
    "acos",
    "acosh",
    "add",
    "add_n",
    "angle",
    "argmax",
    "argmin",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bincount",
    "ceil",
    "confusion_matrix",
    "conj",
    "cos",
    "cosh",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "digamma",
    "divide",
    "divide_no_nan",
    "equal",
    "erf",
    "erfc",
    "erfcinv",
    "erfinv",
    "exp",
    "expm1",
    "floor",
    "floordiv",
    "floormod",
    "greater",
    "greater_equal",
    "imag",
    "in_top_k",
    "invert_permutation",
    "is_finite",
    "is_inf",
    "is_nan",
    "is_non_decreasing",
    "is_strictly_increasing",
    "l2_normalize",
    "lbeta",
    "less",
    "less_equal",
    "lgamma",
    "log",
    "log1p",
    "log_sigmoid",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "multiply_no_nan",
    "ndtri",
    "negative",
    "not_equal",
    "polygamma",
    "polyval",
    "pow",
    "real",
    "reciprocal",
    "reciprocal_no_nan",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "rint",
    "round",
    "rsqrt",
    "scalar_mul",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_sum",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "squared_difference",
    "subtract",
    "tan",
    "tanh",
    "top_k",
    "truediv",
    "trunc",
    "truncatediv",
    "truncatemod",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
    "xdivy",
    "xlog1py",
    "xlogy",
    "zero_fraction",
]

truediv = divide
mod = floormod


def accumulate_n(
    inputs: Sequence[Any], shape: Any = None, tensor_dtype: Any = None, name: str | None = None
) -> Tensor:
    """The sum of a list of tensors, as `add_n`; the other arguments are ignored.

    >>> import treadle as tl
    >>> tl.math.accumulate_n([[1, 2], [3, 4]])
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([4, 6], dtype=int32)>
    """
    return add_n(inputs)


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Tensor:
    """`x` times a scalar, which takes x's dtype.

    >>> import treadle as tl
    >>> tl.scalar_mul(3., [1., 2.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([3., 6.], dtype=float32)>
    """
    x = convert(x)
    result: Tensor = multiply(convert(scalar, hint=x.dtype), x)
    return result


def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """1 / x, but 0 where x is 0. Floating and complex dtypes.

    >>> import treadle as tl
    >>> tl.math.reciprocal_no_nan([2., 0.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.5, 0. ], dtype=float32)>
    """
    return divide_no_nan(1, convert(x))


def polyval(coeffs: Sequence[Any], x: Any, name: str | None = None) -> Tensor:
    """The polynomial with these coefficients, the highest power first, at `x` (Horner's rule).

    >>> import treadle as tl
    >>> tl.math.polyval([2., 0., 1.], [1., 3.])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([ 3., 19.], dtype=float32)>
    """
    t = convert(x)
    if not len(coeffs):
        return zeros_like(t)
    total = add(zeros_like(t), coeffs[0])
    for c in coeffs[1:]:
        total = add(total * t, c)
    return total


def lbeta(x: Any, name: str | None = None) -> Tensor:
    """The logarithm of the beta function of the items along the last axis.

    >>> import treadle as tl
    >>> tl.math.lbeta([2., 3.])
    <tl.Tensor: shape=(), dtype=float32, numpy=-2.4849067>
    """
    x = convert(x)
    result: Tensor = reduce_sum(lgamma(x), -1) - lgamma(reduce_sum(x, -1))
    return result
