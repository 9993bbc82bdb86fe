"""Deques, and copies and comparisons of lists, whose items the run knows."""

from __future__ import annotations

import copy
from collections import deque

from .harness import Collection

program = Collection()


@program(4, 0)
def deque_as_a_queue():
    def f(n):
        q = deque([0])
        s = 0
        while q and s < n:
            v = q.popleft()
            q.append(v + 1)
            q.append(v + 2)
            s += 1
        return s, len(q), list(q)

    return f


@program([3, -1, 4], [-1, -2, -3])
def appended_on_either_side():
    def f(x):
        q = deque()
        for v in x:
            if v > 0:
                q.append(v)
            else:
                q.appendleft(v)
        return list(q)

    return f


@program([3, -1, 4, 7, 2, 3])
def deque_of_few():
    def f(x):
        q = deque(maxlen=3)
        s = 0
        for v in x:
            q.append(v)
            s += sum(q)
        return list(q), s, len(q)

    return f


@program([3, -1, 4, 7, 2, 3])
def deque_as_a_window():
    def f(x):
        q = deque(maxlen=3)
        s = 0
        for v in x:
            q.append(v)
            if len(q) == 3:
                s += q[0] * q[-1]
        return s

    return f


@program([3, -1, 4, 7, 2, 3])
def largest_of_each_window():
    def f(x):
        q = deque()
        out = []
        k = 3
        for i in range(6):
            while q and x[q[-1]] <= x[i]:
                q.pop()
            q.append(i)
            if q[0] <= i - k:
                q.popleft()
            if i >= k - 1:
                out.append(x[q[0]])
        return out

    return f


@program([3, -1], [1, 4])
def deque_outlives_the_call():
    log = deque()

    def f(x):
        for v in x:
            if v > 0:
                log.append(v)

    return f, lambda: list(log)


@program([3, -1, 4, 7], [1, 4])
def deque_of_few_outlives_the_call():
    log = deque(maxlen=2)

    def f(x):
        for v in x:
            if v > 0:
                log.append(v)

    return f, lambda: (list(log), log.maxlen)


@program(
    ([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], 0),
    ([[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 0]], 2),
)
def breadth_first():
    def f(adj, start):
        dist = [-1] * 4
        dist[start] = 0
        q = deque([start])
        while q:
            u = q.popleft()
            for v in range(4):
                if adj[u, v] > 0 and dist[v] < 0:
                    dist[v] = dist[u] + 1
                    q.append(v)
        return dist

    return f


@program(([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], 0))
def breadth_first_with_levels():
    def f(adj, start):
        seen = [False] * 4
        q = deque([(start, 0)])
        order = []
        while q:
            u, d = q.popleft()
            if seen[u]:
                continue
            seen[u] = True
            order.append((u, d))
            for v in range(4):
                if adj[u, v] > 0:
                    q.append((v, d + 1))
        return order

    return f


@program(3, -1, 0)
def pop_of_an_empty_deque():
    def f(x):
        q = deque()
        if x > 0:
            q.append(x)
        return q.pop()

    return f


@program(3, -1, 0)
def empty_deque_is_caught():
    def f(x):
        q = deque()
        if x > 0:
            q.append(x)
        try:
            return q.popleft()
        except IndexError:
            return -7

    return f


@program(3, -1)
def deque_handed_on():
    def f(x):
        q = deque([1], maxlen=3)
        if x > 0:
            q.append(x)
        return [q]

    def g(x):
        r = f(x)[0]
        return list(r)

    return g


@program([1, 2, 3, 4, 5], [3, -2, 0, 0, 1])
def methods_of_deques():
    def f(x):
        q = deque([9, 8], maxlen=6)
        for v in x:
            if v > 2:
                q.extend([v, v + 1])
            elif v == 0:
                q.extendleft((v - 1, v - 2))
            else:
                q.rotate(v)
        a = list(q)
        q.reverse()
        b = list(reversed(q))
        q.insert(1, 77)
        c = [i * v for i, v in enumerate(q)]
        q.remove(77)
        d = 9 in q, q.count(9), len(q), q[0], q[-1], q[1]
        e = q.copy()
        e.append(5)
        q[0] = 100
        del q[1]
        s = sum(e), max(q), sorted(q)
        q.clear()
        return a, b, c, d, s, len(q), 1 if q else 0

    return f


@program(1, 1, 1, 0, 1)
def deque_read_at_each_call():
    log = deque()

    def f(x):
        n = len(log)
        if x > 0:
            log.append(x)
        return n, len(log), sum(log)

    return f, lambda: list(log)


@program(3, -1)
def deque_of_an_object():
    class A:
        def __init__(self):
            self.q = deque(maxlen=2)

        def add(self, v):
            self.q.append(v)
            return len(self.q)

    a = A()

    def f(x):
        n = 0
        for i in range(x):
            n = a.add(i)
        if x < 0:
            n = a.add(x)
        return n, a.q[0]

    return f, lambda: list(a.q)


@program(3, -1)
def deques_one_after_the_other():
    def f(x):
        q = deque([0])
        for _ in range(3):
            new = deque()
            while q:
                v = q.popleft()
                if x > 0:
                    new.append(2 * v)
                new.append(v + x)
            q = new
        return list(q)

    return f


@program(3, -1)
def deques_in_a_list():
    def f(x):
        qs = [deque(), deque()]
        qs[0].append(1)
        if x > 0:
            qs[0].append(x)
        else:
            qs[1].append(x)
        return [list(q) for q in qs], [len(q) for q in qs]

    return f


@program([3.0, 1.0, -1.0, 4.0])
def deque_always_full():
    def f(x):
        h = deque([0.0] * 3, maxlen=3)
        s = 0.0
        for v in x:
            h.append(v)
            s = s + h[0] * 0.5 + h[2]
        return s, list(h)

    return f


@program([3, 1, -1, 4])
def deque_of_a_tensor():
    def f(x):
        q = deque(x)
        s = 0
        while len(q) > 1:
            if q[0] > q[1]:
                s += q.popleft()
            else:
                s -= q.pop()
        return s, q[0]

    return f


@program([3, 1, -1, 4])
def deque_in_a_helper():
    def add(q, v):
        q.append(v)
        if len(q) > 2:
            return q.popleft()
        return 0

    def f(x):
        q = deque()
        s = 0
        for v in x:
            s += add(q, v)
        return s, list(q)

    return f


@program([3, 1, -1, 4])
def deques_compared():
    def f(x):
        q = deque()
        p = deque([1])
        for v in x:
            if v > 2:
                q.append(v)
        return q == p

    return f


@program(3, 1)
def deque_unpacked():
    def f(x):
        q = deque([1])
        if x > 2:
            q.append(x)
        else:
            q.append(4)
        a, b = q
        return a, b

    return f


@program(3, 1)
def copies_of_deques():
    def f(x):
        q = deque([1])
        if x > 2:
            q.append(x)
        p = copy.copy(q)
        p.append(9)
        r = deque(q)
        r.append(8)
        t = list(q)
        t.append(3)
        u = q + p
        u.append(1)
        return list(q), list(p), list(r), t, list(u)

    return f


@program(3, 1)
def copies_of_lists():
    def f(x):
        q = [1]
        if x > 2:
            q.append(x)
        p = copy.copy(q)
        p.append(9)
        return q, p, len(q)

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def lists_compared():
    def f(x):
        xs = []
        for v in x:
            if v > 1:
                xs.append(v)
        return xs == [2, 2], xs != [3, 3, 7], xs == (2, 2), [3, 3, 7] == xs, xs == []

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def iterators_of_lists():
    def f(x):
        xs = []
        for v in x:
            if v > 1:
                xs.append(v)
        it = iter(xs)
        return next(it), next(iter(xs))

    return f
