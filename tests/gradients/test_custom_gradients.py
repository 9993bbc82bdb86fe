"""`tl.custom_gradient`: where it may stand, what it may take and give, and what it refuses."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from gradients.derivatives import check

import treadle as tl
from treadle.graph.check import check as check_graph
from treadle.graph.passes.pipeline import optimize
from treadle.graph.walk import nodes_within

WAYS = pytest.mark.parametrize("way", [lambda f: f, tl.function], ids=["eager", "traced"])
X = tl.constant(3.0)


def numbers(found: Any) -> Any:
    return tl.nest.map_structure(lambda g: None if g is None else g.numpy().tolist(), found)


def gradient(f: Any, *xs: Any, **options: Any) -> Any:
    with tl.GradientTape() as tape:
        tape.watch(xs)
        y = f(*xs, **options)
    return tape.gradient(y, list(xs))


# --- right gradients, against differences, up to third order -------------------------


@tl.custom_gradient
def log1pexp(x: Any) -> Any:
    e = tl.exp(x)

    def grad(dy: Any) -> Any:
        return dy * (1 - 1 / (1 + e))

    return tl.math.log(1 + e), grad


@tl.custom_gradient
def polar(x: Any, y: Any) -> Any:
    r = tl.sqrt(x * x + y * y)

    def grad(dr: Any, dangle: Any) -> Any:
        return dr * x / r - dangle * y / r**2, dr * y / r + dangle * x / r**2

    return (r, tl.atan2(y, x)), grad


def alone(x: Any) -> Any:
    return log1pexp(x) * x


def in_a_branch(x: Any) -> Any:
    if tl.reduce_sum(x) > 0.0:
        x = log1pexp(x) * 2.0
    else:
        x = tl.sin(x)
    return x


def in_a_loop(x: Any) -> Any:
    for i in tl.range(4):
        if i == 2:
            continue
        x = log1pexp(x * 0.7) - tl.cast(i, tl.float64)
        while tl.reduce_max(x) > 1.5:
            x = log1pexp(x) * 0.5
    return x


def several(x: Any) -> Any:
    r, angle = polar(x * x + 1.0, tl.exp(-x))
    return r * angle, angle


def of_a_closure(x: Any) -> Any:
    outer = tl.sin(x)

    @tl.custom_gradient
    def scaled(y: Any) -> Any:
        return y * y * y, lambda dy: dy * 3.0 * y * y

    @tl.custom_gradient
    def captures(y: Any) -> Any:
        @tl.custom_gradient
        def slope(dy: Any, z: Any) -> Any:
            return dy * tl.cos(z), lambda d: (d * tl.cos(z), -d * dy * tl.sin(z))

        return tl.sin(y), lambda dy: slope(dy, y)

    return scaled(outer) * captures(x)


@pytest.mark.parametrize("program", [alone, in_a_branch, in_a_loop, several, of_a_closure])
def test_right_ones(program: Any) -> None:
    for x in ([0.3, 0.5], [-0.4, 0.1], [2.0, 0.7]):
        order = 2 if program is in_a_loop else 3
        check(program, tl.function(program), [np.array(x)], order)


# --- wrong ones on purpose show that they are used -----------------------------------


@tl.custom_gradient
def seven(x: Any) -> Any:
    return x * 2.0, lambda dy: 7.0 * dy


def repeated(x: Any) -> Any:
    for _ in tl.range(3):
        if x > 1.0:
            x = seven(x)
    return x


def by_hand(x: Any) -> Any:
    x = tl.cond(x > 0.0, lambda: seven(x), lambda: x)
    return tl.while_loop(lambda i, x: i < 2, lambda i, x: (i + 1, seven(x)), [0, x])[1]


@WAYS
@pytest.mark.parametrize("f", [repeated, by_hand])
def test_it_replaces_the_real_one(way: Any, f: Any) -> None:
    for inner, outer in [(way(f), lambda f: f), (f, way), (way(f), way)]:
        assert numbers(outer(lambda x: (inner(x), gradient(inner, x)))(X)) == (24.0, [343.0])  # noqa: B023


def test_a_loop_of_python() -> None:
    assert numbers(gradient(lambda x: seven(seven(x)) + x, X)) == [50.0]


@WAYS
def test_the_gradient_is_not_that_of_what_is_returned_as_it_is(way: Any) -> None:
    @tl.custom_gradient
    def reverse(x: Any) -> Any:
        return x, lambda dy: -dy

    @way
    def f(x: Any) -> Any:
        return gradient(lambda x: reverse(x) * 3.0 + x, x)

    assert numbers(f(X)) == [-2.0]
    assert numbers(X) == 3.0


# --- arguments and results -----------------------------------------------------------


@WAYS
def test_nested_arguments_and_results(way: Any) -> None:
    @tl.custom_gradient
    def f(pair: Any, table: Any) -> Any:
        a, b = pair
        result = {"sum": a + b, "rest": [table["k"] * a, tl.constant(4)]}

        def grad(rest: Any, integer: Any, total: Any) -> Any:
            assert integer.dtype == tl.int32
            return (total * 10.0, rest * 100.0), {"k": rest * 1000.0}

        return result, grad

    @way
    def run(a: Any, b: Any, k: Any) -> Any:
        with tl.GradientTape(persistent=True) as tape:
            tape.watch([a, b, k])
            y = f((a, b), {"k": k})
        found = tape.gradient(y, [a, b, k])
        return y, found, tape.gradient(y["sum"], [a, b, k])

    y, grads, partly = numbers(run(X, tl.constant(1.0), tl.constant(2.0)))
    assert y == {"sum": 4.0, "rest": [6.0, 4]}
    assert grads == [10.0, 100.0, 1000.0]
    assert partly == [10.0, 0.0, 0.0]


@WAYS
def test_keywords_and_defaults(way: Any) -> None:
    @tl.custom_gradient
    def power(x: Any, y: Any, n: int = 2, *, scale: Any = 1.0) -> Any:
        def grad(dy: Any) -> Any:
            return 5.0 * dy, 7.0 * dy, None

        return x**n * y * scale, grad

    @tl.custom_gradient
    def two(x: Any, n: int = 2, *, scale: Any) -> Any:
        return x**n * scale, lambda dy: (3.0 * dy, None, 4.0 * dy)

    @way
    def run(x: Any, y: Any, s: Any) -> Any:
        return [
            gradient(lambda x, y, s: power(x, y, 3, scale=s), x, y, s),
            gradient(lambda x, y, s: power(x=x, y=y), x, y, s),
            gradient(lambda x, y, s: power(x, n=1, y=y, scale=s), x, y, s),
            gradient(lambda x, y, s: two(x, scale=s), x, y, s),
            gradient(lambda x, y, s: power(x, x), x, y, s),
        ]

    found = numbers(run(X, tl.constant(1.0), tl.constant(2.0)))
    assert found == [*[[5.0, 7.0, None]] * 3, [3.0, None, 4.0], [12.0, None, None]]


@WAYS
def test_no_gradient_for_some(way: Any) -> None:
    @tl.custom_gradient
    def f(x: Any, n: Any, y: Any) -> Any:
        return x * y * tl.cast(n, tl.float32), lambda dy: (None, dy, 2.0)

    @way
    def run(x: Any, n: Any, y: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch([x, y])
            z = f(x, n, y)
        return tape.gradient(z, [x, y])

    assert numbers(run(X, tl.constant(2), X * 1.0)) == [None, 2.0]


class Scaled(tl.Module):
    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.w = tl.Variable(factor)

    @tl.custom_gradient
    def __call__(self, x: Any) -> Any:
        def grad(dy: Any, variables: Any = None) -> Any:
            assert len(variables) == 1
            assert variables[0] is self.w
            return dy * self.factor * 10.0, [dy * 100.0]

        return x * self.w, grad


@WAYS
def test_methods_and_variables(way: Any) -> None:
    a, b = Scaled(2.0), Scaled(3.0)

    @way
    def run(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in tl.range(2):
                y = b(a(y))
        return y, tape.gradient(y, [x, a.w, b.w])

    y, grads = numbers(run(X))
    assert y == 108.0
    assert grads == [600.0**2, 100.0 * 30.0 + 100.0 * 30.0 * 600.0, 100.0 + 100.0 * 600.0]


@WAYS
def test_variables_as_arguments_and_in_functions(way: Any) -> None:
    v, w = tl.Variable(2.0), tl.Variable(5.0)
    fixed = tl.Variable(1.0, trainable=False)

    @tl.function
    def inner(x: Any) -> Any:
        return x * w * fixed

    @tl.custom_gradient
    def f(x: Any, v: Any) -> Any:
        def grad(dy: Any, **more: Any) -> Any:
            assert [u is w for u in more["variables"]] == [True]
            return (dy, 2.0 * dy), [3.0 * dy]

        return inner(x) * v, grad

    @way
    def run(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = f(x, v)
        return tape.gradient(y, [x, v, w, fixed])

    assert numbers(run(X)) == [1.0, 2.0, 3.0, None]


def test_recursion_with_a_variable() -> None:
    v = tl.Variable(2.0)

    @tl.custom_gradient
    def f(x: Any) -> Any:
        return x * v, lambda dy, variables: (dy * v, [dy * x])

    @tl.function
    def power(x: Any, n: Any) -> Any:
        if n <= 0:
            return x
        return power(f(x), n - 1)

    with tl.GradientTape() as tape:
        tape.watch(X)
        y = power(X, tl.constant(3))
    assert numbers(tape.gradient(y, [X, v])) == [8.0, 36.0]


# --- the guides' examples ------------------------------------------------------------


@WAYS
def test_clipped(way: Any) -> None:
    @tl.custom_gradient
    def clip_gradients(y: Any) -> Any:
        def backward(dy: Any) -> Any:
            return tl.clip_by_norm(dy, 0.5)

        return y, backward

    v = tl.Variable(2.0)

    @way
    def run() -> Any:
        with tl.GradientTape() as tape:
            output = clip_gradients(v * v)
        return tape.gradient(output, v)

    assert numbers(run()) == 2.0


@WAYS
@pytest.mark.parametrize("x", [0.4, 1.7])
def test_two_levels(way: Any, x: float) -> None:
    """A fused op, which gives its derivative beside its value; its second derivative is known."""

    @tl.custom_gradient
    def op_with_fused_backprop(x: Any) -> Any:
        y, x_grad = tl.sin(x), tl.stop_gradient(tl.cos(x))

        def first_order_gradient(dy: Any) -> Any:
            @tl.custom_gradient
            def first_order_custom(unused_x: Any) -> Any:
                def second_order_and_transpose(ddy: Any) -> Any:
                    return -ddy * tl.sin(x) * 1000.0

                return x_grad, second_order_and_transpose

            return dy * first_order_custom(x)

        return y, first_order_gradient

    @way
    def run(x: Any) -> Any:
        with tl.GradientTape() as second:
            second.watch(x)
            with tl.GradientTape() as first:
                first.watch(x)
                y = op_with_fused_backprop(x)
            g = first.gradient(y, x)
        return y, g, second.gradient(g, x)

    want = np.sin(x), np.cos(x), -1000.0 * np.sin(x)
    np.testing.assert_allclose([v.numpy() for v in run(tl.constant(x))], want, rtol=1e-5)


# --- beside other decorators and tapes -----------------------------------------------


@tl.function
@tl.custom_gradient
def decorated_twice(x: Any) -> Any:
    if x > 0.0:
        y = x * 2.0
    else:
        y = x * 5.0

    def grad(dy: Any) -> Any:
        if dy > 0.5:
            g = dy * 7.0
        else:
            g = -dy
        return g

    return y, grad


@tl.custom_gradient
def with_a_tape(x: Any) -> Any:
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = x
        for _ in tl.range(3):
            y = y * x
    return y, lambda dy: dy * tape.gradient(y, x) * 10.0


class Static:
    @staticmethod
    @tl.custom_gradient
    def call(x: Any) -> Any:
        return x * 1.0, lambda dy: dy * 11.0


@WAYS
def test_decorators_and_tapes(way: Any) -> None:
    cases = [(decorated_twice, 6.0, 7.0), (with_a_tape, 81.0, 1080.0), (Static.call, 3.0, 11.0)]
    for f, value, slope in cases:
        run = way(lambda x: f(x))  # noqa: B023
        assert numbers((run(X), gradient(run, X))) == (value, [slope])
    assert numbers(gradient(way(lambda x: decorated_twice(-x) * 0.25), X)) == [0.25]
    mapped = way(lambda x: tl.map_fn(lambda z: seven(z * z), x))
    assert numbers(gradient(mapped, tl.constant([1.0, 2.0]))) == [[14.0, 28.0]]


# --- in a graph ----------------------------------------------------------------------


def test_text_check_and_passes() -> None:
    v = tl.Variable([1.0, 2.0])

    @tl.custom_gradient
    def f(x: Any, y: Any) -> Any:
        z = tl.exp(x) * v

        def grad(da: Any, db: Any, variables: Any) -> Any:
            return (None, da * z * tl.reduce_sum(v) + db), [db * 2.0]

        return (z * y, z), grad

    def run(x: Any, y: Any) -> Any:
        for _ in tl.range(2):
            y, x = f(x, y)
        return x + y

    concrete = tl.function(run).get_concrete_function(tl.TensorSpec([None]), tl.TensorSpec([2]))
    graph = concrete.graph
    check_graph(graph)
    text = str(graph)
    assert "callee=f_gradient, results=2, wrt=(3, 4)" in text
    again = tl.graph.parse(text)
    assert str(again) == text
    check_graph(again)
    adjoint, same = tl.graph.gradients(graph), tl.graph.gradients(again)
    check_graph(adjoint)
    assert [n.op for n in nodes_within(adjoint)] == [n.op for n in nodes_within(same)]
    x = tl.constant([0.1, 0.2]), tl.constant([1.0, -1.0])
    want = run(*x)
    np.testing.assert_allclose(concrete(*x).numpy(), want.numpy(), rtol=1e-6)


def test_it_costs_nothing_where_no_gradient_is_asked_for() -> None:
    f = tl.function(lambda x: log1pexp(x) * 2.0)
    names = [n.op.name for n in optimize(f.get_concrete_function(X).graph).nodes]
    assert [n for n in names if n != "const"] == ["exp", "add", "log", "multiply"]


def test_effects_of_the_gradient_are_those_of_asking_for_it(capsys: Any) -> None:
    @tl.custom_gradient
    def f(x: Any) -> Any:
        def grad(dy: Any) -> Any:
            tl.print("dy is", dy)
            return dy

        return x * 1.0, grad

    g = tl.function(lambda x: f(x) * 4.0)
    assert numbers(g(X)) == 12.0
    assert capsys.readouterr().err == ""
    assert numbers(gradient(g, X)) == [4.0]
    assert capsys.readouterr().err == "dy is 4\n"


# --- what is refused -----------------------------------------------------------------


@WAYS
def test_a_gradient_that_is_not_there(way: Any) -> None:
    @tl.custom_gradient
    def f(x: Any) -> Any:
        def grad(dy: Any) -> Any:
            raise NotImplementedError("no gradient yet")

        return x * 2.0, grad

    assert numbers(way(lambda x: f(x))(X)) == 6.0
    with pytest.raises(NotImplementedError, match="no gradient yet"):
        way(lambda x: gradient(f, x))(X)
    with pytest.raises(NotImplementedError, match="no gradient yet"):
        gradient(way(lambda x: f(x)), X)


REFUSED: list[tuple[Any, str]] = [
    (lambda dy: (dy, dy), "gives 2 gradients, but 'f' has 1 arguments: it must give one for each"),
    (lambda dy: tl.cast(dy, tl.int32), r"gives a gradient i32\[2\] for argument 0, which is f32"),
    (lambda dy: tl.reduce_sum(dy), r"gives a gradient f32\[\] for argument 0, which is f32\[2\]"),
]


@WAYS
@pytest.mark.parametrize(("grad", "message"), REFUSED)
def test_wrong_gradients(way: Any, grad: Any, message: str) -> None:
    @tl.custom_gradient
    def f(x: Any) -> Any:
        return x * 2.0, grad

    with pytest.raises(tl.errors.GradientError, match=message) as caught:
        way(lambda x: gradient(f, x))(tl.constant([1.0, 2.0]))
    assert "the gradient function of 'f', called at test_custom_gradients.py:" in str(caught.value)


@WAYS
def test_wrong_functions(way: Any) -> None:
    v = tl.Variable(2.0)

    @tl.custom_gradient
    def alone(x: Any) -> Any:
        return x

    @tl.custom_gradient
    def reads(x: Any) -> Any:
        return x * v, lambda dy: dy

    with pytest.raises(TypeError, match="'alone' must give a pair, its result and its gradient"):
        way(lambda x: alone(x))(X)
    with pytest.raises(TypeError, match="must take the keyword argument 'variables'"):
        way(lambda x: reads(x))(X)
    with pytest.raises(TypeError, match="takes a function, not 3"):
        tl.custom_gradient(3)


@WAYS
def test_wrong_gradients_of_variables(way: Any) -> None:
    v = tl.Variable(2.0, name="v")
    for found, message in [
        (lambda dy: dy, "must give a pair: gradients of the arguments, and a list"),
        (lambda dy: (dy, []), "gives 0 gradients of variables, there are 1"),
        (lambda dy: (dy, [[dy, dy]]), "gives 2 gradients of variables, there are 1"),
        (lambda dy: (dy, tl.stack([dy, dy])), r"gives a gradient f32\[2\] for the variable 'v:0'"),
    ]:

        @tl.custom_gradient
        def f(x: Any) -> Any:
            return x * v, lambda dy, variables: found(dy)  # noqa: B023

        with pytest.raises(tl.errors.GradientError, match=message):
            way(lambda x: gradient(f, x))(X)


def test_nothing_is_kept_alive() -> None:
    class Big:
        pass

    big = Big()
    gone = weakref.ref(big)

    @tl.custom_gradient
    def f(x: Any, big: Any = big) -> Any:
        return x * 2.0, lambda dy: dy

    gradient(f, X)
    del f, big
    gc.collect()
    assert gone() is None
