"""`raise` and `assert`."""

from __future__ import annotations

from dataclasses import dataclass

from language.harness import Collection, Py

import treadle as tl

program = Collection()


class CodeError(Exception):
    def __init__(self, code, *, detail=None):
        super().__init__(f"code {code}")
        self.code = code
        self.detail = detail


class QuietError(ValueError):
    pass


@dataclass
class DataError(Exception):
    value: object
    kind: str = "none"


@program(1.0, -1.0)
def of_a_class():
    def f(x):
        if x < 0:
            raise QuietError
        return x

    return f


@program(1.0, -1.0)
def of_a_call_without_arguments():
    def f(x):
        if x < 0:
            raise QuietError()
        return x

    return f


@program(1.0, -1.0, -2.5)
def with_f_string():
    def f(x):
        if x < 0:
            raise ValueError(f"negative: {x} {x:.2f} {x + 1:>8.1f}")
        return x

    return f


@program([1.0, 2.0], [1.0, -2.0])
def with_tensors_in_its_arguments():
    def f(x):
        if tl.reduce_any(x < 0):
            raise ValueError("negative", x, [x[0], 3], {"k": x[1]})
        return x

    return f


@program(1, 7)
def with_text_of_a_tensor():
    def f(n):
        if n > 5:
            raise ValueError("got " + str(n) + ", not less")
        return n

    return f


@program(1, 7)
def with_own_init():
    def f(n):
        if n > 5:
            raise CodeError(n * 2, detail=(n, "x"))
        return n

    return f


@program(1, 7)
def with_constant_code():
    def f(n):
        if n > 5:
            raise CodeError(7, detail="seven")
        return n

    return f


@program(1, 7)
def of_a_dataclass():
    def f(n):
        if n > 5:
            raise DataError(n, kind="large")
        return n

    return f


@program(1, 7)
def from_a_cause():
    def f(n):
        if n > 5:
            raise CodeError(1) from KeyError("k", n)
        return n

    return f


@program(1, 7)
def from_none():
    def f(n):
        if n > 5:
            raise KeyError("k") from None
        return n

    return f


@program(1, 7)
def of_an_instance():
    def f(n):
        error = ValueError("made before")
        if n > 5:
            raise error
        return n

    return f


@program(1, 7, 8)
def of_an_outer_instance():
    error = CodeError(3)

    def f(n):
        if n > 5:
            raise error
        return n

    return f


@program(1, 7)
def of_system_errors():
    def f(n):
        if n > 5:
            raise FileNotFoundError(2, "no such file", "a.txt")
        return n

    return f


@program(-3, 0, 2)
def every_path_raises():
    def f(n):
        if n < 0:
            raise KeyError("negative")
        if n > 0:
            raise ValueError("positive")
        raise ZeroDivisionError

    return f


@program(-3, 2)
def writes_before_and_after():
    v = tl.Variable(0)

    def f(n):
        v.assign_add(1)
        if n < 0:
            v.assign_add(10)
            raise ValueError("negative")
        v.assign_add(100)
        return n

    return f, lambda: v.numpy()


@program(-3, 2)
def unconditional_after_a_write():
    v = tl.Variable(0)

    def f(n):
        v.assign_add(1)
        raise ValueError(f"always {n}")

    return f, lambda: v.numpy()


@program([1, 2, -3, 4], [1, 2])
def in_a_for_loop():
    v = tl.Variable(0)

    def f(xs):
        total = 0
        for x in xs:
            v.assign_add(1)
            if x < 0:
                raise CodeError(x)
            total += x
        return total

    return f, lambda: v.numpy()


@program(3, 30)
def in_a_while_loop():
    def f(n):
        steps = 0
        while n > 1:
            if steps > 5:
                raise RuntimeError(f"{steps} steps, at {n}")
            n = n - 1
            steps += 1
        return steps

    return f


@program(3, 0)
def always_in_a_loop():
    def f(n):
        for _ in tl.range(n):
            raise ValueError("in the loop")
        return n

    return f


@program([1, 2, 3], [1, 5, 3])
def in_nested_loops():
    def f(xs):
        count = 0
        for x in xs:
            for y in tl.range(x):
                if y == 4:
                    raise CodeError(count)
                count += 1
        return count

    return f


@program(1.0, -1.0, -20.0)
def in_helpers():
    def deep(x):
        if x < -10:
            raise KeyError("deep")
        return x

    def check(x):
        if x < 0:
            y = deep(x)
            raise ValueError(f"{y}")
        return x

    def f(x):
        return check(x) * 2

    return f


@program(1.0, -1.0)
def in_a_method():
    class Box:
        limit = 0

        def check(self, x):
            if x < self.limit:
                raise CodeError(self.limit)
            return x

    box = Box()

    def f(x):
        return box.check(x) + 1

    return f


@program(1.0, -1.0)
def in_a_lambda():
    def fail(x):
        raise ValueError("no")

    def f(x):
        g = lambda y: y if y > 0 else fail(y)
        return g(x)

    return f


@program(1.0, -1.0)
def in_a_ternary_of_nothing_else():
    def no(x):
        raise KeyError("no")

    def f(x):
        return no(x) if x < 0 else no(-x)

    return f


@program((1, 2), (1, -2), (-1, 2), (-1, -2))
def nested_conditions():
    def f(a, b):
        if a > 0:
            if b < 0:
                raise ValueError("b")
            r = a + b
        else:
            if b > 0:
                raise KeyError("a")
            r = a - b
        return r * 2

    return f


@program((1, 2), (-1, 2), (1, -2))
def guard_clauses():
    def f(a, b):
        if a < 0:
            raise ValueError(f"a is {a}")
        if b < 0:
            raise ValueError(f"b is {b}")
        return a * b

    return f


@program((1, Py(True)), (-1, Py(True)), (-1, Py(False)))
def with_a_python_condition():
    def f(a, strict):
        if a < 0:
            if strict:
                raise ValueError("strict")
            a = a * 0
        return a

    return f


@program((1, Py(True)), (1, Py(False)))
def only_a_python_condition():
    def f(a, bad):
        if bad:
            raise CodeError(5)
        return a

    return f


@program(1.0, -1.0)
def caught_in_the_branch():
    def f(x):
        if x < 0:
            try:
                raise ValueError("inner")
            except ValueError:
                x = x * 100
        return x

    return f


@program(1.0, -1.0)
def makes_its_message_in_a_helper():
    def message(x):
        return f"value is {x}"

    def f(x):
        if x < 0:
            raise ValueError(message(x))
        return x

    return f


@program(1.0, -1.0)
def from_a_factory():
    def make(x):
        return CodeError(x, detail="made")

    def f(x):
        if x < 0:
            raise make(x)
        return x

    return f


@program(5.0, -1.0)
def inside_of_a_called_function():
    @tl.function
    def g(x):
        if x < 0:
            raise CodeError(x)
        return x * 2

    def f(x):
        return g(x) + 1

    return f


@program(3, -3)
def assert_with_message():
    def f(n):
        assert n > 0, f"n is {n}"
        return n

    return f


@program(3, -3)
def assert_without_message():
    def f(n):
        assert n > 0
        return n

    return f


@program(3, -3)
def assert_with_a_tensor_for_message():
    def f(n):
        assert n > 0, (n, "bad")
        return n

    return f


@program(3, -3)
def assert_false_in_a_branch():
    def f(n):
        if n < 0:
            assert False, "never"  # noqa: PT015
        return n

    return f


@program([3, 1, -3], [1, 2])
def assert_in_a_loop():
    def f(xs):
        s = 0
        for x in xs:
            assert x > 0, f"{x} after {s}"
            s += x
        return s

    return f


@program(1, 5)
def not_implemented_as_else():
    def f(n):
        if n == 1:
            r = n * 10
        elif n == 2:
            r = n * 20
        else:
            raise NotImplementedError(f"n = {n}")
        return r

    return f


@program(1.0, -1.0)
def after_a_return():
    def f(x):
        if x > 0:
            return x
        raise ValueError(x)

    return f
