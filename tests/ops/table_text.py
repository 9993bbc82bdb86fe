"""The table of ops on text, with Python's own bytes as the oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ops.rows import Row, with_values

import treadle as tl
from treadle.graph.ops.texts import text_method

s = tl.strings


def each(function: Callable[..., Any], dtype: Any = object) -> Callable[..., Any]:
    """`function` of each item of arrays that broadcast."""
    found = np.frompyfunc(function, 1, 1)

    def oracle(x: Any) -> Any:
        return np.asarray(found(x), dtype)

    return oracle


def row(
    op: str, call: Callable[..., Any], oracle: Callable[..., Any], *shapes: Any, **more: Any
) -> Row:
    more.setdefault("kinds", "O")
    sample = with_values(*(shapes or ((2, 3),)))
    return Row(op=f"string_{op}", call=call, oracle=oracle, sample=sample, smooth=False, **more)


def joined(x: Any) -> Any:
    return np.array([b"-".join(r) for r in x], object)


def parts(x: Any) -> Any:
    return np.array([b"w", b"rp"], object)  # of b"warp"


ROWS = [
    row("length", s.length, each(len, np.int32), shaped=True),
    row("upper", s.upper, each(bytes.upper), shaped=True),
    row("lower", lambda x: s.lower(x + "ABC"), each(lambda b: b + b"abc"), shaped=True),
    row("strip", lambda x: s.strip(" " + x + "\n"), each(lambda b: b), shaped=True),
    row(
        "substr",
        lambda x: s.substr(x + "!", [0, -1, 1], 2),
        lambda x: np.stack(
            [
                each(lambda b: (b + b"!")[:2])(x[:, 0]),
                each(lambda b: b"!")(x[:, 1]),
                each(lambda b: (b + b"!")[1:3])(x[:, 2]),
            ],
            axis=1,
        ),
    ),
    row("reduce_join", lambda x: s.reduce_join(x, -1, separator="-"), joined),
    row("split", lambda x: s.split(x, "a"), parts, ()),
    row("bytes_split", s.bytes_split, lambda x: np.array([b"w", b"a", b"r", b"p"], object), ()),
    row(
        "unicode_split",
        lambda x: s.unicode_split("é" + x, "UTF-8"),
        lambda x: np.array(["é".encode(), b"w", b"a", b"r", b"p"], object),
        (),
    ),
    row(
        "unicode_decode",
        lambda x: s.unicode_decode("é" + x, "UTF-8"),
        lambda x: np.array([ord(c) for c in "éwarp"], np.int32),
        (),
    ),
    row(
        "unicode_encode",
        lambda x: s.unicode_encode(tl.cast(tl.abs(x), tl.int32) + 64, "UTF-8"),
        lambda x: np.array([bytes(int(i) for i in r) for r in np.abs(x) + 64], object),
        kinds="i",
        without=["uint8", "uint16", "uint32", "uint64", "int8"],
    ),
    row(
        "to_number",
        lambda x: s.to_number(s.as_string(x), tl.float64),
        lambda x: x.astype(np.float64),
        kinds="i",
    ),
    Row(
        op="text_method",
        call=lambda x: text_method("replace", x, "a", "é"),
        oracle=each(lambda b: b.replace(b"a", "é".encode())),
        sample=with_values(()),
        kinds="O",
        smooth=False,
    ),
    row("as_string", s.as_string, each(lambda i: b"%d" % i), kinds="i", shaped=True),
    row(
        "format",
        lambda x: s.format("<{}>", x),
        lambda x: np.array(
            b"<[[%s]\n [%s]]>" % tuple(b" ".join(b'"%s"' % i for i in r) for r in x), object
        ),
    ),
    row(
        "regex_replace",
        lambda x: s.regex_replace(x, "w(.)", r"\1\1"),
        each(lambda b: b.replace(b"wa", b"aa").replace(b"we", b"ee")),
        shaped=True,
    ),
    row(
        "regex_full_match",
        lambda x: s.regex_full_match(x, "w.*p"),
        each(lambda b: b == b"warp", np.bool_),
        shaped=True,
    ),
]
