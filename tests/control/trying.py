"""`try` and `with`."""

# ruff: noqa: E722

from __future__ import annotations

import contextlib

from language.harness import Collection

import treadle as tl

program = Collection()


class CodeError(Exception):
    def __init__(self, code):
        super().__init__(f"code {code}")
        self.code = code


@program(1.0, -1.0)
def values_before_the_raise_stay():
    def f(x):
        n = 1
        try:
            n = 2
            if x < 0:
                raise ValueError("x")
            n = 3
        except ValueError:
            n += 10
        return n

    return f


@program(1.0, -1.0, 100.0)
def two_raises():
    def f(x):
        n = 0
        y = x
        try:
            n += 1
            if x < 0:
                raise ValueError("x")
            n += 1
            y = y * 2
            if x > 50:
                raise ValueError("y")
            n += 1
            y = y * 2
        except ValueError:
            n = n * 10
        return n, y

    return f


@program(1.0, -1.0, 100.0, 3.0)
def two_handlers():
    def f(x):
        r = x * 0
        try:
            if x < 0:
                raise KeyError("k")
            if x > 50:
                raise ValueError("v")
            r = x
        except KeyError:
            r = x - 1
        except ValueError:
            r = x + 1
        return r

    return f


@program(1.0, -1.0, 100.0)
def handler_of_two_classes():
    def f(x):
        try:
            if x < 0:
                raise KeyError("k")
            if x > 50:
                raise ValueError("v")
        except (KeyError, ValueError):
            return x * 10
        return x

    return f


@program(1.0, -1.0)
def handler_of_a_base_class():
    def f(x):
        try:
            if x < 0:
                raise KeyError("k")
        except LookupError:
            x = x * 10
        return x

    return f


@program(1.0, -1.0)
def handler_of_everything():
    def f(x):
        try:
            if x < 0:
                raise KeyError("k")
        except:
            x = x * 10
        return x

    return f


@program(1.0, -1.0)
def handler_of_another_class():
    def f(x):
        try:
            if x < 0:
                raise KeyError("k")
        except ValueError:
            x = x * 10
        return x

    return f


@program(1.0, -1.0)
def with_an_else():
    def f(x):
        n = 0
        try:
            if x < 0:
                raise KeyError("k")
        except KeyError:
            n = 1
        else:
            n = 2
        return n

    return f


@program(1.0, -1.0, 9.0)
def raise_in_the_else():
    def f(x):
        n = 0
        try:
            if x < 0:
                raise KeyError("k")
        except KeyError:
            n = 1
        else:
            if x > 5:
                raise KeyError("else")
            n = 2
        return n

    return f


@program(1.0, -1.0)
def with_a_finally():
    v = tl.Variable(0)

    def f(x):
        try:
            if x < 0:
                raise KeyError("k")
            v.assign_add(1)
        finally:
            v.assign_add(10)
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def all_of_it():
    v = tl.Variable(0)

    def f(x):
        n = 0
        try:
            n += 1
            if x < 0:
                raise CodeError(n)
            n += 1
        except CodeError as e:
            n += e.code * 10
        else:
            n += 100
        finally:
            n += 1000
            v.assign_add(1)
        return n

    return f, lambda: v.numpy()


@program(1, -3)
def reads_the_exception():
    def f(n):
        try:
            if n < 0:
                raise CodeError(n * 2)
        except CodeError as e:
            return e.code
        return n

    return f


@program(1, -3)
def reads_its_arguments():
    def f(n):
        try:
            if n < 0:
                raise ValueError("bad", n, 5)
        except ValueError as e:
            return e.args[1] + e.args[2]
        return n

    return f


@program(1, -3, 30)
def reads_one_of_two_exceptions():
    def f(n):
        try:
            if n < 0:
                raise CodeError(n)
            if n > 10:
                raise CodeError(5)
        except CodeError as e:
            return e.code * 2
        return n

    return f


@program(1, -3)
def reraises():
    v = tl.Variable(0)

    def f(n):
        try:
            if n < 0:
                raise CodeError(n)
        except CodeError:
            v.assign_add(1)
            raise
        return n

    return f, lambda: v.numpy()


@program(1, -3)
def raises_what_it_caught():
    def f(n):
        try:
            if n < 0:
                raise CodeError(n)
        except CodeError as e:
            raise e
        return n

    return f


@program(1, -3)
def raises_another_one():
    def f(n):
        try:
            if n < 0:
                raise CodeError(n)
        except CodeError as e:
            raise ValueError(f"wrapped {n}") from e
        return n

    return f


@program(1, -3, -30)
def reraises_under_a_condition():
    def f(n):
        try:
            if n < 0:
                raise CodeError(n)
        except CodeError:
            if n < -10:
                raise
            n = n * 0
        return n

    return f


@program((1, 1), (-1, 1), (1, -1), (-1, -1))
def nested():
    def f(a, b):
        n = 0
        try:
            n += 1
            try:
                n += 10
                if a < 0:
                    raise KeyError("a")
                n += 100
            except KeyError:
                n += 1000
                if b < 0:
                    raise ValueError("b")
            n += 10000
        except ValueError:
            n += 100000
        return n

    return f


@program((1, 1), (-1, 1), (1, -1), (-1, -1))
def inner_does_not_catch():
    def f(a, b):
        n = 0
        try:
            try:
                if a < 0:
                    raise KeyError("a")
                n += 1
            except IndexError:
                n += 10
            finally:
                n += 100
            if b < 0:
                raise ValueError("b")
        except KeyError:
            n += 1000
        except ValueError:
            n += 10000
        return n

    return f


@program(3, -3)
def returns_in_all_blocks():
    def f(n):
        try:
            if n < 0:
                raise KeyError("k")
            return n * 2
        except KeyError:
            return n * 3
        finally:
            tl.print("done", output_stream="file:///dev/null")

    return f


@program(3, -3, 0)
def return_past_a_finally():
    v = tl.Variable(0)

    def f(n):
        try:
            if n > 0:
                return n
            if n == 0:
                raise ValueError("zero")
            n = n * 5
        finally:
            v.assign_add(1)
        return n

    return f, lambda: v.numpy()


@program([1, 2, 3], [1, -2, 3], [-1, -2, -3])
def in_a_loop():
    def f(xs):
        good = 0
        bad = 0
        for x in xs:
            try:
                if x < 0:
                    raise ValueError("x")
                good += x
            except ValueError:
                bad += 1
        return good, bad

    return f


@program([1, 2, 3], [1, -2, 3], [0, -2, 3])
def in_a_loop_with_jumps():
    def f(xs):
        total = 0
        for x in xs:
            try:
                if x == 0:
                    break
                if x < 0:
                    raise ValueError("x")
                total += x
            except ValueError:
                continue
            total += 100
        return total

    return f


@program([1, 2, 3], [1, -2, 3])
def around_a_loop():
    def f(xs):
        total = 0
        try:
            for x in xs:
                if x < 0:
                    raise ValueError("x")
                total += x
        except ValueError:
            total += 1000
        return total

    return f


@program(5, 2, -1)
def around_a_while_loop():
    def f(n):
        k = 0
        try:
            while n > 0:
                n = n - 1
                k += 1
                if k > 3:
                    raise CodeError(k)
        except CodeError as e:
            return e.code * 100
        return k

    return f


@program([1, 2, 3], [1, -2, 3])
def retries_in_a_while_loop():
    def f(xs):
        i = 0
        tries = 0
        done = False
        while not done and tries < 5:
            tries += 1
            try:
                if xs[i] < 0:
                    raise ValueError("x")
                i += 1
                if i == 3:
                    done = True
            except ValueError:
                i += 1
        return i, tries

    return f


@program(1.0, -1.0)
def raise_from_a_helper():
    def check(x):
        if x < 0:
            raise CodeError(3)
        return x * 2

    def f(x):
        try:
            y = check(x)
        except CodeError:
            y = x * 100
        return y

    return f


@program(1.0, -1.0)
def raise_from_a_method():
    class Box:
        def check(self, x):
            if x < 0:
                raise CodeError(3)
            return x * 2

    box = Box()

    def f(x):
        try:
            y = box.check(x)
        except CodeError as e:
            y = x * e.code
        return y

    return f


@program(1.0, -1.0)
def raise_from_a_called_function():
    @tl.function
    def g(x):
        if x < 0:
            raise CodeError(3)
        return x * 2

    def f(x):
        n = 0
        try:
            n = 1
            y = g(x)
            n = 2
        except CodeError:
            y = x * 100
        return y, n

    return f


@program(1, -1)
def catches_an_assertion():
    def f(n):
        try:
            assert n > 0, "small"
            r = n
        except AssertionError:
            r = n * 100
        return r

    return f


@program(1, 9)
def catches_an_error_of_an_op():
    def f(i):
        xs = tl.constant([1, 2, 3])
        try:
            r = tl.gather(xs, i)
        except IndexError:
            r = tl.constant(-1)
        return r

    return f


@program(1, 9)
def does_not_catch_an_error_of_an_op():
    def f(i):
        xs = tl.constant([1, 2, 3])
        try:
            r = tl.gather(xs, i)
        except KeyError:
            r = tl.constant(-1)
        return r

    return f


@program(1.0, -1.0)
def python_error_in_the_body():
    def f(x):
        table = {"a": 1.0}
        try:
            if x > 0:
                x = x + 1
            k = table["b"]
        except KeyError:
            k = 2.0
        return x * k

    return f


@program(1.0, -1.0)
def no_raise_in_the_body():
    def f(x):
        try:
            if x > 0:
                y = x + 1
            else:
                y = x - 1
        except ValueError:
            y = x
        else:
            y = y * 2
        finally:
            y = y + 100
        return y

    return f


@program((1, 1), (-1, 1), (1, -1))
def under_a_condition():
    def f(a, b):
        r = 0
        if b > 0:
            try:
                if a < 0:
                    raise ValueError("a")
                r = 1
            except ValueError:
                r = 2
        return r

    return f


@program(1.0, -1.0)
def raises_in_all_ways():
    def f(x):
        try:
            if x < 0:
                raise KeyError("k")
            raise ValueError("v")
        except KeyError:
            raise CodeError(1)
        except ValueError:
            return x

    return f


@program(1.0, -1.0)
def unconditional_raise_in_the_body():
    v = tl.Variable(0)

    def f(x):
        try:
            if x < 0:
                raise KeyError("k")
            v.assign_add(1)
            raise ValueError("v")
        except ValueError:
            x = x * 2
        except KeyError:
            x = x * 3
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def name_bound_by_the_handler_only():
    def f(x):
        try:
            if x < 0:
                raise ValueError("v")
            y = x
            z = y
        except ValueError:
            z = x * 2
        return z

    return f


@program(1.0, -1.0)
def writes_of_variables_stay():
    v = tl.Variable(0)

    def f(x):
        try:
            v.assign_add(1)
            if x < 0:
                raise ValueError("v")
            v.assign_add(10)
        except ValueError:
            v.assign_add(100)
        v.assign_add(1000)
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def tuples_and_dicts_as_state():
    def f(x):
        d = {"a": x, "b": (x, 1)}
        try:
            d = {"a": x + 1, "b": (x + 2, 2)}
            if x < 0:
                raise ValueError("v")
            d = {"a": x + 3, "b": (x + 4, 3)}
        except ValueError:
            pass
        return d

    return f


@program(1.0, -1.0)
def suppress():
    def f(x):
        n = 0
        with contextlib.suppress(ValueError):
            n = 1
            if x < 0:
                raise ValueError("v")
            n = 2
        return n

    return f


@program(1.0, -1.0)
def suppress_another_class():
    def f(x):
        n = 0
        with contextlib.suppress(KeyError, IndexError):
            n = 1
            if x < 0:
                raise ValueError("v")
            n = 2
        return n

    return f


@program(1.0, -1.0)
def manager_of_a_generator():
    @contextlib.contextmanager
    def scaled(k):
        yield k * 2

    def f(x):
        with scaled(3) as k:
            if x > 0:
                return x * k
            x = x - k
        return x

    return f


@program(1.0, -1.0)
def manager_that_writes_at_the_end():
    v = tl.Variable(0)

    class Count:
        def __enter__(self):
            v.assign_add(1)
            return self

        def __exit__(self, *exc):
            v.assign_add(10)

    def f(x):
        with Count():
            if x > 0:
                x = x * 2
        return x

    return f, lambda: v.numpy()


@program(1.0, -1.0)
def manager_with_a_raise_in_its_body():
    class Plain:
        def __enter__(self):
            return 2

        def __exit__(self, *exc):
            return None

    def f(x):
        with Plain() as k:
            if x < 0:
                raise CodeError(k)
        return x * k

    return f


@program([1.0, -1.0, 2.0], [-5.0])
def manager_in_a_loop():
    def f(xs):
        s = 0.0
        for x in xs:
            with contextlib.nullcontext(2.0) as k:
                if x < 0:
                    continue
                s += x * k
        return s

    return f
