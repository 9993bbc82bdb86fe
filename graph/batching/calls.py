"""The rule of `call` for a batch: a function is batched once for each choice of batched inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..build import is_tracing
from ..control import call
from ..effects import graph_effects, settle_effects
from ..gradients import RECOMPUTE, call_recorded
from ..node import APART, FunctionRef, Node
from ..walk import functions_of
from .batch import Batch
from .graphs import batched_function
from .varying import node_varying


def call_rule(
    batch: Batch, node: Node, inputs: Sequence[Any], flags: tuple[bool, ...]
) -> Sequence[Any]:
    callee: FunctionRef = node.attrs["callee"]
    if callee.graph is None:
        raise batch.refuse(
            f"a call of '{callee.name}'", "it is not traced yet: it calls itself in a vmap"
        )
    varies = node_varying(node, flags)
    made = _batched(batch, callee, flags, varies)
    counted = batch.count is None
    given = [*inputs, batch.size] if counted else list(inputs)
    return call(made, given) if is_tracing() else call_recorded(made, given)


def _batched(
    batch: Batch, callee: FunctionRef, flags: tuple[bool, ...], varies: tuple[bool, ...]
) -> FunctionRef:
    key = ("batched", flags, batch.count, batch.masked)
    if key not in callee.extra:
        assert callee.graph is not None
        made = FunctionRef(f"{callee.name}_vmap")
        specs = zip(callee.graph.outputs, varies, strict=True)
        made.specs = tuple([batch.spec(v.spec) if flag else v.spec for v, flag in specs])
        made.effects = graph_effects(callee.graph)
        kept = (k for k in (RECOMPUTE, APART) if k in callee.extra)
        made.extra.update({k: callee.extra[k] for k in kept})
        callee.extra[key] = made
        made.graph = batched_function(
            callee.graph, flags, batch.count, varies, batch.count is None, batch.masked
        )
        called = [ref.graph for ref in functions_of(made.graph) if ref.graph is not None]
        settle_effects([*called, made.graph])
    found: FunctionRef = callee.extra[key]
    return found


__all__ = ["call_rule"]
