"""What gradients save, what they compute again, and what `gradient_info` tells of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradients.derivatives import check

import treadle as tl
from treadle.graph.ops.arrays import array_new, array_push
from treadle.graph.ops.checkpointing import (
    OVERHEAD,
    advance,
    checkpoint_advance,
    checkpoint_plan,
    held_bytes,
)

VECTOR = tl.TensorSpec([8], tl.float64)


def info(f: Any, *specs: Any) -> Any:
    return tl.function(f).get_concrete_function(*(specs or (VECTOR,))).gradient_info()


def stacks(f: Any, *specs: Any) -> list[Any]:
    return [(s.op, f"{s.spec}") for s in info(f, *specs).saved if s.kind == "stack"]


# --- what is saved -------------------------------------------------------------------


def test_a_linear_loop_saves_nothing() -> None:
    def f(x: Any) -> Any:
        for _ in tl.range(10):
            x = x * 0.5 - tl.reverse(x, [0])
        return x

    assert stacks(f) == []
    assert info(f).bytes == 4  # the number of iterations


def test_cheap_values_are_computed_again() -> None:
    def f(x: Any) -> Any:
        for _ in tl.range(10):
            y = x * x + 1.0
            x = x / (y + tl.abs(x)) * y
        return x

    assert stacks(f) == [("x", "f64[8]")]
    check(f, tl.function(f), [[0.7, -0.4, 1.1]])


def test_costly_values_are_saved() -> None:
    def f(x: Any) -> Any:
        for _ in tl.range(10):
            x = tl.tanh(x) * 0.5
        return x

    assert stacks(f) == [("tanh", "f64[8]")]


def test_a_large_value_is_not_saved_for_a_small_one() -> None:
    """What the sign is of is not saved anyway: a bool of each item is less."""

    def f(x: Any) -> Any:
        for _ in tl.range(10):
            x = tl.where(tl.cumsum(x) > 0.0, x, 2.0 * x)
        return x

    assert stacks(f) == [("greater", "bool[8]")]


def test_counters_need_no_stack() -> None:
    def f(x: Any) -> Any:
        s = x[0]
        for i in tl.range(8):
            if i % 2 == 0:
                s = s + x[i] * tl.cast(i, tl.float64)
        return s

    assert stacks(f) == []
    check(f, tl.function(f), [np.linspace(-1, 1, 8)])


def test_steps_of_counters() -> None:
    def f(x: Any) -> Any:
        s = 0.0 * x[0]
        for i in tl.range(7, 0, -2):
            s = tl.sin(s) + x[i]
        return s

    check(f, tl.function(f), [np.linspace(-1, 1, 8)])


def test_random_numbers_and_variables_are_saved() -> None:
    v = tl.Variable(2.0, dtype=tl.float64)

    def f(x: Any) -> Any:
        for _ in tl.range(3):
            x = x * tl.random.uniform([8], dtype=tl.float64) * v
            v.assign_add(1.0)
        return x

    found = info(f)
    assert "uniform" in str(found) or "philox" in str(found)
    assert "read" in [s.op for s in found.saved]
    assert not {"read", "philox"} & {op for op, _, _ in found.recomputed}


def test_inner_loops() -> None:
    def f(x: Any) -> Any:
        for i in tl.range(5):
            y = x
            for _ in tl.range(i):
                y = tl.sin(y) + tl.cast(i, tl.float64)
            x = x + 0.1 * y
        return x

    found = [s for s in info(f).saved if s.op == "y"]
    assert [[t.count for t in s.times] for s in found] == [[5, None]]
    assert [s.size for s in found] == ["64 B x 5 x ?"]
    check(f, tl.function(f), [[0.7, -0.4, 1.1]])


# --- gradient_info -------------------------------------------------------------------


def rows(x: Any, w: Any) -> Any:
    y = tl.exp(x @ w)
    for _ in tl.range(20):
        y = tl.tanh(y)  # in the loop
    return tl.reduce_sum(y)


def test_places_and_bytes() -> None:
    specs = tl.TensorSpec([4, 3]), tl.TensorSpec([3, 2])
    found = info(rows, *specs)
    by_op = {s.op: s for s in found.saved}
    assert by_op["tanh"].kind == "stack"
    assert by_op["tanh"].item_bytes == 4 * 4 * 2
    assert by_op["tanh"].bytes == 20 * 32
    assert "in the loop" in by_op["tanh"].loc.source
    assert "in the loop" not in by_op["tanh"].times[0].loop.source
    assert by_op["exp"].kind == "value"
    assert sorted(found.inputs) == ["w", "x"]
    text = str(found)
    assert text.startswith("the gradient of rows saves ")
    assert "  32 B x 20 = 640 B   tanh f32[4,2]   test_saving.py:" in text
    assert "it reads the arguments " in text
    assert found.bytes == sum(s.bytes for s in found.saved)


def test_sizes_that_the_run_tells() -> None:
    found = info(rows, tl.TensorSpec([None, 3]), tl.TensorSpec([3, 2]))
    tanh = next(s for s in found.saved if s.op == "tanh")
    assert tanh.bytes is tanh.item_bytes is found.bytes is None
    assert tanh.size == "8 x ? B x 20"


def test_a_break_hides_the_number_of_iterations() -> None:
    def f(x: Any) -> Any:
        for _ in tl.range(20):
            x = tl.tanh(x)
            if tl.reduce_sum(x) > 3.0:
                break
        return x

    tanh = next(s for s in info(f).saved if s.op == "tanh")
    assert tanh.size == "64 B x ?"


def test_through_calls_and_branches() -> None:
    inner = tl.function(lambda x: tl.sin(x) * tl.exp(x))

    def f(x: Any) -> Any:
        if tl.reduce_sum(x) > 0.0:
            x = inner(x)
        return x

    assert {"exp"} <= {s.op for s in info(f).saved}


def test_recompute_grad_saves_nothing() -> None:
    def f(x: Any) -> Any:
        for _ in tl.range(20):
            x = tl.tanh(x)
        return x * tl.exp(x)

    found = tl.recompute_grad(f).get_concrete_function(VECTOR).gradient_info()
    assert (found.saved, found.bytes, found.inputs) == ((), 0, ("x",))
    assert "  nothing" in str(found)
    assert {"exp", "while"} <= {op for op, _, _ in found.recomputed}
    within = tl.recompute_grad(f, budget=10_000).get_concrete_function(VECTOR).gradient_info()
    kept = [s for s in within.saved if s.kind == "checkpoints"]
    assert [s.size for s in kept] == ["4 B for each checkpoint", "64 B for each checkpoint"]
    assert within.bytes is None


def test_gradients_taken_inside() -> None:
    def f(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in tl.range(20):
                y = tl.tanh(y)
        return tape.gradient(y, x)

    found = info(f)
    assert [(s.op, s.bytes) for s in found.inside] == [("tanh", 20 * 64)]
    assert "gradients taken inside save:\n  64 B x 20 = 1280 B   tanh" in str(found)


def test_nothing_to_differentiate() -> None:
    found = info(lambda n: n + 1, tl.TensorSpec([], tl.int32))
    assert (found.saved, found.inside, found.recomputed) == ((), (), ())


def test_an_op_without_a_gradient() -> None:
    with pytest.raises(LookupError, match="AdjustContrast"):
        info(lambda x: tl.image.adjust_contrast(x, 2.0), tl.TensorSpec([2, 2, 1]))


# --- the ops of checkpoints ----------------------------------------------------------


def test_held_bytes() -> None:
    x = tl.zeros([10], tl.float64)
    assert held_bytes(x, tl.constant(1)).numpy() == 2 * OVERHEAD + 84
    array = array_push(array_push(array_new(element=x.spec), x), x)
    assert held_bytes(array).numpy() == OVERHEAD + 2 * (OVERHEAD + 80)


def test_checkpoint_plan() -> None:
    x = tl.zeros([1000], tl.float64)
    slots, interval, room = (v.numpy() for v in checkpoint_plan(x, budget=10**7, times=3))
    assert slots % 2 == 0
    assert slots * 8000 < 10**7 / 6
    assert interval * 3 * 8000 < room < 10**7 / 2
    slots, interval, _ = (v.numpy() for v in checkpoint_plan(x, budget=10, times=3))
    assert (slots, interval) == (4, 1)


def test_checkpoint_advance() -> None:
    for length, free, most in [(10, 3, 10), (100, 3, 7), (9, 0, 2), (1000, 1, 1)]:
        got = checkpoint_advance(tl.constant(length), tl.constant(free), tl.constant(most))
        assert got.numpy() == advance(length, free, most)
    with pytest.raises(tl.errors.InvalidArgumentError, match="the counts are int32 scalars"):
        checkpoint_advance(tl.constant([1, 2]), tl.constant(1), tl.constant(1))
