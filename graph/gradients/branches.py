"""The gradient of `cond`, `switch` and `try`.

Each branch is split (`linearize`). The node, still under construction, is widened to hand out the
residuals; a second node of the same kind runs the backward halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import replay
from ..control import Branch, emit_cond, emit_switch, new_branch
from ..errors import GradientError
from ..location import Loc, describe
from ..node import Graph, Node, Value, subgraphs
from ..op import OPS, Attrs
from ..spec import ArraySpec, Spec, TensorSpec
from .backprop import Entry, given, zeros_for
from .linearize import linearize, note_recomputed

NOT_TAKEN = "of_a_branch_not_taken"  # the name of what stands for a residual there


def branches_rule(entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
    node, owner = entry.under_construction()
    inputs = list(entry.inputs)
    graphs = branch_graphs(node.op.name, node.attrs)
    mask = given(gs, entry.outputs)
    if node.op.name == "try":
        require_known(graphs[1], mask, node.loc)
    halves = [linearize(g, mask, needs[1:]) for g in graphs]
    for half in halves:
        note_recomputed(owner, half)
    count = len(graphs[0].outputs)
    handed_out = [h.forward.outputs[count:] for h in halves]
    widened = []
    for i, half in enumerate(halves):
        widened.append(with_dummies(half.forward, count, handed_out, i))
    specs = [v.spec for v in node.outputs]
    specs += [v.spec for residuals in handed_out for v in residuals]
    if node.op.name == "try":
        widened = [_telling(g, caught) for g, caught in zip(widened, (False, True), strict=True)]
        specs.append(TensorSpec((), "bool"))
    owner.widen(node, node.inputs, with_graphs(node.op.name, widened), specs)
    have = list(node.outputs[count:])
    residuals: list[list[Value]] = []
    for values in handed_out:
        residuals.append(have[: len(values)])
        have = have[len(values) :]
    taken = have[0] if node.op.name == "try" else inputs[0]
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
        results = emit_switch(taken, branches, outputs)
    else:
        first, second = (1, 0) if node.op.name == "try" else (0, 1)
        results = emit_cond(
            taken, branches[first], outputs[first], branches[second], outputs[second]
        )
    grads: list[Any] = [None] * len(inputs)
    for i, g in zip(grads_of, results, strict=True):
        grads[1 + i] = g
    return grads


# The attributes that hold the graphs; of a switch it is one.
_NAMES = {"switch": (), "cond": ("then", "orelse"), "try": ("body", "handler")}


def branch_graphs(op: str, attrs: Attrs) -> list[Graph]:
    names = _NAMES[op]
    return [attrs[name] for name in names] if names else list(attrs["branches"])


def with_graphs(op: str, graphs: Sequence[Graph]) -> Attrs:
    """The attributes of a `cond`, `switch` or `try` of these graphs."""
    names = _NAMES[op]
    return dict(zip(names, graphs, strict=True)) if names else {"branches": tuple(graphs)}


def _telling(graph: Graph, truth: bool) -> Graph:
    """`graph`, with one result more: `truth`."""
    node = Node(OPS["const"], (), {"value": np.array(truth)}, (TensorSpec((), "bool"),))
    outputs = (*graph.outputs, node.outputs[0])
    return Graph(graph.name, graph.inputs, (*graph.nodes, node), outputs, graph.captured)


def require_known(handler: Graph, mask: Sequence[bool], loc: Loc | None) -> None:
    """Refuse gradients that go back to what the body of a `try` had computed when it raised."""
    pending = [v for v, wanted in zip(handler.outputs, mask, strict=True) if wanted]
    seen: set[Node] = set()
    while pending:
        made = pending.pop().node
        if made is None or made in seen or made.op.name in ("stop_gradient", "const"):
            continue
        seen.add(made)
        if _is_kept(made):
            raise GradientError(
                "a gradient is asked for through an exception: what handles it uses a tensor that "
                f"the body of the `try` at {describe(loc)} had computed when it raised. "
                "Compute it before the `try`, or use tl.stop_gradient on it there"
            )
        pending += made.inputs


def _is_kept(node: Node) -> bool:
    if node.op.name == "kept":
        return bool(node.outputs[0].spec.dtype.is_differentiable)
    return any(_is_kept(inner) for graph in subgraphs(node) for inner in graph.nodes)


def with_dummies(
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
            node = _dummy(value.spec)
            node.outputs[0].name = NOT_TAKEN
            nodes.append(node)
            outputs.append(node.outputs[0])
    return Graph(forward.name, forward.inputs, tuple(nodes), tuple(outputs), forward.captured)


def _dummy(spec: Spec) -> Node:
    """Some value of a spec, as small as can be: nothing reads it."""
    if isinstance(spec, ArraySpec):
        attrs = {"element": spec.element}
        return Node(OPS["array_new"], (), attrs, (spec,))
    dims = [] if spec.shape.rank is None else [d or 0 for d in spec.shape]
    array = np.zeros(dims, spec.dtype.numpy)
    return Node(OPS["const"], (), {"value": array}, (TensorSpec(dims, spec.dtype),))


__all__ = [
    "NOT_TAKEN",
    "branch_graphs",
    "branches_rule",
    "require_known",
    "with_dummies",
    "with_graphs",
]
