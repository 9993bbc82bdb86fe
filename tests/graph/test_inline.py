"""Inlining: calls become nodes, in their order among effects; recursive functions stay."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from interpreter import Storage, run
from snapshot import check_snapshot

from treadle.graph import Graph, check, parse
from treadle.graph.node import FunctionRef
from treadle.graph.passes import inline as inline_module
from treadle.graph.passes.inline import inline
from treadle.graph.walk import nodes_within


def ops(graph: Graph) -> list[str]:
    return [node.op.name for node in nodes_within(graph) if node.op.name != "const"]


TEXT = """
# main(x: f32[2], v: var<f32[2]>) -> f32[2], f32[2]
def main(x, v):
    # model.py:20   y = helper(x, v)
    y = helper(x, v)
    z = assign(v, x)  # f32[2]; after y
    w = helper(z, v)  # f32[2]; after z
    return y, w

# helper(x: f32[2], v: var<f32[2]>) -> f32[2]
def helper(x, v):
    # model.py:10   old = v.read_value()
    old = read(v)
    # model.py:11   v.assign_add(twice(x))
    a = twice(x)
    b = assign_add(v, a)  # f32[2]; after old
    return old

# twice(x: f32[2]) -> f32[2]
def twice(x):
    # model.py:3   return x + x
    y = add(x, x)
    return y
"""


def test_the_nodes_stand_where_the_calls_stood() -> None:
    graph = check(parse(TEXT))
    after = check(inline(graph))
    check_snapshot("passes/inline", str(after))
    x = np.array([1, 2], np.float32)
    first, second = Storage(np.zeros(2, np.float32)), Storage(np.zeros(2, np.float32))
    before = [r.tolist() for r in run(graph, [x, first])]
    assert before == [r.tolist() for r in run(after, [x, second])]
    assert first.array.tolist() == second.array.tolist()


def test_a_graph_without_calls_is_left_as_it_is() -> None:
    graph = parse("# f(x: f32[]) -> f32[]\ndef f(x):\n    y = exp(x)\n    return y\n")
    assert inline(graph) is graph


def test_recursive_functions_stay() -> None:
    graph = check(
        parse("""
# main(n: i32[]) -> bool[]
def main(n):
    v0 = wrapped(n)
    return v0

# wrapped(n: i32[]) -> bool[]
def wrapped(n):
    v0 = even(n)
    return v0

# even(n: i32[]) -> bool[]
def even(n):
    zero = equal(n, i32(0))
    # then_0(*, n: i32[]) -> bool[]
    def then_0(*, n):
        return bool(True)
    # orelse_0(*, n: i32[]) -> bool[]
    def orelse_0(*, n):
        m = less_by_one(n)
        v0 = odd(m)
        return v0
    v0 = cond(zero, n, then=then_0, orelse=orelse_0)
    return v0

# odd(n: i32[]) -> bool[]
def odd(n):
    zero = equal(n, i32(0))
    # then_0(*, n: i32[]) -> bool[]
    def then_0(*, n):
        return bool(False)
    # orelse_0(*, n: i32[]) -> bool[]
    def orelse_0(*, n):
        m = less_by_one(n)
        v0 = even(m)
        return v0
    v0 = cond(zero, n, then=then_0, orelse=orelse_0)
    return v0

# less_by_one(n: i32[]) -> i32[]
def less_by_one(n):
    m = subtract(n, i32(1))
    return m
""")
    )
    after = check(inline(graph))
    check_snapshot("passes/inline_recursion", str(after))
    assert [bool(run(after, [np.int32(n)])[0]) for n in range(4)] == [True, False, True, False]


def test_effects_of_recursive_functions_are_known() -> None:
    graph = check(
        parse("""
# count(n: i32[], v: var<i32[]>) -> i32[]
def count(n, v):
    more = less(i32(0), n)
    # then_0(*, n: i32[], v: var<i32[]>) -> i32[]
    def then_0(*, n, v):
        a = assign_add(v, i32(1))
        m = subtract(n, i32(1))
        b = count(m, v)  # i32[]; after a
        return b
    # orelse_0(*, n: i32[], v: var<i32[]>) -> i32[]
    def orelse_0(*, n, v):
        c = read(v)
        return c
    d = cond(more, n, v, then=then_0, orelse=orelse_0)
    return d
""")
    )
    after = check(inline(graph))
    assert set(after.effects or ()) == {("write", 1), ("read", 1)}
    assert run(after, [np.int32(4), Storage(np.int32(0))]) == [4]


def test_long_chains_of_functions() -> None:
    functions = ["# f0(x: f32[]) -> f32[]\ndef f0(x):\n    y = f1(x)\n    return y\n"]
    for i in range(1, 2000):
        call = f"f{i + 1}(x)" if i < 1999 else "exp(x)"
        functions.append(
            f"# f{i}(x: f32[]) -> f32[]\ndef f{i}(x):\n    y = {call}  # f32[]\n    return y\n"
        )
    after = inline(parse("\n\n".join(functions)))
    assert ops(after) == ["exp"]


def test_a_call_that_contradicts_what_is_known_stays() -> None:
    """The function takes any size; of this one it is known that it does not fit."""
    graph = check(
        parse("""
# main(x: f32[3], c: bool[]) -> f32[?]
def main(x, c):
    # then_0(*, x: f32[3]) -> f32[4]
    def then_0(*, x):
        y = plus(x)
        return y
    # orelse_0(*, x: f32[3]) -> f32[3]
    def orelse_0(*, x):
        y = same(x)
        z = exp(y)  # f32[3]
        return z
    z = cond(c, x, then=then_0, orelse=orelse_0)
    return z

# plus(x: f32[?]) -> f32[4]
def plus(x):
    y = add(x, f32([1.0, 2.0, 3.0, 4.0]))
    return y

# same(x: f32[3]) -> f32[3]
def same(x):
    y = negative(x)
    return y
""")
    )
    after = check(inline(graph))
    assert ops(after) == ["cond", "call", "negative", "exp"]
    with pytest.raises(ValueError, match="broadcast"):
        run(after, [np.zeros(3, np.float32), np.True_])


def test_growth_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each function calls the next one twice: inlined whole, it would double each time."""
    monkeypatch.setattr(inline_module, "LIMIT", 100)
    functions = [
        f"# f{i}(x: f32[]) -> f32[]\ndef f{i}(x):\n    y = f{i + 1}(x)  # f32[]\n"
        f"    z = f{i + 1}(y)  # f32[]\n    return z\n"
        for i in range(12)
    ]
    functions.append("# f12(x: f32[]) -> f32[]\ndef f12(x):\n    y = negative(x)\n    return y\n")
    graph = parse("\n\n".join(functions))
    after = check(inline(graph))
    assert len(after.nodes) <= 102
    assert "call" in ops(after)
    assert run(after, [np.float32(2)]) == [2]


def test_a_function_may_be_called_from_two_places_with_graphs_of_its_own() -> None:
    graph = check(
        parse("""
# main(x: f32[], c: bool[]) -> f32[]
def main(x, c):
    y = pick(x, c)
    z = pick(y, c)
    return z

# pick(x: f32[], c: bool[]) -> f32[]
def pick(x, c):
    # then_0(*, x: f32[]) -> f32[]
    def then_0(*, x):
        y = exp(x)
        return y
    # orelse_0(*, x: f32[]) -> f32[]
    def orelse_0(*, x):
        return x
    z = cond(c, x, then=then_0, orelse=orelse_0)
    return z
""")
    )
    after = check(inline(graph))
    conds = [node for node in after.nodes if node.op.name == "cond"]
    assert len(conds) == 2
    assert all(a is not b for a, b in pairwise(conds))
    assert np.allclose(run(after, [np.float32(0), np.True_])[0], np.e)


def test_the_old_graphs_are_not_changed() -> None:
    graph = parse(TEXT)
    text = str(graph)
    inline(graph)
    assert str(graph) == text
    callee = graph.nodes[0].attrs["callee"]
    assert isinstance(callee, FunctionRef)
    assert callee.graph is not None
    assert ops(callee.graph) == ["read", "call", "assign_add"]
