"""Tensors handed to and taken from other libraries, by the DLPack protocol.

Libraries that speak the protocol need none of this: `np.from_dlpack(t)`, `torch.from_dlpack(t)`
and `tl.constant(x)` take each other's arrays. These are TensorFlow's names, for capsules.
"""

from __future__ import annotations

from typing import Any

from .graph.build import convert
from .graph.errors import InvalidArgumentError
from .graph.node import Tensor, Value


class _Carrier:
    """A capsule as an object that speaks the protocol."""

    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # the CPU


def to_dlpack(tensor: Any) -> Any:
    """A DLPack capsule with a copy of an eager tensor's value.

    >>> import treadle as tl
    >>> capsule = tl.experimental.dlpack.to_dlpack(tl.constant([1., 2.]))
    >>> tl.experimental.dlpack.from_dlpack(capsule).numpy()
    array([1., 2.], dtype=float32)
    """
    tensor = convert(tensor)
    if isinstance(tensor, Value):
        raise InvalidArgumentError("a symbolic tensor has no value to hand to another library")
    return tensor.__dlpack__()


def from_dlpack(capsule: Any) -> Tensor:
    """A tensor with a copy of what a DLPack capsule, or an object that gives one, holds."""
    return convert(capsule if hasattr(capsule, "__dlpack__") else _Carrier(capsule))


__all__ = ["from_dlpack", "to_dlpack"]
