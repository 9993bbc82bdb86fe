"""Functions that call themselves under tensor conditions."""

# ruff: noqa: E741

from __future__ import annotations

import dataclasses
import functools

from language.harness import Collection

import treadle as tl

program = Collection()


@program(5, 0, 3)
def fact():
    def fact(n):
        if n <= 1:
            return 1
        return n * fact(n - 1)

    return fact


@program(7, 0, 3)
def fib():
    def fib(n):
        if n < 2:
            return n
        return fib(n - 1) + fib(n - 2)

    return fib


@program(7, 0, 3)
def helper_fib():
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    def f(n):
        return fib(n) * 10

    return f


@program(7, 4)
def mutual():
    def even(n):
        if n == 0:
            return True
        return odd(n - 1)

    def odd(n):
        if n == 0:
            return False
        return even(n - 1)

    def f(n):
        return even(n), odd(n)

    return f


@program((12, 18), (7, 3))
def gcd():
    def gcd(a, b):
        if b == 0:
            return a
        return gcd(b, a % b)

    return gcd


@program((2.0, 5), (3.0, 0))
def power():
    def power(x, n):
        if n == 0:
            return 1.0
        if n % 2 == 0:
            h = power(x, n // 2)
            return h * h
        return x * power(x, n - 1)

    return power


@program(6)
def method():
    class A:
        def __init__(s):
            s.k = 3

        def go(s, n):
            if n <= 0:
                return s.k
            return s.go(n - 1) + n

    return A().go


@program(6)
def lam():
    f = lambda n: n if n < 2 else f(n - 1) + f(n - 2)
    return f


@program(6, 3)
def closure_rec():
    def f(n):
        k = n * 2

        def go(m):
            if m <= 0:
                return k
            return go(m - 1) + 1

        return go(n)

    return f


@program(4)
def structures():
    def go(n, acc):
        if n == 0:
            return acc
        return go(n - 1, {"a": acc["a"] + n, "b": (acc["b"][0] * 2, acc["b"][1])})

    def f(n):
        return go(n, {"a": 0, "b": (1, n)})

    return f


@program(4)
def tuple_result():
    def go(n):
        if n == 0:
            return 0, 1
        a, b = go(n - 1)
        return b, a + b

    return go


@program([3, 4, 5])
def in_loop():
    def fact(n):
        if n <= 1:
            return 1
        return n * fact(n - 1)

    def f(xs):
        s = 0
        for x in xs:
            s += fact(x)
        return s

    return f


@program(4)
def loop_in_recursion():
    def go(n):
        if n <= 0:
            return 1
        s = 0
        for i in tl.range(n):
            s += i
        return s + go(n - 1)

    return go


@program((2, 3), (1, 2), (0, 4))
def ackermann():
    def ack(m, n):
        if m == 0:
            return n + 1
        if n == 0:
            return ack(m - 1, 1)
        return ack(m - 1, ack(m, n - 1))

    return ack


@program(10)
def collatz():
    def go(n, steps):
        if n == 1:
            return steps
        if n % 2 == 0:
            return go(n // 2, steps + 1)
        return go(3 * n + 1, steps + 1)

    def f(n):
        return go(n, 0)

    return f


@program(5)
def python_depth():
    def go(x, depth):
        if depth == 0:
            return x
        return go(x * 2, depth - 1) + depth

    def f(x):
        return go(x, 4)

    return f


@program(5, -5)
def python_depth_with_tensor():
    def go(x, depth):
        if depth == 0:
            return x
        if x < 0:
            return go(-x, depth - 1)
        return go(x * 2, depth - 1) + depth

    def f(x):
        return go(x, 4)

    return f


@program(5)
def variable_write():
    v = tl.Variable(0)

    def go(n):
        if n <= 0:
            return 0
        v.assign_add(n)
        return go(n - 1) + 1

    return go, lambda: v.numpy()


@program(5, -2)
def raise_in_rec():
    def go(n):
        if n < 0:
            raise ValueError("neg")
        if n == 0:
            return 0
        return go(n - 2) + 1

    return go


@program(5, 4)
def try_around_rec():
    def go(n):
        if n < 0:
            raise ValueError("neg")
        if n == 0:
            return 0
        return go(n - 2) + 1

    def f(n):
        try:
            return go(n)
        except ValueError:
            return n * 0 - 1

    return f


@program([1.0, 2.0, 3.0, 4.0])
def vector_sum():
    def go(xs, i):
        if i == 4:
            return 0.0
        return xs[i] + go(xs, i + 1)

    def f(xs):
        return go(xs, tl.constant(0))

    return f


@program(3)
def hanoi():
    def h(n, a, b, c):
        if n == 0:
            return 0
        return h(n - 1, a, c, b) + 1 + h(n - 1, c, b, a)

    def f(n):
        return h(n, 0, 1, 2)

    return f


@program(9, 0)
def binary_digits():
    def go(n):
        if n < 2:
            return n
        return go(n // 2) * 10 + n % 2

    return go


@program(4)
def default_args():
    def go(n, acc=1):
        if n <= 1:
            return acc
        return go(n - 1, acc=acc * n)

    return go


@program(4)
def keyword_star():
    def go(*a, **k):
        if a[0] <= 0:
            return k["z"]
        return go(a[0] - 1, z=k["z"] + a[0])

    def f(n):
        return go(n, z=n * 0)

    return f


@program(4)
def decorated():
    def deco(g):
        @functools.wraps(g)
        def w(n):
            return g(n) + 0

        return w

    @deco
    def go(n):
        if n <= 0:
            return 0
        return go(n - 1) + n

    return go


@program(4)
def dataclass_rec():
    @dataclasses.dataclass
    class S:
        a: object
        b: object

    def go(n, s):
        if n == 0:
            return s
        return go(n - 1, S(s.a + n, s.b * 2))

    def f(n):
        r = go(n, S(n * 0, 1.0))
        return r.a, r.b

    return f


@program(3)
def none_result():
    v = tl.Variable(0)

    def go(n):
        if n > 0:
            v.assign_add(1)
            go(n - 1)

    def f(n):
        go(n)
        return n

    return f, lambda: v.numpy()


@program(5)
def assigned_before():
    def go(n):
        if n > 0:
            r = go(n - 1) * 2
        else:
            r = 1
        return r

    return go


@program((3.0, 4))
def newton():
    def go(x, g, k):
        if k == 0:
            return g
        return go(x, (g + x / g) / 2, k - 1)

    def f(x, k):
        return go(x, 1.0, k)

    return f


@program(4)
def classmethod_static():
    class A:
        @classmethod
        def c(cls, n):
            return 0 if n <= 0 else cls.s(n - 1) + 1

        @staticmethod
        def s(n):
            return 0 if n <= 0 else A.c(n - 1) + 10

    def f(n):
        return A.c(n)

    return f


@program(4)
def three_way():
    def a(n):
        return n if n <= 0 else b(n - 1) + 1

    def b(n):
        return n if n <= 0 else c(n - 1) + 10

    def c(n):
        return n if n <= 0 else a(n - 1) + 100

    def f(n):
        return a(n)

    return f


@program(4)
def functions_as_args():
    def ap(g, n):
        if n <= 0:
            return 0
        return g(n) + ap(g, n - 1)

    def f(n):
        return ap(lambda k: k * k, n)

    return f


@program([5, 3, 8, 1])
def search():
    def bs(xs, t, lo, hi):
        if lo >= hi:
            return -1
        m = (lo + hi) // 2
        if xs[m] == t:
            return m
        if xs[m] < t:
            return bs(xs, t, m + 1, hi)
        return bs(xs, t, lo, m)

    def f(xs):
        return bs(xs, 8, 0, 4)

    return f


@program(3)
def in_while():
    def go(n):
        return 1 if n <= 0 else go(n - 1) * 2

    def f(n):
        s = 0
        i = n * 0
        while i < n:
            s += go(i)
            i += 1
        return s

    return f


@program(3)
def rec_with_list():
    def go(n, l):
        if n <= 0:
            return l[0] + l[1]
        return go(n - 1, [l[1], l[0] + n])

    def f(n):
        return go(n, [n, n * 2])

    return f
