"""What `simplify` makes of graphs: text in, text out, and the same results and failures."""

from __future__ import annotations

import textwrap
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from interpreter import Storage, run
from random_graphs import bits, graphs, outcome
from snapshot import check_snapshot

from treadle.graph import Graph, ResourceSpec, check, optimize, parse
from treadle.graph.errors import ShapeError
from treadle.graph.passes import rules, shape_rules
from treadle.graph.passes.inline import inline
from treadle.graph.passes.simplify import simplify
from treadle.graph.spec import Spec


def graph_of(inputs: str, results: str, body: str) -> Graph:
    """A graph from the lines of its body, which are indented by one step."""
    names = ", ".join([item.partition(":")[0] for item in inputs.split("; ")])
    typed = inputs.replace(";", ",")
    lines = [f"# f({typed}) -> {results}", f"def f({names}):"]
    lines += [f"    {line}" for line in textwrap.dedent(body).strip().splitlines()]
    return check(parse("\n".join(lines)))


def arguments(graph: Graph) -> list[Any]:
    """Arrays of awkward values."""
    return [_argument(v.spec, i) for i, v in enumerate(graph.inputs)]


def _argument(spec: Spec, i: int) -> Any:
    if isinstance(spec, ResourceSpec):
        return Storage(_argument(spec.value, i))
    shape = tuple([3 if d is None else d for d in spec.shape])
    count = int(np.prod(shape))
    values = [-0.0, 0.0, 2.5, float("nan"), -1.0, float("inf"), 7.0, -3.25]
    taken = [values[(i + k) % len(values)] for k in range(count)]
    if not spec.dtype.is_floating:
        taken = [int(i + k) % 4 for k in range(count)]
    return np.array(taken, spec.dtype.numpy).reshape(shape)


def same_results(before: Graph, after: Graph) -> bool:
    """True if both give the same bits and leave variables with the same."""
    found = []
    for graph in (before, after):
        inputs = arguments(graph)
        results = run(graph, inputs) + [s.array for s in inputs if isinstance(s, Storage)]
        found.append([bits(r) for r in results])
    return found[0] == found[1]


def check_cases(name: str, inputs: str, cases: dict[str, tuple[str, str]]) -> None:
    """Compare what becomes of each case (title: results, body) with the snapshot `name`."""
    parts = []
    for title, (results, body) in cases.items():
        before = graph_of(inputs, results, body)
        after = check(simplify(before))
        assert same_results(before, after), title
        head = len(str(before).splitlines()[0]) + 1
        parts.append(f"=== {title}\n{str(before)[head:]}---\n{str(after)[head:]}")
    check_snapshot(f"passes/{name}", "\n".join(parts))


def unary(*calls: str) -> str:
    """A body that gives the last of some calls."""
    lines = [f"r{i} = {call}" for i, call in enumerate(calls)]
    return "\n".join([*lines, f"return r{len(calls) - 1}"])


def test_arithmetic() -> None:
    cases = {
        "x * 1": "multiply(x, f32(1.0))",
        "1 * x": "multiply(f32([1.0, 1.0, 1.0]), x)",
        "x / 1": "divide(x, f32(1.0))",
        "x + -0.0": "add(x, f32(-0.0))",
        "x + 0.0 stays: it makes 0.0 of -0.0": "add(x, f32(0.0))",
        "x - 0.0": "subtract(x, f32(0.0))",
        "x - -0.0 stays": "subtract(x, f32(-0.0))",
        "x * 0 stays: NaN": "multiply(x, f32(0.0))",
        "x / x stays": "divide(x, x)",
        "x - x stays": "subtract(x, x)",
        "1 wider than x stays": "multiply(x, f32([[1.0], [1.0]]))",
        "strong x * 1": "strong_multiply(x, f32(1.0))",
    }
    floats = {
        title: ("f32[2,3]" if "wider" in title else "f32[3]", unary(call))
        for title, call in cases.items()
    }
    check_cases("arithmetic", "x: f32[3]; y: f32[3]", floats)


def test_compositions() -> None:
    cases = {
        "x + -y": unary("negative(y)", "add(x, r0)"),
        "-x + y": unary("negative(x)", "add(r0, y)"),
        "x - -y": unary("negative(y)", "subtract(x, r0)"),
        "-(-x)": unary("negative(x)", "negative(r0)"),
        "-(-(-x))": unary("negative(x)", "negative(r0)", "negative(r1)"),
        "floor(floor(x))": unary("floor(x)", "floor(r0)"),
        "max(x, x)": unary("maximum(x, x)"),
        "identity": unary("identity(x)", "exp(r0)"),
        "cast to its own dtype": unary("cast(x, dtype=f32)"),
        "cast to a wider dtype and back": unary("cast(x, dtype=f64)", "cast(r0, dtype=f32)"),
        "cast to a narrower dtype and back stays": unary(
            "cast(x, dtype=f16)", "cast(r0, dtype=f32)"
        ),
        "where of equal values": unary("less(x, y)", "where(r0, x, x)"),
        "where of a constant": unary("where(bool(False), x, y)"),
        "where not": unary("less(x, y)", "logical_not(r0)", "where(r1, x, y)"),
    }
    check_cases(
        "compositions",
        "x: f32[3]; y: f32[3]",
        {title: ("f32[3]", body) for title, body in cases.items()},
    )


def test_truth_and_integers() -> None:
    check_cases(
        "truth_and_integers",
        "b: bool[3]; c: bool[3]; n: i32[3]; z: c64[2]",
        {
            "b and True": ("bool[3]", unary("logical_and(b, bool(True))")),
            "b or False": ("bool[3]", unary("logical_or(bool(False), b)")),
            "b and False stays": ("bool[3]", unary("logical_and(b, bool(False))")),
            "not not b": ("bool[3]", unary("logical_not(b)", "logical_not(r0)")),
            "b or b": ("bool[3]", unary("logical_or(b, b)")),
            "n + 0": ("i32[3]", unary("add(n, i32(0))")),
            "n * 1": ("i32[3]", unary("multiply(i32(1), n)")),
            "complex z * 1 stays": ("c64[2]", unary("multiply(z, c64(complex(1.0, 0.0)))")),
        },
    )


def test_shapes() -> None:
    check_cases(
        "shapes",
        "x: f32[2,3]; w: f32[?,4]; u: f32[2,1,3]",
        {
            "transposes": (
                "f32[2,3]",
                unary("transpose(x, perm=(1, 0))", "transpose(r0, perm=(1, 0))"),
            ),
            "reversal of all axes twice": (
                "f32[2,1,3]",
                unary("transpose(u, perm=None)", "transpose(r0, perm=None)"),
            ),
            "two transposes are one": (
                "f32[3,2,1]",
                unary("transpose(u, perm=(1, 0, 2))", "transpose(r0, perm=(2, 1, 0))"),
            ),
            "reshapes": (
                "f32[3,2]",
                unary("reshape(x, shape=shape(6))", "reshape(r0, shape=shape(3, 2))"),
            ),
            "reshapes to where it was": (
                "f32[2,3]",
                unary("reshape(x, shape=shape(6))", "reshape(r0, shape=shape(2, 3))"),
            ),
            "reshape with computed sizes": (
                "f32[3,2]",
                """
                a = shape(x, out_type=i32)
                b = reverse(a, axis=(0,))
                c = reshape(x, b, shape=shape(3, 2))
                return c
                """,
            ),
            "the shape of an unknown x is that of what it came from": (
                "i32[2]",
                unary("exp(w)", "negative(r0)", "shape(r1, out_type=i32)"),
            ),
            "rank": ("i32[]", unary("rank(w)")),
            "squeeze of expand_dims": (
                "f32[2,3]",
                unary("expand_dims(x, axis=1)", "squeeze(r0, axis=(1,))"),
            ),
            "broadcast to its own shape": ("f32[2,3]", unary("broadcast_to(x, shape=shape(2, 3))")),
            "sum to its own shape": ("f32[2,3]", unary("sum_to(x, shape=shape(2, 3))")),
            "concat of one": ("f32[2,3]", unary("concat(x, axis=0)")),
            "reverse twice": ("f32[2,3]", unary("reverse(x, axis=(1,))", "reverse(r0, axis=(1,))")),
        },
    )


def test_folding() -> None:
    check_cases(
        "folding",
        "x: f32[3]; v: var<f32[]>",
        {
            "constants": ("f32[]", unary("add(f32(1.5), f32(2.0))", "multiply(r0, r0)")),
            "zeros of both signs are two": (
                "f32[3], f32[3]",
                """
                a = divide(x, f32(0.0))
                b = divide(x, f32(-0.0))
                return a, b
                """,
            ),
            "equal numbers of other types are not merged": (
                "i32[3], i64[3]",
                """
                a = cast(x, dtype=i32)
                b = add(a, i32(1))
                c = cast(x, dtype=i64)
                d = add(c, i64(1))
                return b, d
                """,
            ),
            "what is large is left": (
                "f32[2000]",
                unary("broadcast_to(f32(1.0), shape=shape(2000))"),
            ),
            "a read is left": ("f32[]", unary("read(v)")),
            "an assertion that holds is gone": (
                "f32[3]",
                """
                a = less(i32(1), i32(2))
                assert_(a, template=('', ''), summarize=3)  # checks
                return x
                """,
            ),
        },
    )


def test_merging() -> None:
    check_cases(
        "merging",
        "x: f32[?]; y: f32[?]; v: var<f32[]>",
        {
            "equal nodes": (
                "f32[?]",
                """
                a = exp(x)
                b = exp(x)
                c = add(a, b)
                return c
                """,
            ),
            "operands in the other order": (
                "f32[?], f32[?]",
                """
                a = multiply(x, y)
                b = multiply(y, x)  # f32[?]; checks; after a
                return a, b
                """,
            ),
            "attributes of other types differ": (
                "f32[?], f32[?]",
                """
                a = expand_dims(x, axis=0)
                b = expand_dims(x, axis=False)
                c = squeeze(a, axis=(0,))
                d = exp(b)
                e = squeeze(d, axis=(0,))
                return c, e
                """,
            ),
            "reads of one time": (
                "f32[], f32[]",
                """
                a = read(v)
                b = read(v)
                return a, b
                """,
            ),
            "reads before and after a write": (
                "f32[], f32[]",
                """
                a = read(v)
                b = assign(v, f32(3.0))  # f32[]; after a
                c = read(v)  # f32[]; after b
                return a, c
                """,
            ),
            "writes are never merged": (
                "f32[]",
                """
                a = assign_add(v, f32(1.0))
                b = assign_add(v, f32(1.0))  # f32[]; after a
                return b
                """,
            ),
        },
    )


def test_effects_stay_in_order() -> None:
    check_cases(
        "effects",
        "x: f32[?]; n: i32[]; v: var<f32[]>; w: var<f32[]>",
        {
            "an unused read is gone, those behind it wait for those before it": (
                "()",
                """
                a = assign(v, f32(1.0))
                b = read(v)  # f32[]; after a
                c = assign(v, f32(2.0))  # f32[]; after b
                return
                """,
            ),
            "an unused check stays between the writes": (
                "()",
                """
                a = assign(v, f32(1.0))
                b = reshape(x, shape=shape(3))  # f32[3]; after a
                c = assign(w, f32(2.0))  # f32[]; after b
                return
                """,
            ),
            "equal checks are one": (
                "f32[3], f32[3]",
                """
                a = reshape(x, shape=shape(3))
                b = reshape(x, shape=shape(3))  # f32[3]; after a
                return a, b
                """,
            ),
            "a check that turns out to hold is gone": (
                "i32[3]",
                """
                a = range(i32(0), i32(3), i32(1))  # i32[?]
                b = reshape(a, shape=shape(3))
                return b
                """,
            ),
        },
    )


def test_branches() -> None:
    then = """
# then(*, x: f32[2], v: var<f32[2]>) -> f32[2], f32[2], f32[2]
def then(*, x, v):
    a = exp(x)
    b = assign(v, a)
    return a, x, f32([1.0, 2.0])
"""
    orelse = then.replace("then(", "orelse(").replace("exp", "tanh").replace("return a", "return b")
    cond = "p, q, r = cond({}, x, v, then=then, orelse=orelse)  # f32[2], f32[2], f32[2]\n"
    check_cases(
        "branches",
        "x: f32[2]; v: var<f32[2]>; c: bool[]; n: i32[]",
        {
            "known condition": ("f32[2]", then + orelse + cond.format("bool(False)") + "return p"),
            "equal results, unused results": (
                "f32[2], f32[2]",
                then + orelse + cond.format("c") + "return q, r",
            ),
            "nothing wanted and no effects": (
                "f32[2]",
                """
                # then(*, x: f32[2]) -> f32[2]
                def then(*, x):
                    a = exp(x)
                    return a
                # orelse(*, x: f32[2]) -> f32[2]
                def orelse(*, x):
                    return x
                y = tanh(x)
                z = cond(c, y, then=then, orelse=orelse)
                return x
                """,
            ),
            "captures that no branch needs": (
                "f32[2]",
                """
                # then(*, x: f32[2], y: f32[2]) -> f32[2], f32[2]
                def then(*, x, y):
                    a = exp(y)
                    return x, a
                # orelse(*, x: f32[2], y: f32[2]) -> f32[2], f32[2]
                def orelse(*, x, y):
                    a = negative(x)
                    return a, y
                y = tanh(x)
                z, w = cond(c, x, y, then=then, orelse=orelse)
                return z
                """,
            ),
            "constants are known inside": (
                "f32[2]",
                """
                # then(*, x: f32[2], k: f32[]) -> f32[2]
                def then(*, x, k):
                    a = multiply(x, k)
                    return a
                # orelse(*, x: f32[2], k: f32[]) -> f32[2]
                def orelse(*, x, k):
                    b = add(k, k)
                    a = add(x, b)
                    return a
                y = cond(c, x, f32(1.0), then=then, orelse=orelse)
                return y
                """,
            ),
            "switch by a known index beyond the last": (
                "f32[2]",
                """
                # a(*, x: f32[2]) -> f32[2]
                def a(*, x):
                    return x
                # b(*, x: f32[2]) -> f32[2]
                def b(*, x):
                    y = exp(x)
                    return y
                y = switch(i32(9), x, branches=(a, b))
                return y
                """,
            ),
        },
    )


LOOP = """
# test(i: i32[], a: f32[2], b: f32[2], s: f32[2], *, n: i32[], x: f32[2]) -> bool[]
def test(i, a, b, s, *, n, x):
    again = less(i, n)
    return again
# body(i: i32[], a: f32[2], b: f32[2], s: f32[2], *, n: i32[], x: f32[2]) -> {types}
def body(i, a, b, s, *, n, x):
    j = add(i, i32(1))
    c = tanh(a)
    d = add(b, a)
    t = multiply(s, f32(2.0))
    k = exp(x)
    return {returned}
"""
TYPES = "i32[], f32[2], f32[2], f32[2]"


def test_loops() -> None:
    call = "i, a, b, s = while_(i32(0), x, x, y, n, x, test=test, body=body)\n"
    plain = LOOP.format(types=TYPES, returned="j, c, d, t") + call
    fixed = LOOP.format(types=TYPES, returned="j, a, d, s") + call
    check_cases(
        "loops",
        "x: f32[2]; y: f32[2]; n: i32[]",
        {
            "only a is wanted: b and s go, and what only they need": (
                "f32[2]",
                plain + "return a",
            ),
            "b is wanted: it needs a": ("f32[2]", plain + "return b"),
            "only the count is wanted": ("i32[]", plain + "return i"),
            "nothing is wanted": ("f32[2]", plain + "return x"),
            "a and s never change: they are captured": (
                "f32[2], f32[2], f32[2]",
                fixed + "return a, b, s",
            ),
            "it never runs": (
                "f32[2], i32[]",
                plain.replace("less(i, n)", "less(i32(1), i32(0))") + "return s, i",
            ),
            "what is captured twice is one": (
                "f32[2]",
                plain.replace("add(b, a)", "add(b, x)") + "return b",
            ),
        },
    )


def test_a_loop_in_a_loop_keeps_only_what_is_needed() -> None:
    graph = graph_of(
        "x: f32[]; n: i32[]",
        "f32[]",
        """
# test(i: i32[], a: f32[], s: f32[], *, n: i32[]) -> bool[]
def test(i, a, s, *, n):
    again = less(i, n)
    return again
# body(i: i32[], a: f32[], s: f32[], *, n: i32[]) -> i32[], f32[], f32[]
def body(i, a, s, *, n):
    # inner_test(j: i32[], p: f32[], q: f32[], *, n: i32[]) -> bool[]
    def inner_test(j, p, q, *, n):
        again = less(j, n)
        return again
    # inner_body(j: i32[], p: f32[], q: f32[], *, n: i32[]) -> i32[], f32[], f32[]
    def inner_body(j, p, q, *, n):
        k = add(j, i32(1))
        t = tanh(p)
        u = add(q, p)
        return k, t, u
    j, p, q = while_(i32(0), a, s, n, test=inner_test, body=inner_body)
    k = add(i, i32(1))
    return k, p, q
i, a, s = while_(i32(0), x, x, n, test=test, body=body)
return a
""",
    )
    after = check(simplify(graph))
    check_snapshot("passes/nested_loops", str(after))
    assert same_results(graph, after)


def test_a_loop_that_may_fail_or_prints_stays() -> None:
    for line in (
        "r = reshape(x, shape=shape(3))",
        "print_(x, template=('', ''), summarize=3, stream='stderr')",
    ):
        graph = graph_of(
            "x: f32[?]; n: i32[]",
            "f32[?]",
            f"""
# test(i: i32[], *, n: i32[], x: f32[?]) -> bool[]
def test(i, *, n, x):
    again = less(i, n)
    return again
# body(i: i32[], *, n: i32[], x: f32[?]) -> i32[]
def body(i, *, n, x):
    {line}
    j = add(i, i32(1))
    return j
i = while_(i32(0), n, x, test=test, body=body)
return x
""",
        )
        after = simplify(graph)
        assert [n.op.name for n in after.nodes] == ["const", "while"]
        assert len(after.nodes[1].attrs["body"].nodes) == 3


def test_a_failing_reshape_still_fails() -> None:
    graph = graph_of("x: f32[?]", "f32[?]", "y = reshape(x, shape=shape(4))\nz = exp(x)\nreturn z")
    after = optimize(graph)
    with pytest.raises(ShapeError, match="has 3 items"):
        run(after, [np.zeros(3, np.float32)])


def test_what_fails_on_constants_fails_when_it_runs() -> None:
    graph = graph_of("n: i32[]", "i32[]", "a = floordiv(i32(1), i32(0))\nreturn n")
    after = simplify(graph)
    assert [n.op.name for n in after.nodes] == ["const", "const", "floordiv"]


def test_sizes_that_contradict_each_other_on_a_path_not_taken() -> None:
    """Knowing more about sizes may show that a branch can't work: it stays as it was."""
    graph = graph_of(
        "x: f32[4]; c: bool[]",
        "f32[?]",
        """
r = range(f32(0.0), f32(3.0), f32(1.0))  # f32[?]
# then(*, x: f32[4], r: f32[?]) -> f32[4]
def then(*, x, r):
    s = add(x, r)  # f32[4]
    return s
# orelse(*, x: f32[4], r: f32[?]) -> f32[?]
def orelse(*, x, r):
    return r
y = cond(c, x, r, then=then, orelse=orelse)
return y
""",
    )
    after = check(simplify(graph))
    x = np.zeros(4, np.float32)
    assert run(after, [x, np.False_])[0].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="broadcast"):
        run(after, [x, np.True_])


def test_recursive_functions_are_simplified_too() -> None:
    graph = check(
        parse("""
# fact(n: i32[]) -> i32[]
def fact(n):
    one = multiply(n, i32(1))
    v0 = less(one, i32(2))
    # then_0(*, n: i32[]) -> i32[]
    def then_0(*, n):
        return i32(1)
    # orelse_0(*, n: i32[]) -> i32[]
    def orelse_0(*, n):
        a = subtract(n, i32(1))
        b = subtract(n, i32(1))
        c = fact(b)
        d = multiply(n, c)
        return d
    v4 = cond(v0, n, then=then_0, orelse=orelse_0)
    return v4
""")
    )
    after = check(optimize(graph))
    check_snapshot("passes/recursion", str(after))
    callee = after.nodes[-1].attrs["orelse"].nodes[-2].attrs["callee"]
    assert callee.graph is after
    assert run(after, [np.int32(5)]) == [120]


def test_what_is_simple_is_left_as_it_is() -> None:
    graph = graph_of(
        "x: f32[2]; y: f32[2]",
        "f32[2]",
        "a = exp(x)\nb = add(a, y)\nreturn b",
    )
    assert simplify(graph) is graph


@given(graphs())
def test_passes_keep_results_effects_and_failures(graph: Graph) -> None:
    runs = [(0, 3), (1, 3), (3, 4)]
    before = [outcome(graph, n, size) for n, size in runs]
    inlined = check(inline(graph))
    assert [outcome(inlined, n, size) for n, size in runs] == before
    simplified = check(simplify(inlined))
    assert [outcome(simplified, n, size) for n, size in runs] == before


@given(graphs())
def test_simplified_graphs_change_little_when_simplified_again(graph: Graph) -> None:
    once = optimize(graph)
    assert len(optimize(once).nodes) <= len(once.nodes)


def test_each_rule_says_what_it_does() -> None:
    for name, found in rules.RULES.items():
        for rule in found:
            assert rule.apply.__doc__, name
    assert shape_rules.known_shape in [rule.apply for rule in rules.RULES["shape"]]


@pytest.mark.slow
def test_time_grows_with_the_number_of_nodes() -> None:
    seconds = []
    for count in (5_000, 40_000):
        lines = [f"y{i + 1} = add(y{i}, x)" for i in range(count)]
        body = "\n".join(["y0 = exp(x)", *lines, f"return y{count}"])
        graph = graph_of("x: f32[8]", "f32[8]", body)
        best = float("inf")
        for _ in range(3):
            start = time.perf_counter()
            simplify(graph)
            best = min(best, time.perf_counter() - start)
        seconds.append(best)
    assert seconds[1] < 8 * seconds[0] * 3
