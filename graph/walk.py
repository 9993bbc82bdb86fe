"""Walks over all of a program: the graphs that nodes hold, the functions that they call."""

from __future__ import annotations

from collections.abc import Iterator

from .node import FunctionRef, Graph, Node, subgraphs


def functions_of(graph: Graph) -> list[FunctionRef]:
    """The functions that `graph` calls, directly and through others, in the order of calls; those
    that its ops on datasets call for each element included.
    """
    found: dict[int, FunctionRef] = {}
    pending = [graph]
    for current in pending:
        held: list[Graph] = []
        for node in current.nodes:
            if node.op.structured:
                held += subgraphs(node)
            callee = node.attrs.get("callee")
            if isinstance(callee, FunctionRef) and id(callee) not in found:
                found[id(callee)] = callee
                if callee.graph is not None and callee.graph is not graph:
                    held.append(callee.graph)
        pending += held
    return list(found.values())


def nodes_within(graph: Graph) -> Iterator[Node]:
    """The nodes of `graph`, those of the graphs that they hold included."""
    pending = [iter(graph.nodes)]
    while pending:
        node = next(pending[-1], None)
        if node is None:
            pending.pop()
            continue
        yield node
        if node.op.structured:
            pending.extend(iter(g.nodes) for g in reversed(subgraphs(node)))
