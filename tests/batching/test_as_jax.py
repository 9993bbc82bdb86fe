"""What `jax.vmap` gave for a few functions; `jax_figures.json` tells the versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import treadle as tl

STORED = json.loads((Path(__file__).parent / "jax_figures.json").read_text())
X, A = (tl.constant(STORED[name], tl.float64) for name in ("x", "a"))
I = tl.constant(STORED["i"])  # noqa: E741


def derivative(f: Any) -> Any:
    def found(x: Any, *more: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = f(x, *more)
        return tape.jacobian(y, x)

    return found


def cond(x: Any) -> Any:
    if x[0] > 0:
        y = tl.reduce_sum(tl.sin(x))
    else:
        y = x[1] * x[2]
    return y


def loop(x: Any) -> Any:
    while tl.reduce_sum(x * x) < 20.0:
        x = x * 1.5 + 0.1 * tl.tanh(x)
    return x


def pick(x: Any, i: Any) -> Any:
    return x[i] * tl.math.cumprod(x)


def solve(a: Any, x: Any) -> Any:
    return tl.linalg.solve(a, x[:, None])[:, 0]


def smooth(x: Any) -> Any:
    return tl.reduce_logsumexp(x) * tl.reduce_max(x)


CASES = {
    "cond": (derivative(cond), (X,)),
    "loop": (loop, (X,)),
    "loop_jvp_jacobian": (derivative(loop), (X,)),
    "pick": (pick, (X, I)),
    "pick_jacobian": (derivative(pick), (X, I)),
    "solve_jacobian": (derivative(solve), (A, X)),
    "hessian": (derivative(derivative(smooth)), (X,)),
}


@pytest.mark.parametrize("name", CASES)
def test_as_jax(name: str) -> None:
    f, arguments = CASES[name]
    want = np.array(STORED["figures"][name])
    np.testing.assert_allclose(tl.vmap(f)(*arguments).numpy(), want, rtol=1e-8, atol=1e-10)


def test_pairs_as_jax() -> None:
    distances = tl.vmap(tl.vmap(lambda a, b: tl.reduce_sum((a - b) ** 2), (None, 0)), (0, None))
    want = np.array(STORED["figures"]["pairs"])
    np.testing.assert_allclose(distances(X, X).numpy(), want, rtol=1e-9, atol=1e-12)
