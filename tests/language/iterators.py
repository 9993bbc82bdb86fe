"""Iterators of the user's classes, and `itertools`."""

from __future__ import annotations

import itertools

from .harness import Collection

program = Collection()


@program(5, 0)
def class_with_next():
    class Count:
        def __init__(self, n):
            self.n, self.i = n, 0

        def __iter__(self):
            return self

        def __next__(self):
            if self.i >= self.n:
                raise StopIteration
            self.i += 1
            return self.i

    def f(n):
        total = 0
        for v in Count(n):
            total += v
        return total, sum(Count(n))

    return f


@program([1.0, -2.0, 3.0], [-1.0, -2.0])
def class_with_a_generator():
    class Positive:
        def __init__(self, x):
            self.x = x

        def __iter__(self):
            for v in self.x:
                if v > 0:
                    yield v

    def f(x):
        total = 0.0
        for v in Positive(x):
            if v > 2:
                break
            total += v
        return total, list(Positive(x)), [v * 2 for v in Positive(x)], max(Positive(x), default=0.0)

    return f


@program([1.0, -2.0, 3.0])
def class_around_a_list():
    class Wrapped:
        def __init__(self, items):
            self.items = items

        def __iter__(self):
            return iter(self.items)

    def f(x):
        total = 0.0
        for v in Wrapped([x[0], x[1]]):
            if v > 0:
                total += v
        return total, sum(Wrapped([1, 2])), len(list(Wrapped([x])))

    return f


@program([1.0, 2.0, 5.0, 1.0], [5.0, 1.0])
def some_of_itertools():
    def f(x):
        small = sum(itertools.takewhile(lambda v: v < 3, x))
        rest = list(itertools.dropwhile(lambda v: v < 3, x))
        large = list(itertools.filterfalse(lambda v: v < 3, x))
        return small, rest, large, list(itertools.accumulate(x)), list(itertools.islice(x, 1))

    return f


@program([1.0, 2.0, 5.0, 1.0])
def more_of_itertools():
    def f(x):
        rises = 0.0
        for a, b in itertools.pairwise(x):
            if b > a:
                rises += b - a
        for i, v in enumerate(itertools.chain(x, itertools.islice(x, 1, 3))):
            rises += i * v
        return rises, list(itertools.starmap(max, [(x[0], 2.0)]))

    return f


@program([1.0, -2.0, 5.0], [-1.0])
def optional_items():
    def f(x):
        found = []
        for v in x:
            w = None
            if v > 0:
                w = v
            found.append(w)
        total = 0.0
        for w in found:
            if w is not None:
                total += w
        return found, total

    return f


@program(([1, 2, 3], 2), ([0, 5, 5], 9))
def names_set_before_break_and_in_else():
    def f(xs, t):
        for i, x in enumerate(xs):
            if x == t:
                where, value = i, x * 10
                break
            if x > 100:
                where = value = -7
                break
        else:
            where = -1
            if t > 5:
                value = 0
            else:
                value = 1
        return where, value

    return f


@program([[1, 2], [3, 4]], [[0, 0], [5, 1]])
def name_set_in_else_of_an_inner_loop():
    def f(rows):
        total = 0
        for row in rows:
            for v in row:
                if v > 2:
                    found = v
                    break
            else:
                found = 100
            total += found
        return total

    return f


GROWN = ([1, 2, 3], [2, 3, 4], [2, 1, 5])


@program(*GROWN)
def what_is_left_of_an_iterator():
    def f(xs):
        found = {i: x for i, x in enumerate(xs) if x > 1}
        items, values, keys = iter(found.items()), iter(found.values()), iter(found)
        first = next(items), next(values), next(keys)
        return first, [v for _, v in items], list(values), list(keys), next(keys, None) is None

    return f


@program(*GROWN)
def an_iterator_that_a_loop_advances_now_and_then():
    def f(xs):
        it = iter([x for x in xs if x > 1])
        total = 0
        for x in xs:
            if x > 2:
                total += next(it, 100)
        return total, list(it), list(it)

    return f


@program(*GROWN)
def an_iterator_that_a_break_leaves():
    def f(xs):
        found = [x for x in xs if x > 1]
        it = iter(found)
        for x in it:
            if x > 2:
                break
        found.append(9)
        again = iter(it)
        return [*again], sum(it)

    return f


@program(*GROWN)
def an_iterator_that_ends():
    def f(xs):
        it, last = iter([x for x in xs if x > 1]), 0
        try:
            last = next(it)
            last = next(it)
            last = next(it)
        except StopIteration:
            last += 100
        return last

    return f


@program(*GROWN)
def iterators_of_iterators():
    def f(xs):
        found = [x for x in xs if x > 1]
        numbered, both = enumerate(found), zip(xs, found, strict=False)
        first = next(numbered), next(both), next(reversed(found))
        return first, list(numbered), list(both), list(zip(*[iter(found)] * 2, strict=False))

    return f


class UpTo:
    def __init__(self, n):
        self.i = 0
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.i >= self.n:
            raise StopIteration
        self.i += 1
        return self.i


@program(3, 1)
def advanced_in_a_branch():
    kept = UpTo(4)

    def f(x):
        it, t = UpTo(3), 0
        if x > 2:
            t = next(it, 50)
            next(kept)
        return t, next(it, 60), it.i

    return f, lambda: kept.i


@program(3, 1, 0)
def advanced_as_often_as_the_run_tells():
    def f(x):
        it, t = UpTo(5), 0
        for _ in range(x):
            t += next(it)
        return t, it.i, sum(it), next(it, 7)

    return f


@program(3, 1, 0)
def ended_by_the_run():
    def f(x):
        it = UpTo(x)
        first = next(it, 9)
        try:
            return first + next(it)
        except StopIteration:
            return first - 100

    return f
