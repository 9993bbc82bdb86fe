"""Iterators over datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..graph.build import GraphBuilder, current, is_tracing
from ..graph.errors import OutOfRangeError, PythonLoopError
from ..graph.location import describe, strip_internal_frames, user_location
from ..graph.node import Value
from ..graph.ops import datasets as ops
from ..graph.spec import DataSpec
from ..runtime.eager import wrap
from .elements import structure_key

_MOST = 10_000  # elements that one trace may ask for in Python


def resolved(handle: Any) -> Any:
    """The handle of a dataset or iterator as the graph that is built now knows it."""
    builder = current()
    if isinstance(builder, GraphBuilder) and not isinstance(handle, (Value, DataSpec, type(None))):
        return builder.resolve(handle)
    return handle


class Iterator:
    """One iteration over a dataset: `next(it)` gives an element. Made by `iter(dataset)`.

    In a traced function the elements are asked for when the graph runs, and asking for one that is
    not there is an OutOfRangeError. Gradients stop at it.

    >>> import treadle as tl
    >>> it = iter(tl.data.Dataset.range(2))
    >>> next(it).numpy(), next(it).numpy(), next(it, None)
    (np.int64(0), np.int64(1), None)
    """

    def __init__(self, handle: Any, element_spec: Any, values_of: Any) -> None:
        self._handle = handle
        self._element_spec = element_spec
        self._values_of = values_of
        self._asked = 0

    @property
    def element_spec(self) -> Any:
        """The structure of an element, with a `TensorSpec` for each tensor."""
        return self._element_spec

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        if not is_tracing():
            try:
                found = self._handle._value.next()
            except OutOfRangeError:
                raise StopIteration from None
            except Exception as error:
                raise strip_internal_frames(error) from error.__cause__
            items = [wrap(v, s) for v, s in zip(found, self._handle.spec.items, strict=True)]
            return self._values_of(self._element_spec, items)
        self._asked += 1
        if self._asked > _MOST:
            raise PythonLoopError(
                f"a Python loop asks a dataset for more than {_MOST} elements while tracing, at "
                f"{describe(user_location(2))}: Python can't see where the data ends. Iterate with "
                "`for x in dataset` in a function that AutoGraph converts"
            )
        return self.get_next()

    next = __next__

    def get_next(self) -> Any:
        """The next element; OutOfRangeError where there is none."""
        return self._values_of(self._element_spec, ops.next_(self._handle))

    def __tracing_type__(self) -> Any:
        return structure_key(self._element_spec)

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Iterator]]:
        return [resolved(self._handle)], lambda items: Iterator(
            items[0], self._element_spec, self._values_of
        )

    @property
    def __tl_structure__(self) -> Any:
        return structure_key(self._element_spec)

    def __tl_iterate__(self) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """Whether there is an element, and the next one: for loops of a graph."""
        return lambda: ops.has_next(self._handle), self.get_next
