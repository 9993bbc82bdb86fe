"""Ops under TensorFlow's low-level names, with keyword arguments."""

from __future__ import annotations

from typing import Any

from .graph.build import convert
from .graph.node import Tensor
from .graph.ops import images as ops


def AdjustContrastv2(  # noqa: N802 - TensorFlow's name
    *, images: Any, contrast_factor: Any, name: str | None = None
) -> Tensor:
    """`tl.image.adjust_contrast` of floats.

    >>> import treadle as tl
    >>> tl.raw_ops.AdjustContrastv2(images=[[[1.0], [3.0]]], contrast_factor=2.0).numpy().ravel()
    array([0., 4.], dtype=float32)
    """
    return ops.adjust_contrast(convert(images), contrast_factor)


__all__ = ["AdjustContrastv2"]
