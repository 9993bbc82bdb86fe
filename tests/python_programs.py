"""Python programs over plain values, one for each construct and for each way two of them meet.

Every function takes a list first, in which it notes what it does, in order.
"""

# What linters advise against is tried, too.
# ruff: noqa: B012, B023, C416, E731, F811, F821, F823, F841, FURB136, PERF401, PIE790, PLW0120
# ruff: noqa: RET502, RET503, RET504, RET506, RUF012, SIM201, UP031, UP032

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

Case = tuple[Callable[..., Any], tuple[Any, ...]]
CASES: list[Case] = []


def case(*calls: Any) -> Callable[[Any], Any]:
    """Register a program with the arguments of its calls; one argument needs no tuple."""

    def register(f: Any) -> Any:
        for args in calls or ((),):
            CASES.append((f, args if isinstance(args, tuple) else (args,)))
        return f

    return register


# --- branches --------------------------------------------------------------------------


@case(1, -1, 0)
def if_else(log, x):
    if x > 0:
        y = "positive"
    else:
        y = "not"
    return y


@case(3, 2, 1, 0)
def elif_chain(log, x):
    if x == 3:
        y = "three"
    elif x == 2:
        y = "two"
    elif x == 1:
        y = "one"
    else:
        y = None
    return y, x


@case(True, False)
def undefined_after_if(log, c):
    if c:
        x = 1
    log.append("between")
    return x


@case(True, False)
def undefined_named_in_expression(log, c):
    if c:
        x = 1
        y = 2
    log.append("before")
    return [log.append("first"), x + 1, y]


@case((True, True), (True, False), (False, True), (False, False))
def undefined_nested(log, a, b):
    if a:
        if b:
            x = 1
    elif b:
        x = 2
    if x:
        log.append(x)
    return x


@case(True, False)
def undefined_read_in_branch(log, c):
    if c:
        log.append(later)
    later = 1
    return later


@case(True, False)
def undefined_in_lambda(log, c):
    if c:
        x = 1
    f = lambda: x
    return f()


@case(5, -5)
def early_return(log, x):
    if x > 0:
        return x * 2
    return x - 1


@case(5, -5)
def early_return_without_else(log, x):
    if x > 0:
        log.append("yes")
        return
    log.append("no")


@case((1, 1), (1, 0), (0, 1), (0, 0))
def return_in_some_paths(log, a, b):
    if a:
        if b:
            return "ab"
        y = 2
    else:
        y = 3
    log.append(y)
    return y


@case((1, 1, 1), (1, 0, 1), (1, 1, 0), (0, 1, 1), (0, 0, 0))
def return_deep(log, a, b, c):
    if a:
        if b:
            if c:
                return "abc"
            log.append("c")
        log.append("b")
    log.append("a")
    if c:
        return "late"
    return a, b


@case(0, 1, 2, 3)
def return_rebinds(log, x):
    if x == 0:
        x = x + 10
        return x
    x = x + 1
    if x == 2:
        return x
    x = x + 1
    return -x


@case(1, 2, 3)
def return_none_and_value(log, x):
    if x == 1:
        return None
    if x == 2:
        return
    return x


@case(True, False)
def raise_in_branch(log, c):
    if c:
        log.append("raising")
        raise ValueError("no")
    else:
        y = 1
    return y


@case(3, -3)
def swap_under_condition(log, x):
    a, b = 1, 2
    if x > 0:
        a, b = b, a
    return a, b


@case((1, 2), (2, 1))
def branch_local_names(log, a, b):
    if a > b:
        t = a - b
        r = t * t
    else:
        t = b + a
        r = t
    return r


@case(True, False)
def read_then_write(log, c):
    x = 1
    if c:
        x = x + 1
        log.append(x)
    return "done"


@case(True, False)
def test_binds(log, c):
    if (n := int(c) + 1) > 1:
        m = n * 2
    else:
        m = n
    return n, m


@case(True, False)
def test_binds_what_the_branch_changes(log, c):
    x = 10
    if (x := int(c)) > 0:
        x = x + 5
        log.append(x)
    return "end"


# --- loops -----------------------------------------------------------------------------


@case(10, 1, 0)
def while_loop(log, n):
    total = 0
    while n > 0:
        total += n
        n -= 1
    return total, n


@case(10, 0)
def while_else(log, n):
    while n > 0:
        n -= 3
    else:
        log.append("else")
    return n


@case((10, 4), (10, 40), (0, 0))
def while_break_else(log, n, stop):
    i = 0
    while i < n:
        if i == stop:
            log.append("break")
            break
        i += 1
    else:
        log.append("else")
    return i


@case(10, 5)
def while_true(log, n):
    while True:
        n -= 1
        if n < 0:
            break
        if n % 2:
            continue
        log.append(n)
    return n


@case(4, 0)
def while_true_return(log, n):
    while True:
        if n == 0:
            return "out"
        n -= 1
        log.append(n)


@case(3, 0)
def while_walrus(log, n):
    items = list(range(n))
    while (item := items.pop() if items else None) is not None:
        if item == 1:
            continue
        log.append(item)
    return item


@case(5, 2)
def while_walrus_break(log, n):
    i = 0
    while (j := i * i) < 50 and log.append(("test", j)) is None:
        if j == n * n:
            break
        i += 1
    else:
        log.append("else")
    return i, j


@case(0, 3)
def while_test_with_effects(log, n):
    def test():
        log.append(("test", n))
        return n > 0

    while test():
        n -= 1
    return n


@case([1, 2, 3], [])
def for_loop(log, xs):
    total = 0
    for x in xs:
        total += x
    return total


@case([1, 2, 3], [])
def for_variable_after(log, xs):
    for x in xs:
        y = x
    return x, y


@case(([1, 2, 3], 2), ([1, 2, 3], 9), ([], 1))
def for_break_else(log, xs, stop):
    for x in xs:
        if x == stop:
            break
        log.append(x)
    else:
        log.append("else")
        x = None
    return x


@case(([3, 1, 2], 1), ([3, 1, 2], 9))
def for_return(log, xs, wanted):
    for i, x in enumerate(xs):
        if x == wanted:
            return i
        log.append(x)
    return -1


@case(6, 0)
def for_continue(log, n):
    for i in range(n):
        if i % 2:
            continue
        log.append(i)
    return "end"


@case(5, 1, 0)
def nested_loops(log, n):
    total = 0
    for i in range(n):
        for j in range(i):
            if j == 3:
                break
            if (i + j) % 2:
                continue
            total += i * j
        else:
            log.append(i)
            continue
        log.append(("broken", i))
    return total


@case(3, 20, 6)
def loops_with_everything(log, n):
    total = 0
    for i in range(n):
        if i == 3:
            continue
        if i > 6:
            break
        for j in range(i):
            if j > 4:
                break
            if i * j > 12:
                return total, i, j
            total += 1
        else:
            total += 100
    else:
        total = -total
    return total


@case(3, 8)
def else_breaks_outer(log, n):
    for i in range(n):
        for j in range(i):
            if j == 5:
                break
        else:
            if i == 4:
                break
            continue
        return "inner", i
    else:
        return "all"
    return "outer", i


@case(([[1, 2], [3, 4]], 3), ([[1, 2]], 9), ([], 0))
def return_from_nested_loops(log, rows, wanted):
    for i, row in enumerate(rows):
        for j, x in enumerate(row):
            if x == wanted:
                return i, j
            log.append(x)
        log.append("row")
    return None


@case([(1, (2, 3)), (4, (5, 6))], [])
def for_unpacks(log, pairs):
    s = 0
    for a, (b, *c) in pairs:
        s += a * b
        log.append(c)
    return s


@case()
def for_into_places(log):
    class Box:
        pass

    box, table = Box(), {}
    for box.item in range(3):
        log.append(box.item)
    for table["k"] in "ab":
        log.append(table["k"])
    return box.item, table


@case([1, 2, 3, 4])
def for_else_undefined(log, xs):
    for x in xs:
        if x > 2:
            found = x
            break
    return found


@case([1, 2], [5, 6])
def break_leaves_undefined(log, xs):
    for x in xs:
        if x > 4:
            break
        y = x
    return y


@case(3)
def iterator_is_advanced_as_needed(log, n):
    def numbers():
        for i in range(10):
            log.append(("made", i))
            yield i

    it = numbers()
    for i in it:
        if i == n:
            break
    return next(it)


@case(4)
def closures_in_loop(log, n):
    fs = []
    for i in range(n):
        k = i * 10
        fs.append(lambda: (i, k))
    return [f() for f in fs]


@case(4)
def closures_in_loop_with_defaults(log, n):
    fs = []
    for i in range(n):
        fs.append(lambda i=i: i)
    return [f() for f in fs]


@case(3)
def loop_modifies_captured(log, n):
    total = 0

    def show():
        log.append(total)

    for i in range(n):
        total += i
        show()
    if n > 2:
        total = -total
        show()
    return total


@case(3, 0)
def inner_function_writes(log, n):
    count = 0

    def tick():
        nonlocal count
        count += 1
        return count

    while count < n:
        tick()
    if n:
        log.append(tick())
    return count


# --- with, try -------------------------------------------------------------------------


@contextlib.contextmanager
def noted(log, name):
    log.append(("enter", name))
    try:
        yield name
    finally:
        log.append(("exit", name))


@case(1, 0)
def with_return(log, x):
    with noted(log, "a") as a:
        if x:
            return a
        y = 1
    log.append("after")
    return y


@case(1, 0, 2)
def with_some_returns(log, x):
    with noted(log, "a"), noted(log, "b"):
        if x:
            if x == 2:
                return "two"
            y = 1
        else:
            y = 0
        log.append("inside")
    return y


@case(4)
def with_break(log, n):
    for i in range(n):
        with noted(log, i):
            if i == 1:
                continue
            if i == 2:
                break
            log.append("body")
        log.append("behind")
    return i


@case(True, False)
def with_suppress(log, c):
    x = 0
    with contextlib.suppress(KeyError):
        x = 1
        if c:
            x = 2
            raise KeyError
        for i in range(3):
            x = i
            if i == 1:
                raise KeyError
    return x


@case(0, 1, 2, 3)
def try_except(log, x):
    y = "start"
    try:
        log.append("try")
        if x == 1:
            y = "one"
            raise ValueError("one")
        if x == 2:
            y = "two"
            raise KeyError("two")
        if x == 3:
            return "three"
        y = "else"
    except ValueError as e:
        log.append(str(e))
    except KeyError:
        y += "!"
        return y
    else:
        log.append("no exception")
    finally:
        log.append(("finally", y))
    return y


@case(3)
def try_in_loop(log, n):
    for x in [1, 0, "a", 2, 5]:
        try:
            r = 10 // x
        except ZeroDivisionError:
            log.append("zero")
            continue
        except TypeError:
            log.append("type")
            r = None
        else:
            if r == n + 2:
                break
        finally:
            log.append(("finally", x))
        log.append(r)
    return x


@case(0, 1)
def try_loses_no_assignment(log, x):
    total = 0
    try:
        for i in range(5):
            total += i
            if i == 3 and x:
                raise RuntimeError(i)
    except RuntimeError:
        log.append(("caught", total, i))
    return total


@case(0, 1)
def finally_sees_loop(log, x):
    y = 0
    try:
        while y < 5:
            y += 2
            if x and y > 2:
                raise RuntimeError
    finally:
        log.append(y)
    return y


@case(0, 1)
def finally_returns(log, x):
    try:
        if x:
            raise ValueError
        log.append("try")
    finally:
        if x:
            return "swallowed"
    return "plain"


@case(3)
def finally_continues(log, n):
    for i in range(n):
        try:
            if i == 1:
                raise ValueError
            log.append(i)
        finally:
            if i == 1:
                continue
        log.append("behind")
    return i


@case(0, 1, 2)
def try_return_and_finally(log, x):
    for i in range(3):
        try:
            if i == x:
                return i
            log.append(i)
        finally:
            log.append(("finally", i))
    return "none"


@case(0, 1)
def name_of_handler(log, x):
    e = "mine"
    try:
        if x:
            raise ValueError("v")
    except ValueError as e:
        if x:
            log.append(e)
    if x > 1:
        e = 2
    return e


@case(0, 1)
def name_after_try(log, x):
    try:
        y = 1 // x
    except ZeroDivisionError:
        pass
    if x == 5:
        y = 5
    log.append("here")
    return y


@case(1, 0)
def reraise(log, x):
    try:
        try:
            return 1 // x
        except ZeroDivisionError as e:
            if not x:
                raise KeyError("from") from e
    except KeyError as e:
        return type(e.__cause__).__name__, type(e.__context__).__name__


@case(1, 2)
def exception_group(log, x):
    try:
        if x == 1:
            raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
        r = x
    except* ValueError as eg:
        r = len(eg.exceptions)
    except* TypeError:
        log.append("type")
    return r


# --- expressions -----------------------------------------------------------------------


@case(0, 1, 5)
def ternary(log, x):
    return "zero" if x == 0 else "one" if x == 1 else (log.append(x) or "many")


@case((0, 0), (0, 5), (4, 0), (4, 5))
def and_or(log, a, b):
    def see(x):
        log.append(x)
        return x

    r = see(a) and see(b)
    s = see(a) or see(b)
    t = not (see(a) or not see(b)) and see("end")
    return r, s, t


@case(1, 5, 9, 20)
def chained(log, x):
    def see(v):
        log.append(v)
        return v

    return see(0) < see(x) <= see(9) != see(5)


@case(1, 5)
def chained_simple(log, x):
    low, high = 2, 7
    return low < x < high, low <= x == 5 < high, [v for v in range(9) if low < v < high]


@case((1, 2), (0, 3))
def walrus_in_and(log, a, b):
    if a and (m := b + 1) > 2:
        log.append(m)
    if (k := a) or (k := b):
        log.append(k)
    z = (t := b) if a else (t := -b)
    return k, z, t


@case((1, 2), (0, 3))
def walrus_in_and_undefined(log, a, b):
    if a and (m := b + 1):
        log.append("yes")
    return m


@case([1, 2, 3, 4, 5])
def comprehensions(log, xs):
    k = 10
    squares = [x * k if x % 2 else -x for x in xs if x > 1 and x < 5]
    table = {x: (x if x > 2 else None) for x in xs if not x == 3}
    kinds = {x > 2 for x in xs}
    nested = [(a, b) for a in xs if a > 3 for b in range(a) if 1 < b < 3]
    return squares, table, kinds, nested, sum(x for x in xs if x > 2 or x == 1)


@case([3, 1, 2])
def lambdas(log, xs):
    key = lambda x: -x if x > 1 else x
    two = (lambda a: a and a + 1), (lambda b, c=4: b or c)
    return sorted(xs, key=key), two[0](1), two[1](0), [f(2) for f in two]


@case(3)
def generator_expression_is_lazy(log, n):
    g = (log.append(i) or i for i in range(n) if i != 1)
    log.append("made")
    return list(g)


@case("x")
def texts(log, x):
    if x:
        name = f"{x!r:>5} {'yes' if x else 'no'} {len(x)}"
    return name, "%s" % (x,), "{}".format(x)


@case(3)
def walrus_in_comprehension(log, n):
    last = None
    r = [(last := i) for i in range(n)]
    return r, last


# --- names -----------------------------------------------------------------------------

COUNTER = 0


@case(1, 0)
def global_name(log, x):
    global COUNTER
    COUNTER = 5
    if x:
        COUNTER += 1
    for _ in range(2):
        COUNTER += 10
    return COUNTER


@case(1, 0)
def nonlocal_name(log, x):
    count = 1

    def bump(k):
        nonlocal count
        if k:
            count += k
        while count < 5:
            count += 2
        return count

    return bump(x), count


@case(True, False)
def delete(log, c):
    x = 1
    y = 2
    if c:
        del x
        log.append("deleted")
    del y
    return x


@case(3)
def delete_in_loop(log, n):
    for i in range(n):
        t = i
        if t == 1:
            del t
            continue
        log.append(t)
        del t
    try:
        return t
    except UnboundLocalError as e:
        return str(e)


@case(2)
def delete_items(log, n):
    d = {i: i for i in range(5)}
    for i in range(n):
        del d[i]
    if n:
        del d[4], d[3]
    return d


@case(True, False)
def augmented(log, c):
    xs = [1]
    ys = xs
    if c:
        xs += [2]
        ys[0] += 5
    n = 3
    while n:
        n -= 1
        n |= 0
    return xs, ys, xs is ys, n


@case(True, False)
def augmented_undefined(log, c):
    if c:
        x = 1
    x += 1
    return x


@case((1, 2, 3, 4))
def star_targets(log, *xs):
    if len(xs) > 2:
        a, *b = xs
    else:
        a, b = xs, None
    first = last = a
    [c, (d, *e)] = 1, (2, 3, 4)
    return a, b, first, last, c, d, e


@case(True, False)
def imports(log, c):
    if c:
        import math
        from os import path as p
    else:
        import cmath as math

        p = None
    return math.sqrt(4), p is None


@case(True, False)
def annotated(log, c):
    x: int = 1
    y: str
    if c:
        x: int = 2
        y = "set"
    log.append(x)
    return y


@case(True)
def unreachable_code_makes_locals(log, c):
    if c:
        try:
            log.append(COUNTER_LOCAL)
        except UnboundLocalError:
            return "local"
    return "no"
    COUNTER_LOCAL = 1


COUNTER_LOCAL = "global"


@case(2)
def class_in_function(log, n):
    k = 5
    if n:
        k = 6

    class Thing:
        factor = k if n else 0
        items = [i for i in range(3)]

        def scaled(self, x):
            if x > 2:
                return x * self.factor
            return k

    t = Thing()
    return t.scaled(3), t.scaled(1), Thing.items, Thing.__qualname__, Thing.scaled.__qualname__


@case(3)
def recursion(log, n):
    def fact(k):
        if k <= 1:
            return 1
        return k * fact(k - 1)

    return fact(n), fact.__qualname__


def helper(x):
    if x > 2:
        return "big"
    return "small"


@case(1, 5)
def calls_helper(log, x):
    return helper(x), helper(x=x), [helper(i) for i in range(x)], list(map(helper, [1, 9]))


@case(5)
def generators_inside(log, n):
    def count(k):
        while True:
            if k == 0:
                return "done"
            got = yield k
            log.append(got)
            k -= 1

    g = count(n)
    return next(g), g.send("a"), list(g)


@case(1, 2, [1, 2], {"k": 3}, "other")
def match_statement(log, x):
    for _ in range(2):
        match x:
            case 1:
                r = "one"
                if x:
                    continue
            case [a, *b] if a:
                r = a, b
            case {"k": v}:
                return v
            case str() as s:
                r = s
                break
            case _:
                pass
        log.append("behind")
    if x == 3:
        r = None
    return r


@case(3)
def docstring_and_ellipsis(log, n):
    """Text.

    With lines.
    """
    ...
    if n:
        ...
    return n


@case(1, 0)
def asserts(log, x):
    assert x, log.append("evaluated") or f"x is {x}"
    assert isinstance(x, int)
    return "passed"


class Account:
    rate = 2
    __secret = "s"

    def __init__(self, log, balance):
        self.log = log
        self.balance = balance
        if balance > 10:
            self.kind = "rich"
        else:
            self.kind = "poor"

    def add(self, amount):
        if amount < 0:
            raise ValueError("negative")
        for _ in range(2):
            self.balance += amount
        return self

    @property
    def double(self):
        return self.balance * 2 if self.balance else None

    @classmethod
    def make(cls, log, b):
        return cls(log, b) if b else None

    @staticmethod
    def twice(x):
        return x and x * 2

    def __call__(self, x):
        while x > self.balance:
            x -= 1
        return x

    def hidden(self):
        if self.balance:
            return self.__secret, self.__hide(1)

    def __hide(self, __x):
        if __x:
            __x = 5
        return __x


class Savings(Account):
    def add(self, amount):
        if amount:
            super().add(amount)
        self.log.append(__class__.__name__)
        return super().add(1) if not amount else self


@case(5, 50)
def objects(log, b):
    a = Account(log, b)
    a.add(1).add(2)
    s = Savings(log, b)
    s.add(3)
    r = [a.double, a.kind, a(b + 50), Account.twice(b), Account.make(log, b).balance, a.hidden()]
    return r, s.balance


@case()
def method_raises(log):
    return Savings(log, 1).add(-1)


@case(3)
def partials_and_builtins(log, n):
    import functools

    f = functools.partial(helper, n)
    g = functools.reduce(lambda a, b: a if a > b else b, [1, 5, 2])
    return f(), g, max([1, 2], key=lambda v: -v if v > 1 else v), any(v > n for v in range(9))


@case((1,), (1, 2, 3))
def arguments_of_all_kinds(log, a, b=2, *args, c=3, **kw):
    def inner(p, /, q, *r, s=b, **t):
        if p:
            q = t or q
        return p, q, r, s

    if a:
        c = inner(1, 2, *args, s=4, u=5)
    return a, b, args, c, kw


@case(2)
def inner_decorated(log, n):
    def deco(f):
        log.append(f.__name__)
        return lambda *a: f(*a) + 1

    @deco
    def g(x):
        if x > 1:
            return x * 2
        return 0

    return g(n)


@case(4)
def truth_of_objects(log, n):
    class Odd:
        def __bool__(self):
            log.append("bool")
            return n % 2 == 1

    o = Odd()
    if o:
        r = 1
    else:
        r = 2
    while o:
        break
    return r, (1 if o else 0)


@case(0, 1)
def exceptions_in_tests(log, x):
    try:
        if 1 // x and log.append("evaluated") is None:
            return "fine"
    except ZeroDivisionError:
        log.append("zero")
    while 1 // x:
        x = 2
    return x


@case(3, 0)
def state_and_locals_of_same_name(log, n):
    if_true = 1
    loop_body = 2
    ag = 3
    do_return = 4
    for i in range(n):
        if i == 1:
            return ag, if_true, loop_body, do_return, i
    return ag


@case(0, 1, 5)
def value_of_a_return_that_raises(log, x):
    for i in range(4):
        try:
            return 10 // (i - x)
        except ZeroDivisionError:
            log.append(i)
        finally:
            log.append("finally")
    while True:
        try:
            if x > 3:
                return [1, 2][x]
            break
        except IndexError:
            x -= 1
    return x
