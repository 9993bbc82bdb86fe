"""What a concrete function accepts: the arguments that it was traced for."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from ..graph.build import convert
from ..graph.control import fits
from ..graph.errors import InvalidArgumentError, SignatureError
from ..graph.location import describe, user_location
from ..graph.nest import children, flatten, rebuild, sorted_keys
from ..graph.node import Tensor
from ..graph.spec import ArraySpec, DataSpec, ResourceSpec, TensorSpec, covers
from ..runtime import Variable
from .fitting import stand_in
from .signature import (
    Parameters,
    alike,
    covers_key,
    is_tensor_like,
    key_of,
    same_key,
    spec_of,
)


class VariableArgument:
    """Stands for a variable: the how many-th of the arguments'. `captured` is the variable itself
    where the function captures it as well.
    """

    def __init__(
        self, spec: ResourceSpec, trainable: bool, index: int, captured: Variable | None
    ) -> None:
        self.spec = spec
        self.trainable = trainable
        self.index = index
        self.captured = captured

    def __repr__(self) -> str:
        value = self.spec.value
        return (
            f"VariableSpec(shape={value.shape}, dtype=tl.{value.dtype.name}, "
            f"trainable={self.trainable}, alias_id={self.index})"
        )


class Opaque:
    """Stands for an object, which a concrete function does not keep alive."""

    def __init__(self, x: object) -> None:
        self.name = type(x).__name__
        try:
            self._target: Any = weakref.ref(x)
        except TypeError:
            self._target = None

    def may_be(self, x: object) -> bool:
        return self._target is None or self._target() is x

    def is_surely(self, x: object) -> bool:
        return self._target is not None and self._target() is x

    def __repr__(self) -> str:
        return f"<{self.name}>"


def names_within(structure: Any, name: str | None) -> list[str | None]:
    """Names of the items of an argument, after its own: `d_a`, `xs_0`."""
    if name is None:
        return [None] * len(children(structure) or ())
    if isinstance(structure, Mapping):
        return [f"{name}_{k}" for k in sorted_keys(structure)]
    return [f"{name}_{i}" for i in range(len(children(structure) or ()))]


def _is_asked_for(expected: Any) -> bool:
    """True for what a call must give."""
    known = isinstance(expected, (TensorSpec, ArraySpec, DataSpec, VariableArgument))
    return known or hasattr(expected, "__tl_stand_in__")


class Accepts:
    """Binds the arguments of a concrete function's call and checks them.

    `arguments` says what each must be. A method's own object is not asked for, but may be given.
    """

    def __init__(
        self,
        name: str,
        parameters: Parameters,
        arguments: Mapping[str, Any],
        tied: Mapping[int, Variable],
        of_class: bool = False,
    ) -> None:
        self._name = name
        self.parameters = parameters
        self._tied = tied
        self._variables: list[Variable] = []
        self.arguments = {n: self._described(x, n) for n, x in arguments.items()}
        for p in parameters.listed:
            if p.kind is p.VAR_KEYWORD and p.name in arguments:
                given = arguments[p.name]
                self.arguments[p.name] = {k: self._described(given[k], k) for k in given}
        self._variables = []
        self._own: Opaque | None = None  # a method's own object
        first = next(iter(self.arguments), "")
        own = self.arguments.get(first)
        if isinstance(own, Opaque) and (of_class or first in ("self", "cls")):
            self._own = own
            del self.arguments[first]
            self.parameters = parameters.without_first()
        # A spec's own name serves as a keyword as well.
        self._renamed = {
            spec.name: n
            for n, spec in self.arguments.items()
            if isinstance(spec, TensorSpec) and spec.name not in self.arguments
        }

    def _described(self, x: Any, name: str | None) -> Any:
        if isinstance(x, TensorSpec):
            return x if x.name or not name else TensorSpec(x.shape, x.dtype, name)
        if isinstance(x, Variable):
            if not any(v is x for v in self._variables):
                self._variables.append(x)
            index = next(i for i, v in enumerate(self._variables) if v is x)
            return VariableArgument(x.spec, x.trainable, index, self._tied.get(id(x)))
        if is_tensor_like(x):
            spec = spec_of(x)
            plain = isinstance(spec, TensorSpec)
            return TensorSpec(spec.shape, spec.dtype, name) if plain else spec
        items = children(x)
        if items is not None:
            names = names_within(x, name)
            return rebuild(
                x, [self._described(item, n) for item, n in zip(items, names, strict=True)]
            )
        if x is None or isinstance(x, (bool, int, float, complex, str, bytes)):
            return x
        return Opaque(x)

    @property
    def signature(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional and the keyword arguments."""
        return self.parameters.unbind(self.arguments)

    def bind(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], captured: Sequence[Any]
    ) -> list[Any]:
        """The tensors and variables, in order. What is no tensor may be left out."""
        renamed = {self._renamed.get(n, n): x for n, x in kwargs.items()}
        if args and self._own is not None and self._own.is_surely(args[0]):
            next_one = next(iter(self.arguments.values()), None)
            again = isinstance(next_one, Opaque) and next_one.is_surely(args[0])
            if not again or len(args) > len(self.parameters.names):
                args = args[1:]
        try:
            given = self.parameters.signature.bind_partial(*args, **renamed).arguments
        except TypeError as error:
            raise SignatureError(f"{self._name}(): {error}") from None
        tensors: list[Any] = []
        variables: list[Variable] = []
        for name, expected in self.arguments.items():
            if name in given:
                self._collect(name, given[name], expected, tensors, variables)
            elif any(map(_is_asked_for, flatten(expected))):
                raise SignatureError(f"{self._name}() misses the argument '{name}'")
        for v in variables:
            if any(v is c for c in captured):
                raise SignatureError(
                    f"{self._name}(): the variable '{v.name}' is given as an argument and also "
                    "used by the function itself, which was not traced so"
                )
        return tensors

    def _collect(
        self, name: str, value: Any, expected: Any, tensors: list[Any], variables: list[Variable]
    ) -> None:
        if isinstance(expected, TensorSpec):
            tensors.append(self._tensor(name, value, expected))
            return
        if isinstance(expected, (ArraySpec, DataSpec)):
            spec = getattr(value, "spec", None)
            if not isinstance(spec, type(expected)) or not fits(expected, spec):
                raise self._other(name, value, expected)
            tensors.append(value)
            return
        if isinstance(expected, VariableArgument):
            if self._is_new(name, value, expected, variables):
                variables.append(value)
                tensors.append(value)
            return
        if hasattr(expected, "__tl_stand_in__"):
            value = stand_in(value)
            if not covers_key(key_of(stand_in(expected)), key_of(value)):
                raise self._other(name, value, expected)
            tensors += children(value) or []
            return
        items = children(expected)
        if items is not None:
            parts = children(value)
            if parts is None or not alike(value, expected):
                raise self._other(name, value, expected)
            for part, item in zip(parts, items, strict=True):
                self._collect(name, part, item, tensors, variables)
        elif isinstance(expected, Opaque):
            if not expected.may_be(value):
                raise self._other(name, value, expected)
        elif not same_key(value, expected):
            raise self._other(name, value, expected)

    def _other(self, name: str, value: Any, expected: Any) -> SignatureError:
        return SignatureError(
            f"{self._name}(): the argument '{name}' was traced as {expected!r}, got {value!r}"
        )

    def _tensor(self, name: str, value: Any, spec: TensorSpec) -> Tensor:
        tensor = convert(value, hint=spec.dtype)
        if tensor.dtype is not spec.dtype or not covers(spec.shape, tensor.shape):
            raise InvalidArgumentError(
                f"{self._name}(): the argument '{name}' must be a tensor of shape {spec.shape} and "
                f"dtype {spec.dtype.name}, got shape {tensor.shape} and dtype "
                f"{tensor.dtype.name}, at {describe(user_location(3))}"
            )
        return tensor

    def _is_new(
        self, name: str, value: Any, expected: VariableArgument, variables: list[Variable]
    ) -> bool:
        """True for a variable that is not yet in `variables`; checks that this is as traced."""
        what = f"{self._name}(): the argument '{name}' must be"
        if not isinstance(value, Variable):
            raise SignatureError(f"{what} a variable, got {value!r}")
        if value.spec != expected.spec:
            raise SignatureError(f"{what} a {expected.spec}, got a {value.spec}")
        if expected.captured is not None and value is not expected.captured:
            raise SignatureError(f"{what} the variable '{expected.captured.name}' itself")
        index = next((i for i, v in enumerate(variables) if v is value), len(variables))
        if index != expected.index:
            raise SignatureError(
                f"{what} another variable than those before it"
                if expected.index == len(variables)
                else f"{what} the same variable as one before it"
            )
        return index == len(variables)


__all__ = ["Accepts"]
