"""`check(graph)`: is it a graph by the rules of the IR?

Each rule is one small function that yields what is wrong; the first problem raises
`GraphCheckError`, which shows the node among its neighbours and the user's line.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from .dtypes import DType
from .effects import Order, effects_within, node_effects
from .errors import GraphCheckError
from .location import describe
from .node import FunctionRef, Graph, Node, Value, subgraphs
from .op import OPS, Op, infer_specs
from .spec import ArraySpec, DataSpec, ResourceSpec, TensorShape, TensorSpec
from .text import Printer

_CONTEXT = 5  # lines of the text form before and after the node in question
_ATOMS = (
    *(type(None), bool, int, float, complex, str, bytes, type(...), slice, np.ndarray),
    *(DType, TensorShape, TensorSpec, ResourceSpec, ArraySpec, DataSpec, Graph, FunctionRef),
)


def check(graph: Graph) -> Graph:
    """`graph`, if it and all graphs that it holds or calls keep the rules; else GraphCheckError."""
    pending, seen = [graph], {id(graph)}
    for current in pending:
        for node in current.nodes:
            found = subgraphs(node) if node.op.structured else []
            callee = node.attrs.get("callee")
            if isinstance(callee, FunctionRef) and callee.graph is not None:
                found.append(callee.graph)
            for inner in found:
                if id(inner) not in seen:
                    seen.add(id(inner))
                    pending.append(inner)
    for current in reversed(pending):  # the cause before what follows from it
        _Checker(graph, current).run()
    return graph


class _Checker:
    """Goes through the nodes of one graph of a program in their order."""

    def __init__(self, program: Graph, graph: Graph) -> None:
        self._program = program
        self._graph = graph
        self._defined: set[Value] = set()
        self._place: dict[Node, int] = {}
        self._order = Order()

    def run(self) -> None:
        graph = self._graph
        for problem in self._inputs():
            raise self._failure(problem, None)
        for index, node in enumerate(graph.nodes):
            rules = (
                *(self._node, self._operands, self._attributes, self._held, self._types),
                *(self._results, self._edges),
            )
            for rule in rules:
                for problem in rule(node):
                    raise self._failure(problem, node)
            self._place[node] = index
            self._defined.update(node.outputs)
        for problem in self._whole():
            raise self._failure(problem, None)

    # --- the rules -----------------------------------------------------------------

    def _inputs(self) -> Iterator[str]:
        graph = self._graph
        for i, value in enumerate(graph.inputs):
            if value.node is not None:
                yield f"input {i} is a node's result"
            if value in self._defined:
                yield f"input {i} is there twice"
            self._defined.add(value)
        if not 0 <= graph.captured <= len(graph.inputs):
            yield f"it says that {graph.captured} of {len(graph.inputs)} inputs are captured"

    def _node(self, node: Node) -> Iterator[str]:
        if node in self._place:
            yield "it is in the graph twice"
        if OPS.get(node.op.name) is not node.op:
            yield f"{node.op.name!r} is not in the op table"

    def _operands(self, node: Node) -> Iterator[str]:
        for i, value in enumerate(node.inputs):
            if type(value) is not Value:
                yield f"its input {i} is {value!r}, not a value of this graph"
            elif value not in self._defined:
                later = value.node is not None and value.node in self._graph.nodes
                why = "is used before it is defined" if later else "belongs to another graph"
                yield f"its input {i} ({value.spec}) {why}"

    def _attributes(self, node: Node) -> Iterator[str]:
        known, needed, open_ended = _parameters(node.op)
        for name in sorted(needed - node.attrs.keys()):
            yield f"the attribute {name!r} is missing"
        for name, value in node.attrs.items():
            if name not in known and not open_ended:
                yield f"{node.op.name!r} has no attribute {name!r}"
            if not _allowed(value):
                yield f"the attribute {name!r} is a {type(value).__name__}: {value!r}"

    def _held(self, node: Node) -> Iterator[str]:
        if not node.op.structured:
            return
        graphs = subgraphs(node)
        skipped = 1 if node.op.name in ("cond", "switch", "try") else 0
        given = len(node.inputs) - skipped
        callee = node.attrs.get("callee")
        if callee is not None and callee.graph is not None:
            graphs = [callee.graph]
        for inner in graphs:
            if len(inner.inputs) != given:
                yield f"{inner.name!r} takes {len(inner.inputs)} inputs, it is given {given}"
        if node.op.name in ("cond", "switch", "try"):
            if len({len(inner.outputs) for inner in graphs}) > 1:
                yield "its branches differ in the number of results"
        elif node.op.name == "while":
            if len(node.attrs["test"].outputs) != 1:
                yield "the loop's test must have one result"
            if len(node.attrs["body"].outputs) > given:
                yield "the loop's body has more results than inputs"

    def _types(self, node: Node) -> Iterator[str]:
        specs = tuple([v.spec for v in node.inputs])
        try:
            inferred = infer_specs(node.op, specs, node.attrs)
        except Exception as error:  # whatever goes wrong there is a problem of this node
            yield f"its type can't be inferred: {type(error).__name__}: {error}"
            return
        if len(inferred) != len(node.outputs):
            yield f"it has {len(node.outputs)} results, by its op {len(inferred)}"
        for i, (wanted, value) in enumerate(zip(inferred, node.outputs, strict=False)):
            if wanted != value.spec:
                yield f"its result {i} is {value.spec}, by its op {wanted}"

    def _results(self, node: Node) -> Iterator[str]:
        for i, value in enumerate(node.outputs):
            if value.node is not node or value.index != i:
                yield f"its result {i} says that it is result {value.index} of {value.node!r}"
            if value in self._defined:
                yield f"its result {i} is defined twice"
            if value.dtype is not value.spec.dtype:
                yield f"its result {i} has dtype {value.dtype.name} beside the type {value.spec}"

    def _edges(self, node: Node) -> Iterator[str]:
        for before in node.after:
            if before not in self._place:
                yield f"it waits for {before!r}, which is not before it in this graph"
        effects = node_effects(node)
        for effect, index in effects:
            if index is not None and index >= len(node.inputs):
                yield f"its effect {effect!r} is on input {index}, which it does not have"
                return
        if effects:
            for before in self._order.edges(effects, node.inputs):
                if before not in node.after and not self._is_implied(node, before):
                    yield f"it must wait for {before!r}: the edge `after` is missing"
            self._order.add(node, effects)

    def _is_implied(self, node: Node, before: Node) -> bool:
        """True if `node` comes after `before` through other edges or the data that it needs."""
        limit = self._place[before]
        pending, seen = [node], {node}
        while pending:
            current = pending.pop()
            for earlier in (*current.after, *[v.node for v in current.inputs]):
                if earlier is before:
                    return True
                if earlier is None or earlier in seen or self._place[earlier] < limit:
                    continue
                seen.add(earlier)
                pending.append(earlier)
        return False

    def _whole(self) -> Iterator[str]:
        graph = self._graph
        for i, value in enumerate(graph.outputs):
            if value not in self._defined:
                yield f"output {i} ({value.spec}) is not a value of this graph"
        if graph.effects is not None:
            missing = set(effects_within(graph)) - set(graph.effects)
            if missing:
                yield f"its effects do not tell of {sorted(map(str, missing))}"

    # --- what is shown -------------------------------------------------------------

    def _failure(self, problem: str, node: Node | None) -> GraphCheckError:
        lines = [f"graph '{self._graph.name}': {problem}"]
        if node is not None:
            lines = [
                f"graph '{self._graph.name}': {node.op.name}: {problem}",
                f"    {describe(node.loc)}",
            ]
        return GraphCheckError("\n".join([*lines, *self._context(node)]))

    def _context(self, node: Node | None) -> list[str]:
        try:
            printer = Printer(self._program)
            text = printer.text().splitlines()
        except Exception as error:  # it is broken, after all
            return [f"    (it can't be printed: {error!r})"]
        place = printer.line_of.get(node) if node is not None else 0
        if place is None:
            return []
        first = max(place - _CONTEXT, 0)
        shown = text[first : place + _CONTEXT + 1]
        mark = place - first if node is not None else -1
        return [f"{'  > ' if i == mark else '    '}{line}" for i, line in enumerate(shown)]


@cache
def _parameters(op: Op) -> tuple[frozenset[str], frozenset[str], bool]:
    """The attributes of `op`: all of them, those without a default, and whether others may be."""
    parameters = inspect.signature(op.infer).parameters.values()
    keyword = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    needed = [p.name for p in keyword if p.default is p.empty]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return frozenset(p.name for p in keyword), frozenset(needed), open_ended


def _allowed(value: Any) -> bool:
    """True for what an attribute may be: immutable values, graphs, Python callbacks and classes."""
    if type(value) is tuple:
        return all(map(_allowed, value))
    return isinstance(value, _ATOMS) or (callable(value) and not isinstance(value, Value))
