"""treadle: Python functions over tensors, traced into dataflow graphs.

>>> import treadle as tl
>>> @tl.function
... def f(x):
...     while tl.reduce_sum(x) > 1:
...         x = tl.tanh(x)
...     return x
>>> f(tl.constant([0.9, 0.8])).numpy().round(3)
array([0.499, 0.48 ], dtype=float32)
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .runtime import GradientTape, Variable  # isort: skip - it installs eager execution
from . import (
    autodiff,
    bitwise,
    config,
    debugging,
    dtypes,
    errors,
    experimental,
    graph,
    image,
    linalg,
    math,
    nest,
    nn,
    random,
    raw_ops,
    strings,
)
from . import numpy_protocols as _numpy_protocols  # noqa: F401 - it installs them
from .basics import (
    UnconnectedGradients,
    constant,
    convert_to_tensor,
    executing_eagerly,
    get_static_value,
    identity_n,
    init_scope,
    inside_function,
    is_symbolic_tensor,
)
from .clipping import clip_by_global_norm, clip_by_norm, clip_by_value, saturate_cast
from .counting import (
    histogram_fixed_width,
    histogram_fixed_width_bins,
    reverse_sequence,
    unravel_index,
)
from .debugging import Assert, assert_equal, assert_greater, assert_less, assert_rank, print
from .dtypes import (
    DType,
    as_dtype,
    bool,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    string,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .graph import Tensor, TensorShape, TensorSpec
from .graph import dtypes as _dtypes
from .graph.gradients import RegisterGradient
from .graph.indexed_slices import IndexedSlices
from .graph.location import register_internal
from .graph.name_scope import get_current_name_scope, name_scope
from .graph.ops.casting import cast
from .graph.ops.casting import complex_ as complex
from .graph.ops.clock import timestamp
from .graph.ops.comparison import where
from .graph.ops.division import truncatediv, truncatemod
from .graph.ops.einsum import einsum
from .graph.ops.gathering import gather
from .graph.ops.indexing import slice_ as slice
from .graph.ops.indexing import strided_slice
from .graph.ops.linear import matmul, tensordot
from .graph.ops.masking import boolean_mask, dynamic_partition, dynamic_stitch, sequence_mask
from .graph.ops.scattering import (
    gather_nd,
    scatter_nd,
    tensor_scatter_nd_add,
    tensor_scatter_nd_max,
    tensor_scatter_nd_min,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
)
from .graph.ops.segments import unique, unique_with_counts
from .graph.ops.shaping import (
    bitcast,
    broadcast_dynamic_shape,
    broadcast_static_shape,
    broadcast_to,
    concat,
    ensure_shape,
    expand_dims,
    eye,
    fill,
    identity,
    is_tensor,
    linspace,
    meshgrid,
    one_hot,
    ones,
    ones_like,
    pad,
    rank,
    repeat,
    reshape,
    reverse,
    roll,
    shape,
    shape_n,
    size,
    split,
    squeeze,
    stack,
    stop_gradient,
    tile,
    transpose,
    unstack,
    zeros,
    zeros_like,
)
from .graph.ops.shaping import range_ as range
from .graph.ops.sorting import argsort, searchsorted, sort
from .graph.ops.string_formats import as_string
from .linalg import norm
from .math import (
    abs,
    acos,
    acosh,
    add,
    add_n,
    argmax,
    argmin,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    cumsum,
    divide,
    equal,
    exp,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    pow,
    reduce_all,
    reduce_any,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_sum,
    round,
    scalar_mul,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    truediv,
)
from .python_calls import numpy_function, py_function
from .runtime.device import device
from .scopes import control_dependencies, group, no_op
from .scopes import tuple_ as tuple

if TYPE_CHECKING:
    from . import autograph, data, optimizers, queue, test
    from .control_flow import case, cond, switch_case, while_loop
    from .custom_gradients import custom_gradient
    from .derivatives import grad, hessian, jvp, value_and_grad, vjp
    from .functional import foldl, foldr, map_fn, scan
    from .module import Module
    from .recompute import recompute_grad
    from .tensor_array import TensorArray
    from .tracer import function
    from .vectorizing import vectorized_map, vmap

# What traces is loaded where it is first asked for: it is half of the time that the import takes.
_LATER = {
    **dict.fromkeys(("case", "cond", "switch_case", "while_loop"), "control_flow"),
    **dict.fromkeys(("grad", "hessian", "jvp", "value_and_grad", "vjp"), "derivatives"),
    **dict.fromkeys(("foldl", "foldr", "map_fn", "scan"), "functional"),
    **dict.fromkeys(("vectorized_map", "vmap"), "vectorizing"),
    "Module": "module",
    "custom_gradient": "custom_gradients",
    "TensorArray": "tensor_array",
    "autograph": "",
    "data": "",
    "optimizers": "",
    "queue": "",
    "test": "",
    "function": "tracer",
    "recompute_grad": "recompute",
}

__version__ = "0.1.0"
newaxis = None
realdiv = divide
register_internal(__file__)


__all__ = [
    "Assert",
    "DType",
    "GradientTape",
    "IndexedSlices",
    "Module",
    "RegisterGradient",
    "Tensor",
    "TensorArray",
    "TensorShape",
    "TensorSpec",
    "UnconnectedGradients",
    "Variable",
    "abs",
    "acos",
    "acosh",
    "add",
    "add_n",
    "argmax",
    "argmin",
    "argsort",
    "as_dtype",
    "as_string",
    "asin",
    "asinh",
    "assert_equal",
    "assert_greater",
    "assert_less",
    "assert_rank",
    "atan",
    "atan2",
    "atanh",
    "autodiff",
    "autograph",
    "bitcast",
    "bitwise",
    "bool",
    "boolean_mask",
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "broadcast_to",
    "case",
    "cast",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "complex",
    "complex64",
    "complex128",
    "concat",
    "cond",
    "config",
    "constant",
    "control_dependencies",
    "convert_to_tensor",
    "cos",
    "cosh",
    "cumsum",
    "custom_gradient",
    "data",
    "debugging",
    "device",
    "divide",
    "double",
    "dtypes",
    "dynamic_partition",
    "dynamic_stitch",
    "einsum",
    "ensure_shape",
    "equal",
    "errors",
    "executing_eagerly",
    "exp",
    "expand_dims",
    "experimental",
    "eye",
    "fill",
    "float16",
    "float32",
    "float64",
    "floor",
    "foldl",
    "foldr",
    "function",
    "gather",
    "gather_nd",
    "get_current_name_scope",
    "get_static_value",
    "grad",
    "graph",
    "greater",
    "greater_equal",
    "group",
    "half",
    "hessian",
    "histogram_fixed_width",
    "histogram_fixed_width_bins",
    "identity",
    "identity_n",
    "image",
    "init_scope",
    "inside_function",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_symbolic_tensor",
    "is_tensor",
    "jvp",
    "less",
    "less_equal",
    "linalg",
    "linspace",
    "logical_and",
    "logical_not",
    "logical_or",
    "map_fn",
    "math",
    "matmul",
    "maximum",
    "meshgrid",
    "minimum",
    "multiply",
    "name_scope",
    "negative",
    "nest",
    "newaxis",
    "nn",
    "no_op",
    "norm",
    "not_equal",
    "numpy_function",
    "one_hot",
    "ones",
    "ones_like",
    "optimizers",
    "pad",
    "pow",
    "print",
    "py_function",
    "queue",
    "random",
    "range",
    "rank",
    "raw_ops",
    "realdiv",
    "recompute_grad",
    "reduce_all",
    "reduce_any",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "repeat",
    "reshape",
    "reverse",
    "reverse_sequence",
    "roll",
    "round",
    "saturate_cast",
    "scalar_mul",
    "scan",
    "scatter_nd",
    "searchsorted",
    "sequence_mask",
    "shape",
    "shape_n",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "size",
    "slice",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "stop_gradient",
    "strided_slice",
    "string",
    "strings",
    "subtract",
    "switch_case",
    "tan",
    "tanh",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
    "tensordot",
    "test",
    "tile",
    "timestamp",
    "transpose",
    "truediv",
    "truncatediv",
    "truncatemod",
    "tuple",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unique",
    "unique_with_counts",
    "unravel_index",
    "unstack",
    "value_and_grad",
    "vectorized_map",
    "vjp",
    "vmap",
    "where",
    "while_loop",
    "zeros",
    "zeros_like",
]


def __getattr__(name: str) -> object:
    if name == "bfloat16":
        return _dtypes.bfloat16()
    if name not in _LATER:
        raise AttributeError(f"module 'treadle' has no attribute {name!r}")
    module = import_module(f"treadle.{_LATER[name] or name}")
    found = globals()[name] = getattr(module, name) if _LATER[name] else module
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
