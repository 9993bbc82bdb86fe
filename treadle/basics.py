"""Making tensors, and asking where one is."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .graph.build import convert, interpreting, is_tracing, recording
from .graph.dtypes import as_dtype
from .graph.errors import DTypeError, ShapeError
from .graph.node import Tensor, Value
from .graph.ops.dims import partial_value
from .graph.ops.shaping import broadcast_to, identity, reshape
from .graph.spec import TensorShape


class UnconnectedGradients(enum.Enum):
    """What `GradientTape.gradient` gives for a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> Tensor:
    """A tensor of the numbers, truth values or strings in `value`: nested lists or an array.

    Python ints give int32, floats float32; NumPy arrays keep their dtype. `shape` reshapes the
    value, or repeats a single number. Raises DTypeError where the values do not fit `dtype`,
    ShapeError where they do not fit `shape` or the lists are ragged.

    >>> import treadle as tl
    >>> tl.constant([1, 2, 3])
    <tl.Tensor: shape=(3,), dtype=int32, numpy=array([1, 2, 3], dtype=int32)>
    >>> tl.constant(0.5, shape=[2])
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([0.5, 0.5], dtype=float32)>
    """
    tensor = convert(value, None if dtype is None else as_dtype(dtype))
    if shape is None:
        return tensor
    wanted = TensorShape(shape)
    if tensor.shape.num_elements() == 1:
        return broadcast_to(reshape(tensor, []), wanted.as_list())
    if tensor.shape.num_elements() != wanted.num_elements():
        raise ShapeError(f"{tensor.shape.num_elements()} values do not fill the shape {wanted}")
    return reshape(tensor, wanted.as_list())


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None
) -> Tensor:
    """`value` as a tensor: tensors stay, variables are read, lists of tensors are stacked.

    `dtype` must then be the tensor's dtype; `dtype_hint` is the one to prefer for Python values.

    >>> import treadle as tl
    >>> tl.convert_to_tensor([tl.constant(1.0), 2.0]).numpy()
    array([1., 2.], dtype=float32)
    """
    if dtype is None and dtype_hint is not None:
        try:
            return convert(value, hint=as_dtype(dtype_hint))
        except DTypeError:
            pass
    return convert(value, None if dtype is None else as_dtype(dtype))


def is_symbolic_tensor(x: Any) -> bool:
    """True for the tensors of a function that is traced, which have no value yet.

    >>> import treadle as tl
    >>> tl.is_symbolic_tensor(tl.constant(1)), tl.is_symbolic_tensor(1)
    (False, False)
    """
    return isinstance(x, Value)


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor as a NumPy array, if it is known now; else None.

    In a function that is traced, constants and what follows from shapes are known.

    >>> import treadle as tl
    >>> tl.get_static_value(tl.constant([1, 2]))
    array([1, 2], dtype=int32)
    """
    if hasattr(tensor, "__tl_tensor__"):
        return None if is_tracing() else tensor.numpy()
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{tensor!r} is not a tensor")
    if not isinstance(tensor, Value):
        return tensor.numpy()
    known = partial_value(tensor)
    if known is None or (known.dtype == object and tensor.dtype.name != "string"):
        return None
    return known.copy()[()]


def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """A list of tensors with the values of those in the list `input`.

    >>> import treadle as tl
    >>> [x.numpy() for x in tl.identity_n([1, [2., 3.]])]
    [np.int32(1), array([2., 3.], dtype=float32)]
    """
    return [identity(x) for x in input]


def executing_eagerly() -> bool:
    """True outside of functions that are traced.

    >>> import treadle as tl
    >>> tl.executing_eagerly(), tl.function(lambda: tl.executing_eagerly())().numpy()
    (True, np.False_)
    """
    return not is_tracing()


def inside_function() -> bool:
    """True in a function that is traced.

    >>> import treadle as tl
    >>> tl.inside_function(), tl.function(lambda: tl.inside_function())().numpy()
    (False, np.True_)
    """
    return is_tracing()


@contextmanager
def init_scope() -> Iterator[None]:
    """Inside of this block ops are carried out at once, also while a function is traced.

    >>> import treadle as tl
    >>> @tl.function
    ... def f():
    ...     with tl.init_scope():
    ...         return tl.constant(int(tl.constant(3)))
    >>> f().numpy()
    np.int32(3)
    """
    with interpreting(None), recording(()):
        yield
