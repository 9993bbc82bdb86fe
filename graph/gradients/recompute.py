"""Functions whose gradient runs their forward part again: what `tl.recompute_grad` makes.

Variables are read first, and their values kept with what the effects gave (`repeating.py`): what
runs again neither prints nor draws, and finds the values of the call. Without a budget nothing else
is kept but the inputs. With one, loops keep checkpoints within it (`checkpoints.py`), results of
loops and branches are kept, and what lies between them runs again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..build import GraphBuilder, interpreting, replay
from ..node import Graph, Node, subgraphs
from ..ops.state import read
from ..walk import functions_of
from .by_value import Which, by_value, read_only
from .checkpoints import Budget, within
from .linearize import Linear, linearize
from .repeating import RECOMPUTE, repeated, require_repeatable


class Recompute(NamedTuple):
    """How a function is to be differentiated: `budget` in bytes, for its loops."""

    budget: int | None = None


def recomputed(
    graph: Graph, name: str, how: Recompute, out_mask: Sequence[bool], in_mask: Sequence[bool]
) -> Linear:
    """The halves of a function whose backward half runs its forward part again."""
    require_repeatable(graph, name)
    variables = read_only(graph)
    valued = by_value(graph, variables) if variables else graph
    if how.budget is None:
        half = _all_again(valued, out_mask, in_mask)
    else:
        loops = max(1, _count_loops(valued))
        with within(Budget(how.budget // loops)):
            half = linearize(valued, out_mask, in_mask, thorough=True)
    return _reading(graph, half, variables) if variables else half


def _count_loops(graph: Graph) -> int:
    """The loops that are not within loops: they share the budget."""
    count = 0
    pending = [graph]
    while pending:
        for node in pending.pop().nodes:
            if node.op.name == "while":
                count += 1
            elif node.op.structured:
                pending += _held(node)
    return count


def _held(node: Node) -> list[Graph]:
    callee = node.attrs.get("callee")
    if callee is None:
        return subgraphs(node)
    graph = callee.graph
    return [] if graph is None or callee in functions_of(graph) else [graph]


def _all_again(graph: Graph, out_mask: Sequence[bool], in_mask: Sequence[bool]) -> Linear:
    parts = repeated(graph)
    half = linearize(parts.again, out_mask, [*in_mask, *[False] * parts.records])
    count = len(graph.inputs)
    builder = GraphBuilder(f"{graph.name}_backward")
    records = [builder.add_input(v.spec, v.name) for v in parts.again.inputs[count:]]
    used = {v for node in parts.again.nodes for v in node.inputs} | set(parts.again.outputs)
    saved = [i for i, v in enumerate(parts.again.inputs[:count]) if v in used]
    taken = {i: builder.add_input(graph.inputs[i].spec, graph.inputs[i].name) for i in saved}
    incoming = [builder.add_input(graph.outputs[i].spec, f"g{i}") for i in half.out_grads]
    with interpreting(builder):
        inputs = [taken.get(i) for i in range(count)] + records
        found = replay(half.forward, inputs)[len(graph.outputs) :]
        kept = [inputs[i] for i in half.saved_inputs]
        grads = replay(half.backward, [*found, *kept, *incoming])
    backward = builder.finish(grads)
    again = (*parts.again.nodes, *half.recomputed)
    return Linear(parts.first, backward, tuple(saved), half.out_grads, half.in_grads, again)


def _reading(graph: Graph, half: Linear, variables: Which) -> Linear:
    """The halves for a graph that takes `variables`, from those for one that takes their values."""
    forward = GraphBuilder(half.forward.name)
    inputs = [forward.add_input(v.spec, v.name) for v in graph.inputs]
    with interpreting(forward):
        values = [read(v) if i in variables else v for i, v in enumerate(inputs)]
        results = replay(half.forward, values)
    kept = [i for i in half.saved_inputs if i in variables]
    first = forward.finish([*results, *(values[i] for i in kept)])
    first = Graph(first.name, first.inputs, first.nodes, first.outputs, graph.captured)

    count = len(results) - len(graph.outputs)
    given = half.backward.inputs
    by_index = dict(zip(half.saved_inputs, given[count:], strict=False))
    others = [i for i in half.saved_inputs if i not in variables]
    order = [*given[:count], *(by_index[i] for i in [*kept, *others])]
    order += given[count + len(half.saved_inputs) :]
    back = half.backward
    backward = Graph(back.name, tuple(order), back.nodes, back.outputs)
    return Linear(first, backward, tuple(others), *half[3:])


__all__ = ["RECOMPUTE", "Recompute", "recomputed"]
