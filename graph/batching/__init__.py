"""Batching: a graph for one example made one for many at once."""

from . import custom_gradients as _custom_gradients  # noqa: F401 - a rule
from .batch import Batch
from .branches import branches_rule, try_rule
from .calls import call_rule
from .each import results_of_each, telling_of_loops
from .graphs import STRUCTURED, batched_function, batched_results, call_graph, size_of, vmap
from .loops import while_rule

STRUCTURED.update({"cond": branches_rule, "switch": branches_rule, "try": try_rule})
STRUCTURED.update({"while": while_rule, "call": call_rule})

__all__ = [
    "Batch",
    "batched_function",
    "batched_results",
    "call_graph",
    "results_of_each",
    "size_of",
    "telling_of_loops",
    "vmap",
]
