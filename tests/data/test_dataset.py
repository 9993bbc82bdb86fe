"""`tl.data.Dataset` against plain Python lists and NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.graph.build import recording
from treadle.graph.op import OPS, Op

Dataset = tl.data.Dataset


def items(dataset: Any) -> list[Any]:
    """Elements as Python numbers, lists, tuples and dicts."""
    return [tl.nest.map_structure(lambda a: np.asarray(a).tolist(), e) for e in numpy_of(dataset)]


def numpy_of(dataset: Any) -> list[Any]:
    return list(dataset.as_numpy_iterator())


NUMBERS = [3, 1, 4, 1, 5]


def numbers() -> Any:
    return Dataset.from_tensor_slices(NUMBERS)


def lists(*rows: list[Any]) -> Any:
    """A dataset of vectors of these numbers."""
    return Dataset.from_generator(lambda: rows, output_signature=tl.TensorSpec([None], tl.int32))


CASES: list[tuple[Any, list[Any]]] = [
    (lambda: Dataset.range(4), [0, 1, 2, 3]),
    (lambda: Dataset.range(1, 9, 3), [1, 4, 7]),
    (lambda: Dataset.range(5, 0, -2), [5, 3, 1]),
    (lambda: Dataset.from_tensors([1, 2]), [[1, 2]]),
    (numbers, NUMBERS),
    (lambda: numbers().map(lambda x: x * x), [x * x for x in NUMBERS]),
    (lambda: numbers().filter(lambda x: x > 2), [3, 4, 5]),
    (lambda: numbers().take_while(lambda x: x != 4), [3, 1]),
    (lambda: numbers().take(2), [3, 1]),
    (lambda: numbers().take(-1), NUMBERS),
    (lambda: numbers().skip(3), [1, 5]),
    (lambda: numbers().shard(2, 1), [1, 1]),
    (lambda: numbers().repeat(2), NUMBERS * 2),
    (lambda: numbers().repeat().take(12), (NUMBERS * 3)[:12]),
    (lambda: numbers().concatenate(numbers().take(1)), [*NUMBERS, 3]),
    (lambda: numbers().batch(2), [[3, 1], [4, 1], [5]]),
    (lambda: numbers().batch(2, drop_remainder=True), [[3, 1], [4, 1]]),
    (lambda: numbers().batch(2).unbatch(), NUMBERS),
    (lambda: numbers().enumerate(10), list(enumerate(NUMBERS, 10))),
    (lambda: numbers().prefetch(tl.data.AUTOTUNE).cache(), NUMBERS),
    (lambda: Dataset.zip(numbers(), Dataset.range(3)), [(3, 0), (1, 1), (4, 2)]),
    (lambda: Dataset.zip((numbers(), numbers())).take(1), [(3, 3)]),
    (lambda: Dataset.zip(datasets=(numbers(), numbers()), name="z").take(1), [(3, 3)]),
    (lambda: Dataset.zip({"a": numbers()}).map(lambda e: e["a"] + 1).take(2), [4, 2]),
    (lambda: Dataset.range(3).flat_map(lambda n: Dataset.range(n)), [0, 0, 1]),
    (lambda: Dataset.range(4).window(2).flat_map(lambda w: w.batch(2)), [[0, 1], [2, 3]]),
    (
        lambda: Dataset.from_tensor_slices(([1, 2], {"k": [3, 4]})),
        [(1, {"k": 3}), (2, {"k": 4})],
    ),
    # The results from here on were noted from TensorFlow 2.21.
    (
        lambda: Dataset.range(3).interleave(
            lambda n: Dataset.from_tensors(n).repeat(3), cycle_length=2, block_length=2
        ),
        [0, 0, 1, 1, 0, 1, 2, 2, 2],
    ),
    (lambda: lists([1], [2, 3], []).padded_batch(2), [[[1, 0], [2, 3]], [[]]]),
    (
        lambda: lists([1], [2, 3], []).padded_batch(
            2, padded_shapes=[3], padding_values=-1, drop_remainder=True
        ),
        [[[1, -1, -1], [2, 3, -1]]],
    ),
    (
        lambda: Dataset.zip(lists([1], [2, 3]), lists([4], [5])).padded_batch(
            2, padded_shapes=([3], [-1]), padding_values=(7, None)
        ),
        [([[1, 7, 7], [2, 3, 7]], [[4], [5]])],
    ),
    (
        lambda: numbers().scan(tl.constant(0), lambda s, x: (s + x, (s, x))),
        [(0, 3), (3, 1), (4, 4), (8, 1), (9, 5)],
    ),
    (
        lambda: Dataset.range(3).scan(
            tl.zeros([0], tl.int64), lambda s, x: (tl.concat([s, [x]], 0), tl.size(s))
        ),
        [0, 1, 2],
    ),
    (
        lambda: Dataset.range(6).window(3, shift=2, stride=2).flat_map(lambda w: w),
        [0, 2, 4, 2, 4, 4],
    ),
]


@pytest.mark.parametrize(("dataset", "expected"), CASES)
def test_elements(dataset: Any, expected: list[Any]) -> None:
    made = dataset()
    assert items(made) == expected
    assert items(made) == expected  # each iteration starts anew
    if int(made.cardinality()) >= 0:
        assert len(made) == len(expected)


class Calls:
    """Collects the names of the ops that are called."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def record(self, op: Op, inputs: Any, attrs: Any, outputs: Any, above: int = 0) -> None:
        self.names.add(op.name)


def test_every_op_is_here() -> None:
    seen = Calls()
    with recording((seen,)):  # type: ignore[arg-type]
        for dataset, _ in CASES:
            dataset().cardinality()
        Dataset.range(3).shuffle(2)
        Dataset.range(1).get_single_element()
    # `empty` stands for a dataset that a path not taken would have made.
    made = {name for name in OPS if name.startswith("dataset_")} - {"dataset_empty"}
    assert made - seen.names == set()


def test_padding_that_does_not_fit() -> None:
    with pytest.raises(tl.errors.InvalidArgumentError, match=r"sizes \[2\].*padded to \[1\]"):
        items(lists([1, 2]).padded_batch(1, padded_shapes=[1]))
    with pytest.raises(tl.errors.ShapeError, match=r"\(None,\) can't be padded to \(2, 2\)"):
        lists([1]).padded_batch(1, padded_shapes=[2, 2])
    with pytest.raises(TypeError, match="dtype int32 can't be padded with a value of dtype float"):
        lists([1]).padded_batch(1, padding_values=tl.constant(0.5))
    with pytest.raises(TypeError, match="do not have the structure of"):
        Dataset.zip((lists([1]),)).padded_batch(1, padded_shapes=([1], [1]))


def test_text_is_padded_with_empty_text() -> None:
    words = [["a"], ["b", "cc"]]
    signature = tl.TensorSpec([None], tl.string)
    ds = Dataset.from_generator(lambda: words, output_signature=signature).padded_batch(2)
    assert items(ds) == [[[b"a", b""], [b"b", b"cc"]]]
    assert ds.element_spec == tl.TensorSpec([None, None], tl.string)


def test_single_elements() -> None:
    assert int(Dataset.range(7, 8).get_single_element()) == 7
    for ds, many in [(Dataset.range(2), "more than one element"), (Dataset.range(0), "no element")]:
        with pytest.raises(tl.errors.InvalidArgumentError, match=f"the dataset has {many}"):
            ds.get_single_element()


def test_shuffle_keeps_the_elements() -> None:
    ds = Dataset.range(50).shuffle(10, seed=3, reshuffle_each_iteration=False)
    first = items(ds)
    assert first != list(range(50))
    assert sorted(first) == list(range(50))
    assert items(ds) == first


def test_shuffle_has_tensorflows_order() -> None:
    """Noted from TensorFlow 2.21, after the same tf.random.set_seed(7)."""
    tl.random.set_seed(7)
    ds = Dataset.range(10).shuffle(5, seed=3)
    assert items(ds) == [4, 5, 6, 0, 1, 8, 9, 3, 2, 7]
    assert items(ds) == [1, 3, 6, 4, 7, 5, 9, 8, 0, 2]  # each iteration has an order of its own
    ds = Dataset.range(10).shuffle(10, seed=3, reshuffle_each_iteration=False)
    assert [items(ds), items(ds)] == [[3, 4, 2, 9, 8, 5, 1, 6, 7, 0]] * 2
    ds = Dataset.range(10).shuffle(4, seed=1).repeat(2).batch(5)
    assert items(ds) == [[1, 4, 3, 5, 0], [2, 6, 9, 8, 7], [2, 0, 3, 5, 6], [1, 7, 4, 9, 8]]
    ds = Dataset.range(6).repeat(2).shuffle(20, seed=5)
    assert items(ds) == [4, 0, 3, 2, 2, 1, 3, 0, 5, 5, 4, 1]


def test_element_specs() -> None:
    ds = Dataset.from_tensor_slices({"a": np.zeros((4, 2), np.float32), "b": [1, 2, 3, 4]})
    assert ds.element_spec == {"a": tl.TensorSpec([2]), "b": tl.TensorSpec([], tl.int32)}
    assert ds.batch(2).element_spec["a"] == tl.TensorSpec([None, 2])
    assert ds.batch(2, drop_remainder=True).element_spec["a"] == tl.TensorSpec([2, 2])


def test_lengths_that_are_not_known() -> None:
    assert int(Dataset.range(2).repeat().cardinality()) == tl.data.INFINITE_CARDINALITY
    with pytest.raises(TypeError, match=r"The dataset is infinite\."):
        len(Dataset.range(2).repeat())
    with pytest.raises(TypeError, match=r"The dataset length is unknown\."):
        len(Dataset.range(2).filter(lambda x: x > 0))


def test_generators() -> None:
    runs = []

    def pairs(n: int) -> Iterator[Any]:
        runs.append(n)
        yield from [(i, [0.5] * i) for i in range(n)]

    signature = (tl.TensorSpec([], tl.int32), tl.TensorSpec([None]))
    ds = Dataset.from_generator(pairs, output_signature=signature, args=[3])
    assert runs == []
    assert ds.element_spec == signature
    assert items(ds) == [(0, []), (1, [0.5]), (2, [0.5, 0.5])]
    assert len(runs) == 1

    older = Dataset.from_generator(
        pairs, (tl.int32, tl.float32), output_shapes=((), (None,)), args=[3]
    )
    assert older.element_spec == signature
    named = Dataset.from_generator(
        lambda: [{"a": 1, "b": [1.0, 2.0]}],
        {"a": tl.int64, "b": tl.float32},
        {"a": tl.TensorShape([]), "b": [2]},
    )
    assert named.element_spec == {"a": tl.TensorSpec([], tl.int64), "b": tl.TensorSpec([2])}
    with pytest.raises(TypeError, match="do not have the structure of"):
        Dataset.from_generator(pairs, (tl.int32, tl.float32), output_shapes=((),))

    wrong = Dataset.from_generator(lambda: [[1, 2]], tl.int32, [])
    with pytest.raises(tl.errors.InvalidArgumentError, match=r"shape \(2,\) where one of shape"):
        list(wrong)


def test_functions_are_traced_once() -> None:
    calls = []

    def double(x: Any) -> Any:
        calls.append(1)
        if x > 1:
            x = x * 2
        return x

    assert items(Dataset.range(4).map(double)) == [0, 1, 4, 6]
    assert len(calls) == 1


def test_reduce() -> None:
    count, total = Dataset.range(5).reduce(
        (tl.constant(0), tl.constant(0, tl.int64)), lambda s, x: (s[0] + 1, s[1] + x)
    )
    assert (int(count), int(total)) == (5, 10)
    with pytest.raises(tl.errors.DTypeError, match="the dtypes of the first one, i32"):
        Dataset.range(5).reduce(tl.constant(0), lambda s, x: x)
    with pytest.raises(TypeError, match="the structure of the first one"):
        Dataset.range(5).reduce((0, 0), lambda s, x: 0)


def test_the_state_of_reduce_may_grow() -> None:
    """As in TensorFlow: its shape is as vague as all states need."""

    def joined(ds: Any) -> Any:
        return ds.reduce(tl.zeros([0], tl.int64), lambda s, x: tl.concat([s, [x]], 0))

    assert joined(Dataset.range(4)).numpy().tolist() == [0, 1, 2, 3]
    traced = tl.function(joined)
    assert traced(Dataset.range(4)).numpy().tolist() == [0, 1, 2, 3]
    assert traced.get_concrete_function(Dataset.range(4)).structured_outputs.shape == (None,)


@tl.function
def until(ds: Any, limit: Any) -> Any:
    total = tl.constant(0, tl.int64)
    for x, y in ds:
        if x == 1:
            continue
        if y > limit:
            break
        total += x * y
    return total


def test_loops_in_functions() -> None:
    def expected(n: int, limit: int) -> int:
        total = 0
        for x in range(n):
            if x == 1:
                continue
            if x + 1 > limit:
                break
            total += x * (x + 1)
        return total

    for n, limit in [(0, 9), (3, 9), (9, 4)]:
        ds = Dataset.zip(Dataset.range(n), Dataset.range(1, n + 1))
        assert int(until(ds, tl.constant(limit, tl.int64))) == expected(n, limit)
    assert until.experimental_get_tracing_count() == 1
    graph = until.get_concrete_function(ds, tl.TensorSpec([], tl.int64)).graph
    assert [n.name for n in graph.as_graph_def().node].count("ReduceDataset") == 1


def test_a_break_asks_for_nothing_more() -> None:
    seen = []

    def counting() -> Iterator[int]:
        for i in range(10):
            seen.append(i)
            yield i

    @tl.function
    def first_above(ds: Any, n: Any) -> Any:
        for x in ds:
            if x > n:
                return x
        return tl.constant(-1)

    ds = Dataset.from_generator(counting, output_signature=tl.TensorSpec([], tl.int32))
    assert int(first_above(ds, tl.constant(2))) == 3
    assert seen == [0, 1, 2, 3]
    assert int(first_above(ds, tl.constant(20))) == -1


def test_captured_and_made_inside() -> None:
    outside = Dataset.range(4)
    factor = tl.Variable(2, dtype=tl.int64)

    @tl.function
    def f(n: Any) -> Any:
        total = tl.constant(0, tl.int64)
        for a, b in Dataset.zip(outside, Dataset.range(n).map(lambda x: x * factor)):
            total += a * b
        return total

    assert int(f(tl.constant(3))) == sum(a * 2 * a for a in range(3))
    factor.assign(10)
    assert int(f(tl.constant(9))) == sum(a * 10 * a for a in range(4))


def test_shapes_that_vary() -> None:
    @tl.function
    def total(ds: Any) -> Any:
        s = tl.constant(0)
        for x in ds:
            s += x
        return s

    rows = [[1, 2], [3, 4]]
    assert total(Dataset.from_generator(lambda: rows, tl.int32)).numpy().tolist() == [4, 6]


def test_datasets_as_results_and_iterators_as_arguments() -> None:
    made = tl.function(lambda n: Dataset.range(n).batch(2))(tl.constant(3))
    assert items(made) == [[0, 1], [2]]

    take_one = tl.function(lambda it: next(it))
    it = iter(Dataset.range(2))
    assert [int(take_one(it)), int(take_one(it))] == [0, 1]
    with pytest.raises(tl.errors.OutOfRangeError):
        take_one(it)


def test_training() -> None:
    w = tl.Variable(1.0)
    data = Dataset.from_tensor_slices(([1.0, 2.0], [3.0, 6.0])).repeat(20)

    @tl.function
    def train(ds: Any) -> None:
        for x, y in ds:
            with tl.GradientTape() as tape:
                loss = (w * x - y) ** 2
            w.assign_sub(0.1 * tape.gradient(loss, w))

    train(data)
    np.testing.assert_allclose(w.numpy(), 3.0, atol=1e-4)


def test_gradients_stop_at_a_dataset() -> None:
    x = tl.Variable(3.0)
    with tl.GradientTape() as tape:
        y = next(iter(Dataset.from_tensors(x * 2.0))) ** 2
    assert tape.gradient(y, x) is None


def test_enumerate_and_zip_of_python() -> None:
    @tl.function
    def f(ds: Any) -> Any:
        total = tl.constant(0, tl.int64)
        for i, x in enumerate(ds):
            total += i * x
        for x, y in zip(ds, ds, strict=False):
            total += x * y
        return total

    assert int(f(Dataset.range(4))) == 2 * sum(i * i for i in range(4))


def test_the_text_of_a_graph_reads_back() -> None:
    f = tl.function(lambda ds: ds.map(lambda x: x + 1).reduce(np.int64(0), lambda a, b: a + b))
    text = str(f.get_concrete_function(Dataset.range(3)).graph)
    assert str(tl.graph.parse(text)) == text


def test_gradients_of_what_a_loop_captures() -> None:
    w = tl.Variable(2.0)

    @tl.function
    def total(ds: Any) -> Any:
        s = tl.constant(0.0)
        for x in ds:
            s += w * x
        return s

    with tl.GradientTape() as tape:
        y = total(Dataset.from_tensor_slices([1.0, 2.0, 3.0]))
    assert float(tape.gradient(y, w)) == 6.0


@pytest.mark.parametrize(
    "call",
    [
        lambda ds: sum(v * v for v in ds),
        lambda ds: [v + 1 for v in ds if v > 2],
        lambda ds: [i * v for i, v in enumerate(ds)],
        lambda ds: len(list(ds)),
        lambda ds: max(ds) + min(v for v in ds),
        lambda ds: any(v > 4 for v in ds),
        lambda ds: all(ds.map(lambda v: v > 1)),
        lambda ds: sorted(ds),
        lambda ds: list(map(lambda v: v + 1, filter(lambda v: v > 1, ds))),  # noqa: C417
        lambda ds: 4 in ds,
        lambda ds: [a * b for a, b in zip(ds, ds, strict=False)],
        lambda ds: list(iter(ds)),
    ],
)
def test_builtins_and_comprehensions(call: Any) -> None:
    """In a function they give what they give outside."""
    want = tl.nest.map_structure(lambda x: np.asarray(x).tolist(), call(numbers()))
    got = tl.function(call)(numbers())
    assert tl.nest.map_structure(lambda x: np.asarray(x).tolist(), got) == want


def test_the_end_is_caught() -> None:
    """As eagerly: OutOfRangeError where a graph asks for more than there is."""

    @tl.function
    def count(n: Any) -> Any:
        it, seen = iter(Dataset.range(n)), 0
        try:
            while tl.constant(True):
                it.get_next()
                seen += 1
        except tl.errors.OutOfRangeError:
            seen += 100
        return seen

    assert [int(count(tl.constant(n, tl.int64))) for n in (0, 3)] == [100, 103]


def test_effects_of_mapped_functions_keep_their_place() -> None:
    def program(v: Any, n: Any) -> Any:
        total = tl.constant(0, tl.int64)
        for x in Dataset.range(n).map(lambda x: v.assign_add(x) + 0):
            v.assign_add(100)
            total = total * 2 + x
        return total, v.read_value()

    found = []
    for run in (program, tl.function(program)):
        v = tl.Variable(0, dtype=tl.int64)
        found.append([tuple(int(x) for x in run(v, tl.constant(4, tl.int64))) for _ in range(2)])
    assert found[0] == found[1]


def test_datasets_as_state() -> None:
    """A dataset is chosen by a branch, and changed by a loop."""

    def program(n: Any) -> Any:
        ds = Dataset.range(n) if n > 2 else Dataset.range(n).map(lambda x: x + 100)
        total = tl.constant(0, tl.int64)
        while total < 20:
            for x in ds.take(2):
                total += x + 1
            ds = ds.skip(1)
        return total, ds

    for n in (2, 9):
        want, rest = program(tl.constant(n, tl.int64))
        got, left = tl.function(program)(tl.constant(n, tl.int64))
        assert int(got) == int(want)
        assert items(left) == items(rest)
