"""Items of lists that the graph holds are changed in place, as those of Python's lists."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import treadle as tl

from .harness import Collection

program = Collection()

XS = ([3, 1, 2], [1, 1, 5], [9, 8, 7, 6])
NOT_KNOWN = (tl.errors.ListItemError, "list.*as a copy|read as copies")


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


# --- what is refused: which object it is can't be told ---------------------------------------


@program(*XS, refused=NOT_KNOWN)
def the_best_one():
    def f(xs):
        out = rows(xs)
        best = out[0]
        for d in out:
            if d["n"] > best["n"]:
                best = d
        best["n"] += 100
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def known_from_a_loop():
    def f(xs):
        out = rows(xs)
        best = out[0]
        for d in out:
            if d["n"] > best["n"]:
                best = d
        out[0]["n"] += 100
        return best

    return f


@program(*XS, refused=NOT_KNOWN)
def known_from_where_it_was_put():
    def f(xs):
        out = []
        last = {"n": 0}
        for x in xs:
            last = {"n": x}
            out.append(last)
        out[-1]["n"] = 50
        return last

    return f


@program(*XS, refused=NOT_KNOWN)
def known_in_an_object():
    class Box:
        def __init__(self):
            self.of = None

    def f(xs):
        box = Box()
        out = []
        for x in xs:
            p = Named(x)
            if x > 1:
                box.of = p
            out.append(p)
        for o in out:
            o.n += 1
        return 0 if box.of is None else box.of.n

    return f


@program(*XS, refused=NOT_KNOWN)
def one_object_in_each_place():
    def f(xs):
        out, one = [], {"n": 0}
        for _ in xs:
            out.append(one)
        out[0]["n"] = 5
        return out

    return f


@program(*XS, refused=(tl.errors.ListItemError, "the items of a list must be alike"))
def one_object_in_some_places():
    def f(xs):
        out, one = [], Named(0)
        for x in xs:
            if x > 1:
                one = Named(x)
            out.append(one)
        out[0].n += 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def one_dict_in_some_places():
    def f(xs):
        out, one = [], {"n": xs[0]}
        for x in xs:
            if x > 1:
                one = {"n": x}
            out.append(one)
        out[0]["n"] += 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def a_constant_in_each_place():
    def f(xs):
        out, one = [], {"n": 0}
        one["n"] = 1
        for x in xs:
            one["n"] = x
            out.append(one)
        out[0]["n"] = 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def twice_in_a_list():
    def f(xs):
        out = []
        for x in xs:
            p = Named(x)
            out.append(p)
            out.append(p)
        out[0].n += 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_two_lists():
    def f(xs):
        out, other = [], []
        for x in xs:
            p = Named(x)
            out.append(p)
            other.append(p)
        out[0].n += 5
        return [o.n for o in other]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_a_filtered_list():
    def f(xs):
        out = named(xs)
        some = [o for o in out if o.n > 1]
        for o in some:
            o.n = 0
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def one_of_two_lists():
    def f(xs):
        out, more = named(xs), named(xs)
        one = out if xs[0] > 2 else more
        one[0].n = 0
        return [o.n for o in out], [o.n for o in more]

    return f


@program(*XS, refused=NOT_KNOWN)
def one_of_two_lists_from_a_loop():
    def f(xs):
        out, more = named(xs), named(xs)
        one = out
        for x in xs:
            if x > 2:
                one = more
        out[0].n = 0
        return [o.n for o in out], [o.n for o in one]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_a_slice():
    def f(xs):
        out = named(xs)
        some = out[1:]
        out[1].n = 0
        return [o.n for o in some]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_a_copy():
    def f(xs):
        out = named(xs)
        some = out.copy()
        some[1].n = 0
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_a_sorted_list():
    def f(xs):
        out = named(xs)
        some = sorted(out, key=lambda o: o.n)
        some[0].n = 0
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def shared_part():
    def f(xs):
        out, part = [], [0, 0]
        for x in xs:
            out.append({"n": x, "part": part})
        out[0]["part"][0] = 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def shared_part_put_later():
    def f(xs):
        out, part = [{"n": 0, "part": [1, 1]}], [0, 0]
        for x in xs:
            out.append({"n": x, "part": [0, 0]})
        out[0]["part"] = part
        out[1]["part"] = part
        out[0]["part"][0] = 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def the_largest():
    def f(xs):
        out = named(xs)
        largest = max(out, key=lambda o: o.n)
        out[0].n = 0
        return largest.n

    return f


@program(*XS, refused=NOT_KNOWN)
def moved_by_pop():
    def f(xs):
        out = rows(xs)
        a = out[1]
        out.pop(0)
        a["n"] = 5
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def moved_in_a_loop():
    def f(xs):
        out = rows(xs)
        a = out[1]
        for x in xs:
            a["n"] += 5
            if x > 2:
                out.insert(0, {"n": 0, "k": 0})
        return out

    return f


@program(*XS, refused=NOT_KNOWN)
def shared_later_in_a_loop():
    def f(xs):
        out, others = rows(xs), []
        for x in xs:
            out[0]["n"] += x
            others = [d for d in out if d["n"] > 1]
        return out, others

    return f


@program(*XS, refused=NOT_KNOWN)
def replaced_item():
    def f(xs):
        out = rows(xs)
        a = out[0]
        out[0] = {"n": 5, "k": 5}
        out[0]["n"] += 1
        return out, a

    return f


@program(*XS, refused=NOT_KNOWN)
def taken_out_and_known():
    def f(xs):
        out = named(xs)
        a = out[-1]
        b = out.pop()
        b.n = 99
        return a.n

    return f


@program(*XS, refused=NOT_KNOWN)
def changed_by_another_list_of_the_name():
    def f(xs):
        out = named(xs)
        a = out[0]
        for x in xs:
            if x > 100:
                out = [Named(0)]
        a.n += 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def added_lists():
    def f(xs):
        out, more = named(xs), named(xs)
        all_of_them = out + more
        all_of_them[0].n = 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def repeated_list():
    def f(xs):
        out = named(xs) * 2
        out[0].n = 5
        return [o.n for o in out]

    return f


@program(*XS, refused=NOT_KNOWN)
def in_reverse_as_a_list():
    def f(xs):
        out = named(xs)
        back = list(reversed(out))
        back[0].n = 50
        return [o.n for o in out]

    return f


@dataclass
class Tree:
    x: int
    kids: list = field(default_factory=list)


@program([3, 1, 2], [5, 5, 5])
def python_lists_of_objects_stay_as_they_are():
    def f(xs):
        out = [Tree(x) for x in (1, 2, 3)]
        for x in xs:
            for t in out:
                t.x += x
        return [t.x for t in out]

    return f
