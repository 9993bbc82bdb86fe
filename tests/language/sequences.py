"""Lists, comprehensions and generators."""

from __future__ import annotations

import functools

import numpy as np

import treadle as tl

from .harness import Collection

program = Collection()


@program([1.0, 2.0, 3.0])
def append_and_stack():
    def f(x):
        out = []
        for v in x:
            out.append(v * 2)
        return tl.stack(out)

    return f


@program([1.0, 2.0, 3.0])
def append_and_return():
    def f(x):
        out = []
        for v in x:
            out.append(v * 2)
        return out

    return f


@program(4, 0)
def append_in_range():
    def f(n):
        out = []
        for i in tl.range(n):
            out.append(i * i)
        return len(out)

    return f


@program([1.0, -2.0, 3.0])
def append_if():
    def f(x):
        out = []
        for v in x:
            if v > 0:
                out.append(v)
        return tl.reduce_sum(tl.stack(out)), len(out)

    return f


@program([3.0, 1.0])
def append_in_while():
    def f(x):
        out = [x]
        while tl.reduce_sum(out[-1]) < 50:
            out.append(out[-1] * 2)
        return out[-1], len(out)

    return f


@program(3.0, -3.0)
def append_in_branch():
    def f(x):
        out = [x]
        if x > 0:
            out.append(x * 2)
        return tl.add_n(out) if len(out) > 1 else out[0]

    return f


@program([1.0, 2.0, 3.0])
def append_to_python_list_unrolled():
    def f(x):
        out = []
        for k in (1.0, 2.0):
            out.append(x * k)
        return out

    return f


@program([1.0, 2.0, 3.0])
def comprehension():
    def f(x):
        return tl.stack([v * 2 for v in x])

    return f


@program([1.0, -2.0, 3.0])
def comprehension_with_if():
    def f(x):
        return tl.stack([v * 2 for v in x if v > 0])

    return f


@program([[1.0, 2.0], [3.0, 4.0]])
def comprehension_nested():
    def f(x):
        return [[v + 1 for v in row] for row in x]

    return f


@program([1.0, 2.0, 3.0])
def generator_expression():
    def f(x):
        return sum(v * v for v in x)

    return f


@program([1.0, 2.0, 3.0])
def any_of_generator():
    def f(x):
        if any(v > 2 for v in x):
            return x * 2
        if all(v > 0 for v in x):
            return x
        return -x

    return f


@program([1.0, 2.0, 3.0])
def generator_function():
    def twice(x):
        for v in x:
            yield v * 2

    def f(x):
        total = 0.0
        for v in twice(x):
            total += v
        return total

    return f


@program([1.0, -2.0, 3.0])
def generator_with_condition():
    def positive(x):
        for v in x:
            if v > 0:
                yield v

    def f(x):
        total = 0.0
        for v in positive(x):
            total += v
        return total

    return f


@program([3.0, 1.0, 2.0])
def max_of_items():
    def f(x):
        return max(x), min(x), sum(x)

    return f


@program([3.0, 1.0, 2.0])
def sorted_items():
    def f(x):
        return tl.stack(sorted(x))

    return f


@program([3.0, 1.0, 2.0])
def map_and_filter():
    def f(x):
        return tl.add_n(list(map(lambda v: v if v > 1.5 else -v, x)))

    return f


@program([3.0, 1.0, 2.0])
def reduce_function():
    def f(x):
        return functools.reduce(lambda a, b: a * b if b > 1.5 else a, list(x))

    return f


@program([3.0, 1.0, 2.0])
def unpacking():
    def f(x):
        a, b, c = x
        first, *rest = x
        return a * b + c - first + len(rest)

    return f


@program([3.0, 1.0, 2.0])
def dict_comprehension():
    def f(x):
        d = {k: v * 2 if v > 1.5 else v for k, v in zip("abc", x)}
        return d

    return f


@program([3.0, 1.0, 2.0])
def numpy_functions():
    def f(x):
        return np.sin(x) + np.maximum(x, 2.0) * np.sum(x) + np.sqrt(np.abs(x))

    return f


@program([3.0, 1.0, 2.0])
def numpy_where():
    def f(x):
        return np.where(x > 1.5, x, 0.0), np.linalg.norm(x), np.mean(x)

    return f


@program([3, 1, 2], [0, 0, 0])
def names_bound_in_comprehensions():
    def f(xs):
        total = 0
        sums = [total := total + x for x in xs]
        positive = [y for x in xs if (y := x * 2) > 2]
        first = next((z for x in xs if (z := x * 3) > 3), -1)
        return sums[-1], total, len(positive), y, first, sum(w for x in xs if (w := x + 1) > 1)

    return f


@program([3, 1, 2], [0, 0, 0])
def witness_of_any_and_all():
    def f(xs):
        if any((w := x) == 2 for x in xs):
            return w
        if not all((w := x) > 0 for x in xs):
            return w - 100
        return -1

    return f


@program(([1, 2, 3], [4, 5, 6]), ([1, 2, 3], [4, 5]))
def zip_strict():
    def f(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True))

    return f


@program(1, 2, -5, 7)
def character_of_a_text():
    def f(x):
        letter = "hello"[x]
        return letter + "!" == "e!", "aeiou"[x] == "e", letter.upper() == "L"

    return f


@program(1, 3)
def list_class_with_methods_of_its_own():
    class Odd(list):
        def __len__(self):
            return list.__len__(self) + 5

        def __contains__(self, v):
            return list.__contains__(self, v + 1)

        def __getitem__(self, i):
            return list.__getitem__(self, i) * 2

        def total(self):
            t = 0
            for v in super().__iter__():
                t += v
            return t, super().__len__()

    def f(x):
        values = Odd([1, 2])
        if x > 2:
            values.append(x)
        return len(values), 2 in values, values[0], values.total()

    return f


@program([3, 7, 1], [2, 3, 9], [5, 5, 5])
def union_and_find_in_an_outer_list():
    parents = list(range(10))

    def find(a):
        while parents[a] != a:
            a = parents[a]
        return a

    def f(xs):
        total = 0
        for x in xs:
            a, b = find(x), find(1)
            if a != b:
                parents[b] = a
            total += a
        return total

    return f, lambda: parents
