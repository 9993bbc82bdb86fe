"""`tl.debugging`: checks that hold say nothing, those that fail say what and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import treadle as tl

d = tl.debugging
X = np.array([1.0, 2.0], np.float32)

HOLD = [
    lambda x: d.assert_equal(x, [1.0, 2.0]),
    lambda x: d.assert_none_equal(x, 3.0),
    lambda x: d.assert_less(x, 3.0),
    lambda x: d.assert_less_equal(x, 2.0),
    lambda x: d.assert_greater(x, 0.0),
    lambda x: d.assert_greater_equal(x, 1.0),
    lambda x: d.assert_near(x, x + 1e-7),
    lambda x: d.assert_near(x, x + 0.5, atol=0.6),
    d.assert_positive,
    lambda x: d.assert_negative(-x),
    lambda x: d.assert_non_negative(x - 1),
    lambda x: d.assert_non_positive(x - 2),
    d.assert_all_finite,
    lambda x: d.check_numerics(x, "x"),
    lambda x: d.assert_rank(x, 1),
    lambda x: d.assert_rank_at_least(x, 1),
    lambda x: d.assert_rank_in(x, [0, 1]),
    lambda x: d.assert_scalar(x[0]),
    lambda x: d.assert_type(x, tl.float32),
    lambda x: d.assert_integer(tl.constant(1)),
    lambda x: d.assert_same_float_dtype([x, x], tl.float32),
    lambda x: d.assert_proper_iterable([x]),
    lambda x: d.assert_shapes([(x, ("N",)), (tl.zeros([2, 3]), ("N", 3)), (x, (2,))]),
    lambda x: d.assert_shapes([(x, ("*", "N")), (tl.zeros([4, 2]), (..., "N"))]),
    lambda x: d.assert_shapes({tl.zeros([2, 2]).ref(): "NN", x.ref(): ("N", ...)}),
    lambda x: d.Assert(tl.reduce_all(x > 0), [x]),
]

FAIL = [
    (
        lambda x: d.assert_equal(x, [1.0, 3.0]),
        "assert: Condition x == y did not hold. x: [1 2] y: [1 3]",
    ),
    (
        lambda x: d.assert_none_equal(x, 2.0, message="why"),
        "assert: why Condition x != y did not hold. x: [1 2] y: 2",
    ),
    (lambda x: d.assert_less(x, 2.0), "assert: Condition x < y did not hold. x: [1 2] y: 2"),
    (lambda x: d.assert_less_equal(x, 1.0), "assert: Condition x <= y did not hold. x: [1 2] y: 1"),
    (lambda x: d.assert_greater(x, 1.0), "assert: Condition x > y did not hold. x: [1 2] y: 1"),
    (
        lambda x: d.assert_greater_equal(x, 2.0),
        "assert: Condition x >= y did not hold. x: [1 2] y: 2",
    ),
    (
        lambda x: d.assert_near(x, x + 1),
        "assert: x and y are not near each other. x: [1 2] y: [2 3]",
    ),
    (lambda x: d.assert_positive(-x), "assert: Condition x > 0 did not hold. x: [-1 -2]"),
    (lambda x: d.assert_negative(x, "why"), "assert: why Condition x < 0 did not hold. x: [1 2]"),
    (lambda x: d.assert_non_negative(-x), "assert: Condition x >= 0 did not hold. x: [-1 -2]"),
    (d.assert_non_positive, "assert: Condition x <= 0 did not hold. x: [1 2]"),
    (
        lambda x: d.check_numerics(x / 0.0, "the loss"),
        "assert: the loss : Tensor had Inf or NaN values: [inf inf]",
    ),
    (lambda x: d.Assert(x[0] > 5, ["got", x[0]]), "assert: got 1"),
    (lambda x: d.Assert(x[0] > 5), "assert: the condition does not hold"),
]


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize("check", HOLD)
def test_hold(check: Any, traced: bool) -> None:
    call = tl.function(check, input_signature=[tl.TensorSpec([None])]) if traced else check
    call(tl.constant(X))


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize(("check", "text"), FAIL)
def test_fail(check: Any, text: str, traced: bool) -> None:
    call = tl.function(check, input_signature=[tl.TensorSpec([None])]) if traced else check
    with pytest.raises(AssertionError) as caught:
        call(tl.constant(X))
    assert isinstance(caught.value, tl.errors.InvalidArgumentError)
    first, where = str(caught.value).splitlines()
    assert first == text
    assert where.strip().startswith("test_debugging.py:")


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (lambda x: d.assert_rank(x, 2, "why"), "why Tensor of shape (2,) must have rank 2."),
        (lambda x: d.assert_rank_at_least(x, 2), "must have at least rank 2."),
        (lambda x: d.assert_rank_in(x, (2, 3)), "must have a rank in [2, 3]."),
        (d.assert_scalar, "Expected a scalar. Tensor of shape (2,)"),
        (lambda x: d.assert_shapes([(x, (3,))]), "axis 0 of tensor 0 must have size 3, it is 2"),
        (
            lambda x: d.assert_shapes([(x, ("N",)), (tl.zeros([3]), ("N",))]),
            "axis 0 of tensor 1 and axis 0 of tensor 0 must have one size ('N'): 3, 2",
        ),
        (lambda x: d.assert_type(x, tl.int32), "Tensor must have dtype int32, not float32."),
        (d.assert_integer, "Tensor must have an integer dtype, not float32."),
        (
            lambda x: d.assert_same_float_dtype([x, tl.constant(1)]),
            "Expected dtype float32, got int32.",
        ),
        (d.assert_proper_iterable, "Expected a list or tuple of tensors"),
    ],
)
def test_what_is_known_is_checked_at_once(check: Any, text: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        check(tl.constant(X))
    assert text in str(caught.value)


def test_ranks_and_sizes_at_run_time() -> None:
    @tl.function(input_signature=[tl.TensorSpec(None), tl.TensorSpec(None)])
    def f(x: Any, y: Any) -> None:
        d.assert_rank(x, 1)
        d.assert_rank_at_least(y, 1)
        d.assert_rank_in(y, [1, 2])
        d.assert_shapes([(x, ("N",)), (y, ("N", ...))])

    f(X, np.zeros((2, 3), np.float32))
    with pytest.raises(AssertionError, match="Tensor must have rank 1 not 2"):
        f(np.zeros((2, 3), np.float32), X)
    with pytest.raises(AssertionError, match=r"one size \('N'\): 3 2"):
        f(X, np.zeros(3, np.float32))


def test_what_is_known_to_hold_leaves_nothing_behind() -> None:
    @tl.function(input_signature=[tl.TensorSpec([None, 4])])
    def f(x: Any) -> Any:
        d.assert_equal(tl.shape(x)[1], 4)
        d.assert_rank(x, 2)
        return x

    graph = f.get_concrete_function().graph
    assert [n.op.name for n in graph.nodes if n.op.effects] == []


def test_writes_after_a_failed_check_do_not_happen() -> None:
    v, w = tl.Variable(1.0), tl.Variable(1.0)

    @tl.function
    def f(x: Any) -> None:
        v.assign(x)
        d.assert_less(x, 5.0)
        w.assign(x)

    with pytest.raises(AssertionError):
        f(tl.constant(9.0))
    assert (float(v), float(w)) == (9, 1)
