"""Changes of a program that mean nothing change nothing: wrapped statements and expressions."""

from __future__ import annotations

import ast
import contextlib
import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensor_programs import load, programs
from test_programs import Arguments, arguments, assert_same, outcome, tensors

import treadle as tl

STATE = {"a", "b", "c", "n", "m"}  # names that every program has from its start
JUMPS = (ast.Break, ast.Continue, ast.Return)
_numbers = itertools.count()


class Mutant(ast.NodeTransformer):
    """Wraps some of the statements and expressions of a program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        first, *rest = node.body  # binds names that closures declare nonlocal
        node.body = [first, *(s for stmt in rest for s in self.changed(stmt))]
        return node

    def block(self, node: Any) -> Any:
        for name in ("body", "orelse"):
            setattr(node, name, [s for stmt in getattr(node, name) for s in self.changed(stmt)])
        return node

    visit_If = visit_For = visit_While = block

    def changed(self, stmt: ast.stmt) -> list[ast.stmt]:
        stmt = self.visit(stmt)
        way = self.random.randrange(9)
        jumps = any(isinstance(n, JUMPS) for n in ast.walk(stmt))
        if way == 0 or (jumps and way < 3):
            return self.wrapped(stmt, "if True:", "")
        if way == 1:
            return self.wrapped(stmt, "for once in range(1):", "")
        if way == 2:
            return self.wrapped(stmt, "with nullcontext():", "")
        if way == 3 and not jumps:
            return self.wrapped(stmt, "try:", "finally:\n    pass")
        if isinstance(stmt, (ast.Assign, ast.AugAssign)) and way == 4:
            return self.closure(stmt)
        if isinstance(stmt, ast.Assign) and way == 5:
            stmt.value = self.parsed(f"(lambda: {ast.unparse(stmt.value)})()")
        if isinstance(stmt, ast.Assign) and way == 6:
            stmt.value = self.parsed(f"({ast.unparse(stmt.value)}) if True else None")
        return [stmt]

    def wrapped(self, stmt: ast.stmt, head: str, tail: str) -> list[ast.stmt]:
        inner = ast.unparse(stmt).replace("\n", "\n    ")
        return ast.parse(f"{head}\n    {inner}\n{tail}").body

    def closure(self, stmt: ast.Assign | ast.AugAssign) -> list[ast.stmt]:
        targets = stmt.targets if isinstance(stmt, ast.Assign) else [stmt.target]
        stored = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        if not stored <= STATE:
            return [stmt]
        self.count += 1
        lines = [f"def part{self.count}():", f"    nonlocal {', '.join(sorted(stored))}"]
        return ast.parse(
            "\n".join([*lines, f"    {ast.unparse(stmt)}", f"part{self.count}()"])
        ).body

    def parsed(self, text: str) -> ast.expr:
        return ast.parse(text, mode="eval").body


def mutated(text: str, seed: int) -> str:
    tree = ast.parse(text)
    program = tree.body[-1]
    assert isinstance(program, ast.FunctionDef)
    Mutant(seed).visit(program)
    return ast.unparse(tree)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutants")


@settings(
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ]
)
@given(text=programs(longest=12), args=arguments, seed=st.integers(0, 999))
def test_mutants(text: str, args: Arguments, seed: int, folder: Path) -> None:
    v = tl.Variable(0.75, dtype=tl.float64)
    xs = tensors(args)
    original = load(text, folder / f"original{next(_numbers)}.py", tl=tl, v=v)
    want = outcome(lambda: original(*xs), v)
    file = folder / f"mutant{next(_numbers)}.py"
    mutant = load(mutated(text, seed), file, tl=tl, v=v, nullcontext=contextlib.nullcontext)
    assert_same(outcome(lambda: tl.function(mutant)(*xs), v), want)
