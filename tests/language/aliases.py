"""One object by several names, and objects that a path makes, on each way that leads on."""

from __future__ import annotations

import treadle as tl

from .harness import Collection

program = Collection()


class Box:
    def __init__(self, v):
        self.v = v
        self.best = None


@program(0, 2)
def one_list_by_two_names_in_each_branch():
    def f(n):
        if n > 0:
            xs = [n]
            ys = xs
        else:
            xs = [2 * n]
            ys = xs
        ys.append(3)
        return xs, ys

    return f


@program(0, 2)
def one_object_by_two_names_in_each_branch():
    def f(n):
        if n > 0:
            x = Box(n)
            y = x
        else:
            x = Box(2 * n)
            y = x
        y.v = 7
        return x.v, y.v

    return f


@program(0, 1, 2)
def one_list_by_two_names_where_it_is_raised():
    def f(n):
        try:
            xs = [1, 2]
            ys = xs
            5 // n
            ys.append(2)
            5 // (n - 1)
        except ZeroDivisionError:
            ys.append(4)
        return xs, ys

    return f


@program(0, 1, 2)
def changed_again_behind_the_point_that_raises():
    def f(n):
        try:
            xs, box, table = [1], Box(1), {"a": 1}
            5 // n
            xs.append(2)
            box.v = 2
            table["a"] = 2
            5 // (n - 1)
        except ZeroDivisionError:
            pass
        return xs, box.v, table["a"]

    return f


@program(0, 1, 2)
def objects_in_objects_where_it_is_raised():
    def f(n):
        try:
            inner = Box(n)
            pair = (inner, [inner])
            5 // n
            inner.v = 8
            5 // (n - 1)
        except ZeroDivisionError:
            pair[1][0].best = n
            inner.v += 1
        return inner.v, pair[0].v, pair[0].best is None, len(pair[1])

    return f


@program((0, 2.0), (3, 2.0))
def object_made_in_each_iteration_none_before():
    def f(n, x):
        box = None
        for _ in tl.range(n):
            box = Box(x + 1)
        return 0.0 if box is None else box.v

    return f


@program((0, 2.0), (1, 2.0), (3, 2.0))
def object_made_in_the_first_iteration():
    def f(n, x):
        box = None
        for _ in tl.range(n):
            if box is None:
                box = Box(x + 1)
            box.v = box.v + 1
        return 0.0 if box is None else box.v

    return f


@program((1, 2.0), (3, 2.0), relaxed=True)
def object_made_in_a_loop_first_of_all():
    def f(n, x):
        for _ in tl.range(n):
            box = Box(x + 1)
        return box.v

    return f


@program((0, 2.0), (3, 2.0))
def object_with_an_attribute_that_is_none_at_first():
    def f(n, x):
        box = None
        for _ in tl.range(n):
            if box is None or box.best is None:
                box = Box(x + 1)
            box.best = x
        return 0.0 if box is None else box.v + box.best

    return f


@program(3, -3)
def list_made_and_changed_in_else():
    def f(n):
        xs = [n, 1]
        if n > 0:
            pass
        else:
            xs = [x + 1 for x in xs]
            xs[0] += 5
        xs.append(n)
        return xs

    return f


@program(3, -3, 9, relaxed=True)
def chosen_list_that_a_loop_changes_or_returns():
    def f(n):
        xs = [n, 1]
        if n > 7:
            xs = [n, n]
        for i in tl.range(3):
            if i < n:
                xs.append(i)
            else:
                return xs
        xs.append(n)
        return xs

    return f


@program(3, -3, 0)
def attribute_that_gets_one_of_two_lists():
    def f(n):
        xs, ys = [n], [1]
        box, other = Box(xs), Box(ys)
        if n > 0:
            box.v = ys
            ys.append(4)
        else:
            box.v.append(5)
        box.v.append(6)
        if n < 0:
            box.v, other.v = other.v, box.v
        other.v.append(7)
        return xs, ys, box.v, other.v

    return f


@program(3, -3, 0)
def lists_exchanged_in_a_try():
    def f(n):
        xs, ys = [n], [1]
        box, a = Box(xs), xs
        try:
            if n > 0:
                box.v = ys
                ys.append(3)
                raise KeyError
            10 // n
            a = ys
            box.v.append(5)
        except KeyError:
            box.v.append(4)
        except ZeroDivisionError:
            pass
        a.append(8)
        box.v[0] += 100
        return xs, ys, box.v, a

    return f


@program(1, 7)
def list_made_anew_in_a_try_in_a_loop():
    def f(n):
        xs = [n]
        for i in tl.range(3):
            try:
                10 // (n - i)
                xs = [n, i]
            except ZeroDivisionError:
                xs.append(8)
            xs.append(9)
        return xs

    return f


@program(5, 4, 1)
def identity_of_a_chosen_list():
    def f(x):
        a, b = [1], [2]
        c = a if x > 3 else b
        d = c if x == 5 else a
        flag = False
        if x > 3:
            flag = True
        return (c is a, d is a, d is c, c is not b, c is [1]), (flag is True, flag is not False)  # noqa: F632

    return f
