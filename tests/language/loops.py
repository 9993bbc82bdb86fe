"""Loops over tensors."""

from __future__ import annotations

import treadle as tl

from .harness import Collection

program = Collection()


@program(5, 0)
def while_counts():
    def f(n):
        i = 0
        total = 0
        while i < n:
            total += i
            i += 1
        return total, i

    return f


@program(27, 1)
def collatz():
    def f(n):
        steps = 0
        while n != 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        return steps

    return f


@program([1.0, 2.0, 3.0], [5.0])
def for_over_tensor():
    def f(x):
        total = 0.0
        for v in x:
            total = total * 2 + v
        return total

    return f


@program(4, 0)
def for_over_range():
    def f(n):
        total = 0
        for i in range(n):
            total += i * i
        return total

    return f


@program((2, 11, 3), (5, 0, -2))
def range_with_step():
    def f(a, b, c):
        total = 0
        for i in range(a, b, c):
            total = total * 10 + i
        return total

    return f


@program(10, 3)
def break_and_continue():
    def f(n):
        total = 0
        for i in tl.range(n):
            if i % 2 == 0:
                continue
            if i > 6:
                break
            total += i
        return total

    return f


@program(10, 3)
def while_break_else():
    def f(n):
        i = 0
        while i < n:
            if i * i > 20:
                break
            i += 1
        else:
            i = -i
        return i

    return f


@program([1.0, 5.0, 2.0], [1.0, 1.0, 1.0])
def for_else():
    def f(x):
        found = -1.0
        for v in x:
            if v > 3:
                found = v
                break
        else:
            found = 100.0
        return found

    return f


@program([1.0, 5.0, 2.0], [1.0, 1.0, 1.0])
def return_in_for():
    def f(x):
        for v in x:
            if v > 3:
                return v * 2
        return tl.reduce_sum(x)

    return f


@program([[1, 2], [3, 4]], [[1, 9], [9, 4]])
def return_in_nested_for():
    def f(x):
        for row in x:
            for v in row:
                if v > 3:
                    return v * 100
        return 0

    return f


@program([[1, 2], [3, 4]], [[5, 9], [9, 4]])
def break_in_nested_loops():
    def f(x):
        count = 0
        for row in x:
            for v in row:
                if v > 4:
                    break
                count += v
            else:
                count += 100
                continue
            count += 1000
            if count > 1500:
                break
        return count

    return f


@program(3, 0)
def nested_while():
    def f(n):
        i = 0
        total = 0
        while i < n:
            j = 0
            while j < i:
                total += i * j
                j += 1
            i += 1
        return total

    return f


@program([1.0, 2.0, 3.0])
def enumerate_tensor():
    def f(x):
        total = 0.0
        for i, v in enumerate(x):
            if i > 0:
                total += v * tl.cast(i, tl.float32)
        return total

    return f


@program([1.0, 2.0, 3.0])
def enumerate_from():
    def f(x):
        last = 0
        for i, _ in enumerate(x, 5):
            last = i
        return last

    return f


@program(([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]), ([1.0, 2.0, 3.0], [4.0, 5.0]))
def zip_tensors():
    def f(x, y):
        total = 0.0
        for a, b in zip(x, y):
            total += a * b
        return total

    return f


@program([1.0, 2.0, 3.0])
def reversed_tensor():
    def f(x):
        total = 0.0
        for v in reversed(x):
            total = total * 2 + v
        return total

    return f


@program(4)
def reversed_range():
    def f(n):
        total = 0
        for i in reversed(range(n)):
            total = total * 10 + i
        return total

    return f


@program(([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]))
def enumerate_zip():
    def f(x, y):
        total = 0.0
        for i, (a, b) in enumerate(zip(x, y)):
            if i == 1:
                continue
            total += a * b
        return total

    return f


@program([3.0, 1.0, 2.0])
def dict_items_unrolled():
    def f(x):
        d = {"a": x[0], "b": x[1]}
        total = x[2]
        for key, value in d.items():
            if value > 2:
                total += value * len(key)
        return total

    return f


@program([1.0, 5.0, 2.0])
def none_best():
    def f(x):
        best = None
        for v in x:
            if best is None or v > best:
                best = v
        return best

    return f


@program([1.0, 5.0, 2.0])
def none_previous():
    def f(x):
        previous = None
        total = 0.0
        for v in x:
            if previous is not None:
                total += v - previous
            previous = v
        return total

    return f


@program(100, 3)
def walrus_in_while():
    def f(n):
        i = 0
        while (square := i * i) < n:
            i += 1
        return square, i

    return f


@program(5, 0)
def tuple_state():
    def f(n):
        a, b = 0, 1
        for _ in tl.range(n):
            a, b = b, a + b
        return a

    return f


@program(5, 1)
def structured_state():
    def f(n):
        state = {"pair": (0, 1), "sum": [0]}
        for i in tl.range(n):
            a, b = state["pair"]
            state = {"pair": (b, a + b), "sum": [state["sum"][0] + i]}
        return state

    return f


@program([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
def star_unpacking():
    def f(x):
        total = 0.0
        for first, *rest in x:
            total += first * tl.add_n(rest)
        return total

    return f


@program([1.0, 2.0, 3.0], relaxed=True)
def name_from_loop_body():
    def f(x):
        for v in x:
            last = v * 2
        return last

    return f


@program([1.0, 2.0, 3.0])
def loop_target_read_after():
    def f(x):
        v = 0.0
        for v in x:
            pass
        return v

    return f


@program(3, 0, relaxed=True)
def loop_index_after_zero_trips():
    def f(n):
        for i in tl.range(n):
            pass
        return i

    return f


@program(3, relaxed=True)
def growing_tensor():
    def f(n):
        y = tl.constant([1.0])
        for i in tl.range(n):
            y = tl.concat([y, [tl.cast(i, tl.float32)]], 0)
        return y

    return f


@program(3, 0, relaxed=True)
def int_becomes_float():
    def f(n):
        x = 0
        for _ in tl.range(n):
            x += 0.5
        return x

    return f


@program([1.0, 200.0], relaxed=True)
def while_true():
    def f(x):
        n = 0
        while True:
            x = x * 2
            n += 1
            if x[0] > 50:
                break
        return x, n

    return f


@program(3.0, 30.0, relaxed=True)
def python_for_left_by_tensor():
    def f(x):
        for i in range(6):
            if x > 20:
                break
            x = x * 2
        return x, i

    return f


@program(3.0, 30.0, relaxed=True)
def python_list_left_by_return():
    def f(x):
        for k in [1.0, 2.0, 5.0]:
            if x < k:
                return x + k
        return x

    return f


@program(3.0, 30.0)
def python_for_with_tensor_if():
    def f(x):
        for k in (1.0, 10.0, 100.0):
            if x > k:
                x = x - k
        return x

    return f


@program(4)
def range_of_length():
    def f(n):
        x = tl.range(n) * 2
        total = 0
        for i in range(len(x)):
            total += x[i] * i
        return total

    return f


@program(10)
def unused_target():
    def f(n):
        x = 1.0
        for _ in range(n):
            x = x * 1.5
        return x

    return f


@program(6, 2)
def while_and_condition():
    def f(n):
        i = 0
        x = 1.0
        while i < n and x < 10.0:
            x = x * 2
            i += 1
        return x, i

    return f


@program(6, 2, relaxed=True)
def while_not_done():
    def f(n):
        done = False
        i = 0
        while not done:
            i += 1
            if i >= n:
                done = True
        return i

    return f


@program(6)
def newton_with_return():
    def f(n):
        x = tl.cast(n, tl.float32)
        guess = x
        while True if n is None else tl.abs(guess * guess - x) > 1e-3:
            guess = (guess + x / guess) / 2
        return guess

    return f


@program([[3.0, 1.0], [2.0, 4.0]])
def loops_of_both_kinds():
    def f(x):
        total = 0.0
        for row in x:
            for k in (1.0, 2.0):
                for v in row:
                    total += v * k
        return total

    return f


@program(5, 0)
def shape_kept_in_loop():
    def f(n):
        m = tl.eye(2)
        step = tl.constant([[1.0, 1.0], [1.0, 0.0]])
        for _ in tl.range(n):
            m = m @ step
        return m

    return f


@program([1, 2, 3, 4])
def loop_in_branch_in_loop():
    def f(x):
        total = 0
        for v in x:
            if v % 2 == 0:
                k = v
                while k > 0:
                    total += 1
                    k -= 1
            else:
                total += 10
        return total

    return f


@program([1.0, 2.0, 3.0])
def del_in_loop():
    def f(x):
        total = 0.0
        for v in x:
            t = v * 2
            total += t
            del t
        return total

    return f


@program([3, 1, 2])
def bubble_sort():
    def f(x):
        n = len(x)
        for i in tl.range(n):
            for j in tl.range(n - 1 - i):
                if x[j] > x[j + 1]:
                    a, b = x[j], x[j + 1]
                    x = tl.tensor_scatter_nd_update(x, [[j], [j + 1]], [b, a])
        return x

    return f


@program((48, 18), (7, 5))
def gcd():
    def f(a, b):
        while b:
            a, b = b, a % b
        return a

    return f


@program(20)
def primes_counted():
    def f(n):
        count = 0
        for k in range(2, n):
            for d in range(2, k):
                if k % d == 0:
                    break
            else:
                count += 1
        return count

    return f


@program(([1.0, 2.0], 0.3), ([1.0], 0.25))
def float_that_stays_one_beside_float64():
    def f(x, y):
        t = 0.1
        for _ in x:
            t = 0.2
        for _ in x:
            t = t if y > 0 else 0.3
        return tl.cast(y, tl.float64) > t, t * tl.cast(y, tl.float64)

    return f


@program(([1.0, 2.0], 0.3), ([1.0], 0.25))
def float_that_a_loop_may_not_change():
    def f(x, y):
        t = 0.1
        for v in x:
            if v > 5:
                return tl.cast(y, tl.float64)
            for w in x:
                if w > 7:
                    return tl.cast(w, tl.float64)
                t = 0.1
        return t * tl.cast(y, tl.float64)

    return f


@program(([1.0, 2.0, 3.0], 1), ([1.0], -1))
def counter_of_an_object_made_in_the_loop():
    class Box:
        def __init__(self, v):
            self.v, self.n = v, 0

        def add(self, x):
            self.n += 1
            self.v = self.v * 0.5 + x
            return self

    def f(x, n):
        t, o = 0.0, Box(x[0])
        for v in x:
            if n == 0:
                c = n * 0
                while c < 1:
                    c += 1
                    o.add(v)
                    o = Box(v)
                o.n += 1
            elif o.n % 7 < 5:
                t = (t - (1 if n <= 0 else o.n % 7)) * 0.5
            else:
                o.add(v)
        return t, o.n, o.v

    return f


@program(2, 0)
def number_in_a_generators_loop_beside_doubles():
    def ramp(n):
        for i in tl.range(n):
            yield tl.cast(i, tl.float64)

    def f(n):
        t, last, pair = 0.0, tl.constant(0.0, tl.float64), (0.0, 1)
        for w in ramp(n):
            t += 0.5
            pair = pair[0] + 0.25, pair[1] + 1
            last = w + t * 0.5 + pair[0]
        return last, pair[1]

    return f


@program([1.0, 2.0], [3.0])
def flag_that_is_returned_and_set_again():
    def f(b):
        flag = False
        for w in b:
            try:
                return flag, w
            finally:
                flag = False
        return flag, 0.0

    return f


@program(0, 1)
def list_that_only_a_later_iteration_grows():
    def f(n):
        values = [n, 7]
        word = "first"
        for _ in tl.range(3):
            if word == "first":
                values[1] = n + 1
            else:
                values.insert(0, n)
            word = "later"
        return values

    return f


@program(2, 5, 6)
def names_set_before_each_break_where_else_raises():
    def f(x):
        for k in tl.range(7):
            if 3 * k % 7 == x:
                r = k
                break
        else:
            raise ZeroDivisionError("no inverse")
        total = r
        for j in tl.range(3):
            for k in tl.range(4):
                if k == x:
                    s = k + j
                    break
            else:
                continue
            total += s
        return total

    return f


@program(0, -3, 1, 5)
def continue_and_return_in_a_try_under_a_condition():
    def f(n):
        count = n * 0
        while count < 1:
            count += 1
            if n < 9:
                try:
                    if n > 1:
                        continue
                    if n > 0:
                        return n
                    raise ValueError("stop")
                except ZeroDivisionError:
                    raise
                return n
        return n + 100

    return f
