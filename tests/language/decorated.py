"""What decorators of Python's own make of functions."""

from __future__ import annotations

import contextlib
import functools

import treadle as tl

from .harness import Collection

program = Collection()


@program(2, 5)
def generator_as_a_decorator():
    log = []

    @contextlib.contextmanager
    def scope():
        log.append(1)
        yield
        log.append(2)

    @scope()
    def g(x):
        log.append(x)
        return x + 1

    def f(x):
        if x > 3:
            return g(g(x))
        return g(x)

    return f, lambda: log


@program(1, 5)
def class_as_a_decorator():
    class Cnt(contextlib.ContextDecorator):
        n = 0

        def __enter__(self):
            Cnt.n += 1

        def __exit__(self, *a):
            Cnt.n += 10
            return False

    @Cnt()
    def g(x):
        return x + 1

    def f(x):
        if x > 3:
            return g(g(x))
        return g(x)

    return f, lambda: Cnt.n


@program(2, 5, 1)
def single_dispatch():
    class A:
        def __init__(self, s):
            self.s = s

    class B(A):
        pass

    @functools.singledispatch
    def name(o):
        return 0

    @name.register(A)
    def _(o):
        return o.s + 1 if o.s > 3 else o.s

    @name.register(B)
    def _(o, k=2):
        return o.s * k if o.s > 3 else -o.s

    @name.register(list)
    def _(o):
        return len(o) + (10 if o[0] > 3 else 20)

    @name.register(tl.Tensor)
    def _(o):
        return o + 5 if o > 3 else o

    @name.register(int)
    def _(o):
        return 99

    def f(x):
        o = A(x) if x > 1 else B(x)
        items = [x]
        if x > 4:
            items.append(x)
        p = A(x) if x > 4 else A(-x)
        return (
            name(A(x)),
            name(B(x)),
            name(o),
            name(items),
            name(x),
            name(1),
            name(p),
            name(B(x), k=3),
        )

    return f


@program(2, 5, 1)
def single_dispatch_of_a_method():
    class N:
        def __init__(self, s):
            self.s = s

        @functools.singledispatchmethod
        def neg(self, arg):
            return 7

        @neg.register(tl.Tensor)
        def _(self, arg):
            return -arg if arg > self.s else arg

        @neg.register(str)
        def _(self, arg):
            return self.s if self.s > 3 else 0

        @neg.register(type(None))
        def _(self, arg):
            return 77

    n = N(2)

    def f(x):
        o = None
        if x > 4:
            o = x
        m = N(3) if x > 2 else n
        return n.neg(x), n.neg("a"), n.neg(1.5), n.neg(None), n.neg(o), m.neg(x)

    return f


@program(2, 5, 1)
def decorated_method():
    log = []

    @contextlib.contextmanager
    def scope(k):
        log.append(1)
        yield
        log.append(2)

    class C:
        @scope(3)
        def g(self, x):
            if x > 2:
                return x * 2
            return x

    c = C()

    def f(x):
        t = 0
        for i in tl.range(3):
            if x > i + 1:
                t += c.g(x)
        return t

    return f, lambda: log


@program(2, 5, 1)
def cached_function():
    @functools.lru_cache
    def g(x, k):
        return x + k

    @functools.cache
    def h(k):
        return k * 2

    def f(x):
        t = 0
        for i in tl.range(3):
            if x > 2:
                t += h(3)
        return t

    return f


@program(1, 5)
def decorator_in_a_function():
    class Ctx(contextlib.ContextDecorator):
        def __init__(self, log):
            self.l = log

        def __enter__(self):
            self.l.append(1)
            return self

        def __exit__(self, t, v, tb):
            self.l.append(2)
            return t is ValueError

    def f(x):
        items = []

        @Ctx(items)
        def g(v):
            if v > 3:
                raise ValueError("x")
            return v

        g(x)
        return len(items), sum(items)

    return f


@program(1, 5)
def single_dispatch_over_a_list():
    @functools.singledispatch
    def area(s):
        raise TypeError("no")

    class Sq:
        def __init__(self, a):
            self.a = a

    class Ci:
        def __init__(self, r):
            self.r = r

    @area.register(Sq)
    def _(s):
        return s.a * s.a if s.a > 2 else 0

    @area.register(Ci)
    def _(s):
        return s.r * 3

    def f(x):
        shapes = [Sq(x), Ci(x), Sq(3)]
        s = Sq(x) if x > 3 else Ci(x)
        return sum(area(k) for k in shapes), area(s), [area(k) for k in shapes if area(k) > 5]

    return f
