"""A tensor with some of its items replaced: what `v[key].assign(x)` gives a variable."""

from __future__ import annotations

from typing import Any

from ..build import convert
from ..errors import DTypeError
from ..node import Tensor
from .indexing import getitem
from .queries import shape
from .reshaping import broadcast_to, reshape
from .scattering import tensor_scatter_nd_update
from .sequences import range_


def with_items(x: Tensor, key: Any, value: Any) -> Tensor:
    """`x`, but with `value` at `key`, broadcast to it: what `x[key] = value` does in NumPy."""
    new = convert(value, hint=x.dtype)
    if new.dtype is not x.dtype:
        raise DTypeError(
            f"{new.dtype.name} is assigned to items of dtype {x.dtype.name}; use tl.cast"
        )
    flat = reshape(x, [-1])
    count, sizes = x.shape.num_elements(), x.shape.as_list() if x.shape.is_fully_defined() else None
    numbers = reshape(range_(shape(flat)[0] if count is None else count), sizes or shape(x))
    places = getitem(numbers, key)
    wide = broadcast_to(new, shape(places))
    changed = tensor_scatter_nd_update(flat, reshape(places, [-1, 1]), reshape(wide, [-1]))
    return reshape(changed, shape(x) if sizes is None else sizes)
