"""Draws expressions of a program, by kind.

Tensors when traced: float (`f`, `g`), int (`n`, `m`), vector (`b`). Python numbers, unless a
tensor decides: `k` (an int), `t` (a float), `flag`, `word`, and `best`, a float or None.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

FLOATS = ("0.5", "1.0", "-1.5", "2.0", "0.25")


class Expressions:
    """What may be written where, at the point in the program that has been reached."""

    def __init__(self, seed: random.Random) -> None:
        self.random = seed
        self.helpers: list[str] = []  # functions of a float and an int, which give a float
        self.generators: list[str] = []  # of a vector and an int, which give floats
        self.nested: list[str] = []  # functions of a float, which change names of the program
        self.indexes: list[str] = []  # Python ints of the loops around
        self.items: list[str] = []  # floats of the loops around

    def pick(self, *options: Any) -> Any:
        return self.random.choice(options)

    def chance(self, one_in: int) -> bool:
        return self.random.randrange(one_in) == 0

    def key(self, *letters: str) -> str:
        return repr(self.pick(*letters))

    def draw(self, options: list[Callable[[], str]]) -> str:
        return self.random.choice(options)()

    # --- floats ----------------------------------------------------------------------

    def float(self, level: int = 0) -> str:
        """A tensor of float64: no larger than twice the largest of its parts."""
        name = str(self.pick("f", "g", "o.v", *self.items))
        if level > 2 or self.chance(4):
            return name
        deeper = level + 1
        options = [
            lambda: f"({name} {self.pick('+', '-')} {self.float(deeper)}) * 0.5",
            lambda: f"({name} {self.pick('+', '-', '*')} {self.pick(*FLOATS)})",
            lambda: f"({self.pick(*FLOATS)} {self.pick('+', '-')} {name})",
            lambda: f"{name} * {self.number(deeper)} % 11.0",
            lambda: f"({name} + {self.real(deeper)}) * 0.5",
            lambda: f"({name} / (1.0 + abs({self.float(deeper)})))",
            lambda: f"{self.pick('max', 'min')}({name}, {self.float(deeper)})",
            lambda: f"({name} if {self.test(deeper)} else {self.float(deeper)})",
            lambda: f"b[{self.int(deeper)} % 3]",
            lambda: f"({name} if best is None else best)",
            lambda: "o.double",
            lambda: "sum(b)",
            lambda: f"(max(w for w in b if w > {name} or w >= 0.5) if b[0] >= 0.5 else {name})",
            lambda: f"sum(w * {self.pick(*FLOATS)} for w in b)",
            lambda: f"(lambda w: w * 0.5 if w > {self.pick(*FLOATS)} else w + 1.0)({name})",
        ]
        if self.helpers:
            call = self.pick(*self.helpers)
            options += [lambda: f"{call}({self.float(deeper)}, {self.int(deeper)})"] * 2
        if self.generators:
            gen = self.pick(*self.generators)
            options.append(lambda: f"sum({gen}(b, {self.int(deeper)}), {name}) * 0.25")
        return self.draw(options)

    def real(self, level: int = 0) -> str:
        """A Python float."""
        if level > 2 or self.chance(3):
            return str(self.pick("t", *FLOATS))
        deeper = level + 1
        return self.draw(
            [
                lambda: f"(t {self.pick('+', '-')} {self.number(deeper)}) * 0.5",
                lambda: f"({self.number(deeper)} / 4)",
                lambda: f"({self.real(deeper)} * 0.5)",
                lambda: f"(t if {self.test(deeper)} else {self.pick(*FLOATS)})",
                lambda: f"float({self.number(deeper)})",
            ]
        )

    # --- ints ------------------------------------------------------------------------

    def int(self, level: int = 0) -> str:
        """A tensor of int64."""
        name = str(self.pick("n", "m"))
        if level > 2 or self.chance(4):
            return name
        deeper = level + 1
        return self.draw(
            [
                lambda: f"({name} {self.pick('+', '-', '*')} {self.int(deeper)}) % 97",
                lambda: f"({name} + {self.number(deeper)}) % 97",
                lambda: f"({name} {self.pick('//', '%')} {self.pick(2, 3, -5)})",
                lambda: f"abs({name} - {self.int(deeper)})",
                lambda: f"divmod({name}, 3)[{self.pick(0, 1)}]",
                lambda: f"{self.pick('max', 'min')}({name}, {self.int(deeper)})",
                lambda: f"({name} if {self.test(deeper)} else {self.int(deeper)})",
                lambda: f"{name} + d[{self.key('a', 'b')}]",
                lambda: f"({name} + {self.pick('sum(xs)', 'max(xs)', 'xs[0]', 'xs[-1]')}) % 97",
                lambda: f"({name} + xs[{self.int(deeper)} % len(xs)]) % 97",
                lambda: f"({name} + sum(d.values())) % 97",
                lambda: f"({name} + sum(q % 7 for q in xs if q > {name})) % 97",
            ]
        )

    def number(self, level: int = 0) -> str:
        """A Python int, from -97 to 97."""
        if level > 2 or self.chance(3):
            return str(self.pick("k", "k", self.random.randrange(-3, 6), *self.indexes))
        deeper = level + 1
        return self.draw(
            [
                lambda: f"(k {self.pick('+', '-', '*')} {self.number(deeper)}) % 97",
                lambda: f"({self.number(deeper)} {self.pick('//', '%')} {self.pick(2, 3)})",
                lambda: "len(xs)",
                lambda: f"int({self.int(deeper)}) % 97",
                lambda: f"int(min(max({self.float(deeper)}, -9.0), 9.0))",
                lambda: f"(1 if {self.test(deeper)} else {self.number(deeper)})",
                lambda: f"sum(1 for w in b if w > {self.pick(*FLOATS)})",
                lambda: "o.n % 97",
            ]
        )

    # --- truth -----------------------------------------------------------------------

    def test(self, level: int = 0) -> str:
        """A condition, which may be Python's."""
        if level > 2 or self.chance(2):
            return self.tensor_test(level)
        deeper = level + 1
        return self.draw(
            [
                lambda: f"({self.test(deeper)} {self.pick('and', 'or')} {self.test(deeper)})",
                lambda: f"not {self.tensor_test(deeper)}",
                lambda: "flag",
                lambda: f"word {self.pick('==', '!=')} {self.key('a', 'b', 'c')}",
                lambda: 'word in ("a", "c")',
                lambda: f"best is {self.pick('None', 'not None')}",
                lambda: f"(best is None or best < {self.float(deeper)})",
                lambda: f"{self.number(deeper)} {self.pick('<', '>=')} {self.pick(1, 2, 5)}",
                lambda: f"{self.pick('any', 'all')}(w > {self.pick(*FLOATS)} for w in b)",
                lambda: f"{self.int(deeper)} in xs",
                lambda: "xs",
            ]
        )

    def tensor_test(self, level: int = 0) -> str:
        """A condition that is a tensor when traced."""
        sign = self.pick("<", "<=", ">", ">=", "!=", "==")
        if self.chance(2):
            return f"{self.int(level + 1)} {sign} {self.random.randrange(-1, 6)}"
        if self.chance(4):
            return f"-1.0 < {self.float(level + 1)} <= {self.real(level + 1)}"
        return f"{self.float(level + 1)} {sign} {self.float(level + 1)}"
