"""Items of lists that the graph holds are changed in place, as those of Python's lists."""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass

import treadle as tl

from .harness import Collection

program = Collection()

XS = ([3, 1, 2], [1, 1, 5], [9, 8, 7, 6])


class Named:
    def __init__(self, n):
        self.n = n


@dataclass
class Particle:
    x: int
    v: int

    def move(self, times=1):
        self.x += self.v * times
        if self.x > 8:
            self.bounce()

    def bounce(self):
        self.v = -self.v
        self.x = 8


@dataclass(slots=True)
class Slim:
    x: int
    hits: int = 0


class Account:
    def __init__(self, total):
        self._total = total
        self.log = [0, 0]

    @property
    def total(self):
        return self._total

    @total.setter
    def total(self, value):
        self.log[0] += 1
        self._total = value


class Cell:
    def __init__(self, x):
        self.pos = [x, 0]
        self.tags = {"seen": 0, "at": x}
        self.inner = Named(x)

    def __setitem__(self, key, value):
        self.pos[key] = value
        self.tags["seen"] += 1


def particles(xs):
    found = []
    for x in xs:
        found.append(Particle(x, 2))
    return found


def named(xs):
    found = []
    for x in xs:
        found.append(Named(x))
    return found


def rows(xs):
    found = []
    for x in xs:
        found.append({"n": x, "k": 0})
    return found


@program(3, 1)
def one_item():
    def f(n):
        out = []
        for i in tl.range(n):
            out.append({"i": i, "v": i * 2})
        out[0]["i"] = 50
        out[-1]["v"] += 1
        return out, out[0]["i"], out[-1]["v"]

    return f


@program(*XS)
def each_item():
    def f(xs):
        out = rows(xs)
        for d in out:
            d["n"] += 1
            d["k"] = d["n"] * 2
        for i, d in enumerate(out):
            d["k"] += i
        return out, sum(d["n"] for d in out)

    return f


@program(*XS)
def in_a_branch():
    def f(xs):
        out = rows(xs)
        first = out[0]
        for d in out:
            if d["n"] > 1:
                d["n"] = 0
            else:
                d["k"] -= 1
        if xs[0] > 2:
            first["k"] = 70
            out[1]["k"] = 71
        return out, first

    return f


@program(*XS)
def by_methods():
    def f(xs):
        found = particles(xs)
        for _ in tl.range(xs[1]):
            for p in found:
                p.move()
        found[-1].move(3)
        return found, [p.x for p in found]

    return f


@program(*XS)
def each_with_each():
    def f(xs):
        found = particles(xs)
        for p in found:
            for q in found:
                p.v += q.x
            p.x += p.v
        return found

    return f


@program(*XS)
def with_slots():
    def f(xs):
        found = [Slim(x) for x in xs if x > 0]
        for s in found:
            if s.x > 1:
                s.hits += 1
        found[0].hits += 10
        return [s.x for s in found], [s.hits for s in found]

    return f


@program(*XS)
def two_names_of_one():
    def f(xs):
        out = rows(xs)
        a, b, c = out[0], out[0], out[-3]
        a["n"] = 50
        seen = b["n"], c["n"], out[0]["n"]
        c["k"] += b["n"]
        return out, a, b, c, seen

    return f


@program(([3, 1, 2], 0, 0), ([3, 1, 2], 0, 1), ([3, 1, 2], -1, 2))
def at_places_of_the_run():
    def f(xs, i, j):
        out = rows(xs)
        a, b = out[i], out[j]
        a["n"] = 50
        b["n"] += 1
        a["k"] = b["n"]
        return out, a, b

    return f


@program(*XS)
def rows_of_numbers():
    def f(xs):
        grid = [[x, 0, 1] for x in xs if x > 0]
        for row in grid:
            row[1] += 2
        for j in tl.range(3):
            grid[1][j] = 7
            grid[j % 2][0] -= j
        row = grid[0]
        row.reverse()
        return grid, row

    return f


@program(*XS)
def sorted_row():
    def f(xs):
        grid = [[x, 0] for x in xs]
        grid[0][0], grid[0][1] = grid[0][1], grid[0][0]
        grid[1][:] = [4, 5]
        return grid

    return f


@program([3, 1, 2], refused=(tl.errors.ListItemError, "the items of a list must be alike"))
def longer_row():
    def f(xs):
        grid = []
        for x in xs:
            grid.append([x, 0])
        grid[-1].append(3)
        return grid

    return f


@program(*XS)
def parts_of_items():
    def f(xs):
        cells = []
        for x in xs:
            cells.append(Cell(x))
        for c in cells:
            c.pos[1] += 2
            c.tags["seen"] += 1
            c.inner.n *= 2
        pos, inner = cells[1].pos, cells[1].inner
        pos[0] = 9
        cells[1].pos[1] = 5
        inner.n += cells[1].inner.n
        cells[0][1] = 6
        return cells, pos, inner.n

    return f


@program(*XS)
def by_properties():
    def f(xs):
        found = []
        for x in xs:
            found.append(Account(x))
        for a in found:
            a.total += 2
        found[0].total = 7
        return found, [a.total for a in found]

    return f


@program(*XS)
def tuples_with_items():
    def f(xs):
        pairs = []
        for x in xs:
            pairs.append((x, Named(x)))
        for i, o in pairs:
            o.n += i
        pairs[0][1].n = 77
        return [(i, o.n) for i, o in pairs]

    return f


@program(*XS)
def after_it_was_put():
    def f(xs):
        out = []
        for x in xs:
            p = Particle(x, 1)
            out.append(p)
            p.x += 100
            out[-1].v = p.x
        return out

    return f


@program(*XS)
def a_dict_after_it_was_put():
    def f(xs):
        out = []
        for x in xs:
            row = {"n": x}
            row["k"] = 2
            out.append(row)
            row["n"] += 100
            out[-1]["k"] = row["n"]
            out[0]["k"] += row["k"]
        return out

    return f


@program(*XS)
def put_on_a_condition():
    def f(xs):
        out = []
        for x in xs:
            if x > 1:
                out.append({"n": x})
        for d in out:
            d["n"] += 1
        return out

    return f


@program(*XS)
def started_with_some():
    def f(xs):
        out = [Particle(xs[0], 2)]
        for x in xs:
            out.append(Particle(x, 2))
        for p in out:
            p.move()
        return out

    return f


@program(*XS)
def in_a_try():
    def f(xs):
        out = rows(xs)
        try:
            out[0]["n"] = 5
            out[3]["n"] = 6
            out[1]["n"] = 7
        except IndexError:
            out[2]["n"] += 8
        finally:
            out[1]["k"] = 9
        return out

    return f


@program(*XS)
def in_an_object():
    class World:
        def __init__(self):
            self.items = []

        def add(self, x):
            self.items.append(Particle(x, 1))

        def step(self):
            for p in self.items:
                p.move()

    def f(xs):
        world = World()
        for x in xs:
            world.add(x)
        for _ in tl.range(3):
            world.step()
        world.items[0].v = 30
        return world.items

    return f


@program(*XS)
def in_a_deque():
    def f(xs):
        queue = deque()
        for x in xs:
            queue.append(Named(x))
        for o in queue:
            o.n += 1
        queue[0].n = 20
        first = queue.popleft()
        queue[0].n += first.n
        return [o.n for o in queue]

    return f


@program(*XS)
def while_it_grows():
    def f(xs):
        out = []
        for x in xs:
            out.append(Named(x))
            out[0].n += 1
            for o in out:
                o.n += 10
        return [o.n for o in out]

    return f


@program(*XS)
def in_a_function():
    def change(items, by):
        for o in items:
            o.n += by
        items[0].n = 0
        return items[-1]

    def f(xs):
        out = named(xs)
        last = change(out, 3)
        last.n += 1
        return [o.n for o in out], last.n

    return f


@program(*XS)
def after_others_were_taken_out():
    def f(xs):
        out = named(xs)
        gone = out.pop()
        del out[0]
        out.insert(0, Named(7))
        out[0].n += gone.n
        for o in out:
            o.n += 1
        return [o.n for o in out]

    return f


@program(*XS)
def constants_in_new_items():
    def f(xs):
        out = []
        for x in xs:
            out.append({"hits": 0, "sum": 0})
            out[-1]["sum"] += x
        for d in out:
            d["hits"] += 1
        return out

    return f


@program(*XS)
def while_loops():
    def f(xs):
        out = rows(xs)
        i = 0
        while i < len(out):
            out[i]["n"] += i
            if out[i]["n"] > 7:
                break
            i += 1
        while out[0]["n"] < 20:
            out[0]["n"] += 6
        return out, i

    return f


@program(*XS)
def another_item_in_a_place():
    def f(xs):
        out = rows(xs)
        out[0] = {"n": 5, "k": 5}
        out[0]["n"] += 1
        return out

    return f


@program(*XS)
def copies_are_their_own():
    def f(xs):
        out = rows(xs)
        own, again, all_again = dict(out[0]), copy.copy(out[0]), copy.deepcopy(out)
        out[0]["n"] = 70
        own["n"] += 1
        again["n"] += 2
        all_again[0]["n"] += 3
        return out, own, again, all_again

    return f


@program(*XS)
def two_lists_of_one_line():
    def f(xs):
        a, b = named(xs), named(xs)
        for x, y in zip(a, b):
            x.n += y.n
            y.n = 0
        a[0].n = 5
        return [o.n for o in a], [o.n for o in b]

    return f


@program(*XS)
def on_a_stack():
    def f(xs):
        stack, count = [], 0
        stack.append({"node": xs[1], "state": 0})
        while stack:
            top = stack[-1]
            if top["state"] < 2 and top["node"] > 0:
                top["state"] += 1
                stack.append({"node": top["node"] - 1, "state": 0})
                count += 1
            else:
                stack.pop()
        return count

    return f


@program(*XS)
def by_setattr():
    def f(xs):
        out = named(xs)
        for o in out:
            setattr(o, "n", getattr(o, "n") + 1)
        for o in reversed(out):
            o.n *= 2
        return [o.n for o in out]

    return f


@program(*XS)
def in_order():
    def f(xs):
        out = rows(xs)
        out.sort(key=lambda d: -d["n"])
        out[0]["k"] = 5
        for d in out:
            d["n"] += 1
        return out

    return f


@program(*XS)
def held_in_python():
    def f(xs):
        out = rows(xs)
        table, pair = {"x": out[0], "y": out[1]}, (out[0], 3)
        for k in table:  # noqa: PLC0206
            table[k]["k"] += 4
        for d in out:
            d["n"] += 1
        if xs[0] > 2:
            pair[0]["n"] += 10
        return out, table["x"]["n"], pair[0]["n"]

    return f


@program(*XS)
def raised_on_the_way():
    def f(xs):
        out = named(xs)
        first = out[0]
        try:
            first.n = 10
            if xs[0] > 2:
                raise ValueError
            first.n = 20
        except ValueError:
            out[0].n += 1
        return first.n, [o.n for o in out]

    return f
