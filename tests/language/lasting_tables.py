"""Dicts whose keys only the run knows, which others know, too."""

from __future__ import annotations

from collections import OrderedDict, deque

import treadle as tl

from .harness import Collection

program = Collection()


@program(3, -1)
def key_of_a_lasting_dict():
    d = {"b": 1}

    def f(x):
        if x > 0:
            d["a"] = x

    return f, lambda: d


@program([3, 3, 1, 7], [1, 2, 2, 1])
def counts_outlive_the_call():
    seen = {}

    def f(x):
        for v in x:
            seen[int(v)] = seen.get(int(v), 0) + 1

    return f, lambda: seen


@program(3, 1)
def aliases():
    def f(x):
        d = {}
        e = d
        box = [d]
        if x > 2:
            d["a"] = x
        box[0]["b"] = 5
        return d, e, d is e, len(box[0])

    return f


@program(3, 1)
def copies():
    def f(x):
        d = {"z": 0}
        if x > 2:
            d["a"] = x
        e = d.copy()
        g = dict(d)
        e["q"] = 1
        g["r"] = 2
        d.update({"t": 7}, u=8)
        d.update(e)
        return d, e, g

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def memo_of_an_object():
    class Memo:
        def __init__(self):
            self.table = {}
            self.hits = 0

        def square(self, n):
            if n in self.table:
                self.hits += 1
                return self.table[n]
            self.table[n] = n * n
            return self.table[n]

    memo = Memo()

    def f(x):
        s = 0
        for v in x:
            s += memo.square(int(v))
        return s

    return f, lambda: (memo.table, memo.hits)


@program([3, 3, 1, 7], [1, 2, 2, 1])
def memo_in_python():
    def f(x):
        memo = {}

        def fib(n):
            if n < 2:
                return n
            if n in memo:
                return memo[n]
            memo[n] = fib(n - 1) + fib(n - 2)
            return memo[n]

        return fib(10) + x[0]

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def least_recently_used():
    class LRU:
        def __init__(self, n):
            self.n = n
            self.d = {}

        def get(self, k):
            if k not in self.d:
                return -1
            v = self.d.pop(k)
            self.d[k] = v
            return v

        def put(self, k, v):
            if k in self.d:
                self.d.pop(k)
            elif len(self.d) >= self.n:
                del self.d[next(iter(self.d))]
            self.d[k] = v

    c = LRU(2)

    def f(x):
        s = 0
        for v in x:
            s += c.get(int(v))
            c.put(int(v), v * 10)
        return s

    return f, lambda: c.d


@program([3, 3, 1, 7], [1, 2, 2, 1])
def handed_to_a_caller():
    @tl.function
    def g(x):
        d, q, s = {}, deque(), set()
        for v in x:
            d[int(v)] = v
            q.append(v)
            s.add(int(v))
        return d, q, s

    def f(x):
        d, q, s = g(x)
        d[50] = 1
        q.append(5)
        s.add(50)
        return len(d), sum(q), 3 in s, list(d), d

    return f


@program([3, 1], [1, 2], [2, 0])
def numbers_kept_in_a_list_as_keys():
    kept = []
    marks = {1: 10, 4: 40}

    def f(x):
        total = sum(kept)
        if x[0] > 0:
            total += marks.get(total % 5, 0)
            kept.append(int(x[0]))
        return total

    return f, lambda: kept


@program(3, refused=(tl.errors.ConversionError, "an OrderedDict gets a symbolic.*plain dict.*pop"))
def ordered_dict_with_keys_of_the_run():
    def f(x):
        d = OrderedDict()
        d[int(x)] = 1
        if x > 2:
            d[int(x) + 1] = 2
        return len(d)

    return f


@program(3, refused=(tl.errors.ConversionError, "keys of an OrderedDict must not.*plain dict"))
def ordered_dict_moved_on_one_path():
    d = OrderedDict(a=1, b=2)

    def f(x):
        if x > 2:
            d.move_to_end("a")
        return list(d.values())

    return f


@program([1, 2, 1, 3, 2], [1, 1, 1, 2, 3])
def least_recently_used_in_a_dict():
    d = {}

    def f(x):
        hits = 0
        for v in x:
            k = int(v)
            if k in d:
                hits += 1
                d[k] = d.pop(k)
            else:
                d[k] = k * 2
            if len(d) > 2:
                d.pop(next(iter(d)))
        return hits, list(d)

    return f, lambda: d
