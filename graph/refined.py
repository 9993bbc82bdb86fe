"""`Tensor.set_shape`: what the user knows of a tensor's shape, and the trace does not."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from .build import GraphBuilder, current, leaked
from .errors import ShapeError
from .node import Tensor, Value
from .ops.axes import ensure_shape
from .spec import Spec, TensorShape


class Refined(Value):
    """A symbolic tensor after `set_shape`: what uses it later gets it from a node that checks the
    shape, as `resolved` tells of the builder in which that was said. In a finished graph it is a
    plain `Value` again.
    """

    __slots__ = ()

    @property
    def spec(self) -> Spec:
        here = current()
        around = here if isinstance(here, GraphBuilder) else None
        checked = None
        while around is not None and checked is None:
            checked = around.resolved.get(id(self))
            around = around.parent
        if checked is None and isinstance(self.owner, GraphBuilder):
            checked = self.owner.resolved.get(id(self))
        found: Spec = _SPEC.__get__(self) if checked is None else checked.spec
        return found


_SPEC: Any = Value.__dict__["spec"]


def set_shape(self: Tensor, shape: Any) -> None:
    """State that the tensor's shape fits `shape` (None fits any size): from here on it is known.

    ShapeError where it does not fit; in a trace also when the program runs. Said in a branch or
    loop, of a tensor from outside, it is known there.

    >>> import treadle as tl
    >>> @tl.function(input_signature=[tl.TensorSpec([None], tl.float32)])
    ... def f(x):
    ...     x.set_shape([2])
    ...     return tl.zeros(x.shape)
    >>> f([5., 6.]).numpy()
    array([0., 0.], dtype=float32)
    """
    wanted = TensorShape(shape)
    if not self.shape.is_compatible_with(wanted):
        raise ShapeError(f"set_shape: the shape {self.shape} is not compatible with {wanted}")
    if not isinstance(self, Value) or self.shape.merge_with(wanted) == self.shape:
        return
    builder = current()
    if not isinstance(builder, GraphBuilder):
        raise leaked(self)
    checked = builder.resolve(ensure_shape(self, wanted))
    refine(builder, self, checked)
    self.owner.plain_again.append(self)
    self.__class__ = Refined


def refine(builder: GraphBuilder, value: Value, checked: Value) -> None:
    """In `builder`, `value` stands for `checked` from here on."""
    builder.refined.append((value, checked, builder.resolved.get(id(value))))
    builder.resolved[id(value)] = checked


def forget(
    builder: GraphBuilder, made: Container[Value] | None = None
) -> list[tuple[Value, Value]]:
    """Take `refine` back, only where the nodes that check are among `made`; what it was given."""
    found, kept = [], []
    for value, checked, before in reversed(builder.refined):
        if made is not None and checked not in made:
            kept.append((value, checked, before))
            continue
        found.append((value, checked))
        if before is None:
            del builder.resolved[id(value)]
        else:
            builder.resolved[id(value)] = before
    builder.refined = kept[::-1]
    return found[::-1]


__all__ = ["forget", "refine", "set_shape"]
