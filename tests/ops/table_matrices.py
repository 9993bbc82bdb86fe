"""The table of equations, determinants and decompositions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ops.rows import Row, Sample, draw

import treadle as tl
from treadle.graph.dtypes import DType

linalg = tl.linalg
HALF = ("float16", "bfloat16")
SIZES = ((3, 3), (4, 2), (2, 4))


def matrices(*shapes: Any, diagonal: float = 3.0) -> Sample:
    """Random matrices; the first far from singular."""

    def sample(rng: np.random.Generator, dtype: DType) -> list[Any]:
        found = [draw(rng, dtype, s, -1, 1) for s in shapes]
        rows, columns = found[0].shape[-2:]
        found[0] = (found[0] + diagonal * np.eye(rows, columns)).astype(dtype.numpy)
        return found

    return sample


def made(
    op: str,
    id: str,
    call: Callable[..., Any],
    oracle: Callable[..., Any],
    *shapes: Any,
    kinds: str = "fc",
    diagonal: float = 3.0,
    **more: Any,
) -> Row:
    more = {"ulps": 100, "without": HALF, **more}
    sample = matrices(*shapes, diagonal=diagonal)
    return Row(op=op, id=id, call=call, oracle=oracle, kinds=kinds, sample=sample, **more)


def adjoint(x: Any) -> Any:
    return np.swapaxes(x, -1, -2).conj()


def positive(x: Any) -> Any:
    """A positive definite matrix made of any; works on tensors and arrays."""
    if isinstance(x, np.ndarray):
        return x @ adjoint(x) + np.eye(x.shape[-1])
    return tl.matmul(x, x, adjoint_b=True) + tl.eye(tl.shape(x)[-1], dtype=x.dtype)


def own_adjoint(x: Any) -> Any:
    return x + (adjoint(x) if isinstance(x, np.ndarray) else linalg.adjoint(x))


def cofactors(x: Any) -> Any:
    """The gradient of the determinant, by its definition."""
    out = np.zeros_like(x)
    for i in range(x.shape[-1]):
        for j in range(x.shape[-1]):
            rest = np.delete(np.delete(x, i, -2), j, -1)
            out[..., i, j] = (-1) ** (i + j) * np.linalg.det(rest)
    return out.conj()


def gradient_of_det(x: Any) -> Any:
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = linalg.det(x)
    return tape.gradient(y, x)


def least(x: Any, y: Any) -> Any:
    return np.stack([np.linalg.lstsq(a, b)[0] for a, b in zip(x, y, strict=True)])


def without_phase(q: Any, r: Any) -> Any:
    """What does not depend on the phases of q's columns, of which r's rows have the opposite."""
    size = r.shape[-2]
    diagonal = r[..., :size].diagonal(axis1=-2, axis2=-1) if isinstance(r, np.ndarray) else None
    if diagonal is not None:
        phase = diagonal / np.abs(diagonal)
        return q * phase[..., None, :], r / phase[..., :, None]
    diagonal = linalg.diag_part(r[..., : tl.shape(r)[-2]])
    phase = diagonal / tl.cast(tl.abs(diagonal), diagonal.dtype)
    return q * tl.expand_dims(phase, -2), r / tl.expand_dims(phase, -1)


def parts(s: Any, u: Any, v: Any) -> tuple[Any, Any, Any]:
    """What does not depend on the phases of u's and v's columns."""
    if isinstance(s, np.ndarray):
        return s, (u * s[..., None, :] ** 3) @ adjoint(v), np.abs(u) ** 2
    weights = tl.cast(tl.expand_dims(s, -2) ** 3, u.dtype)
    return s, tl.matmul(u * weights, v, adjoint_b=True), tl.abs(u) ** 2


def svd(x: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return parts(s, u, adjoint(vh))


def in_order(u: Any, s: Any, vh: Any) -> tuple[Any, Any, Any]:
    return s, u, adjoint(vh)


def spectral(w: Any, v: Any) -> tuple[Any, Any]:
    """Eigenvalues, and a function of the matrix with them cubed."""
    if isinstance(w, np.ndarray):
        return w, (v * w[..., None, :] ** 3) @ adjoint(v)
    weights = tl.cast(tl.expand_dims(w, -2) ** 3, v.dtype)
    return w, tl.matmul(v * weights, v, adjoint_b=True)


ROWS = [
    made("matrix_solve", "solve", linalg.solve, np.linalg.solve, (2, 3, 3), (2, 3, 2)),
    made("matrix_solve", "solve-batches", linalg.solve, np.linalg.solve, (3, 3), (2, 3, 1)),
    made("matrix_solve", "solve-adjoint", lambda a, b: linalg.solve(a, b, adjoint=True),
         lambda a, b: np.linalg.solve(adjoint(a), b), (3, 3), (3, 2)),
    made("matrix_triangular_solve", "lower", linalg.triangular_solve,
         lambda a, b: np.linalg.solve(np.tril(a), b), (2, 3, 3), (2, 3, 2)),
    made("matrix_triangular_solve", "upper-adjoint",
         lambda a, b: linalg.triangular_solve(a, b, lower=False, adjoint=True),
         lambda a, b: np.linalg.solve(adjoint(np.triu(a)), b), (2, 3, 3), (3, 2)),
    made("matrix_triangular_solve", "cholesky_solve", linalg.cholesky_solve,
         lambda a, b: np.linalg.solve(np.tril(a) @ adjoint(np.tril(a)), b), (3, 3), (3, 2)),
    made("matrix_inverse", "inv", linalg.inv, np.linalg.inv, (2, 3, 3)),
    made("matrix_inverse", "inv-adjoint", lambda x: linalg.inv(x, adjoint=True),
         lambda x: np.linalg.inv(adjoint(x)), (3, 3)),
    made("pseudo_inverse", "pinv-tall", linalg.pinv, np.linalg.pinv, (2, 4, 2)),
    made("pseudo_inverse", "pinv-wide", linalg.pinv, np.linalg.pinv, (2, 4)),
    made("pseudo_inverse", "lstsq-tall", linalg.lstsq, least, (2, 4, 2), (2, 4, 1)),
    made("pseudo_inverse", "lstsq-wide", linalg.lstsq, least, (2, 2, 4), (2, 2, 3)),
    made("matrix_solve", "lstsq-regularized", lambda a, b: linalg.lstsq(a, b, 0.5),
         lambda a, b: np.linalg.solve(adjoint(a) @ a + 0.5 * np.eye(3), adjoint(a) @ b),
         (4, 3), (4, 2)),
    made("determinant", "det", linalg.det, np.linalg.det, (2, 3, 3)),
    made("determinant", "det-of-one", linalg.det, np.linalg.det, (1, 1)),
    made("cofactors", "cofactors", gradient_of_det, cofactors, (2, 3, 3)),
    made("log_determinant", "slogdet", linalg.slogdet, lambda x: tuple(
         r.astype(x.dtype) for r in np.linalg.slogdet(x)), (2, 3, 3)),
    made("log_determinant", "logdet", lambda x: linalg.logdet(positive(x)),
         lambda x: np.linalg.slogdet(positive(x))[1].astype(x.dtype), (2, 3, 3)),
    made("cholesky", "cholesky", lambda x: linalg.cholesky(positive(x)),
         lambda x: np.linalg.cholesky(positive(x)), (2, 3, 3)),
    *[made("qr", f"qr-{n}x{m}", lambda x: without_phase(*linalg.qr(x)),
           lambda x: without_phase(*np.linalg.qr(x)), (2, n, m)) for n, m in SIZES],
    made("qr", "qr-full-wide", lambda x: linalg.qr(x, full_matrices=True), np.linalg.qr, (2, 4),
         kinds="f", smooth=False),
    made("qr", "qr-full", lambda x: linalg.qr(x, full_matrices=True),
         lambda x: np.linalg.qr(x, "complete"), (4, 2), kinds="f", smooth=False),
    *[made("svd", f"svd-{n}x{m}", lambda x: parts(*linalg.svd(x)), svd, (2, n, m), ulps=400)
      for n, m in SIZES],
    made("svd", "svd-full", lambda x: linalg.svd(x, full_matrices=True),
         lambda x: in_order(*np.linalg.svd(x)), (4, 2), kinds="f", smooth=False),
    made("svd", "svd-real", linalg.svd, lambda x: in_order(*np.linalg.svd(x, False)), (4, 3),
         kinds="f", ulps=400),
    made("singular_values", "svd-values", lambda x: linalg.svd(x, compute_uv=False),
         lambda x: np.linalg.svd(x, compute_uv=False), (2, 4, 3)),
    made("self_adjoint_eig", "eigh", lambda x: spectral(*linalg.eigh(own_adjoint(x))),
         lambda x: spectral(*np.linalg.eigh(own_adjoint(x))), (2, 3, 3), ulps=400),
    made("self_adjoint_eig", "eigh-real", lambda x: linalg.eigh(own_adjoint(x)),
         lambda x: tuple(np.linalg.eigh(own_adjoint(x))), (3, 3), kinds="f", ulps=400),
    made("self_adjoint_eig", "eigvalsh", lambda x: linalg.eigvalsh(own_adjoint(x)),
         lambda x: np.linalg.eigvalsh(own_adjoint(x)), (2, 3, 3)),
]  # fmt: skip
