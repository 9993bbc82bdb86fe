"""`Tensor.set_shape`: what is known from then on, and what is checked when the program runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import treadle as tl

ANY = tl.TensorSpec([None, 2], tl.float32)
ROWS = np.array([[1, 2], [3, 4], [5, 6]], np.float32)


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x * 1.0], ids=["argument", "result"])
def test_is_known_and_checked(make: Any) -> None:
    shapes = []

    @tl.function(input_signature=[ANY])
    def f(x: Any) -> Any:
        x = make(x)
        before = tl.reduce_sum(x)
        x.set_shape([3, None])
        shapes.append(x.shape)
        y = x + before
        shapes.append(y.shape)
        return y, x

    y, x = f(tl.constant(ROWS))
    assert shapes == [(3, 2), (3, 2)]
    assert f.get_concrete_function().structured_outputs[1].shape == (3, 2)
    np.testing.assert_array_equal(y.numpy(), ROWS + 21)
    np.testing.assert_array_equal(x.numpy(), ROWS)
    with pytest.raises(ValueError, match=r"shape \(2, 2\) is not compatible with \(3, \?\)"):
        f(tl.constant(ROWS[:2]))


def test_twice() -> None:
    @tl.function(input_signature=[tl.TensorSpec(None, tl.float32)])
    def f(x: Any) -> Any:
        x.set_shape([None, 2])
        x.set_shape([3, None])
        assert x.shape == (3, 2)
        with pytest.raises(ValueError, match=r"\(3, 2\) is not compatible with \(4, 2\)"):
            x.set_shape([4, 2])
        return x

    assert f(tl.constant(ROWS)).shape == (3, 2)


def test_in_a_loop() -> None:
    @tl.function
    def padded(n: Any) -> Any:
        x = tl.zeros([3, 2])
        for i in tl.range(n):
            x = tl.concat([x[:i], tl.ones([1, 2]), tl.zeros([2 - i, 2])], axis=0)
            x.set_shape([3, 2])
        return x

    np.testing.assert_array_equal(padded(tl.constant(2)).numpy(), [[1, 1], [1, 1], [0, 0]])


def test_of_an_outer_tensor_in_a_branch() -> None:
    """What a branch states is checked where the branch runs."""

    @tl.function(input_signature=[ANY, tl.TensorSpec([], tl.bool)])
    def f(x: Any, three: Any) -> Any:
        if three:
            x.set_shape([3, 2])
            y = tl.reduce_sum(x)
        else:
            y = tl.reduce_max(x)
        return y + tl.reduce_min(x)

    assert float(f(ROWS, True)) == 22
    assert float(f(ROWS[:2], False)) == 5
    with pytest.raises(ValueError, match="not compatible"):
        f(ROWS[:2], True)


def test_gradient() -> None:
    @tl.function(input_signature=[ANY])
    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = x * x
            y.set_shape([3, 2])
            z = tl.reduce_sum(y * y)
        return tape.gradient(z, [x, y])

    dx, dy = f(tl.constant(ROWS))
    np.testing.assert_allclose(dx, 4 * ROWS**3)
    np.testing.assert_allclose(dy, 2 * ROWS**2)


def test_eager() -> None:
    x = tl.constant(ROWS)
    x.set_shape([None, 2])
    with pytest.raises(ValueError, match=r"\(3, 2\) is not compatible with \(2, 2\)"):
        x.set_shape([2, 2])


def test_after_its_trace() -> None:
    kept: list[Any] = []

    @tl.function(input_signature=[ANY])
    def f(x: Any) -> Any:
        y = x + 1.0
        y.set_shape([3, 2])
        kept.append(y)
        return y

    f(ROWS)
    with pytest.raises(tl.errors.LeakedTensorError):
        tl.function(lambda: kept[0] + 1.0)()
    with pytest.raises(tl.errors.LeakedTensorError):
        kept[0].set_shape([3, 2])


UNKNOWN = tl.TensorSpec(None, tl.int32)


def test_of_an_outer_tensor_it_is_known_in_that_branch_or_loop() -> None:
    @tl.function(input_signature=[UNKNOWN])
    def f(x: Any) -> Any:
        total = tl.constant(0)
        for _ in tl.range(3):
            x.set_shape([])
            assert x.shape.rank == 0
            total = total + x
        if total > 5:
            x.set_shape([])
            total = total + x
        assert x.shape.rank is None
        return total

    assert [int(f(n)) for n in (1, 2)] == [3, 8]
    with pytest.raises(ValueError, match=r"shape \(1,\) is not compatible with \(\)"):
        f([1])


@pytest.mark.parametrize("make", [lambda x: x, lambda x: x + 0], ids=["argument", "result"])
def test_in_a_try(make: Any) -> None:
    count = tl.Variable(0)

    @tl.function(input_signature=[UNKNOWN])
    def f(x: Any) -> Any:
        before = make(x)
        try:
            y = tl.numpy_function(lambda n: n + 1, [x], tl.int32)
            y.set_shape([])
            before.set_shape([])
            z = 100 // y + before
        except ZeroDivisionError:
            z = tl.constant(-1)
            assert before.shape.rank is None
        finally:
            count.assign_add(1)
        assert z.shape == ()
        return z

    assert [int(f(n)) for n in (1, -1, 4)] == [51, -1, 24]
    assert int(count) == 3
