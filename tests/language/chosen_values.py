"""Sets, deques, ranges, slices and bytes that a tensor chooses."""

# ruff: noqa: FURB171 - this is what is tried

from __future__ import annotations

from collections import deque

import treadle as tl

from .harness import Collection

program = Collection()


@program(1, 5)
def set_local_add():
    def f(x):
        s = {1, 2} if x > 3 else {3}
        s.add(4)
        if x > 4:
            s.add(9)
        s.discard(3)
        return sorted(s), len(s), 4 in s

    return f


@program(1, 5)
def set_local_add_sym():
    def f(x):
        s = {1, 2} if x > 3 else {3}
        s.add(int(x))
        s |= {11}
        return sorted(s), len(s), int(x) in s

    return f


@program(1, 5)
def set_return():
    def f(x):
        s = {1, 2} if x > 3 else {3}
        s.add(4)
        return s

    return f


@program(1, 5)
def set_in_loop_changes():
    def f(x):
        s = {1, 2} if x > 3 else {3}
        for i in tl.range(x):
            s.add(int(i) + 10)
        return len(s), sorted(s)

    return f


@program(1, 5)
def deque_two():
    def f(x):
        d = deque([1, 2]) if x > 3 else deque([x, 4, 5])
        d.append(9)
        d.appendleft(0)
        v = d.popleft()
        return d[0], d[-1], len(d), v, list(d), sum(d), 9 in d

    return f


@program(1, 5)
def deque_alias():
    a, b = deque([1]), deque([2, 3])

    def f(x):
        d = a if x > 3 else b
        d.append(x)
        d.rotate(1)
        d += [7]
        return len(d), d is a, [v for v in d]

    return f, lambda: (list(map(int, a)), list(map(int, b)))


@program(1, 5)
def deque_return():
    def f(x):
        d = deque([1, 2]) if x > 3 else deque([3])
        return list(d), d

    return f


@program(1, 5)
def deque_loop():
    def f(x):
        d = deque([1, 2], maxlen=3) if x > 3 else deque([5], maxlen=3)
        for i in tl.range(x):
            d.append(i)
        while d:
            x += d.popleft()
        return x, len(d)

    return f


@program(1, 5)
def set_none():
    def f(x):
        s = None
        if x > 3:
            s = {1, 2}
        if s is None:
            return 0
        s.add(5)
        return len(s)

    return f


@program(1, 5)
def set_tuple_state():
    def f(x):
        p = ({1}, 2) if x > 3 else ({2, 3}, 4)
        s, n = p
        s.add(n)
        return len(s), n, sorted(s)

    return f


@program(1, 5)
def set_func():
    def pick(x):
        if x > 3:
            return {1, 2}
        return set()

    def f(x):
        s = pick(x)
        if not s:
            return -1
        return len(s) + sum(s)

    return f


@program(1, 5)
def set_of_sets():
    def f(x):
        m = {"a": {1}, "b": {2, 3}}
        k = "a" if x > 3 else "b"
        m[k].add(10)
        return len(m["a"]), len(m["b"]), sorted(m[k])

    return f


@program(1, 5)
def frozen_key():
    def f(x):
        s = frozenset({1, 2}) if x > 3 else frozenset({3})
        d = {frozenset({3}): 5, frozenset({1, 2}): 6}
        return d[s], s in d, s in [frozenset({3})]

    return f


@program(1, 5)
def set_comp():
    def f(x):
        s = {v for v in [1, 2, 3] if v > 1} if x > 3 else {v * 2 for v in [1]}
        return sorted(v + x for v in s), {v + 1 for v in s} == {3}

    return f


@program(1, 5)
def set_pop_clear():
    def f(x):
        s = {1, 2} if x > 3 else {3}
        t = s.copy()
        s.clear()
        return len(s), len(t), bool(s), bool(t)

    return f


@program(1, 5)
def set_loop_member():
    def f(x):
        s = {1, 2} if x > 3 else {3, 4, 5}
        n = 0
        for i in tl.range(6):
            if int(i) in s:
                n += 1
        for v in s:
            n += v * 100
        return n

    return f


@program(1, 5)
def chosen_bytes():
    def f(x):
        b = b"ab" if x > 3 else b"a"
        known = isinstance(b, bytes), b == b"ab", {b"ab": 1}.get(b, 0), b in (b"ab", b"c")
        parts = len(b), b[0], b[1:], b"x" + b, b * 2, b.decode(), b.find(b"b"), 97 in b
        return known, parts, str(b), f"{b}", [c + 1 for c in b], sum(b), b.upper(), b

    return f


@program(1, 5)
def chosen_range():
    def f(x):
        r = range(3) if x > 3 else range(1, 5)
        total = 0
        for v in r:
            total += v * x
        return (
            total,
            len(r),
            list(r),
            r[-1],
            x in r,
            r.start,
            sum(r),
            r[x % 2],
            list(zip(r, "abcde")),
        )

    return f


@program(1, 5)
def chosen_slice():
    def f(x):
        v = [1, 2, x, 4]
        s = slice(1, 3) if x > 3 else slice(0, None)
        return v[s], len(v[s]), "abcdef"[s], s.start

    return f


@program(1, 5, refused=(tl.errors.LoopDtypeError, "build a text"))
def built_bytes():
    def f(x):
        b = b""
        for _ in tl.range(x):
            b += b"ab"
        return b

    return f


@program(1, refused=(tl.errors.ConversionError, "only the run knows: ask by 'is'"))
def identity_of_a_choice():
    a, b = {1}, {2}

    def f(x):
        s = a if x > 3 else b
        return id(s) == id(a)

    return f


@program(1, refused=(tl.errors.BranchError, "Begin with one deque before"))
def deques_that_branches_compute():
    def f(x):
        d = deque([x * 2]) if x > 3 else deque()
        return len(d)

    return f
