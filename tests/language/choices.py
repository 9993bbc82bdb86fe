"""Python objects that a tensor chooses: texts, lists, objects; keys that only the run knows."""

from __future__ import annotations

import dataclasses
import enum

import treadle as tl

from .harness import Collection

program = Collection()


class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        if other.x > 100:
            return self
        return Vector(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    def __neg__(self):
        return Vector(-self.x, -self.y) if self.x > 0 else Vector(self.x, -self.y)

    def __eq__(self, other):
        if self.x != other.x:
            return False
        return self.y == other.y

    __hash__ = None

    def __lt__(self, other):
        if self.x == other.x:
            return self.y < other.y
        return self.x < other.x

    def __getitem__(self, i):
        return self.x if i == 0 else self.y

    def __len__(self):
        return 2

    def __contains__(self, v):
        return v == self.x or v == self.y

    def __call__(self, k):
        return self * k

    def __abs__(self):
        return self.x + self.y if self.x > 0 else self.y - self.x

    @property
    def larger(self):
        if self.x > self.y:
            return self.x
        return self.y

    def moved(self, dx):
        return Vector(self.x + dx, self.y)


class Full:
    def __init__(self, n):
        self.n = n

    def __bool__(self):
        return bool(self.n > 2)


class Circle:
    def __init__(self, r):
        self.r = r
        self.seen = 0

    def area(self):
        self.seen += 1
        return 3.0 * self.r * self.r


class Square:
    def __init__(self, side):
        self.side = side
        self.seen = 0

    def area(self):
        self.seen += 10
        if self.side > 2:
            return self.side * self.side
        return -self.side


class Sign(enum.Enum):
    NEGATIVE = -1
    POSITIVE = 1


# --- texts ----------------------------------------------------------------------------------


@program(3.0, -3.0)
def chosen_text_is_a_key():
    table = {"cm": 10.0, "inch": 25.4}

    def f(x):
        unit = "cm" if x > 0 else "inch"
        return table[unit] * x, table.get(unit + "s", 1.0), len(unit), unit in table

    return f


@program(3.0, -3.0)
def chosen_text_has_methods():
    def f(x):
        unit = "cm"
        if x < 0:
            unit = "inch"
        if unit.upper().startswith("C"):
            x = x * 2
        if unit == "inch" or unit[0] == "z":
            x = x - 1
        return x, len((unit * 2).strip() + "?"), unit.find("n"), unit < "d"

    return f


@program([1.0, -1.0, 2.0], [-1.0, -2.0, -3.0])
def text_is_chosen_in_a_loop():
    def f(x):
        mode, runs = "start", 0
        for v in x:
            if mode == "up" and v < 0:
                mode = "down"
            elif v > 0:
                mode = "up"
                runs += 1
            elif mode.startswith("s"):
                mode = "still"
        return runs, {"start": 0, "up": 1, "down": 2, "still": 3}[mode]

    return f


@program(3, 0)
def text_grows_in_a_loop():
    def f(n):
        s = ""
        for _ in tl.range(n):
            s = s + "ab"
        return tl.strings.length(s)

    return f


@program(3.0, -3.0)
def chosen_text_is_kept():
    class Motor:
        mode = "off"

        def turn(self, x):
            self.mode = "forward" if x > 0 else "back"

    motor = Motor()

    def f(x):
        motor.turn(x)
        return len(motor.mode)

    return f


@program(1, 2, 5)
def matched_text():
    def name(n):
        if n == 1:
            return "one"
        return "two" if n == 2 else "many"

    def f(n):
        match name(n):
            case "one":
                return n * 10
            case "two" | "three":
                return n * 100
            case _:
                return -n

    return f


# --- lists and dicts ------------------------------------------------------------------------


@program(3, -3)
def chosen_list_is_changed():
    def f(x):
        a, b = [1], [2]
        c = a if x > 0 else b
        c.append(5)
        c[0] = 7
        a.append(8)
        return a, b, len(c), c[-1], sum(c)

    return f


@program([1.0, -2.0, 3.0], [-1.0, -2.0, -3.0])
def chosen_list_in_a_loop():
    def f(x):
        pos, neg = [], []
        for v in x:
            (pos if v > 0 else neg).append(v)
        return pos, neg

    return f


@program(4, 0)
def list_chosen_by_a_helper():
    kept, dropped = [0], [0, 0]

    def where(i):
        if i % 2 == 0:
            return kept
        return dropped

    def f(n):
        for i in tl.range(n):
            where(i)[0] += i
        return n

    return f, lambda: (kept, dropped)


@program(3, -3)
def chosen_list_grows_in_a_loop():
    def f(x):
        a, b = [1], [2]
        c = a if x > 0 else b
        for i in tl.range(abs(x)):
            c.append(i)
        return a, b, c

    return f


@program(3, -3)
def chosen_dict_is_changed():
    def f(x):
        a, b = {"n": 1}, {"n": 2}
        if x > 0:
            c = a
        else:
            c = b
        c["n"] += 10
        c.update(n=c["n"] + x)
        b["n"] *= 2
        return a, b, c

    return f


@program((3, 1), (3, -1), (-3, 1))
def list_is_chosen_twice():
    def f(x, y):
        a, b, c = [1], [2], [3]
        d = a if x > 0 else b
        if y > 0:
            d = c
        d.extend([x, y])
        d.reverse()
        return a, b, c, d

    return f


@program(3, -3)
def fresh_list_or_an_old_one():
    def f(x):
        a = [1, 2]
        c = a if x > 0 else [3, 4]
        c[1] = x
        a[0] = 9
        return a, c

    return f


# --- objects --------------------------------------------------------------------------------


@program(3, -3)
def chosen_object_is_changed():
    def f(x):
        a, b = Vector(1, 2), Vector(3, 4)
        c = a if x > 0 else b
        c.x = c.x + 10
        c.y += x
        a.x += 1
        return a.x, a.y, b.x, b.y, c.x, c.moved(2).x, abs(c), c.larger

    return f


@program(3.0, 1.0, -3.0)
def object_of_several_classes():
    def f(x):
        shape = Circle(x) if x > 0 else Square(x * 1.5)
        first = shape.area()
        if isinstance(shape, Circle):
            shape.r = shape.r * 2
        else:
            first = first + shape.side
        return first, shape.area(), shape.seen, isinstance(shape, Square)

    return f


@program((3.0, 4), (-3.0, 4), (3.0, 0))
def objects_of_several_classes_in_a_loop():
    def f(x, n):
        shape = Circle(x)
        total = tl.constant(0.0)
        for i in tl.range(n):
            total += shape.area()
            if i % 2 == 0:
                shape = Square(total)
            else:
                shape = Circle(x + 1.0)
        return total, shape.seen

    return f


@program((5, 2), (0, 2))
def rebuilt_in_a_loop():
    def f(n, k):
        v = Vector(0, 1)
        for i in tl.range(n):
            v = v + Vector(i, k)
            v += Vector(1, 1)
        return v.x, v.y, v[1], len(v), 3 in v

    return f


@program(3, -3)
def rebuilt_in_a_branch():
    def f(x):
        v = Vector(0, 1)
        if x > 0:
            v = v(3) + Vector(x, x * x)
        w = -v
        return w.x, v.larger, v == w, v < w, max(v, w).x, w in [v, w]

    return f


@program((3, 2), (-3, 1))
def rebuilt_attribute_in_a_loop():
    class Body:
        def __init__(self):
            self.position = Vector(0, 0)

        def step(self, dx):
            self.position = self.position.moved(dx)

    def f(dx, n):
        body = Body()
        for _ in tl.range(n):
            body.step(dx)
        return body.position.x, body.position.y

    return f


@program(1, 3)
def truth_of_an_object():
    def f(x):
        full = Full(x)
        r = 1 if full else 2
        if not full or x == 7:
            r += 10
        while Full(x):
            x = x - 1
        return r, x

    return f


@program(3.0, -3.0)
def all_members_are_matched():
    def f(x):
        sign = Sign.POSITIVE if x > 0 else Sign.NEGATIVE
        match sign:
            case Sign.POSITIVE:
                return x
            case Sign.NEGATIVE:
                return x * sign.value

    return f


# --- keys that the run knows --------------------------------------------------------------------


@program(0, 2)
def symbolic_key():
    d = {0: 5, 1: 6, 2: 7}

    def f(i):
        k = int(i)
        return d[k], k in d, d.get(k, -1), d.get(k + 2, -1), k + 2 not in d

    return f


@program(0, 9)
def key_that_is_not_there():
    def f(i):
        d = {0: 5, 1: 6}
        try:
            return d[int(i)]
        except KeyError:
            return -1

    return f


@program([1, 2, 1, 1], [2, 2, 2, 2])
def counts_by_key():
    def f(x):
        counts = {1: 0, 2: 0}
        for v in x:
            counts[int(v)] += 1
        return counts[1], counts[2], max(counts, key=counts.get)

    return f


@program((0, 1), (1, 1))
def key_of_several_parts():
    def f(i, j):
        table = {(0, 1): 1.5, (1, 0): 2.5, (1, 1): 3.5}
        return table[int(i), int(j)], (int(i), 0) in table

    return f


@program(3.0, -3.0)
def objects_by_key():
    def f(x):
        shapes = {1: Circle(x), -1: Square(x)}
        shape = shapes[1 if x > 0 else -1]
        return shape.area() + shapes[1].seen

    return f


@program((1, 1), (0, 2), (2, 0))
def nested_lists():
    def f(h, w):
        grid = [[1, 2, 3], [3, 4, 5], [6, 7, 8]]
        grid[h][w] += 10
        return grid[h][w], grid[w][h], sum(grid[h]), grid

    return f


@program(0, 2)
def item_of_an_outer_list():
    xs = [1, 2, 3]

    def f(i):
        xs[i] += 10
        return xs[i]

    return f, lambda: xs


@program(([3, 1, 2],), ([2, 2, 2],))
def tuples_are_compared():
    def f(x):
        pairs = sorted(zip(x, "abc"))
        best = max(zip(x, x * 2))
        low = min((v, i) for i, v in enumerate(x))
        less = (x[0], 1) < (x[1], 0), [x[0], x[1]] == [x[1], x[0]], (x[0], x[1]) >= (x[2], 2)
        return [v for v, _ in pairs], best, low, less

    return f


@program(5, 0, 1)
def numbers_in_a_test():
    def f(x):
        r = 100 if x and x > 1 else 0
        while x and x > 3:
            x = x - 1
        if not x or x > 2:
            r += 1
        return r, x

    return f


class Off:
    level = 0

    def press(self, i):
        return On() if i > 2 else self


class On:
    level = 7

    def press(self, i):
        return Off()


@program(4, 5, 0)
def states_as_objects():
    def f(n):
        state, total = Off(), 0
        for i in tl.range(n):
            state = state.press(i)
            total += state.level
        return total, isinstance(state, On)

    return f


@program((1, 2), (3, 1))
def dataclasses_are_compared():
    @dataclasses.dataclass(order=True)
    class Point:
        x: int
        y: int

    def f(a, b):
        p, q = Point(a, b), Point(b, a)
        return p < q, p == q, max(p, q).x, (p if a > b else q).y

    return f


@program(3, -3)
def objects_are_sorted():
    def f(x):
        found = sorted([Vector(x, 1), Vector(1, x), Vector(0, 0)])
        best = max(found)
        best.x += 100
        return [v.x for v in found], best.y

    return f


@program(3, -3)
def texts_of_chosen_texts():
    def f(x):
        s = "abc" if x > 0 else "xyz"
        return "b" in s, s in "xyzw", s[::-1] == "cba", sorted(s)[1] == "b", s.index(s[1])

    return f


@program(2, 0, 1)
def objects_in_a_list():
    def f(i):
        shapes = [Circle(5), Square(6.0), Circle(7)]
        shapes[i].seen += 100
        return shapes[i].area(), [s.seen for s in shapes]

    return f


@program([3, 4, 7], [2, 9])
def list_in_a_tuple_in_what_may_be_none():
    def f(xs):
        best = None
        for x in xs:
            key = [x % 2, -x]
            if best is None or best[0][0] <= x % 2:
                best = (key, x)
        return -1 if best is None else best[1]

    return f
