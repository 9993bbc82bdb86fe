# ruff: noqa: F841, PLW0120, PT018, RUF018
"""`:=` in operands that need not be evaluated."""

from __future__ import annotations

import treadle as tl

from .harness import Collection

program = Collection()


@program(1, 5)
def walrus_in_both_operands():
    def f(x):
        r = 0
        if (n := x * 2) > 6 and (m := n + 1) > 0:
            r = n + m
        else:
            r = n
        return r

    return f


@program(1, 5)
def walrus_in_the_test_of_a_while():
    def f(x):
        t = i = 0
        while i < x and (w := i * 2) < 7:
            t += w
            i += 1
        return t

    return f


@program(1, 5)
def walrus_in_the_test_of_a_ternary():
    def f(x):
        return m if x > 2 and (m := x + 1) > 0 else 0

    return f


@program(1, 5)
def walrus_in_a_chain():
    def f(x):
        return 2 < (m := x + 1) < 20 and m > 3

    return f


@program([1, 5, 3])
def walrus_in_comprehensions():
    def f(xs):
        return [y for x in xs if x > 1 and (y := x * 2) > 2], sum(y for x in xs if (y := x - 1) > 0)

    return f


@program(1, 5)
def walrus_in_or_before_a_return():
    def f(x):
        if x < 2 or (m := x + 1) > 100:
            return 0
        return m

    return f


@program(1, 5)
def walrus_in_not():
    def f(x):
        if not (x > 2 and (m := x + 1) > 0):
            return 0
        return m

    return f


@program(1, 5)
def walrus_in_assert():
    def f(x):
        assert x > 0 and (m := x + 1) > 0
        return m

    return f


@program(1, 5)
def walrus_in_a_guard():
    def f(x):
        match x:
            case n if n > 2 and (m := n + 1) > 0:
                return m
            case n:
                return n

    return f


@program(1, 5, 3)
def walrus_in_two_operands_of_or():
    def f(x):
        r = 0
        if x < 2 or (a := x + 1) > 5 or (b := x * 2) > 100:
            r = 1
        else:
            r = a + b
        return r

    return f


@program(1, 5, 3)
def walrus_in_arguments():
    def g(a, b, c=0):
        return a + b * 10 + c * 100

    def f(x):
        return g(x, 7 if x > 2 and (m := x + 1) > 4 else 3, c=m if x > 3 else 2)

    return f


@program(1, 5, 3)
def walrus_in_values():
    def f(x):
        y = x > 2 and (m := x + 1) > 4
        z = x - 1 or (k := x * 5)
        w = not (x > 2 and (q := x + 1) > 4)
        if y:
            z += m
        return y, z, w

    return f


@program(1, 5, 3)
def walrus_in_a_longer_chain():
    def f(x):
        if 0 < x < (m := x + 1) < (n := 5):
            return m + n
        return m

    return f


@program(1, 5, 3)
def walrus_in_a_loop():
    def f(x):
        t = 0
        for i in tl.range(6):
            if i > 1 and (m := i * x) > 5:
                t += m
            elif i == 0 or (n := i + x) > 4:
                t += 1
            else:
                t += n * 100
        return t

    return f


@program([1, 5, 3], [2, 8, 9])
def walrus_and_an_item():
    def f(xs):
        i = 0
        while i < len(xs) and (v := xs[i]) < 5:
            i += 1
        else:
            i = i + 10
        return i

    return f


@program(1, 5, 3)
def walrus_in_assert_with_a_message():
    def f(x):
        assert x > 0 and (m := x + 1) > 2, f"bad {x}"
        return m

    return f


@program(1, 5, 3, 9)
def walrus_in_guards():
    def f(x):
        match (x, x + 1):
            case (a, 6) if a > 2 and (m := a + 1) > 0:
                r = m
            case (a, b) if a > 8 or (k := b) > 3:
                r = a * 100
            case (a, _):
                r = -a - k
        return r

    return f


@program(1, 5)
def walrus_and_a_return_in_a_loop():
    def f(x):
        while x < 20 and (y := x * 2) < 30:
            if y > 12 and (z := y + 1) > 3:
                return z
            x = x + 3
        return x + y

    return f


@program(1, 5)
def walrus_of_an_object():
    class N:
        def __init__(self, v, nxt):
            self.v, self.nxt = v, nxt

    def f(x):
        n = N(x, N(3, None))
        t = 0
        if x > 2 and (m := n.nxt) is not None:
            t = m.v
        else:
            t = n.v
        return t

    return f


@program(1, 5)
def walrus_in_each_branch():
    def f(x):
        if (m := x * 2) > 4 and (n := m + 1) > 6 and not (q := n > 100):
            r = n
        elif (m := m + 1) < 3 or (n := 7) > 8:
            r = m
        else:
            r = n + m
        return r, m

    return f


@program(1, 5)
def walrus_of_linked_objects():
    class Node:
        def __init__(self, v, n=None):
            self.v, self.n = v, n

    def f(x):
        head = Node(x, Node(2, Node(7)))
        t = 0
        node = head
        while node and (v := node.v) < 6:
            t += v
            node = node.n
        return t

    return f


@program(1, 5)
def walrus_in_a_python_loop():
    def f(x):
        s = 0
        for i in range(4):
            if (y := x + i) % 2 and (z := y * 2) > 4:
                s += z
            else:
                s += y
        return s, y

    return f
