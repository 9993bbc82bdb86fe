"""The effects of nodes and graphs, and the control dependencies that follow from them.

Automatic control dependencies are explicit edges `after`, no more than needed: reads of a resource
commute; a write waits for the reads and the write before it; io keeps its order with io. What may
fail when the program runs keeps its place among writes and io, so that writes before a failing op
stay and those after it never happen. Python code that the program calls may do anything: it keeps
its place among all of these.
"""

from __future__ import annotations

from collections.abc import Sequence

from .node import Effects, Graph, Node, Value, subgraphs
from .op import ANYTHING, CHECKS, IO, READ, WRITE, Attrs, Op


def effects_of(op: Op, inputs: Sequence[Value], attrs: Attrs) -> Effects:
    """Pairs of effect and index of the input that it is on."""
    if op.structured:
        return _structured_effects(op, attrs)
    found: Effects = ()
    if op.effects:
        found = tuple([(e, 0 if e in (READ, WRITE) else None) for e in op.effects])
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
    offset = 1 if op.name in ("cond", "switch", "try") else 0
    found: dict[tuple[str, int | None], None] = {}
    for graph in _held(attrs):
        for effect, index in graph_effects(graph):
            found[effect, None if index is None else index + offset] = None
    if op.name == "try":
        found[WRITE, 0] = None
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

    __slots__ = ("_barrier", "_check", "_io", "_pending", "_reads", "_serial", "_settled", "_write")

    def __init__(self) -> None:
        self._write: dict[Value, Node] = {}  # the last write of a resource
        self._reads: dict[Value, list[Node]] = {}  # the reads since then
        self._io: Node | None = None
        self._check: Node | None = None  # the last node that may fail
        self._pending: dict[Node, None] = {}  # the last writes and io since then
        self._barrier: Node | None = None  # the last node that may do anything
        self._serial: dict[Node, int] = {}  # of all nodes so far, in program order
        self._settled = 0  # what was written before this one, the last check has waited for

    def edges(self, effects: Effects, inputs: Sequence[Value]) -> tuple[Node, ...]:
        """The nodes that a node with these effects has to wait for."""
        after: dict[Node, None] = {}
        for effect, index in effects:
            if effect != READ and self._check is not None:
                after[self._check] = None
            if effect == CHECKS:
                after.update(self._pending)
            elif effect == IO:
                self._wait(after, self._io or self._barrier, settled=True)
            elif effect == ANYTHING:
                self._wait_for_all(after)
            elif index is not None and (effect == WRITE or (WRITE, index) not in effects):
                self._wait_for_resource(after, inputs[index], effect == WRITE)
        return tuple(after) if len(after) < 2 else self._reduced(after)

    def last_write(self, resource: Value) -> Node | None:
        return self._write.get(resource)

    def _wait(self, after: dict[Node, None], node: Node | None, settled: bool) -> None:
        """Wait for `node`, unless the last check, which is waited for too if `settled`, did."""
        if node is not None and not (settled and self._serial[node] < self._settled):
            after[node] = None

    def _wait_for_resource(self, after: dict[Node, None], resource: Value, writes: bool) -> None:
        reads = self._reads.get(resource) if writes else None
        if reads:
            after.update(dict.fromkeys(reads))
        else:
            self._wait(after, self._write.get(resource, self._barrier), settled=writes)

    def _wait_for_all(self, after: dict[Node, None]) -> None:
        self._wait(after, self._io or self._barrier, settled=True)
        for resource in {**self._write, **self._reads}:
            self._wait_for_resource(after, resource, writes=True)

    def _reduced(self, after: dict[Node, None]) -> tuple[Node, ...]:
        """Those that no other one waits for. The search is bounded: one edge too many does no
        harm.
        """
        serial = self._serial
        first = min([serial[node] for node in after])
        pending = list(after)
        seen: set[Node] = set()
        budget = _SEARCHED
        while pending and budget:
            for before in pending.pop().after:
                budget -= 1
                if before in seen or serial.get(before, -1) < first:
                    continue
                seen.add(before)
                pending.append(before)
        return tuple([node for node in after if node not in seen])

    def add(self, node: Node, effects: Effects) -> None:
        """Note that `node`, whose edges are set, is now the last to have had `effects`."""
        names = [e for e, _ in effects]
        self._serial[node] = len(self._serial)
        if ANYTHING in names:
            self._write, self._reads = {}, {}
            self._io = self._check = None
            self._barrier, self._pending = node, {node: None}
            return
        for effect, index in effects:
            if index is None:
                continue
            resource = node.inputs[index]
            if effect == WRITE:
                self._pending.pop(self._write.get(resource, node), None)
                self._write[resource] = node
                self._reads[resource] = []
            elif (WRITE, index) not in effects:
                self._reads.setdefault(resource, []).append(node)
        if IO in names:
            self._io = node
        if CHECKS in names:
            self._check = node
            self._pending = {}
            self._settled = self._serial[node]
        elif IO in names or WRITE in names:
            for before in node.after:
                self._pending.pop(before, None)
            self._pending[node] = None


_SEARCHED = 200  # edges looked at for one node

__all__ = [
    "Order",
    "effects_of",
    "effects_within",
    "graph_effects",
    "node_effects",
    "settle_effects",
    "subgraphs",
]
