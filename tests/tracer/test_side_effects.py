"""Python side effects happen once, while tracing, and the user is told once."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import treadle as tl

c = tl.constant
log: list[Any] = []
table: dict[str, Any] = {}
state = [0]
count = 0


class Model(tl.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.seen: list[Any] = []
        self.v: Any = None
        self.built = False

    def build(self, x: Any) -> None:
        self.w = tl.Variable(tl.ones([2]))
        self.built = True

    def note(self, x: Any) -> None:
        self.seen.append(x)

    def lazy(self, x: Any) -> Any:
        if self.v is None:
            self.v = tl.Variable(1.0)
        if not self.built:
            self.build(x)
        if not hasattr(self, "late"):
            self.late = 3
        return self.v + self.w


def count_globally(x: Any) -> Any:
    global count
    count += 1
    return x


def in_a_loop(x: Any) -> Any:
    for i in range(3):
        log.append(i + 1)  # noqa: PERF401
    return x


def nonlocal_count() -> Any:
    n = 0

    def f(x: Any) -> Any:
        nonlocal n
        n += 1
        return x

    return f


def next_item() -> Any:
    items = iter([1, 2])
    return lambda x: x * next(items)


def item(x: Any) -> Any:
    table["x"] = 1
    return x


def growing(x: Any) -> Any:
    state[0] += 1
    return x


def attribute(model: Any, x: Any) -> Any:
    model.calls += 1
    return x


def warned(f: Any, *args: Any) -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        traced = tl.function(f)
        for n in (1, 2, 2):
            traced(*args, tl.ones([n]))
    assert {w.category for w in told} <= {tl.errors.SideEffectWarning}
    return told


@pytest.mark.parametrize(
    ("f", "args", "line"),
    [
        (lambda x: (log.append(1), x)[1], (), "log.append(1)"),
        (count_globally, (), "count += 1"),
        (nonlocal_count(), (), "n += 1"),
        (item, (), 'table["x"] = 1'),
        (growing, (), "state[0] += 1"),
        (attribute, (Model(),), "model.calls += 1"),
        (lambda m, x: (m.note(1), x)[1], (Model(),), "self.seen.append(x)"),
        (in_a_loop, (), "log.append(i + 1)"),
        (next_item(), (), "next(items)"),
    ],
)
def test_one_warning_names_the_line(f: Any, args: Any, line: str) -> None:
    (told,) = warned(f, *args)
    assert line in str(told.message)
    assert str(told.message).startswith(f"test_side_effects.py:{told.lineno}: ")
    assert told.filename == __file__


def test_the_message() -> None:
    (told,) = warned(item)
    assert str(told.message) == (
        f"test_side_effects.py:{told.lineno}: table[\"x\"] = 1 -- this happens once, while 'item' "
        "is traced, and not at each call. Return the value, keep it in a tl.Variable, or use "
        "tl.py_function; tl.print prints at each call"
    )


def test_what_is_set_up_on_the_first_call_is_fine() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f = tl.function(lambda m, x: m.lazy(x))
        model = Model()
        for _ in range(3):
            assert f(model, c(1.0)).numpy().tolist() == [2.0, 2.0]


def own_state(x: Any) -> Any:
    """Nothing here outlives the call."""
    print("Tracing with", x)
    items = []
    items.append(x)
    found = {}
    found["a"] = x
    model = Model()
    model.calls += 1
    total = 0
    for v in items:
        total += v
    v, w = x, x
    v += w
    return total + found["a"]


def test_no_warning_for_what_does_not_outlive_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert warned(own_state) == []
    assert capsys.readouterr().out.count("Tracing with") == 2


def test_variables_are_no_python_state() -> None:
    v = tl.Variable(0.0)

    def f(x: Any) -> Any:
        v.assign_add(1.0)
        return x + v

    assert warned(f) == []
