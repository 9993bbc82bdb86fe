"""Draws whole programs."""

from __future__ import annotations

import random

from .statements import Statements

HEAD = '''"""f, g: float64; b: three of them; n, m: int64. See `running.World` for other names."""

class Bad(Exception):
    pass

class Box:
    def __init__(self, v):
        self.v, self.n, self.best = v, 0, None

    def add(self, x):
        self.n += 1
        if x > 0.0:
            self.v = self.v * 0.5 + x * 0.5
        return self

    def top(self, x):
        if self.best is None or x > self.best:
            self.best = x

    @property
    def double(self):
        return self.v * 2.0

    @double.setter
    def double(self, x):
        self.v = x * 0.5

class scope:
    def __init__(self, o):
        self.o = o

    def __enter__(self):
        self.o.n += 1
        return self.o

    def __exit__(self, *error):
        self.o.n += 10

def repeat(f, n):
    if n <= 0:
        return f
    return repeat(f * 0.5 + 1.0, n - 1)
'''
START = [
    "    k, t, flag, word, best = 0, 0.0, False, 'a', None",
    "    xs, d, o = [n, m], {'a': n, 'b': 0}, Box(f)",
]


def program(seed: int, longest: int = 18) -> str:
    """The text of a module with a function `program(f, g, b, n, m)`."""
    return written(random.Random(seed), longest)


def written(draws: random.Random, longest: int = 18) -> str:
    """The program for what is drawn, by hypothesis say."""
    lines = [HEAD]
    helpers, generators = ["repeat_some"], []
    lines += ["def repeat_some(f, n):", "    return repeat(f, n % 4)", ""]
    for i in range(draws.randrange(3)):
        part = _part(draws, 5, helpers, generators)
        part.result = "return f * 0.5 + g * 0.5"
        part.block(1, False, False)
        head = f"def helper{i}(f, n):"
        lines += [
            head,
            "    g, m, b = f * 0.5, n + 1, tl.stack([f, f + 1.0, f * 0.5])",
            *START,
            *part.lines,
        ]
        lines += ["    return (f + g) * 0.5", ""]
        helpers.append(f"helper{i}")
    for i in range(draws.randrange(2)):
        lines += [f"def items{i}(b, n):", *_generator(draws), ""]
        generators.append(f"items{i}")
    part = _part(draws, longest, helpers, generators)
    part.outer = True
    part.block(1, False, False, 6)
    lines += ["def program(f, g, b, n, m):", *START, *part.lines, f"    {part.result}", ""]
    return "\n".join(lines)


def _part(
    draws: random.Random, longest: int, helpers: list[str], generators: list[str]
) -> Statements:
    part = Statements(draws, longest)
    part.helpers, part.generators = list(helpers), list(generators)
    part.outer = False
    return part


def _generator(draws: random.Random) -> list[str]:
    """The body of a generator of floats."""
    test = draws.choice(["w > 0.0", "w < 0.5", "n % 2 == 0"])
    value = draws.choice(["w", "w * 0.5", "w if w > 0.25 else -w"])
    bodies = [
        ["for w in b:", f"    if {test}:", f"        yield {value}"],
        ["last = 0.0", "for w in b:", "    yield w - last", f"    last = {value}"],
        ["count = 0", "while count < n % 4:", "    yield b[count % 3] * 0.5", "    count += 1"],
        ["for i, w in enumerate(b):", f"    if {test}:", "        return", "    yield w * i"],
        ["yield from b", f"yield from (w * 2.0 for w in b if {test})"],
    ]
    return [f"    {line}" for line in draws.choice(bodies)]
