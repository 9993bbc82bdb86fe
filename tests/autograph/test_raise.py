"""Exceptions that a traced function raises when it runs."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from control import raising
from control.harness import both
from language.harness import Program

import treadle as tl
from treadle.graph.check import check


@pytest.mark.parametrize("program", raising.program.programs, ids=lambda p: p.name)
def test_program(program: Program) -> None:
    untraced, traced = both(program)
    assert traced == untraced


def failing(x: Any) -> Any:
    if x < 0:
        raise KeyError("negative")
    return x


def test_each_run_raises_an_exception_of_its_own_that_names_the_line() -> None:
    f = tl.function(failing)
    errors = []
    for _ in range(2):
        with pytest.raises(KeyError) as e:
            f(tl.constant(-1.0))
        errors.append(e.value)
    assert errors[0] is not errors[1]
    text = "".join(traceback.format_exception(errors[1]))
    assert text.count("in failing") == 1
    assert 'raise KeyError("negative")' in text


def test_the_graph_keeps_the_rules_and_can_be_read_back() -> None:
    graph = tl.function(failing).get_concrete_function(tl.constant(1.0)).graph
    check(graph)
    tables: dict[str, Any] = {}
    text = tl.graph.to_text(graph, tables)
    again = tl.graph.parse(text, tables)
    assert tl.graph.to_text(again, {}) == text


def test_gradient_around_a_raise() -> None:
    @tl.function
    def f(x: Any) -> Any:
        if x < 0:
            raise ValueError("negative")
        return x * x

    x = tl.constant(3.0)
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert tape.gradient(y, x).numpy() == 6.0


def test_unused_results_do_not_drop_the_raise() -> None:
    @tl.function
    def f(x: Any) -> Any:
        failing(x)
        return 1

    with pytest.raises(KeyError):
        f(tl.constant(-1.0))
