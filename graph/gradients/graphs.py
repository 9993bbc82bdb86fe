"""Gradients as a transform of graphs."""

from __future__ import annotations

from collections.abc import Sequence

from ..build import GraphBuilder, interpreting, recording, replay
from ..errors import GradientError
from ..location import user_location
from ..node import Graph, Value
from ..settings import collector_paused
from .backprop import backprop, zeros_for
from .linearize import Recorder


def gradients(
    graph: Graph, ys: Sequence[int] | None = None, xs: Sequence[int] | None = None
) -> Graph:
    """The graph of the gradients of results `ys` with respect to inputs `xs`.

    `ys` and `xs` are indices, by default all that have a floating or complex dtype. The new graph
    takes the inputs of `graph`, then a gradient for each of `ys`; it gives one for each of `xs`,
    zeros where nothing depends on an input. Raises GradientError for an index of another dtype.
    """
    ys = _indices(graph.outputs, ys, "result")
    xs = _indices(graph.inputs, xs, "input")
    builder = GraphBuilder(f"{graph.name}_gradient")
    inputs = [builder.add_input(v.spec, v.name) for v in graph.inputs]
    incoming = [builder.add_input(graph.outputs[i].spec, f"g{i}") for i in ys]
    recorder = Recorder()
    with interpreting(builder), collector_paused():
        with recording((recorder,)):
            results = replay(graph, inputs)
        sources = [inputs[i] for i in xs]
        builder.loc = user_location()
        found = backprop(recorder.entries, [results[i] for i in ys], sources, incoming)
        grads = [zeros_for(x) if g is None else g for g, x in zip(found, sources, strict=True)]
    return builder.finish(grads)


def _indices(values: Sequence[Value], chosen: Sequence[int] | None, what: str) -> list[int]:
    smooth = [i for i, v in enumerate(values) if v.dtype.is_differentiable]
    if chosen is None:
        return smooth
    for i in chosen:
        if i not in smooth:
            raise GradientError(f"{what} {i} has no floating or complex dtype: no gradient")
    return list(chosen)
