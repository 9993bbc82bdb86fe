"""Tracebacks, breakpoints and line tracing land on the user's own lines."""

from __future__ import annotations

import bdb
import inspect
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from line_tracing import lines_of

import treadle as tl


def line_with(f: Callable[..., Any], text: str) -> int:
    lines, first = inspect.getsourcelines(f)
    (found,) = [first + i for i, line in enumerate(lines) if text in line]
    return found


def fails_deep_inside(x):
    """Errors are raised
    at several places.
    """
    total = 0
    for i in range(3):
        if i == 1:
            while total < 5:
                total += 1
                if total == 3:
                    with_lines = [
                        1,
                        x / 0,  # here
                    ]
                    return with_lines
    return total


def user_lines(error: BaseException) -> list[int]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f.lineno or 0 for f in frames if f.filename == __file__]


def test_traceback() -> None:
    with pytest.raises(ZeroDivisionError) as e:
        tl.autograph.convert(fails_deep_inside)(1)
    lines = user_lines(e.value)[1:]
    source = [line_with(fails_deep_inside, t) for t in ("for i", "if i ==", "while", "if total")]
    assert lines == [*source, line_with(fails_deep_inside, "# here")]


def test_columns_of_the_traceback() -> None:
    with pytest.raises(ZeroDivisionError) as e:
        tl.autograph.convert(fails_deep_inside)(1)
    last = traceback.extract_tb(e.value.__traceback__)[-1]
    line = inspect.getsourcelines(sys.modules[__name__])[0][(last.lineno or 1) - 1]
    assert last.colno is not None
    assert last.end_colno is not None
    assert line[last.colno : last.end_colno] == "x / 0"


def test_traceback_of_a_trace_shows_the_users_frames_only() -> None:
    def inner(x):
        if x > 0:
            return tl.matmul(x, x)  # inner
        return x

    @tl.function
    def outer(x):
        for _ in tl.range(3):
            x = inner(x)  # outer
        return x

    with pytest.raises(tl.errors.InvalidArgumentError) as e:
        outer(tl.constant(1.0))
    frames = traceback.extract_tb(e.value.__traceback__)
    own = [f for f in frames if f.filename == __file__]
    assert {f.line for f in own[1:]} >= {"x = inner(x)  # outer", "return tl.matmul(x, x)  # inner"}
    assert not [f for f in frames if "autograph" in f.filename and f.filename != __file__]


class Recorder(bdb.Bdb):
    """Runs to each breakpoint and notes where it stops."""

    def __init__(self) -> None:
        super().__init__()
        self.stops: list[tuple[int, str]] = []

    def user_line(self, frame: FrameType) -> None:
        if self.break_here(frame):
            self.stops.append((frame.f_lineno, frame.f_code.co_name))
        self.set_continue()


def steps(n):
    total = 0
    while n > 0:
        if n % 2:
            total += n  # odd
        n -= 1
    return total


def test_breakpoints() -> None:
    converted = tl.autograph.convert(steps)
    debugger = Recorder()
    odd, end = line_with(steps, "# odd"), line_with(steps, "return total")
    assert not debugger.set_break(__file__, odd)
    assert not debugger.set_break(__file__, end)
    # Bdb itself would look for the file's modules; it runs the call as given.
    result = debugger.runcall(converted, 5)
    assert result == 9
    assert [line for line, _ in debugger.stops] == [odd, odd, odd, end]


def test_every_line_is_seen_by_line_tracing() -> None:
    """Coverage counts the lines that run, and no others."""
    converted = tl.autograph.convert(steps)
    for n in (0, 1, 2):
        assert lines_of(steps, converted, n) == lines_of(steps, steps, n)


def _span(f: Callable[..., Any]) -> tuple[int, int]:
    lines, first = inspect.getsourcelines(f)
    return first, first + len(lines)


def test_names_of_functions_and_classes_made_inside() -> None:
    def outer(c):
        if c:

            def inner():
                return lambda: None

            class Inner:
                def method(self):
                    pass

        return inner, inner(), Inner, Inner.method

    for made, written in zip(tl.autograph.convert(outer)(1), outer(1), strict=True):
        assert made.__qualname__ == written.__qualname__
        assert made.__module__ == written.__module__


def test_a_converted_function_keeps_what_the_function_has() -> None:
    def f(a: int, b: str = "x", *, c: float = 1.0) -> str:
        """Text."""
        return f"{a}{b}{c}"

    f.note = "kept"  # type: ignore[attr-defined]
    g = tl.autograph.convert(f)
    assert g is not f
    assert (g.__name__, g.__qualname__, g.__doc__) == (f.__name__, f.__qualname__, "Text.")
    assert g.__module__ == f.__module__
    assert inspect.signature(g) == inspect.signature(f)
    assert vars(g) == {"note": "kept"}
    assert g.__code__.co_filename == __file__
    assert g.__code__.co_firstlineno == f.__code__.co_firstlineno
    assert g(1) == "1x1.0"


def test_the_line_of_a_loop_in_the_graph_is_that_of_its_head() -> None:
    @tl.function
    def f(x):
        while tl.less(
            x,
            10,
        ):
            x = tl.add(
                x,
                1,
            )
        return x

    graph = f.get_concrete_function(tl.constant(1)).graph
    (loop,) = [n for n in graph.nodes if n.op.name == "while"]
    assert loop.loc.line == line_with(f.python_function, "while tl.less(")
