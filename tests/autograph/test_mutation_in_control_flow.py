"""Objects that branches, loops and functions in functions change: made there, shared, changed twice."""

from __future__ import annotations

import pytest
from lasting import BOTH_WAYS, TRIPS, Box, Calls, Program, history, table

import treadle as tl

CASES, case = table()


@case(BOTH_WAYS)
def object_made_in_a_branch():
    def f(x):
        if x > 0:
            box = Box(x)
            box.add(1)
            box.log.append(2)
            y = box.value
        else:
            y = x
        return y

    return f, lambda: None


@case(TRIPS)
def object_made_in_a_loop():
    def f(n):
        total = tl.constant(0)
        for i in tl.range(n):
            box = Box(i)
            box.inner = Box(box)
            box.inner.log.append(box)
            box.add(1)
            total += box.value
        return total

    return f, lambda: None


@case(BOTH_WAYS)
def object_made_before_the_branch():
    def f(x):
        box = Box(x)
        if x > 0:
            box.add(10)
        return box.value

    return f, lambda: None


@case(TRIPS)
def object_made_before_the_loop():
    def f(n):
        box = Box(0)
        for i in tl.range(n):
            box.add(i)
            box.log = [i, i]
        return box.value

    return f, lambda: None


@case(BOTH_WAYS)
def two_names_for_one_object():
    box = Box(tl.constant(0))
    alias = box

    def f(x):
        if x > 0:
            box.value = x
        return alias.value + box.value

    return f, lambda: alias.value


@case([(1, 2), (-1, 2), (3, 4)])
def changed_twice():
    box = Box(tl.constant(0))

    def f(x, y):
        if x > 0:
            box.value += x
        if y > 2:
            box.value *= y
        return box.value

    return f, lambda: box.value


@case(BOTH_WAYS)
def changed_before_and_in_the_branch():
    box = Box(tl.constant(0))

    def f(x):
        box.value = box.value + 1
        if x > 0:
            box.value = box.value + x
        return box.value

    return f, lambda: box.value


@case(BOTH_WAYS)
def same_constant_again():
    box = Box("none")
    box.log = [0]

    def f(x):
        box.value = "none"
        if x > 0:
            box.log[0] = 0
        return x

    return f, lambda: (box.value, box.log)


@case(BOTH_WAYS)
def text_on_both_ways():
    box = Box("none")

    def f(x):
        if x > 0:
            box.value = "seen"
        else:
            box.value = "seen"
        return x

    return f, lambda: box.value


@case([(4,), (0,), (9,)])
def loop_left_early():
    box = Box(tl.constant(0))

    def f(n):
        for i in tl.range(n):
            if i == 2:
                continue
            if i > 5:
                break
            box.value += i
        return box.value

    return f, lambda: box.value


@case([(4,), (0,), (9,)])
def return_from_a_loop():
    box = Box(0)

    def f(n):
        for i in tl.range(n):
            box.value += 1
            if i > 5:
                return i * 100
        return n

    return f, lambda: box.value


@case([(4,), (0,), (9,)])
def nested_loops_and_branches():
    box = Box(tl.constant(0))
    d = {"n": 0}

    def f(n):
        for i in tl.range(n):
            for j in tl.range(i):
                if (i + j) % 2 == 0:
                    box.value += j
                    d["n"] += 1
                else:
                    box.add(1)
        return box.value

    return f, lambda: (box.value, d)


@case([(12,), (1,), (7,)])
def while_test_that_changes_an_object():
    box = Box(tl.constant(0))

    def more(n):
        box.value = box.value + 1
        return n > 1

    def f(n):
        while more(n):
            n = n // 2
        return box.value

    return f, lambda: box.value


@case([(12,), (1,), (7,)])
def while_over_an_attribute():
    box = Box(tl.constant(0))

    def f(n):
        box.value = n
        while box.value > 1:
            box.value = box.value // 2
        return box.value

    return f, lambda: box.value


@case(BOTH_WAYS)
def ternary_and_short_circuit():
    box = Box(0)

    def tick(x):
        box.value += 1
        return x > 1

    def f(x):
        y = tick(x) if x > 0 else x < -5
        if x > 3 and tick(x):
            x = x + 1
        return x, y

    return f, lambda: box.value


@case(BOTH_WAYS)
def inner_function():
    box = Box(tl.constant(0))

    @tl.function
    def inner(x):
        if x > 0:
            box.value += x
        return box.value

    def f(x):
        return inner(x) + inner(x + 1)

    return f, lambda: box.value


@case(TRIPS)
def inner_function_in_a_loop():
    box = Box(0)

    @tl.function
    def inner(x):
        if x > 0:
            box.value += 1
        return x

    def f(n):
        for i in tl.range(n):
            inner(i)
        return n

    return f, lambda: box.value


@case([(3.0,), ([1.0, 2.0],), (-1.0,)])
def other_shapes():
    box = Box(tl.constant(0.0))

    def f(x):
        if tl.reduce_sum(x) > 0:
            box.value += tl.reduce_sum(x)
        return box.value + x

    return f, lambda: box.value


@case(BOTH_WAYS)
def first_call_is_different():
    box = Box(None)

    def f(x):
        if box.value is None:
            box.value = tl.constant(100)
        if x > 0:
            box.value = box.value + x
        return box.value

    return f, lambda: box.value


@case(BOTH_WAYS)
def deleted_and_set_again():
    box = Box(tl.constant(1))

    def f(x):
        if x > 0:
            del box.value
            box.value = x
        return box.value

    return f, lambda: box.value


@case(BOTH_WAYS)
def with_and_try():
    box = Box(tl.constant(0))

    def f(x):
        try:
            if x > 0:
                box.value += x
        finally:
            box.log = []
        return box.value

    return f, lambda: box.value


@case(TRIPS)
def tensor_rows():
    box = Box(tl.constant([0.0, 0.0]))

    def f(n):
        for row in tl.ones([3, 2]):
            box.value = box.value + row * tl.cast(n, tl.float32)
        return box.value

    return f, lambda: box.value


@case(TRIPS)
def two_objects_of_a_class():
    left, right = Box(0), Box(tl.constant(1))

    def f(n):
        for i in tl.range(n):
            left.add(1)
            right.add(i)
            left.value, right.inner = left.value + 1, right.value
        return right.value

    return f, lambda: (left.value, right.value)


@pytest.mark.filterwarnings("ignore::treadle.errors.SideEffectWarning")
@pytest.mark.parametrize(("program", "calls"), CASES, ids=[p.__name__ for p, _ in CASES])
def test_objects_are_as_eager_code_leaves_them(program: Program, calls: Calls) -> None:
    assert history(program, calls, traced=True) == history(program, calls, traced=False)
