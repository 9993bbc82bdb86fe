"""`with` around a `yield` of a generator that a loop goes over."""

from __future__ import annotations

import contextlib

import treadle as tl

from .harness import Collection

program = Collection()


class _Swallowing:
    def __init__(self, log):
        self.log = log

    def __enter__(self):
        return self

    def __exit__(self, kind, error, tb):
        self.log.append("none" if kind is None else "raised")
        return kind is not None and issubclass(kind, ValueError)


@contextlib.contextmanager
def _swallowing(log):
    try:
        yield
    except ValueError:
        log.append("swallowed")
    finally:
        log.append("left")


def _around_a_yield(manager):
    def items(x, log):
        with manager(log):
            yield x
            if x == 4:
                raise ValueError("mine")
            yield x + 1
        yield 100

    def f(x):
        log = []
        total = 0
        try:
            for v in items(x, log):
                total += v
                if v > 4:
                    raise ValueError("the consumer's")
        except ValueError:
            total += 1000
        return total, log

    return f


@program(1, 3, 4, 5)
def class_around_a_yield_does_not_see_what_the_consumer_raises():
    def f(x):
        return _around_a_yield(_Swallowing)(x)

    return f


@program(1, 3, 4, 5)
def generator_around_a_yield_does_not_see_what_the_consumer_raises():
    def f(x):
        return _around_a_yield(_swallowing)(x)[0]

    return f


@program(1, 3, 4, 5)
def suppress_around_a_yield_does_not_see_what_the_consumer_raises():
    def f(x):
        return _around_a_yield(lambda log: contextlib.suppress(ValueError))(x)[0]

    return f


@program(1, 4, 5)
def two_managers_around_a_yield():
    def items(x):
        with contextlib.nullcontext(x) as v, contextlib.suppress(ValueError):
            yield v
            yield v + 1

    def f(x):
        total = 0
        try:
            for v in items(x):
                total += v
                if v > 4:
                    raise ValueError
        except ValueError:
            total = -total
        return total

    return f


@program(1, 4, 5)
def manager_in_a_generator_that_another_gives_on():
    def inner(x):
        with contextlib.suppress(ValueError):
            yield x
            yield x + 1

    def items(x):
        yield from inner(x)
        yield 7

    def f(x):
        total = 0
        try:
            for v in items(x):
                total += v
                if v == 5:
                    raise ValueError
        except ValueError:
            total = -total
        return total

    return f


@program(1, 4, 5)
def tape_in_a_generator():
    def items(x):
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = x * x
            yield y
        yield tape.gradient(y, x)

    def f(x):
        total = 0.0
        for v in items(tl.cast(x, tl.float32)):
            if v > 3:
                total += v
        return total

    return f
