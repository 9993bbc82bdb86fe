"""Constants, and ops that tell what is known of a tensor: shape, size, rank."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import DType, as_dtype, int32
from ..errors import DTypeError
from ..node import Tensor
from ..op import OPS, batches, no_gradient
from ..spec import TensorSpec
from .define import primitive
from .dims import constant


def _const_infer(*, value: Array) -> TensorSpec:
    return TensorSpec(value.shape, as_dtype(value.dtype))


const = primitive("const", _const_infer, lambda xp, *, value: xp.asarray(value), no_gradient)


def _shape_infer(x: Any, *, out_type: DType = int32) -> TensorSpec:
    return TensorSpec((x.shape.rank,), out_type)


def _shape_eval(xp: Any, x: Array, *, out_type: DType = int32) -> Array:
    return np.array(x.shape, out_type.numpy)


_shape = primitive("shape", _shape_infer, _shape_eval, no_gradient, metadata=True)
_size = primitive(
    "size",
    lambda x, *, out_type=int32: TensorSpec((), out_type),
    lambda xp, x, *, out_type=int32: np.array(x.size, out_type.numpy),
    no_gradient,
    metadata=True,
)
_rank = primitive(
    "rank",
    lambda x: TensorSpec((), int32),
    lambda xp, x: np.array(x.ndim, np.int32),
    no_gradient,
    metadata=True,
)

_same_shape = primitive(
    "same_shape",
    lambda x, y: TensorSpec((), "bool"),
    lambda xp, x, y: np.bool_(x.shape == y.shape),
    no_gradient,
    metadata=True,
)


@batches(_same_shape)
def _batched_same(batch: Any, flags: Any, *inputs: Any) -> Any:
    return apply(_same_shape, batch.fulls(inputs, flags))


def same_shape(x: Tensor, y: Tensor) -> Tensor:
    """Whether two tensors are of one shape."""
    result: Tensor = apply(_same_shape, (x, y))
    return result


def shape(input: Any, out_type: Any = int32, name: str | None = None) -> Tensor:
    """The shape of `input` as a 1-D tensor of `out_type` (int32 or int64).

    Sizes that are known while tracing are constants: `tl.shape(x)[1]` costs nothing then.

    >>> import treadle as tl
    >>> tl.shape([[1, 2, 3], [4, 5, 6]]).numpy()
    array([2, 3], dtype=int32)
    """
    x = input if isinstance(input, Tensor) else convert(input)
    dtype = as_dtype(out_type)
    if dtype.name not in ("int32", "int64"):
        raise DTypeError(f"out_type must be int32 or int64, it is {dtype.name}")
    known = x.spec.shape
    if known.is_fully_defined():
        return constant(known.as_list(), dtype)
    result: Tensor = apply(_shape, (x,), {"out_type": dtype})
    return result


def shape_n(input: Any, out_type: Any = int32, name: str | None = None) -> list[Tensor]:
    """The shapes of several tensors.

    >>> import treadle as tl
    >>> [s.numpy().tolist() for s in tl.shape_n([[1, 2], [[3]]])]
    [[2], [1, 1]]
    """
    return [shape(x, out_type) for x in input]


def size(input: Any, out_type: Any = int32, name: str | None = None) -> Tensor:
    """The number of items of `input`, a scalar of `out_type`.

    >>> import treadle as tl
    >>> int(tl.size([[1, 2, 3], [4, 5, 6]]))
    6
    """
    x = input if isinstance(input, Tensor) else convert(input)
    dtype = as_dtype(out_type)
    count = x.spec.shape.num_elements()
    if count is not None:
        return constant(count, dtype)
    result: Tensor = apply(_size, (x,), {"out_type": dtype})
    return result


def rank(input: Any, name: str | None = None) -> Tensor:
    """The number of axes of `input`, an int32 scalar.

    >>> import treadle as tl
    >>> int(tl.rank([[1, 2, 3], [4, 5, 6]]))
    2
    """
    x = input if isinstance(input, Tensor) else convert(input)
    known = x.spec.shape.rank
    if known is not None:
        return constant(known, int32)
    result: Tensor = apply(_rank, (x,))
    return result


def is_tensor(x: Any) -> bool:
    """True for tensors and variables; False for arrays, numbers and lists.

    >>> import treadle as tl
    >>> tl.is_tensor(tl.constant(1)), tl.is_tensor(1)
    (True, False)
    """
    return isinstance(x, Tensor) or hasattr(x, "__tl_tensor__")


# --- of a batch: what is asked for is that of one example --------------------------


@batches(_shape)
def _batched_shape(batch: Any, flags: Any, x: Tensor, *, out_type: DType = int32) -> Any:
    sizes: Tensor = batch.sizes(x)
    return sizes if out_type is int32 else apply(OPS["cast"], (sizes,), {"dtype": out_type})


@batches(_size)
def _batched_size(batch: Any, flags: Any, x: Tensor, *, out_type: DType = int32) -> Any:
    attrs = {"axis": None, "keepdims": False}
    count = apply(OPS["reduce_prod"], (batch.sizes(x),), attrs)
    return count if out_type is int32 else apply(OPS["cast"], (count,), {"dtype": out_type})


@batches(_rank)
def _batched_rank(batch: Any, flags: Any, x: Tensor) -> Any:
    known = x.spec.shape.rank
    if known is not None:
        return constant(known - 1, int32)
    return apply(OPS["subtract"], (apply(_rank, (x,)), constant(1, int32)))
