"""The rules of `cond`, `switch` and `try` for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import apply, current
from ..control import Branch, emit_cond, emit_switch, new_branch
from ..gradients.branches import NOT_TAKEN
from ..node import Graph, Node, subgraphs
from ..ops.comparison import equal
from ..ops.logic import logical_not, logical_or
from ..spec import ResourceSpec
from .batch import Batch
from .each import results_of_each
from .graphs import batched_results
from .selecting import masked_results, merged, some
from .varying import branch_flags


def branches_rule(
    batch: Batch, node: Node, inputs: Sequence[Any], flags: tuple[bool, ...]
) -> list[Any]:
    graphs = subgraphs(node)
    if not flags[0]:
        return _one_branch(batch, node, graphs, inputs, flags)
    choice, *values = inputs
    if node.op.name == "cond":
        masks = [choice, logical_not(choice)]
    else:
        numbers = [current().constant(np.array(i, np.int32)) for i in range(len(graphs) - 1)]
        masks = [equal(choice, i) for i in numbers]
        rest = masks[0]
        for mask in masks[1:]:
            rest = logical_or(rest, mask)
        masks.append(logical_not(rest))
    return _all_branches(batch, graphs, masks, values, flags[1:])


def _one_branch(
    batch: Batch,
    node: Node,
    graphs: Sequence[Graph],
    inputs: Sequence[Any],
    flags: tuple[bool, ...],
) -> list[Any]:
    """All examples take the same branch."""
    varies = branch_flags(graphs, flags)
    branches: list[Branch] = []
    outputs: list[list[Any]] = []
    for graph in graphs:
        branch = new_branch(name=graph.name)
        with branch:
            results, batched = batched_results(batch, graph, inputs[1:], flags[1:])
            outputs.append(
                [
                    batch.full(r, b) if wanted else r
                    for r, b, wanted in zip(results, batched, varies, strict=True)
                ]
            )
        branches.append(branch)
    if node.op.name == "switch":
        return list(emit_switch(inputs[0], branches, outputs))
    return list(emit_cond(inputs[0], branches[0], outputs[0], branches[1], outputs[1]))


def _all_branches(
    batch: Batch,
    graphs: Sequence[Graph],
    masks: Sequence[Any],
    values: Sequence[Any],
    flags: tuple[bool, ...],
) -> list[Any]:
    """Each branch is run for the examples that take it, and the results are put together."""
    total: list[Any] = []
    covered: Any = None
    for graph, mask in zip(graphs, masks, strict=True):
        results, batched = masked_results(batch, mask, graph, values, flags)
        found = list(zip(results, batched, graph.outputs, strict=True))
        if covered is None:
            total = found
            covered = mask
            continue
        ran = some(covered), some(mask)
        total = [
            _joined(batch, covered, one, other, ran)
            for one, other in zip(total, found, strict=True)
        ]
        covered = logical_or(covered, mask)
    varies = branch_flags(graphs, (True, *flags))
    return [
        batch.full(x, flag) if wanted else x
        for (x, flag, _), wanted in zip(total, varies, strict=True)
    ]


def _joined(batch: Batch, mask: Any, one: Any, other: Any, ran: tuple[Any, Any]) -> Any:
    """What two paths give, as what one path gives: a value, whether it is a batch, what it is of.

    What stands for a residual of a path that was not taken is not read: the other one serves all.
    """
    (x, x_flag, v), (y, y_flag, w) = one, other
    if w.name == NOT_TAKEN:
        return one
    if v.name == NOT_TAKEN:
        return other
    found = merged(batch, mask, x, y, (x_flag, y_flag), (v.spec, w.spec), ran)
    return found, True, v


def try_rule(batch: Batch, node: Node, inputs: Sequence[Any], flags: tuple[bool, ...]) -> list[Any]:
    """One example may raise where another does not: one after the other."""
    for x, flag in zip(inputs, flags, strict=True):
        assert not (flag and isinstance(x.spec, ResourceSpec))
    if batch.masked:
        raise batch.refuse(
            "a try",
            "it is on a path that only some of the examples take; move it out of the "
            "condition or loop",
        )
    specs = [v.spec for v in node.outputs]

    def step(values: list[Any]) -> Sequence[Any]:
        results: Sequence[Any] = apply(node.op, values, node.attrs)
        return results

    return results_of_each(batch, flags, inputs, specs, step)


__all__ = ["branches_rule", "try_rule"]
