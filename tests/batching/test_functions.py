"""`tl.vmap` and `tl.vectorized_map` of functions: axes, structures, control flow, state, errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import treadle as tl

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]], np.float32)


def grad(f: Any) -> Any:
    def slope(x: Any, *more: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = f(x, *more)
        return tape.gradient(y, x, unconnected_gradients="zero")

    return slope


def each(f: Any, *columns: Any) -> Any:
    """What a traced `f` gives for each example, stacked."""
    traced = tl.function(f)
    rows = [traced(*map(tl.constant, row)) for row in zip(*columns, strict=True)]
    return np.stack([r.numpy() for r in rows])


def as_each(f: Any, *columns: Any) -> None:
    """A batch gives what each example does; so do gradients, of the batch and in it."""
    want = each(f, *columns)
    given = [tl.constant(c) for c in columns]
    np.testing.assert_allclose(tl.vmap(f)(*given).numpy(), want, rtol=1e-5, atol=1e-6)
    if given[0].dtype.is_floating:
        slopes = each(grad(f), *columns)
        got = tl.vmap(grad(f))(*given).numpy()
        np.testing.assert_allclose(got, slopes, rtol=1e-4, atol=1e-5)
        got = grad(lambda x, *more: tl.reduce_sum(tl.vmap(f)(x, *more)))(*given)
        np.testing.assert_allclose(got.numpy(), slopes, rtol=1e-4, atol=1e-5)


# --- axes and structures -----------------------------------------------------------


def test_axes() -> None:
    x = tl.constant(X)
    f = tl.reduce_sum
    np.testing.assert_allclose(tl.vmap(f)(x), X.sum(1))
    np.testing.assert_allclose(tl.vmap(f, in_axes=1)(x), X.sum(0))
    np.testing.assert_allclose(tl.vmap(f, in_axes=-1)(x), X.sum(0))
    got = tl.vmap(lambda a, b: a * b, in_axes=(0, None))(x, tl.constant([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(got, X * [1, 2, 3])
    got = tl.vmap(lambda a: a * 2, out_axes=1)(x)
    np.testing.assert_allclose(got, X.T * 2)
    got = tl.vmap(lambda a: 7.0, axis_size=3, in_axes=None)(x)
    np.testing.assert_allclose(got, [7, 7, 7])
    shared = tl.vmap(lambda a, b: (a + b, b * 2), in_axes=(0, None), out_axes=(0, None))
    assert shared(x, tl.constant(1.0))[1].shape == ()


def test_structures_and_keywords() -> None:
    def f(d: Any, scale: Any = 1.0, *, power: int = 1) -> Any:
        return {"y": (d["a"] * scale) ** power, "z": [d["b"], None]}

    got = tl.vmap(f, in_axes=({"a": 0, "b": None},))({"a": tl.constant(X), "b": tl.constant(3)})
    np.testing.assert_allclose(got["y"], X)
    assert got["z"][0].numpy().tolist() == [3, 3]
    assert got["z"][1] is None
    got = tl.vmap(f)(
        {"a": tl.constant(X), "b": tl.constant([1, 2])}, scale=tl.constant([2.0, 3.0]), power=2
    )
    np.testing.assert_allclose(got["y"], (X * [[2], [3]]) ** 2)


def test_nested() -> None:
    x = tl.constant(np.arange(12.0).reshape(2, 3, 2))
    got = tl.vmap(tl.vmap(tl.reduce_max))(x)
    assert got.numpy().tolist() == [[1, 3, 5], [7, 9, 11]]
    pairs = tl.vmap(tl.vmap(lambda a, b: tl.reduce_sum(a * b), (None, 0)), (0, None))
    a = X.astype(float)
    np.testing.assert_allclose(pairs(tl.constant(a), tl.constant(a)), a @ a.T)


def test_is_traced_once() -> None:
    count = []

    def f(x: Any) -> Any:
        count.append(1)
        return x + 1.0

    mapped = tl.vmap(f)
    for _ in range(3):
        mapped(tl.constant(X))
    assert len(count) == 1
    for _ in range(3):
        tl.vectorized_map(f, tl.constant(X))
    assert len(count) == 2


def test_unknown_number_of_examples() -> None:
    def f(x: Any, n: Any) -> Any:
        y = tl.reshape(x, [-1, 1]) @ tl.ones([1, 2])
        while n > 0:
            y, n = y * 1.5, n - 1
        return tl.reduce_sum(y, axis=0) if x[0] > 0 else y[0]

    mapped = tl.function(
        lambda x, n: tl.vmap(f)(x, n),
        input_signature=[tl.TensorSpec([None, None]), tl.TensorSpec([None], tl.int32)],
    )
    n = np.array([2, 5], np.int32)
    np.testing.assert_allclose(mapped(X, n), each(f, X, n), rtol=1e-5)
    assert mapped(X[:0], n[:0]).shape == (0, 2)


def test_errors_of_arguments() -> None:
    x = tl.constant(X)
    with pytest.raises(tl.errors.ShapeError, match="differ in the number of examples"):
        tl.vmap(lambda a, b: a)(x, x[:1])
    with pytest.raises(tl.errors.ShapeError, match="no axis 0"):
        tl.vmap(lambda a: a)(tl.constant(1.0))
    with pytest.raises(ValueError, match="in_axes has 1 items for 2"):
        tl.vmap(lambda a, b: a, in_axes=(0,))(x, x)
    with pytest.raises(ValueError, match="out_axes is None"):
        tl.vmap(lambda a: a, out_axes=None)(x)
    with pytest.raises(ValueError, match="axis_size"):
        tl.vmap(lambda a: a, in_axes=None)(x)
    with pytest.raises(TypeError, match="integers and None"):
        tl.vmap(lambda a: a, in_axes=("x",))
    with pytest.raises(TypeError, match="a function"):
        tl.vmap(3)  # type: ignore[arg-type]


# --- control flow ------------------------------------------------------------------


def branches(x: Any) -> Any:
    if x[0] > 1:
        y = tl.sqrt(x[0] - 1) * x
    elif x[1] < 0:
        y = tl.math.log(-x[1]) + x
    else:
        y = x * x
    return tl.reduce_sum(y)


def trips(x: Any) -> Any:
    k = tl.constant(0)
    while tl.reduce_sum(x * x) < 50.0 and k < 9:
        x = x * 1.7 + 0.1
        if x[0] > 2.0:
            x = tl.sqrt(x - x[0] + 4.0 + tl.abs(x))
        k += 1
    return tl.reduce_sum(x) * tl.cast(k, tl.float32)


def switched(x: Any) -> Any:
    i = tl.cast(x[0] * 2.0, tl.int32)
    return tl.switch_case(i, [lambda: x * 2.0, lambda: tl.sin(x), lambda: x[::-1]])


@tl.function
def power(x: Any, n: Any) -> Any:
    if n == 0:
        return tl.constant(1.0)
    return x * power(x, n - 1)


def nested_loops(x: Any) -> Any:
    total = tl.constant(0.0)
    for v in x:
        while v > 0.3:
            v = v * 0.6
            total += v * v
    return total


ROWS = np.array([[0.5, -1, 2], [1.5, 0, -0.5], [3, 1, 1], [0.2, -0.1, 0.3]], np.float32)


@pytest.mark.parametrize("f", [branches, trips, switched, nested_loops], ids=lambda f: f.__name__)
def test_control_flow(f: Any) -> None:
    as_each(lambda x: tl.reduce_sum(f(x)), ROWS)


def test_recursion() -> None:
    n = np.array([0, 3, 1, 5], np.int32)
    x = np.array([2.0, 1.5, -1, 0.5], np.float32)
    as_each(lambda x, n: power(x, n), x, n)


def test_second_order_through_a_loop() -> None:
    def f(x: Any) -> Any:
        while x < 20.0:
            x = x * x + 0.5
        return x

    x = np.array([1.0, 2.5, 30.0], np.float32)
    want = each(grad(grad(f)), x)
    np.testing.assert_allclose(tl.vmap(grad(grad(f)))(tl.constant(x)), want, rtol=1e-4)


def test_nested_with_control_flow() -> None:
    x = ROWS.reshape(2, 2, 3)
    got = tl.vmap(tl.vmap(trips))(tl.constant(x))
    np.testing.assert_allclose(got, each(trips, ROWS).reshape(2, 2), rtol=1e-5)
    got = tl.vmap(tl.vmap(grad(trips)))(tl.constant(x))
    np.testing.assert_allclose(got, each(grad(trips), ROWS).reshape(2, 2, 3), rtol=1e-4)


def test_a_path_that_is_not_taken_can_not_fail() -> None:
    table = tl.constant([1.0, 2.0, 3.0])

    def f(i: Any) -> Any:
        if i < 3:
            y = table[i] + tl.cast(12 // (3 - i), tl.float32)
            tl.debugging.Assert(y < 100.0, [y])
        else:
            y = tl.constant(-1.0)
        return y

    got = tl.vmap(f)(tl.constant([0, 7, 2, 3]))
    assert got.numpy().tolist() == [5, -1, 15, -1]
    assert tl.vmap(f)(tl.constant([8, 9])).numpy().tolist() == [-1, -1]

    def g(i: Any) -> Any:
        if i > 5:
            raise ValueError(f"{i} is too large")
        return i * 2

    assert tl.vmap(g)(tl.constant([1, 5])).numpy().tolist() == [2, 10]
    with pytest.raises(ValueError, match="7 is too large"):
        tl.vmap(g)(tl.constant([1, 7, 8]))


def test_no_nan_leaks() -> None:
    def f(x: Any) -> Any:
        if x > 0:
            y = tl.sqrt(x)
        else:
            y = tl.constant(0.0)
        while y > 2.0:
            y = tl.math.log(y)
        return y

    x = np.array([4.0, -1.0, 0.0, 30.0], np.float32)
    as_each(f, x)
    assert np.isfinite(tl.vmap(grad(f))(tl.constant(x)).numpy()).all()


def test_branches_of_different_shapes_are_refused() -> None:
    def f(x: Any) -> Any:
        return x[:2] if x[0] > 1 else x[:1]

    with pytest.raises(tl.errors.ShapeError, match="which can't be stacked"):
        tl.vmap(f)(tl.constant(ROWS))

    def g(x: Any, n: Any) -> Any:
        return tl.ones([n]) if x[0] > 1 else tl.ones([n + 1])

    mapped = tl.vmap(g, in_axes=(0, None))
    assert mapped(tl.constant(ROWS[:2, :1] + 1), tl.constant(2)).shape == (2, 2)
    with pytest.raises(ValueError, match="which can't be stacked"):
        mapped(tl.constant(ROWS), tl.constant(1))


# --- lists, arrays, text, exceptions -----------------------------------------------


def with_list(x: Any) -> Any:
    kept = []
    for v in x:
        kept.append(v * v)  # noqa: PERF401 - a list in a loop is meant
    return tl.stack(kept)[::-1]


def with_array(x: Any) -> Any:
    ta = tl.TensorArray(tl.float32, size=3, element_shape=[])
    i = tl.constant(0)
    while i < 3 and x[i] > -0.7:
        ta = ta.write(2 - i, x[i] * x[0])
        i += 1
    return ta.stack()


def with_own_index(x: Any) -> Any:
    ta = tl.TensorArray(tl.float32, size=3, element_shape=[]).unstack(x * x)
    i = tl.argmax(x, output_type=tl.int32)
    return ta.read(i) * x[i] + tl.reduce_sum(ta.write(i, x[0]).stack())


@pytest.mark.parametrize("f", [with_list, with_array, with_own_index], ids=lambda f: f.__name__)
def test_arrays(f: Any) -> None:
    as_each(lambda x: tl.reduce_sum(f(x) * tl.constant([1.0, 2.0, 3.0])), ROWS)


def test_lists_of_different_lengths_are_refused() -> None:
    def f(x: Any) -> Any:
        kept = [x]
        while x < 10.0:
            x = x * 2.0
            kept.append(x)
        return tl.stack(kept)

    assert tl.vmap(f)(tl.constant([6.0, 7.0])).shape == (2, 2)
    with pytest.raises(tl.errors.InvalidArgumentError, match="different lengths"):
        tl.vmap(f)(tl.constant([6.0, 1.0]))


def test_try() -> None:
    def f(n: Any) -> Any:
        try:
            y = 12 // n
        except ZeroDivisionError:
            y = n - 1
        return y

    assert tl.vmap(f)(tl.constant([3, 0, 5])).numpy().tolist() == [4, -1, 2]


def test_python_calls() -> None:
    def f(x: Any) -> Any:
        return tl.numpy_function(lambda v: v[::-1] * 2, [x], tl.float32)

    np.testing.assert_allclose(tl.vmap(f)(tl.constant(X)), X[:, ::-1] * 2)


# --- state, random numbers, output -------------------------------------------------


def test_variables() -> None:
    v = tl.Variable(2.0)
    got = tl.vmap(lambda x: x * v)(tl.constant(X))
    np.testing.assert_allclose(got, X * 2)
    with tl.GradientTape() as tape:
        y = tl.reduce_sum(tl.vmap(lambda x: tl.reduce_sum(x * v))(tl.constant(X)))
    np.testing.assert_allclose(tape.gradient(y, v), X.sum())

    def same(x: Any) -> Any:
        v.assign(5.0)
        return x + v

    np.testing.assert_allclose(tl.vmap(same)(tl.constant(X)), X + 5)
    assert float(v) == 5
    with pytest.raises(tl.errors.BatchingError, match="different values"):
        tl.vmap(lambda x: v.assign(x[0]))(tl.constant(X))
    with pytest.raises(tl.errors.BatchingError, match="once for each example"):
        tl.vmap(lambda x: v.assign_add(1.0) + x)(tl.constant(X))
    assert float(v) == 5


def test_random_numbers() -> None:
    g = tl.random.Generator.from_seed(3)
    other = tl.random.Generator.from_seed(3)
    got = tl.vmap(lambda x: x * 0 + g.normal([3]))(tl.constant(X)).numpy()
    want = np.stack([other.normal([3]).numpy() for _ in X])
    np.testing.assert_allclose(got, want)  # as if one had drawn after the other
    assert (g.normal([2]).numpy() == other.normal([2]).numpy()).all()
    alike = tl.vmap(lambda x: tl.random.uniform([]), axis_size=5, in_axes=None)(0).numpy()
    assert len(set(alike.tolist())) == 5
    seeds = tl.constant([[1, 2], [3, 4]])
    got = tl.vmap(lambda s: tl.random.stateless_normal([2], s))(seeds).numpy()
    want = np.stack([tl.random.stateless_normal([2], s).numpy() for s in seeds])
    np.testing.assert_allclose(got, want)


SEEDED = [
    lambda s: tl.random.stateless_uniform([2, 3], s, dtype=tl.float64),
    lambda s: tl.random.stateless_truncated_normal([5], s),
    lambda s: tl.random.stateless_uniform([3], s, 0, 10, dtype=tl.int32),
    lambda s: tl.random.stateless_normal([3], s, dtype=tl.float16),
    lambda s: tl.random.stateless_uniform([], s),
]


@pytest.mark.parametrize("f", SEEDED)
def test_seeds_of_their_own(f: Any) -> None:
    seeds = tl.constant([[1, 2], [3, 4], [1, 2]])
    want = np.stack([f(s).numpy() for s in seeds])
    np.testing.assert_array_equal(tl.vmap(f)(seeds).numpy(), want)
    np.testing.assert_array_equal(tl.vmap(tl.vmap(f))(seeds[None]).numpy(), want[None])
    assert tl.vmap(f)(seeds[:0]).shape == (0, *want.shape[1:])


def test_streams_carry_over() -> None:
    from treadle.graph import philox
    from treadle.graph.op import OPS

    state = philox.state_of(77, 2**64 - 700)
    rows = OPS["philox_states"].eval(np, state, np.array(3), np.array(5))  # type: ignore[misc]
    want = np.array([philox.advanced(state, i * 3 * 256) for i in range(5)])
    np.testing.assert_array_equal(rows, want)
    words = philox.stream(np, rows, 5 * 1200)
    np.testing.assert_array_equal(
        words, np.concatenate([philox.stream(np, row, 1200) for row in rows])
    )


def test_print(capsys: Any) -> None:
    def f(x: Any) -> Any:
        tl.print("x:", x)
        return x

    tl.vmap(f)(tl.constant([1, 2]))
    assert capsys.readouterr().err == "x: [1 2]\n"

    def g(x: Any) -> Any:
        if x > 1:
            tl.print("x:", x)
        return x

    with pytest.raises(tl.errors.BatchingError, match="only some of the examples"):
        tl.vmap(g)(tl.constant([1, 2]))


def test_what_depends_on_values_names_op_line_and_cure() -> None:
    def f(x: Any) -> Any:
        return tl.boolean_mask(x, x > 0)

    with pytest.raises(tl.errors.BatchingError) as caught:
        tl.vmap(f)(tl.constant(X))
    message = str(caught.value)
    assert message.startswith("nonzero at test_functions.py:")
    assert "tl.boolean_mask(x, x > 0)" in message
    assert "tl.where(mask, x, 0)" in message
    with pytest.raises(tl.errors.BatchingError, match=r"range at .*length depends"):
        tl.vmap(lambda n: tl.reduce_sum(tl.range(n)))(tl.constant([1, 2]))


# --- TensorFlow's form -------------------------------------------------------------


def test_vectorized_map() -> None:
    outer = tl.vectorized_map(
        lambda e: tl.matmul(e[0], e[1]), (tl.ones([4, 2, 3]), tl.ones([4, 3, 2]))
    )
    assert outer.shape == (4, 2, 2)
    got = tl.vectorized_map(lambda e: e["a"] + e["b"], {"a": tl.constant(X), "b": tl.ones([1, 3])})
    np.testing.assert_allclose(got, X + 1)

    def looped(x: Any) -> Any:
        return tl.roll(x, tl.cast(x[0], tl.int32), 0)

    with pytest.warns(UserWarning, match="roll at .* has no batched form"):
        tl.vectorized_map(looped, tl.constant(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tl.vectorized_map(looped, tl.constant(X + 1), warn=False)
    with pytest.raises(tl.errors.BatchingError, match="roll"):
        tl.vectorized_map(looped, tl.constant(X), fallback_to_while_loop=False)


def test_gradient_through_an_array_that_only_some_examples_use() -> None:
    """What one branch saves for its gradient, the other one has nothing of."""

    @tl.function
    def f(x: Any) -> Any:
        y = x
        if x > 0.5:
            a = tl.TensorArray(tl.float64, 4, element_shape=[]).write(0, x)
            for i in tl.range(1, 4):
                y = a.read(i - 1) * x
                a = a.write(i, tl.sin(y))
        return y * y

    @tl.function
    def slope(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    xs = tl.constant([0.2, 0.7, 1.3, -0.4], tl.float64)
    for some in xs, xs[1:3], xs[::3]:
        wanted = [slope(x).numpy() for x in some]
        np.testing.assert_allclose(tl.vmap(slope)(some).numpy(), wanted, rtol=1e-12)
