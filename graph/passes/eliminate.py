"""What has no use goes: nodes, results of branches and loops, and what these capture.

A value is live if an output, a node with an effect other than a read, or a live node needs it. In
a loop a carried value that only feeds itself is needed by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..effects import node_effects
from ..node import Graph, Node, Value
from ..op import READ, Attrs
from .rebuild import Rebuild, is_same, may_have_effects, select_inputs

# The inputs that a node with graphs needs for some of its results: found once, since each loop
# around it asks again.
Known = dict[tuple[Node, tuple[int, ...]], list[int]]


def eliminate(
    graph: Graph, wanted: Sequence[int] | None = None, known: Known | None = None
) -> Graph:
    """`graph` without what does not serve its outputs (those in `wanted`) or effects."""
    outputs = graph.outputs
    if wanted is not None and len(wanted) < len(outputs):
        outputs = tuple([outputs[i] for i in wanted])
    found = Liveness(graph, outputs, {} if known is None else known)
    live = found.nodes
    if outputs is graph.outputs and not any([node.op.structured for node in live]):
        if len(live) == len(graph.nodes):
            return graph
        if not any([n.effects for n in graph.nodes if n not in live and may_have_effects(n.op)]):
            nodes = tuple([n for n in graph.nodes if n in live])
            return Graph(graph.name, graph.inputs, nodes, outputs, graph.captured)
    rebuild = Rebuild()
    for node in graph.nodes:
        if node not in live:
            if may_have_effects(node.op):  # a read: those who wait for it wait for what it did
                earlier = [n for before in node.after for n in rebuild.moved.get(before, ())]
                rebuild.moved[node] = tuple(earlier)
        elif node.op.structured and node.op.name != "call":
            _prune(rebuild, node, found)
        elif not node.after and not node_effects(node) and rebuild.inputs_of(node) is node.inputs:
            rebuild.nodes.append(node)
        else:
            new = rebuild.put(node, rebuild.inputs_of(node), node.attrs)
            if new is not node:
                rebuild.values.update(zip(node.outputs, new.outputs, strict=True))
    if outputs is not graph.outputs:
        graph = Graph(graph.name, graph.inputs, graph.nodes, outputs, graph.captured)
    return rebuild.finish(graph)


class Liveness:
    """The values and nodes of a graph that serve `roots` or an effect.

    `carried` counts the inputs that are fed by the outputs of the same place: the graph is the
    body of a loop.
    """

    def __init__(
        self, graph: Graph, roots: Iterable[Value], known: Known, carried: int = 0
    ) -> None:
        self.known = known
        self.values: set[Value] = set()
        self.nodes: set[Node] = set()
        self._pending: list[Value] = list(roots)
        self._again: dict[Node, None] = {}  # nodes with graphs of which more is wanted
        feeds = dict(zip(graph.inputs[:carried], graph.outputs, strict=False))
        for node in graph.nodes:
            if may_have_effects(node.op) and any(e != READ for e, _ in node_effects(node)):
                self._use(node)
        while self._pending or self._again:
            while self._pending:
                value = self._pending.pop()
                if value in self.values:
                    continue
                self.values.add(value)
                if value.node is not None:
                    self._use(value.node)
                elif value in feeds:
                    self._pending.append(feeds[value])
            if self._again:
                node, _ = self._again.popitem()
                self._pending += [node.inputs[i] for i in self._needed_inputs(node)]

    def _use(self, node: Node) -> None:
        if node.op.structured and node.op.name != "call":
            self.nodes.add(node)
            self._again[node] = None
        elif node not in self.nodes:
            self.nodes.add(node)
            self._pending += node.inputs
            if node.after:  # by request, it waits for what has no effects
                self._pending += [b.outputs[0] for b in node.after if not may_have_effects(b.op)]

    def _needed_inputs(self, node: Node) -> list[int]:
        """The inputs that a cond, switch or while needs for those of its results that are live."""
        wanted = self.wanted(node)
        found = self.known.get((node, wanted))
        if found is None:
            found = self.known[node, wanted] = _needed_inputs(node, wanted, self.known)
        return found

    def wanted(self, node: Node) -> tuple[int, ...]:
        """The places of the live results."""
        return tuple([i for i, v in enumerate(node.outputs) if v in self.values])

    def carried(self, node: Node) -> list[int]:
        """The carried values of a loop that its live results, its test or an effect need."""
        count = len(node.outputs)
        return [i for i in self._needed_inputs(node) if i < count]

    def inputs_of(self, graph: Graph) -> list[int]:
        """The places of the live inputs."""
        return [i for i, v in enumerate(graph.inputs) if v in self.values]


def _needed_inputs(node: Node, wanted: Sequence[int], known: Known) -> list[int]:
    if node.op.name == "while":
        test, body = _loop_liveness(node, wanted, known)
        inputs = {*test.inputs_of(node.attrs["test"]), *body.inputs_of(node.attrs["body"])}
        return sorted({*wanted, *inputs})
    needed = {0}
    for graph in branches_of(node):
        found = Liveness(graph, [graph.outputs[i] for i in wanted], known)
        needed.update([i + 1 for i in found.inputs_of(graph)])
    return sorted(needed)


def branches_of(node: Node) -> tuple[Graph, ...]:
    """The graphs of a cond or switch."""
    if node.op.name == "cond":
        return node.attrs["then"], node.attrs["orelse"]
    if node.op.name == "try":
        return node.attrs["body"], node.attrs["handler"]
    graphs: tuple[Graph, ...] = node.attrs["branches"]
    return graphs


def _loop_liveness(node: Node, wanted: Iterable[int], known: Known) -> tuple[Liveness, Liveness]:
    test: Graph = node.attrs["test"]
    body: Graph = node.attrs["body"]
    count = len(body.outputs)
    in_test = Liveness(test, test.outputs, known)
    roots = {*wanted, *[i for i in in_test.inputs_of(test) if i < count]}
    return in_test, Liveness(body, [body.outputs[i] for i in sorted(roots)], known, count)


def _prune(rebuild: Rebuild, node: Node, live: Liveness) -> None:
    """Put a node that holds graphs, with just the results and inputs that are needed."""
    inputs = rebuild.inputs_of(node)
    if node.op.name == "while":
        kept = live.carried(node)
        test = eliminate(node.attrs["test"], None, live.known)
        body = eliminate(node.attrs["body"], kept, live.known)
        used = {*_used_inputs(test), *_used_inputs(body)}
        captured = [i for i in range(len(node.outputs), len(inputs)) if i in used]
        order = [*kept, *captured]
        graphs = [select_inputs(g, order, len(captured)) for g in (test, body)]
        attrs: Attrs = {**node.attrs, "test": graphs[0], "body": graphs[1]}
        operands = tuple([inputs[i] for i in order])
    else:
        kept = list(live.wanted(node))
        pruned = [eliminate(g, kept, live.known) for g in branches_of(node)]
        used = {i for g in pruned for i in _used_inputs(g)}
        order = sorted(used)
        graphs = [select_inputs(g, order, _captured(g, order)) for g in pruned]
        if node.op.name == "cond":
            attrs = {**node.attrs, "then": graphs[0], "orelse": graphs[1]}
        elif node.op.name == "try":
            attrs = {**node.attrs, "body": graphs[0], "handler": graphs[1]}
        else:
            attrs = {**node.attrs, "branches": tuple(graphs)}
        operands = (inputs[0], *[inputs[i + 1] for i in order])
    if len(kept) == len(node.outputs) and is_same(graphs, _graphs_of(node)):
        attrs = node.attrs
    if is_same(operands, inputs):
        operands = inputs
    new = rebuild.put(node, operands, attrs)
    if new is not node:
        old = [node.outputs[i] for i in kept]
        rebuild.values.update(zip(old, new.outputs, strict=True))
        for value, result in zip(old, new.outputs, strict=True):
            result.name = value.name


def _graphs_of(node: Node) -> tuple[Graph, ...]:
    if node.op.name == "while":
        return node.attrs["test"], node.attrs["body"]
    return branches_of(node)


def _captured(graph: Graph, order: Sequence[int]) -> int:
    """How many of the inputs `order` of a branch are captures."""
    first = len(graph.inputs) - graph.captured
    return sum(i >= first for i in order)


def _used_inputs(graph: Graph) -> list[int]:
    """The inputs of a graph that a node or an output uses."""
    used = set(graph.outputs)
    for node in graph.nodes:
        used.update(node.inputs)
    return [i for i, v in enumerate(graph.inputs) if v in used]
