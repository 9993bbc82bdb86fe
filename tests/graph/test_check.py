"""The checker finds each way to break a graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from random_graphs import graphs

import treadle as tl
from treadle.graph import Graph, TensorSpec, Value, check, parse
from treadle.graph.dtypes import int32, int64
from treadle.graph.errors import GraphCheckError
from treadle.graph.node import Node
from treadle.graph.op import OPS, Op

TEXT = """
# f(x: f32[2,3], v: var<f32[2,3]>, n: i32[], c: bool[]) -> f32[2,3], i32[]
def f(x, v, n, c):
    # model.py:3   old = v.read_value()
    old = read(v)
    # model.py:4   y = x + 1.0
    y = add(x, f32(1.0))
    # model.py:5   v.assign(y)
    z = assign(v, y)  # f32[2,3]; writes v; after old
    # then_0(*, y: f32[2,3], n: i32[]) -> f32[2,3]
    def then_0(*, y, n):
        a = exp(y)
        return a
    # orelse_0(*, y: f32[2,3], n: i32[]) -> f32[2,3]
    def orelse_0(*, y, n):
        return y
    # model.py:7   if c:
    w = cond(c, y, n, then=then_0, orelse=orelse_0)
    # test_0(i: i32[], *, n: i32[]) -> bool[]
    def test_0(i, *, n):
        again = less(i, n)
        return again
    # body_0(i: i32[], *, n: i32[]) -> i32[]
    def body_0(i, *, n):
        more = add(i, i32(1))
        return more
    i = while_(i32(0), n, test=test_0, body=body_0)
    t = transpose(w, perm=(1, 0))
    u = helper(t)  # f32[2,3]
    return u, i

# helper(t: f32[3,2]) -> f32[2,3]
def helper(t):
    u = transpose(t, perm=(1, 0))
    return u
"""


class Parts:
    """The graph of TEXT, its nodes by op."""

    def __init__(self) -> None:
        self.graph = parse(TEXT)

    def node(self, name: str) -> Node:
        return next(n for n in self.graph.nodes if n.op.name == name)

    def swap(self, i: int, j: int) -> None:
        nodes = list(self.graph.nodes)
        nodes[i], nodes[j] = nodes[j], nodes[i]
        self.graph.nodes = tuple(nodes)

    def place(self, name: str) -> int:
        return self.graph.nodes.index(self.node(name))


def use_before_definition(p: Parts) -> None:
    p.swap(p.place("add"), p.place("assign"))


def value_of_another_graph(p: Parts) -> None:
    p.node("add").inputs = (Parts().graph.inputs[0], p.node("add").inputs[1])


def node_twice(p: Parts) -> None:
    p.graph.nodes = (*p.graph.nodes, p.graph.nodes[0])


def unknown_op(p: Parts) -> None:
    p.node("add").op = Op("add", OPS["add"].infer)


def input_twice(p: Parts) -> None:
    p.graph.inputs = (*p.graph.inputs, p.graph.inputs[0])


def input_that_is_a_result(p: Parts) -> None:
    p.graph.inputs = (*p.graph.inputs, p.graph.nodes[-1].outputs[0])


def too_many_captures(p: Parts) -> None:
    p.graph.captured = 9


def foreign_operand(p: Parts) -> None:
    p.node("add").inputs = (np.zeros(3), p.node("add").inputs[1])  # type: ignore[assignment]


def attribute_missing(p: Parts) -> None:
    p.node("transpose").attrs = {}


def attribute_unknown(p: Parts) -> None:
    p.node("add").attrs = {"axis": 1}


def attribute_of_a_mutable_type(p: Parts) -> None:
    p.node("transpose").attrs = {"perm": [1, 0]}


def attribute_that_is_a_value(p: Parts) -> None:
    p.node("transpose").attrs = {"perm": p.graph.inputs[0]}


def wrong_type(p: Parts) -> None:
    p.node("add").outputs[0].spec = TensorSpec([2, 4])


def wrong_dtype_beside_the_type(p: Parts) -> None:
    p.node("add").outputs[0].dtype = int32


def no_type(p: Parts) -> None:
    p.node("transpose").attrs = {"perm": (0, 0)}


def results_missing(p: Parts) -> None:
    p.node("while").outputs = ()


def result_of_another_node(p: Parts) -> None:
    p.node("add").outputs[0].index = 1


def branch_takes_more(p: Parts) -> None:
    then = p.node("cond").attrs["then"]
    then.inputs = (*then.inputs, Value(None, 2, TensorSpec([])))


def branches_differ(p: Parts) -> None:
    p.node("cond").attrs["then"].outputs *= 2


def two_tests_with_two_results(p: Parts) -> None:
    p.node("while").attrs["test"].outputs *= 2


def loop_changes_a_type(p: Parts) -> None:
    body = p.node("while").attrs["body"]
    wide = TensorSpec([], int64)
    node = Node(OPS["cast"], body.outputs, {"dtype": int64}, (wide,))
    body.nodes = (*body.nodes, node)
    body.outputs = node.outputs


def edge_missing(p: Parts) -> None:
    p.node("assign").after = ()


def edge_to_a_later_node(p: Parts) -> None:
    p.node("add").after = (p.node("assign"),)


def output_of_another_graph(p: Parts) -> None:
    p.graph.outputs = (Parts().graph.outputs[0],)


def effects_forgotten(p: Parts) -> None:
    p.graph.effects = ()


def broken_branch(p: Parts) -> None:
    p.node("cond").attrs["then"].nodes[0].outputs[0].spec = TensorSpec([7])


def broken_callee(p: Parts) -> None:
    p.node("call").attrs["callee"].graph.nodes[0].attrs = {"perm": None, "axis": 0}


CASES: dict[Callable[[Parts], None], str] = {
    use_before_definition: "assign: its input 1 (f32[2,3]) is used before it is defined",
    value_of_another_graph: "add: its input 0 (f32[2,3]) belongs to another graph",
    node_twice: "read: it is in the graph twice",
    unknown_op: "add: 'add' is not in the op table",
    input_twice: "input 4 is there twice",
    input_that_is_a_result: "input 4 is a node's result",
    too_many_captures: "it says that 9 of 4 inputs are captured",
    foreign_operand: "add: its input 0 is array([0., 0., 0.]), not a value of this graph",
    attribute_missing: "transpose: the attribute 'perm' is missing",
    attribute_unknown: "add: 'add' has no attribute 'axis'",
    attribute_of_a_mutable_type: "transpose: the attribute 'perm' is a list: [1, 0]",
    attribute_that_is_a_value: "transpose: the attribute 'perm' is a symbolic tensor: "
    "<tl.Tensor 'x:0' shape=(2, 3) dtype=float32>",
    wrong_type: "add: its result 0 is f32[2,4], by its op f32[2,3]",
    wrong_dtype_beside_the_type: "add: its result 0 has dtype int32 beside the type f32[2,3]",
    no_type: "transpose: its type can't be inferred: InvalidArgumentError: "
    "perm [0, 0] is no order of the 2 axes of the operand",
    results_missing: "while: it has 0 results, by its op 1",
    result_of_another_node: "add: its result 0 says that it is result 1 of "
    "<Node add at model.py:4: y = x + 1.0>",
    branch_takes_more: "cond: 'then_0' takes 3 inputs, it is given 2",
    branches_differ: "cond: its branches differ in the number of results",
    two_tests_with_two_results: "while: the loop's test must have one result",
    loop_changes_a_type: "while: its type can't be inferred: DTypeError: "
    "'i' is i32[] before the loop but i64[] after one iteration",
    edge_missing: "assign: it must wait for <Node read at model.py:3: old = v.read_value()>: "
    "the edge `after` is missing",
    edge_to_a_later_node: "add: it waits for <Node assign at model.py:5: v.assign(y)>, "
    "which is not before it in this graph",
    output_of_another_graph: "output 0 (f32[2,3]) is not a value of this graph",
    effects_forgotten: "its effects do not tell of [\"('read', 1)\", \"('write', 1)\"]",
    broken_branch: "exp: its result 0 is f32[7], by its op f32[2,3]",
    broken_callee: "transpose: 'transpose' has no attribute 'axis'",
}


def test_the_graph_is_sound_before_it_is_broken() -> None:
    assert check(Parts().graph)


@pytest.mark.parametrize("corrupt", CASES, ids=lambda c: c.__name__)
def test_each_corruption_is_found(corrupt: Callable[[Parts], None]) -> None:
    parts = Parts()
    corrupt(parts)
    with pytest.raises(GraphCheckError) as caught:
        check(parts.graph)
    first = caught.value.message.splitlines()[0]
    assert first.partition(": ")[2] == CASES[corrupt]


def test_the_message_shows_where_it_is() -> None:
    parts = Parts()
    wrong_type(parts)
    with pytest.raises(GraphCheckError) as caught:
        check(parts.graph)
    assert (
        caught.value.message
        == """\
graph 'f': add: its result 0 is f32[2,4], by its op f32[2,3]
    model.py:4: y = x + 1.0
    # f(x: f32[2,3], v: var<f32[2,3]>, n: i32[], c: bool[]) -> f32[2,3], i32[]
    def f(x, v, n, c):
        # model.py:3   old = v.read_value()
        old = read(v)                                    # f32[2,3]; reads v
        # model.py:4   y = x + 1.0
  >     y = add(x, f32(1.0))                             # f32[2,4]
        # model.py:5   v.assign(y)
        z = assign(v, y)                                 # f32[2,3]; writes v; after old
        # model.py:7   if c:
        # then_0(*, y: f32[2,3], n: i32[]) -> f32[2,3]
        def then_0(*, y, n):"""
    )


def test_an_edge_may_follow_from_others() -> None:
    chain = parse("""
# f(v: var<f32[]>) -> f32[]
def f(v):
    a = read(v)
    b = negative(a)
    c = assign(v, b)  # f32[]
    d = assign(v, c)  # f32[]
    return d
""")
    check(chain)  # c comes after a, and d after c: each needs the value


def test_a_callee_that_is_not_traced_yet() -> None:
    graph = parse(TEXT)
    node = next(n for n in graph.nodes if n.op.name == "call")
    node.attrs["callee"].graph = None
    check(graph)
    node.attrs["callee"].specs = None
    with pytest.raises(GraphCheckError, match="it never returns"):
        check(graph)


@given(graphs())
def test_graphs_that_are_built_are_sound(graph: Graph) -> None:
    check(graph)


def test_long_graphs_are_checked_without_recursion() -> None:
    @tl.function
    def f(x: tl.Tensor) -> tl.Tensor:
        for _ in range(5000):
            x = tl.tanh(x)
        return x

    check(f.get_concrete_function(tl.TensorSpec([2])).graph)
