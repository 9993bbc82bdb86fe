"""`@function`: signature -> cache -> trace -> ConcreteFunction."""

from ..graph import location
from .concrete import ConcreteFunction
from .function import Function, function

location.register_internal(__file__)

__all__ = ["ConcreteFunction", "Function", "function"]
