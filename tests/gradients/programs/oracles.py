"""What derivatives of a program are compared with. `ORACLES` may be added to: forward mode, say.

An oracle takes a `Case` and yields what differs, as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

import treadle as tl

from .running import Plain, Traced, long
from .writer import start

H = 1e-3


class Case:
    """A program, the point at which it is run, and two directions."""

    def __init__(self, text: str, seed: int) -> None:
        self.text, self.seed = text, seed
        self.plain, self.traced = Plain(text), Traced(text)
        self.arrays = start(seed)
        random = np.random.default_rng((seed, 1))
        self.directions = [[random.normal(size=np.shape(x)) for x in self.arrays] for _ in range(2)]
        self.value = self.plain(self.arrays)
        self.path = self.plain.path

    def moved(self, step: float, direction: list[Any]) -> list[Any]:
        return [np.asarray(x, long) + step * d for x, d in zip(self.arrays, direction, strict=True)]

    def difference(self, f: Callable[[list[Any]], Any], direction: list[Any]) -> tuple[Any, Any]:
        """The derivative of `f` along a direction by the six-point formula, and how far two of
        its step sizes are apart.
        """
        weights = ((1, 45.0), (2, -9.0), (3, 1.0))
        found = []
        for h in (H, H / 3, H / 9):
            total = sum(
                w * (f(self.moved(i * h, direction)) - f(self.moved(-i * h, direction)))
                for i, w in weights
            )
            found.append(total / (60 * h))
        apart = [abs(x - y) for x, y in pairwise(found)]
        best = int(np.argmin(apart))
        return found[best + 1], apart[best]

    @cached_property
    def is_smooth(self) -> bool:
        """True if no condition changes as far as the differences reach, and double precision is
        enough for the value.
        """
        for direction in self.directions:
            for i in (-3, -2, -1, 1, 2, 3):
                self.plain(self.moved(i * H, direction))
                if self.plain.path != self.path:
                    return False
        double = Plain(self.text, np.float64)
        error = abs(double(self.arrays) - self.value)
        same = double.path == self.path and error <= 1e-12 * (1 + abs(self.value))
        return bool(same and abs(self.value) < 1e6)

    def gradients(self, f: Any, wrap: Callable[[Any], Any] = tl.function) -> Any:
        """A function from arrays to the gradients of `f`; `wrap` makes a graph of it, or not."""
        _, _, v, m = self.traced.sources(self.arrays)

        def derive(a: Any, p: Any) -> Any:
            with tl.GradientTape() as tape:
                tape.watch([a, p])
                y = f(a, p)
            return tape.gradient(y, [a, p, v, m], unconnected_gradients="zero")

        derive = wrap(derive)

        def at(arrays: list[Any]) -> list[Any]:
            a, p, *_ = self.traced.sources(arrays)
            return [g.numpy() for g in derive(a, p)]

        return at

    @cached_property
    def program(self) -> Any:
        return tl.function(self.traced.program)

    @cached_property
    def reverse(self) -> Any:
        return self.gradients(self.program)

    @cached_property
    def found(self) -> list[Any]:
        """The gradients at the point."""
        found: list[Any] = self.reverse(self.arrays)
        return found


Oracle = Callable[[Case], Iterator[str]]


def along(gradients: list[Any], direction: list[Any]) -> Any:
    return sum(np.sum(g * d) for g, d in zip(gradients, direction, strict=True))


def unlike(got: Any, want: Any, tolerance: float, doubt: Any = 0.0) -> bool:
    return not abs(got - want) <= tolerance * (1 + abs(want)) + 10 * doubt


def too_steep(want: Any, doubt: Any) -> bool:
    """True where differences tell too little."""
    return bool(doubt > 1e-5 * (1 + abs(want)))


def values(case: Case) -> Iterator[str]:
    a, p, *_ = case.traced.sources(case.arrays)
    got = case.program(a, p).numpy()
    if unlike(got, case.value, 1e-11):
        yield f"the value is {got}, {case.value} is right"


def reverse(case: Case) -> Iterator[str]:
    """Reverse mode against differences of long doubles."""
    for direction in case.directions:
        want, doubt = case.difference(case.plain, direction)
        got = along(case.found, direction)
        if unlike(got, want, 1e-8, doubt) and not too_steep(want, doubt):
            yield f"the gradient is {got} along a direction, the difference {want}"


def second(case: Case) -> Iterator[str]:
    """Gradients of gradients against differences of gradients."""
    first, other = case.directions
    _, _, v, m = case.traced.sources(case.arrays)

    def slope(a: Any, p: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch([a, p])
            y = case.program(a, p)
        found = tape.gradient(y, [a, p, v, m], unconnected_gradients="zero")
        return tl.add_n([tl.reduce_sum(g * d) for g, d in zip(found, first, strict=True)])

    got = along(case.gradients(slope)(case.arrays), other)
    want, doubt = case.difference(lambda arrays: along(case.reverse(arrays), first), other)
    if unlike(got, want, 1e-6, doubt) and not too_steep(want, doubt):
        yield f"the second derivative is {got}, the difference of gradients {want}"


def same(case: Case, name: str, gradients: Any) -> Iterator[str]:
    """The same gradients in another way."""
    for i, (g, w) in enumerate(zip(gradients(case.arrays), case.found, strict=True)):
        if not np.allclose(g, w, rtol=1e-9, atol=1e-11):
            yield f"gradient {i} by {name} is {g}, without {w}"


def tape_outside(case: Case) -> Iterator[str]:
    yield from same(case, "a tape outside", case.gradients(case.program, lambda f: f))


def recomputed(case: Case) -> Iterator[str]:
    again = tl.recompute_grad(case.traced.program)
    yield from same(case, "recompute_grad", case.gradients(again))


def budgeted(case: Case) -> Iterator[str]:
    again = tl.recompute_grad(case.traced.program, budget=100_000 + 997 * (case.seed % 100))
    yield from same(case, "recompute_grad with a budget", case.gradients(again))


# How many programs go by between two that are compared: not all are needed for each.
ORACLES: dict[Oracle, int] = {
    values: 1,
    reverse: 1,
    second: 2,
    tape_outside: 4,
    recomputed: 4,
    budgeted: 4,
}


def differences(case: Case, number: int) -> Iterator[str]:
    """What differs, by the oracles whose turn it is."""
    for i, (oracle, every) in enumerate(ORACLES.items()):
        if (number + i) % every == 0:
            for found in oracle(case):
                yield f"{oracle.__name__}: {found}"
