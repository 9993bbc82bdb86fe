"""Functions of Python's own that are given numbers which only the run knows."""

from __future__ import annotations

import math

from treadle.errors import ConversionError

from .harness import Collection

program = Collection()


@program(-13, 0, 255)
def in_other_bases():
    def f(x):
        x = int(x)
        return hex(x), oct(x), bin(x), format(x, "b"), format(x, "5d"), format(x)

    return f


@program(15, 25, -35, 44, 46, -5)
def rounded_to_tens():
    def f(x):
        x = int(x)
        return round(x, -1), round(x, -2), round(x, 2), round(x)

    return f


@program(3.1459, -2.5)
def rounded_to_places():
    def f(x):
        return round(x, 2), round(x, 0), round(x), round(x * 100, -1)

    return f


@program(3.0, 3.0000001, 3.5)
def close():
    def f(x):
        t = 1 if math.isclose(x, 3.0, rel_tol=1e-3) else 2
        far = math.isclose(x, 2.0), math.isclose(x, 2.0, abs_tol=2), math.isclose(x, math.inf)
        return t, far, math.isclose(x * math.inf, math.inf)

    return f


GIVEN = [
    (lambda x: math.gcd(x, 6), r"math\.gcd\(\) at .*numbers_of_the_run.py:\d+"),
    (math.factorial, r"math\.factorial\(\) at"),
    (lambda x: round(2.345, x), r"round\(\) at .* call it in tl.py_function"),
    (lambda x: math.fsum([x, 1]), r"math\.fsum\(\) at"),
]
for function, text in GIVEN:

    @program(3, refused=(ConversionError, text))
    def refused_by_python(function=function):
        def f(x):
            return function(int(x))

        return f
