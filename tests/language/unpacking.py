"""`a, *b = items` of what the graph holds."""

from __future__ import annotations

from collections import deque

import treadle as tl

from .harness import Collection
from .held_lists import XS, above

program = Collection()


@program(*XS)
def first_and_rest():
    def f(xs):
        a, *b = above(xs)
        return a, b, len(b)

    return f


@program(*XS)
def rest_and_last():
    def f(xs):
        found = above(xs)
        *a, b = found
        a.append(b)
        return a, b, found

    return f


@program(*XS)
def middle():
    def f(xs):
        a, *b, c = above(xs)
        return a, b, c

    return f


@program(*XS)
def all_of_it():
    def f(xs):
        found = above(xs)
        (*a,) = found
        a.append(xs[0])
        return a, found

    return f


@program([1, 1], [5, 1])
def of_a_list_that_is_empty_on_each_path():
    def f(xs):
        found = []
        if xs[0] > 3:
            found.clear()
        (*a,) = found
        try:
            b, *a = found
        except ValueError:
            b = xs[1]
        return a, b

    return f


@program(*XS, [7, 1, 8])
def two_of_them():
    def f(xs):
        [a, b] = above(xs)
        return a, b

    return f


@program(*XS)
def three_of_them_caught():
    def f(xs):
        try:
            a, b, c = above(xs)
        except ValueError:
            return -1
        return a + b - c

    return f


@program(2, 5)
def under_a_condition():
    def f(x):
        found = [x, x + 1]
        if x > 3:
            found.append(7)
        a, *b = found
        return a, b

    return f


@program(*XS)
def several_targets():
    def f(xs):
        whole = a, *b = above(xs)
        whole.append(a)
        return whole, b

    return f


@program(*XS)
def into_places():
    class Box:
        pass

    def f(xs):
        box = Box()
        box.items = [0, [0]]
        box.first, *box.items[1] = above(xs, 0)
        return box.first, box.items

    return f


@program(*XS)
def into_items_of_a_list():
    def f(xs):
        items = [0, 0]
        items[1], *rest, items[0] = above(xs)
        return items, rest

    return f


@program(*XS)
def nested_targets():
    def f(xs):
        (a, *b), c = above(xs), xs[0]
        d, (e, *g) = c, above(xs, 0)
        return a, b, c, d, e, g

    return f


@program(*XS)
def nested_targets_of_pairs():
    def f(xs):
        pairs = [(x, (x + 1, x * 2)) for x in xs if x > 1]
        (a, (b, c)), *rest = pairs
        return a, b, c, rest

    return f


@program(*XS)
def starred_targets_with_targets():
    def f(xs):
        a, *[b, *c] = above(xs)
        return a, b, c

    return f


@program(*XS)
def swapped_in():
    def f(xs):
        a, b = above(xs), above(xs, 5)
        a, b = b, a
        (*a,), (*b,) = a, b
        return a, b

    return f


@program(*XS)
def in_for_targets():
    def f(xs):
        out = []
        for a, *b in [above(xs, 0), above(xs, 0)]:
            out.append(a + len(b))
        for i, (a, *b) in enumerate([above(xs, 0), above(xs, 0)]):
            out.append(a + len(b) + i)
        return out

    return f


@program([7, 1, 8], [1, 1, 1])
def in_for_targets_of_a_fixed_number():
    def f(xs):
        total = 0
        for a, b in [above(xs), above(xs)]:
            total += a * b
        return total

    return f


@program([7, 1, 8], [1, 1, 1])
def in_comprehensions():
    def f(xs):
        rows = [above(xs), above(xs)]
        return [a * b for a, b in rows], [a + len(b) for a, *b in rows]

    return f


@program([7, 1, 8], [1, 1, 1])
def in_comprehensions_over_streams():
    def f(xs):
        found = above(xs)
        pairs = [(i, (a, b + i)) for i, (a, b) in enumerate(zip(found, xs))]
        firsts = {i: a for i, (a, _) in pairs if a > 7}
        return pairs, firsts, sum(b for *_, (_a, b) in pairs), [v for (v,) in zip(found)]

    return f


@program([7, 1, 8], [1, 1, 1])
def in_a_comprehension_with_a_lambda():
    def f(xs):
        rows = [above(xs, 0), above(xs, 0)]
        return [max(b, key=lambda v: v * a, default=a) for a, *b in rows]

    return f


@program(
    [7, 1, 8],
    refused=(tl.errors.ConversionError, "goes over items of a number .* 'for' loop"),
)
def in_a_comprehension_that_makes_functions():
    def f(xs):
        return len([lambda: v for v in above(xs)])

    return f


@program(
    [7, 1, 8],
    refused=(tl.errors.ConversionError, "a list whose length .* can't be an item of another"),
)
def zipped_with_a_list_of_such():
    def f(xs):
        found = above(xs)
        return [len(b) + a for a, b in zip(found, [found, found])]

    return f


@program(*XS)
def of_a_deque():
    def f(xs):
        found = deque()
        for x in xs:
            if x > 1:
                found.append(x)
        a, *b = found
        b.append(a)
        return b, list(found)

    return f


@program([7, 1, 8], [1, 1, 1])
def of_streams():
    def f(xs):
        found = above(xs)
        a, b = zip(found, found)
        (c, d), (e, g) = enumerate(found)
        h, *i = map(lambda v: v + 1, found)
        j, *k = (v * 2 for v in found)
        m, *n = reversed(found)
        return a, b, c, d, e, g, h, i, j, k, m, n

    return f


@program([7, 1, 8], [1, 1, 1])
def of_rows():
    def f(xs):
        found = tl.boolean_mask(xs, xs > 1)
        a, *b = found
        c, d = found
        return a, b, c, d

    return f


@program([7, 1, 8], [1, 1, 1], [2, 3, 4])
def of_a_dict():
    def f(xs):
        table = {}
        for x in xs:
            if x > 1:
                table[int(x)] = x + 1
        a, *b = table
        (c, d), *e = table.items()
        g, h = table.values()
        return a, b, c, d, e, g, h

    return f


@program([7, 1, 8], [1, 1, 1])
def of_the_users_own():
    class Bag:
        def __init__(self, xs):
            self.held = [x for x in xs if x > 1]

        def __iter__(self):
            return iter(self.held)

    class Lazy(Bag):
        def __iter__(self):
            for x in self.held:
                yield x
                yield x + 1

    class Own(list):
        pass

    def f(xs):
        a, b = Bag(xs)
        c, *d = Lazy(xs)
        own = Own()
        for x in xs:
            if x > 1:
                own.append(x)
        e, *g = own
        return a, b, c, d, e, g

    return f


@program(3)
def of_what_python_holds():
    def f(x):
        (_, b), *c = zip("abc", (x, 2, 3))
        d, (e, g) = {"k": 1}, {"l": 2, "m": 3}
        h, (i, j) = (n for n in (x, range(2)))
        (k, m), n = "ab", x
        o, *p = {"q": 1}
        return b, len(c), d, len(e + g), h, i, j, len(k + m), n, len(o), len(p)

    return f


@program(3)
def too_many_for_python():
    def f(x):
        try:
            (a, b), c = (x, x, x), 1
        except ValueError:
            a, b, c = x, x + 1, 2
        try:
            _, (e, _) = iter([x, (x,), x])
        except ValueError:
            e = x
        return a, b, c, e

    return f


@program(*XS)
def handed_on_as_arguments():
    def f(xs):
        def sized(*values):
            return len(values)

        a, *b = above(xs, 0)
        return sized(a, b), max(b), [*b, a]

    return f


@program([7, 1, 8], [1, 1, 1])
def in_a_loop():
    def f(xs):
        rest = above(xs)
        total = 0
        while rest:
            first, *rest = rest
            total = total * 10 + first
        return total

    return f


@program([7, 1, 8], [1, 1, 1])
def in_a_generator():
    def f(xs):
        def parts(items):
            while items:
                first, *items = items
                yield first

        return [v + 1 for v in parts(above(xs))]

    return f
