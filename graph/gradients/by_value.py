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
from ..op import READ, WRITE
from ..ops.state import read
from ..spec import ResourceSpec

_KEY = "by value"
Which = frozenset[int]  # the inputs of a graph that become values


def reads_variables(ref: FunctionRef) -> bool:
    return ref.graph is not None and any(e == READ for e, _ in graph_effects(ref.graph))


def read_only(graph: Graph) -> Which:
    """The inputs that are variables which `graph` reads and does not change."""
    found = graph_effects(graph)
    written = {i for e, i in found if e == WRITE}
    return frozenset(i for e, i in found if e == READ and i is not None and i not in written)


def reading_first(ref: FunctionRef) -> FunctionRef:
    """A function that does what `ref` does, but reads all variables before anything else.

    `ref` must have no other effects than reads and checks.
    """
    if "reading first" not in ref.extra:
        graph = ref.graph
        assert graph is not None
        builder = GraphBuilder(ref.name)
        inputs = [builder.add_input(v.spec, v.name) for v in graph.inputs]
        variables = [isinstance(v.spec, ResourceSpec) for v in inputs]
        which = frozenset(i for i, x in enumerate(variables) if x)
        with interpreting(builder):
            values = [read(v) if i in which else v for i, v in enumerate(inputs)]
            results = call(_by_value(ref, which), values)
        ref.extra["reading first"] = FunctionRef(f"{ref.name}_reading", builder.finish(results))
    found: FunctionRef = ref.extra["reading first"]
    return found


def _by_value(ref: FunctionRef, which: Which) -> FunctionRef:
    key = (_KEY, which)
    if key not in ref.extra:
        new = ref.extra[key] = FunctionRef(f"{ref.name}_by_value")
        new.specs = ref.specs
        new.effects = tuple(e for e in ref.effects if e[0] != READ or e[1] not in which)
        assert ref.graph is not None
        new.graph = by_value(ref.graph, which)
    found: FunctionRef = ref.extra[key]
    return found


def by_value(graph: Graph, which: Which) -> Graph:
    """A graph that takes values in place of the variables `which`."""
    builder = GraphBuilder(graph.name)
    env: dict[Value, Any] = {}
    valued: set[Value] = set()
    for i, v in enumerate(graph.inputs):
        spec = v.spec
        if i in which and isinstance(spec, ResourceSpec):
            spec = spec.value
            valued.add(v)
        env[v] = builder.add_input(spec, v.name)
    with interpreting(builder):
        for node in graph.nodes:
            builder.loc = node.loc
            inner = frozenset(i for i, v in enumerate(node.inputs) if v in valued)
            results = _results(node, [env[v] for v in node.inputs], inner)
            env.update(zip(node.outputs, results, strict=True))
    built = builder.finish([env[v] for v in graph.outputs])
    return Graph(built.name, built.inputs, built.nodes, built.outputs, graph.captured)


def _results(node: Node, inputs: list[Any], which: Which) -> Any:
    if node.op.name == "read" and which:
        return inputs
    if node.op.name == "const":
        return [current().constant(node.attrs["value"])]
    attrs = node.attrs
    if which and (node.op.structured or "callee" in attrs):
        attrs = {key: _attribute(v, which, len(inputs)) for key, v in attrs.items()}
    results = current().apply(node.op, inputs, attrs)
    return results if node.op.multiple else [results]


def _attribute(value: Any, which: Which, count: int) -> Any:
    """What an attribute of a node becomes, whose inputs, `count`, are values now at `which`."""
    if isinstance(value, FunctionRef):
        graph = value.graph
        return _by_value(value, which if graph is None else _inside(graph, which, count))
    if isinstance(value, Graph):
        return by_value(value, _inside(value, which, count))
    if isinstance(value, tuple) and value and isinstance(value[0], Graph):
        return tuple([by_value(g, _inside(g, which, count)) for g in value])
    return value


def _inside(graph: Graph, which: Which, count: int) -> Which:
    """The inputs of a graph that a node holds: the last ones are those of the node."""
    before = count - len(graph.inputs)
    return frozenset(i - before for i in which if i >= before)


__all__ = ["by_value", "read_only", "reading_first", "reads_variables"]
