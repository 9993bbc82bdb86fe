"""The rule of `while` for a batch.

A loop whose test is the same for all examples stays as it is. Else it runs until all examples are
done: a carried value tells which still run, and the others keep their state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..control import Branch, emit_while, join_specs, new_branch
from ..dtypes import bool_
from ..node import Node
from ..ops.logic import logical_and
from ..spec import TensorSpec
from .batch import Batch
from .graphs import batched_results
from .selecting import chosen, safe_values, some
from .varying import while_flags


def while_rule(
    batch: Batch, node: Node, inputs: Sequence[Any], given: tuple[bool, ...]
) -> list[Any]:
    test, body = node.attrs["test"], node.attrs["body"]
    flags, tested = while_flags(test, body, given)
    count = len(body.outputs)
    state = [
        batch.full(x, have) if flag else x
        for x, have, flag in zip(inputs[:count], given, flags, strict=False)
    ]
    rest = list(inputs[count:])
    names = [v.name for v in body.inputs[:count]]
    specs = [
        batch.spec(v.spec) if flag else v.spec
        for v, flag in zip(body.inputs[:count], flags, strict=False)
    ]
    if tested:
        (running,), (flag,) = batched_results(batch, test, [*state, *rest], flags)
        running = batch.full(running, flag)
        state = [running, *state]
        names = ["running", *names]
        specs = [TensorSpec((batch.count,), bool_), *specs]

    def trace() -> tuple[Branch, Any, Branch, list[Any]]:
        left = new_branch(specs, names, test.name)
        with left:
            values = left.inputs
            if tested:
                go_on = some(values[0])
            else:
                (go_on,), _ = batched_results(batch, test, [*values, *rest], flags)
        step = new_branch(specs, names, body.name)
        with step:
            values = step.inputs
            if tested:
                outputs = _masked_step(batch, node, values[0], [*values[1:], *rest], flags)
            else:
                found, batched = batched_results(batch, body, [*values, *rest], flags)
                outputs = [
                    batch.full(y, have) if flag else y
                    for y, have, flag in zip(found, batched, flags, strict=False)
                ]
        return left, go_on, step, outputs

    for _ in range(4):  # what is known of shapes may be less for a batch
        left, go_on, step, outputs = trace()
        joined = [join_specs(s, v.spec) for s, v in zip(specs, outputs, strict=True)]
        if joined == specs:
            break
        specs = joined
    results = emit_while(state, left, go_on, step, outputs)
    return list(results[1:] if tested else results)


def _masked_step(
    batch: Batch, node: Node, running: Any, values: list[Any], flags: tuple[bool, ...]
) -> list[Any]:
    """One more trip for the examples that still run: which of them go on, and the new state."""
    test, body = node.attrs["test"], node.attrs["body"]
    count = len(body.outputs)
    on_path = batch.on_some()
    safe = safe_values(batch, running, values, flags, body)
    found, batched = batched_results(on_path, body, safe, flags)
    state = []
    for old, new, have, flag in zip(values, found, batched, flags, strict=False):
        state.append(chosen(batch, running, new, old, (have, True)) if flag else new)
    after = [*state, *values[count:]]
    (go_on,), (flag,) = batched_results(
        on_path, test, safe_values(batch, running, after, flags, test), flags
    )
    return [logical_and(running, batch.full(go_on, flag)), *state]


__all__ = ["while_rule"]
