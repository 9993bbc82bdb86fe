"""Names that hold a variable on one path and a tensor on another: in a graph, a tensor with what
the variable holds there.

Python would go on with the variable itself. That makes no difference until the variable is
assigned; to use the name after that is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from treadle.graph import Graph, Node, Value
from treadle.graph.build import GraphBuilder
from treadle.graph.effects import node_effects
from treadle.graph.errors import ConversionError
from treadle.graph.location import Loc, describe
from treadle.graph.node import subgraphs
from treadle.graph.op import WRITE

from .given import of_trace
from .state import is_variable

_NAME = "snapshots"


def variables_in(*values: Any) -> tuple[Any, ...]:
    """The variables that the values stand for on some path."""
    found: dict[int, Any] = {}
    for x in values:
        if isinstance(x, Value):
            known = of_trace(_NAME).get(id(x))
            options: Sequence[Any] = known[1] if known is not None else ()
        else:
            options = [x, *getattr(x, "tl_options", ())] if hasattr(type(x), "tl_options") else [x]
        found |= {id(v): v for v in options if is_variable(v)}
    return tuple(found.values())


def noting(variables: tuple[Any, ...], label: str) -> Callable[[Sequence[Any]], Any]:
    """Makes of a list with one tensor this tensor, and notes that it stands for `variables`."""
    return partial(_note, variables=variables, label=label)


def _note(items: Sequence[Any], variables: tuple[Any, ...], label: str) -> Any:
    of_trace(_NAME)[id(items[0])] = items[0], variables, label, None
    return items[0]


def note_next(parameter: Value, after: Any, variables: tuple[Any, ...], label: str) -> None:
    """Note that a loop's variable stands for `variables` from the second iteration on, in which it
    holds what `after` was at the end of the one before.
    """
    of_trace(_NAME)[id(parameter)] = parameter, variables, label, after


def refuse_stale(builder: GraphBuilder, graph: Graph) -> None:
    """Refuse uses of what was a variable's value, after assignments of the variable."""
    noted: dict[int, Any] = builder.derived.get(_NAME, {})
    graphs = [graph] if noted else []
    for one in graphs:  # it grows
        made = (y for node in one.nodes for y in node.outputs)
        for value in (*one.inputs, *made):
            if id(value) in noted and noted[id(value)][0] is value:
                _check(one, *noted[id(value)])
        graphs += [g for node in one.nodes if node.op.structured for g in subgraphs(node)]


def _check(graph: Graph, value: Value, variables: Any, label: str, after: Any) -> None:
    assert isinstance(value.owner, GraphBuilder)
    for variable in variables:
        resource = value.owner.resolved.get(id(variable))
        if resource is None:
            continue  # nothing here assigns it
        written = None
        if isinstance(after, Value):
            written, _ = _used_late(_behind(graph, after), (), None, resource, None)
        _, used = _used_late(_behind(graph, value), graph.outputs, value, resource, written)
        if used is not None:
            subject = f"'{label}'" if label else "a value"
            raise ConversionError(
                f"{subject} is the variable '{variable.name}' or a tensor, depending on a tensor, "
                f"and is used at {describe(used[1])}, after the variable was assigned at "
                f"{describe(used[0])}: a graph only has what it held before. Take what the "
                "variable holds there (read_value()), or use it before the assignment"
            )


def _behind(graph: Graph, value: Value) -> Sequence[Node]:
    """The nodes behind the one that makes `value`."""
    if value.node is None or value.node not in graph.nodes:
        return graph.nodes
    return graph.nodes[graph.nodes.index(value.node) + 1 :]


def _used_late(
    nodes: Sequence[Node],
    outputs: Sequence[Value],
    value: Value | None,
    resource: Value,
    written: Loc | None,
) -> tuple[Loc | None, tuple[Loc | None, Loc | None] | None]:
    """Where `resource` was assigned last, and the first use of `value` after an assignment."""
    for node in nodes:
        uses = any(v is value for v in node.inputs)
        writes = any(
            e == WRITE and i is not None and node.inputs[i] is resource
            for e, i in node_effects(node)
        )
        if uses and node.op.structured and node.op.name != "call":
            skip = len(node.inputs) - len(subgraphs(node)[0].inputs)
            for graph in subgraphs(node):
                pairs = list(zip(node.inputs[skip:], graph.inputs, strict=True))
                inner = next((y for x, y in pairs if x is resource), resource)
                for place in [y for x, y in pairs if x is value]:
                    _, used = _used_late(graph.nodes, graph.outputs, place, inner, written)
                    if used is not None:
                        return written, used
        elif uses and (written is not None or writes):
            return written, (written or node.loc, node.loc)
        if writes:
            written = node.loc
    if written is not None and any(v is value for v in outputs):
        return written, (written, written)
    return written, None
