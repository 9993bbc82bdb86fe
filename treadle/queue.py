"""Queues: state that holds tensors in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .graph.build import is_tracing
from .graph.dtypes import DType, as_dtype
from .graph.errors import VariableCreationError
from .graph.fifo import Fifo
from .graph.name_scope import scoped
from .graph.node import Tensor
from .graph.ops import queues as ops
from .graph.spec import UNKNOWN, TensorShape
from .runtime.tensor import EagerData


class FIFOQueue:
    """A queue of at most `capacity` elements, first in, first out.

    An element is a tensor or several: one for each of `dtypes`, of the `shapes` if given, named if
    `names` are. Putting and taking keep their place among all that a program does to the queue,
    eager and in functions; what waits for room, or an element, waits for another thread. Gradients
    stop at it. Made outside of functions; VariableCreationError inside.

    >>> import treadle as tl
    >>> q = tl.queue.FIFOQueue(3, [tl.float32], shapes=[[]])
    >>> q.enqueue(1.0)
    >>> q.enqueue_many([[2.0, 3.0]])
    >>> q.dequeue().numpy(), q.dequeue_many(2).numpy(), q.size().numpy()
    (np.float32(1.0), array([2., 3.], dtype=float32), np.int32(0))
    """

    def __init__(
        self,
        capacity: int,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:
        if is_tracing():
            raise VariableCreationError(
                "a queue is made while a function is traced: each call would use this one. Make it "
                "outside of the function"
            )
        if capacity < 1:
            raise ValueError(f"the capacity of a queue is at least 1, not {capacity}")
        listed = list(dtypes) if isinstance(dtypes, (list, tuple)) else [dtypes]
        self._dtypes = [as_dtype(d) for d in listed]
        several = isinstance(dtypes, (list, tuple)) or shapes is None
        given = shapes if several else [shapes]
        self._shapes = [TensorShape(s) for s in given or [UNKNOWN] * len(self._dtypes)]
        self._names = None if names is None else [names] if isinstance(names, str) else list(names)
        for what, items in (("shapes", self._shapes), ("names", self._names)):
            if items is not None and len(items) != len(self._dtypes):
                raise ValueError(
                    f"{len(self._dtypes)} dtypes are given, but {len(items)} {what}: one for each"
                )
        self._name = scoped(name)
        spec = ops.spec_of(list(zip(self._dtypes, self._shapes, strict=True)))
        self._handle = EagerData(Fifo(capacity), spec)

    @property
    def dtypes(self) -> list[DType]:
        """The dtype of each tensor of an element."""
        return list(self._dtypes)

    @property
    def shapes(self) -> list[TensorShape]:
        """The shape of each tensor of an element; of unknown rank if it was not given."""
        return list(self._shapes)

    @property
    def names(self) -> list[str] | None:
        return self._names

    @property
    def name(self) -> str:
        return self._name

    def enqueue(self, vals: Any, name: str | None = None) -> None:
        """Put an element into the queue: a tensor, a list of them, or a dict by their names.

        Raises CancelledError if the queue is closed, DTypeError, ShapeError or InvalidArgumentError
        where the tensors do not fit, ValueError for other names.
        """
        ops.put(self._handle, self._listed(vals))

    def enqueue_many(self, vals: Any, name: str | None = None) -> None:
        """Put as many elements into the queue as the tensors have rows: all in one turn."""
        ops.put(self._handle, self._listed(vals), many=True)

    def dequeue(self, name: str | None = None) -> Any:
        """Take the next element: a tensor, a list of them, or a dict by their names.

        Waits for one; OutOfRangeError if the queue is closed and empty.
        """
        return self._packed(ops.take(self._handle))

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """Take `n` elements, stacked; OutOfRangeError if the queue is closed and has fewer.

        Needs the queue to know the shapes, ShapeError else.
        """
        return self._packed(ops.take_many(self._handle, n, up_to=False))

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """Take `n` elements, stacked, or those that are left if the queue is closed."""
        return self._packed(ops.take_many(self._handle, n, up_to=True))

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements, an int32 scalar."""
        return ops.size(self._handle)

    def is_closed(self, name: str | None = None) -> Tensor:
        """True after `close`."""
        return ops.is_closed(self._handle)

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> None:
        """Let no more elements in. Those that are there can be taken; what waits for room is
        cancelled on request.
        """
        ops.close(self._handle, cancel_pending_enqueues)

    def _listed(self, vals: Any) -> Sequence[Any]:
        if isinstance(vals, dict):
            if self._names is None or set(vals) != set(self._names):
                raise ValueError(f"the names of an element are {self._names}, not {sorted(vals)}")
            return [vals[name] for name in self._names]
        if self._names is not None:
            raise ValueError(f"an element is a dict with the names {self._names}, not {vals!r}")
        return vals if isinstance(vals, (list, tuple)) and self._is_element(vals) else [vals]

    def _is_element(self, vals: Sequence[Any]) -> bool:
        """A list holds the tensors of an element, also where that is one."""
        return len(self._dtypes) > 1 or len(vals) == 1

    def _packed(self, tensors: Sequence[Tensor]) -> Any:
        if self._names is not None:
            return dict(zip(self._names, tensors, strict=True))
        return tensors[0] if len(tensors) == 1 else list(tensors)


__all__ = ["FIFOQueue"]
