"""Images: the last three axes are rows, columns and channels."""

from __future__ import annotations

from typing import Any

from ..build import apply, operands
from ..convert import Array
from ..errors import ShapeError
from ..node import Tensor
from ..spec import TensorSpec
from .define import FLOATING, batches_as_they_are, primitive, require_kind, same_dtype


def _contrast_infer(images: TensorSpec, factor: TensorSpec) -> TensorSpec:
    require_kind(images, FLOATING)
    dtype = same_dtype(images, factor)
    if images.shape.rank is not None and len(images.shape) < 3:
        raise ShapeError(f"images have 3 axes or more, this has the shape {images.shape}")
    if factor.shape.rank not in (None, 0):
        raise ShapeError(f"the factor is a scalar, it has the shape {factor.shape}")
    return TensorSpec(images.shape, dtype)


def _contrast_eval(xp: Any, images: Array, factor: Array) -> Array:
    mean = images.mean((-3, -2), keepdims=True, dtype=images.dtype)
    found: Array = (images - mean) * factor + mean
    return found


# It has no gradient on purpose: the guide on gradients shows with it what a missing one is like.
_CONTRAST = primitive("AdjustContrastv2", _contrast_infer, _contrast_eval)


def adjust_contrast(images: Tensor, factor: Any) -> Tensor:
    """`(images - mean) * factor + mean`, with the mean over rows and columns; floats."""
    x, by = operands(_CONTRAST, images, factor)
    found: Tensor = apply(_CONTRAST, (x, by))
    return found


# --- of a batch of examples ----------------------------------------------------------

batches_as_they_are(_CONTRAST)

__all__ = ["adjust_contrast"]
