"""Order by request: `control_dependencies`, `group`, `tuple`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .graph.build import convert, is_tracing, waiting_for
from .graph.node import Tensor
from .graph.ops.axes import identity


@contextmanager
def control_dependencies(control_inputs: Sequence[Any] | None) -> Iterator[None]:
    """What is computed in this block comes after the tensors `control_inputs`.

    Effects keep the order of the program anyhow; this adds edges for what has none. Blocks nest,
    and None forgets those around. Eagerly all is in order already; functions in the list are
    called. Raises TypeError for what is no list.

    >>> import treadle as tl
    >>> v = tl.Variable(1)
    >>> @tl.function
    ... def f(x):
    ...     with tl.control_dependencies([v.assign(x)]):
    ...         return tl.identity(v)
    >>> f(5)
    <tl.Tensor: shape=(), dtype=int32, numpy=5>
    """
    if control_inputs is not None and not isinstance(control_inputs, (list, tuple)):
        raise TypeError(f"control_dependencies takes a list of tensors, not {control_inputs!r}")
    if not is_tracing():
        for x in control_inputs or ():
            if callable(x) and not isinstance(x, Tensor):
                x()
        yield
        return
    with waiting_for(control_inputs):
        yield


def group(*inputs: Any, name: str | None = None) -> None:
    """Nothing: all effects happen, in their order, whether they are grouped or not.

    >>> import treadle as tl
    >>> v, w = tl.Variable(1), tl.Variable(2)
    >>> tl.group(v.assign(3), w.assign(4))
    """


def no_op(name: str | None = None) -> None:
    """Nothing, where a program has to have something.

    >>> import treadle as tl
    >>> tl.cond(tl.constant(True), tl.no_op, tl.no_op)
    """


def tuple_(tensors: Sequence[Any], control_inputs: Any = None, name: Any = None) -> list[Any]:
    """The tensors, none of which is there before all of them are; None stays.

    >>> import treadle as tl
    >>> tl.tuple([tl.constant(1), None])
    [<tl.Tensor: shape=(), dtype=int32, numpy=1>, None]
    """
    found = [None if x is None else convert(x) for x in tensors]
    known = [x for x in found if x is not None]
    with control_dependencies([*known, *(control_inputs or ())]):
        return [None if x is None else identity(x) for x in found]


__all__ = ["control_dependencies", "group", "no_op", "tuple_"]
