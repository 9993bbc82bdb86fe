"""Reading graphs from text: round trips to the bit, and what is said about bad text."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import graphs

from treadle.graph import ArraySpec, Graph, ResourceSpec, TensorSpec, parse, to_text
from treadle.graph.dtypes import ALL, bfloat16
from treadle.graph.errors import ParseError
from treadle.graph.literals import (
    Tables,
    read_constant,
    read_spec,
    read_value,
    write_constant,
    write_value,
)
from treadle.graph.same import difference, same_attr
from treadle.graph.spec import UNKNOWN, TensorShape


@given(graphs())
def test_random_graphs_come_back(graph: Graph) -> None:
    tables: dict[str, Any] = {}
    text = to_text(graph, tables)
    again = parse(text, tables)
    assert difference(graph, again) is None
    assert to_text(again, tables) == text
    assert again.effects is not None
    assert set(again.effects) == set(tl_effects(graph))


def tl_effects(graph: Graph) -> Any:
    from treadle.graph.effects import graph_effects

    return graph_effects(graph)


_DTYPES = [d for d in (*ALL, bfloat16()) if d.name != "string"]


@given(
    st.sampled_from(_DTYPES),
    st.sampled_from([(), (1,), (3,), (2, 2), (1, 3, 1), (0,), (2, 0)]),
    st.binary(min_size=64, max_size=64),
)
def test_constants_come_back_to_the_bit(dtype: Any, shape: tuple[int, ...], raw: bytes) -> None:
    count = int(np.prod(shape))
    if dtype.is_bool:
        array = np.frombuffer(raw, np.uint8, count).astype(bool).reshape(shape)
    else:
        data = (raw * 4)[: count * dtype.size]
        array = np.frombuffer(data, dtype.numpy, count).reshape(shape)
    text = write_constant(array)
    again = read_constant(ast.parse(text, mode="eval").body)
    assert (again.dtype, again.shape, again.tobytes()) == (array.dtype, shape, array.tobytes())


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.float32(0.1), "f32(0.1)"),
        (np.float32(1e-7), "f32(1e-07)"),
        (np.float64(0.1), "f64(0.1)"),
        (np.float32(-0.0), "f32(-0.0)"),
        (np.array([np.nan, np.inf, -np.inf], np.float16), "f16([nan, inf, -inf])"),
        (np.array(0x7FC00001, np.uint32).view(np.float32), "f32(bits=[2143289345])"),
        (np.int64(-(2**63)), "i64(-9223372036854775808)"),
        (np.uint64(2**64 - 1), "u64(18446744073709551615)"),
        (np.bool_(True), "bool(True)"),
        (np.complex64(complex(-0.0, 2)), "c64(complex(-0.0, 2.0))"),
        (np.array([[1, 2], [3, 4]], np.int32), "i32([[1, 2], [3, 4]])"),
        (np.zeros((2, 0), np.float32), "f32(shape=(2, 0))"),
        (np.array([b"warp", b"\xff"], object), "str([b'warp', b'\\xff'])"),
    ],
)
def test_constants_are_readable(array: Any, text: str) -> None:
    array = np.asarray(array)
    assert write_constant(array) == text
    again = read_constant(ast.parse(text, mode="eval").body)
    assert same_attr(again, array)


_F = TensorSpec([2, None])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (-3, "-3"),
        (1.5, "1.5"),
        (-0.0, "-0.0"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (complex(1, -0.0), "complex(1.0, -0.0)"),
        ("it's", '"it\'s"'),
        (b"\x00", "b'\\x00'"),
        ((), "()"),
        ((1,), "(1,)"),
        ((1, (None, "a")), "(1, (None, 'a'))"),
        (..., "..."),
        (slice(1, None, 2), "slice(1, None, 2)"),
        (ALL[0], "bool"),
        (bfloat16(), "bf16"),
        (TensorShape([2, None]), "shape(2, None)"),
        (TensorShape([]), "shape()"),
        (UNKNOWN, "shape(...)"),
        (_F, 'spec("f32[2,?]")'),
        (TensorSpec([], "int32", "n"), "spec(\"i32[]\", 'n')"),
        (ResourceSpec(_F), 'spec("var<f32[2,?]>")'),
        (ArraySpec(TensorSpec(None)), 'spec("array<f32[...]>")'),
    ],
)
def test_attributes_come_back(value: Any, text: str) -> None:
    tables = Tables()
    assert write_value(value, tables, lambda v: None) == text
    again = read_value(ast.parse(text, mode="eval").body, tables.entries)
    assert type(again) is type(value)
    assert same_attr(again, value)


def test_objects_are_kept_in_tables() -> None:
    tables = Tables()
    assert write_value((print, ValueError, print), tables, lambda v: None) == (
        '(tables["t0"], tables["t1"], tables["t0"])'
    )
    assert tables.entries == {"t0": print, "t1": ValueError}


@pytest.mark.parametrize("text", ["f32[]", "i64[2,?]", "str[...]", "var<bool[3]>", "array<c64[?]>"])
def test_types_come_back(text: str) -> None:
    assert f"{read_spec(text)}" == text


_HEAD = "# f(x: f32[2]) -> f32[2]\ndef f(x):\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:", "line 1, column 7: invalid syntax; a graph is written as Python"),
        ("", "line 1, column 1: there is no function here; a graph begins with `def`"),
        ("x = 1", "line 1, column 1: a program consists of functions only"),
        (
            "def f(x):\n    return x",
            "line 1, column 1: the types are missing; write `# f(x: f32[2]) -> f32[]` above it",
        ),
        (
            "# f(x: f32[2])\ndef f(x):\n    return x",
            "line 2, column 1: the comment above it must end with `-> ` and result types",
        ),
        (
            "# f(x: f99[2]) -> f32[2]\ndef f(x):\n    return x",
            (
                "line 2, column 1: 'f99[2]' is no type; "
                "write one as f32[2,?], var<f32[]> or array<f32[]>"
            ),
        ),
        (
            "# f(y: f32[2]) -> f32[2]\ndef f(x):\n    return x",
            "line 2, column 7: the comment above gives no type of 'x'",
        ),
        (
            "# f(x: f32[2]) -> f32[3]\ndef f(x):\n    return x",
            "line 2, column 1: the result types above it are not those of what it returns",
        ),
        (_HEAD + "    pass", "line 3, column 5: expected a call of an op, such as `y = add(x, x)`"),
        (_HEAD + "    y = add(x, x)", "line 2, column 1: 'f' has no `return`"),
        (
            _HEAD + "    return x\n    y = add(x, x)",
            "line 4, column 5: nothing may follow the `return`",
        ),
        (
            _HEAD + "    y = weave(x)\n    return y",
            "line 3, column 9: there is no op 'weave', nor a function of this name",
        ),
        (
            _HEAD + "    y = add(x, z)\n    return y",
            "line 3, column 16: 'z' is not defined above in 'f'",
        ),
        (
            _HEAD + "    x = add(x, x)\n    return x",
            "line 3, column 5: 'x' is defined twice; each name is given once",
        ),
        (
            _HEAD + "    y, z = add(x, x)\n    return y",
            "line 3, column 5: add has 1 results here, not 2",
        ),
        (
            _HEAD + "    y = add(x, i32([1, 2]))\n    return y",
            (
                "line 3, column 9: add: dtypes float32 and int32 are mixed; "
                "use tl.cast to make them equal"
            ),
        ),
        (
            _HEAD + "    y = add(x, f32(1))\n    return y",
            "line 3, column 16: f32(1) is no constant: 1 is no float",
        ),
        (
            _HEAD + "    y = cast(x, dtype=f31)\n    return y",
            "line 3, column 23: 'f31' is not known here",
        ),
        (
            _HEAD + "    y = cast(x, dtype=lambda: x)\n    return y",
            "line 3, column 23: lambda: x is no value of an attribute",
        ),
        (
            _HEAD + "    y = exp(x)  # f32[2]; after e0\n    return y",
            "line 3, column 5: after e0: no node above is called so",
        ),
        (
            _HEAD + "    return x\n\n\n" + _HEAD + "    return x",
            "line 7, column 1: the function 'f' is defined twice",
        ),
    ],
)
def test_bad_text(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert str(caught.value).splitlines()[0] == message


def test_the_error_points_at_the_place() -> None:
    with pytest.raises(ParseError) as caught:
        parse(_HEAD + "    y = add(x, z)\n    return y")
    assert str(caught.value).splitlines()[1:] == [
        "        y = add(x, z)",
        "                   ^",
    ]


def test_nothing_is_executed() -> None:
    text = _HEAD + "    y = cast(x, dtype=__import__('os').getpid())\n    return y"
    with pytest.raises(ParseError, match="is no value of an attribute"):
        parse(text)


def test_places_in_the_users_code_come_back() -> None:
    text = """\
# f(x: f32[2]) -> f32[2]
def f(x):
    # model.py:12   y = tanh(x)  # warp: 1
    y = tanh(x)  # f32[2]
    return y
"""
    graph = parse(text)
    loc = graph.nodes[0].loc
    assert loc is not None
    assert (str(loc), loc.source, loc.function) == ("model.py:12", "y = tanh(x)  # warp: 1", "f")
    assert str(graph) == text


def test_long_graphs_are_read_without_recursion() -> None:
    lines = [f"    y{i + 1} = exp(y{i})" for i in range(20_000)]
    text = "# f(y0: f32[]) -> f32[]\ndef f(y0):\n" + "\n".join(lines) + "\n    return y20000\n"
    assert len(parse(text).nodes) == 20_000
