"""Forward mode as a transform of graphs, and of the ops that hold graphs.

`with_tangents(graph)` computes what the graph does and the tangents beside it, in one pass:
effects happen once. Branches, loops and functions are changed in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..build import GraphBuilder, interpreting, recording, replay
from ..effects import graph_effects, node_effects, settle_effects
from ..errors import GradientError
from ..node import FunctionRef, Graph, Node, Value
from ..op import CHECKS, Attrs
from ..walk import functions_of
from .backprop import differentiable, gradient_spec, zeros_for
from .branches import branch_graphs, require_known, with_graphs
from .tangents import AGAIN, WIDEN, Made, Missing, Tangents, Widened, here


class Forward(NamedTuple):
    """A graph that gives tangents as well.

    It takes what the first graph takes, then a tangent for each masked input; it gives the results
    of the first one, then a tangent for each of those in `out_tangents`. `missing` are those whose
    tangents can't be computed. `keeps` tells whether a value with a tangent is kept for the handler
    of a `try`.
    """

    graph: Graph
    out_tangents: tuple[int, ...]
    missing: Mapping[int, Missing]
    keeps: bool

    def complete(self) -> Forward:
        """Itself, unless a tangent is missing."""
        for missing in self.missing.values():
            raise missing.error
        return self


def with_tangents(
    graph: Graph,
    in_mask: Sequence[bool],
    materialize: Iterable[int] = (),
    known: Mapping[int, int] | None = None,
    wanted: Sequence[int] | None = None,
) -> Forward:
    """The graph that pushes tangents of the masked inputs forward, beside its results.

    Results in `materialize` have a tangent in any case, zeros where they depend on no masked
    input. `known` names inputs that are tangents of other inputs already, and `wanted` the results
    whose tangents are asked for, by default all.
    """
    wanted = range(len(graph.outputs)) if wanted is None else wanted
    builder = GraphBuilder(graph.name)
    inputs = [builder.add_input(v.spec, v.name) for v in graph.inputs]
    given = [i for i, masked in enumerate(in_mask) if masked]
    tangents = [
        builder.add_input(gradient_spec(inputs[i].spec), f"{inputs[i].name or 'x'}_dot")
        for i in given
    ]
    with interpreting(builder):
        carrier = Tangents()
        for i, t in zip(given, tangents, strict=True):
            carrier.watch(inputs[i], t)
        for i, j in (known or {}).items():
            carrier.watch(inputs[i], inputs[j])
        with recording((carrier,)):
            results = replay(_without_dead(graph), inputs)
        found = {i: carrier.found(results[i]) for i in wanted}
        missing = {i: t for i, t in found.items() if type(t) is Missing}
        for i in missing:
            del found[i]
        for i in set(materialize).difference(missing):
            if found.get(i) is None:
                found[i] = zeros_for(results[i])
    places = tuple(sorted(i for i, t in found.items() if t is not None))
    built = builder.finish([*results, *(found[i] for i in places)])
    return Forward(built, places, missing, carrier.keeps)


def _without_dead(graph: Graph) -> Graph:
    """The graph without nodes that nothing needs: their tangents would be computed as well."""
    needed = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        if node_effects(node) or any(v in needed for v in node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    return Graph(graph.name, graph.inputs, tuple(reversed(kept)), graph.outputs, graph.captured)


def _given(ts: Sequence[Any]) -> list[bool]:
    return [t is not None for t in ts]


# --- branches ----------------------------------------------------------------


def _all_ways(
    graphs: Sequence[Graph],
    mask: Sequence[bool],
    wanted: Sequence[int],
    known: Mapping[int, int] | None = None,
) -> tuple[list[Forward], list[int], dict[int, Missing]]:
    """Each branch with tangents, for the same results: those that have one in any branch and miss
    none in another.
    """
    ways = [with_tangents(g, mask, known=known, wanted=wanted) for g in graphs]
    missing = {i: m for way in ways for i, m in way.missing.items()}
    places = sorted({i for way in ways for i in way.out_tangents}.difference(missing))
    for n, graph in enumerate(graphs):
        if list(ways[n].out_tangents) != places:
            ways[n] = with_tangents(graph, mask, places, known, places)
    return ways, places, missing


def _taking_all(graphs: Iterable[Graph]) -> list[Graph]:
    """The graphs, with nothing but captures for inputs."""
    return [Graph(g.name, g.inputs, g.nodes, g.outputs, len(g.inputs)) for g in graphs]


def _widen_branches(op: str) -> Any:
    def widen(
        carrier: Tangents, inputs: Sequence[Any], attrs: Attrs, ts: list[Any]
    ) -> Widened | None:
        graphs = branch_graphs(op, attrs)
        every = range(len(graphs[0].outputs))
        ways, places, missing = _all_ways(graphs, _given(ts[1:]), every)
        carrier.keeps = carrier.keeps or any(way.keeps for way in ways)
        if op == "try" and ways[0].keeps:
            mask = [differentiable(v) for v in graphs[1].outputs]
            require_known(graphs[1], mask, here())
        if not places:
            return Widened([*inputs], attrs, (), {}, {}, missing) if missing else None
        given = [i for i, t in enumerate(ts[1:]) if t is not None]
        captured = {i: len(inputs) - 1 + n for n, i in enumerate(given)}
        wide = [*inputs, *(t for t in ts if t is not None)]
        attrs = with_graphs(op, _taking_all(way.graph for way in ways))
        return Widened(wide, attrs, places, {}, captured, missing)

    return widen


def _branches_again(carrier: Tangents, node: Node, made: Made, wanted: list[int]) -> list[int]:
    graphs = branch_graphs(node.op.name, node.attrs)
    mask = [False] * len(graphs[0].inputs)
    ways, places, missing = _all_ways(graphs, mask, wanted, made.captured)
    attrs = with_graphs(node.op.name, _taking_all(way.graph for way in ways))
    for i, m in missing.items():
        carrier.watch(node.outputs[i], m)
    _add_results(node, made, node.inputs, attrs, places)
    return places


def _add_results(
    node: Node, made: Made, inputs: tuple[Value, ...], attrs: Attrs, places: Sequence[int]
) -> None:
    """Let a node have the tangents of the results `places` as further results."""
    if places:
        specs = [v.spec for v in node.outputs]
        specs += [gradient_spec(node.outputs[i].spec) for i in places]
        made.done = len(specs)
        node.outputs[0].owner.widen(node, inputs, attrs, specs)


# --- loops -------------------------------------------------------------------


def _widen_while(
    carrier: Tangents, inputs: Sequence[Any], attrs: Attrs, ts: list[Any]
) -> Widened | None:
    body, test = attrs["body"], attrs["test"]
    count = len(body.outputs)
    half, carried = _settled(body, _given(ts))
    carrier.keeps = carrier.keeps or half.keeps
    if not carried:
        return None
    captured = [i for i in range(count, len(inputs)) if ts[i] is not None]
    starts = [zeros_for(inputs[i]) if ts[i] is None else ts[i] for i in carried]
    wide = [*inputs[:count], *starts, *inputs[count:], *(ts[i] for i in captured)]
    total = len(inputs)
    added = half.graph.inputs[total : total + len(carried)]
    last = half.graph.inputs[total + len(carried) :]
    return Widened(
        wide,
        {
            "test": _taking(test, total, count, added, last),
            "body": _taking(half.graph, total, count, added, last),
        },
        carried,
        {i: count + n for n, i in enumerate(carried)},
        {i - count: len(inputs) - count + n for n, i in enumerate(captured)},
    )


def _settled(
    body: Graph, mask: list[bool], first: int = 0, known: Mapping[int, int] | None = None
) -> tuple[Forward, list[int]]:
    """A loop body with tangents, and the loop variables from `first` on that carry one: those that
    start with one or get one in an iteration, a fixpoint.
    """
    mask = list(mask)
    wanted = range(first, len(body.outputs))
    while True:
        half = with_tangents(body, mask, known=known, wanted=wanted).complete()
        more = [i for i in half.out_tangents if not mask[i]]
        if not more:
            break
        for i in more:
            mask[i] = True
    carried = [i for i in wanted if mask[i]]
    if list(half.out_tangents) != carried:
        half = with_tangents(body, mask, carried, known, wanted)
    return half, carried


def _taking(
    graph: Graph, total: int, count: int, carried: Sequence[Value], captured: Sequence[Value] = ()
) -> Graph:
    """`graph` of `total` inputs with the tangents of the first `count` after these, and those of
    the others at the end.
    """
    inputs = (*graph.inputs[:count], *carried, *graph.inputs[count:total], *captured)
    taken = len(inputs) - count - len(carried)
    return Graph(graph.name, inputs, graph.nodes, graph.outputs, taken)


def _while_again(carrier: Tangents, node: Node, made: Made, wanted: list[int]) -> list[int]:
    body, test = node.attrs["body"], node.attrs["test"]
    count, first = len(body.outputs), min(wanted, default=len(body.outputs))
    known = dict(made.carried)
    known.update({count + i: count + j for i, j in made.captured.items()})
    starts = {i: carrier.tangent(node.inputs[i]) for i in wanted}
    mask = [starts.get(i) is not None for i in range(len(body.inputs))]
    half, carried = _settled(body, mask, first, known)
    owner = node.outputs[0].owner
    with _before(owner, node):
        more = [zeros_for(node.inputs[i]) if starts[i] is None else starts[i] for i in carried]
    total = len(body.inputs)
    added = half.graph.inputs[total:]
    attrs = {
        "test": _taking(test, total, count, added),
        "body": _taking(half.graph, total, count, added),
    }
    made.carried.update({i: count + n for n, i in enumerate(carried)})
    inputs = (*node.inputs[:count], *map(owner.resolve, more), *node.inputs[count:])
    _add_results(node, made, inputs, attrs, carried)
    return carried


@contextmanager
def _before(owner: GraphBuilder, node: Node) -> Iterator[None]:
    """Place the nodes that are made in this block before `node`."""
    place = owner.nodes.index(node)
    later, owner.nodes[place:] = owner.nodes[place:], []
    constants, owner._constants = owner._constants, {}
    try:
        with interpreting(owner):
            yield
    finally:
        owner.nodes += later
        owner._constants = constants


# --- functions ---------------------------------------------------------------


def _widen_call(
    carrier: Tangents, inputs: Sequence[Any], attrs: Attrs, ts: list[Any]
) -> Widened | None:
    ref, places, missing, keeps = _function(attrs["callee"], tuple(_given(ts)))
    carrier.keeps = carrier.keeps or keeps
    if not places:
        return Widened([*inputs], attrs, (), {}, {}, missing) if missing else None
    wide = [*inputs, *(t for t in ts if t is not None)]
    given = [i for i, t in enumerate(ts) if t is not None]
    captured = {i: len(inputs) + n for n, i in enumerate(given)}
    return Widened(wide, {"callee": ref}, places, {}, captured, missing)


Variant = tuple[FunctionRef, tuple[int, ...], Mapping[int, Missing], bool]


def _function(callee: FunctionRef, mask: tuple[bool, ...]) -> Variant:
    """The variant of a function that gives tangents; else as in `Forward`. It is kept with the
    function.
    """
    graph = callee.graph
    if graph is None:
        raise GradientError(
            f"a tangent of '{callee.name}' is asked for inside of its own recursion; put the "
            "ForwardAccumulator around the first call"
        )
    key = ("jvp", mask)
    found: Variant
    if key in callee.extra:
        found = callee.extra[key]
    elif callee in functions_of(graph):
        found = _recursive_function(callee, graph, mask, key)
    else:
        half = with_tangents(graph, mask)
        made = FunctionRef(f"{callee.name}_jvp", half.graph)
        made.effects = graph_effects(half.graph)
        found = (made, *half[1:])
        if not half.missing:  # a rule may be registered later
            callee.extra[key] = found
    return found


def _recursive_function(
    callee: FunctionRef, graph: Graph, mask: tuple[bool, ...], key: Any
) -> Variant:
    """What depends on what shows only when the variant is complete: all results have tangents."""
    made = FunctionRef(f"{callee.name}_jvp")
    places = tuple(i for i, v in enumerate(graph.outputs) if differentiable(v))
    made.specs = (*graph.out_specs, *[gradient_spec(graph.outputs[i].spec) for i in places])
    made.effects = tuple({**dict.fromkeys(graph_effects(graph)), (CHECKS, None): None})
    found: Variant = (made, places, {}, False)
    callee.extra[key] = found
    try:
        made.graph = with_tangents(graph, mask, places).complete().graph
    finally:
        if made.graph is None:
            del callee.extra[key]
    settle_effects([r.graph for r in functions_of(made.graph) if r.graph is not None])
    return found


def _call_again(carrier: Tangents, node: Node, made: Made, wanted: list[int]) -> list[int]:
    callee: FunctionRef = node.attrs["callee"]
    graph = callee.graph
    assert graph is not None
    half = with_tangents(graph, [False] * len(graph.inputs), known=made.captured, wanted=wanted)
    for i, m in half.missing.items():
        carrier.watch(node.outputs[i], m)
    wider = FunctionRef(f"{callee.name}_jvp", half.graph)
    wider.effects = graph_effects(half.graph)
    _add_results(node, made, node.inputs, {"callee": wider}, half.out_tangents)
    return list(half.out_tangents)


for _name in ("cond", "switch", "try"):
    WIDEN[_name] = _widen_branches(_name)
    AGAIN[_name] = _branches_again
WIDEN.update({"while": _widen_while, "call": _widen_call})
AGAIN.update({"while": _while_again, "call": _call_again})

__all__ = ["Forward", "with_tangents"]
