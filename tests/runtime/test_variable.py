"""Variables, outside of functions and as arguments and captures of functions."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

c = tl.constant
Variable = tl.Variable


@pytest.mark.parametrize(
    ("make", "representation"),
    [
        (
            lambda: Variable(1.0),
            "<tl.Variable 'Variable:0' shape=() dtype=float32, numpy=1.0>",
        ),
        (
            lambda: Variable([[1, 2], [3, 4]], name="w"),
            "<tl.Variable 'w:0' shape=(2, 2) dtype=int32, numpy=\n"
            "array([[1, 2],\n       [3, 4]], dtype=int32)>",
        ),
        (
            lambda: Variable("a", trainable=False),
            "<tl.Variable 'Variable:0' shape=() dtype=string, numpy=b'a'>",
        ),
        (
            lambda: Variable([1.0], shape=[None]),
            "<tl.Variable 'Variable:0' shape=(None,) dtype=float32, "
            "numpy=array([1.], dtype=float32)>",
        ),
        (
            lambda: Variable([1], shape=tl.TensorShape(None), dtype="float64"),
            "<tl.Variable 'Variable:0' shape=<unknown> dtype=float64, numpy=array([1.])>",
        ),
    ],
)
def test_repr(make: Callable[[], Any], representation: str) -> None:
    assert repr(make()) == str(make()) == f"{make()}" == representation


@pytest.mark.parametrize(
    "initial",
    [2.0, lambda: 2.0, c(2.0), np.float32(2), Variable(2.0), lambda: Variable(2.0)],
    ids=["number", "function", "tensor", "numpy", "variable", "function of variable"],
)
def test_initial_values(initial: Any) -> None:
    v = Variable(initial)
    assert (v.numpy(), v.dtype, v.shape, v.trainable, v.name) == (
        *(2.0, tl.float32, (), True),
        "Variable:0",
    )


def test_two_variables_share_no_state() -> None:
    a = Variable([1.0])
    b, d = Variable(a), Variable(a.read_value())
    a.assign([5.0])
    assert (b.numpy()[0], d.numpy()[0]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Variable(), ValueError, "a Variable needs an initial value"),
        (lambda: Variable(None), ValueError, "a Variable needs an initial value"),
        (lambda: Variable([1, 2], shape=[3]), ValueError, r"shape \(2,\) is not of shape \(3,\)"),
        (lambda: Variable(c(1), dtype="float32"), TypeError, "dtype float32 is needed, this one"),
        (lambda: Variable([1, [2]]), ValueError, "ragged"),
    ],
)
def test_bad_initial_values(make: Callable[[], Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_assign() -> None:
    v = Variable([1.0, 2.0])
    assert v.assign([3, 4]) is v
    assert v.assign_add([1.0, 1.0]).assign_sub([2.0, 0.0]) is v
    assert v.numpy().tolist() == [2.0, 5.0]
    assert v.assign_add([0.0, 1.0], read_value=False) is None
    assert v.assign(np.array([1, 2])).numpy().tolist() == [1.0, 2.0]
    assert v.assign(Variable([7.0, 8.0])).numpy().tolist() == [7.0, 8.0]
    assert Variable(True).assign(False).numpy() == np.False_
    assert Variable("a").assign("b").numpy() == b"b"


@pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ([1.0, 2.0, 3.0], tl.errors.ShapeError),
        ([[1.0, 2.0]], tl.errors.ShapeError),
        (1.0, tl.errors.ShapeError),
        (c([1, 2]), tl.errors.DTypeError),
        (c([1.0, 2.0], "float64"), tl.errors.DTypeError),
        (["a", "b"], tl.errors.DTypeError),
        (None, tl.errors.DTypeError),
        ([1.0, [2.0]], tl.errors.ShapeError),
    ],
    ids=repr,
)
def test_a_failed_assign_leaves_the_value(method: str, value: Any, error: type) -> None:
    v = Variable([1.0, 2.0])
    kept = v.read_value()
    with pytest.raises(error):
        getattr(v, method)(value)
    f = tl.function(lambda x: getattr(v, method)(x))
    with pytest.raises(error):
        f(value)
    assert v.numpy().tolist() == kept.numpy().tolist() == [1.0, 2.0]
    f(c([0.0, 0.0]))


def test_unknown_sizes() -> None:
    v = Variable([1, 2], shape=[None])
    assert v.shape == (None,)
    assert v.get_shape() == (None,)
    v.assign([1, 2, 3])
    assert v.read_value().shape == (3,)
    assert v.assign_add([1, 1, 1]).numpy().tolist() == [2, 3, 4]
    with pytest.raises(tl.errors.ShapeError, match=r"the variable has shape \(None,\), the value"):
        v.assign(1)
    with pytest.raises(tl.errors.ShapeError, match=r"\(3,\), the value \(1,\)"):
        v.assign_add([1])

    @tl.function
    def grow(x: Any) -> Any:
        v.assign(tl.concat([v, x], 0))
        return v + 0

    assert grow(c([9])).numpy().tolist() == [2, 3, 4, 9]
    assert grow(c([8])).numpy().tolist() == [2, 3, 4, 9, 8]
    assert grow.cache_info().traces == 1
    anything = Variable(1.0, shape=tl.TensorShape(None))
    assert anything.assign([[1.0, 2.0]]).numpy().shape == (1, 2)


def test_what_was_read_before_does_not_change() -> None:
    v = Variable([1.0, 2.0])
    array, tensor, view = v.numpy(), v.read_value(), np.asarray(v)
    row = v[0]
    other = Variable([0.0, 0.0])
    other.assign(v)
    v.assign_add([10.0, 10.0])
    array[0] = 99.0
    assert tensor.numpy().tolist() == view.tolist() == other.numpy().tolist() == [1.0, 2.0]
    assert row.numpy() == 1.0
    assert v.numpy().tolist() == [11.0, 12.0]
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 5.0


def test_operators_and_python() -> None:
    v, w = Variable(3.0), Variable([1.0, 2.0])
    for found, expected in [
        (v + 1, 4.0),
        (1 - v, -2.0),
        (v * w, [3.0, 6.0]),
        (w / v, [np.float32(1) / np.float32(3), np.float32(2) / np.float32(3)]),
        (np.array([1.0, 2.0]) * v, [3.0, 6.0]),
        (v * np.array([1.0, 2.0]), [3.0, 6.0]),
        (w[1], 2.0),
        (w[::-1], [2.0, 1.0]),
        (-v, -3.0),
        (v**2, 9.0),
        (v // 2, 1.0),
        (v % 2, 1.0),
        (v == 3.0, True),
        (w != [1.0, 3.0], [False, True]),
        (v > 2, True),
        (Variable([[1.0, 2.0]]) @ [[1.0], [2.0]], [[5.0]]),
        (tl.reduce_sum(w), 3.0),
        (tl.stack([v, v]), [3.0, 3.0]),
        (Variable(True) & False, False),
    ]:
        assert isinstance(found, tl.Tensor)
        assert found.numpy().tolist() == expected
    assert (float(v), int(v), bool(v), len(w), list("abcd")[Variable(2)]) == (3.0, 3, True, 2, "c")
    assert [x.numpy() for x in w] == [1.0, 2.0]
    assert (v == None, v != None) == (False, True)  # noqa: E711
    assert f"{v:.2f}" == "3.00"
    assert np.sum(w) == 3.0
    assert np.asarray(w, np.float64).tolist() == [1.0, 2.0]
    with pytest.raises(TypeError):
        w[0] = 5.0
    with pytest.raises(IndexError, match="index 2 is out of range for axis 0 of size 2"):
        w[2]
    u = v
    u += 1  # as TensorFlow's guide warns: this makes a tensor
    assert isinstance(u, tl.Tensor)
    assert v.numpy() == 3.0


def test_identity() -> None:
    a, b = Variable(1.0), Variable(1.0)
    assert {a: 1, b: 2}[a] == 1
    assert a.ref() != b.ref()
    assert a.ref().deref() is a
    assert len({a.ref(), b.ref(), a.ref()}) == 2


def test_copies_and_pickles() -> None:
    v = Variable([1.0, 2.0], name="k", trainable=False, shape=[None])
    model = {"v": v, "again": [v]}
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        w: Any = again["v"]
        assert w is again["again"][0]
        assert w is not v
        assert (w.name, w.trainable, w.shape, w.dtype) == ("k:0", False, (None,), tl.float32)
        w.assign([5.0])
        assert v.numpy().tolist() == [1.0, 2.0]


# --- in functions ------------------------------------------------------------------------


def test_captured_and_as_argument() -> None:
    total = Variable(0.0)
    traces = []

    @tl.function
    def add(v: Any, x: Any) -> Any:
        traces.append(v)
        total.assign_add(x)
        v.assign_add(x + tl.zeros_like(v))
        return v * 2.0

    a, b = Variable(1.0), Variable(10.0)
    assert add(a, 1.0).numpy() == 4.0
    assert add(b, 1.0).numpy() == 22.0
    assert (a.numpy(), b.numpy(), total.numpy()) == (2.0, 11.0, 2.0)
    assert len(traces) == 1, "one trace serves all variables of a kind"
    add(Variable([1.0]), 1.0)
    assert len(traces) == 2


def test_assign_in_a_function_gives_the_variable_as_eagerly() -> None:
    """What is returned is read at the end, as in TensorFlow; `+ 0` reads it at once."""
    v = Variable(1.0)

    @tl.function
    def f() -> Any:
        one = v.assign(2.0) + 0.0
        two = v.assign_add(3.0)
        assert v.assign_sub(1.0, read_value=False) is None
        return one, two, v.read_value()

    assert [x.numpy() for x in f()] == [2.0, 4.0, 4.0]


def test_aliasing_of_arguments() -> None:
    @tl.function
    def f(a: Any, b: Any) -> Any:
        a.assign_add(1.0)
        x = b + 0.0
        b.assign(x * 10.0)
        return x, a + 0.0

    def plain(a: list[float], b: list[float]) -> Any:
        a[0] += 1.0
        x = b[0]
        b[0] = x * 10.0
        return x, a[0]

    for same in (False, True, False, True):
        v, w = Variable(1.0), Variable(5.0)
        one, two = [1.0], [5.0]
        found = f(v, v if same else w)
        assert tuple(x.numpy() for x in found) == plain(one, one if same else two)
        assert (v.numpy(), w.numpy()) == (one[0], two[0])
    assert f.cache_info().traces == 2


@pytest.mark.parametrize("order", ["captured first", "other first"])
def test_an_argument_that_is_also_captured(order: str) -> None:
    """TensorFlow takes the two for different variables and mixes their reads and writes up."""
    v, w = Variable(1.0), Variable(10.0)

    @tl.function
    def f(a: Any) -> Any:
        before = v + 0.0
        a.assign(5.0)
        between = v + 0.0
        v.assign(7.0)
        return before, between, a + 0.0

    @tl.function
    def outer(a: Any) -> Any:
        return f(a)

    for function in (f, outer):
        for given in (v, w, v) if order == "captured first" else (w, v, w):
            v.assign(1.0)
            found = tuple(x.numpy() for x in function(given))
            assert found == ((1.0, 5.0, 7.0) if given is v else (1.0, 1.0, 5.0))
            assert v.numpy() == 7.0


def test_a_trace_inside_of_another_keeps_no_variable_of_its_caller() -> None:
    current = []

    @tl.function
    def inner() -> Any:
        return current[-1] * 2.0

    @tl.function
    def outer(v: Any, x: Any) -> Any:
        current.append(v)
        return inner() + x

    a, b = Variable(1.0), Variable(10.0)
    assert outer(a, 0.0).numpy() == 2.0
    assert outer(b, 1.0).numpy() == 21.0
    assert outer(b, c([0.0])).numpy().tolist() == [20.0]
    assert outer(a, c([0.0])).numpy().tolist() == [2.0]


def test_a_variable_of_a_function_that_failed_has_no_value() -> None:
    made = []

    @tl.function(autograph=False)
    def f(x: Any) -> Any:
        made.append(Variable(x))
        return x + None

    with pytest.raises((TypeError, ValueError)):
        f(c(1.0))
    with pytest.raises(tl.errors.FailedPreconditionError, match="the variable has no value yet"):
        made[0].read_value()
    assert repr(made[0]) == "<tl.Variable 'Variable:0' shape=() dtype=float32>"
