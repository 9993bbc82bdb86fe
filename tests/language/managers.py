"""Generators of the user's that are context managers."""

from __future__ import annotations

import contextlib

import treadle as tl

from .harness import Collection

program = Collection()


@program(2, 5, 1)
def code_after_the_yield():
    out = []

    @contextlib.contextmanager
    def scaled(k):
        yield k
        if k > 3:
            out.append("big")

    def f(x):
        with scaled(x) as s:
            t = s + 1
        return t

    return f, lambda: out


@program(2, 5, -1, 9)
def try_around_the_yield():
    log = []

    @contextlib.contextmanager
    def guard(k):
        log.append("in")
        if k > 3:
            log.append("big")
        try:
            yield k, k + 1
        except ValueError:
            log.append("caught")
            if k > 8:
                raise KeyError("big")
        finally:
            if k < 0:
                log.append("neg")
            log.append("out")

    def f(x):
        t = 0
        with guard(x) as (a, b):
            t = a + b
            if x > 4:
                raise ValueError("v")
            t += 1
        return t

    return f, lambda: log


@program(2, 5, -1)
def left_by_return_and_break():
    log = []

    @contextlib.contextmanager
    def guard(k):
        i = k
        while i > 0:
            log.append(i)
            i = i - 2
        try:
            yield i
        finally:
            log.append(100 if k > 2 else 200)

    def f(x):
        for i in tl.range(5):
            with guard(x + i) as v:
                if v < 0:
                    return i
                if i == 3:
                    break
            x = x + 1
        return x

    return f, lambda: log


@program(2, 5)
def manager_in_a_manager():
    log = []

    @contextlib.contextmanager
    def inner(k):
        try:
            yield k * 2
        except KeyError:
            log.append("key" if k > 3 else "KEY")

    @contextlib.contextmanager
    def outer(k):
        with inner(k) as v:
            yield v + (1 if k > 2 else 2)
        log.append("done")

    def f(x):
        t = 0
        with outer(x) as v, inner(x + 1) as w:
            t = v + w
            if x > 3:
                raise KeyError("x")
            t = t + 100
        return t

    return f, lambda: log


@program(2, 5)
def manager_of_a_method():
    class C:
        n = 0

        @contextlib.contextmanager
        def scope(self, k):
            old = self.n
            self.n = k if k > 3 else -k
            try:
                yield self
            finally:
                self.n = old + 1

    c = C()

    def f(x):
        t = 0
        if x > 0:
            with c.scope(x) as s:
                t = s.n * 2
        return t, c.n

    return f, lambda: c.n


@program(2, 5)
def yield_in_both_branches():
    @contextlib.contextmanager
    def scope(k):
        if k > 3:
            yield k
        else:
            yield -k

    def f(x):
        with scope(x) as s:
            t = s * 2
        return t

    return f


@program(2, 5)
def yield_in_one_branch():
    @contextlib.contextmanager
    def scope(k):
        if k > 3:
            yield k

    def f(x):
        t = 0
        with scope(x) as s:
            t = s * 2
        return t

    return f


@program(2, 5)
def second_yield_in_a_branch():
    @contextlib.contextmanager
    def scope(k):
        yield k
        if k > 3:
            yield k

    def f(x):
        t = 0
        with scope(x) as s:
            t = s * 2
        return t

    return f


@program(2, 5, 1)
def walrus_in_the_manager():
    @contextlib.contextmanager
    def scope(k):
        yield k + 1

    def f(x):
        with (s := scope(x)) as v, scope(n := v * 2) as w:
            t = v + w if x > 2 else n
        return t, s is None

    return f


@program(2, 5, 1)
def a_name_that_set_state_uses():
    def f(state):
        try:
            if state > 3:
                raise ValueError("x")
            state = state + 1
        except ValueError:
            state = state + 100
        return state

    return f


@program(1, 5)
def exit_stack_of_managers():
    log = []

    @contextlib.contextmanager
    def cm(k):
        log.append(k)
        try:
            yield k + (1 if k > 3 else 2)
        finally:
            log.append(-k)

    def f(x):
        r = 0
        if x > 0:
            with contextlib.ExitStack() as st:
                a = st.enter_context(cm(x))
                st.enter_context(cm(10))
                b = st.enter_context(cm(a))
                if x > 3:
                    return b
                r = a * b
        return r

    return f, lambda: log


@program(1, 5)
def exit_stack_that_swallows():
    @contextlib.contextmanager
    def cm(k):
        try:
            yield k
        except ValueError:
            pass

    def f(x):
        t = 0
        with contextlib.ExitStack() as st:
            st.enter_context(contextlib.suppress(KeyError))
            k = st.enter_context(cm(x))
            t = k
            if k > 3:
                raise ValueError("a")
            elif k > 0:
                raise KeyError("b")
        return t, st is None

    return f


@program(1, 5)
def raises_another_one():
    @contextlib.contextmanager
    def retry(k):
        try:
            yield k
        except ValueError as e:
            if k > 4:
                raise RuntimeError("too big") from e

    def f(x):
        t = 0
        try:
            with retry(x):
                t = 1
                if x > 2:
                    raise ValueError("v")
                t = 2
        except RuntimeError:
            t = t + 50
        return t

    return f


@program(1, 5)
def nested_in_a_loop():
    class T:
        depth = 0

        @contextlib.contextmanager
        def nest(self):
            self.depth += 1
            try:
                yield self.depth
            finally:
                self.depth -= 1

    def f(x):
        t = T()
        r = 0
        for i in tl.range(x):
            with t.nest() as d:
                with t.nest() as e:
                    r += d * 10 + e
        return r, t.depth

    return f


@program(1, 5)
def restores_a_dict():
    @contextlib.contextmanager
    def tx(d):
        saved = dict(d)
        try:
            yield d
        except ValueError:
            d.clear()
            d.update(saved)

    def f(x):
        d = {"a": x, "b": 2}
        with tx(d) as e:
            e["a"] = e["a"] + 10
            if x > 3:
                raise ValueError("r")
            e["b"] = 7
        return d

    return f


@program(1, 5)
def sets_an_attribute():
    @contextlib.contextmanager
    def swap(o, name, value):
        old = getattr(o, name)
        setattr(o, name, value)
        yield
        setattr(o, name, old)

    class Thing:
        v = 1

    def f(x):
        o = Thing()
        o.v = x
        r = 0
        if x > 3:
            with swap(o, "v", 100):
                r = o.v
        else:
            r = o.v + 1
        return r, o.v

    return f


@program(1, 5)
def super_in_a_with():
    class A:
        def run(self, x):
            return x + 1 if x > 2 else x

    class B(A):
        def run(self, x):
            with contextlib.suppress(ValueError):
                if x > 3:
                    raise ValueError("a")
                return super().run(x)
            return super().run(x) * 10

    def f(x):
        return B().run(x)

    return f


@program(1, 5)
def perhaps_no_yield():
    @contextlib.contextmanager
    def early(k):
        if k > 100:
            return
        yield k

    def f(x):
        with early(x) as v:
            return v * 2

    return f


@program(1, 5)
def raises_at_the_end():
    @contextlib.contextmanager
    def m(k):
        try:
            yield k
        finally:
            if k > 3:
                raise KeyError("fin")

    def f(x):
        try:
            with m(x) as v:
                y = v
        except KeyError:
            y = -1
        return y

    return f


@program(1, 5)
def changes_a_list_at_the_end():
    @contextlib.contextmanager
    def m(k):
        r = []
        yield r
        k2 = sum(r)
        r.append(k2 if k2 > 4 else 0)

    def f(x):
        with m(x) as r:
            r.append(x)
            if x > 3:
                r.append(2)
        return len(r), r[-1]

    return f


@program(1, 5)
def busy_manager():
    class Res:
        def __init__(self):
            self.open = False

        @contextlib.contextmanager
        def use(self):
            if self.open:
                raise RuntimeError("busy")
            self.open = True
            try:
                yield self
            finally:
                self.open = False

    def f(x):
        r = Res()
        out = 0
        try:
            with r.use():
                if x > 3:
                    with r.use():
                        out = 1
                out = 2
        except RuntimeError:
            out = out + 10
        return out, r.open

    return f


@program(1, 5)
def with_around_a_yield_in_a_branch():
    @contextlib.contextmanager
    def opt(use):
        if use:
            with contextlib.suppress(KeyError):
                yield 1
        else:
            yield 0

    def f(x):
        r = 0
        for u in (True, False):
            try:
                with opt(u) as v:
                    if x > 3:
                        raise KeyError("k")
                    r += 1 + v
            except KeyError:
                r += 100
        return r

    return f
