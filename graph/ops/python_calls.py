"""Python functions that a program calls when it runs, and their gradients.

What a call recorded for its gradient travels through the graph as an object in a scalar of dtype
string, so that it lives as long as something may ask for the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..build import apply
from ..convert import Array
from ..dtypes import string
from ..node import Tensor
from ..op import ANYTHING, CHECKS, Op, loops_over_batches
from ..spec import TensorSpec
from .define import primitive
from .filling import zeros_like

_RECORD = TensorSpec([], string)
_MISSING = "a gradient of a py_function was asked for, but the call itself did not run"


def _infer(
    *specs: TensorSpec, function: Callable[..., Any], results: tuple[TensorSpec, ...], taped: bool
) -> tuple[TensorSpec, ...]:
    return (*results, _RECORD) if taped else results


def _eval(
    xp: Any, *arrays: Array, function: Callable[..., Any], results: tuple[Any, ...], taped: bool
) -> tuple[Any, ...]:
    found, record = function(arrays, taped)
    return (*found, boxed(record)) if taped else tuple(found)


def boxed(record: Any) -> Array:
    """Any object as an array of no axes."""
    box = np.empty((), object)
    box[()] = record
    return box


def _vjp(
    gs: Sequence[Any],
    outs: Sequence[Any],
    *inputs: Any,
    function: Any,
    results: tuple[TensorSpec, ...],
    taped: bool,
) -> tuple[Any, ...]:
    if not taped:
        return (None,) * len(inputs)
    return _gradients(outs[-1], inputs, outs[:-1], gs[:-1])


def _gradients(
    record: Any, inputs: Sequence[Any], outs: Sequence[Any], gs: Sequence[Any]
) -> tuple[Any, ...]:
    places = [i for i, x in enumerate(inputs) if x.dtype.is_differentiable]
    sources = [inputs[i] for i in places]
    weights = [
        zeros_like(y) if g is None else g
        for y, g in zip(outs, gs, strict=True)
        if y.dtype.is_differentiable
    ]
    found = apply(_gradient, (record, *sources, *weights), {"sources": len(sources)})
    grads: list[Any] = [None] * len(inputs)
    for i, g in zip(places, found, strict=False):
        grads[i] = g
    return tuple(grads)


def _gradient_infer(record: TensorSpec, *specs: TensorSpec, sources: int) -> tuple[TensorSpec, ...]:
    return (*[TensorSpec(s.shape, s.dtype) for s in specs[:sources]], _RECORD)


def _gradient_eval(xp: Any, record: Array, *arrays: Array, sources: int) -> tuple[Any, ...]:
    held = np.asarray(record)[()]
    assert hasattr(held, "backward"), _MISSING
    grads, again = held.backward(arrays[sources:])
    return (*grads, boxed(again))


def _gradient_vjp(
    gs: Sequence[Any], outs: Sequence[Any], record: Any, *inputs: Any, sources: int
) -> tuple[Any, ...]:
    """The record of a backward run has its gradients by the sources and by the weights."""
    return (None, *_gradients(outs[-1], inputs, outs[:-1], gs[:-1]))


_call: Op = primitive(
    "python_call", _infer, _eval, _vjp, multiple=True, effects=(ANYTHING,), display="py_function"
)
_stateless: Op = primitive(
    "stateless_python_call",
    _infer,
    _eval,
    _vjp,
    multiple=True,
    effects=(CHECKS,),
    display="numpy_function",
)
_gradient: Op = primitive(
    "python_gradient",
    _gradient_infer,
    _gradient_eval,
    _gradient_vjp,
    multiple=True,
    display="the gradient of py_function",
)


def python_call(
    function: Callable[..., Any],
    inputs: Sequence[Tensor],
    results: Sequence[TensorSpec],
    taped: bool,
    stateful: bool = True,
) -> tuple[Tensor, ...]:
    """Call `function(arrays, taped)` when the program runs: tensors with the specs `results`.

    It gives a list of arrays, and (if `taped`) an object whose `backward(weights)` gives the
    gradients by the differentiable inputs, and such an object for these.
    """
    attrs = {"function": function, "results": tuple(results), "taped": taped}
    found: tuple[Tensor, ...] = apply(_call if stateful else _stateless, inputs, attrs)
    return found[:-1] if taped else found


# --- of a batch of examples ----------------------------------------------------------

loops_over_batches(_call, _stateless, _gradient)
