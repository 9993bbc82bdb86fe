"""Which results of a graph differ between the examples of a batch, given which inputs do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..effects import graph_effects, node_effects
from ..gradients.branches import NOT_TAKEN
from ..node import FunctionRef, Graph, Node, subgraphs
from ..op import CHECKS, READ

# What each example does for itself, even where all do the same.
OWN = {"rng_advance", "python_call"}

Flags = tuple[bool, ...]
_Known = dict[tuple[int, Flags], Flags]


def varying(graph: Graph, flags: Sequence[bool], known: _Known | None = None) -> Flags:
    """Which results of `graph` differ, if the inputs with true `flags` do."""
    known = {} if known is None else known
    differ = {v for v, flag in zip(graph.inputs, flags, strict=True) if flag}
    for node in graph.nodes:
        found = node_varying(node, tuple([v in differ for v in node.inputs]), known)
        differ.update([v for v, flag in zip(node.outputs, found, strict=True) if flag])
    return tuple([v in differ for v in graph.outputs])


def node_varying(node: Node, flags: Flags, known: _Known | None = None) -> Flags:
    """Which results of a node differ, if the inputs with true `flags` do."""
    known = {} if known is None else known
    op, attrs = node.op, node.attrs
    count = len(node.outputs)
    if not op.structured:
        return ((any(flags) and not op.metadata) or op.name in OWN,) * count
    if op.name == "call":
        return _call(attrs["callee"], flags, known, count)
    if op.name == "while":
        return while_flags(attrs["test"], attrs["body"], flags, known)[0][: len(node.outputs)]
    if op.name in ("cond", "switch"):
        return branch_flags(subgraphs(node), flags, known)
    return (any(flags) or acts_for_each(node),) * count


def branch_flags(graphs: Sequence[Graph], flags: Flags, known: _Known | None = None) -> Flags:
    """Of a `cond` or `switch`."""
    found = [varying(g, flags[1:], known) for g in graphs]
    results: list[bool] = []
    for i, column in enumerate(zip(*found, strict=True)):
        one = sum(g.outputs[i].name != NOT_TAKEN for g in graphs) == 1  # which serves all
        results.append((flags[0] and not one) or any(column))
    return tuple(results)


def while_flags(
    test: Graph, body: Graph, flags: Flags, known: _Known | None = None
) -> tuple[Flags, bool]:
    """Of a loop: which carried values and captures differ in its body, and whether its test does.

    A carried value that the body hands on as it is stays what it was.
    """
    count = len(body.outputs)
    kept = [body.outputs[i] is body.inputs[i] for i in range(count)]
    while True:
        (tested,) = varying(test, flags, known)
        found = varying(body, flags, known)
        now = [
            old or (not same and (new or tested))
            for old, new, same in zip(flags[:count], found, kept, strict=True)
        ]
        grown = (*now, *flags[count:])
        if grown == flags:
            return flags, tested
        flags = grown


def _call(callee: FunctionRef, flags: Flags, known: _Known, count: int) -> Flags:
    graph = callee.graph
    if graph is None:  # inside of its own recursion, still traced
        return (any(flags),) * count
    key = (id(callee), flags)
    if key not in known:
        known[key] = (False,) * len(graph.outputs)
        while True:
            # What was found for other functions rests on what was taken for this one.
            assumed = {k: v for k, v in known.items() if k[0] != id(callee) or k == key}
            found = varying(graph, flags, assumed)
            if found == known[key]:
                break
            known[key] = found
    return known[key]


def acts_for_each(node: Node) -> bool:
    """True if a structured node holds, or calls, what each example does for itself."""
    pending = [*_held(node)]
    seen: set[int] = set()
    while pending:
        graph = pending.pop()
        if id(graph) in seen:
            continue
        seen.add(id(graph))
        for inner in graph.nodes:
            if inner.op.name in OWN:
                return True
            if inner.op.structured:
                pending += _held(inner)
    return False


def _held(node: Node) -> list[Graph]:
    callee: Any = node.attrs.get("callee")
    return [callee.graph] if callee is not None and callee.graph is not None else subgraphs(node)


def is_plain(node: Node) -> bool:
    """True for a node that may run once for all examples: it only computes, reads and checks."""
    return all(effect in (READ, CHECKS) for effect, _ in node_effects(node))


def is_total(graph: Graph) -> bool:
    """True for a graph that may run on any values: it can't fail, loop, write or print."""
    return not graph_effects(graph) and not any(node.op.structured for node in graph.nodes)


def is_smooth(graph: Graph) -> bool:
    """True if a gradient may flow through `graph`."""
    return any(v.dtype.is_differentiable for v in graph.outputs)


__all__ = [
    "OWN",
    "Flags",
    "branch_flags",
    "is_plain",
    "is_smooth",
    "is_total",
    "node_varying",
    "varying",
    "while_flags",
]
