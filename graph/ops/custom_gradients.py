"""Results with a gradient of the user's own: `custom_gradient`.

The op gives its first inputs on as they are. Its gradient is not theirs: a function says what it
is. In a graph that is a graph, whose captures are inputs of the op; eager code has the user's
function itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..build import apply, replay
from ..errors import DTypeError, ShapeError
from ..node import FunctionRef, Tensor
from ..op import Op
from ..spec import Spec, TensorSpec
from .define import primitive
from .filling import zeros_like


def _infer(
    *specs: Spec, callee: FunctionRef | Callable[..., Any], results: int, wrt: tuple[int, ...]
) -> tuple[Spec, ...]:
    if isinstance(callee, FunctionRef) and callee.graph is not None:
        graph = callee.graph
        if len(graph.outputs) != len(wrt) or len(graph.inputs) < results:
            raise ShapeError(f"{callee.name} is not the gradient of these {results} results")
        for place, found in zip(wrt, graph.out_specs, strict=True):
            if found.dtype is not specs[place].dtype:
                raise DTypeError(
                    f"{callee.name} gives a gradient of dtype {found.dtype.name} for "
                    f"{specs[place]}; use tl.cast"
                )
    return tuple([TensorSpec(s.shape, s.dtype) for s in specs[:results]])


def pull_back(
    callee: FunctionRef | Callable[..., Any],
    gs: Sequence[Any],
    inputs: Sequence[Any],
    wrt: Sequence[int],
) -> list[Any]:
    """The gradient of each of `inputs`, those of the op, where the results have the gradients `gs`.

    Linear in `gs`, by ops: it can be recorded, differentiated, and transposed.
    """
    if isinstance(callee, FunctionRef):
        assert callee.graph is not None
        captured = len(callee.graph.inputs) - len(gs)
        found = replay(callee.graph, [*gs, *inputs[len(inputs) - captured :]])
    else:
        found = callee(gs)
    grads: list[Any] = [None] * len(inputs)
    for place, g in zip(wrt, found, strict=True):
        grads[place] = g
    return grads


def _vjp(
    gs: Sequence[Any],
    outs: Sequence[Any],
    *inputs: Any,
    callee: FunctionRef | Callable[..., Any],
    results: int,
    wrt: tuple[int, ...],
) -> list[Any]:
    given = [zeros_like(y) if g is None else g for g, y in zip(gs, outs, strict=True)]
    return pull_back(callee, given, inputs, wrt)


CUSTOM: Op = primitive(
    "custom_gradient",
    _infer,
    lambda xp, *arrays, callee, results, wrt: arrays[:results],
    _vjp,
    multiple=True,
)


def custom_gradient(
    results: Sequence[Tensor],
    sources: Sequence[Any],
    callee: FunctionRef | Callable[..., Any],
    wrt: Sequence[int] | None = None,
    captured: Sequence[Any] = (),
) -> tuple[Tensor, ...]:
    """`results`, whose gradients by `sources` (those at the places `wrt`, or all) `callee` gives.

    `callee` is a function of the gradients of the results, or a graph of these and of `captured`.
    """
    count = len(results)
    chosen = range(len(sources)) if wrt is None else wrt
    attrs = {"callee": callee, "results": count, "wrt": tuple([count + i for i in chosen])}
    found: tuple[Tensor, ...] = apply(CUSTOM, [*results, *sources, *captured], attrs)
    return found


__all__ = ["CUSTOM", "custom_gradient", "pull_back"]
