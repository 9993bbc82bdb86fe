"""`try`: objects, jumps, helpers, errors of ops and of Python."""

# ruff: noqa: E741, E742, E722

from __future__ import annotations

from language.harness import Collection

import treadle as tl

program = Collection()


class MyErr(Exception):
    def __init__(self, code, x=None):
        super().__init__(f"code {code}")
        self.code = code
        self.x = x


class Silent(Exception):
    def __str__(self):
        return "E!"


class OfKeywords(Exception):
    def __init__(self, *, a, b=2):
        super().__init__(a, b)
        self.a = a


class Sub(MyErr):
    pass


@program(1.0, -1.0)
def list_append_in_body():
    def f(x):
        l = []
        try:
            l.append(x)
            if x < 0:
                raise ValueError("a")
            l.append(x * 2)
        except ValueError:
            l.append(x * 100)
        return l[0], l[1]

    return f


@program(1.0, -1.0)
def list_growth_differs():
    def f(x):
        l = [x]
        try:
            if x < 0:
                raise ValueError("a")
            l.append(x * 2)
        except ValueError:
            pass
        return len(l), l[-1]

    return f


@program(1.0, -1.0)
def attribute_in_body():
    class A:
        pass

    def f(x):
        a = A()
        a.n = 0
        a.y = x
        try:
            a.n = 1
            a.y = x * 2
            if x < 0:
                raise ValueError("a")
            a.n = 2
            a.y = x * 3
        except ValueError:
            a.n += 10
            a.y = a.y * 10
        return a.n, a.y

    return f


@program(1.0, -1.0)
def outer_object_attribute():
    class A:
        pass

    a = A()
    a.n = 0
    a.y = tl.constant(0.0)

    def f(x):
        try:
            a.n = 1
            a.y = x * 2
            if x < 0:
                raise ValueError("a")
            a.n = 2
        except ValueError:
            a.n += 10
            a.y = a.y * 10
        return a.y

    return f, lambda: (a.n, a.y)


@program(1.0, -1.0)
def method_mutates_self():
    class A:
        def __init__(s):
            s.t = tl.constant(0.0)

        def step(s, x):
            s.t = s.t + x
            if s.t < 0:
                raise MyErr(3)
            s.t = s.t * 2

    a = A()

    def f(x):
        try:
            a.step(x)
        except MyErr as e:
            a.t = a.t + e.code * 100
        return a.t

    return f, lambda: a.t


@program(1.0, -1.0)
def dict_item_in_body():
    def f(x):
        d = {"n": 0, "y": x}
        try:
            d["n"] = 1
            d["y"] = x * 2
            if x < 0:
                raise ValueError("a")
            d["n"] = 2
        except ValueError:
            d["n"] += 10
        return d["n"], d["y"]

    return f


@program(1.0, -1.0)
def raise_in_finally():
    def f(x):
        n = 0
        try:
            try:
                if x < 0:
                    raise ValueError("a")
            finally:
                n = 1
                if x < 0:
                    raise KeyError("b")
        except KeyError:
            n += 10
        except ValueError:
            n += 100
        return n

    return f


@program(1.0, -1.0)
def raise_in_handler_caught_outside():
    def f(x):
        n = 0
        try:
            try:
                if x < 0:
                    raise ValueError("a")
                n = 1
            except ValueError as e:
                n = 2
                raise MyErr(n) from e
        except MyErr as e:
            n = n * 10 + e.code
        return n

    return f


@program(1.0, -1.0, -100.0)
def subclasses():
    def f(x):
        try:
            if x < -50:
                raise Sub(2, x)
            if x < 0:
                raise MyErr(1, x)
            r = x
        except Sub as e:
            r = e.x * 10
        except MyErr as e:
            r = e.x * 100 + e.code
        return r

    return f


@program([1, 2, 3], [1, -2, 3], [-1, -2, -3])
def break_in_handler():
    def f(xs):
        s = 0
        n = 0
        for x in xs:
            n += 1
            try:
                if x < 0:
                    raise ValueError("x")
                s += x
            except ValueError:
                break
        return s, n

    return f


@program([1, 2, 3], [1, -2, 3], [-1, -2, -3])
def return_in_handler_in_loop():
    def f(xs):
        s = 0
        for x in xs:
            try:
                if x < 0:
                    raise ValueError("x")
                s += x
            except ValueError:
                return s * 100
            else:
                s += 10
            finally:
                s += 1
        return s

    return f


@program([1, 2, 3], [1, -2, 3], [-1, -2, -3])
def continue_with_finally():
    v = tl.Variable(0)

    def f(xs):
        s = 0
        for x in xs:
            try:
                if x < 0:
                    continue
                if x > 2:
                    break
                s += x
            finally:
                v.assign_add(1)
        return s

    return f, lambda: v.numpy()


@program([1, 2, 3], [1, -2, 3], [-1, -2, -3])
def for_else_try():
    def f(xs):
        s = 0
        for x in xs:
            try:
                if x < 0:
                    raise ValueError("q")
            except ValueError:
                s += 100
                break
            s += x
        else:
            s += 1000
        return s

    return f


@program(1, -1, -5)
def exception_as_value():
    def f(n):
        err = None
        try:
            if n < 0:
                raise MyErr(7)
        except MyErr as e:
            err = e.code
        if err is None:
            return n
        return n + err

    return f


@program(1.0, -1.0)
def error_text():
    def f(x):
        try:
            if x < 0:
                raise ValueError("bad")
        except ValueError as e:
            tl.print(str(e), output_stream="file:///dev/null")
            return x * len(str(e))
        return x

    return f


@program(1, -1, 5)
def gather_error_and_value():
    def f(i):
        xs = tl.constant([1, 2, 3])
        try:
            y = xs[i + 3]
        except IndexError:
            y = tl.constant(-7)
        return y

    return f


@program((6, 3), (6, 0))
def division():
    def f(a, b):
        try:
            q = a // b
        except ZeroDivisionError:
            q = a * 0 - 1
        return q

    return f


@program((6, 3), (6, 0))
def division_else_finally():
    v = tl.Variable(0)

    def f(a, b):
        r = a
        try:
            q = a // b
        except (ZeroDivisionError, KeyError):
            r = r * 0
        else:
            r = q + 1
        finally:
            v.assign_add(1)
        return r

    return f, lambda: v.numpy()


@program((6, 3), (6, 0))
def except_exception():
    def f(a, b):
        try:
            q = a // b
            if q > 1:
                raise MyErr(2)
        except Exception:
            q = a * 0 - 1
        return q

    return f


@program(1.0, -1.0)
def tl_debugging_assert():
    def f(x):
        try:
            tl.debugging.assert_greater(x, 0.0)
            y = x
        except tl.errors.InvalidArgumentError:
            y = x * 100
        return y

    return f


@program(1.0, -1.0)
def swallow_all():
    def f(x):
        try:
            if x < 0:
                raise MyErr(1)
            x = x + 1
        except:
            pass
        return x

    return f


@program(1.0, -1.0)
def variable_changes_then_raise():
    v = tl.Variable(0.0)

    def f(x):
        for _ in range(3):
            try:
                v.assign_add(x)
                if v < 0:
                    raise ValueError("neg")
                v.assign_add(1.0)
            except ValueError:
                v.assign(10.0)
        return v.read_value()

    return f, lambda: v.numpy()


@program(3, 7)
def python_loop_of_tries():
    def f(n):
        bad = []
        for k in range(5):
            try:
                if n % (k + 1) != 0:
                    raise ValueError(k)
                bad.append(0)
            except ValueError as e:
                bad.append(e.args[0])
        return bad

    return f


@program(1.0, -1.0)
def nested_function_raises_through_loop():
    def check(x):
        for i in tl.range(3):
            if x * 2 < tl.cast(i, tl.float32) - 2:
                raise MyErr(5, x)
        return x

    def f(x):
        try:
            return check(x)
        except MyErr as e:
            return e.x * e.code

    return f


@program(1.0, -1.0)
def handler_reads_partial():
    def f(x):
        a = b = c = x * 0
        try:
            a = x + 1
            b = a * 2
            if b < 1:
                raise ValueError
            c = b * 3
        except ValueError:
            c = a + b
        return a, b, c

    return f


@program(1.0, -1.0)
def ternary_in_try():
    def g(x):
        raise MyErr(9)

    def f(x):
        try:
            y = g(x) if x < 0 else x
        except MyErr as e:
            y = x * e.code
        return y

    return f


@program(1.0, -1.0)
def lambda_raises():
    def boom(x):
        raise MyErr(4)

    def f(x):
        h = lambda v: boom(v) if v < 0 else v * 2
        try:
            r = h(x)
        except MyErr:
            r = x
        return r

    return f


@program([3.0, 1.0, -2.0, 5.0])
def collect_results():
    def safe(x):
        try:
            if x < 0:
                raise ValueError("neg")
            return x * 2
        except ValueError:
            return x * 0

    def f(xs):
        out = []
        for x in xs:
            out.append(safe(x))
        return tl.stack(out) if isinstance(out, list) else out

    return f


@program(1.0, -1.0)
def finally_overrides_value():
    def f(x):
        y = x
        try:
            if x < 0:
                raise ValueError("a")
            y = x * 2
        except ValueError:
            y = x * 3
        finally:
            y = y + 100
        return y

    return f


@program(1, -1, -20)
def exception_group_of_checks():
    def f(n):
        errors = 0
        for bound, code in ((0, 1), (-10, 2)):
            try:
                if n < bound:
                    raise MyErr(code)
            except MyErr as e:
                errors += e.code
        return errors

    return f


@program(1.0, -1.0)
def custom_str():
    def f(x):
        if x < 0:
            raise Silent(x)
        return x

    return f


@program(1.0, -1.0)
def raise_class_with_kwargs():
    def f(x):
        if x < 0:
            raise OfKeywords(a=x * 2)
        return x

    return f


@program(2, -1)
def raise_in_comprehension():
    def chk(v):
        if v < 0:
            raise ValueError(f"bad {v}")
        return v

    def f(n):
        try:
            l = [chk(n - k) for k in range(3)]
        except ValueError:
            return n * 1000
        return sum(l)

    return f


@program(1.0, -1.0)
def stop_iteration_like():
    def f(x):
        it = iter([1, 2])
        n = 0
        try:
            while True:
                n += next(it)
        except StopIteration:
            n += 100
        return n * x

    return f


@program(1.0, -1.0)
def key_error_python():
    def f(x):
        d = {"a": x}
        try:
            y = d["b"]
        except KeyError:
            y = d["a"] * 2
        return y

    return f


@program(1.0, -1.0)
def attribute_error_python():
    def f(x):
        class O:
            pass

        try:
            y = O().zz
        except AttributeError:
            y = x
        return y

    return f


@program(1.0, -1.0)
def key_error_in_branch():
    def f(x):
        d = {"a": x}
        if x < 0:
            y = d["b"]
        else:
            y = d["a"]
        return y

    return f


@program(1.0, -1.0)
def key_error_in_branch_caught():
    def f(x):
        d = {"a": x}
        try:
            if x < 0:
                y = d["b"]
            else:
                y = d["a"]
        except KeyError:
            y = x * 50
        return y

    return f
