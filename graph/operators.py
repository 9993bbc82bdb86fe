"""The operators of tensors and variables."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .build import is_tracing
from .dtypes import string
from .errors import ConversionError, OperatorNotAllowedInGraphError
from .location import describe, user_location
from .node import Tensor, Value
from .ops import arithmetic, comparison, division, indexing, linear, logic
from .ops.texts import is_text, text_item, text_method
from .weak import is_weak


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


# What `[x] * n` is, for a number of Python's that only the run knows; set by autograph.
repeated: list[Callable[[Any, Value], Any]] = []
# What `x.name` is, of what is no attribute of symbolic tensors; set by autograph.
attributes: list[Callable[[Value, str], Any]] = []


def _kind_of(number: Value) -> type:
    return float if number.dtype.is_floating else int


def _attribute(x: Value, name: str) -> Any:
    found = getattr(Value, name, None)
    if found is not None:
        return found.__get__(x)  # a property that has raised
    if name == "numpy":
        when = "yet, while the function is traced: use the functions of tl"
        if not is_tracing():
            when = "outside of the function whose trace made it: return it from there"
        raise AttributeError(f"a symbolic tensor has no 'numpy': it has no value {when}")
    if is_weak(x) and not name.startswith("_") and hasattr(_kind_of(x), name):
        raise ConversionError(
            f"'{name}' of a Python number is asked for at {describe(user_location(2))}, and only "
            "the run knows that number; compute it with operators, or in tl.py_function"
        )
    if name.startswith("_") or not attributes:
        raise AttributeError(f"a tensor has no attribute '{name}'", name=name, obj=x)
    return attributes[0](x, name)


def _percent(x: Any, y: Any) -> Any:
    raise OperatorNotAllowedInGraphError(
        f"the text that '%' fills in at {describe(user_location(2))} depends on a tensor; begin "
        "with a text that is known, or join texts by '+'"
    )


def _of_texts(function: Callable[[Any, Any], Any], of_text: Callable[[Any, Any], Any]) -> Any:
    """An operator of symbolic tensors, of which some stand for texts of Python."""
    return lambda x, y: of_text(x, y) if is_text(x) else function(x, y)


def _times(x: Any, y: Any) -> Any:
    if is_text(x):
        return text_method("*", x, y)
    if is_text(y):
        return text_method("*", y, x)
    if isinstance(x, str) and is_weak(y):  # `"-" * n`
        return text_method("*", x, y)
    for items, count in ((x, y), (y, x)):
        if isinstance(items, (list, tuple)) and is_weak(count) and count.dtype.is_integer:
            return repeated[0](items, count)
    return BINARY["mul"](x, y)


def _of_same(function: Callable[[Any, Any], Any], otherwise: bool) -> Any:
    """`==` or `!=`: no text equals what is none."""

    def operator(x: Any, y: Any) -> Any:
        if is_text(x) and not isinstance(y, str) and not _is_string(y):
            return otherwise
        return function(x, y)

    return operator


def _is_string(x: Any) -> bool:
    if hasattr(type(x), "__tl_tensor__"):
        x = x.__tl_tensor__()
    return isinstance(x, Tensor) and x.dtype is string


def _install_texts() -> None:
    for name, sign in {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
        compared = functools.partial(text_method, sign)
        setattr(Value, f"__{name}__", _of_texts(COMPARISON[name], compared))
    for name, found in {"eq": False, "ne": True}.items():
        setattr(Value, f"__{name}__", _of_same(COMPARISON[name], found))
    Value.__mul__ = _times  # type: ignore[method-assign]
    Value.__rmul__ = _reflected(_times)  # type: ignore[method-assign]
    Value.__mod__ = _of_texts(BINARY["mod"], _percent)  # type: ignore[method-assign]
    Value.__getitem__ = _of_texts(indexing.getitem, text_item)  # type: ignore[method-assign]
    Value.__getattr__ = _attribute  # type: ignore[attr-defined]


install(Tensor)
_install_texts()
