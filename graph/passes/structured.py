"""How `simplify` rebuilds the nodes that hold graphs: cond, switch, while, call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..convert import Array
from ..effects import graph_effects
from ..node import Effects, Graph, Node, Value
from ..op import ANYTHING, CHECKS, READ, Attrs
from ..spec import Spec
from .fold import SMALL
from .rebuild import Functions, is_same, select_inputs

Results = tuple[Value, ...]


class Walk(Protocol):
    """What is asked here of the walk over the outer graph."""

    functions: Functions
    strict: bool
    known: dict[Value, Array]

    def accepts(self, new: Spec, old: Spec) -> bool: ...
    def constant(self, array: Array) -> Value: ...
    def inner(self, graph: Graph, known: dict[int, Array | int]) -> Graph: ...
    def splice(self, graph: Graph, operands: Sequence[Value]) -> list[Value]: ...
    def put(
        self,
        node: Node,
        inputs: tuple[Value, ...],
        attrs: Attrs,
        effects: Effects | None = None,
        fresh: bool = False,
    ) -> Node: ...


def known_captures(s: Walk, operands: Sequence[Value], first: int) -> dict[int, Array | int]:
    """What the graph given these operands knows of its inputs from `first` on.

    A small constant is made anew inside; a value that is passed twice is one input.
    """
    known: dict[int, Array | int] = {}
    seen: dict[Value, int] = {}
    for i in range(first, len(operands)):
        value = operands[i]
        array = s.known.get(value)
        if array is not None and array.size <= SMALL:
            known[i] = array
        elif value in seen:
            known[i] = seen[value]
        else:
            seen[value] = i
    return known


def put(s: Walk, node: Node, inputs: tuple[Value, ...], attrs: Attrs, fresh: bool) -> Results:
    """The node with these inputs and graphs; its own attributes if they are the same."""
    if attrs.keys() == node.attrs.keys() and all(
        [_same(value, node.attrs[key]) for key, value in attrs.items()]
    ):
        attrs = node.attrs
    return s.put(node, inputs, attrs, None, fresh).outputs


def _same(x: Any, y: Any) -> bool:
    return x is y or (isinstance(x, tuple) and isinstance(y, tuple) and is_same(x, y))


def _branches(
    s: Walk, node: Node, inputs: tuple[Value, ...], graphs: tuple[Graph, ...], fresh: bool
) -> Results:
    """A node that runs one of `graphs`, which stay."""
    operands = inputs[1:]
    known = known_captures(s, operands, 0)
    new = tuple([s.inner(g, known) for g in graphs])
    names = ("body", "handler") if node.op.name == "try" else ("then", "orelse")
    attrs = {"branches": new} if "branches" in node.attrs else dict(zip(names, new, strict=True))
    results = list(put(s, node, inputs, {**node.attrs, **attrs}, fresh))
    for i, value in enumerate(results):
        same = _common(s, new, operands, i)
        if same is not None and s.accepts(same.spec, value.spec):
            results[i] = same
    return tuple(results)


def _common(s: Walk, graphs: Sequence[Graph], operands: Sequence[Value], i: int) -> Value | None:
    """The outer value that result `i` is in all branches."""
    found: set[Value] = set()
    for graph in graphs:
        value = graph.outputs[i]
        if value.node is None:
            place = next(j for j, v in enumerate(graph.inputs) if v is value)
            found.add(operands[place])
        elif value.node.op.name == "const":
            found.add(s.constant(value.node.attrs["value"]))
        else:
            return None
    return found.pop() if len(found) == 1 else None


def _take(s: Walk, node: Node, inputs: tuple[Value, ...], graph: Graph) -> Results | None:
    """The results of the branch that is known to be taken."""
    operands = inputs[1:]
    if s.strict and graph.out_specs != node.specs:
        return None
    if not all([s.accepts(v.spec, p.spec) for v, p in zip(operands, graph.inputs, strict=True)]):
        return None
    return tuple(s.splice(graph, operands))


def simplify_cond(s: Walk, node: Node, inputs: tuple[Value, ...], fresh: bool) -> Results:
    then, orelse = node.attrs["then"], node.attrs["orelse"]
    predicate = s.known.get(inputs[0])
    if predicate is not None and predicate.size == 1:
        taken = _take(s, node, inputs, then if predicate.item() else orelse)
        if taken is not None:
            return taken
    return _branches(s, node, inputs, (then, orelse), fresh)


def simplify_try(s: Walk, node: Node, inputs: tuple[Value, ...], fresh: bool) -> Results:
    body, handler = node.attrs["body"], node.attrs["handler"]
    if all(effect not in (CHECKS, ANYTHING) for effect, _ in graph_effects(body)):
        taken = _take(s, node, inputs, body)
        if taken is not None:
            return taken
    return _branches(s, node, inputs, (body, handler), fresh)


def simplify_switch(s: Walk, node: Node, inputs: tuple[Value, ...], fresh: bool) -> Results:
    graphs: tuple[Graph, ...] = node.attrs["branches"]
    index = s.known.get(inputs[0])
    if index is not None:
        i = int(index.item())
        taken = _take(s, node, inputs, graphs[i if 0 <= i < len(graphs) else -1])
        if taken is not None:
            return taken
    return _branches(s, node, inputs, graphs, fresh)


def simplify_while(s: Walk, node: Node, inputs: tuple[Value, ...], fresh: bool) -> Results:
    """Values that the body hands on unchanged are captured, not carried."""
    loop = _Loop(s, node, inputs)
    loop.release()
    known = known_captures(s, loop.operands, len(loop.carried))
    loop.test = s.inner(loop.test, known)
    loop.body = s.inner(loop.body, known)
    loop.release()
    if loop.never_runs():
        for place, value in zip(loop.carried, loop.operands, strict=False):
            loop.results[place] = value
        return tuple([v for v in loop.results if v is not None])
    attrs = {**node.attrs, "test": loop.test, "body": loop.body}
    operands = inputs if is_same(loop.operands, inputs) else tuple(loop.operands)
    found = put(s, node, operands, attrs, fresh)
    for place, value in zip(loop.carried, found, strict=True):
        loop.results[place] = value
    return tuple([v for v in loop.results if v is not None])


class _Loop:
    """A `while` node in pieces: which of its results are still carried, which are known."""

    def __init__(self, s: Walk, node: Node, inputs: tuple[Value, ...]) -> None:
        self._s = s
        self._node = node
        self.test: Graph = node.attrs["test"]
        self.body: Graph = node.attrs["body"]
        self.operands = list(inputs)
        self.carried = list(range(len(node.outputs)))  # the results, in the order of operands
        self.results: list[Value | None] = [None] * len(node.outputs)

    def release(self) -> None:
        """Turn what is handed on unchanged into captures, with the initial value as result."""
        count = len(self.carried)
        constant = [
            i
            for i in range(count)
            if self.body.outputs[i] is self.body.inputs[i]
            and self._s.accepts(self.operands[i].spec, self._node.specs[self.carried[i]])
        ]
        if not constant:
            return
        for i in constant:
            self.results[self.carried[i]] = self.operands[i]
        gone = set(constant)
        stay = [i for i in range(count) if i not in gone]
        order = [*stay, *range(count, len(self.operands)), *constant]
        captured = len(order) - len(stay)
        self.test = select_inputs(self.test, order, captured)
        body = select_inputs(self.body, order, captured)
        outputs = tuple([body.outputs[i] for i in stay])
        self.body = Graph(body.name, body.inputs, body.nodes, outputs, captured)
        self.operands = [self.operands[i] for i in order]
        self.carried = [self.carried[i] for i in stay]

    def never_runs(self) -> bool:
        """True if the test fails at once, and that is all it does."""
        made_by = self.test.outputs[0].node
        if made_by is None or made_by.op.name != "const" or made_by.attrs["value"].item():
            return False
        if any(effect != READ for effect, _ in graph_effects(self.test)):
            return False
        pairs = zip(self.carried, self.operands, strict=False)
        return all([self._s.accepts(v.spec, self._node.specs[i]) for i, v in pairs])


def simplify_call(s: Walk, node: Node, inputs: tuple[Value, ...], fresh: bool) -> Results:
    callee = s.functions.get(id(node.attrs["callee"]))
    attrs = node.attrs if callee is None else {**node.attrs, "callee": callee}
    return s.put(node, inputs, attrs, None, fresh).outputs


STRUCTURED: dict[str, Callable[[Walk, Node, tuple[Value, ...], bool], Results]] = {
    "cond": simplify_cond,
    "switch": simplify_switch,
    "try": simplify_try,
    "while": simplify_while,
    "call": simplify_call,
}
