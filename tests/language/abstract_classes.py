"""What `collections.abc` gives to classes of the user's that derive from it."""

from __future__ import annotations

from collections.abc import (
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Sequence,
    Set,
)

from .harness import Collection, Py

program = Collection()


class Multiples(Sequence):
    def __init__(self, a, n):
        self.a = a
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i >= self.n or i < 0:
            raise IndexError(i)
        return self.a * i


class Items(MutableSequence):
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]

    def __setitem__(self, i, v):
        self.items[i] = v

    def __delitem__(self, i):
        del self.items[i]

    def insert(self, i, v):
        self.items.insert(i, v)


class Table(MutableMapping):
    def __init__(self):
        self.names = ["a", "b"]
        self.values_ = [1, 2]

    def __getitem__(self, key):
        if key not in self.names:
            raise KeyError(key)
        return self.values_[self.names.index(key)]

    def __setitem__(self, key, value):
        self.values_[self.names.index(key)] = value

    def __delitem__(self, key):
        self.values_[self.names.index(key)] = 0

    def __iter__(self):
        return iter(self.names)

    def __len__(self):
        return len(self.names)


class Squares(Mapping):
    def __init__(self, n, scale):
        self.n = n
        self.scale = scale

    def __getitem__(self, key):
        if key < 0 or key >= self.n:
            raise KeyError(key)
        return key * key * self.scale

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n


class Few(Set):
    def __init__(self, items):
        self.items = list(items)

    def __contains__(self, v):
        return v in self.items

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


@program(3, 7)
def searched():
    def f(x):
        r = Multiples(x, 4)
        t = 0
        for v in r:
            t += v
        if x * 2 in r:
            t += 100
        zeros = Multiples(0, 3).count(x - 3)
        return t, r.index(x), r.count(x), x + 1 in r, r.index(x * 2, 1), zeros

    return f


@program(3, 7)
def not_found():
    def f(x):
        r = Multiples(x, 4)
        try:
            return r.index(6)
        except ValueError:
            return -1

    return f


@program(3, 7)
def gone_over():
    def f(x):
        r = Multiples(x, 4)
        doubled = [v * 2 for v in r if v > 5]
        pairs = [a * b for a, b in zip(r, reversed(r), strict=True)]
        back = list(reversed(Multiples(x, 2)))
        return list(r), back, sum(r), max(r), tuple(r), sum(doubled), pairs, sorted(r), len(r)

    return f


@program(3, 7)
def unpacked_and_numbered():
    def f(x):
        a, *b = Multiples(x, 3)
        t = a
        for i, v in enumerate(Multiples(x, 3)):
            t += i * v
        more = list(map(lambda v: v + 1, Multiples(x, 2)))
        return t, b, any(v > 10 for v in Multiples(x, 3)), more

    return f


@program(3, 7, 3)
def changed_sequence():
    s = Items([1, 2])

    def f(x):
        if x > 5:
            s[0] += x
        s.append(x)
        s.extend([x + 1, 4])
        s.append(8)
        last = s.pop()
        s.remove(x)
        s.reverse()
        return last, x + 1 in s, s.count(4), len(s)

    return f, lambda: s.items


@program(3, 7, 3)
def changed_mapping():
    m = Table()

    def f(x):
        if x > 5:
            m["a"] += x
        else:
            del m["b"]
        m.update(a=m["a"] + 1)
        m.setdefault("a", 9)
        found = m.pop("b", 0)
        return sum(m.values()), m.get("z", x), "a" in m, dict(m.items()), found, list(m.keys())

    return f, lambda: m.values_


@program(3, 1)
def looked_up():
    def f(x):
        m = Squares(3, 5)
        return m.get(x, -1), x in m, 2 in m, m.get(1), list(m.values())

    return f


@program(3, 1)
def keys_of_a_condition():
    def f(x):
        m = Squares(2, 5)
        t = 0
        if x in m:
            t = m[x]
        for k, v in m.items():
            t += k * v * x
        return t, m.get(x, 7)

    return f


@program(3, 1)
def sets_of_tensors():
    def f(x):
        s = Few([1, 2])
        t = 10 if x in s else 20
        return t, s.isdisjoint([x]), 2 in s

    return f


class Levels(Mapping):
    """It can't be made of its items."""

    def __init__(self):
        self.names = ["a", "b"]
        self.levels = [1, 2]

    def __getitem__(self, name):
        if self.levels[0] > 6:
            raise KeyError(name)
        return self.levels[self.names.index(name)] + 1

    def __iter__(self):
        return iter(self.names)

    def __len__(self):
        return len(self.names)

    def raised(self, x):
        if x > 2:
            self.levels[0] += x
        return self["a"]


@program(1, 3, 5)
def object_of_a_mapping_class():
    levels = Levels()

    def f(x):
        return levels.raised(x)

    return f, lambda: levels.levels


@program(1, 3, 5)
def mapping_made_and_changed():
    def f(x):
        levels = Levels()
        if x > 2:
            levels.levels[0] = x
        return levels["a"], len(levels), levels.get("b", 4), list(levels.items())

    return f


@program(1, 3, 5)
def mapping_of_either_branch():
    outer = {"levels": Levels()}

    def f(x):
        levels = Levels()
        if x > 2:
            levels = outer["levels"]
            levels.levels[1] += x
        return levels["b"], len(levels)

    return f, lambda: outer["levels"].levels


@program(*[(Py(v), 3) for v in (Levels(), Squares(2, 7), Multiples(3, 2), Few([3, 4]))])
def objects_as_arguments():
    def f(held, x):
        return len(held), sum([1 for v in held if v == x]), x in held

    return f


@program((Py(Squares(2, 7)), 3), (Py(Squares(3, 7)), 1))
def mappings_changed_as_arguments():
    def f(m, x):
        if x > 2:
            m.scale += x
        found = m[1], m == Squares(m.n, 10)
        if x > 2:
            m.scale -= x
        return found

    return f


@program(3, 1, 0)
def compared_mappings():
    def f(x):
        m = Squares(2, x)
        t = 5 if m == Squares(2, 3) else 6
        return t, m == {0: 0, 1: 1}, m != Squares(3, 1), m == [x], list(m.keys()) == [0, 1]

    return f


@program(3, 1, 0)
def views():
    def f(x):
        m = Squares(3, x)
        return x in m.values(), (1, x) in m.items(), (x, x) in m.items(), x in m.keys()

    return f


@program(3, 1, 4)
def operators_of_sets():
    def f(x):
        a, b = Few([1, 2, x]), Few([4, 3])
        t = 5 if a & b == b else 6
        both = sorted(list(a | b))
        return t, list(a & b), a <= b, a != b, both, list(a - b), sorted(list(a ^ b)), a > b

    return f


@program(3, 1, 2)
def operators_of_a_changing_set():
    class Kept(MutableSet, Few):
        def add(self, v):
            if v not in self.items:
                self.items.append(v)

        def discard(self, v):
            if v in self.items:
                self.items.remove(v)

    kept = Kept([1])

    def f(x):
        s = kept
        s |= [x, x + 1]
        s -= [2]
        return len(s), s == Kept([1, x])

    return f, lambda: kept.items
