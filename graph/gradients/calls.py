"""The gradient of `call`, and calls under tapes.

A call in a graph under construction is widened to give the residuals, too; an eager one is made
so from the start. A function that calls itself has a named adjoint, which runs its forward part
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..build import GraphBuilder, interpreting, is_tracing, recorders, recording, replay
from ..control import CALL, call
from ..effects import graph_effects, settle_effects
from ..errors import GradientError
from ..node import APART, FunctionRef, Graph, Value
from ..op import CHECKS, READ
from ..walk import functions_of
from .backprop import Entry, differentiable, given, gradient_spec, zeros_for
from .by_value import reading_first, reads_variables
from .checkpoints import budget_now
from .linearize import Linear, linearize, note_recomputed
from .recompute import RECOMPUTE, recomputed


def halves(callee: FunctionRef, out_mask: list[bool], in_mask: list[bool]) -> Linear:
    """`linearize` of a function, kept with it."""
    how = callee.extra.get(RECOMPUTE)
    key = ("linear", tuple(out_mask), tuple(in_mask), budget_now() if how is None else how)
    if key not in callee.extra:
        assert callee.graph is not None
        if how is None:
            half = linearize(callee.graph, out_mask, in_mask)
        else:
            half = recomputed(callee.graph, callee.name, how, out_mask, in_mask)
        callee.extra[key] = half
    found: Linear = callee.extra[key]
    return found


def _reference(owner: FunctionRef, half: Linear, which: str) -> FunctionRef:
    key = (which, id(half))
    if key not in owner.extra:
        graph = half.forward if which == "forward" else half.backward
        made = FunctionRef(f"{owner.name}_{which}", graph)
        made.effects = graph_effects(graph)
        how = owner.extra.get(RECOMPUTE)
        if how is not None and how.budget is None:
            made.extra[RECOMPUTE] = how  # gradients of higher order run it again, too
        if how is not None and which == "backward":
            made.extra[APART] = True  # else it would share what it is to compute again
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
        half = halves(callee, out_mask, list(in_mask))
        forward = _reference(callee, half, "forward")
        forward.extra["origin"] = (callee, half)
        callee = forward
    return callee


def call_recorded(callee: FunctionRef, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Call a function; where tapes watch an eager call, it also gives what they will need.

    Each recorder sees what the ones inside of it have made of the call: a tape around an
    accumulator of tangents the call that computes these, one inside of it the call as it was.
    """
    active = recorders()
    if not active or is_tracing():
        return call(callee, inputs)
    carriers = [i for i, r in enumerate(active) if hasattr(r, "widen")]
    place = max((i for i in carriers if any(map(active[i].is_watched, inputs))), default=-1)
    inner = active[place + 1 :]
    assert callee.graph is not None
    chosen = callee
    watching = [r for r in inner if r.orders]
    mask = [differentiable(x) and any(r.is_watched(x) for r in watching) for x in inputs]
    if any(mask):
        orders = len(watching)
        if not _repeatable(callee.graph):
            orders = sum(r.orders for r in watching)
        chosen = call_forward(callee, mask, orders)
    if place < 0:
        return call(chosen, inputs)[: len(callee.graph.outputs)]
    carrier: Any = active[place]
    with recording(active[: place + 1]):
        results: tuple[Any, ...] = carrier.call(chosen, inputs, _called(active[:place]))
    for recorder in inner:
        recorder.record(CALL, inputs, {"callee": chosen}, results)
    return results[: len(callee.graph.outputs)]


def _called(active: tuple[Any, ...]) -> Any:
    """`call_recorded` for the recorders `active`."""

    def run(callee: FunctionRef, inputs: Sequence[Any]) -> tuple[Any, ...]:
        with recording(active):
            return call_recorded(callee, inputs)

    return run


def _repeatable(graph: Graph) -> bool:
    """True if a second run does nothing else than the first one."""
    return all(effect == CHECKS for effect, _ in graph_effects(graph))


def call_rule(entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
    callee: FunctionRef = entry.attrs["callee"]
    if type(entry.outputs[0]) is not Value:
        return _eager_rule(callee, entry, gs, needs)
    node, owner = entry.under_construction()
    callee = node.attrs["callee"]
    inputs = list(entry.inputs)
    if callee.graph is None or callee in functions_of(callee.graph):
        _require_repeatable(callee)
        if not reads_variables(callee):
            return _recursive_rule(callee, inputs, entry.outputs, gs, needs)
        callee = reading_first(callee)
    assert callee.graph is not None
    half = halves(callee, given(gs, entry.outputs), needs)
    note_recomputed(owner, half)
    count = len(callee.graph.outputs)
    forward = _reference(callee, half, "forward")
    owner.widen(node, node.inputs, {"callee": forward}, half.forward.out_specs)
    residuals = node.outputs[count : len(half.forward.outputs)]
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


def _eager_rule(callee: FunctionRef, entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
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
    half = halves(callee, given(gs, outputs), needs)
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
    mask = given(gs, outputs)
    key = ("adjoint", tuple(mask), tuple(needs))
    wanted = [i for i, needed in enumerate(needs) if needed]
    if key not in callee.extra:
        assert callee.graph is not None
        adjoint = FunctionRef(f"{callee.name}_adjoint")
        adjoint.specs = tuple(gradient_spec(inputs[i].spec) for i in wanted)
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


__all__ = ["call_recorded", "call_rule", "halves"]
