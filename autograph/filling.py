"""Tensors that stand in for values that are never read."""

from __future__ import annotations

from typing import Any

import numpy as np

from treadle.graph import Tensor
from treadle.graph.build import current
from treadle.graph.ops.arrays import array_new
from treadle.graph.ops.filling import zeros
from treadle.graph.spec import ArraySpec, ResourceSpec, Spec


def filler(spec: Spec) -> Tensor:
    """Some value of `spec`, in the current graph."""
    if isinstance(spec, ArraySpec):
        made: Tensor = array_new(element=spec.element)
        return made
    if isinstance(spec, ResourceSpec):
        raise AssertionError("a variable is no value")
    shape = [] if spec.shape.rank is None else [d or 0 for d in spec.shape]
    if spec.dtype.numpy.kind == "O":
        empty: Any = np.full(shape, b"", object)
        return current().constant(empty)
    return zeros(shape, spec.dtype)
