"""One trace of a function: a graph, what it captured, and how results are put together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph.build import convert, is_tracing, recorders
from ..graph.control import call
from ..graph.gradients import call_recorded
from ..graph.nest import children, rebuild
from ..graph.node import FunctionRef, Graph, Tensor, Value
from ..graph.spec import TensorSpec
from ..runtime import EagerTensor, Variable
from ..runtime.executable import at_user_line, executable
from .accepts import Accepts


class ConcreteFunction:
    """A function traced for one signature; made by `get_concrete_function`.

    Call it with the tensors of its signature (Python values that were traced may be left out).
    Raises InvalidArgumentError for a tensor of another dtype or shape.

    >>> import treadle as tl
    >>> @tl.function
    ... def double(a):
    ...     return a + a
    >>> f = double.get_concrete_function(tl.TensorSpec([None], tl.int32))
    >>> f(tl.constant([1, 2])).numpy()
    array([2, 4], dtype=int32)
    """

    def __init__(
        self,
        ref: FunctionRef,
        captures: list[Any],
        template: Any,
        is_tensor: Sequence[bool],
        accepts: Accepts,
    ) -> None:
        assert ref.graph is not None
        self.ref = ref
        self.graph: Graph = ref.graph
        self.captures = captures
        self.used = False  # since the function last made room for new traces
        self._template = template
        self._is_tensor = list(is_tensor)
        self._accepts = accepts
        self.arguments = accepts.arguments
        self._single = template is None and self._is_tensor == [True]
        self._fast: Any = None
        self._held: list[Any] = []

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def inputs(self) -> list[Value]:
        """The symbolic inputs, captures last."""
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[Value]:
        return list(self.graph.outputs)

    @property
    def captured_inputs(self) -> list[Any]:
        return list(self.captures)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that the trace captured."""
        return tuple(c for c in self.captures if isinstance(c, Variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        return tuple(v for v in self.variables if v.trainable)

    @property
    def structured_input_signature(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional and the keyword arguments: specs of tensors, values of others."""
        return self._accepts.signature

    @property
    def structured_outputs(self) -> Any:
        specs = [TensorSpec(v.shape, v.dtype) for v in self.graph.outputs]
        return self._rebuild(specs)

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={_short(a)}" for n, a in self.arguments.items())
        return f"<ConcreteFunction {self.name}({shown})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(self._accepts.bind(args, kwargs, self.captures))

    def run(self, tensors: Sequence[Any]) -> Any:
        """Run on the tensor and variable arguments, in order."""
        if is_tracing():
            return self._rebuild(call(self.ref, [*tensors, *self.captures]))
        if recorders():
            values = [t if isinstance(t, (Tensor, Variable)) else convert(t) for t in tensors]
            try:
                return self._rebuild(call_recorded(self.ref, [*values, *self.captures]))
            except Exception as error:
                raise at_user_line(error) from error.__cause__
        if self._fast is None:
            self._fast = executable(self.graph)
            self._held = [c._value for c in self.captures]
        arrays = [t._value if hasattr(t, "_value") else np.array(t) for t in tensors]
        results = self._fast(arrays + self._held)
        if self._single:
            return EagerTensor(results[0], self.graph.outputs[0].dtype)
        wrapped = [
            EagerTensor(r, v.dtype) for r, v in zip(results, self.graph.outputs, strict=True)
        ]
        return self._rebuild(wrapped)

    def _rebuild(self, values: Sequence[Any]) -> Any:
        remaining = iter(values)
        flags = iter(self._is_tensor)

        def build(part: Any) -> Any:
            items = children(part)
            if items is None:
                return next(remaining) if next(flags) else part
            return rebuild(part, [build(item) for item in items])

        return build(self._template)


def _short(x: Any) -> str:
    return str(x) if isinstance(x, TensorSpec) else repr(x)
