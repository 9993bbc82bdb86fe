"""Random programs in which names, attributes, lists and dicts hold variables or tensors: traced they
do what they do eagerly, or are refused. `PYTHONPATH=tests python FILE 2000` runs more.
"""

from __future__ import annotations

import linecache
import random
import sys
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import treadle as tl

REFUSED = (
    *(tl.errors.ConversionError, tl.errors.BranchError, tl.errors.LoopDtypeError),
    *(tl.errors.LoopShapeError, tl.errors.ListItemError),
)
READ = ["x", "y", "u + 0.0", "v + 0.0", "w * 0.5", "2.0", "x + y", "ls[0] + 0.0", "ls[-1] * 0.5"]
NUMBERS = [*READ, "o.p + 0.0", "d['k'] + 0.0"]
NAMES = ["u", "v", "w", "x", "y", "ls[0]", "ls[-1]", "o.p", "d['k']"]
TESTS = ["n > 0", "n > 1", "n % 2 == 0", "x > 1.5", "u > 3.0"]
START = """def program(a, n, u, v, w):
    x, y, t, o, d, ls = a, a * 2.0, a * 0.0, Object(p=u), {'k': v}, [u, v]
"""
END = "    return t + x * 3.0 + y * 5.0 + ls[0] + o.p * 0.25 + d['k'] * 0.125\n"
SEEDS, CHUNK = 120, 40
_numbers = count()


def program(seed: int) -> str:
    draws = random.Random(seed)
    lines: list[str] = []

    def one(of: list[str]) -> str:
        return draws.choice(of)

    def block(depth: int, in_loop: bool, most: int) -> None:
        for _ in range(draws.randrange(1, most + 1)):
            statement("    " * depth, depth, in_loop)

    def statement(margin: str, depth: int, in_loop: bool) -> None:
        kind = draws.randrange(15)
        if kind < 3:
            lines.append(
                f"{margin}{one(['u', 'v', 'w'])}.assign{one(['', '_add'])}({one(NUMBERS)})"
            )
        elif kind < 6:
            lines.append(f"{margin}{one(['x', 'y', 'o.p', 'ls[0]'])} = {one(NAMES)}")
        elif kind == 6:
            choice = f"{one(NAMES)} if {one(TESTS)} else {one(NAMES)}"
            lines.append(f"{margin}{one(['x', 'y'])} = {choice}")
        elif kind == 7:
            change = ["ls = [u, v]", "ls = [x, w]", f"ls.append({one(NAMES)})", "x, y = y, x"]
            lines.append(margin + one([*change, "o.p, x = x, o.p", f"d['k'] = {one(NAMES)}"]))
        elif kind == 8:
            lines.append(f"{margin}t = t + sum(ls)")
        elif kind in (9, 10) and depth < 5:
            lines.append(f"{margin}if {one(TESTS)}:")
            block(depth + 1, in_loop, 3)
            if draws.random() < 0.5:
                lines.append(f"{margin}else:")
                block(depth + 1, in_loop, 2)
        elif kind == 11 and depth < 4:
            lines.append(f"{margin}for _ in tl.range({one(['n', '2'])}):")
            block(depth + 1, True, 3)
        elif kind == 12 and in_loop:
            lines.append(f"{margin}if {one(TESTS)}: {one(['break', 'continue'])}")
        elif kind == 13 and depth < 4:
            lines.append(f"{margin}try:")
            block(depth + 1, in_loop, 2)
            lines.append(f"{margin}    if {one(TESTS)}: raise ValueError")
            block(depth + 1, in_loop, 1)
            lines.append(f"{margin}except ValueError:")
            block(depth + 1, in_loop, 2)
        else:
            lines.append(f"{margin}t = t * 0.5 + {one(NUMBERS)}")

    block(1, False, 8)
    return START + "\n".join(lines) + "\n" + END


def outcome(text: str, traced: bool, n: int) -> list[float]:
    file = f"<program of variables {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space: dict[str, Any] = {"tl": tl, "Object": SimpleNamespace, "__name__": "programs"}
    exec(compile(text, file, "exec"), space)
    variables = [tl.Variable(x) for x in (1.0, 2.0, 4.0)]

    def run(a: Any, n: Any) -> Any:
        return space["program"](a, n, *variables)

    f = tl.function(run, relaxed=True) if traced else run
    return [float(x) for x in (f(tl.constant(1.25), tl.constant(n)), *variables)]


def difference(seed: int) -> str | None:
    text = program(seed)
    for n in range(4):
        wanted = outcome(text, False, n)
        try:
            found = outcome(text, True, n)
        except REFUSED:
            return "refused"
        if not np.allclose(found, wanted, rtol=1e-5, equal_nan=True):
            return f"n = {n}: {found} is not {wanted}\n{text}"
    return None


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_programs(first: int) -> None:
    found = {seed: difference(seed) for seed in range(first, first + CHUNK)}
    assert {seed: wrong for seed, wrong in found.items() if wrong not in (None, "refused")} == {}
    assert list(found.values()).count(None) > CHUNK / 3


if __name__ == "__main__":
    for seed in range(int(sys.argv[1])):
        wrong = difference(seed)
        if wrong not in (None, "refused"):
            print(seed, wrong)
