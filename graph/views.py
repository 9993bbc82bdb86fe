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
    named = [(readable(v.name), str(v.spec)) for v in values]
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
    ...     return negative(y)
    ... '''.replace("return negative(y)", "z = negative(y)\\n    return z"))
    >>> nx.shortest_path(tl.graph.to_networkx(g), "x", "z")
    ['x', 'y', 'z']
    """
    import networkx  # noqa: PLC0415 - slow to import, needed for this view only

    return _Network(networkx, graph).view(graph)


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
            view.add_node(names[value], op=kind, type=str(value.spec))
        for node in graph.nodes:
            self._node(view, graph, node, names, space)
        for i, value in enumerate(graph.outputs):
            name = space.unique(f"output_{i}")
            view.add_node(name, op="output", type=str(value.spec))
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
            type=", ".join([str(v.spec) for v in node.outputs]),
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
    printer = Printer(graph)
    printer.text()
    lines = [f"digraph {_quoted(graph.name)} {{", "  node [shape=box, fontname=monospace];"]
    numbers: dict[Value | Node, str] = {}
    _dot_body(graph, printer, numbers, lines, "  ", "input")
    return "\n".join([*lines, "}", ""])


def _dot_body(
    graph: Graph,
    printer: Printer,
    numbers: dict[Value | Node, str],
    lines: list[str],
    indent: str,
    kind: str,
) -> None:
    def declare(thing: Value | Node, label: str, style: str = "") -> str:
        numbers[thing] = f"n{len(numbers)}"
        lines.append(f"{indent}{numbers[thing]} [label={_quoted(label)}{style}];")
        return numbers[thing]

    for value in graph.inputs:
        declare(value, f"{printer.name_of(value)}: {value.spec}", ", shape=ellipse")
    for node in graph.nodes:
        types = ", ".join([str(v.spec) for v in node.outputs])
        name = printer.name_of(node.outputs[0]) if node.outputs else ""
        label = f"{node.op.name}\\n{types}" if node.op.name != "const" else name
        place = declare(node, label)
        numbers.update(dict.fromkeys(node.outputs, place))
        for value in node.inputs:
            lines.append(f"{indent}{numbers[value]} -> {place};")
        for before in node.after:
            lines.append(f"{indent}{numbers[before]} -> {place} [style=dashed];")
        for number, inner in enumerate(subgraphs(node) if node.op.structured else ()):
            lines.append(f"{indent}subgraph cluster_{place}_{number} {{")
            lines.append(f"{indent}  label={_quoted(f'{node.op.name} {name}')};")
            _dot_body(inner, printer, numbers, lines, indent + "  ", "argument")
            lines.append(f"{indent}}}")
    for i, value in enumerate(graph.outputs):
        numbers_of_output = f"{numbers[value]}_out{i}_{len(lines)}"
        lines.append(f"{indent}{numbers_of_output} [label={_quoted(f'output {i}')}, shape=ellipse];")
        lines.append(f"{indent}{numbers[value]} -> {numbers_of_output};")


def _quoted(text: str) -> str:
    escaped = text.replace('"', '\\"')
    return f'"{escaped}"'
