"""`padded_batch`: to which shapes, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..graph.build import convert
from ..graph.dtypes import DType
from ..graph.errors import DTypeError, ShapeError
from ..graph.nest import children, flatten
from ..graph.ops.define import constant_of
from ..graph.spec import TensorShape, TensorSpec


def leaf_shapes(structure: Any, shapes: Any) -> list[Any]:
    """The shapes that stand in the places of the leaves of `structure`.

    A shape is a TensorShape, a list or tuple of sizes, or None.
    """
    parts = children(structure)
    if parts is None or shapes is None:
        return [shapes] * len(flatten(structure))
    given = None if isinstance(shapes, TensorShape) else children(shapes)
    if given is None or len(given) != len(parts):
        raise TypeError(f"the shapes {shapes} do not have the structure of {structure}")
    if isinstance(structure, Mapping) and structure.keys() != shapes.keys():
        raise TypeError(f"the shapes {shapes} do not have the keys of {structure}")
    return [s for part, shape in zip(parts, given, strict=True) for s in leaf_shapes(part, shape)]


def padded_shapes(element_spec: Any, shapes: Any) -> list[TensorShape]:
    """The shape to pad each component to; a size of None or -1 is that of the longest element."""
    specs = flatten(element_spec)
    wanted = leaf_shapes(element_spec, shapes)
    return [_shape(w, s) for w, s in zip(wanted, specs, strict=True)]


def _shape(wanted: Any, spec: TensorSpec) -> TensorShape:
    if hasattr(wanted, "dtype"):
        known = constant_of(wanted)
        if known is None:
            raise ShapeError("padded_batch: padded_shapes must be known while tracing")
        wanted = known.tolist()
    if wanted is None:
        return spec.shape
    shape: TensorShape = TensorShape([None if d == -1 else d for d in wanted])
    return shape


def padding_values(element_spec: Any, values: Any) -> list[Any]:
    """What to pad each component with: 0, False or the empty text where nothing is said."""
    specs = flatten(element_spec)
    given = flatten(values) if isinstance(values, (tuple, list, dict)) else [values]
    if len(given) == 1:
        given *= len(specs)
    if len(given) != len(specs):
        raise TypeError(
            f"padded_batch: there are {len(given)} padding values, an element has {len(specs)} "
            "components"
        )
    return [_value(v, s.dtype) for v, s in zip(given, specs, strict=True)]


def _value(value: Any, dtype: DType) -> Any:
    if value is None:
        value = "" if dtype.kind == "O" else False if dtype.is_bool else 0
    tensor = convert(value, hint=dtype)
    if tensor.dtype is not dtype:
        raise DTypeError(
            f"padded_batch: a component of dtype {dtype.name} can't be padded with a value of "
            f"dtype {tensor.dtype.name}; use tl.cast"
        )
    if tensor.shape.rank not in (0, None):
        raise ShapeError(f"padded_batch: a padding value is a scalar, not of shape {tensor.shape}")
    return tensor
