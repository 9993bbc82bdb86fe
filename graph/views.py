"""Other views of a graph: a summary, a networkx graph, Graphviz text."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .effects import node_effects
from .names import Namespace, readable
from .node import Graph, Node, Value, subgraphs
from .text import Printer
from .walk import functions_of, nodes_within


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
    named = [(readable(v.name), f"{v.spec}") for v in values]
    return ", ".join([f"{name}: {spec}" if name else spec for name, spec in named])


def to_networkx(graph: Graph) -> Any:
    """A `networkx.MultiDiGraph` of the graph's inputs, nodes and outputs.

    Its nodes are called as in the text form and have the attributes `op`, `type`, `attrs`,
    `effects` and `loc`; edges have a `kind`: "data" (with the places `output` and `input`) or
    "after". A graph that a node holds is itself a MultiDiGraph, under `graphs`.

    >>> import treadle as tl, networkx as nx
    >>> g = tl.graph.parse('''
    ... # f(x: f32[2]) -> f32[2]
    ... def f(x):
    ...     y = exp(x)
    ...     z = negative(y)
    ...     return z
    ... ''')
    >>> nx.shortest_path(tl.graph.to_networkx(g), "x", "z")
    ['x', 'y', 'z']
    """
    import networkx as nx  # noqa: PLC0415 - slow to import, needed for this view only

    return _Network(nx, graph).view(graph)


class _Network:
    def __init__(self, networkx: Any, program: Graph) -> None:
        self._networkx = networkx
        self._printer = Printer(program)
        self._printer.text()

    def view(self, graph: Graph) -> Any:
        view = self._networkx.MultiDiGraph(name=graph.name)
        names: dict[Value | Node, str] = {}
        space = Namespace()
        for i, value in enumerate(graph.inputs):
            names[value] = space.unique(self._printer.name_of(value))
            kind = "capture" if i >= len(graph.inputs) - graph.captured else "input"
            view.add_node(names[value], op=kind, type=f"{value.spec}")
        for node in graph.nodes:
            self._node(view, graph, node, names, space)
        for i, value in enumerate(graph.outputs):
            name = space.unique(f"output_{i}")
            view.add_node(name, op="output", type=f"{value.spec}")
            place = value.index if value.node is not None else 0
            view.add_edge(names[value], name, kind="data", output=place, input=0)
        return view

    def _node(
        self, view: Any, graph: Graph, node: Node, names: dict[Value | Node, str], space: Namespace
    ) -> None:
        printed = self._printer.name_of(node.outputs[0] if node.outputs else node)
        name = space.unique(printed if printed.isidentifier() else node.op.name)
        names[node] = name
        names.update(dict.fromkeys(node.outputs, name))
        held = {
            key: [self.view(g) for g in value] if isinstance(value, tuple) else self.view(value)
            for key, value in node.attrs.items()
            if node.op.structured
            and isinstance(value[0] if isinstance(value, tuple) and value else value, Graph)
        }
        view.add_node(
            name,
            op=node.op.name,
            type=", ".join([f"{v.spec}" for v in node.outputs]),
            attrs={key: value for key, value in node.attrs.items() if key not in held},
            effects=tuple([effect for effect, _ in node_effects(node)]),
            loc=str(node.loc) if node.loc is not None else "",
            graphs=held,
        )
        for i, value in enumerate(node.inputs):
            place = value.index if value.node is not None else 0
            view.add_edge(names[value], name, kind="data", output=place, input=i)
        for before in node.after:
            view.add_edge(names[before], name, kind="after")


def to_dot(graph: Graph) -> str:
    """The graph in the language of Graphviz; graphs that nodes hold are boxes."""
    return _Dot(graph).text()


class _Dot:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._printer = Printer(graph)
        self._printer.text()
        self._ids: dict[Value | Node, str] = {}
        self._count = 0
        self._lines: list[str] = []

    def text(self) -> str:
        self._body(self._graph, "  ")
        head = f"digraph {_quoted(self._graph.name)} {{\n  node [shape=box, fontname=monospace];"
        return "\n".join([head, *self._lines, "}", ""])

    def _declare(self, label: str, indent: str, shape: str = "") -> str:
        self._count += 1
        more = f", shape={shape}" if shape else ""
        self._lines.append(f"{indent}n{self._count} [label={_quoted(label)}{more}];")
        return f"n{self._count}"

    def _body(self, graph: Graph, indent: str) -> None:
        ids, lines, name_of = self._ids, self._lines, self._printer.name_of
        for value in graph.inputs:
            ids[value] = self._declare(f"{name_of(value)}: {value.spec}", indent, "ellipse")
        for node in graph.nodes:
            types = ", ".join([f"{v.spec}" for v in node.outputs])
            is_constant = node.op.name == "const"
            label = name_of(node.outputs[0]) if is_constant else f"{node.op.name}\\n{types}"
            place = ids[node] = self._declare(label, indent)
            ids.update(dict.fromkeys(node.outputs, place))
            lines += [f"{indent}{ids[value]} -> {place};" for value in node.inputs]
            lines += [f"{indent}{ids[n]} -> {place} [style=dashed];" for n in node.after]
            for number, inner in enumerate(subgraphs(node) if node.op.structured else ()):
                lines.append(f"{indent}subgraph cluster_{place}_{number} {{")
                self._body(inner, indent + "  ")
                lines.append(f"{indent}}}")
        for i, value in enumerate(graph.outputs):
            place = self._declare(f"output {i}: {value.spec}", indent, "ellipse")
            lines.append(f"{indent}{ids[value]} -> {place};")


def _quoted(text: str) -> str:
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'
