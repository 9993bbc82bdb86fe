"""The effects of nodes and graphs, and the control dependencies that follow from them.

Automatic control dependencies are explicit edges `after`, no more than needed: reads of a resource
commute; a write waits for the reads and the write before it; io keeps its order with io. What may
fail when the program runs keeps its place among writes and io, so that writes before a failing op
stay and those after it never happen.
"""

from __future__ import annotations

from collections.abc import Sequence

from .node import Effects, Graph, Node, Value, subgraphs
from .op import CHECKS, IO, READ, WRITE, Attrs, Op


def effects_of(op: Op, inputs: Sequence[Value], attrs: Attrs) -> Effects:
    """Pairs of effect and index of the input that it is on."""
    if op.structured:
        return _structured_effects(op, attrs)
    found: Effects = tuple((e, 0 if e in (READ, WRITE) else None) for e in op.effects)
    if op.checks is not None and op.checks(*inputs, **attrs):
        found = (*found, (CHECKS, None))
    return found


def node_effects(node: Node) -> Effects:
    """The effects of a node, kept with it unless they may still change."""
    found = node.effects
    if found is None:
        found = effects_of(node.op, node.inputs, node.attrs)
        if node.op.name != "call":
            node.effects = found
    return found


def graph_effects(graph: Graph) -> Effects:
    """The effects of a whole graph, on its inputs; computed once."""
    if graph.effects is None:
        graph.effects = effects_within(graph)
    return graph.effects


def effects_within(graph: Graph) -> Effects:
    """The same, computed anew."""
    position = {v: i for i, v in enumerate(graph.inputs)}
    found: dict[tuple[str, int | None], None] = {}
    for node in graph.nodes:
        for effect, index in node_effects(node):
            where = None if index is None else position.get(node.inputs[index])
            found[effect, where] = None
    return tuple(found)


def settle_effects(graphs: Sequence[Graph]) -> None:
    """Find the effects of functions that may call each other: the least fixpoint."""
    for graph in graphs:
        graph.effects = ()
    changed = True
    while changed:
        changed = False
        for graph in graphs:
            _forget(graph)
            found = effects_within(graph)
            if set(found) != set(graph.effects or ()):
                graph.effects = found
                changed = True
    for graph in graphs:
        _forget(graph)


def _forget(graph: Graph) -> None:
    """Drop what is known of the graphs that the nodes of `graph` hold."""
    pending = [graph]
    while pending:
        for node in pending.pop().nodes:
            if node.op.structured:
                node.effects = None
                held = subgraphs(node)
                for inner in held:
                    inner.effects = None
                pending += held


def _structured_effects(op: Op, attrs: Attrs) -> Effects:
    if op.name == "call":
        callee = attrs["callee"]
        return graph_effects(callee.graph) if callee.graph is not None else callee.effects
    offset = 1 if op.name in ("cond", "switch") else 0
    found: dict[tuple[str, int | None], None] = {}
    for graph in _held(attrs):
        for effect, index in graph_effects(graph):
            found[effect, None if index is None else index + offset] = None
    return tuple(found)


def _held(attrs: Attrs) -> list[Graph]:
    held: list[Graph] = []
    for value in attrs.values():
        if isinstance(value, Graph):
            held.append(value)
        elif isinstance(value, tuple):
            held.extend(g for g in value if isinstance(g, Graph))
    return held


class Order:
    """Hands out the edges `after` to nodes as they are added in program order."""

    __slots__ = ("_check", "_io", "_pending", "_reads", "_write")

    def __init__(self) -> None:
        self._write: dict[Value, Node] = {}  # the last write of a resource
        self._reads: dict[Value, list[Node]] = {}  # the reads since then
        self._io: Node | None = None
        self._check: Node | None = None  # the last node that may fail
        self._pending: list[Node] = []  # writes and io since then

    def edges(self, effects: Effects, inputs: Sequence[Value]) -> tuple[Node, ...]:
        """The nodes that a node with these effects has to wait for."""
        after: dict[Node, None] = {}
        for effect, index in effects:
            if effect == CHECKS:
                after.update(dict.fromkeys(self._pending))
            if effect != READ and self._check is not None:
                after[self._check] = None
            if effect == IO and self._io is not None:
                after[self._io] = None
            if index is None:
                continue
            resource = inputs[index]
            reads = self._reads.get(resource) if effect == WRITE else None
            if reads:
                after.update(dict.fromkeys(reads))
            elif resource in self._write:
                after[self._write[resource]] = None
        return tuple(after)

    def add(self, node: Node, effects: Effects) -> None:
        """Note that `node`, whose edges are set, is now the last to have had `effects`."""
        names = [e for e, _ in effects]
        for effect, index in effects:
            if index is None:
                continue
            resource = node.inputs[index]
            if effect == WRITE:
                self._write[resource] = node
                self._reads[resource] = []
            elif (WRITE, index) not in effects:
                self._reads.setdefault(resource, []).append(node)
        if IO in names:
            self._io = node
        if CHECKS in names:
            self._check = node
            self._pending = []
        elif IO in names or WRITE in names:
            self._pending.append(node)


__all__ = [
    "Order",
    "effects_of",
    "effects_within",
    "graph_effects",
    "node_effects",
    "settle_effects",
    "subgraphs",
]
