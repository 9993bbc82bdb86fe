"""Ops on variables: values, refusals, and that no array changes under anyone's hands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.graph.ops import state


def test_assignments() -> None:
    v = tl.Variable([1.0, 2.0])
    v.assign([3, 4])
    v.assign_add([1.0, 1.0])
    v.assign_sub(tl.constant([0.5, 0.5]))
    assert v.numpy().tolist() == [3.5, 4.5]


def test_what_was_read_stays_as_it_was() -> None:
    v = tl.Variable([1.0, 2.0])
    before = v.read_value()
    array = np.array([5.0, 6.0], np.float32)
    v.assign_add([1.0, 1.0])
    state.scatter("update", v, [0], [9.0])
    given = tl.constant(array)
    v.assign(given)
    v.assign_add([1.0, 1.0])
    assert before.numpy().tolist() == [1, 2]
    assert given.numpy().tolist() == [5, 6]


@pytest.mark.parametrize(
    ("kind", "want"),
    [
        ("update", [[1, 2], [9, 9], [5, 6]]),
        ("add", [[1, 2], [20, 21], [5, 6]]),
        ("sub", [[1, 2], [-14, -13], [5, 6]]),
        ("max", [[1, 2], [9, 9], [5, 6]]),
        ("min", [[1, 2], [3, 4], [5, 6]]),
    ],
)
@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
def test_scatter(kind: str, want: Any, traced: bool) -> None:
    v = tl.Variable([[1, 2], [3, 4], [5, 6]])

    def change(indices: Any) -> Any:
        return state.scatter(kind, v, indices, [[8, 8], [9, 9]])

    call = tl.function(change) if traced else change
    assert call(tl.constant([1, 1])).numpy().tolist() == want
    assert v.numpy().tolist() == want


def test_gradient_of_a_read() -> None:
    v = tl.Variable([1.0, 2.0])
    with tl.GradientTape() as tape:
        y = v * v
    assert tape.gradient(y, v).numpy().tolist() == [2, 4]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda v: v.assign([1.0]), "assign: the variable has shape (2,), the value (1,)"),
        (lambda v: v.assign_add(1.0), "assign_add: the variable has shape (2,), the value ()"),
        (
            lambda v: v.assign_sub(tl.constant([1, 2])),
            "assign_sub: the variable has dtype float32, the value int32; use tl.cast",
        ),
        (
            lambda v: state.scatter("add", v, [2], [1.0]),
            "scatter_add: index 2 is out of range for axis 0 of size 2",
        ),
        (
            lambda v: state.scatter("add", v, [0], [[1.0]]),
            "scatter_add: the updates have shape (1, 1), (1,) is needed",
        ),
    ],
)
def test_messages(call: Any, text: str) -> None:
    v = tl.Variable([1.0, 2.0])
    with pytest.raises(tl.errors.InvalidArgumentError) as caught:
        call(v)
    assert str(caught.value).splitlines()[0] == text
    assert v.numpy().tolist() == [1, 2]


@pytest.mark.parametrize("op", ["assign", "assign_add", "assign_sub"])
def test_shapes_that_are_known_only_at_run_time(op: str) -> None:
    v = tl.Variable([1.0, 2.0])

    @tl.function(input_signature=[tl.TensorSpec(None)])
    def f(x: Any) -> None:
        getattr(v, op)(x)

    with pytest.raises(tl.errors.ShapeError):
        f([1.0, 2.0, 3.0])
    assert v.numpy().tolist() == [1, 2]


def test_a_variable_of_unknown_size() -> None:
    v = tl.Variable([1.0], shape=[None])
    v.assign([1.0, 2.0, 3.0])
    v.assign_add([1.0, 1.0, 1.0])
    assert v.numpy().tolist() == [2, 3, 4]
    with pytest.raises(tl.errors.ShapeError):
        v.assign([[1.0]])
    with pytest.raises(tl.errors.ShapeError):
        v.assign_add([1.0])


def test_views_are_not_kept() -> None:
    """A variable that was assigned a slice doesn't hold the whole."""
    big = tl.zeros([1000, 2])
    v = tl.Variable([0.0, 0.0, 0.0])
    v.assign(big[:3, 0])
    assert v._value.array.base is None
