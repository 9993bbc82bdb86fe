"""`recompute_grad`: gradients that run a function again in place of keeping what it computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .graph.gradients import RECOMPUTE, Recompute
from .tracer.function import Function

P = ParamSpec("P")
R = TypeVar("R")


def recompute_grad(f: Callable[P, R], budget: int | None = None) -> Function[P, R]:
    """`f`, whose gradient runs it once more in place of keeping what it computed.

    The result is a `tl.function`: it is traced, eager or not. The forward part keeps the arguments
    and the values of the variables that it reads, no intermediate results; the backward part
    computes these again. Random numbers are the same again, and nothing is printed twice. Gradients
    of higher order work, and keep as little.

    With `budget`, a number of bytes, the loops of `f` keep some of their states within it, the
    checkpoints, and run what lies between them again, mostly once: for long loops. Several loops
    share the budget. What they result in is kept besides, once. Gradients of higher order then
    keep all that they read.

    GradientError, when a gradient is asked for, if `f` assigns variables or calls Python
    (`tl.py_function`), and for a budget that one state of a loop exceeds. TypeError or ValueError
    for a budget that is no positive integer.

    >>> import treadle as tl
    >>> def decay(x):
    ...     for _ in tl.range(1000):
    ...         x = x - 0.001 * tl.sin(x)
    ...     return x
    >>> x = tl.constant(1.0)
    >>> with tl.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = tl.recompute_grad(decay, budget=20_000)(x)
    >>> round(float(tape.gradient(y, x)), 4)
    0.4591
    """
    if not callable(f):
        raise TypeError(f"recompute_grad takes a function, not {f!r}")
    if budget is not None:
        if isinstance(budget, bool) or not isinstance(budget, int):
            raise TypeError(f"the budget is a number of bytes, not {budget!r}")
        if budget <= 0:
            raise ValueError(f"the budget must be positive, it is {budget}")
    made: Function[P, R] = Function(f)
    made.marks[RECOMPUTE] = Recompute(budget)
    return made


__all__ = ["recompute_grad"]
