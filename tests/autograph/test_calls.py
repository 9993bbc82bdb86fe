"""What is converted when it is called, what is left alone, and what is kept of it."""

from __future__ import annotations

import functools
import gc
import types
import weakref
from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.autograph import operators as ag
from treadle.autograph.convert import is_converted


def double_if_positive(x):
    if x > 0:
        return x * 2
    return x


class Layer:
    def __init__(self, x):
        if x > 0:
            self.kind = tl.constant(1)
        else:
            self.kind = tl.constant(-1)

    def __call__(self, x):
        return double_if_positive(x) * self.kind

    @classmethod
    def made(cls, x):
        return cls(x)(x)

    @staticmethod
    def plain(x):
        return x if x > 0 else -x


def test_functions_of_ours_stay_as_they_are_when_they_are_traced() -> None:
    assert tl.function(tl.add)(tl.constant(1), 2).numpy() == 3
    assert ag.call(tl.add) is tl.add


def test_what_is_left_alone() -> None:
    traced = tl.function(double_if_positive)

    def numbers():
        yield 1

    for f in (
        ascii,
        gc.isenabled,
        np.sum,
        tl.add,
        complex,
        ValueError,
        traced,
        [].append,
        numbers,
        np.sin,
    ):
        assert ag.call(f) is f
    assert ag.call(functools.cmp_to_key) is functools.cmp_to_key


def test_what_is_converted() -> None:
    layer = Layer(1)
    for f in (double_if_positive, layer, layer.__call__, Layer.made, Layer.plain, Layer):
        assert ag.call(f) is not f
    partial = functools.partial(double_if_positive, 2)
    assert ag.call(partial)() == 4
    converted = ag.call(double_if_positive)
    assert is_converted(converted.__code__)
    assert ag.call(converted) is converted
    assert tl.autograph.convert(converted) is converted


def test_in_a_trace() -> None:
    partial = functools.partial(double_if_positive)

    @tl.function
    def f(x):
        made = Layer(x)
        wrapped = [made(x), Layer.made(x), Layer.plain(x), partial(x)]
        return [*wrapped, (lambda v: double_if_positive(v))(x)]

    assert [int(v) for v in f(tl.constant(3))] == [6, 6, 3, 6, 6]
    assert [int(v) for v in f(tl.constant(-3))] == [3, 3, 3, -3, -3]


def test_decorated_functions() -> None:
    def twice(f):
        @functools.wraps(f)
        def wrapper(x):
            return f(f(x))

        return wrapper

    @twice
    def step(x):
        if x > 0:
            return x - 1
        return x

    assert int(tl.function(step)(tl.constant(1))) == 0
    assert int(tl.function(lambda x: step(x))(tl.constant(5))) == 3


def test_functions_of_one_code_and_other_cells() -> None:
    """What may be left unwrapped for one closure has to be wrapped for another one."""

    def make(op):
        def f(x):
            return op(x)

        return f

    for op, expected in ((tl.negative, -3), (double_if_positive, 6), (abs, 3)):
        assert int(tl.function(make(op))(tl.constant(3))) == expected
    text = tl.autograph.to_code(make(tl.negative))
    assert "ag.call" not in text
    assert "ag.call(op)(x)" in tl.autograph.to_code(make(double_if_positive))


def test_cells_are_shared_with_the_original() -> None:
    count = 0

    def bump():
        nonlocal count
        if count < 5:
            count += 1
        return count

    converted = tl.autograph.convert(bump)
    assert (converted(), bump(), converted(), count) == (1, 2, 3, 3)


def test_defaults_are_those_of_the_original() -> None:
    def f(x, xs=[], *, scale=2):  # noqa: B006
        if x:
            xs.append(x * scale)
        return xs

    converted = tl.autograph.convert(f)
    assert converted(1) is f(2) is f.__defaults__[0]
    assert f.__kwdefaults__ == converted.__kwdefaults__ == {"scale": 2}


def test_nothing_is_kept_alive() -> None:
    def make():
        big = np.zeros(10)

        def f(n):
            if n == 0:
                return big
            return f(n - 1)

        return f

    f = make()
    assert tl.autograph.convert(f)(2) is f(0)
    refs = [weakref.ref(f), weakref.ref(f.__code__)]
    del f
    gc.collect()
    assert refs[0]() is None
    # A code object is a constant of `make`; that of a module that goes away goes with it.
    space: dict[str, Any] = {}
    exec(compile("def g(x):\n    return x\n", __file__, "exec"), space)
    tl.autograph.convert(space["g"])
    ref = weakref.ref(space.pop("g").__code__)
    space.clear()
    gc.collect()
    assert ref() is None


def test_marked_functions_run_as_they_are() -> None:
    @tl.autograph.do_not_convert
    def plain(x):
        return isinstance(x, tl.Tensor) and not is_converted(plain.__code__)

    def f(x):
        @tl.autograph.do_not_convert
        def inner(y):
            return y if isinstance(y, int) else None

        return plain(x), inner(1)

    assert tl.autograph.convert(f)(tl.constant(1)) == (True, 1)
    assert tl.autograph.why_unconverted(plain) == "it is marked by do_not_convert"
    assert "if isinstance(y, int)" in tl.autograph.to_code(f)


def test_the_order_of_evaluation_is_kept() -> None:
    log: list[str] = []

    class Noting:
        def __getattr__(self, name):
            log.append(name)
            return lambda *args: log.append("called")

    def f(o):
        o.method(log.append("first"), log.append("second"))

    tl.autograph.convert(f)(Noting())
    assert log == ["method", "first", "second", "called"]


def test_init_must_return_none() -> None:
    class Wrong:
        def __init__(self):
            if self:
                return 1

    with pytest.raises(TypeError, match=r"__init__\(\) should return None, not 'int'"):
        tl.autograph.convert(lambda: Wrong())()


def test_source_that_has_changed(tmp_path: Any) -> None:
    file = tmp_path / "changed.py"
    file.write_text("def f(x, y):\n    return x\n")
    space: dict[str, Any] = {}
    exec(compile("def f(x):\n    return x\n", str(file), "exec"), space)
    assert tl.autograph.convert(space["f"]) is space["f"]
    assert "has changed" in (tl.autograph.why_unconverted(space["f"]) or "")


def test_lambdas_on_one_line() -> None:
    one, two = (lambda x: x or "one"), (lambda x: x or "two")
    assert tl.autograph.convert(one)(0) == "one"
    assert tl.autograph.convert(two)(0) == "two"
    assert [tl.autograph.to_code(f).count("two") for f in (one, two)] == [0, 1]


def test_threads_convert_at_once() -> None:
    import threading

    def f(x):
        while x < 10:
            x += 1
        return x

    results: list[int] = []
    threads = [
        threading.Thread(target=lambda: results.append(tl.autograph.convert(f)(1)))
        for _ in range(8)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [10] * 8


def test_future_flags_are_the_modules_own() -> None:
    def f(x: unknown_name) -> unknown_name:  # noqa: F821
        def inner(y: also_unknown):  # noqa: F821
            return y

        return inner.__annotations__

    assert tl.autograph.convert(f)(1) == {"y": "also_unknown"}


def test_builtin_types_of_functions() -> None:
    assert isinstance(tl.autograph.convert(double_if_positive), types.FunctionType)
    bound = tl.autograph.convert(Layer(1).__call__)
    assert isinstance(bound, types.MethodType)
