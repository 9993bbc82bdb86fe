"""The gradient of `cond` and `switch`.

Each branch is split (`linearize`). The node, still under construction, is widened to hand out the
residuals; a second node of the same kind runs the backward halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import replay
from ..control import Branch, emit_cond, emit_switch, new_branch
from ..node import Graph, Node, Value
from ..op import OPS
from ..spec import ArraySpec, Spec, TensorSpec
from .backprop import Entry, given, zeros_for
from .linearize import linearize


def branches_rule(entry: Entry, gs: list[Any], needs: list[bool]) -> list[Any]:
    node, owner = entry.under_construction()
    inputs = list(entry.inputs)
    graphs = _branch_graphs(node)
    mask = given(gs, entry.outputs)
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


__all__ = ["branches_rule"]
