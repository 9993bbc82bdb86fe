"""What computes derivatives of the ops that run inside of it."""

from .runtime import ForwardAccumulator, GradientTape

__all__ = ["ForwardAccumulator", "GradientTape"]
