"""`filter`, `itertools` and `math.prod` over tensors and over items that the run makes."""

from __future__ import annotations

import itertools
import math

from treadle import errors

from .harness import Collection

program = Collection()


@program([1, 5, 3], [2, 2, 2])
def comprehension_over_filter():
    def f(xs):
        return [v for v in filter(lambda v: v > 2, xs)], sum(
            v for v in filter(lambda v: v > 2, xs) if v < 4
        )

    return f


@program([1, 5, 3])
def enumerated_filter():
    def f(xs):
        return (
            [v + i for i, v in enumerate(filter(lambda v: v > 2, xs))],
            max(v for v in filter(None, xs)),
            [a for v in filter(lambda v: v > 1, [xs[0], xs[1]]) for a in (v, v + 1)],
        )

    return f


@program([1, 5, 3])
def product_of_numbers():
    def f(xs):
        return (
            math.prod(xs),
            math.prod([x for x in xs]),
            math.prod(x for x in xs if x > 1),
            math.prod([xs[0], xs[1]], start=2),
            math.prod([2, 3]),
        )

    return f


@program(2, 5)
def items_of_known_number():
    def f(x):
        items = [x, x + 1, 3]
        c = [1 if x > 3 else 2, 4]
        a = list(itertools.product(items, c))
        b = [p * q for p, q in itertools.combinations(items, 2) if p > 2]
        d = sum(p * (q or 1) for p, q in itertools.zip_longest(items, c, fillvalue=7))
        e = list(itertools.compress(items, [True, False, True]))
        g = list(itertools.compress(items, [x > 3, x < 3, True]))
        t = 0
        for p, q in itertools.product(items, c):
            if p > q:
                t += p
        for p in itertools.permutations(items, 2):
            if p[0] > p[1]:
                t += p[0]
        for p, q in itertools.combinations_with_replacement(items, 2):
            if p > q:
                t += p
        return a, b, d, e, t, len(g), g

    return f


@program([1, 5, 3])
def rows_of_a_tensor():
    def f(xs):
        t = 0
        for a, b in itertools.combinations(xs, 2):
            if a > b:
                t += a * b
        u = [a + b for a, b in itertools.product(xs, xs) if a != b]
        z = [(a, b) for a, b in itertools.zip_longest(xs, xs[:2], fillvalue=0)]
        c = list(itertools.compress(xs, xs > 2))
        d = list(itertools.compress(xs, [x > 2 for x in xs]))
        return t, u, z, c, d

    return f


@program([1, 1, 3, 3, 3, 2])
def groups_of_rows():
    def f(xs):
        out = []
        for k, g in itertools.groupby(xs):
            out.append((k, sum(g)))
        return out

    return f


@program(2, 5)
def groups_of_known_items():
    def f(x):
        items = [1, 2, 4, 6, 7, 9]
        out = []
        for k, g in itertools.groupby(items, key=lambda v: v % 2):
            t = 0
            for v in g:
                if v > x:
                    t += v
            out.append((k, t))
        return out

    return f


@program([1, 5, 3], refused=(errors.ConversionError, r"combinations\(\) at iteration_tools.py"))
def combinations_of_unknown_number():
    return lambda xs: list(itertools.combinations([x for x in xs if x > 1], 2))


@program([1, 5, 3])
def generator_expression_with_a_name():
    def f(xs):
        pairs = sorted(((x % 3, x) for x in xs), key=lambda p: (-p[0], p[1]))
        g = (p[1] for p in pairs if p[0] > 0)
        return pairs, sum(g)

    return f


@program([1, 5, 3])
def generator_expressions_that_go_elsewhere():
    def total(it):
        t = 0
        for v in it:
            t += v
        return t

    def f(xs):
        items = [xs[0], xs[1], xs[2]]
        g = (v for v in items if v > 2)
        h = (v for v in [1, 2, 3] if v > 1)
        a = next(h)
        k = (a * b for a in items for b in items if a > b)
        return (
            sum(g),
            a,
            list(h),
            total(v * 2 for v in items if v > 1),
            list(zip((v for v in [1, 2, 3] if v > 1), items)),
            max(k),
            list(g),
            list(enumerate(v for v in [3, 4] if v > 3)),
            dict((v, 1) for v in [3, 4] if v > 3),
            set(v for v in [3, 4] if v),
            ",".join(str(v) for v in [1, 2, 3] if v > 1),
        )

    return f


@program([1, 5, 3])
def generator_expressions_used_up():
    def f(xs):
        items = [xs[0], xs[1], xs[2]]
        g = (v for v in items if v > 2)
        t = 0
        for v in g:
            t += v
        u = [v + 1 for v in (w for w in items if w > 1)]
        return (
            t,
            u,
            any(v > 4 for v in items if v < 5),
            tuple(v for v in [1, 2] if v > 1),
            len(list(v for v in items if v > 1)),
        )

    return f


@program([1, 5, 3], [7, 2, 9])
def any_and_all_of_what_passes_a_test():
    def f(xs):
        items = [xs[0], xs[1], xs[2]]
        return (
            any(a > b for a in items if a > 2 for b in items if b < 5),
            all(a > b for a in items if a > 2 for b in items if b < 2),
            all(v > 2 for v in items if v > 1),
            any(v > 4 for v in items if v < 5),
            any(v > 4 for v in (w for w in items if w < 5)),
            any(items),
            all(v for v in items),
        )

    return f


@program(3, 1)
def iterators_over_filtered_generators():
    def f(x):
        items = [1, 2, x, 4]
        return (
            list(itertools.islice((v for v in items if v > 1), 1)),
            list(itertools.islice((v for v in items if v > 1), 2)),
            list(itertools.takewhile(lambda v: v < 4, (v for v in items if v > 1))),
            list(itertools.dropwhile(lambda v: v < 2, (v for v in items if v > x))),
            list(itertools.chain((v for v in items if v > 1), [5], (v for v in items if v > x))),
            list(itertools.accumulate(v for v in items if v > 1)),
            list(itertools.starmap(lambda a, b: a * b, ((v, 2) for v in items if v > 1))),
            list(itertools.filterfalse(lambda v: v % 2, (v for v in items if v > 1))),
        )

    return f


@program(3, 1)
def chained_from_an_iterable():
    def f(x):
        lists = [[x, 1], (v for v in [1, x] if v > 1)]
        pairs = itertools.chain.from_iterable((v, v + 1) for v in [1, x] if v > 1)
        return list(itertools.chain.from_iterable(lists)), list(pairs)

    return f


@program(3, 1)
def predicates_of_the_run_over_numbers():
    def f(x):
        total = 0
        for v in itertools.takewhile(lambda v: v < x, (1, 2, 3)):
            total += v
        first = next(itertools.dropwhile(lambda v: v < x, [1, 2, 3]))
        return total, first, list(itertools.filterfalse(lambda v: v < x, range(4)))

    return f


@program(3, 1)
def two_iterators():
    def f(x):
        a, b = itertools.tee(v for v in [1, 2, x] if v > 1)
        return list(a), sum(b)

    return f


@program(3, relaxed=True)
def left_over_a_filtered_generator():
    def f(x):
        found = []
        for v in (v for v in [1, 2, x, 4] if v > 1):
            if v > 3:
                break
            found.append(v)
        return found

    return f


@program(3, refused=(errors.ConversionError, "an iterator is used again"))
def rest_of_a_sliced_generator():
    def f(x):
        items = (v for v in [1, 2, x] if v > 1)
        return list(itertools.islice(items, 1)), list(items)

    return f
