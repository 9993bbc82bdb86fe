"""State that branches and loops change: attributes, items, globals, closures, variables."""

from __future__ import annotations

import dataclasses

import treadle as tl

from .harness import Collection

program = Collection()
counter = 0


class Box:
    def __init__(self, value=0.0):
        self.value = value

    def add(self, amount):
        self.value = self.value + amount

    @property
    def double(self):
        return self.value * 2

    @double.setter
    def double(self, value):
        self.value = value / 2


@program([1.0, 2.0, 3.0])
def attribute_of_a_local_object():
    def f(x):
        box = Box(tl.constant(0.0))
        for v in x:
            box.value = box.value + v
        return box.value

    return f


@program([1.0, 2.0, 3.0])
def method_changes_a_local_object():
    def f(x):
        box = Box(tl.constant(0.0))
        for v in x:
            box.add(v)
        return box.value

    return f


@program(3.0, -3.0)
def method_in_branch():
    def f(x):
        box = Box(tl.constant(1.0))
        if x > 0:
            box.add(x)
        return box.value

    return f


@program(3.0, -3.0)
def property_setter_in_branch():
    def f(x):
        box = Box(tl.constant(1.0))
        if x > 0:
            box.double = x
        return box.double

    return f


@program([1.0, 2.0], [3.0, 4.0])
def method_changes_an_outer_object():
    box = Box(tl.constant(0.0))

    def f(x):
        for v in x:
            box.add(v)
        return box.value * 1.0

    return f, lambda: box.value


@program(3.0, -3.0, 5.0)
def outer_attribute_in_branch():
    box = Box(tl.constant(0.0))

    def f(x):
        if x > 0:
            box.value = box.value + x
        return x

    return f, lambda: box.value


@program(3.0, -3.0, 5.0)
def outer_number_in_branch():
    box = Box(0)

    def f(x):
        if x > 0:
            box.value += 1
        return x

    return f, lambda: box.value


@program(3.0, -3.0)
def outer_dict_in_branch():
    seen = {"n": tl.constant(0)}

    def f(x):
        if x > 0:
            seen["n"] = seen["n"] + 1
        return x

    return f, lambda: seen["n"]


@program(3.0, -3.0)
def global_in_branch():
    def f(x):
        global counter
        if x > 0:
            counter = 10
        else:
            counter = 20
        return x + counter

    return f, lambda: counter


@program(3.0, -3.0)
def nonlocal_in_branch():
    def f(x):
        n = tl.constant(0.0)

        def bump():
            nonlocal n
            n = n + x

        if x > 0:
            bump()
            bump()
        return n

    return f


@program(4)
def nonlocal_in_loop():
    def f(n):
        total = tl.constant(0)

        def add(i):
            nonlocal total
            total += i

        for i in tl.range(n):
            add(i)
        return total

    return f


@program(4)
def dict_item_in_loop():
    def f(n):
        d = {"a": tl.constant(0), "b": tl.constant(1)}
        for i in tl.range(n):
            d["a"] = d["a"] + i
            d["b"] *= 2
        return d

    return f


@program(4)
def list_item_in_loop():
    def f(n):
        xs = [tl.constant(0), tl.constant(1)]
        for i in tl.range(n):
            xs[0] += i
            xs[1] = xs[0] + xs[1]
        return xs

    return f


@program([1.0, 2.0, 3.0])
def dataclass_field():
    @dataclasses.dataclass
    class Sums:
        plain: tl.Tensor
        squared: tl.Tensor

    def f(x):
        s = Sums(tl.constant(0.0), tl.constant(0.0))
        for v in x:
            s.plain += v
            s.squared += v * v
        return s.plain, s.squared

    return f


@program(3.0, -3.0)
def variable_in_branch():
    v = tl.Variable(1.0)

    def f(x):
        if x > 0:
            v.assign_add(x)
        else:
            v.assign(v * 2)
        return v.read_value()

    return f, lambda: v.numpy()


@program([1.0, 2.0, 3.0])
def variable_in_loop_with_break():
    v = tl.Variable(0.0)

    def f(x):
        for a in x:
            v.assign_add(a)
            if v > 2.0:
                break
        return v + 0.0

    return f, lambda: v.numpy()


@program(3.0, -3.0)
def two_names_of_one_object():
    def f(x):
        a = Box(tl.constant(0.0))
        b = a
        if x > 0:
            a.value = x
        return b.value

    return f


@program([1.0, 2.0, 3.0])
def object_made_in_loop():
    def f(x):
        total = tl.constant(0.0)
        for v in x:
            box = Box(v)
            box.add(v)
            total += box.value
        return total

    return f


@program([1.0, -2.0, 3.0])
def branch_in_method():
    class Model:
        def __init__(self):
            self.n = tl.constant(0)
            self.total = tl.constant(0.0)

        def see(self, v):
            if v > 0:
                self.n += 1
                self.total += v
            else:
                self.total -= v

    def f(x):
        m = Model()
        for v in x:
            m.see(v)
        return m.n, m.total

    return f


@program(3)
def item_of_a_tensor():
    def f(n):
        y = tl.zeros([5])
        for i in tl.range(n):
            y = tl.tensor_scatter_nd_update(y, [[i]], [tl.cast(i, tl.float32)])
        return y

    return f


@program(3, refused=(tl.errors.ConversionError, "'calls' is changed at .* calls \\+= 1 .* itself"))
def nonlocal_in_a_recursion():
    def f(x):
        calls = 0

        def fibonacci(n):
            nonlocal calls
            calls += 1
            return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

        return fibonacci(x), calls

    return f


@program(3, refused=(tl.errors.ConversionError, "'seen' is changed at .* seen.append.n. .* itself"))
def list_in_a_recursion():
    def f(x):
        seen = []

        def down(n):
            seen.append(n)
            return n if n < 2 else down(n - 1) + 1

        return down(x), len(seen)

    return f


@program(1, 4, 1)
def attribute_that_the_class_gives():
    class Account:
        fee = 1

    account = Account()

    def f(x):
        if x > 3:
            account.fee = 5
        return account.fee

    return f, lambda: dict(vars(account))
