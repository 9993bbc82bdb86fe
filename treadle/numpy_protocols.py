"""NumPy's functions applied to tensors and variables: `__array_ufunc__`, `__array_function__`.

What has an equal here becomes ops, with NumPy's keywords and dtypes. In a trace they are ops like
all others, gradients included. Eagerly a step in NumPy breaks the path of a gradient, as the guides
say: tapes do not see it, and a warning tells so. What has no equal is left to NumPy, which gives
what it gives for the values of eager tensors.
"""

from __future__ import annotations

import dis
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np

from .graph.build import is_tracing, leaves_tapes, recorders, recording
from .graph.location import describe, user_location
from .graph.node import Tensor, Value
from .graph.operators import BINARY, COMPARISON
from .numpy_ufuncs import METHODS, UFUNCS, NoEqual, call
from .numpy_values import TABLE
from .runtime import Variable

# --- operators: `array + tensor` ----------------------------------------------------

_OPERATORS: dict[Any, Callable[[Any, Any], Any]] = {
    np.add: BINARY["add"],
    np.subtract: BINARY["sub"],
    np.multiply: BINARY["mul"],
    np.divide: BINARY["truediv"],
    np.floor_divide: BINARY["floordiv"],
    np.remainder: BINARY["mod"],
    np.power: BINARY["pow"],
    np.matmul: BINARY["matmul"],
    np.bitwise_and: BINARY["and"],
    np.bitwise_or: BINARY["or"],
    np.bitwise_xor: BINARY["xor"],
    np.left_shift: BINARY["lshift"],
    np.right_shift: BINARY["rshift"],
    np.equal: COMPARISON["eq"],
    np.not_equal: COMPARISON["ne"],
    np.less: COMPARISON["lt"],
    np.less_equal: COMPARISON["le"],
    np.greater: COMPARISON["gt"],
    np.greater_equal: COMPARISON["ge"],
}
_OPCODES = {dis.opmap[name] for name in ("BINARY_OP", "COMPARE_OP") if name in dis.opmap}


def _is_operator(frame: Any) -> bool:
    """True if the instruction at work in `frame` is an operator, not a call."""
    return frame.f_code.co_code[frame.f_lasti] in _OPCODES


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """What NumPy calls for `np.sin(x)`, `np.add.reduce(x)`, and for `array + x`.

    The operator of a NumPy array or number beside a tensor is the tensor's: it takes the tensor's
    dtype, as everywhere. Written as a call, `np.add(array, x)`, it has NumPy's dtypes.
    """
    if method == "__call__" and ufunc in _OPERATORS and _is_operator(sys._getframe(1)):
        return _OPERATORS[ufunc](*inputs)
    name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    rest = _without_defaults(options, _UFUNC_DEFAULTS)
    reason = ""
    if not rest.keys() - {"dtype", "axis", "keepdims"}:
        try:
            if method == "__call__" and ufunc in UFUNCS and rest.keys() <= {"dtype"}:
                with _off_tape(name, inputs):
                    return call(ufunc, inputs, **rest)
            if method in METHODS and ufunc in UFUNCS:
                with _off_tape(name, inputs):
                    found = METHODS[method](ufunc, *inputs, **rest)
                if found is not None:
                    return found
        except NoEqual as error:
            reason = str(error)
    else:
        reason = f"the keyword '{next(iter(rest.keys() - {'dtype', 'axis', 'keepdims'}))}'"
    return _by_numpy(name, reason, getattr(ufunc, method), inputs, options)


_UFUNC_DEFAULTS: dict[str, Any] = {
    "out": None,
    "where": True,
    "dtype": None,
    "casting": "same_kind",
    "order": "K",
    "subok": True,
    "keepdims": False,
    "initial": None,
}


def _without_defaults(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {
        k: v
        for k, v in options.items()
        if not (v is np._NoValue or v is defaults.get(k, _MISSING) or _equal(v, defaults.get(k)))
    }


_MISSING = object()


def _equal(value: Any, default: Any) -> bool:
    return (
        type(value) in (bool, int, float, str)
        and type(value) is type(default)
        and (value == default)
    )


# --- functions -----------------------------------------------------------------------


def array_function(
    self: Any, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """What NumPy calls for its functions on tensors: `np.sum(x, axis=0)`, `np.where(...)`."""
    equal = TABLE.get(function)
    reason = ""
    if equal is not None:
        try:
            positional, named = _arguments(function, args, kwargs)
        except TypeError:
            return function._implementation(*args, **kwargs)  # NumPy's own error
        try:
            inspect.signature(equal).bind(*positional, **named)
        except TypeError as error:
            reason = str(error).replace("got an unexpected keyword argument", "the keyword")
        else:
            try:
                with _off_tape(_name(function), (args, list(kwargs.values()))):
                    return equal(*positional, **named)
            except NoEqual as error:
                reason = str(error)
    return _by_numpy(_name(function), reason, function, args, kwargs)


def _arguments(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that are not left at NumPy's defaults, those with names by name."""
    signature = _signature(function)
    if signature is None:
        return list(args), _without_defaults(kwargs, {"out": None})
    bound = signature.bind(*args, **kwargs)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        parameter = signature.parameters[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            named.update(_without_defaults(value, {"out": None}))
        elif not (
            value is np._NoValue or value is parameter.default or _equal(value, parameter.default)
        ):
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[name] = value
    return positional, named


@cache
def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:  # written in C
        return None


def _name(function: Any) -> str:
    module = function.__module__.replace("numpy", "np", 1)
    return f"{module}.{function.__name__}".replace("np._core.", "np.")


# --- tapes ---------------------------------------------------------------------------


def _off_tape(name: str, operands: Any) -> AbstractContextManager[None]:
    """Eagerly, hide what NumPy is asked for from tapes; warn where one might miss it."""
    active = recorders()
    if is_tracing() or not active:
        return nullcontext()
    for x in _leaves(operands):
        if (isinstance(x, Variable) and x.trainable) or (
            isinstance(x, Tensor) and any(tape.is_watched(x) for tape in active)
        ):
            leaves_tapes(x, name)
            warnings.warn(
                f"{name} at {describe(user_location())} is a step in NumPy: no gradient flows "
                "through it. Use the function of tl, or call it inside of a tl.function, where it "
                "is traced",
                UserWarning,
                stacklevel=3,
            )
            break
    return recording(())


# --- what has no equal ---------------------------------------------------------------


def _by_numpy(name: str, reason: str, function: Any, args: Any, kwargs: Any) -> Any:
    """NumPy's own result for eager tensors; NotImplementedError for symbolic ones."""
    for leaf in _leaves([*args, *kwargs.values()]):
        if isinstance(leaf, Value) or (isinstance(leaf, Variable) and is_tracing()):
            raise NotImplementedError(_refusal(name, reason, leaf))
    return function(*_as_arrays(args), **{k: _as_arrays(v) for k, v in kwargs.items()})


def _refusal(name: str, reason: str, leaf: Any) -> str:
    what = f"'{leaf.name}' ({leaf.spec})" if getattr(leaf, "name", "") else f"({leaf.spec})"
    why = f" ({reason})" if reason else ""
    return (
        f"{name} has no equal among the ops{why}, and was called on the symbolic tensor {what} at "
        f"{describe(user_location())}, while the function is traced: it has no value yet. Use the "
        f"functions of tl, or tl.numpy_function({name}, [...], Tout), which calls NumPy when the "
        "program runs."
    )


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        yield from _leaves(list(value.values()))
    else:
        yield value


def _as_arrays(value: Any) -> Any:
    """The arguments with arrays in place of tensors and variables."""
    if isinstance(value, (Tensor, Variable)):
        return np.asarray(value)
    if type(value) in (list, tuple):
        return type(value)([_as_arrays(v) for v in value])
    if type(value) is dict:
        return {k: _as_arrays(v) for k, v in value.items()}
    return value


def install(kind: Any) -> None:
    """Give a class of tensors NumPy's protocols."""
    kind.__array_ufunc__ = array_ufunc
    kind.__array_function__ = array_function


for kind in (Tensor, Variable):
    install(kind)

__all__ = ["install"]
