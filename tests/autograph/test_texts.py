"""Texts with tensors in them: what is printed, returned and raised, traced as untraced."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

import treadle as tl


def show(*values: Any) -> None:
    tl.print(*values, output_stream=sys.stdout)


def formats(x):
    n = int(x[1])
    show(f"{x[0]:.2f} {n:>4}|{n / 3:.3f} {x} {n!r} {x[0]!s:>6}")
    show("a", f"{n}", [f"{n}", (n / 2, n > 1)], {"k": f"<{n}>"})


def names(x):
    name = "big" if x[0] > 0 else "small"
    message = f"it is {name}"
    show(name, [name, 1.5], message, {"name": name})
    show(message + "!", "so: " + message, f"{message}, {name!r}")
    return tl.strings.length(message)


def other_ways(x):
    n = int(x[1])
    show("{} and {:.1f}".format(n, x[0]))  # noqa: UP032
    show("%s of %d" % (n, 7))  # noqa: UP031
    show(str(n) + "/" + str(x[0]), ", ".join([f"{n}", "b", str(n)]), repr(n))
    show("plain {}".format("text"), "%d%%" % 5)  # noqa: UP031


def in_a_loop(x):
    label = "none"
    for i, v in enumerate(x):
        if v > 0:
            label = f"{i}: {v:.1f}"
            show(label)
        elif i > 1:
            label = "negative"
    show(label)


def fizzbuzz(x):
    for i in range(int(x[1]) + 14):
        if i % 15 == 0:
            show("fizzbuzz")
        elif i % 5 == 0:
            show("buzz", i)
        else:
            show(f"{i}" if i % 3 else "fizz")


def helper(value: Any, **kinds: Any) -> str:
    return f"{value:{kinds['spec']}}" if kinds else f"[{value}]"


def in_helpers(x):
    show(helper(x[0]), helper(x[0], spec=".3f"), helper(helper(int(x[1]))))


PROGRAMS = [formats, names, other_ways, in_a_loop, fizzbuzz, in_helpers]


@pytest.mark.parametrize("f", PROGRAMS)
def test_printed_as_untraced(f: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    traced = tl.function(f)
    for values in ([1.5, 2.0, -1.0], [-0.25, 3.0, 7.5]):
        x = tl.constant(values)
        results, shown = [], []
        for run in (f, traced):
            results.append(run(x))
            shown.append(capsys.readouterr().out)
        assert shown[1] == shown[0]
        assert shown[0]
        if results[0] is not None:
            assert int(results[1]) == int(results[0])


def test_returned() -> None:
    @tl.function
    def f(x):
        return f"x is {x}", "yes" if x > 0 else "no"

    assert [t.numpy() for t in f(tl.constant(3))] == [b"x is 3", b"yes"]
    assert [t.numpy() for t in f(tl.constant(-3))] == [b"x is -3", b"no"]


def test_raised() -> None:
    @tl.function
    def f(x):
        n = int(x)
        message = f"{x:.1f} is {n / 2}"
        if n > 2:
            raise ValueError(message, n, n / 2)
        return x

    assert float(f(tl.constant(1.0))) == 1.0
    for value in (3.0, 4.0):
        with pytest.raises(ValueError, match=r"\d\.0 is") as e:
            f(tl.constant(value))
        assert e.value.args == (f"{value} is {value / 2}", int(value), value / 2)


def test_while_tracing_a_text_reads_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    names = []

    @tl.function
    def f(x):
        print(f"Tracing with {x}", str(x), f"{x.dtype.name}")
        names.append(f"layer{len(names)}")
        return x

    with pytest.warns(tl.errors.SideEffectWarning):
        f(tl.constant(3))
    text = 'Tensor("x:0", shape=(), dtype=int32)'
    assert capsys.readouterr().out == f"Tracing with {text} {text} int32\n"
    assert names == ["layer0"]
    assert type(names[0]) is str


def test_compared() -> None:
    @tl.function
    def f(x):
        return f"{x}" == "3", f"{x}" != "3"

    assert [bool(v) for v in f(tl.constant(3))] == [True, False]
    assert [bool(v) for v in f(tl.constant(4))] == [False, True]


def test_what_only_the_run_knows() -> None:
    @tl.function
    def f(x):
        return f"{x}".encode()

    with pytest.raises(tl.errors.OperatorNotAllowedInGraphError) as e:
        f(tl.constant(3))
    line = f.python_function.__code__.co_firstlineno + 2
    assert str(e.value) == (
        f"'encode' of a text is asked for at test_texts.py:{line}: return f\"{{x}}\".encode(), while "
        "tracing, but what the text is, only the run knows; do it after the traced function, on its "
        "result"
    )
