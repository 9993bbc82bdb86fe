"""`tl.constant`: which dtype and shape each kind of value gets. Facts of TensorFlow 2.21, save
where a comment says that ours is another rule.
"""

from __future__ import annotations

import array
import collections
import decimal
import enum
from typing import Any

import numpy as np
import pytest

import treadle as tl

Pair = collections.namedtuple("Pair", "a b")


class Color(enum.IntEnum):
    RED = 3


@pytest.mark.parametrize(
    ("value", "dtype", "shape"),
    [
        (1, "int32", ()),
        (2**31 - 1, "int32", ()),
        (2**31, "int64", ()),
        (-(2**31), "int32", ()),
        (-(2**31) - 1, "int64", ()),
        (2**63 - 1, "int64", ()),
        (1.0, "float32", ()),
        (-0.0, "float32", ()),
        (float("nan"), "float32", ()),
        (1e-50, "float32", ()),
        (True, "bool", ()),
        (1j, "complex128", ()),
        ("a", "string", ()),
        (b"a", "string", ()),
        ("é", "string", ()),
        (Color.RED, "int32", ()),
        ([1, 2], "int32", (2,)),
        ((1, 2), "int32", (2,)),
        (Pair(1, 2), "int32", (2,)),
        (range(3), "int32", (3,)),
        (range(0), "float32", (0,)),
        ([1, 2.0], "float32", (2,)),
        ([1.0, 2], "float32", (2,)),
        ([1.5, 2**70], "float32", (2,)),
        ([1, 2**31], "int64", (2,)),
        ([True, False], "bool", (2,)),
        ([1, 1j], "complex128", (2,)),  # an error there
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        ([[[1]], [[2]]], "int32", (2, 1, 1)),
        ([[1], [2.5]], "float32", (2, 1)),
        (["a", b"b"], "string", (2,)),
        ([["a"], ["b"]], "string", (2, 1)),
        (np.float64(1), "float64", ()),
        (np.float16(1), "float16", ()),
        (np.uint64(2**63), "uint64", ()),
        (np.int64(1), "int64", ()),
        (np.bool_(True), "bool", ()),
        (np.complex64(1), "complex64", ()),
        (np.str_("a"), "string", ()),
        (np.array([1, 2]), "int64", (2,)),
        (np.array([1, 2], ">i4"), "int32", (2,)),
        (np.array([1.0, 2], ">f8"), "float64", (2,)),
        (np.array(["a", "bc"]), "string", (2,)),
        (np.array(["a", b"b"], object), "string", (2,)),
        (np.array([], np.float64), "float64", (0,)),
        (np.arange(6).reshape(2, 3).T[:, ::-1], "int64", (3, 2)),
        ([np.float64(1), 2], "float64", (2,)),
        ([2.0, np.float64(1)], "float32", (2,)),
        ([np.float32(1), np.float64(2)], "float32", (2,)),
        ([np.float16(1), 2.0], "float16", (2,)),
        ([[np.float64(1)], [2.0]], "float64", (2, 1)),
        ([np.int64(1), 2], "int32", (2,)),
        ([np.int64(2**40)], "int64", (1,)),
        ([np.uint8(1)], "int32", (1,)),
        ([np.int32(1), 2.0], "float32", (2,)),
        ([np.bool_(True), False], "bool", (2,)),
        # Arrays in lists keep their dtype, as alone; TensorFlow takes them for lists.
        ([np.array([1, 2]), np.array([3, 4])], "int64", (2, 2)),
        ([np.array([1, 2], np.uint8), [3, 4]], "uint8", (2, 2)),
        ([[1.5, 2], np.array([3, 4], np.float32)], "float32", (2, 2)),
        ([np.array([1.0], np.float32), np.array([2.0])], "float64", (2, 1)),
        # Buffers have a dtype; TensorFlow takes them for lists.
        (bytearray(b"ab"), "uint8", (2,)),
        (memoryview(array.array("h", [1, 2, 3])), "int16", (3,)),
        (array.array("d", [1, 2]), "float64", (2,)),
        (tl.TensorShape([1, 2]), "int32", (2,)),
        (tl.TensorShape([]), "int32", (0,)),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, memoryview) else repr(x),
)
def test_dtype_and_shape(value: Any, dtype: str, shape: tuple[int, ...]) -> None:
    t = tl.constant(value)
    assert (t.dtype.name, t.shape) == (dtype, shape)
    expected = np.asarray(list(value) if isinstance(value, (range, tl.TensorShape)) else value)
    if dtype == "string":
        encoded = [s.encode() if isinstance(s, str) else s for s in expected.ravel().tolist()]
        assert np.ravel(t.numpy()).tolist() == encoded
    else:
        np.testing.assert_array_equal(t.numpy(), expected.astype(dtype))
    assert np.asarray(t.numpy()).dtype.isnative


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "float32"),
        (1, "complex64"),
        (1.0, "complex64"),
        (True, "int32"),
        (True, "float32"),
        ([True, False], "int32"),
        ([1, 2], "float16"),
        (np.array([1.0, 2.0]), "float32"),
        (np.array([1, 2]), "float32"),
        (np.array([1, 2]), "uint8"),
        (np.array([True]), "float32"),
        (np.array([1.0]), "complex64"),
        (np.float32(1.5), "float64"),
        ([np.float32(1)], "float64"),
        (2**64 - 1, "uint64"),
        ([2**64 - 1], "uint64"),
        ([], "int32"),
        ([[], []], "bool"),
        (1, "half"),
        (1, np.float32),
        (1, np.dtype("int64")),
        (1, tl.int8),
        (1, float),
        (1, "bfloat16"),
    ],
    ids=repr,
)
def test_dtype_asked_for(value: Any, dtype: Any) -> None:
    t = tl.constant(value, dtype)
    assert t.dtype == tl.as_dtype(dtype)
    np.testing.assert_array_equal(t.numpy(), np.asarray(value, t.dtype.as_numpy_dtype))


def test_a_number_beyond_the_range_of_a_float_is_infinite() -> None:
    assert tl.constant(1e39).numpy() == np.inf  # an error there
    assert tl.constant(70000.0, "float16").numpy() == np.inf
    assert tl.constant(np.array([1e300]), "float32").numpy().tolist() == [np.inf]


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (None, None, "None can't be converted to a tensor"),
        ([1, None], None, "None of type NoneType can't be part of a tensor"),
        ([1, "a"], None, "1 of type int can't be part of a string tensor"),
        ([True, 1], None, "[True, 1] mixes truth values and numbers"),
        (2**63, None, "9223372036854775808 is out of the range of int64"),
        ([2**63, -1], None, "[9223372036854775808, -1] is out of the range of int64"),
        ({"a": 1}, None, "{'a': 1} of type dict can't be converted to a tensor"),
        (decimal.Decimal(1), None, "Decimal('1') of type Decimal can't be converted to a tensor"),
        (np.array([1, 2], object), None, "1 of type int can't be part of a string tensor"),
        (tl.TensorShape([1, None]), None, "the shape (1, None) is not fully known; use tl.shape"),
        (tl.TensorShape(None), None, "the shape <unknown> is not fully known; use tl.shape(x)"),
        (1, "bool", "1 can't be a tensor of dtype bool"),
        (1.5, "int32", "1.5 can't be a tensor of dtype int32"),
        ([1, 2.5], "int32", "[1, 2.5] can't be a tensor of dtype int32"),
        (1j, "float32", "1j can't be a tensor of dtype float32"),
        ("a", "int32", "'a' can't be a tensor of dtype int32"),
        (1, "string", "1 can't be a tensor of dtype string"),
        (300, "uint8", "300 is out of the range of uint8"),  # wraps there
        ([1, -1], "uint8", "[1, -1] is out of the range of uint8"),
        (np.array([300]), "uint8", "array([300]) is out of the range of uint8"),
        (np.array([1.5]), "int32", "array([1.5]) can't be a tensor of dtype int32"),
        (np.array([[1j], [2]]), "float32", "array([[0.+1.j], [2.+0.j]]) can't be a tensor of"),
        ([np.array([1], np.uint8), [400]], None, "[array([1], dtype=uint8), [400]] holds a number"),
        ([np.array([True]), [1]], None, "[array([ True]), [1]] mixes truth values and numbers"),
        (tl.constant(1), "float32", "a tensor of dtype float32 is needed, this one is int32"),
        (1, "floaty", "'floaty' is not a dtype; known are bool, int8"),
        (np.array([1], "M8[D]"), None, "NumPy dtype datetime64[D] has no counterpart; known are"),
    ],
    ids=lambda x: repr(x)[:40],
)
def test_what_does_not_fit(value: Any, dtype: Any, message: str) -> None:
    with pytest.raises(tl.errors.DTypeError) as caught:
        tl.constant(value, dtype)
    assert str(caught.value).startswith(message)
    assert isinstance(caught.value, (TypeError, ValueError))


@pytest.mark.parametrize(
    "value",
    [
        [[1, 2], [3]],
        [[1, 2], 3],
        [1, [2, 3]],
        [["a"], ["b", "c"]],
        [np.array([1, 2]), [3]],
        [[[1], [2]], [[3]]],
    ],
    ids=repr,
)
def test_ragged(value: Any) -> None:
    with pytest.raises(tl.errors.ShapeError, match="is ragged: its rows differ in length"):
        tl.constant(value)


@pytest.mark.parametrize(
    ("value", "shape", "expected"),
    [
        (1, [2, 3], [[1, 1, 1], [1, 1, 1]]),
        ([1, 2, 3, 4], [2, 2], [[1, 2], [3, 4]]),
        ([[1, 2], [3, 4]], 4, [1, 2, 3, 4]),
        ([1], [3], [1, 1, 1]),
        ([1], (), 1),
        (1, [0], []),
        ([], [0], []),
        ("a", [2], [b"a", b"a"]),
    ],
    ids=repr,
)
def test_shape_asked_for(value: Any, shape: Any, expected: Any) -> None:
    assert tl.constant(value, shape=shape).numpy().tolist() == expected


def test_a_value_that_does_not_fill_the_shape() -> None:
    with pytest.raises(tl.errors.ShapeError, match=r"3 values do not fill the shape \(2, 2\)"):
        tl.constant([1, 2, 3], shape=[2, 2])
    with pytest.raises(ValueError, match="Dimension -1 must be >= 0"):
        tl.constant([1, 2], shape=[-1])


def test_lists_of_tensors_are_stacked() -> None:
    one, v = tl.constant(1.0), tl.Variable(2.0)
    for value in ([one, v, 3], [[one, 2], [3, 4]], [3, [1], one][2:], [5, one]):
        t = tl.convert_to_tensor(value)
        expected = np.array([[float(x) for x in np.ravel(row)] for row in value], np.float32)
        np.testing.assert_array_equal(t.numpy(), expected.reshape(t.shape))
        assert t.dtype is tl.float32
    with pytest.raises(tl.errors.DTypeError, match=r"2.5 can't be a tensor of dtype int32"):
        tl.convert_to_tensor([tl.constant(1), 2.5])
    with pytest.raises(tl.errors.DTypeError, match="dtypes float32 and int32 are mixed"):
        tl.convert_to_tensor([one, tl.constant(1)])


def test_convert_to_tensor_hints() -> None:
    assert tl.convert_to_tensor(1, dtype_hint="float64").dtype is tl.float64
    assert tl.convert_to_tensor(1.5, dtype_hint=tl.int32).dtype is tl.float32
    assert tl.convert_to_tensor(tl.constant(1), dtype_hint="float32").dtype is tl.int32
    assert tl.convert_to_tensor(tl.Variable(2.0)).numpy() == 2.0


def test_long_lists_are_read_at_the_speed_of_c() -> None:
    """A tensor in the last place is still found, and no item is looked at twice in Python."""
    rows = [[float(i), 1.0] for i in range(20_000)]
    assert tl.constant(rows).shape == (20_000, 2)
    assert tl.convert_to_tensor([*[1.0] * 2_000, tl.constant(2.0)]).numpy()[-1] == 2.0
