"""The gradient of `while`.

The body is split (`linearize`). The node, still under construction, is widened to push the
residuals on stacks and to count its trips; a second loop runs the backward half of the body,
counting down and reading the stacks by index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from ..build import GraphBuilder, interpreting, replay
from ..control import Branch, emit_while, join_specs, new_branch
from ..node import Graph, Node, Value
from ..op import OPS
from ..ops.arithmetic import add, multiply, subtract
from ..ops.arrays import array_push, array_read
from ..ops.casting import cast
from ..ops.comparison import greater_equal
from ..spec import ArraySpec, ResourceSpec, Spec, TensorSpec
from .backprop import Entry, accumulate, differentiable, given, gradient_spec, zeros_for
from .linearize import Linear, linearize, note_recomputed

SAVED = "saved_for_gradient"  # the name of a stack in the body of a loop


def while_rule(entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
    node, owner = entry.under_construction()
    inputs = list(entry.inputs)
    body: Graph = node.attrs["body"]
    count = len(body.outputs)
    counts = counters(body, inputs, range(count))
    half, carried = differentiate_body(body, given(gs, entry.outputs), needs, list(counts))
    note_recomputed(owner, half)
    stacks, trips = _save_residuals(node, owner, half, count, counts)
    captured = [i for i in half.in_grads if i >= count]
    with_zeros = [gs[i] if gs[i] is not None else zeros_for(node.outputs[i]) for i in carried]
    sums = [zeros_for(inputs[i]) for i in captured]
    initial = [subtract(trips, 1), *with_zeros, *sums]
    specs = adjoint_specs(body, carried, with_zeros, sums)
    names = ["step", *(f"g{i}" for i in carried), *(f"sum{i}" for i in captured)]

    def back(step: Any, *values: Any) -> list[Any]:
        saved = iter([array_read(stack, step, safe=True) for stack in stacks])
        fresh = len(half.forward.outputs) - count
        arguments = [next(saved) for _ in range(fresh)]
        for i in half.saved_inputs:
            if i in counts:
                arguments.append(counted(inputs[i], counts[i], step))
            else:
                arguments.append(inputs[i] if i >= count else next(saved))
        return [subtract(step, 1), *adjoint_step(half, carried, captured, arguments, values)]

    results = emit_loop(
        initial, [initial[0].spec, *specs], names, lambda step, *_: greater_equal(step, 0), back
    )
    grads: list[Any] = [None] * len(inputs)
    for i, g in zip([*carried, *captured], results[1:], strict=True):
        grads[i] = g if needs[i] else None
    return grads


def emit_loop(
    initial: Sequence[Any],
    specs: list[Spec],
    names: Sequence[str],
    holds: Callable[..., Any],
    step: Callable[..., Sequence[Any]],
    name: str = "backward",
) -> tuple[Any, ...]:
    """A `while` of the graph at work. Shapes of `specs` that `step` does not keep are loosened."""

    def trace() -> tuple[Branch, Any, Branch, list[Any]]:
        test = new_branch(specs, names, f"{name}_test")
        with test:
            go_on = holds(*test.inputs)
        body = new_branch(specs, names, f"{name}_body")
        with body:
            outputs = list(step(*body.inputs))
        return test, go_on, body, outputs

    for _ in range(4):
        test, go_on, body, outputs = trace()
        joined = [join_specs(s, v.spec) for s, v in zip(specs, outputs, strict=True)]
        if joined == specs:
            break
        specs = joined
    return emit_while(initial, test, go_on, body, outputs)


def adjoint_specs(
    body: Graph, carried: Sequence[int], grads: Sequence[Any], sums: Sequence[Any]
) -> list[Spec]:
    """What a loop over the adjoint of `body` carries: gradients of its state, and sums."""
    pairs = zip(carried, grads, strict=True)
    specs = [join_specs(body.inputs[i].spec, gradient_spec(g.spec)) for i, g in pairs]
    return specs + [gradient_spec(v.spec) for v in sums]


def adjoint_step(
    half: Linear,
    carried: Sequence[int],
    captured: Sequence[int],
    saved: Sequence[Any],
    values: Sequence[Any],
) -> list[Any]:
    """One iteration backwards: the gradients of the state before it, and the sums with its own."""
    incoming, sums = values[: len(carried)], values[len(carried) :]
    found = dict(zip(half.in_grads, replay(half.backward, [*saved, *incoming]), strict=True))
    more = [accumulate(s, found[i]) for s, i in zip(sums, captured, strict=True)]
    return [*(found[i] for i in carried), *more]


def differentiate_body(
    body: Graph, mask: list[bool], needs: list[bool], known: Sequence[int]
) -> tuple[Linear, list[int]]:
    """Split a loop body, whose counters are `known`; the loop variables that carry a gradient,
    found as a fixpoint.
    """
    count = len(body.outputs)
    in_mask = [differentiable(v) for v in body.inputs[:count]] + needs[count:]
    captured = range(count, len(body.inputs))
    while True:
        half = linearize(body, mask, in_mask, invariant=captured, known=known)
        grown = [m or i in half.in_grads for i, m in enumerate(mask)]
        if grown == mask:
            break
        mask = grown
    carried = [i for i, m in enumerate(mask) if m]
    if not set(carried) <= set(half.in_grads):
        half = linearize(body, mask, in_mask, carried, captured, known)
    return half, carried


def counters(body: Graph, inputs: Sequence[Any], saved: Sequence[int]) -> dict[int, Any]:
    """Those of the loop variables `saved` that are counters: what each iteration adds to them.

    Their values follow from the number of the iteration, so they need no stack.
    """
    count = len(body.outputs)
    place = {v: i for i, v in enumerate(body.inputs)}
    found: dict[int, Any] = {}
    for i in saved:
        value, made = body.inputs[i], body.outputs[i].node if i < count else None
        if not value.dtype.is_integer or made is None or made.op.name != "add":
            continue
        if made.inputs[0] is not value and made.inputs[1] is not value:
            continue
        step = made.inputs[1 if made.inputs[0] is value else 0]
        if value.spec.shape.rank != 0 or step.spec.shape.rank != 0:
            continue
        if step.node is not None and step.node.op.name == "const":
            found[i] = step.node.attrs["value"]
        elif count <= place.get(step, 0) < len(inputs):
            found[i] = inputs[place[step]]
    return found


def counted(start: Any, each: Any, step: Any) -> Any:
    """The value of a counter in iteration `step`."""
    return add(start, multiply(cast(step, start.dtype), each))


def _save_residuals(
    node: Node, owner: GraphBuilder, half: Linear, count: int, counts: Collection[int]
) -> tuple[list[Value], Value]:
    """Widen a loop to push its residuals on stacks and to count its trips.

    Gives the stacks (of the residuals, then of the saved inputs that vary) and the count. What
    the loop was widened by before, for a gradient of lower order, serves again.
    """
    forward, test = half.forward, node.attrs["test"]
    saved = list(forward.outputs[count:])
    saved += [forward.inputs[i] for i in half.saved_inputs if i < count and i not in counts]
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
        added = [builder.add_input(v.spec, SAVED) for v in more[: len(fresh)]]
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
        elif made.op.name == "add" and is_int32(initial, 0) and is_int32(made.inputs[1], 1):
            trips = result
    return stacks, trips


def is_int32(value: Value, number: int | None) -> bool:
    """True for the constant `number`, or any of its dtype."""
    node = value.node
    if node is None or node.op.name != "const":
        return False
    array = node.attrs["value"]
    return bool(array.dtype == np.int32 and array.shape == () and number in (None, array))


__all__ = [
    "SAVED",
    "adjoint_specs",
    "adjoint_step",
    "counted",
    "counters",
    "differentiate_body",
    "emit_loop",
    "is_int32",
    "while_rule",
]
