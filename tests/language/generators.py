"""Generator functions, consumed inside of the function."""

from __future__ import annotations

import contextlib

import treadle as tl
from treadle import errors

from .harness import Collection

program = Collection()


def positive(x):
    for v in x:
        if v > 0:
            yield v


def twice(x):
    yield x
    yield x * 2


def running(x):
    total = 0.0
    for v in x:
        total += v
        yield total
    return total


@program([1.0, -2.0, 3.0], [-1.0, -2.0])
def consumed_by_builtins():
    def f(x):
        found = list(positive(x))
        return len(found), sum(positive(x)), max(positive(x), default=-1.0)

    return f


@program([1.0, 2.0, -3.0, 4.0])
def any_all_and_sorted():
    def f(x):
        some, every = any(v > 3 for v in positive(x)), all(v > 3 for v in positive(x))
        return some, every, sorted(positive(x), reverse=True), min(positive(x))

    return f


@program([1.0, 2.0, 3.0])
def yield_from_with_a_result():
    def tenfold(x):
        last = yield from running(x)
        yield last * 10

    return lambda x: list(tenfold(x))


@program([1.0, 2.0, 3.0])
def yield_from_a_tuple():
    def pairs(x):
        for v in x:
            yield from (v, v + 1)

    return lambda x: sum(pairs(x))


@program([1.0, 2.0, -3.0, 4.0], [-1.0, 2.0])
def returns_early():
    def until_negative(x):
        for v in x:
            if v < 0:
                return
            yield v

    def f(x):
        total = 0.0
        for v in until_negative(x):
            total = total + v
        return total

    return f


@program([1.0, 2.0, -3.0, 4.0], [1.0, 1.0])
def left_by_break_or_not():
    def f(x):
        total = 0.0
        for v in positive(x):
            if v > 1.5:
                break
            total = total + v
        else:
            total = total + 100
        return total

    return f


@program([1.0, 2.0, -3.0, 4.0], [1.0, 1.0])
def left_by_return():
    def f(x):
        for v in positive(x):
            if v > 1.5:
                return v
        return x[0] * 0 - 1

    return f


@program([1.0, 2.0, -3.0, 4.0])
def of_a_generator():
    def squares(values):
        for v in values:
            yield v * v

    return lambda x: sum(squares(positive(x)))


@program([1.0, 2.0, -3.0, 4.0])
def beside_others():
    def f(x):
        total = 0.0
        for i, (a, b) in enumerate(zip(positive(x), x)):
            total += a * b + i
        return total

    return f


@program([1.0, 2.0, -3.0, 4.0])
def mapped_and_filtered():
    return lambda x: sum(map(lambda v: v * 2, filter(lambda v: v < 3, positive(x))))


@program(2.0)
def walks_a_tree():
    class Tree:
        def __init__(self, value, children=()):
            self.value, self.children = value, children

        def walk(self):
            yield self.value
            for child in self.children:
                yield from child.walk()

    def f(x):
        tree = Tree(x, [Tree(x * 2), Tree(x * 3, [Tree(x * 4)])])
        total = 0.0
        for v in tree.walk():
            if v > 5:
                total += v
        return total

    return f


@program([1.0, 2.0, -3.0, 4.0])
def in_a_loop():
    def f(x):
        total = 0.0
        for v in x:
            for w in positive(x):
                total += v * w
        return total

    return f


@program(3.0, -3.0)
def in_a_branch():
    def f(x):
        if x > 0:
            total = sum(twice(x))
        else:
            total = x
        return total

    return f


@program([1.0, 2.0, -3.0, 4.0], [-1.0, 5.0])
def consumer_changes_an_outer_list():
    log = []

    def f(x):
        for v in positive(x):
            log.append(v)
        return len(log)

    return f, lambda: log


@program([1.0, 2.0, -3.0, 4.0])
def sees_what_comes_after_it():
    def f(x):
        def scaled():
            for v in x:
                if v > 0:
                    yield v * k

        k = 10
        return sum(scaled())

    return f


@program([1.0, 2.0, -3.0, 4.0])
def changes_a_nonlocal():
    def f(x):
        n = 0

        def counted():
            nonlocal n
            for v in x:
                n += 1
                if v > 0:
                    yield v

        total = sum(counted())
        return total, n

    return f


@program([1.0, 2.0, -3.0, 4.0], [1.0, 1.0])
def method_that_counts():
    class Counter:
        def __init__(self):
            self.n = 0

        def items(self, x):
            for v in x:
                if v > 0:
                    self.n += 1
                    yield v

    counter = Counter()

    def f(x):
        return sum(counter.items(x)), counter.n

    return f, lambda: counter.n


@program([1.0, 2.0, -3.0, 4.0])
def used_up():
    def f(x):
        g = positive(x)
        return sum(g), sum(g)

    return f


@program([1.0, 2.0])
def taken_one_by_one():
    def f(x):
        g = twice(x)
        a = next(g)
        b = next(g)
        first, second = twice(x)
        return a + b + first - second, next(g, x)

    return f


@program([1.0, 2.0, -3.0, 4.0], [0.0, 0.0])
def first_one():
    def large(x):
        for v in x:
            if v > 1:
                yield v

    return lambda x: (next(large(x), -1.0), next((v for v in x if v > 3), -2.0))


@program([1.0, 2.0, -3.0, 4.0], [0.0, 0.0])
def no_first_one():
    def large(x):
        for v in x:
            if v > 1:
                yield v

    return lambda x: next(large(x))


@program(5, 0)
def over_a_range():
    def fib(n):
        a, b = 0, 1
        for _ in range(n):
            yield a
            a, b = b, a + b

    return lambda n: (sum(fib(n)), list(fib(n)))


@program(4)
def in_a_while():
    def countdown(n):
        while n > 0:
            yield n
            n = n - 1

    return lambda n: list(countdown(n))


@program(20, 0, relaxed=True)
def endless():
    def fib():
        a, b = 0, 1
        while True:
            yield a
            a, b = b, a + b

    def f(limit):
        total = 0
        for v in fib():
            if v > limit:
                break
            total += v
        return total

    return f


@program([1.0, 2.0, 3.0])
def with_and_try_stay_pythons():
    def guarded(x):
        try:
            yield x[0]
            yield x[1]
        finally:
            pass

    return lambda x: sum(guarded(x))


@program([1.0, 2.0], refused=(tl.errors.ConversionError, "an iterator is advanced"))
def sent_to():
    def averaging():
        total, n = 0.0, 0
        value = yield
        while True:
            total, n = total + value, n + 1
            value = yield total / n

    def f(x):
        g = averaging()
        next(g)
        out = []
        for v in x:
            out.append(g.send(v))
        return out

    return f


@program([1, 5, 3], [-1, 2, 9])
def handler_around_a_yield():
    log = []

    def gen(xs):
        for v in xs:
            try:
                if v == 3:
                    raise ValueError("gen")
                yield v
            except ValueError:
                log.append(v)
                yield -v

    def f(xs):
        t = 0
        try:
            for v in gen(xs):
                t += v
                if v == 9:
                    raise ValueError("consumer")
        except ValueError:
            t += 1000
        return t

    return f, lambda: log


@program([1, 5, 3], [-1, 2, 9])
def manager_around_a_yield():
    log = []

    @contextlib.contextmanager
    def scope(k):
        log.append(k)
        try:
            yield k * 2
        finally:
            log.append(-k if k > 2 else 0)

    def gen(xs):
        for v in xs:
            with scope(v) as w:
                yield w
                yield w + 1

    def f(xs):
        t = 0
        for v in gen(xs):
            t += v
            if t > 15:
                return t
        return -t

    return f, lambda: log


@program([1, 5, 3], [-1, 2, 9])
def yield_from_in_a_try():
    def inner(xs):
        for v in xs:
            if v < 0:
                raise KeyError("neg")
            yield v

    def gen(xs):
        try:
            yield from inner(xs)
        except KeyError:
            yield 100
        else:
            yield 200

    def f(xs):
        return [v + 1 for v in gen(xs)], max(gen(xs))

    return f


@program([1, 5, 3], [-1, 2, 9])
def finally_around_a_yield():
    log = []

    def gen(xs):
        try:
            for v in xs:
                if v > 2:
                    yield v
        finally:
            log.append(1)

    def f(xs):
        t = 0
        if xs[0] < 9:
            for v in gen(xs):
                t += v
                if t > 7:
                    break
            log.append(2)
        return t

    return f, lambda: log


@program([1, 5, 3], refused=(errors.ConversionError, "Write `x = yield ...` on a line of its own"))
def yield_within_an_expression():
    def gen(xs):
        for v in xs:
            if v > 2:
                print((yield v))

    return lambda xs: sum(gen(xs))


@program([1, 5, 3])
def generators_of_generators():
    def take(it, n):
        for i, v in enumerate(it):
            if i >= n:
                return
            yield v

    def evens(xs):
        for x in xs:
            if x % 2 == 1:
                yield x

    def f(xs):
        return list(take(evens(xs), 2)), sum(take(evens(xs), 1))

    return f


@program([1, 5, 3])
def handler_that_returns():
    def gen(xs):
        total = 0
        for x in xs:
            total += x
            try:
                if total > 8:
                    raise StopIteration
                yield total
            except StopIteration:
                return

    def f(xs):
        return list(gen(xs))

    return f


@program([1, 5, 3])
def with_and_try_in_iter():
    class Src:
        def __init__(self, xs):
            self.xs = xs

        def __iter__(self):
            with contextlib.nullcontext(self.xs[0]) as b:
                for x in self.xs:
                    try:
                        if x > 3:
                            raise ValueError
                        yield x + b
                    except ValueError:
                        yield 0

    def f(xs):
        return [v for v in Src(xs)], sum(v for v in Src(xs) if v > 0)

    return f


class _Counting:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        i = 0
        while i < self.n:
            yield i
            i += 1


@program(3, 1)
def own_generator_unpacked_in_a_list():
    def f(x):
        return [*_Counting(x), x, *_Counting(2)]

    return f
