"""Objects, lists and dicts in lists that the graph holds."""

from __future__ import annotations

import enum
from collections import deque

import treadle as tl

from .harness import Collection

program = Collection()


class Named:
    def __init__(self, n):
        self.n = n


class Color(enum.Enum):
    R = 1
    G = 2


@program(5, 1, 7, 5)
def queue_outer():
    pend = [Named(1), Named(2)]
    done = []

    def f(x):
        if x > 3 and len(pend) > 0:
            t = pend.pop(0)
            t.n += 10
            done.append(t)
        return len(pend)

    return f, lambda: ([int(o.n) for o in pend], [int(o.n) for o in done])


@program(1, 5, 1)
def append_own():
    items = [Named(1)]
    i = items[0]

    def f(x):
        if x > 3:
            items.append(items[0])
            items[0].n = 7
        return len(items)

    return f, lambda: ([o.n for o in items], items[0] is i, items[-1] is i)


@program(1, 5, 4)
def collect_known():
    a, b, c = Named(1), Named(2), Named(3)

    def f(x):
        out = []
        for i in tl.range(x):
            if i % 2 == 0:
                out.append(a)
            else:
                out.append(b if i < 3 else c)
        for o in out:
            o.n += 1
        return len(out), [o.n for o in out], a in out, c in out, out.count(a)

    return f, lambda: (int(a.n), int(b.n), int(c.n))


@program(1, 5, 4)
def known_result():
    a, b, c = Named(1), Named(2), Named(3)

    def f(x):
        out = [a]
        for i in tl.range(x):
            if i % 2 == 0:
                out.append(b)
        if x > 4:
            out.remove(a)
        out[0].n += 5
        return out[0].n, out[-1] is b, out[0] is a, out.index(b)

    return f, lambda: (int(a.n), int(b.n), int(c.n))


@program(1, 5, 4)
def bfs():
    class N:
        def __init__(self, v, kids=()):
            self.v, self.kids, self.seen = v, list(kids), 0

    d, e = N(4), N(5)
    b, c = N(2, [d]), N(3, [d, e])
    a = N(1, [b, c])

    def f(x):
        q = deque([a if x > 3 else c])
        total = 0
        n = 0
        while q:
            o = q.popleft()
            total += o.v
            o.seen += 1
            n += 1
        return total, n

    return f, lambda: [int(k.seen) for k in (a, b, c, d, e)]


@program(1, 5, 4)
def enums():
    def f(x):
        out = []
        for i in tl.range(x):
            out.append(Color.R if i % 2 == 0 else Color.G)
        return (
            len(out),
            Color.G in out,
            out[0].value,
            [c.value for c in out],
            out[-1] is Color.R,
            out.count(Color.R),
        )

    return f


@program(1, 5, 4)
def funcs():
    def p(v):
        return v + 1

    def q(v):
        return v * 2

    def f(x):
        ops = []
        for i in tl.range(x):
            if i < 2:
                ops.append(p)
            else:
                ops.append(q)
        v = x
        for o in ops:
            v = o(v)
        return v

    return f


@program(1, 5, 4)
def tuples_with_objs():
    a, b = Named(1), Named(2)

    def f(x):
        out = []
        for i in tl.range(x):
            out.append((i, a if i % 2 == 0 else b))
        t = 0
        for i, o in out:
            o.n += i
            t += o.n
        return t

    return f, lambda: (int(a.n), int(b.n))


@program(1, 5, 4)
def stack_attr():
    class S:
        def __init__(self):
            self.items = []

        def push(self, o):
            self.items.append(o)

        def pop(self):
            return self.items.pop()

    s = S()
    a, b = Named(1), Named(2)

    def f(x):
        if x > 3:
            s.push(a)
        else:
            s.push(b)
        s.push(a)
        t = s.pop()
        t.n += x
        if x > 4:
            s.pop().n += 100
        return len(s.items)

    return f, lambda: (int(a.n), int(b.n), [o is a for o in s.items])


@program(1, 5, 4)
def sort_outer():
    a, b, c = Named(3), Named(1), Named(2)
    items = [a, b, c]

    def f(x):
        a.n = x
        items.sort(key=lambda o: o.n)
        if x > 3:
            items.append(items[0])
        m = max(items, key=lambda o: o.n)
        m.n += 1
        return [o.n for o in items]

    return f, lambda: ([int(o.n) for o in items], items[0] is b)


@program([5, 6, 2], [1, 1, 1])
def same_obj_appended():
    a = Named(1)

    def f(xs):
        out = []
        for x in xs:
            a.n += x
            if x > 1:
                out.append(a)
        return [o.n for o in out]

    return f, lambda: int(a.n)


@program(1, 5)
def sort_objs_alias():
    def f(x):
        a, b, c = Named(3), Named(x), Named(2)
        ps = sorted([a, b, c], key=lambda p: p.n)
        ps[0].n += 100
        ps[-1].n -= 7
        return a.n, b.n, c.n, ps[0] is b

    return f


@program(1, 5)
def sort_rows():
    def f(x):
        rows = [[3, 1], [x, 2], [2, 3]]
        rows.sort(key=lambda r: r[0], reverse=True)
        rows[0].append(9)
        rows[1][0] = 77
        return rows[0], rows[1], rows[2], len(rows[0])

    return f


@program(1, 5)
def sort_dicts():
    def f(x):
        a, b = {"v": 3, "k": 1}, {"v": x, "k": 2}
        items = sorted([a, b], key=lambda d: d["v"])
        items[0]["k"] = 50
        return a["k"], b["k"], items[0]["v"]

    return f


@program(1, 5)
def sort_outer_objs():
    a, b, c = Named(3), Named(0), Named(2)
    items = [a, b, c]

    def f(x):
        b.n = x
        items.sort(key=lambda o: o.n)
        items[0].n += 10
        return [o.n for o in items]

    return f, lambda: ([int(o.n) for o in items], int(a.n), int(b.n))


@program(1, 5)
def sort_tuples():
    def f(x):
        items = sorted([(3, "a"), (x, "b"), (2, "c")])
        return items[0], items[-1][1], [k for _, k in items]

    return f


@program(3, 1)
def found_while_tracing():
    class Thing:
        pass

    def f(x):
        one, other = Thing(), Thing()
        items = [4, one, 5, one]
        items.remove(one)
        try:
            items.index(other)
        except ValueError:
            x += 100
        return len(items), items.index(one), items.count(one), items.count(other), x

    return f


@program([3, 1, 2], [1, 1, 5], [9, 8, 7, 6])
def links_between_items():
    def f(xs):
        out = []
        for i in tl.range(len(xs)):
            node = {"id": i, "links": [0, 0]}
            out.append(node)
            if i > 0:
                out[i - 1]["links"][1] = i
                node["links"][0] = i - 1
        return out

    return f


@program([3, 1, 2], [1, 1, 5], [9, 8, 7, 6])
def lists_in_a_loop():
    def f(xs):
        sums = []
        for x in xs:
            inner, total = [], 0
            for i in tl.range(x):
                inner.append(Named(i))
                inner[0].n += x
            for o in inner:
                o.n *= 2
                total += o.n
            sums.append(total)
        return sums

    return f


@program([3, 1, 2], [5, 5, 5])
def python_lists_of_objects_stay_as_they_are():
    def f(xs):
        out = [Named(x) for x in (1, 2, 3)]
        for x in xs:
            for t in out:
                t.n += x
        return [t.n for t in out]

    return f
