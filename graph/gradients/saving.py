"""What the backward half of a differentiated graph takes from the forward half, and what it
computes again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from ..effects import node_effects
from ..node import Node, Value
from ..op import CHECKS

# To compute these again costs about what a save and a load cost, and no memory: elementwise
# arithmetic (no transcendental function), and what gives a view.
CHEAP = frozenset(
    [
        *("add", "subtract", "multiply", "strong_multiply", "negative", "divide", "reciprocal"),
        *("divide_no_nan", "square", "abs", "sign", "maximum", "minimum", "conj", "real", "imag"),
        *("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "where", "cast"),
        *("logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isinf", "isfinite"),
        *("floor", "ceil", "trunc", "round", "floordiv", "floormod", "identity", "stop_gradient"),
        *("reshape", "expand_dims", "squeeze", "transpose", "broadcast_to", "ensure_shape"),
        *("shape", "size", "rank", "array_size", "broadcast_shape", "strided_slice", "complex"),
    ]
)
_CHAIN = 8  # nodes that are computed again, at most, in place of saving one value


class Division(NamedTuple):
    """The nodes that run again, the values to save, and the indices of the inputs to save."""

    again: list[Node]
    residuals: list[Value]
    saved: list[int]


def divide(
    forward: list[Node],
    inputs: list[Value],
    needed: Sequence[Value],
    invariant: Sequence[int],
    known: Sequence[int] = (),
    thorough: bool = False,
) -> Division:
    """What to do about the values `needed` of the `forward` half.

    `invariant` are the indices of inputs that stay the same in a loop: what follows from them
    alone is computed again. `known` are those that cost nothing to save, such as counters. What
    follows by CHEAP ops from these, and from values that are saved anyway, is computed again, too;
    if `thorough`, all that has no effects and holds no graph.
    """
    free = _free(forward, [inputs[i] for i in invariant])
    if thorough:
        free |= {v: node for node in forward if _is_repeatable(node) for v in node.outputs}
    found = _followed(forward, inputs, needed, free)
    # In a loop it costs a stack to save an input; the inputs of others are there anyhow.
    at_hand = [*invariant, *known, *found.saved] if invariant or known else range(len(inputs))
    cheap = _cheap(forward, found.residuals, {inputs[i] for i in at_hand}, free)
    return _followed(forward, inputs, needed, free | cheap) if cheap else found


def _is_repeatable(node: Node) -> bool:
    return not node.op.structured and all(e == CHECKS for e, _ in node_effects(node))


def _free(forward: list[Node], invariant: Sequence[Value]) -> dict[Value, Node]:
    """The values that cost nothing to save: constants, and what follows from `invariant`."""
    known = set(invariant)
    free: dict[Value, Node] = {}
    for node in forward:
        follows = known and _is_repeatable(node) and all(v in known for v in node.inputs)
        if node.op.name == "const" or follows:
            known.update(node.outputs)
            free.update(dict.fromkeys(node.outputs, node))
    return free


def _cheap(
    forward: list[Node],
    residuals: Sequence[Value],
    at_hand: Collection[Value],
    free: dict[Value, Node],
) -> dict[Value, Node]:
    """The values, with their nodes, that follow by cheap ops from residuals that stay and from
    what is `at_hand`: the last residuals are looked at first.
    """
    place = {node: i for i, node in enumerate(forward)} if len(residuals) else {}
    kept = set(residuals)
    cheap: dict[Value, Node] = {}
    for value in sorted(residuals, key=lambda v: place[v.node], reverse=True):  # type: ignore[index]
        kept.discard(value)
        chain: dict[Node, None] = {}
        pending = [value]
        while pending and len(chain) <= _CHAIN:
            v = pending.pop()
            if v in kept or v in at_hand or v in free:
                continue
            node = v.node
            if node is None or node.op.name not in CHEAP or not _is_repeatable(node):
                break
            if node not in chain:
                chain[node] = None
                pending += node.inputs
        else:
            if not pending:
                cheap.update((v, node) for node in chain for v in node.outputs)
                continue
        kept.add(value)
    return cheap


def _followed(
    forward: list[Node], inputs: list[Value], needed: Sequence[Value], free: dict[Value, Node]
) -> Division:
    """What is needed, followed back through what is computed again."""
    made = {v for node in forward for v in node.outputs}
    position = {v: i for i, v in enumerate(inputs)}
    again: set[Node] = set()
    residuals: dict[Value, None] = {}
    saved: dict[int, None] = {}
    pending = list(needed)[::-1]
    while pending:
        value = pending.pop()
        if value in free:
            if free[value] not in again:
                again.add(free[value])
                pending += free[value].inputs
        elif value in made:
            residuals[value] = None
        elif value in position:
            saved[position[value]] = None
    return Division([n for n in forward if n in again], list(residuals), list(saved))


__all__ = ["CHEAP", "Division", "divide"]
