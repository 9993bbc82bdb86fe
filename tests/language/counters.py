"""Counters and dicts with defaults whose keys only the run knows."""

from __future__ import annotations

from collections import Counter, defaultdict

import treadle as tl

from .harness import Collection

program = Collection()


@program([3, 3, 1], [1, 2, 2])
def counts_by_default():
    def f(x):
        c = defaultdict(int)
        for v in x:
            c[int(v)] += 1
        return [(k, v) for k, v in c.items()]

    return f


@program([3, 3, 1], [1, 2, 2])
def counter():
    def f(x):
        c = Counter()
        for v in x:
            c[int(v)] += 1
        return c.most_common(1)[0][0]

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def counter_of_items():
    def f(x):
        c = Counter(int(v) for v in x)
        return c[3], c[50], len(c), c.most_common(2), sum(c.values()), c.total()

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def counter_update():
    def f(x):
        c = Counter()
        c.update(int(v) for v in x)
        return c.most_common(1)

    return f


@program([3, 1], refused=(tl.errors.ConversionError, "a dict gets a symbolic number as a key"))
def lists_by_default():
    def f(x):
        d = defaultdict(list)
        for v in x:
            d[int(v)].append(v)
        return len(d)

    return f


@program([3, 1], [9, 1])
def default_in_a_handler():
    def f(x):
        found, missed = {3: 1}, defaultdict(int)
        try:
            found[int(x[0])] += 1
        except KeyError:
            missed[1] += 7
        return found, missed

    return f


@program([3, 1], [9, 1])
def counter_in_a_handler():
    def f(x):
        found, missed = {}, Counter()
        try:
            found[int(x[0])] += 1
        except KeyError:
            missed[int(x[1])] += 7
        return found, missed

    return f


@program([1, 3], [0, 3])
def default_that_is_not_asked_for():
    counts = defaultdict(int)

    def f(x):
        total = 0
        if len(counts) > 5:
            total += counts[2]
        return total + x[0]

    return f, lambda: counts
