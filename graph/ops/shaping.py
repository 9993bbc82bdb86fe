"""All ops that look at shapes or move items about, from the modules that define them."""

from __future__ import annotations

from .axes import (
    bitcast,
    ensure_shape,
    expand_dims,
    identity,
    squeeze,
    stop_gradient,
    transpose,
)
from .filling import fill, ones, ones_like, zeros, zeros_like
from .joining import concat, split, stack, unstack
from .moving import repeat, reverse, roll, tile
from .padding import pad
from .queries import const, is_tensor, rank, shape, shape_n, size
from .reshaping import (
    broadcast_dynamic_shape,
    broadcast_like,
    broadcast_static_shape,
    broadcast_to,
    reshape,
    reshape_like,
    sum_to,
    sum_to_like,
)
from .sequences import eye, linspace, meshgrid, one_hot, range_

__all__ = [
    "bitcast",
    "broadcast_dynamic_shape",
    "broadcast_like",
    "broadcast_static_shape",
    "broadcast_to",
    "concat",
    "const",
    "ensure_shape",
    "expand_dims",
    "eye",
    "fill",
    "identity",
    "is_tensor",
    "linspace",
    "meshgrid",
    "one_hot",
    "ones",
    "ones_like",
    "pad",
    "range_",
    "rank",
    "repeat",
    "reshape",
    "reshape_like",
    "reverse",
    "roll",
    "shape",
    "shape_n",
    "size",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "sum_to",
    "sum_to_like",
    "tile",
    "transpose",
    "unstack",
    "zeros",
    "zeros_like",
]
