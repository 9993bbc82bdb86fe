"""`tl.TensorArray` and the loops over it: eager and traced. Values are TensorFlow 2.21's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

X = np.array([1, 2, 3], np.int32)
VECTOR = [tl.TensorSpec([None], tl.int32)]


def written(x: Any) -> Any:
    return tl.TensorArray(tl.int32, 3).write(1, x[:2]).stack()


def overwritten(x: Any) -> Any:
    ta = tl.TensorArray(tl.int32, 2).write(0, x[0]).write(1, x[1])
    return ta.write(0, x[2]).read(0) * 10 + ta.read(0)


def grown(x: Any) -> Any:
    ta = tl.TensorArray(tl.int32, 0, dynamic_size=True, element_shape=[]).write(4, x[0])
    return tl.stack([ta.size(), ta.read(4), ta.read(0)])


def unstacked(x: Any) -> Any:
    return tl.TensorArray(tl.int32, 0, dynamic_size=True).unstack(x).read(1)


def scattered(x: Any) -> Any:
    return tl.TensorArray(tl.int32, 5).scatter([3, 1], x[:2]).stack()


def scattered_by_all(x: Any) -> Any:
    return tl.TensorArray(tl.int32, 5).scatter(x, x * 10).stack()


def gathered(x: Any) -> Any:
    return tl.TensorArray(tl.int32, 3).unstack(x).gather([2, 0, 2])


def split(x: Any) -> Any:
    ta = tl.TensorArray(tl.int32, 2).split(x, [1, 2])
    return tl.concat([ta.read(1), ta.concat(), tl.expand_dims(ta.size(), 0)], 0)


def unequal(x: Any) -> Any:
    ta = tl.TensorArray(tl.int32, 2, infer_shape=False)
    return ta.write(0, x[:2]).write(1, x).identity().concat()


def squares_in_loop(x: Any) -> Any:
    ta = tl.TensorArray(tl.int32, size=0, dynamic_size=True)
    for i in tl.range(tl.size(x)):
        if x[i] != 2:
            ta = ta.write(ta.size(), x[i] * x[i])
    return ta.stack()


def left_early(x: Any) -> Any:
    ta = tl.TensorArray(tl.int32, size=3)
    for i in tl.range(3):
        if x[i] > 2:
            break
        ta = ta.write(i, x[i] + 10)
    return ta.stack()


def nested_in_dict(x: Any) -> Any:
    state = {"ta": tl.TensorArray(tl.int32, 3), "n": tl.constant(0)}
    while state["n"] < 3:
        n = state["n"]
        state = {"ta": state["ta"].write(n, x[n]), "n": n + 1}
    return state["ta"].stack()


def folded(x: Any) -> Any:
    return tl.foldl(lambda a, v: 10 * a + v, x) - tl.foldr(lambda a, v: 10 * a + v, x)


def folded_pairs(x: Any) -> Any:
    return tl.foldl(lambda a, v: a + v[0] * v[1], (x, x + 3), initializer=0)


def scanned(x: Any) -> Any:
    return tl.scan(lambda a, v: a + v, x)


def scanned_back(x: Any) -> Any:
    return tl.scan(lambda a, v: a + v, x, reverse=True)


def scanned_pairs(x: Any) -> Any:
    sums, products = tl.scan(lambda a, v: (a[0] + v, a[1] * v), x, initializer=(0, 1))
    return tl.stack([sums, products])


def mapped(x: Any) -> Any:
    return tl.map_fn(lambda v: v * v if v > 1 else -v, x)


def mapped_to_dict(x: Any) -> Any:
    both = tl.map_fn(lambda v: {"a": v[0] + v[1], "b": tl.cast(v[0], tl.int64)}, (x, x))
    return both["a"] + tl.cast(both["b"], tl.int32)


def mapped_as_said(x: Any) -> Any:
    return tl.map_fn(
        lambda v: tl.fill([2], tl.cast(v, tl.float32)), x, fn_output_signature=tl.float32
    )


CASES: list[tuple[Callable[[Any], Any], Any]] = [
    (written, [[0, 0], [1, 2], [0, 0]]),
    (overwritten, 31),
    (grown, [5, 1, 0]),
    (unstacked, 2),
    (scattered, [0, 2, 0, 1, 0]),
    (scattered_by_all, [0, 10, 20, 30, 0]),
    (gathered, [3, 1, 3]),
    (split, [2, 3, 1, 2, 3, 2]),
    (unequal, [1, 2, 1, 2, 3]),
    (squares_in_loop, [1, 9]),
    (left_early, [11, 12, 0]),
    (nested_in_dict, [1, 2, 3]),
    (folded, 123 - 321),
    (folded_pairs, 32),
    (scanned, [1, 3, 6]),
    (scanned_back, [6, 5, 3]),
    (scanned_pairs, [[1, 3, 6], [1, 2, 6]]),
    (mapped, [-1, 4, 9]),
    (mapped_to_dict, [3, 6, 9]),
    (mapped_as_said, [[1, 1], [2, 2], [3, 3]]),
]


@pytest.mark.parametrize(("f", "expected"), CASES, ids=lambda c: getattr(c, "__name__", ""))
def test_value(f: Any, expected: Any) -> None:
    for g in (f, tl.function(f), tl.function(f, input_signature=VECTOR)):
        result = g(tl.constant(X))
        np.testing.assert_array_equal(result.numpy(), expected)


@pytest.mark.parametrize("f", [scanned, mapped, squares_in_loop])
def test_one_loop_whatever_the_size(f: Any) -> None:
    g = tl.function(f)
    sizes = {len(g.get_concrete_function(tl.zeros([n], tl.int32)).graph.nodes) for n in (3, 30)}
    assert len(sizes) == 1


def power_sums(x: Any) -> Any:
    ta = tl.TensorArray(tl.float64, 3)
    for i in tl.range(3):
        ta = ta.write(i, x[i] ** 2)
    ta = ta.scatter([0], [x[1] * 5.0])
    return tl.reduce_sum(ta.stack() * x) + tl.reduce_sum(ta.gather([0, 2]))


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        # 5 x1 x0 + x1^3 + x2^3 + 5 x1 + x2^2
        (power_sums, [10.0, 5 + 12 + 5, 27 + 6]),
        (lambda x: tl.reduce_sum(tl.scan(lambda a, v: a * v, x)), [9.0, 4.0, 2.0]),
        (lambda x: tl.reduce_sum(tl.map_fn(lambda v: v * v * v, x)), [3.0, 12.0, 27.0]),
        (lambda x: tl.foldr(lambda a, v: a * v, x), [6.0, 3.0, 2.0]),
    ],
)
def test_gradient(f: Any, expected: Any) -> None:
    x = tl.constant(X, tl.float64)
    for g in (f, tl.function(f)):
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = g(x)
        np.testing.assert_allclose(tape.gradient(y, x), expected)


def test_an_array_is_captured_taken_and_given_back() -> None:
    ta = tl.TensorArray(tl.float32, 2).unstack([1.0, 2.0])

    @tl.function
    def captured() -> Any:
        return ta.read(1) + ta.stack()

    @tl.function
    def changed(a: Any) -> Any:
        return {"new": a.write(0, 5.0), "size": a.size()}

    np.testing.assert_array_equal(captured().numpy(), [3, 4])
    result = changed(ta)
    np.testing.assert_array_equal(result["new"].stack().numpy(), [5, 2])
    assert int(result["size"]) == 2
    np.testing.assert_array_equal(ta.stack().numpy(), [1, 2])


def test_what_is_known_of_the_shape() -> None:
    ta = tl.TensorArray(tl.float32, 3)
    assert ta.element_shape.rank is None
    assert ta.write(0, [1.0, 2.0]).element_shape == (2,)
    shapes = []

    @tl.function
    def f(x: Any) -> Any:
        ta = tl.TensorArray(tl.float32, 3, element_shape=[2])
        for i in tl.range(3):
            ta = ta.write(i, x)
        shapes.append(ta.stack().shape)
        return ta.stack()

    assert f(tl.zeros([2])).shape == (3, 2)
    assert shapes == [(3, 2)]


def test_empty() -> None:
    empty = tl.zeros([0])
    assert tl.TensorArray(tl.float32, 0, element_shape=[2]).stack().shape == (0, 2)
    assert tl.scan(lambda a, v: a + v, empty, initializer=0.0).shape == (0,)
    assert tl.map_fn(lambda v: v, empty).shape == (0,)
    assert float(tl.foldl(lambda a, v: a + v, empty, initializer=7.0)) == 7


FIXED = tl.TensorArray(tl.int32, 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: FIXED.write(2, 1), IndexError, "index 2 is out of range .* of fixed size"),
        (lambda: FIXED.write(-1, 1), IndexError, "index -1 is negative"),
        (lambda: FIXED.read(2), IndexError, "index 2 is out of range for an array of 2 items"),
        (lambda: FIXED.read(0), tl.errors.InvalidArgumentError, "item 0 was never written"),
        (lambda: FIXED.write(0, tl.constant(1.0)), TypeError, "dtype int32, .* has float32; use"),
        (lambda: FIXED.write(0, [1]).write(1, 1), ValueError, r"shape \(1,\), .* has shape \(\)"),
        (lambda: FIXED.unstack([1, 2, 3]), ValueError, "3 items .* of size 2"),
        (lambda: FIXED.unstack(1), ValueError, "a scalar can't be unstacked"),
        (lambda: FIXED.split([1, 2, 3], [1, 1]), ValueError, "do not add up to 3"),
        (lambda: FIXED.split([1, 2, 3], [1, 1, 1]), ValueError, "3 items .* of size 2"),
        (lambda: tl.map_fn(lambda v: v, 1), ValueError, "a scalar has none"),
        (lambda: tl.map_fn(lambda v: v, ()), ValueError, "elems holds no tensor"),
        (
            lambda: tl.map_fn(lambda v: v[0], (tl.zeros(2), tl.zeros(3))),
            ValueError,
            r"differ in the size of the first axis: \(2,\), \(3,\)",
        ),
        (lambda: tl.foldl(lambda a, v: a, tl.zeros(0)), ValueError, "there is no initializer"),
    ],
)
def test_refusal(make: Any, error: Any, message: str) -> None:
    for f in (make, tl.function(make)):
        with pytest.raises(error, match=message):
            f()


@pytest.mark.parametrize("item", [1.0, [1.0, 2.0]])
def test_what_was_never_written_has_the_shape_of_what_was(item: Any) -> None:
    """As TensorFlow 2.21."""

    def f(x: Any) -> Any:
        return tl.TensorArray(tl.float32, size=2).write(0, x).read(1)

    zeros = np.zeros_like(np.float32(item)).tolist()
    assert f(tl.constant(item)).numpy().tolist() == zeros
    assert tl.function(f)(tl.constant(item)).numpy().tolist() == zeros
    assert tl.function(f, reduce_retracing=True)(tl.constant(item)).numpy().tolist() == zeros


def test_the_message_says_what_an_array_is() -> None:
    f = tl.function(lambda n: tl.TensorArray(tl.float32, size=n).read(0))
    with pytest.raises(tl.errors.InvalidArgumentError, match="an array of 2 items"):
        f(tl.constant(2))
