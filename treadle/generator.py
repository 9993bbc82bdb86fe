"""`tl.random.Generator`: a random stream that a program owns."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np

from .graph import philox
from .graph.build import convert, interpreting, recording
from .graph.dtypes import as_dtype, float32, int64, uint64
from .graph.errors import InvalidArgumentError, UnimplementedError
from .graph.node import Tensor
from .graph.ops import random as ops
from .graph.ops.casting import cast
from .graph.ops.filling import zeros_like
from .graph.ops.joining import concat, stack, unstack
from .runtime import Variable
from .sampling import spread_normal, spread_uniform

_PHILOX = 1  # TensorFlow's number of the algorithm


def _require_philox(alg: Any) -> None:
    if alg not in (None, _PHILOX, 3, "philox", "auto_select"):
        raise UnimplementedError(f"the algorithm {alg!r} is not known; 'philox' is")


def create_rng_state(seed: Any, alg: Any = "philox") -> Any:
    """The state of a generator made from `seed`: one to three integers, filled up with zeros.

    >>> import treadle as tl
    >>> tl.random.create_rng_state(1)
    array([1, 0, 0])
    """
    _require_philox(alg)
    words = [int(s) & 0xFFFFFFFFFFFFFFFF for s in np.ravel(np.asarray(seed, object))]
    if not 1 <= len(words) <= 3:
        raise InvalidArgumentError(f"a seed is one to three integers, there are {len(words)}")
    return np.array([*words, 0, 0][:3], np.uint64).astype(np.int64)


class Generator:
    """A stream of random numbers with a state of its own; TensorFlow's numbers.

    Made by `from_seed`, `from_state`, `from_key_counter` or `from_non_deterministic_state`. The
    state is a variable, so a function that uses the generator goes on with its stream.

    >>> import treadle as tl
    >>> g = tl.random.Generator.from_seed(1234)
    >>> g.uniform([2]).numpy()
    array([0.3581475 , 0.11322761], dtype=float32)
    >>> g.uniform([2]).numpy()
    array([0.9549352, 0.8923297], dtype=float32)
    """

    def __init__(self, copy_from: Generator | None = None, state: Any = None, alg: Any = None):
        """A copy of another generator, or one that starts at `state`."""
        if copy_from is not None:
            state = copy_from.state.read_value()
        if state is None:
            raise InvalidArgumentError("a Generator needs copy_from or state")
        _require_philox(alg)
        if isinstance(state, Variable):
            self._state = state
        else:
            self._state = Variable(convert(state, int64), trainable=False, name="StateVar")

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """A generator that always gives the same numbers for the same seed."""
        return cls(state=create_rng_state(seed, alg or "philox"), alg=alg)

    @classmethod
    def from_state(cls, state: Any, alg: Any = None) -> Generator:
        """A generator that starts at a state: counter (two words) and key."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any = None) -> Generator:
        """A generator from the key and the 128-bit counter of Philox."""
        return cls(state=_state(key, counter), alg=alg)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """A generator that starts at a state from the operating system."""
        return cls(state=np.frombuffer(os.urandom(24), np.int64), alg=alg)

    @property
    def state(self) -> Variable:
        """The variable that holds the state."""
        return self._state

    @property
    def algorithm(self) -> int:
        """TensorFlow's number of the algorithm; 1 is Philox."""
        return _PHILOX

    @property
    def key(self) -> Tensor:
        """The key, a scalar."""
        key: Tensor = self._state.read_value()[2]
        return key

    def reset(self, state: Any) -> None:
        """Go on from a state."""
        self._state.assign(convert(state, int64))

    def reset_from_seed(self, seed: Any) -> None:
        """Go on as `from_seed(seed)` starts."""
        self.reset(create_rng_state(seed))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Go on as `from_key_counter(key, counter)` starts."""
        self.reset(_state(key, counter))

    def skip(self, delta: Any) -> Tensor:
        """Leave out `delta` numbers; gives the state before."""
        return ops.rng_advance(self._state, convert(delta, hint=int64))

    def _source(self, shape: Any) -> Tensor:
        return ops.rng_advance(self._state, ops.count_of(shape))

    def normal(
        self,
        shape: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = float32,
        name: str | None = None,
    ) -> Tensor:
        """Numbers of the normal distribution."""
        return spread_normal(self._source, "normal", shape, mean, stddev, as_dtype(dtype))

    def truncated_normal(
        self,
        shape: Any,
        mean: Any = 0.0,
        stddev: Any = 1.0,
        dtype: Any = float32,
        name: str | None = None,
    ) -> Tensor:
        """Normal numbers within two standard deviations of the mean."""
        kind = "truncated_normal"
        return spread_normal(self._source, kind, shape, mean, stddev, as_dtype(dtype))

    def uniform(
        self,
        shape: Any,
        minval: Any = 0,
        maxval: Any = None,
        dtype: Any = float32,
        name: str | None = None,
    ) -> Tensor:
        """Numbers spread evenly over [minval, maxval); maxval is 1 unless given."""
        return spread_uniform(self._source, shape, minval, maxval, as_dtype(dtype))

    def uniform_full_int(self, shape: Any, dtype: Any = uint64, name: str | None = None) -> Tensor:
        """Integers of which all bits are random."""
        return spread_uniform(self._source, shape, None, None, as_dtype(dtype))

    def make_seeds(self, count: int = 1) -> Tensor:
        """Seeds for `stateless_*`: an int64 tensor of shape (2, count)."""
        keys = self.uniform_full_int([count], int64)
        return stack([keys, zeros_like(keys)])

    def split(self, count: int = 1) -> list[Generator]:
        """`count` new generators whose streams have nothing to do with this one's or each other."""
        keys = self.uniform_full_int([count], int64)
        blank = np.zeros(2, np.int64)
        return [Generator(state=concat([blank, [k]], 0)) for k in unstack(keys)]

    def __repr__(self) -> str:
        return f"<tl.random.Generator {self._state!r}>"


def _state(key: Any, counter: Any) -> Tensor:
    parts = [cast(convert(counter), int64), cast(convert([key]), int64)]
    return concat(parts, 0)


# --- the generator of the program --------------------------------------------------

_lock = threading.Lock()
_global: list[Generator] = []
_start: list[int] = []  # the seed that the program gave, if any
_ours: list[Generator] = []  # the one that was made here


def get_global_generator() -> Generator:
    """The generator that all of a program shares; it starts from `set_seed`, or by chance.

    >>> import treadle as tl
    >>> tl.random.get_global_generator() is tl.random.get_global_generator()
    True
    """
    with _lock:
        if not _global:
            with interpreting(None), recording(()):
                _ours[:] = _global[:] = [Generator(state=_global_state())]
        return _global[0]


def _global_state() -> Any:
    if not _start:
        return np.frombuffer(os.urandom(24), np.int64)
    return philox.mixed(np.array([_start[0] & 0xFFFFFFFFFFFFFFFF, 0], np.uint64))


def set_global_generator(generator: Generator) -> None:
    """Let `get_global_generator` give this one.

    >>> import treadle as tl
    >>> g = tl.random.Generator.from_seed(1)
    >>> tl.random.set_global_generator(g)
    >>> tl.random.get_global_generator() is g
    True
    """
    with _lock:
        _global[:] = [generator]


def reset_global_generator(seed: int | None) -> None:
    """Start the global generator anew from the seed of `set_seed`, unless the user set one."""
    with _lock:
        _start[:] = [] if seed is None else [seed]
        if _ours and _ours == _global:
            with interpreting(None), recording(()):
                _ours[0].reset(_global_state())
