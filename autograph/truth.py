"""Truth values: `not`, `assert`, and what makes a condition part of the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from treadle.graph import Tensor, Value
from treadle.graph.build import convert, is_tracing
from treadle.graph.errors import ShapeError
from treadle.graph.location import describe, user_location
from treadle.graph.ops.comparison import not_equal
from treadle.graph.ops.effects import assert_true
from treadle.graph.ops.logic import logical_not
from treadle.graph.ops.reshaping import reshape


def staged(value: Any) -> bool:
    """True if the truth value is known only when the graph runs."""
    if isinstance(value, Value):
        return True
    if isinstance(value, Tensor) or hasattr(type(value), "__tl_tensor__"):
        return is_tracing()
    return False


def condition(value: Any) -> Tensor:
    """A staged value as a scalar of dtype bool: numbers are true unless they are 0."""
    tensor = convert(value)
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
        return logical_not(condition(value))
    return not value


def assert_stmt(test: Any, message: Callable[[], Any] | None = None) -> None:
    """`assert test, message`."""
    if type(test) is not bool and staged(test):
        data = () if message is None else (message(),)
        assert_true(condition(test), *data)
    elif not test:
        raise AssertionError(message()) if message is not None else AssertionError
