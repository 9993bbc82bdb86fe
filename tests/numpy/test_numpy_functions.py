"""NumPy's functions on tensors give what NumPy gives: values, dtypes, shapes; eager and traced."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

Call = Callable[..., Any]
FLOATS, INTS, BOOLS = "f4 f8", "i4 i8 u1", "?"
SMOOTH, WHOLE, ALL = FLOATS, f"{FLOATS} {INTS}", f"{FLOATS} {INTS} ?"


def arrays(seed: int, dtype: str, *shapes: tuple[int, ...]) -> list[Any]:
    rng = np.random.default_rng(seed)
    found = []
    for shape in shapes:
        x = rng.uniform(0.1, 0.9, shape) if dtype in FLOATS.split() else rng.integers(1, 6, shape)
        found.append(x > 3 if dtype == "?" else x.astype(dtype))
    return found


UNARY: dict[str, str] = {
    **dict.fromkeys("negative positive absolute sign square rint floor ceil trunc".split(), WHOLE),
    **dict.fromkeys("sqrt cbrt exp exp2 expm1 log log2 log10 log1p deg2rad degrees".split(), WHOLE),
    **dict.fromkeys("sin cos tan arctan sinh cosh tanh arcsinh radians rad2deg".split(), WHOLE),
    **dict.fromkeys("arcsin arccos arctanh reciprocal signbit modf fabs".split(), SMOOTH),
    **dict.fromkeys("isnan isinf isfinite logical_not conjugate".split(), WHOLE),
    "invert": f"{INTS} ?",
}
BINARY: dict[str, str] = {
    **dict.fromkeys("add multiply maximum minimum fmax fmin equal not_equal less".split(), ALL),
    **dict.fromkeys("logical_and logical_or logical_xor greater less_equal".split(), ALL),
    **dict.fromkeys("subtract divide floor_divide remainder power float_power fmod".split(), WHOLE),
    **dict.fromkeys("arctan2 hypot logaddexp logaddexp2 copysign heaviside".split(), SMOOTH),
    **dict.fromkeys("bitwise_and bitwise_or bitwise_xor".split(), f"{INTS} ?"),
    **dict.fromkeys("left_shift right_shift".split(), INTS),
    "divmod": WHOLE,
}

# f(x, y, v): x and y of shape (2, 3), v of shape (4,)
FUNCTIONS: list[tuple[str, Call]] = [
    (ALL, lambda x, y, v: np.sum(x)),
    (ALL, lambda x, y, v: np.sum(x, axis=0)),
    (WHOLE, lambda x, y, v: np.sum(x, (0, 1), keepdims=True)),
    (WHOLE, lambda x, y, v: np.sum(x, dtype=np.float64, initial=2)),
    (ALL, lambda x, y, v: np.prod(x, axis=1)),
    (ALL, lambda x, y, v: np.mean(x)),
    (WHOLE, lambda x, y, v: np.mean(x, axis=-1, keepdims=True)),
    (ALL, lambda x, y, v: np.max(x, axis=0)),
    (ALL, lambda x, y, v: np.amin(x, 1)),
    (WHOLE, lambda x, y, v: np.ptp(x, axis=0)),
    (ALL, lambda x, y, v: np.any(x, axis=0)),
    (ALL, lambda x, y, v: np.all(x)),
    (WHOLE, lambda x, y, v: np.std(x)),
    (WHOLE, lambda x, y, v: np.var(x, axis=1, ddof=1)),
    (WHOLE, lambda x, y, v: np.var(x, axis=(0, 1), keepdims=True)),
    (ALL, lambda x, y, v: np.argmax(x)),
    (WHOLE, lambda x, y, v: np.argmin(x, axis=1, keepdims=True)),
    (ALL, lambda x, y, v: np.count_nonzero(x, axis=0)),
    (WHOLE, lambda x, y, v: np.median(x)),
    (WHOLE, lambda x, y, v: np.median(x, axis=1, keepdims=True)),
    (WHOLE, lambda x, y, v: np.percentile(x, 30, axis=0)),
    (WHOLE, lambda x, y, v: np.quantile(x, [0.1, 0.75], axis=1)),
    (WHOLE, lambda x, y, v: np.average(x, axis=1, weights=y)),
    (WHOLE, lambda x, y, v: np.average(x, axis=0)),
    (ALL, lambda x, y, v: np.cumsum(x)),
    (ALL, lambda x, y, v: np.cumsum(x, axis=1)),
    (WHOLE, lambda x, y, v: np.cumprod(x, axis=0)),
    (ALL, lambda x, y, v: np.diff(x)),
    (WHOLE, lambda x, y, v: np.diff(v, n=2)),
    (WHOLE, lambda x, y, v: np.nansum(x, axis=0)),
    (WHOLE, lambda x, y, v: np.nanmax(x, axis=0)),
    (WHOLE, lambda x, y, v: np.nanmean(x)),
    (ALL, lambda x, y, v: np.sort(x, axis=0)),
    (ALL, lambda x, y, v: np.sort(x, axis=None)),
    (ALL, lambda x, y, v: np.argsort(v, kind="stable")),
    (WHOLE, lambda x, y, v: np.searchsorted(np.sort(v), x, side="right")),
    (ALL, lambda x, y, v: np.unique(v)),
    (ALL, lambda x, y, v: np.reshape(x, (3, -1))),
    (ALL, lambda x, y, v: np.reshape(x, -1)),
    (ALL, lambda x, y, v: np.ravel(x)),
    (ALL, lambda x, y, v: np.transpose(x)),
    (ALL, lambda x, y, v: np.transpose(x, (1, 0))),
    (ALL, lambda x, y, v: np.swapaxes(x, 0, -1)),
    (ALL, lambda x, y, v: np.moveaxis(np.expand_dims(x, 0), 0, -1)),
    (ALL, lambda x, y, v: np.expand_dims(x, (0, 2))),
    (ALL, lambda x, y, v: np.squeeze(np.expand_dims(x, 1), axis=1)),
    (ALL, lambda x, y, v: np.broadcast_to(v, (2, 4))),
    (ALL, lambda x, y, v: np.broadcast_arrays(np.expand_dims(v, 1), v)),
    (ALL, lambda x, y, v: np.atleast_2d(v)),
    (ALL, lambda x, y, v: np.atleast_3d(x)),
    (ALL, lambda x, y, v: np.concatenate([x, y])),
    (ALL, lambda x, y, v: np.concatenate([x, y], axis=None)),
    (ALL, lambda x, y, v: np.concatenate([x, y], axis=1)),
    (ALL, lambda x, y, v: np.stack([x, y], axis=1)),
    (ALL, lambda x, y, v: np.vstack([x, y])),
    (ALL, lambda x, y, v: np.hstack([v, v])),
    (ALL, lambda x, y, v: np.hstack((x, y))),
    (ALL, lambda x, y, v: np.dstack([x, y])),
    (ALL, lambda x, y, v: np.column_stack([v, v])),
    (ALL, lambda x, y, v: np.append(x, v)),
    (ALL, lambda x, y, v: np.split(v, 2)),
    (ALL, lambda x, y, v: np.split(v, [1, 3])),
    (ALL, lambda x, y, v: np.array_split(v, 3)),
    (ALL, lambda x, y, v: np.hsplit(x, 3)),
    (ALL, lambda x, y, v: np.tile(x, (2, 1))),
    (ALL, lambda x, y, v: np.tile(v, 2)),
    (ALL, lambda x, y, v: np.repeat(x, 2, axis=1)),
    (ALL, lambda x, y, v: np.repeat(v, 3)),
    (ALL, lambda x, y, v: np.roll(x, 1)),
    (ALL, lambda x, y, v: np.roll(x, (1, 2), axis=(0, 1))),
    (ALL, lambda x, y, v: np.flip(x)),
    (ALL, lambda x, y, v: np.flip(x, 0)),
    (ALL, lambda x, y, v: np.fliplr(x)),
    (ALL, lambda x, y, v: np.rot90(x)),
    (ALL, lambda x, y, v: np.rot90(x, 3)),
    (ALL, lambda x, y, v: np.pad(x, 1)),
    (WHOLE, lambda x, y, v: np.pad(x, ((0, 1), (1, 1)), constant_values=3)),
    (WHOLE, lambda x, y, v: np.pad(v, (1, 2), mode="reflect")),
    (ALL, lambda x, y, v: np.where(np.greater(x, y), x, y)),
    (WHOLE, lambda x, y, v: np.where(x > 2, x, 0)),
    (ALL, lambda x, y, v: np.where(v)),
    (ALL, lambda x, y, v: np.argwhere(x)),
    (ALL, lambda x, y, v: np.flatnonzero(x)),
    (WHOLE, lambda x, y, v: np.select([x > y, x < y], [x, y], 7)),
    (WHOLE, lambda x, y, v: np.clip(x, 1, 3)),
    (WHOLE, lambda x, y, v: np.clip(x, None, y)),
    (ALL, lambda x, y, v: np.take(v, [0, -1, 2])),
    (ALL, lambda x, y, v: np.take(x, [2, 0], axis=1)),
    (ALL, lambda x, y, v: np.take_along_axis(x, np.argsort(x, axis=1, kind="stable"), axis=1)),
    (ALL, lambda x, y, v: np.compress([True, False, True], x, axis=1)),
    (ALL, lambda x, y, v: np.extract(x, y)),
    (INTS, lambda x, y, v: np.bincount(v.astype("i8") if isinstance(v, np.ndarray) else v)),
    (WHOLE, lambda x, y, v: np.isin(x, v)),
    (WHOLE, lambda x, y, v: np.round(x, 1)),
    (WHOLE, lambda x, y, v: np.around(x)),
    (WHOLE, lambda x, y, v: np.real(x)),
    (WHOLE, lambda x, y, v: np.imag(x)),
    (WHOLE, lambda x, y, v: np.nan_to_num(x)),
    (SMOOTH, lambda x, y, v: np.nan_to_num(np.log(x - x) * 0.0, nan=2.0)),
    (SMOOTH, lambda x, y, v: np.sinc(x - 0.5)),
    (WHOLE, lambda x, y, v: np.isclose(x, y)),
    (WHOLE, lambda x, y, v: np.allclose(x, x)),
    (WHOLE, lambda x, y, v: np.array_equal(x, y)),
    (ALL, lambda x, y, v: np.array_equal(x, v)),
    (ALL, lambda x, y, v: np.zeros_like(x)),
    (ALL, lambda x, y, v: np.ones_like(x, dtype=np.float64)),
    (WHOLE, lambda x, y, v: np.full_like(x, 3)),
    (ALL, lambda x, y, v: np.copy(x)),
    (WHOLE, lambda x, y, v: np.meshgrid(v, v, indexing="ij")),
    (WHOLE, lambda x, y, v: np.linspace(v[0], 9.0, 5)),
    (WHOLE, lambda x, y, v: np.dot(x, np.transpose(y))),
    (WHOLE, lambda x, y, v: np.dot(v, v)),
    (WHOLE, lambda x, y, v: np.vdot(x, y)),
    (WHOLE, lambda x, y, v: np.inner(x, y)),
    (WHOLE, lambda x, y, v: np.outer(v, v)),
    (WHOLE, lambda x, y, v: np.matmul(x, np.transpose(y))),
    (WHOLE, lambda x, y, v: np.matmul(np.reshape(x, (3, 2)), y[:, 0])),
    (WHOLE, lambda x, y, v: np.tensordot(x, y)),
    (WHOLE, lambda x, y, v: np.einsum("ij,kj->ik", x, y)),
    (WHOLE, lambda x, y, v: np.kron(x, y)),
    (WHOLE, lambda x, y, v: np.cross(x, y)),
    (WHOLE, lambda x, y, v: np.diag(v)),
    (WHOLE, lambda x, y, v: np.diag(x, 1)),
    (WHOLE, lambda x, y, v: np.diagonal(x)),
    (WHOLE, lambda x, y, v: np.trace(x)),
    (WHOLE, lambda x, y, v: np.tril(x)),
    (WHOLE, lambda x, y, v: np.triu(x, 1)),
    (WHOLE, lambda x, y, v: np.trapezoid(v)),
    (WHOLE, lambda x, y, v: np.polyval([1.0, 2.0, 3.0], x)),
    (WHOLE, lambda x, y, v: np.linalg.norm(x)),
    (WHOLE, lambda x, y, v: np.linalg.norm(v)),
    (WHOLE, lambda x, y, v: np.linalg.norm(x, axis=1)),
    (WHOLE, lambda x, y, v: np.linalg.norm(x, ord=1, axis=0, keepdims=True)),
    (WHOLE, lambda x, y, v: np.linalg.norm(x, np.inf)),
    (WHOLE, lambda x, y, v: np.linalg.norm(v, 3)),
    (WHOLE, lambda x, y, v: np.linalg.matrix_power(np.outer(v, v), 2)),
    (WHOLE, lambda x, y, v: np.add.reduce(x)),
    (WHOLE, lambda x, y, v: np.add.reduce(x, axis=None, keepdims=True)),
    (WHOLE, lambda x, y, v: np.maximum.reduce(x, axis=1)),
    (WHOLE, lambda x, y, v: np.multiply.accumulate(x, axis=1)),
    (WHOLE, lambda x, y, v: np.subtract.outer(v, x)),
    (WHOLE, lambda x, y, v: np.add(x, y, dtype=np.float64)),
    (WHOLE, lambda x, y, v: np.maximum(x, 2)),
    (WHOLE, lambda x, y, v: np.multiply(2.5, x)),
    (WHOLE, lambda x, y, v: np.add(x, np.float32(2))),
    (WHOLE, lambda x, y, v: np.add([[1, 2, 3]], x)),
    (WHOLE, lambda x, y, v: np.add(x, np.arange(3))),
]  # fmt: skip


def leaves(value: Any) -> list[Any]:
    return [x for v in value for x in leaves(v)] if isinstance(value, (list, tuple)) else [value]


def assert_same(found: Any, wanted: Any, dtype: str) -> None:
    found, wanted = leaves(found), leaves(wanted)
    assert len(found) == len(wanted)
    for x, want in zip(found, wanted, strict=True):
        if isinstance(want, (int, tuple)) and not isinstance(x, tl.Tensor):
            assert x == want
            continue
        got, want = np.asarray(x), np.asarray(want)
        assert got.shape == want.shape
        if isinstance(x, tl.Tensor):
            assert got.dtype == want.dtype
        tolerance = 2e-6 if want.dtype.itemsize <= 4 or dtype == "f4" else 1e-12
        np.testing.assert_allclose(got, want, tolerance, tolerance)


def check(call: Call, dtype: str, values: list[Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = call(*values)
    eager = call(*[tl.constant(v) for v in values])
    assert_same(eager, wanted, dtype)
    assert all(isinstance(x, (tl.Tensor, bool, int)) for x in leaves(eager))
    assert_same(tl.function(lambda *xs: call(*xs))(*values), wanted, dtype)


@pytest.mark.parametrize("name", UNARY)
def test_unary_ufuncs(name: str) -> None:
    ufunc = getattr(np, name)
    for dtype in UNARY[name].split():
        check(lambda x: ufunc(x), dtype, arrays(1, dtype, (2, 3)))


@pytest.mark.parametrize("name", BINARY)
def test_binary_ufuncs(name: str) -> None:
    ufunc = getattr(np, name)
    for dtype in BINARY[name].split():
        check(lambda x, y: ufunc(x, y), dtype, arrays(2, dtype, (2, 3), (3,)))


@pytest.mark.parametrize("row", range(len(FUNCTIONS)))
def test_functions(row: int) -> None:
    dtypes, call = FUNCTIONS[row]
    for dtype in dtypes.split():
        check(call, dtype, arrays(row, dtype, (2, 3), (2, 3), (4,)))


def test_dtypes_are_mixed_as_numpy_does() -> None:
    x, y = np.array([1, 2], "i4"), np.array([0.5, 1.5], "f4")
    for call in (np.add, np.maximum, np.hypot, np.less):
        check(call, "f8", [x, y])
    check(lambda x, y: np.where(x > 1, x, y), "f8", [x, y])
    check(lambda x, y: np.concatenate([x, y]), "f8", [x, y])
    check(lambda x, y: np.dot(x, y), "f8", [x, y])


def test_special_values() -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.5, -2.5])
    for name in "sign rint floor modf signbit cbrt isnan absolute trunc nan_to_num".split():
        check(getattr(np, name), "f8", [x])
    for name in "fmax fmin copysign heaviside hypot logaddexp maximum".split():
        check(getattr(np, name), "f8", [x, x[::-1].copy()])
        check(getattr(np, name), "f8", [x, x])
    for call in (np.nanmax, np.nanmin, np.nanmean, np.max, np.median):
        check(call, "f8", [x])


def test_shapes_are_numbers() -> None:
    def f(x: Any) -> Any:
        return np.shape(x) == (2, 3), np.ndim(x) == 2, np.size(x) == 6, np.size(x, 1) == 3

    assert f(tl.zeros([2, 3])) == (True,) * 4
    assert all(tl.function(f)(tl.zeros([2, 3])))
    with pytest.raises(NotImplementedError, match=r"not known while tracing; tl\.shape gives it"):
        tl.function(f, input_signature=[tl.TensorSpec([None, 3])])(tl.zeros([2, 3]))


# --- operators beside arrays, and what NumPy does itself -----------------------------


def both(call: Call, *values: Any) -> list[Any]:
    return [call(*values), tl.function(lambda *xs: call(*xs))(*values)]


def test_operators_of_arrays_and_numbers_give_tensors_of_the_tensors_dtype() -> None:
    """Made with TensorFlow 2.21: float32 each time."""
    x = tl.constant([1.0, 2.0])
    v = tl.Variable([1.0, 2.0])
    array, wide = np.array([1, 2], "f4"), np.array([1.0, 2.0])
    for call in (
        lambda x: np.float32(2) * x,
        lambda x: np.float64(2) * x,
        lambda x: array + x,
        lambda x: wide + x,
        lambda x: x + wide,
        lambda x: wide / x,
        lambda x: wide**x,
        lambda x: -wide % x,
    ):
        for result in (*both(call, x), call(v), tl.function(lambda f=call: f(v))()):
            assert isinstance(result, tl.Tensor)
            assert result.dtype == tl.float32
    for compare in (lambda x: np.float64(2) < x, lambda x: wide == x, lambda x: wide >= x):
        for result in both(compare, x):
            assert result.dtype == tl.bool
    assert np.add(wide, x).dtype == tl.float64, "a call has NumPy's dtypes"


def test_an_operator_in_place_binds_the_name_to_a_tensor() -> None:
    """As in TensorFlow: the array itself stays as it is."""

    def f(x: Any) -> Any:
        total = kept = np.zeros(2, np.float32)
        for _ in range(2):
            total += x
        assert not kept.any()
        return total

    for result in both(f, tl.constant([1.0, 2.0])):
        assert result.numpy().tolist() == [2.0, 4.0]


def test_gradients_flow_through_numpy_that_is_traced() -> None:
    x = tl.constant([0.5, 1.5])
    v = tl.Variable([2.0, 3.0])

    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = np.sum(np.sin(x) * np.maximum(x, 1.0) + np.square(v))
        return tape.gradient(y, [x, v])

    dx, dv = tl.function(f)(x)
    np.testing.assert_allclose(dx, [np.cos(0.5), np.cos(1.5) * 1.5 + np.sin(1.5)], 1e-6)
    np.testing.assert_allclose(dv, [4.0, 6.0])
    traced = tl.function(lambda x: np.sum(np.sin(x) * x))
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = traced(x)
    np.testing.assert_allclose(tape.gradient(y, x), np.cos(x) * x + np.sin(x), 1e-6)


def test_an_eager_step_in_numpy_breaks_the_path() -> None:
    """As the guide on automatic differentiation says; operators of arrays do not."""
    v = tl.Variable([1.0, 2.0])
    for call in (np.sin, lambda x: np.sum(x, axis=0), np.add.reduce, lambda x: np.stack([x, x])):
        with tl.GradientTape(persistent=True) as tape:
            x = v * v
            with pytest.warns(UserWarning, match=r"is a step in NumPy: no gradient flows") as seen:
                y = call(x)
            z = tl.reduce_sum(np.float32(2) * x + np.ones(2, "f4") * v)
        assert isinstance(y, tl.Tensor)
        assert tape.gradient(y, v) is None
        assert tape.gradient(z, v).numpy().tolist() == [5.0, 9.0]
        assert seen[0].filename == __file__
        np.sin(x)  # no tape, no warning
    with tl.GradientTape(), pytest.warns(UserWarning, match=r"np\.exp at test_numpy_functions\.py"):
        np.exp(v)
    with tl.GradientTape():
        np.exp(tl.constant(1.0))  # nobody watches it


def test_numpy_itself_where_there_is_no_equal() -> None:
    x = tl.constant([3.0, 1.0])
    assert type(np.fft.fft(x)) is np.ndarray
    out = np.zeros(2, np.float32)
    assert np.add(x, 1, out=out) is out
    assert out.tolist() == [4.0, 2.0]
    assert np.sum(x, where=[True, False]) == 3.0
    np.testing.assert_array_equal(np.gcd(tl.constant([4, 6]), 4), [4, 2])
    assert np.array2string(x) == "[3. 1.]"
    np.add.at(out, [0], x[:1])
    assert out.tolist() == [7.0, 2.0]


def refused(call: Call, *values: Any) -> str:
    with pytest.raises(NotImplementedError) as caught:
        tl.function(call)(*values)
    return str(caught.value)


def test_a_refusal_names_the_function_the_line_and_what_to_use() -> None:
    def f(x: Any) -> Any:
        return np.fft.fft(x)

    line = f.__code__.co_firstlineno + 1
    assert refused(f, tl.zeros([2])) == (
        "np.fft.fft has no equal among the ops, and was called on the symbolic tensor 'x' (f32[2]) "
        f"at test_numpy_functions.py:{line}: return np.fft.fft(x), while the function is traced: "
        "it has no value yet. Use the functions of tl, or tl.numpy_function(np.fft.fft, [...], "
        "Tout), which calls NumPy when the program runs."
    )


def test_refused_keywords_and_methods() -> None:
    x = tl.zeros([2])
    array = np.zeros(2, np.float32)
    v = tl.Variable([1.0])
    assert "np.sum has no equal among the ops (the keyword 'where')" in refused(
        lambda x: np.sum(x, where=x > 1), x
    )
    assert "the keyword 'out'" in refused(lambda x: np.add(x, x, out=array), x)
    assert "np.add.at has no equal" in refused(lambda x: np.add.at(array, [0], x), x)
    assert "np.subtract.reduce has no equal" in refused(lambda x: np.subtract.reduce(x), x)
    assert "no padding of mode 'wrap'" in refused(lambda x: np.pad(x, 1, mode="wrap"), x)
    assert "np.fft.fft has no equal" in refused(lambda: np.fft.fft(v))
    assert "np.gcd has no equal" in refused(lambda x: np.gcd(x, x), tl.constant([1]))


def test_numpys_own_errors_stay() -> None:
    x = tl.zeros([2])
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        np.sum(x, axes=1)
    with pytest.raises(TypeError, match="sin: the operand has dtype string"):
        np.sin(tl.constant("a"))
