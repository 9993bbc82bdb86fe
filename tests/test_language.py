"""Ordinary Python under tensor conditions and over tensors: traced as untraced."""

from __future__ import annotations

from pathlib import Path

import pytest
from language import (
    abstract_classes,
    aliases,
    asked_attributes,
    branches,
    built_texts,
    captured,
    changed_items,
    changing_lists,
    choices,
    chosen_values,
    classes,
    comparing,
    containers,
    copied_items,
    counters,
    decorated,
    deques,
    enums,
    exceptions,
    generators,
    gone_over,
    heaps,
    held_lists,
    iteration_tools,
    iterators,
    kept_exceptions,
    lasting_tables,
    list_operators,
    lists_within,
    loops,
    managers,
    managing_classes,
    named_tuples,
    numbers_of_the_run,
    objects_in_lists,
    records,
    sequences,
    sets,
    shared_items,
    state,
    tables,
    unpacking,
    walrus,
    yields_in_with,
)
from language.harness import Program, first_call, traced, untraced

MODULES = (
    *(branches, loops, exceptions, state, choices),
    *(sequences, containers, generators, iterators, lists_within, classes),
    *(deques, tables, heaps, aliases, sets, counters, lasting_tables, unpacking),
    *(chosen_values, comparing, objects_in_lists, copied_items, list_operators),
    *(held_lists, built_texts, managers, walrus, iteration_tools, captured),
    *(decorated, managing_classes, yields_in_with, enums),
    *(named_tuples, abstract_classes, records, gone_over, numbers_of_the_run, asked_attributes),
    *(kept_exceptions, changing_lists),
    *(changed_items, shared_items),
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
