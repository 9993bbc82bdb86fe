"""Variables: state that outlives a call."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..graph.build import apply, convert, is_tracing
from ..graph.convert import Array
from ..graph.dtypes import DType, as_dtype
from ..graph.errors import ShapeError
from ..graph.node import Reference, Tensor
from ..graph.op import OPS
from ..graph.ops import state
from ..graph.spec import ResourceSpec, TensorShape, TensorSpec, covers
from .tensor import EagerTensor

# What takes part in the creation of a variable while a function is traced (set by the tracer): it
# sees the variable and its symbolic initial value, or raises.
creator: ContextVar[Callable[[Variable, Tensor], None] | None] = ContextVar("creator", default=None)


class Storage:
    """Where the value of a variable is: what an op on a variable gets."""

    __slots__ = ("array",)

    def __init__(self, array: Array | None) -> None:
        self.array = array


class Variable:
    """A tensor whose value can be assigned anew, by eager code and by functions alike.

    `initial_value` is anything that `tl.constant` takes, or a function of no arguments. Shape and
    dtype stay what they were first, unless `shape` has unknown sizes (None). Trainable variables
    are watched by every `GradientTape` that sees them read. Raises ShapeError or DTypeError when
    a value is assigned that does not fit.

    >>> import treadle as tl
    >>> v = tl.Variable([1., 2.])
    >>> v.assign_add([1, 1])
    <tl.Variable 'Variable:0' shape=(2,) dtype=float32, numpy=array([2., 3.], dtype=float32)>
    """

    __slots__ = ("__weakref__", "_value", "dtype", "name", "spec", "synchronization", "trainable")

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Any = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> None:
        if initial_value is None:
            raise ValueError("a Variable needs an initial value")
        if callable(initial_value) and not isinstance(initial_value, (Tensor, Variable)):
            initial_value = initial_value()
        wanted = None if dtype is None else as_dtype(dtype)
        if isinstance(initial_value, Variable):
            initial_value = initial_value.__tl_tensor__()
        tensor = convert(initial_value, wanted)
        known = tensor.shape if shape is None else TensorShape(shape)
        if not covers(known, tensor.shape):
            raise ShapeError(f"the initial value's shape {tensor.shape} is not of shape {known}")
        self.trainable = trainable is not False
        self.synchronization = synchronization
        self.name = f"{name or 'Variable'}:0"
        self.dtype: DType = tensor.dtype
        self.spec = ResourceSpec(TensorSpec(known, tensor.dtype))
        self._value = Storage(tensor._value if isinstance(tensor, EagerTensor) else None)
        if is_tracing():
            create = creator.get()
            assert create is not None
            create(self, tensor)

    @property
    def shape(self) -> TensorShape:
        return self.spec.shape

    def get_shape(self) -> TensorShape:
        return self.spec.shape

    @property
    def ndim(self) -> int | None:
        return self.shape.rank

    @property
    def device(self) -> str:
        return EagerTensor(np.zeros(())).device

    def __tl_tensor__(self) -> Tensor:
        read: Tensor = apply(OPS["read"], (self,))
        return read

    def read_value(self) -> Tensor:
        """The present value as a tensor, which later assignments do not change."""
        return self.__tl_tensor__()

    def value(self) -> Tensor:
        return self.__tl_tensor__()

    def numpy(self) -> Any:
        """The present value as a NumPy array of its own; only outside of traced functions."""
        return self.__tl_tensor__().numpy()

    def assign(
        self, value: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> Any:
        """Set the value; gives the variable itself, inside a function the new value; with
        `read_value=False` None.
        """
        return self._assign("assign", value, read_value)

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> Any:
        """Add `delta` to the value."""
        return self._assign("assign_add", delta, read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> Any:
        """Subtract `delta` from the value."""
        return self._assign("assign_sub", delta, read_value)

    def _assign(self, op: str, value: Any, read_value: bool) -> Any:
        result = getattr(state, op)(self, value)
        if not read_value:
            return None
        return result if is_tracing() else self

    def stand_in(self) -> Variable:
        """Another object for the same state: what a trace's code sees of an argument."""
        other = StandIn.__new__(StandIn)
        for name in Variable.__slots__[1:]:
            setattr(other, name, getattr(self, name))
        return other

    def ref(self) -> Any:
        return Reference(self)

    def __bool__(self) -> bool:
        return bool(self.__tl_tensor__())

    def __int__(self) -> int:
        return int(self.__tl_tensor__())

    def __float__(self) -> float:
        return float(self.__tl_tensor__())

    def __index__(self) -> int:
        return self.__tl_tensor__().__index__()

    def __len__(self) -> int:
        return len(self.__tl_tensor__())

    def __getitem__(self, key: Any) -> Tensor:
        return self.__tl_tensor__()[key]

    def __iter__(self) -> Any:
        return iter(self.__tl_tensor__())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array: Array = self.__tl_tensor__().__array__(dtype, copy)
        return array

    def __format__(self, format_spec: str) -> str:
        return format(self.__tl_tensor__(), format_spec) if format_spec else str(self)

    __array_priority__ = 100
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        head = f"<tl.Variable {self.name!r} shape={self.shape} dtype={self.dtype.name}"
        if self._value.array is None or is_tracing():
            return f"{head}>"
        text = repr(EagerTensor(self._value.array)).partition("numpy=")[2]
        return f"{head}, numpy={text}"

    def __deepcopy__(self, memo: Any) -> Variable:
        assert self._value.array is not None
        copy = Variable(
            EagerTensor(self._value.array, self.dtype),
            trainable=self.trainable,
            name=self.name[:-2],
            shape=self.shape,
        )
        memo[id(self)] = copy
        return copy

    def __reduce__(self) -> Any:
        state = (self._value.array, self.trainable, self.name[:-2], self.dtype, self.shape)
        return _restore, state


class StandIn(Variable):
    """A variable argument inside of a trace. What captures one is of no use to another trace."""

    __slots__ = ()


def _restore(
    array: Array, trainable: bool, name: str, dtype: DType, shape: TensorShape
) -> Variable:
    return Variable(EagerTensor(array, dtype), trainable=trainable, name=name, shape=shape)


__all__ = ["Storage", "Variable", "creator"]
