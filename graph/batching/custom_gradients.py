"""The rule of `custom_gradient` for a batch: the gradient function is batched as well."""

from __future__ import annotations

from typing import Any

from ..build import GraphBuilder, apply, interpreting, replay
from ..node import FunctionRef, Graph
from ..op import batches
from ..ops.custom_gradients import CUSTOM
from ..ops.reductions import reduce_sum
from .batch import Batch
from .graphs import batched_function


@batches(CUSTOM)
def _custom_gradient(
    batch: Batch,
    flags: tuple[bool, ...],
    *inputs: Any,
    callee: Any,
    results: int,
    wrt: tuple[int, ...],
) -> Any:
    given = [*batch.fulls(inputs[:results], flags[:results]), *inputs[results:]]
    attrs = {"callee": callee, "results": results, "wrt": wrt}
    if isinstance(callee, FunctionRef):
        assert callee.graph is not None
        shared = [i for i, place in enumerate(wrt) if not flags[place]]
        attrs["callee"] = FunctionRef(
            f"{callee.name}_vmap", _backward(batch, callee.graph, flags, results, shared)
        )
        if batch.count is None:
            given.append(batch.size)
    return apply(CUSTOM, given, attrs)


def _backward(
    batch: Batch, graph: Graph, flags: tuple[bool, ...], results: int, shared: list[int]
) -> Graph:
    """The gradient function for a batch: sums over the examples for what these share."""
    captured = len(graph.inputs) - results
    batched = (*[True] * results, *flags[len(flags) - captured :])
    full = [True] * len(graph.outputs)
    counted = batch.count is None
    wide = batched_function(graph, batched, batch.count, full, counted, batch.masked)
    if not shared:
        return wide
    builder = GraphBuilder(wide.name)
    values = [builder.add_input(v.spec, v.name) for v in wide.inputs]
    with interpreting(builder):
        found = replay(wide, values)
        for i in shared:
            found[i] = reduce_sum(found[i], 0)
    return builder.finish(found)
