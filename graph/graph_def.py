"""The nodes of a graph under TensorFlow's names: what `graph.as_graph_def().node` lists."""

from __future__ import annotations

from typing import NamedTuple

from .node import Graph, Node, subgraphs


class NodeDef(NamedTuple):
    """A node's unique name, its op, and the names of what it reads."""

    name: str
    op: str
    input: tuple[str, ...]


class GraphDef(NamedTuple):
    """The nodes of a graph, inputs first."""

    node: tuple[NodeDef, ...]


def as_graph_def(graph: Graph) -> GraphDef:
    """The graph's nodes by name: inputs, then nodes in order, then an identity for each result.

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
        nodes.append(NodeDef(names[value], "placeholder", ()))
    for node in graph.nodes:
        op = "ReduceDataset" if _is_over_dataset(node) else node.op.name
        name = unique(op)
        nodes.append(NodeDef(name, op, tuple([names[v] for v in node.inputs])))
        for value in node.outputs:
            names[value] = name if value.index == 0 else f"{name}:{value.index}"
    results = [NodeDef(unique("identity"), "identity", (names[v],)) for v in graph.outputs]
    return GraphDef((*nodes, *results))


def _is_over_dataset(node: Node) -> bool:
    """True for a loop that goes on for as long as a dataset has elements."""
    return node.op.name == "while" and _looks_ahead(node.attrs["test"])


def _looks_ahead(graph: Graph) -> bool:
    return any(
        node.op.name == "iterator_has_next" or any(map(_looks_ahead, subgraphs(node)))
        for node in graph.nodes
    )
