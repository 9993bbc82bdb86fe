"""Ops that decide which states of a loop are kept for its gradient, within a number of bytes.

The gradient of a loop that may not save every iteration keeps some of its states, the checkpoints,
and runs the iterations between them again (see `graph/gradients/checkpoints.py`).
"""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np

from ..build import apply, convert
from ..convert import Array
from ..dtypes import int32, int64
from ..errors import InvalidArgumentError
from ..node import Tensor
from ..op import Op, batches, loops_over_batches, no_gradient
from ..persistent import PersistentArray
from ..spec import ArraySpec, TensorSpec
from .define import primitive

OVERHEAD = 128  # bytes that an array takes besides its items, and its place on a stack
FEWEST = 4  # checkpoints


def _held(x: Any) -> int:
    if isinstance(x, PersistentArray):
        return OVERHEAD + sum(_held(item) for item in x.items() if item is not None)
    return OVERHEAD + int(np.asarray(x).nbytes)


_held_bytes: Op = primitive(
    "held_bytes",
    lambda *xs: TensorSpec((), int64),
    lambda xp, *xs: np.array(sum(map(_held, xs)), np.int64),
    no_gradient,
    metadata=True,  # of a batch the bytes of all examples, one number
)


def held_bytes(*xs: Any) -> Tensor:
    """The bytes of memory that tensors and arrays take, an int64 scalar."""
    result: Tensor = apply(_held_bytes, xs)
    return result


def bytes_of(spec: Any) -> int | None:
    """What `held_bytes` gives for a value of this spec, where the spec tells."""
    if isinstance(spec, ArraySpec) or not spec.shape.is_fully_defined():
        return None
    return OVERHEAD + int(spec.shape.num_elements()) * int(spec.dtype.numpy.itemsize)


def usable(budget: int, state: int) -> int:
    """The budget without what an iteration and its adjoint take themselves, for a while."""
    return budget - min(budget // 4, 16 * state)


def slots_for(budget: int, state: int) -> int:
    """How many states of this size are kept: a sixth of the budget; an even number.

    Those that are kept going forward stay till the end, and as many more may come going back.
    """
    return max(FEWEST, budget // 6 // state // 2 * 2)


def steps_for(budget: int, step: int) -> int:
    """How many iterations may save all that their adjoints read: half of the budget."""
    return max(1, budget // 2 // step)


def _plan_eval(xp: Any, *state: Any, budget: int, times: int) -> tuple[Array, Array, Array]:
    size = max(1, sum(map(_held, state)))
    budget = usable(budget, size)
    steps = min(steps_for(budget, size * times), 2**30)
    return (
        np.array(slots_for(budget, size), np.int32),
        np.array(steps, np.int32),
        np.array(budget // 2, np.int64),
    )


_plan: Op = primitive(
    "checkpoint_plan",
    lambda *state, budget, times: tuple(TensorSpec((), t) for t in (int32, int32, int64)),
    _plan_eval,
    no_gradient,
    multiple=True,
    metadata=True,
)


def checkpoint_plan(*state: Any, budget: int, times: int) -> tuple[Tensor, Tensor, Tensor]:
    """How many states like this one are kept, how far apart they are to be at first, and the
    bytes for what the adjoints read.

    An iteration is taken to save `times` as many bytes as its state has.
    """
    found: tuple[Tensor, Tensor, Tensor] = apply(_plan, state, {"budget": budget, "times": times})
    return found


def advance(length: int, free: int, most: int) -> int:
    """How far to run from a checkpoint to the next one, 0 for not at all.

    `length` iterations after the checkpoint are to be reversed, of which `most` can be at once;
    `free` more checkpoints can be kept. Binomial: no other choice needs fewer iterations in all
    (Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse
    automatic differentiation", 1992).
    """
    if length <= most:
        return 0
    if free <= 0:  # one more, which goes at once
        return length - most
    blocks = -(-length // most)
    sweeps = 1
    while comb(free + 1 + sweeps, sweeps) < blocks:
        sweeps += 1
    # Behind the new checkpoint one less is free, before it each iteration runs once less.
    least = comb(free + sweeps - 1, sweeps - 2) if sweeps > 1 else 1
    return most * max(least, blocks - comb(free + sweeps, sweeps))


def _advance_infer(length: TensorSpec, free: TensorSpec, most: TensorSpec) -> TensorSpec:
    for x in (length, free, most):
        if x.dtype is not int32 or x.shape.rank != 0:
            raise InvalidArgumentError(f"the counts are int32 scalars, not {x}")
    return TensorSpec((), int32)


_advance: Op = primitive(
    "checkpoint_advance",
    _advance_infer,
    lambda xp, length, free, most: np.array(
        advance(int(length), int(free), max(1, int(most))), np.int32
    ),
    no_gradient,
)
loops_over_batches(_advance)


@batches(_held_bytes)
def _batched_held(batch: Any, flags: Any, *xs: Any) -> Any:
    return apply(_held_bytes, xs)


@batches(_plan)
def _batched_plan(batch: Any, flags: Any, *state: Any, **attrs: int) -> Any:
    return apply(_plan, state, attrs)


def checkpoint_advance(length: Any, free: Any, most: Any) -> Tensor:
    """`advance` for tensors."""
    result: Tensor = apply(_advance, tuple(convert(x, int32) for x in (length, free, most)))
    return result


__all__ = ["bytes_of", "checkpoint_advance", "checkpoint_plan", "held_bytes"]
