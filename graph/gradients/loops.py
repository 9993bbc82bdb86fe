"""The gradient of `while`.

The body is split (`linearize`). The node, still under construction, is widened to push the
residuals on stacks and to count its trips; a second loop runs the backward half of the body,
counting down and reading the stacks by index.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import GraphBuilder, interpreting, replay
from ..control import Branch, emit_while, join_specs, new_branch
from ..node import Graph, Node, Value
from ..op import OPS
from ..ops.arithmetic import add, subtract
from ..ops.arrays import array_push, array_read
from ..ops.comparison import greater_equal
from ..spec import ArraySpec, ResourceSpec, Spec, TensorSpec
from .backprop import Entry, accumulate, differentiable, given, gradient_spec, zeros_for
from .linearize import Linear, linearize


def while_rule(entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
    node, owner = entry.under_construction()
    inputs = list(entry.inputs)
    body: Graph = node.attrs["body"]
    count = len(body.outputs)
    half, carried = _differentiate_body(body, given(gs, entry.outputs), needs)
    stacks, trips = _save_residuals(node, owner, half, count)
    captured = [i for i in half.in_grads if i >= count]
    with_zeros = [gs[i] if gs[i] is not None else zeros_for(node.outputs[i]) for i in carried]
    initial = [subtract(trips, 1), *with_zeros, *(zeros_for(inputs[i]) for i in captured)]
    specs: list[Spec] = [gradient_spec(v.spec) for v in initial]
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
            owner.insert_before(node, OPS["array_new"], {"element": gradient_spec(value.spec)})
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
    return [stacks[v] for v in saved], (
        node.outputs[count + len(fresh)] if trips is None else trips
    )


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


__all__ = ["while_rule"]
