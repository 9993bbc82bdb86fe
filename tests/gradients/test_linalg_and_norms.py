"""`tl.linalg`, norms and clipping: gradients of two orders, floats and complex numbers; edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

linalg = tl.linalg
INF = np.inf
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.complex128], ids=["f64", "c128"])


def array(*shape: int, dtype: Any = np.float64, seed: int = 0) -> Any:
    rng = np.random.default_rng((seed, *shape))
    found = rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype is np.complex128 else 0)
    return tl.constant(found.astype(dtype))


def positive(x: Any) -> Any:
    size = tl.cast(tl.eye(3), x.dtype) * 2.0
    return linalg.matmul(x, linalg.adjoint(x)) + size


def phases(found: Any) -> Any:
    """What does not depend on how an eigenvector or singular vector is turned."""
    return [tl.abs(v) ** 2 if v.dtype.is_complex else v * v for v in found]


def eigen(x: Any) -> Any:
    values, vectors = linalg.eigh(positive(x))
    return [values, *phases([vectors])]


def singular(x: Any) -> Any:
    s, u, v = linalg.svd(x)
    return [s, *phases([u, v])]


# Functions of an invertible 3x3 matrix and two right-hand sides.
SQUARE: dict[str, Callable[[Any, Any], Any]] = {
    "solve": linalg.solve,
    "solve, adjoint": lambda a, b: linalg.solve(a, b, adjoint=True),
    "triangular_solve": linalg.triangular_solve,
    "triangular_solve, upper": lambda a, b: linalg.triangular_solve(a, b, lower=False),
    "cholesky": lambda a, b: linalg.cholesky(positive(a)),
    "cholesky_solve": lambda a, b: linalg.cholesky_solve(linalg.cholesky(positive(a)), b),
    "inv": lambda a, b: linalg.inv(a) @ b,
    "det": lambda a, b: linalg.det(a),
    "slogdet": lambda a, b: linalg.slogdet(a),
    "logdet": lambda a, b: linalg.logdet(positive(a)),
    "qr": lambda a, b: linalg.qr(a),
    "svd": lambda a, b: singular(a),
    "eigh": lambda a, b: eigen(a),
    "eigvalsh": lambda a, b: linalg.eigvalsh(positive(a)),
    "lstsq": lambda a, b: linalg.lstsq(a[:, :2], b),
    "lstsq, damped": lambda a, b: linalg.lstsq(a, b, l2_regularizer=0.3),
    "pinv": lambda a, b: linalg.pinv(a[:, :2]),
}
NORMS: dict[str, Callable[[Any], Any]] = {
    "euclidean": linalg.norm,
    "1": lambda x: linalg.norm(x, ord=1),
    "inf": lambda x: linalg.norm(x, ord=INF),
    "2.5": lambda x: linalg.norm(x, ord=2.5),
    "rows": lambda x: linalg.norm(x, axis=-1, keepdims=True),
    "1, rows": lambda x: linalg.norm(x, ord=1, axis=1),
    "inf, rows": lambda x: linalg.norm(x, ord=INF, axis=1, keepdims=True),
    "fro": lambda x: linalg.norm(x, ord="fro", axis=[-2, -1]),
    "matrix 1": lambda x: linalg.norm(x, ord=1, axis=[0, 1], keepdims=True),
    "matrix inf": lambda x: linalg.norm(x, ord=INF, axis=[0, 1]),
    "matrix 2": lambda x: linalg.norm(x, ord=2, axis=[0, 1], keepdims=True),
    "normalize": lambda x: linalg.normalize(x, axis=1)[0] if not x.dtype.is_complex else x,
    "l2_normalize": lambda x: linalg.l2_normalize(x, axis=0),
}
CLIPPED: dict[str, Callable[[Any], Any]] = {
    "by value": lambda x: tl.clip_by_value(x, -0.5, 0.6),
    "by norm": lambda x: tl.clip_by_norm(x * x, 0.7),
    "by norm, rows": lambda x: tl.clip_by_norm(x, 0.7, axes=[1]),
    "by norm, small": lambda x: tl.clip_by_norm(x, 70.0),
    "by global norm": lambda x: tl.clip_by_global_norm([x, tl.sin(x[0])], 0.5),
    "by global norm, small": lambda x: tl.clip_by_global_norm([x, tl.sin(x[0])], 50.0),
    "by another norm": lambda x: tl.clip_by_global_norm([x], 0.5, use_norm=tl.norm(x) + 1.0)[0],
}


@DTYPES
@pytest.mark.parametrize("name", SQUARE)
def test_matrices(name: str, dtype: Any) -> None:
    args = [array(3, 3, dtype=dtype), array(3, 2, dtype=dtype, seed=1)]
    tl.test.check_gradients(SQUARE[name], args, order=2, rtol=1e-4, atol=1e-4)
    tl.test.check_gradients(tl.function(SQUARE[name]), args, rtol=1e-5, atol=1e-5)


@DTYPES
@pytest.mark.parametrize("name", NORMS)
def test_norms(name: str, dtype: Any) -> None:
    tl.test.check_gradients(NORMS[name], [array(3, 4, dtype=dtype)], order=2, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CLIPPED)
def test_clipping(name: str) -> None:
    tl.test.check_gradients(CLIPPED[name], [array(3, 4)], order=2)


# --- edges: two orders of derivatives, none of them NaN ------------------------------

EDGES: list[tuple[str, Callable[[Any], Any], list[float], list[float]]] = [
    ("norm", tl.norm, [0.0, 0.0], [0.0, 0.0]),
    ("norm of a part", tl.norm, [0.0, 4.0], [0.0, 1.0]),
    ("norm 1", lambda x: tl.norm(x, ord=1), [0.0, -3.0], [0.0, -1.0]),
    ("norm 3", lambda x: tl.norm(x, ord=3), [0.0, 0.0], [0.0, 0.0]),
    ("norm 3 of a part", lambda x: tl.norm(x, ord=3), [0.0, -3.0], [0.0, -1.0]),
    ("norm 1.5", lambda x: tl.norm(x, ord=1.5), [0.0, 0.0], [0.0, 0.0]),
    ("norm inf", lambda x: tl.norm(x, ord=INF), [2.0, -2.0, 1.0], [0.5, -0.5, 0.0]),
    ("norm inf at 0", lambda x: tl.norm(x, ord=INF), [0.0, 0.0], [0.0, 0.0]),
    ("fro", lambda x: tl.norm(tl.stack([x, x]), "fro", [0, 1]), [0.0, 0.0], [0.0, 0.0]),
    ("global norm", lambda x: linalg.global_norm([x, x]), [0.0, 0.0], [0.0, 0.0]),
    ("clip by norm", lambda x: tl.clip_by_norm(x, 1.0), [0.0, 0.0], [1.0, 1.0]),
    ("clip by global", lambda x: tl.clip_by_global_norm([x], 1.0)[0], [0.0, 0.0], [1.0, 1.0]),
    ("clip by value", lambda x: tl.clip_by_value(x, 0.0, 1.0), [0.0, 1.0, 2.0], [1.0, 1.0, 0.0]),
    ("logsumexp, ties", tl.reduce_logsumexp, [1.0, 1.0], [0.5, 0.5]),
    ("logsumexp, inf", tl.reduce_logsumexp, [INF, 0.0, -INF], [1.0, 0.0, 0.0]),
    ("logsumexp, -inf", tl.reduce_logsumexp, [-INF, 0.0], [0.0, 1.0]),
    ("logsumexp of nothing", tl.reduce_logsumexp, [-INF, -INF], [0.0, 0.0]),
    ("logsumexp, far", tl.reduce_logsumexp, [1e300, -1e300], [1.0, 0.0]),
    ("sqrt, inf", tl.sqrt, [INF, 4.0], [0.0, 0.25]),
    ("where, sqrt", lambda x: tl.where(x > 0, tl.sqrt(x), x), [0.0, -1.0, 4.0], [1.0, 1.0, 0.25]),
    ("where, 1 / x", lambda x: tl.where(x > 1, 1 / x, x), [0.0, -INF, 2.0], [1.0, 1.0, -0.25]),
    ("where, exp", lambda x: tl.where(x < 1, tl.exp(x), x), [0.0, 1e9, INF], [1.0, 1.0, 1.0]),
    ("pow 2", lambda x: x**2, [0.0, -1.0], [0.0, -2.0]),
    ("pow 1", lambda x: x**1.0, [0.0, -1.0], [1.0, 1.0]),
    ("pow 0", lambda x: x**0.0, [0.0, INF], [0.0, 0.0]),
    ("pow 3", lambda x: x**3.0, [0.0, -1.0], [0.0, 3.0]),
    ("0 to a power", lambda x: tl.zeros([2], x.dtype) ** x, [0.0, 2.0], [0.0, 0.0]),
    ("2 to a power", lambda x: 2.0**x, [0.0, -INF], [np.log(2), 0.0]),
    ("x to the x", lambda x: x**x, [1.0, 2.0], [1.0, 4 * (np.log(2) + 1)]),
    ("largest", tl.reduce_max, [1.0, 1.0, 0.0], [0.5, 0.5, 0.0]),
    ("product", tl.reduce_prod, [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
    ("abs", tl.abs, [0.0, -2.0], [0.0, -1.0]),
]


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(("name", "f", "at", "want"), EDGES, ids=[e[0] for e in EDGES])
def test_edges(name: str, f: Any, at: list[float], want: list[float], traced: bool) -> None:
    def run(x: Any) -> Any:
        with tl.GradientTape() as outer:
            outer.watch(x)
            with tl.GradientTape() as tape:
                tape.watch(x)
                y = f(x)
            g = tape.gradient(y, x)
            total = tl.reduce_sum(g)
        return g, outer.gradient(total, x, unconnected_gradients="zero")

    first, second = (tl.function(run) if traced else run)(tl.constant(at, tl.float64))
    np.testing.assert_allclose(first, want, rtol=1e-12, atol=1e-12)
    assert not np.isnan(second.numpy()).any()


def test_the_convention_of_complex_numbers() -> None:
    """As TensorFlow's: the gradient of a real function is its steepest way up, a + ib; that of a
    holomorphic one is the conjugate of its derivative.
    """
    z = tl.constant([0.3 + 0.7j, -1.2 - 0.4j])
    for f, want in [
        (lambda z: tl.abs(z) ** 2, 2 * z.numpy()),
        (tl.math.real, np.ones(2)),
        (tl.math.imag, 1j * np.ones(2)),
        (lambda z: z * z, np.conj(2 * z.numpy())),
        (tl.exp, np.conj(np.exp(z.numpy()))),
        (tl.math.conj, np.ones(2)),
    ]:
        with tl.GradientTape() as tape:
            tape.watch(z)
            y = f(z)
        np.testing.assert_allclose(tape.gradient(y, z), want, rtol=1e-12)
