"""Variables: state that outlives a call."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..graph.build import apply, convert, is_tracing
from ..graph.convert import Array
from ..graph.dtypes import DType, as_dtype
from ..graph.errors import FailedPreconditionError, ShapeError, VariableCreationError
from ..graph.indexed_slices import IndexedSlices
from ..graph.location import describe, user_location
from ..graph.name_scope import scoped
from ..graph.node import Reference, Tensor
from ..graph.op import OPS
from ..graph.ops import state
from ..graph.ops.casting import cast
from ..graph.ops.gathering import gather
from ..graph.ops.item_updates import with_items
from ..graph.ops.scattering import (
    gather_nd,
    tensor_scatter_nd_add,
    tensor_scatter_nd_max,
    tensor_scatter_nd_min,
    tensor_scatter_nd_sub,
    tensor_scatter_nd_update,
)
from ..graph.ops.sequences import meshgrid, range_
from ..graph.ops.shaping import shape as shape_of
from ..graph.ops.shaping import stack, unstack
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

    __tl_variable__ = True
    __slots__ = (
        *("__weakref__", "_value", "aggregation", "constraint", "dtype", "name", "spec"),
        *("synchronization", "trainable"),
    )

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
        if constraint is not None and not callable(constraint):
            raise ValueError("the constraint of a Variable is a function of its value")
        self.synchronization = synchronization
        self.aggregation = aggregation
        self.constraint = constraint
        self.name = f"{scoped(name or 'Variable')}:0"
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

    def initialized_value(self) -> Tensor:
        """The present value: a variable has one from the start."""
        return self.__tl_tensor__()

    def is_initialized(self) -> Tensor:
        return convert(is_tracing() or self._value.array is not None)

    def sparse_read(self, indices: Any, name: Any = None) -> Tensor:
        """The rows `indices`."""
        return gather(self, indices)

    def gather_nd(self, indices: Any, name: Any = None) -> Tensor:
        return gather_nd(self, indices)

    def set_shape(self, shape: Any) -> None:
        """ValueError unless the variable's shape is of `shape`."""
        if not self.shape.is_compatible_with(TensorShape(shape)):
            raise ShapeError(f"the variable has shape {self.shape}, not {TensorShape(shape)}")

    def numpy(self) -> Any:
        """The present value as a NumPy array of its own; only outside of traced functions."""
        return self.__tl_tensor__().numpy()

    def assign(
        self, value: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
    ) -> Any:
        """Set the value; gives the variable itself, or None with `read_value=False`."""
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
        getattr(state, op)(self, value)
        return self if read_value else None

    def assigner(self, key: Any) -> Any:
        """What assigns the items `self[key]`."""

        def assign(
            value: Any, use_locking: bool = False, name: Any = None, read_value: bool = True
        ) -> Any:
            changed = with_items(self.__tl_tensor__(), key, value)
            return self._assign("assign", changed, read_value)

        return assign

    # --- some rows, given as IndexedSlices; rows named twice are updated twice

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        """Set the rows `sparse_delta.indices`; the variable, inside a function its new value."""
        return self._scatter("update", sparse_delta)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        return self._scatter("add", sparse_delta)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        return self._scatter("sub", sparse_delta)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        return self._scatter("mul", sparse_delta)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        return self._scatter("div", sparse_delta)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        return self._scatter("max", sparse_delta)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: Any = None) -> Any:
        return self._scatter("min", sparse_delta)

    def batch_scatter_update(
        self, sparse_delta: Any, use_locking: bool = False, name: Any = None
    ) -> Any:
        """Set rows of each matrix in a batch: `self[b, indices[b, i]] = values[b, i]`."""
        slices = _slices(sparse_delta)
        places = slices.indices
        lead = places.shape.rank
        if lead is None or not lead:
            raise ShapeError("the indices need at least one axis, the last one within a batch")
        sizes = unstack(shape_of(places), lead)
        grids = meshgrid(*[cast(range_(n), places.dtype) for n in sizes], indexing="ij")
        return self.scatter_nd_update(stack([*grids[:-1], places], -1), slices.values)

    def _scatter(self, kind: str, sparse_delta: Any) -> Any:
        slices = _slices(sparse_delta)
        state.scatter(kind, self, slices.indices, slices.values)
        return self

    # --- some items, by all their indices

    def scatter_nd_update(self, indices: Any, updates: Any, name: Any = None) -> Any:
        """Set the items at `indices`, as `tl.tensor_scatter_nd_update` does."""
        return self._scatter_nd(tensor_scatter_nd_update, indices, updates)

    def scatter_nd_add(self, indices: Any, updates: Any, name: Any = None) -> Any:
        return self._scatter_nd(tensor_scatter_nd_add, indices, updates)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: Any = None) -> Any:
        return self._scatter_nd(tensor_scatter_nd_sub, indices, updates)

    def scatter_nd_max(self, indices: Any, updates: Any, name: Any = None) -> Any:
        return self._scatter_nd(tensor_scatter_nd_max, indices, updates)

    def scatter_nd_min(self, indices: Any, updates: Any, name: Any = None) -> Any:
        return self._scatter_nd(tensor_scatter_nd_min, indices, updates)

    def _scatter_nd(self, change: Callable[..., Tensor], indices: Any, updates: Any) -> Any:
        return self._assign(
            "assign", change(self, indices, convert(updates, hint=self.dtype)), True
        )

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
        """Some items, as a tensor; `v[key].assign(x)` sets them."""
        found = self.__tl_tensor__()[key]
        found._place = (self, key)
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError("items of a Variable are set by v[key].assign(value)")

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
        """A variable of its own with the same value."""
        self._require_value("copied")
        copy = _restore(*self.__reduce__()[1])
        memo[id(self)] = copy
        return copy

    def __reduce__(self) -> Any:
        self._require_value("pickled")
        kept = (self.trainable, self.name, self.dtype, self.shape, self.constraint)
        return _restore, (self._value.array, *kept)

    def _require_value(self, what: str) -> None:
        if is_tracing():
            raise VariableCreationError(
                f"the variable '{self.name}' can't be {what} at {describe(user_location(3))}, "
                "while a function is traced: its value is that of the run. Do so "
                "outside of the function"
            )
        if self._value.array is None:
            raise FailedPreconditionError(f"the variable '{self.name}' has no value yet")


class StandIn(Variable):
    """A variable argument inside of a trace. What captures one is of no use to another trace."""

    __slots__ = ()


def _restore(
    array: Array,
    trainable: bool,
    name: str,
    dtype: DType,
    shape: TensorShape,
    constraint: Any = None,
) -> Variable:
    made = Variable(
        EagerTensor(array, dtype), trainable=trainable, shape=shape, constraint=constraint
    )
    made.name = name
    return made


def _slices(sparse_delta: Any) -> IndexedSlices:
    if not isinstance(sparse_delta, IndexedSlices):
        raise TypeError(f"the rows must be given as tl.IndexedSlices, not as {sparse_delta!r}")
    return sparse_delta


__all__ = ["Storage", "Variable", "creator"]
