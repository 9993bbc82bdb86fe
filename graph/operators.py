"""The operators of tensors and variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .node import Tensor
from .ops import arithmetic, comparison, division, indexing, linear, logic


def _logical_or_bitwise(
    logical: Callable[[Any, Any], Any], bitwise: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    """`&`, `|`, `^`: of truth values or of the bits of integers."""

    def operator(x: Any, y: Any) -> Any:
        tensor = x if isinstance(x, Tensor) or not isinstance(y, Tensor) else y
        dtype = getattr(tensor, "dtype", None)
        return bitwise(x, y) if dtype is not None and dtype.is_integer else logical(x, y)

    return operator


def _divmod(x: Any, y: Any) -> Any:
    return division.floordiv(x, y), division.floormod(x, y)


def _equal(x: Any, y: Any) -> Any:
    return False if y is None else comparison.equal(x, y)


def _not_equal(x: Any, y: Any) -> Any:
    return True if y is None else comparison.not_equal(x, y)


def _power(x: Any, y: Any, modulo: Any = None) -> Any:
    # Of `pow(x, y, modulo)` the power alone would not fit into the dtype.
    return division.power(x, y) if modulo is None else NotImplemented


def _invert(x: Any) -> Any:
    return logic.logical_not(x) if x.dtype.is_bool else logic.invert(x)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "floordiv": division.floordiv,
    "mod": division.floormod,
    "divmod": _divmod,
    "pow": _power,
    "matmul": linear.matmul,
    "and": _logical_or_bitwise(logic.logical_and, logic.bitwise_and),
    "or": _logical_or_bitwise(logic.logical_or, logic.bitwise_or),
    "xor": _logical_or_bitwise(logic.logical_xor, logic.bitwise_xor),
    "lshift": logic.left_shift,
    "rshift": logic.right_shift,
}
COMPARISON: dict[str, Callable[[Any, Any], Any]] = {
    "eq": _equal,
    "ne": _not_equal,
    "lt": comparison.less,
    "le": comparison.less_equal,
    "gt": comparison.greater,
    "ge": comparison.greater_equal,
}
UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": arithmetic.negative,
    "pos": lambda x: x,
    "abs": arithmetic.absolute,
    "invert": _invert,
}


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, y: function(y, x)


def install(kind: type) -> None:
    """Give a class of tensor-like objects the operators."""
    for name, binary in BINARY.items():
        setattr(kind, f"__{name}__", binary)
        setattr(kind, f"__r{name}__", _reflected(binary))
    for name, function in (COMPARISON | {"getitem": indexing.getitem}).items():
        if f"__{name}__" not in vars(kind):  # variables index themselves
            setattr(kind, f"__{name}__", function)
    for name, unary in UNARY.items():
        setattr(kind, f"__{name}__", unary)


install(Tensor)
