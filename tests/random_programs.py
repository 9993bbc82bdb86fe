"""Random Python programs over integers: nested control flow of all kinds."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "c")


def compiled(text: str, name: str = "program", **known: Any) -> Callable[..., Any]:
    """The function `name` of a program, with source lines that `inspect` and AutoGraph find."""
    file = "<random program>"  # one name, so that hypothesis knows an error again
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {"__name__": "random_program", **known}
    exec(compile(text, file, "exec"), space)
    f: Callable[..., Any] = space[name]
    return f


class _Writer:
    """Draws the lines of a program.

    `tensors`: its numbers may be tensors, so each name has a value from the start on, and no loop
    of Python is left by a condition over them.
    """

    def __init__(self, draw: Any, tensors: bool) -> None:
        self.draw = draw
        self.tensors = tensors
        self.lines: list[str] = []
        self.counters = 0
        self.functions: list[str] = []

    def choose(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def add(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def name(self) -> str:
        if not self.tensors and self.draw(st.integers(0, 6)) == 0:
            return str(self.choose("d", "e"))  # perhaps undefined
        return str(self.choose(*NAMES))

    def value(self, level: int = 0) -> str:
        kind = self.draw(st.integers(0, 9 if level < 2 else 3))
        if kind <= 1:
            return self.name()
        if kind <= 3:
            return str(self.draw(st.integers(-3, 5)))
        left, right = self.value(level + 1), self.value(level + 1)
        if kind == 7:
            return f"({left} if {self.test(level + 1)} else {right})"
        if kind == 9:
            return f"(lambda v: v + {right} if v > 0 else v)({left})"
        return f"(({left} {self.choose('+', '-', '*')} {right}) % 97)"

    def assigned(self) -> str:
        """A value for a name: mostly a tensor where names are."""
        number = self.tensors and self.draw(st.integers(0, 5))
        return f"zero + {self.value()}" if number else self.value()

    def test(self, level: int = 0) -> str:
        kind = self.draw(st.integers(0, 7 if level < 2 else 2))
        left, right = self.value(2), self.value(2)
        if kind <= 2:
            # A name on the left makes it a tensor where names are.
            return f"{self.choose(*NAMES)} {self.choose('<', '>=', '==', '!=')} {right}"
        if kind == 3:
            return f"not {self.test(level + 1)}"
        if kind == 4:
            return f"{self.choose(*NAMES)} <= {left} < {right}"
        word = self.choose("and", "or")
        return f"({self.test(level + 1)} {word} {self.test(level + 1)})"

    def block(self, depth: int, loops: int, size: int = 3) -> None:
        for _ in range(self.draw(st.integers(1, size))):
            self.statement(depth, loops)

    def statement(self, depth: int, loops: int) -> None:
        deep = depth > 4 or len(self.lines) > 30
        kind = self.draw(st.integers(0, 5 if deep else 16))
        if kind <= 3:
            word = self.choose("=", "=", "+=", "-=")
            value = self.assigned()
            if self.functions and self.draw(st.integers(0, 3)) == 0:
                # A call of its own: one that changes `c` in an operand of `and` is refused.
                value = f"{self.choose(*self.functions)}({value})"
            self.add(depth, f"{self.name()} {word} {value}")
        elif kind == 4 and loops:
            self.jump(depth)
        elif kind == 5:
            if self.tensors or self.draw(st.booleans()):
                self.add(depth, f"{', '.join(NAMES[:2])} = {NAMES[1]}, {self.assigned()}")
            else:
                self.add(depth, f"log.append({self.value()})")
        elif kind <= 9:
            self.branch(depth, loops)
        elif kind <= 11:
            self.while_loop(depth, loops)
        elif kind <= 13:
            self.for_loop(depth, loops)
        elif kind == 14:
            self.guarded(depth, loops)
        elif kind == 15:
            self.add(depth, "with nothing():")
            self.block(depth + 1, loops)
        else:
            self.function(depth)

    def jump(self, depth: int) -> None:
        word = self.choose("break", "continue", "return", "break")
        self.add(depth, f"if {self.test()}:")
        if word == "return":
            self.give(depth + 1)
        else:
            self.add(depth + 1, word)

    def give(self, depth: int) -> None:
        self.add(depth, f"return {NAMES[0]}, {NAMES[1]}, {self.value()}")

    def branch(self, depth: int, loops: int) -> None:
        self.add(depth, f"if {self.test()}:")
        self.block(depth + 1, loops)
        if self.draw(st.integers(0, 5)) == 0:
            self.give(depth + 1)
        if self.draw(st.booleans()):
            self.add(depth, f"elif {self.test()}:")
            self.block(depth + 1, loops, 2)
        if self.draw(st.booleans()):
            self.add(depth, "else:")
            self.block(depth + 1, loops)

    def while_loop(self, depth: int, loops: int) -> None:
        counter = f"k{self.counters}"
        self.counters += 1
        self.add(depth, f"{counter} = {NAMES[0]} * 0")
        limit = self.draw(st.integers(0, 4))
        if self.draw(st.integers(0, 3)) == 0:
            self.add(depth, f"while ({counter} := {counter} + 1) < {limit}:")
        else:
            extra = f" and {self.test(1)}" if self.draw(st.booleans()) else ""
            self.add(depth, f"while {counter} < {limit}{extra}:")
            self.add(depth + 1, f"{counter} += 1")
        self.block(depth + 1, loops + 1)
        self.loop_else(depth, loops)

    def for_loop(self, depth: int, loops: int) -> None:
        target = self.choose(*NAMES, "i")
        if target == "i" and self.tensors:
            self.add(depth, "i = 0 * a")
        count = f"{self.choose(*NAMES)} % 4"
        self.add(depth, f"for {target} in range({count}):")
        self.block(depth + 1, loops + 1)
        self.loop_else(depth, loops)

    def loop_else(self, depth: int, loops: int) -> None:
        if self.draw(st.integers(0, 3)) == 0:
            self.add(depth, "else:")
            self.block(depth + 1, loops, 2)

    def guarded(self, depth: int, loops: int) -> None:
        self.add(depth, "try:")
        self.block(depth + 1, loops)
        if not self.tensors and self.draw(st.booleans()):
            self.add(depth + 1, f"{self.name()} = 10 // {self.value()}")
        if self.draw(st.booleans()):
            self.add(depth, "except ZeroDivisionError:")
            self.block(depth + 1, loops, 2)
            if self.draw(st.booleans()):
                self.add(depth, "else:")
                self.block(depth + 1, loops, 2)
        else:
            self.add(depth, "finally:")
            last = f"{self.name()} = {self.assigned()}" if self.tensors else "log.append(0)"
            self.add(depth + 1, last)

    def function(self, depth: int) -> None:
        name = f"f{self.counters}"
        self.counters += 1
        self.add(depth, f"def {name}(x):")
        if self.draw(st.booleans()):
            self.add(depth + 1, f"nonlocal {NAMES[2]}")
            self.add(depth + 1, f"{NAMES[2]} = ({NAMES[2]} + x) % 97")
        self.add(depth + 1, f"if {self.test()}:")
        self.add(depth + 2, f"return x + {self.choose(*NAMES)}")
        self.add(depth + 1, "return x * 2")
        if depth == 1:
            self.functions.append(name)


@st.composite
def programs(draw: Any, tensors: bool) -> str:
    """The text of a function `program(log, a, b, c)` that gives three numbers."""
    writer = _Writer(draw, tensors)
    if tensors:
        writer.add(1, "zero = a * 0")
    writer.block(1, 0, 5)
    writer.add(1, f"return {', '.join(NAMES)}")
    head = "def program(log, a, b, c):"
    return "\n".join([head, *writer.lines]) + "\n"
