"""A loop over the examples, for what has no rule that does all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..build import apply, current, is_tracing
from ..control import emit_while, new_branch
from ..dtypes import int32
from ..op import OPS, Op, infer_specs
from ..ops.arithmetic import add
from ..ops.array_tensors import array_stack
from ..ops.arrays import array_new, array_push
from ..ops.comparison import less
from ..ops.joining import stack
from ..spec import ArraySpec, TensorSpec
from .batch import Batch, _each

Step = Callable[[list[Any]], Sequence[Any]]


def results_of_each(
    batch: Batch, flags: Sequence[bool], inputs: Sequence[Any], specs: Sequence[Any], step: Step
) -> list[Any]:
    """The results that `step` gives for the inputs of each example, stacked.

    `specs` are those of the results for one example.
    """
    if any(isinstance(s, ArraySpec) for s in (*specs, *_specs(inputs, flags))):
        raise batch.refuse("a loop over the examples", "lists or arrays in it differ by example")

    def example(i: Any) -> list[Any]:
        return [
            apply(OPS["strided_slice"], (x, i), {"key": "$0"}) if flag else x
            for x, flag in zip(inputs, flags, strict=True)
        ]

    if not is_tracing():
        rows = [step(example(current().constant(np.array(i)))) for i in range(int(batch.size))]
        if not rows:
            return [_nothing(s) for s in specs]
        return [stack(list(column), 0) for column in zip(*rows, strict=True)]
    arrays = [array_new(element=TensorSpec(s.shape, s.dtype)) for s in specs]
    first = current().constant(np.array(0, np.int32))
    carried = [TensorSpec((), int32), *(a.spec for a in arrays)]
    test = new_branch(carried, ["example"], "examples_left")
    with test:
        go_on = less(test.inputs[0], batch.size)
    body = new_branch(carried, ["example"], "for_each_example")
    with body:
        i, *sofar = body.inputs
        found = step(example(i))
        outputs = [add(i, 1), *(array_push(a, y) for a, y in zip(sofar, found, strict=True))]
    _, *filled = emit_while([first, *arrays], test, go_on, body, outputs)
    return [batch.known(array_stack(a), s) for a, s in zip(filled, specs, strict=True)]


def _specs(inputs: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
    return [x.spec for x, flag in zip(inputs, flags, strict=True) if flag]


def _nothing(spec: TensorSpec) -> Any:
    dims = [] if spec.shape.rank is None else [d or 0 for d in spec.shape]
    return current().constant(np.zeros((0, *dims), spec.dtype.numpy))


def each(
    batch: Batch, op: Op, flags: Sequence[bool], inputs: Sequence[Any], attrs: dict[str, Any]
) -> Any:
    """The results of an op, by a loop."""
    tell = _told.get()
    if tell is not None:
        tell(op, batch)
    specs = infer_specs(
        op,
        tuple([batch.example(x.spec) if f else x.spec for x, f in zip(inputs, flags, strict=True)]),
        attrs,
    )

    def step(values: list[Any]) -> Sequence[Any]:
        results = apply(op, values, attrs)
        listed: Sequence[Any] = results if op.multiple else (results,)
        return listed

    found = results_of_each(batch, flags, inputs, specs, step)
    return tuple(found) if op.multiple else found[0]


_told: ContextVar[Callable[[Op, Batch], None] | None] = ContextVar("told of loops", default=None)


@contextmanager
def telling_of_loops(tell: Callable[[Op, Batch], None]) -> Iterator[None]:
    """Tell of each op that a loop over the examples carries out."""
    token = _told.set(tell)
    try:
        yield
    finally:
        _told.reset(token)


_each.append(each)

__all__ = ["each", "results_of_each", "telling_of_loops"]
