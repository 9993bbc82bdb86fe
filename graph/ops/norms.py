"""Norms of vectors and matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..build import convert
from ..errors import InvalidArgumentError
from ..node import Tensor
from .arithmetic import absolute, multiply
from .axes import expand_dims, stop_gradient, transpose
from .casting import cast, conj
from .comparison import where
from .decompositions import svd
from .dims import constant_ints, normal_axis
from .division import maximum, power
from .exponential import rsqrt
from .linear import known_rank
from .reductions import reduce_max, reduce_sum
from .statistics import reduce_euclidean_norm


def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
) -> Tensor:
    """The norm of vectors along `axis`, or of matrices along a pair of axes.

    `ord` of a vector (of all items, if `axis` is None): "euclidean", 1, inf or any power above 0;
    of a matrix: "fro" or "euclidean", 1, 2, inf. Its gradient at 0 is 0.

    >>> import treadle as tl
    >>> tl.norm([[3., 4.], [6., 8.]], axis=1)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([ 5., 10.], dtype=float32)>
    >>> tl.norm([[3., 4.], [6., 8.]], ord=1)
    <tl.Tensor: shape=(), dtype=float32, numpy=21.0>
    """
    x = convert(tensor)
    keep = bool(keepdims)
    inf = float("inf")
    axes = None if axis is None else constant_ints(axis, "axis")
    if axes is not None and len(axes) == 2:
        if ord in ("fro", "euclidean"):
            return reduce_euclidean_norm(x, axes, keep)
        if ord == 2:
            return _largest_singular_value(x, axes, keep)
        if ord not in (1, inf):
            raise InvalidArgumentError(f"ord={ord!r} is no norm of matrices: 'fro', 1, 2 or inf is")
        summed, largest = axes if ord == 1 else axes[::-1]
        totals = reduce_sum(absolute(x), summed, keepdims=True)
        found = reduce_max(totals, largest, keepdims=True)
        return found if keep else reduce_sum(found, axes)
    if axes is not None and len(axes) != 1:
        raise InvalidArgumentError(f"axis is one or a pair, it is {axis!r}")
    if ord == "euclidean":
        return reduce_euclidean_norm(x, axes, keep)
    if isinstance(ord, str) or ord <= 0:
        raise InvalidArgumentError(f"ord={ord!r} is no norm of vectors")
    if ord == 1:
        return reduce_sum(absolute(x), axes, keep)
    if ord == inf:
        return reduce_max(absolute(x), axes, keep)
    total = reduce_sum(power(absolute(x), ord), axes, keep)
    some = total > 0  # at 0 the root is as steep as can be, but the sum is flat
    return where(some, power(where(some, total, 1), 1.0 / ord), stop_gradient(total))


def _largest_singular_value(x: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    rank = known_rank(x)
    rows, columns = [normal_axis(axis, rank) for axis in axes]
    others = [i for i in range(rank) if i not in (rows, columns)]
    found = reduce_max(svd(transpose(x, [*others, rows, columns]), compute_uv=False), -1)
    for axis in sorted((rows, columns)) if keep else ():
        found = expand_dims(found, axis)
    return found


def normalize(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """`tensor` divided by its norm, and the norm (with its axes kept).

    >>> import treadle as tl
    >>> tl.linalg.normalize([3., 4.])[0]
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.6, 0.8], dtype=float32)>
    """
    x = convert(tensor)
    size = norm(x, ord, axis, keepdims=True)
    return x / size, size


def l2_normalize(
    x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None
) -> Tensor:
    """`x` divided by its Euclidean norm along `axis`, or by sqrt(epsilon) where that is larger.

    >>> import treadle as tl
    >>> tl.linalg.l2_normalize([[3., 4.], [0., 0.]], axis=1)
    <tl.Tensor: shape=(2, 2), dtype=float32, numpy=
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)>
    """
    t = convert(x)
    squares = reduce_sum(multiply(t, conj(t)), axis, keepdims=True)
    size = rsqrt(maximum(cast(squares, t.dtype.real_dtype), epsilon))
    return t * cast(size, t.dtype)
