"""Reverse-mode gradients: one walk back over recorded op calls, eager and traced alike."""

from .backprop import Entry, backprop
from .graphs import gradients
from .linearize import Linear, linearize
from .structured import call_recorded

__all__ = ["Entry", "Linear", "backprop", "call_recorded", "gradients", "linearize"]
