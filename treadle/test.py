"""Tools for the tests of programs: `check_gradients`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .graph.build import convert
from .graph.dtypes import DType
from .graph.nest import flatten, pack
from .graph.ops.casting import cast, imag, real
from .graph.ops.reductions import reduce_sum
from .graph.ops.statistics import add_n
from .runtime import ForwardAccumulator, GradientTape

# By the size of a real number in bytes: the step of the differences, and the tolerance.
_ACCURACY = {8: (1e-4, 1e-6), 4: (2e-2, 1e-2), 2: (0.25, 0.2)}
_MODES = ("reverse", "forward")


def check_gradients(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 1,
    modes: Sequence[str] = _MODES,
    delta: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
) -> None:
    """AssertionError unless the gradients of `f` at `args` agree with finite differences.

    `args` are the arguments of `f`, tensors or nested structures of them; those of integers stay as
    they are. `f` gives a tensor or a nested structure of tensors, and must depend on nothing else:
    random numbers and variables that it assigns would differ from call to call. Its results are
    weighed and summed up at random, and the derivative along a random direction (both follow from
    `seed`) is compared with a difference of four values, at steps of `delta`; so for all gradients
    up to `order`. Differences of float64 are good to six digits, of float32 to two: use
    float64. `rtol` and `atol` say otherwise. `modes` are "reverse", the gradients of a tape, and
    "forward", the tangents of an accumulator; each differentiates the tape's gradients of one
    order less.
    Raises ValueError for unknown modes, an order below 1, and where nothing can be differentiated.

    >>> import treadle as tl
    >>> tl.test.check_gradients(tl.sin, [tl.constant([0.5, 2.0], tl.float64)], order=3)
    >>> @tl.custom_gradient
    ... def wrong(x):
    ...     return x * x, lambda dy: dy * x
    >>> tl.test.check_gradients(wrong, [tl.constant(3.0, tl.float64)])
    Traceback (most recent call last):
        ...
    AssertionError: the reverse gradient of order 1 of 'wrong' is ..., by finite differences ...
    """
    if order < 1:
        raise ValueError(f"the order of a gradient is 1 or more, not {order}")
    for mode in modes:
        if mode not in _MODES:
            raise ValueError(f"modes are {', '.join(map(repr, _MODES))}; there is no {mode!r}")
    check = _Check(f, args, np.random.default_rng(seed))
    step, tolerance = _ACCURACY[min(_size(x.dtype) for x in check.sources)]
    step = step if delta is None else delta
    function = check.scalar
    for n in range(1, order + 1):
        near = check.difference(function, step)
        allowed = (tolerance if atol is None else atol) + (
            tolerance if rtol is None else rtol
        ) * abs(near)
        for mode in modes:
            found = check.along(function, mode)
            if not abs(found - near) <= allowed:
                name = getattr(f, "__name__", repr(f))
                raise AssertionError(
                    f"the {mode} gradient of order {n} of '{name}' is {found:.10g} along a "
                    f"direction, by finite differences it is {near:.10g}"
                )
        function = check.slope(function)


class _Check:
    """A function as one of tensors to a number, at a place, and a direction."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], rng: Any) -> None:
        self._function = f
        self._structure = list(args)
        self._leaves = [convert(x) for x in flatten(self._structure)]
        self._places = [i for i, x in enumerate(self._leaves) if x.dtype.is_differentiable]
        if not self._places:
            raise ValueError("none of the arguments has a floating or complex dtype")
        self.sources = [self._leaves[i] for i in self._places]
        self._directions = [_random(rng, x) for x in self.sources]
        self._rng = rng
        self._weights: list[Any] | None = None

    def scalar(self, *xs: Any) -> Any:
        """The results of the function, weighed and summed."""
        leaves = list(self._leaves)
        for i, x in zip(self._places, xs, strict=True):
            leaves[i] = x
        found = [convert(y) for y in flatten(self._function(*pack(self._structure, leaves)))]
        results = [y for y in found if y.dtype.is_differentiable]
        if not results:
            raise ValueError("none of the results has a floating or complex dtype")
        if self._weights is None:
            self._weights = [_random(self._rng, y) for y in results]
        return _total([_inner(y, w) for y, w in zip(results, self._weights, strict=True)])

    def slope(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The derivative of `function` along the direction, again as a function."""

        def derivative(*xs: Any) -> Any:
            with GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(list(xs))
                y = function(*xs)
            grads = tape.gradient(y, list(xs), unconnected_gradients="zero")
            return _total([_inner(g, d) for g, d in zip(grads, self._directions, strict=True)])

        return derivative

    def along(self, function: Callable[..., Any], mode: str) -> float:
        """The derivative of `function` along the direction, at the sources."""
        if mode == "reverse":
            return float(self.slope(function)(*self.sources))
        with ForwardAccumulator(self.sources, self._directions) as accumulator:
            y = function(*self.sources)
        return float(accumulator.jvp(y, "zero"))

    def difference(self, function: Callable[..., Any], step: float) -> float:
        def at(t: float) -> Any:
            moved = [
                convert((x.numpy() + t * d.numpy()).astype(x.dtype.numpy))
                for x, d in zip(self.sources, self._directions, strict=True)
            ]
            return np.longdouble(function(*moved).numpy())

        near, far = at(step) - at(-step), at(2 * step) - at(-2 * step)
        return float((8 * near - far) / (12 * np.longdouble(step)))


def _size(dtype: DType) -> int:
    return dtype.size // (2 if dtype.is_complex else 1)


def _random(rng: Any, like: Any) -> Any:
    """Numbers of shape and dtype of `like`, none of them near zero."""
    values = rng.choice([-1, 1], like.shape) * rng.uniform(0.5, 1.0, like.shape)
    if like.dtype.is_complex:
        values = values + 1j * rng.uniform(0.5, 1.0, like.shape)
    return convert(np.asarray(values).astype(like.dtype.numpy))


def _inner(x: Any, y: Any) -> Any:
    """The real inner product: of complex tensors that of real and imaginary parts."""
    if x.dtype.is_complex:
        return reduce_sum(real(x) * real(y) + imag(x) * imag(y))
    return reduce_sum(x * y)


def _total(parts: Sequence[Any]) -> Any:
    widest = max(parts, key=lambda p: p.dtype.size).dtype
    return add_n([cast(p, widest) for p in parts])


__all__ = ["check_gradients"]
