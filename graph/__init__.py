"""The IR: graphs, the op table, gradients and other graph -> graph transforms, the text form."""

from . import location, ops
from . import trying as _trying  # noqa: F401 - it has ops of its own
from .batching import vmap
from .check import check
from .gradients import gradients, jvp
from .graph_def import as_graph_def
from .node import FunctionRef, Graph, Node, Tensor, Value
from .parse import parse
from .passes.pipeline import optimize
from .refined import set_shape
from .same import same_graph
from .spec import ArraySpec, ResourceSpec, TensorShape, TensorSpec
from .text import to_text
from .views import summary, to_dot, to_networkx

location.register_internal(__file__)
# The IR itself knows nothing of its text form.
Graph.__str__ = to_text  # type: ignore[method-assign,assignment]
Graph.as_graph_def = as_graph_def  # type: ignore[method-assign,assignment]
Graph.summary = summary  # type: ignore[method-assign,assignment]
Graph.to_networkx = to_networkx  # type: ignore[method-assign,assignment]
Tensor.set_shape = set_shape  # type: ignore[method-assign]

__all__ = [
    "ArraySpec",
    "FunctionRef",
    "Graph",
    "Node",
    "ResourceSpec",
    "Tensor",
    "TensorShape",
    "TensorSpec",
    "Value",
    "check",
    "gradients",
    "jvp",
    "ops",
    "optimize",
    "parse",
    "same_graph",
    "summary",
    "to_dot",
    "to_networkx",
    "to_text",
    "vmap",
]
