"""`tl.test.check_gradients`: it passes what is right, and finds what is not."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import treadle as tl

RNG = np.random.default_rng(5)
X = tl.constant(RNG.normal(size=(2, 3)))


def nested(table: Any, n: Any) -> Any:
    y = table["a"] @ tl.transpose(table["b"][0])
    return {"y": tl.tanh(y), "n": n + 1, "z": tl.cast(n, tl.float64) * tl.reduce_sum(y**2)}


def looped(x: Any) -> Any:
    for _ in tl.range(3):
        x = tl.sin(x) * 1.5
    return x


@pytest.mark.parametrize("order", [1, 2, 3])
def test_right_ones_pass(order: int) -> None:
    tl.test.check_gradients(nested, [{"a": X, "b": [X * 0.5]}, 3], order)
    tl.test.check_gradients(tl.function(looped), [X], order)
    for z in ([0.3 + 0.4j, -1.0 + 2.0j], [1.5 - 0.2j, 0.1 + 0.7j]):
        tl.test.check_gradients(lambda z: z * tl.exp(z) * tl.math.conj(z), [tl.constant(z)], order)
    tl.test.check_gradients(tl.abs, [tl.constant([1 + 2j, -3 + 0.5j])], order)


def test_single_precision() -> None:
    tl.test.check_gradients(lambda x: tl.exp(-x * x), [tl.cast(X, tl.float32)])
    tl.test.check_gradients(lambda x: x * x, [tl.cast(X, tl.float16)])


@pytest.mark.parametrize("seed", range(5))
def test_wrong_ones_do_not(seed: int) -> None:
    @tl.custom_gradient
    def almost(x: Any) -> Any:
        return tl.sin(x), lambda dy: dy * tl.cos(x) * 1.0001

    @tl.custom_gradient
    def only_first(x: Any) -> Any:
        return tl.sin(x), lambda dy: dy * tl.stop_gradient(tl.cos(x))

    pattern = r"the reverse gradient of order {} of '{}' is \S+ along a direction, by finite diff"
    for f, order in [(almost, 1), (only_first, 2)]:
        with pytest.raises(AssertionError, match=pattern.format(order, f.__name__)):
            tl.test.check_gradients(f, [X], 2, seed=seed)
    tl.test.check_gradients(only_first, [X], 1, seed=seed)
    tl.test.check_gradients(almost, [X], 1, rtol=1e-3, atol=1e-3, seed=seed)


def test_what_it_refuses() -> None:
    for arguments, message in [
        ((tl.sin, [X], 0), "the order of a gradient is 1 or more, not 0"),
        ((tl.sin, [X], 1, ("sideways",)), "there is no 'sideways'"),
        ((tl.abs, [tl.constant(1)]), "none of the arguments has a floating or complex dtype"),
        ((tl.shape, [X]), "none of the results has a floating or complex dtype"),
    ]:
        with pytest.raises(ValueError, match=re.escape(message)):
            tl.test.check_gradients(*arguments)
