"""`with` around what depends on tensors."""

from __future__ import annotations

import contextlib

from language.harness import Collection

import treadle as tl

from .trying import CodeError

program = Collection()


class Counting:
    """Writes on its way in and out; swallows exceptions of `swallowed`."""

    def __init__(self, v, *swallowed):
        self.v = v
        self.swallowed = swallowed

    def __enter__(self):
        self.v.assign_add(1)
        return self

    def __exit__(self, kind, error, tb):
        self.v.assign_add(10 if kind is None else 100)
        return kind is not None and issubclass(kind, self.swallowed)


@program(1.0, -1.0)
def leaves_on_each_path():
    v = tl.Variable(0)

    def f(x):
        with Counting(v):
            if x < 0:
                raise ValueError("v")
            x = x * 2
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def swallows():
    v = tl.Variable(0)

    def f(x):
        n = 0
        with Counting(v, ValueError):
            n = 1
            if x < 0:
                raise ValueError("v")
            n = 2
        return n, x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def swallows_another_class():
    v = tl.Variable(0)

    def f(x):
        n = 0
        with Counting(v, KeyError):
            n = 1
            if x < 0:
                raise ValueError("v")
            n = 2
        return n, x

    return f, lambda: v.numpy()


@program((1.0, 1.0), (-1.0, 1.0), (1.0, -1.0))
def two_managers():
    v = tl.Variable(0)
    w = tl.Variable(0)

    def f(x, y):
        n = 0
        with Counting(v, KeyError), Counting(w, ValueError):
            n = 1
            if x < 0:
                raise ValueError("v")
            n = 2
            if y < 0:
                raise KeyError("k")
            n = 3
        return n

    return f, lambda: (v.numpy(), w.numpy())


@program(1.0, -1.0)
def generator_that_cleans_up():
    v = tl.Variable(0)

    @contextlib.contextmanager
    def opened(k):
        v.assign_add(1)
        try:
            yield k * 2
        finally:
            v.assign_add(10)

    def f(x):
        with opened(x) as y:
            if x < 0:
                raise CodeError(3)
            y = y + 1
        return y

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def generator_that_catches():
    v = tl.Variable(0.0)

    @contextlib.contextmanager
    def catching(k):
        y = k * 3
        try:
            yield y
        except ValueError:
            v.assign_add(y)
        else:
            v.assign_add(100.0)

    def f(x):
        n = x * 0
        with catching(x) as y:
            if x < 0:
                raise ValueError("v")
            n = y + 1
        return n

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def generator_that_raises_another_one():
    @contextlib.contextmanager
    def translating():
        try:
            yield
        except KeyError as e:
            raise CodeError(7) from e

    def f(x):
        with translating():
            if x < 0:
                raise KeyError("k")
        return x

    return f


@program([1.0, -1.0, 2.0], [-5.0])
def suppress_in_a_loop():
    def f(xs):
        s = 0.0
        for x in xs:
            with contextlib.suppress(ValueError):
                if x < 0:
                    raise ValueError("v")
                s += x
        return s

    return f


@program([1.0, -1.0, 2.0], [-5.0], [9.0, 1.0])
def jumps_out_of_a_manager():
    v = tl.Variable(0)

    def f(xs):
        s = 0.0
        for x in xs:
            with Counting(v, ValueError):
                if x < 0:
                    continue
                if x > 5:
                    break
                if x > 1.5:
                    raise ValueError("v")
                s += x
            s += 100.0
        return s

    return f, lambda: v.numpy()


@program(1.0, -1.0, 7.0)
def returns_out_of_a_manager():
    v = tl.Variable(0)

    def f(x):
        with Counting(v):
            if x < 0:
                return x * 2
            if x > 5:
                raise CodeError(1)
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def manager_in_a_try():
    v = tl.Variable(0)

    def f(x):
        n = 0
        try:
            with Counting(v):
                n = 1
                if x < 0:
                    raise CodeError(5)
                n = 2
        except CodeError as e:
            n = n + e.code * 10
        return n

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def try_in_a_manager():
    v = tl.Variable(0)

    def f(x):
        n = 0
        with Counting(v):
            try:
                if x < 0:
                    raise CodeError(5)
                n = 2
            except CodeError as e:
                n = n + e.code * 10
        return n

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def exit_stack():
    v = tl.Variable(0)

    def f(x):
        with contextlib.ExitStack() as stack:
            stack.enter_context(Counting(v))
            stack.callback(lambda: v.assign_add(1000))
            if x < 0:
                raise CodeError(5)
            x = x + 1
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def manager_with_state():
    class Timer:
        def __init__(self, start):
            self.start = start
            self.spent = start * 0

        def __enter__(self):
            self.entered = self.start * 2
            return self

        def __exit__(self, *exc):
            self.spent = self.entered - self.start

    def f(x):
        with Timer(x) as t:
            if x > 0:
                x = x * 2
        return x, t.spent

    return f


@program(1.0, -1.0)
def manager_under_a_condition():
    v = tl.Variable(0)

    def f(x):
        if x > 0:
            with Counting(v):
                x = x + 1
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def assertion_in_a_manager():
    v = tl.Variable(0)

    def f(x):
        with Counting(v):
            assert x > 0, "negative"
            x = x + 1
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def called_function_raises():
    v = tl.Variable(0)

    def check(x):
        if x < 0:
            raise CodeError(4)
        return x * 2

    def f(x):
        y = x
        with Counting(v, CodeError):
            y = check(x)
        return y

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def closing():
    v = tl.Variable(0)

    class Thing:
        def close(self):
            v.assign_add(1)

    def f(x):
        with contextlib.closing(Thing()):
            if x < 0:
                raise CodeError(4)
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def gradient_tape_with_a_raise():
    def f(x):
        with tl.GradientTape() as tape:
            tape.watch(x)
            if x < 0:
                raise CodeError(4)
            y = x * x
        return tape.gradient(y, x)

    return f
