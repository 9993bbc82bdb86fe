"""Conditions that are tensors."""

from __future__ import annotations

import enum
from typing import Any

import treadle as tl

from .harness import Collection, Py

program = Collection()


@program(3.0, -3.0)
def if_without_else():
    def f(x):
        if x < 0:
            x = -x
        return x

    return f


@program(0.5, 5.0, -1.0)
def chain_of_elifs():
    def f(x):
        if x > 3:
            y = x * 2
        elif x > 0:
            y = x + 100
        else:
            y = -x
        return y

    return f


@program(3.0, -3.0)
def early_return():
    def f(x):
        if x < 0:
            return -x
        x = x * 2
        return x + 1

    return f


@program(3.0, -3.0, 30.0)
def early_returns_nested():
    def f(x):
        if x > 0:
            if x > 10:
                return x * 100
            x = x + 1
        else:
            return x
        return x * 2

    return f


@program(3.0, -3.0)
def defined_in_both():
    def f(x):
        if x > 0:
            y, z = x, 2 * x
        else:
            z, y = x, -x
        return y - z

    return f


@program(3.0, -3.0)
def defined_in_one_and_unused():
    def f(x):
        if x > 0:
            y = x * 2
            x = y + 1
        return x

    return f


@program(3.0, -3.0, relaxed=True)
def defined_in_one_and_read_there():
    def f(x):
        if x > 0:
            y = x * 2
        if x > 0:
            return y
        return x

    return f


@program(3.0, -3.0, relaxed=True)
def defined_in_one_and_read():
    def f(x):
        if x > 0:
            y = x * 2
        return y

    return f


@program(3.0, -3.0)
def ternary():
    def f(x):
        return x * 2 if x > 0 else x - 1

    return f


@program(3.0, -3.0, 0.0)
def ternary_nested():
    def f(x):
        return (x if x > 1 else -x) if x != 0 else x + 7

    return f


@program((1.0, 2.0), (-1.0, 2.0), (1.0, -2.0), (-1.0, -2.0))
def and_or_not():
    def f(a, b):
        r = 0
        if a > 0 and b > 0:
            r += 1
        if a > 0 or b > 0:
            r += 10
        if not (a > 0):
            r += 100
        if not a > 0 and not b > 0:
            r += 1000
        return r

    return f


@program((4, 0), (4, 2), (0, 3))
def short_circuit_guards_division():
    def f(a, b):
        if b != 0 and a // b > 1:
            return a // b
        return a

    return f


@program((4, 0), (4, 2))
def short_circuit_or():
    def f(a, b):
        return b == 0 or a // b > 1

    return f


@program(1.0, 5.0, 11.0)
def chained_comparison():
    def f(x):
        return 1 if 2 < x <= 10 else 0

    return f


@program((1.0, 2.0, 3.0), (3.0, 2.0, 1.0), (1.0, 0.0, 0.5))
def chained_comparison_of_tensors():
    def f(a, b, c):
        if a < b < c:
            return b
        return c

    return f


@program(([1.0, 2.0], [3.0, 4.0]), ([3.0, 4.0], [1.0, 2.0]))
def swap_in_branch():
    def f(a, b):
        if tl.reduce_sum(a) > tl.reduce_sum(b):
            a, b = b, a
        return a - b

    return f


@program([1.0, 2.0, 3.0], [-1.0, 2.0, -3.0])
def branches_of_other_sizes():
    def f(x):
        if tl.reduce_sum(x) > 0:
            y = x[:1]
        else:
            y = tl.concat([x, x], 0)
        return y * 2

    return f


@program(3.0, -3.0)
def tuple_results():
    def f(x):
        if x > 0:
            pair = (x, x * 2)
        else:
            pair = (-x, x * 3)
        a, b = pair
        return a + b

    return f


@program(3.0, -3.0)
def dict_results():
    def f(x):
        if x > 0:
            d = {"a": x, "b": x * 2}
        else:
            d = {"b": x * 3, "a": -x}
        return d

    return f


@program(3.0, -3.0)
def list_results():
    def f(x):
        out = [x]
        if x > 0:
            out = [x, x * 2]
        return tl.add_n(out)

    return f


@program(3.0, -3.0)
def none_then_tensor():
    def f(x):
        y = None
        if x > 0:
            y = x * 2
        if y is None:
            y = x - 1
        return y

    return f


@program(3.0, -3.0)
def none_checked_by_not():
    def f(x):
        y = None
        if x > 0:
            y = x * 2
        if y is not None:
            return y
        return x

    return f


@program(3.0, -3.0)
def none_from_helper():
    def find(x):
        if x > 0:
            return x * 2

    def f(x):
        r = find(x)
        return x if r is None else r + 1

    return f


@program(3.0, -3.0)
def none_in_tuple():
    def f(x):
        pair = (x, None)
        if x > 0:
            pair = (x * 2, x)
        a, b = pair
        if b is None:
            b = a * 10
        return a + b

    return f


@program(3.0, -3.0)
def python_number_and_tensor():
    def f(x):
        y = 1.0
        if x > 0:
            y = x * 2
        return y

    return f


@program(3.0, -3.0)
def python_numbers_on_both_sides():
    def f(x):
        n = 0
        if x > 0:
            n = n + 5
        else:
            n -= 5
        return n * 2

    return f


@program(3.0, -3.0, relaxed=True)
def int_and_float_branches():
    def f(x):
        if x > 0:
            y = 1
        else:
            y = 2.5
        return y * x

    return f


@program(3.0, -3.0)
def strings_chosen():
    def f(x):
        word = "positive"
        if x < 0:
            word = "negative"
        return tl.strings.length(word)

    return f


@program(3.0, -3.0)
def bools_chosen():
    def f(x):
        flag = False
        if x > 0:
            flag = True
        if flag:
            x = x * 10
        return x

    return f


@program((3.0, Py(True)), (-3.0, Py(True)), (3.0, Py(False)))
def python_condition_inside():
    def f(x, double):
        if x > 0:
            if double:
                x = x * 2
            else:
                x = x * 3
        return x

    return f


@program(3.0, -3.0)
def enum_decides():
    class Mode(enum.Enum):
        UP = 1
        DOWN = 2

    def f(x):
        mode = Mode.UP
        if mode is Mode.UP and x > 0:
            return x + 1
        return x - 1

    return f


@program(3.0, -3.0)
def pass_and_docstring():
    def f(x):
        """Has one."""
        if x > 0:
            pass
        else:
            x = x * 2
        return x

    return f


@program(3.0, -3.0)
def walrus_in_if():
    def f(x):
        if (y := x * 2) > 0:
            return y
        return y - 1

    return f


@program(3.0, -3.0)
def walrus_in_and():
    def f(x):
        if x > 0 and (y := x * 2) > 4:
            return y
        return x

    return f


@program(3.0, -3.0)
def del_in_branch():
    def f(x):
        y = x * 2
        if x > 0:
            z = y + 1
            del y
            x = z
        return x

    return f


@program(3.0, -3.0)
def lambda_with_ternary():
    def f(x):
        g = lambda v: v * 2 if v > 0 else v - 1
        return g(x) + g(-x)

    return f


@program(3.0, -3.0)
def two_lambdas_on_a_line():
    def f(x):
        a, b = (lambda v: v if v > 0 else -v), (lambda v: v * 2 if v > 1 else v)
        return a(x) * 10 + b(x)

    return f


@program(3.0, -3.0)
def function_chosen():
    def f(x):
        if x > 0:
            r = double(x)
        else:
            r = triple(x)
        return r

    def double(v):
        return v * 2

    def triple(v):
        return v * 3

    return f


@program(3.0, -3.0)
def closure_made_in_branch():
    def f(x):
        if x > 0:

            def g(v):
                return v + x

            y = g(x)
        else:
            y = x
        return y

    return f


@program(2, 3, 9)
def condition_on_int():
    def f(n):
        if n % 2 == 0:
            return n // 2
        if n % 3 == 0 and n > 5:
            return n // 3
        return 3 * n + 1

    return f


@program((True, 2.0), (False, 2.0))
def condition_is_argument():
    def f(flag, x):
        if flag:
            return x
        return -x

    return f


@program((3.0, -1.0), (-3.0, 4.0))
def any_and_all_of_conditions():
    def f(a, b):
        r = 0
        if any([a > 0, b > 0]):
            r += 1
        if all((a > 0, b > 0)):
            r += 10
        return r

    return f


@program((3.0, -1.0, 2.0), (-3.0, 4.0, 2.0))
def max_min_of_tensors():
    def f(a, b, c):
        return max(a, b) - min(a, b, c) + max([a, c])

    return f


@program(3.7, -3.2)
def numbers_of_tensors():
    def f(x):
        return abs(x) + round(x) + x**2

    return f


@program((7, 2), (-7, 2))
def divmod_of_tensors():
    def f(a, b):
        q, r = divmod(a, b)
        return q * 100 + r

    return f


@program(3.7, 0.0)
def conversions():
    def f(x):
        n = int(x)
        y = float(n) + 0.5
        if bool(x):
            y = y * 2
        return y

    return f


@program([1.0, 2.0], [3.0, 4.0])
def in_tensor():
    def f(x):
        if 2.0 in x:
            return x[0]
        if 9.0 not in x:
            return x[1]
        return x[0] + x[1]

    return f


@program(2, 5)
def in_tuple_and_list():
    def f(n):
        if n in (1, 2, 3):
            return n * 10
        return n if n in [7, 8] else -n

    return f


@program(3.0, -3.0)
def assert_holds():
    def f(x):
        assert x > 0, "not positive"
        return x

    return f


@program(3.0, -3.0)
def is_instance():
    def f(x):
        if isinstance(x, tl.Tensor) and x > 0:
            return x
        return -x

    return f


@program(3.0, -3.0)
def partial_results_of_many_names():
    def f(x):
        a = b = c = x
        if x > 0:
            a += 1
            b *= 2
        elif x < -1:
            c -= 5
        else:
            a = b = c
        return a, b, [c, {"k": a}]

    return f


@program((3.0, 1.0), (-3.0, 1.0))
def optional_argument():
    def helper(x, y=None):
        if y is None:
            y = x * 2
        if x > 0:
            return x + y
        return y

    def f(x, y):
        return helper(x) + helper(x, y) + helper(x, y=None)

    return f


@program((3.0,), (-3.0,))
def star_arguments():
    def helper(*args: Any, scale: float = 2.0, **rest: Any):
        total = args[0]
        for a in args[1:]:
            if a > 0:
                total = total + a * scale
        return total + rest.get("extra", 0.0)

    def f(x):
        return helper(x, x, -x, extra=x) + helper(*[x, x], scale=3.0)

    return f


@program(([1.0, 1.0], 0.0, Py(0)), ([1.0, 1.0], 5.0, Py(0)), ([1.0, 1.0], 5.0, Py(3)))
def branch_of_python_that_always_returns():
    def f(p, a, k):
        b = a
        if k < 1:
            a, b = b, a
            if k < 1:
                for w in p:
                    a = a + w
                    if a > 3.0:
                        return a * 2.0
                a = p[0]
                return a + 10.0
            elif k == 7:
                b = b + 1.0
            else:
                for i in range(k):
                    if i == 1:
                        break
        return a + b

    return f
