"""`tl.autograph.experimental`: options of loops, as TensorFlow 2.21 takes them."""

from __future__ import annotations

from typing import Any

import pytest

import treadle as tl

options = tl.autograph.experimental.set_loop_options


def test_shape_invariants() -> None:
    @tl.function
    def ones(n: Any) -> Any:
        x, d = tl.zeros([0], tl.int32), {"y": tl.zeros([1, 2])}
        while tl.size(x) < n:
            options(
                shape_invariants=[(x, tl.TensorShape([None])), (d["y"], [None, 2])],
                parallel_iterations=3,
                swap_memory=True,
            )
            x = tl.concat([x, [1]], 0)
            d["y"] = tl.concat([d["y"], d["y"]], 0)
        return x, d["y"]

    x, y = ones(tl.constant(3))
    assert (x.numpy().tolist(), y.shape) == ([1, 1, 1], (8, 2))
    specs = ones.get_concrete_function(tl.constant(3)).structured_outputs
    assert [s.shape for s in specs] == [(None,), (None, 2)]


def test_a_shape_that_is_not_covered() -> None:
    @tl.function
    def f(n: Any) -> Any:
        x = tl.zeros([2])
        for _ in tl.range(n):
            options(shape_invariants=[(x, [3])])
            x += 1.0
        return x

    with pytest.raises(tl.errors.LoopShapeError) as caught:
        f(tl.constant(2))
    line = f.python_function.__code__.co_firstlineno + 3
    assert str(caught.value) == (
        f"'x' has shape (2,) before the loop at test_loop_options.py:{line}; its shape invariant "
        "(3,) does not cover that"
    )


def test_maximum_iterations() -> None:
    seen = []

    def numbers() -> Any:
        for i in range(10):
            seen.append(i)
            yield i

    @tl.function
    def f(n: Any, ds: Any) -> Any:
        i, j, s = 0, 0, 0
        while i < n:
            options(maximum_iterations=3)
            i += 1
        for k in tl.range(n):
            options(maximum_iterations=tl.constant(2))
            if k == 7:
                break
            j += 10
        for x in ds:
            options(maximum_iterations=4)
            s += x
        return i, j, s

    ds = tl.data.Dataset.from_generator(numbers, output_signature=tl.TensorSpec([], tl.int32))
    assert [int(v) for v in f(tl.constant(9), ds)] == [3, 20, 6]
    assert seen == [0, 1, 2, 3]  # no element is asked for in vain
    assert [int(v) for v in f(tl.constant(1), ds)] == [1, 10, 6]


def test_nothing_happens_in_python() -> None:
    options(maximum_iterations=1)

    @tl.function
    def f(x: Any) -> Any:
        for _ in range(3):
            options(maximum_iterations=1)
            x += 1
        return x

    assert int(f(tl.constant(0))) == 3
    assert int(f.python_function(tl.constant(0))) == 3


def test_code_that_is_left_alone() -> None:
    @tl.autograph.experimental.do_not_convert
    def as_it_is(x: Any) -> Any:
        return x if x > 0 else -x

    with pytest.raises(tl.errors.OperatorNotAllowedInGraphError):
        tl.function(as_it_is)(tl.constant(1))
    assert tl.autograph.experimental.do_not_convert is tl.autograph.do_not_convert
