"""Other views of a graph: a summary, a networkx graph, Graphviz text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .effects import node_effects
from .names import readable
from .node import Graph, Value, subgraphs
from .walk import functions_of, nodes_within

if TYPE_CHECKING:
    pass


def summary(graph: Graph) -> str:
    """What a graph is made of, in a few lines: sizes, ops by number, effects."""
    nodes = list(nodes_within(graph))
    counts = Counter(node.op.name for node in nodes)
    held = sum(len(subgraphs(node)) for node in nodes if node.op.structured)
    effects: dict[str, None] = {}
    for node in graph.nodes:
        for effect, index in node_effects(node):
            name = "" if index is None else readable(node.inputs[index].name)
            effects[f"{effect} {name}".rstrip()] = None
    first = len(graph.inputs) - graph.captured
    rows = {
        "inputs": _specs(graph.inputs[:first]),
        "captures": _specs(graph.inputs[first:]),
        "outputs": _specs(graph.outputs),
        "nodes": f"{len(graph.nodes)}, {len(nodes)} with those of {held} sub-graphs"
        if held
        else str(len(nodes)),
        "ops": ", ".join([f"{n} {name}" for name, n in counts.most_common()]),
        "calls": ", ".join([ref.name for ref in functions_of(graph)]),
        "effects": ", ".join(effects),
    }
    lines = [f"  {name + ':':<10}{row}" for name, row in rows.items() if row]
    return "\n".join([f"{graph.name}", *lines])


def _specs(values: tuple[Value, ...]) -> str:
    named = [(readable(v.name), str(v.spec)) for v in values]
    return ", ".join([f"{name}: {spec}" if name else spec for name, spec in named])
