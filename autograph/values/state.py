"""State values: which tensors they hold, and how values of two paths become one.

A `Plan` says how to put a value together again from the tensors that a `cond` or `while` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from treadle.graph import Tensor, weak
from treadle.graph.dtypes import DType, bool_, complex128, float32, int32, int64, string
from treadle.graph.nest import children, rebuild, sorted_keys

NUMBERS = (bool, int, float, complex)


@dataclass(frozen=True, slots=True)
class Same:
    """A value that stays what it is."""

    value: Any

    def build(self, results: Sequence[Any]) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the result tensors; `number`: it stands for a Python number."""

    index: int
    number: bool = False

    def build(self, results: Sequence[Any]) -> Any:
        return weak.mark(results[self.index]) if self.number else results[self.index]


@dataclass(frozen=True, slots=True)
class Nested:
    """A list, tuple, dict, dataclass, or an object of the protocol `__tl_flatten__`."""

    items: Sequence[Plan]
    make: Callable[[Sequence[Any]], Any]

    def build(self, results: Sequence[Any]) -> Any:
        return self.make([item.build(results) for item in self.items])


class Shared:
    """One object in several places: it is built once of the same results."""

    __slots__ = ("_results", "_value", "plan")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._results: Any = None
        self._value: Any = None

    def build(self, results: Sequence[Any]) -> Any:
        if self._results is not results:
            self._results, self._value = results, self.plan.build(results)
        return self._value


Plan = Same | Slot | Nested | Shared


def is_tensor(value: Any) -> bool:
    """True for tensors, variables and arrays, which are tensors as soon as an op uses them."""
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return True
    kind = type(value)
    return hasattr(kind, "__tl_tensor__") and not hasattr(kind, "__tl_flatten__")


def namespace_of(value: Any) -> dict[str, Any] | None:
    """The `__dict__` of an object, without running code of its class; None if it has none."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return found if isinstance(found, dict) else None


def is_record(value: Any) -> bool:
    """True for dataclasses and the like whose fields can be set: they are objects, not values."""
    kind = type(value)
    params = getattr(kind, "__dataclass_params__", None)
    if params is not None:
        return not params.frozen
    if hasattr(kind, "__attrs_attrs__"):
        return kind.__setattr__.__name__ != "_frozen_setattrs"
    return hasattr(kind, "__tl_unflatten__") and not issubclass(kind, (list, tuple, dict))


def is_variable(value: Any) -> bool:
    """True for variables: tensors that others may assign, so which one it is matters."""
    return hasattr(type(value), "__tl_variable__")


# Is told of each list and dict that is made of parts; set by item_views.py.
rebuilt: list[Callable[[Any], Any]] = [lambda value: value]


def parts_of(value: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any], object] | None:
    """The items of a container, how to make it of others, and its structure; None for a leaf."""
    if hasattr(type(value), "__tl_flatten__") and not hasattr(type(value), "__tl_unflatten__"):
        items, make = value.__tl_flatten__()
        return list(items), make, (type(value), getattr(value, "__tl_structure__", len(items)))
    if is_tensor(value) or is_record(value):
        return None
    found = children(value)
    if found is None:
        return None
    keys = tuple(sorted_keys(value)) if isinstance(value, dict) else len(found)
    if isinstance(value, tuple):
        return found, lambda new: rebuild(value, new), (type(value), keys)
    return found, lambda new: rebuilt[0](rebuild(value, new)), (type(value), keys)


def holds_tensor(value: Any) -> bool:
    if is_tensor(value):
        return True
    parts = parts_of(value)
    return parts is not None and any(holds_tensor(v) for v in parts[0])


def leaves_of(value: Any) -> list[Tensor]:
    """The tensors in a value, depth first."""
    if isinstance(value, Tensor):
        return [value]
    parts = parts_of(value)
    return [] if parts is None else [leaf for v in parts[0] for leaf in leaves_of(v)]


def with_leaves(value: Any, leaves: Sequence[Tensor]) -> Any:
    """The value with other tensors in the places of its own."""
    return _with_leaves(value, iter(leaves))


def _with_leaves(value: Any, leaves: Iterator[Tensor]) -> Any:
    if isinstance(value, Tensor):
        return next(leaves)
    parts = parts_of(value)
    if parts is None or not holds_tensor(value):
        return value
    return parts[1]([_with_leaves(v, leaves) for v in parts[0]])


def same_object(a: Any, b: Any) -> bool:
    """True if two Python values are interchangeable."""
    if a is b:
        return True
    if type(a) is not type(b) or is_tensor(a) or hasattr(type(a), "__tl_flatten__"):
        return False
    if isinstance(a, float):
        return repr(a) == repr(b)  # by bits: 0.0 is not -0.0, NaN is NaN
    if parts_of(a) is not None and holds_tensor(a):
        return False
    try:
        return a.__hash__ is not None and bool(a == b)
    except Exception:
        return False


def is_number(value: Any) -> bool:
    """True for Python's numbers and texts; members of an enum are objects."""
    return isinstance(value, (*NUMBERS, str, bytes)) and not isinstance(value, (np.generic, Enum))


def is_number_member(value: Any) -> bool:
    """True for a member of an enum that is a number or text as well."""
    return isinstance(value, Enum) and isinstance(value, (*NUMBERS, str))


def is_arithmetic(value: Any) -> bool:
    """True for Python's numbers, truth values among them."""
    return isinstance(value, NUMBERS) and not isinstance(value, Enum)


def of_python(value: Any) -> bool:
    """True for Python numbers and texts, and for symbolic scalars that stand for one.

    Bytes become tensors of dtype string as they are: those are bytes, too.
    """
    return (is_number(value) and not isinstance(value, bytes)) or weak.is_python(value)


def default_dtype(value: Any) -> DType:
    """The dtype of a Python number (or text) that becomes a tensor by itself."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int32 if -(2**31) <= value < 2**31 else int64
    if isinstance(value, float):
        return float32
    return complex128 if isinstance(value, complex) else string


def accepts(dtype: DType, value: Any) -> bool:
    """True if a number takes on `dtype` beside a tensor: int to int, float to float."""
    if isinstance(value, (str, bytes)):
        return dtype is string
    kind = weak.kind_of(value)
    kinds = {"b": "is_bool", "i": "is_integer", "f": "is_floating", "c": "is_complex"}
    return bool(getattr(dtype, kinds[kind]))


def common_dtype(a: Any, b: Any) -> DType | None:
    """The dtype of two numbers that become one tensor; None if they are of different kinds."""
    if isinstance(a, (str, bytes)) or isinstance(b, (str, bytes)):
        return string if isinstance(a, (str, bytes)) and isinstance(b, (str, bytes)) else None
    if weak.kind_of(a) != weak.kind_of(b):
        return None
    return weak.joined(a, b)


def describe_value(value: Any) -> str:
    """A value in an error message: `float32 of shape (2,)`, `None`, `the Python int 3`."""
    if weak.is_weak(value):
        return {"b": "a bool", "i": "an int", "f": "a float"}[weak.kind_of(value)]
    spec = getattr(value, "spec", None)
    if spec is not None:
        shape = spec.shape
        return f"{spec.dtype.name} of shape {shape}" if shape.rank else spec.dtype.name
    if value is None:
        return "None"
    name: str | None = getattr(type(value), "__tl_name__", None)
    if name is not None:
        return name
    if is_number(value):
        return f"the Python {type(value).__name__} {value!r}"
    return f"a {type(value).__name__}"
