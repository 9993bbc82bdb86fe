"""What is known of truth values in a branch: its own condition, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from treadle.graph import Value
from treadle.graph.build import GraphBuilder, current
from treadle.graph.ops.define import constant_of

Outer = dict[Value, tuple[Value, Any]]  # what the inputs of a sub-graph stand for, around it


def assume(value: Any, truth: bool) -> None:
    """From here on in the graph that is built now (a branch, or what follows a check), `value` is
    `truth`.
    """
    builder = current()
    if not isinstance(builder, GraphBuilder) or not isinstance(value, Value):
        return
    todo: list[tuple[Value, bool, Outer | None]] = [(value, truth, None)]
    while todo:
        fact, holds, outer = todo.pop()
        if outer is None:
            builder.facts[id(fact)] = (fact, holds)
        elif fact in outer:
            fact, outer = outer[fact]
            todo.append((fact, holds, outer))
            continue
        todo += _implied(fact, holds, outer)


def known_truth(value: Any) -> bool | None:
    """Whether a scalar of dtype bool is true here; None if only the run will tell."""
    if isinstance(value, bool):
        return value
    constant = constant_of(value)
    if constant is not None:
        return bool(constant)
    builders = list(_around())
    aliases = [value, *[b.resolved.get(id(value)) for b in builders]]  # in graphs around
    for builder in builders:
        for alias in aliases:
            fact = builder.facts.get(id(alias))
            if fact is not None and fact[0] is alias:
                return fact[1]
    return next((t for t in map(_by_branch, aliases) if t is not None), None)


def _by_branch(value: Any) -> bool | None:
    """What the branch that is known to be taken gives, if that is a constant."""
    node = getattr(value, "node", None)
    if node is None or node.op.name != "cond":
        return None
    ways = [constant_of(node.attrs[way].outputs[value.index]) for way in ("orelse", "then")]
    taken = None if ways == [None, None] else known_truth(node.inputs[0])
    found = None if taken is None else ways[taken]
    return None if found is None else bool(found)


def _around() -> Iterator[GraphBuilder]:
    """The graph that is built now, and those around it."""
    builder = current()
    while isinstance(builder, GraphBuilder):
        yield builder
        if builder.parent is None:
            return
        builder = builder.parent


def _implied(
    value: Value, truth: bool, outer: Outer | None
) -> Iterator[tuple[Value, bool, Outer | None]]:
    """What must hold where `value` is `truth`."""
    node = value.node
    if node is None:
        return
    match node.op.name:
        case "logical_not":
            yield node.inputs[0], not truth, outer
        case "logical_and" if truth:
            yield from ((v, True, outer) for v in node.inputs)
        case "logical_or" if not truth:
            yield from ((v, False, outer) for v in node.inputs)
        case "cond":
            # `a and b` is a branch that gives a constant where `b` is not evaluated.
            ways = (node.attrs["then"], True), (node.attrs["orelse"], False)
            for (taken, decides), (other, _) in (ways, ways[::-1]):
                constant = constant_of(other.outputs[value.index])
                if constant is not None and bool(constant) is not truth:
                    yield node.inputs[0], decides, outer
                    around = [(v, outer) for v in node.inputs[1:]]
                    inner = dict(zip(taken.inputs, around, strict=True))
                    yield taken.outputs[value.index], truth, inner
        case _:
            pass
