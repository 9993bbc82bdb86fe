"""`match` and recursion, untraced and traced."""

from __future__ import annotations

import pytest
from control import matching, recursing
from control.harness import both
from language.harness import Program

PROGRAMS = [*matching.program.programs, *recursing.program.programs]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.name)
def test_program(program: Program) -> None:
    untraced, traced = both(program)
    assert traced == untraced
