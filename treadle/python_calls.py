"""Plain Python in a traced function: `py_function` and `numpy_function` call it at each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .graph.build import convert, interpreting, recording
from .graph.convert import Array
from .graph.dtypes import as_dtype
from .graph.errors import DTypeError, OpError, ShapeError
from .graph.location import Loc, describe, user_location
from .graph.nest import children, flatten, pack
from .graph.node import Tensor
from .graph.ops.python_calls import python_call
from .graph.spec import UNKNOWN, TensorSpec
from .runtime import EagerTensor, GradientTape


def py_function(
    func: Callable[..., Any] | None = None,
    inp: Any = None,
    Tout: Any = None,  # noqa: N803 - TensorFlow's name
    name: Any = None,
) -> Any:
    """Call the Python function `func` on the tensors `inp`, eagerly, at each run of the program.

    `func` may do anything that Python may: print, change lists, assign variables. It keeps its
    place among all output and all reads and writes of variables. Lists in `inp` become tensors,
    dicts of tensors stay dicts. `Tout` says what it gives: a
    dtype or TensorSpec, a structure of these, or None (or []) where its result is not wanted.
    Gradients flow through the tensors in `inp`; variables that `func` itself reads count as
    constants: pass them in `inp`. Exceptions of `func` pass through as they are; a result that is
    not as `Tout` says is a DTypeError, ShapeError or ValueError. Without `func`: a decorator.

    >>> import treadle as tl
    >>> seen = []
    >>> @tl.function
    ... def f(x):
    ...     return tl.py_function(lambda x: seen.append(x.numpy()) or x * x, [x], tl.float32)
    >>> f(2.), f(3.), f(2.)
    (<tl.Tensor: shape=(), dtype=float32, numpy=4.0>, ...)
    >>> seen
    [np.float32(2.0), np.float32(3.0), np.float32(2.0)]
    """
    if func is None:
        return lambda f: _decorated(py_function, f, {"Tout": Tout})
    call = _Call(func, inp, Tout, strict=False)
    taped = any(x.dtype.is_differentiable for x in call.inputs) and any(
        s.dtype.is_differentiable for s in call.specs
    )
    return call.packed(python_call(call.run_on_tensors, call.inputs, call.specs, taped))


def numpy_function(
    func: Callable[..., Any] | None = None,
    inp: Any = None,
    Tout: Any = None,  # noqa: N803
    stateful: bool = True,
    name: Any = None,
) -> Any:
    """Call `func` on the NumPy arrays of the tensors `inp`, at each run of the program.

    As `py_function`, but without gradients, and an array in the result must have the very dtype
    that `Tout` says (numbers are converted). With `stateful=False` `func` promises to depend on
    its arguments alone: it may be called once for equal arguments, and in any order.

    >>> import treadle as tl, numpy as np
    >>> tl.function(lambda x: tl.numpy_function(np.sort, [x], tl.int32))([3, 1, 2])
    <tl.Tensor: shape=(3,), dtype=int32, numpy=array([1, 2, 3], dtype=int32)>
    """
    if func is None:
        return lambda f: _decorated(numpy_function, f, {"Tout": Tout, "stateful": stateful})
    call = _Call(func, inp, Tout, strict=True)
    return call.packed(python_call(call.run_on_arrays, call.inputs, call.specs, False, stateful))


def _decorated(call: Any, function: Any, options: dict[str, Any]) -> Callable[..., Any]:
    def decorated(*args: Any) -> Any:
        return call(function, list(args), **options)

    decorated.__name__ = getattr(function, "__name__", "decorated")
    decorated.__doc__ = function.__doc__
    decorated.__wrapped__ = function  # type: ignore[attr-defined]
    return decorated


def _spec(leaf: Any) -> TensorSpec:
    if isinstance(leaf, TensorSpec):
        return TensorSpec(leaf.shape, leaf.dtype)
    return TensorSpec(UNKNOWN, as_dtype(leaf))


def _boxed(argument: Any) -> Any:
    """A dict of arguments stays one; all else is a tensor: a leaf, as a function that gives it."""
    if isinstance(argument, dict):
        return {k: _boxed(v) for k, v in argument.items()}
    return lambda: argument


class _Call:
    """A function with its arguments' structure and what it is to give."""

    def __init__(self, function: Callable[..., Any], inp: Any, wanted: Any, strict: bool) -> None:
        if not callable(function):
            raise TypeError(f"func must be a function, not {function!r}")
        arguments: Any = [] if inp is None else inp
        if isinstance(arguments, Tensor) or not isinstance(arguments, (list, tuple)):
            raise TypeError(f"inp must be a list of the arguments of func, not {arguments!r}")
        self.function = function
        self.strict = strict
        self.loc: Loc | None = user_location(3)
        self.structure = [_boxed(x) for x in arguments]
        self.inputs = [convert(box()) for box in flatten(self.structure)]
        self.wanted = wanted
        self.specs = [] if wanted is None else [_spec(leaf) for leaf in flatten(wanted)]

    @property
    def label(self) -> str:
        return getattr(self.function, "__name__", None) or repr(self.function)

    def packed(self, results: Sequence[Any]) -> Any:
        return None if self.wanted is None else pack(self.wanted, results)

    def run_on_tensors(self, arrays: Sequence[Array], taped: bool) -> tuple[list[Array], Any]:
        inputs: list[Any] = [
            EagerTensor(a, x.dtype) for a, x in zip(arrays, self.inputs, strict=True)
        ]
        with interpreting(None), recording(()):
            if not taped:
                return [t._value for t in self._results(inputs)], None
            tape = GradientTape(persistent=True, watch_accessed_variables=False)
            sources = [x for x in inputs if x.dtype.is_differentiable]
            with tape:
                tape.watch(sources)
                results = self._results(inputs)
        targets = [y for y in results if y.dtype.is_differentiable]
        return [t._value for t in results], _Record(tape, sources, targets)

    def run_on_arrays(self, arrays: Sequence[Array], taped: bool) -> tuple[list[Array], Any]:
        with interpreting(None), recording(()):
            # Copies, since the function may change its arguments, and its results later on.
            copies = [np.array(a) for a in arrays]
            return [np.array(t._value) for t in self._results(copies)], None

    def _results(self, inputs: Sequence[Any]) -> list[Any]:
        """Call the function: its results as eager tensors of the specs."""
        try:
            result = self.function(*pack(self.structure, inputs))
        except OpError as error:
            error.explained = True  # type: ignore[attr-defined]  # a user's error stays as it is
            raise
        if not self.specs:
            return []
        return [
            self._checked(value, spec, i)
            for i, (value, spec) in enumerate(zip(self._leaves(result), self.specs, strict=True))
        ]

    def _leaves(self, result: Any) -> list[Any]:
        """The leaves of a result, in the structure of Tout; an array or tensor is one of them."""
        if children(self.wanted) is None:
            return [result]
        found: list[Any] = []
        pending = [(self.wanted, result)]
        while pending:
            wanted, given = pending.pop()
            parts = children(wanted)
            if parts is None:
                found.append(given)
                continue
            items = children(given)
            if items is None and len(parts) == 1:
                items = [given]  # `return x` for Tout=[dtype]
            if items is None or len(items) != len(parts):
                count = 1 if items is None else len(items)
                raise self._error(
                    ValueError, f"gave {count} results ({given!r}), Tout names {len(parts)}"
                )
            pending += reversed(list(zip(parts, items, strict=True)))
        return found

    def _checked(self, value: Any, spec: TensorSpec, place: int) -> Any:
        which = f"result {place} " if len(self.specs) > 1 else ""
        if value is None:
            raise self._error(ValueError, f"gave {which}None, Tout says {spec}")
        if self.strict and isinstance(value, (np.ndarray, np.generic)):
            value = EagerTensor(np.asarray(value))
        try:
            tensor: Any = convert(value, spec.dtype)
        except (OpError, TypeError, ValueError):
            raise self._error(
                DTypeError,
                f"gave {which}{value!r}, Tout says {spec.dtype.name}; convert it, or change Tout",
            ) from None
        if not spec.shape.is_compatible_with(tensor.shape):
            raise self._error(
                ShapeError, f"gave {which}a tensor of shape {tensor.shape}, Tout says {spec.shape}"
            )
        return tensor

    def _error(self, kind: type[Exception], message: str) -> Exception:
        error = kind(f"'{self.label}' {message}\n    called at {describe(self.loc)}")
        error.explained = True  # type: ignore[attr-defined]
        return error


class _Record:
    """What a call recorded; each further gradient is recorded on the same tape."""

    def __init__(self, tape: GradientTape, sources: list[Any], targets: list[Any]) -> None:
        self._tape = tape
        self._sources = sources
        self._targets = targets

    def backward(self, weights: Sequence[Array]) -> tuple[list[Array], _Record]:
        tape = self._tape
        given = [EagerTensor(w, y.dtype) for w, y in zip(weights, self._targets, strict=True)]
        with interpreting(None), recording(()), tape:
            tape.watch(given)
            grads = tape.gradient(self._targets, self._sources, given, "zero")
        return [g._value for g in grads], _Record(tape, [*self._sources, *given], grads)


__all__ = ["numpy_function", "py_function"]
