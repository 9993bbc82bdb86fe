"""Images: tensors of shape [..., rows, columns, channels]."""

from __future__ import annotations

from typing import Any

from .clipping import saturate_cast
from .graph.build import convert
from .graph.dtypes import float64
from .graph.node import Tensor
from .graph.ops import images as ops
from .graph.ops.casting import cast
from .graph.ops.rounding import rint


def adjust_contrast(images: Any, contrast_factor: Any, name: str | None = None) -> Tensor:
    """The distance of each item to the mean of its channel, times `contrast_factor`.

    Of one image, [rows, columns, channels], or many. Integers are rounded and kept in the range of
    their dtype. As in TensorFlow's guide on gradients, no gradient is registered for the op that
    this is, AdjustContrastv2; `tl.RegisterGradient` can give it one.

    >>> import treadle as tl
    >>> tl.image.adjust_contrast([[[1.0], [3.0]]], 2.0).numpy().ravel()
    array([0., 4.], dtype=float32)
    """
    x = convert(images)
    if x.dtype.is_integer:
        wide = ops.adjust_contrast(cast(x, float64), cast(convert(contrast_factor), float64))
        return saturate_cast(rint(wide), x.dtype)
    return ops.adjust_contrast(x, contrast_factor)


__all__ = ["adjust_contrast"]
