"""Eager tensors: immutable, printed as in TensorFlow's guides, at home with Python and NumPy."""

from __future__ import annotations

import copy
import operator
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

c = tl.constant


# --- how they look ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tensor", "representation", "text"),
    [
        (
            c(4),
            "<tl.Tensor: shape=(), dtype=int32, numpy=4>",
            "tl.Tensor(4, shape=(), dtype=int32)",
        ),
        (
            c([2.0, 3.0, 4.0]),
            "<tl.Tensor: shape=(3,), dtype=float32, numpy=array([2., 3., 4.], dtype=float32)>",
            "tl.Tensor([2. 3. 4.], shape=(3,), dtype=float32)",
        ),
        (
            c([[1, 2], [3, 4], [5, 6]], dtype=tl.float16),
            "<tl.Tensor: shape=(3, 2), dtype=float16, numpy=\n"
            "array([[1., 2.],\n       [3., 4.],\n       [5., 6.]], dtype=float16)>",
            "tl.Tensor(\n[[1. 2.]\n [3. 4.]\n [5. 6.]], shape=(3, 2), dtype=float16)",
        ),
        (
            c("Gray wolf"),
            "<tl.Tensor: shape=(), dtype=string, numpy=b'Gray wolf'>",
            "tl.Tensor(b'Gray wolf', shape=(), dtype=string)",
        ),
        (
            c(["Gray wolf", "Lazy dog"]),
            "<tl.Tensor: shape=(2,), dtype=string, numpy=array([b'Gray wolf', b'Lazy dog'], "
            "dtype=object)>",
            "tl.Tensor([b'Gray wolf' b'Lazy dog'], shape=(2,), dtype=string)",
        ),
        (
            c("é"),
            r"<tl.Tensor: shape=(), dtype=string, numpy=b'\xc3\xa9'>",
            r"tl.Tensor(b'\xc3\xa9', shape=(), dtype=string)",
        ),
        (
            c(True),
            "<tl.Tensor: shape=(), dtype=bool, numpy=True>",
            "tl.Tensor(True, shape=(), dtype=bool)",
        ),
        (
            c(1j),
            "<tl.Tensor: shape=(), dtype=complex128, numpy=1j>",
            "tl.Tensor(1j, shape=(), dtype=complex128)",
        ),
        (
            c([1], tl.int64),
            "<tl.Tensor: shape=(1,), dtype=int64, numpy=array([1])>",
            "tl.Tensor([1], shape=(1,), dtype=int64)",
        ),
        (
            tl.zeros([2, 0]),
            "<tl.Tensor: shape=(2, 0), dtype=float32, numpy=array([], shape=(2, 0), "
            "dtype=float32)>",
            "tl.Tensor([], shape=(2, 0), dtype=float32)",
        ),
        (
            c(0.1),
            "<tl.Tensor: shape=(), dtype=float32, numpy=0.1>",  # as the guides, not 2.21, have it
            "tl.Tensor(0.1, shape=(), dtype=float32)",
        ),
    ],
)
def test_repr_and_str(tensor: Any, representation: str, text: str) -> None:
    assert repr(tensor) == representation
    assert str(tensor) == text


def test_formatted_as_its_value() -> None:
    assert f"{c(1.5)} {c([1, 2])} {c(True)} {c('a')}" == "1.5 [1 2] True b'a'"
    assert f"{c(3.14159):.3f} {c(7):04d}" == "3.142 0007"
    assert "%d %.2f" % (c(3), c(2.5)) == "3 2.50"  # noqa: UP031
    with pytest.raises(TypeError, match="unsupported format string"):
        format(c([1.0]), ".2f")


# --- values, and who may change them ----------------------------------------------------


def test_numpy_gives_a_copy() -> None:
    t = c([1.0, 2.0])
    array = t.numpy()
    array[0] = 9.0
    assert t.numpy().tolist() == [1.0, 2.0]
    assert type(c(1.0).numpy()) is np.float32
    assert type(c("a").numpy()) is bytes


def test_a_source_array_may_change() -> None:
    source = np.array([1.0, 2.0], np.float32)
    tensors = [c(source), tl.convert_to_tensor(source), tl.identity(source), c([source])[0]]
    tensors += [tl.reshape(source, [2]), tl.Variable(source).read_value()]
    source[:] = 9.0
    assert [t.numpy().tolist() for t in tensors] == [[1.0, 2.0]] * len(tensors)


def test_array_is_a_read_only_view_or_a_copy() -> None:
    t = c([1.0, 2.0])
    view = np.asarray(t)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 9.0
    own = np.array(t)
    own[0] = 9.0
    assert t.numpy().tolist() == [1.0, 2.0]
    assert np.asarray(t, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match=r"float32 to float64 needs a copy|Unable to avoid copy"):
        np.array(t, np.float64, copy=False)


def test_immutable() -> None:
    t = c([1, 2])
    with pytest.raises(TypeError, match="does not support item assignment"):
        t[0] = 5  # type: ignore[index]
    with pytest.raises(TypeError, match="doesn't support item deletion"):
        del t[0]  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        t.note = "no room for it"  # type: ignore[attr-defined]
    before = t
    t += 1
    assert before.numpy().tolist() == [1, 2]
    assert t.numpy().tolist() == [2, 3]


def test_copies_and_pickles() -> None:
    for t in (c([1.0, 2.0]), c(3), c(["a", "b"]), c("a"), tl.zeros([2, 0], tl.int8)):
        assert copy.copy(t) is t
        assert copy.deepcopy([t])[0] is t
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            again = pickle.loads(pickle.dumps(t, protocol))
            assert repr(again) == repr(t)
    one, two = pickle.loads(pickle.dumps([tl.float32, tl.TensorShape([1, None])]))
    assert one is tl.float32
    assert two == tl.TensorShape([1, None])


def test_hash_and_reference() -> None:
    a, b = c(1), c(1)
    assert {a: "a", b: "b"}[a] == "a"
    assert a.ref() == a.ref() != b.ref()
    assert {a.ref(): 1}[a.ref()] == 1
    assert a.ref().deref() is a
    assert repr(a.ref()) == f"<Reference wrapping {a!r}>"


# --- as a Python number or sequence ------------------------------------------------------


def test_as_a_number() -> None:
    assert (bool(c(1)), bool(c([0.0])), bool(c("")), bool(c(False))) == (True, False, False, False)
    assert (int(c(1.7)), float(c(2)), complex(c(1j)), round(c(1.567).numpy().item(), 1)) == (
        *(1, 2.0, 1j),
        1.6,
    )
    assert ["a", "b"][c(1)] == "b"
    assert list(range(c(3))) == [0, 1, 2]
    assert hex(c(17)) == "0x11"
    assert float(c(0.1)) == float(np.float32(0.1))


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: bool(c([1, 2])), ValueError, r"the truth value of a tensor of shape \(2,\) is"),
        (lambda: bool(c([])), ValueError, r"the truth value of a tensor of shape \(0,\) is"),
        (lambda: int(c([1, 2])), ValueError, "size 1"),
        (lambda: [1, 2][c(1.0)], TypeError, "integer"),
        (lambda: [1, 2][c([[1]])], TypeError, "integer"),
        (lambda: len(c(1)), TypeError, r"a scalar tensor has no len\(\)"),
        (lambda: list(c(1)), TypeError, "a scalar tensor can't be iterated over"),
        (lambda: c([1, 2])[2], IndexError, "index 2 is out of range for axis 0 of size 2"),
        (lambda: c([1, 2]).no_such, AttributeError, "no_such"),
    ],
)
def test_as_a_number_refused(use: Callable[[], Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        use()


def test_as_a_sequence() -> None:
    t = c([[1, 2], [3, 4], [5, 6]])
    assert len(t) == 3
    assert [row.numpy().tolist() for row in t] == [[1, 2], [3, 4], [5, 6]]
    a, b, _ = t
    assert (b - a).numpy().tolist() == [2, 2]
    assert 3 in c([1, 2, 3])
    assert [x.numpy() for x in reversed(c([1, 2]))] == [2, 1]
    assert list(zip(c([1, 2]).numpy(), "ab", strict=True)) == [(1, "a"), (2, "b")]


def test_shape_dtype_and_device() -> None:
    t = c([[1, 2]])
    assert (t.shape, t.get_shape(), t.ndim, t.dtype) == ((1, 2), (1, 2), 2, tl.int32)
    assert isinstance(t.shape, tl.TensorShape)
    assert t.shape.as_list() == [1, 2]
    assert t.device == "/job:localhost/replica:0/task:0/device:CPU:0"
    for name in ("CPU", "cpu:0", "/CPU:0", "/device:CPU:0", t.device, None):
        with tl.device(name):
            assert (t + 1).device == t.device
    with pytest.raises(tl.errors.InvalidArgumentError, match="there is no device '/GPU:7'"):
        tl.device("/GPU:7").__enter__()
    with pytest.raises(tl.errors.InvalidArgumentError, match="'abacus' is not the name of a devi"):
        tl.device("abacus").__enter__()


# --- operators ---------------------------------------------------------------------------

ARITHMETIC = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv),
    *(operator.mod, operator.pow),
]
COMPARISONS = [
    *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
]


@pytest.mark.parametrize("op", ARITHMETIC + COMPARISONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
def test_operators_on_either_side(op: Callable[[Any, Any], Any], dtype: str) -> None:
    array = np.array([1, 2, 3], dtype)
    t = c(array)
    exact = op in COMPARISONS or dtype == "int32"
    for other in (2, True, array[::-1].copy(), [3, 2, 1], np.array(2, dtype), c([3, 2, 1], dtype)):
        plain = np.asarray(other, dtype)
        for found, expected in ((op(t, other), op(array, plain)), (op(other, t), op(plain, array))):
            assert isinstance(found, tl.Tensor), type(other)
            # Division of integers gives float64, as in TensorFlow.
            assert found.numpy().dtype == expected.dtype
            np.testing.assert_allclose(found.numpy(), expected, rtol=0 if exact else 1e-6)


def test_an_array_keeps_no_tensor_from_its_operator() -> None:
    """NumPy would take a tensor apart, item by item, had it no say in the matter."""
    array = np.array([1.5, 2.0])
    for found in (
        array + c(1.0),
        array * c([1.0, 2.0]),
        array[None] @ c([[1.0], [2.0]], tl.float64),
    ):
        assert isinstance(found, tl.Tensor)
    assert isinstance(array < c(1.0), tl.Tensor)
    assert isinstance(np.float64(2.0) * c(1.0), tl.Tensor)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (c(6) & 3, 2),
        (6 & c(3), 2),
        (c(6) | 1, 7),
        (c(6) ^ 3, 5),
        (~c(5), -6),
        (c(6) << 1, 12),
        (1 << c(2), 4),
        (c(-6) >> 1, -3),
        (c(True) & False, False),
        (False | c(True), True),
        (c(True) ^ True, False),
        (~c(True), False),
        (-c(1), -1),
        (+c(1), 1),
        (abs(c(-1.5)), 1.5),
        (c(-7) // 2, -4),
        (c(-7) % 3, 2),
        (c(-7.5) % 2, 0.5),
        (c(7) / 2, 3.5),
        (2 ** c(3), 8),
        (c("a") + "b", b"ab"),
        ("b" + c("a"), b"ba"),
        (c([[1, 2]]) @ [[1], [2]], [[5]]),
        ([[1, 2]] @ c([[1], [2]]), [[5]]),
    ],
)
def test_operators_on_numbers(found: Any, expected: Any) -> None:
    value = found.numpy()
    assert value.tolist() == expected if hasattr(value, "tolist") else value == expected


def test_comparison_with_none_and_others() -> None:
    t = c([1, 2])
    assert (t == None, t != None, t == None, t != None) == (False, True, False, True)  # noqa: E711
    assert (t == [1, 3]).numpy().tolist() == [True, False]
    assert (c("a") == "a").numpy()
    for other in (None, object(), "a"):
        with pytest.raises(TypeError):
            t < other  # type: ignore[operator]  # noqa: B015
    with pytest.raises(tl.errors.DTypeError):
        t == "a"  # noqa: B015
    with pytest.raises(tl.errors.ShapeError, match="do not broadcast"):
        t == [1, 2, 3]  # noqa: B015


@pytest.mark.parametrize("other", [1.5, 1j, "a", None, c(1.0), np.array([1.5]), 2**40])
def test_dtypes_do_not_mix(other: Any) -> None:
    for add in (lambda: c(1) + other, lambda: other + c(1)):
        with pytest.raises(TypeError):
            add()


# --- other libraries ---------------------------------------------------------------------


def test_numpy_functions() -> None:
    t = c([[1.0, 4.0], [9.0, 16.0]])
    array = t.numpy()
    for f in (np.sum, np.sqrt, np.mean, np.transpose, np.linalg.norm, np.max):
        np.testing.assert_allclose(np.asarray(f(t)), f(array), rtol=1e-6)
    np.testing.assert_array_equal(np.stack([c([1]), c([2])]), [[1], [2]])
    np.testing.assert_array_equal(np.array([c(1), c(2)]), [1, 2])


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float64", "complex64"])
def test_dlpack_both_ways(dtype: str) -> None:
    t = tl.cast([[1, 0], [2, 3]], dtype)
    array = np.from_dlpack(t)
    np.testing.assert_array_equal(array, t.numpy())
    array[0, 0] = 0
    assert t.numpy()[0, 0] == 1, "the taker has memory of its own"
    shared = np.from_dlpack(t, copy=False)
    assert not shared.flags.writeable

    class Foreign:
        def __init__(self, array: Any) -> None:
            self.array = array

        def __dlpack__(self, **options: Any) -> Any:
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self) -> Any:
            return self.array.__dlpack_device__()

    source = t.numpy()
    taken = [c(Foreign(source)), tl.experimental.dlpack.from_dlpack(source)]
    taken.append(tl.experimental.dlpack.from_dlpack(tl.experimental.dlpack.to_dlpack(t)))
    source[:] = 0
    for x in taken:
        assert x.dtype.name == dtype
        np.testing.assert_array_equal(x.numpy(), t.numpy())


def test_dlpack_refusals() -> None:
    with pytest.raises(BufferError):
        tl.experimental.dlpack.to_dlpack(c("a"))
    with pytest.raises(tl.errors.InvalidArgumentError, match="a symbolic tensor has no value"):
        tl.function(tl.experimental.dlpack.to_dlpack)(c(1))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="classes have buffers from 3.12 on")
def test_buffer() -> None:
    t = c([1, 2])
    view = memoryview(t)
    assert view.readonly
    assert view.tolist() == [1, 2]
