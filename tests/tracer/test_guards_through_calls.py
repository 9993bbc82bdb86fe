"""Guards see what is read by functions that others call, and in other spellings of a read."""

from __future__ import annotations

import collections
import copy
import functools
import heapq
import itertools
import operator
import random
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import treadle as tl


class Node:
    def __init__(self, v: int) -> None:
        self.v = v

    def value(self, plus: int = 0) -> int:
        return self.v + plus


class Sized:
    def __init__(self, *items: int) -> None:
        self.items = items

    def __len__(self) -> int:
        return len(self.items)


class Twice(Sized):
    def __len__(self) -> int:
        return 2 * len(self.items)


class Base:
    factor = 2

    def method(self) -> int:
        return self.__class__.factor + type(self).factor

    @classmethod
    def make(cls) -> int:
        return cls.factor


class Sub(Base):
    def method(self) -> int:
        return super().method()

    def old_way(self) -> int:
        return super(Sub, self).method()  # noqa: UP008

    def of_super(self) -> int:
        return super().factor

    @classmethod
    def make(cls) -> int:
        return super().make()


def key(n: Node) -> int:
    return n.v


def applied(f: Callable[..., Any], *args: Any, **named: Any) -> Any:
    return f(*args, **named)


def scaled(factor: Node) -> Callable[[Any], Any]:
    def scale(x: Any) -> Any:
        return x * factor.v

    return scale


class Given:
    def __get__(self, owner: Any, kind: Any) -> int:
        return int(owner._held)


class Settings:
    mode: Any = None
    act = "relu"
    given = Given()

    def __init__(self) -> None:
        self._held = 2

    def relu(self) -> int:
        return 2

    def tanh(self) -> int:
        return 3


def tried(x: Any) -> Any:
    try:
        return x * settings.extra  # type: ignore[attr-defined]
    except AttributeError:
        return x


def tried_key(x: Any) -> Any:
    try:
        return x * TABLE["later"]
    except KeyError:
        return x


def times(x: Any, k: int) -> Any:
    return x * k


settings = Settings()
USER_DICT: Any = collections.UserDict()
USER_LIST: Any = collections.UserList()
CHAIN: Any = collections.ChainMap({}, USER_DICT.data)
PROXY = types.MappingProxyType(USER_DICT.data)
COUNTER = collections.Counter("aab")
BYTE_ARRAY = bytearray(b"a")
PART = functools.partial(times, k=2)
GET = operator.attrgetter("v")
KIND: Any = Node
MODE = "adam"
NODES: list[Node] = []
TABLE: dict[str, Any] = {}
NODE = Node(3)
TREE = Node(1)
TEXT: Any = "a"
BYTES = b"ab"
SET = {3}
RANGE = range(2)
SIZED = Sized(1, 2)
K = 2
sub = Sub()
one = tl.constant(1)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    before = dict(globals())
    settings.__dict__.clear()
    settings._held = 2
    USER_DICT.update(a=1, n=Node(2))
    USER_LIST[:] = [1, Node(2)]
    NODES[:] = [Node(1), Node(2)]
    TABLE.clear()
    TABLE.update(a=1, n=Node(4))
    SET.clear()
    SET.add(3)
    vars(NODE).pop("later", None)
    NODE.v, NODE.child = 3, Node(5)  # type: ignore[attr-defined]
    TREE.v, TREE.node = 1, NODE  # type: ignore[attr-defined]
    yield
    Base.factor = 2
    if "factor" in vars(Sub):
        del Sub.factor
    for name in set(globals()) - set(before):
        del globals()[name]
    globals().update(before)


def local(x: Any) -> Any:
    def weigh(n: Node) -> int:
        return n.v

    return x * weigh(NODE)


def local_key(x: Any) -> Any:
    def weigh(n: Node) -> int:
        return -n.v

    return x * sorted(NODES, key=weigh)[0].v


def bound_default(x: Any) -> Any:
    def weigh(n: Node = NODE, *, other: Node = TREE) -> int:
        return n.v + other.v

    return x * weigh()


def found(x: Any) -> Any:
    first = next(n for n in NODES if n.v > 0)
    return x * first.v


def copied(x: Any) -> Any:
    own = [*NODES]
    own.append(Node(0))
    more = list(NODES)
    more.append(Node(0))
    return x * sum(n.v for n in own) + sum(n.v for n in more)


def grown_copy(x: Any) -> Any:
    own = TABLE.copy()
    own["b"] = 3
    return x * own["a"]


def of_list(x: Any) -> Any:
    total = 0
    for n in NODES + [NODE]:  # noqa: RUF005
        total += n.v
    return x * total


def counted(x: Any) -> Any:
    i = total = 0
    while i < len(NODES):
        total += NODES[i].v
        i += 1
    return x * total


def indexed(x: Any) -> Any:
    i = total = 0
    for i in range(2):
        total += NODES[i].v
    return x * total


def unpacked(x: Any) -> Any:
    _, *rest = NODES
    return x * rest[0].v


def mapped(x: Any) -> Any:
    for v in map(GET, NODES):
        x = x * v
    return x


# ruff: noqa: C416, C417, E501, FURB192, RUF015
def node(value: int, at: int = 0) -> Callable[[], None]:
    return lambda: setattr(NODES[at], "v", value)


def the(owner: Any, name: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(owner, name, value)


def name(key: str, value: Any) -> Callable[[], None]:
    return lambda: globals().__setitem__(key, value)


CASES: list[tuple[str, Callable[[Any], Any], Callable[[], Any]]] = [
    ("len of a str", lambda x: x * len(TEXT), name("TEXT", "abc")),
    ("len of bytes", lambda x: x * len(BYTES), name("BYTES", b"abc")),
    ("len of a set", lambda x: x * len(SET), lambda: SET.add(9)),
    ("len of a range", lambda x: x * len(RANGE), name("RANGE", range(5))),
    ("len of another class", lambda x: x * len(SIZED), name("SIZED", Twice(1, 2))),
    ("map", lambda x: x * sum(map(lambda n: n.v, NODES)), node(8)),
    ("max", lambda x: x * max(NODES, key=lambda n: n.v).v, node(20)),
    ("min of two", lambda x: x * min(NODES[0], NODE, key=lambda n: n.v).v, node(20)),
    ("sorted", lambda x: x * sorted(NODES, key=key)[0].v, node(-1, 1)),
    ("sorted items", lambda x: x * sorted({"a": NODE, "b": TREE}.items(), key=lambda p: p[1].v)[0][1].v, the(NODE, "v", -4)),
    ("reduce", lambda x: x * functools.reduce(lambda a, n: a + n.v, NODES, 0), node(6)),
    ("reduce objects", lambda x: x * functools.reduce(lambda a, n: a if a.v > n.v else n, NODES).v, node(6)),
    ("filter", lambda x: x * len(list(filter(lambda n: n.v > 1, NODES))), node(9)),
    ("chain", lambda x: x * sum(n.v for n in itertools.chain(NODES, [NODE])), the(NODE, "v", 9)),
    ("nlargest", lambda x: x * heapq.nlargest(1, NODES, key=lambda n: n.v)[0].v, node(9)),
    ("choice", lambda x: x * random.choice([NODE]).v, the(NODE, "v", 9)),
    ("a deque", lambda x: x * collections.deque(NODES)[1].v, node(9, 1)),
    ("map_structure", lambda x: x * sum(tl.nest.map_structure(lambda n: n.v, NODES)), node(5)),
    ("the user's own", lambda x: x * applied(lambda n: n.v, NODE), the(NODE, "v", 9)),
    ("by name", lambda x: x * applied(lambda n: n.v, n=NODE), the(NODE, "v", 9)),
    ("by a dict", lambda x: x * applied(lambda n: n.v, n=NODE), the(NODE, "v", 9)),
    ("by a star", lambda x: x * applied(lambda n, m: n.v + m.v, *NODES), node(9, 1)),
    ("a local function", local, the(NODE, "v", 9)),
    ("a local key", local_key, node(9)),
    ("local defaults", bound_default, the(TREE, "v", 9)),
    ("a function made", lambda x: scaled(NODE)(x), the(NODE, "v", 9)),
    ("partial", lambda x: x * functools.partial(lambda n, m: n.v + m, NODE)(1), the(NODE, "v", 9)),
    ("a comprehension", lambda x: x * [n for n in NODES][0].v, node(9)),
    ("next", found, node(9)),
    ("either", lambda x: x * (None or NODE).v, the(NODE, "v", 9)),
    ("copies", copied, node(9)),
    ("a copy of a dict", grown_copy, lambda: TABLE.update(a=9)),
    ("a joined list", of_list, the(NODE, "v", 9)),
    ("a method taken", lambda x: x * sum(map(TABLE.get, ["a"])), lambda: TABLE.update(a=9)),
    ("vars", lambda x: x * vars(NODE)["v"], the(NODE, "v", 9)),
    ("vars, all", lambda x: x * (2 if "later" in vars(NODE) else 3), the(NODE, "later", 9)),
    ("vars, items", lambda x: x * sum(v for v in vars(NODE).values() if isinstance(v, int)), the(NODE, "v", 9)),
    ("__dict__", lambda x: x * NODE.__dict__["v"], the(NODE, "v", 9)),
    ("__dict__, get", lambda x: x * NODE.__dict__.get("later", 1), the(NODE, "later", 9)),
    ("globals", lambda x: x * globals()["K"], name("K", 3)),
    ("globals, get", lambda x: x * globals().get("LATER", 1), name("LATER", 3)),
    ("a class", lambda x: x * type(sub).factor, the(Sub, "factor", 7)),
    ("a base class", lambda x: x * sub.method(), the(Base, "factor", 3)),
    ("a class by super", lambda x: x * sub.method(), the(Sub, "factor", 7)),
    ("super of two", lambda x: x * sub.old_way(), the(Base, "factor", 7)),
    ("an attribute of super", lambda x: x * sub.of_super(), the(Base, "factor", 7)),
    ("a class method of super", lambda x: x * Sub.make(), the(Sub, "factor", 7)),
    ("setdefault", lambda x: x * TABLE.setdefault("a", 0), lambda: TABLE.update(a=7)),
    ("setdefault, an object", lambda x: x * TABLE.setdefault("n", NODE).v, lambda: setattr(TABLE["n"], "v", 8)),
    ("attrgetter", lambda x: x * operator.attrgetter("v")(NODE), the(NODE, "v", 9)),
    ("attrgetter, a path", lambda x: x * operator.attrgetter("node.v")(TREE), the(NODE, "v", 9)),
    ("attrgetter, two", lambda x: x * operator.attrgetter("v", "node")(TREE)[1].v, the(NODE, "v", 9)),
    ("a global attrgetter", lambda x: x * GET(NODE), the(NODE, "v", 9)),
    ("attrgetter as a key", lambda x: x * max(NODES, key=operator.attrgetter("v")).v, node(9)),
    ("attrgetter in map", mapped, node(9)),
    ("itemgetter", lambda x: x * operator.itemgetter("a")(TABLE), lambda: TABLE.update(a=9)),
    ("itemgetter, an object", lambda x: x * operator.itemgetter("n")(TABLE).v, lambda: setattr(TABLE["n"], "v", 9)),
    ("methodcaller", lambda x: x * operator.methodcaller("value")(NODE), the(NODE, "v", 9)),
    ("methodcaller, more", lambda x: x * operator.methodcaller("value", plus=2)(NODE), the(NODE, "v", 9)),
    ("methodcaller of a dict", lambda x: x * operator.methodcaller("get", "a")(TABLE), lambda: TABLE.update(a=9)),
    ("isinstance", lambda x: x * (2 if isinstance(settings.mode, Node) else 3), the(settings, "mode", NODE)),
    ("isinstance, several", lambda x: x * (2 if isinstance(settings.mode, (Node, int)) else 3), the(settings, "mode", 3)),
    ("isinstance, a class", lambda x: x * (2 if isinstance(NODE, KIND) else 3), name("KIND", Base)),
    ("a name of an attribute", lambda x: x * getattr(settings, settings.act)(), the(settings, "act", "tanh")),
    ("a name, not there", lambda x: x * getattr(settings, settings.act + "2", 3), the(settings, "act", "k")),
    ("a name of a default", lambda x: x * getattr(settings, MODE, 3), the(settings, "adam", 5)),
    ("an attribute tried", tried, the(settings, "extra", 6)),
    ("a key tried", tried_key, lambda: TABLE.update(later=6)),
    ("a descriptor", lambda x: x * settings.given, the(settings, "_held", 5)),
    ("a UserDict", lambda x: x * USER_DICT["a"], lambda: USER_DICT.update(a=4)),
    ("a UserDict's object", lambda x: x * USER_DICT["n"].v, lambda: setattr(USER_DICT["n"], "v", 4)),
    ("a UserDict, get", lambda x: x * USER_DICT.get("a"), lambda: USER_DICT.update(a=4)),
    ("a UserList", lambda x: x * USER_LIST[0], lambda: USER_LIST.__setitem__(0, 4)),
    ("len of a UserList", lambda x: x * len(USER_LIST), lambda: USER_LIST.append(4)),
    ("a ChainMap", lambda x: x * CHAIN["a"], lambda: USER_DICT.update(a=4)),
    ("a proxy", lambda x: x * PROXY["a"], lambda: USER_DICT.update(a=4)),
    ("a Counter", lambda x: x * COUNTER.most_common(1)[0][1], lambda: COUNTER.update("bbb")),
    ("a byte", lambda x: x * BYTE_ARRAY[0], lambda: BYTE_ARRAY.__setitem__(0, 5)),
    ("a partial's keyword", lambda x: PART(x), lambda: PART.keywords.update(k=5)),
    ("__getitem__", lambda x: x * NODES.__getitem__(0).v, node(4)),
    ("a counted index", counted, node(9, 1)),
    ("an index of two loops", indexed, node(9, 1)),
    ("the rest", unpacked, node(9, 1)),
    ("a dict unpacked", lambda x: x * {**TABLE}["n"].v, lambda: setattr(TABLE["n"], "v", 9)),
    ("a joined dict", lambda x: x * (TABLE | {})["n"].v, lambda: setattr(TABLE["n"], "v", 9)),
    ("a copied list", lambda x: x * copy.copy(NODES)[0].v, node(9)),
    ("nest.flatten", lambda x: x * tl.nest.flatten([NODES, NODE])[0].v, node(9)),
    ("copy.copy", lambda x: x * copy.copy(NODE).v, the(NODE, "v", 9)),
    ("copy.deepcopy", lambda x: x * copy.deepcopy(TREE).node.v, the(NODE, "v", 9)),
]  # fmt: skip


@pytest.mark.parametrize(("program", "change"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_change_is_seen(program: Callable[[Any], Any], change: Callable[[], Any]) -> None:
    """The traced function gives what plain Python gives, before and after, and traces twice."""
    f = tl.function(program)
    for traces in (1, 2):
        for _ in range(2):
            assert f(one).numpy() == program(one).numpy()
        assert f.experimental_get_tracing_count() == traces
        change()


def count_in_vars(self: Any, x: Any) -> Any:
    self.count += 1
    return x * vars(self)["count"]


def count_by_vars(self: Any, x: Any) -> Any:
    vars(self)["count"] += 1
    return x * self.count


def remember(self: Any, x: Any) -> Any:
    self.seen.setdefault(len(self.seen), x)
    return x


def log(self: Any, x: Any) -> Any:
    applied(lambda seen: seen.append(1), self.log)
    return x * len(self.log)


@pytest.mark.parametrize("method", [count_in_vars, count_by_vars, remember, log])
def test_what_a_function_changes_itself_causes_no_trace(method: Callable[..., Any]) -> None:
    class Counter:
        def __init__(self) -> None:
            self.count, self.log = 0, [0]
            self.seen: dict[int, Any] = {}

        run = tl.function(method)

    counter = Counter()
    for _ in range(3):
        counter.run(one)
    assert counter.run.experimental_get_tracing_count() == 1


_TEXT = """
class W:
    def __init__(self): self.items = [1]; self.name = "q"
    def __len__(self): return len(self.items)
    def __add__(self, other): return self.items[0] + other
    def __neg__(self): return -self.items[0]
    def __contains__(self, x): return x in self.items
class Made:
    factor = 2
    @classmethod
    def make(cls): return cls.factor
w = W()
def length(x): return x * len(w)
def added(x): return x * (w + 1)
def negated(x): return x * -w
def within(x): return x * (1 if 77 in w else 2)
def made(x): return x * Made.make()
def change(): w.items[0] = 77; w.items.append(1); Made.factor = 5
"""


@pytest.mark.parametrize("name", ["length", "added", "negated", "within", "made"])
@pytest.mark.parametrize("namespace", [{}, {"__name__": "settings"}], ids=["bare", "named"])
def test_classes_made_by_exec(name: str, namespace: dict[str, Any]) -> None:
    """They count as the user's, also where the dict that they are made in has no __name__."""
    names = dict(namespace)
    exec(compile(_TEXT, "<program>", "exec"), names)
    f = tl.function(names[name])
    for _ in range(2):
        assert f(one).numpy() == names[name](one).numpy()
        names["change"]()
