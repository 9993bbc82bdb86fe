"""Tensors that stand in for values that are never read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from treadle.graph import Tensor
from treadle.graph.build import current
from treadle.graph.ops.arrays import array_new
from treadle.graph.ops.datasets import empty as empty_dataset
from treadle.graph.ops.datasets import iterator
from treadle.graph.ops.filling import zeros
from treadle.graph.spec import ArraySpec, DataSpec, ResourceSpec, Spec


@dataclass(frozen=True, slots=True)
class Filling:
    """The place of a tensor of which only the spec is known: some value will do.

    `number`: what comes there stands for a Python number.
    """

    spec: Spec
    number: bool = False


def is_pattern(items: list[Any] | dict[Any, Any]) -> bool:
    """True for what stands in for a list or dict that nobody has made so far."""
    values = items.values() if isinstance(items, dict) else items
    return any(
        isinstance(v, Filling) or (isinstance(v, (list, dict)) and is_pattern(v)) for v in values
    )


def filler(spec: Spec) -> Tensor:
    """Some value of `spec`, in the current graph."""
    if isinstance(spec, ArraySpec):
        made: Tensor = array_new(element=spec.element)
        return made
    if isinstance(spec, DataSpec):
        dataset: Tensor = empty_dataset(spec.items)
        return dataset if spec.kind == "dataset" else iterator(dataset)
    if isinstance(spec, ResourceSpec):
        raise AssertionError("a variable is no value")
    shape = [] if spec.shape.rank is None else [d or 0 for d in spec.shape]
    if spec.dtype.numpy.kind == "O":
        text: Any = np.full(shape, b"", object)
        return current().constant(text)
    return zeros(shape, spec.dtype)
