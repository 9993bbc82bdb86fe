"""`try` and `with` around what depends on tensors."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from control import catching, managers, trying
from control.harness import both
from language.harness import Program

import treadle as tl
from treadle.graph.check import check

PROGRAMS = [
    *trying.program.programs,
    *catching.program.programs,
    *managers.program.programs,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_program(program: Program) -> None:
    untraced, traced = both(program)
    assert traced == untraced


def catching(x: Any) -> Any:
    n = 1
    try:
        if x < 0:
            raise ValueError("x")
        n = 2
    except ValueError:
        n += 10
    return x, n


def test_the_graph_keeps_the_rules_and_can_be_read_back() -> None:
    graph = tl.function(catching).get_concrete_function(tl.constant(1.0)).graph
    check(graph)
    tables: dict[str, Any] = {}
    text = tl.graph.to_text(graph, tables)
    again = tl.graph.parse(text, tables)
    assert tl.graph.to_text(again, {}) == text
    check(tl.graph.optimize(graph)) if hasattr(tl.graph, "optimize") else None


def test_a_body_that_can_not_raise_leaves_no_node() -> None:
    @tl.function
    def f(x: Any) -> Any:
        try:
            y = x * 2 if x > 0 else x
        except ValueError:
            y = x
        return y

    graph = f.get_concrete_function(tl.constant(1.0)).graph
    assert [n.op.name for n in graph.nodes if n.op.name == "try"] == []


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("x", [3.0, -2.0])
def test_gradient_through_a_handler(x: float, inside: bool) -> None:
    def f(x: Any) -> Any:
        y = x * 2
        try:
            y = y * x
            if x < 0:
                raise ValueError("negative")
            z = y * 3
        except ValueError:
            z = y * y
        return z

    def slope(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = (f if inside else tl.function(f))(x)
        return tape.gradient(y, x)

    found = (tl.function(slope) if inside else slope)(tl.constant(x))
    assert found.numpy() == (12 * x if x > 0 else 16 * x**3)  # of 6 x^2, of 4 x^4


def test_gradient_of_what_a_loop_in_the_body_had_computed_is_refused() -> None:
    @tl.function
    def f(x: Any) -> Any:
        y = x
        try:
            for i in tl.range(3):
                y = y * x
                if i > 1:
                    raise ValueError("late")
        except ValueError:
            y = y * 2
        return y

    x = tl.constant(2.0)
    assert f(x).numpy() == 32.0
    with tl.GradientTape() as tape:
        tape.watch(x)
        with pytest.raises(ValueError, match="through an exception"):
            f(x)


def picky(v: Any) -> Any:
    if v > 3:
        raise ValueError(f"{v} is too much")
    if v < 0:
        raise KeyError("negative")
    return v


def counting() -> Any:
    yield 1
    yield 2
    raise ValueError("that is all")


def python_in_a_run(x: Any) -> Any:
    try:
        return tl.py_function(picky, [x], tl.int32)
    except ValueError:
        return x * 10
    except (KeyError, TypeError):
        return x * 100


def suppressed(x: Any) -> Any:
    y = x
    with contextlib.suppress(ValueError, LookupError):
        y = tl.py_function(picky, [x], tl.int32) + 1
    return y


def generator_in_a_run(x: Any) -> Any:
    total = x
    try:
        spec = tl.TensorSpec([], tl.int32)
        for v in tl.data.Dataset.from_generator(counting, output_signature=spec):
            total += v
    except ValueError:
        total += 100
    return total


@pytest.mark.parametrize("x", [2, 6, -5])
@pytest.mark.parametrize("f", [python_in_a_run, suppressed, generator_in_a_run])
def test_what_python_raises_while_the_graph_runs(f: Any, x: int) -> None:
    assert tl.function(f)(tl.constant(x)).numpy() == f(tl.constant(x)).numpy()
