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

from .runtime import GradientTape, Variable  # isort: skip - it installs eager execution
from . import (
    autograph,
    bitwise,
    config,
    debugging,
    dtypes,
    errors,
    graph,
    linalg,
    math,
    nest,
    nn,
    random,
)
from .basics import (
    UnconnectedGradients,
    constant,
    convert_to_tensor,
    executing_eagerly,
    init_scope,
)
from .clipping import clip_by_global_norm, clip_by_norm, clip_by_value, saturate_cast
from .control_flow import case, cond, switch_case, while_loop
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
from .graph.location import register_internal
from .graph.ops.casting import cast
from .graph.ops.casting import complex_ as complex
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
from .module import Module
from .runtime.device import device
from .tracer import function

__version__ = "0.1.0"
newaxis = None
register_internal(__file__)


def __getattr__(name: str) -> object:
    if name == "bfloat16":
        return _dtypes.bfloat16()
    raise AttributeError(f"module 'treadle' has no attribute {name!r}")
