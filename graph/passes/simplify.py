"""`simplify`: folding, peephole rules and merging in one walk, then what has no use goes.

Each node is rebuilt once, in order: evaluated if its inputs are constants, replaced by an equal
node that stands before it, or rewritten by a rule of `rules.py`. Nothing goes that may fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..control import fits
from ..convert import Array
from ..effects import effects_of, node_effects
from ..errors import OpError
from ..node import Effects, Graph, Node, Value
from ..op import CHECKS, OPS, READ, Attrs, Op, infer_specs
from ..spec import Spec
from ..walk import functions_of
from .eliminate import eliminate
from .fold import attrs_key, constant_key, fold, is_filled
from .rebuild import Functions, Rebuild, is_same, map_program
from .shape_rules import RULES
from .structured import STRUCTURED

_CHECKS: Effects = ((CHECKS, None),)


def simplify(graph: Graph) -> Graph:
    """An equivalent graph that does less. Run-time checks and the order of effects stay."""
    # Callers rely on the types of a function's results: they may not become more precise.
    called = {id(ref.graph) for ref in functions_of(graph)}

    def one(g: Graph, functions: Functions) -> Graph:
        return eliminate(simplify_graph(g, functions, id(g) in called))

    with np.errstate(all="ignore"):
        return map_program(graph, one)


def simplify_graph(
    graph: Graph,
    functions: Functions,
    strict: bool,
    known: dict[int, Array | int] | None = None,
) -> Graph:
    """Walk over one graph; `known` tells what inputs are: a constant, or equal to another input.

    Results are known better once their inputs are, which may show that a path that never runs is
    in contradiction: then the graph is walked again without making types more precise (`strict`).
    """
    if not strict:
        try:
            return Simplifier(functions, False).graph(graph, known or {})
        except OpError:
            pass
    return Simplifier(functions, True).graph(graph, known or {})


class Simplifier(Rebuild):
    """The walk over one graph."""

    def __init__(self, functions: Functions, strict: bool) -> None:
        super().__init__()
        self.functions = functions
        self.strict = strict
        self.known: dict[Value, Array] = {}  # constants of the new graph
        self._table: dict[Any, tuple[Value, ...]] = {}
        self._origin: Node | None = None  # the node that is rebuilt now

    def graph(self, graph: Graph, known: dict[int, Array | int]) -> Graph:
        for index, what in known.items():
            old = graph.inputs[index]
            new = graph.inputs[what] if isinstance(what, int) else self.constant(what)
            if self.accepts(new.spec, old.spec):
                self.values[old] = new
        self.walk(graph.nodes)
        return self.finish(graph)

    def inner(self, graph: Graph, known: dict[int, Array | int]) -> Graph:
        """A graph that a node holds, simplified."""
        return simplify_graph(graph, self.functions, self.strict, known)

    def walk(self, nodes: Iterable[Node], fresh: bool = False) -> None:
        for node in nodes:
            self._origin = node
            inputs = self.inputs_of(node)
            results = self._node(node.op, inputs, node.attrs, node, fresh)
            if results is not node.outputs:
                for old, new in zip(node.outputs, results, strict=True):
                    if new is not old:
                        self.values[old] = new

    def splice(self, graph: Graph, operands: Sequence[Value]) -> list[Value]:
        """The nodes of `graph`, put here; its results."""
        self.values.update(zip(graph.inputs, operands, strict=True))
        origin = self._origin
        self.walk(graph.nodes, fresh=True)
        self._origin = origin
        return [self.values.get(v, v) for v in graph.outputs]

    def accepts(self, new: Spec, old: Spec) -> bool:
        """May a value of spec `new` stand where one of spec `old` did?"""
        return new is old or new == old or (not self.strict and fits(old, new))

    # --- what rules use ------------------------------------------------------------

    def make(self, name: str, *inputs: Value, **attrs: Any) -> Value:
        """The result of an op on values of the new graph."""
        return self._node(OPS[name], inputs, attrs, None, False)[0]

    def constant(self, array: Array) -> Value:
        """A constant of the new graph."""
        return self._constant(array, None)[0]

    # --- one node ------------------------------------------------------------------

    def _node(
        self,
        op: Op,
        inputs: tuple[Value, ...],
        attrs: Attrs,
        node: Node | None,
        fresh: bool,
    ) -> tuple[Value, ...]:
        """The results of a node, which is added, found or computed."""
        if op.structured:
            assert node is not None
            return STRUCTURED[op.name](self, node, inputs, fresh)
        if op.name == "const":
            return self._constant(attrs["value"], None if fresh else node)
        effects: Effects = ()
        if op.effects or op.checks is not None:
            same = node is not None and inputs is node.inputs
            effects = node_effects(node) if same and node else effects_of(op, inputs, attrs)
        elif node is not None and node.after:
            return self.put(node, inputs, attrs, effects, fresh).outputs
        if effects and any(e != READ and e != CHECKS for e, _ in effects):
            return self._append(op, inputs, attrs, node, effects, fresh)
        known = self.known
        if op.name == "assert_" and is_filled(known.get(inputs[0]), True):
            return ()
        if inputs and all([v in known for v in inputs]):
            folded = self._folded(op, inputs, attrs, node)
            if folded is not None:
                return folded
        key = self._key(op, inputs, attrs, effects)
        found = self._table.get(key)
        if found is None:
            found = self._rewritten(op, inputs, attrs, node, effects)
            if found is None:
                found = self._append(op, inputs, attrs, node, effects, fresh)
            self._table[key] = found
        elif effects and node is not None and found and found[0].node is not None:
            self.moved[node] = (found[0].node,)
        return found

    def _append(
        self,
        op: Op,
        inputs: tuple[Value, ...],
        attrs: Attrs,
        node: Node | None,
        effects: Effects,
        fresh: bool,
    ) -> tuple[Value, ...]:
        if node is None:
            return self.add(op, inputs, attrs, self._origin).outputs
        return self.put(node, inputs, attrs, effects, fresh).outputs

    def _key(self, op: Op, inputs: tuple[Value, ...], attrs: Attrs, effects: Effects) -> Any:
        """Equal for nodes that may be merged: reads only if no write lies between them."""
        if op.commutative and len(inputs) == 2 and id(inputs[0]) > id(inputs[1]):
            inputs = inputs[::-1]
        key: Any = (op.name, attrs_key(attrs) if attrs else None, *inputs)
        if effects:
            reads = tuple([e for e in effects if e[0] == READ])
            if reads:
                return key, self.order.edges(reads, inputs)
        return key

    def _constant(self, array: Array, node: Node | None) -> tuple[Value, ...]:
        key = constant_key(array)
        found = self._table.get(key)
        if found is None:
            if node is None:
                found = self.add(OPS["const"], (), {"value": array}, self._origin).outputs
            else:
                self.nodes.append(node)
                found = node.outputs
            self._table[key] = found
            self.known[found[0]] = array
        return found

    def _folded(
        self, op: Op, inputs: tuple[Value, ...], attrs: Attrs, node: Node | None
    ) -> tuple[Value, ...] | None:
        if node is not None and is_same(inputs, node.inputs):
            specs = node.specs
        else:
            try:
                specs = infer_specs(op, tuple([v.spec for v in inputs]), attrs)
            except OpError:
                return None
        arrays = fold(op, [self.known[v] for v in inputs], attrs, specs)
        if not arrays:
            return None
        results = tuple([self.constant(a) for a in arrays])
        wanted = specs if node is None else node.specs
        return results if self._all_accepted(results, wanted) else None

    def _all_accepted(self, results: Sequence[Value], wanted: Sequence[Spec]) -> bool:
        return all([self.accepts(v.spec, s) for v, s in zip(results, wanted, strict=True)])

    def _rewritten(
        self,
        op: Op,
        inputs: tuple[Value, ...],
        attrs: Attrs,
        node: Node | None,
        effects: Effects,
    ) -> tuple[Value, ...] | None:
        """What a rule makes of a node, which has no effects but checks at most."""
        for rule in RULES.get(op.name, ()):
            if effects and (not rule.keeps_checks or effects != _CHECKS):
                continue
            before = len(self.nodes)
            try:
                result = rule.apply(self, inputs, op, attrs)
            except OpError:  # it contradicts what is known: the node will fail, if it ever runs
                continue
            if result is None:
                continue
            if node is not None and inputs is node.inputs:
                wanted = node.specs[0]
            else:
                wanted = infer_specs(op, tuple([v.spec for v in inputs]), attrs)[0]
            if result.spec == wanted or (rule.refines and self.accepts(result.spec, wanted)):
                if node is not None and len(self.nodes) > before and not result.name:
                    result.name = node.outputs[0].name
                return (result,)
        return None
