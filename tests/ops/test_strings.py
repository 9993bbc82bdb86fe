"""`tl.strings`, and text wherever tensors go: results noted from TensorFlow 2.21."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import treadle as tl

s = tl.strings
c = tl.constant


def encoded(expected: Any) -> Any:
    if isinstance(expected, list):
        return [encoded(x) for x in expected]
    return expected.encode() if isinstance(expected, str) else expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: s.length("hé"), 3),
        (lambda: s.length(["hé", "", "abc"], unit="UTF8_CHAR"), [2, 0, 3]),
        (lambda: s.lower(["CamelÉ", "x"]), ["camelÉ", "x"]),
        (lambda: s.lower("CamelÉ", encoding="utf-8"), "camelé"),
        (lambda: s.upper("Stroméß"), "STROMéß"),
        (lambda: s.upper("Stromé", encoding="utf-8"), "STROMÉ"),
        (lambda: s.strip(["  a b\n", "\tx", ""]), ["a b", "x", ""]),
        (lambda: s.join(["a", "b"]), "ab"),
        (lambda: s.join([["a", "b"], "x", ["c", "d"]], separator="-"), ["a-x-c", "b-x-d"]),
        (lambda: s.join([]), ""),
        (lambda: s.reduce_join([["a", "b"], ["c", "d"]]), "abcd"),
        (lambda: s.reduce_join([["a", "b"], ["c", "d"]], axis=0), ["ac", "bd"]),
        (lambda: s.reduce_join([["a", "b"], ["c", "d"]], axis=-1, keepdims=True), [["ab"], ["cd"]]),
        (lambda: s.reduce_join([["a", "b"], ["c", "d"]], axis=[0, 1], separator="."), "a.c.b.d"),
        (lambda: s.reduce_join([["a", "b"], ["c", "d"]], axis=[1, 0], separator="."), "a.b.c.d"),
        (lambda: s.reduce_join([["a", "b"], ["c", "d"]], axis=[]), [["a", "b"], ["c", "d"]]),
        (lambda: s.reduce_join(tl.zeros([0], tl.string)), ""),
        (lambda: s.reduce_join(tl.zeros([2, 0], tl.string), axis=1), ["", ""]),
        (lambda: s.split("a b  c "), ["a", "b", "c"]),
        (lambda: s.split("a,b,,c", sep=","), ["a", "b", "", "c"]),
        (lambda: s.split("a,b,,c", ",", maxsplit=1), ["a", "b,,c"]),
        (lambda: s.split("  a b c", maxsplit=1), ["a", "b c"]),
        (lambda: s.split(""), []),
        (lambda: s.split("", sep=","), [""]),
        (lambda: s.bytes_split("ab"), ["a", "b"]),
        (lambda: s.unicode_split("hé🦆", "UTF-8"), ["h", "é", "🦆"]),
        (lambda: s.unicode_decode("hé🦆", "UTF-8"), [104, 233, 129414]),
        (lambda: s.unicode_encode([[104, 233], [129414, 65]], "UTF-8"), ["hé", "🦆A"]),
        (lambda: s.substr(["hello", "world"], [0, 1], [2, 10]), ["he", "orld"]),
        (lambda: s.substr("hello", -3, 2), "ll"),
        (lambda: s.substr("hello", 5, 2), ""),
        (lambda: s.substr("hello", 0, -1), "hello"),
        (lambda: s.substr("hé🦆x", 1, 2, unit="UTF8_CHAR"), "é🦆"),
        (lambda: s.to_number(["1", " 2 ", "-3e2", "inf", "0x10", "1e400"]),
         [1.0, 2.0, -300.0, np.inf, 16.0, np.inf]),
        (lambda: s.to_number(["12", "-7", "+5"], out_type=tl.int64), [12, -7, 5]),
        (lambda: s.as_string([1, -22]), ["1", "-22"]),
        (lambda: s.as_string(3.14159), "3.141590"),
        (lambda: s.as_string([3.14159, 1e10, float("nan"), float("inf")], precision=2),
         ["3.14", "10000000000.00", "nan", "inf"]),
        (lambda: s.as_string(3.14159, precision=2, scientific=True), "3.14e+00"),
        (lambda: s.as_string([3.14159, 1e10, 1e-7], shortest=True), ["3.14159", "1e+10", "1e-07"]),
        (lambda: s.as_string([3.14159, 2.0], precision=3, shortest=True), ["3.14", "2"]),
        (lambda: s.as_string([True, False]), ["true", "false"]),
        (lambda: s.as_string(5, width=4), "   5"),
        (lambda: s.as_string(5, width=4, fill="0"), "0005"),
        (lambda: s.as_string([5, -5], width=4, fill="-"), ["5   ", "-5  "]),
        (lambda: s.as_string(5, width=4, fill="+"), "  +5"),
        (lambda: s.as_string(5, fill=" "), " 5"),
        (lambda: s.as_string(1 + 2j), "(1.000000,2.000000)"),
        (lambda: s.as_string("abc"), "abc"),
        (lambda: s.format("a {} b", c([1, 2])), "a [1 2] b"),
        (lambda: s.format("{}, {}", (c(1.5), c("x"))), '1.5, "x"'),
        (lambda: s.format("{}", tl.range(10), summarize=2), "[0 1 ... 8 9]"),
        (lambda: s.format("%t and {}", c(1), placeholder="%t"), "1 and {}"),
        (lambda: s.format("none", []), "none"),
        (lambda: s.format("{}", c([[1.0, 2.5], [3.0, 1 / 3]])), "[[1 2.5]\n [3 0.333333343]]"),
        (lambda: s.regex_replace("a<br /><b>x</b>", "<[^>]+>", " "), "a  x "),
        (lambda: s.regex_replace(["ab12", "c3"], r"([a-z]+)(\d+)", r"\2-\1"), ["12-ab", "3-c"]),
        (lambda: s.regex_replace("hello", "l", "L", replace_global=False), "heLlo"),
        (lambda: s.regex_replace("abxd", "x*", "-"), "-a-b-d-"),
        (lambda: s.regex_replace("abc", "b", r"[\0]"), "a[b]c"),
        (lambda: s.regex_replace("abc", "b", "\\\\"), "a\\c"),
        (lambda: s.regex_replace("abc", "b", r"\1"), "abc"),
        (lambda: s.regex_replace("hé🦆", ".", "x"), "xxx"),
        (lambda: s.regex_full_match(["TF lib", "lib TF"], ".*lib$"), [True, False]),
        (lambda: s.regex_full_match("xé", r"\w\w"), False),
        (lambda: c("a\0") + "b\0", "a\0b\0"),
        (lambda: "b" + c(["a", "c"]), ["ba", "bc"]),
        (lambda: c(["a", "b"]) != "a", [False, True]),
        (lambda: c(["a\0"])[0] == "a", False),
        (lambda: tl.gather(["a", "b\0"], 1), "b\0"),
        (lambda: tl.where([True, False], ["a", "b"], "z"), ["a", "z"]),
        (lambda: tl.Variable(["a", "b"]).assign(["x", "yy"]), ["x", "yy"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
def test_values(call: Any, expected: Any, traced: bool) -> None:
    if traced and call().__class__ is tl.Variable:
        pytest.skip("a function makes its variables outside")
    got = (tl.function(call) if traced else call)().numpy()
    assert (got if isinstance(got, bytes) else got.tolist()) == encoded(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: s.length("x", unit="BAD"), "unit must be one of 'BYTE', 'UTF8_CHAR', it is 'BAD'"),
        (
            lambda: s.length(1),
            "length: the operand has dtype int32, string is needed; use tl.strin",
        ),
        (lambda: s.upper("x", encoding="latin"), "encoding must be one of '', 'utf-8'"),
        (lambda: s.substr("hello", 6, 2), "substr: pos 6 is out of range for the text b'hello'"),
        (lambda: s.substr("hello", -6, 2), "substr: pos -6 is out of range"),
        (lambda: s.to_number("1.5", tl.int32), "the text b'1.5' is no number of dtype int32"),
        (lambda: s.to_number("99999999999", tl.int32), "is no number of dtype int32"),
        (lambda: s.to_number("1_0"), "the text b'1_0' is no number of dtype float32"),
        (lambda: s.to_number("5", tl.uint8), "out_type must be one of 'float32'"),
        (lambda: s.as_string(5, precision=2), "precision, scientific and shortest are for floats"),
        (lambda: s.as_string(1.5, scientific=True, shortest=True), "either scientific or shortest"),
        (lambda: s.format("{} {}", c(1)), "the template has 2 places, there are 1 inputs"),
        (lambda: s.regex_replace("abc", "(", "x"), r"the pattern b'\(' is not valid: missing \)"),
        (lambda: s.split(["a b"]), r"shape \(1,\): rows of different lengths would be a RaggedTen"),
        (lambda: s.unicode_decode(b"\xff", "UTF-8", errors="strict"), r"b'\\xff' is not UTF-8"),
        (lambda: c("1") * 2, "2 can't be a tensor of dtype string"),
        (lambda: c("1") - "2", "has dtype string, a numeric dtype is needed; use tl.strings.to_nu"),
        (lambda: tl.cast("1", tl.int32), "string can't be cast to int32; use tl.strings.to_number"),
        (lambda: tl.cast(1, tl.string), "int32 can't be cast to string; use tl.strings.as_string"),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    for run in (call, tl.function(call)):
        with pytest.raises(ValueError, match=message):
            run()


def test_what_fails_when_the_program_runs() -> None:
    """The check stays where nobody uses the result."""

    @tl.function
    def f(text: Any, pattern: Any) -> Any:
        s.to_number(text)
        s.regex_full_match(text, pattern)
        return s.length(text)

    assert int(f(c("12"), c("a*"))) == 2
    with pytest.raises(tl.errors.InvalidArgumentError, match="b'x' is no number of dtype float32"):
        f(c("x"), c("a*"))
    with pytest.raises(tl.errors.InvalidArgumentError, match="the pattern b'\\[' is not valid"):
        f(c("1"), c("["))


def words() -> Iterator[str]:
    yield from ["warp", "weft", "stop", "heddle"]


def test_text_in_control_flow() -> None:
    @tl.function
    def branch(x: Any) -> Any:
        if x == "a":
            return x + "!"
        if s.length(x) > 2:
            return s.upper(x)
        return "other"

    assert [branch(c(x)).numpy() for x in ("a", "bcd", "b")] == [b"a!", b"BCD", b"other"]
    assert branch.experimental_get_tracing_count() == 1

    @tl.function
    def loops(x: Any, n: Any) -> Any:
        out = c("")
        for w in s.split(x):
            if w == "stop":
                break
            out = out + w + " "
        while s.length(x) < n:
            x += "."
        return s.strip(out), x

    got = loops(c("warp weft stop heddle"), c(23))
    assert [x.numpy() for x in got] == [b"warp weft", b"warp weft stop heddle.."]


def test_text_that_is_collected() -> None:
    @tl.function
    def f(xs: Any) -> Any:
        listed = []
        ta = tl.TensorArray(tl.string, size=0, dynamic_size=True)
        for i in tl.range(tl.size(xs)):
            listed.append(xs[i] + "!")
            ta = ta.write(i, s.as_string(i))
        return tl.stack(listed), ta.stack(), tl.map_fn(s.length, xs, fn_output_signature=tl.int32)

    first, second, third = f(c(["a", "bc"]))
    assert first.numpy().tolist() == [b"a!", b"bc!"]
    assert second.numpy().tolist() == [b"0", b"1"]
    assert third.numpy().tolist() == [1, 2]


def test_text_as_arguments_and_state() -> None:
    seen = []
    v = tl.Variable("")

    @tl.function
    def f(d: Any, mode: str) -> Any:
        seen.append(mode)
        v.assign(v + d["a"])
        return {"k": d["b"] + mode, "n": s.length(d["a"])}

    for mode in ("x", "x", "y"):
        got = f({"b": c("b"), "a": c("a")}, mode)
    assert seen == ["x", "y"]  # a Python text counts by its value, a tensor by dtype and shape
    assert (got["k"].numpy(), int(got["n"]), v.numpy()) == (b"by", 1, b"aaa")


def test_text_in_datasets() -> None:
    signature = tl.TensorSpec([], tl.string)
    ds = tl.data.Dataset.from_generator(words, output_signature=signature)
    assert ds.element_spec == signature
    assert list(ds.map(s.upper).batch(3).as_numpy_iterator())[1].tolist() == [b"HEDDLE"]
    assert [x.numpy() for x in ds.filter(lambda w: s.regex_full_match(w, "w.*"))] == [
        *(b"warp", b"weft"),
    ]

    @tl.function
    def total(data: Any) -> Any:
        n = 0
        for w in data:
            if w == "stop":
                break
            n += s.length(w)
        return n

    assert int(total(ds)) == 8
    pairs = tl.data.Dataset.from_tensor_slices({"w": ["a", "b"], "n": [1, 2]})
    assert list(pairs.filter(lambda e: e["w"] == "b").as_numpy_iterator()) == [{"w": b"b", "n": 2}]
