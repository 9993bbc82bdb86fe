"""Errors of datasets: their classes and whole messages."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import treadle as tl

Dataset = tl.data.Dataset
E = tl.errors
PAIR = tl.TensorSpec([2], tl.int32)


def generated(*items: Any, spec: Any = PAIR) -> Any:
    def rows() -> Any:
        return items

    return list(Dataset.from_generator(rows, output_signature=spec))


def numbers() -> Any:
    return Dataset.range(3)


def growing() -> Any:
    return Dataset.range(1, 3).map(lambda n: tl.range(n))


@tl.function(autograph=False)
def listed(ds: Any) -> Any:
    return list(iter(ds))


CASES: dict[str, tuple[Any, type[Exception], str]] = {
    "an element of another shape": (
        lambda: generated([1, 2, 3]),
        E.InvalidArgumentError,
        "rows yielded an element of shape (3,) where one of shape (2,) was expected",
    ),
    "an element of another dtype": (
        lambda: generated("a"),
        E.InvalidArgumentError,
        "rows yielded 'a', which is no tensor of int32: 'a' can't be a tensor of dtype int32",
    ),
    "an element of another structure": (
        lambda: generated(1, spec=(PAIR, PAIR)),
        E.InvalidArgumentError,
        "rows yielded 1, which has not the structure of (TensorSpec(shape=(2,), dtype=tl.int32, "
        "name=None), TensorSpec(shape=(2,), dtype=tl.int32, name=None))",
    ),
    "no word on elements": (
        lambda: Dataset.from_generator(lambda: [1]),
        TypeError,
        "from_generator needs either output_signature or output_types",
    ),
    "no generator function": (
        lambda: Dataset.from_generator([1], tl.int32),
        TypeError,
        "from_generator needs a callable that gives an iterable",
    ),
    "a scalar": (
        lambda: Dataset.from_tensor_slices(3),
        E.ShapeError,
        "Dataset.from_tensor_slices: a scalar has no rows to be elements; use from_tensors",
    ),
    "several numbers of rows": (
        lambda: Dataset.from_tensor_slices(([1, 2], [1])),
        E.ShapeError,
        "Dataset.from_tensor_slices: all components need the same first size, the shapes are (2,) "
        "and (1,)",
    ),
    "shapes in a batch": (
        lambda: list(growing().batch(2)),
        E.InvalidArgumentError,
        "elements of different shapes can't be batched: component 0 has shape (1,) in the first "
        "element and (2,) in element 1 of the batch; use padded_batch",
    ),
    "shapes in a padded batch": (
        lambda: list(growing().padded_batch(2, [1])),
        E.InvalidArgumentError,
        "component 0 has an element of sizes [2], which can't be padded to [1]: it is longer",
    ),
    "an empty batch": (
        lambda: numbers().batch(0),
        E.InvalidArgumentError,
        "batch_size must be greater than zero, it is 0",
    ),
    "an empty window": (
        lambda: numbers().window(0),
        E.InvalidArgumentError,
        "Dataset.window: size must be greater than zero, it is 0",
    ),
    "an empty buffer": (
        lambda: numbers().shuffle(0),
        E.InvalidArgumentError,
        "Dataset.shuffle: buffer_size must be greater than zero, it is 0",
    ),
    "a shard too many": (
        lambda: numbers().shard(2, 2),
        E.InvalidArgumentError,
        "Dataset.shard: shard 2 of 2: the index must be below the number",
    ),
    "a range of no step": (
        lambda: Dataset.range(0, 5, 0),
        E.InvalidArgumentError,
        "Dataset.range: the step of a range must not be 0",
    ),
    "scalars unbatched": (
        lambda: numbers().unbatch(),
        E.ShapeError,
        "Dataset.unbatch: the elements have scalars in them, which have no rows",
    ),
    "a number as a truth value": (
        lambda: numbers().filter(lambda x: x),
        E.InvalidArgumentError,
        "filter: the function must give a bool scalar, it gives i64[]",
    ),
    "no dataset": (
        lambda: numbers().flat_map(lambda x: x),
        TypeError,
        "flat_map: the function must give a Dataset",
    ),
    "another dtype of the state": (
        lambda: numbers().reduce(0, lambda s, x: x),
        E.DTypeError,
        "reduce: the function must give a state of the dtypes of the first one, i32[]; it gives "
        "i64[]; use tl.cast",
    ),
    "no result beside the state": (
        lambda: numbers().scan(0, lambda s, x: s + 1),
        TypeError,
        "scan: the function must give a pair (new state, result), it gives "
        "<tl.Tensor 'add:0' shape=() dtype=int32>",
    ),
    "datasets of different elements": (
        lambda: numbers().concatenate(numbers().batch(2).map(lambda x: tl.cast(x, tl.int32))),
        E.DTypeError,
        "Dataset.concatenate: the elements of dataset<i64[]> and dataset<i32[?]> differ in dtype",
    ),
    "no datasets": (lambda: Dataset.zip(3), TypeError, "zip needs datasets, got 3"),
    "a length without end": (
        lambda: len(numbers().repeat()),
        TypeError,
        "The dataset is infinite.",
    ),
    "a cache in a file": (
        lambda: numbers().cache("file"),
        NotImplementedError,
        "cache(filename): only caching in memory is there",
    ),
    "more than there is": (
        lambda: iter(Dataset.range(0)).get_next(),
        E.OutOfRangeError,
        "next: End of sequence: the iterator has no more elements",
    ),
    "a Python loop while tracing": (
        lambda: listed(numbers()),
        E.PythonLoopError,
        "a Python loop asks a dataset for more than 10000 elements while tracing, at "
        "test_refusals.py:35: return list(iter(ds)): Python can't see where the data ends. Iterate "
        "with `for x in dataset` in a function that AutoGraph converts",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_refused(what: str) -> None:
    call, error, message = CASES[what]
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    assert str(caught.value).splitlines()[0] == message


def test_a_failing_element_names_the_line_of_the_loop() -> None:
    @tl.function
    def total(ds: Any) -> Any:
        s = tl.constant(0, tl.int64)
        for x in ds.map(lambda x: 6 // x):
            s += x
        return s

    with pytest.raises(E.DivisionByZeroError) as caught:
        total(Dataset.range(2))
    assert "test_refusals.py" in str(caught.value)
    assert "6 // x" in str(caught.value)


def test_copies_and_pickles() -> None:
    ds = numbers()
    assert [int(x) for x in copy.deepcopy(ds)] == [0, 1, 2]
    with pytest.raises(TypeError, match="an iterator over a dataset can't be copied"):
        copy.deepcopy(iter(ds))
    with pytest.raises(pickle.PicklingError, match="a dataset can't be pickled: it may run Python"):
        pickle.dumps(ds)
