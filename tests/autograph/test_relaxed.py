"""`@tl.function(relaxed=True)` gives what plain Python gives on eager tensors, errors included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import treadle as tl

CASES: list[tuple[Callable[..., Any], Any]] = []


def case(*calls: Any) -> Callable[[Any], Any]:
    def register(f: Any) -> Any:
        CASES.extend((f, c) for c in calls)
        return f

    return register


def outcome(f: Callable[..., Any], argument: Any) -> Any:
    """The result as Python numbers, or the exception's class."""
    try:
        found = f(tl.constant(argument))
    except Exception as error:
        return type(error)
    return tl.nest.map_structure(lambda x: np.asarray(x).tolist(), found)


@case(3, -3)
def int_or_float(c):
    if c > 0:
        x = 1
    else:
        x = 2.5
    return x


@case(3, -3)
def tensors_of_two_dtypes(c):
    x = c
    if c > 0:
        x = tl.cast(c, tl.float32) * 0.5
    return x


@case(0, 1, 4)
def grows_by_a_row(n):
    y = tl.ones([1, 2])
    for i in tl.range(n):
        y = tl.concat([y, tl.ones([1, 2]) * tl.cast(i, tl.float32)], 0)
    return y


@case(0, 1, 4)
def grows_in_a_while(n):
    y = tl.zeros([0])
    i = 0
    while i < n:
        y = tl.concat([y, [1.0]], 0)
        i += 1
    return y


@case(0, 1, 5)
def int_becomes_float(n):
    x = 0
    for _ in tl.range(n):
        x = x + 0.5
    return x


@case(0, 1, 5)
def tensor_becomes_float(n):
    x = tl.constant(0)
    for i in tl.range(n):
        x = tl.cast(i, tl.float32) / 2
    return x


@case(3, -3)
def undefined_on_one_path(c):
    if c > 0:
        x = c * 2
    return x


@case(3, -3)
def undefined_but_read_on_the_right_path_only(c):
    if c > 0:
        x = c * 2
    if c > 0:
        return x
    return c


@case(3, -3, 8)
def undefined_in_nested_branches(a):
    if a > 0:
        if a > 5:
            q = a
    else:
        q = -a
    return q


@case(3, -3)
def deleted_on_one_path(c):
    x = c
    if c > 0:
        del x
    return x


@case(8, 2, -3)
def none_or_undefined(c):
    if c > 3:
        x = None
    elif c > 0:
        x = c
    return x is None


@case(0, 1, 5)
def first_set_in_a_loop(n):
    for i in tl.range(n):
        x = i * 2
    return x


@case(0, 1, 5)
def index_after_the_loop(n):
    for i in tl.range(n):
        pass
    return i


@case(0, 2, 5)
def set_in_a_branch_in_a_loop(n):
    for i in tl.range(n):
        if i > 2:
            z = i
    return z


@case(0, 1, 5)
def set_by_an_earlier_iteration(n):
    total = tl.constant(0)
    for i in tl.range(n):
        if i > 0:
            total = total + x  # noqa: F821
        x = i * 2  # noqa: F841
    return total


@case(0, 1, 30)
def endless_while(x):
    while True:
        if x > 20:
            break
        x = x * 2 + 1
    return x


@case(0, 1, 30)
def endless_while_left_by_return(x):
    i = 0
    while True:
        i += 1
        if x > 20:
            return i
        x = x * 2 + 1


@case(1, 3, 5)
def endless_while_by_a_list(n):
    values = [1]
    while n < 4 and values:
        for _ in values:
            if n // 3 != 1:
                return n
        n += 1
    return n - 7


@case(3, -3, 8)
def truth_of_an_undefined_name(a):
    if a > 0:
        flag = a > 5
    return 1 if flag else 2


@case(0, 3, 7, 25)
def while_else(x):
    n = 0
    while n < 5:
        n += 1
        if x > n * 3:
            continue
        if x == 7:
            break
        x += 1
    else:
        x = x + 100
    return x, n


@case(0, 3, 25)
def range_left_by_break(x):
    for i in range(5):
        if x > i + 2:
            break
        x += i
    return x, i


@case(0, 3, 25)
def range_left_by_return(x):
    for i in range(5):
        if x > i:
            return x
    return -x


@case(0, 3, 4000)
def long_range(x):
    total = 0
    for i in range(10_000):
        total += i
        if total > x:
            break
    return total, i


@case(1, 5, 40)
def list_with_else(x):
    for k in [1, 5, 2]:
        if x == k:
            break
        x += 1
    else:
        x = x * 100
    return x, k


@case(0, 3, 40)
def long_list(x):
    total = 0
    for w in [float(i) for i in range(30)]:
        total += w
        if total > tl.cast(x, tl.float32):
            break
    return total, w


@case(0, 5, 40)
def zipped(x):
    for a, b in zip([1, 2, 3], [4.0, 5.0, 6.0], strict=True):
        if x * a > 10:
            break
        x = x + 1
    return x, a, b


@case(0, 1, 40)
def enumerated(x):
    for i, word in enumerate(["a", "bb", "c"]):
        if x > i:
            x = x + len(word)
            break
    return x, i


@case(5, 15, 35)
def index_of_a_python_list(x):
    xs = [10, 20, 30]
    for i in range(3):
        if xs[i] > x:
            break
    return xs[0] + i


@case(0, 10, 1000)
def from_a_generator(x):
    total = 0
    for w in (i * i for i in range(10)):
        total += w
        if total > x:
            break
    return total


def int_or_half(c):
    if c > 0:
        y = 1
    else:
        y = 0.5
    return y


@case(3, -3)
def helper_inherits(c):
    return int_or_half(c) * 2


@case(3, -3)
def lambda_inherits(c):
    g = lambda v: 1 if v > 0 else 0.5  # noqa: E731
    return g(c)


class Scale:
    def __init__(self, k):
        self.k = k

    def of(self, c):
        if c > 0:
            y = self.k
        return y


@case(3, -3)
def method_inherits(c):
    return Scale(4).of(c)


@pytest.mark.parametrize(("f", "argument"), CASES, ids=lambda x: getattr(x, "__name__", repr(x)))
def test_as_in_plain_python(f, argument):
    assert outcome(tl.function(f, relaxed=True), argument) == outcome(f, argument)


@pytest.mark.parametrize(
    "f",
    [
        *(int_or_float, tensors_of_two_dtypes, undefined_on_one_path, first_set_in_a_loop),
        *(endless_while, range_left_by_break, grows_by_a_row, helper_inherits),
    ],
)
def test_refused_otherwise(f):
    with pytest.raises((TypeError, ValueError), match=r"relaxed=True|initialized"):
        tl.function(f)(tl.constant(3))


def test_paths_that_disagree_are_not_undefined() -> None:
    @tl.function(relaxed=True)
    def f(c, n):
        if c:
            x = "a" if n < 5 else (1, 2)
        else:
            x = 3
        return x + 1

    with pytest.raises(tl.errors.BranchError, match="the Python str 'a' in the main branch"):
        f(tl.constant(True), tl.constant(3))


def test_an_inner_function_keeps_its_own_mode() -> None:
    strict = tl.function(int_or_half)
    with pytest.raises(tl.errors.BranchError):
        tl.function(lambda c: strict(c), relaxed=True)(tl.constant(3))
    relaxed = tl.function(int_or_half, relaxed=True)
    assert tl.function(lambda c: relaxed(c))(tl.constant(-3)).numpy() == 0.5
    # The same helper in both modes, one after the other.
    with pytest.raises(tl.errors.BranchError):
        tl.function(helper_inherits)(tl.constant(3))
    assert tl.function(helper_inherits, relaxed=True)(tl.constant(3)).numpy() == 2


@pytest.mark.parametrize(
    ("a", "b"),
    [
        *(("int32", "int64"), ("int32", "float32"), ("int64", "float32"), ("int8", "float16")),
        *(("uint8", "int8"), ("float32", "float64"), ("float64", "complex64"), ("bool", "int32")),
    ],
)
def test_dtypes_are_promoted_as_numpy_does(a, b):
    x, y = tl.constant(1, a) if a != "bool" else tl.constant(True), tl.constant(1, b)

    def f(c):
        return x if c else y

    got = tl.function(f, relaxed=True)(tl.constant(True))
    assert got.dtype.name == np.promote_types(a, b).name

    def loop(n):
        z = x
        for _ in tl.range(n):
            z = y
        return z

    assert tl.function(loop, relaxed=True)(tl.constant(0)).dtype.name == np.promote_types(a, b).name


@pytest.mark.parametrize(
    ("dtype", "number"),
    [("float32", 1), ("int32", 1.5), ("float64", 1.5), ("int64", 2), ("float32", 2j)],
)
def test_python_numbers_are_weak(dtype, number):
    x = tl.constant(1, dtype)

    def f(c):
        return x if c else number

    got = tl.function(f, relaxed=True)(tl.constant(False))
    assert got.dtype.name == np.result_type(np.dtype(dtype), number).name
    assert got.numpy() == number


def test_loops_that_a_tensor_ends_are_loops_of_the_graph() -> None:
    for f in (endless_while, long_range, long_list):
        graph = tl.function(f, relaxed=True).get_concrete_function(tl.constant(3)).graph
        assert sum(node.op.name == "while" for node in graph.nodes) == 1
        assert len(graph.nodes) < 100


def test_only_the_dimension_that_changes_is_relaxed() -> None:
    graph = tl.function(grows_by_a_row, relaxed=True).get_concrete_function(tl.constant(3)).graph
    assert graph.outputs[0].shape.as_list() == [None, 2]


def test_message_names_the_variable_and_the_place() -> None:
    with pytest.raises(UnboundLocalError) as e:
        tl.function(undefined_on_one_path, relaxed=True)(tl.constant(-1))
    line = undefined_on_one_path.__code__.co_firstlineno + 2
    assert str(e.value) == (
        "cannot access local variable 'x' where it is not associated with a value: it was left "
        f"without one by the `if` at test_relaxed.py:{line}"
    )


@pytest.mark.parametrize("n", [0, 1, 4])
def test_gradients(n):
    def f(x, n):
        y = tl.ones([1]) * x
        s = 0
        for _ in tl.range(n):
            y = tl.concat([y, y[-1:] * x], 0)
            s = s + 0.5
            last = y[-1]
        if n > 0:
            s = s + last
        return tl.reduce_sum(y) * s

    def gradient(g):
        x = tl.constant(1.5)
        with tl.GradientTape() as tape:
            tape.watch(x)
            y = g(x, tl.constant(n))
        return tape.gradient(y, x)

    def numeric(x):
        powers = np.array([x ** (i + 1) for i in range(n + 1)])
        return powers.sum() * (n * 0.5 + (powers[-1] if n else 0))

    expected = (numeric(1.5 + 1e-6) - numeric(1.5 - 1e-6)) / 2e-6
    np.testing.assert_allclose(gradient(tl.function(f, relaxed=True)), expected, rtol=1e-4)


def test_break_out_of_a_python_loop_has_a_gradient() -> None:
    def f(x):
        for i in range(20):
            x = x * 2
            if x > 10 + i:
                break
        return x

    x = tl.constant(1.0)
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = tl.function(f, relaxed=True)(x)
    assert y.numpy() == 16
    assert tape.gradient(y, x).numpy() == 16
