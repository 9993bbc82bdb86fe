"""Some items of a variable: slices, rows, single items. Values made with TensorFlow 2.21."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import treadle as tl

c = tl.constant
START = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
Update = Callable[[tl.Variable], Any]


def rows(values: Any, indices: Any) -> tl.IndexedSlices:
    return tl.IndexedSlices(c(values), c(indices))


SCATTER = {
    "update": ([[4, 1], [3, 4], [2, 8]], [[1, 2], [4, 1], [5, 6]]),
    "add": ([[5, 3], [3, 4], [7, 14]], [[1, 2], [9, 13], [5, 6]]),
    "sub": ([[-3, 1], [3, 4], [3, -2]], [[1, 2], [-3, -5], [5, 6]]),
    "mul": ([[4, 2], [3, 4], [10, 48]], [[1, 2], [24, 32], [5, 6]]),
    "div": ([[0.25, 2], [3, 4], [2.5, 0.75]], [[1, 2], [0.375, 0.5], [5, 6]]),
    "max": ([[4, 2], [3, 4], [5, 8]], [[1, 2], [4, 8], [5, 6]]),
    "min": ([[1, 1], [3, 4], [2, 6]], [[1, 2], [2, 1], [5, 6]]),
}
SCATTER_ND = {
    "update": [[1, -3], [3, 4], [7, 6]],
    "add": [[1, -1], [3, 4], [12, 6]],
    "sub": [[1, 5], [3, 4], [-2, 6]],
    "max": [[1, 2], [3, 4], [7, 6]],
    "min": [[1, -3], [3, 4], [5, 6]],
}
SLICES: list[tuple[Update, Any]] = [
    (lambda v: v[1].assign([9.0, 9.0]), [[1, 2], [9, 9], [5, 6]]),
    (lambda v: v[1].assign(9.0), [[1, 2], [9, 9], [5, 6]]),
    (lambda v: v[c(1)].assign([9, 9]), [[1, 2], [9, 9], [5, 6]]),
    (lambda v: v[:2, 1].assign([9.0, 8.0]), [[1, 9], [3, 8], [5, 6]]),
    (lambda v: v[: c(2), 1].assign([9.0, 8.0]), [[1, 9], [3, 8], [5, 6]]),
    (lambda v: v[::2].assign([[7.0, 7.0], [8.0, 8.0]]), [[7, 7], [3, 4], [8, 8]]),
    (lambda v: v[..., 0].assign([1.0, 1.0, 1.0]), [[1, 2], [1, 4], [1, 6]]),
    (lambda v: v[-1, -1].assign(0.0), [[1, 2], [3, 4], [5, 0]]),
    (lambda v: v[v > 3].assign(0.0), [[1, 2], [3, 0], [0, 0]]),
    (lambda v: v[1:1].assign(7.0), START),
    (lambda v: v[1].assign(v[0] + v[2]), [[1, 2], [6, 8], [5, 6]]),
]
UPDATES: list[tuple[Update, Any]] = [
    *(
        (lambda v, k=k: getattr(v, f"scatter_{k}")(rows([[2.0, 8.0], [4.0, 1.0]], [2, 0])), once)
        for k, (once, _) in SCATTER.items()
    ),
    *(
        (lambda v, k=k: getattr(v, f"scatter_{k}")(rows([[2.0, 8.0], [4.0, 1.0]], [1, 1])), twice)
        for k, (_, twice) in SCATTER.items()
    ),
    *(
        (lambda v, k=k: getattr(v, f"scatter_nd_{k}")([[2, 0], [0, 1]], [7.0, -3.0]), want)
        for k, want in SCATTER_ND.items()
    ),
    *SLICES,
    (
        lambda v: v.batch_scatter_update(rows([[9.0], [8.0], [7.0]], [[1], [0], [1]])),
        [[1, 9], [8, 4], [5, 7]],
    ),
]


@pytest.mark.parametrize("row", range(len(UPDATES)))
def test_updates(row: int) -> None:
    """The variable itself is given, and seen when it is used."""
    update, want = UPDATES[row]
    v = tl.Variable(START)
    assert update(v) is v
    assert v.numpy().tolist() == want
    v.assign(START)

    @tl.function
    def f() -> Any:
        result = update(v)
        assert result is v
        return result, v + 0.0

    assert [t.numpy().tolist() for t in f()] == [want, want]
    assert v.numpy().tolist() == want


def test_updates_of_an_argument_and_in_loops() -> None:
    v = tl.Variable([0, 0, 0, 0])

    @tl.function
    def f(w: Any, n: Any) -> None:
        for i in tl.range(n):
            w[i].assign(i * i)
            if i > 1:
                w[0].assign(i)

    f(v, c(4))
    assert v.numpy().tolist() == [3, 1, 4, 9]


def test_what_an_update_gives() -> None:
    v = tl.Variable([1.0, 2.0])
    assert v.assign([2.0, 2.0], read_value=False) is None
    assert v[0].assign(3.0, read_value=False) is None
    assert v.assign_sub([1.0, 1.0]).assign_add([3.0, 1.0]) is v, "assignments chain"

    @tl.function
    def f() -> Any:
        assert v.assign_add([1.0, 1.0], read_value=False) is None
        return v.assign([5.0, 6.0]) * 1.0, v.assign_add([1.0, 1.0]).assign_sub([0.0, 2.0])

    first, second = f()
    assert (first.numpy().tolist(), second.numpy().tolist()) == ([5, 6], [6, 5])


def test_integers_are_divided_downwards() -> None:
    v = tl.Variable([7, -7])
    assert v.scatter_div(rows([2, 2], [0, 1])).numpy().tolist() == [3, -4]


@pytest.mark.parametrize(
    ("update", "kind", "words"),
    [
        (lambda v: v[5].assign(1.0), IndexError, "index 5 is out of range for axis 0 of size 3"),
        (lambda v: v.scatter_add(rows([[2.0, 8.0]], [5])), IndexError, "index 5 is out of range"),
        (lambda v: v.scatter_add(c([1.0])), TypeError, "the rows must be given as tl.IndexedSlice"),
        (lambda v: v[0].assign(c(1)), TypeError, "int32 is assigned to items of dtype float32"),
        (lambda v: v[0].assign([1.0, 2.0, 3.0]), ValueError, "shape"),
        (lambda v: v.scatter_nd_add([[9, 0]], [1.0]), IndexError, "index 9 is out of range"),
        (lambda v: v.__setitem__(0, 1.0), TypeError, r"set by v\[key\].assign\(value\)"),
        (lambda v: (v[0] + 1).assign(1.0), AttributeError, "a tensor can't be assigned"),
        (lambda v: v.set_shape([4]), ValueError, "shape"),
        (lambda v: v.batch_scatter_update(rows([1.0, 2.0], 0)), ValueError, "at least one axis"),
        (lambda v: tl.Variable(1.0, constraint=3), ValueError, "constraint"),
    ],
)
def test_refusals(update: Update, kind: type[Exception], words: str) -> None:
    v = tl.Variable(START)
    for run in (lambda: update(v), lambda: tl.function(lambda: update(v))()):
        with pytest.raises(kind, match=words):
            run()
    assert v.numpy().tolist() == START


def test_a_plain_tensor_has_no_assign() -> None:
    assert not hasattr(c([1.0]), "assign")
    assert not hasattr(tl.Variable([1.0]).read_value(), "assign")


def test_small_attributes() -> None:
    v = tl.Variable([1.0, -2.0], constraint=abs, aggregation="sum")
    assert (v.constraint, v.aggregation, v.trainable) == (abs, "sum", True)
    assert v.initialized_value().numpy().tolist() == v.value().numpy().tolist() == [1, -2]
    assert v.is_initialized()
    assert v.sparse_read([1]).numpy().tolist() == [-2.0]
    assert v.gather_nd([[0]]).numpy().tolist() == [1.0]
    assert v.set_shape([None]) is None
    assert v.device == "/job:localhost/replica:0/task:0/device:CPU:0"
    with tl.name_scope("outer"), tl.name_scope("inner"):
        assert tl.Variable(lambda: 1.0, name="w").name == "outer/inner/w:0"


def test_indexed_slices() -> None:
    x = tl.IndexedSlices([[1.0], [2.0], [3.0]], [2, 0, 2], dense_shape=[4, 1])
    assert tl.convert_to_tensor(x).numpy().tolist() == [[2], [0], [4], [0]]
    assert (x.dtype, x.shape) == (tl.float32, tl.TensorShape([None, 1]))
    assert tl.convert_to_tensor(-x).numpy().tolist() == [[-2], [0], [-4], [0]]
    with pytest.raises(ValueError, match="need a dense_shape"):
        tl.convert_to_tensor(tl.IndexedSlices([1.0], [0]))
