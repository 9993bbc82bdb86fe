# ruff: noqa: PLC3002
"""Names that one branch sets, read by functions that it makes."""

from __future__ import annotations

import treadle as tl

from .harness import Collection

program = Collection()


@program(1, 5)
def read_by_a_function_of_the_branch():
    def f(x):
        if x > 2:
            k = 5

            def g(v):
                return v + k
        else:

            def g(v):
                return v

        return g(x)

    return f


@program(1, 5)
def read_as_a_whole():
    def h(a, b):
        return a * b

    def f(x):
        if x > 2:
            k = x + 1
            items = [x, 2]

            def g(v):
                return h(v, k) + items[0]
        else:
            m = 7
            g = lambda v: h(m, v)
        return g(x)

    return f


@program(1, 5)
def read_in_a_loop():
    def f(x):
        t = 0
        for i in tl.range(3):
            if x + i > 3:
                k = x * i

                def g():
                    return k

                t += g()
            else:
                j = i
                t += (lambda: j)()
        return t

    return f


@program(1, 5)
def changed_by_a_function():
    def f(x):
        g = lambda: 0
        if x > 2:
            k = x + 1

            def g():
                nonlocal k
                k += 1
                return k

        a = g()
        return a + g()

    return f


@program(1, 5)
def read_where_it_is_set():
    def f(x):
        if x > 2:
            k = x

        def g():
            return k

        if x > 2:
            return g()
        return -1

    return f


@program(1, 5)
def list_of_the_branch():
    def f(x):
        if x > 2:
            k = [x]

            def add(v):
                k.append(v)
                return len(k)
        else:

            def add(v):
                return 0

        return add(1) + add(x)

    return f


@program(1, 5)
def object_of_the_branch():
    class Thing:
        pass

    def f(x):
        if x > 2:
            o = Thing()
            o.v = x

            def get():
                return o.v
        else:

            def get():
                return 0

        return get() + 1

    return f
