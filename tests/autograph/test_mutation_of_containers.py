"""Lists, dicts and sets that outlive a call hold after it what eager code leaves."""

from __future__ import annotations

import collections

import pytest
from lasting import BOTH_WAYS, TRIPS, Box, Calls, Program, history, table

import treadle as tl

CASES, case = table()


@case(BOTH_WAYS)
def setitem_of_a_class():
    class Table:
        def __init__(self):
            self.rows = {"a": tl.constant(1), "b": tl.constant(2)}
            self.count = 0

        def __getitem__(self, key):
            return self.rows[key]

        def __setitem__(self, key, value):
            if value > 2:
                self.count += 1
            self.rows[key] = value

    table = Table()

    def f(x):
        if x > 0:
            table["a"] = x
        else:
            table["b"] += x
        return table["a"] + table["b"]

    return f, lambda: (table.rows, table.count)


@case(BOTH_WAYS)
def the_dict_of_an_object():
    box = Box(tl.constant(0))

    def f(x):
        if x > 0:
            box.__dict__["value"] = x
        return box.value

    return f, lambda: box.value


@case(BOTH_WAYS)
def dict_item():
    d = {"n": 0, "name": "d", "x": tl.constant(1)}

    def f(x):
        if x > 0:
            d["n"] += 1
            d["x"] = d["x"] + x
        return d["x"]

    return f, lambda: d


@case(TRIPS)
def dict_item_in_a_loop():
    d = {"n": 0, "x": tl.constant(1.0)}

    def f(n):
        for _ in tl.range(n):
            d["n"] += 2
            d["x"] = d["x"] * 2.0
        return d["x"]

    return f, lambda: d


@case(BOTH_WAYS)
def dict_update_of_known_keys():
    d = {"a": tl.constant(0), "b": tl.constant(0)}

    def f(x):
        if x > 0:
            d.update(a=x, b=-x)
        return d["a"] - d["b"]

    return f, lambda: d


@case(BOTH_WAYS)
def defaultdict_item():
    d = collections.defaultdict(int, a=1)

    def f(x):
        if x > 0:
            d["a"] += 5
        return x

    return f, lambda: d["a"]


@case(BOTH_WAYS)
def counter_item():
    d = collections.Counter("aab")

    def f(x):
        if x > 0:
            d["a"] += 1
        else:
            d["b"] += 1
        return x

    return f, lambda: dict(d)


@case(BOTH_WAYS)
def both_ways_add_the_same_key():
    d = {"a": tl.constant(1)}

    def f(x):
        if x > 0:
            d["b"] = x
        else:
            d["b"] = -x
        return d["b"]

    return f, lambda: d


@case(BOTH_WAYS)
def list_item():
    items = [tl.constant(1), tl.constant(2), 7]

    def f(x):
        if x > 0:
            items[0] = x
        else:
            items[-1] += 1
        return items[0] + items[1]

    return f, lambda: items


@case(TRIPS)
def list_item_in_a_loop():
    items = [tl.constant(1), tl.constant(1)]

    def f(n):
        for _ in tl.range(n):
            items[0], items[1] = items[1], items[0] + items[1]
        return items[1]

    return f, lambda: items


@case(BOTH_WAYS)
def list_in_an_attribute():
    box = Box()
    box.log = [0, 0, 0]

    def f(x):
        if x > 0:
            box.log[1] += 1
        return x

    return f, lambda: box.log


@case(BOTH_WAYS)
def slice_of_a_list():
    items = [tl.constant(i) for i in range(4)]

    def f(x):
        if x > 0:
            items[1:3] = [x, x + 1]
        return items[1] + items[3]

    return f, lambda: items


@case(BOTH_WAYS)
def list_reversed_in_place():
    items = [tl.constant(i) for i in range(3)]

    def f(x):
        if x > 0:
            items.reverse()
        return items[0]

    return f, lambda: items


@case(BOTH_WAYS)
def both_ways_append():
    items = [tl.constant(1)]

    def f(x):
        if x > 0:
            items.append(x)
        else:
            items.append(x * 10)
        return items[-1]

    return f, lambda: items[-1]


@case(BOTH_WAYS)
def deque_item():
    items = collections.deque([tl.constant(1), tl.constant(2)], maxlen=2)

    def f(x):
        if x > 0:
            items.append(x)
        else:
            items.rotate(1)
        return items[0] - items[1]

    return f, lambda: list(items)


@case(BOTH_WAYS)
def set_with_the_same_on_both_ways():
    seen: set[str] = set()

    def f(x):
        if x > 0:
            seen.add("called")
        else:
            seen.add("called")
        return x

    return f, lambda: seen


@case(BOTH_WAYS)
def bytes_with_the_same_on_both_ways():
    data = bytearray(b"ab")

    def f(x):
        if x > 0:
            data[0] = 65
        else:
            data[0] = 65
        return x

    return f, lambda: bytes(data)


@case(TRIPS)
def containers_made_in_a_loop():
    def f(n):
        total = tl.constant(0)
        for i in tl.range(n):
            items = []
            for k in range(3):
                items.append(i * k)
            table = {}
            for k, item in enumerate(items):
                table[k] = item  # noqa: PERF403
            names = set()
            names.add("a")
            total += sum(table.values()) + len(names)
        return total

    return f, lambda: None


@case(BOTH_WAYS)
def two_names_for_one_list():
    items = [tl.constant(0), tl.constant(1)]
    box = Box()
    box.log = items

    def f(x):
        if x > 0:
            box.log[0] = x
        else:
            items[1] = x
        return items[0] - box.log[1]

    return f, lambda: (items, box.log is items)


@case(BOTH_WAYS)
def list_of_objects():
    boxes = [Box(0), Box(1), Box(2)]

    def f(x):
        for box in boxes:
            if x > box.value:
                box.value += 1
        return x

    return f, lambda: [b.value for b in boxes]


@case(BOTH_WAYS)
def default_argument():
    def f(x, seen=[0, 0]):  # noqa: B006
        if x > 0:
            seen[0] += 1
        else:
            seen[1] += 1
        return x

    return f, lambda: f.__defaults__


@case(BOTH_WAYS)
def default_argument_of_a_helper():
    def helper(x, seen=[0, 0]):  # noqa: B006
        if x > 0:
            seen[0] += 1
        else:
            seen[1] += 1

    def f(x):
        helper(x)
        return x

    return f, lambda: helper.__defaults__


@case(BOTH_WAYS)
def sorted_by_the_library():
    items = [3, 1, 2]

    def f(x):
        if x > 0:
            items.sort()
        else:
            items.sort()
        return x

    return f, lambda: items


@case(BOTH_WAYS)
def subclass_of_dict():
    class Config(dict):
        version = 0

    config = Config(rate=1.0, steps=3)

    def f(x):
        if x > 0:
            config["rate"] = config["rate"] * 0.5
            config.version += 1
        return x

    return f, lambda: (dict(config), config.version)


@case(TRIPS)
def lambda_that_changes():
    d = {"n": 0}

    def bump(k):
        d["n"] = d["n"] + k

    act = lambda k: bump(k)  # noqa: E731

    def f(n):
        for _ in tl.range(n):
            act(3)
        return n

    return f, lambda: d


@case(TRIPS)
def setdefault_and_pop():
    d = {"n": 0}

    def f(n):
        for _ in tl.range(n):
            value = d.pop("n")
            d["n"] = value + 1
            d.setdefault("n", 5)
        return n

    return f, lambda: d


@pytest.mark.filterwarnings("ignore::treadle.errors.SideEffectWarning")
@pytest.mark.parametrize(("program", "calls"), CASES, ids=[p.__name__ for p, _ in CASES])
def test_objects_are_as_eager_code_leaves_them(program: Program, calls: Calls) -> None:
    assert history(program, calls, traced=True) == history(program, calls, traced=False)
