"""Classes that are context managers, and managers within other statements."""

from __future__ import annotations

import contextlib

import treadle as tl
from treadle import errors

from .harness import Collection

program = Collection()


@contextlib.contextmanager
def more(k):
    yield k + (1 if k > 3 else 2)


@program(1, 5)
def exit_gives_a_tensor():
    class S:
        def __init__(self, k):
            self.k = k

        def __enter__(self):
            return self

        def __exit__(self, t, v, tb):
            return self.k > 3

    def f(x):
        t = 0
        with S(x):
            t = 1
            raise ValueError("no")
        return t + x

    return f


@program(1, 5, 7)
def exit_gives_a_tensor_for_some():
    class S:
        def __init__(self, k):
            self.k = k

        def __enter__(self):
            return self

        def __exit__(self, t, v, tb):
            return self.k > 6

    def f(x):
        t = 0
        try:
            with S(x):
                t = 1
                if x > 3:
                    raise ValueError("no")
                t = 2
        except ValueError:
            t = t + 10
        return t + x

    return f


@program(1, 5)
def enter_and_exit_of_a_class():
    class M:
        def __init__(self, k):
            self.k = k
            self.log = []

        def __enter__(self):
            if self.k > 3:
                self.log.append(1)
            else:
                self.log.append(2)
            return self.k * 2

        def __exit__(self, t, v, tb):
            self.log.append(3 if t is None else 4)
            return t is not None and issubclass(t, KeyError)

    def f(x):
        m = M(x)
        r = 0
        with m as k:
            r = k
            if x > 3:
                raise KeyError("x")
            r = r + 1
        return r, m.log

    return f


@program(1, 5)
def left_by_break_and_continue():
    class Pool:
        def __init__(self):
            self.used = 0

        def __enter__(self):
            self.used += 1
            return self

        def __exit__(self, *a):
            self.used -= 1

    def f(x):
        p = Pool()
        seen = 0
        while x > 0:
            with p as q:
                seen += q.used
                if x == 3:
                    break
                x -= 1
                if x == 1:
                    continue
                seen += 10
        return seen, p.used, x

    return f


@program(1, 5)
def one_of_two_managers():
    class A:
        def __init__(self, k):
            self.k = k

        def __enter__(self):
            return self.k + 1

        def __exit__(self, t, v, tb):
            return t is ValueError

    class B(A):
        def __exit__(self, t, v, tb):
            return t is KeyError

    def f(x):
        m = A(x) if x > 3 else B(x)
        r = 0
        with m as k:
            r = k
            if x > 3:
                raise ValueError("a")
            else:
                raise KeyError("b")
        return r

    return f


@program(1, 5)
def targets_of_a_with():
    class Thing:
        pass

    def f(x):
        o, d = Thing(), {}
        with more(x) as o.v, more(x) as d["k"]:
            with contextlib.nullcontext((x, 1, 2)) as (a, *b):
                t = a + b[1] + o.v + d["k"]
        return t, o.v

    return f


@program(1, 5)
def function_made_in_a_with():
    def f(x):
        with more(x) as v:

            def g(w):
                nonlocal t
                t = w + v
                return t

            t = 0
            del_me = 3
            del del_me
        return g(x) + t

    return f


@program(1, 5)
def with_in_a_recursion():
    def f(x):
        if x == 0:
            return 0
        with more(x) as v:
            return v + f(x - 1)

    return f


@program(1, 5)
def managers_in_a_list():
    def f(x):
        cms = [more(x), more(x + 1)]
        t = 0
        for c in cms:
            with c as v:
                t = t * 10 + v
        return t

    return f


@program(1, 5)
def manager_with_managers():
    @contextlib.contextmanager
    def outer(k):
        with more(k) as a:
            with more(a) as b:
                yield a, b

    def f(x):
        for i in tl.range(2):
            with outer(x + i) as (a, b):
                if a > 5:
                    continue
                x = x + b
        return x

    return f


@program(1, 5)
def manager_in_a_loop():
    class C(contextlib.AbstractContextManager):
        n = 0

        def __exit__(self, *a):
            self.n = self.n + 1 if self.n > 0 else 5

    def f(x):
        c = C()
        for i in tl.range(x):
            with c:
                if i == 2:
                    break
        return c.n

    return f


@program(1, 5)
def exit_swallows_and_changes():
    class CM:
        def __init__(self, o):
            self.o = o

        def __enter__(self):
            self.o.n += 1
            return self.o

        def __exit__(self, *a):
            if self.o.n > 3:
                self.o.n = 0
            return True

    class Thing:
        n = 0

    def f(x):
        o = Thing()
        o.n = x
        with CM(o) as p:
            if p.n > 3:
                raise ValueError("a")
            p.n += 100
        return o.n

    return f


@program(5, refused=(errors.PythonLoopError, "make the loop's own condition a tensor"))
def endless_loop_left_by_a_raise():
    def f(x):
        s = 0
        try:
            while True:
                s = s + x
                if s > 20:
                    raise StopIteration
        except StopIteration:
            pass
        return s

    return f


@program(3, 7, refused=(tl.errors.ConversionError, r"managing_classes.py:\d+: with .* ExitStack"))
def stack_whose_callbacks_a_tensor_decides():
    def f(x):
        log = []
        with contextlib.ExitStack() as stack:
            stack.callback(log.append, "a")
            if x > 5:
                stack.callback(log.append, "b")
        return len(log)

    return f


@program(3, 7)
def callbacks_that_ask():
    def f(x):
        log = []

        def undo():
            if x > 5:
                log.append(2)

        with contextlib.ExitStack() as stack:
            stack.callback(log.append, 1)
            stack.callback(undo)
        return log

    return f
