"""`GradientTape.jacobian` and `batch_jacobian`: eager and traced, at once and by a loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.graph.walk import nodes_within

X = np.array([0.5, -1.5, 2.0])
W = np.array([[1.0, 2.0, 0.5], [-1.0, 0.3, 4.0]])


def differences(f: Any, x: Any) -> Any:
    """The Jacobian of a NumPy function by central differences."""
    step = 1e-6
    columns = []
    for place in np.ndindex(x.shape):
        d = np.zeros_like(x)
        d[place] = step
        columns.append((f(x + d) - f(x - d)) / (2 * step))
    return np.stack(columns, -1).reshape(*f(x).shape, *x.shape)


def jacobian(f: Any, x: Any, **options: Any) -> Any:
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.jacobian(y, x, **options)


def loop(x: Any) -> Any:
    k = tl.constant(0)
    while k < 3:
        x = tl.sin(x) * x[0] if k == 1 else x + x * x * 0.1
        k += 1
    return tl.reshape(x, [1, -1])


def loop_plainly(x: Any) -> Any:
    for k in range(3):
        x = np.sin(x) * x[0] if k == 1 else x + x * x * 0.1
    return x.reshape(1, -1)


CASES = [
    (lambda x: tl.linalg.matvec(tl.constant(W), tl.sin(x)), lambda x: W @ np.sin(x)),
    (lambda x: tl.reduce_sum(x**3), lambda x: (x**3).sum()),
    (lambda x: x[:, None] * x[None], lambda x: x[:, None] * x[None]),
    (lambda x: tl.sort(x)[::-1] * tl.reduce_max(x), lambda x: np.sort(x)[::-1] * x.max()),
    (loop, loop_plainly),
]


@pytest.mark.parametrize("at_once", [True, False], ids=["at_once", "loop"])
@pytest.mark.parametrize("way", ["eager", "called", "inside", "around"])
@pytest.mark.parametrize(("f", "plain"), CASES, ids=["matvec", "sum", "outer", "sort", "loop"])
def test_as_by_differences(f: Any, plain: Any, way: str, at_once: bool) -> None:
    x = tl.constant(X)
    options = {"experimental_use_pfor": at_once}
    run = {
        "eager": lambda x: jacobian(f, x, **options),
        "called": lambda x: jacobian(tl.function(f), x, **options),
        "inside": tl.function(lambda x: jacobian(f, x, **options)),
        "around": tl.function(lambda x: jacobian(tl.function(f), x, **options)),
    }[way]
    got = run(x).numpy()
    want = differences(plain, X)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7)


def test_unknown_shapes() -> None:
    f = tl.function(
        lambda x: jacobian(lambda v: v[:, None] * v, x),
        input_signature=[tl.TensorSpec([None], tl.float64)],
    )
    np.testing.assert_allclose(f(X), differences(lambda v: v[:, None] * v, X), rtol=1e-6)


def test_structures_and_what_is_not_connected() -> None:
    a, b, c = tl.Variable(X), tl.Variable(2.0, dtype=tl.float64), tl.Variable([1.0, 2.0])
    with tl.GradientTape(persistent=True) as tape:
        y = a * b
    got = tape.jacobian(y, {"a": a, "more": [b, c]})
    np.testing.assert_allclose(got["a"], np.eye(3) * 2)
    np.testing.assert_allclose(got["more"][0], X)
    assert got["more"][1] is None
    zeros = tape.jacobian(y, [c], unconnected_gradients="zero")
    assert zeros[0].shape == (3, 2)
    assert not zeros[0].numpy().any()
    np.testing.assert_allclose(tape.jacobian(y, a), np.eye(3) * 2)  # once more


def test_a_tape_of_one_use() -> None:
    x = tl.Variable(X)
    with tl.GradientTape() as tape:
        y = x * x
    tape.jacobian(y, x)
    with pytest.raises(RuntimeError, match="jacobians"):
        tape.jacobian(y, x)
    with pytest.raises(ValueError, match="not a tensor or variable"):
        tl.GradientTape(persistent=True).jacobian(y, 3.0)


def test_hessian_by_an_outer_tape() -> None:
    x = tl.constant(X)
    for run in (lambda f: f, tl.function):

        def hessian(x: Any) -> Any:
            with tl.GradientTape() as outer:
                outer.watch(x)
                g = gradient(x)
            return outer.jacobian(g, x)

        def gradient(x: Any) -> Any:
            with tl.GradientTape() as tape:
                tape.watch(x)
                y = tl.reduce_sum(x**3) * x[0]
            return tape.gradient(y, x)

        got = run(hessian)(x).numpy()

        def slope(x: Any) -> Any:
            g = 3 * x**2 * x[0]
            return g + np.array([(x**3).sum(), 0, 0])

        np.testing.assert_allclose(got, differences(slope, X), rtol=1e-6, atol=1e-7)


def test_gradient_of_a_jacobian() -> None:
    x = tl.constant(X)
    with tl.GradientTape() as outer:
        outer.watch(x)
        j = jacobian(lambda v: v**3, x)
        y = tl.reduce_sum(j)
    np.testing.assert_allclose(outer.gradient(y, x), 6 * X)


@pytest.mark.parametrize("at_once", [True, False], ids=["at_once", "loop"])
def test_batch_jacobian(at_once: bool) -> None:
    x = np.random.default_rng(0).standard_normal((4, 3))
    with tl.GradientTape() as tape:
        given = tl.constant(x)
        tape.watch(given)
        y = tl.sin(given)[:, :, None] * tl.reduce_sum(given, axis=1)[:, None, None] * [1.0, 2.0]
    got = tape.batch_jacobian(y, given, experimental_use_pfor=at_once).numpy()
    want = np.stack(
        [differences(lambda v: np.sin(v)[:, None] * v.sum() * [1.0, 2.0], r) for r in x]
    )
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)


def test_batch_jacobian_traced_and_refused() -> None:
    @tl.function(input_signature=[tl.TensorSpec([None, 3], tl.float64)])
    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.batch_jacobian(y, x)

    np.testing.assert_allclose(f(W), np.stack([np.diag(2 * r) for r in W]))
    x = tl.Variable(W)
    with tl.GradientTape(persistent=True) as tape:
        y = x[:1] * 2.0
    with pytest.raises(tl.errors.GradientError, match="one size"):
        tape.batch_jacobian(y, x)
    z = tl.Variable(W)
    assert tape.batch_jacobian(x * 1.0, z) is None


def test_is_one_walk_back() -> None:
    f = tl.function(lambda x: jacobian(lambda v: tl.tanh(tl.linalg.matvec(tl.constant(W), v)), x))
    graph = f.get_concrete_function(tl.TensorSpec([3], tl.float64)).graph
    assert "while" not in {node.op.name for node in nodes_within(graph)}
