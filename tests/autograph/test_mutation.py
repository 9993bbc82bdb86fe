"""Objects and names that outlive a call are after it what eager code leaves."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from lasting import BOTH_WAYS, TRIPS, Box, Calls, Program, history, table

import treadle as tl

CASES, case = table()


@case(BOTH_WAYS)
def attribute_of_an_outer_object():
    box = Box(tl.constant(0))

    def f(x):
        if x > 0:
            box.value = box.value + x
        return box.value * 2

    return f, lambda: box.value


@case(BOTH_WAYS)
def number_in_an_attribute():
    box = Box(10)

    def f(x):
        if x > 0:
            box.value += 1
        else:
            box.value -= 1
        return x

    return f, lambda: (box.value, type(box.value).__name__)


@case(TRIPS)
def number_counted_in_a_loop():
    box = Box(0)

    def f(n):
        for _ in tl.range(n):
            box.value += 1
        return n

    return f, lambda: (box.value, type(box.value).__name__)


@case(TRIPS)
def float_summed_in_a_loop():
    box = Box(0.5)

    def f(n):
        for _ in tl.range(n):
            box.value = box.value * 2.0 + 1.0
        return n

    return f, lambda: (box.value, type(box.value).__name__)


@case(BOTH_WAYS)
def flag():
    box = Box(False)

    def f(x):
        if x > 0:
            box.value = True
        return x

    return f, lambda: box.value


@case(BOTH_WAYS)
def nested_attribute():
    box = Box()
    box.inner = Box(tl.constant(1))

    def f(x):
        if x > 0:
            box.inner.value = box.inner.value * 2
        else:
            box.inner.value -= x
        return box.inner.value

    return f, lambda: box.inner.value


@case(BOTH_WAYS)
def method_called_from_a_branch():
    box = Box(tl.constant(1))

    def f(x):
        if x > 0:
            box.add(x)
        return box.value

    return f, lambda: box.value


@case(TRIPS)
def method_called_from_a_loop():
    box = Box(tl.constant(1))

    def f(n):
        for i in tl.range(n):
            box.add(i)
        return box.value

    return f, lambda: box.value


@case(BOTH_WAYS)
def method_with_a_branch_called_from_a_while():
    box = Box(tl.constant(1))

    def f(x):
        i = tl.constant(0)
        while i < 3:
            box.grow_if(x + i)
            i += 1
        return box.value

    return f, lambda: box.value


@case(TRIPS)
def method_of_another_object():
    class Meter:
        def __init__(self):
            self.box = Box(0)

        def tick(self, by):
            self.box.add(by)

    meter = Meter()

    def f(n):
        for _ in tl.range(n):
            meter.tick(2)
        return n

    return f, lambda: meter.box.value


@case(BOTH_WAYS)
def own_method_as_the_traced_function():
    box = Box(tl.constant(0))
    return box.grow_if, lambda: box.value


@case(BOTH_WAYS)
def property_setter():
    class Celsius:
        def __init__(self):
            self._degrees = tl.constant(0)
            self.writes = 0

        @property
        def degrees(self):
            return self._degrees

        @degrees.setter
        def degrees(self, value):
            if value > 4:
                value = tl.constant(4)
            self._degrees = value
            self.writes += 1

    c = Celsius()

    def f(x):
        if x > 0:
            c.degrees = x
        return c.degrees

    return f, lambda: (c._degrees, c.writes)


@case(BOTH_WAYS)
def property_setter_outside_of_branches():
    class Positive:
        _value = tl.constant(0)

        @property
        def value(self):
            return self._value

        @value.setter
        def value(self, new):
            if new > 0:
                self._value = new

    p = Positive()

    def f(x):
        p.value = x
        return p.value

    return f, lambda: p._value


@case(BOTH_WAYS)
def augmented_property():
    class Account:
        def __init__(self):
            self._balance = tl.constant(0)

        @property
        def balance(self):
            return self._balance

        @balance.setter
        def balance(self, value):
            self._balance = value

    account = Account()

    def f(x):
        if x > 0:
            account.balance += x
        return account.balance

    return f, lambda: account._balance


@case(BOTH_WAYS)
def setattr_of_a_class():
    class Loud:
        def __init__(self):
            object.__setattr__(self, "sets", 0)
            self.value = tl.constant(0)

        def __setattr__(self, name, value):
            object.__setattr__(self, name, value)
            object.__setattr__(self, "sets", self.sets + 1)

    loud = Loud()

    def f(x):
        if x > 0:
            loud.value = x
        return loud.value

    return f, lambda: (loud.value, loud.sets)


@case(BOTH_WAYS)
def builtin_setattr():
    box = Box(tl.constant(0))

    def f(x):
        if x > 0:
            setattr(box, "value", x)  # noqa: B010
        return box.value

    return f, lambda: box.value


GLOBAL = 0
TENSOR = tl.constant(0)


@case(BOTH_WAYS)
def global_name():
    global GLOBAL
    GLOBAL = 0

    def f(x):
        global GLOBAL
        if x > 0:
            GLOBAL += 1
        return x

    return f, lambda: GLOBAL


@case(TRIPS)
def global_name_in_a_loop():
    global GLOBAL
    GLOBAL = 0

    def f(n):
        global GLOBAL
        for _ in tl.range(n):
            GLOBAL += 1
        return n

    return f, lambda: GLOBAL


@case(TRIPS)
def global_name_in_a_helper():
    global TENSOR
    TENSOR = tl.constant(0)

    def count(by):
        global TENSOR
        TENSOR = TENSOR + by

    def f(n):
        for i in tl.range(n):
            count(i)
        return TENSOR

    return f, lambda: TENSOR


@case(BOTH_WAYS)
def nonlocal_name():
    count, last = 0, tl.constant(0)

    def f(x):
        nonlocal count, last
        if x > 0:
            count += 1
            last = x
        return last

    return f, lambda: (count, last)


@case(TRIPS)
def nonlocal_name_in_a_helper():
    count = 0

    def tick():
        nonlocal count
        count += 1

    def f(n):
        for _ in tl.range(n):
            tick()
        return n

    return f, lambda: count


@case(TRIPS)
def closure_counter():
    def counter():
        count = 0

        def tick():
            nonlocal count
            count += 1
            return count

        return tick, lambda: count

    tick, value = counter()

    def f(n):
        total = 0
        for _ in tl.range(n):
            total += tick()
        return total

    return f, value


@case(TRIPS)
def class_attribute():
    class Counted:
        made = 0

        @classmethod
        def count(cls):
            cls.made += 1

    def f(n):
        for _ in tl.range(n):
            Counted.count()
        return n

    return f, lambda: Counted.made


@case(BOTH_WAYS)
def class_attribute_by_name():
    class Settings:
        level = tl.constant(0)

    def f(x):
        if x > 0:
            Settings.level = x
        return Settings.level

    return f, lambda: Settings.level


@dataclasses.dataclass
class Point:
    x: Any
    y: Any = 0


@case(BOTH_WAYS)
def dataclass_field():
    p = Point(tl.constant(1))

    def f(x):
        if x > 0:
            p.x = p.x + x
            p.y += 1
        return p.x

    return f, lambda: (p.x, p.y)


@case(BOTH_WAYS)
def slots():
    class Slotted:
        __slots__ = ("count", "value")

        def __init__(self):
            self.value, self.count = tl.constant(1), 0

    s = Slotted()

    def f(x):
        if x > 0:
            s.value = s.value * x
        else:
            s.count += 1
        return s.value

    return f, lambda: (s.value, s.count)


@case(BOTH_WAYS)
def attribute_of_a_function():
    def helper(x):
        helper.calls += 1
        return x

    helper.calls = 0

    def f(x):
        if x > 0:
            return helper(x) + 1
        return x

    return f, lambda: helper.calls


@pytest.mark.filterwarnings("ignore::treadle.errors.SideEffectWarning")
@pytest.mark.parametrize(("program", "calls"), CASES, ids=[p.__name__ for p, _ in CASES])
def test_objects_are_as_eager_code_leaves_them(program: Program, calls: Calls) -> None:
    assert history(program, calls, traced=True) == history(program, calls, traced=False)
