"""Gradients that users register for ops that have none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..op import OPS, Attrs, Op
from ..ops.shaping import zeros_like

GradientFunction = Callable[..., Any]
_registered: dict[str, GradientFunction] = {}


class Operation:
    """What a registered gradient is told of the op call that it is for."""

    def __init__(self, op: Op, inputs: Sequence[Any], outputs: Sequence[Any], attrs: Attrs) -> None:
        self.type = op.name
        self.name = op.display
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self._attrs = attrs

    def get_attr(self, name: str) -> Any:
        """The attribute `name`; ValueError if there is none."""
        if name not in self._attrs:
            raise ValueError(f"the op '{self.type}' has no attribute {name!r}")
        return self._attrs[name]

    def __repr__(self) -> str:
        return f"<tl.Operation '{self.name}' type={self.type}>"


class RegisterGradient:
    """Registers the decorated function as the gradient of an op, by its name.

    The function takes the op call, with `inputs`, `outputs` and `get_attr(name)`, and the gradient
    of each output; it gives the gradient of each input: one, or a list with None where there is
    none. KeyError where there is a gradient already.

    >>> import treadle as tl
    >>> tl.RegisterGradient("Sin")
    Traceback (most recent call last):
        ...
    KeyError: "a gradient is registered for the op 'Sin' already: it is one of treadle's"
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError(f"an op's name is needed, this is {op_type!r}")
        known = OPS.get(op_type) or OPS.get(op_type.lower())
        if known is not None and (known.vjp is not None or known.structured):
            raise KeyError(
                f"a gradient is registered for the op '{op_type}' already: it is one of treadle's"
            )
        self._op_type = op_type
        self._require_free()

    def _require_free(self) -> None:
        before = _registered.get(self._op_type)
        if before is not None:
            code = getattr(before, "__code__", None)
            where = f" at {code.co_filename}:{code.co_firstlineno}" if code is not None else ""
            raise KeyError(f"a gradient is registered for the op '{self._op_type}' already{where}")

    def __call__(self, function: GradientFunction) -> GradientFunction:
        if not callable(function):
            raise TypeError(f"a function is needed, this is {function!r}")
        self._require_free()
        _registered[self._op_type] = function
        return function


def is_registered(op: Op) -> bool:
    return op.name in _registered


def registered_gradients(
    op: Op, gs: Sequence[Any], outputs: Sequence[Any], inputs: Sequence[Any], attrs: Attrs
) -> list[Any]:
    """What the function registered for `op` gives for each input."""
    given = [zeros_like(y) if g is None else g for g, y in zip(gs, outputs, strict=True)]
    found = _registered[op.name](Operation(op, inputs, outputs, attrs), *given)
    listed = list(found) if isinstance(found, (list, tuple)) else [found]
    if len(listed) != len(inputs):
        raise ValueError(
            f"the gradient registered for the op '{op.name}' gives {len(listed)} gradients, the op "
            f"has {len(inputs)} inputs"
        )
    return listed


__all__ = ["Operation", "RegisterGradient", "is_registered", "registered_gradients"]
