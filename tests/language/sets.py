"""Sets whose items only the run knows."""

from __future__ import annotations

import treadle as tl

from .harness import Collection

program = Collection()


@program([3, 3, 1], [1, 2, 2])
def seen():
    def f(x):
        seen = set()
        out = []
        for v in x:
            if int(v) not in seen:
                seen.add(int(v))
                out.append(v)
        return out, len(seen)

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def set_ops():
    def f(x):
        s = set()
        for v in x:
            s.add(int(v))
        n = len(s)
        s.discard(3)
        s.discard(99)
        t = s.copy()
        s.clear()
        t.add(5)
        return n, len(s), t, sorted(t), max(t), sum(t), 1 if s else 0, 5 in t

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def set_remove():
    def f(x):
        s = {1, 2, 3}
        for v in x:
            s.remove(int(v))
        return s

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def texts_of_a_set():
    def f(x):
        s = set()
        for v in x:
            if v > 2:
                s.add("big")
            else:
                s.add("small")
        return s, len(s), "big" in s

    return f


def _filled(x):
    found = set()
    for v in x:
        found.add(int(v))
    return found


NO_ORDER = "they have no order then: use sorted"


@program([3, 1], refused=(tl.errors.ConversionError, NO_ORDER))
def set_gone_over():
    def f(x):
        return [v + 1 for v in _filled(x)]

    return f


@program(
    [3, 1],
    refused=(tl.errors.ConversionError, "a set gets a symbolic number as an item or key"),
)
def set_that_python_made():
    seen = set()

    def f(x):
        for v in x:
            seen.add(int(v))

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1], [1, 1, 1, 1])
def operators_of_sets():
    def f(x):
        seen, other = _filled(x), {1, 2}
        joined = seen | other, other | seen, other.union(seen)
        common = seen & other, other & seen, seen.intersection(other)
        less = seen - other, other - seen, seen ^ other, other.difference(seen)
        return joined, common, less, seen, other

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1], [1, 1, 1, 1])
def comparisons_of_sets():
    def f(x):
        seen, other = _filled(x), {1, 2}
        sizes = seen <= other, seen < other, seen >= other, other > seen, seen <= seen
        same = seen == other, seen != {1}, {1} == seen, seen == [1]
        return sizes, same, seen.issubset(other), other.issuperset(seen), seen.isdisjoint({7})

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1], [1, 1, 1, 1])
def sets_changed_by_operators():
    class Box:
        pass

    def f(x):
        box = Box()
        box.seen, other = _filled(x), {1, 2}
        same = box.seen
        box.seen -= {1}
        other -= same
        same |= {8, 9}
        other ^= same
        third = other
        third &= {2, 8, 3}
        return box.seen, other, third is other, same is box.seen

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def nodes_not_seen():
    def f(x):
        left = {v for v in range(9)} - _filled(x)
        return len(left), sorted(left), int(x[0]) in {int(x[1]), 7}

    return f


@program([3, 1], [2, 9])
def set_filled_in_a_loop_that_may_raise():
    def f(x):
        seen, known = set(), {3: 1, 1: 1, 2: 2}
        try:
            for v in x:
                seen.add(known[int(v)])
        except KeyError:
            seen |= {7}
        return seen

    return f
