"""What passes are written with: a graph is never changed, it is rebuilt node by node.

Nodes about which nothing changes are taken over as they are, so a pass costs little where it finds
nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ..effects import Order, effects_of, graph_effects, node_effects, settle_effects
from ..node import Effects, FunctionRef, Graph, Node, Value
from ..op import Attrs, Op, infer_specs
from ..spec import Spec
from ..walk import functions_of

Functions = dict[int, FunctionRef]  # by id of the function that each one replaces


class Rebuild:
    """A graph in the making: its nodes, and what became of the old values and nodes.

    `values` and `moved` hold only what changed: old value -> new value, old node with effects ->
    the nodes to wait for in its place.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.effectful: list[Node] = []  # those of them with effects
        self.values: dict[Value, Value] = {}
        self.moved: dict[Node, tuple[Node, ...]] = {}
        self.order = Order()

    def inputs_of(self, node: Node) -> tuple[Value, ...]:
        """The node's inputs as values of the new graph."""
        if not self.values:
            return node.inputs
        get = self.values.get
        new = tuple([get(v, v) for v in node.inputs])
        return node.inputs if is_same(new, node.inputs) else new

    def put(
        self,
        node: Node,
        inputs: tuple[Value, ...],
        attrs: Attrs,
        effects: Effects | None = None,
        fresh: bool = False,
    ) -> Node:
        """Append `node` with these inputs and attributes: itself if they are its own.

        Edges between nodes with effects are computed anew, others are kept. `fresh` makes a new
        node in any case: the old one stands elsewhere too.
        """
        unchanged = inputs is node.inputs and attrs is node.attrs
        if effects is None:
            effects = node_effects(node) if unchanged else effects_of(node.op, inputs, attrs)
        after = self.order.edges(effects, inputs) if effects else ()
        if node.after:
            after = self._with_others(after, node)
        if unchanged and not fresh and is_same(after, node.after):
            new = node
        else:
            specs = self._specs(node, inputs, attrs)
            new = Node(node.op, inputs, attrs, specs, after, node.loc)
            if not node.op.structured:
                new.effects = effects
            if len(new.outputs) == len(node.outputs):
                for value, old in zip(new.outputs, node.outputs, strict=True):
                    value.name = old.name
        if effects:
            self._has_effects(new, effects)
            self.moved[node] = (new,)
        self.nodes.append(new)
        return new

    def add(self, op: Op, inputs: tuple[Value, ...], attrs: Attrs, like: Node | None) -> Node:
        """Append a new node, with the location of `like`."""
        specs = infer_specs(op, tuple([v.spec for v in inputs]), attrs)
        effects = effects_of(op, inputs, attrs)
        after = self.order.edges(effects, inputs) if effects else ()
        new = Node(op, inputs, attrs, specs, after, like.loc if like is not None else None)
        new.effects = effects
        if effects:
            self._has_effects(new, effects)
        self.nodes.append(new)
        return new

    def _specs(self, node: Node, inputs: tuple[Value, ...], attrs: Attrs) -> tuple[Spec, ...]:
        if attrs is node.attrs:
            for new, old in zip(inputs, node.inputs, strict=True):
                if new.spec is not old.spec and new.spec != old.spec:
                    break
            else:
                return node.specs
        return infer_specs(node.op, tuple([v.spec for v in inputs]), attrs)

    def _with_others(self, after: tuple[Node, ...], node: Node) -> tuple[Node, ...]:
        """`after` and those edges of `node` that do not follow from effects."""
        follows = may_have_effects(node.op)
        if follows and all([may_have_effects(before.op) for before in node.after]):
            return after
        found = dict.fromkeys(after)
        for before in node.after:
            if may_have_effects(before.op):
                if not follows:
                    found.update(dict.fromkeys(self.moved.get(before, ())))
            else:
                value = before.outputs[0]
                made_by = self.values.get(value, value).node
                if made_by is not None and made_by.op.name != "const":
                    found[made_by] = None
        return tuple(found)

    def _has_effects(self, node: Node, effects: Effects) -> None:
        self.order.add(node, effects)
        self.effectful.append(node)

    def finish(self, graph: Graph) -> Graph:
        """The new graph with the signature of `graph`; `graph` itself if nothing changed."""
        get = self.values.get
        outputs = tuple([get(v, v) for v in graph.outputs])
        if is_same(outputs, graph.outputs) and is_same(self.nodes, graph.nodes):
            return graph
        return Graph(graph.name, graph.inputs, tuple(self.nodes), outputs, graph.captured)


def may_have_effects(op: Op) -> bool:
    return bool(op.effects) or op.checks is not None or op.structured


def is_same(a: Sequence[object], b: Sequence[object]) -> bool:
    """True if both hold the same objects. (`==` of tensors makes a tensor.)"""
    return a is b or (len(a) == len(b) and all(map(_is, a, b)))


def _is(x: object, y: object) -> bool:
    return x is y


def select_inputs(graph: Graph, keep: Sequence[int], captured: int) -> Graph:
    """`graph` with those of its inputs, in this order; the last `captured` are captures."""
    inputs = tuple([graph.inputs[i] for i in keep])
    if is_same(inputs, graph.inputs) and captured == graph.captured:
        return graph
    return Graph(graph.name, inputs, graph.nodes, graph.outputs, captured)


def map_program(
    graph: Graph,
    transform: Callable[[Graph, Functions], Graph],
    functions: Iterable[FunctionRef] | None = None,
) -> Graph:
    """Transform `graph` and the functions that it calls (or just `functions`).

    `transform(graph, replaced)` gives a graph that calls the functions in `replaced` in place of
    the old ones. It must not change the types of a called function's results.
    """
    chosen = functions_of(graph) if functions is None else list(functions)
    chosen = [ref for ref in chosen if ref.graph is not None]
    if not chosen:
        return transform(graph, {})
    replaced: Functions = {}
    for ref in chosen:
        new = replaced[id(ref)] = FunctionRef(ref.name)
        new.specs = ref.specs
        new.effects = graph_effects(ref.graph) if ref.graph is not None else ref.effects
    made: dict[int, Graph] = {}
    for old in [*[ref.graph for ref in chosen], graph]:
        if old is not None and id(old) not in made:
            made[id(old)] = transform(old, replaced)
    for ref in chosen:
        replaced[id(ref)].graph = made[id(ref.graph)]
    settle_effects(list(made.values()))
    return made[id(graph)]
