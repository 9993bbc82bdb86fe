"""Matrices at the edges: narrow dtypes, NaN, equal eigenvalues, singular ones, empty ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import treadle as tl

linalg = tl.linalg
A = np.array([[4.0, 1.0], [1.0, 3.0]])


@pytest.mark.parametrize("dtype", [tl.float16, tl.bfloat16], ids=lambda d: d.name)
@pytest.mark.parametrize(
    ("f", "oracle"),
    [
        (linalg.inv, np.linalg.inv),
        (linalg.det, np.linalg.det),
        (linalg.cholesky, np.linalg.cholesky),
        (linalg.eigvalsh, np.linalg.eigvalsh),
        (lambda x: linalg.svd(x, compute_uv=False), lambda x: np.linalg.svd(x, compute_uv=False)),
        (lambda x: linalg.solve(x, x), lambda x: np.eye(2)),
    ],
    ids=["inv", "det", "cholesky", "eigvalsh", "svd", "solve"],
)
def test_narrow_dtypes(f: Any, oracle: Any, dtype: Any) -> None:
    got = f(tl.constant(A, dtype))
    assert got.dtype is dtype
    rough = 0.01 if dtype is tl.float16 else 0.05
    np.testing.assert_allclose(got.numpy().astype(float), oracle(A), rtol=rough, atol=rough)


def test_determinants_of_nan_are_nan() -> None:
    x = np.stack([A, [[np.nan, 1.0], [1.0, 1.0]]])
    assert np.isnan(linalg.det(x).numpy()).tolist() == [False, True]
    assert np.isnan([r.numpy() for r in linalg.slogdet(x)]).tolist() == [[False, True]] * 2


def test_the_gradient_of_the_determinant_of_a_singular_matrix() -> None:
    """By cofactors, which need no inverse."""
    x = tl.constant([[1.0, 2.0], [2.0, 4.0]])
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = linalg.det(x)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [[4, -2], [-2, 1]], rtol=1e-5)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: tl.reduce_sum(linalg.eigh(x)[0] ** 2),
        lambda x: tl.reduce_sum(linalg.svd(x)[0] ** 2),
        lambda x: tl.reduce_sum(linalg.svd(x, compute_uv=False) ** 2),
    ],
    ids=["eigh", "svd", "values"],
)
def test_equal_values_give_no_nan(f: Any) -> None:
    """The sum of squares, whose gradient is known: 2 x."""
    x = tl.Variable(tl.eye(3, dtype=tl.float64) * 2.0)
    with tl.GradientTape() as tape:
        y = f(x)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), 4 * np.eye(3), atol=1e-12)


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (linalg.inv, [(0, 0)]),
        (linalg.det, [()]),
        (linalg.svd, [(0,), (0, 0), (0, 0)]),
        (linalg.qr, [(0, 0), (0, 0)]),
    ],
    ids=["inv", "det", "svd", "qr"],
)
def test_matrices_of_nothing(f: Any, shapes: list[tuple[int, ...]]) -> None:
    found = f(tl.zeros([0, 0]))
    found = found if isinstance(found, tuple) else (found,)
    assert [tuple(x.shape) for x in found] == shapes


def test_gradients_that_do_not_exist_are_refused() -> None:
    x = tl.ones([3, 2])
    for f in (linalg.qr, linalg.svd):
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = f(x, full_matrices=True)[-1]
        with pytest.raises(tl.errors.UnimplementedError, match="full_matrices=True"):
            tape.gradient(y, x)
