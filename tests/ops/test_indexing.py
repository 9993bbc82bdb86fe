"""Indexing against NumPy: random keys, eager and traced, and what the errors say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import treadle as tl

small = st.integers(-5, 5)
bounds = st.none() | small
steps = st.none() | small.filter(bool)
items = st.one_of(small, st.builds(slice, bounds, bounds, steps), st.none(), st.just(...))
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)


def single_ellipsis(key: tuple[Any, ...]) -> bool:
    return sum(k is ... for k in key) < 2


keys = st.lists(items, max_size=5).map(tuple).filter(single_ellipsis)


def numbered(shape: tuple[int, ...]) -> Any:
    return np.arange(1.0, 1 + np.prod(shape)).reshape(shape)


def outcome(x: Any, key: Any) -> Any:
    """The values, or None where the key does not fit."""
    try:
        return np.asarray(x[key])
    except (IndexError, tl.errors.InvalidArgumentError):
        return None


@given(shapes, keys)
def test_keys_mean_what_they_mean_to_numpy(shape: tuple[int, ...], key: Any) -> None:
    x = numbered(shape)
    want, got = outcome(x, key), outcome(tl.constant(x), key)
    assert (want is None) == (got is None)
    if want is not None:
        np.testing.assert_array_equal(got, want, strict=True)


def with_tensors(key: tuple[Any, ...], numbers: Any) -> tuple[Any, ...]:
    """The key with each of its integers taken from a tensor."""
    used = iter(range(99))

    def bound(b: Any) -> Any:
        return None if b is None else numbers[next(used)]

    def item(k: Any) -> Any:
        if isinstance(k, slice):
            return slice(bound(k.start), bound(k.stop), bound(k.step))
        return bound(k) if isinstance(k, int) else k

    return tuple(item(k) for k in key)


def integers_of(key: tuple[Any, ...]) -> list[int]:
    found: list[Any] = []
    for k in key:
        found += [k.start, k.stop, k.step] if isinstance(k, slice) else [k]
    return [f for f in found if isinstance(f, int)]


@given(shapes, keys, st.sampled_from(["sizes", "rank"]), st.booleans())
def test_keys_in_graphs(shape: tuple[int, ...], key: Any, known: str, symbolic: bool) -> None:
    """With unknown sizes and with bounds that are tensors, and the gradient of all that."""
    x = numbered(shape)
    want = outcome(x, key)
    spec = tl.TensorSpec(shape if known == "sizes" else [None] * len(shape), tl.float64)

    @tl.function(input_signature=[spec, tl.TensorSpec([None], tl.int32)], autograph=False)
    def pick(x: Any, numbers: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = x[with_tensors(key, numbers) if symbolic else key]
        return y, tape.gradient(y, x)

    numbers = np.array([*integers_of(key), 0], np.int32)
    if want is None:
        with pytest.raises(tl.errors.InvalidArgumentError):
            pick(tl.constant(x), numbers)
        return
    got, grad = pick(tl.constant(x), numbers)
    np.testing.assert_array_equal(got.numpy(), want)
    placed = np.zeros(shape)
    placed[key] = 1
    np.testing.assert_array_equal(grad.numpy(), placed)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=3).map(tuple), st.data())
def test_masks_and_lists(shape: tuple[int, ...], data: Any) -> None:
    x = numbered(shape)
    axis = data.draw(st.integers(0, len(shape) - 1))
    front = (slice(None),) * axis
    mask = np.array(
        data.draw(st.lists(st.booleans(), min_size=shape[axis], max_size=shape[axis])), bool
    )
    np.testing.assert_array_equal(tl.constant(x)[(*front, mask)].numpy(), x[(*front, mask)])
    places = data.draw(st.lists(st.integers(-shape[axis], shape[axis] - 1), min_size=1)
                       if shape[axis] else st.just(None))  # fmt: skip
    if places is not None:
        key = (*front, places)
        np.testing.assert_array_equal(tl.constant(x)[key].numpy(), x[key])
        tensor = (*front, tl.constant(places))
        np.testing.assert_array_equal(tl.constant(x)[tensor].numpy(), x[key])


def test_a_mask_of_several_axes() -> None:
    x = numbered((2, 3, 4))
    mask = x[..., 0] > 4
    np.testing.assert_array_equal(tl.constant(x)[tl.constant(mask), 1:].numpy(), x[mask, 1:])


def test_mask_with_unknown_sizes() -> None:
    @tl.function(input_signature=[tl.TensorSpec([None, None]), tl.TensorSpec([None], tl.bool)])
    def pick(x: Any, mask: Any) -> Any:
        return tl.boolean_mask(x, mask)

    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.testing.assert_array_equal(pick(x, [True, False, True]).numpy(), x[[0, 2]])
    with pytest.raises(tl.errors.ShapeError):
        pick(x, [True, False])


def message(call: Any) -> str:
    with pytest.raises(tl.errors.InvalidArgumentError) as caught:
        call()
    return str(caught.value)


X = np.zeros((2, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: x[2], "indexing: index 2 is out of range for axis 0 of size 2"),
        (lambda x: x[0, -4], "indexing: index -4 is out of range for axis 1 of size 3"),
        (lambda x: x[0, 0, 0], "indexing: there are 3 indices for 2 axes"),
        (lambda x: x[..., 0, ...], "indexing: an index has one '...' at most"),
        (lambda x: x[::0], "indexing: the step of a slice must not be 0"),
        (lambda x: x[1.5], "indexing: 1.5 is no index: integers, slices, None, ... and masks are"),
        (lambda x: x[[0, 5]], "indexing: index 5 is out of range for axis 0 of size 2"),
        (lambda x: tl.gather(x, [0, -1]), "gather: index -1 is out of range for axis 0 of size 2"),
        (
            lambda x: tl.gather_nd(x, [[0, 3]]),
            "gather_nd: index 3 is out of range for axis 1 of size 3",
        ),
        (
            lambda x: tl.slice(x, [0, 2], [1, 2]),
            "slice: begin 2 and size 2 do not lie within axis 1 of size 3",
        ),
        (
            lambda x: tl.scatter_nd([[4]], [1.0], [3]),
            "scatter_nd: index 4 is out of range for axis 0 of size 3",
        ),
    ],
)
def test_messages(call: Any, text: str) -> None:
    first, line, *_ = message(lambda: call(tl.constant(X))).splitlines()
    assert first == text
    assert line.strip().startswith("test_indexing.py:")


def test_messages_at_run_time() -> None:
    """The same words, with the user's line, where the size is known only then."""

    @tl.function(input_signature=[tl.TensorSpec([None]), tl.TensorSpec([], tl.int32)])
    def pick(x: Any, i: Any) -> Any:
        return x[i] + tl.gather(x, [i])

    assert pick([1.0, 2.0], 1).numpy() == [4.0]
    text = message(lambda: pick([1.0, 2.0], 2))
    assert text.splitlines() == [
        "indexing: index 2 is out of range for axis 0 of size 2",
        "    test_indexing.py:" + text.split("test_indexing.py:")[1].split(":")[0]
        + ": return x[i] + tl.gather(x, [i])",
        "    x: f32[2]",
        "    i: i32[]",
    ]  # fmt: skip


def test_a_failing_index_is_not_dropped() -> None:
    """Though nothing reads the result."""

    @tl.function(input_signature=[tl.TensorSpec([None])])
    def first(x: Any) -> Any:
        x[5]
        return tl.reduce_sum(x)

    with pytest.raises(tl.errors.IndexOutOfRangeError):
        first([1.0])


def test_gradient_of_a_scatter_shares_among_equal_items() -> None:
    x = tl.constant([1.0, 5.0])
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = tl.tensor_scatter_nd_max(x, [[0], [1]], [3.0, 5.0])
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [0.0, 0.5])
