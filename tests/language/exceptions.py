"""`raise`, `assert`, `try`, `with` and `match` under tensor conditions."""

from __future__ import annotations

import contextlib

import treadle as tl

from .harness import Collection, Py

program = Collection()


class TooBigError(Exception):
    def __init__(self, limit):
        super().__init__(f"more than {limit}")
        self.limit = limit


@program(3.0, -3.0)
def raise_in_branch():
    def f(x):
        if x < 0:
            raise ValueError("negative")
        return x * 2

    return f


@program(3.0, 30.0)
def raise_own_class():
    def f(x):
        if x > 10:
            raise TooBigError(10)
        return x * 2

    return f


@program([1.0, 2.0], [1.0, -2.0])
def raise_in_loop():
    v = tl.Variable(0.0)

    def f(x):
        for a in x:
            v.assign_add(1.0)
            if a < 0:
                raise ArithmeticError
        v.assign_add(10.0)
        return v + 0.0

    return f, lambda: v.numpy()


@program(3.0, -3.0)
def raise_in_helper():
    def check(x):
        if x < 0:
            raise KeyError("x")
        return x

    def f(x):
        return check(x) + 1

    return f


@program(3.0, -3.0)
def raise_on_both_sides():
    def f(x):
        if x < 0:
            raise KeyError("negative")
        raise ValueError("positive")

    return f


@program(3.0, -3.0, 0.0)
def raise_as_else():
    def f(x):
        if x < 0:
            return -x
        if x > 0:
            return x
        raise ZeroDivisionError("zero")

    return f


@program(3.0, -3.0)
def assert_in_branch():
    def f(x):
        if x < 0:
            assert x > -1, "too small"
        return x

    return f


@program(3.0, -3.0)
def try_around_branch():
    def f(x):
        try:
            if x > 0:
                y = x * 2
            else:
                y = x - 1
        except ValueError:
            y = x
        return y

    return f


@program(3.0, -3.0)
def finally_after_branch():
    v = tl.Variable(0.0)

    def f(x):
        try:
            if x > 0:
                return x * 2
            x = x - 1
        finally:
            v.assign_add(1.0)
        return x

    return f, lambda: v.numpy()


@program(3.0, -3.0)
def try_catches_raise():
    def f(x):
        try:
            if x < 0:
                raise ValueError("negative")
            y = x * 2
        except ValueError:
            y = x * 0
        return y

    return f


@program(3.0, Py(-3.0))
def python_exception_caught():
    def f(x):
        table = {"a": 1.0}
        try:
            k = table["b"]
        except KeyError:
            k = 2.0
        return x * k if x > 0 else x

    return f


@program(3.0, -3.0)
def with_around_branch():
    def f(x):
        with contextlib.nullcontext(2.0) as k:
            if x > 0:
                return x * k
            x = x - k
        return x

    return f


@program(1, 2, 3, 9)
def match_numbers():
    def f(n):
        match n:
            case 1:
                return n * 10
            case 2 | 3:
                return n * 100
            case _:
                return -n

    return f


@program(1, 20, -3)
def match_with_guard():
    def f(n):
        match n:
            case 0 | 1:
                r = 0
            case k if k > 10:
                r = k * 2
            case k:
                r = -k
        return r

    return f


@program((1, 2), (0, 5), (0, 0))
def match_pairs():
    def f(a, b):
        match (a, b):
            case (0, 0):
                return a
            case (0, y):
                return y * 10
            case (x, y):
                return x + y

    return f


@program((Py("up"), 1.0), (Py("down"), 1.0), (Py("up"), -1.0))
def match_python_value():
    def f(way, x):
        match way:
            case "up":
                if x > 0:
                    return x + 1
                return x
            case "down":
                return x - 1
        return x * 0

    return f


@program(5, 1)
def recursion():
    def fact(n):
        if n <= 1:
            return tl.constant(1)
        return n * fact(n - 1)

    def f(n):
        return fact(n)

    return f


@program(6, 3)
def mutual_recursion():
    def even(n):
        return tl.constant(True) if n == 0 else odd(n - 1)

    def odd(n):
        return tl.constant(False) if n == 0 else even(n - 1)

    def f(n):
        return even(n)

    return f


@program(5.0)
def python_recursion():
    def power(x, k):
        if k == 0:
            return 1.0
        return x * power(x, k - 1) if x > 0 else x

    def f(x):
        return power(x, 3)

    return f


@program([3], [-1], [-2], relaxed=True)
def return_of_a_value_that_may_raise():
    def attempt(x, k):
        if x + k < 0:
            raise ValueError(k)
        return x * 10

    def f(x):
        k = 0
        while True:
            try:
                return attempt(x[0], k), k
            except ValueError:
                k += 1

    return f


@program([3, 0], [3, 1], [3, 5], [3, -3])
def index_error_is_no_value_error():
    def f(x):
        items = [x[0], x[0] + 1]
        try:
            return items[x[1]]
        except ValueError:
            return x[0] * 0
        except IndexError:
            return x[0] * 0 - 1

    return f


class CodeError(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


@program(3, 7)
def cause_and_context_in_a_handler():
    def low(x):
        if x > 5:
            raise KeyError("low")
        return x

    def caused(x):
        try:
            return low(x)
        except KeyError as error:
            raise CodeError(20) from error

    def mid(x):
        try:
            return low(x)
        except KeyError:
            raise CodeError(40)

    def f(x):
        code = 0
        for part in (caused, mid):
            try:
                code += part(x)
            except CodeError as e:
                code += e.code + isinstance(e.__cause__, KeyError)
                code += 5 * isinstance(e.__context__, KeyError)
        return code

    return f


@program(3, 0, 7)
def values_from_before_the_call_in_an_exception():
    class Missing(Exception):
        def __init__(self, need, have):
            super().__init__(f"need {need}, have {have}")
            self.need, self.have = need, have

    class Account:
        balance = 5

        def take(self, amount):
            if amount > self.balance:
                raise Missing(amount, self.balance)
            self.balance -= amount

    account = Account()

    def f(x):
        try:
            account.take(x)
        except Missing as e:
            return e.need - e.have
        return account.balance

    return f, lambda: account.balance


@program(5, 0, -1, -3, -4, relaxed=True)
def blocks_nested_deeply():
    class Note:
        def __init__(self, log):
            self.log = log

        def __enter__(self):
            self.log.append(1)

        def __exit__(self, *error):
            self.log.append(2)

    def f(x):
        log, total = [], 0
        for i in range(3):
            try:
                with Note(log):
                    try:
                        with Note(log):
                            try:
                                with Note(log):
                                    try:
                                        if x > i:
                                            raise ValueError("large")
                                        total += 1
                                        if i > 1:
                                            return total, log
                                        total += x // i
                                    except ValueError:
                                        total += 10
                                        break
                                    finally:
                                        total += 100
                            except ZeroDivisionError:
                                total += 1000
                            finally:
                                total += 5
                    finally:
                        total += 10000
            except KeyError as e:
                total = len(e.args)
            finally:
                total += 7
        return total, log

    return f


@program(0, 3, 5)
def list_changed_by_the_handler_and_another_one_elsewhere():
    def f(x):
        xs = [x, x + 1]
        ys = xs
        try:
            y = 10 // x
        except ZeroDivisionError:
            xs[1] = x - 7
        else:
            xs = [y, x % 2, x]
        return xs, ys, len(xs)

    return f


@program(0, 3, 1)
def with_in_a_handler_that_raises_again():
    class Note:
        def __init__(self, log):
            self.log = log

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.log.append(1)

    def f(x):
        xs = [x, x]
        try:
            raise ValueError("first")
        except ValueError:
            with Note([]):
                xs[x]
            raise

    return f


@program(0, 3, 1)
def loop_that_is_traced_twice_in_a_try():
    def f(x):
        xs, t = [x, x + 1], 0.0
        try:
            for w in tl.range(3):
                xs = sorted(xs, reverse=True)
                t = 0.25
                xs[w // 2]
        except LookupError:
            pass
        return tl.cast(x, tl.float64) + (t if x > 1 else -1.5), xs

    return f


@program(1, 4, 6)
def jumps_out_of_finally():
    def first(x):
        try:
            y = 1
        finally:
            if x < 3:
                return -1
        return y

    def second(x):
        t = 0
        for i in range(x):
            try:
                t += i
                if i > 4:
                    raise ValueError("late")
            except KeyError:
                t -= 100
            else:
                t += 10
            finally:
                if i == 1:
                    continue
                if i > 3:
                    break
                t += 100
        return t

    def third(x):
        try:
            if x > 3:
                raise KeyError("swallowed")
        finally:
            return x * 2

    def f(x):
        return first(x), second(x), third(x)

    return f


class Checked:
    def __init__(self, n):
        self.n = n

    def _small(self):
        if self.n > 3:
            raise ValueError("large")
        return self.n

    @property
    def small(self):
        return self._small()

    @small.setter
    def small(self, n):
        self.n = n
        self._small()

    def __add__(self, other):
        return self._small() + other

    def __neg__(self):
        return -self._small()

    def __lt__(self, other):
        return self._small() < other


@program(2, 5)
def what_attributes_and_operators_raise():
    def f(x):
        c, found = Checked(x), []
        try:
            a = c.small
        except ValueError:
            a = 100
        try:
            b = c + 1
        except ValueError:
            b = 200
        try:
            d = -c
        except ValueError:
            d = 300
        try:
            e = 1 if c < 3 else 2
        except ValueError:
            e = 400
        other = Checked(1)
        try:
            other.small = x
        except ValueError:
            other.n += 500
        try:
            a += c.small
        except ValueError:
            a += 600
        found = [1, 2] if x > 3 else [1]
        try:
            first, second = found
        except ValueError:
            first, second = 700, 800
        return a, b, d, e, other.n, first, second

    return f


@program(0, 2, 4, 5)
def jumps_out_of_finally_and_the_rest():
    def first(x):
        try:
            if x == 0:
                raise ValueError("zero")
            return 10 // x
        finally:
            if x < 3:
                return -1

    def second(x):
        t = 0
        for i in tl.range(4):
            try:
                t += 1
                if x == i:
                    return t
                if x > i:
                    continue
                t += 10
            finally:
                if t > 12:
                    break
                t += 100
        return t + 1000

    def f(x):
        return first(x), second(x)

    return f


@program(0, 2, 4, 5)
def jumps_out_of_inner_finally_and_the_rest():
    def third(x):
        for i in tl.range(4):
            try:
                if x == i:
                    raise KeyError("k")
                if x == 5:
                    break
            except KeyError:
                return 50 + i
            finally:
                for j in tl.range(3):
                    if j > x:
                        break
                else:
                    if x > 4:
                        continue
        return 7

    def fourth(x):
        try:
            try:
                if x > 3:
                    raise ValueError("v")
                return 1
            finally:
                if x > 4:
                    return 2
        except ValueError:
            return 3
        finally:
            x = x + 1

    def fifth(x):
        try:
            return 10 // x
        finally:
            return x

    def f(x):
        return third(x), fourth(x), fifth(x)

    return f


@program(2, 0, -1)
def behind_a_try_that_always_leaves():
    def f(n):
        try:
            for i in tl.range(n):
                return i + n
            n = n % 97
            raise ValueError("none")
        finally:
            n = n + 1
        return n + 1

    return f


@program(2, 0, -1)
def behind_a_try_whose_handlers_leave():
    def f(n):
        total = n * 0
        for i in tl.range(4):
            total += 1
            try:
                if n > i:
                    continue
                if n < 0:
                    raise ValueError("negative")
                return total
            except ValueError:
                break
            total += 100
        return total + n

    return f
