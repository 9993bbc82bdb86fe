"""One trace of a function: a graph, what it captured, and how results are put together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..graph.build import convert, is_tracing, recorders
from ..graph.control import call
from ..graph.errors import InvalidArgumentError, SignatureError
from ..graph.gradients import call_recorded
from ..graph.location import describe, user_location
from ..graph.nest import children, flatten, rebuild
from ..graph.node import FunctionRef, Graph, Tensor, Value
from ..graph.spec import ResourceSpec, TensorSpec, covers
from ..runtime import EagerTensor, Variable
from ..runtime.executable import at_user_line, executable
from .signature import is_tensor_like


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
        arguments: Mapping[str, Any],
        given: Sequence[Any],
    ) -> None:
        assert ref.graph is not None
        self.ref = ref
        self.graph: Graph = ref.graph
        self.captures = captures
        self._template = template
        self._is_tensor = list(is_tensor)
        self._count = len(given)  # tensor and variable arguments
        self.arguments = {name: _described(x) for name, x in arguments.items()}
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
        return tuple(self.arguments.values()), {}

    @property
    def structured_outputs(self) -> Any:
        specs = [TensorSpec(v.shape, v.dtype) for v in self.graph.outputs]
        return self._rebuild(specs)

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={_short(a)}" for n, a in self.arguments.items())
        return f"<ConcreteFunction {self.name}({shown})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.run(self._tensors(args, kwargs))

    def _tensors(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        names = list(self.arguments)
        if len(args) > len(names):
            raise SignatureError(
                f"{self.name}() takes {len(names)} arguments ({', '.join(names)}), got {len(args)}"
            )
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name not in self.arguments or name in given:
                problem = "twice" if name in given else "that it does not have"
                raise SignatureError(f"{self.name}() got the argument '{name}' {problem}")
            given[name] = value
        tensors: list[Any] = []
        for name, expected in self.arguments.items():
            leaves = flatten(expected)
            if name not in given:
                if any(isinstance(x, (TensorSpec, ResourceSpec)) for x in leaves):
                    raise SignatureError(f"{self.name}() misses the argument '{name}'")
                continue
            values = flatten(given[name])
            if len(values) != len(leaves):
                raise SignatureError(
                    f"{self.name}(): the argument '{name}' has {len(values)} parts, "
                    f"{len(leaves)} were traced"
                )
            for value, spec in zip(values, leaves, strict=True):
                tensors.extend(self._checked(name, value, spec))
        return list(dict.fromkeys(tensors)) if len(tensors) > self._count else tensors

    def _checked(self, name: str, value: Any, spec: Any) -> list[Any]:
        if isinstance(spec, ResourceSpec):
            if not isinstance(value, Variable):
                raise SignatureError(f"{self.name}(): the argument '{name}' must be a variable")
            return [value]
        if not isinstance(spec, TensorSpec):
            if value is not spec and value != spec:
                raise SignatureError(
                    f"{self.name}(): the argument '{name}' was traced as {spec!r}, got {value!r}"
                )
            return []
        value = convert(value, hint=spec.dtype)
        if value.dtype is not spec.dtype or not covers(spec.shape, value.shape):
            raise InvalidArgumentError(
                f"{self.name}(): the argument '{name}' must be a tensor of shape {spec.shape} and "
                f"dtype {spec.dtype.name}, got shape {value.shape} and dtype {value.dtype.name}, "
                f"at {describe(user_location(3))}"
            )
        return [value]

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


def _described(x: Any) -> Any:
    """An argument as part of the signature: tensors by spec, objects weakly."""
    if isinstance(x, TensorSpec):
        return x
    if isinstance(x, Variable):
        return x.spec
    if is_tensor_like(x):
        return x.spec if isinstance(x, Tensor) else EagerTensor(np.asarray(x)).spec
    items = children(x)
    if items is not None:
        return rebuild(x, [_described(item) for item in items])
    if x is None or isinstance(x, (bool, int, float, complex, str, bytes)):
        return x
    return Opaque(type(x).__name__)


class Opaque:
    """Stands for an object argument, which a concrete function does not keep alive."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return f"<{self.name}>"


def _short(x: Any) -> str:
    return str(x) if isinstance(x, TensorSpec) else repr(x)
