"""Values and gradients held within limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .graph.build import convert
from .graph.dtypes import as_dtype
from .graph.indexed_slices import IndexedSlices
from .graph.node import Tensor
from .graph.ops.arithmetic import multiply
from .graph.ops.axes import stop_gradient
from .graph.ops.casting import cast
from .graph.ops.comparison import where
from .graph.ops.division import maximum, minimum
from .graph.ops.exponential import sqrt
from .graph.ops.reductions import reduce_sum
from .graph.ops.statistics import add_n

__all__ = [
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "global_norm",
    "saturate_cast",
]


def clip_by_value(
    t: Any, clip_value_min: Any, clip_value_max: Any, name: str | None = None
) -> Tensor:
    """`t` with what is below `clip_value_min` or above `clip_value_max` put onto the limit.

    Integer and floating dtypes. The gradient is 0 for items outside of the limits.

    >>> import treadle as tl
    >>> tl.clip_by_value([-1., 0.5, 3.], 0., 1.)
    <tl.Tensor: shape=(3,), dtype=float32, numpy=array([0. , 0.5, 1. ], dtype=float32)>
    """
    result: Tensor = maximum(minimum(convert(t), clip_value_max), clip_value_min)
    return result


def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """`t`, scaled down so that its Euclidean norm along `axes` is at most `clip_norm`.

    >>> import treadle as tl
    >>> tl.clip_by_norm([3., 4.], 1.)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.6, 0.8], dtype=float32)>
    """
    x = convert(t)
    squares = reduce_sum(x * x, axes, keepdims=True)
    some = squares > 0
    size = where(some, sqrt(where(some, squares, 1)), 0)
    return multiply(x, clip_norm) / maximum(size, clip_norm)


def global_norm(t_list: Sequence[Any], name: str | None = None) -> Tensor:
    """The Euclidean norm of all items of all tensors; None in the list is skipped.

    >>> import treadle as tl
    >>> tl.linalg.global_norm([[3.], None, [[4.]]])
    <tl.Tensor: shape=(), dtype=float32, numpy=5.0>
    """
    squares = [reduce_sum(x * x) for x in map(_tensor, t_list) if x is not None]
    total = add_n(squares)
    some = total > 0  # the gradient at 0 is 0
    return where(some, sqrt(where(some, total, 1)), stop_gradient(total))


def _tensor(value: Any) -> Tensor | None:
    return None if value is None else convert(value)


def clip_by_global_norm(
    t_list: Sequence[Any], clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple[list[Any], Tensor]:
    """The tensors scaled down together so that their global norm is at most `clip_norm`.

    Gives the list (None stays None, IndexedSlices stay such) and the norm before. If the norm is
    not finite, all is NaN.

    >>> import treadle as tl
    >>> clipped, norm = tl.clip_by_global_norm([tl.constant([3.]), tl.constant([4.])], 1.)
    >>> [x.numpy() for x in clipped], norm.numpy()
    ([array([0.6], dtype=float32), array([0.8], dtype=float32)], np.float32(5.0))
    """
    size = global_norm(t_list) if use_norm is None else convert(use_norm)
    limit = convert(clip_norm, hint=size.dtype)
    scale = limit * minimum(1 / size, 1 / limit)
    scale = scale + (size - size)  # NaN where the norm is infinite or NaN
    return [_scaled(x, scale) for x in t_list], size


def _scaled(value: Any, scale: Tensor) -> Any:
    if isinstance(value, IndexedSlices):
        return IndexedSlices(value.values * scale, value.indices, value.dense_shape)
    return None if value is None else convert(value) * scale


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """`value` cast to `dtype`, where what is out of its range becomes the nearest limit.

    >>> import treadle as tl
    >>> tl.saturate_cast([-3, 100, 300], tl.uint8)
    <tl.Tensor: shape=(3,), dtype=uint8, numpy=array([  0, 100, 255], dtype=uint8)>
    """
    x, target = convert(value), as_dtype(dtype)
    if x.dtype.is_complex:
        x = cast(x, x.dtype.real_dtype)
    if x.dtype.is_integer and target.is_integer:
        x = maximum(x, max(int(x.dtype.min), int(target.min)))
        x = minimum(x, min(int(x.dtype.max), int(target.max)))
    elif x.dtype.is_floating and target.is_floating and target.size < x.dtype.size:
        x = clip_by_value(x, float(target.min), float(target.max))
    return cast(x, target)
