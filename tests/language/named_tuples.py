"""Order of named tuples, and of tuples that no literal shows."""

from __future__ import annotations

import typing
from collections import namedtuple

from .harness import Collection

program = Collection()

Pair = namedtuple("Pair", "x y")


class Point(typing.NamedTuple):
    x: int
    y: int = 0


class Turned(typing.NamedTuple):
    x: int

    def __lt__(self, other):
        if self.x > 4:
            return False
        return self.x > other.x


@program(3, 7)
def order_of_named_tuples():
    def f(x):
        p, q = Pair(x, 1), Pair(5, 1)
        direct = Pair(x, 1) > Pair(5, 1), Pair(x, 1) <= Pair(5, 1)
        if p.x > 4:
            q = q._replace(y=0)
        way = 1 if q > p else 2
        if q >= p:
            way += 10
        return direct, way, q < p, p == (x, 1), p > (5, 0)

    return f


@program(3, 7)
def chosen_named_tuples():
    def f(x):
        p = Pair(x, 1)
        q = Pair(5, 1) if x > 4 else Pair(3, 1)
        return q > p, q == p, max(p, q).x, min(p, q), max([p, q, Pair(4, x)])

    return f


@program(3, 7, 4)
def named_tuples_sorted():
    def f(x):
        points = [Point(x, 1), Point(4), Point(x), Point(5, x)]
        first, *_ = sorted(points)
        last = sorted(points, reverse=True)
        points.sort()
        keyed = sorted([(x, "b"), (4, "a")], key=lambda t: Point(t[0], 2))
        return first, last, points[1].x, keyed[0][0]

    return f


@program(3, 7, 4)
def tuples_within_tuples():
    def f(x):
        a, b = Pair(Point(x, 1), 2), Pair(Point(4, x), 1)
        return a < b, max(a, b).x.y, sorted([b, a])[1].y, (a, 1) >= (b, 2)

    return f


@program(3, 7)
def tuples_of_parameters():
    def before(a, b):
        return a < b

    def f(x):
        pairs = [(x, 1), (5, 2)]
        named = {"a": (x, 3)}
        first = pairs[0] < pairs[1], named["a"] >= pairs[1]
        return before((x, 1), (5, 0)), before([x], [5]), first, (1, 2) < (x, 2) < (6, 1)

    return f


@program(3, 7, 2)
def order_of_their_own():
    def f(x):
        p, q = Turned(x), Turned(3)
        return p < q, max(p, q).x, sorted([p, q])[1].x, min([q, p]).x

    return f
