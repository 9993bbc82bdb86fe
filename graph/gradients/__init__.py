"""Reverse-mode gradients: one walk back over recorded op calls, eager and traced alike."""

from .backprop import STRUCTURED, Entry, backprop
from .branches import branches_rule
from .calls import call_recorded, call_rule
from .checkpoints import while_rule
from .graphs import gradients
from .linearize import Linear, linearize
from .recompute import RECOMPUTE, Recompute
from .registered import RegisterGradient
from .report import GradientInfo, gradient_info

STRUCTURED.update(cond=branches_rule, switch=branches_rule, call=call_rule)
STRUCTURED.update({"try": branches_rule, "while": while_rule})

__all__ = [
    "RECOMPUTE",
    "Entry",
    "GradientInfo",
    "Linear",
    "Recompute",
    "RegisterGradient",
    "backprop",
    "call_recorded",
    "gradient_info",
    "gradients",
    "linearize",
]
