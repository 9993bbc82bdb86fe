"""The table of products, diagonals and norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ops.rows import Row, with_values

import treadle as tl

m, nn, linalg = tl.math, tl.nn, tl.linalg


def product(a: Any, b: Any, ta: bool = False, tb: bool = False) -> Row:
    def oracle(x: Any, y: Any) -> Any:
        return np.matmul(np.swapaxes(x, -1, -2) if ta else x, np.swapaxes(y, -1, -2) if tb else y)

    return Row(
        op="matmul", id=f"matmul-{a}-{b}-{ta:d}{tb:d}".replace(" ", ""), kinds="ifc", ulps=16,
        call=lambda x, y: tl.matmul(x, y, transpose_a=ta, transpose_b=tb), oracle=oracle,
        sample=with_values(a, b),
    )  # fmt: skip


def sums(equation: str, *shapes: Any) -> Row:
    return Row(
        op="matmul", id=f"einsum-{equation.replace(' ', '')}", kinds="ifc", ulps=32,
        call=lambda *xs: tl.einsum(equation, *xs),
        oracle=lambda *xs: np.asarray(np.einsum(equation, *xs)),
        sample=with_values(*shapes, low=-2, high=2),
    )  # fmt: skip


def made(
    op: str,
    id: str,
    call: Callable[..., Any],
    oracle: Callable[..., Any],
    *shapes: Any,
    kinds: str = "ifc",
    **more: Any,
) -> Row:
    more.setdefault("ulps", 16)
    sample = with_values(*shapes, low=more.pop("low", -3), high=more.pop("high", 3))
    return Row(op=op, id=id, call=call, oracle=oracle, kinds=kinds, sample=sample, **more)


def diagonal(x: Any, k: int = 0) -> Any:
    return np.diagonal(x, k, -2, -1)


def embed(x: Any, k: int = 0) -> Any:
    flat = [np.diag(row, k) for row in x.reshape(-1, x.shape[-1])]
    return np.stack(flat).reshape(*x.shape[:-1], *flat[0].shape)


def replaced(x: Any, d: Any, k: int = 0) -> Any:
    out = x.copy()
    down, right = max(-k, 0), max(k, 0)
    for i in range(d.shape[-1]):
        out[..., i + down, i + right] = d[..., i]
    return out


def softmax(x: Any, axis: int = -1) -> Any:
    e = np.exp(x)
    return e / e.sum(axis, keepdims=True)


def cross_entropy(z: Any, x: Any) -> Any:
    return -np.sum(z * np.log(softmax(x)), -1)


PRODUCTS = [
    product((2, 3), (3, 4)),
    product((3, 2), (3, 4), ta=True),
    product((2, 3), (4, 3), tb=True),
    product((3, 2), (4, 3), ta=True, tb=True),
    product((2, 2, 3), (2, 3, 2)),
    product((2, 2, 3), (3, 4)),
    product((2, 2, 3), (4, 3), tb=True),
    product((2, 3, 2), (3, 4), ta=True),
    product((2, 3), (4, 3, 2)),
    product((4, 1, 2, 3), (1, 2, 3, 2)),
    product((2, 1, 3, 2), (3, 2, 3), ta=True, tb=True),
    product((0, 3), (3, 2)),
    product((2, 0), (0, 2)),
    sums("ij,jk->ik", (2, 3), (3, 4)),
    sums("ij,jk", (2, 3), (3, 4)),
    sums("ij,kj->ki", (2, 3), (4, 3)),
    sums("ij->ji", (2, 3)),
    sums("ij->", (2, 3)),
    sums("ii", (3, 3)),
    sums("ii->i", (3, 3)),
    sums("ijij->j", (2, 3, 2, 3)),
    sums("i,j->ij", (2,), (3,)),
    sums("i,i", (3,), (3,)),
    sums("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    sums("bhqd,bkhd->bhqk", (2, 2, 3, 2), (2, 4, 2, 2)),
    sums("...ij,...jk->...ik", (2, 1, 2, 3), (4, 3, 2)),
    sums("...i,i->...", (2, 2, 3), (3,)),
    sums("i...,i...->...", (3, 2), (3, 2)),
    sums("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    sums("ab,bc,cd,da->", (2, 3), (3, 2), (2, 2), (2, 2)),
    sums("ijk,jil->kl", (2, 3, 4), (3, 2, 2)),
    sums("ij,ij->ij", (2, 3), (2, 3)),
    sums("ij,k->i", (2, 3), (2,)),
    made("matmul", "matvec", linalg.matvec, lambda x, y: np.einsum("...ij,...j->...i", x, y),
         (2, 3, 2), (2, 2)),
    made("matmul", "tensordot-1", lambda x, y: tl.tensordot(x, y, 1),
         lambda x, y: np.tensordot(x, y, 1), (2, 3), (3, 2, 2)),
    made("matmul", "tensordot-0", lambda x, y: tl.tensordot(x, y, 0),
         lambda x, y: np.tensordot(x, y, 0), (2,), (3,)),
    made("matmul", "tensordot-pairs", lambda x, y: tl.tensordot(x, y, [[0, 2], [1, 0]]),
         lambda x, y: np.tensordot(x, y, [[0, 2], [1, 0]]), (2, 3, 4), (4, 2, 2)),
]  # fmt: skip

DIAGONALS = [
    made("where", "diag_part", linalg.diag_part, diagonal, (2, 3, 3)),
    made("where", "diag_part-above", lambda x: linalg.diag_part(x, k=1),
         lambda x: diagonal(x, 1), (3, 4)),
    made("where", "diag_part-below", lambda x: linalg.diag_part(x, k=-1),
         lambda x: diagonal(x, -1), (4, 2)),
    made("where", "trace", linalg.trace, lambda x: np.trace(x, axis1=-2, axis2=-1,
         dtype=x.dtype), (2, 3, 3)),
    made("where", "diag", linalg.diag, embed, (2, 3)),
    made("where", "diag-above", lambda x: linalg.diag(x, k=1), lambda x: embed(x, 1), (2, 2)),
    made("where", "diag-below", lambda x: linalg.diag(x, k=-2), lambda x: embed(x, -2), (3,)),
    made("where", "set_diag", linalg.set_diag, replaced, (2, 3, 2), (2, 2)),
    made("where", "set_diag-above", lambda x, d: linalg.set_diag(x, d, k=1),
         lambda x, d: replaced(x, d, 1), (3, 4), (3,)),
    made("where", "tensor_diag", linalg.tensor_diag, lambda x: np.diag(x.ravel()).reshape(
         x.shape * 2), (2, 3)),
    made("where", "tensor_diag_part", linalg.tensor_diag_part, lambda x: np.diag(
         x.reshape(6, 6)).reshape(2, 3), (2, 3, 2, 3)),
    made("where", "band_part", lambda x: linalg.band_part(x, 1, 0),
         lambda x: np.tril(np.triu(x, -1)), (2, 3, 4)),
    made("where", "band_part-upper", lambda x: linalg.band_part(x, 0, -1), np.triu, (3, 3)),
    made("transpose", "matrix_transpose", linalg.matrix_transpose,
         lambda x: np.swapaxes(x, -1, -2), (2, 3, 2)),
    made("transpose", "adjoint", linalg.adjoint, lambda x: np.conj(np.swapaxes(x, -1, -2)),
         (2, 3, 2)),
    made("multiply", "cross", linalg.cross, np.cross, (2, 3), (2, 3)),
]  # fmt: skip

NORMS = [
    made("reduce_euclidean_norm", "norm", tl.norm, lambda x: np.linalg.norm(x.ravel()), (2, 3),
         kinds="fc"),
    made("reduce_sum", "norm-1", lambda x: tl.norm(x, 1, axis=0),
         lambda x: np.linalg.norm(x, 1, axis=0), (2, 3), kinds="fc"),
    made("reduce_max", "norm-inf", lambda x: tl.norm(x, np.inf, axis=-1, keepdims=True),
         lambda x: np.linalg.norm(x, np.inf, axis=-1, keepdims=True), (2, 3), kinds="f"),
    made("pow", "norm-3", lambda x: tl.norm(x, 3, axis=1),
         lambda x: np.linalg.norm(x, 3, axis=1), (2, 3), kinds="f", ulps=32),
    made("reduce_sum", "norm-matrix-1", lambda x: tl.norm(x, 1, axis=[0, 1]),
         lambda x: np.linalg.norm(x, 1, axis=(0, 1)), (2, 3), kinds="f"),
    made("reduce_sum", "norm-matrix-inf", lambda x: tl.norm(x, np.inf, axis=[-2, -1]),
         lambda x: np.linalg.norm(x, np.inf, axis=(-2, -1)), (2, 2, 3), kinds="f"),
    made("singular_values", "norm-matrix-2", lambda x: tl.norm(x, 2, axis=[-1, 0], keepdims=True),
         lambda x: np.linalg.norm(x, 2, axis=(-1, 0), keepdims=True), (3, 2, 2), kinds="fc",
         without=("float16", "bfloat16")),
    made("rsqrt", "l2_normalize", lambda x: linalg.l2_normalize(x, 1),
         lambda x: x / np.sqrt(np.sum(np.abs(x) ** 2, 1, keepdims=True)), (2, 3), kinds="fc"),
    made("divide", "normalize", lambda x: linalg.normalize(x)[0],
         lambda x: x / np.linalg.norm(x), (4,), kinds="f"),
]  # fmt: skip

ROWS = [*PRODUCTS, *DIAGONALS, *NORMS]
