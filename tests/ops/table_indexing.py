"""The table of ops that take and put items by index, with NumPy as the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ops.rows import Row, Sample, draw, with_values
from ops.table_shaping import ALL, NUMBERS, raw, row

import treadle as tl


def distinct(*shapes: Any) -> Sample:
    """Arrays without equal items, so that order and extremes are unique."""

    def sample(rng: np.random.Generator, dtype: Any) -> list[Any]:
        return [rng.permutation(int(np.prod(s))).reshape(s).astype(dtype.numpy) for s in shapes]

    return sample


def placed(key: Any, *shape: int) -> Callable[..., Any]:
    """Zeros of a shape with the operand at `key`."""

    def oracle(g: Any) -> Any:
        out = np.zeros(shape, g.dtype)
        out[key] = g
        return out

    return oracle


def added(key: Any, *shape: int) -> Callable[..., Any]:
    def oracle(g: Any) -> Any:
        out = np.zeros(shape, g.dtype)
        np.add.at(out, key, g)
        return out

    return oracle


PLACES = [[1, 0], [2, 2], [1, 0]]
PAIRS = tuple(np.array(PLACES).T)

SLICES = [
    row("strided_slice", lambda x: x[1], lambda x: x[1]),
    row("strided_slice", lambda x: x[1, -2], lambda x: x[1, -2], kinds="bifc"),
    row("strided_slice", lambda x: x[::-1, 2:0:-2], lambda x: x[::-1, 2:0:-2]),
    row("strided_slice", lambda x: x[..., None, 1:], lambda x: x[..., None, 1:]),
    row("strided_slice", lambda x: x[None, 1, ..., 0], lambda x: x[None, 1, ..., 0], (2, 3, 4)),
    row("strided_slice", lambda x: tl.strided_slice(x, [0, 1], [2, 3], [1, 2]),
        lambda x: x[:2, 1:3:2]),
    row("strided_slice", lambda x: tl.strided_slice(x, [0, 1], [0, 3], end_mask=1,
        shrink_axis_mask=2), lambda x: x[0:, 1]),
    row("strided_slice", raw("strided_slice", np.array(1), np.array(2), key="$0, $1:"),
        lambda x: x[1, 2:], id="strided_slice_at_run_time"),
    row("slice_grad", raw("slice_grad", key="1, ::-2", shape=tl.TensorShape([2, 4])),
        placed((1, slice(None, None, -2)), 2, 4), (2,), kinds="bifc"),
    row("slice", raw("slice", np.array([0, 1]), np.array([1, -1]), shape=tl.TensorShape([1, 2])),
        lambda x: x[:1, 1:]),
    row("strided_slice", lambda x: tl.slice(x, [0, 1], [-1, 2]), lambda x: x[:, 1:3], id="slice"),
    row("slice_back", raw("slice_back", np.array([1, 0]), shape=tl.TensorShape([3, 4])),
        placed((slice(1, 3), slice(0, 3)), 3, 4), kinds="bifc"),
]  # fmt: skip


def scattered(values: Any) -> Any:
    return added(PAIRS, 3, 3)(values)


def put(mode: str) -> Callable[..., Any]:
    def oracle(x: Any, updates: Any) -> Any:
        out = x.copy()
        if mode == "update":
            out[PAIRS] = updates
        else:
            ufunc = {"add": np.add, "sub": np.subtract, "max": np.maximum, "min": np.minimum}[mode]
            ufunc.at(out, PAIRS, updates)
        return out

    return oracle


def changed(mode: str, **more: Any) -> Row:
    function = getattr(tl, f"tensor_scatter_nd_{mode}")
    return row(
        "tensor_scatter",
        lambda x, u: function(x, PLACES, u),
        put(mode),
        (3, 3),
        (3,),
        id=f"tensor_scatter_nd_{mode}",
        **more,
    )


def apart(rng: np.random.Generator, dtype: Any) -> list[Any]:
    """Updates that are not equal to items, nor to each other in one place."""
    x, u = (draw(rng, dtype, s, 0, 90) for s in ((3, 3), (3,)))
    return [x, u + u.dtype.type(1)]


GATHERS = [
    row("gather", lambda x: tl.gather(x, [2, 0, 2]), lambda x: x[[2, 0, 2]], (3, 2)),
    row("gather", lambda x: tl.gather(x, [[2, 0], [1, 1]], axis=1),
        lambda x: x[:, [[2, 0], [1, 1]]]),
    row("gather", lambda x: tl.gather(x, 1, axis=-1), lambda x: x[:, 1]),
    row("gather", lambda x: tl.gather(x, [[2, 0], [1, 1]], batch_dims=1),
        lambda x: np.take_along_axis(x, np.array([[2, 0], [1, 1]]), 1), id="gather_batched"),
    row("gather", lambda x: tl.gather(x, [[0], [2]], axis=2, batch_dims=1),
        lambda x: np.stack([x[0][:, [0]], x[1][:, [2]]]), (2, 2, 3), id="gather_batched_inside"),
    row("gather", lambda x: x[:, [-1, 0]], lambda x: x[:, [-1, 0]], id="getitem_list"),
    row("gather", lambda x: x[tl.constant([True, False, True])], lambda x: x[[0, 2]], (3, 2),
        id="getitem_mask"),
    row("gather", lambda x: tl.boolean_mask(x, [[True, False, True], [False, True, False]]),
        lambda x: x[[0, 0, 1], [0, 2, 1]], id="boolean_mask"),
    row("gather", lambda x: tl.dynamic_partition(x, [1, 0, 1], 2),
        lambda x: [x[[1]], x[[0, 2]]], (3, 2), id="dynamic_partition"),
    row("tensor_scatter", lambda x, y: tl.dynamic_stitch([[2, 0], [[1]]], [x, y]),
        lambda x, y: np.stack([x[1], y[0, 0], x[0]]), (2, 3), (1, 1, 3), kinds="ifc",
        id="dynamic_stitch"),
    row("gather_grad",
        raw("gather_grad", np.array([2, 0, 2]), shape=tl.TensorShape([3, 9])),
        added([2, 0, 2], 3, 9), (3, 9), kinds=NUMBERS, wide=False),
    row("gather_grad",
        raw("gather_grad", np.array([2, 0, 2]), shape=tl.TensorShape([2, 3]), axis=1),
        added((slice(None), [2, 0, 2]), 2, 3), (2, 3), kinds=NUMBERS, wide=False),
    row("gather_nd", lambda x: tl.gather_nd(x, [[1, 0], [0, 2]]), lambda x: x[[1, 0], [0, 2]]),
    row("gather_nd", lambda x: tl.gather_nd(x, [[1], [0], [1]]), lambda x: x[[1, 0, 1]]),
    row("gather_nd", lambda x: tl.gather_nd(x, [[1], [0]], batch_dims=1),
        lambda x: x[[0, 1], [1, 0]], id="gather_nd_batched"),
    row("scatter_nd", lambda u: tl.scatter_nd(PLACES, u, [3, 3]), scattered, (3,), kinds=NUMBERS,
        wide=False),
    row("scatter_nd", lambda u: tl.scatter_nd([[1], [3], [1]], u, [4, 9]), added([1, 3, 1], 4, 9),
        (3, 9), kinds=NUMBERS, wide=False),
    changed("update", kinds=ALL, smooth=False),
    row("tensor_scatter", lambda x, u: tl.tensor_scatter_nd_update(x, [[1], [0]], u),
        lambda x, u: np.stack([u[1], u[0], x[2]]), (3, 2), (2, 2), kinds=ALL),
    changed("add", kinds=NUMBERS, wide=False),
    changed("sub", kinds=NUMBERS, wide=False),
    changed("max", kinds="if", sample=apart),
    changed("min", kinds="if", sample=apart),
]  # fmt: skip


def descending(x: Any) -> Any:
    return np.flip(np.sort(x, 0), 0)


SORTS = [
    row("sort", tl.sort, np.sort, sample=distinct((3, 4)), kinds="if"),
    row("sort", lambda x: tl.sort(x, 0, "DESCENDING"), descending, sample=distinct((3, 4)),
        kinds="if", id="sort_descending"),
    row("argsort", tl.argsort, lambda x: np.argsort(x, kind="stable").astype(np.int32),
        kinds="if", smooth=False),
    row("argsort", lambda x: tl.argsort(x, 0, "DESCENDING"),
        lambda x: np.argsort(-x.astype(float), 0, "stable").astype(np.int32), (4, 2),
        kinds="if", smooth=False, id="argsort_descending"),
    row("top_k", lambda x: tl.math.top_k(x, 2),
        lambda x: (np.flip(np.sort(x), -1)[:, :2],
                   np.argsort(-x.astype(float), -1, "stable")[:, :2].astype(np.int32)),
        sample=distinct((3, 4)), kinds="if"),
    row("in_top_k", lambda x: tl.math.in_top_k([1, 5], x, 2), lambda x: np.array([True, False]),
        sample=lambda rng, dtype: [np.array([[1, 2, 3], [1, 2, 3]], dtype.numpy)], kinds="f",
        smooth=False),
    row("searchsorted", tl.searchsorted,
        lambda x, v: np.searchsorted(x, v).astype(np.int32),
        sample=lambda rng, dtype: [np.array([1, 3, 3, 5], dtype.numpy), draw(rng, dtype, 5, 0, 6)],
        kinds="if", smooth=False),
    row("searchsorted", lambda x, v: tl.searchsorted(x, v, "right", tl.int64),
        lambda x, v: np.stack([np.searchsorted(a, b, "right") for a, b in zip(x, v, strict=True)]),
        sample=lambda rng, dtype: [np.sort(draw(rng, dtype, (2, 4), 0, 6)),
                                   draw(rng, dtype, (2, 3), 0, 6)],
        kinds="if", smooth=False, id="searchsorted_rows"),
]  # fmt: skip


def first_seen(x: Any) -> Any:
    """Distinct items in order of first occurrence, and the place of each item among them."""
    seen = list(dict.fromkeys(x.tolist()))
    distinct_items = np.array([*seen, None], object)[:-1].astype(x.dtype)
    return distinct_items, np.array([seen.index(v) for v in x.tolist()], np.int32)


SEGMENTS = [
    row("unique", tl.unique, first_seen, (9,), kinds="ifO", smooth=False),
    row("unique", lambda x: tl.unique_with_counts(x).count,
        lambda x: np.array([x.tolist().count(v) for v in first_seen(x)[0].tolist()], np.int32),
        (9,), kinds="i", smooth=False, id="unique_with_counts"),
    row("bincount", tl.math.bincount, lambda x: np.bincount(x.astype(int)).astype(np.int32),
        sample=with_values((9,), low=0, high=5), kinds="i", smooth=False),
    row("bincount", lambda w: tl.math.bincount([1, 3, 1], w, 5), added([1, 3, 1], 5), (3,),
        kinds="f", wide=False, id="bincount_weights"),
    row("bincount", lambda w: tl.math.bincount([1, 3, 1], w, maxlength=2),
        lambda w: np.array([0, w[0] + w[2]]), (3,), kinds="f", id="bincount_maxlength"),
    row("segment_sum", lambda x: tl.math.segment_sum(x, [0, 0, 2]), added([0, 0, 2], 3, 2), (3, 2),
        kinds=NUMBERS, wide=False),
    row("segment_sum", lambda x: tl.math.unsorted_segment_sum(x, [[2, -1], [0, 2]], 4),
        lambda x: np.stack([x[1, 0], 0 * x[0, 0], x[0, 0] + x[1, 1], 0 * x[0, 0]]), (2, 2, 3),
        kinds=NUMBERS, wide=False, id="unsorted_segment_sum"),
    row("segment_sum", lambda x: tl.math.unsorted_segment_mean(x, [1, 1, 0], 3),
        lambda x: np.stack([x[2], (x[0] + x[1]) / 2, 0 * x[0]]), (3, 2), kinds="fc",
        id="unsorted_segment_mean"),
]  # fmt: skip

ROWS = [*SLICES, *GATHERS, *SORTS, *SEGMENTS]
