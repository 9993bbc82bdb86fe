"""Python and NumPy values as arrays of a dtype: what `tl.constant` and operands go through."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes
from .dtypes import DType
from .errors import DTypeError, ShapeError
from .spec import TensorShape

Array = np.ndarray[Any, Any]


def to_array(value: Any, dtype: DType | None = None) -> Array:
    """A new array of `value`: nested lists of numbers, NumPy arrays, buffers, DLPack objects.

    Without `dtype`, Python ints give int32 (int64 where they do not fit), floats float32, complex
    complex128, str and bytes string; arrays keep their dtype. Raises DTypeError where a value does
    not fit the dtype, ShapeError for ragged lists.
    """
    kind = type(value)
    if kind is float or kind is int or kind is bool:
        return _number(value, dtype)
    if isinstance(value, TensorShape):
        if not value.is_fully_defined():
            raise DTypeError(f"the shape {value} is not fully known; use tl.shape(x)")
        value = value.as_list() or np.zeros(0, np.int32)
    if value is None:
        raise DTypeError("None can't be converted to a tensor")
    if isinstance(value, (np.ndarray, np.generic)):
        return _from_numpy(np.asarray(value), value, dtype)
    if isinstance(value, (list, tuple, range)):
        return _from_list(value, dtype)
    if isinstance(value, (str, bytes)):
        return _strings(np.array(value, dtype=object), dtype)
    if hasattr(value, "__array__") or hasattr(value, "__array_interface__"):
        return _from_numpy(np.asarray(value), value, dtype)
    if hasattr(value, "__dlpack__"):
        return _from_numpy(np.from_dlpack(value), value, dtype)
    try:
        return _from_numpy(np.asarray(memoryview(value)), value, dtype)
    except TypeError:
        pass
    if isinstance(value, (bool, int, float, complex)):
        return _number(value, dtype)
    raise DTypeError(f"{value!r} of type {type(value).__name__} can't be converted to a tensor")


def _number(value: Any, dtype: DType | None) -> Array:
    if dtype is None:
        if isinstance(value, bool):
            dtype = dtypes.bool_
        elif isinstance(value, int):
            dtype = dtypes.int32 if -(2**31) <= value < 2**31 else dtypes.int64
        elif isinstance(value, float):
            dtype = dtypes.float32
        else:
            dtype = dtypes.complex128
    elif isinstance(value, bool):
        if not dtype.is_bool:
            raise _misfit(value, dtype)
    elif isinstance(value, int):
        if not dtype.is_numeric:
            raise _misfit(value, dtype)
    elif isinstance(value, float):
        if not (dtype.is_floating or dtype.is_complex):
            raise _misfit(value, dtype)
    elif not dtype.is_complex:
        raise _misfit(value, dtype)
    try:
        with np.errstate(all="ignore"):
            return np.array(value, dtype.numpy)
    except OverflowError:
        raise DTypeError(f"{value!r} is out of the range of {dtype.name}") from None


def _misfit(value: Any, dtype: DType) -> DTypeError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return DTypeError(f"{shown} can't be a tensor of dtype {dtype.name}")


def _strings(array: Array, dtype: DType | None) -> Array:
    if dtype is not None and dtype is not dtypes.string:
        raise _misfit(array.tolist(), dtype)
    out = np.empty(array.shape, object)
    for index, item in np.ndenumerate(array):
        if not isinstance(item, (str, bytes)):
            raise DTypeError(f"{item!r} of type {type(item).__name__} can't be part of a tensor")
        out[index] = item.encode() if isinstance(item, str) else item
    return out


def _from_numpy(array: Array, value: Any, dtype: DType | None) -> Array:
    if array.dtype.kind in "SUO":
        return _strings(array.astype(object), dtype)
    found = dtypes.as_dtype(array.dtype)
    if dtype is None or dtype is found:
        return np.array(array, found.numpy)
    if dtype is dtypes.string or not np.can_cast(found.numpy, dtype.numpy, "same_kind"):
        raise _misfit(value, dtype)
    return np.array(array, dtype.numpy)


def _from_list(value: Any, dtype: DType | None) -> Array:
    leaves = list(_leaves(value))
    if any(isinstance(v, (str, bytes)) for v in leaves):
        return _strings(np.array(value, dtype=object), dtype)
    try:
        array = np.array([np.asarray(v) if hasattr(v, "__array__") else v for v in value])
    except ValueError:
        raise ShapeError(f"{value!r} is ragged: its rows differ in length") from None
    except OverflowError:
        array = np.array(value, object)
    if array.dtype.kind == "O":
        raise (
            _misfit(value, dtype)
            if dtype
            else DTypeError(f"{value!r} can't be converted to a tensor")
        )
    if any(isinstance(v, (np.ndarray, np.generic)) or hasattr(v, "__array__") for v in leaves):
        return _from_numpy(array, value, dtype)
    if array.size == 0:
        return array.astype((dtype or dtypes.float32).numpy)
    if dtype is None:
        kinds = {type(v) for v in leaves}
        if bool in kinds and len(kinds) > 1:
            raise DTypeError(f"{value!r} mixes truth values and numbers")
        dtype = _natural(array)
    checked = _number(leaves[0], dtype) if len(leaves) == 1 else None
    if checked is None:
        _number(max(leaves, key=_generality), dtype)
    if dtype.is_integer:
        limits = np.iinfo(dtype.numpy)
        if array.min() < limits.min or array.max() > limits.max:
            raise DTypeError(f"{value!r} is out of the range of {dtype.name}")
    return array.astype(dtype.numpy)


def _natural(array: Array) -> DType:
    if array.dtype.kind == "b":
        return dtypes.bool_
    if array.dtype.kind in "iu":
        fits = array.min() >= -(2**31) and array.max() < 2**31
        return dtypes.int32 if fits else dtypes.as_dtype(array.dtype)
    return dtypes.float32 if array.dtype.kind == "f" else dtypes.complex128


def _generality(value: Any) -> int:
    order = (bool, int, float, complex)
    return next((i for i, kind in enumerate(order) if isinstance(value, kind)), 3)


def _leaves(value: Any) -> Any:
    for v in value:
        if isinstance(v, (list, tuple, range)):
            yield from _leaves(v)
        else:
            yield v
