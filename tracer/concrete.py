"""One trace of a function: a graph, what it captured, and how results are put together again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..autograph.control.exceptions import PathEndsError
from ..graph.build import convert, is_tracing, recorders
from ..graph.control import call
from ..graph.gradients import GradientInfo, call_recorded, gradient_info
from ..graph.location import strip_internal_frames
from ..graph.nest import children, rebuild
from ..graph.node import FunctionRef, Graph, Value
from ..graph.spec import TensorSpec
from ..runtime import EagerTensor, Variable
from ..runtime.eager import wrap
from ..runtime.executable import at_user_line, executable
from .accepts import Accepts
from .guards import Check, Guards
from .places import State
from .pretty import signature_text
from .rescue import Kept


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
        guards: Guards | None = None,
        state: State | None = None,
        returns: bool = True,
    ) -> None:
        assert ref.graph is not None
        self.ref = ref
        self.graph: Graph = ref.graph
        self.captures = captures
        self.state = state  # in objects: read at each call, written after it
        self.returns = returns  # False if every path raises
        self.used = False  # since the function last made room for new traces
        self.guards = Guards() if guards is None else guards
        self.check: Check | None = self.guards.holds  # False once the trace serves no more
        self.watched: list[Any] = []
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

    def __copy__(self) -> ConcreteFunction:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(
            f"the concrete function '{self.name}' can't be copied or pickled: it works on the very "
            "variables that it was traced with. Copy the tl.function, and ask the copy for its own "
            "by get_concrete_function"
        )

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

    def pretty_printed_signature(self, verbose: bool = True) -> str:
        """Arguments, results and captures as text; on one line if not `verbose`."""
        accepts = self._accepts
        return signature_text(
            accepts.parameters.signature,
            accepts.arguments,
            self.structured_outputs,
            [c for c in self.captures if not isinstance(c, Kept)],
            verbose,
        )

    def gradient_info(self) -> GradientInfo:
        """What the gradient of the results, by arguments and variables, saves: with ops, lines and
        bytes, and what it computes again. LookupError for an op without a gradient.

        >>> import treadle as tl
        >>> @tl.function
        ... def f(x):
        ...     for _ in tl.range(100):
        ...         x = tl.sin(x) * 0.5
        ...     return x
        >>> info = f.get_concrete_function(tl.TensorSpec([8])).gradient_info()
        >>> info.bytes
        3204
        >>> [(s.op, s.size) for s in info.saved]
        [('trips', '4 B'), ('x', '32 B x 100 = 3200 B')]
        """
        return gradient_info(self.ref)

    def __str__(self) -> str:
        return f"ConcreteFunction {self.pretty_printed_signature()}"

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={_short(a)}" for n, a in self.arguments.items())
        return f"<ConcreteFunction {self.name}({shown})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.run(self._accepts.bind(args, kwargs, self.captures))
        except Exception as error:
            raise strip_internal_frames(error) from error.__cause__

    def holds(self) -> bool:
        """True if all that the trace was guarded for is as it was."""
        fits = self.state is None or self.state.fits()
        return fits and (self.check is None or self.check())

    def run(self, tensors: Sequence[Any], arguments: Mapping[str, Any] | None = None) -> Any:
        """Run on the tensor and variable arguments, in order.

        `arguments` are those of the call by name: the function may change lists and dicts in them.
        """
        state = self.state
        if state is None:
            return self._run(tensors, self._rebuild)

        state.check(arguments or {})

        def stored(results: Sequence[Any]) -> Any:
            first = len(results) - state.outputs
            state.write(results[first:], arguments or {})
            return self._rebuild(results[:first])

        given = [*tensors, *state.values()]
        if state.rescue is None or is_tracing():
            return self._run(given, stored)
        state.rescue.start()
        try:
            return self._run(given, stored)
        except BaseException:
            state.rescue.finish(arguments or {})
            raise

    def _run(self, tensors: Sequence[Any], build: Callable[[Sequence[Any]], Any]) -> Any:
        if is_tracing():
            result = build(call(self.ref, [*tensors, *self.captures]))
            if not self.returns:
                raise PathEndsError
            return result
        if recorders():
            values = [t if hasattr(t, "spec") else convert(t) for t in tensors]
            try:
                return build(call_recorded(self.ref, [*values, *self.captures]))
            except Exception as error:
                raise at_user_line(error) from error.__cause__
        if self._fast is None:
            self._held = [c._value for c in self.captures]
            self._fast = executable(self.graph)  # last: another thread may look for it
        arrays = [t._value if hasattr(t, "_value") else np.array(t) for t in tensors]
        results = self._fast(arrays + self._held)
        if self._single and self.state is None:
            return EagerTensor(results[0], self.graph.outputs[0].dtype)
        wrapped = [wrap(r, v.spec) for r, v in zip(results, self.graph.outputs, strict=True)]
        return build(wrapped)

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
    return f"{x}" if isinstance(x, TensorSpec) else repr(x)
