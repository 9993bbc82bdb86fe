"""Growable arrays: values, gradients of both orders, in graphs and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.graph.build import recording
from treadle.graph.op import OPS, Op
from treadle.graph.ops import array_items as items
from treadle.graph.ops import array_tensors as tensors
from treadle.graph.ops import arrays

ROW = tl.TensorSpec([3], tl.float64)
X = np.arange(1.0, 13.0).reshape(4, 3)


def pushed(x: Any) -> Any:
    a = arrays.array_new(element=ROW)
    for i in (2, 0, 2):
        a = arrays.array_push(a, x[i] * (i + 1.0))
    return tensors.array_stack(a)


def written(x: Any) -> Any:
    a = arrays.array_new(2, element=ROW)
    a = arrays.array_write(a, 1, x[0] * x[1])
    a = arrays.array_write(a, 3, x[2])
    a = arrays.array_write(a, 1, x[3] * x[3])  # what was there first has no part in the result
    return tensors.array_stack(a)


def read(x: Any) -> Any:
    a = tensors.array_unstack(x * x)
    return arrays.array_read(a, 3) * arrays.array_read(a, 1) + arrays.array_read(a, 3)


def old_versions(x: Any) -> Any:
    first = tensors.array_unstack(x)
    second = arrays.array_write(first, 0, x[1] * x[2])
    return arrays.array_read(first, 0) * arrays.array_read(second, 0)


def joined(x: Any) -> Any:
    a = arrays.array_new(element=tl.TensorSpec([None, 3], tl.float64))
    a = arrays.array_push(a, x[:1] * x[1:2])
    a = arrays.array_push(a, x[1:])
    return tensors.array_concat(a)


def cut(x: Any) -> Any:
    a = tensors.array_split(x, [1, 3])
    first = arrays.array_read(a, 0)
    return first * tensors.array_concat(a)


def added(x: Any) -> Any:
    a = tensors.array_unstack(x)
    b = arrays.array_accumulate(arrays.array_zeros_like(a), 1, x[0] * x[0])
    b = arrays.array_accumulate(b, 1, x[1])
    return tensors.array_stack(arrays.array_add(a, b))


def taken(x: Any) -> Any:
    a = tensors.array_unstack(x * x)
    return tensors.array_stack(items.array_take(a, [3, 0, 3]))


def chained(x: Any) -> Any:
    a = items.array_join(tensors.array_unstack(x[:1]), tensors.array_unstack(x[1:] * x[1:]))
    return tensors.array_stack(items.array_cut(a, 3))


def widened(x: Any) -> Any:
    a = items.array_as(tensors.array_unstack(x * x), tl.TensorSpec([None], tl.float64))
    return tensors.array_stack(a)


CASES = [
    (pushed, lambda x: np.stack([x[2] * 3, x[0], x[2] * 3])),
    (written, lambda x: np.stack([0 * x[0], x[3] ** 2, 0 * x[0], x[2]])),
    (read, lambda x: x[3] ** 2 * x[1] ** 2 + x[3] ** 2),
    (old_versions, lambda x: x[0] * x[1] * x[2]),
    (joined, lambda x: np.concatenate([x[:1] * x[1:2], x[1:]])),
    (cut, lambda x: x[:1] * x),
    (added, lambda x: np.stack([x[0], x[1] + x[0] ** 2 + x[1], x[2], x[3]])),
    (taken, lambda x: x[[3, 0, 3]] ** 2),
    (chained, lambda x: np.concatenate([x[:1], x[1:3] ** 2])),
    (widened, lambda x: x**2),
]
ids = [case[0].__name__ for case in CASES]


def derivatives(function: Any, x: Any, w: Any, v: Any) -> tuple[Any, Any, Any]:
    """The value, the gradient of its product with w, and that gradient's change along v."""
    with tl.GradientTape() as outer:
        outer.watch(x)
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        g = tape.gradient(y, x, output_gradients=w)
    h = outer.gradient(g, x, output_gradients=v, unconnected_gradients="zero")
    return y, g, h


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize(("function", "oracle"), CASES, ids=ids)
def test_values_and_gradients(function: Any, oracle: Any, traced: bool) -> None:
    generator = np.random.default_rng(5)
    w = generator.standard_normal(oracle(X).shape)
    u, v = generator.standard_normal((2, *X.shape))
    run = derivatives
    if traced:
        spec = tl.TensorSpec([None, 3], tl.float64)
        signature = [spec, tl.TensorSpec(None, tl.float64), spec]
        run = tl.function(
            lambda x, w, v: derivatives(function, x, w, v),
            input_signature=signature,
            autograph=False,
        )
        y, g, h = run(X, w, v)
    else:
        y, g, h = derivatives(function, tl.constant(X), w, v)
    np.testing.assert_allclose(y.numpy(), oracle(X))

    def value(x: Any) -> float:
        return float((oracle(x) * w).sum())

    step = 1e-4
    want = (value(X + step * u) - value(X - step * u)) / (2 * step)
    assert float((g.numpy() * u).sum()) == pytest.approx(want, rel=1e-6, abs=1e-6)

    def slope(x: Any) -> float:
        return (value(x + step * v) - value(x - step * v)) / (2 * step)

    want = (slope(X + step * u) - slope(X - step * u)) / (2 * step)
    assert float((h.numpy() * u).sum()) == pytest.approx(want, rel=1e-4, abs=1e-4)


class Calls:
    """Collects the names of the ops that are called."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def record(self, op: Op, inputs: Any, attrs: Any, outputs: Any, above: int = 0) -> None:
        self.names.add(op.name)


def test_every_op_is_here() -> None:
    seen = Calls()
    for function, _ in CASES:
        x = tl.constant(X)
        with recording((seen,)):  # type: ignore[arg-type]
            derivatives(function, x, tl.ones(function(x).shape, tl.float64), x)
            arrays.array_size(arrays.array_new(element=ROW))
    # Those over arrays of batches are tested with the functions that vmap makes.
    names = {
        name
        for name, op in OPS.items()
        if name.startswith("array_") and not op.infer.__module__.endswith("array_rows")
    }
    assert names - seen.names == set()


def test_in_a_loop() -> None:
    """An array is loop state, and its gradient goes through the loop."""

    @tl.function(input_signature=[tl.TensorSpec([None], tl.float64)], autograph=False)
    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            n = tl.shape(x)[0]
            a = arrays.array_new(element=tl.TensorSpec([], tl.float64))
            _, a = tl.while_loop(
                lambda i, a: i < n,
                lambda i, a: (i + 1, arrays.array_push(a, x[i] * x[i])),
                (tl.constant(0), a),
            )
            y = tensors.array_stack(a)
        return y, tape.gradient(y, x)

    y, g = f([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(y.numpy(), [1, 4, 9])
    np.testing.assert_array_equal(g.numpy(), [2, 4, 6])


def test_missing_items() -> None:
    a = arrays.array_new(3, element=ROW)
    np.testing.assert_array_equal(arrays.array_read(a, 2).numpy(), np.zeros(3))
    assert int(arrays.array_size(a)) == 3
    vague = arrays.array_new(1, element=tl.TensorSpec([None], tl.float64))
    with pytest.raises(tl.errors.InvalidArgumentError, match="item 0 was never written"):
        arrays.array_read(vague, 0)
    empty = arrays.array_new(element=ROW)
    assert tensors.array_stack(empty).shape == (0, 3)
    assert tensors.array_concat(empty).shape == (0,)


def fixed(a: Any) -> Any:
    return arrays.array_write(a, 2, np.zeros(3), dynamic=False)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda a: arrays.array_read(a, 2), "index 2 is out of range for an array of 2 items"),
        (lambda a: arrays.array_read(a, -1), "index -1 is out of range for an array of 2 items"),
        (lambda a: arrays.array_write(a, -1, np.zeros(3)), "index -1 is negative"),
        (fixed, "index 2 is out of range for an array of 2 items of fixed size"),
        (lambda a: arrays.array_push(a, np.zeros(4)), "the array has items of shape (3,)"),
        (lambda a: arrays.array_push(a, tl.zeros([3])), "the array has items of float64"),
        (lambda a: arrays.array_read(a, 0.5), "the index must be an integer scalar"),
    ],
)
def test_messages(call: Any, text: str) -> None:
    with pytest.raises(tl.errors.InvalidArgumentError) as caught:
        call(arrays.array_new(2, element=ROW))
    assert text in str(caught.value)


def test_adding_the_gradient_of_a_read_takes_constant_time() -> None:
    """It becomes one more item of the sum, not a sum of two arrays."""

    @tl.function(input_signature=[tl.TensorSpec([4, 3], tl.float64)], autograph=False)
    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            a = tensors.array_unstack(x)
            y = sum(arrays.array_read(a, i) for i in range(4))
        return tape.gradient(y, x)

    names = [node.op.name for node in f.get_concrete_function().graph.nodes]
    assert "array_add" not in names
    np.testing.assert_array_equal(f(X).numpy(), np.ones((4, 3)))
