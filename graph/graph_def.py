"""The nodes of a graph under TensorFlow's names: what `graph.as_graph_def().node` lists."""

from __future__ import annotations

from typing import NamedTuple

from .node import Graph, Node, Value, subgraphs


class NodeDef(NamedTuple):
    """A node's unique name, its op, and the names of what it reads."""

    name: str
    op: str
    input: list[str]


class GraphDef(NamedTuple):
    """The nodes of a graph, inputs first."""

    node: tuple[NodeDef, ...]


def as_graph_def(graph: Graph) -> GraphDef:
    """The graph's nodes by name: inputs, then nodes in order, then an identity for each result.

    A constant is listed before each node that uses it, as the text form shows it at each use.

    >>> import treadle as tl
    >>> f = tl.function(lambda x: x + 1.0)
    >>> graph = f.get_concrete_function(tl.TensorSpec([2])).graph
    >>> [node.name for node in graph.as_graph_def().node]
    ['x', 'const', 'add', 'identity']
    """
    counts: dict[str, int] = {}
    names: dict[object, str] = {}
    nodes: list[NodeDef] = []

    def unique(base: str) -> str:
        number = counts.get(base, 0)
        counts[base] = number + 1
        return f"{base}_{number}" if number else base

    for value in graph.inputs:
        names[value] = unique((value.name or "input").removesuffix(":0"))
        nodes.append(NodeDef(names[value], "placeholder", []))

    def name_of(value: Value) -> str:
        if value.node is not None and value.node.op.name == "const":
            nodes.append(NodeDef(unique("const"), "const", []))
            return nodes[-1].name
        return names[value]

    for node in graph.nodes:
        if node.op.name == "const":
            continue
        op = "ReduceDataset" if _is_over_dataset(node) else node.op.name
        inputs = [name_of(v) for v in node.inputs]
        name = unique(op)
        nodes.append(NodeDef(name, op, inputs))
        for value in node.outputs:
            names[value] = name if value.index == 0 else f"{name}:{value.index}"
    for value in graph.outputs:
        result = name_of(value)
        nodes.append(NodeDef(unique("identity"), "identity", [result]))
    return GraphDef(tuple(nodes))


def _is_over_dataset(node: Node) -> bool:
    """True for a loop that goes on for as long as a dataset has elements."""
    return node.op.name == "while" and _looks_ahead(node.attrs["test"])


def _looks_ahead(graph: Graph) -> bool:
    return any(
        node.op.name == "iterator_has_next" or any(map(_looks_ahead, subgraphs(node)))
        for node in graph.nodes
    )
