"""Draws programs over float64: smooth but where conditions decide, which `test` and `pick` note."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

SCALARS = ("a", "b")
VECTORS = ("p", "q")
START = "    b, q, k = a * 0.5 + v, tl.sin(p), 0"
RESULT = "return a + b + tl.reduce_sum(p * q)"


def program(seed: int, longest: int = 24) -> str:
    """The text of a module with a function `program(a, p)`, which reads the variables v and m."""
    return written(random.Random(seed), longest)


def written(draws: random.Random, longest: int = 24) -> str:
    """The program for what is drawn, by hypothesis say."""
    lines: list[str] = []
    helpers: list[str] = []
    for i in range(draws.randrange(3)):
        part = _Part(draws, helpers, 5, "return a * 0.5 + b")
        part.block(1, False, 2)
        lines += ["@tl.function"] if draws.random() < 0.5 else []
        lines += [f"def helper{i}(a, p):", START, *part.lines, "    return tl.tanh(a + b)", ""]
        helpers.append(f"helper{i}")
    part = _Part(draws, helpers, longest, RESULT)
    part.block(1, False, 2)
    part.block(1, False, 6)
    lines += ["def program(a, p):", START, *part.lines, f"    {RESULT}", ""]
    return "\n".join(lines)


def start(seed: int) -> list[Any]:
    """The values to begin with: a, p, v and m."""
    drawn = np.random.default_rng(seed)
    return [drawn.normal(size=shape) * 0.7 for shape in ((), (3,), (), (3, 3))]


class _Part:
    """The body of one function."""

    def __init__(self, draws: random.Random, helpers: list[str], longest: int, result: str) -> None:
        self.draws, self.helpers, self.longest, self.result = draws, list(helpers), longest, result
        self.lines: list[str] = []
        self.names = 0
        self.indexes = ["0", "k"]

    def pick(self, *options: Any) -> Any:
        return options[self.draws.randrange(len(options))]

    def chance(self, n: int) -> bool:
        return self.draws.randrange(n) == 0

    def add(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def fresh(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"

    # --- expressions; all stay small --------------------------------------------------

    def scalar(self, level: int = 0) -> str:
        if level >= 2 or self.chance(3):
            return str(self.pick(*SCALARS, *SCALARS, "v"))
        x = self.scalar(level + 1)
        options = [
            f"tl.{self.pick('sin', 'tanh', 'cos')}({x} + {self.scalar(level + 1)})",
            f"({x} * {self.scalar(level + 1)} * 0.5)",
            f"({x} - {self.pick('0.2', '1.1')} * {self.scalar(level + 1)})",
            f"({x} / (1.5 + {self.scalar(level + 1)} * {self.scalar(level + 1)} + {x} * {x}))",
            f"tl.exp(tl.sin({x}))",
            f"tl.reduce_sum({self.vector(level + 1)}) * 0.3",
            f"tl.reduce_sum({self.vector(level + 1)} * {self.vector(level + 1)}) * 0.2",
            f"{self.pick(*VECTORS)}[{self.index()}]",
            f"pick({self.condition(level + 1)}, {x}, {self.scalar(level + 1)})",
            f"({x} if test({self.condition(level + 1)}) else {self.scalar(level + 1)})",
        ]
        if self.helpers:
            options += [f"{self.pick(*self.helpers)}({x}, {self.vector(level + 1)})"] * 2
        return str(self.pick(*options))

    def vector(self, level: int = 0) -> str:
        if level >= 2 or self.chance(3):
            return str(self.pick(*VECTORS))
        x = self.vector(level + 1)
        options = [
            f"tl.{self.pick('sin', 'tanh')}({x} + {self.vector(level + 1)})",
            f"({x} * {self.scalar(level + 1)})",
            f"({x} - 0.5 * {self.vector(level + 1)})",
            f"tl.stack([{self.scalar(level + 1)}, {self.scalar(level + 1)}, 0.5 * a])",
            f"tl.tanh(tl.linalg.matvec(m, {x}))",
            f"tl.reverse({x}, [0])",
            f"tl.concat([{x}[1:], {self.vector(level + 1)}[:1]], 0)",
            f"tl.gather({x}, [{self.index()}, {self.index()}, 1])",
            f"put({x}, {self.index()}, {self.scalar(level + 1)})",
            f"pick({x} > {self.pick('0.1', '-0.4')}, {x}, {self.vector(level + 1)} * 0.7)",
        ]
        return str(self.pick(*options))

    def index(self) -> str:
        return f"{self.pick(*self.indexes)} % 3"

    def condition(self, level: int = 0) -> str:
        kind = self.draws.randrange(4)
        if kind == 0:
            return f"k {self.pick('<', '>=')} {self.pick(1, 2, 4)}"
        if kind == 1:
            return f"k % {self.pick(2, 3)} == {self.pick(0, 1)}"
        sign = self.pick("<", ">")
        return f"{self.scalar(level + 1)} {sign} {self.pick('0.15', '-0.35', '0.8', 'b')}"

    # --- statements -------------------------------------------------------------------

    def block(self, depth: int, loop: bool, size: int = 3) -> None:
        before = len(self.lines)
        for _ in range(1 + self.draws.randrange(size)):
            self.statement(depth, loop)
        if len(self.lines) == before:
            self.add(depth, "a = a * 0.9")

    def statement(self, depth: int, loop: bool) -> None:
        steps = [self.assign] * 5 + [self.swap, self.count]
        if loop:
            steps += [self.leave] * 2
        if depth < 4 and len(self.lines) < self.longest:
            steps += [self.branch] * 2 + [self.while_loop, self.for_loop, self.items, self.array]
        self.pick(*steps)(depth, loop)

    def assign(self, depth: int, loop: bool) -> None:
        if self.chance(2):
            self.add(depth, f"{self.pick(*SCALARS)} = {self.scalar()}")
        else:
            self.add(depth, f"{self.pick(*VECTORS)} = {self.vector()}")

    def swap(self, depth: int, loop: bool) -> None:
        self.add(depth, self.pick("a, b = b, a", "p, q = q * 0.8, p", "a, b = b + 0.1 * a, a"))

    def count(self, depth: int, loop: bool) -> None:
        self.add(depth, "k = k + 1")

    def leave(self, depth: int, loop: bool) -> None:
        self.add(depth, f"if test({self.condition()}):")
        self.add(depth + 1, self.pick("break", "continue", self.result))

    def branch(self, depth: int, loop: bool) -> None:
        self.add(depth, f"if test({self.condition()}):")
        self.block(depth + 1, loop)
        if self.chance(6):
            self.add(depth + 1, self.result)
        if self.chance(3):
            self.add(depth, f"elif test({self.condition()}):")
            self.block(depth + 1, loop)
        if self.chance(2):
            self.add(depth, "else:")
            self.block(depth + 1, loop)

    def while_loop(self, depth: int, loop: bool) -> None:
        i = self.fresh("i")
        self.add(depth, f"{i} = tl.constant(0)")
        more = f" and test({self.condition()})" if self.chance(2) else ""
        self.add(depth, f"while test({i} < {self.pick(1, 3, 5)}){more}:")
        self.add(depth + 1, f"{i} = {i} + 1")
        self.inside(depth, i)

    def for_loop(self, depth: int, loop: bool) -> None:
        i = self.fresh("i")
        self.add(depth, f"for {i} in tl.range({self.pick(2, 4, 'k % 3', 'k - k')}):")
        self.inside(depth, i)

    def items(self, depth: int, loop: bool) -> None:
        w = self.fresh("w")
        self.add(depth, f"for {w} in {self.pick('p', 'q', 'p * 0.5')}:")
        self.add(depth + 1, f"a = a * 0.6 + {self.pick(w, f'tl.sin({w} * b)')}")
        self.inside(depth, "k")

    def inside(self, depth: int, index: str) -> None:
        self.indexes.append(index)
        self.block(depth + 1, True)
        self.indexes.pop()

    def array(self, depth: int, loop: bool) -> None:
        """A TensorArray that a loop fills, and reads."""
        ta, i = self.fresh("ta"), self.fresh("i")
        size = self.pick(2, 4)
        self.add(depth, f"{ta} = tl.TensorArray(tl.float64, {size}, element_shape=[])")
        self.add(depth, f"{ta} = {ta}.write(0, a)")
        self.add(depth, f"for {i} in tl.range(1, {size}):")
        value = f"{ta}.read({i} - 1)"
        self.add(depth + 1, f"a = {self.scalar(1)} * 0.7 + {value}")
        self.add(depth + 1, f"{ta} = {ta}.write({i}, tl.sin(a))")
        self.add(depth, f"b = tl.reduce_sum({ta}.stack() * {self.pick('0.5', 'b')})")
