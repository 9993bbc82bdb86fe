"""Datasets as arguments of traced functions: which trace serves which."""

from __future__ import annotations

from typing import Any

import pytest

import treadle as tl

D = tl.data.Dataset
Spec = tl.TensorSpec
INTS = Spec([None], tl.int64)


def total(ds: Any) -> Any:
    sum = tl.constant(0, tl.int64)
    for x in ds:
        sum += tl.reduce_sum(x)
    return sum


def test_a_trace_for_open_sizes_serves_datasets_whose_sizes_are_known() -> None:
    f = tl.function(total)
    assert f(D.range(4).batch(2)).numpy() == 6
    assert f(D.range(4).batch(2, drop_remainder=True)).numpy() == 6
    assert f(D.range(6).batch(3, drop_remainder=True)).numpy() == 15
    assert f.experimental_get_tracing_count() == 1
    assert f(D.range(4)).numpy() == 6
    assert f(D.range(4).batch(2).batch(2)).numpy() == 6
    assert f.experimental_get_tracing_count() == 3


def test_the_other_way_round_it_is_traced_again() -> None:
    f = tl.function(total)
    f(D.range(4).batch(2, drop_remainder=True))
    f(D.range(4).batch(2))
    f(D.range(3).batch(3, drop_remainder=True))
    assert f.experimental_get_tracing_count() == 2


def test_structures_and_dtypes_count() -> None:
    f = tl.function(lambda ds: ds.reduce(0, lambda n, _: n + 1))
    rows = tl.zeros([3, 2])
    for ds in (
        D.from_tensor_slices({"a": rows, "b": rows}),
        D.from_tensor_slices((rows, rows)),
        D.from_tensor_slices((rows, tl.cast(rows, tl.int32))),
        D.from_tensor_slices({"a": rows, "c": rows}),
    ):
        assert f(ds).numpy() == 3
        assert f(ds.take(2)).numpy() == 2
    assert f.experimental_get_tracing_count() == 4


def test_sizes_that_differ_are_left_open() -> None:
    f = tl.function(total, reduce_retracing=True)
    for n in (2, 3, 4, 5):
        ds = D.range(12).batch(n, drop_remainder=True)
        assert f(ds).numpy() == sum(range(12 // n * n))
    assert f.experimental_get_tracing_count() == 2

    g = tl.function(lambda x, ds: tl.reduce_sum(x) + total(ds), reduce_retracing=True)
    for n in (2, 3, 4):
        x = tl.ones([n], tl.int64)
        assert g(x, D.range(12).batch(n, drop_remainder=True)).numpy() == n + 66
    assert g.experimental_get_tracing_count() == 2


def test_in_an_input_signature() -> None:
    f = tl.function(total, input_signature=[tl.data.DatasetSpec(INTS)])
    assert f(D.range(4).batch(2)).numpy() == 6
    assert f(D.range(4).batch(4, drop_remainder=True)).numpy() == 6
    assert f(D.range(0).batch(4)).numpy() == 0
    assert f.experimental_get_tracing_count() == 1
    concrete = f.get_concrete_function()
    assert concrete is f.get_concrete_function(tl.data.DatasetSpec(INTS))
    assert concrete(D.range(5).batch(2)).numpy() == 10
    assert f.experimental_get_tracing_count() == 1
    wanted = "takes the argument 'ds' with a dataset of i64[?], "
    for wrong, got in (
        (D.range(4), "got a dataset of i64[], at test_signatures.py:"),
        (tl.constant([1]), "got shape (1,) and dtype int32, at test_signatures.py:"),
    ):
        with pytest.raises(tl.errors.SignatureError) as caught:
            f(wrong)
        assert wanted in str(caught.value)
        assert got in str(caught.value)


def test_within_structures_of_an_input_signature() -> None:
    pairs = tl.data.DatasetSpec((Spec([]), {"n": Spec([], tl.int32)}))

    @tl.function(input_signature=[{"data": pairs, "scale": Spec([])}])
    def f(given: Any) -> Any:
        sum = tl.constant(0.0)
        for x, more in given["data"]:
            sum += x * tl.cast(more["n"], tl.float32) * given["scale"]
        return sum

    ds = D.from_tensor_slices(([1.0, 2.0], {"n": [3, 4]}))
    assert f({"data": ds, "scale": 2.0}).numpy() == 22.0
    other = D.from_tensor_slices(([1.0, 2.0], {"m": [3, 4]}))
    with pytest.raises(tl.errors.SignatureError, match=r"takes the argument given.*data"):
        f({"data": other, "scale": 2.0})
    assert f.experimental_get_tracing_count() == 1


def test_called_while_another_function_is_traced() -> None:
    inner = tl.function(total, input_signature=[tl.data.DatasetSpec(INTS)])

    @tl.function
    def outer(n: Any, ds: Any) -> Any:
        return inner(D.range(n).batch(2)) + inner(ds.batch(3))

    assert outer(tl.constant(4, tl.int64), D.range(5)).numpy() == 16
    assert inner.experimental_get_tracing_count() == 1


def test_a_concrete_function_for_datasets_of_a_spec() -> None:
    f = tl.function(total)
    spec = tl.data.DatasetSpec(INTS)
    concrete = f.get_concrete_function(spec)
    assert f.get_concrete_function(spec) is concrete
    assert concrete(D.range(5).batch(2)).numpy() == 10
    assert concrete(D.range(4).batch(2, drop_remainder=True)).numpy() == 6
    assert concrete.structured_input_signature == ((spec,), {})
    with pytest.raises(tl.errors.SignatureError, match="the argument 'ds' was traced as DatasetSp"):
        concrete(D.range(4))
    assert f(D.range(5).batch(2)).numpy() == 10
    assert f.experimental_get_tracing_count() == 1
    nested = f.get_concrete_function(tl.data.DatasetSpec(spec).element_spec)
    assert nested is concrete


def test_variables_made_for_a_dataset_argument() -> None:
    made: list[Any] = []

    @tl.function(input_signature=[tl.data.DatasetSpec(INTS)])
    def f(ds: Any) -> Any:
        if not made:
            made.append(tl.Variable(10, dtype=tl.int64))
        return made[0] + total(ds)

    assert f(D.range(4).batch(2)).numpy() == 16
    assert f(D.range(4).batch(3)).numpy() == 16


def test_map_gives_the_items_of_a_list_as_parts() -> None:
    def both(x: Any) -> Any:
        return [x, tl.cast(x, tl.float32)]

    assert D.range(2).map(both).element_spec == (Spec([], tl.int64), Spec([], tl.float32))
    assert [x for x, _ in D.range(3).map(both).as_numpy_iterator()] == [0, 1, 2]
    assert D.range(2).map(lambda x: (x, [x, x])).element_spec[1] == Spec([2], tl.int64)

    def grown(n: Any) -> Any:
        found = []
        for i in tl.range(n):
            found.append(i * i)  # noqa: PERF401 - in the graph
        return found

    (spec,) = [D.range(3).map(grown).element_spec]
    assert spec == INTS
