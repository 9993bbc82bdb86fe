"""Lists and dicts that are changed in place, under other names, too."""

from __future__ import annotations

import treadle as tl

from .harness import Collection

program = Collection()


@program(4, 0)
def pop_in_a_loop():
    def f(n):
        stack = [1, 2, 3, 4, 5, 6]
        s = 0
        for _ in range(n):
            s = s * 10 + stack.pop()
        return s, len(stack)

    return f


@program(4, 0)
def queue():
    def f(n):
        waiting, seen = [0], 0
        while waiting and seen < n:
            v = waiting.pop(0)
            waiting.append(v + 1)
            waiting.append(v + 2)
            seen += 1
        return seen, len(waiting), waiting[-1]

    return f


@program([3, 1, 2])
def methods_that_compare():
    def f(x):
        xs = list(x)
        xs.sort()
        ys = sorted(x, key=lambda v: (v % 2, v))
        place, many = ys.index(3), ys.count(1)
        xs.remove(2)
        return xs, ys, place, many

    return f


@program([1.0, 3.0, 2.0])
def sorted_by_a_key():
    def f(x):
        pairs = [("a", x[0]), ("b", x[1]), ("c", x[2])]
        pairs.sort(key=lambda p: -p[1])
        return [v for _, v in pairs]

    return f


@program([3, 1, 2])
def order_of_pairs():
    def f(x):
        last = max((v % 3, v) for v in x)
        return last, min((v, i) for i, v in enumerate(x)), sorted(zip(x, [5, 6, 7]))[1]

    return f


@program(3, 1)
def extended_under_another_name():
    def f(x):
        s = [x]
        t = s
        if x > 2:
            s += [x * 2, x]
        else:
            s += [x * 3, 0]
        return t, s is t

    return f


@program(3, 1)
def extended_in_a_loop():
    def f(n):
        s = [0]
        t = s
        for i in tl.range(n):
            s += [i]
        return t, s is t

    return f


@program(3, 1)
def extended_on_both_paths_of_a_loop():
    def f(n):
        found = []
        for i in tl.range(n):
            if i > 1:
                found += [i]
            else:
                j = i - 1
                found += [j]
        return found

    return f


@program(3, 1)
def attribute_extended():
    class Box:
        pass

    box = Box()
    box.items = [1]

    def f(n):
        if n > 2:
            box.items += [n]
        return n

    return f, lambda: box


@program(3, 1)
def dict_joined_in_place():
    def f(x):
        d = {"a": x, "b": x}
        e = d
        if x > 2:
            d["b"] = 0
        else:
            d |= {"b": x * 3}
        return e["b"], d is e

    return f


@program(3, -3)
def dunder_method():
    box = [0]

    def f(x):
        bump = lambda k: box.__setitem__(0, box[0] + k)
        if x > 0:
            bump(x)
        return box[0]

    return f, lambda: box


@program([1.0, -2.0, 3.0], [1.0, 2.0], [5.0])
def dict_returned_from_a_loop():
    def f(x):
        d = {"a": 0.0}
        e = d
        for v in x:
            d["a"] = d["a"] + v
            if v > 2:
                return d
        return e

    return f


@program([1.0, -2.0, 3.0], [1.0, 2.0], [5.0])
def list_returned_from_a_loop():
    def f(x):
        items = []
        same = items
        for v in x:
            if v > 2:
                return items, 1
            items.append(v)
        return items + items, len(same)

    return f


@program([1.0, -2.0, 3.0], [1.0, 2.0], [5.0])
def members_returned_from_a_loop():
    class Log:
        def __init__(self):
            self.items = []
            self.counts = {"n": 0}

    def f(x):
        log = Log()
        items = log.items
        for v in x:
            log.counts["n"] += 1
            items.append(v)
            if v > 2:
                return log.items, log.counts, len(items)
        log.counts["n"] *= 10
        return items, log.counts, -1

    return f


@program([1.0, -2.0, 3.0], [1.0, 2.0], [5.0])
def dict_in_a_loop_with_jumps():
    def f(x):
        d = {"a": 0.0}
        e = d
        for v in x:
            if v > 2:
                break
            d["a"] = d["a"] + v
            if v < 0:
                continue
            d["a"] *= 2
        else:
            d["a"] += 1000
        return d, e

    return f


@program(3.0, -1.0)
def dict_after_an_early_return():
    def f(x):
        d = {"a": x}
        e = d
        if x > 0:
            d["a"] = x * 2
            return d
        d["a"] = x * 3
        return e

    return f


@program(0, 1, 2)
def operands_of_a_test():
    def f(x):
        n = 0
        if x and x > 1:
            n += 1
        if not x or [x] or x > 5:
            n += 10
        return n

    return f


@program((2.5, 2.5), (2.5, 3.0))
def fromkeys_of_numbers_of_the_run():
    def f(x, y):
        seen = dict.fromkeys([int(x), int(y)])
        marks = dict.fromkeys([int(x), 3], y)
        return len(seen), seen[int(y)] is None, marks[int(x)], marks[3]

    return f


@program([3, 1, 2], [0, 0, 0])
def names_of_tuples_are_compared():
    def f(xs):
        best, ties = None, 0
        for x in xs:
            key = (x % 3, x)
            if best is not None and key == best:
                ties += 1
            if best != key:
                ties += 10
            if best is None or key < best:
                best = key
        return best, ties

    return f


@program([1, 2, 3], [0, 5, 5])
def lists_and_dicts_with_tensors_are_compared():
    def f(xs):
        a, found = [xs[0], 2, xs[2]], 0
        if a == [1, 2, 3]:
            found += 1
        if {"a": xs[0], "b": (xs[1], 5)} != {"b": (5, 5), "a": 0}:
            found += 10
        if (xs[0], xs[1]) in [(1, 2), (3, 4)]:
            found += 100
        return found

    return f
