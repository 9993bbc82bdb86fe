"""`heapq` and `bisect` on lists whose items the run knows."""

from __future__ import annotations

import bisect
import dataclasses
import heapq

from .harness import Collection

program = Collection()


@program([5, 3, 8, 1, 9, 2, 7], [1, 1, 1, 0, 0, 2, 2])
def order_of_a_heap():
    def f(x):
        h = []
        seen = []
        for v in x:
            heapq.heappush(h, v)
            seen.append(h[0])
        a = list(h)
        b = heapq.heappop(h), heapq.heappop(h)
        c = list(h)
        d = heapq.heapreplace(h, 4), heapq.heappushpop(h, 0), heapq.heappushpop(h, 6)
        return seen, a, b, c, d, h

    return f


@program([5, 3, 8, 1, 9, 2, 7], [1, 1, 1, 0, 0, 2, 2])
def heap_made_of_a_list():
    def f(x):
        h = []
        for v in x:
            if v > 0:
                h.append(v)
        heapq.heapify(h)
        g = list(h)
        out = []
        while h:
            out.append(heapq.heappop(h))
        return g, out

    return f


@program(
    ([[0, 7, 1, 0], [0, 0, 0, 2], [0, 3, 0, 9], [0, 0, 0, 0]], 0),
    ([[0, 0, 0, 4], [1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 0, 0]], 2),
)
def dijkstra():
    def f(weights, start):
        far = 1000
        dist = [far] * 4
        dist[start] = 0
        heap = [(0, start)]
        while heap:
            d, u = heapq.heappop(heap)
            if d > dist[u]:
                continue
            for v in range(4):
                w = weights[u, v]
                if w > 0 and d + w < dist[v]:
                    dist[v] = d + w
                    heapq.heappush(heap, (d + w, v))
        return dist

    return f


@program([5, 3, 8, 1, 9, 2, 7], [1, 1, 1, 0, 0, 2, 2])
def largest_three():
    best = []

    def f(x):
        for v in x:
            if len(best) < 3:
                heapq.heappush(best, v)
            elif v > best[0]:
                heapq.heapreplace(best, v)
        return sum(best)

    return f, lambda: best


@program([5, 3, 8, 1, 9, 2, 7], [1, 1, 1, 0, 0, 2, 2])
def smallest_and_largest():
    def f(x):
        xs = [v for v in x if v > 0]
        return (
            heapq.nlargest(2, xs),
            heapq.nsmallest(3, x, key=lambda v: -v),
            heapq.nlargest(0, xs),
            heapq.nsmallest(x[3], xs),
        )

    return f


@program(([1, 4, 6, 6, 9], 6), ([1, 4, 6, 6, 9], 0), ([1, 4, 6, 6, 9], 10))
def bisected():
    def f(x, v):
        a = [2 * w for w in x if w > 1]
        b = [1, 4, 6, 6, 9]
        return (
            bisect.bisect_left(b, v),
            bisect.bisect_right(b, v),
            bisect.bisect(a, v),
            bisect.bisect_left(x, v),
            bisect.bisect(b, -v, key=lambda w: -w),
            bisect.bisect(b, v, 1, 3),
        )

    return f


@program([5, 3, 8, 1, 9, 2, 7], [1, 1, 1, 0, 0, 2, 2])
def inserted_in_order():
    def f(x):
        a = []
        b = [2, 4]
        for v in x:
            bisect.insort(a, v)
            if v > 2:
                bisect.insort_left(b, v * 2)
        return a, b

    return f


@program([5, 3], [1, 1])
def pop_of_an_empty_heap():
    def f(x):
        h = []
        for v in x:
            if v > 2:
                heapq.heappush(h, v)
        return heapq.heappop(h)

    return f


@program([5, 3], [1, 1])
def heap_of_numbers():
    def f(x):
        h = [3, 1, 2]
        heapq.heapify(h)
        heapq.heappush(h, 0)
        if x[0] > 1:
            heapq.heappush(h, 7)
        return heapq.nsmallest(2, [4, 1, 2]), bisect.bisect([1, 2, 3], 2), h

    return f


@program([5, 3, 8, 1, 9, 2, 7], [1, 1, 1, 0, 0, 2, 2])
def running_median():
    def f(x):
        low, high = [], []
        out = []
        for v in x:
            heapq.heappush(low, -v)
            heapq.heappush(high, -heapq.heappop(low))
            if len(high) > len(low):
                heapq.heappush(low, -heapq.heappop(high))
            out.append(-low[0])
        return out

    return f


class _Own:
    def __init__(self, v):
        self.v = v

    def __lt__(self, other):
        if self.v == 5:
            return True
        return self.v < other.v


@dataclasses.dataclass(order=True)
class _Task:
    priority: int
    name: str = dataclasses.field(compare=False, default="")


@program(3, 5, 1)
def objects_with_their_own_order():
    def f(x):
        h = [_Own(4)]
        heapq.heappush(h, _Own(x))
        heapq.heappush(h, _Own(2))
        first = h[0].v
        a = heapq.heappop(h).v
        b = heapq.heappushpop(h, _Own(3)).v
        c = heapq.heapreplace(h, _Own(x + 1)).v
        return first, a, b, c, [o.v for o in h]

    return f


@program(3, 5, 1)
def heapify_objects():
    def f(x):
        h = [_Own(4), _Own(x), _Own(2), _Own(7), _Own(x * 2)]
        heapq.heapify(h)
        return [heapq.heappop(h).v for _ in range(4)], len(h)

    return f


@program(3, 5, 1)
def dataclasses_in_a_heap():
    def f(x):
        h = []
        heapq.heappush(h, _Task(4, "a"))
        heapq.heappush(h, _Task(x, "b"))
        heapq.heappush(h, _Task(2, "c"))
        return [heapq.heappop(h).name for _ in range(3)]

    return f


@program(3, 5, 1)
def lasting_heap_of_objects():
    q = [_Task(4), _Task(2)]
    heapq.heapify(q)

    def f(x):
        a = heapq.heappop(q)
        a.priority += x
        heapq.heappush(q, a)
        return q[0].priority

    return f, lambda: [t.priority for t in q]


@program(3, 5, 1)
def objects_are_searched():
    def f(x):
        s = [_Own(1), _Own(4), _Own(9)]
        found = bisect.bisect_left(s, _Own(x)), bisect.bisect(s, _Own(x))
        t = [_Task(1), _Task(4), _Task(9)]
        bisect.insort(t, _Task(x))
        return found, [o.priority for o in t]

    return f


@program(3, 5)
def identity_in_a_heap_whose_order_python_knows():
    def f(x):
        a, b, c = _Task(3), _Task(1), _Task(2)
        h = [a]
        heapq.heappush(h, b)
        heapq.heappush(h, c)
        first = heapq.heappop(h)
        first.priority += x
        return first is b, b.priority, h[0] is c

    return f
