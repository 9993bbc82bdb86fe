"""Gradients of control flow: branches, loops and calls.

Each rule splits the graphs that the node holds (`linearize`). The node, still under construction,
is widened to hand out the residuals; a second node of the same kind runs the backward halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import GraphBuilder, interpreting, is_tracing, leaked, recorders, replay
from ..control import Branch, call, emit_cond, emit_switch, emit_while, join_specs, new_branch
from ..effects import graph_effects, settle_effects
from ..errors import GradientError
from ..node import FunctionRef, Graph, Node, Value
from ..op import CHECKS, OPS, READ
from ..ops.arithmetic import add, subtract
from ..ops.arrays import array_push, array_read
from ..ops.comparison import greater_equal
from ..spec import ArraySpec, ResourceSpec, Spec, TensorSpec
from ..walk import functions_of
from .backprop import STRUCTURED, Entry, accumulate, differentiable, zeros_for
from .by_value import reading_first, reads_variables
from .linearize import Linear, linearize


def _node_of(entry: Entry) -> tuple[Node, GraphBuilder]:
    value = entry.outputs[0]
    assert value.node is not None
    owner = value.owner
    if not isinstance(owner, GraphBuilder) or owner.closed:
        raise leaked(value)
    return value.node, owner


def _mask(gs: Sequence[Any], outputs: Sequence[Any]) -> list[bool]:
    return [g is not None and differentiable(y) for g, y in zip(gs, outputs, strict=True)]


# --- branches ----------------------------------------------------------------


def _branches_rule(entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
    node, owner = _node_of(entry)
    inputs = list(entry.inputs)
    graphs = _branch_graphs(node)
    mask = _mask(gs, entry.outputs)
    halves = [linearize(g, mask, needs[1:]) for g in graphs]
    count = len(graphs[0].outputs)
    handed_out = [h.forward.outputs[count:] for h in halves]
    widened = []
    for i, half in enumerate(halves):
        widened.append(_with_dummies(half.forward, count, handed_out, i))
    specs = [v.spec for v in node.outputs]
    specs += [v.spec for residuals in handed_out for v in residuals]
    attrs = (
        {"branches": tuple(widened)}
        if node.op.name == "switch"
        else {"then": widened[0], "orelse": widened[1]}
    )
    owner.widen(node, node.inputs, attrs, specs)
    have = list(node.outputs[count:])
    residuals: list[list[Value]] = []
    for values in handed_out:
        residuals.append(have[: len(values)])
        have = have[len(values) :]
    grads_of = sorted({i for h in halves for i in h.in_grads})
    if not grads_of:
        return [None] * len(inputs)
    branches: list[Branch] = []
    outputs: list[list[Any]] = []
    for half, kept in zip(halves, residuals, strict=True):
        branch = new_branch(name="backward")
        with branch:
            arguments = [*kept, *(inputs[1 + i] for i in half.saved_inputs)]
            arguments += [gs[i] for i in half.out_grads]
            found = dict(zip(half.in_grads, replay(half.backward, arguments), strict=True))
            outputs.append([found[i] if i in found else zeros_for(inputs[1 + i]) for i in grads_of])
        branches.append(branch)
    if node.op.name == "switch":
        results = emit_switch(inputs[0], branches, outputs)
    else:
        results = emit_cond(inputs[0], branches[0], outputs[0], branches[1], outputs[1])
    grads: list[Any] = [None] * len(inputs)
    for i, g in zip(grads_of, results, strict=True):
        grads[1 + i] = g
    return grads


def _branch_graphs(node: Node) -> list[Graph]:
    if node.op.name == "switch":
        return list(node.attrs["branches"])
    return [node.attrs["then"], node.attrs["orelse"]]


def _with_dummies(
    forward: Graph, count: int, handed_out: Sequence[Sequence[Value]], own: int
) -> Graph:
    """`forward` giving its results, then every branch's residuals: empty ones for the others."""
    nodes = list(forward.nodes)
    outputs = list(forward.outputs[:count])
    for i, residuals in enumerate(handed_out):
        for value in residuals:
            if i == own:
                outputs.append(value)
                continue
            dummy = _dummy(value.spec)
            nodes.append(dummy)
            outputs.append(dummy.outputs[0])
    return Graph(forward.name, forward.inputs, tuple(nodes), tuple(outputs), forward.captured)


def _dummy(spec: Spec) -> Node:
    """Some value of a spec, as small as can be: nothing reads it."""
    if isinstance(spec, ArraySpec):
        attrs = {"element": spec.element}
        return Node(OPS["array_new"], (), attrs, (spec,))
    dims = [] if spec.shape.rank is None else [d or 0 for d in spec.shape]
    array = np.zeros(dims, spec.dtype.numpy)
    return Node(OPS["const"], (), {"value": array}, (TensorSpec(dims, spec.dtype),))


# --- loops -------------------------------------------------------------------


def _while_rule(entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
    node, owner = _node_of(entry)
    inputs = list(entry.inputs)
    body: Graph = node.attrs["body"]
    count = len(body.outputs)
    half, carried = _differentiate_body(body, _mask(gs, entry.outputs), needs)
    stacks, trips = _save_residuals(node, owner, half, count)
    captured = [i for i in half.in_grads if i >= count]
    with_zeros = [gs[i] if gs[i] is not None else zeros_for(node.outputs[i]) for i in carried]
    initial = [subtract(trips, 1), *with_zeros, *(zeros_for(inputs[i]) for i in captured)]
    specs: list[Spec] = [_value_spec(v.spec) for v in initial]
    specs[1 : 1 + len(carried)] = [
        join_specs(body.inputs[i].spec, g.spec) for i, g in zip(carried, with_zeros, strict=True)
    ]
    names = ["step", *(f"g{i}" for i in carried), *(f"sum{i}" for i in captured)]

    def trace() -> tuple[Branch, Any, Branch, list[Any]]:
        test = new_branch(specs, names, "backward_test")
        with test:
            go_on = greater_equal(test.inputs[0], 0)
        back = new_branch(specs, names, "backward_body")
        with back:
            step, *values = back.inputs
            saved = iter([array_read(stack, step, safe=True) for stack in stacks])
            fresh = len(half.forward.outputs) - count
            arguments = [next(saved) for _ in range(fresh)]
            arguments += [inputs[i] if i >= count else next(saved) for i in half.saved_inputs]
            arguments += values[: len(carried)]
            found = dict(zip(half.in_grads, replay(half.backward, arguments), strict=True))
            sums = values[len(carried) :]
            outputs = [subtract(step, 1), *(found[i] for i in carried)]
            outputs += [accumulate(s, found[i]) for s, i in zip(sums, captured, strict=True)]
        return test, go_on, back, outputs

    for _ in range(4):  # shapes that a gradient does not keep are loosened
        test, go_on, back, outputs = trace()
        joined = [join_specs(s, v.spec) for s, v in zip(specs, outputs, strict=True)]
        if joined == specs:
            break
        specs = joined
    results = emit_while(initial, test, go_on, back, outputs)
    grads: list[Any] = [None] * len(inputs)
    for i, g in zip([*carried, *captured], results[1:], strict=True):
        grads[i] = g if needs[i] else None
    return grads


def _value_spec(spec: Spec) -> Spec:
    return spec if isinstance(spec, ArraySpec) else TensorSpec(spec.shape, spec.dtype)


def _differentiate_body(
    body: Graph, mask: list[bool], needs: list[bool]
) -> tuple[Linear, list[int]]:
    """Split a loop body; the loop variables that carry a gradient, found as a fixpoint."""
    count = len(body.outputs)
    in_mask = [differentiable(v) for v in body.inputs[:count]] + needs[count:]
    captured = range(count, len(body.inputs))
    while True:
        half = linearize(body, mask, in_mask, invariant=captured)
        grown = [m or i in half.in_grads for i, m in enumerate(mask)]
        if grown == mask:
            break
        mask = grown
    carried = [i for i, m in enumerate(mask) if m]
    if not set(carried) <= set(half.in_grads):
        half = linearize(body, mask, in_mask, carried, captured)
    return half, carried


def _save_residuals(
    node: Node, owner: GraphBuilder, half: Linear, count: int
) -> tuple[list[Value], Value]:
    """Widen a loop to push its residuals on stacks and to count its trips.

    Gives the stacks (of the residuals, then of the saved inputs that vary) and the count. What
    the loop was widened by before, for a gradient of lower order, serves again.
    """
    forward, test = half.forward, node.attrs["test"]
    saved = [*forward.outputs[count:], *(forward.inputs[i] for i in half.saved_inputs if i < count)]
    stacks, trips = _saved_before(node, forward)
    fresh = [v for v in dict.fromkeys(saved) if v not in stacks]
    more: list[Value] = []
    for value in fresh:
        assert not isinstance(value.spec, ResourceSpec), "variables are captured, never carried"
        more.append(
            owner.insert_before(node, OPS["array_new"], {"element": _value_spec(value.spec)})
        )
    if trips is None:
        more.append(owner.insert_before(node, OPS["const"], {"value": np.array(0, np.int32)}))
    results = (*forward.outputs[:count], *fresh)
    body = Graph(forward.name, forward.inputs, forward.nodes, results)

    def widened(graph: Graph) -> Graph:
        builder = GraphBuilder(graph.name)
        inputs = [builder.add_input(v.spec, v.name) for v in graph.inputs[:count]]
        added = [builder.add_input(v.spec, "stack") for v in more[: len(fresh)]]
        added += [builder.add_input(v.spec, "trips") for v in more[len(fresh) :]]
        inputs += [builder.add_input(v.spec, v.name) for v in graph.inputs[count:]]
        with interpreting(builder):
            found = replay(graph, inputs)
            if graph is body:
                found[count:] = [
                    array_push(a, v) for a, v in zip(added, found[count:], strict=False)
                ]
                found += [add(a, 1) for a in added[len(fresh) :]]
        built = builder.finish(found)
        captured = len(graph.inputs) - count
        return Graph(built.name, built.inputs, built.nodes, built.outputs, captured)

    if more:
        attrs = {"test": widened(test), "body": widened(body)}
        inputs = (*node.inputs[:count], *more, *node.inputs[count:])
        specs = [v.spec for v in (*node.outputs, *more)]
        owner.widen(node, inputs, attrs, specs)
    stacks.update(zip(fresh, node.outputs[count:], strict=False))
    return [stacks[v] for v in saved], node.outputs[-1] if trips is None else trips


def _saved_before(node: Node, forward: Graph) -> tuple[dict[Value, Value], Value | None]:
    """The stacks that the loop has, by the value of its body that they hold; its count of trips."""
    stacks: dict[Value, Value] = {}
    trips: Value | None = None
    rows = zip(node.inputs, forward.inputs, forward.outputs, node.outputs, strict=False)
    for initial, before, after, result in rows:
        made, start = after.node, initial.node
        if made is None or start is None or not made.inputs or made.inputs[0] is not before:
            continue
        if made.op.name == "array_push" and start.op.name == "array_new" and not start.inputs:
            value = made.inputs[1]
            if isinstance(value.spec, TensorSpec) and before.spec == ArraySpec(value.spec):
                stacks[value] = result
        elif made.op.name == "add" and _is_int32(initial, 0) and _is_int32(made.inputs[1], 1):
            trips = result
    return stacks, trips


def _is_int32(value: Value, number: int) -> bool:
    node = value.node
    if node is None or node.op.name != "const":
        return False
    array = node.attrs["value"]
    return bool(array.dtype == np.int32 and array.shape == () and array == number)


# --- calls -------------------------------------------------------------------


def _halves(callee: FunctionRef, out_mask: list[bool], in_mask: list[bool]) -> Linear:
    """`linearize` of a function, kept with it."""
    key = ("linear", tuple(out_mask), tuple(in_mask))
    if key not in callee.extra:
        assert callee.graph is not None
        callee.extra[key] = linearize(callee.graph, out_mask, in_mask)
    half: Linear = callee.extra[key]
    return half


def _reference(owner: FunctionRef, half: Linear, which: str) -> FunctionRef:
    key = (which, id(half))
    if key not in owner.extra:
        graph = half.forward if which == "forward" else half.backward
        made = FunctionRef(f"{owner.name}_{which}", graph)
        made.effects = graph_effects(graph)
        owner.extra[key] = made
    found: FunctionRef = owner.extra[key]
    return found


def call_forward(callee: FunctionRef, in_mask: Sequence[bool], orders: int) -> FunctionRef:
    """The variant of a function that also gives the residuals for `orders` orders of gradients.

    The results that the function itself has come first. Returned functions remember where they
    come from, so the rule of `call` finds their backward halves.
    """
    for _ in range(orders):
        assert callee.graph is not None
        out_mask = [differentiable(v) for v in callee.graph.outputs]
        half = _halves(callee, out_mask, list(in_mask))
        forward = _reference(callee, half, "forward")
        forward.extra["origin"] = (callee, half)
        callee = forward
    return callee


def call_recorded(callee: FunctionRef, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Call a function; where tapes watch an eager call, it also gives what they will need."""
    active = recorders()
    if active and not is_tracing():
        mask = [differentiable(x) and any(r.is_watched(x) for r in active) for x in inputs]
        if any(mask):
            assert callee.graph is not None
            orders = len(active)
            if not _repeatable(callee.graph):
                orders = sum(r.orders for r in active)
            forward = call_forward(callee, mask, orders)
            return call(forward, inputs)[: len(callee.graph.outputs)]
    return call(callee, inputs)


def _repeatable(graph: Graph) -> bool:
    """True if a second run does nothing else than the first one."""
    return all(effect == CHECKS for effect, _ in graph_effects(graph))


def _call_rule(entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
    callee: FunctionRef = entry.attrs["callee"]
    if type(entry.outputs[0]) is not Value:
        return _eager_call_rule(callee, entry, gs, needs)
    node, owner = _node_of(entry)
    callee = node.attrs["callee"]
    inputs = list(entry.inputs)
    if callee.graph is None or callee in functions_of(callee.graph):
        _require_repeatable(callee)
        if not reads_variables(callee):
            return _recursive_rule(callee, inputs, entry.outputs, gs, needs)
        callee = reading_first(callee)
    assert callee.graph is not None
    half = _halves(callee, _mask(gs, entry.outputs), needs)
    count = len(callee.graph.outputs)
    forward = _reference(callee, half, "forward")
    owner.widen(node, node.inputs, {"callee": forward}, half.forward.out_specs)
    residuals = node.outputs[count:]
    return _call_backward(callee, half, residuals, inputs, gs)


def _call_backward(
    callee: FunctionRef, half: Linear, residuals: Sequence[Any], inputs: list[Any], gs: list[Any]
) -> list[Any]:
    arguments = [*residuals, *(inputs[i] for i in half.saved_inputs)]
    arguments += [gs[i] for i in half.out_grads]
    found = call_recorded(_reference(callee, half, "backward"), arguments)
    grads: list[Any] = [None] * len(inputs)
    for i, g in zip(half.in_grads, found, strict=True):
        grads[i] = g
    return grads


def _eager_call_rule(
    callee: FunctionRef, entry: Entry, gs: list[Any], needs: list[bool]
) -> list[Any]:
    """The gradient of a call that has run: from its residuals if it saved those needed."""
    inputs, outputs = list(entry.inputs), list(entry.outputs)
    levels = []
    origin = callee
    while "origin" in origin.extra:
        levels.append(origin.extra["origin"])
        origin = levels[-1][0]
    for origin, half in reversed(levels):  # the first order's residuals come first
        count = len(origin.graph.outputs)
        total = len(half.forward.outputs)
        if all(g is None for g in gs[count:]):
            full = list(gs)
            for i in half.out_grads:
                full[i] = zeros_for(outputs[i]) if gs[i] is None else gs[i]
            grads = _call_backward(origin, half, outputs[count:total], inputs, full)
            reached = _reached(origin, half, gs)
            return [g if i in reached else None for i, g in enumerate(grads)]
    assert callee.graph is not None
    if not _repeatable(callee.graph):
        raise GradientError(
            f"a gradient of this order of '{callee.name}' was not prepared for when it was "
            "called: call it inside of one more GradientTape"
        )
    half = _halves(callee, _mask(gs, outputs), needs)
    again = call(_reference(callee, half, "forward"), inputs)
    return _call_backward(callee, half, again[len(outputs) :], inputs, gs)


def _reached(owner: FunctionRef, half: Linear, gs: Sequence[Any]) -> frozenset[int]:
    """The inputs whose gradients depend on those of `gs` that are given."""
    given = [gs[i] is not None for i in half.out_grads]
    if all(given):
        return frozenset(half.in_grads)
    key = ("reached", id(half), tuple(given))
    if key not in owner.extra:
        incoming = half.backward.inputs[len(half.backward.inputs) - len(given) :]
        connected = {v for v, is_given in zip(incoming, given, strict=True) if is_given}
        for node in half.backward.nodes:
            if any(v in connected for v in node.inputs):
                connected.update(node.outputs)
        pairs = zip(half.in_grads, half.backward.outputs, strict=True)
        owner.extra[key] = frozenset(i for i, v in pairs if v in connected)
    found: frozenset[int] = owner.extra[key]
    return found


def _require_repeatable(callee: FunctionRef) -> None:
    if callee.graph is None:
        raise GradientError(
            f"the gradient of '{callee.name}' is asked for inside of its own recursion"
        )
    if any(e not in (CHECKS, READ) for e, _ in graph_effects(callee.graph)):
        raise GradientError(
            f"'{callee.name}' calls itself and has side effects: its gradient would have to "
            "repeat them. Move the assignments, prints and random numbers out of it"
        )


def _recursive_rule(
    callee: FunctionRef, inputs: list[Any], outputs: Sequence[Any], gs: list[Any], needs: list[bool]
) -> list[Any]:
    """The gradient of a recursive function: a named adjoint that recomputes the forward part."""
    mask = _mask(gs, outputs)
    key = ("adjoint", tuple(mask), tuple(needs))
    wanted = [i for i, needed in enumerate(needs) if needed]
    if key not in callee.extra:
        assert callee.graph is not None
        adjoint = FunctionRef(f"{callee.name}_adjoint")
        adjoint.specs = tuple(_value_spec(_plain(inputs[i].spec)) for i in wanted)
        # Its own graph may check more (shapes), which is not known before it is there.
        adjoint.effects = tuple(
            {**dict.fromkeys(graph_effects(callee.graph)), (CHECKS, None): None}
        )
        callee.extra[key] = adjoint
        adjoint.graph = _adjoint(callee.graph, mask, needs, adjoint.name)
        called = [ref.graph for ref in functions_of(adjoint.graph) if ref.graph is not None]
        settle_effects([*called, adjoint.graph])
    arguments = [*inputs, *(g for g, m in zip(gs, mask, strict=True) if m)]
    found = call(callee.extra[key], arguments)
    grads: list[Any] = [None] * len(inputs)
    for i, g in zip(wanted, found, strict=True):
        grads[i] = g
    return grads


def _plain(spec: Spec) -> Spec:
    return spec if isinstance(spec, (TensorSpec, ArraySpec)) else spec.value


def _adjoint(graph: Graph, mask: list[bool], needs: list[bool], name: str) -> Graph:
    half = linearize(graph, mask, needs, [i for i, needed in enumerate(needs) if needed])
    builder = GraphBuilder(name)
    inputs = [builder.add_input(v.spec, v.name) for v in graph.inputs]
    incoming = [builder.add_input(graph.outputs[i].spec, f"g{i}") for i in half.out_grads]
    with interpreting(builder):
        results = replay(half.forward, inputs)
        saved = [inputs[i] for i in half.saved_inputs]
        residuals = results[len(graph.outputs) :]
        grads = replay(half.backward, [*residuals, *saved, *incoming])
    return builder.finish(grads)


STRUCTURED.update(
    {
        "cond": _branches_rule,
        "switch": _branches_rule,
        "while": _while_rule,
        "call": _call_rule,
    }
)

__all__ = ["call_recorded"]
