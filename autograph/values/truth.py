"""Truth values: `not`, `assert`, and what makes a condition part of the graph."""

from __future__ import annotations

from collections import deque
from typing import Any

from treadle.graph import Tensor, Value
from treadle.graph.build import convert, is_tracing
from treadle.graph.errors import ShapeError
from treadle.graph.location import describe, user_location
from treadle.graph.nest import staged_list
from treadle.graph.ops.comparison import not_equal
from treadle.graph.ops.logic import logical_not
from treadle.graph.ops.reshaping import reshape
from treadle.graph.weak import mark

from .inside import table_in
from .special import method


def staged(value: Any) -> bool:
    """True if the truth value is known only when the graph runs."""
    if isinstance(value, Value):
        return True
    kind = type(value)
    if kind is list or kind is deque:
        return staged_list(value) is not None
    if issubclass(kind, (dict, set)):
        return table_in(value) is not None
    if isinstance(value, Tensor) or hasattr(kind, "__tl_tensor__"):
        return is_tracing()
    if hasattr(kind, "__tl_truth__"):
        return True
    return bool(kind.__flags__ & _OF_PYTHON) and isinstance(_own_truth(value), Value)


_OF_PYTHON = 1 << 9  # the flag of classes that Python code has made


def _own_truth(value: Any) -> Any:
    """What the `__bool__` or `__len__` of the user's class gives in a trace; None without one."""
    for name in ("__bool__", "__len__"):
        if hasattr(type(value), name):
            found = method(value, name)
            return None if found is None else found()
    return None


def condition(value: Any) -> Tensor:
    """A staged value as a scalar of dtype bool: numbers are true unless they are 0."""
    if type(value) in (list, deque):
        value = staged_list(value)
    elif isinstance(value, (dict, set)):
        value = table_in(value)
    if hasattr(type(value), "__tl_truth__"):
        truth: Tensor = value.__tl_truth__()
        return truth
    own = _own_truth(value) if type(value).__flags__ & _OF_PYTHON else None
    tensor = convert(value if own is None else own)
    shape = tensor.shape
    if shape.rank:
        if shape.num_elements() not in (1, None):
            raise ShapeError(
                f"the truth value of a tensor of shape {shape} is ambiguous, at "
                f"{describe(user_location(2))}; use tl.reduce_any or tl.reduce_all"
            )
        tensor = reshape(tensor, [])
    if tensor.dtype.is_bool:
        return tensor
    zero: Any = b"" if tensor.dtype.name == "string" else 0
    result: Tensor = not_equal(tensor, zero)
    return result


def not_(value: Any) -> Any:
    """`not value`."""
    if type(value) is not bool and staged(value):
        return mark(logical_not(condition(value)))
    return not value
