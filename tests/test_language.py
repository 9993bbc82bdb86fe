"""Ordinary Python under tensor conditions and over tensors: traced as untraced."""

from __future__ import annotations

from pathlib import Path

import pytest
from language import (
    aliases,
    branches,
    built_texts,
    choices,
    classes,
    containers,
    counters,
    deques,
    exceptions,
    generators,
    heaps,
    held_lists,
    iterators,
    lasting_tables,
    lists_within,
    loops,
    sequences,
    sets,
    state,
    tables,
    unpacking,
)
from language.harness import Program, first_call, traced, untraced

MODULES = (
    *(branches, loops, exceptions, state, choices),
    *(sequences, containers, generators, iterators, lists_within, classes),
    *(deques, tables, heaps, aliases, sets, counters, lasting_tables, unpacking),
    *(held_lists, built_texts),
)
PROGRAMS = [p for module in MODULES for p in module.program.programs]
# Programs that are refused for now; the list only shrinks.
NOT_YET = set((Path(__file__).parent / "language" / "not_yet.txt").read_text().split())


def parameters() -> list[object]:
    mark = pytest.mark.xfail(strict=True, reason="not converted yet")
    return [pytest.param(p, id=p.name, marks=[mark] if p.name in NOT_YET else []) for p in PROGRAMS]


@pytest.mark.parametrize("program", parameters())
def test_program(program: Program) -> None:
    if program.refused is not None:
        kind, text = program.refused
        with pytest.raises(kind, match=text):
            first_call(program)
        return
    assert traced(program) == untraced(program)
