"""Random programs over tensors, variables and helper functions, and NumPy to run them plainly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st

import treadle as tl

HEAD = "a, c: float64; b: three of them; n, m, p: int64, p from 0 to 3; v: a variable"
NAMES = {"float": ("a", "c"), "vector": ("b",), "int": ("n", "m")}
RESULT = "return a, b, c, n, m"
_FLOATS = ("0.5", "1.0", "-1.5", "2.0", "0.1")


class Writer:
    """Draws the lines of one function. All values keep dtype and shape, all loops are short."""

    def __init__(
        self, draw: Any, helpers: list[str], result: str, longest: int, slopes: bool
    ) -> None:
        self._draw = draw
        self._helpers = helpers
        self._result = result
        self._longest = longest
        self._slopes = slopes  # with gradients within the program
        self._counters = 0
        self.lines: list[str] = []

    def pick(self, *options: Any) -> Any:
        return self._draw(st.sampled_from(options))

    def chance(self, one_in: int) -> bool:
        return bool(self._draw(st.integers(1, one_in)) == 1)

    def add(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    # --- expressions -----------------------------------------------------------------

    def value(self, kind: str, level: int = 0) -> str:
        if level > 2 or self.chance(4):
            return str(self.pick(*NAMES[kind]))
        if self.chance(8):
            left, right = self.value(kind, level + 1), self.value(kind, level + 1)
            return f"({left} if {self.test(level + 1)} else {right})"
        return str(getattr(self, f"_{kind}")(level + 1))

    def _float(self, level: int) -> str:
        x = self.value("float", level)
        options = [
            f"({x} {self.pick('+', '-', '*')} {self.value('float', level)})",
            f"({x} {self.pick('+', '-', '*', '/')} {self.pick(*_FLOATS)})",
            f"({self.pick(*_FLOATS)} {self.pick('-', '*')} {x})",
            f"tl.{self.pick('sin', 'tanh', 'abs')}({x})",
            f"tl.maximum({x}, {self.value('float', level)})",
            f"tl.{self.pick('reduce_sum', 'reduce_max')}({self.value('vector', level)})",
            f"tl.cast({self.value('int', level)}, tl.float64)",
            f"tl.gather({self.value('vector', level)}, {self.value('int', level)} % 3)",
            "v.read_value()",
        ]
        if self._helpers:
            options.append(self._helper(level))
        return str(self.pick(*options))

    def _helper(self, level: int) -> str:
        values = [self.value(kind, level) for kind in ("float", "vector", "int")]
        return f"{self.pick(*self._helpers)}({', '.join(values)})"

    def _vector(self, level: int) -> str:
        x = self.value("vector", level)
        other = self.value(self.pick("float", "vector"), level)
        options = [
            f"({x} {self.pick('+', '-', '*')} {other})",
            f"tl.{self.pick('sin', 'tanh', 'abs')}({x})",
            f"tl.where({x} > {other}, {x}, {self.value('vector', level)})",
            f"tl.stack([{self.value('float', level)}, {self.value('float', level)}, 0.5])",
        ]
        return str(self.pick(*options))

    def _int(self, level: int) -> str:
        x = self.value("int", level)
        options = [
            f"({x} {self.pick('+', '-', '*')} {self.value('int', level)})",
            f"({x} {self.pick('//', '%')} {self.pick(2, 3, -5)})",
            f"({x} {self.pick('+', '*')} {self.pick(1, 2, -3)})",
            f"tl.cast(tl.tanh({self.value('float', level)}) * 4.0, tl.int64)",
        ]
        return f"{self.pick(*options)}"

    def test(self, level: int = 0) -> str:
        if level <= 1 and self.chance(3):
            left, right = self.test(level + 1), self.test(level + 1)
            return str(self.pick(f"({left} and {right})", f"({left} or {right})", f"(not {left})"))
        sign = self.pick("<", "<=", ">", "!=")
        if self.chance(2):
            return f"({self.value('int', level + 1)} {sign} {self.pick(0, 1, 4)})"
        x = self.value("float", level + 1)
        if self.chance(4):
            return f"(-1.0 < {x} <= {self.value('float', level + 1)})"
        return f"({x} {sign} {self.value('float', level + 1)})"

    # --- statements ------------------------------------------------------------------

    def block(self, depth: int, loop: bool, size: int = 3) -> None:
        for _ in range(self._draw(st.integers(1, size))):
            self.statement(depth, loop)

    def statement(self, depth: int, loop: bool) -> None:
        steps = [self.assign] * 4 + [self.augment, self.swap, self.variable, self.may_fail]
        if loop:
            steps += [self.leave] * 2
        if depth < 4 and len(self.lines) < self._longest:
            steps += [self.branch, self.branch, self.while_loop, self.for_loop, self.for_loop]
            steps += [self.slope] * 2 if self._slopes else []
        self.pick(*steps)(depth, loop)

    def assign(self, depth: int, loop: bool) -> None:
        kind = self.pick("float", "float", "vector", "int")
        self.add(depth, f"{self.pick(*NAMES[kind])} = {self.value(kind)}")

    def augment(self, depth: int, loop: bool) -> None:
        # Not vectors: an array of NumPy would change in place.
        kind = self.pick("float", "int")
        self.add(
            depth, f"{self.pick(*NAMES[kind])} {self.pick('+=', '-=', '*=')} {self.value(kind)}"
        )

    def swap(self, depth: int, loop: bool) -> None:
        self.add(depth, self.pick("a, c = c, a", "n, m = m, n + m", "a, b = c * 0.5, b + a"))

    def variable(self, depth: int, loop: bool) -> None:
        word = self.pick("assign", "assign_add", "assign_sub")
        self.add(depth, f"v.{word}({self.value('float', 1)})")

    def may_fail(self, depth: int, loop: bool) -> None:
        self.add(depth, self.pick("n = n // m", "a = tl.gather(b, n)", "assert n < 9", "m = m + 1"))

    def leave(self, depth: int, loop: bool) -> None:
        self.add(depth, f"if {self.test()}:")
        self.add(depth + 1, self.pick("break", "continue", self._result))

    def branch(self, depth: int, loop: bool) -> None:
        self.add(depth, f"if {self.test()}:")
        self.block(depth + 1, loop)
        if self.chance(5):
            self.add(depth + 1, self._result)
        if self.chance(3):
            self.add(depth, f"elif {self.test()}:")
            self.block(depth + 1, loop)
        if self.chance(2):
            self.add(depth, "else:")
            self.block(depth + 1, loop)

    def while_loop(self, depth: int, loop: bool) -> None:
        count = f"k{self._counters}"
        self._counters += 1
        self.add(depth, f"{count} = tl.constant(0)")
        test = f"{count} < {self.pick(1, 3, 4)}"
        self.add(depth, f"while {self.pick(test, f'{self.test()} and {test}')}:")
        self.add(depth + 1, f"{count} += 1")
        self.block(depth + 1, True)
        self.otherwise(depth, loop)

    def for_loop(self, depth: int, loop: bool) -> None:
        head, first = self.pick(
            ("for i in tl.range(3):", "n = n + tl.cast(i, tl.int64)"),
            ("for i in tl.range(n % 4):", "m = m - i"),
            ("for i in range(m % 4):", "m = m - i"),
            ("for i in tl.range(p):", "m = m + p"),
            ("for x in b:", "c = c * 0.5 + x"),
        )
        self.add(depth, head)
        self.add(depth + 1, first)
        self.block(depth + 1, True)
        self.otherwise(depth, loop)

    def slope(self, depth: int, loop: bool) -> None:
        n = self._counters
        self._counters += 1
        source = self.pick("a", "b", "v")
        if source != "v":  # a tensor of its own: in Python two names may have been the same one
            self.add(depth, f"{source} = {source} * 1.0")
        self.add(depth, f"with tl.GradientTape() as tape{n}:")
        self.add(depth + 1, f"tape{n}.watch({source})")
        self.add(depth + 1, f"y{n}, x{n} = {self.value('float')}, {source}")
        self.block(depth + 1, loop)
        self.add(depth + 1, f"y{n} = y{n} * {self.pick('a', 'c', 'tl.reduce_sum(b)')}")
        self.add(depth, f'g{n} = tape{n}.gradient(y{n}, x{n}, unconnected_gradients="zero")')
        self.add(depth, f"{self.pick('a', 'c')} = tl.tanh(tl.reduce_sum(g{n}))")

    def otherwise(self, depth: int, loop: bool) -> None:
        if self.chance(6):
            self.add(depth, "else:")
            self.block(depth + 1, loop, 2)


@st.composite
def programs(draw: Any, longest: int = 25, slopes: bool = False) -> str:
    """The text of a function `program(a, b, n, p)`, which uses the variable `v`."""
    lines = [f"# {HEAD}"]
    helpers: list[str] = []
    for i in range(draw(st.integers(0, 2))):
        writer = Writer(draw, list(helpers), "return tl.reduce_sum(b) + a * c", 6, slopes)
        writer.block(1, False)
        lines += ["@tl.function"] if draw(st.booleans()) else []
        lines += [f"def helper{i}(a, b, n):", "    c, m, p = a * 0.5, n + 1, n % 3", *writer.lines]
        lines += ["    return a + tl.cast(n, tl.float64)", ""]
        helpers.append(f"helper{i}")
    writer = Writer(draw, helpers, RESULT, longest, slopes)
    writer.block(1, False, 5)
    lines += ["def program(a, b, n, p):", "    c, m = a + 1.0, n - 1", *writer.lines]
    return "\n".join([*lines, f"    {RESULT}", ""])


def load(text: str, file: Path, **known: Any) -> Any:
    """The function `program` of a text, which is kept in `file`: AutoGraph reads it there."""
    file.write_text(text)
    space: dict[str, Any] = {"__name__": "program", **known}
    exec(compile(text, str(file), "exec"), space)
    return space["program"]


# --- the same names for plain Python over NumPy's numbers ------------------------------


class PlainVariable:
    def __init__(self, value: float) -> None:
        self.value = np.float64(value)

    def read_value(self) -> Any:
        return self.value

    numpy = read_value

    def assign(self, x: Any) -> None:
        self.value = np.float64(x)

    def assign_add(self, x: Any) -> None:
        self.assign(self.value + x)

    def assign_sub(self, x: Any) -> None:
        self.assign(self.value - x)


def _range(*limits: Any) -> Iterator[Any]:
    dtype = np.int32 if type(limits[0]) is int else np.int64
    return (dtype(i) for i in range(*map(int, limits)))


def _gather(x: Any, i: Any) -> Any:
    if not 0 <= i < len(x):
        raise IndexError(i)
    return x[i]


plain = SimpleNamespace(
    **{name: getattr(np, name) for name in ("sin", "tanh", "abs", "maximum", "where", "stack")},
    int64=np.int64,
    float64=np.float64,
    function=lambda f: f,
    constant=np.int32,
    reduce_sum=np.sum,
    reduce_max=np.max,
    cast=lambda x, dtype: np.asarray(x).astype(dtype)[()],
    range=_range,
    gather=_gather,
)
assert all(hasattr(tl, name) for name in vars(plain))
