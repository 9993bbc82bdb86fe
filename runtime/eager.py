"""Eager execution: each op call is carried out at once, by NumPy."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..graph.build import leaked
from ..graph.control import CALL
from ..graph.convert import Array
from ..graph.dtypes import DType
from ..graph.errors import ResourceExhaustedError
from ..graph.node import Tensor, Value
from ..graph.op import Attrs, Op, infer_specs
from ..graph.spec import ArraySpec, DataSpec, Spec, TensorSpec
from .executable import executable
from .tensor import EagerArray, EagerData, EagerTensor

# What to call for an elementwise op on operands of given dtypes, and the result's dtype.
_kernels: dict[tuple[Any, ...], tuple[Callable[..., Any], DType]] = {}


# What `infer` said, by op, attributes, dtypes and shapes; emptied when it grows beyond a limit.
_specs: dict[tuple[Any, ...], tuple[Spec, ...]] = {}
_SPECS_KEPT = 10_000


class _Quiet(threading.local):
    """A context of each thread in which NumPy does not warn: entering it costs 30 ns, entering
    `np.errstate` 500.
    """

    def __init__(self) -> None:
        self.context = contextvars.copy_context()
        self.context.run(np.seterr, all="ignore")


_quiet = _Quiet()


class Eager:
    """The interpreter that works outside of traces."""

    numbers: tuple[()] = ()  # Python's own need no tensors to stand for them

    def apply(self, op: Op, inputs: Sequence[Any], attrs: Attrs) -> Any:
        if op.elementwise and not attrs:
            return _elementwise(op, inputs)
        if op is CALL:
            return run_graph(attrs["callee"].graph, inputs)
        parts: list[Any] = [op, *attrs.values()]
        arrays: list[Any] = []
        for x in inputs:
            if type(x) is not EagerTensor:
                return _general(op, inputs, attrs)
            array = x._value
            arrays.append(array)
            parts.append(x.dtype.code)
            parts.append(array.shape)
        try:
            key = tuple(parts)
            specs = _specs.get(key)
        except TypeError:  # an attribute is an array
            return _general(op, inputs, attrs)
        if specs is None:
            if len(_specs) > _SPECS_KEPT:
                _specs.clear()
            specs = _specs[key] = infer_specs(op, tuple([x.spec for x in inputs]), attrs)
        return _wrapped(op, evaluate(op, arrays, attrs), specs)

    def constant(self, array: Array) -> Tensor:
        return EagerTensor(array)


def _elementwise(op: Op, inputs: Sequence[Any]) -> EagerTensor:
    try:
        key = (op, *[x.dtype.code for x in inputs])
        arrays = [x._value for x in inputs]
    except AttributeError:
        raise next(leaked(x) for x in inputs if isinstance(x, Value)) from None
    known = _kernels.get(key)
    if known is None:
        (spec,) = infer_specs(op, tuple([x.spec for x in inputs]), {})
        assert op.eval is not None
        function = getattr(np, op.ufunc) if op.ufunc else partial(op.eval, np)
        known = _kernels[key] = (function, spec.dtype)
    try:
        return EagerTensor(_quiet.context.run(known[0], *arrays), known[1])
    except MemoryError as error:
        raise ResourceExhaustedError(str(error)) from None
    except (ValueError, RuntimeError):
        # Either the shapes do not fit, which `infer` says better, or a finaliser got in between.
        infer_specs(op, tuple([x.spec for x in inputs]), {})
        with np.errstate(all="ignore"):
            return EagerTensor(known[0](*arrays), known[1])


def _general(op: Op, inputs: Sequence[Any], attrs: Attrs) -> Any:
    """An op on variables and arrays of tensors too, or with attributes that can't be a key."""
    for x in inputs:
        if isinstance(x, Value):
            raise leaked(x)
    specs = infer_specs(op, tuple([x.spec for x in inputs]), attrs)
    return _wrapped(op, evaluate(op, [x._value for x in inputs], attrs), specs)


def _wrapped(op: Op, results: Any, specs: tuple[Spec, ...]) -> Any:
    if op.multiple:
        return tuple([wrap(r, s) for r, s in zip(results, specs, strict=True)])
    return wrap(results, specs[0])


def evaluate(op: Op, arrays: Sequence[Any], attrs: Attrs) -> Any:
    """The reference semantics of an op, with NumPy's warnings off."""
    assert op.eval is not None, op
    if not op.effects:
        try:
            return _quiet.context.run(op.eval, np, *arrays, **attrs)
        except MemoryError as error:
            raise ResourceExhaustedError(str(error)) from None
        except RuntimeError:  # a finaliser runs ops while this thread is in one
            pass
    with np.errstate(all="ignore"):
        return op.eval(np, *arrays, **attrs)


def wrap(value: Any, spec: Spec) -> Any:
    if isinstance(spec, TensorSpec):
        return EagerTensor(value, spec.dtype)
    if isinstance(spec, ArraySpec):
        return EagerArray(value, spec)
    if isinstance(spec, DataSpec):
        return EagerData(value, spec)
    return value


def run_graph(graph: Any, inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Run a graph on eager values and variables."""
    results = executable(graph)([x._value for x in inputs])
    return tuple([wrap(r, v.spec) for r, v in zip(results, graph.outputs, strict=True)])


__all__ = ["Eager", "evaluate", "run_graph", "wrap"]
