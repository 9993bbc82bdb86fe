"""`input_signature`: arguments are converted to it, so that one trace serves all calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ..graph.build import convert
from ..graph.errors import OpError, SignatureError
from ..graph.location import describe, user_location
from ..graph.nest import children, flatten, rebuild
from ..graph.node import Tensor
from ..graph.spec import TensorSpec, covers
from .signature import Parameters, alike, same_key


class Fitted:
    """An argument converted to its `input_signature`: the value, keyed by the signature's spec."""

    __slots__ = ("spec", "tensor")

    def __init__(self, tensor: Tensor | TensorSpec, spec: TensorSpec) -> None:
        self.tensor = tensor
        self.spec = spec

    def __tracing_type__(self) -> Any:
        return self.spec


class InputSignature:
    """The specs of a function's positional parameters; further ones keep their defaults."""

    def __init__(self, name: str, parameters: Parameters, specs: Sequence[Any]) -> None:
        self._name = name
        for spec in flatten(tuple(specs)):
            if not isinstance(spec, TensorSpec):
                _refuse_spec(name, spec)
        listed = [p for p in parameters.listed if p.name not in ("self", "cls")]
        plain = [p for p in listed if p.kind in parameters.PLAIN]
        rest = [p for p in listed if p.kind is p.VAR_POSITIONAL]
        self._specs = dict(zip([p.name for p in plain], specs, strict=False))
        more = tuple(specs[len(plain) :])
        if more and not rest:
            raise SignatureError(
                f"the input_signature has {len(specs)} entries, {name}() takes {len(plain)} "
                "positional arguments"
            )
        if rest:
            self._specs[rest[0].name] = more
        self._fixed = {
            p.name: p.default
            for p in listed
            if p.name not in self._specs and p.kind is not p.VAR_KEYWORD
        }
        missing = [n for n, default in self._fixed.items() if default is inspect.Parameter.empty]
        if missing:
            raise SignatureError(
                f"the input_signature of {name}() has no entry for '{missing[0]}', which has no "
                "default"
            )
        self._extra = next((p.name for p in listed if p.kind is p.VAR_KEYWORD), None)

    def fit(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments converted; SignatureError for one that does not fit."""
        fitted = dict(arguments)
        for name, spec in self._specs.items():
            fitted[name] = self._fit(name, arguments[name], spec)
        for name, default in self._fixed.items():
            if not same_key(arguments[name], default):
                raise self._refused(
                    f"has no entry for '{name}', which therefore keeps its default {default!r}"
                )
        if self._extra and arguments.get(self._extra):
            first = next(iter(arguments[self._extra]))
            raise self._refused(f"has no entry for '{first}'")
        return fitted

    def _fit(self, name: str, value: Any, spec: Any) -> Any:
        items = None if isinstance(spec, TensorSpec) else children(spec)
        if items is not None:
            parts = children(value)
            if parts is None or not alike(value, spec):
                raise self._misfit(name, value, spec)
            return rebuild(spec, [self._fit(name, v, s) for v, s in zip(parts, items, strict=True)])
        if not isinstance(value, TensorSpec):
            try:
                value = convert(value, hint=spec.dtype)
            except OpError:
                raise self._misfit(name, value, spec) from None
        if value.dtype is not spec.dtype or not covers(spec.shape, value.shape):
            raise self._misfit(name, value, spec)
        return Fitted(value, spec)

    def _misfit(self, name: str, value: Any, spec: Any) -> SignatureError:
        got, wanted = _shown(value), _shown(spec)
        return SignatureError(
            f"Python inputs incompatible with input_signature: {self._name}() takes the argument "
            f"'{name}' with {wanted}, got {got}, at {describe(user_location(3))}"
        )

    def _refused(self, problem: str) -> SignatureError:
        return SignatureError(
            f"Python inputs incompatible with input_signature: that of {self._name}() {problem}, "
            f"at {describe(user_location(3))}"
        )


def _refuse_spec(name: str, spec: Any) -> NoReturn:
    own = getattr(spec, "__tracing_type__", None)
    if own is not None and not isinstance(spec, type):
        own()  # may say it better
    raise TypeError(
        "input_signature must be a possibly nested sequence of TensorSpec objects: that of "
        f"{name}() holds {spec!r} of type {type(spec).__name__}. What is no tensor can be a "
        "parameter with a default"
    )


def _shown(x: Any) -> str:
    if isinstance(x, (Tensor, TensorSpec)):
        return f"shape {x.shape} and dtype {x.dtype.name}"
    return repr(x)


def _unfit(x: Any, pick: Callable[[Fitted], Any]) -> Any:
    if isinstance(x, Fitted):
        return pick(x)
    items = children(x)
    return x if items is None else rebuild(x, [_unfit(item, pick) for item in items])


def spec_if_fitted(x: Any) -> Any:
    return _unfit(x, lambda fitted: fitted.spec)


def value_if_fitted(x: Any) -> Any:
    return _unfit(x, lambda fitted: fitted.tensor)


__all__ = ["Fitted", "InputSignature", "spec_if_fitted", "value_if_fitted"]
