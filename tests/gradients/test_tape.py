"""`GradientTape`: what it watches, what it can be asked, and what it refuses; eager and traced."""

from __future__ import annotations

import gc
import re
import weakref
from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.graph.op import OPS, Op

WAYS = pytest.mark.parametrize("way", [lambda f: f, tl.function], ids=["eager", "traced"])
X, Y = tl.constant(3.0), tl.constant([1.0, -2.0])


def numbers(found: Any) -> Any:
    """The values of a structure, None where there is no gradient."""
    return tl.nest.map_structure(lambda g: None if g is None else g.numpy().tolist(), found)


# --- what is watched -----------------------------------------------------------------


def test_only_what_is_watched() -> None:
    v, fixed = tl.Variable(2.0), tl.Variable(5.0, trainable=False)
    with tl.GradientTape() as tape:
        tape.watch({"x": X})
        y = X * v * fixed * 7.0
    assert [w is v for w in tape.watched_variables()] == [True]
    assert numbers(tape.gradient(y, [X, v, fixed, Y])) == [70.0, 105.0, None, None]


def test_variables_are_listed_in_the_order_of_first_use() -> None:
    a, b, c = (tl.Variable(float(i), name=n) for i, n in enumerate("abc"))

    @tl.function
    def use() -> Any:
        return c * a

    with tl.GradientTape() as tape:
        y = b * 2.0 + use() + b
    assert [v.name for v in tape.watched_variables()] == ["b:0", "c:0", "a:0"]
    assert numbers(tape.gradient(y, {"a": a, "rest": [b, c]})) == {"a": 2.0, "rest": [3.0, 0.0]}


def test_accessed_variables_are_not_watched_on_request() -> None:
    a, b = tl.Variable(2.0), tl.Variable(3.0)
    with tl.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(b)
        y = a * b
    assert tape.watched_variables() == (b,)
    assert numbers(tape.gradient(y, [a, b])) == [None, 2.0]


def test_ops_before_watch_do_not_count() -> None:
    with tl.GradientTape(persistent=True) as tape:
        before = X * X
        tape.watch(X)
        after = X * X
    assert numbers([tape.gradient(y, X) for y in (before, after)]) == [None, 6.0]


def test_only_tensors_are_watched() -> None:
    with tl.GradientTape() as tape, pytest.raises(ValueError, match="'x' is not a tensor"):
        tape.watch(["x"])


def test_integers() -> None:
    n = tl.constant(3)
    with tl.GradientTape(persistent=True) as tape:
        with pytest.warns(UserWarning, match="dtype of the watched tensor must be floating"):
            tape.watch(n)
        tape.watch(X)
        product = tl.cast(n, tl.float32) * X
        cut = tl.cast(tl.cast(X, tl.int32), tl.float32)
        whole = n * n
    message = r"source tensor must be floating .* got tl.int32: there is no gradient"
    assert tape.gradient(cut, X) is None
    with pytest.warns(UserWarning, match=message):
        assert numbers(tape.gradient(product, [X, n])) == [3.0, None]
    with pytest.warns(UserWarning, match=message):
        assert tape.gradient(whole, [X, n]) == [None, None]
    with pytest.warns(UserWarning, match=message):
        zero = tape.gradient(product, n, unconnected_gradients=tl.UnconnectedGradients.ZERO)
    assert (zero.dtype, zero.numpy()) == (tl.int32, 0)


def test_stop_recording_and_reset() -> None:
    with tl.GradientTape(persistent=True) as tape:
        tape.watch(X)
        y = X * X
        with tape.stop_recording():
            unseen = y * X
        z = unseen + y
        assert numbers(tape.gradient([y, z], X)) == 12.0
        assert tape.gradient(unseen, X) is None
        tape.reset()
        assert tape.gradient(y, X) is None
        tape.watch(X)
        again = X * 5.0
    assert numbers(tape.gradient(again, X)) == 5.0
    with pytest.raises(RuntimeError, match="not recording"), tape.stop_recording():
        pass


def test_a_tape_goes_on() -> None:
    tape = tl.GradientTape(persistent=True)
    with tape:
        tape.watch(X)
        y = X * X
        with pytest.raises(ValueError, match="recording already"), tape:
            pass
    outside = y * 2.0
    with tape:
        z = y * y
    assert numbers([tape.gradient(t, X) for t in (z, y, outside)]) == [108.0, 6.0, None]


# --- what it is asked ----------------------------------------------------------------


@WAYS
def test_targets_and_sources(way: Any) -> None:
    @way
    def f(x: Any, y: Any) -> Any:
        with tl.GradientTape(persistent=True) as tape:
            tape.watch([x, y])
            middle = x * y
            target = {"a": tl.sin(middle), "b": (x, middle * 2.0)}
        return [
            tape.gradient(target, {"m": middle, "xy": [x, (y,)]}),
            tape.gradient(target["b"][1], [x, x]),
            tape.gradient([middle, middle], x),
            tape.gradient(x, [x, y], unconnected_gradients="zero"),
            tape.gradient(target, [y, x], {"a": None, "b": (2.0, tl.constant([1.0, 3.0]))}),
        ]

    found = numbers(f(X, Y))
    c = np.cos(3.0 * np.array([1.0, -2.0])) + 2.0
    assert found[0]["m"] == pytest.approx(c)
    assert found[0]["xy"][0] == pytest.approx(1.0 + c[0] - 2 * c[1])
    assert found[0]["xy"][1][0] == pytest.approx(3.0 * c)
    assert found[1:4] == [[-2.0, -2.0], -2.0, [1.0, [0.0, 0.0]]]
    weighed = c - 2.0 + [2.0, 6.0]
    assert found[4][0] == pytest.approx(3.0 * weighed)
    assert found[4][1] == pytest.approx(2.0 + weighed[0] - 2.0 * weighed[1])


@WAYS
def test_variable_as_target(way: Any) -> None:
    v = tl.Variable(4.0)

    @way
    def f() -> Any:
        with tl.GradientTape(persistent=True) as tape:
            y = v * v
        found = tape.gradient(v, v), tape.gradient([v, y], v)
        return (*found, tape.gradient(v, y, unconnected_gradients="zero"))

    assert numbers(f()) == (1.0, 9.0, 0.0)


@WAYS
def test_state_between_reads(way: Any) -> None:
    v = tl.Variable(2.0)

    @way
    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = v * x
            v.assign(10.0)
            z = v * y
            v.assign_add(z)
        return tape.gradient(z, [v, x])

    assert numbers(f(X)) == [6.0 + 10.0 * 3.0, 20.0]
    assert v.numpy() == 70.0


@WAYS
@pytest.mark.parametrize("persistent", [False, True])
def test_gradient_while_recording(way: Any, persistent: bool) -> None:
    @way
    def f(x: Any) -> Any:
        with tl.GradientTape(persistent=persistent) as tape:
            tape.watch(x)
            y = x * x * x
            slope = tape.gradient(y, x)
        return slope, tape.gradient(slope, x) if persistent else slope

    assert numbers(f(X)) == (27.0, 18.0 if persistent else 27.0)


def test_refused_questions() -> None:
    with tl.GradientTape() as tape:
        tape.watch(X)
        y = X * Y
    with pytest.raises(ValueError, match="is 'none' or 'zero', not 'nothing'"):
        tape.gradient(y, X, unconnected_gradients="nothing")
    assert numbers(tape.gradient(y, X)) == -1.0
    with pytest.raises(RuntimeError, match=r"only be used to .* and it was, at test_tape.py:\d+"):
        tape.gradient(y, X)
    for question, message in [
        ((y, [X, "x"]), "the source 'x' is not a tensor or variable"),
        ((y, X, tl.ones([3])), r"output_gradients has shape \(3,\), the target \(2,\)"),
        (([y, y], X, [Y]), "1 output_gradients are given for 2 targets"),
        (([y, y], X, [Y, tl.ones([2, 1])]), r"output_gradients\[1\] has shape \(2, 1\), the"),
        (
            (y, X, tl.ones([2], tl.float64)),
            "output_gradients has dtype float64, the target float32",
        ),
    ]:
        with tl.GradientTape() as tape:
            pass
        with pytest.raises(tl.errors.GradientError, match=message):
            tape.gradient(*question)


def test_missing_gradient_names_op_and_line(monkeypatch: pytest.MonkeyPatch) -> None:
    double = Op("double", lambda x: x, lambda xp, x: x + x, display="test.double")
    monkeypatch.setitem(OPS, "double", double)

    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = tl.graph.build.apply(double, (x * 2.0,))  # the line
        return tape.gradient(y, x)

    for way in (f, tl.function(f, autograph=False)):
        with pytest.raises(LookupError) as caught:
            way(X)
        found = re.sub(r"test_tape.py:\d+", "test_tape.py:n", str(caught.value))
        assert found == (
            "no gradient is registered for the op 'test.double', used at test_tape.py:n: "
            "y = tl.graph.build.apply(double, (x * 2.0,))  # the line; write it with other ops, "
            "or give it one with tl.RegisterGradient('double')"
        )


def test_what_is_recorded_is_freed() -> None:
    tape = tl.GradientTape()
    with tape:
        tape.watch(X)
        y = X * X
        gone = weakref.ref(y)
        y = tl.sin(y)
    tape.gradient(y, X)
    del y
    gc.collect()
    assert gone() is None


# --- nested --------------------------------------------------------------------------


@WAYS
def test_nested(way: Any) -> None:
    v = tl.Variable(2.0)

    @way
    def f(x: Any) -> Any:
        with tl.GradientTape() as third:
            with tl.GradientTape(persistent=True) as second:
                with tl.GradientTape() as first:
                    first.watch(x)
                    y = x * x * x * v * v
                g = first.gradient(y, x)
            mixed = second.gradient(g, v)
        return g, second.gradient(g, [x, v]), third.gradient(mixed, v)

    assert numbers(f(X)) == (108.0, [None, 108.0], 54.0)


@WAYS
def test_inner_recording_is_not_the_outer_ones(way: Any) -> None:
    @way
    def f(x: Any) -> Any:
        with tl.GradientTape(persistent=True) as outer:
            outer.watch(x)
            y = x * x
            with outer.stop_recording(), tl.GradientTape() as inner:
                inner.watch(x)
                z = x * y
            g = inner.gradient(z, x)
        return g, outer.gradient(g, x), outer.gradient(z, x), outer.gradient(y, x)

    assert numbers(f(X)) == (9.0, 6.0, None, 6.0)


# --- rows of a variable --------------------------------------------------------------


@WAYS
def test_gathered_rows_of_a_variable(way: Any) -> None:
    table = tl.Variable(np.arange(12.0).reshape(4, 3))

    @way
    def f() -> Any:
        with tl.GradientTape(persistent=True) as tape:
            rows = tl.gather(table, [[1, 1], [3, 0]])
            y = tl.reduce_sum(rows * rows) + tl.reduce_sum(tl.nn.embedding_lookup(table, [2]))
            z = tl.reduce_sum(table * table)
            columns = tl.gather(table, [0], axis=1)
        found = [tape.gradient(t, table) for t in (y, [y, z], columns)]
        assert [type(g) is tl.IndexedSlices for g in found] == [True, False, False]
        clipped, norm = tl.clip_by_global_norm([found[0], None], 1.0)
        return *found, clipped[0], norm

    y, both, columns, clipped, norm = f()
    want = np.zeros((4, 3))
    np.add.at(want, [1, 1, 3, 0], 2 * table.numpy()[[1, 1, 3, 0]])
    want[2] += 1
    assert isinstance(y, tl.IndexedSlices)
    assert (y.shape[1:], y.values.shape, y.dense_shape.numpy().tolist()) == ((3,), (5, 3), [4, 3])
    np.testing.assert_array_equal(tl.convert_to_tensor(y), want)
    np.testing.assert_array_equal(both, want + 2 * table.numpy())
    np.testing.assert_array_equal(columns, [[1, 0, 0]] * 4)
    size = np.linalg.norm(want)
    np.testing.assert_allclose(norm, size)
    np.testing.assert_allclose(tl.convert_to_tensor(clipped), want / size)


@WAYS
def test_second_order_of_rows(way: Any) -> None:
    table = tl.Variable(np.arange(6.0).reshape(3, 2))

    @way
    def f() -> Any:
        with tl.GradientTape() as outer:
            with tl.GradientTape() as tape:
                y = tl.reduce_sum(tl.gather(table, [2, 2]) ** 3)
            g = tape.gradient(y, table)
            z = tl.reduce_sum(g.values**2)
        return tl.convert_to_tensor(outer.gradient(z, table))

    want = np.zeros((3, 2))
    want[2] = 2 * 36 * np.array([4.0, 5.0]) ** 3
    np.testing.assert_allclose(f(), want)


def test_rows_through_a_function_are_a_tensor() -> None:
    table = tl.Variable(np.arange(6.0).reshape(3, 2))
    f = tl.function(lambda: tl.reduce_sum(tl.gather(table, [2]) ** 2))
    with tl.GradientTape() as tape:
        y = f()
    np.testing.assert_array_equal(tape.gradient(y, table), [[0, 0], [0, 0], [8, 10]])
