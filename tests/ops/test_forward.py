"""Every op's forward rule, against differences and against its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops.rows import Row, param
from ops.test_strong_zeros import GUARDED
from ops.test_table import ROWS, SMOOTH, Slice, inner, rng, smooth_cases, tensors

import treadle as tl
from treadle.graph.dtypes import DType
from treadle.graph.gradients.registered import is_registered
from treadle.graph.op import OPS, no_gradient


class Line(Slice):
    """A row's function along a random line, forwards."""

    def forward(self, t: float = 0) -> tuple[list[Any], list[Any]]:
        """The differentiable results, and their tangents along the line."""
        xs = tensors(self.at(t))
        with tl.autodiff.ForwardAccumulator([xs[i] for i in self.free], self.along) as acc:
            out = self.row.call(*xs)
            outs = list(out) if isinstance(out, (list, tuple)) else [out]
        outs = [y for y in outs if y.dtype.is_differentiable]
        tangents = acc.jvp(outs, tl.UnconnectedGradients.ZERO)
        for y, d in zip(outs, tangents, strict=True):
            assert (d.shape, d.dtype) == (y.shape, y.dtype)
        return outs, tangents

    def slope(self, t: float = 0) -> float:
        """<weights, J along>, with what forward mode gives."""
        _, tangents = self.forward(t)
        return sum(inner(w, d.numpy()) for w, d in zip(self.weights, tangents, strict=True))

    def forward_over_reverse(self) -> float:
        """<across, H along>: the gradients' tangents."""
        xs = tensors(self.values)
        sources = [xs[i] for i in self.free]
        with tl.autodiff.ForwardAccumulator(sources, self.along) as acc:
            with tl.GradientTape() as tape:
                tape.watch(sources)
                out = self.row.call(*xs)
                outs = list(out) if isinstance(out, (list, tuple)) else [out]
                outs = [y for y in outs if y.dtype.is_differentiable]
            found = tape.gradient(outs, sources, self.weights, tl.UnconnectedGradients.ZERO)
        tangents = acc.jvp(found, tl.UnconnectedGradients.ZERO)
        return sum(inner(v, d.numpy()) for v, d in zip(self.across, tangents, strict=True))

    def reverse_over_forward(self) -> float:
        """The same from the gradients of the tangents."""
        xs = tensors(self.values)
        sources = [xs[i] for i in self.free]
        with tl.GradientTape() as tape:
            tape.watch(sources)
            with tl.autodiff.ForwardAccumulator(sources, self.along) as acc:
                out = self.row.call(*xs)
                outs = list(out) if isinstance(out, (list, tuple)) else [out]
                outs = [y for y in outs if y.dtype.is_differentiable]
            tangents = acc.jvp(outs, tl.UnconnectedGradients.ZERO)
        found = tape.gradient(tangents, sources, self.weights, tl.UnconnectedGradients.ZERO)
        return sum(inner(v, g.numpy()) for v, g in zip(self.across, found, strict=True))


@pytest.mark.parametrize(("row", "dtype"), smooth_cases())
def test_tangents(row: Row, dtype: DType) -> None:
    """Against central differences, and <u, J v> against <J^T u, v>."""
    line = Line(row, row.sample(rng(), dtype))
    step = 1e-6
    got = line.slope()
    want = (line.value(step) - line.value(-step)) / (2 * step)
    assert got == pytest.approx(want, rel=1e-5, abs=1e-5)
    back = sum(inner(g, u) for g, u in zip(line.gradients(0), line.along, strict=True))
    assert got == pytest.approx(back, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("row", "dtype"), smooth_cases())
def test_second_order(row: Row, dtype: DType) -> None:
    """Forward over reverse and the other way round, against differences of the gradients."""
    line = Line(row, row.sample(rng(), dtype))
    step = 1e-6
    above, below = line.gradients(step), line.gradients(-step)
    want = sum(
        inner(v, (a - b) / (2 * step)) for v, a, b in zip(line.across, above, below, strict=True)
    )
    assert line.forward_over_reverse() == pytest.approx(want, rel=1e-4, abs=1e-4)
    # The Hessian is symmetric, so the two differ only in what is derived first.
    assert line.reverse_over_forward() == pytest.approx(
        line.forward_over_reverse(), rel=1e-8, abs=1e-8
    )


@pytest.mark.parametrize("known", ["sizes", "ranks", "nothing"])
@pytest.mark.parametrize("row", [param(r) for r in SMOOTH])
def test_traced(row: Row, known: str) -> None:
    """A graph that knows less of the shapes gives the same tangents."""
    dtype = tl.float64 if "f" in row.kinds else tl.complex128
    line = Line(row, row.sample(rng(), dtype))
    arrays = [i for i, v in enumerate(line.values) if isinstance(v, np.ndarray)]
    shapes = {"sizes": lambda x: x.shape, "ranks": lambda x: [None] * x.ndim}
    shape_of = shapes.get(known, lambda x: None)

    def spec(v: Any) -> tl.TensorSpec:
        return tl.TensorSpec(shape_of(v), tl.constant(v).dtype)

    def tangents(xs: Any, ts: Any) -> Any:
        operands = list(line.values)
        for i, x in zip(arrays, xs, strict=True):
            operands[i] = x
        with tl.autodiff.ForwardAccumulator([operands[i] for i in line.free], list(ts)) as acc:
            out = row.call(*operands)
            outs = list(out) if isinstance(out, (list, tuple)) else [out]
            outs = [y for y in outs if y.dtype.is_differentiable]
        return acc.jvp(outs, tl.UnconnectedGradients.ZERO)

    signature = [
        tuple(spec(line.values[i]) for i in arrays),
        tuple(spec(line.values[i]) for i in line.free),
    ]
    traced = tl.function(tangents, input_signature=signature, autograph=False)
    if known == "nothing":
        try:
            traced.get_concrete_function()
        except tl.errors.InvalidArgumentError:
            pytest.skip("this one has to know the rank")
    xs = tuple(tl.constant(line.values[i]) for i in arrays)
    got = traced(xs, tuple(tl.constant(u) for u in line.along))
    for g, w in zip(got, line.forward()[1], strict=True):
        np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-10, atol=1e-10)


# --- nothing is left out -----------------------------------------------------

# Ops that have a gradient rule but can't be asked for a tangent by a smooth row, and why.
ELSEWHERE = {
    "unique": "gives items without a derivative",
    "dataset_only": "takes a dataset, which has no tangent",
    "iterator_next": "takes a dataset, which has no tangent",
    "custom_gradient": "takes a function: tests/gradients/test_transforms_together.py",
    "read": "of a variable: tests/gradients/test_forward.py",
    "require": "an effect: tests/gradients/test_forward.py",
    "python_call": "calls Python: tests/gradients/test_forward.py",
    "stateless_python_call": "calls Python: tests/gradients/test_forward.py",
    "python_gradient": "calls Python: tests/gradients/test_forward.py",
    **{
        name: "takes arrays: tests/gradients/test_forward.py"
        for name in OPS
        if name.startswith("array_")
    },
}
# Without a rule of either kind: to ask is an error.
WITHOUT = {"AdjustContrastv2", "slot"}


def test_every_op_with_a_gradient_has_a_forward_rule() -> None:
    """Its own, a linear one, the derivative that its vjp states, or the transpose of that."""
    tested = {row.op for row in SMOOTH}
    for name, op in OPS.items():
        assert op.jvp is None or not op.linear, f"{name} has two rules"
        if op.structured or op.vjp is no_gradient:
            assert (op.jvp, op.linear) == (None, ()), f"{name} has no tangents"
        elif op.vjp is None:
            assert (name in WITHOUT, op.jvp, is_registered(op)) == (True, None, False)
        else:
            assert name in tested or name in ELSEWHERE, f"nothing asks for tangents of {name}"
    assert not set(ELSEWHERE) & tested - {"unique"}
    assert not (set(ELSEWHERE) | WITHOUT) - set(OPS)


def test_real_results_of_complex_numbers_have_rules_of_their_own() -> None:
    """The derivative that a vjp states serves forward mode only where the op is holomorphic."""
    for row in ROWS:
        op = OPS.get(row.op)
        if op is None or not op.elementwise or "c" not in row.kinds or not row.smooth:
            continue
        values = row.sample(rng(), tl.complex128)
        outs = row.call(*tensors(values))
        if not isinstance(outs, (list, tuple)) and outs.dtype.is_floating:
            assert op.jvp is not None or op.linear, row.op


@pytest.mark.parametrize("name", GUARDED)
def test_a_branch_not_taken_gives_no_nan(name: str) -> None:
    """In forward mode, and in second derivatives of which one is in forward mode."""
    function, at = GUARDED[name]
    x, one = tl.constant(at, tl.float64), tl.constant(1.0, tl.float64)

    def guarded(x: Any) -> Any:
        return tl.where(tl.constant(False), function(x), 3 * x)

    def forward(f: Any) -> Any:
        return lambda x: tl.jvp(f, (x,), (one,))[1]

    assert float(forward(guarded)(x)) == 3.0
    for second in (forward(forward(guarded)), forward(tl.grad(guarded)), tl.grad(forward(guarded))):
        assert float(second(x)) == 0.0


@pytest.mark.parametrize("name", GUARDED)
def test_at_edges_forward_mode_gives_what_reverse_mode_does(name: str) -> None:
    function, at = GUARDED[name]
    x, one = tl.constant(at, tl.float64), tl.constant(1.0, tl.float64)
    got, want = tl.jvp(function, (x,), (one,))[1], tl.grad(function)(x)
    np.testing.assert_equal(float(got), float(want))
