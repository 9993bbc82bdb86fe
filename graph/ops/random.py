"""Random numbers as pure functions of a state, and the op that moves a stored state on.

A state is a tensor of three int64: a 128-bit counter, low word first, and a 64-bit key of Philox
(`graph/philox.py`). Equal states give equal numbers, on every backend; those of `tl.random` with
the same seeds as TensorFlow's stateless functions and Philox generators are TensorFlow's.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from .. import philox
from ..build import apply, convert
from ..convert import Array
from ..dtypes import DType, as_dtype, float32, int64
from ..errors import DTypeError, InvalidArgumentError, ShapeError
from ..node import Tensor
from ..op import OPS, WRITE, Op, batches, loops_over_batches, no_gradient
from ..spec import ResourceSpec, TensorShape, TensorSpec
from .define import constant_of, primitive, same_dtype
from .dims import dims_argument, require_dims, run_time_dims
from .reductions import reduce_prod

STATE = TensorSpec((3,), int64)
_BLOCKS_EACH = 256  # that a number takes from a stream: as many as rejection may need

# --- states ------------------------------------------------------------------------


def _seed_infer(seed: TensorSpec) -> TensorSpec:
    if not seed.dtype.is_integer or not seed.shape.is_compatible_with((2,)):
        raise InvalidArgumentError(f"a seed is two integers, this is {seed}")
    return STATE


def _seed_eval(xp: Any, seed: Array) -> Array:
    if seed.shape != (2,):
        raise ShapeError(f"a seed has shape (2,), this has {seed.shape}")
    return philox.mixed(seed)


_seed: Op = primitive(
    "philox_seed",
    _seed_infer,
    _seed_eval,
    no_gradient,
    checks=lambda seed: not seed.spec.shape.is_fully_defined(),
)


def state_from_seed(seed: Any) -> Tensor:
    """The state that a stateless seed, two integers, stands for."""
    result: Tensor = apply(_seed, (convert(seed),))
    return result


_lock = threading.Lock()


def _advance_infer(state: ResourceSpec, count: TensorSpec) -> TensorSpec:
    if not STATE.is_compatible_with(state.value):
        raise InvalidArgumentError(f"a random state is {STATE}, this is {state.value}")
    if not count.dtype.is_integer or count.shape.rank not in (0, None):
        raise DTypeError(f"the count is an integer scalar, not {count}")
    return STATE


def _advance_eval(xp: Any, storage: Any, count: Array) -> Array:
    with _lock:
        before: Array = storage.array
        storage.array = philox.advanced(before, int(count) * _BLOCKS_EACH)
    return before


_advance: Op = primitive(
    "rng_advance", _advance_infer, _advance_eval, no_gradient, effects=(WRITE,)
)


def rng_advance(state: Any, count: Any) -> Tensor:
    """The state in a variable, which moves on past what `count` numbers take."""
    result: Tensor = apply(_advance, (state, convert(count)))
    return result


# --- numbers -----------------------------------------------------------------------

_FLOATS = {
    "uniform": philox.uniform,
    "normal": philox.normal,
    "truncated_normal": philox.truncated_normal,
}


def _floats_infer(
    state: TensorSpec, *dims: TensorSpec, kind: str, shape: TensorShape, dtype: DType = float32
) -> TensorSpec:
    _require_state(state)
    require_dims(dims)
    if kind == "bits":
        if not dtype.is_integer:
            raise DTypeError(f"random bits have an integer dtype, not {dtype.name}")
    elif dtype.name not in ("float16", "float32", "float64"):
        raise DTypeError(f"numbers of the {kind} distribution are floating, not {dtype.name}")
    return TensorSpec(state.shape[:-1] + shape, dtype)


def _require_state(state: TensorSpec) -> None:
    shape = state.shape
    if state.dtype is not int64 or shape.rank == 0 or (shape.rank and shape[-1] not in (3, None)):
        raise InvalidArgumentError(f"a random state is {STATE}, this is {state}")


def _floats_eval(
    xp: Any, state: Array, *dims: Array, kind: str, shape: TensorShape, dtype: DType = float32
) -> Array:
    target = run_time_dims(dims, shape)
    make = philox.integers if kind == "bits" else _FLOATS[kind]
    return _rows(lambda s, count: make(xp, s, count, dtype.numpy), state, target, kind)


def _rows(make: Any, state: Array, target: tuple[int, ...], kind: str) -> Array:
    """Numbers of shape `target` from a state, or from each of several."""
    count = math.prod(target)
    if state.ndim == 1:
        return make(state, count).reshape(target)  # type: ignore[no-any-return]
    states = state.reshape(-1, 3)
    if kind == "truncated_normal" or not states.size or not count:
        rows = np.array([make(row, count) for row in states])
        rows = rows if states.size else make(np.zeros(3, np.int64), 0)
    else:  # each gives whole blocks, and so as many numbers as its own stream begins with
        wide = -(-count // 4) * 4
        rows = make(states, wide * len(states)).reshape(len(states), wide)[:, :count]
    return rows.reshape(*state.shape[:-1], *target)


_philox: Op = primitive("philox", _floats_infer, _floats_eval, no_gradient)


def draw(state: Tensor, kind: str, shape: Any, dtype: Any = float32) -> Tensor:
    """Numbers of a kind: "uniform", "normal", "truncated_normal" or "bits" (integers)."""
    static, dims = dims_argument(shape)
    attrs = {"kind": kind, "shape": static, "dtype": as_dtype(dtype)}
    result: Tensor = apply(_philox, (state, *dims), attrs)
    return result


def _between_infer(
    state: TensorSpec, low: TensorSpec, high: TensorSpec, *dims: TensorSpec, shape: TensorShape
) -> TensorSpec:
    _require_state(state)
    require_dims(dims)
    dtype = same_dtype(low, high)
    if not dtype.is_integer or low.shape.rank or high.shape.rank:
        raise DTypeError(f"the limits are integer scalars, not {low} and {high}")
    return TensorSpec(state.shape[:-1] + shape, dtype)


def _between_eval(
    xp: Any, state: Array, low: Array, high: Array, *dims: Array, shape: TensorShape
) -> Array:
    target = run_time_dims(dims, shape)
    least, above = int(low), int(high)
    if least >= above:
        raise InvalidArgumentError(f"minval {least} must be less than maxval {above}")
    return _rows(
        lambda s, count: philox.integers_between(xp, s, count, least, above, low.dtype),
        state,
        target,
        "between",
    )


def _between_may_fail(state: Tensor, low: Tensor, high: Tensor, *dims: Tensor, **_: Any) -> bool:
    least, above = constant_of(low), constant_of(high)
    return least is None or above is None or not (least < above).all()


_between: Op = primitive(
    "philox_between", _between_infer, _between_eval, no_gradient, checks=_between_may_fail
)


def draw_between(state: Tensor, low: Any, high: Any, shape: Any, dtype: Any) -> Tensor:
    """Integers of `dtype` in [low, high)."""
    wanted = as_dtype(dtype)
    static, dims = dims_argument(shape)
    inputs = (state, convert(low, wanted), convert(high, wanted), *dims)
    result: Tensor = apply(_between, inputs, {"shape": static})
    return result


def count_of(shape: Any) -> Any:
    """How many items a shape has: an int where it is known while tracing, else a tensor."""
    static, dims = dims_argument(shape)
    known = static.num_elements()
    if known is not None:
        return np.int64(known)
    return reduce_prod(dims[0])


# --- of a batch of examples ----------------------------------------------------------


def _states_eval(xp: Any, state: Array, count: Array, size: Array) -> Array:
    first = state.astype(np.int64).view(np.uint64)
    rows = np.empty((int(size), 3), np.uint64)
    used = np.arange(int(size), dtype=np.uint64) * np.uint64(int(count) * _BLOCKS_EACH)
    rows[:, 0] = first[0] + used
    rows[:, 1] = first[1] + (rows[:, 0] < used)
    rows[:, 2] = first[2]
    return rows.view(np.int64)


_states: Op = primitive(
    "philox_states",
    lambda state, count, size: TensorSpec((None, 3), int64),
    _states_eval,
    no_gradient,
)


@batches(_advance)
def _batched_advance(batch: Any, flags: Any, state: Any, count: Tensor) -> Any:
    """Each example draws its own numbers, as if one had drawn after the other."""
    if flags[1]:
        raise batch.refuse(
            "drawing random numbers", "how many depends on the example; draw as many for all"
        )
    size = batch.size
    number = apply(OPS["cast"], (count,), {"dtype": int64})
    many = apply(OPS["multiply"], (number, apply(OPS["cast"], (size,), {"dtype": int64})))
    first = apply(_advance, (state, many))
    return apply(_states, (first, count, size))


@batches(_philox)
def _batched_philox(batch: Any, flags: Any, state: Tensor, *dims: Tensor, **attrs: Any) -> Any:
    if any(flags[1:]):
        raise batch.refuse(
            "drawing random numbers", "how many depends on the example; draw as many for all"
        )
    return apply(_philox, (state, *dims), attrs)


@batches(_between)
def _batched_between(batch: Any, flags: Any, *inputs: Tensor, **attrs: Any) -> Any:
    if any(flags[1:]):
        return batch.each(_between, flags, inputs, attrs)
    return apply(_between, inputs, attrs)


loops_over_batches(_seed, _states)
