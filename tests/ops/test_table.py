"""Every op of the table against its oracle: values, dtypes, shapes, gradients."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ops.rows import Row, param

import treadle as tl
from treadle.graph.dtypes import DType
from treadle.graph.op import OPS

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
    tiny = float(info.smallest_subnormal) * 4
    np.testing.assert_allclose(got, want, rtol=ulps * float(info.eps), atol=tiny + absolute(got, ulps))


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
    assert got.dtype == want.dtype or not row.wide
    np.testing.assert_allclose(got, want, rtol=row.ulps * float(info.eps), atol=4 * info.tiny)
    zero = (want == 0) & (got == 0)
    if want.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize("shape", [(), (0,), (2, 0)], ids=str)
@pytest.mark.parametrize("row", [param(r) for r in ROWS if OPS[r.op].elementwise])
def test_scalars_and_empty_arrays(row: Row, shape: tuple[int, ...]) -> None:
    """Arrays of one item and of none; also NumPy scalars, which ops may leave behind."""
    for dtype in row.dtypes:
        values = [
            np.resize(v, shape) if isinstance(v, np.ndarray) else v
            for v in row.sample(rng(), dtype)
        ]
        got, want = both(row, values)
        assert_close(got[0].numpy(), want[0], row.ulps)
        op = OPS[row.op]
        arrays = [v[()] if isinstance(v, np.ndarray) else v for v in values]
        if shape == () and dtype is not tl.string and op.name not in ("cast", "polygamma"):
            direct = [a.astype(got[0].dtype.numpy) if a.dtype != dtype.numpy else a for a in arrays]
            spec = op.infer(*[tl.TensorSpec(a.shape, a.dtype) for a in direct])
            with np.errstate(all="ignore"):
                result = op.eval(np, *direct)
            assert (result.dtype, result.shape) == (spec.dtype.numpy, ())
