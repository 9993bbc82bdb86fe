"""The table of reductions and running sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ops.rows import Row, draw, with_values

import treadle as tl
from treadle.graph.build import apply
from treadle.graph.op import OPS

m = tl.math


def along(op: str, call: Callable[..., Any], oracle: Callable[..., Any], **more: Any) -> list[Row]:
    """All axes, one, two, kept ones."""
    low, high = more.pop("low", -2), more.pop("high", 2)
    cases = [(None, False), (0, False), (-1, True), ((0, 2), False), ((), True), ([2, 1], True)]
    return [
        Row(
            op=op,
            id=f"{more.get('name', op)}-{axis}-{'keep' if keep else 'drop'}".replace(" ", ""),
            call=lambda x, axis, keep: call(x, axis=axis, keepdims=keep),
            oracle=lambda x, axis, keep: oracle(
                x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keep
            ),
            sample=with_values((2, 3, 2), low=low, high=high, more=(axis, keep)),
            ulps=16,
            **{k: v for k, v in more.items() if k != "name"},
        )
        for axis, keep in cases
    ]


def summed(function: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy widens the sum of integers; ours keeps their dtype."""
    return lambda x, **attrs: function(x, **attrs, dtype=x.dtype)


def truncated_mean(x: Any, axis: Any, keepdims: bool) -> Any:
    total = np.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)
    count = x.size // max(total.size, 1)
    return np.trunc(total / count).astype(x.dtype)


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def norm(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sqrt(np.sum(np.abs(x) ** 2, axis=axis, keepdims=keepdims))


def running(name: str, reduce: Callable[..., Any], first: int) -> list[Row]:
    def oracle(x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
        x = np.flip(x, axis) if reverse else x
        if exclusive:
            x = np.insert(np.delete(x, -1, axis), 0, first, axis)
        y = reduce(x, axis=axis, dtype=x.dtype)
        return np.flip(y, axis) if reverse else y

    return [
        Row(
            op=name,
            id=f"{name}-{axis}-{exclusive:d}{reverse:d}",
            call=getattr(m, name),
            oracle=oracle,
            kinds="ifc",
            sample=with_values((3, 4), low=-2, high=2, more=(axis, exclusive, reverse)),
            ulps=16,
        )
        for axis in (0, -1)
        for exclusive in (False, True)
        for reverse in (False, True)
    ]


def with_zeros(*places: Any) -> Any:
    def sample(rng: np.random.Generator, dtype: Any) -> list[Any]:
        x = draw(rng, dtype, (2, 4), 0.5, 2)
        for place in places:
            x[place] = 0
        return [x]

    return sample


def distinct(rng: np.random.Generator, dtype: Any) -> list[Any]:
    """Items far apart, so that small steps change no order."""
    x = np.arange(12) % 7 if dtype.is_bool else rng.permutation(12) - 3 * (not dtype.is_unsigned)
    return [x.reshape(2, 3, 2).astype(dtype.numpy), None, False]


def extremum(op: str, call: Callable[..., Any], oracle: Callable[..., Any]) -> list[Row]:
    def sample_for(axis: Any, keep: bool) -> Any:
        return lambda rng, dtype: [distinct(rng, dtype)[0], axis, keep]

    return [
        Row(op=op, id=f"{op}-{axis}-{keep}".replace(" ", ""), call=call, oracle=oracle, kinds="if",
            sample=sample_for(axis, keep))
        for axis, keep in [(None, False), (0, True), ((0, 1), False), (-1, False)]
    ]  # fmt: skip


def place(op: str) -> list[Row]:
    return [
        Row(op=op, id=f"{op}-{axis}-{to.name}", call=lambda x, axis, to, op=op: getattr(tl, op)(
            x, axis, output_type=to), oracle=lambda x, axis, to, op=op: getattr(np, op)(
            x, axis).astype(to.numpy), kinds="bif",
            sample=lambda rng, dtype, axis=axis, to=to: [distinct(rng, dtype)[0], axis, to],
            smooth=False)
        for axis, to in [(0, tl.int64), (-1, tl.int32)]
    ]  # fmt: skip


def recurrence(a: Any, b: Any) -> Any:
    out = b.copy()
    for j in (1, 0):
        out[:, j] += a[:, j] * out[:, j + 1]
    return out


ROWS = [
    *along("reduce_sum", tl.reduce_sum, summed(np.sum), kinds="ifc"),
    *along("reduce_prod", tl.reduce_prod, summed(np.prod), kinds="ifc"),
    *along("reduce_logsumexp", tl.reduce_logsumexp, logsumexp, kinds="f"),
    *along("reduce_euclidean_norm", m.reduce_euclidean_norm, norm, kinds="fc"),
    *along("reduce_all", tl.reduce_all, np.all, kinds="b", smooth=False),
    *along("reduce_any", tl.reduce_any, np.any, kinds="b", smooth=False),
    *along("reduce_sum", tl.reduce_mean, np.mean, kinds="fc", name="mean"),
    *along("reduce_sum", tl.reduce_mean, truncated_mean, kinds="i", name="mean", wide=False),
    *along("reduce_sum", m.reduce_variance, np.var, kinds="fc", name="variance"),
    *along("reduce_euclidean_norm", m.reduce_std, np.std, kinds="fc", name="std")[:4],
    *along("reduce_sum", m.count_nonzero, np.count_nonzero, kinds="bif", name="count",
           smooth=False),
    *extremum("reduce_max", tl.reduce_max, lambda x, axis, keep: np.max(x, axis, keepdims=keep)),
    *extremum("reduce_min", tl.reduce_min, lambda x, axis, keep: np.min(x, axis, keepdims=keep)),
    *(
        Row(op="reduce_prod", id=f"prod-with-{len(zeros)}-zeros-{axis}",
            call=lambda x, axis=axis: tl.reduce_prod(x, axis),
            oracle=lambda x, axis=axis: np.prod(x, axis), kinds="fc", sample=with_zeros(*zeros))
        for axis in (None, 1)
        for zeros in [((0, 1),), ((0, 1), (0, 2)), ((0, 0), (1, 3), (1, 0))]
    ),
    *(
        Row(op="cumprod", id=f"cumprod-with-{len(zeros)}-zeros-{exclusive:d}{reverse:d}",
            call=lambda x, e=exclusive, r=reverse: m.cumprod(x, 1, e, r),
            oracle=lambda x, e=exclusive, r=reverse: running("cumprod", np.cumprod, 1)[0].oracle(
                x, 1, e, r), kinds="fc", sample=with_zeros(*zeros))
        for exclusive in (False, True)
        for reverse in (False, True)
        for zeros in [((0, 1),), ((0, 1), (0, 2)), ((0, 0), (1, 3), (1, 0))]
    ),
    *running("cumsum", np.cumsum, 0),
    *running("cumprod", np.cumprod, 1),
    *place("argmax"),
    *place("argmin"),
    Row(op="shift", call=lambda x: apply(OPS["shift"], (x,), {"axis": 1, "reverse": False}),
        oracle=lambda x: np.insert(x[:, :-1], 0, 0, 1), kinds="ifc", sample=with_values((2, 3))),
    Row(op="recur", call=lambda a, b: apply(OPS["recur"], (a, b), {"axis": 1, "reverse": True}),
        oracle=recurrence, kinds="ifc", sample=with_values((2, 3), (2, 3), low=-2, high=2)),
    Row(op="add", id="add_n", call=lambda x, y, z: tl.add_n([x, y, z]),
        oracle=lambda x, y, z: x + y + z, kinds="ifc", sample=with_values((2,), (2,), (2,))),
]  # fmt: skip
