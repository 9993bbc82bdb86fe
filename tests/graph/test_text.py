"""How graphs print."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from snapshot import check_snapshot

import treadle as tl
from treadle.graph import FunctionRef, ResourceSpec, TensorSpec, parse, to_text
from treadle.graph.build import GraphBuilder, interpreting
from treadle.graph.control import call, emit_cond, emit_switch, new_branch
from treadle.graph.ops.axes import convert
from treadle.graph.ops.effects import print_
from treadle.graph.ops.state import assign, assign_add


def without_lines(text: str) -> str:
    """The text without this file's line numbers, which change with each edit."""
    return re.sub(r"(# test_text.py):\d+", r"\1:...", text)


def test_a_function_prints_as_the_user_wrote_it() -> None:
    def step(x: Any, weights: Any, count: Any) -> Any:
        hidden = tl.nn.relu(x @ weights)
        if tl.reduce_sum(hidden) > 1.0:
            assign_add(count, 1)
            hidden = hidden * 0.5
        while tl.reduce_max(hidden) > 10.0:
            tl.print("halve", hidden)
            hidden = hidden / 2.0
        loss = tl.reduce_mean(hidden)
        return loss, hidden

    count = tl.Variable(0, name="count")
    traced = tl.function(lambda x, w: step(x, w, count))
    x, w = tl.TensorSpec([None, 4], name="x"), tl.TensorSpec([4, 6], name="w")
    graph = traced.get_concrete_function(x, w).graph
    text = str(graph)
    check_snapshot("text/step", without_lines(text))
    assert to_text(parse(text)) == text


def build(**inputs: Any) -> tuple[GraphBuilder, list[Any]]:
    builder = GraphBuilder("f")
    return builder, [builder.add_input(spec, name) for name, spec in inputs.items()]


def test_names_shadow_nothing_and_are_unique() -> None:
    builder, values = build(
        **{"sum": TensorSpec([]), "class": TensorSpec([]), "add": TensorSpec([])},
        **{"v0": TensorSpec([]), "my name:0": TensorSpec([]), "f32": TensorSpec([])},
        **{
            "print": TensorSpec([]),
            "2x": TensorSpec([]),
            "": TensorSpec([]),
            "x y": TensorSpec([]),
        },
        **{"x.y": TensorSpec([])},
    )
    text = str(builder.finish(values))
    assert "def f(sum_, class_, add_, v0_, my_name, f32_, print__, _2x, v0, x_y, x_y_1):" in text
    assert str(parse(text)) == text


def test_results_are_called_as_in_the_users_line() -> None:
    builder, (x,) = build(x=TensorSpec([2]))
    with interpreting(builder):
        y = x + x
        y = y * x  # again
        total: Any = y - x
        z = (total + x) * total
    lines = str(builder.finish([z])).splitlines()
    assert [
        line.strip().partition(" = ")[0] for line in lines if " = " in line and line[4] != "#"
    ] == [
        *("y", "y_1", "total", "v0", "z"),
    ]


def test_effects_and_what_waits_for_what() -> None:
    builder, (v, w, x) = build(
        v=ResourceSpec(TensorSpec([])), w=ResourceSpec(TensorSpec([])), x=TensorSpec([])
    )
    with interpreting(builder):
        print_(x, output_stream=None)
        print_(x, output_stream=None)
        assign(v, x)
        assign(v, x)
        assign(w, x)
    graph = builder.finish([])
    shown = [line.strip() for line in str(graph).splitlines() if "# test_text" not in line]
    assert [" ".join(line.split()) for line in shown[2:]] == [
        "e0 = print_(x, template=('', '\\n'), summarize=3, stream='stderr') # io",
        "print_(x, template=('', '\\n'), summarize=3, stream='stderr') # io; after e0",
        "v0 = assign(v, x) # f32[]; writes v",
        "v1 = assign(v, x) # f32[]; writes v; after v0",
        "v2 = assign(w, x) # f32[]; writes w",
        "return",
    ]


def test_large_constants_are_beside_the_text() -> None:
    builder, (x,) = build(x=TensorSpec([17]))
    large = np.arange(17, dtype=np.float32)
    with interpreting(builder):
        y = x + convert(large) + convert(large)
    graph = builder.finish([y])
    tables: dict[str, Any] = {}
    text = to_text(graph, tables)
    assert list(tables) == ["t0", "t1"]  # converting copies
    assert 'const(value=tables["t0"])' in text
    again = parse(text, tables)
    assert tl.graph.same_graph(graph, again)
    with pytest.raises(ValueError, match=r"the tables given to parse have no entry 't0'"):
        parse(text)


def test_functions_print_once_each_even_recursive_ones() -> None:
    text = """\
# main(n: i32[]) -> i32[], i32[]
def main(n):
    v0 = fact(n)  # i32[]
    v1 = fact(n)  # i32[]
    return v0, v1


# fact(n: i32[]) -> i32[]
def fact(n):
    v0 = less(n, i32(2))                            # bool[]
    # then_0(*, n: i32[]) -> i32[]
    def then_0(*, n):
        return i32(1)
    # orelse_0(*, n: i32[]) -> i32[]
    def orelse_0(*, n):
        v1 = subtract(n, i32(1))  # i32[]
        v2 = fact(v1)             # i32[]
        v3 = multiply(n, v2)      # i32[]
        return v3
    v4 = cond(v0, n, then=then_0, orelse=orelse_0)  # i32[]
    return v4
"""
    assert str(parse(text)) == text


def test_functions_of_one_name() -> None:
    def helper(factor: float) -> FunctionRef:
        builder, (x,) = build(x=TensorSpec([]))
        with interpreting(builder):
            y = x * factor
        return FunctionRef("helper", builder.finish([y]))

    builder, (x,) = build(x=TensorSpec([]))
    with interpreting(builder):
        (y,) = call(helper(2.0), [x])
        (y,) = call(helper(3.0), [y])
    text = str(builder.finish([y]))
    assert "= helper(" in text
    assert "= helper_1(" in text
    assert str(parse(text)) == text


def test_long_lines_are_broken() -> None:
    specs = {f"argument_number_{i}": TensorSpec([None, 128]) for i in range(12)}
    builder, values = build(**specs)
    with interpreting(builder):
        y = tl.concat(values, 0)
        index = convert(0)
        branches = [new_branch(), new_branch()]
        with branches[1]:
            z = y + values[3]
        outputs = emit_switch(index, branches, [values, [z, *values[1:]]])
    text = str(builder.finish(outputs[:3]))
    code = [line for line in text.splitlines() if "  # " not in line]
    assert max(map(len, code)) <= 100
    check_snapshot("text/long_lines", without_lines(text))
    assert str(parse(text)) == text


def test_summary() -> None:
    graph = parse("""
# f(x: f32[?], v: var<f32[]>, *, w: f32[?]) -> f32[?]
def f(x, v, *, w):
    y = add(x, w)
    z = add(y, y)
    a = assign(v, f32(1.0))
    return z
""")
    assert graph.summary().splitlines() == [
        "f",
        "  inputs:   x: f32[?], v: var<f32[]>",
        "  captures: w: f32[?]",
        "  outputs:  z: f32[?]",
        "  nodes:    4",
        "  ops:      2 add, 1 const, 1 assign",
        "  effects:  checks, write v",
    ]


def test_deep_nesting_is_cut_into_functions() -> None:
    """Python reads no more than 100 levels of indentation."""

    def nested(x: Any, condition: Any, depth: int) -> Any:
        then, orelse = new_branch(), new_branch()
        with then:
            y = nested(x, condition, depth - 1) if depth else x * 2.0
        return emit_cond(condition, then, [y], orelse, [x])[0]

    builder, (x, condition) = build(x=TensorSpec([]), condition=TensorSpec([], "bool"))
    with interpreting(builder):
        y = nested(x, condition, 100)
    graph = builder.finish([y])
    text = str(graph)
    assert text.count("\n\n\n") == 4
    again = parse(text)
    assert str(again) == text
    assert tl.graph.same_graph(graph, again)
