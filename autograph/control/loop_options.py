"""`set_loop_options`: what the body of a loop says about the loop, while it is traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from treadle.graph import Tensor
from treadle.graph.build import convert
from treadle.graph.control import emit_cond, new_branch
from treadle.graph.errors import LoopShapeError
from treadle.graph.ops.define import constant_of
from treadle.graph.spec import TensorShape, TensorSpec, covers

from ..values.state import Nested, Plan, Slot
from .carried import Carried, How, Path, RetryError


class LoopOptions:
    """The options of one loop; `most` is the largest number of iterations, None for any."""

    def __init__(self) -> None:
        self.most: Any = None
        self._loop: Carried | None = None

    @contextmanager
    def of(self, loop: Carried) -> Iterator[None]:
        """Inside, `set_loop_options` is about `loop`."""
        self._loop = loop
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def internal(self) -> list[tuple[str, Tensor]]:
        """A count of the trips, where it is needed; it comes last among the loop's own state."""
        return [] if self.most is None else [("trips", convert(0))]

    def following(self, next_internal: Callable[..., list[Tensor]]) -> Callable[..., list[Tensor]]:
        def counted(loop: Carried, after: Sequence[Any]) -> list[Tensor]:
            return [*next_internal(loop, after), loop.body.inputs[loop.internal - 1] + 1]

        return next_internal if self.most is None else counted

    def bounded(self, holds: Callable[[Carried], Tensor]) -> Callable[[Carried], Tensor]:
        def bounded(loop: Carried) -> Tensor:
            few = loop.test.inputs[loop.internal - 1] < self.most
            return both(few, lambda: holds(loop))

        return holds if self.most is None else bounded

    def limit(self, most: Any) -> None:
        if self.most is None:
            known = constant_of(most)
            self.most = most if known is None else int(known)
            raise RetryError((), How.TENSOR)  # anew, with a count

    def relax(self, value: Any, shape: Any) -> None:
        """Let a loop variable have all shapes that `shape` covers."""
        loop, wanted = self._loop, TensorShape(shape)
        assert loop is not None
        for i, given in enumerate(loop.body.inputs):
            if given is not value or not isinstance(loop.specs[i], TensorSpec):
                continue
            path = next((p for p, slot in _slots(loop.plans, ()) if slot == i), None)
            if path is None or loop.specs[i].shape == wanted:
                return
            if not covers(wanted, loop.specs[i].shape):
                raise LoopShapeError(
                    f"'{loop.labels[path[0]]}' has shape {loop.specs[i].shape} before the loop at "
                    f"{loop.site.line}; its shape invariant {wanted} does not cover that"
                )
            raise RetryError(path, TensorSpec(wanted, given.dtype))


def both(first: Tensor, second: Callable[[], Tensor]) -> Tensor:
    """`first and second()`, which is asked only if `first` holds."""
    then, orelse = new_branch(name="then"), new_branch(name="orelse")
    with then:
        asked = second()
    with orelse:
        no = convert(False)
    (found,) = emit_cond(first, then, [asked], orelse, [no])
    result: Tensor = found
    return result


_current: ContextVar[LoopOptions | None] = ContextVar("loop_options", default=None)


def _slots(plans: Sequence[Plan], path: Path) -> Iterator[tuple[Path, int]]:
    for i, plan in enumerate(plans):
        if isinstance(plan, Slot):
            yield (*path, i), plan.index
        elif isinstance(plan, Nested):
            yield from _slots(plan.items, (*path, i))


def set_loop_options(
    parallel_iterations: Any = None,
    swap_memory: Any = None,
    maximum_iterations: Any = None,
    shape_invariants: Any = None,
) -> None:
    """Called first in the body of a loop over tensors: options of that loop.

    `shape_invariants` is a list of pairs of a loop variable and a shape that covers all that it may
    have; `maximum_iterations` ends the loop. The other two are there for TensorFlow's sake. Does
    nothing in a loop that Python runs.

    >>> import treadle as tl
    >>> @tl.function
    ... def ones(n):
    ...     x = tl.zeros([0])
    ...     for i in tl.range(n):
    ...         tl.autograph.experimental.set_loop_options(shape_invariants=[(x, [None])])
    ...         x = tl.concat([x, [1.0]], 0)
    ...     return x
    >>> ones(tl.constant(3)).numpy()
    array([1., 1., 1.], dtype=float32)
    """
    options = _current.get()
    if options is None:
        return
    if maximum_iterations is not None:
        options.limit(maximum_iterations)
    for value, shape in shape_invariants or ():
        options.relax(value, shape)


__all__ = ["LoopOptions", "both", "set_loop_options"]
