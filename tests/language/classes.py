"""Objects of the user's classes: dataclasses, descriptors, context managers, operators."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import typing

import treadle as tl
from treadle.errors import LoopDtypeError

from .harness import Collection

program = Collection()


@dataclasses.dataclass
class Rectangle:
    width: typing.Any
    height: typing.Any
    times: dataclasses.InitVar[int] = 1
    made: list = dataclasses.field(default_factory=list)

    def __post_init__(self, times):
        self.area = self.width * self.height * times
        self.width = self.width + 1
        self.made.append(self.area)


@dataclasses.dataclass
class Pair:
    a: typing.Any
    b: typing.Any = 0


@program(1, 3)
def dataclass_that_computes_attributes():
    def f(x):
        r = Rectangle(x, 2)
        if x > 2:
            r = Rectangle(x, 5, times=3)
        while r.area < 40:
            r = Rectangle(r.width, r.height + 1)
        return r.area, r.width, r.height, r.made

    return f


@program(1, 3)
def dataclass_as_argument():
    @tl.function
    def doubled(r):
        r.more = r.area + 1
        return r.area * 2 + r.more

    def f(x):
        r = Rectangle(x, 2)
        return doubled(r), r.more

    return f


class Leaves(Exception):
    pass


@program(1, 0, 5)
def generator_as_manager_changes_what_it_is_given():
    @contextlib.contextmanager
    def noted(log):
        log.append(0)
        try:
            yield
        except Leaves:
            log.append(1)
        else:
            log.append(2)
        finally:
            log.append(3)

    def f(x):
        log = []
        with noted(log):
            if x > 1:
                raise Leaves
            x = x + 10
        return x, log

    return f


@program(1, 0, 5)
def generator_as_manager_of_an_object():
    class Gate:
        def __init__(self):
            self.held = {"inside": 0, "left": 0}

        @contextlib.contextmanager
        def passed(self):
            self.held["inside"] += 1
            try:
                yield self
            except Leaves:
                self.held["left"] += 1
            finally:
                self.held["inside"] -= 1

    gate = Gate()

    def f(x):
        for i in range(3):
            with gate.passed() as g:
                if x > i:
                    raise Leaves
                x = x + g.held["inside"]
        return x

    return f, lambda: gate.held


@program(1, 0, 5)
def cached_property_in_a_branch():
    class Square:
        def __init__(self, x):
            self.x = x
            self.times = 0

        @functools.cached_property
        def area(self):
            self.times += 1
            if self.x > 3:
                return self.x * 100
            return self.x * self.x

    def f(x):
        s = Square(x)
        if x > 0:
            a = s.area + s.area
        else:
            a = -1
        return a, s.times

    return f


@program(1, 0, 5)
def descriptor_that_decides():
    class Positive:
        def __get__(self, owner, cls=None):
            return owner.kept * 2 if owner.kept > 1 else owner.kept

        def __set__(self, owner, value):
            owner.kept = value if value > 0 else -value

    class Point:
        x = Positive()

    def f(v):
        p = Point()
        p.x = v - 3
        y = p.x
        if v > 1:
            p.x = 7
        return p.x, y

    return f


@program(1, 2, 5)
def derived_order():
    @functools.total_ordering
    class Card:
        def __init__(self, rank):
            self.rank = rank

        def __eq__(self, other):
            return self.rank == other.rank

        __hash__ = None

        def __lt__(self, other):
            return self.rank < other.rank

    def f(x):
        a, b, r = Card(x), Card(2), 0
        if a <= b:
            r += 1
        if a > b:
            r += 10
        if a >= b:
            r += 100
        return r, max(a, b).rank

    return f


class Move:
    def __init__(self, step, cost=0):
        self.step = step
        self.cost = cost

    def total(self):
        return self.step + self.cost if self.step > 1 else self.step


@program(3, 1, 4)
def objects_in_a_list_of_unknown_length():
    def f(n):
        moves = [Move(i) for i in range(n)]
        best = max(moves, key=lambda m: m.step)
        moves.append(Move(7, 7))
        total = sum(m.total() for m in moves)
        last = moves.pop()
        last.cost += 1
        return total, len(moves), best.step, last.cost

    return f


@program(3)
def dataclass_changed_after_it_is_put_into_a_list():
    def f(n):
        pairs = []
        for i in tl.range(n):
            pair = Pair(i)
            pairs.append(pair)
            pair.a += 100
        return pairs[0].a

    return f


@program(3)
def dataclass_in_a_list_is_changed():
    def f(n):
        pairs = [Pair(i) for i in range(n)]
        pairs[0].a = 100
        return pairs[0].a

    return f


@program(5, 0, 1)
def object_with_a_truth_value_beside_a_test():
    class Stack:
        def __init__(self):
            self.items = []

        def push(self, v):
            self.items.append(v)

        def __bool__(self):
            return len(self.items) > 0

    def f(n):
        stack, count = Stack(), 0
        for i in range(n):
            stack.push(i)
        while stack and count < 3:
            stack.items.pop()
            count += 1
        return count, len(stack.items)

    return f


@program(3, 0)
def items_by_index():
    class Row:
        def __init__(self):
            self.items = []

        def add(self, v):
            self.items.append(v)

        def __getitem__(self, i):
            return self.items[i]

        def __len__(self):
            return len(self.items)

    def f(n):
        row, total = Row(), 0
        for i in tl.range(n):
            row.add(i * 2)
        for v in row:
            total += v
        return total, len(row), sum(row), any(v > 3 for v in row)

    return f


@program(3, 0, 7)
def dict_in_a_wrapper():
    def f(x):
        d = collections.UserDict({"a": x})
        c = collections.ChainMap({"b": x}, {"b": 1, "c": 2})
        rows = collections.UserList([x, 2])
        if x > 2:
            d["a"] = 100
            c["b"] = 50
            rows.append(7)
        return d["a"], c["b"], c["c"], len(rows), rows[-1], sum(rows)

    return f


@program(3, 0)
def text_of_an_object():
    class Point:
        def __init__(self, x):
            self.x = x

        def __str__(self):
            return f"Point({self.x})"

    def f(x):
        if str(Point(x)) == "Point(3)":
            return 1
        return 0

    return f


class Shape:
    __match_args__ = ("side",)

    def __init__(self, side):
        self.side = side


class Cube(Shape):
    edges = 12


@program(0, 3, 5)
def match_of_a_chosen_object():
    def f(n):
        if n < 3:
            s = Shape(n + 1)
        else:
            s = Shape(n)
        t = Shape(n + 1) if n < 3 else Cube(n)
        u = None
        if n < 4:
            u = Cube(n)
        match s:
            case Shape(4):
                first = 44
            case Shape(side) if side > 4:
                first = side
            case _:
                first = -1
        match t:
            case Cube(side):
                second = side * 10
            case Shape(side=v):
                second = v
        match u:
            case None:
                third = -1
            case Shape(side):
                third = side
        return first, second, third

    return f


@program(0, 3, 5)
def class_of_a_chosen_object():
    def f(n):
        s = Shape(n) if n < 3 else Cube(n)
        of_class = {Shape: 1, Cube: 2}[type(s)]
        named = type(s).__name__ == "Cube", s.__class__ is Shape
        asked = hasattr(s, "edges"), getattr(s, "edges", 7), callable(s), len(vars(s))
        again = type(s)(4).side, type(s) in (Shape, int), issubclass(type(s), Cube)
        return of_class, named, asked, again

    return f


class Vector:
    def __init__(self, *values):
        self.values = list(values)
        self.large = 0

    def __setitem__(self, i, value):
        if value > 4:
            self.large += 1
        self.values[i] = value

    def __getitem__(self, i):
        return self.values[i]

    def __bool__(self):
        return bool(self.values[0] > 3)


@program(1, 4, 6)
def items_and_truth_of_a_chosen_object():
    def f(x):
        v = Vector(x, 1) if x > 3 else Vector(2, x)
        v[1] = 9
        if x < 5:
            v = Vector(x - 1, 0)
        return v[0], v[1], v.large, 1 if v else 2, not v

    return f


class Named:
    def __init__(self, **names):
        vars(self).update(names)


@program(1, 5, 2)
def attributes_by_the_dict_of_them():
    holder = Named(n=0, child=Named(n=1))

    def store(names, key, value):
        names[key] = value

    def f(x):
        if x > 3:
            holder.child = Named(n=x, m=1)
            setattr(holder, "n", 5)
        else:
            vars(holder.child)["n"] += x
            holder.__dict__["n"] = 7
        if x > 1:
            holder.__dict__.setdefault("n", 100)
            store(vars(holder), "n", holder.n + x)
        return holder.n, holder.child.n

    return f, lambda: (holder.n, holder.child.n, sorted(vars(holder)))


class Watched:
    def __init__(self, v):
        self.v = v

    @property
    def small(self):
        if self.v > 4:
            raise RuntimeError("large")
        return self.v

    def __neg__(self):
        return 0 if self.v > 4 else self.v


@program(1, 5)
def classes_that_are_met_in_containers_only():
    def made():
        return type("Own", (Watched,), {"__neg__": Watched.__neg__, "small": Watched.small})

    kind = made()
    held = {"all": [kind(1), kind(3)]}

    def f(x):
        total = 0
        for w in held["all"]:
            w.v += x
            try:
                total += w.small
            except RuntimeError:
                total -= 1
            total += 10 * -w
        held["all"][0].v, held["all"][1].v = 1, 3
        return total

    return f


class Link:
    __slots__ = ("next", "v")

    def __init__(self, v, following=None):
        self.v, self.next = v, following


@program(2, 4, 5)
def linked_objects_with_slots():
    def f(x):
        top = Link(x, Link(1))
        if x > 3:
            top = Link(100, top)
        if x > 4:
            top = top.next.next
        total, node = 0, top
        while node is not None:
            total = total * 2 + node.v
            node = node.next
        return total, top.v

    return f


class Node:
    def __init__(self, v, following):
        self.v = v
        self.following = following


class Stack:
    top = None

    def push(self, v):
        self.top = Node(v, self.top)

    def pop(self):
        v = self.top.v
        self.top = self.top.following
        return v


@program(5, 1, 3)
def linked_list_in_branches():
    def f(x):
        s = Stack()
        s.push(x)
        if x > 2:
            s.push(100)
        if x > 4:
            s.push(7)
            s.pop()
        t = 0
        while s.top is not None:
            t = t * 3 + s.pop()
        return t

    return f


@program(3, refused=(LoopDtypeError, r"top' gets deeper .*Keep the values in a list"))
def linked_list_in_a_loop():
    def f(n):
        s = Stack()
        for i in tl.range(n):
            s.push(i)
        return s.pop()

    return f
