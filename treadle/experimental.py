"""TensorFlow's experimental names, as far as they are here."""

from . import dlpack

__all__ = ["dlpack"]
