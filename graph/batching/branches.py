"""The rules of `cond`, `switch` and `try` for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import apply, current
from ..control import Branch, emit_cond, emit_switch, new_branch
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
        if covered is None:
            total = list(zip(results, batched, graph.outputs, strict=True))
            covered = mask
            continue
        total = [
            (
                merged(
                    batch,
                    covered,
                    x,
                    y,
                    (x_flag, y_flag),
                    (v.spec, w.spec),
                    (some(covered), some(mask)),
                ),
                True,
                v,
            )
            for (x, x_flag, v), y, y_flag, w in zip(
                total, results, batched, graph.outputs, strict=True
            )
        ]
        covered = logical_or(covered, mask)
    return batch.fulls([x for x, _, _ in total], [flag for _, flag, _ in total])


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
