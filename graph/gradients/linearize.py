"""A graph split for differentiation: a forward graph that also hands out what the backward graph
reads (the residuals), and the backward graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..build import GraphBuilder, interpreting, recording, replay
from ..effects import Order, node_effects
from ..location import user_location
from ..node import Graph, Node, Value
from ..op import Attrs, Op
from .backprop import Entry, backprop, zeros_for
from .saving import divide


class Linear(NamedTuple):
    """The two halves of a differentiated graph.

    `forward` takes what the graph takes and gives its results, then the residuals.
    `backward` takes the residuals, then the graph's inputs with the indices `saved_inputs`, then
    a gradient for each result in `out_grads`; it gives a gradient for each input in `in_grads`.
    """

    forward: Graph
    backward: Graph
    saved_inputs: tuple[int, ...]
    out_grads: tuple[int, ...]
    in_grads: tuple[int, ...]
    recomputed: tuple[Node, ...] = ()  # the forward nodes that run again, inner graphs included


RECOMPUTED = "recomputed"


class Recorder:
    """Keeps every op call, with no regard to what is watched."""

    orders = 1

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(
        self, op: Op, inputs: Sequence[Any], attrs: Attrs, outputs: Any, above: int = 0
    ) -> None:
        self.entries.append(Entry(op, inputs, attrs, outputs))

    def widened(self, node: Node) -> None:
        pass

    def is_watched(self, value: Any) -> bool:
        return True


def linearize(
    graph: Graph,
    out_mask: Sequence[bool],
    in_mask: Sequence[bool],
    materialize: Sequence[int] = (),
    invariant: Sequence[int] = (),
    known: Sequence[int] = (),
    thorough: bool = False,
) -> Linear:
    """Split `graph` with respect to the masked results and inputs.

    Inputs in `materialize` get a gradient of zeros where nothing depends on them. What follows
    from the inputs in `invariant` alone, the captures of a loop, the backward half computes anew:
    else it would be saved in each iteration. What else it computes anew, `divide` says.
    """
    builder = GraphBuilder(graph.name)
    inputs = [builder.add_input(v.spec, v.name) for v in graph.inputs]
    recorder = Recorder()
    with interpreting(builder), recording((recorder,)):
        results = replay(graph, inputs)
    last = builder.nodes[-1] if builder.nodes else None
    out_grads = tuple(i for i, wanted in enumerate(out_mask) if wanted)
    incoming = [builder.add_input(results[i].spec, f"g{i}") for i in out_grads]
    wanted = [i for i, w in enumerate(in_mask) if w]
    builder.loc = user_location()
    with interpreting(builder), recording(()):
        grads: dict[int, Any] = dict(
            zip(
                wanted,
                backprop(
                    recorder.entries,
                    [results[i] for i in out_grads],
                    [inputs[i] for i in wanted],
                    incoming,
                ),
                strict=True,
            )
        )
        for i in materialize:
            if grads.get(i) is None:
                grads[i] = zeros_for(inputs[i])
        in_grads = tuple(i for i in range(len(inputs)) if grads.get(i) is not None)
        outgoing = [builder.resolve(grads[i]) for i in in_grads]
    builder.closed = True
    split = builder.nodes.index(last) + 1 if last is not None else 0
    forward_nodes = builder.nodes[:split]
    backward_nodes = _hoist_metadata(forward_nodes, builder.nodes[split:], inputs)
    needed = [*(v for node in backward_nodes for v in node.inputs), *outgoing]
    again, residuals, saved = divide(forward_nodes, inputs, needed, invariant, known, thorough)
    forward = Graph(
        graph.name, tuple(inputs), tuple(forward_nodes), (*results, *residuals), graph.captured
    )
    parameters = [*residuals, *[inputs[i] for i in saved], *incoming]
    backward = _extract(f"{graph.name}_backward", parameters, [*again, *backward_nodes], outgoing)
    within = builder.derived.get(RECOMPUTED, ())
    return Linear(forward, backward, tuple(saved), out_grads, in_grads, (*again, *within))


def note_recomputed(owner: GraphBuilder, half: Linear) -> None:
    """Let the graph that `owner` builds tell of what a part of it computes again."""
    owner.derived.setdefault(RECOMPUTED, []).extend(half.recomputed)


def _hoist_metadata(forward: list[Node], backward: list[Node], inputs: list[Value]) -> list[Node]:
    """Move to the forward half what needs only shapes: a size is smaller than its tensor."""
    known = {v for node in forward for v in node.outputs}
    known.update(inputs)
    kept = []
    for node in backward:
        if node.op.metadata and all(v in known for v in node.inputs):
            forward.append(node)
            known.update(node.outputs)
        else:
            kept.append(node)
    return kept


def _extract(name: str, inputs: list[Value], nodes: list[Node], outgoing: list[Value]) -> Graph:
    """Copies of `nodes` as a graph of its own, whose parameters stand for `inputs`."""
    env: dict[Value, Value] = {}
    renamed: dict[Node, Node] = {}
    for i, value in enumerate(inputs):
        env[value] = Value(None, i, value.spec, None, value.name)
    parameters = tuple(env.values())
    order = Order()
    for node in nodes:
        operands = tuple([env[v] for v in node.inputs])
        kept = [renamed[n] for n in node.after if n in renamed]
        effects = node_effects(node)
        if effects:  # what it waited for may not be there, but what that waited for is
            kept = list(dict.fromkeys([*order.edges(effects, operands), *kept]))
        copy = Node(node.op, operands, node.attrs, node.specs, tuple(kept), node.loc)
        renamed[node] = copy
        if effects:
            order.add(copy, effects)
        env.update(zip(node.outputs, copy.outputs, strict=True))
    return Graph(name, parameters, tuple(renamed.values()), tuple([env[v] for v in outgoing]))
