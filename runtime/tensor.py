"""Eager tensors: an immutable NumPy array with TensorFlow's manners."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..graph.build import leaves_tapes
from ..graph.convert import Array, text_array
from ..graph.dtypes import BY_NUMPY, DType, as_dtype, string
from ..graph.node import Tensor
from ..graph.spec import ArraySpec, DataSpec, TensorShape, TensorSpec
from .device import current_device

# The spec of each shape and dtype met; emptied when it grows beyond a limit.
_specs: dict[tuple[tuple[int, ...], DType], TensorSpec] = {}
_SPECS_KEPT = 10_000


class EagerTensor(Tensor):
    """A tensor that has its value. Made by `tl.constant` and by ops outside of traces."""

    __slots__ = ("_value", "dtype")

    def __init__(self, array: Array, dtype: DType | None = None) -> None:
        """Wrap `array`, which nobody may change from now on."""
        if type(array) is not np.ndarray:
            array = text_array(array) if dtype is string else np.asarray(array)
        self._value = array
        self.dtype = dtype or BY_NUMPY.get(self._value.dtype) or as_dtype(self._value.dtype)

    @property
    def spec(self) -> TensorSpec:
        key = (self._value.shape, self.dtype)
        found = _specs.get(key)
        if found is None:
            if len(_specs) > _SPECS_KEPT:
                _specs.clear()
            found = _specs[key] = TensorSpec(*key)
        return found

    @property
    def shape(self) -> TensorShape:
        return self.spec.shape

    @property
    def ndim(self) -> int:
        return self._value.ndim

    @property
    def device(self) -> str:
        """Where the tensor lives, as TensorFlow names it."""
        return current_device()

    def numpy(self) -> Any:
        """The value as a NumPy array that is the caller's own; a NumPy scalar for shape ()."""
        leaves_tapes(self, "numpy()")
        array = self._value
        return array[()] if array.ndim == 0 else array.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        leaves_tapes(self, "a conversion to a NumPy array")
        array = self._value
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(
                    f"{self.dtype.name} to {dtype} needs a copy; copy=False forbids it"
                )
            return array.astype(dtype)
        return array.copy() if copy else _read_only(array)

    def __dlpack__(self, *, copy: bool | None = None, **options: Any) -> Any:
        """A copy, since its taker may write to it; with `copy=False` the tensor's own memory,
        marked as read-only.
        """
        if copy is False:
            return _read_only(self._value).__dlpack__(copy=False, **options)
        return self._value.__dlpack__(copy=True, **options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._value.__dlpack_device__()

    def __buffer__(self, flags: int) -> memoryview:
        """The buffer protocol (from Python 3.12 on): read-only, without a copy."""
        return memoryview(_read_only(self._value))  # type: ignore[arg-type]

    def __bool__(self) -> bool:
        if self._value.size != 1:
            raise ValueError(
                f"the truth value of a tensor of shape {self.shape} is ambiguous; "
                "use tl.reduce_any or tl.reduce_all"
            )
        return bool(self._value)

    def __int__(self) -> int:
        leaves_tapes(self, "int()")
        return int(self._value.item())

    def __float__(self) -> float:
        leaves_tapes(self, "float()")
        return float(self._value.item())

    def __complex__(self) -> complex:
        return complex(self._value.item())

    def __index__(self) -> int:
        return self._value.__index__()

    def __len__(self) -> int:
        if not self._value.ndim:
            raise TypeError("a scalar tensor has no len()")
        return len(self._value)

    def __iter__(self) -> Iterator[Tensor]:
        if not self._value.ndim:
            raise TypeError("a scalar tensor can't be iterated over")
        return (self[i] for i in range(len(self._value)))

    def __format__(self, format_spec: str) -> str:
        """As the value's array or number formats itself: `f"{loss:.3f}"`, and no frills."""
        return format(self.numpy(), format_spec)

    def __round__(self, digits: int = 0) -> Any:
        return round(self.numpy(), digits)

    def __str__(self) -> str:
        text = _text(self._value, repr_=False)
        line = "\n" if "\n" in text else ""
        return f"tl.Tensor({line}{text}, shape={self.shape}, dtype={self.dtype.name})"

    def __repr__(self) -> str:
        text = _text(self._value, repr_=True)
        line = "\n" if "\n" in text else ""
        return f"<tl.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={line}{text}>"

    def __copy__(self) -> EagerTensor:
        return self

    def __deepcopy__(self, memo: Any) -> EagerTensor:
        return self

    def __reduce__(self) -> Any:
        return EagerTensor, (self._value, self.dtype)


class EagerArray:
    """A growable array of tensors with its value (`PersistentArray`); see `ArraySpec`."""

    __slots__ = ("__weakref__", "_value", "dtype", "spec")

    def __init__(self, value: Any, spec: ArraySpec) -> None:
        self._value = value
        self.spec = spec
        self.dtype = spec.dtype

    @property
    def shape(self) -> TensorShape:
        return self.spec.shape


class EagerData(Tensor):
    """A dataset, iterator or queue with its value (`Stream`, `Cursor`, `Fifo`); see `DataSpec`."""

    __slots__ = ("_value", "dtype", "spec")

    def __init__(self, value: Any, spec: DataSpec) -> None:
        self._value = value
        self.spec: DataSpec = spec
        self.dtype = spec.dtype

    def __deepcopy__(self, memo: Any) -> EagerData:
        """A dataset never changes; an iterator is at its place, which no other can have."""
        if self.spec.kind == "iterator":
            raise TypeError("an iterator over a dataset can't be copied; make a new one by iter()")
        if self.spec.kind == "queue":
            raise TypeError("a queue can't be copied; make a new one")
        return self

    def __reduce__(self) -> Any:
        raise pickle.PicklingError(
            f"a {self.spec.kind} can't be pickled: it may run Python code and read variables. Make "
            "it anew from its sources"
        )


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def _text(array: Array, repr_: bool) -> str:
    if array.ndim == 0:
        item = array[()]
        return repr(item) if array.dtype == string.numpy else str(item)
    return repr(array) if repr_ else str(array)
