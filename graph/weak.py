"""Symbolic scalars that stand for Python numbers: `len(x)`, `int(x)`, the `n` of a loop's `n += 1`.

They are weak, as Python's numbers are: beside a tensor they take its dtype (a whole number that of
floats, never the other way), and only beside each other they keep their own. Their owner, the
graph's builder, knows them.
"""

from __future__ import annotations

from typing import Any

from .convert import to_array
from .dtypes import DType, bool_, complex128, float32, float64, int32, int64, string
from .errors import OpError
from .node import Value

NUMBERS = (bool, int, float, complex)
# Ops whose result is weak if all operands are, as those of Python's operators on numbers.
UNARY = frozenset(["negative", "abs", "identity"])
KEEPING = UNARY | frozenset(
    [
        *("add", "subtract", "multiply", "divide", "floordiv", "floormod", "pow", "maximum"),
        *("minimum", "equal", "not_equal", "less", "less_equal", "greater"),
        *("greater_equal", "cast", "const", "join"),
    ]
)
# Ops that take what stands for a Python number as it is, besides these.
OPEN = KEEPING | {"print_", "raise_", "format_text", "keep", "slot", "text_method"}
_LARGE = ("multiply", "pow")  # a product of int32 leaves that soon
# Values of Python like those that a value stands for, by the kind of its dtype.
SAMPLES: dict[str, Any] = {"b": False, "i": 0, "u": 0, "f": 0.0, "c": 0j, "O": ""}
DEFAULT = {"b": bool_, "i": int32, "f": float32, "c": complex128}


def is_python(x: Any) -> bool:
    """True for a symbolic scalar that stands for a Python number or text."""
    if type(x) is not Value or x.owner is None:
        return False
    numbers = x.owner.numbers
    return bool(numbers) and x in numbers


def is_weak(x: Any) -> bool:
    """True for a symbolic scalar that stands for a Python number."""
    return is_python(x) and x.dtype is not string


def is_number(x: Any) -> bool:
    """True for a Python number, and for what stands for one."""
    return isinstance(x, NUMBERS) or is_weak(x)


def mark(value: Any) -> Any:
    """Let a value that was just made stand for a Python number or text (or a range for such ones).

    Constants are shared, so they never do.
    """
    known = type(value) is Value and (value.dtype is string or value.dtype.kind in DEFAULT)
    if known and not _is_constant(value):
        value.owner.numbers.add(value)
    return value


def _is_constant(value: Value) -> bool:
    return value.node is not None and value.node.op.name == "const"


def kind_of(number: Any) -> str:
    """The kind of a number, one of `bifc`."""
    if isinstance(number, Value):
        kind = number.dtype.kind
        return "i" if kind == "u" else kind
    return next(k for k, kind in zip("bifc", NUMBERS, strict=True) if isinstance(number, kind))


def are_weak(x: Any, y: Any) -> bool:
    """True for two numbers of which at least one is symbolic."""
    return (is_weak(x) and is_number(y)) or (is_weak(y) and is_number(x))


def are_python(x: Any, y: Any) -> bool:
    """True for two numbers, or two texts, of which at least one is symbolic."""
    if are_weak(x, y):
        return True
    text = _is_text(x) and _is_text(y)
    return text and (type(x) is Value or type(y) is Value)


def _is_text(x: Any) -> bool:
    chosen = getattr(type(x), "__tl_chosen__", False)  # one of several
    return chosen or isinstance(x, str) or (is_python(x) and x.dtype is string)


def default_of(value: Any) -> DType:
    """The dtype that a number has where a tensor is needed, with nothing beside it."""
    return DEFAULT[kind_of(value)]


def takes(dtype: DType, number: Any) -> bool:
    """True if a number may become a tensor of `dtype`, as a Python number of its kind may.

    What is carried as float32 is not what Python's float was: it does not become float64.
    """
    kind = kind_of(number)
    if dtype is float64 and isinstance(number, Value) and number.dtype is float32:
        return False
    try:
        to_array(SAMPLES[kind], dtype)
    except OpError:
        return False
    return True


def common(op_name: str, x: Any, y: Any) -> DType:
    """The dtype of an operation on two numbers, at least one of which is weak."""
    kind = max(kind_of(x), kind_of(y), key="bifc".index)
    if kind == "i":
        if op_name in _LARGE or _is_wide(x) or _is_wide(y):
            return int64
        # A counter stays as narrow as it is; sums and differences of what varies may be large.
        varies = op_name in ("add", "subtract") and type(x) is type(y) is Value
        return int64 if varies else int32
    if kind == "f":
        return float32 if _is_single(x) or _is_single(y) else float64
    return bool_ if kind == "b" and op_name not in _LARGE else DEFAULT[kind]


def joined(x: Any, y: Any) -> DType:
    """The dtype that holds either of two numbers of one kind, as precisely as Python does.

    But for a float32, as which a loop carries a float until it is known to stay a number.
    """
    kind = kind_of(x)
    if kind == "i":
        return int64 if _is_wide(x) or _is_wide(y) else int32
    if kind == "f":
        return float32 if _is_single(x) or _is_single(y) else float64
    return DEFAULT[kind]


def _is_wide(x: Any) -> bool:
    if isinstance(x, Value):
        return x.dtype is int64
    return not -(2**31) <= x < 2**31


def _is_single(x: Any) -> bool:
    return isinstance(x, Value) and x.dtype is float32
