"""Tensors with one value in each place: fill, zeros, ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import convert, current, is_tracing
from ..convert import to_array
from ..dtypes import DType, as_dtype, float32, string
from ..errors import DTypeError, ResourceExhaustedError
from ..node import Tensor
from .dims import dims_argument
from .reshaping import broadcast_like, broadcast_to

SMALL = 16  # items of a constant that a graph may hold in place of the op that makes it


def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """A tensor of shape `dims` with `value` in each place.

    >>> import treadle as tl
    >>> tl.fill([2, 3], 9).numpy()
    array([[9, 9, 9],
           [9, 9, 9]], dtype=int32)
    """
    if isinstance(value, Tensor) or hasattr(value, "__tl_tensor__"):
        return broadcast_to(value, dims)
    return _filled(dims, to_array(value))


def _filled(dims: Any, value: Any) -> Tensor:
    static, inputs = dims_argument(dims)
    if not inputs and (not is_tracing() or (static.num_elements() or 0) <= SMALL):
        try:
            return current().constant(np.full(tuple(static), value))
        except MemoryError as error:
            raise ResourceExhaustedError(str(error)) from None
    return broadcast_to(current().constant(value), inputs[0] if inputs else static)


def _zero(dtype: DType, one: bool = False) -> Any:
    if dtype is string:
        if one:
            raise DTypeError("there is no 1 of dtype string")
        return to_array(b"")
    return np.array(int(one), dtype.numpy)


def zeros(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """A tensor of zeros (False, empty strings).

    >>> import treadle as tl
    >>> tl.zeros([2, 3], tl.int32).numpy()
    array([[0, 0, 0],
           [0, 0, 0]], dtype=int32)
    """
    return _filled(shape, _zero(as_dtype(dtype)))


def ones(shape: Any, dtype: Any = float32, name: str | None = None) -> Tensor:
    """A tensor of ones (True).

    >>> import treadle as tl
    >>> tl.ones([2]).numpy()
    array([1., 1.], dtype=float32)
    """
    return _filled(shape, _zero(as_dtype(dtype), one=True))


def zeros_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Zeros in the shape of `input`, of its dtype unless `dtype` says another.

    >>> import treadle as tl
    >>> tl.zeros_like([[1, 2]]).numpy()
    array([[0, 0]], dtype=int32)
    """
    return _like(input, dtype, one=False)


def ones_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Ones in the shape of `input`, of its dtype unless `dtype` says another.

    >>> import treadle as tl
    >>> tl.ones_like([[1, 2]]).numpy()
    array([[1, 1]], dtype=int32)
    """
    return _like(input, dtype, one=True)


def _like(input: Any, dtype: Any, one: bool) -> Tensor:
    x = input if isinstance(input, Tensor) else convert(input)
    value = _zero(x.dtype if dtype is None else as_dtype(dtype), one)
    if x.spec.shape.is_fully_defined():
        return _filled(x.spec.shape, value)
    return broadcast_like(current().constant(value), x)
