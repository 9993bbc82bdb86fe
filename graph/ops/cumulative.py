"""Running sums and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..build import apply, convert
from ..convert import Array
from ..errors import InvalidArgumentError
from ..node import Tensor
from ..op import Op
from ..spec import TensorSpec, broadcast_shapes
from .casting import conj
from .define import NUMERIC, batches_along_axis, primitive, require_kind, same_dtype
from .dims import constant_int, normal_axis, refuse


def _infer(x: TensorSpec, *, axis: int, exclusive: bool, reverse: bool) -> TensorSpec:
    require_kind(x, NUMERIC)
    normal_axis(axis, x.shape.rank)
    return TensorSpec(x.shape, x.dtype)


def _scan(which: str, first: int) -> Callable[..., Any]:
    def evaluate(xp: Any, x: Array, *, axis: int, exclusive: bool, reverse: bool) -> Any:
        axis = normal_axis(axis, x.ndim)
        front = (slice(None),) * axis
        ahead = (*front, slice(None, None, -1)) if reverse else (...,)
        x = x[ahead]
        if exclusive:
            shifted = xp.full_like(x, first)
            shifted[(*front, slice(1, None))] = x[(*front, slice(None, -1))]
            x = shifted
        return getattr(xp, which)(x, axis=axis, dtype=x.dtype)[ahead]

    return evaluate


def _rank_unknown(x: Tensor, *, axis: int, **attrs: bool) -> bool:
    return x.spec.shape.rank is None


def _sum_vjp(
    g: Tensor, out: Tensor, x: Tensor, *, axis: int, exclusive: bool, reverse: bool
) -> Any:
    return (lambda: cumsum(g, axis, exclusive, not reverse),)


def _prod_vjp(
    g: Tensor, out: Tensor, x: Tensor, *, axis: int, exclusive: bool, reverse: bool
) -> Any:
    """With p the product of the items before item j: p r, where r[j] = g[j] + x[j+1] r[j+1].

    No division by x, which fails at zeros.
    """

    def gradient() -> Tensor:
        before = conj(cumprod(x, axis, True, reverse))
        factors = conj(x)
        if exclusive:
            return before * _shift(_recur(factors, g, axis, not reverse), axis, not reverse)
        return before * _recur(_shift(factors, axis, not reverse), g, axis, not reverse)

    return (gradient,)


def _prod_jvp(
    ts: Any, out: Tensor, x: Tensor, *, axis: int, exclusive: bool, reverse: bool
) -> Tensor:
    """Of p[j] = x[j] p[j-1]: t[j] p[j-1] + x[j] times the tangent of p[j-1]."""
    before = cumprod(x, axis, True, reverse)
    found = _recur(x, ts[0] * before, axis, reverse)
    return _shift(found, axis, reverse) if exclusive else found


CUMSUM = primitive(
    "cumsum", _infer, _scan("cumsum", 0), _sum_vjp, linear=(0,), checks=_rank_unknown
)
CUMPROD = primitive(
    "cumprod", _infer, _scan("cumprod", 1), _prod_vjp, jvp=_prod_jvp, checks=_rank_unknown
)


def cumsum(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """The running sum along `axis`; numeric dtypes, kept.

    `exclusive` leaves out the item itself, `reverse` runs from the end.

    >>> import treadle as tl
    >>> tl.cumsum([1, 2, 3])
    <tl.Tensor: shape=(3,), dtype=int32, numpy=array([1, 3, 6], dtype=int32)>
    >>> tl.cumsum([1, 2, 3], exclusive=True, reverse=True)
    <tl.Tensor: shape=(3,), dtype=int32, numpy=array([5, 3, 0], dtype=int32)>
    """
    return _run(CUMSUM, x, axis, exclusive, reverse)


def cumprod(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """The running product along `axis`; numeric dtypes, kept.

    `exclusive` leaves out the item itself, `reverse` runs from the end.

    >>> import treadle as tl
    >>> tl.math.cumprod([2, 3, 4])
    <tl.Tensor: shape=(3,), dtype=int32, numpy=array([ 2,  6, 24], dtype=int32)>
    """
    return _run(CUMPROD, x, axis, exclusive, reverse)


def _run(op: Op, x: Any, axis: Any, exclusive: bool, reverse: bool) -> Tensor:
    x = convert(x)
    try:
        axis = normal_axis(constant_int(axis, "axis"), x.spec.shape.rank)
    except InvalidArgumentError as error:
        raise refuse(error, op, x) from None
    attrs = {"axis": axis, "exclusive": bool(exclusive), "reverse": bool(reverse)}
    result: Tensor = apply(op, (x,), attrs)
    return result


# --- what the gradient of a product is made of -------------------------------


def _shift_eval(xp: Any, x: Array, *, axis: int, reverse: bool) -> Any:
    axis = normal_axis(axis, x.ndim)
    front = (slice(None),) * axis
    to, source = slice(1, None), slice(None, -1)
    out = xp.zeros_like(x)
    out[(*front, source if reverse else to)] = x[(*front, to if reverse else source)]
    return out


_SHIFT = primitive(
    "shift",
    lambda x, *, axis, reverse: TensorSpec(x.shape, x.dtype),
    _shift_eval,
    lambda g, out, x, *, axis, reverse: (lambda: _shift(g, axis, not reverse),),
    linear=(0,),
)


def _shift(x: Tensor, axis: int, reverse: bool) -> Tensor:
    """x[j-1] in place j (x[j+1] if `reverse`), 0 where there is none."""
    result: Tensor = apply(_SHIFT, (x,), {"axis": axis, "reverse": reverse})
    return result


def _recur_eval(xp: Any, a: Array, b: Array, *, axis: int, reverse: bool) -> Any:
    a, out = xp.moveaxis(a, axis, 0), xp.moveaxis(b, axis, 0).copy()
    order = range(out.shape[0])
    previous = None
    for j in reversed(order) if reverse else order:
        if previous is not None:
            out[j] += a[j] * out[previous]
        previous = j
    return xp.moveaxis(out, 0, axis)


def _recur_infer(a: TensorSpec, b: TensorSpec, *, axis: int, reverse: bool) -> TensorSpec:
    return TensorSpec(broadcast_shapes(a.shape, b.shape), same_dtype(a, b))


def _recur_vjp(g: Tensor, out: Tensor, a: Tensor, b: Tensor, *, axis: int, reverse: bool) -> Any:
    back = _recur(_shift(conj(a), axis, not reverse), g, axis, not reverse)
    return (lambda: back * conj(_shift(out, axis, reverse)), back)


def _recur_jvp(ts: Any, out: Tensor, a: Tensor, b: Tensor, *, axis: int, reverse: bool) -> Tensor:
    ta, tb = ts
    more = None if ta is None else ta * _shift(out, axis, reverse)
    both = tb if more is None else more if tb is None else tb + more
    return _recur(a, both, axis, reverse)


_RECUR = primitive("recur", _recur_infer, _recur_eval, _recur_vjp, jvp=_recur_jvp)


def _recur(a: Tensor, b: Tensor, axis: int, reverse: bool) -> Tensor:
    """r[j] = b[j] + a[j] r[j-1], from the end if `reverse`; a and b have one shape."""
    result: Tensor = apply(_RECUR, (a, b), {"axis": axis, "reverse": reverse})
    return result


# --- of a batch of examples ----------------------------------------------------------

batches_along_axis(CUMSUM, CUMPROD, _SHIFT, _RECUR)
