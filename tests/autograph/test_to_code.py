"""What AutoGraph makes of typical functions; it should read like Python that a person wrote."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from snapshot import check_snapshot

import treadle as tl


def guide_loop(x):
    while tl.reduce_sum(x) > 1:
        tl.print(x)
        x = tl.tanh(x)
    return x


def absolute(x):
    if x < 0:
        x = -x
    return x


def early_return(x):
    if x > 0:
        return x * 2
    return x - 1


def elif_chain(x):
    if x > 3:
        y = x * 2
    elif x > 0:
        y = x + 100
    else:
        y = -x
    return y


def first_above(xs, limit):
    for i in tl.range(tl.shape(xs)[0]):
        if xs[i] > limit:
            return i
    return tl.constant(-1)


def break_and_continue(n):
    total = 0
    for i in range(n):
        if i == 3:
            continue
        if i > 6:
            break
        total += i
    else:
        total = -total
    return total


def expressions(a, b, f):
    c = a if a > 0 and not b else b
    d = 0 < f(a) < b
    assert c, f"c is {c}"
    return [g(c) for g in (f, abs) if d or c], lambda x: x or d


def possibly_undefined(c):
    if c:
        x = 1
    return x


class Counter:
    """A class with state."""

    def count(self, xs, table):
        for x in xs:
            if x > self.limit:
                self.n += 1
                table["last"] = x
        return self.n


def captured(n):
    total = 0

    def show():
        return total

    while n > 0:
        total += n
        n -= 1
    return show()


def with_and_try(x, path):
    try:
        with open(path) as file:
            if x > 0:
                return file.read()
            x = x + 1
    except OSError:
        x = 0
    return x


def walrus(read):
    while (line := read()) != "":
        if line and (n := len(line)) > 3:
            print(n)
    return line


FUNCTIONS = [
    *(guide_loop, absolute, early_return, elif_chain, first_above, break_and_continue),
    *(expressions, possibly_undefined, Counter.count, captured, with_and_try, walrus),
]


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_text(f: Callable[..., Any]) -> None:
    text = tl.autograph.to_code(f)
    assert text.startswith("def ")
    assert text.count("    from treadle.autograph import operators as ag\n") == 1
    ast.parse(text)
    check_snapshot(f"autograph/{f.__name__}", text)


def test_the_guides_loop_is_at_most_three_times_as_long() -> None:
    text = tl.autograph.to_code(guide_loop)
    assert len(text.splitlines()) <= 3 * 5
    assert len(text) <= 3 * len(inspect.getsource(guide_loop))


def test_the_guides_loop_runs_as_shown(capfd: pytest.CaptureFixture[str]) -> None:
    text = tl.autograph.to_code(guide_loop)
    assert set(re.findall(r"\bag\.(\w+)", text)) == {"while_stmt"}
    shown: dict[str, Any] = {"tl": tl}
    exec(text, shown)
    x = tl.constant([1.0, 2.0])
    want = guide_loop(x)
    np.testing.assert_array_equal(shown["guide_loop"](x), want)
    traced = tl.function(shown["guide_loop"], autograph=False)
    np.testing.assert_array_equal(traced(x), want)
    lines = capfd.readouterr().err.splitlines()
    third = len(lines) // 3
    assert lines == 3 * lines[:third]
    assert third > 1


def test_of_methods_partials_and_traced_functions() -> None:
    text = tl.autograph.to_code(absolute)
    assert tl.autograph.to_code(tl.function(absolute)) == text
    bound = Counter().count
    assert tl.autograph.to_code(bound) == tl.autograph.to_code(Counter.count)
    assert tl.autograph.to_code(lambda x: x and 1) == (
        "from treadle.autograph import operators as ag\nlambda x: ag.and_(x, lambda: 1)\n"
    )
    assert tl.autograph.to_code(lambda x: 1) == "lambda x: 1\n"  # it needs no operators


def run(text: str, **names: Any) -> dict[str, Any]:
    exec(compile(text, "<shown>", "exec"), names)
    return names


def test_what_is_shown_runs() -> None:
    """What the functions take from outside are `tl`, what they are given, and builtins."""
    for f in FUNCTIONS:
        run(tl.autograph.to_code(f))
    made = run(tl.autograph.to_code(first_above), tl=tl)["first_above"]
    traced = tl.function(made, autograph=False)
    assert traced(tl.constant([1, 5, 7]), tl.constant(4)).numpy() == 1


def test_what_rebinds_names_around_it_stands_in_a_function() -> None:
    n, step = 0, 2

    def count(x):
        """Counts.

        In steps.
        """
        nonlocal n
        n += step
        if x > 0:
            x = -x
        return x, n

    text = tl.autograph.to_code(count)
    assert text.startswith(
        "def factory(n):\n"
        "    from treadle.autograph import operators as ag\n"
        "    def count(x):\n"
        '        """Counts.\n'
        "\n"
        "        In steps.\n"
        '        """\n'
        "        nonlocal n\n"
    )
    assert text.endswith("\n    return count\n")
    again = run(text, step=step)["factory"](10)
    assert again(3) == (-3, 12)
    assert again(-3) == (-3, 14)
    assert count(3) == (-3, 2)


def test_operators_under_another_name_where_the_function_has_that() -> None:
    def f(x, ag):
        return ag if x > 0 else x

    text = tl.autograph.to_code(f)
    assert text.splitlines()[1] == "    from treadle.autograph import operators as ag_1"
    assert run(text)["f"](1, 2) == 2


def test_what_has_no_source_is_refused() -> None:
    f = eval("lambda x: x")
    with pytest.raises(tl.errors.ConversionError, match="source is not available"):
        tl.autograph.to_code(f)
    with pytest.raises(tl.errors.ConversionError, match="has no Python source"):
        tl.autograph.to_code(len)
    with pytest.raises(tl.errors.ConversionError, match="source is not available"):
        tl.autograph.to_graph(f)
    assert tl.autograph.convert(f) is f
    assert "not available" in (tl.autograph.why_unconverted(f) or "")


def test_generators_run_as_they_are() -> None:
    def numbers():
        yield 1

    assert tl.autograph.convert(numbers) is numbers
    assert tl.autograph.why_unconverted(numbers) == "it is a generator"
