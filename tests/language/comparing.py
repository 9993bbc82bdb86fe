"""Comparisons, texts and searches of what a tensor chose, or holds tensors."""

# ruff: noqa: FURB171, FURB192, UP031 - these are what is tried

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import treadle as tl

from .harness import Collection

program = Collection()


class Named:
    def __init__(self, n):
        self.n = n

    def __repr__(self):
        return f"Named({self.n})"


@dataclass
class A:
    v: object


@dataclass(order=True)
class B:
    v: object


@program(1, 5)
def obj_text():
    a, b = Named(1), Named(2)

    def f(x):
        s = a if x > 3 else b
        return str(s), repr(s), f"{s}", "%s" % s, f"{[s]}", f"{s!r:>8}", f"{s}"

    return f


@program(1, 5)
def obj_text_new():
    def f(x):
        s = Named(x) if x > 3 else Named(x + 1)
        return str(s), repr(s), f"{s}", "%s" % s, f"{[s]}"

    return f


@program(1, 5)
def index_chosen():
    a, b = Named(1), Named(2)

    def f(x):
        s = a if x > 3 else b
        return [a, b].index(s), [a, b].count(s), s in [a], [a, a, b].index(s, 1), s in (a, 3)

    return f


@program(1, 5)
def remove_chosen():
    a, b, c = Named(1), Named(2), Named(3)

    def f(x):
        s = a if x > 3 else b
        items = [a, b, c]
        items.remove(s)
        items[0].n += 10
        return len(items), items[0].n, items[1].n, items[0] is a, items[0] is b

    return f, lambda: (a.n, b.n, c.n)


@program(1, 5)
def remove_chosen_outer():
    a, b, c = Named(1), Named(2), Named(3)
    items = [a, b, c, a, b, c]

    def f(x):
        s = a if x > 3 else b
        items.remove(s)
        return len(items)

    return f, lambda: ([v.n for v in items], items[0] is a, items[0] is b)


@program(1, 5)
def dc_eq():
    def f(x):
        b = A(5) if x > 3 else A(x + 1)
        return (
            A(5) == b,
            b == A(5),
            [b].index(A(5)) if x > 3 else -1,
            A(5) in [b],
            (A(5), 1) == (b, 1),
            A(5) != b,
            [b] == [A(2)],
            [A(2), A(5)].index(b),
            [b, b].count(A(5)),
        )

    return f


@program(1, 5)
def dc_order():
    def f(x):
        b = B(5) if x > 3 else B(x + 1)
        return (
            B(3) < b,
            b < B(3),
            max(b, B(3)).v,
            sorted([b, B(3), B(4)])[0].v,
            B(2) <= b,
            (B(2), 1) < (b, 0),
        )

    return f


@program(1, 5)
def opt_tuple():
    def f(x):
        s = None
        if x > 3:
            s = x
        return (s, 1) == (None, 1), [s] == [5], (1, s) != (1, None), s == 5

    return f


@program(1, 5)
def text_cmp():
    def f(x):
        s = "ab" if x > 3 else "c"
        return (
            (s, 1) == ("ab", 1),
            [s] < ["b"],
            sorted([s, "b"]),
            sorted([(s, 1), ("b", 0)])[0][1],
            max((s, 1), ("b", 2))[1],
            ["ab"] == [s],
            {"k": s} == {"k": "ab"},
            ["ab", "c"].index(s),
            ["c", "c", "ab"].count(s),
        )

    return f


@program(1, 5)
def hash_id():
    a, b = Named(1), Named(2)

    def f(x):
        s = a if x > 3 else b
        return hash(s) == hash(a)

    return f


@program(1, 5)
def remove_ints():
    def f(x):
        items = [1, 5, x, 7]
        items.remove(x)
        return items, len(items)

    return f


@program(1, 5)
def deque_idx():
    a, b = Named(1), Named(2)

    def f(x):
        s = a if x > 3 else b
        d = deque([a, b, a])
        i = d.index(s)
        d.remove(s)
        return i, d[0].n, len(d), d.count(s)

    return f


@program(1, 5)
def user_eq():
    class V:
        def __init__(self, x):
            self.x = x

        def __eq__(self, o):
            return self.x == o.x

        __hash__ = None

    def f(x):
        items = [V(1), V(x), V(5)]
        return (
            items.index(V(5)),
            items.count(V(5)),
            V(5) in items,
            (V(x), 2) == (V(5), 2),
            [V(x)] == [V(5)],
        )

    return f


@program(1, 5)
def index_missing():
    a, b = Named(1), Named(2)

    def f(x):
        s = a if x > 3 else b
        try:
            return [a].index(s)
        except ValueError:
            return -5

    return f


@program(1, 4)
def chosen_texts_whole():
    def f(x):
        s = "ab" if x > 3 else "a"
        return str(s), repr(s), [c for c in s], [*s], list(reversed(s)), hash(s) == hash("ab")

    return f


@program(1, 4)
def index_in_a_chosen_text():
    def f(x):
        s = "ab" if x > 3 else "a"
        return s.index("b")

    return f


@program(4, 1)
def number_of_a_chosen_text():
    def f(x):
        s = "3" if x > 3 else "b"
        return int(s) + x

    return f


@program(1, refused=(tl.errors.ConversionError, "only the run knows: use what it is of"))
def hash_of_a_built_text():
    def f(x):
        s = ""
        for _ in tl.range(x):
            s += "a"
        return hash(s) == hash("a")

    return f
