"""Lists of a length that the run tells: their methods, items, slices, and what goes over them."""

from __future__ import annotations

import copy
import itertools
import operator
from collections import deque

import treadle as tl

from .harness import Collection

program = Collection()

XS = ([5, 6, 2], [1, 6, 1], [1, 1, 1], [9, 8, 7, 6, 5])


def above(xs, least=1):
    found = []
    for x in xs:
        if x > least:
            found.append(x)
    return found


@program(*XS)
def removed():
    def f(xs):
        found = above(xs)
        found.remove(6)
        return found

    return f


@program(*XS)
def removed_one_after_the_other():
    def f(xs):
        found = above(xs)
        count = 0
        for x in found[:]:
            if x > 5:
                found.remove(x)
                count += 1
        return found, count

    return f


@program(*XS)
def sorted_copy():
    def f(xs):
        found = above(xs)
        again = found.copy()
        again.sort()
        more = found + [3]  # noqa: RUF005
        more.sort(key=lambda v: -v)
        return found, again, more, more.count(6), found[1:].count(6)

    return f


@program(*XS)
def places_of_items():
    def f(xs):
        found = [x for x in xs if x != 2]
        try:
            return found.index(6)
        except ValueError:
            return -1

    return f


@program(*XS)
def places_within_bounds():
    def f(xs):
        found, places = above(xs), []
        for start, stop in ((1, 9), (0, 1), (-2, 9), (-9, -1)):
            try:
                places.append(found.index(6, start, stop))
            except ValueError:
                places.append(-1)
        return places

    return f


@program(([5, 6], 1), ([6, 5], 1), ([6, 6], 0))
def places_within_bounds_that_the_run_tells():
    def f(xs, start):
        try:
            return [7, xs[0], 6, 6].index(6, start + 1), above(xs).index(6, start)
        except ValueError:
            return -1, -1

    return f


@program(*XS)
def tuples_among_the_items():
    def f(xs):
        pairs = [(x, x * 2) for x in xs if x > 1]
        known = (6, 12) in pairs
        other = (6,) in pairs or 6 in pairs
        number = pairs.count((6, 12))
        place = pairs.index((6, 12)) if known else -1
        if known:
            pairs.remove((6, 12))
        return known, other, number, place, pairs

    return f


@program(*XS)
def items_assigned_out_of_range():
    def f(xs):
        found = above(xs)
        try:
            found[1] = 7
        except IndexError:
            found.append(0)
        try:
            found[-3] = 8
        except IndexError:
            found.append(1)
        try:
            del found[4]
        except IndexError:
            found.append(2)
        try:
            found.pop(3)
        except IndexError:
            found.append(3)
        return found

    return f


@program(*XS)
def slices_assigned():
    def f(xs):
        a, b, c, d, e = (above(xs) for _ in range(5))
        a[1:2] = [1, 2]
        b[:] = [3]
        c[:0] = c
        d[-1:] = xs
        e[2:1] = (v * 2 for v in a)
        return a, b, c, d, e

    return f


@program(2, 0, 7)
def slices_assigned_at_places_of_the_run():
    def f(n):
        items = [1, 2, 3]
        items[n:] = [n]
        more = [1, 2, 3]
        more[1:2] = items
        return items, more

    return f


@program(*XS)
def put_in_order():
    def f(xs):
        found = [*above(xs)]
        tuples = [(x, -x) for x in above(xs)]
        return (
            *(found < [6], found <= [5, 6], found > [6, 1], found >= [9, 8]),
            *(found < found[:], found <= found[:], [5, 6] < found, found > []),
            *(tuples < [(5, -4)], tuples > [(6, -7)], found < [1, 2, 3] < [4]),
        )

    return f


@program(*XS)
def zipped_with_what_has_no_places():
    def f(xs):
        found = above(xs)
        table = dict(zip("ab", found))
        pairs = list(zip({1: 2, 3: 4}, found)) + list(zip(found, deque([7])))
        return table, pairs, [len(p) for p in map(lambda a, b: (a, b), "ab", found)]

    return f


@program(0, 2)
def zipped_lists_of_known_length():
    def f(i):
        items = [1, 2, 3]
        items[i] = 5
        return (
            list(zip({7: 1, 8: 2, 9: 3}, items)),
            dict(zip((1, 2), items)),
            list(zip([7, 8], items)),
        )

    return f


@program(*XS)
def in_groups():
    def f(xs):
        pairs = list(zip(*[iter(above(xs))] * 2))
        return pairs, [a + b for a, b in pairs]

    return f


@program([5, 6, 2], refused=(tl.errors.ConversionError, "make a list of the other one"))
def zipped_without_an_end():
    def f(xs):
        return list(zip(itertools.count(), above(xs)))

    return f


@program([5, 6, 2], refused=(tl.errors.ConversionError, "product.* items of a number that only"))
def all_pairs():
    def f(xs):
        return list(itertools.product(above(xs), [1, 2]))

    return f


@program([5, 6, 2], refused=(tl.errors.ConversionError, "frozenset.* items of a number that only"))
def frozen():
    def f(xs):
        return len(frozenset(above(xs)))

    return f


@program(*XS)
def by_functions_of_operator():
    def f(xs):
        found = above(xs)
        if operator.length_hint(found) < 2:
            return ((0, 0), 0), -1, 0, 0
        pair = operator.itemgetter(0, -1)(found), operator.itemgetter(1)(found)
        found += min(zip(found, xs), key=operator.itemgetter(1))
        return (
            pair,
            operator.getitem(found, 1),
            operator.countOf(found, 6),
            operator.length_hint(found),
        )

    return f


@program(*XS)
def copied():
    def f(xs):
        found = above(xs)
        for twice in (copy.copy(found), copy.deepcopy(found)):
            twice.append(xs[0])
        rows = copy.deepcopy([found, [1]])
        rows[0].append(1)
        return found, twice, rows, list(found.__reversed__())

    return f


@program(*XS)
def deques():
    def f(xs):
        found = deque(above(xs))
        try:
            place = found.index(6, 1)
        except ValueError:
            place = -1
        try:
            found.remove(6)
        except ValueError:
            found.append(0)
        try:
            found[1] = 8
        except IndexError:
            found.append(1)
        try:
            del found[2]
        except IndexError:
            found.append(2)
        return place, list(found), found.count(8)

    return f


@program(*XS)
def lists_of_the_users_class():
    class Own(list):
        pass

    def f(xs):
        found = Own()
        for x in xs:
            if x > 1:
                found.append(x)
        try:
            place = found.index(6, 1)
        except ValueError:
            place = -1
        try:
            found.remove(6)
        except ValueError:
            found.append(0)
        found[1:] = [8, 9]
        found.sort(reverse=True)
        return place, list(found), found > [8]

    return f


@program(*XS)
def runs_of_equal_items():
    def f(xs):
        last, runs, count = None, [], 0
        for x in xs:
            if last is None or x != last:
                if last is not None:
                    runs.append((last, count))
                last, count = x, 1
            else:
                count += 1
        if last is not None:
            runs.append((last, count))
        return runs

    return f
