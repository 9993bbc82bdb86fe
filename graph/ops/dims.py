"""Shapes as arguments of ops: what is known of them while tracing.

An op that takes a shape has the attribute `shape`, all that is known, and where something is not
known also a 1-D integer input `dims` with the sizes at run time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..build import convert, current
from ..convert import Array
from ..dtypes import DType, int32, int64
from ..errors import DTypeError, InvalidArgumentError, OpError, ShapeError
from ..explain import explained
from ..node import Tensor, Value
from ..op import Op
from ..spec import UNKNOWN, Dim, TensorShape, TensorSpec
from .define import constant_of

# Ops that only move items, so that their `eval` serves for arrays with unknown items too.
_MOVES = {
    *("stack", "concat", "strided_slice", "reshape", "expand_dims", "squeeze", "identity"),
    *("gather", "slice", "broadcast_to", "transpose", "reverse"),
}
_DEEPEST = 12  # nodes between a shape and what it is made of
_LARGEST = 64  # items


def partial_value(value: Any, depth: int = 0) -> Array | None:
    """The array of `value` as far as it is known while tracing, or None.

    Where some items are known the array is one of objects, with None in the other places.
    """
    known = constant_of(value)
    if known is not None or not isinstance(value, Value):
        return known
    node, shape = value.node, value.shape
    if node is None or depth > _DEEPEST or node.op.multiple or node.op.eval is None:
        return _unknown_items(shape)
    if node.op.name == "shape":
        dims = node.inputs[0].shape
        if dims.rank is None:
            return None
        return np.array([*dims, None], object)[:-1]
    if node.op.name == "cast":
        found = partial_value(node.inputs[0], depth + 1)
        return found if found is not None and found.dtype == object else _unknown_items(shape)
    if node.op.effects or shape.rank is None or (shape.num_elements() or _LARGEST) > _LARGEST:
        return _unknown_items(shape)
    inputs = [partial_value(v, depth + 1) for v in node.inputs]
    whole = all(v is not None and v.dtype != object for v in inputs)
    if any(v is None for v in inputs) or not (whole or node.op.name in _MOVES):
        return _unknown_items(shape)
    try:
        found = np.asarray(node.op.eval(np, *inputs, **node.attrs))
    except (OpError, TypeError, ValueError):
        return _unknown_items(shape)
    if found.dtype == object and value.dtype.is_integer and None not in found.reshape(-1).tolist():
        return found.astype(value.dtype.numpy)
    return found


def _unknown_items(shape: TensorShape) -> Array | None:
    if not shape.is_fully_defined() or (shape.num_elements() or 0) > _LARGEST:
        return None
    return np.full(tuple(shape), None, object)


def packed(value: Any) -> Any:
    """A list of sizes some of which are tensors as one tensor; other values as they are."""
    if isinstance(value, (list, tuple)) and any(not isinstance(d, int) for d in value):
        return convert_dims([_scalar(d) for d in value])
    return value


def constant_dims(value: Any) -> list[Dim] | None:
    """The sizes that a 1-D integer tensor, list or shape holds; None for each unknown one.

    The whole is None where not even their number is known.
    """
    if isinstance(value, TensorShape):
        return value.dims
    if isinstance(value, (list, tuple)) and all(type(d) is int for d in value):
        return list(value)
    found = partial_value(convert_dims(value))
    return None if found is None else [None if d is None else int(d) for d in found.reshape(-1)]


def constant_int(value: Any, what: str = "the argument") -> int:
    """`value` as a Python int; InvalidArgumentError where it isn't known while tracing."""
    if type(value) is int:
        return value
    if isinstance(value, Tensor):
        known = partial_value(value)
        if known is None or known.dtype == object:
            raise InvalidArgumentError(f"{what} must be known while tracing, it is {value}")
        value = known.item() if known.size == 1 else known
    try:
        return int(value.__index__())
    except (AttributeError, TypeError):
        raise DTypeError(f"{what} must be an integer, it is {value!r}") from None


def constant_ints(value: Any, what: str = "the argument") -> tuple[int, ...]:
    """`value`, an integer or several, as a tuple of Python ints."""
    if isinstance(value, Tensor):
        known = partial_value(value)
        if known is None or known.dtype == object:
            raise InvalidArgumentError(f"{what} must be known while tracing, it is {value}")
        value = known
    if isinstance(value, np.ndarray):
        value = value.reshape(-1).tolist()
    if not isinstance(value, (list, tuple, range)):
        value = (value,)
    return tuple([constant_int(v, what) for v in value])


def convert_dims(value: Any, dtype: DType | None = None) -> Tensor:
    """A shape as a 1-D integer tensor."""
    if isinstance(value, (list, tuple)) and not len(value):
        return current().constant(np.zeros(0, np.int32))
    tensor = convert(value, dtype)
    if tensor.dtype is not int32 and tensor.dtype is not int64:
        raise DTypeError(
            f"a shape consists of integers of dtype int32 or int64, this is {tensor.dtype.name}"
        )
    return tensor


def dims_argument(shape: Any, wildcard: bool = False) -> tuple[TensorShape, tuple[Tensor, ...]]:
    """What is known of a shape, and the input `dims` where something is not.

    With `wildcard` one -1 may stand for a size that follows from the others; it is None in the
    result, and needs no input.
    """
    tensor: Tensor | None = None
    if isinstance(shape, TensorShape):
        dims = shape.dims
        if not shape.is_fully_defined():
            raise ShapeError(f"the shape {shape} is not fully known; use tl.shape(x)")
    elif isinstance(shape, (tuple, list)) and all(type(d) is int for d in shape):
        dims = list(shape)
    else:
        if isinstance(shape, (tuple, list)):
            tensor = convert_dims([_scalar(d) for d in shape])
        else:
            tensor = convert_dims(shape)
        if tensor.shape.rank is not None and tensor.shape.rank > 1:
            raise ShapeError(f"a shape is a list of sizes, this has the shape {tensor.shape}")
        dims = constant_dims(tensor)
    if dims is None:
        assert tensor is not None
        return UNKNOWN, (tensor,)
    known = [d for d in dims if d is not None]
    if known and min(known) < 0:
        if not wildcard or min(known) < -1 or known.count(-1) > 1:
            raise ShapeError(f"{_shown(dims)} is no shape: {_reason(known, wildcard)}")
        static = TensorShape([None if d == -1 else d for d in dims])
    else:
        static = TensorShape(dims)
    return static, () if len(known) == len(dims) else (_vector(tensor),)


def _vector(tensor: Any) -> Tensor:
    if tensor.shape.rank == 0:
        return convert([tensor])
    result: Tensor = tensor
    return result


def _scalar(d: Any) -> Any:
    """Sizes of NumPy's integer types count as Python's."""
    return int(d) if isinstance(d, np.integer) else d


def _shown(dims: Sequence[Dim]) -> str:
    return f"({', '.join('?' if d is None else str(d) for d in dims)})"


def text(shape: TensorShape) -> str:
    """A shape with `?` for what is not known: `(?, 4)`."""
    return str(shape).replace("None", "?")


def _reason(known: list[int], wildcard: bool) -> str:
    if wildcard and min(known) == -1:
        return "only one size may be -1"
    return "sizes are not negative"


def run_time_dims(dims: Sequence[Array], shape: TensorShape) -> tuple[int, ...]:
    """The shape that an `eval` has to make, from its input `dims` or else its attribute."""
    if not dims:
        return tuple(shape)  # type: ignore[arg-type]
    return tuple(dims[0].reshape(-1).tolist())


def require_dims(dims: Sequence[TensorSpec]) -> None:
    for spec in dims:
        if spec.dtype not in (int32, int64) or spec.shape.rank not in (0, 1, None):
            raise DTypeError(f"a shape is a 1-D tensor of int32 or int64, not {spec}")


def normal_axis(axis: int, rank: int | None, what: str = "axis") -> int:
    """`axis` counted from the front; as it is where the rank is unknown."""
    if rank is None:
        return axis
    if not -rank <= axis < rank:
        raise InvalidArgumentError(f"{what} {axis} is out of range for {rank} axes")
    return axis % rank if axis < 0 else axis


def refuse(error: OpError, op: Op, *inputs: Any) -> OpError:
    """`error`, found before the op was called, with the user's line and operands added."""
    return explained(error, op, inputs)


def constant(value: Any, dtype: DType) -> Tensor:
    """A constant of the current interpreter."""
    return current().constant(np.array(value, dtype.numpy))
