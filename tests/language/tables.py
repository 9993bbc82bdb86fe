"""Dicts and sets whose keys only the run knows."""

from __future__ import annotations

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


@program([3, 3, 1, 7], [1, 2, 2, 1])
def comprehensions():
    def f(x):
        d = {int(v): i for i, v in enumerate(x)}
        s = {int(v) % 2 for v in x}
        e = {k: v + 1 for k, v in d.items() if v > 0}
        return d, s, e, len(s), 1 in s

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


@program([3, 1], refused=(tl.errors.ConversionError, "'d' gets other keys at"))
def values_unlike_each_other():
    def f(x):
        d = {"n": 0, "name": "x"}
        if x[0] > 2:
            d["m"] = x[0]
        return d["n"]

    return f


@program([3, 1], [1, 2])
def empty_dict_popped():
    def f(x):
        d = {}
        total = d.pop(int(x[0]), 5)
        total += min(d.values()) if d else 1
        return total, d

    return f
