"""`tl.print`: TensorFlow's format, in the order of the program, to any stream."""

from __future__ import annotations

import collections
import io
import sys
from typing import Any

import numpy as np
import pytest

import treadle as tl

Point = collections.namedtuple("Point", "x y")
c = tl.constant


def printed(*values: Any, **options: Any) -> str:
    stream = io.StringIO()
    tl.print(*values, output_stream=stream, **{"end": "", **options})
    return stream.getvalue()


# Made with tf.print of TensorFlow 2.21.
@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0, c(1.0), c(1.5)], "1.0 1 1.5"),
        ([c(3.14159265), c(3.14159265, tl.float64)], "3.14159274 3.14159265"),
        ([c(1 / 3), c(1 / 3, tl.float64), c(2 / 3, tl.float16)],
         "0.333333343 0.33333333333333331 0.666503906"),
        ([c(1e-10), c(1e20), c(123456789.0), c(1e6), c(1234567.0)],
         "1e-10 1e+20 123456792 1e+06 1234567"),
        ([c(float("nan")), c([float("inf"), -float("inf")])], "nan [inf -inf]"),
        ([c(1e15, tl.float64), c(0.1, tl.float64), c([1e22], tl.float64)], "1e+15 0.1 [1e+22]"),
        ([c(True), c([True, False]), True], "1 [1 0] True"),
        (["x", c("a"), c(["a", "b"])], 'x "a" ["a" "b"]'),
        ([c("a\nb"), c(['q"q']), "é"], '"a\\nb" ["q\\"q"] é'),
        ([c(5, tl.int8), 5, 2.5, None, c(2**40)], "5 5 2.5 None 1099511627776"),
        ([tl.range(6), tl.range(7)], "[0 1 2 3 4 5] [0 1 2 ... 4 5 6]"),
        ([c([[1, 2], [3, 4]])], "[[1 2]\n [3 4]]"),
        ([tl.reshape(tl.range(8), [2, 2, 2])], "[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]"),
        ([tl.reshape(tl.range(49), [7, 7])],
         ("[[0 1 2 ... 4 5 6]\n [7 8 9 ... 11 12 13]\n [14 15 16 ... 18 19 20]\n ...\n"
          " [28 29 30 ... 32 33 34]\n [35 36 37 ... 39 40 41]\n [42 43 44 ... 46 47 48]]")),
        ([[c(1), c(2)], (c(1), 2), (c(1),), []], "[1, 2] (1, 2) (1,) []"),
        ([{"b": [c(2.0), "s"], "a": c(1)}], "{'a': 1, 'b': [2, 's']}"),
        ([collections.OrderedDict(z=c(1), a=2)], "OrderedDict([('z', 1), ('a', 2)])"),
        ([[c("q"), "s", "it's"]], "[\"q\", 's', \"it's\"]"),
        ([Point(c(1), 2), tl.Variable([1.0, 2.0])], "Point(x=1, y=2) [1 2]"),
        ([np.array([1, 2])], "array([1, 2])"),
        ([tl.zeros([0]), c([1 + 2j])], "[] [1+2j]"),
        (["a {} b %s", c(1)], "a {} b %s 1"),
    ],
)  # fmt: skip
def test_format(values: list[Any], text: str) -> None:
    assert printed(*values) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([c([1.5, 2.25, -3e-5])], "[1.5 2.25 -3e-05]"),
        ([c([1e-3, 123456.0, 1e6, 1e7])], "[0.001 123456 1e+06 1e+07]"),
        ([c("tab\there\n")], "tab\there\n"),
        ([c("é")], "é"),
        ([c("é"), c("x")], '"é" "x"'),
        ([c(["x"])], '["x"]'),
        ([[c("x")]], '["x"]'),
        ([c([[b"ab", b"c"]])], '[["ab" "c"]]'),
        (
            [c(["it's", 'q"q', "t\tt", "r\rr", "b\\b", "\x01\x7f", "é", "a\x1b1", "\0"])],
            '["it\\\'s" "q\\"q" "t\\tt" ... "é" "a\\0331" "\\000"]',
        ),
        (
            [c("it's\t"), [c("\x01\x7f")], c(["r\rr", "b\\b"])],
            '"it\\\'s\\t" ["\\001\\177"] ["r\\rr" "b\\\\b"]',
        ),
        ([{"k": c([1, 2]), "j": {"n": c(1.0)}}], "{'j': {'n': 1}, 'k': [1 2]}"),
        ([[[c(1)], (c(2), [c(3)])]], "[[1], (2, [3])]"),
        ([[tl.Variable(1.0)], {1}], "[1] {1}"),
        ([np.float32(1.5), 1e10, c(255, tl.uint8)], "1.5 10000000000.0 255"),
        ([tl.zeros([0, 3])], "[]"),
        ([tl.zeros([1, 2]).shape, range(3)], "TensorShape([1, 2]) [0, 1, 2]"),
        ([tl.ones([2, 3, 1])], "[[[1]\n  [1]\n  [1]]\n\n [[1]\n  [1]\n  [1]]]"),
    ],
)
def test_more_of_the_format(values: list[Any], text: str) -> None:
    """Made with tf.print of TensorFlow 2.21; eagerly and in a function."""
    assert printed(*values) == text
    stream = io.StringIO()
    tl.function(lambda: tl.print(*values, output_stream=stream, end=""))()
    assert stream.getvalue() == text


def test_options() -> None:
    assert printed(1, c(2), sep=", ", end="!\n") == "1, 2!\n"
    assert printed(tl.range(10), summarize=-1) == "[0 1 2 3 4 5 6 7 8 9]"
    assert printed(tl.range(10), summarize=1) == "[0 ... 9]"
    assert printed() == ""


def test_standard_streams(capsys: pytest.CaptureFixture[str]) -> None:
    tl.print("to stderr", c(1))
    tl.print("to stdout", c(2), output_stream=sys.stdout)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("to stdout 2\n", "to stderr 1\n")


def test_files(tmp_path: Any) -> None:
    where = f"file://{tmp_path / 'log'}"
    tl.print("one", output_stream=where)
    tl.print("two", c(2), output_stream=where)
    assert (tmp_path / "log").read_text() == "one\ntwo 2\n"
    with pytest.raises(ValueError, match="output_stream"):
        tl.print("x", output_stream="log.txt")


def test_order_in_a_graph() -> None:
    """Each line comes when the program gets to it, with the values of then."""
    stream = io.StringIO()
    v = tl.Variable(1)

    @tl.function
    def f(n: Any) -> None:
        tl.print("start", n, v, output_stream=stream)
        for i in tl.range(n):
            v.assign_add(i)
            tl.print({"i": i, "v": v}, output_stream=stream)
        tl.print("end", v, output_stream=stream)

    f(3)
    f(1)
    assert stream.getvalue().splitlines() == [
        *("start 3 1", "{'i': 0, 'v': 1}", "{'i': 1, 'v': 2}", "{'i': 2, 'v': 4}", "end 4"),
        *("start 1 4", "{'i': 0, 'v': 4}", "end 4"),
    ]
