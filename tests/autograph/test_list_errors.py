"""Lists whose length depends on a tensor: what their items don't allow, with line and cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from refusal import refused

import treadle as tl

X = tl.constant([1, -2, 3])
CASES: dict[str, tuple[Callable[..., Any], str]] = {}


def case(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def keep(f: Callable[..., Any]) -> Callable[..., Any]:
        CASES[f.__name__] = (f, text)
        return f

    return keep


@case(
    "the items of a list must be alike where its length depends on a tensor, at "
    ":+5: found.append((v, v)): one is int32, another one a tuple"
)
def structures(x):
    found = []
    for v in x:
        if v > 0:
            found.append(v)
    found.append((v, v))
    return found


@case(
    "the items of a list must be alike where its length depends on a tensor, at "
    ":+7: runs.append((last, 1)): one is (int32, int32), another one (int32 or None, int32); where "
    "a value is not None, say so: 'if value is not None: ...append(value)'"
)
def perhaps_none_in_a_tuple(x):
    last, runs = None, []
    for v in x:
        if last is not None:
            runs.append((last, 1))
        if v > 0:
            last = v
    runs.append((last, 1))
    return runs


@case(
    "the items of a list must be alike where its length depends on a tensor, at "
    ":+4: rows.append(3): one is a list, another one int32"
)
def other_items_in_a_branch(x):
    rows = [[1], [2]]
    if x[0] > 0:
        y = 4
        rows.append(3)
        y += 1
    return rows


@case(
    "the items of a list must have one dtype where its length depends on a tensor, at "
    ":+5: found.append(tl.constant(1.5)): one is int32, another one float32; use tl.cast"
)
def dtypes(x):
    found = []
    for v in x:
        if v > 0:
            found.append(v)
    found.append(tl.constant(1.5))
    return found


@case(
    "the items of a list must be alike where its length depends on a tensor, at :+5: "
    "found[0].append(1): one is [int32, int32], another one [int32, int32, int32]"
)
def longer_item(x):
    found = []
    for v in x:
        if v > 0:
            found.append([v, v])
    found[0].append(1)
    return found


@case(
    "an item of a list is changed in place at :+6: found[0][1] = 3; the length of the list is "
    "known only when the function runs, so its items are read as copies, and here a change can't "
    "be done to the list: something else may lead to items of it since :+5: some = found[1:]. "
    "Make another list and assign it ('items[i] = ...')"
)
def item_in_place(x):
    found = []
    for v in x:
        if v > 0:
            found.append([v, v])
    some = found[1:]
    found[0][1] = 3
    return found, some


@case(
    "a list is put into a list at :+5: found.append(row) whose length is known only when the "
    "function runs, as a copy, and is changed at :+6: row.append(3); put a copy of your own into "
    "it, list(row), or make another one to change"
)
def changed_later(x):
    found = []
    row = [1, 2]
    for v in x:
        if v > 0:
            found.append(row)
    row.append(3)
    return found, row


@case(
    "a list is put into a list at :+5: found.append(row) whose length is known only when the "
    "function runs, as a copy, and changes in the loop at :+3; put a copy of your own into it, "
    "list(row), or make another one to change"
)
def changed_in_the_loop(x):
    found = []
    row = [1, 2]
    for v in x:
        row[0] = v
        found.append(row)
    return found


@case("the step of a slice must be a Python int, at :+5: return found[:: x[0]]")
def step(x):
    found = []
    for v in x:
        if v > 0:
            found.append(v)
    return found[:: x[0]]


@case("'del' of a slice with a step is not supported, at :+5: del found[::2]")
def deleted(x):
    found = []
    for v in x:
        if v > 0:
            found.append(v)
    del found[::2]
    return found


@case(
    "items that are no scalars are compared at :+5: return found.index(x); compare them one by one"
)
def compared(x):
    found = []
    for v in x:
        if v > 0:
            found.append(x)
    return found.index(x)


def test_fresh_lists_are_items() -> None:
    @tl.function
    def f(x):
        rows, tables = [], []
        for v in x:
            if v > 0:
                rows.append([v, v * 2])
                row = [v]
                row.append(3)
                rows.append(row)
            tables.append({"v": v})
            last = {"v": v}
            tables.append(last)
        return rows[1][1], rows[2][1], tables[4]["v"], tables[-1]["v"]

    assert [int(v) for v in f(X)] == [3, 6, 3, 3]


@pytest.mark.parametrize("name", CASES)
def test_message(name: str) -> None:
    f, text = CASES[name]
    assert refused(f, tl.errors.ListItemError, X) == text


def test_a_list_of_rows_is_stacked() -> None:
    def f(x):
        rows, pairs = [], []
        for v in x:
            rows.append([1 if v == k else 0 for k in range(4)])
            if v > 0:
                pairs.append((v, [v, v + 1]))
        return tl.stack(rows), tl.constant([1, 2]) + [b for _, b in pairs], len(pairs)

    for a, b in zip(tl.function(f)(X), f(X), strict=True):
        assert a.numpy().tolist() == tl.constant(b).numpy().tolist()
