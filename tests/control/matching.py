"""`match` on tensors and on values of Python."""

# ruff: noqa: E741, F841

from __future__ import annotations

import dataclasses
import enum

from language.harness import Collection, Py

import treadle as tl

program = Collection()


class Color(enum.Enum):
    RED = 1
    GREEN = 2


class K:
    ONE = 1
    TWO = 2


@dataclasses.dataclass
class P:
    x: object
    y: object


class Cls:
    __match_args__ = ("a", "b")

    def __init__(s, a, b):
        s.a = a
        s.b = b


@program(1, 2, 5, -3)
def literals():
    def f(n):
        match n:
            case 1:
                return n * 10
            case 2 | 3:
                return n * 20
            case _:
                return n * 0

    return f


@program(1, 2, 5, -3)
def guard():
    def f(n):
        r = 0
        match n:
            case x if x > 3:
                r = x * 2
            case x if x < 0:
                r = -x
            case 2:
                r = 77
            case _:
                r = n
        return r, x

    return f


@program(1, 2, 5)
def no_case_matches():
    def f(n):
        r = n
        match n:
            case 1:
                r = n + 100
            case 2:
                r = n + 200
        return r

    return f


@program(1, 2, 5)
def dotted():
    def f(n):
        match n:
            case K.ONE:
                return n * 10
            case K.TWO:
                return n * 100
        return n

    return f


@program((1, 2), (2, 1), (3, 3))
def sequence_of_tensors():
    def f(a, b):
        match (a, b):
            case (1, y):
                return y * 10
            case (x, 1):
                return x * 100
            case (x, y) if x == y:
                return x + y
            case _:
                return a * 0

    return f


@program(((1, 2),), ((3, 4),))
def py_sequence():
    def f(t):
        match t:
            case [a, b]:
                return a + b
            case _:
                return t

    return f


@program((Py([1, 2, 3]), 5), (Py([1]), 5), (Py([]), 5), (Py("abc"), 5))
def python_list_of_lengths():
    def f(l, n):
        match l:
            case []:
                return n
            case [x]:
                return n * x
            case [x, *rest]:
                return n * x + len(rest)
            case str():
                return n * 1000

    return f


@program((1.0, 2.0), (0.0, 2.0))
def class_pattern():
    def f(a, b):
        p = P(a, b)
        match p:
            case P(x=0.0, y=y):
                return y * 100
            case P(x=x):
                return x

    return f


@program((1.0, 2.0), (0.0, 2.0))
def positional_class():
    def f(a, b):
        match Cls(a, b):
            case Cls(0.0, y):
                return y * 100
            case Cls(x, y):
                return x - y

    return f


@program((1.0, 2.0), (0.0, 2.0), (9.0, 2.0))
def dict_pattern():
    def f(a, b):
        match {"k": a, "b": b, "c": 3}:
            case {"k": 0.0, **rest}:
                return b * rest["c"]
            case {"k": v, "b": w} if v > 5:
                return v * w
            case {"k": v}:
                return v

    return f


@program((Py(Color.RED), 1), (Py(Color.GREEN), 1))
def enum_python():
    def f(c, n):
        match c:
            case Color.RED:
                return n * 2
            case Color.GREEN:
                return n * 3

    return f


@program(1, 2, 3)
def in_loop():
    def f(n):
        s = 0
        for i in tl.range(n + 3):
            match i:
                case 0:
                    continue
                case 4:
                    break
                case k if k % 2 == 0:
                    s += k * 10
                case _:
                    s += 1
        return s

    return f


@program(1, 2, 3)
def as_pattern():
    def f(n):
        match n:
            case (1 | 2) as m:
                return m * 10
            case m:
                return -m

    return f


@program(True, False)
def singletons():
    def f(b):
        match b:
            case True:
                return 1
            case False:
                return 2
        return 3

    return f


@program((Py(None), 1), (Py(3), 1), (Py("x"), 1), (Py(2.5), 1), (Py((1, 2)), 1))
def python_types():
    def f(v, n):
        match v:
            case None:
                return n
            case int(i):
                return n * i
            case str():
                return n * 100
            case float(q):
                return n * 1000
            case tuple((a, b)):
                return n * a * b

    return f


@program((1, 1), (1, 2), (2, 1), (2, 2))
def nested_match():
    def f(a, b):
        match a:
            case 1:
                match b:
                    case 1:
                        r = 11
                    case _:
                        r = 12
            case _:
                match b:
                    case 1:
                        r = 21
                    case _:
                        r = 22
        return r

    return f


@program(1, 7, -1)
def match_raises():
    def f(n):
        match n:
            case 1:
                return n
            case x if x < 0:
                raise ValueError("negative", x)
            case other:
                raise KeyError(f"bad {other}")

    return f


@program(1.5, 2.5)
def float_values():
    def f(x):
        match x:
            case 1.5:
                y = x * 2
            case -2.5:
                y = x
            case _:
                y = x * 0
        return y

    return f


@program([1, 2], [0, 5], [3, 3])
def unpack_tensor():
    def f(t):
        a, b = t
        match (a, b):
            case (0, z):
                return z
            case (a, b) if a == b:
                return a * 100
            case _:
                return b

    return f


@program([1, 2], [0, 5], [3, 3])
def tensor_as_sequence():
    def f(t):
        match t:
            case [0, z]:
                return z
            case [a, b]:
                return a * b

    return f


@program((1, 5), (2, 5), (3, 5))
def nested_sequence():
    def f(a, b):
        match ((a, b), [b, a]):
            case ((1, x), [y, _]):
                return x * y
            case ((2, x), _):
                return x * 1000
            case (_, [*z]):
                return z[0] + z[1]

    return f


@program(1, 2, 3)
def state_before_and_after():
    def f(n):
        log = []
        s = n
        match n:
            case 1:
                s = s + 1
                log.append(s)
            case 2:
                log.append(s * 2)
                s = s + 2
            case _:
                log.append(n)
        return s, log[0]

    return f


@program(1, 2, 3)
def method_guard():
    class A:
        def __init__(s):
            s.k = 2

        def big(s, n):
            return n > s.k

        def f(s, n):
            match n:
                case 1:
                    return n
                case v if s.big(v):
                    return v * s.k
                case v:
                    return v * 50

    return A().f


@program(1, 2, 3)
def walrus_subject():
    def f(n):
        match m := n * 2:
            case 2:
                return m + 1
            case 4:
                return m + 2
            case _:
                return m

    return f


@program(1, 2)
def try_in_match():
    def f(n):
        match n:
            case 1:
                try:
                    if n > 0:
                        raise ValueError("a")
                    r = 1
                except ValueError:
                    r = 2
            case _:
                r = 3
        return r

    return f


@program(
    (Py({"op": "add", "x": 1}), 5), (Py({"op": "mul", "x": 2, "z": 1}), 5), (Py({"op": "none"}), 5)
)
def commands():
    def f(c, n):
        match c:
            case {"op": "add", "x": x}:
                return n + x
            case {"op": "mul", "x": x, **o}:
                return n * x + len(o)
            case {"op": str(s)}:
                return n * len(s)

    return f


@program(1, 2, 3)
def name_after():
    def f(n):
        match n:
            case 1:
                x = 5
            case x:
                pass
        return x

    return f
