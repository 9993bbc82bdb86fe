"""Lists that change inside of tuples, generators and objects, on paths that end or return."""

from __future__ import annotations

from collections import namedtuple
from contextlib import suppress

import treadle as tl

from .harness import Collection

program = Collection()
Pair = namedtuple("Pair", "items, number")


def until(x, n):
    for v in x:
        if v > n:
            return
        yield v


@program((1, 2), (0, 2))
def item_set_before_a_raise():
    def f(m, n):
        xs = [n, m]
        with suppress(ValueError):
            if m > 0:
                xs[1] = 7
                raise ValueError
        return xs

    return f


@program((1, 2), (0, 2))
def item_set_on_the_path_that_returns():
    def f(m, n):
        xs = [n, m]
        if m > 0:
            xs[1] = 7
            return xs
        raise ValueError("no")

    return f


@program((1, 2))
def returned_in_a_tuple_on_the_path_that_returns():
    def f(m, n):
        xs = [n, m]
        if m > 0:
            xs[1] = 7
            return n, xs
        raise ValueError("no")

    return f


@program(([1.0, 2.0, 3.0], 2.0), ([1.0, 2.0], 0.0), ([1.0, 2.0], 5.0))
def appended_and_returned_by_the_consumer():
    def f(x, n):
        xs = [n]
        for v in until(x, n):
            xs.append(v)
            return n, xs
        return -n, xs

    return f


@program(([1.0, 2.0, 3.0], 2.0), ([1.0, 2.0], 0.0), ([1.0, 2.0], 5.0))
def rebound_in_a_dead_branch_of_the_consumer():
    def f(x, n):
        xs = [n]
        known = True
        for v in until(x, n):
            if known:
                xs.insert(0, v)
            else:
                xs = [v]
        return xs

    return f


@program(([1.0, 2.0, 3.0], 1), ([1.0, -2.0, 3.0], -1))
def in_a_tuple_that_a_loop_carries():
    def f(x, n):
        xs = [0.0]
        pair = (xs, 0)
        for v in x:
            pair[0].append(v)
            pair = (pair[0], pair[1] + 1)
        return xs, pair[0], pair[1]

    return f


@program((1, 2), (0, 2))
def in_tuples_of_both_branches():
    def f(m, n):
        xs = [n, m]
        if m > 0:
            xs.append(1)
            pair = (xs, 1)
        else:
            pair = (xs, 2)
        pair[0].append(5)
        return xs, pair[1]

    return f


@program((1, 2), (0, 2))
def in_named_tuples_of_both_branches():
    def f(m, n):
        xs = [n, m]
        if m > 0:
            xs.append(1)
            pair = Pair(xs, 1)
        else:
            xs.insert(0, 8)
            pair = Pair(xs, n)
        return xs, pair.items, pair.number

    return f


@program((1, 2), (0, 2))
def in_new_objects_of_both_branches():
    class Box:
        def __init__(self, v):
            self.v = v

    def f(m, n):
        xs = [n, m]
        if m > 0:
            xs.append(1)
            o = Box(xs)
        else:
            xs.append(n)
            o = Box(xs)
        o.v.append(9)
        return xs, o.v

    return f


@program((1, 2), (0, 2))
def in_a_new_list_of_both_branches():
    def f(m, n):
        xs = [n, m]
        if m > 0:
            xs[0] = 3
            rows = [xs, [1, 2]]
        else:
            xs[1] = 4
            rows = [xs, [n, n]]
        rows[0][0] += 10
        return xs, rows

    return f


@program(([1.0, 2.0, 3.0],), ([-1.0],))
def in_a_tuple_set_in_a_loop():
    def f(x):
        xs = [0.0]
        found = (xs, 0.0)
        for v in x:
            if v > 0.0:
                xs.append(v)
                found = (xs, v)
        xs.append(7.0)
        return xs, found[0], found[1]

    return f


@program((1, 2), (0, 2), relaxed=True)
def of_a_name_that_is_none_on_the_other_path():
    def f(m, n):
        xs = [n, m]
        ys = None
        if m > 0:
            xs.append(7)
            ys = xs
        return xs, -1 if ys is None else len(ys)

    return f


@program((1, 2), (0, 2), (-1, 2))
def of_an_inner_condition_that_raises():
    def f(m, n):
        xs = [n, m]
        pair = (xs, 0)
        try:
            if m >= 0:
                xs.append(1)
                pair = (xs, 1)
                if m > 0:
                    raise ValueError
                pair = (xs, 2)
                xs.append(2)
        except ValueError:
            xs.append(3)
        return xs, pair[0], pair[1]

    return f


@program(([1.0, 2.0], 2), ([1.0], 0), ([0.5, -1.0], -1))
def of_unknown_length_changed_and_returned():
    def f(x, n):
        xs = [n, n]
        for _ in x:
            xs = sorted(xs)
            xs.insert(0, n)
            if n > 0:
                xs[1] -= 1
                return n, xs
            if n < 0:
                xs[0] += 5
                return n, xs
        return n, xs

    return f


@program(
    [1.0, 2.0, 3.0],
    refused=(tl.errors.ListItemError, "is changed in the loop at .* known by another name"),
)
def changed_under_a_second_name_that_moves_on():
    def f(x):
        xs = [0.0]
        ys = xs
        for v in x:
            ys.append(v)
            ys = list(ys)
        return xs, ys

    return f


@program(
    [1.0, 2.0, 3.0],
    refused=(tl.errors.ListItemError, "into what may be None .* as a copy"),
    relaxed=True,
)
def kept_beside_none_and_changed():
    def f(x):
        xs, best = [0.0], None
        for v in x:
            if v > 1:
                best = (xs, v)
            xs.append(v)
        return xs, 0 if best is None else len(best[0])

    return f


@program(0, 1, 2)
def lists_from_the_middle_stay_the_same():
    rows = [[1], [2], [3], [4]]
    known = list(rows)

    def f(x):
        if x > 0:
            rows.pop(x)
            rows.reverse()
        return len(rows)

    return f, lambda: [[row is k for k in known] for row in rows]


@program(0, 3)
def zeros_in_an_outer_list_stay_the_same():
    grid = [[0, 0] for _ in range(4)]
    known = list(grid)

    def f(x):
        grid[x] = [x, 7]
        if x > 2:
            grid.pop(0)
        return len(grid)

    return f, lambda: (grid, [[row is k for k in known] for row in grid])


@program(1, 4, 5)
def lists_and_dicts_in_an_outer_list_stay_the_same():
    rows, dicts = [[1], [2], [2]], [{"a": 1}]
    first, second, table = rows[0], rows[1], dicts[0]

    def f(x):
        if x < 4:
            for i in tl.range(x):
                rows.append([i])
        else:
            rows.pop(0)
            dicts.append({"a": x})
        if x > 4:
            rows.insert(0, [x])
        return len(rows), len(dicts)

    def state():
        same = [[row is r for r in (first, second)] for row in rows]
        return same, rows, dicts, dicts[0] is table

    return f, state
