"""Random numbers: Philox, the same stream in eager code and in functions.

Each call draws from a stored state, in the order of the program, and moves it on; a traced
function captures the state and goes on with the same stream. `stateless_*` depend on their seed
alone. `set_seed` starts all streams anew.
"""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np

from .generator import (
    Generator,
    create_rng_state,
    get_global_generator,
    reset_global_generator,
    set_global_generator,
)
from .graph import philox
from .graph.build import convert, interpreting, recording
from .graph.dtypes import as_dtype, float32, int32, int64
from .graph.ops import random as ops
from .graph.ops.joining import stack
from .runtime import Variable
from .sampling import Source, pick, shuffled, spread_normal, spread_uniform

__all__ = [
    "Generator",
    "categorical",
    "create_rng_state",
    "experimental",
    "fold_in",
    "get_global_generator",
    "normal",
    "set_global_generator",
    "set_seed",
    "shuffle",
    "split",
    "stateless_categorical",
    "stateless_normal",
    "stateless_shuffle",
    "stateless_truncated_normal",
    "stateless_uniform",
    "truncated_normal",
    "uniform",
]

# --- where the numbers come from ---------------------------------------------------

_DEFAULT_GLOBAL_SEED = 87654321  # stands in where only the op has a seed, as in TensorFlow


class _Streams:
    """The states of the module's streams: one for each op seed, and one for no seed."""

    def __init__(self) -> None:
        self.seed: int | None = None
        self._states: dict[int | None, Variable] = {}
        self._lock = threading.Lock()

    def _start(self, op_seed: int | None) -> Any:
        if self.seed is None and op_seed is None:
            return philox.mixed(np.frombuffer(os.urandom(16), np.int64))
        seed = _DEFAULT_GLOBAL_SEED if self.seed is None else self.seed
        # The stream without an op seed must differ from that of each op seed.
        state = philox.mixed(np.array([_word(seed), _word(op_seed or 0)]))
        return state if op_seed is not None else philox.mixed(state[1:])

    def state(self, op_seed: int | None) -> Variable:
        with self._lock:
            found = self._states.get(op_seed)
            if found is None:
                with interpreting(None), recording(()):
                    found = Variable(self._start(op_seed), trainable=False, name="random_state")
                self._states[op_seed] = found
            return found

    def reset(self, seed: int | None) -> None:
        with self._lock:
            self.seed = seed
            with interpreting(None), recording(()):
                for op_seed, state in self._states.items():
                    state.assign(self._start(op_seed))


def _word(seed: int) -> Any:
    """A Python integer of any size as an int64."""
    return np.uint64(seed & 0xFFFFFFFFFFFFFFFF).astype(np.int64)


_streams = _Streams()


def seeds_of(op_seed: int) -> list[int]:
    """The global seed, or what stands in for it, and an op's own: two int64."""
    seed = _DEFAULT_GLOBAL_SEED if _streams.seed is None else _streams.seed
    return [int(_word(seed)), int(_word(op_seed))]


def set_seed(seed: int | None) -> None:
    """Start all random streams anew, from `seed`; None: from a seed of the operating system.

    Streams of calls with a `seed` of their own depend on both seeds. Functions that are traced
    already go on from the new start too.

    >>> import treadle as tl
    >>> tl.random.set_seed(5)
    >>> a = tl.random.uniform([3])
    >>> tl.random.set_seed(5)
    >>> bool(tl.reduce_all(a == tl.random.uniform([3])))
    True
    """
    _streams.reset(None if seed is None else int(seed))
    reset_global_generator(seed)


def _stored(seed: int | None) -> Source:
    """Draws from a stored state, and moves it on."""
    state = _streams.state(None if seed is None else int(seed))
    return lambda shape: ops.rng_advance(state, ops.count_of(shape))


def _fixed(seed: Any) -> Source:
    state = ops.state_from_seed(seed)
    return lambda shape: state


# --- streams -----------------------------------------------------------------------


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Numbers spread evenly over [minval, maxval); maxval is 1 unless given, integers need one.

    >>> import treadle as tl
    >>> tl.random.set_seed(1)
    >>> tl.random.uniform([2, 3]).shape, tl.random.uniform([4], maxval=6, dtype=tl.int32).dtype
    (TensorShape([2, 3]), tl.int32)
    """
    return spread_uniform(_stored(seed), shape, minval, maxval, as_dtype(dtype))


def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Numbers of the normal distribution.

    >>> import treadle as tl
    >>> tl.random.normal([2, 3], mean=1.0, stddev=0.1).shape
    TensorShape([2, 3])
    """
    return spread_normal(_stored(seed), "normal", shape, mean, stddev, as_dtype(dtype))


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Normal numbers within two standard deviations of the mean; others are drawn anew.

    >>> import treadle as tl
    >>> bool(tl.reduce_all(tl.abs(tl.random.truncated_normal([100])) < 2))
    True
    """
    return spread_normal(_stored(seed), "truncated_normal", shape, mean, stddev, as_dtype(dtype))


def shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Any:
    """`value` with the slices of its first axis in random order.

    >>> import treadle as tl
    >>> sorted(tl.random.shuffle([1, 2, 3]).numpy().tolist())
    [1, 2, 3]
    """
    return shuffled(_stored(seed), value)


def categorical(
    logits: Any,
    num_samples: Any,
    dtype: Any = None,
    seed: int | None = None,
    name: str | None = None,
) -> Any:
    """Samples of classes: for each row of `logits`, unnormalised log-probabilities, some places.

    The result has shape (rows, num_samples) and dtype int64 unless given.

    >>> import treadle as tl
    >>> tl.random.categorical([[0.0, float("-inf")]], 4).numpy()
    array([[0, 0, 0, 0]])
    """
    return pick(_stored(seed), logits, num_samples, as_dtype(dtype or int64))


# --- stateless ---------------------------------------------------------------------


def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """`uniform` that depends on nothing but `seed`, two integers; TensorFlow's numbers.

    With integers and no limits (`minval=None, maxval=None`) all bits are random.

    >>> import treadle as tl
    >>> tl.random.stateless_uniform([3], seed=[1, 2]).numpy()
    array([0.8440604 , 0.19204533, 0.9962232 ], dtype=float32)
    """
    return spread_uniform(_fixed(seed), shape, minval, maxval, as_dtype(dtype))


def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """`normal` that depends on nothing but `seed`, two integers.

    >>> import treadle as tl
    >>> a, b = (tl.random.stateless_normal([3], seed=[1, 2]) for _ in range(2))
    >>> bool(tl.reduce_all(a == b))
    True
    """
    return spread_normal(_fixed(seed), "normal", shape, mean, stddev, as_dtype(dtype))


def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    name: str | None = None,
    alg: Any = "auto_select",
) -> Any:
    """`truncated_normal` that depends on nothing but `seed`, two integers.

    >>> import treadle as tl
    >>> tl.random.stateless_truncated_normal([2, 3], seed=[1, 2]).shape
    TensorShape([2, 3])
    """
    return spread_normal(_fixed(seed), "truncated_normal", shape, mean, stddev, as_dtype(dtype))


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = int64, name: str | None = None
) -> Any:
    """`categorical` that depends on nothing but `seed`, two integers.

    >>> import treadle as tl
    >>> tl.random.stateless_categorical([[0.0, 0.0, 50.0]], 2, seed=[1, 2]).numpy()
    array([[2, 2]])
    """
    return pick(_fixed(seed), logits, num_samples, as_dtype(dtype))


def stateless_shuffle(
    value: Any, seed: Any, alg: Any = "auto_select", name: str | None = None
) -> Any:
    """`shuffle` that depends on nothing but `seed`, two integers.

    >>> import treadle as tl
    >>> tl.random.experimental.stateless_shuffle([1, 2, 3], seed=[8, 9]).shape
    TensorShape([3])
    """
    return shuffled(_fixed(seed), value)


def split(seed: Any, num: int = 2, alg: Any = "auto_select") -> Any:
    """`num` new seeds from one, a tensor of shape (num, 2).

    >>> import treadle as tl
    >>> tl.random.split([1, 2], num=3).shape
    TensorShape([3, 2])
    """
    state = ops.state_from_seed(seed)
    dtype = getattr(seed, "dtype", int32)
    return ops.draw(state, "bits", [num, 2], dtype)


def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Any:
    """A new seed from a seed and an integer, such as the number of a step.

    >>> import treadle as tl
    >>> tl.random.fold_in([1, 2], 3).shape
    TensorShape([2])
    """
    number = convert(data)
    return stack([ops.draw(ops.state_from_seed(seed), "bits", [], number.dtype), number])


experimental = SimpleNamespace(
    Generator=Generator,
    create_rng_state=create_rng_state,
    get_global_generator=get_global_generator,
    set_global_generator=set_global_generator,
    stateless_fold_in=fold_in,
    stateless_shuffle=stateless_shuffle,
    stateless_split=split,
)
