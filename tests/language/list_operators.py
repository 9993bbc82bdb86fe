"""`*` and `+=` of lists, slices, and comparisons of lists that the graph holds."""

from __future__ import annotations

# ruff: noqa: RUF005 - these are what is tried
import heapq

import treadle as tl

from .harness import Collection

program = Collection()


class Named:
    def __init__(self, n):
        self.n = n


@program(3, 5)
def mul_len():
    def f(x):
        items = [i for i in tl.range(x)]
        return [0] * len(items[::2])

    return f


@program(3, 5)
def mul_int():
    def f(x):
        n = int(x)
        items = [0] * n
        items[1] = 5
        return items, len(items)

    return f


@program(3, 5)
def mul_rev():
    def f(x):
        return int(x) * [1, 2], len([0] * int(x)), (1, 2) * 2

    return f


@program(3, 5)
def step_set():
    def f(x):
        items = [i for i in tl.range(x)]
        items[::2] = [v + 20 for v in items[::2]]
        items[::-1] = [v + 10 for v in items]
        return items

    return f


@program(3, 5)
def step_set_bad():
    def f(x):
        items = [i for i in tl.range(x)]
        try:
            items[::2] = [1, 2]
        except ValueError:
            return -1
        return items[0]

    return f


@program([3, 1, 2], [1, 2, 5])
def dp():
    def f(xs):
        n = len([x for x in xs if x > 1])
        dp = [0] * (n + 1)
        dp[0] = 1
        for i in range(1, n + 1):
            dp[i] = dp[i - 1] * 2 + i
        return dp, sum(dp), dp[n]

    return f


@program(3, 5)
def sieve():
    def f(x):
        n = int(x)
        ok = [True] * (n + 1)
        i = 2
        while i <= n:
            if ok[i]:
                j = i * i
                while j <= n:
                    ok[j] = False
                    j += i
            i += 1
        return sum([1 for i in range(2, n + 1) if ok[i]])

    return f


@program(3, 5)
def mul_tensor():
    def f(x):
        return [1, 2] * x

    return f


@program(3, 5)
def mul_neg():
    def f(x):
        n = int(x) - 4
        return [1, 2] * n, len([7] * n)

    return f


@program(3, 5)
def mul_text():
    def f(x):
        n = int(x)
        items = ["a"] * n
        items.append("b")
        return "".join(items), "-" * n, ", ".join(["x"] * n)

    return f


@program(3, 5)
def mul_times_eq():
    def f(x):
        items = [1]
        items *= int(x)
        return items, len(items)

    return f


@program(3, 5)
def mul_none():
    def f(x):
        n = int(x)
        items = [None] * n
        return len(items), items[0] is None

    return f


@program(3, 5)
def mul_alias():
    def f(x):
        items = [1]
        m = items
        items *= int(x)
        return len(m), m is items

    return f


@program(1, 4, 9)
def chosen_iadd():
    def f(x):
        a, b = [1], [2, 3]
        c = a if x > 3 else b
        c += [7]
        d = c
        d *= 2
        return a, b, c, d is c

    return f


@program(1, 4, 9)
def chosen_ior():
    def f(x):
        a, b = {"k": 1}, {"k": 2}
        c = a if x > 3 else b
        c |= {"k": 5}
        return a["k"], b["k"], c["k"]

    return f


@program(1, 4, 9)
def chosen_iadd_outer():
    a, b = [1], [2, 3]

    def f(x):
        c = a if x > 3 else b
        c += (x, 2)
        return len(c)

    return f, lambda: (list(map(int, a)), list(map(int, b)))


@program(1, 4, 9)
def aug_kinds():
    def f(x):
        s = "a"
        t = (1,)
        n = x
        items = [1]
        d = {"a": 1}
        q = 2.5
        if x > 3:
            s += "b"
            t += (2,)
            n += 2
            items += [x]
            d |= {"a": 4}
            q *= 2
        else:
            t += (3,)
            n *= 3
            items *= 2
            s *= 2
        return s, t, n, items, d, q

    return f


@program(1, 4, 9)
def iadd_text():
    def f(x):
        s = ""
        items = []
        for i in tl.range(x):
            s += f"{i},"
            items += [i, i]
        return s, items

    return f


@program(1, 4)
def iadd_error():
    def f(x):
        items = [1]
        try:
            items += 5
        except TypeError:
            return -3
        return 2

    return f


@program(1, 5, 1)
def hp2():
    h = [4, 6]

    def f(x):
        if x > 3:
            heapq.heappush(h, x)
        else:
            heapq.heappush(h, 0)
        return len(h)

    return f, lambda: list(map(int, h))


@program(1, 5)
def sort_objs():
    def f(x):
        ps = [Named(3), Named(x), Named(2)]
        ps.sort(key=lambda p: p.n)
        ps[0].n += 100
        return [p.n for p in ps]

    return f


@program([5, 6, 2], [1, 1, 1])
def lt_lists():
    def f(xs):
        items = [x for x in xs if x > 1]
        m = [x for x in xs if x > 2]
        return items < m, items < [3], items <= m, items == m, items > [5, 6]

    return f


@program([5, 6, 2], [1, 1, 2])
def slices():
    def f(xs):
        items = [x for x in xs if x > 1]
        items[1:2] = [7, 8]
        items[:0] = [3]
        m = items[:]
        m[:] = [4]
        items[::2] = [0] * len(items[::2])
        return items, m

    return f


@program([5, 5, 2], [1, 1, 1], [1, 2, 3])
def run_length():
    def f(xs):
        prev = None
        runs = []
        n = 0
        for x in xs:
            if prev is None or x != prev:
                if prev is not None:
                    runs.append((prev, n))
                prev, n = x, 1
            else:
                n += 1
        runs.append((prev, n))
        return [a for a, b in runs], [b for a, b in runs]

    return f


@program([5, 6, 2], [1, 1, 2], [5, 5, 5])
def index_start():
    def f(xs):
        items = [x for x in xs if x > 1]
        try:
            return items.index(5, 1)
        except ValueError:
            return -1

    return f


@program([5, 6, 2], [1, 1, 1])
def and_item_if():
    def f(xs):
        items = [x for x in xs if x > 1]
        if items and items[0] > 3:
            return 1
        return 0

    return f


@program(1, 4, 9)
def chosen_list_changes():
    def f(x):
        a, b = [1], [2, 3]
        c = a if x > 3 else b
        c.append(x)
        c[0] = 50
        c += [7]
        d = c[:]
        d.append(0)
        return a, b, c, d, len(a), c is a

    return f


@program(1, 4, 9)
def tuple_swap():
    def f(x):
        a, b, c = (1, 2, 3) if x > 3 else (x, 5, 6)
        t = (a, b) + (c,)
        if x > 5:
            t = t[::-1]
        return t, t[0], len(t), t.index(c), t.count(5), max(t), 5 in t

    return f
