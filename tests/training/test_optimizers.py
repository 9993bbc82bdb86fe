"""`tl.optimizers`: against formulas in NumPy, eager and in functions, with rows of variables."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import treadle as tl

WAYS = pytest.mark.parametrize("way", [lambda f: f, tl.function], ids=["eager", "traced"])
RNG = np.random.default_rng(2)


class Reference:
    """The formulas, in NumPy."""

    def __init__(self, start: Any) -> None:
        self.w = np.array(start)
        self.slots = [np.zeros_like(self.w) for _ in range(3)]
        self.t = 0

    def sgd(self, g: Any, rate: float, momentum: float = 0.0, nesterov: bool = False) -> None:
        v = self.slots[0] = momentum * self.slots[0] - rate * g
        self.w = self.w + (momentum * v - rate * g if nesterov else v)

    def adam(self, g: Any, rate: float, b1: float, b2: float, eps: float, amsgrad: bool) -> None:
        self.t += 1
        m = self.slots[0] = b1 * self.slots[0] + (1 - b1) * g
        u = self.slots[1] = b2 * self.slots[1] + (1 - b2) * g * g
        if amsgrad:
            u = self.slots[2] = np.maximum(self.slots[2], u)
        scale = rate * np.sqrt(1 - b2**self.t) / (1 - b1**self.t)
        self.w = self.w - scale * m / (np.sqrt(u) + eps)


def run(optimizer: Any, way: Any, start: Any, gradients: Any) -> list[Any]:
    w = tl.Variable(start)

    @way
    def step(g: Any) -> Any:
        optimizer.apply_gradients([(g, w)])
        return w.read_value()

    return [step(tl.constant(g)).numpy() for g in gradients]


RATES = st.sampled_from([0.5, 0.1, 0.01])


@settings(max_examples=25, deadline=None)
@given(RATES, st.sampled_from([0.0, 0.5, 0.9, 1.0]), st.booleans(), st.booleans())
def test_sgd(rate: float, momentum: float, nesterov: bool, traced: bool) -> None:
    start, gradients = RNG.normal(size=(2, 3)), RNG.normal(size=(6, 2, 3))
    optimizer = tl.optimizers.SGD(tl.constant(rate, tl.float64), momentum, nesterov)
    found = run(optimizer, tl.function if traced else lambda f: f, start, gradients)
    reference = Reference(start)
    for g, w in zip(gradients, found, strict=True):
        reference.sgd(g, rate, momentum, nesterov)
        np.testing.assert_allclose(w, reference.w, rtol=1e-12, atol=1e-14)
    assert optimizer.iterations.numpy() == 6


@settings(max_examples=25, deadline=None)
@given(
    RATES, st.sampled_from([0.0, 0.9]), st.sampled_from([0.9, 0.999]), st.booleans(), st.booleans()
)
def test_adam(rate: float, b1: float, b2: float, amsgrad: bool, traced: bool) -> None:
    start, gradients = RNG.normal(size=(4,)), RNG.normal(size=(8, 4))
    gradients[:, 0] = 0.0
    rate64 = tl.constant(rate, tl.float64)
    optimizer = tl.optimizers.Adam(rate64, b1, b2, epsilon=1e-6, amsgrad=amsgrad)
    found = run(optimizer, tl.function if traced else lambda f: f, start, gradients)
    reference = Reference(start)
    for g, w in zip(gradients, found, strict=True):
        reference.adam(g, rate, b1, b2, 1e-6, amsgrad)
        np.testing.assert_allclose(w, reference.w, rtol=1e-10, atol=1e-12)


@WAYS
@pytest.mark.parametrize("make", [lambda: tl.optimizers.SGD(0.01, 0.9), tl.optimizers.Adam])
def test_rows_of_a_variable(way: Any, make: Any) -> None:
    start = RNG.normal(size=(5, 3)).astype(np.float32)
    indices = [[1, 1], [4, 0]]
    outcomes = []
    for dense in (False, True):
        table, optimizer = tl.Variable(start), make()

        @way
        def step() -> Any:
            with tl.GradientTape() as tape:
                y = tl.gather(table, indices)  # noqa: B023
                loss = tl.reduce_sum(y * y * y)
            g = tape.gradient(loss, table)  # noqa: B023
            assert isinstance(g, tl.IndexedSlices)
            if dense:  # noqa: B023
                g = tl.convert_to_tensor(g)
            optimizer.apply_gradients([(g, table)])  # noqa: B023

        for _ in range(4):
            step()
        outcomes.append(table.numpy())
    np.testing.assert_allclose(outcomes[0], outcomes[1], rtol=1e-6)
    np.testing.assert_array_equal(outcomes[0][2:4], start[2:4])


def test_only_rows_are_touched_without_momentum() -> None:
    table = tl.Variable(np.ones((3, 2), np.float32))
    rows = tl.IndexedSlices(tl.constant([[1.0, 2.0], [3.0, 4.0]]), tl.constant([2, 2]), [3, 2])
    tl.optimizers.SGD(0.5).apply_gradients([(rows, table)])
    np.testing.assert_array_equal(table.numpy(), [[1, 1], [1, 1], [-1, -2]])


class Model(tl.Module):
    def __init__(self) -> None:
        self.w = tl.Variable(tl.zeros([2, 1], tl.float64), name="w")
        self.b = tl.Variable(tl.zeros([1], tl.float64), name="b")
        self.optimizer = tl.optimizers.Adam(0.1)

    def loss(self, x: Any, y: Any) -> Any:
        return tl.reduce_mean((x @ self.w + self.b - y) ** 2)

    def plain(self, x: Any, y: Any) -> Any:
        with tl.GradientTape() as tape:
            loss = self.loss(x, y)
        variables = [self.w, self.b]
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    traced = tl.function(plain)

    @tl.function
    def in_a_loop(self, x: Any, y: Any, n: Any) -> Any:
        self.optimizer.build([self.w, self.b])
        loss = tl.constant(0.0, tl.float64)
        for _ in tl.range(n):
            loss = self.plain(x, y)
        return loss


def test_training_in_each_way() -> None:
    x = tl.constant(RNG.normal(size=(20, 2)))
    y = x @ [[2.0], [-1.0]] + 0.5
    models = [Model() for _ in range(3)]
    for _ in range(30):
        models[0].plain(x, y)
        models[1].traced(x, y)
    models[2].in_a_loop(x, y, tl.constant(30))
    for model in models[1:]:
        np.testing.assert_allclose(model.w.numpy(), models[0].w.numpy(), rtol=1e-9)
        assert model.optimizer.iterations.numpy() == 30
    for _ in range(300):
        models[1].traced(x, y)
    np.testing.assert_allclose(models[1].w.numpy(), [[2.0], [-1.0]], atol=1e-3)
    names = [v.name for v in models[1].optimizer.variables]
    assert sorted(names) == ["b/m:0", "b/u:0", "iterations:0", "learning_rate:0", "w/m:0", "w/u:0"]
    assert models[1].optimizer.trainable_variables == ()


def test_a_copy_goes_on_by_itself() -> None:
    model = Model()
    x, y = tl.constant(RNG.normal(size=(4, 2))), tl.ones([4, 1], tl.float64)
    model.plain(x, y)
    other = copy.deepcopy(model)
    for m in (model, other):
        m.plain(x, y)
    assert len(other.optimizer._slots) == 2
    np.testing.assert_array_equal(other.w.numpy(), model.w.numpy())


@WAYS
def test_variables_as_arguments(way: Any) -> None:
    optimizer = tl.optimizers.SGD(0.5, momentum=0.5)
    a = tl.Variable(1.0)
    optimizer.build([a])

    @way
    def step(v: Any) -> None:
        optimizer.apply_gradients([(tl.constant(1.0), v)])

    for _ in range(2):
        step(a)
    assert a.numpy() == 1.0 - 0.5 - 0.75
    assert len(optimizer._slots) == 1


@WAYS
def test_minimize(way: Any) -> None:
    v, w = tl.Variable(4.0), tl.Variable(1.0, trainable=False)
    optimizer = tl.optimizers.SGD(0.25)

    @way
    def by_function() -> None:
        optimizer.minimize(lambda: v * v * w, [v, w])

    by_function()
    assert (v.numpy(), w.numpy()) == (2.0, -3.0)

    @way
    def by_tape() -> None:
        with tl.GradientTape() as tape:
            loss = v * v
        optimizer.minimize(loss, [v], tape=tape)

    by_tape()
    assert v.numpy() == 1.0
    with pytest.raises(ValueError, match="a loss that is a tensor needs the tape"):
        optimizer.minimize(v * v, [v])


def test_learning_rate_and_constraint() -> None:
    v = tl.Variable(1.0, constraint=lambda x: tl.maximum(x, 0.0))
    optimizer = tl.optimizers.SGD(0.5)
    step = tl.function(lambda: optimizer.apply_gradients([(1.0, v), (None, v)]))
    step()
    assert v.numpy() == 0.5
    optimizer.learning_rate = 0.125
    step()
    assert v.numpy() == 0.375
    optimizer.learning_rate.assign(9.0)
    step()
    assert v.numpy() == 0.0
    assert (optimizer.iterations.numpy(), optimizer.name) == (3, "sgd")


def test_what_is_refused() -> None:
    v, optimizer = tl.Variable([1.0, 2.0], name="v"), tl.optimizers.Adam()
    for pairs, kind, message in [
        ([], ValueError, r"no gradients are given for any variable \(there are none\)"),
        ([(None, v)], ValueError, r"\(v:0\); tape.why_none"),
        ([(tl.ones([3]), v)], tl.errors.GradientError, r"'v:0' has dtype float32 and shape \(3,\)"),
        ([(tl.ones([2], tl.float64), v)], tl.errors.GradientError, "dtype float64"),
        ([(tl.ones([2]), tl.ones([2]))], TypeError, "a pair is a gradient and its tl.Variable"),
    ]:
        with pytest.raises(kind, match=message):
            optimizer.apply_gradients(pairs)
    assert optimizer.iterations.numpy() == 0
    with pytest.raises(ValueError, match="momentum is a number between 0 and 1, not 2"):
        tl.optimizers.SGD(momentum=2)
    with pytest.raises(ValueError, match="beta_2 is a number of at least 0 and less than 1, not 1"):
        tl.optimizers.Adam(beta_2=1)
    with pytest.raises(NotImplementedError, match=r"defines update\(\)"):
        tl.optimizers.Optimizer(0.1).apply_gradients([(1.0, tl.Variable(1.0))])
