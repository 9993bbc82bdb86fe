"""The user's generators: what they yield, checked and as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..graph.build import interpreting, recording
from ..graph.convert import to_array
from ..graph.errors import InvalidArgumentError
from ..graph.nest import children, flatten
from ..graph.spec import TensorSpec

_END = object()


class GeneratorRows:
    """Goes over the arrays of what `generator` yields, which must be as `element_spec` says."""

    # Eager execution keeps what it can use as a key: this would keep the generator.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, generator: Callable[..., Any], element_spec: Any) -> None:
        self.generator = generator
        self.element_spec = element_spec
        self.specs = flatten(element_spec)

    def __repr__(self) -> str:
        return getattr(self.generator, "__name__", "generator")

    def __call__(self, args: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        with interpreting(None), recording(()):
            elements = iter(self.generator(*args))
        while True:
            # The user's code runs as plain Python, whatever asks for the element.
            with interpreting(None), recording(()):
                element = next(elements, _END)
            if element is _END:
                return
            parts = _parts(element, self.element_spec)
            if parts is None or len(parts) != len(self.specs):
                raise InvalidArgumentError(
                    f"{self!r} yielded {element!r}, which has not the structure of "
                    f"{self.element_spec}"
                )
            pairs = zip(parts, self.specs, strict=True)
            yield tuple([self._array(value, spec) for value, spec in pairs])

    def _array(self, value: Any, spec: TensorSpec) -> Any:
        value = value.numpy() if hasattr(value, "numpy") else value
        try:
            array = to_array(value, spec.dtype)
        except (TypeError, ValueError) as error:
            raise InvalidArgumentError(
                f"{self!r} yielded {value!r}, which is no tensor of {spec.dtype.name}: {error}"
            ) from None
        if not spec.shape.is_compatible_with(array.shape):
            raise InvalidArgumentError(
                f"{self!r} yielded an element of shape {array.shape} where one of shape "
                f"{spec.shape} was expected"
            )
        return array


def _parts(element: Any, spec: Any) -> list[Any] | None:
    """The values in the places of the specs; None where the structures differ."""
    inner = children(spec)
    if inner is None:
        return [element]
    outer = children(element)
    if outer is None or len(outer) != len(inner):
        return None
    found: list[Any] = []
    for value, part in zip(outer, inner, strict=True):
        parts = _parts(value, part)
        if parts is None:
            return None
        found += parts
    return found
