"""A debugger stops on the user's lines, whatever construct they are in, and coverage counts them."""

from __future__ import annotations

import bdb
import contextlib
import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from line_tracing import lines_of

import treadle as tl


class Stops(bdb.Bdb):
    """Notes the line of each stop at a breakpoint, and the local names that are seen there."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, frozenset[str]]] = []

    def user_line(self, frame: FrameType) -> None:
        if self.break_here(frame):
            self.found.append((frame.f_lineno, frozenset(frame.f_locals)))
        self.set_continue()


def line_with(f: Callable[..., Any], text: str) -> int:
    lines, first = inspect.getsourcelines(f)
    (found,) = [first + i for i, line in enumerate(lines) if text in line]
    return found


def in_a_branch(x):
    twice = x * 2
    if x > 0:
        here = twice + 1  # here
    else:
        here = twice - 1
    return here


def in_a_branch_that_returns(x):
    twice = x * 2
    if x > 0:
        return twice + 1  # here
    return x


def in_a_for_loop(x):
    twice = x * 0
    for i in tl.range(3):
        twice += x * i  # here
    return twice


def in_a_while_loop(x):
    twice = x * 2
    while twice < 100:
        twice = twice * 2 + x  # here
    return twice


def in_a_loop_left_by_a_break(x):
    twice = x * 2
    for _ in tl.range(5):
        if twice > 100:
            break  # here
        twice = twice * 2
    return twice


def in_a_try(x):
    twice = x * 2
    try:
        if twice < 0:
            raise ValueError("no")
        twice = twice + x  # here
    except ValueError:
        twice = x
    return twice


def in_a_handler(x):
    twice = x * 2
    try:
        if twice < 0:
            raise ValueError("no")
    except ValueError:
        twice = x  # here
    return twice


def in_a_finally(x):
    twice = x * 2
    try:
        if twice < 0:
            raise ValueError("no")
    finally:
        twice = x  # here
    return twice


def in_a_with(x):
    twice = x * 2
    with contextlib.suppress(ValueError):
        if twice < 0:
            raise ValueError("no")
        twice = x  # here
    return twice


def in_a_case(x):
    twice = x * 2
    match twice:
        case 6:
            twice = twice + x  # here
        case _:
            twice = x
    return twice


def in_a_nested_function(x):
    def inner(twice):
        return twice + 1  # here

    return inner(x * 2)


def behind_everything(x):
    twice = x * 2
    for _ in tl.range(3):
        if twice > 5:
            twice = twice + 1
    with contextlib.suppress(ValueError):
        assert twice > 0
    return twice + x  # here


PROGRAMS = [
    *(in_a_branch, in_a_branch_that_returns, in_a_for_loop, in_a_while_loop, in_a_try),
    *(in_a_loop_left_by_a_break, in_a_handler, in_a_finally, in_a_with, in_a_case),
    *(in_a_nested_function, behind_everything),
]


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_breakpoint_in_a_traced_function(f: Callable[..., Any]) -> None:
    debugger = Stops()
    here = line_with(f, "# here")
    assert not debugger.set_break(__file__, here)
    result = debugger.runcall(tl.function(f), tl.constant(3))
    assert result.numpy() == f(tl.constant(3)).numpy()
    assert {line for line, _ in debugger.found} == {here}
    assert all("twice" in names for _, names in debugger.found)


def test_breakpoint_in_a_comprehension() -> None:
    def f(x):
        rows = [
            row * 2  # here
            for row in x
        ]
        return tl.stack(rows)

    debugger = Stops()
    here = line_with(f, "# here")
    assert not debugger.set_break(__file__, here)
    debugger.runcall(tl.function(f), tl.constant([1, 2]))
    assert {line for line, _ in debugger.found} == {here}


def everything(n, log):
    total = 0
    for i in range(n):
        if i == 2:
            continue
        elif i > 4:
            break
        total += i
    else:
        log.append("else")
    while total > 3:
        total -= 2
        if total == 4:
            break
    try:
        if n == 1:
            raise KeyError(n)
        log.append({0: 1}[n])
    except KeyError as error:
        log.append(error.args)
    else:
        log.append("fine")
    finally:
        log.append("done")
    with contextlib.suppress(ZeroDivisionError):
        total = total // n
        log.append(total)
    match n:
        case 0:
            log.append("zero")
        case 1 | 2:
            log.append("few")
        case _ if n > 5:
            log.append("many")
    squares = [v * v for v in range(n) if v % 2]
    log.append(any(v > 3 for v in squares))
    assert total < 100, "large"
    if n > 6:
        return squares
    return total


@pytest.mark.parametrize("n", range(9))
def test_just_the_lines_that_run_are_counted(n: int) -> None:
    converted = tl.autograph.convert(everything)
    assert converted is not everything
    lines = lines_of(everything, everything, n, [])
    assert lines_of(everything, converted, n, []) == lines


COVERED = """
import treadle as tl


@tl.function
def staged(x, n):
    total, best, log = x * 0, None, []
    for i in tl.range(n):
        if i == 1:
            continue
        if i == 2:
            total += 1
            continue
        if i > 6:
            break
        elif i > 5:
            total += 2
            break
        for j in tl.range(3):
            if j > i:
                continue
            log.append(j)
        else:
            total -= 1
        try:
            total += x // i
        except ZeroDivisionError:
            total = x
        finally:
            total *= 1
        best = (
            i
            if best is None
            else best
        )
    while total > 9:
        total -= 1
        if total == 7:
            pass
        elif total == 6:
            break
    match x:
        case 1:
            total += 1
        case _:
            total += 2
    if n == 3:
        return len(log)
    if isinstance(n, str):
        return "never"
    assert total > -100, "small"
    return total


staged(tl.constant(2), tl.constant(4))
"""


def test_coverage_counts_what_was_traced(tmp_path: Path) -> None:
    """The coverage package: all lines but the one that Python itself leaves out."""
    program, data, report = (tmp_path / n for n in ("program.py", "data", "report.json"))
    program.write_text(COVERED)
    command = [sys.executable, "-m", "coverage"]
    run = ["run", f"--data-file={data}", f"--include={program}", str(program)]
    subprocess.run([*command, *run], check=True, cwd=tmp_path)
    subprocess.run(
        [*command, "json", "-q", f"--data-file={data}", "-o", str(report)], check=True, cwd=tmp_path
    )
    (file,) = json.loads(report.read_text())["files"].values()
    missed = [COVERED.splitlines()[n - 1].strip() for n in file["missing_lines"]]
    assert missed == ['return "never"']
