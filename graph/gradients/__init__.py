"""Gradients: one walk back over recorded op calls, or tangents beside them; eager and traced."""

from .backprop import STRUCTURED, Entry, backprop
from .branches import branches_rule
from .calls import call_recorded, call_rule
from .checkpoints import while_rule
from .forward import Forward, with_tangents
from .graphs import gradients, jvp
from .linearize import Linear, linearize
from .recompute import RECOMPUTE, Recompute
from .registered import RegisterGradient
from .report import GradientInfo, gradient_info
from .tangents import Tangents

STRUCTURED.update(cond=branches_rule, switch=branches_rule, call=call_rule)
STRUCTURED.update({"try": branches_rule, "while": while_rule})

__all__ = [
    "RECOMPUTE",
    "Entry",
    "Forward",
    "GradientInfo",
    "Linear",
    "Recompute",
    "RegisterGradient",
    "Tangents",
    "backprop",
    "call_recorded",
    "gradient_info",
    "gradients",
    "jvp",
    "linearize",
    "with_tangents",
]
