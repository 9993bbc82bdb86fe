"""A branch that is not taken sends no NaN back, whatever it computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

m = tl.math

# A function that `where` guards, and a point at which its derivative is infinite or NaN.
GUARDED: dict[str, tuple[Callable[[Any], Any], float]] = {
    "log": (m.log, 0.0),
    "log of a negative number": (m.log, -1.0),
    "sqrt": (tl.sqrt, 0.0),
    "rsqrt": (m.rsqrt, 0.0),
    "reciprocal": (m.reciprocal, 0.0),
    "divide by x": (lambda x: 1 / x, 0.0),
    "divide x by itself": (lambda x: x / x, 0.0),
    "pow": (lambda x: tl.pow(x, 0.5), 0.0),
    "pow of a negative number": (lambda x: tl.pow(x, 0.5), -1.0),
    "exponent": (lambda x: tl.pow(x, x), -1.0),
    "asin": (tl.asin, 1.0),
    "acos": (tl.acos, -1.0),
    "acosh": (tl.acosh, 1.0),
    "atanh": (tl.atanh, 1.0),
    "log1p": (m.log1p, -1.0),
    "erfinv": (m.erfinv, 1.0),
    "atan2": (lambda x: tl.atan2(x, x), 0.0),
    "exp": (tl.exp, np.inf),
    "exp that overflows": (lambda x: tl.exp(x * 1e9), 1.0),
    "sinh": (lambda x: tl.sinh(x * 1e9), 1.0),
    "lgamma": (m.lgamma, 0.0),
    "xlogy": (lambda x: m.xlogy(x, x), 0.0),
    "norm": (lambda x: tl.norm(tl.stack([x, x])), 0.0),
    "std": (lambda x: m.reduce_std(tl.stack([x, x])), 0.0),
    "logsumexp": (lambda x: tl.reduce_logsumexp(tl.stack([x, x])), -np.inf),
}


@pytest.mark.parametrize("name", GUARDED)
def test_the_guarded_branch_gives_zero(name: str) -> None:
    function, at = GUARDED[name]
    x = tl.constant(at, tl.float64)
    with tl.GradientTape() as outer:
        outer.watch(x)
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = tl.where(tl.constant(False), function(x), 3 * x)
        first = tape.gradient(y, x)
    assert float(first) == 3.0
    second = outer.gradient(first, x)
    assert second is None or float(second) == 0.0


def test_where_keeps_nan_out_of_both_sides() -> None:
    x = tl.constant([0.0, 4.0])
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = tl.where(x > 0, tl.sqrt(x), x / x)
    assert tape.gradient(y, x).numpy().tolist()[1] == 0.25


@pytest.mark.parametrize("dtype", [tl.float32, tl.float64, tl.complex64], ids=lambda d: d.name)
def test_strong_products(dtype: Any) -> None:
    bad = tl.constant([np.nan, np.inf, 2.0], dtype)
    zero = tl.constant([0.0, 0.0, 3.0], dtype)
    assert m.multiply_no_nan(bad, zero).numpy().tolist() == [0, 0, 6]
    assert m.xlogy(zero, bad).numpy()[:2].tolist() == [0, 0]
    assert m.xdivy(zero, 0 * bad).numpy()[:2].tolist() == [0, 0]
    assert m.divide_no_nan(bad, zero).numpy()[:2].tolist() == [0, 0]


@pytest.mark.parametrize("keepdims", [False, True])
def test_equal_extremes_share(keepdims: bool) -> None:
    x = tl.constant([[1.0, 5.0, 5.0], [2.0, 2.0, 2.0]])
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = tl.reduce_max(x, axis=1, keepdims=keepdims)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [[0, 0.5, 0.5], [1 / 3] * 3])


def test_the_kinks_are_those_of_tensorflow() -> None:
    """At equal operands `maximum` follows its first one, and relu is flat at 0."""
    x = tl.constant(0.0)
    for function, want in [
        (tl.nn.relu, 0.0), (lambda x: tl.maximum(x, 0.0), 1.0), (tl.nn.elu, 1.0), (tl.abs, 0.0),
        (lambda x: tl.minimum(x, 0.0), 1.0), (tl.nn.leaky_relu, 0.2), (tl.nn.softsign, 1.0),
        (lambda x: tl.nn.relu6(x + 6), 0.0), (lambda x: tl.clip_by_value(x, 0.0, 1.0), 1.0),
    ]:  # fmt: skip
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        assert float(tape.gradient(y, x)) == pytest.approx(want)


def test_what_overflows_stays_finite() -> None:
    x = tl.constant([-1000.0, 0.0, 1000.0])
    assert m.softplus(x).numpy()[[0, 2]].tolist() == [0.0, 1000.0]
    assert tl.sigmoid(x).numpy().tolist() == [0.0, 0.5, 1.0]
    assert tl.nn.softmax(x).numpy().tolist() == [0.0, 0.0, 1.0]
    assert tl.nn.log_softmax(x).numpy().tolist() == [-2000.0, -1000.0, 0.0]
    assert float(tl.reduce_logsumexp(x)) == 1000.0
    assert tl.reduce_logsumexp(tl.fill([2], -np.inf)).numpy() == -np.inf
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = tl.nn.elu(x) + tl.nn.gelu(x) + tl.nn.silu(x) + m.log_sigmoid(x)
    assert np.isfinite(tape.gradient(y, x).numpy()).all()
    many = tl.fill([1000], tl.constant(60000, tl.float16))
    assert float(tl.reduce_mean(many)) == 60000
