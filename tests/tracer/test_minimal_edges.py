"""The edges `after` are those that the program needs, and no others."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from typing import Any

import interpreter
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import compiled

import treadle as tl
from treadle.graph.node import Graph, Node, subgraphs

c = tl.constant
ANY = "anything"
Touched = set[tuple[str, Any]]


# --- an oracle of its own ------------------------------------------------------------


def touched(node: Node) -> Touched:
    """What a node reads (r) and writes (w): ids of variables, and the places "io" and "failure"."""
    match node.op.name:
        case "read":
            return {("r", id(node.inputs[0]))}
        case "assign" | "assign_add" | "assign_sub" | "rng_advance":
            return {("w", id(node.inputs[0]))}
        case "print_":
            return {("w", "io"), ("r", "failure")}
        case "assert_":
            return {("w", "failure")}
        case "python_call":
            return {("w", ANY)}
        case "cond":
            return within(node, subgraphs(node), 1)
        case "while":
            return within(node, subgraphs(node), 0)
        case "call":
            return within(node, [node.attrs["callee"].graph], 0)
    return set()


def within(node: Node, graphs: list[Graph], skipped: int) -> Touched:
    found: Touched = set()
    for graph in graphs:
        place = {id(v): i for i, v in enumerate(graph.inputs)}
        for inner in graph.nodes:
            for kind, what in touched(inner):
                found.add((kind, id(node.inputs[place[what] + skipped]) if what in place else what))
    return found


def conflict(first: Node, second: Node) -> bool:
    """True if it matters which of the two comes first."""
    a, b = touched(first), touched(second)
    if ("w", ANY) in a or ("w", ANY) in b:
        return bool(a) and bool(b)
    lasting = [any(k == "w" and w != "failure" for k, w in t) for t in (a, b)]
    fails = [("w", "failure") in t for t in (a, b)]
    if (fails[0] and (lasting[1] or fails[1])) or (fails[1] and lasting[0]):
        return True
    return any(w == v and "w" in (k, m) and w != "failure" for k, w in a for m, v in b)


def graphs_of(graph: Graph) -> Iterator[Graph]:
    yield graph
    for node in graph.nodes:
        callee = node.attrs.get("callee")
        for inner in [callee.graph] if callee else subgraphs(node):
            yield from graphs_of(inner)


def ancestors(node: Node, among: dict[Node, set[Node]]) -> set[Node]:
    return set().union(*[{n, *among[n]} for n in node.after])


def assert_exact(graph: Graph) -> None:
    """Each pair of nodes that may not change places is ordered, and each edge is needed."""
    behind: dict[Node, set[Node]] = {}
    for k, node in enumerate(graph.nodes):
        behind[node] = ancestors(node, behind)
        for earlier in graph.nodes[:k]:
            if conflict(earlier, node):
                assert earlier in behind[node], f"{node} may run before {earlier} in\n{graph}"
        for before in node.after:
            assert conflict(before, node), f"{node} need not wait for {before} in\n{graph}"
            others = [n for n in node.after if n is not before]
            assert not any(before in behind[n] for n in others), f"{before} twice, in\n{graph}"


# --- programs ------------------------------------------------------------------------


class _Writer:
    """Draws the lines of a program over the variables v0, v1, v2 and the numbers x, y."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.lines: list[str] = []
        self.loops = 0

    def choose(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def block(self, depth: int) -> None:
        for _ in range(self.draw(st.integers(1, 5 if depth == 1 else 3))):
            self.statement(depth)

    def statement(self, depth: int) -> None:
        kinds = ["read", "read", "assign", "update", "print", "python", "pure", "check"]
        kind = self.choose(*kinds, *(["if", "for", "while"] if depth < 3 else []))
        v, w = (f"v{self.choose(0, 1, 2)}" for _ in range(2))
        x = self.choose("x", "y")
        pad = "    " * depth
        add = self.lines.append
        match kind:
            case "read":
                add(f"{pad}{x} = {x} * 0.5 + {v}")
            case "assign":
                add(f"{pad}{v}.assign({x} - {w})")
            case "update":
                add(f"{pad}{v}.{self.choose('assign_add', 'assign_sub')}({x})")
            case "print":
                add(f"{pad}out({self.choose(v, x)})")
            case "python":
                add(f"{pad}{x} = called({x}, {v}, {w})")
            case "pure":
                add(f"{pad}{x} = tl.minimum({x} * y, 3.0)")
            case "check":
                add(f"{pad}tl.debugging.assert_less({x}, 25.0)")
            case "if":
                add(f"{pad}if {x} > {self.choose(v, '1.0')}:")
                self.block(depth + 1)
                if self.choose(True, False):
                    add(f"{pad}else:")
                    self.block(depth + 1)
            case "for":
                self.loops += 1
                add(f"{pad}for i{self.loops} in tl.range({self.choose(0, 1, 2, 3)}):")
                self.block(depth + 1)
            case "while":
                self.loops += 1
                n = f"n{self.loops}"
                add(f"{pad}{n} = tl.constant(0)")
                add(f"{pad}while {n} < 2 and {x} < 20.0:")
                add(f"{pad}    {n} += 1")
                self.block(depth + 1)


@st.composite
def programs(draw: Any) -> str:
    writer = _Writer(draw)
    writer.block(1)
    return "\n".join(["def program(x, y):", *writer.lines, "    return x, y", ""])


class Stream:
    text = ""

    def write(self, text: str) -> None:
        self.text += text


STREAM = Stream()
VARIABLES = [tl.Variable(float(i), name=f"v{i}") for i in range(3)]


def out(value: Any) -> None:
    tl.print(value, output_stream=STREAM)


def called(x: Any, v: Any, w: Any) -> Any:
    def function(x: Any) -> Any:  # sees and changes variables that the graph does not show
        STREAM.write(f"called {float(x)} {float(v)}\n")
        w.assign_add(0.5)
        if float(v) > 15:
            raise LookupError
        return x + v * 0.25

    return tl.py_function(function, [x], tl.TensorSpec([], tl.float32))


def loaded(text: str) -> Any:
    known = {f"v{i}": v for i, v in enumerate(VARIABLES)}
    return compiled(text, tl=tl, out=out, called=called, **known)


def outcome(run: Any) -> Any:
    STREAM.text = ""
    for i, v in enumerate(VARIABLES):
        v.assign(float(i))
    try:
        with np.errstate(all="ignore"):
            results: Any = [float(r) for r in run()]
    except (tl.errors.AssertionFailedError, LookupError) as error:
        results = type(error)
    return results, [float(v) for v in VARIABLES], STREAM.text


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(programs(), st.integers(0, 10_000))
def test_programs_in_any_order_and_no_edge_too_many(text: str, seed: int) -> None:
    plain = loaded(text)
    traced = tl.function(loaded(text))
    x, y = c(1.0), c(2.0)
    expected = outcome(lambda: plain(x, y))
    assert outcome(lambda: traced(x, y)) == expected, text
    concrete = traced.get_concrete_function(x, y)
    rng = random.Random(seed)
    arrays = [np.float32(1.0), np.float32(2.0), *[v._value for v in concrete.captured_inputs]]
    for graph in (concrete.graph, tl.graph.optimize(concrete.graph)):
        tl.graph.check(graph)
        for inner in graphs_of(graph):
            assert_exact(inner)
        for _ in range(2):
            assert outcome(lambda g=graph: interpreter.run(g, arrays, rng)) == expected, text


# --- by hand -------------------------------------------------------------------------


def after(function: Any, *args: Any) -> dict[str, set[str]]:
    nodes = function.get_concrete_function(*args).graph.nodes
    label = {n: " ".join([n.op.name, *[v.name for v in n.inputs[:1] if v.name]]) for n in nodes}
    return {label[n]: {label[b] for b in n.after} for n in nodes if touched(n)}


def test_python_code_is_a_barrier_for_io_and_for_every_variable() -> None:
    v, w = VARIABLES[:2]

    @tl.function
    def f(x: Any) -> Any:
        v.assign(x)
        tl.print(x)
        tl.py_function(lambda: None, [], [])
        y = w + x
        v.assign_add(1.0)
        tl.debugging.assert_less(y, 3.0)
        return y

    assert after(f, c(1.0)) == {
        "assign v0:0": set(),
        "print_ x": set(),
        "python_call": {"assign v0:0", "print_ x"},
        "read v1:0": {"python_call"},
        "assign_add v0:0": {"python_call"},
        "assert_": {"assign_add v0:0"},
    }


def test_many_effects_leave_few_edges_and_take_linear_time() -> None:
    v = VARIABLES[0]

    @tl.function(autograph=False)
    def f(x: Any) -> None:
        for i in range(400):
            tl.print(x, i)
            v.assign_add(x)
            if i % 7 == 0:
                tl.debugging.assert_less(x, 3.0)
            if i % 50 == 0:
                tl.py_function(lambda: None, [], [])

    nodes = f.get_concrete_function(c(1.0)).graph.nodes
    assert sum(len(n.after) for n in nodes) < 2 * len(nodes)
    assert_exact(f.get_concrete_function(c(1.0)).graph)


# --- by request ----------------------------------------------------------------------


def test_control_dependencies_add_edges() -> None:
    v = tl.Variable(1.0, name="v")

    @tl.function
    def f(x: Any) -> Any:
        a = v.assign_add(x)
        with tl.control_dependencies([a, None]):
            y = tl.identity(x)
            with tl.control_dependencies([tl.sin(x)]):
                z = x * 2.0
            with tl.control_dependencies(None):
                w = x * 3.0
        return y, z, w

    nodes = {n.op.name: n for n in f.get_concrete_function(c(1.0)).graph.nodes}
    names = [
        [b.op.name for b in n.after]
        for n in f.get_concrete_function(c(1.0)).graph.nodes
        if n.op.name == "multiply"
    ]
    assert names == [["assign_add", "sin"], []]
    assert [b.op.name for b in nodes["identity"].after] == ["assign_add"]
    assert [t.numpy() for t in f(c(2.0))] == [2.0, 4.0, 6.0]
    assert v.numpy() == 3.0


def test_control_dependencies_of_branches() -> None:
    """A branch as a whole waits for what was made outside of it."""
    stream = io.StringIO()

    @tl.function
    def f(x: Any) -> Any:
        with tl.control_dependencies([tl.sin(x)]):
            if x > 0:
                tl.print("positive", output_stream=stream)
                y = x
            else:
                y = -x
        return y

    (branch,) = [n for n in f.get_concrete_function(c(1.0)).graph.nodes if n.op.name == "cond"]
    assert [b.op.name for b in branch.after] == ["sin"]
    assert f(c(-2.0)).numpy() == 2.0
    assert f(c(2.0)).numpy() == 2.0
    assert stream.getvalue() == "positive\n"


def test_control_dependencies_called_eagerly() -> None:
    seen: list[int] = []
    with tl.control_dependencies([lambda: seen.append(1), c(2.0)]):
        assert tl.identity(c(3)).numpy() == 3
    assert seen == [1]
    with (
        pytest.raises(TypeError, match="control_dependencies takes a list"),
        tl.control_dependencies(c(1.0)),
    ):
        pass
