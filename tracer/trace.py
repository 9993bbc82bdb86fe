"""Tracing: running Python code on symbolic arguments so that its op calls become a graph."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..graph.build import GraphBuilder, convert, interpreting, is_tracing, recording
from ..graph.build import current as current_interpreter
from ..graph.control import UnknownResultError
from ..graph.effects import graph_effects
from ..graph.errors import VariableCreationError
from ..graph.location import describe, user_location
from ..graph.nest import children, flatten, pack, rebuild, sorted_keys
from ..graph.node import FunctionRef, Graph, Node, Tensor, Value
from ..graph.ops.state import assign
from ..graph.settings import collector_paused, debug
from ..graph.spec import TensorSpec
from ..runtime import EagerTensor, Variable
from ..runtime.eager import run_graph
from ..runtime.variable import creator
from .accepts import Accepts
from .concrete import ConcreteFunction
from .progress import Progress, in_progress, is_lifting, note_created
from .signature import Keyed, is_tensor_like

_RESULTS = (int, float, complex, str, bytes, np.ndarray, np.generic)


class Trace:
    """One attempt to trace a function: its builder, and the variables that it made."""

    def __init__(self, name: str, may_create: bool) -> None:
        parent = current_interpreter() if is_tracing() else None
        self.builder = GraphBuilder(name, parent if isinstance(parent, GraphBuilder) else None)
        self.may_create = may_create
        self.created: list[tuple[Variable, Value]] = []
        # Initial values are computed at once where the trace itself may not run.
        self.lifted = is_lifting() or _in_branch(self.builder.parent)

    def create(self, variable: Variable, initial: Tensor) -> None:
        """Take note of a variable that is made while tracing."""
        where = describe(user_location(3))
        if not self.may_create:
            raise VariableCreationError(
                f"the function '{self.builder.name}' tried to create the variable "
                f"'{variable.name}' at {where}, on a call that is not its first call. A "
                "tl.function may create variables on its first call only: make them outside, or "
                "keep them ('if self.v is None: self.v = tl.Variable(...)')"
            )
        if current_interpreter() is not self.builder:
            raise VariableCreationError(
                f"the variable '{variable.name}' is created inside of a branch or loop over "
                f"tensors, at {where}; create it before"
            )
        value = self.builder.resolve(initial)
        self.created.append((variable, value))
        if not self.lifted:
            assign(variable, value)
            note_created()

    def arguments(
        self, arguments: Mapping[str, Any], tied: Container[int]
    ) -> tuple[dict[str, Any], list[Any]]:
        """The arguments with tensors and variables replaced by symbols, and those replaced.

        A variable is replaced by another object, since the trace serves any of its kind.
        """
        given: list[Any] = []
        symbols: dict[int, Any] = {}

        def symbol(x: Any, name: str) -> Any:
            if is_tensor_like(x):
                given.append(x)
                spec = x if isinstance(x, TensorSpec) else _spec_of(x)
                return self.builder.add_input(spec, getattr(spec, "name", None) or name)
            if isinstance(x, Variable):
                if id(x) not in symbols:
                    given.append(x)
                    # One that is also captured is taken as itself, under either name.
                    seen = x if id(x) in tied else x.stand_in()
                    symbols[id(x)] = seen
                    self.builder.resolved[id(seen)] = self.builder.add_input(x.spec, name)
                return symbols[id(x)]
            items = children(x)
            if items is None:
                return x
            return rebuild(
                x, [symbol(item, n) for item, n in zip(items, _names(x, name), strict=True)]
            )

        return {name: symbol(x, name) for name, x in arguments.items()}, given

    @contextmanager
    def running(self) -> Any:
        token = creator.set(self.create)
        try:
            with interpreting(self.builder), recording(()):
                yield
        finally:
            creator.reset(token)


def _names(structure: Any, name: str) -> list[str]:
    if isinstance(structure, Mapping):
        return [f"{name}_{k}" for k in sorted_keys(structure)]
    return [f"{name}_{i}" for i in range(len(children(structure) or ()))]


def _spec_of(x: Any) -> Any:
    return x.spec if isinstance(x, Tensor) else EagerTensor(np.asarray(x)).spec


def result_values(result: Any) -> tuple[list[Any], list[bool]]:
    """A traced function's result: leaves, and which are tensors (numbers and variables become
    tensors; None and other objects stay).
    """
    leaves = flatten(result)
    is_tensor = []
    for i, leaf in enumerate(leaves):
        if isinstance(leaf, (Tensor, Variable, *_RESULTS)):
            leaves[i] = convert(leaf)
            is_tensor.append(True)
        else:
            is_tensor.append(hasattr(leaf, "spec"))
    return leaves, is_tensor


def _in_branch(builder: GraphBuilder | None) -> bool:
    while builder is not None:
        if not builder.is_function:
            return True
        builder = builder.parent
    return False


def trace_function(
    function: Any,
    keyed: Keyed,
    ref: FunctionRef,
    arguments: Mapping[str, Any],
    may_create: bool,
    lift: Mapping[str, Any] | None,
) -> tuple[ConcreteFunction, bool]:
    """Trace `function` (a `tracer.Function`) on the symbols of `arguments`; and whether the trace
    makes variables, so that it is good for one call only.

    With the values of the arguments in `lift`, initial values are computed while tracing, and the
    function is then traced anew without making variables.
    """
    progress = Progress(function, keyed.parts, ref, lift is not None)
    with in_progress(progress):
        concrete = _settled(progress, keyed, arguments, may_create, lift or arguments)
    return concrete, progress.created


def _settled(
    progress: Progress,
    keyed: Keyed,
    arguments: Mapping[str, Any],
    may_create: bool,
    values: Mapping[str, Any],
) -> ConcreteFunction:
    """A function that calls itself is traced again until what its own calls assume of it (specs,
    effects, captures) is what the trace gives.
    """
    function, ref = progress.function, progress.ref
    name, converted = function.name, function.converted()
    captures: list[Any] | None = None
    for _ in range(8):
        trace = Trace(name, may_create)
        symbols, _ = trace.arguments(arguments, keyed.tied)
        debug(1, f"treadle: tracing {name}({', '.join(f'{n}={x!r}' for n, x in symbols.items())})")
        args, kwargs = function.parameters.unbind(symbols)
        ref.extra["captures"] = captures or []
        try:
            with trace.running(), collector_paused():
                result = converted(*args, **kwargs)
                leaves, is_tensor = result_values(result)
        except UnknownResultError as error:
            if error.callee is not ref:
                raise  # for a branch of that one to deal with
            raise RecursionError(str(error)) from None
        if trace.created and (trace.lifted or "recursive" in ref.extra):
            _initialize(trace, Trace(name, False).arguments(values, ())[1])
            may_create = progress.created = False
            progress.drop_resting()
            continue
        graph = _finish(trace.builder, leaves, is_tensor, captures)
        found = trace.builder.captures if captures is None else captures
        known = (ref.specs, ref.effects, captures is not None)
        ref.specs, ref.effects = graph.out_specs, graph_effects(graph)
        recursive = ref.extra.pop("recursive", False)
        same = {id(c) for c in found} == {id(c) for c in trace.builder.captures}
        if not recursive or (known == (ref.specs, ref.effects, True) and same):
            ref.graph = graph
            template = pack(
                result, [None if t else x for x, t in zip(leaves, is_tensor, strict=True)]
            )
            accepts = Accepts(ref.name, function.parameters, arguments, keyed.tied)
            return ConcreteFunction(ref, list(found), template, is_tensor, accepts)
        progress.drop_resting()
        ref.extra["rebuild"] = _rebuilder(result, leaves, is_tensor)
        captures = list({id(c): c for c in [*found, *trace.builder.captures]}.values())
    raise RecursionError(f"the results of the recursive function '{name}' do not settle")


def _rebuilder(result: Any, leaves: list[Any], is_tensor: list[bool]) -> Callable[[Any], Any]:
    """How a call of the function itself puts its results together."""

    def build(values: Sequence[Any]) -> Any:
        remaining = iter(values)
        merged = [next(remaining) if t else x for x, t in zip(leaves, is_tensor, strict=True)]
        return pack(result, merged)

    return build


def _finish(
    builder: GraphBuilder, leaves: list[Any], is_tensor: list[bool], captures: list[Any] | None
) -> Graph:
    outputs = [x for x, t in zip(leaves, is_tensor, strict=True) if t]
    for value in captures or ():
        builder.resolve(value)
    graph = builder.finish(outputs)
    if captures is None:
        return graph
    arguments = graph.inputs[: len(graph.inputs) - graph.captured]
    first = [builder.resolved[id(c)] for c in captures]
    ordered = list(dict.fromkeys([*first, *graph.inputs[len(arguments) :]]))
    return Graph(graph.name, (*arguments, *ordered), graph.nodes, graph.outputs, len(ordered))


def _initialize(trace: Trace, given: Sequence[Any]) -> None:
    """Give the variables that the trace made their values, in the order in which they were made.

    Only what an initial value depends on is run.
    """
    builder = trace.builder
    inputs = [*given, *builder.captures]
    for variable, initial in trace.created:
        graph = _slice(builder, initial)
        used = {v for node in graph.nodes for v in node.inputs} | set(graph.outputs)
        values = []
        for parameter, x in zip(graph.inputs, inputs, strict=True):
            if parameter in used and isinstance(x, (TensorSpec, Value)):
                raise VariableCreationError(
                    f"the initial value of '{variable.name}' depends on an argument that has no "
                    "value yet; call the function before get_concrete_function"
                )
            if parameter not in used:
                values.append(EagerTensor(np.zeros(0)))
            else:
                values.append(x if hasattr(x, "_value") else EagerTensor(np.array(x)))
        with interpreting(None), recording(()):
            (value,) = run_graph(graph, values)
        variable._value.array = value._value


def _slice(builder: GraphBuilder, result: Value) -> Graph:
    """The graph of one value of a builder at work: just the nodes that it depends on."""
    needed = {result}
    kept: list[Node] = []
    for node in reversed(builder.nodes):
        if any(v in needed for v in node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    env: dict[Value, Value] = {v: v for v in builder.inputs}
    nodes = []
    for node in reversed(kept):
        copy = Node(
            node.op, tuple([env[v] for v in node.inputs]), node.attrs, node.specs, (), node.loc
        )
        env.update(zip(node.outputs, copy.outputs, strict=True))
        nodes.append(copy)
    name = f"{builder.name}_initial_value"
    return Graph(name, tuple(builder.inputs), tuple(nodes), (env[result],), len(builder.captures))
