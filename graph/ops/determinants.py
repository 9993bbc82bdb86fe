"""Determinants of matrices, the last two axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..node import Tensor
from ..spec import TensorSpec
from .arithmetic import multiply
from .axes import expand_dims
from .casting import cast, complex_, conj, imag, real
from .define import batches_in_step, primitive
from .filling import zeros_like
from .lapack import UNENDING, in_wide, require_matrix, square_infer
from .linear import matmul
from .matrices import adjoint, matrix_transpose
from .reductions import reduce_sum
from .solving import inv


def _number_infer(a: TensorSpec) -> TensorSpec:
    require_matrix(a, square=True)
    return TensorSpec(None if a.shape.rank is None else a.shape[:-2], a.dtype)


def _det_eval(xp: Any, a: Array) -> Array:
    return _nan_of_nan(xp, in_wide(xp.linalg.det, a), a)


def _nan_of_nan(xp: Any, x: Array, a: Array) -> Array:
    """LAPACK may take a matrix with NaN for a singular one."""
    found: Array = xp.where(xp.isnan(a).any((-2, -1)), x.dtype.type(np.nan), x)
    return found


def _on_matrices(x: Tensor) -> Tensor:
    return expand_dims(expand_dims(x, -1), -1)


def _det_vjp(g: Tensor, out: Tensor, a: Tensor) -> tuple[Tensor]:
    found: Tensor = apply(_COFACTORS, (a,))
    return (_on_matrices(g) * conj(found),)


def _cofactors_eval(xp: Any, a: Array) -> Array:
    """By singular values, so that a singular matrix has them, too."""

    def found(a: Array) -> Array:
        u, s, v = xp.linalg.svd(a)
        ones = xp.ones((*s.shape[:-1], 1), s.dtype)
        before = xp.cumprod(xp.concatenate([ones, s[..., :-1]], -1), -1)
        behind = xp.cumprod(xp.concatenate([ones, s[..., :0:-1]], -1), -1)[..., ::-1]
        sign = xp.linalg.det(u) * xp.linalg.det(v)
        made = (u.conj() * (before * behind)[..., None, :]) @ v.conj()
        return sign[..., None, None] * made  # type: ignore[no-any-return]

    result: Array = in_wide(found, a, failure=UNENDING)
    return result


def _cofactors_vjp(g: Tensor, out: Tensor, a: Tensor) -> tuple[Tensor]:
    """Of `det(a) inv(a)^T`, for an invertible matrix."""
    y, d = inv(a), det(a)
    along = conj(d * reduce_sum(conj(g) * matrix_transpose(y), [-2, -1]))
    across = matmul(matmul(y, matrix_transpose(g), adjoint_a=True), y, adjoint_b=True)
    return (_on_matrices(along) * adjoint(y) - _on_matrices(conj(d)) * across,)


def _slogdet_infer(a: TensorSpec) -> tuple[TensorSpec, TensorSpec]:
    number = _number_infer(a)
    return number, number


def _slogdet_eval(xp: Any, a: Array) -> tuple[Array, Array]:
    sign, size = in_wide(lambda x: tuple(xp.linalg.slogdet(x)), a)
    return _nan_of_nan(xp, sign, a), _nan_of_nan(xp, size.astype(a.dtype), a)


def _slogdet_vjp(gs: list[Any], outs: list[Tensor], a: Tensor) -> tuple[Tensor]:
    g_sign, g_size = gs
    weight = None
    if g_size is not None:
        weight = cast(cast(g_size, a.dtype.real_dtype), a.dtype)
    if g_sign is not None and a.dtype.is_complex:
        turn = imag(multiply(g_sign, conj(outs[0])))
        turn = complex_(zeros_like(turn), turn)
        weight = turn if weight is None else weight + turn
    if weight is None:
        return (zeros_like(a),)  # the sign of a real determinant
    return (_on_matrices(weight) * adjoint(inv(a)),)


def _det_jvp(ts: Any, out: Tensor, a: Tensor) -> Tensor:
    return reduce_sum(ts[0] * apply(_COFACTORS, (a,)), [-2, -1])


def _slogdet_jvp(ts: Any, outs: list[Tensor], a: Tensor) -> list[Any]:
    trace = reduce_sum(ts[0] * matrix_transpose(inv(a)), [-2, -1])
    if not a.dtype.is_complex:
        return [None, trace]
    turn = imag(trace)
    return [complex_(zeros_like(turn), turn) * outs[0], cast(real(trace), a.dtype)]


_DET = primitive("determinant", _number_infer, _det_eval, _det_vjp, jvp=_det_jvp, display="det")
_COFACTORS = primitive("cofactors", square_infer, _cofactors_eval, _cofactors_vjp)
_SLOGDET = primitive(
    "log_determinant",
    _slogdet_infer,
    _slogdet_eval,
    _slogdet_vjp,
    jvp=_slogdet_jvp,
    multiple=True,
    display="slogdet",
)


def det(input: Any, name: str | None = None) -> Tensor:
    """The determinant of each matrix. Its gradient is right for singular matrices, too.

    >>> import treadle as tl
    >>> tl.linalg.det([[1., 2.], [3., 5.]]).numpy().round(3)
    np.float32(-1.0)
    """
    found: Tensor = apply(_DET, (convert(input),))
    return found


def slogdet(input: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The sign of the determinant, and the logarithm of its absolute value, both of `input`'s
    dtype: where the determinant itself would be too large or small.

    >>> import treadle as tl
    >>> sign, size = tl.linalg.slogdet([[0., 1.], [1., 0.]])
    >>> sign.numpy(), size.numpy()
    (np.float32(-1.0), np.float32(0.0))
    """
    sign, size = apply(_SLOGDET, (convert(input),))
    return sign, size


def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """The logarithm of the determinant of a positive definite matrix.

    >>> import treadle as tl
    >>> tl.linalg.logdet([[1., 0.], [0., 1.]]).numpy()
    np.float32(0.0)
    """
    return slogdet(matrix)[1]


# --- of a batch of examples ----------------------------------------------------------

batches_in_step(_DET, _COFACTORS, _SLOGDET)

__all__ = ["det", "logdet", "slogdet"]
