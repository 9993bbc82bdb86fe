"""`inline`: calls become the nodes of what they call. Recursive functions stay functions, and so do
those that are marked to stay apart.
"""

from __future__ import annotations

from ..errors import OpError
from ..node import APART, FunctionRef, Graph, Node, Value
from ..op import Attrs
from ..ops.custom_gradients import CUSTOM
from ..walk import functions_of, nodes_within
from .rebuild import Functions, Rebuild, is_same, map_program

LIMIT = 500_000  # nodes that inlining may add to one graph; calls beyond stay calls
_RETRIES = 8

Callees = dict[int, list[FunctionRef]]  # by id of the caller


def inline(graph: Graph) -> Graph:
    """`graph` with the nodes of the functions that it calls in place of the calls."""
    functions = functions_of(graph)
    if not functions:
        return graph
    callees = {id(ref): _callees(ref) for ref in functions}
    recursive = {id(ref) for ref in functions if APART in ref.extra or _is_recursive(ref, callees)}
    bodies: dict[int, Graph] = {}
    for ref in _callees_first(functions, callees):
        if id(ref) not in recursive and ref.graph is not None:
            bodies[id(ref)] = _expand(ref.graph, bodies, {})
    kept = [ref for ref in functions if id(ref) in recursive]
    called = {id(ref.graph) for ref in kept}

    def one(g: Graph, replaced: Functions) -> Graph:
        new = _expand(g, bodies, replaced)
        # Callers rely on the types of a function's results.
        return g if id(g) in called and new.out_specs != g.out_specs else new

    return map_program(graph, one, kept)


def _expand(graph: Graph, bodies: dict[int, Graph], replaced: Functions) -> Graph:
    """Inline the calls in `graph`, except those that turn out not to fit their function.

    The sizes at a call may contradict what the callee does with them, on a path that never runs.
    """
    skipped: set[Node] = set()
    for _ in range(_RETRIES):
        inliner = _Inliner(bodies, replaced, skipped)
        try:
            return inliner.graph(graph)
        except OpError:
            if inliner.last is None:
                raise
            skipped.add(inliner.last)
    return _Inliner({}, replaced, skipped).graph(graph)


class _Inliner:
    def __init__(self, bodies: dict[int, Graph], replaced: Functions, skipped: set[Node]) -> None:
        self._bodies = bodies
        self._replaced = replaced
        self._skipped = skipped
        self._added = 0
        self.last: Node | None = None  # the call that was inlined last

    def graph(self, graph: Graph) -> Graph:
        rebuild = Rebuild()
        for node in graph.nodes:
            self._node(rebuild, node, fresh=False)
        return rebuild.finish(graph)

    def _node(self, rebuild: Rebuild, node: Node, fresh: bool) -> None:
        if node.op.name == "call" and node not in self._skipped:
            body = self._bodies.get(id(node.attrs["callee"]))
            if body is not None and self._added + len(body.nodes) <= LIMIT:
                self.last = node
                self._splice(rebuild, node, body)
                return
        if node.op is CUSTOM and not node.after:  # whose gradient nobody asks for any more
            rebuild.values.update(zip(node.outputs, rebuild.inputs_of(node), strict=False))
            return
        attrs = self._attrs(node) if node.op.structured else node.attrs
        new = rebuild.put(node, rebuild.inputs_of(node), attrs, None, fresh)
        if new is not node:
            rebuild.values.update(zip(node.outputs, new.outputs, strict=True))

    def _attrs(self, node: Node) -> Attrs:
        changed: Attrs = {}
        for key, value in node.attrs.items():
            if isinstance(value, FunctionRef):
                changed[key] = self._replaced.get(id(value), value)
            elif isinstance(value, Graph):
                changed[key] = self.graph(value)
            elif type(value) is tuple and value and isinstance(value[0], Graph):
                graphs = tuple([self.graph(g) for g in value])
                changed[key] = value if is_same(graphs, value) else graphs
        if all(changed[key] is node.attrs[key] for key in changed):
            return node.attrs
        return {**node.attrs, **changed}

    def _splice(self, rebuild: Rebuild, call: Node, body: Graph) -> None:
        """Put the nodes of `body` where `call` stands."""
        operands = rebuild.inputs_of(call)
        self._added += len(body.nodes)
        inside: list[Value] = list(body.inputs)
        rebuild.values.update(zip(inside, operands, strict=True))
        start = len(rebuild.effectful)
        for node in body.nodes:
            self._node(rebuild, node, fresh=True)
        results = [rebuild.values.get(v, v) for v in body.outputs]
        rebuild.values.update(zip(call.outputs, results, strict=True))
        rebuild.moved[call] = tuple(rebuild.effectful[start:])


def _callees(ref: FunctionRef) -> list[FunctionRef]:
    if ref.graph is None:
        return []
    called = [n.attrs["callee"] for n in nodes_within(ref.graph) if n.op.name == "call"]
    return list({id(callee): callee for callee in called}.values())


def _is_recursive(start: FunctionRef, callees: Callees) -> bool:
    pending, seen = [start], set()
    for ref in pending:
        for callee in callees[id(ref)]:
            if callee is start:
                return True
            if id(callee) not in seen:
                seen.add(id(callee))
                pending.append(callee)
    return False


def _callees_first(functions: list[FunctionRef], callees: Callees) -> list[FunctionRef]:
    """The functions in an order in which each stands behind those that it calls."""
    done: dict[int, FunctionRef] = {}
    begun: set[int] = set()
    pending = list(reversed(functions))
    while pending:
        ref = pending.pop()
        if id(ref) in begun:
            done[id(ref)] = ref
            continue
        begun.add(id(ref))
        pending.append(ref)
        pending += [callee for callee in callees[id(ref)] if id(callee) not in begun]
    return list(done.values())
