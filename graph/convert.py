"""Python and NumPy values as arrays of a dtype: what `tl.constant` and operands go through."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from . import dtypes
from .dtypes import DType
from .errors import DTypeError, ShapeError
from .spec import TensorShape

Array = np.ndarray[Any, Any]
_NESTED = (list, tuple, range)
_KINDS: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("b", (bool, np.bool_)),
    ("i", (int, np.integer)),
    ("f", (float, np.floating)),
    ("c", (complex, np.complexfloating)),
    ("O", (str, bytes)),
)


def to_array(value: Any, dtype: DType | None = None) -> Array:
    """A new array of `value`: nested lists of numbers, NumPy arrays, buffers, DLPack objects.

    Without `dtype`, Python ints give int32 (int64 where they do not fit), floats float32, complex
    complex128, str and bytes string; arrays keep their dtype. A NumPy number in a list counts as
    the Python number, but a first item of float64 or float16 gives its dtype. Raises DTypeError
    where a value does not fit the dtype, ShapeError for ragged lists.
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
    if isinstance(value, _NESTED):
        return _from_list(value, dtype)
    if isinstance(value, (str, bytes)):
        return _strings([value], [], dtype)
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


def text_array(value: Any) -> Array:
    """Bytes, which NumPy gives for a single text, as an array; arrays stay."""
    if isinstance(value, np.ndarray):
        return value
    out = np.empty((), object)
    out[()] = value
    return out


def _number(value: Any, dtype: DType | None) -> Array:
    kind = _kind(type(value))
    assert kind is not None
    if dtype is None:
        dtype = _natural(kind, [value])
    elif not _takes(dtype, kind):
        raise _misfit(value, dtype)
    try:
        with np.errstate(all="ignore"):
            return np.array(value, dtype.numpy)
    except OverflowError:
        raise DTypeError(f"{_shown(value)} is out of the range of {dtype.name}") from None


def _kind(python_type: type) -> str | None:
    """One letter: b bool, i integer, f float, c complex, O string; None for other types."""
    for kind, types in _KINDS:
        if issubclass(python_type, types):
            return kind
    return None


def _takes(dtype: DType, kind: str) -> bool:
    """True if numbers of `kind` may be given for `dtype`: none loses its fraction, say."""
    if dtype.kind in "bO" or kind == "O":
        return kind == dtype.kind
    return "biufc".index(kind) <= "biufc".index(dtype.kind)


def _natural(kind: str, leaves: list[Any]) -> DType:
    """The dtype of numbers (or strings) of which none says what it is to be."""
    if kind == "i":
        return dtypes.int32 if min(leaves) >= -(2**31) and max(leaves) < 2**31 else dtypes.int64
    if kind == "f":
        first = leaves[0]
        own = isinstance(first, np.floating) and not isinstance(first, np.longdouble)
        return dtypes.as_dtype(first.dtype) if own else dtypes.float32
    return {"b": dtypes.bool_, "c": dtypes.complex128, "O": dtypes.string}[kind]


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _misfit(value: Any, dtype: DType) -> DTypeError:
    return DTypeError(f"{_shown(value)} can't be a tensor of dtype {dtype.name}")


def _strings(leaves: list[Any], shape: list[int], dtype: DType | None) -> Array:
    if dtype is not None and dtype is not dtypes.string:
        raise _misfit(leaves if shape else leaves[0], dtype)
    out = np.empty(len(leaves), object)
    for i, item in enumerate(leaves):
        if not isinstance(item, (str, bytes)):
            kind = type(item).__name__
            raise DTypeError(f"{_shown(item)} of type {kind} can't be part of a string tensor")
        out[i] = item.encode() if isinstance(item, str) else item
    return out.reshape(shape)


def _from_numpy(array: Array, value: Any, dtype: DType | None) -> Array:
    if array.dtype.kind in "SUO":
        return _strings(array.ravel().tolist(), list(array.shape), dtype)
    found = dtypes.as_dtype(array.dtype)
    if dtype is None or dtype is found:
        return np.array(array, found.numpy)
    if not _takes(dtype, "i" if found.is_integer else found.kind):
        raise _misfit(value, dtype)
    if dtype.is_integer and found.is_integer and array.size:
        limits = np.iinfo(dtype.numpy)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise DTypeError(f"{_shown(value)} is out of the range of {dtype.name}")
    with np.errstate(all="ignore"):
        return np.array(array, dtype.numpy)


def _from_list(value: Any, dtype: DType | None) -> Array:
    shape, leaves, types = _flat(value)
    if not leaves:
        return np.zeros(shape, (dtype or dtypes.float32).numpy)
    kinds = {_kind(t) for t in types}
    if None in kinds:
        if any(hasattr(t, "__array__") for t in types):
            return _from_arrays(value, leaves, dtype)
        wrong = next(v for v in leaves if _kind(type(v)) is None)
        kind = type(wrong).__name__
        raise DTypeError(f"{_shown(wrong)} of type {kind} can't be part of a tensor")
    if "O" in kinds:
        return _strings(leaves, shape, dtype)
    if dtype is None and "b" in kinds and len(kinds) > 1:
        raise DTypeError(f"{_shown(value)} mixes truth values and numbers")
    widest = max((k for k in kinds if k), key="bifc".index)
    if dtype is None:
        dtype = _natural(widest, leaves)
    elif not _takes(dtype, widest):
        raise _misfit(value, dtype)
    if dtype.is_integer:
        limits = np.iinfo(dtype.numpy)
        if min(leaves) < limits.min or max(leaves) > limits.max:
            raise DTypeError(f"{_shown(value)} is out of the range of {dtype.name}")
    try:
        with np.errstate(all="ignore"):
            return np.array(leaves, dtype.numpy).reshape(shape)
    except OverflowError:
        raise DTypeError(f"{_shown(value)} is out of the range of {dtype.name}") from None


def _flat(value: Any) -> tuple[list[int], list[Any], set[type]]:
    """Shape, leaves and types of the leaves of nested lists; one level at a time, at C speed."""
    shape = [len(value)]
    items = list(value)
    while items:
        types = set(map(type, items))
        nested = [t for t in types if issubclass(t, _NESTED)]
        if not nested:
            return shape, items, types
        if len(nested) < len(types):
            if any(hasattr(t, "__array__") for t in types):  # rows as lists beside rows as arrays
                return shape, items, types
            raise _ragged(value)
        sizes = set(map(len, items))
        if len(sizes) > 1:
            raise _ragged(value)
        shape.append(sizes.pop())
        items = list(chain.from_iterable(items))
    return shape, [], set()


def _ragged(value: Any) -> ShapeError:
    return ShapeError(f"{_shown(value)} is ragged: its rows differ in length")


def _from_arrays(value: Any, leaves: list[Any], dtype: DType | None) -> Array:
    """Nested lists with arrays in them: these say the dtype, Python numbers beside them don't."""
    found: list[Any] = []
    for leaf in leaves:
        parts = _flat(leaf)[1] if isinstance(leaf, _NESTED) else [leaf]
        for x in parts:
            kind = _kind(type(x))
            if kind is None and hasattr(x, "__array__"):
                found.append(np.asarray(x).dtype)
            elif kind is not None and kind != "O":
                found.append({"b": np.dtype(bool), "i": 0, "f": 0.0, "c": 0j}[kind])
            else:
                raise DTypeError(f"{_shown(value)} can't be converted to a tensor")
    kinds = {np.dtype(type(d)).kind if not isinstance(d, np.dtype) else d.kind for d in found}
    if not kinds.isdisjoint("SUO"):
        return _from_numpy(np.array(value, object), value, dtype)
    if "b" in kinds and len(kinds) > 1:
        raise DTypeError(f"{_shown(value)} mixes truth values and numbers")
    try:
        array = np.array(value, np.result_type(*found))
    except OverflowError:
        raise DTypeError(f"{_shown(value)} holds a number out of range") from None
    except ValueError:
        raise _ragged(value) from None
    return _from_numpy(array, value, dtype)
