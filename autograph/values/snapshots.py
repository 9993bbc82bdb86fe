"""Names that hold a variable on one path and a tensor on another: in a graph, a tensor with what
the variable holds there.

Python would go on with the variable itself. That makes no difference until the variable is
assigned; to use the name after that is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from treadle.graph import Graph, Node, Tensor, Value
from treadle.graph.build import GraphBuilder
from treadle.graph.effects import node_effects
from treadle.graph.errors import ConversionError
from treadle.graph.location import Loc, describe, user_location
from treadle.graph.node import subgraphs
from treadle.graph.op import WRITE

from .given import of_trace
from .state import Nested, Plan, is_variable

_NAME = "snapshots"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a tensor stands for. `after`: what the loop's variable gets at the end of an iteration;
    `kept`: where it was put into a list.
    """

    variables: tuple[Any, ...]
    label: str
    after: Any = None
    kept: Loc | None = None


def variables_in(*values: Any) -> tuple[Any, ...]:
    """The variables that the values stand for on some path."""
    found: dict[int, Any] = {}
    for x in values:
        if isinstance(x, Value):
            known = of_trace(_NAME).get(id(x))
            options: Sequence[Any] = known[1].variables if known is not None else ()
        else:
            options = [x, *getattr(x, "tl_options", ())] if hasattr(type(x), "tl_options") else [x]
        found |= {id(v): v for v in options if is_variable(v)}
    return tuple(found.values())


def refuse_question(x: Any, ask: Callable[[Any], Any]) -> None:
    """Refuse to ask of a tensor what the variable that it stands for answers in another way."""
    for variable in _perhaps(x) if type(x) is Value else ():
        if ask(variable) != ask(x):
            raise ConversionError(
                f"what is asked at {describe(user_location(2))} is asked of the variable "
                f"'{variable.name}' on one path and of a tensor on another, and a graph has a "
                "tensor for both: ask before the paths join, or take read_value() on that one"
            )


def _perhaps(x: Value) -> Sequence[Any]:
    """The variables that `x` may stand for: as an item of a list, those that were put into one."""
    found = variables_in(x)
    if x.node is None or x.node.op.name != "array_read":
        return found
    noted = of_trace(_NAME).values()
    return [*found, *[v for _, s in noted if s.kept for v in s.variables if v.dtype is x.dtype]]


def as_noted(plan: Plan, variables: tuple[Any, ...], label: str = "") -> Plan:
    """`plan` for a tensor that stands for `variables`, if there are any."""
    return Nested([plan], noting(variables, label)) if variables else plan


def noting(variables: Sequence[Any], label: str) -> Callable[[Sequence[Any]], Any]:
    """Makes of a list with one tensor this tensor, and notes that it stands for `variables`."""
    return partial(_note, Snapshot(tuple(variables), label))


def _note(snapshot: Snapshot, items: Sequence[Any]) -> Any:
    of_trace(_NAME)[id(items[0])] = items[0], snapshot
    return items[0]


def note_next(parameter: Value, after: Any, variables: tuple[Any, ...], label: str) -> None:
    """Note that a loop's variable stands for `variables` from the second iteration on, in which it
    holds what `after` was at the end of the one before.
    """
    _note(Snapshot(variables, label, after=after), [parameter])


def note_kept(tensor: Tensor, variables: tuple[Any, ...]) -> None:
    """Note that `tensor` is in a list in place of one of `variables`."""
    _note(Snapshot(variables, "", kept=user_location(2)), [tensor])


def refuse_stale(builder: GraphBuilder, graph: Graph) -> None:
    """Refuse uses of what was a variable's value, after assignments of the variable."""
    noted: dict[int, tuple[Value, Snapshot]] = builder.derived.get(_NAME, {})
    places = [_Place(graph)] if noted else []
    for place in places:  # it grows
        made = (y for node in place.graph.nodes for y in node.outputs)
        for value in (*place.graph.inputs, *made):
            known, snapshot = noted.get(id(value), (None, None))
            if known is value and snapshot is not None:
                _check(place, value, snapshot)
        for node in place.graph.nodes:
            if node.op.structured:
                places += [_Place(g, node, place) for g in subgraphs(node)]


@dataclass(frozen=True, slots=True)
class _Place:
    """A graph, and the node of the one around it that holds it."""

    graph: Graph
    node: Node | None = None
    around: _Place | None = None


def _check(place: _Place, value: Value, snapshot: Snapshot) -> None:
    assert isinstance(value.owner, GraphBuilder)
    graph = place.graph
    for variable in snapshot.variables:
        resource = _resource(value.owner, variable)
        if resource is None:
            continue  # nothing here assigns it
        if snapshot.kept is not None:
            _refuse_assigned(place, value, resource, variable, snapshot.kept)
            continue
        written = None
        if isinstance(snapshot.after, Value):
            written, _ = _used_late(_behind(graph, snapshot.after), (), None, resource, None)
        _, used = _used_late(_behind(graph, value), graph.outputs, value, resource, written)
        if used is not None:
            subject = f"'{snapshot.label}'" if snapshot.label else "a value"
            raise ConversionError(
                f"{subject} is the variable '{variable.name}' or a tensor, depending on a tensor, "
                f"and is used at {describe(used[1])}, after the variable was assigned at "
                f"{describe(used[0])}: a graph only has what it held before. Take what the "
                "variable holds there (read_value()), or use it before the assignment"
            )


def _resource(builder: GraphBuilder, variable: Any) -> Value | None:
    """What `variable` is in a graph, if it is used there."""
    found = builder.resolved.get(id(variable))
    if found is None and builder.parent is not None and not builder.is_function:
        outer = _resource(builder.parent, variable)
        found = None if outer is None else builder.resolved.get(id(outer))
    return found


def _refuse_assigned(
    place: _Place, value: Value, resource: Value, variable: Any, kept: Loc
) -> None:
    """Refuse that a variable is assigned after it was put into a list of the graph's."""
    behind: Sequence[Node] = _behind(place.graph, value)
    while True:
        node = place.node
        if node is not None and node.op.name == "while":
            behind = place.graph.nodes  # those before it, in the next iteration
        written, _ = _used_late(behind, (), None, resource, None)
        if written is not None:
            raise _assigned_later(variable, kept, written)
        index = next((i for i, v in enumerate(place.graph.inputs) if v is resource), None)
        if node is None or place.around is None or index is None:
            return
        if node.op.name == "try":
            handler = node.attrs["handler"]
            late, _ = _used_late(handler.nodes, (), None, handler.inputs[index], None)
            if late is not None and place.graph is not handler:
                raise _assigned_later(variable, kept, late)
        resource = node.inputs[index + len(node.inputs) - len(place.graph.inputs)]
        place = place.around
        behind = place.graph.nodes[place.graph.nodes.index(node) + 1 :]


def _assigned_later(variable: Any, kept: Loc, written: Loc) -> ConversionError:
    return ConversionError(
        f"the variable '{variable.name}' is put into a list whose length depends on a tensor, at "
        f"{describe(kept)}, and assigned after that, at {describe(written)}: the list only has "
        "what the variable held before. Put that into it ('variable.read_value()')"
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
        kept = len(node.outputs) if node.op.name == "while" else 0  # what a loop carries
        if written is not None and any(v is value for v in node.inputs[:kept]):
            return written, (written, node.loc)
        if uses and node.op.structured and node.op.name != "call":
            skip = len(node.inputs) - len(subgraphs(node)[0].inputs)
            entry = written
            for turn in range(2 if kept else 1):  # what an iteration assigns, the next one sees
                for graph in subgraphs(node):
                    pairs = list(zip(node.inputs[skip:], graph.inputs, strict=True))
                    inner = next((y for x, y in pairs if x is resource), resource)
                    for place in [y for x, y in pairs[turn * kept :] if x is value]:
                        late, used = _used_late(graph.nodes, graph.outputs, place, inner, entry)
                        if used is not None:
                            return written, used
                        if node.op.name in ("try", "while"):
                            entry = late  # the handler comes after the body
        elif uses and (written is not None or writes):
            return written, (written or node.loc, node.loc)
        if writes:
            written = node.loc
    if written is not None and any(v is value for v in outputs):
        return written, (written, written)
    return written, None
