"""A graph carried out for a batch of examples at once, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..build import GraphBuilder, apply, current, interpreting, is_tracing
from ..dtypes import int32
from ..effects import graph_effects, node_effects
from ..errors import BatchingError
from ..gradients import call_recorded
from ..node import FunctionRef, Graph, Node, subgraphs
from ..op import BATCHING, CHECKS, IO, LOOPED, OPS, READ, UNBATCHABLE, WRITE
from ..ops.queries import shape as shape_of
from ..spec import ResourceSpec, TensorSpec
from ..walk import nodes_within
from .batch import Batch, batched_spec
from .varying import is_plain, node_varying

# Writes that leave the same, however often they are done.
_REPEATABLE = {"assign", "scatter_update", "scatter_max", "scatter_min", "keep"}


def batched_results(
    batch: Batch, graph: Graph, values: Sequence[Any], flags: Sequence[bool]
) -> tuple[list[Any], list[bool]]:
    """The results of `graph` for all examples, and which of them have the examples as an axis.

    `values` are for the graph's inputs; those with true `flags` are batched. Works by calling ops.
    """
    env: dict[Any, Any] = dict(zip(graph.inputs, values, strict=True))
    differ = {v for v, flag in zip(graph.inputs, flags, strict=True) if flag}
    interpreter = current()
    builder = interpreter if isinstance(interpreter, GraphBuilder) else None
    before, outer = (builder.loc if builder else None), batch.loc
    try:
        for node in _read(graph):
            batch.loc = node.loc or outer
            if builder is not None:
                builder.loc = batch.loc
            if node.op.name == "const":
                env[node.outputs[0]] = current().constant(node.attrs["value"])
                continue
            inputs = [env[v] for v in node.inputs]
            found = _node_results(batch, node, inputs, tuple([v in differ for v in node.inputs]))
            for v, (result, flag) in zip(node.outputs, found, strict=True):
                env[v] = result
                if flag:
                    differ.add(v)
    finally:
        batch.loc = outer
        if builder is not None:
            builder.loc = before
    return [env[v] for v in graph.outputs], [v in differ for v in graph.outputs]


def _read(graph: Graph) -> list[Node]:
    """The nodes without those that nothing reads: what has no batched form may be among them."""
    read = set(graph.outputs)
    found = []
    for node in reversed(graph.nodes):
        if any(v in read for v in node.outputs) or node_effects(node):
            found.append(node)
            read.update(node.inputs)
    return found[::-1]


def _node_results(
    batch: Batch, node: Node, inputs: list[Any], flags: tuple[bool, ...]
) -> list[tuple[Any, bool]]:
    """Each result of a node for all examples, and whether it is batched."""
    op, attrs = node.op, node.attrs
    varies = node_varying(node, flags)
    if op.name in UNBATCHABLE and (any(flags) or op.effects):
        raise batch.refuse(op.display or op.name, UNBATCHABLE[op.name])
    alike = not any(flags) and not any(varies)
    if alike and (not op.structured or op.name == "try" or is_plain(node)):
        _require_repeatable(batch, node)
        results = apply(op, inputs, attrs)
        return [(r, False) for r in (results if op.multiple else (results,))]
    if op.structured:
        if op.name not in STRUCTURED:
            raise batch.refuse(op.display or op.name, "it has no batching rule")
        if not is_tracing() and op.name != "call":
            results = _in_a_graph(batch, node, inputs, flags)
        else:
            results = STRUCTURED[op.name](batch, node, inputs, flags)
        return list(zip(results, varies, strict=True))
    results = _op_results(batch, node, inputs, flags)
    listed = results if op.multiple else (results,)
    if not any(varies):
        return [(r, False) for r in listed]
    return [(batch.known(r, v.spec), True) for r, v in zip(listed, node.outputs, strict=True)]


def _op_results(batch: Batch, node: Node, inputs: list[Any], flags: tuple[bool, ...]) -> Any:
    op, attrs = node.op, node.attrs
    if op.elementwise:
        return apply(op, batch.aligned(inputs, flags), attrs)
    rule = BATCHING.get(op.name)
    if rule is not None:
        return rule(batch, flags, *inputs, **attrs)
    if WRITE in op.effects:
        raise batch.refuse(
            f"the write of a variable ({op.display})",
            "the examples would write different values; return the value, and assign what is to "
            "be kept outside of the vmap",
        )
    if op.name not in LOOPED and any(e not in (CHECKS, READ) for e in op.effects):
        raise batch.refuse(op.display or op.name, "it has effects; move it out of the vmap")
    return batch.each(op, flags, inputs, attrs)


def _require_repeatable(batch: Batch, node: Node) -> None:
    op = node.op
    if op.structured:
        for graph in subgraphs(node):
            for inner in nodes_within(graph):
                if not inner.op.structured:
                    _require_repeatable(batch, inner)
    if WRITE in op.effects and op.name not in _REPEATABLE:
        raise batch.refuse(
            f"{op.display} of a variable",
            "once, or once for each example? Assign what is to be kept outside of the vmap",
        )
    if IO in op.effects and op.name not in BATCHING:
        raise batch.refuse(op.display or op.name, "it has effects; move it out of the vmap")


def _in_a_graph(
    batch: Batch, node: Node, inputs: list[Any], flags: tuple[bool, ...]
) -> Sequence[Any]:
    """The results of a structured node outside of a trace: a graph is made for it, and called."""
    builder = GraphBuilder(node.op.name)
    symbols = [builder.add_input(x.spec) for x in inputs]
    with interpreting(builder):
        size = batch.count if batch.count is not None else builder.resolve(batch.size)
        inner = Batch(size, batch.masked, batch.loc)
        results = STRUCTURED[node.op.name](inner, node, symbols, flags)
    return call_graph(builder, inputs, results)


def call_graph(
    builder: GraphBuilder, inputs: Sequence[Any], results: Sequence[Any]
) -> tuple[Any, ...]:
    """Finish what `builder` has made, and call it on eager `inputs` and what it has captured."""
    graph = builder.finish(results)
    ref = FunctionRef(graph.name, graph)
    ref.effects = graph_effects(graph)
    return call_recorded(ref, [*inputs, *builder.captures])


# --- graph to graph ----------------------------------------------------------------


def vmap(graph: Graph, in_batched: Sequence[bool] | None = None, size: int | None = None) -> Graph:
    """The graph that does for a batch of examples what `graph` does for one.

    Inputs with true `in_batched` (by default all but variables) get a first axis, the examples;
    so do all results. `size` is their number, where it is known. Raises BatchingError for what
    has no meaning for a batch.

    >>> import treadle as tl
    >>> graph = tl.function(lambda x: x @ x).get_concrete_function(tl.TensorSpec([2, 2])).graph
    >>> print(tl.graph.vmap(graph, size=5))
    # lambda__vmap(x: f32[5,2,2]) -> f32[5,2,2]
    def lambda__vmap(x):
        # ...
        v0 = matmul(x, x, transpose_a=False, transpose_b=False)  # f32[5,2,2]
        return v0
    """
    if in_batched is None:
        in_batched = [not isinstance(v.spec, ResourceSpec) for v in graph.inputs]
    if not any(in_batched):
        raise BatchingError(f"none of the inputs of '{graph.name}' is batched")
    return batched_function(graph, tuple(in_batched), size, [True] * len(graph.outputs))


def batched_function(
    graph: Graph,
    flags: tuple[bool, ...],
    size: int | None,
    full: Sequence[bool],
    counted: bool = False,
    masked: bool = False,
) -> Graph:
    """`graph` for a batch; the results with true `full` get the examples as an axis in any case.

    With `counted` the graph takes the number of examples as one more input.
    """
    builder = GraphBuilder(f"{graph.name}_vmap")
    inputs = [
        builder.add_input(batched_spec(v.spec, size) if flag else v.spec, v.name)
        for v, flag in zip(graph.inputs, flags, strict=True)
    ]
    given = builder.add_input(TensorSpec((), int32), "examples") if counted else None
    with interpreting(builder):
        known = size if size is not None else given
        batch = Batch(size_of(inputs, flags) if known is None else known, masked)
        results, batched = batched_results(batch, graph, inputs, flags)
        outputs = [
            batch.full(r, b) if wanted else r
            for r, b, wanted in zip(results, batched, full, strict=True)
        ]
    return builder.finish(outputs)


def size_of(values: Sequence[Any], flags: Sequence[bool]) -> Any:
    """The number of examples that the batched values have: an int, or a scalar of the run."""
    tensors = [
        x for x, flag in zip(values, flags, strict=True) if flag and isinstance(x.spec, TensorSpec)
    ]
    for x in tensors:
        if x.spec.shape.rank and x.spec.shape[0] is not None:
            return x.spec.shape[0]
    if not tensors:
        raise BatchingError("the number of examples can't be told: no tensor is batched")
    return apply(OPS["strided_slice"], (shape_of(tensors[0]),), {"key": "0"})


STRUCTURED: dict[str, Any] = {}  # the rules of cond, switch, while, call and try

__all__ = ["STRUCTURED", "batched_function", "batched_results", "call_graph", "size_of", "vmap"]
