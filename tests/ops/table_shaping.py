"""The table of ops that look at shapes or move items about, with NumPy as the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ops.rows import Row, operands, with_values

import treadle as tl
from treadle.graph.build import apply
from treadle.graph.op import OPS
from treadle.graph.ops import shaping

ALL = "bifcO"
NUMBERS = "ifc"


def row(
    op: str,
    call: Callable[..., Any],
    oracle: Callable[..., Any],
    *shapes: Any,
    kinds: str = ALL,
    **more: Any,
) -> Row:
    more.setdefault("sample", with_values(*(shapes or ((2, 3),))))
    return Row(op=op, call=call, oracle=oracle, kinds=kinds, **more)


def raw(name: str, *given: Any, **attrs: Any) -> Callable[..., Any]:
    """The op itself, for what has no function: the operands, then the arrays `given`."""

    def call(*xs: Any) -> Any:
        return apply(OPS[name], (*xs, *[tl.constant(g) for g in given]), attrs)

    return call


def shape_of(x: Any, dtype: Any = np.int32) -> Any:
    return np.array(x.shape, dtype)


def summed(g: Any) -> Any:
    return g.sum((0, 2), dtype=g.dtype).reshape(3, 1)


def mirrored_back(g: Any) -> Any:
    """The adjoint of np.pad(x, ((1, 2), (0, 1)), "reflect") for x of shape (3, 3)."""
    out = np.zeros((3, 3), g.dtype)
    places = np.pad(np.arange(9).reshape(3, 3), ((1, 2), (0, 1)), "reflect")
    np.add.at(out.reshape(-1), places.reshape(-1), g.reshape(-1))
    return out


def tensor_pad(x: Any, mode: str, value: Any) -> Any:
    widths = ((1, 2), (0, 1))
    if mode != "constant":
        return np.pad(x, widths, mode)
    out = np.full((x.shape[0] + 3, x.shape[1] + 1), value, x.dtype)
    out[1 : 1 + x.shape[0], : x.shape[1]] = x
    return out


WIDTHS = [[1, 2], [0, 1]]

QUERIES = [
    row("shape", tl.shape, shape_of, smooth=False),
    row("shape", raw("shape", out_type=tl.int64), lambda x: shape_of(x, np.int64), smooth=False),
    row(
        "same_shape",
        raw("same_shape"),
        lambda x, y: np.bool_(x.shape == y.shape),
        (2, 3),
        (2, 3),
        smooth=False,
    ),
    row(
        "same_shape",
        raw("same_shape"),
        lambda x, y: np.bool_(x.shape == y.shape),
        (2, 3),
        (3,),
        smooth=False,
        id="other",
    ),
    row("size", raw("size"), lambda x: np.int32(x.size), smooth=False),
    row("size", tl.size, lambda x: np.int32(x.size), smooth=False),
    row("rank", raw("rank"), lambda x: np.int32(x.ndim), smooth=False),
    row("rank", tl.rank, lambda x: np.int32(x.ndim), smooth=False),
    row(
        "broadcast_shape",
        raw("broadcast_shape"),
        lambda x, y: np.array([4, 2, 3], x.dtype),
        sample=lambda rng, dtype: [np.array([2, 3], np.int32), np.array([4, 1, 3], np.int32)],
        kinds="i",
        smooth=False,
    ),
]

RESHAPING = [
    row("reshape", lambda x: tl.reshape(x, [3, -1]), lambda x: x.reshape(3, -1)),
    row("reshape", lambda x: tl.reshape(x, [-1]), lambda x: x.reshape(-1), (2, 0), id="empty"),
    row(
        "reshape",
        raw("reshape", np.array([3, 2]), shape=tl.TensorShape([None, 2])),
        lambda x: x.reshape(3, 2),
        id="reshape_at_run_time",
    ),
    row("broadcast_to", lambda x: tl.broadcast_to(x, [4, 2, 3]),
        lambda x: np.broadcast_to(x, (4, 2, 3))),
    row("broadcast_to", lambda x: tl.broadcast_to(x, [2, 4, 3]),
        lambda x: np.broadcast_to(x, (2, 4, 3)), (4, 1)),
    row("sum_to", lambda x: shaping.sum_to(x, [3, 1]), summed, (2, 3, 4), kinds=NUMBERS,
        wide=False, ulps=16),
    row("sum_to", raw("sum_to", np.array([3, 1]), shape=tl.TensorShape(None)), summed, (2, 3, 4),
        kinds=NUMBERS, wide=False, ulps=16, id="sum_to_at_run_time"),
    row("transpose", tl.transpose, np.transpose, (2, 3, 4)),
    row("transpose", lambda x: tl.transpose(x, [1, -1, 0]), lambda x: x.transpose(1, 2, 0),
        (2, 3, 4)),
    row("transpose", lambda x: tl.transpose(x, conjugate=True), lambda x: x.conj().T, kinds="fc"),
    row("expand_dims", lambda x: tl.expand_dims(x, 1), lambda x: x[:, None]),
    row("expand_dims", lambda x: tl.expand_dims(x, -1), lambda x: x[..., None]),
    row("squeeze", tl.squeeze, np.squeeze, (1, 2, 1, 3)),
    row("squeeze", lambda x: tl.squeeze(x, [-2]), lambda x: x.squeeze(2), (1, 2, 1, 3)),
    row("identity", tl.identity, lambda x: x),
    row("stop_gradient", tl.stop_gradient, lambda x: x, smooth=False),
    row("ensure_shape", lambda x: tl.ensure_shape(x, [None, 3]), lambda x: x),
    row("bitcast", lambda x: tl.bitcast(x, tl.uint8), lambda x: x[..., None].view(np.uint8),
        kinds="ifc", smooth=False, wide=False, without=("int8", "uint8")),
    row("bitcast", lambda x: tl.bitcast(x, tl.float64), lambda x: x.view(np.float64).reshape(2),
        sample=lambda rng, dtype: [rng.integers(-9, 9, (2, 4)).astype(np.int16)],
        kinds="i", smooth=False),
]  # fmt: skip


def blocks(x: Any, y: Any) -> Any:
    return np.concatenate([x, y], 1)


JOINING = [
    row("concat", lambda x, y: tl.concat([x, y], 1), blocks, (2, 3), (2, 1)),
    row("concat", lambda x, y: tl.concat([x, y], -1), blocks, (2, 0), (2, 1)),
    row(
        "stack", lambda x, y: tl.stack([x, y], 1), lambda x, y: np.stack([x, y], 1), (2, 3), (2, 3)
    ),
    row("stack", lambda x, y: tl.stack([x, y], -1), lambda x, y: np.stack([x, y], -1), (), ()),
    row("unstack", lambda x: tl.unstack(x, 2), list),
    row("unstack", lambda x: tl.unstack(x, 3, -1), lambda x: list(x.T)),
    row("split", lambda x: tl.split(x, 3, 1), lambda x: np.split(x, 3, 1)),
    row("split", lambda x: tl.split(x, [1, -1, 2], -1), lambda x: np.split(x, [1, 2], 1), (2, 4)),
    row(
        "split",
        raw("split", np.array([1, 3]), sizes=tl.TensorShape([None, None]), axis=0),
        lambda x: np.split(x, [1]),
        (4, 2),
        id="split_at_run_time",
    ),
]

MOVING = [
    row("pad", lambda x: tl.pad(x, WIDTHS), lambda x: tensor_pad(x, "constant", x.dtype.type()),
        kinds="bifc"),
    row("pad", lambda x: tl.pad(x, WIDTHS), lambda x: tensor_pad(x, "constant", b""), kinds="O"),
    row("pad", lambda x: tl.pad(x, WIDTHS, constant_values=2),
        lambda x: tensor_pad(x, "constant", 2), kinds=NUMBERS),
    row("pad", lambda x, v: tl.pad(x, WIDTHS, constant_values=v),
        lambda x, v: tensor_pad(x, "constant", v), (2, 3), (), kinds=NUMBERS, id="pad_with_tensor"),
    row("pad", lambda x: tl.pad(x, WIDTHS, "REFLECT"), lambda x: tensor_pad(x, "reflect", 0),
        (3, 3)),
    row("pad", lambda x: tl.pad(x, WIDTHS, "SYMMETRIC"), lambda x: tensor_pad(x, "symmetric", 0)),
    row("pad", raw("pad", np.array(WIDTHS), paddings=None),
        lambda x: tensor_pad(x, "constant", 0), kinds=NUMBERS, id="pad_at_run_time"),
    row("pad_grad",
        raw("pad_grad", paddings=((1, 2), (0, 1)), mode="reflect", shape=tl.TensorShape([3, 3])),
        mirrored_back, (6, 4), kinds=NUMBERS, wide=False),
    row("tile", lambda x: tl.tile(x, [2, 3]), lambda x: np.tile(x, [2, 3])),
    row("tile", lambda x: tl.tile(x, [2, 0]), lambda x: np.tile(x, [2, 0]), id="tile_to_nothing"),
    row("tile", raw("tile", np.array([2, 3]), multiples=tl.TensorShape([None, 3])),
        lambda x: np.tile(x, [2, 3]), id="tile_at_run_time"),
    row("gather", lambda x: tl.repeat(x, 2), lambda x: np.repeat(x, 2), id="repeat"),
    row("gather", lambda x: tl.repeat(x, [2, 0, 1], axis=1),
        lambda x: np.repeat(x, [2, 0, 1], 1), id="repeat_each"),
    row("repeat_index", raw("repeat_index", np.array([2, 0, 1]), np.array(3)),
        lambda: np.array([0, 0, 2], np.int32), sample=with_values(), kinds="f", smooth=False),
    row("reverse", lambda x: tl.reverse(x, [1]), lambda x: x[:, ::-1]),
    row("reverse", lambda x: tl.reverse(x, [0, -1]), lambda x: x[::-1, ::-1]),
    row("roll", lambda x: tl.roll(x, 1, 1), lambda x: np.roll(x, 1, 1)),
    row("roll", lambda x: tl.roll(x, [-1, 4], [0, 1]), lambda x: np.roll(x, [-1, 4], [0, 1])),
]  # fmt: skip


def steps(rng: Any, dtype: Any) -> list[Any]:
    return [np.array(v, dtype.numpy) for v in (1, 8, 2)]


def one_hot(x: Any) -> Any:
    return np.where(x[..., None] == np.arange(3), 1.0, 0.0).astype(np.float32)


FILLING = [
    row("broadcast_to", lambda v: tl.fill([2, 3], v), lambda v: np.full((2, 3), v), ()),
    row("const", tl.zeros_like, np.zeros_like, kinds="bifc", smooth=False),
    row("const", tl.ones_like, np.ones_like, kinds="bifc", smooth=False),
    row("range", tl.range, np.arange, sample=steps, kinds="if", smooth=False),
    row("range", lambda x: tl.range(x, 0, -2), lambda x: np.arange(x, 0, -2, x.dtype),
        sample=lambda rng, dtype: [np.array(5, dtype.numpy)], kinds="if", smooth=False,
        without=("uint8", "uint16", "uint32", "uint64")),
    row("where", lambda a, b: tl.linspace(a, b, 5), lambda a, b: np.linspace(a, b, 5),
        sample=operands(2, shapes=[(2,)]), kinds="f", id="linspace", ulps=16),
    row("where", lambda a, b: tl.linspace(a, b, 3, axis=-1),
        lambda a, b: np.linspace(a, b, 3, axis=-1), sample=operands(2, shapes=[()]), kinds="f",
        id="linspace_last", ulps=16),
    row("where", lambda x: tl.one_hot(x, 3), one_hot, kinds="i", smooth=False, id="one_hot"),
    row("where", lambda x: tl.one_hot(x, 3, 5, -5, axis=0),
        lambda x: np.moveaxis(one_hot(x) * 10 - 5, -1, 0).astype(np.int32), kinds="i",
        smooth=False, id="one_hot_first"),
    row("broadcast_to", tl.meshgrid, np.meshgrid, (3,), (2,), id="meshgrid"),
    row("broadcast_to", lambda x, y: tl.meshgrid(x, y, indexing="ij"),
        lambda x, y: np.meshgrid(x, y, indexing="ij"), (3,), (2,), id="meshgrid_ij"),
]  # fmt: skip

ROWS = [*QUERIES, *RESHAPING, *JOINING, *MOVING, *FILLING]
