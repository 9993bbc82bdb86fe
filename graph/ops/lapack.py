"""What the ops that LAPACK computes have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..convert import Array
from ..errors import InvalidArgumentError, ShapeError
from ..spec import TensorSpec
from .define import FLOAT, require_kind

_SINGULAR = "the matrix is not invertible"
UNENDING = "no singular values or eigenvalues were found; is an item NaN or infinite?"


def require_matrix(a: TensorSpec, square: bool = False) -> None:
    """ShapeError or DTypeError unless `a` is a matrix of floats, or a batch of them."""
    require_kind(a, FLOAT)
    if a.shape.rank is None:
        return
    if len(a.shape) < 2:
        raise ShapeError(f"a matrix has 2 axes or more, this has the shape {a.shape}")
    rows, columns = a.shape[-2:]
    if square and rows != columns and rows is not None and columns is not None:
        raise ShapeError(f"the matrix must be square, its shape is {a.shape}")


def square_infer(a: TensorSpec) -> TensorSpec:
    require_matrix(a, square=True)
    return TensorSpec(a.shape, a.dtype)


def in_wide(function: Callable[..., Any], *arrays: Array, failure: str = _SINGULAR) -> Any:
    """`function` of the arrays; those of 16 bits, which LAPACK does not know, by way of 32."""
    dtype = arrays[0].dtype
    narrow = dtype.itemsize == 2
    given = [a.astype(np.float32) for a in arrays] if narrow else arrays
    try:
        found = function(*given)
    except np.linalg.LinAlgError:
        raise InvalidArgumentError(failure) from None
    if not narrow:
        return found
    many = isinstance(found, tuple)
    made = [np.asarray(x).astype(dtype) for x in (found if many else (found,))]
    return tuple(made) if many else made[0]


__all__ = ["UNENDING", "in_wide", "require_matrix", "square_infer"]
