"""`recompute_grad`: the same gradients as without, from less memory."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gradients.derivatives import check, grad, total, traced, values
from gradients.test_control_flow import MATRIX, PROGRAMS, VECTOR, over_rows

import treadle as tl
from treadle.graph.ops.checkpointing import advance

BUDGETS = [None, 20_000]


def recomputed(f: Any, budget: int | None) -> Any:
    return tl.recompute_grad(f, budget=budget)


# --- the programs of the other tests -------------------------------------------------


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_first_and_second_order(program: Any, budget: int | None) -> None:
    check(program, recomputed(program, budget), [VECTOR])


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_third_order(budget: int | None) -> None:
    def loops(x: Any) -> Any:
        for i in tl.range(4):
            if i % 2 == 0:
                x = tl.tanh(x) * 1.5
            while tl.reduce_sum(x) < 2.0:
                x = x + tl.exp(-x)
        return x

    check(loops, recomputed(loops, budget), [[0.5, 0.3, 0.6]], order=3)


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_rows(budget: int | None) -> None:
    check(over_rows, recomputed(over_rows, budget), [MATRIX])


@pytest.mark.parametrize("shape", [[None], None], ids=["rank", "nothing"])
@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_shapes_known_at_run_time(budget: int | None, shape: Any) -> None:
    def steps(x: Any) -> Any:
        y = x
        for i in tl.range(20):
            y = tl.sin(y) * tl.cast(i, tl.float64) * 0.1 + x
            if tl.reduce_sum(y) > 3.0:
                break
        return y

    again = recomputed(steps, budget)
    spec = tl.TensorSpec(shape, tl.float64)
    graph = tl.function(lambda x: again(x), autograph=False, input_signature=[spec])
    check(steps, graph, [VECTOR])


def long_loop(x: Any) -> Any:
    y = x
    n = 0
    while n < tl.constant(300):
        y = y + 0.01 * tl.sin(x * y)
        n += 1
        if tl.reduce_max(y) > 1.5:
            break
    return y


def growing(x: Any) -> Any:
    kept = tl.TensorArray(tl.float64, size=0, dynamic_size=True, element_shape=[3])
    y = x
    for i in tl.range(25):
        y = tl.sin(y) + 0.1 * x
        if i > 3:
            y = y + 0.1 * kept.read(i - 3)
        kept = kept.write(i, y)
    return tl.reduce_sum(kept.stack(), 0) + y


def loop_in_loop(x: Any) -> Any:
    y = x
    for i in tl.range(12):
        for j in tl.range(i % 4):
            y = y * tl.cos(0.1 * y) + 0.01 * tl.cast(j, tl.float64)
    return y


def loop_after_loop(x: Any) -> Any:
    y = x
    for _ in tl.range(15):
        y = tl.tanh(y) * 1.3
    z = y * y
    for _ in tl.range(9):
        z = tl.sin(z + y)
    return z * x


def never(x: Any) -> Any:
    y = x * x
    while tl.reduce_sum(y) < -1.0:
        y = y * 2.0
    return y


LONG = [long_loop, growing, loop_in_loop, loop_after_loop, never]


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("budget", [6_000, 40_000])
@pytest.mark.parametrize("program", LONG, ids=lambda f: f.__name__)
def test_checkpoints(program: Any, budget: int, inside: bool) -> None:
    xs = [tl.constant(np.array(VECTOR))]
    want = values(grad(total(program))(*xs))
    derive = grad(total(recomputed(program, budget)))
    got = values((traced(derive) if inside else derive)(*xs))
    np.testing.assert_allclose(got, want, rtol=1e-12)
    once_more = recomputed(program, budget)
    check(program, lambda x: once_more(x), [VECTOR], 1)


def looped(x: Any, body: Any, start: Any, **more: Any) -> Any:
    step = lambda i, y: (i + 1, body(x, y))  # noqa: E731
    return tl.while_loop(lambda i, y: i < 50, step, (0, start(x)), **more)[1]


BY_HAND = {
    "while_loop": lambda x: looped(x, lambda x, y: tl.sin(y) + 0.1 * x, lambda x: x),
    "maximum": lambda x: looped(x, lambda x, y: tl.sin(y), lambda x: x, maximum_iterations=7),
    "complex": lambda x: tl.abs(
        looped(x, lambda x, z: z * z * 0.3 + tl.complex(x, x), lambda x: tl.complex(x, -x))
    ),
    "scan": lambda x: tl.scan(lambda a, e: tl.sin(a) * e, x),
    "foldl": lambda x: tl.foldl(lambda a, e: tl.sin(a) * e + a, x),
    "map_fn": lambda x: tl.map_fn(lambda e: tl.exp(e) * tl.sin(e), x),
}


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
@pytest.mark.parametrize("name", BY_HAND)
def test_loops_by_hand(name: str, budget: int | None) -> None:
    program = BY_HAND[name]
    x = tl.constant(VECTOR, tl.float64)
    want = values(grad(total(tl.function(program)))(x))
    got = values(grad(total(recomputed(program, budget)))(x))
    np.testing.assert_allclose(got, want, rtol=1e-12)


# --- what the function takes, gives, reads and draws ----------------------------------


def run(f: Any, *xs: Any, inside: bool) -> Any:
    derive = grad(f)
    return values((tl.function(derive) if inside else derive)(*xs))


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_structures_and_keywords(budget: int | None, inside: bool) -> None:
    def f(pair: Any, scale: float, *, more: Any) -> Any:
        a, b = pair["a"], pair["b"][0]
        return {"sum": a + b * scale, "rest": [a * b, more["c"] * a, "text", None]}

    again = recomputed(f, budget)

    def summed(f: Any) -> Any:
        def one(a: Any, b: Any, c: Any) -> Any:
            found = f({"a": a, "b": [b]}, 3.0, more={"c": c})
            assert found["rest"][2:] == ["text", None]
            return found["sum"] + found["rest"][0] * found["rest"][1]

        return one

    xs = [tl.constant(v, tl.float64) for v in (0.5, -1.5, 2.0)]
    want = run(summed(f), *xs, inside=False)
    np.testing.assert_allclose(run(summed(again), *xs, inside=inside), want, rtol=1e-14)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("budget", BUDGETS, ids=str)
def test_variables_are_those_of_the_call(budget: int | None, inside: bool) -> None:
    v = tl.Variable(2.0, dtype=tl.float64)
    w = tl.Variable([1.0, 3.0], dtype=tl.float64)

    @tl.function
    def power(x: Any) -> Any:
        return x * v

    def f(x: Any) -> Any:
        for _ in tl.range(3):
            x = power(x) + tl.reduce_sum(w * x)
        return x * v

    again = recomputed(f, budget)

    def derive(x: Any) -> Any:
        v.assign(2.0)
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = again(x)
        v.assign(100.0)
        return tape.gradient(y, [x, v, w])

    def plain(x: Any) -> Any:
        v.assign(2.0)
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, [x, v, w])

    x = tl.constant(0.5, tl.float64)
    want = plain(x)
    got = (tl.function(derive) if inside else derive)(x)
    for g, expected in zip(got, want, strict=True):
        np.testing.assert_allclose(g.numpy(), expected.numpy(), rtol=1e-14)


def dropped(x: Any) -> Any:
    for i in tl.range(6):
        if i % 2 == 0:
            x = x * tl.random.uniform(tl.shape(x), dtype=tl.float64)
        else:
            x = tl.sin(x) + tl.random.normal([3], dtype=tl.float64)
    return x * tl.random.uniform([], dtype=tl.float64)


@tl.function
def noisy(x: Any) -> Any:
    return x * tl.random.uniform([], dtype=tl.float64)


def dropped_in_calls(x: Any) -> Any:
    for _ in tl.range(3):
        x = noisy(x) * x
    return noisy(x)


def drawn_by_a_generator(x: Any) -> Any:
    while tl.reduce_sum(x) < 4.0:
        x = x + GENERATOR.uniform([3], dtype=tl.float64) * tl.cos(x) ** 2
    return x


GENERATOR = tl.random.Generator.from_seed(1)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("budget", [None, 20_000], ids=str)
@pytest.mark.parametrize(
    "program", [dropped, dropped_in_calls, drawn_by_a_generator], ids=lambda f: f.__name__
)
def test_random_numbers_are_the_same_again(program: Any, budget: int | None, inside: bool) -> None:
    again = recomputed(program, budget)
    x = tl.constant(VECTOR, tl.float64)

    def both(f: Any) -> Any:
        def found(x: Any) -> Any:
            with tl.GradientTape() as outer:
                outer.watch(x)
                with tl.GradientTape() as tape:
                    tape.watch(x)
                    y = f(x)
                slope = tape.gradient(y, x)
            return y, slope, outer.gradient(slope, x), tl.random.uniform([2])

        return traced(found) if inside else found

    def seeded(f: Any) -> Any:
        tl.random.set_seed(7)
        GENERATOR.reset_from_seed(3)
        return values(f(x))

    want = seeded(both(tl.function(program)))
    got = seeded(both(again))
    assert np.abs(want[2]).max() > 0
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("budget", [None, 3_000], ids=str)
def test_prints_are_not_repeated(budget: int | None, inside: bool) -> None:
    out = io.StringIO()

    def f(x: Any) -> Any:
        for i in tl.range(3):
            if i != 1:
                tl.print("at", i, output_stream=out)
            x = x * x
        tl.print("done", output_stream=out)
        return x

    derive = grad(recomputed(f, budget))
    (found,) = values((traced(derive) if inside else derive)(tl.constant(1.5, tl.float64)))
    np.testing.assert_allclose(found, 8 * 1.5**7)
    assert out.getvalue().split("\n") == ["at 0", "at 2", "done", ""]


def test_changes_of_state_are_refused() -> None:
    v = tl.Variable(0.0, dtype=tl.float64)

    def count(x: Any) -> Any:
        for _ in tl.range(2):
            v.assign_add(1.0)
        return x * x

    again = recomputed(count, None)
    x = tl.constant(1.5, tl.float64)
    assert again(x).numpy() == 2.25  # without a gradient all is well
    with pytest.raises(tl.errors.GradientError) as caught:
        grad(again)(x)
    assert "v.assign_add(1.0)" in str(caught.value)
    assert "changes state: 'assign_add' at test_recompute.py" in str(caught.value)

    def python(x: Any) -> Any:
        return tl.py_function(lambda y: y * 2.0, [x], tl.float64)

    with pytest.raises(tl.errors.GradientError, match="calls Python: 'py_function' at"):
        grad(recomputed(python, 10_000))(x)


def test_a_budget_that_is_too_small() -> None:
    def f(x: Any) -> Any:
        for _ in tl.range(5):
            x = tl.sin(x)
        return x

    with pytest.raises(
        tl.errors.GradientError, match=r"the budget leaves 500 bytes for the loop at"
    ):
        grad(total(recomputed(f, 500)))(tl.ones([100], tl.float64))


@pytest.mark.parametrize("budget", [0, -5])
def test_budgets_are_positive(budget: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        tl.recompute_grad(lambda x: x, budget=budget)


@pytest.mark.parametrize("budget", [1.5, True, "1"])
def test_budgets_are_integers(budget: Any) -> None:
    with pytest.raises(TypeError, match="the budget is a number of bytes"):
        tl.recompute_grad(lambda x: x, budget=budget)
    with pytest.raises(TypeError, match="takes a function"):
        tl.recompute_grad(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("budget", [None, 20_000], ids=str)
def test_inside_of_loops_branches_and_itself(budget: int | None) -> None:
    def inner(x: Any, i: Any) -> Any:
        for _ in tl.range(i + 1):
            x = tl.sin(x) * 1.1 + x * x * 0.1
        return x

    again = recomputed(inner, budget)

    def outer(f: Callable[..., Any]) -> Any:
        def program(x: Any) -> Any:
            for i in tl.range(3):
                if i > 0:
                    x = f(x, i)
            return x

        return program

    check(outer(inner), tl.function(outer(again)), [VECTOR])
    check(outer(inner), recomputed(outer(again), budget), [VECTOR])


def test_methods_and_decorators() -> None:
    class Layer(tl.Module):
        def __init__(self) -> None:
            self.w = tl.Variable([[1.0, 2.0], [0.5, -1.0]], dtype=tl.float64)

        @tl.recompute_grad
        def __call__(self, x: Any) -> Any:
            return tl.tanh(x @ self.w)

    layer = Layer()
    x = tl.constant([[0.5, 0.25]], tl.float64)
    with tl.GradientTape() as tape:
        y = layer(x)
    want = x.numpy().T @ (1 - y.numpy() ** 2)
    np.testing.assert_allclose(tape.gradient(y, layer.w).numpy(), want)
    decorated = tl.recompute_grad(tl.function(lambda x: x * x * x))
    assert values(grad(decorated)(tl.constant(2.0))) == [12.0]


def test_variables_made_on_the_first_call_and_given_as_arguments() -> None:
    class Layer:
        w: Any = None

    layer = Layer()

    @tl.recompute_grad
    def f(x: Any, v: Any) -> Any:
        if layer.w is None:
            layer.w = tl.Variable([1.0, 3.0], dtype=tl.float64)
        return tl.reduce_sum(tl.sin(x * layer.w) * v)

    v = tl.Variable([0.5, 2.0], dtype=tl.float64)
    x = tl.constant([0.25, -0.5], tl.float64)
    for _ in range(2):
        with tl.GradientTape() as tape:
            y = f(x, v)
        dw, dv = tape.gradient(y, [layer.w, v])
        angle = x.numpy() * [1.0, 3.0]
        np.testing.assert_allclose(dw.numpy(), np.cos(angle) * v.numpy() * x.numpy())
        np.testing.assert_allclose(dv.numpy(), np.sin(angle))


@pytest.mark.parametrize("budget", [None, 10_000], ids=str)
def test_exceptions_that_are_handled(budget: int | None) -> None:
    def f(x: Any) -> Any:
        for i in tl.range(3):
            try:
                y = x * x
                if tl.reduce_sum(y) > 1.0:
                    raise ValueError("large")
                x = y
            except ValueError:
                x = tl.sin(x)
        return x

    check(tl.function(f), recomputed(f, budget), [VECTOR], 1)


def test_datasets_are_refused() -> None:
    @tl.recompute_grad
    def f(x: Any) -> Any:
        for e in tl.data.Dataset.range(3):
            x = x * tl.cast(e, tl.float64)
        return x

    with pytest.raises(tl.errors.GradientError, match="takes elements of a dataset: 'next' at"):
        grad(total(f))(tl.constant(VECTOR, tl.float64))


@pytest.mark.parametrize("inside", [False, True])
def test_random_numbers_within_a_loop_around(inside: bool) -> None:
    def noise(x: Any) -> Any:
        return tl.sin(x * tl.random.normal([3], dtype=tl.float64)) + x

    def around(f: Any) -> Any:
        @tl.function
        def program(x: Any) -> Any:
            for i in tl.range(4):
                if i != 2:
                    x = f(x)
            return tl.reduce_sum(x)

        derive = grad(program)
        return traced(derive) if inside else derive

    found = []
    for f in (noise, tl.recompute_grad(noise), tl.recompute_grad(noise, budget=10_000)):
        tl.random.set_seed(3)
        found.append(values(around(f)(tl.constant(VECTOR, tl.float64))))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-13)
    np.testing.assert_allclose(found[2], found[0], rtol=1e-13)


# --- memory and work -----------------------------------------------------------------


def peak(f: Any, *xs: Any) -> int:
    f(*xs)
    tracemalloc.start()
    f(*xs)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def deep(x: Any) -> Any:
    for _ in range(60):
        x = tl.sin(x) * x
    return x


@pytest.mark.parametrize("inside", [False, True])
def test_nothing_is_kept_for_the_backward_part(inside: bool) -> None:
    """Of four stages one at a time is computed again."""

    def stages(f: Any) -> Any:
        def program(x: Any) -> Any:
            for _ in range(4):
                x = f(x)
            return tl.reduce_sum(x)

        derive = grad(program)
        return traced(derive) if inside else derive

    x = tl.constant(np.linspace(0.1, 0.9, 10_000))
    plain, again = peak(stages(deep), x), peak(stages(tl.recompute_grad(deep)), x)
    assert again < plain / 2.5


@pytest.mark.parametrize("shape", [[500], [None], None], ids=["static", "rank", "nothing"])
@pytest.mark.parametrize("budget", [200_000, 1_000_000])
@pytest.mark.parametrize("inside", [False, True])
def test_loops_keep_to_their_budget(inside: bool, budget: int, shape: Any) -> None:
    def steps(x: Any) -> Any:
        for i in tl.range(700):
            x = x + 0.001 * tl.sin(x) * tl.exp(x) * tl.cast(i % 3, tl.float64)
        return tl.reduce_sum(x)

    again = tl.recompute_grad(steps, budget=budget)
    spec = [tl.TensorSpec(shape, tl.float64)]
    call = tl.function(lambda x: again(x), autograph=False, input_signature=spec)
    derive: Any = grad(call)
    x = tl.constant(np.linspace(0.1, 0.9, 500))
    found = tl.function(derive, input_signature=spec, autograph=False) if inside else derive
    plain = grad(steps)
    np.testing.assert_allclose(values(found(x)), values(tl.function(plain)(x)), rtol=1e-12)
    assert peak(found, x) <= budget


def test_where_to_run_to_needs_the_fewest_iterations() -> None:
    best: dict[tuple[int, int], int] = {}
    for free in range(8):
        for n in range(60):
            if n <= 1:
                best[n, free] = 0
            elif free == 0:
                best[n, free] = n * (n - 1) // 2
            else:
                best[n, free] = min(d + best[n - d, free - 1] + best[d, free] for d in range(1, n))

    def cost(n: int, free: int) -> int:
        if n <= 1:
            return 0
        d = advance(n, free, 1)
        return d + cost(n - d, max(free - 1, 0)) + cost(d, free)

    for (n, free), least in best.items():
        assert cost(n, free) == least, (n, free)
    assert advance(10, 3, 10) == 0
    assert 0 < advance(10**9, 3, 7) < 10**9
