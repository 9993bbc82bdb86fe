"""Images."""

from __future__ import annotations

import treadle as tl


def test_integers_are_rounded_and_kept_in_range() -> None:
    """The values that TensorFlow 2.21 gives."""
    image = tl.constant([[[10, 20, 30], [200, 100, 250]]], tl.uint8)
    found = tl.image.adjust_contrast(image, 1.7)
    assert found.dtype is tl.uint8
    assert found.numpy().tolist() == [[[0, 0, 0], [255, 128, 255]]]
