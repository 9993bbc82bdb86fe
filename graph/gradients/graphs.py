"""Gradients as a transform of graphs."""

from __future__ import annotations

from collections.abc import Sequence

from ..build import GraphBuilder, interpreting, recording, replay
from ..errors import GradientError
from ..location import user_location
from ..node import Graph, Value
from ..settings import collector_paused
from .backprop import backprop, zeros_for
from .forward import with_tangents
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


def jvp(graph: Graph, xs: Sequence[int] | None = None, ys: Sequence[int] | None = None) -> Graph:
    """The graph that computes `graph`, and the tangents of results `ys` from those of inputs `xs`.

    `xs` and `ys` are indices, by default all that have a floating or complex dtype. The new graph
    takes the inputs of `graph`, then a tangent for each of `xs`; it gives the results of `graph`,
    then the tangent of each of `ys`, zeros where it depends on none of `xs`. What `graph` does
    besides is done once. Raises GradientError for an index of another dtype, MissingGradientError
    (a LookupError) for an op without a rule.

    >>> import treadle as tl
    >>> f = tl.function(lambda x: x * x).get_concrete_function(tl.TensorSpec([], tl.float32))
    >>> [v.name for v in tl.graph.jvp(f.graph).inputs]
    ['x', 'x_dot']
    """
    ys = _indices(graph.outputs, ys, "result")
    xs = _indices(graph.inputs, xs, "input")
    in_mask = [i in xs for i in range(len(graph.inputs))]
    built = with_tangents(graph, in_mask, ys, wanted=ys).complete().graph
    order = {i: n for n, i in enumerate(sorted(ys))}
    count = len(graph.outputs)
    tangents = [built.outputs[count + order[i]] for i in ys]
    given = dict(zip(sorted(xs), built.inputs[len(graph.inputs) :], strict=True))
    inputs = (*built.inputs[: len(graph.inputs)], *(given[i] for i in xs))
    outputs = (*built.outputs[:count], *tangents)
    return Graph(f"{graph.name}_jvp", inputs, built.nodes, outputs)


def _indices(values: Sequence[Value], chosen: Sequence[int] | None, what: str) -> list[int]:
    smooth = [i for i, v in enumerate(values) if v.dtype.is_differentiable]
    if chosen is None:
        return smooth
    for i in chosen:
        if i not in smooth:
            raise GradientError(f"{what} {i} has no floating or complex dtype: no gradient")
    return list(chosen)
