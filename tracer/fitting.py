"""`input_signature`: arguments are converted to it, so that one trace serves all calls."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ..graph.build import convert
from ..graph.errors import OpError, SignatureError
from ..graph.location import describe, user_location
from ..graph.nest import children, flatten, item_names, rebuild
from ..graph.node import Tensor
from ..graph.spec import TensorSpec, covers
from ..runtime import Variable
from .signature import Parameters, alike, covers_key, key_of, same_key


def stand_in(x: Any) -> Any:
    """An argument, with a dataset that is none yet in the place of each spec of one."""
    made = getattr(type(x), "__tl_stand_in__", None)
    if made is not None:
        return made(x)
    old = None if isinstance(x, Variable) else children(x)
    if old is None:
        return x
    items = list(map(stand_in, old))
    return x if all(map(operator.is_, items, old)) else rebuild(x, items)


class Fitted:
    """An argument converted to its `input_signature`: the value, keyed by the signature's spec.

    Of a dataset, `tensor` is its handle and `spec` a dataset that stands for it.
    """

    __slots__ = ("spec", "tensor")

    def __init__(self, tensor: Any, spec: Any) -> None:
        self.tensor = tensor
        self.spec = spec

    def __tracing_type__(self) -> Any:
        return self.spec


class InputSignature:
    """The specs of a function's positional parameters; further ones keep their defaults."""

    def __init__(
        self, name: str, parameters: Parameters, specs: Sequence[Any], of_class: bool = False
    ) -> None:
        """`of_class`: the first parameter is a method's own object if there is no spec for it."""
        self._name = name
        for spec in flatten(tuple(specs)):
            if not isinstance(spec, TensorSpec) and not hasattr(spec, "__tl_stand_in__"):
                _refuse_spec(name, spec)
        specs = stand_in(tuple(specs))
        listed = parameters.listed
        plain = [p for p in listed if p.kind in parameters.PLAIN]
        needed = [p for p in plain if p.default is p.empty]
        named = bool(plain) and plain[0].name in ("self", "cls")
        if named or (of_class and len(specs) < len(needed)):
            listed, plain = listed[1:], plain[1:]
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
        if hasattr(type(spec), "__tracing_type__"):  # a dataset
            value = stand_in(value)
            if not covers_key(key_of(spec), key_of(value)):
                raise self._misfit(name, value, spec)
            return Fitted(flatten(value)[0], spec)
        items = None if isinstance(spec, TensorSpec) else children(spec)
        if items is not None:
            parts = children(value)
            if parts is None or not alike(value, spec):
                raise self._misfit(name, value, spec)
            each = zip(item_names(spec), parts, items, strict=True)
            return rebuild(spec, [self._fit(name + n, v, s) for n, v, s in each])
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
        place = f"'{name}'" if name.isidentifier() else name
        return SignatureError(
            f"Python inputs incompatible with input_signature: {self._name}() takes the argument "
            f"{place} with {wanted}, got {got}, at {describe(user_location(3))}"
        )

    def _refused(self, problem: str) -> SignatureError:
        return SignatureError(
            f"Python inputs incompatible with input_signature: that of {self._name}() {problem}, "
            f"at {describe(user_location(3))}"
        )


def _refuse_spec(name: str, spec: Any) -> NoReturn:
    raise TypeError(
        "input_signature must be a possibly nested sequence of TensorSpec objects: that of "
        f"{name}() holds {spec!r} of type {type(spec).__name__}. What is no tensor can be a "
        "parameter with a default"
    )


def _shown(x: Any) -> str:
    if isinstance(x, (Tensor, TensorSpec)):
        return f"shape {x.shape} and dtype {x.dtype.name}"
    if hasattr(type(x), "element_spec"):
        return f"a dataset of {x.element_spec}"
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


__all__ = ["Fitted", "InputSignature", "spec_if_fitted", "stand_in", "value_if_fitted"]
