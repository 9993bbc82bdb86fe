"""Matrices as products: Cholesky, QR, singular values, eigenvalues.

The gradients of vectors that are only given up to their sign or phase are right for what does not
depend on it.
"""

from __future__ import annotations

from typing import Any

from ..build import apply, convert
from ..convert import Array
from ..errors import UnimplementedError
from ..node import Tensor
from ..op import CHECKS
from ..spec import Dim, TensorSpec
from .arithmetic import divide_no_nan, square
from .axes import expand_dims
from .casting import cast, complex_, imag, real
from .define import batches_in_step, primitive
from .filling import zeros_like
from .joining import concat
from .lapack import UNENDING, in_wide, require_matrix, square_infer
from .linear import matmul
from .matrices import adjoint, band_part, diag, diag_part, set_diag
from .queries import shape as shape_of
from .solving import triangular_solve


def _smaller(a: TensorSpec) -> Dim:
    rows: Dim = a.shape[-2]
    columns: Dim = a.shape[-1]
    if rows is None or columns is None:
        return 0 if 0 in (rows, columns) else None
    return min(rows, columns)


def _given(gs: list[Any], outs: list[Tensor]) -> list[Tensor]:
    return [zeros_like(y) if g is None else g for g, y in zip(gs, outs, strict=True)]


def _hermitian(x: Tensor) -> Tensor:
    """The gradient of a matrix that counts as equal to its adjoint."""
    found: Tensor = (x + adjoint(x)) * x.dtype.as_numpy_dtype(0.5)
    return found


def _skew(x: Tensor) -> Tensor:
    return x - adjoint(x)


# --- Cholesky ----------------------------------------------------------------


def _cholesky_eval(xp: Any, a: Array) -> Array:
    found: Array = in_wide(xp.linalg.cholesky, a, failure="the matrix is not positive definite")
    return found


def _cholesky_vjp(g: Tensor, y: Tensor, a: Tensor) -> tuple[Tensor]:
    """Murray, Differentiation of the Cholesky decomposition (2016), section 3."""
    inner = band_part(matmul(y, band_part(g, -1, 0), adjoint_a=True), -1, 0)
    inner = set_diag(inner, diag_part(inner) * a.dtype.as_numpy_dtype(0.5))
    left = triangular_solve(y, inner, adjoint=True)
    return (_hermitian(adjoint(triangular_solve(y, adjoint(left), adjoint=True))),)


def _cholesky_jvp(ts: Any, y: Tensor, a: Tensor) -> Tensor:
    """Murray, section 3.1: y times half of y^-1 t y^-H, the part below the diagonal doubled."""
    left = triangular_solve(y, _hermitian(ts[0]))
    inner = band_part(triangular_solve(y, adjoint(left)), -1, 0)
    return matmul(y, set_diag(inner, diag_part(inner) * a.dtype.as_numpy_dtype(0.5)))


_CHOLESKY = primitive(
    "cholesky",
    square_infer,
    _cholesky_eval,
    _cholesky_vjp,
    jvp=_cholesky_jvp,
    effects=(CHECKS,),
)


def cholesky(input: Any, name: str | None = None) -> Tensor:
    """The lower triangular L with `L @ adjoint(L) == input`, for positive definite matrices.

    Only the lower triangle of `input` is looked at. InvalidArgumentError where it is not positive
    definite.

    >>> import treadle as tl
    >>> tl.linalg.cholesky([[4., 2.], [2., 5.]]).numpy()
    array([[2., 0.],
           [1., 2.]], dtype=float32)
    """
    found: Tensor = apply(_CHOLESKY, (convert(input),))
    return found


# --- QR ----------------------------------------------------------------------


def _qr_infer(a: TensorSpec, *, full: bool) -> tuple[TensorSpec, TensorSpec]:
    require_matrix(a)
    if a.shape.rank is None:
        return TensorSpec(None, a.dtype), TensorSpec(None, a.dtype)
    *batch, rows, columns = a.shape
    inner = rows if full else _smaller(a)
    q, r = (*batch, rows, inner), (*batch, inner, columns)
    return TensorSpec(q, a.dtype), TensorSpec(r, a.dtype)


def _qr_eval(xp: Any, a: Array, *, full: bool) -> tuple[Array, Array]:
    mode = "complete" if full else "reduced"
    found: tuple[Array, Array] = in_wide(lambda x: tuple(xp.linalg.qr(x, mode)), a)
    return found


def _qr_vjp(gs: list[Any], outs: list[Tensor], a: Tensor, *, full: bool) -> tuple[Tensor]:
    """Of `a = [x | y]` with a square (or taller) x: `r = [u | q^H y]`, where `x = q u`."""
    if full:
        raise UnimplementedError(
            "qr(full_matrices=True) has no gradient where a matrix is or may be taller than wide; "
            "use full_matrices=False"
        )
    q, r = outs
    gq, gr = _given(gs, outs)
    inner = shape_of(q)[-1]
    y, u, gu, gv = a[..., inner:], r[..., :inner], gr[..., :inner], gr[..., inner:]
    gq = gq + matmul(y, gv, adjoint_b=True)
    qq, rr = matmul(q, gq, adjoint_a=True), matmul(u, gu, adjoint_b=True)
    below = band_part(_skew(qq) + _skew(rr), -1, 0)
    below = set_diag(below, zeros_like(diag_part(below)))
    if a.dtype.is_complex:  # the diagonal of r is real
        phase = imag(diag_part(rr - adjoint(qq)))
        below = below + diag(complex_(zeros_like(phase), phase))
    gx = matmul(q, gu) + _over(matmul(q, below) + gq - matmul(q, qq), u)
    return (concat([gx, matmul(q, gv)], -1),)


def _over(x: Tensor, u: Tensor) -> Tensor:
    """`x u^-H`, for an upper triangular u."""
    return adjoint(triangular_solve(u, adjoint(x), lower=False))


_QR = primitive("qr", _qr_infer, _qr_eval, _qr_vjp, multiple=True)


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> tuple[Tensor, Tensor]:
    """`input == q @ r` with orthonormal columns of q and an upper triangular r.

    Of shape [..., m, n], q is [..., m, k] and r is [..., k, n], where k is the smaller of m and n,
    or with `full_matrices` m.

    >>> import treadle as tl
    >>> q, r = tl.linalg.qr([[0., 2.], [3., 0.]])
    >>> tl.matmul(q, r).numpy()
    array([[0., 2.],
           [3., 0.]], dtype=float32)
    """
    a = convert(input)
    rows, columns = (a.shape[-2:] if a.shape.rank else None) or (None, None)
    is_wide = rows is not None and columns is not None and rows <= columns
    q, r = apply(_QR, (a,), {"full": bool(full_matrices) and not is_wide})
    return q, r


# --- singular values ---------------------------------------------------------


def _svd_infer(a: TensorSpec, *, full: bool) -> tuple[TensorSpec, ...]:
    require_matrix(a)
    real_dtype = a.dtype.real_dtype
    if a.shape.rank is None:
        return tuple(TensorSpec(None, d) for d in (real_dtype, a.dtype, a.dtype))
    *batch, rows, columns = a.shape
    size = _smaller(a)
    u = TensorSpec((*batch, rows, rows if full else size), a.dtype)
    v = TensorSpec((*batch, columns, columns if full else size), a.dtype)
    return TensorSpec((*batch, size), real_dtype), u, v


def _svd_eval(xp: Any, a: Array, *, full: bool) -> tuple[Array, ...]:
    u, s, vh = in_wide(lambda x: tuple(xp.linalg.svd(x, full)), a, failure=UNENDING)
    return s, u, vh.swapaxes(-1, -2).conj()


def _svd_vjp(gs: list[Any], outs: list[Tensor], a: Tensor, *, full: bool) -> tuple[Tensor]:
    """Wan and Zhang, Automatic differentiation for complex valued SVD (2019)."""
    if full:
        raise UnimplementedError("svd(full_matrices=True) has no gradient; use full_matrices=False")
    gs_, gu, gv = _given(gs, outs)
    s, u, v = outs
    wide = expand_dims(cast(s, a.dtype), -2)  # scales columns
    tall = expand_dims(cast(s, a.dtype), -1)  # scales rows
    squares = square(s)
    gaps = cast(expand_dims(squares, -2) - expand_dims(squares, -1), a.dtype)
    uu, vv = matmul(u, gu, adjoint_a=True), matmul(v, gv, adjoint_a=True)
    inner = divide_no_nan(_skew(uu), gaps) * wide + divide_no_nan(_skew(vv), gaps) * tall
    weights = cast(gs_, a.dtype)
    if a.dtype.is_complex:
        phase = divide_no_nan(imag(diag_part(uu)), s)
        weights = weights + complex_(zeros_like(phase), phase)
    inner = set_diag(inner, weights)
    found = matmul(u, matmul(inner, v, adjoint_b=True))
    found += matmul(divide_no_nan(gu - matmul(u, uu), wide), v, adjoint_b=True)
    found += matmul(u, divide_no_nan(gv - matmul(v, vv), wide), adjoint_b=True)
    return (found,)


_SVD = primitive("svd", _svd_infer, _svd_eval, _svd_vjp, multiple=True)


def _values_infer(a: TensorSpec) -> TensorSpec:
    return _svd_infer(a, full=False)[0]


def _values_eval(xp: Any, a: Array) -> Array:
    found: Array = in_wide(lambda x: xp.linalg.svd(x, compute_uv=False), a, failure=UNENDING)
    return found


def _values_vjp(g: Tensor, out: Tensor, a: Tensor) -> tuple[Tensor]:
    _, u, v = apply(_SVD, (a,), {"full": False})
    return (matmul(u * expand_dims(cast(g, a.dtype), -2), v, adjoint_b=True),)


def _values_jvp(ts: Any, out: Tensor, a: Tensor) -> Tensor:
    _, u, v = apply(_SVD, (a,), {"full": False})
    return real(diag_part(matmul(u, matmul(ts[0], v), adjoint_a=True)))


_SINGULAR_VALUES = primitive(
    "singular_values", _values_infer, _values_eval, _values_vjp, jvp=_values_jvp
)


def svd(
    tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None
) -> Any:
    """`s, u, v` with `tensor == u @ diag(s) @ adjoint(v)`, s from large to small; or s alone.

    Of shape [..., m, n], s is [..., k], u is [..., m, k] and v is [..., n, k], where k is the
    smaller of m and n; with `full_matrices` u and v are square.

    >>> import treadle as tl
    >>> tl.linalg.svd([[3., 0.], [0., 4.]], compute_uv=False).numpy()
    array([4., 3.], dtype=float32)
    """
    if compute_uv:
        return tuple(apply(_SVD, (convert(tensor),), {"full": bool(full_matrices)}))
    return apply(_SINGULAR_VALUES, (convert(tensor),))


# --- eigenvalues of matrices that are their own adjoint ----------------------


def _eigh_infer(a: TensorSpec) -> tuple[TensorSpec, TensorSpec]:
    require_matrix(a, square=True)
    known = a.shape.rank is not None
    values = TensorSpec(a.shape[:-1] if known else None, a.dtype.real_dtype)
    return values, TensorSpec(a.shape, a.dtype)


def _eigh_eval(xp: Any, a: Array) -> tuple[Array, Array]:
    found: tuple[Array, Array] = in_wide(lambda x: tuple(xp.linalg.eigh(x)), a, failure=UNENDING)
    return found


def _eigh_vjp(gs: list[Any], outs: list[Tensor], a: Tensor) -> tuple[Tensor]:
    """Giles, An extended collection of matrix derivative results (2008), section 3.1."""
    g, gv = _given(gs, outs)
    w, v = outs
    gaps = cast(expand_dims(w, -2) - expand_dims(w, -1), a.dtype)
    inner = divide_no_nan(matmul(v, gv, adjoint_a=True), gaps)
    inner = set_diag(inner, cast(g, a.dtype))
    return (_hermitian(matmul(v, matmul(inner, v, adjoint_b=True))),)


def _eigh_jvp(ts: Any, outs: list[Tensor], a: Tensor) -> list[Tensor]:
    w, v = outs
    gaps = cast(expand_dims(w, -2) - expand_dims(w, -1), a.dtype)
    inner = matmul(v, matmul(_hermitian(ts[0]), v), adjoint_a=True)
    return [real(diag_part(inner)), matmul(v, divide_no_nan(inner, gaps))]


_EIGH = primitive(
    "self_adjoint_eig", _eigh_infer, _eigh_eval, _eigh_vjp, jvp=_eigh_jvp, multiple=True
)


def eigh(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues, from small to large, and in columns eigenvectors, of symmetric (or Hermitian)
    matrices. Only the lower triangle is looked at.

    >>> import treadle as tl
    >>> tl.linalg.eigh([[2., 0.], [0., 1.]])[0].numpy()
    array([1., 2.], dtype=float32)
    """
    values, vectors = apply(_EIGH, (convert(tensor),))
    return values, vectors


def eigvalsh(tensor: Any, name: str | None = None) -> Tensor:
    """The eigenvalues that `eigh` gives.

    >>> import treadle as tl
    >>> tl.linalg.eigvalsh([[2., 0.], [0., 1.]]).numpy()
    array([1., 2.], dtype=float32)
    """
    return eigh(tensor)[0]


# --- of a batch of examples ----------------------------------------------------------

batches_in_step(_CHOLESKY, _QR, _SVD, _SINGULAR_VALUES, _EIGH)

__all__ = ["cholesky", "eigh", "eigvalsh", "qr", "svd"]
