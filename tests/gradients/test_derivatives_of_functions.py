"""`grad`, `value_and_grad`, `jvp`, `vjp`, `hessian`: structures, composition, refusals."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import treadle as tl

X = tl.constant([0.7, -0.4, 1.1], tl.float64)
T = tl.constant([0.3, 1.0, -0.5], tl.float64)


def loop(x: Any) -> Any:
    i = 0
    while tl.reduce_sum(x * x) < 30.0:
        x = tl.sin(x) * x + x * 1.5 if i % 2 == 0 else x * 1.25
        i += 1
    return tl.reduce_sum(x * x * x)


def plain(x: Any) -> Any:
    i = 0
    while np.sum(x * x) < 30.0:
        x = np.sin(x) * x + x * 1.5 if i % 2 == 0 else x * 1.25
        i += 1
    return np.sum(x * x * x)


def central(f: Any, h: float) -> Any:
    """The derivative at 0 of a function of a number, by the four-point formula."""
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


def slope(x: Any, t: Any) -> Any:
    wide = np.asarray(x, np.longdouble), np.asarray(t, np.longdouble)
    return central(lambda e: plain(wide[0] + e * wide[1]), 1e-4)


def second_slope(x: Any, t: Any) -> Any:
    wide = np.asarray(x, np.longdouble), np.asarray(t, np.longdouble)
    return central(lambda e: slope(wide[0] + e * wide[1], t), 1e-4)


def by_grad(f: Any) -> Any:
    return lambda x: tl.reduce_sum(tl.grad(f)(x) * T)


def by_jvp(f: Any) -> Any:
    return lambda x: tl.jvp(f, (x,), (T,))[1]


def by_vjp(f: Any) -> Any:
    return lambda x: tl.reduce_sum(tl.vjp(f, x)[1](tl.constant(1.0, tl.float64))[0] * T)


def by_value_and_grad(f: Any) -> Any:
    return lambda x: tl.reduce_sum(tl.value_and_grad(f)(x)[1] * T)


WAYS = [by_grad, by_jvp, by_vjp, by_value_and_grad]


@pytest.mark.parametrize("place", ["eager", "function inside", "function around", "both"])
@pytest.mark.parametrize("way", WAYS)
def test_along_a_direction(way: Any, place: str) -> None:
    f = tl.function(loop) if place in ("function inside", "both") else loop
    run = way(f)
    run = tl.function(run) if place in ("function around", "both") else run
    assert run(X).numpy() == pytest.approx(float(slope(X, T)), rel=1e-8)


@pytest.mark.parametrize("place", ["eager", "function inside", "function around"])
@pytest.mark.parametrize(("outer", "inner"), [*itertools.product(WAYS, WAYS)])
def test_they_compose_in_any_order(outer: Any, inner: Any, place: str) -> None:
    f = tl.function(loop) if place == "function inside" else loop
    run = outer(inner(f))
    run = tl.function(run) if place == "function around" else run
    assert run(X).numpy() == pytest.approx(float(second_slope(X, T)), rel=1e-5)


@pytest.mark.parametrize("traced", [False, True])
def test_hessian(traced: bool) -> None:
    f = tl.hessian(tl.function(loop))
    h = (tl.function(f) if traced else f)(X).numpy()
    assert h.shape == (3, 3)
    np.testing.assert_allclose(h, h.T, rtol=1e-9)
    assert T.numpy() @ h @ T.numpy() == pytest.approx(float(second_slope(X, T)), rel=1e-5)


def test_hessian_of_unknown_sizes() -> None:
    f = tl.function(
        tl.hessian(lambda x: tl.reduce_sum(x * x * x)),
        input_signature=[tl.TensorSpec([None, 2], tl.float64)],
    )
    x = np.arange(6.0).reshape(3, 2)
    h = f(tl.constant(x)).numpy()
    np.testing.assert_allclose(h, np.diag(6 * x.ravel()).reshape(3, 2, 3, 2))


@pytest.mark.parametrize("traced", [False, True])
def test_hessian_of_structures(traced: bool) -> None:
    f = tl.hessian(lambda p, q: tl.reduce_sum(p["a"] ** 2.0 * p["b"]) * q, argnums=(0, 1))
    f = tl.function(f) if traced else f
    h = f({"a": tl.constant([1.0, 2.0]), "b": tl.constant(3.0)}, tl.constant(0.5))
    by_p, by_q = tl.nest.map_structure(lambda block: block.numpy().tolist(), h)
    assert by_p["a"] == ({"a": [[3.0, 0.0], [0.0, 3.0]], "b": [1.0, 2.0]}, [6.0, 12.0])
    assert by_p["b"] == ({"a": [1.0, 2.0], "b": 0.0}, 5.0)
    assert by_q == ({"a": [6.0, 12.0], "b": 5.0}, 0.0)


def test_nested_arguments_keep_their_structure() -> None:
    layers = [{"w": tl.constant([[1.0, 2.0]]), "b": tl.Variable([0.5, 0.0])}, ()]

    def f(layers: Any, x: Any, scale: float = 1.0) -> Any:
        return tl.reduce_sum((x @ layers[0]["w"] + layers[0]["b"]) * scale)

    x = tl.constant([[3.0]])
    value, g = tl.value_and_grad(f)(layers, x, scale=2.0)
    assert value.numpy() == 19.0
    assert type(g) is list
    assert g[0]["w"].numpy().tolist() == [[6.0, 6.0]]
    assert g[0]["b"].numpy().tolist() == [2.0, 2.0]
    assert g[1] == ()
    of_x, of_layers = tl.grad(f, argnums=(1, 0))(layers, x)
    assert of_x.numpy().tolist() == [[3.0]]
    assert of_layers[0]["b"].numpy().tolist() == [1.0, 1.0]
    back = tl.vjp(f, layers, x)[1]
    assert back(1.0)[1].numpy().tolist() == [[3.0]]
    tangents = ([{"w": tl.constant([[1.0, 0.0]]), "b": tl.constant([0.0, 1.0])}, ()], [[0.0]])
    assert tl.jvp(f, (layers, x), tangents)[1].numpy() == 4.0


def test_results_of_many_kinds() -> None:
    def f(x: Any) -> Any:
        return {"y": x * x, "n": tl.cast(x, tl.int32), "c": tl.constant(2.0)}

    values, tangents = tl.jvp(f, (3.0,), (1.0,))
    assert {k: v.numpy() for k, v in values.items()} == {"y": 9.0, "n": 3, "c": 2.0}
    assert tangents["y"].numpy() == 6.0
    assert tangents["n"] is None
    assert tangents["c"].numpy() == 0.0
    _, back = tl.vjp(f, 3.0)
    assert back({"y": 1.0, "n": None, "c": 1.0})[0].numpy() == 6.0
    assert back({"y": 2.0, "n": None, "c": None})[0].numpy() == 12.0


@pytest.mark.parametrize("traced", [False, True])
def test_what_comes_along(traced: bool) -> None:
    def f(x: Any) -> Any:
        return x * x * x, {"twice": x * 2.0}

    def run(x: Any) -> Any:
        return [
            tl.grad(f, has_aux=True)(x),
            tl.value_and_grad(f, has_aux=True)(x)[1:],
            tl.jvp(f, (x,), (tl.ones_like(x),), has_aux=True)[1:],
            tl.hessian(f, has_aux=True)(x),
            tl.vjp(f, x, has_aux=True)[2],
        ]

    found = (tl.function(run) if traced else run)(tl.constant(2.0))
    flat = [float(v) for v in tl.nest.flatten(found)]
    assert flat == [12.0, 4.0, 12.0, 12.0, 4.0, 12.0, 4.0, 4.0]


def test_the_same_tensor_twice() -> None:
    x = tl.constant(3.0)
    assert [float(g) for g in tl.grad(lambda a, b: a * a * b, argnums=(0, 1))(x, x)] == [18.0, 9.0]
    assert float(tl.jvp(lambda a, b: a * b, (x, x), (1.0, 0.0))[1]) == 3.0


def test_of_what_is_used_besides() -> None:
    """Perturbations are not confused: the inner derivative is by the inner argument alone."""
    x = tl.constant(2.0)
    assert float(tl.grad(lambda x: x * tl.grad(lambda y: x + y)(1.0))(x)) == 1.0
    assert float(tl.jvp(lambda x: x * tl.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (x,), (1.0,))[1])
    mixed = tl.jvp(lambda x: x * tl.grad(lambda y: x * y)(1.0), (x,), (1.0,))[1]
    assert float(mixed) == 4.0


def test_control_flow_of_python_is_converted() -> None:
    def f(x: Any) -> Any:
        if x > 1.0:
            return x * x
        return x

    @tl.function
    def all_of(x: Any) -> Any:
        along = tl.jvp(f, (x,), (tl.ones_like(x),))[1]
        return tl.grad(f)(x), along, tl.vjp(f, x)[1](tl.ones_like(x))[0], tl.hessian(f)(x)

    assert [float(v) for v in all_of(tl.constant(2.0))] == [4.0, 4.0, 4.0, 2.0]
    assert [float(v) for v in all_of(tl.constant(0.5))] == [1.0, 1.0, 1.0, 0.0]


def test_complex_numbers_have_the_convention_of_the_tape() -> None:
    z = tl.constant(1.0 + 2.0j, tl.complex128)
    f = lambda z: tl.abs(z * z)  # noqa: E731
    g, t = tl.grad(f)(z).numpy(), 0.3 - 0.7j
    along = tl.jvp(f, (z,), (tl.constant(t, tl.complex128),))[1]
    near = central(lambda e: abs((1 + 2j + e * t) ** 2), 1e-4)
    assert float(along) == pytest.approx(near, rel=1e-9)
    assert float(along) == pytest.approx(float(np.real(np.conj(g) * t)), rel=1e-12)


def test_names_and_signatures_are_those_of_the_function() -> None:
    def energy(x: Any) -> Any:
        """Of a spring."""
        return x * x

    for made in (tl.grad(energy), tl.value_and_grad(energy), tl.hessian(energy)):
        assert (made.__name__, made.__doc__) == ("energy", "Of a spring.")


def test_refusals() -> None:
    x = tl.constant([1.0, 2.0])
    with pytest.raises(tl.errors.ShapeError, match=r"needs one number, it gave shape \(2,\)"):
        tl.grad(lambda x: x)(x)
    with pytest.raises(tl.errors.DTypeError, match="argument 0 has dtype int32"):
        tl.grad(lambda x: tl.cast(x, tl.float32))(1)
    with pytest.raises(tl.errors.DTypeError, match="gave dtype int32"):
        tl.grad(lambda x: tl.cast(x, tl.int32))(1.0)
    with pytest.raises(ValueError, match="argnums names argument 1, the call has 1"):
        tl.grad(lambda x: x, argnums=1)(1.0)
    with pytest.raises(ValueError, match="argnums names an argument twice"):
        tl.grad(lambda x: x, argnums=(0, -1))(1.0)
    with pytest.raises(ValueError, match="has to give a pair"):
        tl.grad(lambda x: x, has_aux=True)(1.0)
    with pytest.raises(TypeError, match="a tuple of arguments"):
        tl.jvp(lambda x: x, x, x)
    with pytest.raises(ValueError, match="2 tangents are given for 1 primals"):
        tl.jvp(lambda x: x, (x,), (x, x))
    with pytest.raises(tl.errors.ShapeError, match="the tangent has shape"):
        tl.jvp(lambda x: x, (x,), (1.0,))
    with pytest.raises(ValueError, match="2 gradients are given for 1 results"):
        tl.vjp(lambda x: x, x)[1]((x, x))
