"""Functions that take the values of variables in place of the variables.

The gradient of a function that calls itself runs its forward part again. By then a variable may
have been assigned: what is run again gets the values that were read when the function was called.
"""

from __future__ import annotations

from typing import Any

from ..build import GraphBuilder, current, interpreting
from ..control import call
from ..effects import graph_effects
from ..node import FunctionRef, Graph, Node, Value
from ..op import READ, Attrs
from ..ops.state import read
from ..spec import ResourceSpec

_KEY = "by value"


def reads_variables(ref: FunctionRef) -> bool:
    return ref.graph is not None and any(e == READ for e, _ in graph_effects(ref.graph))


def reading_first(ref: FunctionRef) -> FunctionRef:
    """A function that does what `ref` does, but reads all variables before anything else.

    `ref` must have no other effects than reads and checks.
    """
    if "reading first" not in ref.extra:
        graph = ref.graph
        assert graph is not None
        builder = GraphBuilder(ref.name)
        inputs = [builder.add_input(v.spec, v.name) for v in graph.inputs]
        with interpreting(builder):
            values = [read(v) if isinstance(v.spec, ResourceSpec) else v for v in inputs]
            results = call(_by_value(ref), values)
        ref.extra["reading first"] = FunctionRef(f"{ref.name}_reading", builder.finish(results))
    found: FunctionRef = ref.extra["reading first"]
    return found


def _by_value(ref: FunctionRef) -> FunctionRef:
    if _KEY not in ref.extra:
        new = ref.extra[_KEY] = FunctionRef(f"{ref.name}_by_value")
        new.specs = ref.specs
        new.effects = tuple(e for e in ref.effects if e[0] != READ)
        assert ref.graph is not None
        new.graph = _transformed(ref.graph)
    found: FunctionRef = ref.extra[_KEY]
    return found


def _transformed(graph: Graph) -> Graph:
    builder = GraphBuilder(graph.name)
    env: dict[Value, Any] = {}
    for v in graph.inputs:
        spec = v.spec.value if isinstance(v.spec, ResourceSpec) else v.spec
        env[v] = builder.add_input(spec, v.name)
    with interpreting(builder):
        for node in graph.nodes:
            builder.loc = node.loc
            env.update(
                zip(node.outputs, _results(node, [env[v] for v in node.inputs]), strict=True)
            )
    built = builder.finish([env[v] for v in graph.outputs])
    return Graph(built.name, built.inputs, built.nodes, built.outputs, graph.captured)


def _results(node: Node, inputs: list[Any]) -> Any:
    if node.op.name == "read":
        return inputs
    if node.op.name == "const":
        return [current().constant(node.attrs["value"])]
    attrs: Attrs = {key: _attribute(value) for key, value in node.attrs.items()}
    holds = node.op.structured or "callee" in attrs
    results = current().apply(node.op, inputs, attrs if holds else node.attrs)
    return results if node.op.multiple else [results]


def _attribute(value: Any) -> Any:
    if isinstance(value, FunctionRef):
        return _by_value(value)
    if isinstance(value, Graph):
        return _transformed(value)
    if isinstance(value, tuple) and value and isinstance(value[0], Graph):
        return tuple([_transformed(g) for g in value])
    return value


__all__ = ["reading_first", "reads_variables"]
