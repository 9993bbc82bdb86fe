"""Systems of linear equations, inverses and determinants of matrices: the last two axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert, operands
from ..convert import Array
from ..errors import ShapeError
from ..node import Tensor
from ..op import CHECKS, Op, batches
from ..spec import TensorSpec, broadcast_shapes
from .define import batches_in_step, primitive, same_dtype
from .lapack import UNENDING, in_wide, require_matrix, square_infer
from .linear import MATMUL, matmul, unbatched
from .matrices import adjoint as adjoint_of
from .matrices import band_part
from .queries import shape as shape_of
from .sequences import eye

# --- A x = b -----------------------------------------------------------------


def _solve_infer(a: TensorSpec, b: TensorSpec, **attrs: bool) -> TensorSpec:
    dtype = same_dtype(a, b)
    require_matrix(a, square=True)
    require_matrix(b)
    if a.shape.rank is None or b.shape.rank is None:
        return TensorSpec(None, dtype)
    *batch, rows, columns = a.shape
    *more, height, width = b.shape
    size = rows if rows is not None else columns
    if size != height and size is not None and height is not None:
        raise ShapeError(f"{size} equations, but {height} right-hand sides: {a.shape}, {b.shape}")
    both = broadcast_shapes(a.shape[:-2], b.shape[:-2]) if batch != more else batch
    return TensorSpec((*both, height if height is not None else size, width), dtype)


def _solved(xp: Any, a: Array, b: Array, is_adjoint: bool) -> Array:
    if is_adjoint:
        a = a.swapaxes(-1, -2).conj()
    if a.shape[-1] != b.shape[-2] or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"a square matrix and as many right-hand sides: {a.shape}, {b.shape}")
    found: Array = in_wide(xp.linalg.solve, a, b)
    return found


def _solve_eval(xp: Any, a: Array, b: Array, *, adjoint: bool) -> Array:
    return _solved(xp, a, b, adjoint)


def _triangular_eval(xp: Any, a: Array, b: Array, *, lower: bool, adjoint: bool) -> Array:
    return _solved(xp, xp.tril(a) if lower else xp.triu(a), b, adjoint)


def _solve_gradient(op: Op, g: Tensor, x: Tensor, a: Tensor, b: Tensor, **attrs: bool) -> Any:
    """With B = A^-H g that of b, that of A is -B x^H; with the adjoint of A, -x B^H."""
    for_b: Tensor = apply(op, (a, g), {**attrs, "adjoint": not attrs["adjoint"]})
    left, right = (x, for_b) if attrs["adjoint"] else (for_b, x)
    return -matmul(left, right, adjoint_b=True), for_b


def _solve_vjp(g: Tensor, out: Tensor, a: Tensor, b: Tensor, *, adjoint: bool) -> Any:
    for_a, for_b = _solve_gradient(SOLVE, g, out, a, b, adjoint=adjoint)
    return unbatched(for_a, a), unbatched(for_b, b)


def _triangular_vjp(
    g: Tensor, out: Tensor, a: Tensor, b: Tensor, *, lower: bool, adjoint: bool
) -> Any:
    for_a, for_b = _solve_gradient(TRIANGULAR, g, out, a, b, lower=lower, adjoint=adjoint)
    for_a = band_part(for_a, *((-1, 0) if lower else (0, -1)))
    return unbatched(for_a, a), unbatched(for_b, b)


def _solve_tangent(op: Op, ta: Any, tb: Any, x: Tensor, a: Tensor, **attrs: bool) -> Tensor:
    """Of a x = b: a times the tangent of x is that of b, less that of a times x."""
    right = tb
    if ta is not None:
        moved = matmul(ta, x, adjoint_a=attrs["adjoint"])
        right = -moved if tb is None else tb - moved
    result: Tensor = apply(op, (a, right), attrs)
    return result


def _solve_jvp(ts: Any, out: Tensor, a: Tensor, b: Tensor, *, adjoint: bool) -> Tensor:
    return _solve_tangent(SOLVE, ts[0], ts[1], out, a, adjoint=adjoint)


def _triangular_jvp(
    ts: Any, out: Tensor, a: Tensor, b: Tensor, *, lower: bool, adjoint: bool
) -> Tensor:
    ta = None if ts[0] is None else band_part(ts[0], *((-1, 0) if lower else (0, -1)))
    return _solve_tangent(TRIANGULAR, ta, ts[1], out, a, lower=lower, adjoint=adjoint)


SOLVE = primitive(
    "matrix_solve", _solve_infer, _solve_eval, _solve_vjp, jvp=_solve_jvp, effects=(CHECKS,)
)
TRIANGULAR = primitive(
    "matrix_triangular_solve",
    _solve_infer,
    _triangular_eval,
    _triangular_vjp,
    jvp=_triangular_jvp,
    effects=(CHECKS,),
)


def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The `x` with `matrix @ x == rhs`: shapes [..., n, n] and [..., n, k], floats or complex.

    With `adjoint`, the matrix is transposed and conjugated first. Batches broadcast.
    InvalidArgumentError where the matrix is singular.

    >>> import treadle as tl
    >>> tl.linalg.solve([[2., 0.], [0., 4.]], [[2.], [2.]]).numpy()
    array([[1. ],
           [0.5]], dtype=float32)
    """
    a, b = operands(SOLVE, matrix, rhs)
    found: Tensor = apply(SOLVE, (a, b), {"adjoint": bool(adjoint)})
    return found


def triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """`solve` for a matrix of which only the lower (or upper) triangle is looked at.

    >>> import treadle as tl
    >>> tl.linalg.triangular_solve([[2., 9.], [1., 1.]], [[2.], [3.]]).numpy()
    array([[1.],
           [2.]], dtype=float32)
    """
    a, b = operands(TRIANGULAR, matrix, rhs)
    attrs = {"lower": bool(lower), "adjoint": bool(adjoint)}
    found: Tensor = apply(TRIANGULAR, (a, b), attrs)
    return found


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """The `x` with `A @ x == rhs`, where `chol` is `cholesky(A)`.

    >>> import treadle as tl
    >>> tl.linalg.cholesky_solve([[2.]], [[8.]]).numpy()
    array([[2.]], dtype=float32)
    """
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


# --- inverses ----------------------------------------------------------------


def _inverse_vjp(g: Tensor, y: Tensor, a: Tensor) -> tuple[Tensor]:
    return (-matmul(matmul(y, g, adjoint_a=True), y, adjoint_b=True),)


_INVERSE = primitive(
    "matrix_inverse",
    square_infer,
    lambda xp, a: in_wide(xp.linalg.inv, a),
    _inverse_vjp,
    jvp=lambda ts, y, a: -matmul(matmul(y, ts[0]), y),
    effects=(CHECKS,),
)


def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """The inverse of each matrix, or of its adjoint. InvalidArgumentError for a singular one.

    >>> import treadle as tl
    >>> tl.linalg.inv([[2., 0.], [0., 4.]]).numpy()
    array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    a = convert(input)
    found: Tensor = apply(_INVERSE, (adjoint_of(a) if adjoint else a,))
    return found


def _pinv_infer(a: TensorSpec, *, rcond: float | None) -> TensorSpec:
    require_matrix(a)
    shape = None if a.shape.rank is None else (*a.shape[:-2], a.shape[-1], a.shape[-2])
    return TensorSpec(shape, a.dtype)


def _pinv_eval(xp: Any, a: Array, *, rcond: float | None) -> Array:
    dtype = np.float32 if a.dtype.itemsize == 2 else a.dtype
    cut = 10 * max(a.shape[-2:]) * np.finfo(dtype).eps if rcond is None else rcond
    found: Array = in_wide(lambda x: xp.linalg.pinv(x, cut), a, failure=UNENDING)
    return found


def _pinv_vjp(g: Tensor, p: Tensor, a: Tensor, *, rcond: float | None) -> tuple[Tensor]:
    """Golub and Pereyra, The differentiation of pseudo-inverses (1973), transposed."""
    square = matmul(p, p, adjoint_b=True)
    found = -matmul(matmul(p, g, adjoint_a=True), p, adjoint_b=True)
    left = matmul(adjoint_of(g), square)
    found += left - matmul(a, matmul(p, left))
    right = matmul(matmul(p, p, adjoint_a=True), adjoint_of(g))
    return (found + right - matmul(matmul(right, p), a),)


_PINV = primitive("pseudo_inverse", _pinv_infer, _pinv_eval, _pinv_vjp)


def pinv(a: Any, rcond: float | None = None, name: str | None = None) -> Tensor:
    """The Moore-Penrose inverse of each matrix.

    Singular values below `rcond` times the largest count as 0. Its gradient takes the rank as
    fixed.

    >>> import treadle as tl
    >>> tl.linalg.pinv([[2., 0.]]).numpy()
    array([[0.5],
           [0. ]], dtype=float32)
    """
    found: Tensor = apply(_PINV, (convert(a),), {"rcond": rcond})
    return found


def lstsq(
    matrix: Any,
    rhs: Any,
    l2_regularizer: float = 0.0,
    fast: bool = True,
    name: str | None = None,
) -> Tensor:
    """The `x` that makes `matrix @ x - rhs` least, in the sum of squares; of several, the shortest.

    Shapes [..., m, n] and [..., m, k]. `l2_regularizer` times the squares of `x` is added to what
    is made least. `fast` changes nothing here: all ranks are treated well.

    >>> import treadle as tl
    >>> tl.linalg.lstsq([[1.], [1.]], [[1.], [3.]]).numpy().round(3)
    array([[2.]], dtype=float32)
    """
    a, b = operands(MATMUL, matrix, rhs)
    if not l2_regularizer:
        return matmul(pinv(a), b)
    size = a.shape[-1] if a.shape.rank and a.shape[-1] is not None else shape_of(a)[-1]
    more = eye(size, dtype=a.dtype) * a.dtype.as_numpy_dtype(l2_regularizer)
    return solve(matmul(a, a, adjoint_a=True) + more, matmul(a, b, adjoint_a=True))


# --- of a batch of examples ----------------------------------------------------------


def _batched(op: Op) -> None:
    @batches(op)
    def rule(batch: Any, flags: Any, a: Tensor, b: Tensor, **attrs: bool) -> Any:
        # A full right-hand side: NumPy takes one of fewer axes for vectors.
        given = batch.aligned(batch.fulls((a, b), flags), (True, True), least=2)
        return apply(op, given, attrs)


_batched(SOLVE)
_batched(TRIANGULAR)
batches_in_step(_INVERSE, _PINV)

__all__ = [
    "cholesky_solve",
    "inv",
    "lstsq",
    "pinv",
    "solve",
    "triangular_solve",
]
