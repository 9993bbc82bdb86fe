"""Dicts and sets whose keys only the run knows."""

from __future__ import annotations

from collections import Counter, defaultdict, deque

import treadle as tl

from .harness import Collection

program = Collection()


@program(3, -1)
def key_on_one_path():
    def f(x):
        d = {"b": 1}
        if x > 0:
            d["a"] = x
        return d.get("a", 0), "a" in d, len(d), d["b"]

    return f


@program(3, -1)
def key_asked_for():
    def f(x):
        d = {"b": 1}
        if x > 0:
            d["a"] = x
        if "a" in d:
            return d["a"] + 1
        return d["b"]

    return f


@program(3, -1)
def key_on_the_other_path():
    def f(x):
        d = {"b": 1}
        if x > 0:
            d["a"] = x
        return d["a"]

    return f


@program(3, -1)
def values_of_either_path():
    def f(x):
        d = {"b": 1}
        if x > 0:
            d["a"] = x
        s = 0
        for k, v in d.items():
            s += v
        return s, sum(d.values())

    return f


@program(3, -1)
def key_popped():
    def f(x):
        d = {"b": 1, "a": 2}
        if x > 0:
            d.pop("a")
        return d.get("a", 0), "a" in d

    return f


@program(3, -1)
def key_deleted():
    def f(x):
        d = {"b": 1, "a": 2}
        if x > 0:
            del d["a"]
        return d.get("a", 0), "a" in d, len(d)

    return f


@program(3, -1)
def set_default():
    def f(x):
        d = {"b": 1}
        if x > 0:
            d.setdefault("a", x)
        d.setdefault("a", 7)
        return d["a"], d["b"]

    return f


@program(3, -1)
def key_of_a_lasting_dict():
    d = {"b": 1}

    def f(x):
        if x > 0:
            d["a"] = x

    return f, lambda: d


@program(3, -1)
def dict_returned():
    def f(x):
        d = {"b": 1}
        if x > 0:
            d["a"] = x
        return d

    return f


@program([3, 3, 1], [1, 2, 2])
def counts():
    def f(x):
        c = {}
        for v in x:
            c[int(v)] = c.get(int(v), 0) + 1
        return len(c), max(c.values())

    return f


@program([3, 3, 1], [1, 2, 2])
def counts_with_in():
    def f(x):
        c = {}
        for v in x:
            k = int(v)
            if k in c:
                c[k] += 1
            else:
                c[k] = 1
        return [c[k] for k in c]

    return f


@program([3, 3, 1], [1, 2, 2])
def most_frequent():
    def f(x):
        c = {}
        for v in x:
            c[int(v)] = c.get(int(v), 0) + 1
        best, n = 0, 0
        for k, m in c.items():
            if m > n:
                best, n = k, m
        return best

    return f


@program([3, 3, 1], [1, 2, 2])
def counts_by_default():
    def f(x):
        c = defaultdict(int)
        for v in x:
            c[int(v)] += 1
        return [(k, v) for k, v in c.items()]

    return f


@program([3, 3, 1], [1, 2, 2])
def counter():
    def f(x):
        c = Counter()
        for v in x:
            c[int(v)] += 1
        return c.most_common(1)[0][0]

    return f


@program([3, 3, 1], [1, 2, 2])
def seen():
    def f(x):
        seen = set()
        out = []
        for v in x:
            if int(v) not in seen:
                seen.add(int(v))
                out.append(v)
        return out, len(seen)

    return f


@program([3, 5, 1], [1, 2, 9])
def memo():
    def f(x):
        cache = {}
        s = 0
        for v in x:
            k = int(v)
            if k not in cache:
                cache[k] = k * k
            s += cache[k]
        return s

    return f


@program([2, 7, 11, 15], [3, 2, 4, 6])
def two_sum():
    def f(x):
        where = {}
        for i, v in enumerate(x):
            need = 9 - int(v)
            if need in where:
                return where[need], i
            where[int(v)] = i
        return -1, -1

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def order_after_deletes():
    def f(x):
        d = {}
        for v in x:
            k = int(v)
            if k in d:
                del d[k]
            else:
                d[k] = v * 2
        return list(d), list(d.values()), [(k, v) for k, v in d.items()], len(d)

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def pops():
    def f(x):
        d = {1: 10, 2: 20, 3: 30}
        s = 0
        for v in x:
            s = s * 2 + d.pop(int(v), -1)
        return s, d, sorted(d), max(d.values()) if d else 0

    return f


@program([3, 3], [1, 2])
def pop_of_no_key():
    def f(x):
        d = {1: 10, 2: 20, 3: 30}
        s = 0
        for v in x:
            s = s * 2 + d.pop(int(v))
        return s

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def counts_outlive_the_call():
    seen = {}

    def f(x):
        for v in x:
            seen[int(v)] = seen.get(int(v), 0) + 1

    return f, lambda: seen


@program([3, 3, 1, 7], [1, 2, 2, 1])
def tuple_keys():
    def f(x):
        d = {}
        for i in range(3):
            k = (int(x[i]), int(x[i + 1]))
            d[k] = d.get(k, 0) + i
        return d, (3, 3) in d, d.get((2, 1), 5)

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def views():
    def f(x):
        d = {}
        ks, vs, its = d.keys(), d.values(), d.items()
        for v in x:
            d[int(v)] = v
        return len(ks), list(ks), sum(vs), list(its), 3 in ks

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def views_late():
    def f(x):
        d = {}
        for v in x:
            d[int(v)] = v
        ks, vs, its = d.keys(), d.values(), d.items()
        d[100] = 5
        return (
            len(ks),
            list(ks),
            sum(vs),
            list(its),
            3 in ks,
            100 in d,
            max(d, key=d.get),
            sorted(its),
        )

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def other_keys_on_each_path():
    def f(x):
        d = {}
        if x[0] > 2:
            d["big"] = x[0]
            d["n"] = 1
        else:
            d["small"] = x[0]
            d["n"] = 2
        return d, d["n"], "big" in d, d.get("small", 9)

    return f


@program(3, 1)
def returned_dicts():
    def f(x):
        if x > 2:
            return {"a": x, "b": 1}
        return {"c": x}

    return f


@program(3, 1)
def cleared():
    def f(x):
        d = {}
        total = 0
        for i in tl.range(5):
            d[int(i * x % 3)] = i
            if len(d) >= 2:
                total += sum(d.values())
                d.clear()
        return total, d

    return f


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
def comprehensions():
    def f(x):
        d = {int(v): i for i, v in enumerate(x)}
        s = {int(v) % 2 for v in x}
        e = {k: v + 1 for k, v in d.items() if v > 0}
        return d, s, e, len(s), 1 in s

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def set_ops():
    def f(x):
        s = set()
        for v in x:
            s.add(int(v))
        n = len(s)
        s.discard(3)
        s.discard(99)
        t = s.copy()
        s.clear()
        t.add(5)
        return n, len(s), t, sorted(t), max(t), sum(t), 1 if s else 0, 5 in t

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def set_remove():
    def f(x):
        s = {1, 2, 3}
        for v in x:
            s.remove(int(v))
        return s

    return f


@program([3.5, 3.5, 0.1], [0.1, 2.0, 2.0])
def float_keys():
    def f(x):
        d = {0.5: 1}
        for v in x:
            k = float(v)
            d[k] = d.get(k, 0) + 1
        return d, len(d)

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def text_keys():
    def f(x):
        d = {}
        for v in x:
            k = "odd" if v % 2 == 1 else "even"
            d[k] = d.get(k, 0) + v
        return d

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def fixed_keys():
    def f(x):
        totals = {1: 0, 2: 0, 3: 0, 7: 0}
        for v in x:
            totals[int(v)] += v
        names = {1: "a", 2: "b", 3: "c", 7: "d"}
        return {names[k]: v for k, v in totals.items()}

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def counter_of_items():
    def f(x):
        c = Counter(int(v) for v in x)
        return c[3], c[50], len(c), c.most_common(2), sum(c.values()), c.total()

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def counter_update():
    def f(x):
        c = Counter()
        c.update(int(v) for v in x)
        return c.most_common(1)

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def dicts_compared():
    def f(x):
        c = {}
        for v in x:
            c[int(v)] = v
        return c == {3: 3, 1: 1, 7: 7}, c != {}

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def key_errors_caught():
    def f(x):
        c = {}
        n = 0
        for v in x:
            try:
                c[int(v)] += 1
            except KeyError:
                c[int(v)] = 1
                n += 1
        return c, n

    return f


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
def popitem():
    def f(x):
        d = {}
        for v in x:
            d[int(v)] = v
        k, v = d.popitem()
        return k, v, d

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def first_key():
    def f(x):
        d = {}
        for v in x:
            d[int(v)] = v
        keys = list(d)
        return next(iter(d)), keys[0], list(reversed(d))

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
def texts_of_a_set():
    def f(x):
        s = set()
        for v in x:
            if v > 2:
                s.add("big")
            else:
                s.add("small")
        return s, len(s), "big" in s

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def tuples_as_values():
    def f(x):
        d = {}
        for v in x:
            d[int(v)] = (v, v + 1)
        s = 0
        for k, (a, b) in d.items():
            s += k * a + b
        return s, d

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def no_such_key():
    def f(x):
        d = {}
        try:
            return d[int(x[0])]
        except KeyError:
            return -1

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def no_such_key_raises():
    def f(x):
        d = {}
        if x[0] > 2:
            d[int(x[1])] = 5
        return d[int(x[0])]

    return f


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


def _filled(x):
    found = set()
    for v in x:
        found.add(int(v))
    return found


NO_ORDER = "they have no order then: use sorted"


@program([3, 1], refused=(tl.errors.ConversionError, NO_ORDER))
def set_gone_over():
    def f(x):
        return [v + 1 for v in _filled(x)]

    return f


@program([3, 1], refused=(TypeError, "The items of a dict was asked for"))
def dicts_put_together():
    def f(x):
        d, e = {}, {}
        for v in x:
            d[int(v)] = v
            e[int(v) + 1] = v
        return {**d, **e}

    return f


@program([3, 1], refused=(TypeError, "The text of a dict was asked for"))
def text_of_a_dict():
    def f(x):
        d = {}
        for v in x:
            d[int(v)] = v
        return f"{d}"

    return f


@program([3, 1], refused=(tl.errors.ConversionError, "a dict gets a symbolic number as a key"))
def lists_by_default():
    def f(x):
        d = defaultdict(list)
        for v in x:
            d[int(v)].append(v)
        return len(d)

    return f


@program([3, 1], refused=(tl.errors.ConversionError, "'d' gets other keys at"))
def values_unlike_each_other():
    def f(x):
        d = {"n": 0, "name": "x"}
        if x[0] > 2:
            d["m"] = x[0]
        return d["n"]

    return f


@program(
    [3, 1],
    refused=(tl.errors.ConversionError, "a set gets a symbolic number as an item or key"),
)
def set_that_python_made():
    seen = set()

    def f(x):
        for v in x:
            seen.add(int(v))

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1], [1, 1, 1, 1])
def operators_of_sets():
    def f(x):
        seen, other = _filled(x), {1, 2}
        joined = seen | other, other | seen, other.union(seen)
        common = seen & other, other & seen, seen.intersection(other)
        less = seen - other, other - seen, seen ^ other, other.difference(seen)
        return joined, common, less, seen, other

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1], [1, 1, 1, 1])
def comparisons_of_sets():
    def f(x):
        seen, other = _filled(x), {1, 2}
        sizes = seen <= other, seen < other, seen >= other, other > seen, seen <= seen
        same = seen == other, seen != {1}, {1} == seen, seen == [1]
        return sizes, same, seen.issubset(other), other.issuperset(seen), seen.isdisjoint({7})

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1], [1, 1, 1, 1])
def sets_changed_by_operators():
    class Box:
        pass

    def f(x):
        box = Box()
        box.seen, other = _filled(x), {1, 2}
        same = box.seen
        box.seen -= {1}
        other -= same
        same |= {8, 9}
        other ^= same
        third = other
        third &= {2, 8, 3}
        return box.seen, other, third is other, same is box.seen

    return f


@program([3, 3, 1, 7], [1, 2, 2, 1])
def nodes_not_seen():
    def f(x):
        left = {v for v in range(9)} - _filled(x)
        return len(left), sorted(left), int(x[0]) in {int(x[1]), 7}

    return f
