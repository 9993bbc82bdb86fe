"""`tl.cond`, `while_loop`, `case`, `switch_case`, `map_fn`: eager and traced as TensorFlow 2.21."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import treadle as tl

c = tl.constant


def both(function: Any, *args: Any) -> list[Any]:
    """What it gives eagerly and traced, as plain values."""
    tensors = [tl.constant(a) for a in args]
    return [
        tl.nest.map_structure(lambda x: np.asarray(x).tolist(), run(*tensors))
        for run in (function, tl.function(function))
    ]


def odd_steps(i: Any, x: Any) -> Any:
    if x > 2:
        x = x - 1
    else:
        x = x + 3
    return i + 1, x


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (
            lambda n: tl.while_loop(
                lambda i, x: i < 3,
                lambda i, x: [i + 1, tl.concat([x, x], 0)],
                [n, tl.ones([1])],
                shape_invariants=[tl.TensorShape([]), tl.TensorShape([None])],
            ),
            [3, [1.0] * 4],
        ),
        (lambda n: tl.while_loop(lambda i, x: i < 5, odd_steps, (n, n)), (5, 5)),
        (
            lambda n: tl.while_loop(
                lambda i: i < 10,
                lambda i: [i + 1],
                [n],
                parallel_iterations=1,
                back_prop=True,
                swap_memory=True,
                maximum_iterations=n + 2,
                name="loop",
            ),
            [4],
        ),
        (
            lambda n: tl.while_loop(lambda i: True, lambda i: [i + 1], [n], maximum_iterations=4),
            [5],
        ),
        (
            lambda n: tl.while_loop(
                lambda i, d: i < 4,
                lambda i, d: (i + 1, {"a": d["a"] + 1, "b": (d["b"][0] * 2,)}),
                (n, {"a": c(0), "b": (c(1.0),)}),
            ),
            (4, {"a": 3, "b": (8.0,)}),
        ),
        (
            lambda n: tl.case(
                [(n > 5, lambda: n * 2), (n > 0, lambda: n * 3)], default=lambda: n - 1
            ),
            3,
        ),
        (lambda n: tl.case([(n > 5, lambda: n), (n > 0, lambda: n * 3)], exclusive=True), 3),
        (lambda n: tl.case([(n > 5, lambda: n)], default=lambda: n - 1), 0),
        (lambda n: tl.switch_case(n, [lambda: (n, [n]), lambda: (n * 7, [n])]), (7, [1])),
        (lambda n: tl.switch_case(n - 6, [lambda: n, lambda: n * 7]), 7),
        (lambda n: tl.cond(n > 0, lambda: None, lambda: None) is None, True),
        (
            lambda n: tl.map_fn(
                lambda x: tl.cond(x > 1, lambda: x * 10, lambda: x), tl.range(3) + n
            ),
            [1, 20, 30],
        ),
        (lambda n: tl.scan(lambda a, x: a + x, tl.range(3) + n, reverse=True), [6, 5, 3]),
        (lambda n: tl.foldl(lambda a, x: a * 2 + x, tl.range(3), initializer=n), 12),
        (lambda n: tl.foldr(lambda a, x: a * 2 + x, tl.range(3) + n), 17),
    ],
)
def test_values(function: Any, expected: Any) -> None:
    assert both(function, 1) == [expected, expected]


def test_the_functions_are_converted() -> None:
    """What a branch or body does is AutoGraph's, as in the function around."""

    def branch(n: Any) -> Any:
        def then() -> Any:
            if n > 5:
                return n
            return -n

        return tl.cond(n > 0, then, lambda: n * 2)

    assert both(branch, 3) == [-3, -3]
    assert both(branch, 7) == [7, 7]


def test_no_case_and_several_cases() -> None:
    def none(n: Any) -> Any:
        return tl.case([(n > 5, lambda: n), (n > 3, lambda: n * 3)])

    def several(n: Any) -> Any:
        pairs = [(n > 0, lambda: n), (n > 3, lambda: n * 3)]
        return tl.case(pairs, default=lambda: n, exclusive=True)

    for run in (none, tl.function(none)):
        assert int(run(c(4))) == 12
        with pytest.raises(tl.errors.InvalidArgumentError, match="no predicate of the case is tru"):
            run(c(1))
    for run in (several, tl.function(several)):
        assert int(run(c(1))) == 1
        with pytest.raises(tl.errors.InvalidArgumentError, match="exclusive case is true: 1 1"):
            run(c(4))
    with pytest.raises(TypeError, match="a list of pairs of a predicate and a function"):
        tl.case({"x": 1})


def test_shape_invariants() -> None:
    def grown(n: Any, **more: Any) -> Any:
        start = (n, tl.ones([2]))
        return tl.while_loop(
            lambda i, x: i < 3, lambda i, x: (i + 1, tl.concat([x, x], 0)), start, **more
        )

    traced = tl.function(grown)
    with pytest.raises(
        tl.errors.LoopShapeError, match=r"'x' is float32 of shape \(2,\) before the"
    ):
        traced(c(1))
    for run in (grown, traced):
        with pytest.raises(
            tl.errors.LoopShapeError, match=r"has shape \(2,\) before the loop, its"
        ):
            run(c(1), shape_invariants=(tl.TensorShape([]), tl.TensorShape([3])))
        with pytest.raises(tl.errors.ShapeError, match="1 shape_invariants for 2 loop variables"):
            run(c(1), shape_invariants=[tl.TensorShape([])])


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda: tl.cond(c(True), c(1), c(2)), "cond: true_fn must be a function"),
        (lambda: tl.cond(c(True), lambda: 1, 2), "cond: false_fn must be a function"),
        (lambda: tl.while_loop(3, lambda i: i, [0]), "while_loop: cond must be a function of the"),
        (lambda: tl.while_loop(lambda i: i < 3, 2, [0]), "while_loop: body must be a function of"),
        (lambda: tl.switch_case(c(1), [3, 2]), r"switch_case: branch_fns\[0\] must be a function"),
        (lambda: tl.case([(c(True), 3)]), "case: the function of pair 0 must be a function"),
        (lambda: tl.case([(c(True), lambda: 1)], 3), "case: default must be a function"),
    ],
)
@pytest.mark.parametrize("how", [lambda f: f, tl.function], ids=["eager", "traced"])
def test_what_is_no_function(program: Any, message: str, how: Any) -> None:
    with pytest.raises(TypeError, match=message):
        how(program)()


def test_a_loop_without_variables() -> None:
    """As TensorFlow 2.21: its body may still assign to variables."""
    v = tl.Variable(0)

    def run() -> Any:
        def body() -> Any:
            v.assign_add(1)
            return []

        return tl.while_loop(lambda: v < 3, body, [])

    assert run() == []
    v.assign(0)
    assert tl.function(run)() == []
    assert v.numpy() == 3
    assert (
        tl.function(lambda: tl.while_loop(lambda: c(True), list, [], maximum_iterations=2))() == []
    )
