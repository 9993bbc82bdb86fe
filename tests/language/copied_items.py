"""Items of lists that the graph holds are copies: to change one is refused, wherever it went."""

from __future__ import annotations

import treadle as tl

from .harness import Collection

program = Collection()


class Named:
    def __init__(self, n):
        self.n = n


@program([3, 1, 2], [1, 1, 5], refused=(tl.errors.ListItemError, "list.*as a copy|read as copies"))
def read_then_join():
    def f(xs):
        items = []
        for x in xs:
            items.append(Named(x))
        if xs[0] > 2:
            t = items[0]
        else:
            t = items[1]
        t.n += 50
        return [o.n for o in items]

    return f


@program([3, 1, 2], [1, 1, 5], refused=(tl.errors.ListItemError, "list.*as a copy|read as copies"))
def loop_best():
    def f(xs):
        items = []
        for x in xs:
            items.append(Named(x))
        best = items[0]
        for o in items:
            if o.n > best.n:
                best = o
        best.n += 100
        return [o.n for o in items], best.n

    return f


@program([3, 1, 2], [1, 1, 5], refused=(tl.errors.ListItemError, "list.*as a copy|read as copies"))
def dict_join():
    def f(xs):
        items = []
        for x in xs:
            items.append({"n": x})
        t = items[0]
        if xs[0] > 2:
            t = items[1]
        t["n"] += 50
        return [o["n"] for o in items]

    return f


@program([3, 1, 2], [1, 1, 5], refused=(tl.errors.ListItemError, "list.*as a copy|read as copies"))
def best_none():
    def f(xs):
        items = []
        for x in xs:
            items.append(Named(x))
        best = None
        for o in items:
            if best is None or o.n > best.n:
                best = o
        if best is not None:
            best.n += 100
        return [o.n for o in items]

    return f


@program([3, 1, 2], [1, 1, 5], refused=(tl.errors.ListItemError, "list.*as a copy|read as copies"))
def last_changed_after():
    def f(xs):
        items = []
        last = Named(0)
        for x in xs:
            last = Named(x)
            items.append(last)
        last.n += 9
        return [p.n for p in items]

    return f


@program([3, 1, 2], [1, 1, 5], refused=(tl.errors.ListItemError, "list.*as a copy|read as copies"))
def prev_changed():
    def f(xs):
        items = []
        prev = Named(0)
        for x in xs:
            prev.n += 100
            prev = Named(x)
            items.append(prev)
        return [p.n for p in items]

    return f


@program(1, 5, refused=(tl.errors.ListItemError, "list.*as a copy|read as copies"))
def branch_put_changed():
    def f(x):
        items = []
        o = Named(x)
        if x > 3:
            items.append(o)
        o.n += 5
        return [p.n for p in items], o.n

    return f


@program(1, 5, refused=(tl.errors.ListItemError, "list.*as a copy|read as copies"))
def branch_put_dict_changed():
    def f(x):
        items = [{"n": 1}]
        o = {"n": x}
        if x > 3:
            items.append(o)
        o["n"] += 5
        items[0]["n"] if True else 0
        return [p["n"] for p in items], o["n"]

    return f


@program([3, 1, 2], [1, 1, 5])
def read_only_join():
    def f(xs):
        items = []
        for x in xs:
            items.append({"n": x, "k": [x, 2]})
        t = items[0]
        if xs[0] > 2:
            t = items[1]
        best = items[0]
        for o in items:
            if o["n"] > best["n"]:
                best = o
        u = best["k"]
        return t["n"], best["n"], u, best, items[0], items, u[0]

    return f


@program([3, 1, 2], [1, 1, 5])
def read_only_obj():
    def f(xs):
        items = []
        for x in xs:
            items.append(Named(x))
        best = items[0]
        for o in items:
            if o.n > best.n:
                best = o
        return best.n, [o.n for o in items], best is items[0] or True

    return f


@program([3, 1, 2], [1, 1, 5])
def copy_then_change():
    def f(xs):
        items = []
        for x in xs:
            items.append([x, 1])
        r = items[0]
        if xs[0] > 2:
            r = items[1]
        r = list(r)
        r[0] = 9
        items.append(r)
        return items, r

    return f


@program([3, 1, 2], [1, 1, 5])
def inner_fn():
    @tl.function
    def g(xs):
        items = []
        for x in xs:
            items.append([x, 1])
        return items[0]

    def f(xs):
        r = g(xs)
        r.append(7)
        r[0] = 4
        return r

    return f


@program([3, 1, 2], [1, 1, 5])
def group_rows():
    def f(xs):
        rows = []
        row = []
        for x in xs:
            row = [*row, x]
            if x > 1:
                rows.append(len(row))
                row = []
        return rows, row

    return f


@program(1, 4, 9)
def text_in_a_handler():
    def f(x):
        d = {"a": 1}
        k = "a" if x > 3 else "zz"
        try:
            r = f"{d[k]}"
        except KeyError:
            r = f"no {x + 1}"
        return r

    return f


@program(1, 4, 9)
def error_as_text():
    def f(x):
        d = {"a": 1}
        k = "a" if x > 3 else "zz"
        try:
            r = f"{d[k]}"
        except KeyError as e:
            r = f"no {e}"
        return r

    return f


@program(1, 4, 9)
def cmp_nested():
    def f(x):
        a = [1, x]
        b = [1, 4]
        if x > 5:
            a.append(0)
        return (
            [a, b] == [b, a],
            (a, 1) == ([1, 4], 1),
            {"k": a} == {"k": [1, 9, 0]},
            [a] != [b],
            [b, 1] < [a, 2],
        )

    return f


@program(1, 4, 9)
def branch_text():
    def f(x):
        k = "a" if x > 3 else "zz"
        r = f"<{k}>"
        if x > 5:
            r = f"[{k}]"
        return r

    return f


@program(1, refused=(tl.errors.ListItemError, "None or something else there, as a copy"))
def one_of_two_or_none_changed():
    a, b = [1], [2]

    def f(x):
        cur = None
        if x > 3:
            cur = a
        if x > 5:
            cur = b
        if cur is not None:
            cur += [7]
        return x

    return f
