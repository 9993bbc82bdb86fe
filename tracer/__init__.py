"""`@function`: signature -> cache -> trace -> ConcreteFunction."""

from ..graph import location
from . import recursion as _recursion  # noqa: F401  (it installs itself in autograph)
from .concrete import ConcreteFunction
from .function import Function, function

location.register_internal(__file__)

__all__ = ["ConcreteFunction", "Function", "function"]
