"""Tensors and variables, eager execution, tapes; graphs lowered to something that runs."""

from ..graph import location
from ..graph.build import set_default
from ..graph.operators import install
from ..graph.running import set_runner
from .accumulator import ForwardAccumulator
from .eager import Eager
from .executable import executable
from .tape import GradientTape
from .tensor import EagerTensor
from .variable import Variable

location.register_internal(__file__)
set_default(Eager())
set_runner(lambda graph, arrays: executable(graph)(arrays))
install(Variable)

__all__ = ["EagerTensor", "ForwardAccumulator", "GradientTape", "Variable"]
