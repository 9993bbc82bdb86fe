"""`Tensor.set_shape`: what the user knows of a tensor's shape, and the trace does not."""

from __future__ import annotations

from typing import Any

from .build import GraphBuilder, current, leaked
from .errors import ShapeError
from .node import Tensor, Value
from .ops.axes import ensure_shape
from .spec import Spec, TensorShape


class Refined(Value):
    """A symbolic tensor after `set_shape`: what uses it later gets it from a node that checks the
    shape, as its builder's `resolved` tells. In a finished graph it is a plain `Value` again.
    """

    __slots__ = ()

    @property
    def spec(self) -> Spec:
        checked: Spec = self.owner.resolved[id(self)].spec
        return checked


def set_shape(self: Tensor, shape: Any) -> None:
    """State that the tensor's shape fits `shape` (None fits any size): from here on it is known.

    ShapeError where it does not fit; in a trace also when the program runs. In a branch or loop, of
    a tensor from outside, it is just checked.

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
    if builder is self.owner:
        builder.resolved[id(self)] = checked
        builder.refined.append(self)
        self.__class__ = Refined


__all__ = ["set_shape"]
