"""What `@tl.function(relaxed=True)` lets happen where two paths give different dtypes or shapes.

Only where paths meet: what an op does with two dtypes is the same with and without tracing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from treadle.graph import Tensor
from treadle.graph.build import convert
from treadle.graph.dtypes import DType, as_dtype, string
from treadle.graph.ops.casting import cast
from treadle.graph.spec import TensorSpec, join_shapes

from ..values.state import default_dtype, is_number, is_tensor


def promoted(a: Any, b: Any) -> DType | None:
    """The dtype of two values (or of a dtype) by the rules of NumPy 2; None if there is none.

    Python numbers are weak: beside a tensor they count by their kind only.
    """
    if isinstance(a, (str, bytes)) or isinstance(b, (str, bytes)):
        return None
    if is_number(a) and is_number(b):
        found = sorted((default_dtype(a), default_dtype(b)), key=_rank)
        return found[1]
    if is_number(a):
        a, b = b, a
    first = _dtype(a)
    if first is None or first is string:
        return None
    if is_number(b):
        if first.is_bool:
            return default_dtype(b)
        return as_dtype(np.result_type(first.numpy, b))
    second = _dtype(b)
    if second is None or second is string:
        return None
    try:
        return as_dtype(np.promote_types(first.numpy, second.numpy))
    except TypeError:
        return None


def _rank(dtype: DType) -> tuple[int, int]:
    return "biufc".index(dtype.kind), dtype.size


def _dtype(value: Any) -> DType | None:
    if isinstance(value, DType):
        return value
    return convert(value).dtype if is_tensor(value) else None


def as_promoted(value: Any, dtype: DType) -> Tensor:
    """`value` as a tensor of `dtype`, cast if need be."""
    if not isinstance(value, Tensor):
        value = convert(value, dtype if is_number(value) else None)
    tensor: Tensor = value
    return tensor if tensor.dtype is dtype else cast(tensor, dtype)


def relaxed_spec(a: TensorSpec, b: TensorSpec, dtype: DType) -> TensorSpec:
    """What holds tensors of both specs: only the dimensions that differ are given up."""
    return TensorSpec(join_shapes(a.shape, b.shape), dtype)
