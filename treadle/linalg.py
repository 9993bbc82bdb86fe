"""Linear algebra."""

from __future__ import annotations

from typing import Any

from .clipping import global_norm
from .graph.build import convert
from .graph.errors import ShapeError
from .graph.node import Tensor
from .graph.ops.decompositions import cholesky, eigh, eigvalsh, qr, svd
from .graph.ops.determinants import det, logdet, slogdet
from .graph.ops.einsum import einsum
from .graph.ops.linear import matmul, matvec, regroup, sizes_of, tensordot
from .graph.ops.matrices import (
    adjoint,
    band_part,
    cross,
    diag,
    diag_part,
    matrix_transpose,
    set_diag,
    trace,
)
from .graph.ops.norms import l2_normalize, norm, normalize
from .graph.ops.sequences import eye
from .graph.ops.solving import (
    cholesky_solve,
    inv,
    lstsq,
    pinv,
    solve,
    triangular_solve,
)

__all__ = [
    "adjoint",
    "band_part",
    "cholesky",
    "cholesky_solve",
    "cross",
    "det",
    "diag",
    "diag_part",
    "eigh",
    "eigvalsh",
    "einsum",
    "eye",
    "global_norm",
    "inv",
    "l2_normalize",
    "logdet",
    "lstsq",
    "matmul",
    "matrix_transpose",
    "matvec",
    "norm",
    "normalize",
    "pinv",
    "qr",
    "set_diag",
    "slogdet",
    "solve",
    "svd",
    "tensor_diag",
    "tensor_diag_part",
    "tensordot",
    "trace",
    "triangular_solve",
]


def tensor_diag(diagonal: Any, name: str | None = None) -> Tensor:
    """The tensor of shape s + s that holds `diagonal`, of shape s, where both indices agree.

    >>> import treadle as tl
    >>> tl.linalg.tensor_diag([1, 2])
    <tl.Tensor: shape=(2, 2), dtype=int32, numpy=
    array([[1, 0],
           [0, 2]], dtype=int32)>
    """
    x = convert(diagonal)
    sizes = sizes_of(x)
    return regroup(diag(regroup(x, [sizes])), [[d] for d in (*sizes, *sizes)])


def tensor_diag_part(input: Any, name: str | None = None) -> Tensor:
    """The inverse of `tensor_diag`: from shape s + s to shape s.

    >>> import treadle as tl
    >>> tl.linalg.tensor_diag_part([[1, 2], [3, 4]])
    <tl.Tensor: shape=(2,), dtype=int32, numpy=array([1, 4], dtype=int32)>
    """
    x = convert(input)
    sizes = sizes_of(x)
    half = len(sizes) // 2
    if not x.shape[:half].is_compatible_with(x.shape[half:]):
        raise ShapeError(f"a shape s + s is needed, this is {x.shape}")
    return regroup(diag_part(regroup(x, [sizes[:half], sizes[half:]])), [[d] for d in sizes[:half]])
