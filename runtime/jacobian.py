"""Jacobians: one walk back, batched over the items of the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..graph.batching import Batch, batched_results, results_of_each, size_of
from ..graph.build import GraphBuilder, convert, interpreting, is_tracing, recording, replay
from ..graph.control import new_branch
from ..graph.errors import BatchingError, GradientError
from ..graph.gradients import Entry, backprop
from ..graph.node import Graph
from ..graph.ops.filling import zeros
from ..graph.ops.joining import concat
from ..graph.ops.queries import shape as shape_of
from ..graph.ops.queries import size as size_of_tensor
from ..graph.ops.reductions import reduce_prod
from ..graph.ops.reshaping import broadcast_to, reshape
from ..graph.ops.sequences import eye
from ..graph.spec import TensorSpec


def jacobian_rows(
    entries: Sequence[Entry], target: Any, sources: Sequence[Any], seeds: Any, at_once: bool
) -> list[Any]:
    """For each of `seeds`, weights of the items of `target`, the gradients of the sources.

    They lie along a new first axis. `at_once` walks back once for all seeds; else, and where
    something in it has no meaning for a batch, once for each.
    """
    spec = TensorSpec(seeds.shape[1:], seeds.dtype)
    graph, captures, connected = _walk_back(entries, target, sources, spec)
    flags = [True, *[False] * len(captures)]
    batch = Batch(size_of([seeds], [True]))
    found: list[Any] | None = None
    if at_once:
        try:
            results, batched = batched_results(batch, graph, [seeds, *captures], flags)
            found = batch.fulls(results, batched)
        except BatchingError:
            pass
    if found is None:
        specs = [v.spec for v in graph.outputs]
        inputs = [seeds, *captures]
        found = results_of_each(batch, flags, inputs, specs, lambda values: replay(graph, values))
    rows = iter(found)
    return [next(rows) if there else None for there in connected]


def _walk_back(
    entries: Sequence[Entry], target: Any, sources: Sequence[Any], spec: TensorSpec
) -> tuple[Graph, list[Any], list[bool]]:
    """The graph from a gradient of the target to those of the sources that depend on it, what it
    captures, and which sources these are.
    """
    if is_tracing():
        branch = new_branch([spec], ["seed"], "jacobian")
        with branch:
            found = backprop(entries, [target], sources, [branch.inputs[0]])
        graph, _ = branch.close([g for g in found if g is not None], list(branch.captures))
        return graph, list(branch.captures), [g is not None for g in found]
    builder = GraphBuilder("jacobian")
    seed = builder.add_input(spec, "seed")
    with interpreting(builder), recording(()):
        found = backprop(entries, [target], sources, [seed])
    graph = builder.finish([g for g in found if g is not None])
    return graph, list(builder.captures), [g is not None for g in found]


def unit_seeds(target: Any, batched: bool) -> Any:
    """A weight of 1 for each item of `target` (of each example, where it is a batch of these)."""
    sizes = shape_of(target)
    if not batched:
        return reshape(eye(size_of_tensor(target), dtype=target.dtype), concat([[-1], sizes], 0))
    inner = sizes[1:]
    count = reduce_prod(inner)
    each = reshape(eye(count, dtype=target.dtype), concat([[count], [1], inner], 0))
    return broadcast_to(each, concat([[count], sizes], 0))


def joined_shape(rows: Any, target: Any, source: Any) -> Any:
    """Rows of a Jacobian as a tensor with the axes of the target, then those of the source."""
    return reshape(rows, concat([shape_of(target), shape_of(convert(source))], 0))


def jacobian_zeros(target: Any, source: Any, skip: int = 0) -> Any:
    source = convert(source)
    return zeros(concat([shape_of(target), shape_of(source)[skip:]], 0), source.dtype)


def require_batches(target: Any, source: Any) -> None:
    """GradientError unless both may have the same number of examples."""
    a, b = target.shape, source.shape
    if a.rank == 0 or b.rank == 0 or not a[:1].is_compatible_with(b[:1]):
        raise GradientError(
            f"batch_jacobian: the first axes of target {a} and source {b} are the examples, they "
            "must be of one size"
        )


__all__ = ["jacobian_rows", "jacobian_zeros", "joined_shape", "require_batches", "unit_seeds"]
