"""Every op of the table against its oracle: values, dtypes, shapes, gradients."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ops.rows import Row, param

import treadle as tl
from treadle.graph.build import recording
from treadle.graph.dtypes import DType
from treadle.graph.op import OPS, Op, infer_specs
from treadle.graph.spec import covers

TABLES = sorted(path.stem for path in Path(__file__).parent.glob("table*.py"))
ROWS: list[Row] = [row for name in TABLES for row in importlib.import_module(f"ops.{name}").ROWS]
SMOOTH = [row for row in ROWS if row.smooth and set(row.kinds) & {"f", "c"}]
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.5]


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def tensors(values: list[Any]) -> list[Any]:
    return [tl.constant(v) if isinstance(v, np.ndarray) else v for v in values]


def widened(values: list[Any], row: Row) -> list[Any]:
    """The operands for the oracle: floats in double precision, so that it is exact."""
    if not row.wide:
        return values
    wide = {"f": np.float64, "c": np.complex128}
    return [
        v.astype(wide.get(v.dtype.kind, v.dtype)) if isinstance(v, np.ndarray) else v
        for v in values
    ]


def assert_close(got: Any, want: Any, ulps: float) -> None:
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    if got.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, want)
        return
    info = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        want = want.astype(got.dtype)
    tiny = float(info.smallest_subnormal) * 4 + absolute(got, ulps)
    np.testing.assert_allclose(got, want, rtol=ulps * float(info.eps), atol=tiny)


def absolute(got: Any, ulps: float) -> float:
    """Complex parts and sums are precise relative to the whole."""
    finite = np.abs(got[np.isfinite(got)])
    return float(finite.max(initial=0)) * ulps * float(np.finfo(got.dtype).eps) / 4


def both(row: Row, values: list[Any]) -> tuple[list[Any], list[Any]]:
    with np.errstate(all="ignore"):
        want = row.oracle(*widened(values, row))
        got = row.call(*tensors(values))
    many = isinstance(got, (tuple, list))
    return (list(got), list(want)) if many else ([got], [want])


@pytest.mark.parametrize(("row", "dtype"), [param(r, d) for r in ROWS for d in r.dtypes])
def test_values(row: Row, dtype: DType) -> None:
    got, want = both(row, row.sample(rng(), dtype))
    for g, w in zip(got, want, strict=True):
        assert_close(g.numpy(), w, row.ulps)


@pytest.mark.parametrize("row", [param(r) for r in ROWS if r.specials])
@pytest.mark.parametrize("dtype", [tl.float32, tl.float64], ids=lambda d: d.name)
def test_special_values(row: Row, dtype: DType) -> None:
    info = np.finfo(dtype.numpy)
    special = [*SPECIAL, info.max, info.smallest_subnormal, info.tiny]
    values = np.array(special, dtype.numpy)
    count = len(row.sample(rng(), dtype))
    if count == 2:
        x, y = np.meshgrid(values, values)
        operands = [x, y]
    else:
        operands = [values]
    with np.errstate(all="ignore"):
        want = np.asarray(row.oracle(*operands))
        got = row.call(*tensors(operands)).numpy()
        want = want.astype(got.dtype)
    np.testing.assert_allclose(got, want, rtol=row.ulps * float(info.eps), atol=4 * info.tiny)
    zero = (want == 0) & (got == 0)
    if want.dtype.kind == "f" and row.signed:
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


class Calls:
    """Collects the op calls that go through the door."""

    def __init__(self) -> None:
        self.found: list[tuple[Op, list[Any], dict[str, Any], list[Any]]] = []

    def record(
        self, op: Op, inputs: Any, attrs: dict[str, Any], outputs: Any, above: int = 0
    ) -> None:
        results = list(outputs) if op.multiple else [outputs]
        self.found.append((op, list(inputs), attrs, results))


def calls(row: Row, values: list[Any]) -> Calls:
    seen = Calls()
    with recording((seen,)):
        row.call(*tensors(values))
    return seen


@pytest.mark.parametrize("shape", [(), (0,), (2, 0)], ids=str)
@pytest.mark.parametrize("row", [param(r) for r in ROWS if r.shaped])
def test_one_item_and_none(row: Row, shape: tuple[int, ...]) -> None:
    for dtype in row.dtypes:
        values = [
            np.resize(v, shape) if isinstance(v, np.ndarray) else v
            for v in row.sample(rng(), dtype)
        ]
        got, want = both(row, values)
        assert_close(got[0].numpy(), want[0], row.ulps)
        if shape == ():
            for op, inputs, attrs, outputs in calls(row, values).found:
                assert_scalars_do(op, inputs, attrs, outputs)


def assert_scalars_do(op: Op, inputs: list[Any], attrs: Any, outputs: list[Any]) -> None:
    """Arithmetic of NumPy leaves NumPy scalars where arrays of no axes went in."""
    if op.elementwise and op.eval is not None and not any(x.dtype is tl.string for x in inputs):
        with np.errstate(all="ignore"):
            result = op.eval(np, *[x.numpy()[()] for x in inputs], **attrs)
        assert (result.shape, result.dtype) == ((), outputs[0].dtype.numpy)


def vague(spec: tl.TensorSpec) -> list[tl.TensorSpec]:
    """`spec` with less known of its shape."""
    dims = list(spec.shape)
    known = [[None] * len(dims), None]
    known += [[*dims[:i], None, *dims[i + 1 :]] for i in range(len(dims))]
    return [tl.TensorSpec(k, spec.dtype) for k in known]


@pytest.mark.parametrize("row", [param(r) for r in ROWS])
def test_what_is_inferred_holds(row: Row) -> None:
    """The spec of each result, also where shapes are known in part or not at all."""
    for op, inputs, attrs, outputs in calls(row, row.sample(rng(), row.dtypes[-1])).found:
        specs = [x.spec for x in inputs]
        for inferred, out in zip(infer_specs(op, tuple(specs), attrs), outputs, strict=True):
            assert inferred.dtype is out.dtype
            assert covers(inferred.shape, out.shape)
            value = np.asarray(out)
            assert (value.dtype, value.shape) == (out.dtype.numpy, tuple(out.shape))
        for i, spec in enumerate(specs):
            for less in vague(spec):
                try:
                    found = infer_specs(op, (*specs[:i], less, *specs[i + 1 :]), attrs)
                except tl.errors.InvalidArgumentError:
                    assert less.shape.rank is None, "only an op that needs the rank may refuse"
                    continue
                for inferred, out in zip(found, outputs, strict=True):
                    assert inferred.dtype is out.dtype
                    assert covers(inferred.shape, out.shape), (op, less, inferred, out.shape)


# --- gradients ---------------------------------------------------------------


def direction(generator: np.random.Generator, like: Any) -> Any:
    x = generator.standard_normal(like.shape)
    if like.dtype.kind == "c":
        x = x + 1j * generator.standard_normal(like.shape)
    return x.astype(like.dtype)


def inner(a: Any, b: Any) -> float:
    """The change of a real value along b, when a is its gradient (TensorFlow's convention)."""
    return float(np.real(np.sum(np.conj(a) * b)))


class Slice:
    """A row's function along a random line through its operands, with random weights."""

    def __init__(self, row: Row, values: list[Any]) -> None:
        generator = np.random.default_rng(3)
        self.row = row
        self.values = values
        self.free = [
            i for i, v in enumerate(values) if isinstance(v, np.ndarray) and v.dtype.kind in "fc"
        ]
        self.along = [direction(generator, values[i]) for i in self.free]
        outs = self.results(values)
        self.weights = [direction(generator, y.numpy()) for y in outs]
        self.across = [direction(generator, values[i]) for i in self.free]

    def results(self, values: list[Any]) -> list[Any]:
        out = self.row.call(*tensors(values))
        outs = list(out) if isinstance(out, (list, tuple)) else [out]
        return [y for y in outs if y.dtype.is_differentiable]

    def at(self, t: float) -> list[Any]:
        values = list(self.values)
        for i, u in zip(self.free, self.along, strict=True):
            values[i] = np.asarray(values[i] + t * u, values[i].dtype)
        return values

    def value(self, t: float) -> float:
        outs = self.results(self.at(t))
        return sum(inner(w, y.numpy()) for w, y in zip(self.weights, outs, strict=True))

    def gradients(self, t: float) -> list[Any]:
        xs = tensors(self.at(t))
        with tl.GradientTape() as tape:
            for i in self.free:
                tape.watch(xs[i])
            out = self.row.call(*xs)
            outs = list(out) if isinstance(out, (list, tuple)) else [out]
            outs = [y for y in outs if y.dtype.is_differentiable]
        found = tape.gradient(outs, [xs[i] for i in self.free], output_gradients=self.weights)
        return [
            np.zeros_like(self.values[i]) if g is None else g.numpy()
            for i, g in zip(self.free, found, strict=True)
        ]

    def second(self) -> list[Any]:
        """The gradient of the first gradient's component along `across`."""
        xs = tensors(self.values)
        with tl.GradientTape() as outer:
            for i in self.free:
                outer.watch(xs[i])
            with tl.GradientTape() as tape:
                for i in self.free:
                    tape.watch(xs[i])
                out = self.row.call(*xs)
                outs = list(out) if isinstance(out, (list, tuple)) else [out]
                outs = [y for y in outs if y.dtype.is_differentiable]
            firsts = tape.gradient(outs, [xs[i] for i in self.free], output_gradients=self.weights)
            pairs = [(g, v) for g, v in zip(firsts, self.across, strict=True) if g is not None]
        found = outer.gradient(
            [g for g, _ in pairs],
            [xs[i] for i in self.free],
            output_gradients=[v for _, v in pairs],
        )
        return [
            np.zeros_like(self.values[i]) if g is None else g.numpy()
            for i, g in zip(self.free, found, strict=True)
        ]


def smooth_cases() -> list[Any]:
    wide = {"f": tl.float64, "c": tl.complex128}
    return [param(r, wide[k]) for r in SMOOTH for k in r.kinds if k in wide]


@pytest.mark.parametrize(("row", "dtype"), smooth_cases())
def test_gradients(row: Row, dtype: DType) -> None:
    """Of first and second order, along random directions, against central differences."""
    line = Slice(row, row.sample(rng(), dtype))
    step = 1e-6
    want = (line.value(step) - line.value(-step)) / (2 * step)
    grads = line.gradients(0)
    got = sum(inner(g, u) for g, u in zip(grads, line.along, strict=True))
    assert got == pytest.approx(want, rel=1e-5, abs=1e-5)
    for g, i in zip(grads, line.free, strict=True):
        assert (g.shape, g.dtype) == (line.values[i].shape, line.values[i].dtype)
    above, below = line.gradients(step), line.gradients(-step)
    want = sum(
        inner(v, (a - b) / (2 * step))
        for v, a, b in zip(line.across, above, below, strict=True)
    )  # fmt: skip
    got = sum(inner(g, u) for g, u in zip(line.second(), line.along, strict=True))
    assert got == pytest.approx(want, rel=1e-4, abs=1e-4)


# --- traced, with less known -------------------------------------------------


def with_gradients(row: Row, values: list[Any], xs: tuple[Any, ...]) -> list[Any]:
    """The row's results with `xs` for its arrays, and their gradients."""
    given = iter(xs)
    operands = [next(given) if isinstance(v, np.ndarray) else v for v in values]
    sources = [x for x in xs if row.smooth and x.dtype.is_differentiable]
    with tl.GradientTape() as tape:
        tape.watch(sources)
        out = row.call(*operands)
        outs = list(out) if isinstance(out, (list, tuple)) else [out]
    targets = [y for y in outs if y.dtype.is_differentiable]
    grads = tape.gradient(targets, sources) if sources and targets else []
    return [y for y in [*outs, *grads] if y is not None]


@pytest.mark.parametrize("known", ["sizes", "ranks", "nothing"])
@pytest.mark.parametrize("row", [param(r) for r in ROWS])
def test_traced(row: Row, known: str) -> None:
    """A graph that knows less of the shapes computes the same as eager execution."""
    dtype = tl.float64 if "f" in row.kinds else row.dtypes[-1]
    values = row.sample(rng(), dtype)
    xs = tensors([v for v in values if isinstance(v, np.ndarray)])
    shapes = {"sizes": lambda x: x.shape, "ranks": lambda x: [None] * x.ndim}
    shape_of = shapes.get(known, lambda x: None)
    specs = [tl.TensorSpec(shape_of(x), x.dtype) for x in xs]
    traced = tl.function(
        lambda xs: with_gradients(row, values, xs), input_signature=[tuple(specs)], autograph=False
    )
    if known == "nothing":
        try:
            traced.get_concrete_function()
        except tl.errors.InvalidArgumentError:
            pytest.skip("this one has to know the rank")
    got = traced(tuple(xs))
    for g, w in zip(got, with_gradients(row, values, tuple(xs)), strict=True):
        assert_close(g.numpy(), w.numpy(), row.ulps)


# --- nothing is left out -----------------------------------------------------

# Ops with state, sub-graphs or other effects are tested where they live.
ELSEWHERE = {
    *("const", "python_gradient"),
    "slot",  # tests/autograph/test_try.py
    "philox_states",  # tests/batching/test_functions.py
    "custom_gradient",  # tests/gradients/test_custom_gradients.py
    "format_text",  # tests/autograph/test_texts.py
    *("held_bytes", "checkpoint_plan", "checkpoint_advance"),  # tests/gradients/test_saving.py
    *{name for name in OPS if name.startswith("dataset_")},  # tests/data asks for each
    *{name for name in OPS if name.startswith("array_")},  # so does test_arrays.py
}


def test_every_op_has_a_row() -> None:
    tested = {row.op for row in ROWS}
    assert not tested - set(OPS), "rows of ops that are not in the table"
    missing = {
        name
        for name, op in OPS.items()
        if name not in tested | ELSEWHERE and not op.structured and not op.effects
    }
    assert missing == set()
