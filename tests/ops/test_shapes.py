"""Shapes as arguments: what is inferred holds, what does not fit is said in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import treadle as tl
from treadle.graph.build import GraphBuilder, interpreting
from treadle.graph.ops.dims import constant_dims
from treadle.graph.spec import covers

sizes = st.lists(st.integers(0, 4), max_size=4)


@st.composite
def reshapes(draw: Any) -> tuple[list[int], list[int]]:
    """Two shapes of as many items."""
    factors = draw(st.lists(st.integers(1, 4), max_size=5))

    def grouped() -> list[int]:
        cuts = sorted(draw(st.lists(st.integers(0, len(factors)), max_size=3)))
        return [math.prod(factors[a:b]) for a, b in zip([0, *cuts], [*cuts, None], strict=True)]

    return grouped(), grouped()


def forgetful(draw: Any, shape: list[int]) -> list[int | None]:
    return [None if draw(st.booleans()) else d for d in shape]


@given(reshapes(), st.data())
def test_reshape(shapes: tuple[list[int], list[int]], data: Any) -> None:
    old, new = shapes
    x = np.arange(math.prod(old), dtype=np.float32).reshape(old)
    target = list(new)
    if target and data.draw(st.booleans()):
        target[data.draw(st.integers(0, len(target) - 1))] = -1
    spec = tl.TensorSpec(forgetful(data.draw, old))

    @tl.function(input_signature=[spec], autograph=False)
    def f(x: Any) -> Any:
        return tl.reshape(x, target)

    inferred = f.get_concrete_function().graph.outputs[0].shape
    assert covers(inferred, tl.TensorShape(new))
    if None not in tuple(spec.shape) or -1 not in target:
        assert inferred == new
    np.testing.assert_array_equal(f(x).numpy(), x.reshape(new), strict=True)
    np.testing.assert_array_equal(tl.reshape(x, target).numpy(), x.reshape(new), strict=True)


@given(sizes, sizes, st.data())
def test_reshape_refuses(old: list[int], new: list[int], data: Any) -> None:
    assume(math.prod(old) != math.prod(new))
    spec = tl.TensorSpec(forgetful(data.draw, old))
    x = np.zeros(old, np.float32)

    @tl.function(input_signature=[spec], autograph=False)
    def f(x: Any) -> Any:
        tl.reshape(x, new)
        return 0

    with pytest.raises(tl.errors.ShapeError, match="items"):
        f(x)
    with pytest.raises(tl.errors.ShapeError, match="items"):
        tl.reshape(x, new)


@given(sizes, st.data())
def test_broadcast_to(new: list[int], data: Any) -> None:
    old = [1 if data.draw(st.booleans()) else d for d in new[data.draw(st.integers(0, len(new))) :]]
    x = np.arange(math.prod(old), dtype=np.float32).reshape(old)

    @tl.function(
        input_signature=[tl.TensorSpec(forgetful(data.draw, old)), tl.TensorSpec([None], tl.int32)],
        autograph=False,
    )
    def f(x: Any, shape: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = tl.broadcast_to(x, new), tl.broadcast_to(x, shape)
        return (*y, tape.gradient(y, x))

    first, second, grad = f(x, np.array(new, np.int32))
    np.testing.assert_array_equal(first.numpy(), np.broadcast_to(x, new), strict=True)
    np.testing.assert_array_equal(second.numpy(), np.broadcast_to(x, new), strict=True)
    copies = math.prod(new) / max(1, math.prod(old)) if math.prod(new) else 0
    np.testing.assert_array_equal(grad.numpy(), np.full(old, 2 * copies, np.float32), strict=True)


def known_of(make: Any, *shape: int | None) -> Any:
    """What is known, while tracing, of the sizes that `make(x)` computes."""
    builder = GraphBuilder("f")
    x = builder.add_input(tl.TensorSpec(shape), "x")
    with interpreting(builder):
        return constant_dims(make(x))


@pytest.mark.parametrize(
    ("make", "known"),
    [
        (tl.shape, [None, 4]),
        (lambda x: tl.shape(x)[1:], [4]),
        (lambda x: tl.stack([tl.shape(x)[0], 7]), [None, 7]),
        (lambda x: tl.concat([tl.shape(x), [2]], 0), [None, 4, 2]),
        (lambda x: [tl.shape(x)[1] * 3, -1], [12, -1]),
        (lambda x: tl.cast(tl.shape(x), tl.int64)[::-1], [4, None]),
        (lambda x: [tl.reduce_prod(tl.shape(x)[1:])], [4]),
        (lambda x: [tl.size(x)], [None]),
        (lambda x: tl.shape(x) // 2, [None, None]),
        (lambda x: tl.TensorShape([None, 2]), [None, 2]),
    ],
)
def test_sizes_are_followed_through_the_graph(make: Any, known: Any) -> None:
    assert known_of(make, None, 4) == known


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: tl.reshape(x, [4, 2]), "the shape (2, 3) has 6 items, (4, 2) needs 8"),
        (
            lambda x: tl.reshape(x, [4, -1]),
            "the shape (2, 3) has 6 items, (4, ?) needs a multiple of 4",
        ),
        (lambda x: tl.reshape(x, [-1, -1]), "(-1, -1) is no shape: only one size may be -1"),
        (lambda x: tl.reshape(x, [-2, 3]), "(-2, 3) is no shape: sizes are not negative"),
        (lambda x: tl.reshape(x, [2.0]), "a shape consists of integers"),
        (lambda x: tl.broadcast_to(x, [3, 3]), "the shape (2, 3) does not broadcast to (3, 3)"),
        (lambda x: tl.broadcast_to(x, [3]), "the shape (2, 3) has more axes than (3,)"),
        (lambda x: tl.squeeze(x, [1]), "axis 1 of the shape (2, 3) has size 3, not 1"),
        (lambda x: tl.expand_dims(x, 4), "axis 4 is out of range for 3 axes"),
        (lambda x: tl.transpose(x, [0, 0]), "perm [0, 0] is no order of the 2 axes"),
        (
            lambda x: tl.concat([x, tl.zeros([3, 3])], 1),
            "can't concatenate tensors of shapes (2, 3) and (3, 3): axis 0 differs",
        ),
        (lambda x: tl.concat([x, tl.zeros([2, 3], tl.int32)], 1), "dtypes float32 and int32"),
        (
            lambda x: tl.stack([x, tl.zeros([2])]),
            "can't stack tensors of shapes (2, 3) and (2,)",
        ),
        (lambda x: tl.split(x, 2, 1), "axis 1 of size 3 can't be cut into 2 equal parts"),
        (lambda x: tl.split(x, [1, 1], 1), "the sizes [1, 1] add up to 2, axis 1 has 3"),
        (lambda x: tl.unstack(x, 3), "axis 0 has size 2, not 3"),
        (lambda x: tl.pad(x, [[1, 1]]), "paddings for 1 axes are given"),
        (
            lambda x: tl.pad(x, [[0, 0], [0, 3]], "REFLECT"),
            "mode REFLECT pads an axis of size 3 by at most 2, not 3",
        ),
        (lambda x: tl.tile(x, [2]), "there are 1 multiples, the operand has the shape (2, 3)"),
        (lambda x: tl.reverse(x, [0, -2]), "axis [0, -2] names an axis twice"),
        (lambda x: tl.ensure_shape(x, [2, 4]), "the shape (2, 3) is not compatible with (2, 4)"),
        (lambda x: tl.range(0, 5, 0), "the step of a range must not be 0"),
        (lambda x: tl.math.top_k(x, 4), "k is 4, the last axis has 3 items"),
    ],
)
def test_messages(call: Any, text: str) -> None:
    x = tl.zeros([2, 3])
    with pytest.raises(tl.errors.InvalidArgumentError) as caught:
        call(x)
    assert text in str(caught.value)


def test_a_failing_check_is_not_dropped() -> None:
    """TensorFlow's optimizer drops this reshape, and the error with it."""

    @tl.function(input_signature=[tl.TensorSpec([None])])
    def f(x: Any) -> Any:
        tl.reshape(x, [2, 2])
        return tl.reduce_sum(x)

    assert float(f([1.0, 2.0, 3.0, 4.0])) == 10
    with pytest.raises(tl.errors.ShapeError, match=r"reshape: the shape \(3,\) has 3 items"):
        f([1.0, 2.0, 3.0])


def test_static_shapes() -> None:
    shape = tl.broadcast_static_shape(tl.TensorShape([2, 1]), tl.TensorShape([None, 3]))
    assert shape == [2, 3]
    with pytest.raises(ValueError, match="do not broadcast"):
        tl.broadcast_static_shape(tl.TensorShape([2]), tl.TensorShape([3]))


def test_python_sequences() -> None:
    """Where TensorFlow and Python differ, an empty range is empty."""
    assert tl.range(5, 2).numpy().tolist() == []
    assert tl.range(2.5).dtype is tl.float32
    assert tl.range(0, tl.constant(3, tl.int64)).dtype is tl.int64
    assert tl.linspace(1, 5, 3).dtype is tl.float64
    assert tl.zeros([0, 2]).shape == (0, 2)
    assert tl.fill([2], "a").numpy().tolist() == [b"a", b"a"]
    assert tl.eye(2, 3, [4]).shape == (4, 2, 3)
    assert tl.sequence_mask([1, 0, 2]).numpy().tolist() == [
        [True, False],
        [False, False],
        [True, True],
    ]
