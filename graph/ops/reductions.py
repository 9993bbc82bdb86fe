"""Ops that combine the items along axes into one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..errors import InvalidArgumentError
from ..node import Tensor
from ..op import Op, batches, no_gradient
from ..spec import UNKNOWN, TensorShape, TensorSpec
from .arithmetic import strong
from .axes import expand_dims
from .casting import cast, conj
from .comparison import equal, where
from .cumulative import cumprod
from .define import BOOL, FLOATING, NUMERIC, REAL, primitive, require_kind
from .dims import constant_ints, normal_axis, refuse
from .division import minimum
from .exponential import exp
from .filling import ones_like
from .reshaping import broadcast_like, reshape, reshape_like

Axes = tuple[int, ...] | None


def reduced_spec(x: TensorSpec, axis: Axes, keepdims: bool) -> TensorSpec:
    """`x` without the axes `axis`; all axes where that is None."""
    if axis is None and not keepdims:
        return TensorSpec((), x.dtype)
    if x.shape.rank is None:
        return TensorSpec(UNKNOWN, x.dtype)
    rank = len(x.shape)
    gone = range(rank) if axis is None else [normal_axis(i, rank) for i in axis]
    if axis is not None and len(gone) > 1 and len(set(gone)) < len(gone):
        raise InvalidArgumentError(f"an axis is named twice in {list(axis)}")
    kept = [1 if i in gone else d for i, d in enumerate(x.shape) if keepdims or i not in gone]
    return TensorSpec(kept, x.dtype)


def axes_argument(op: Op, x: Tensor, axis: Any) -> Axes:
    """The argument `axis` as an attribute: counted from the front where the rank is known."""
    if axis is None:
        return None
    rank = x.spec.shape.rank
    if type(axis) is int and rank is not None and -rank <= axis < rank:
        return (axis % rank,)
    try:
        return tuple([normal_axis(i, rank) for i in constant_ints(axis, "axis")])
    except InvalidArgumentError as error:
        raise refuse(error, op, x) from None


def spread(g: Tensor, x: Tensor, axis: Axes, keepdims: bool) -> Tensor:
    """The reduced `g` with the axes of `x` again, of size 1: it broadcasts against `x`."""
    rank = x.spec.shape.rank
    if keepdims or axis is None or len(axis) == rank:
        return g
    if rank is not None:
        sizes = [1 if i in axis else d for i, d in enumerate(x.spec.shape)]
        if sizes.count(None) <= 1:
            return reshape(g, [-1 if d is None else d for d in sizes])
    front, back = sorted(i for i in axis if i >= 0), sorted(i for i in axis if i < 0)
    if front and back:
        return reshape_like(g, reduce_sum(x, axis, keepdims=True))
    for i in (*front, *reversed(back)):
        g = expand_dims(g, i)
    return g


def _run_time_axes(x: Array, axis: Axes) -> Axes:
    return None if axis is None else tuple([normal_axis(i, x.ndim) for i in axis])


def _rank_unknown(x: Tensor, *, axis: Axes, keepdims: bool) -> bool:
    return axis is not None and x.spec.shape.rank is None


def reduction(
    name: str,
    accepts: str,
    eval: Callable[..., Any],
    vjp: Callable[..., Any],
    jvp: Callable[..., Any] | None = None,
) -> Op:
    """Define an op with the attributes `axis` and `keepdims`."""

    def infer(x: TensorSpec, *, axis: Axes, keepdims: bool) -> TensorSpec:
        require_kind(x, accepts)
        return reduced_spec(x, axis, keepdims)

    def evaluate(xp: Any, x: Array, *, axis: Axes, keepdims: bool) -> Any:
        return eval(xp, x, _run_time_axes(x, axis), keepdims)

    op = primitive(name, infer, evaluate, vjp, jvp=jvp, checks=_rank_unknown)
    _batched(op)
    return op


def _batched(op: Op) -> None:
    @batches(op)
    def rule(batch: Any, flags: Any, x: Tensor, *, axis: Axes, keepdims: bool) -> Any:
        if axis is None and x.spec.shape.rank is None:
            if keepdims:
                return batch.each(op, flags, (x,), {"axis": axis, "keepdims": keepdims})
            count = reduce_prod(batch.sizes(x))
            x = batch.reshaped(x, TensorShape([None]), reshape(count, [1]))
        attrs = {"axis": batch.axes(axis, x), "keepdims": keepdims}
        return apply(op, (x,), attrs)


def item_by_item(vjp: Callable[..., Any]) -> Callable[..., Any]:
    """The forward rule of a reduction: each item times its derivative, added up."""

    def jvp(ts: Any, out: Tensor, x: Tensor, *, axis: Axes, keepdims: bool) -> Tensor:
        (slope,) = vjp(ones_like(out), out, x, axis=axis, keepdims=keepdims)
        return reduce_sum(strong(ts[0], conj(slope())), axis, keepdims)

    return jvp


def _reduce(op: Op, x: Any, axis: Any, keepdims: bool) -> Tensor:
    x = x if isinstance(x, Tensor) else convert(x)
    attrs = {"axis": axes_argument(op, x, axis), "keepdims": bool(keepdims)}
    result: Tensor = apply(op, (x,), attrs)
    return result


def _sum_vjp(g: Tensor, out: Tensor, x: Tensor, *, axis: Axes, keepdims: bool) -> Any:
    return (lambda: broadcast_like(spread(g, x, axis, keepdims), x),)


def _prod_vjp(g: Tensor, out: Tensor, x: Tensor, *, axis: Axes, keepdims: bool) -> Any:
    """Each item's factor is the product of the others: no division, which fails at zeros."""

    def gradient() -> Tensor:
        if axis is None:
            flat = reshape(x, [-1])
            return reshape_like(conj(_others(flat, 0)) * g, x)
        part, factor = x, None
        for i in axis:
            others = _others(part, i)
            factor = others if factor is None else factor * others
            part = reduce_prod(part, i, keepdims=True)
        g_spread = spread(g, x, axis, keepdims)
        return broadcast_like(g_spread, x) if factor is None else conj(factor) * g_spread

    return (gradient,)


def _others(x: Tensor, axis: int) -> Tensor:
    before = cumprod(x, axis, exclusive=True)
    return before * cumprod(x, axis, exclusive=True, reverse=True)


def _extremum_vjp(g: Tensor, out: Tensor, x: Tensor, *, axis: Axes, keepdims: bool) -> Any:
    """Equal extremes share the gradient."""

    def gradient() -> Tensor:
        chosen = cast(equal(x, spread(out, x, axis, keepdims)), x.dtype)
        count = reduce_sum(chosen, axis, keepdims=keepdims)
        return chosen * spread(g / count, x, axis, keepdims)

    return (gradient,)


def _extremum(which: str) -> Callable[..., Any]:
    """The maximum or minimum; of no items, the limit of the dtype as in TensorFlow."""

    def evaluate(xp: Any, x: Array, axis: Axes, keepdims: bool) -> Any:
        if x.size:
            return getattr(x, which)(axis=axis, keepdims=keepdims)
        if x.dtype.kind in "iu":
            limits: Any = np.iinfo(x.dtype)
            first = limits.min if which == "max" else limits.max
        else:
            first = -np.inf if which == "max" else np.inf
        return getattr(x, which)(axis=axis, keepdims=keepdims, initial=first)

    return evaluate


def _logsumexp(xp: Any, x: Array, axis: Axes, keepdims: bool) -> Any:
    if not x.size:
        return xp.log(xp.sum(x, axis=axis, keepdims=keepdims))
    top = x.max(axis=axis, keepdims=True)
    top = xp.where(xp.isfinite(top), top, top.dtype.type(0))
    total = xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True, dtype=x.dtype)) + top
    return total if keepdims else xp.squeeze(total, axis=axis)


def _logsumexp_vjp(g: Tensor, out: Tensor, x: Tensor, *, axis: Axes, keepdims: bool) -> Any:
    """The softmax; where all of x is -inf it is taken as 0, and 1 for items of inf: not NaN."""

    def gradient() -> Tensor:
        largest = float(x.dtype.max)
        known = where(equal(out, -np.inf), 0, minimum(out, largest))
        share = exp(minimum(x, largest) - spread(known, x, axis, keepdims))
        result: Tensor = strong(spread(g, x, axis, keepdims), share)
        return result

    return (gradient,)


_SUM = reduction(
    "reduce_sum",
    NUMERIC,
    lambda xp, x, axis, keepdims: x.sum(axis=axis, keepdims=keepdims, dtype=x.dtype),
    _sum_vjp,
    lambda ts, out, x, *, axis, keepdims: reduce_sum(ts[0], axis, keepdims),
)
_PROD = reduction(
    "reduce_prod",
    NUMERIC,
    lambda xp, x, axis, keepdims: x.prod(axis=axis, keepdims=keepdims, dtype=x.dtype),
    _prod_vjp,
    item_by_item(_prod_vjp),
)
_MAX = reduction("reduce_max", REAL, _extremum("max"), _extremum_vjp, item_by_item(_extremum_vjp))
_MIN = reduction("reduce_min", REAL, _extremum("min"), _extremum_vjp, item_by_item(_extremum_vjp))
_ALL = reduction(
    "reduce_all",
    BOOL,
    lambda xp, x, axis, keepdims: x.all(axis=axis, keepdims=keepdims),
    no_gradient,
)
_ANY = reduction(
    "reduce_any",
    BOOL,
    lambda xp, x, axis, keepdims: x.any(axis=axis, keepdims=keepdims),
    no_gradient,
)
_LOGSUMEXP = reduction(
    "reduce_logsumexp", FLOATING, _logsumexp, _logsumexp_vjp, item_by_item(_logsumexp_vjp)
)


def reduce_sum(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The sum along `axis` (one, several, or None for all); numeric dtypes, kept.

    `keepdims` leaves the summed axes in place, with size 1.

    >>> import treadle as tl
    >>> tl.reduce_sum([[1., 2.], [3., 4.]], axis=0)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([4., 6.], dtype=float32)>
    >>> tl.reduce_sum([[1, 2], [3, 4]])
    <tl.Tensor: shape=(), dtype=int32, numpy=10>
    """
    return _reduce(_SUM, input_tensor, axis, keepdims)


def reduce_prod(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The product along `axis` (one, several, or None for all); numeric dtypes, kept.

    >>> import treadle as tl
    >>> tl.reduce_prod([[1., 2.], [3., 4.]], axis=1)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([ 2., 12.], dtype=float32)>
    """
    return _reduce(_PROD, input_tensor, axis, keepdims)


def reduce_max(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The largest item along `axis` (one, several, or None for all); NaN if one is NaN.

    Integer and floating dtypes; of no items it is the lowest value of the dtype. Items that are
    equally large share the gradient.

    >>> import treadle as tl
    >>> tl.reduce_max([[1., 5.], [3., 4.]], axis=0)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([3., 5.], dtype=float32)>
    """
    return _reduce(_MAX, input_tensor, axis, keepdims)


def reduce_min(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """The smallest item along `axis` (one, several, or None for all); NaN if one is NaN.

    Integer and floating dtypes; of no items it is the highest value of the dtype. Items that are
    equally small share the gradient.

    >>> import treadle as tl
    >>> tl.reduce_min([[1., 5.], [3., 4.]], axis=0)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([1., 4.], dtype=float32)>
    """
    return _reduce(_MIN, input_tensor, axis, keepdims)


def reduce_all(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """True where all items along `axis` (one, several, or None for all) are; dtype bool.

    >>> import treadle as tl
    >>> tl.reduce_all([[True, False], [True, True]], axis=1).numpy()
    array([False,  True])
    """
    return _reduce(_ALL, input_tensor, axis, keepdims)


def reduce_any(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """True where any item along `axis` (one, several, or None for all) is; dtype bool.

    >>> import treadle as tl
    >>> tl.reduce_any([[True, False], [False, False]], axis=1).numpy()
    array([ True, False])
    """
    return _reduce(_ANY, input_tensor, axis, keepdims)


def reduce_logsumexp(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """log(sum(exp(x))) along `axis`, without overflow; floating dtypes.

    Items of -inf count as nothing; of nothing the result is -inf.

    >>> import treadle as tl
    >>> tl.reduce_logsumexp([[1000., 1000.], [0., float("-inf")]], axis=1)
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([1000.6932,    0.    ], dtype=float32)>
    """
    return _reduce(_LOGSUMEXP, input_tensor, axis, keepdims)
