"""Derivatives of random programs; `PYTHONPATH=tests python -m gradients.programs 5000` runs more.

A program that fails is made small (`twins.shrinking.shrunk`) and kept in `programs/kept`.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from gradients.programs.oracles import Case, differences
from gradients.programs.writer import program, written
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

KEPT = sorted((Path(__file__).parent / "programs" / "kept").glob("*.txt"))
SEEDS = 100
CHUNK = 20


def compare(text: str, number: int) -> list[str]:
    case = Case(text, number)
    return list(differences(case, number)) if case.is_smooth else []


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_programs(first: int) -> None:
    found = {seed: compare(program(seed), seed) for seed in range(first, first + CHUNK)}
    assert {seed: wrong for seed, wrong in found.items() if wrong} == {}


@settings(max_examples=60, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.randoms(use_true_random=False), st.integers(0, 1000))
def test_programs_that_hypothesis_writes(draws: random.Random, number: int) -> None:
    text = written(draws, 10)
    note(text)
    assert compare(text, number) == []


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_kept_programs(file: Path) -> None:
    assert [compare(file.read_text(), number) for number in range(4)] == [[]] * 4


def test_differences_are_seen() -> None:
    """An oracle that can't fail is none."""
    case = Case(program(5), 5)
    case.found = [g * 1.00001 for g in case.found]
    assert any("the gradient is" in found for found in differences(case, 1))
    assert any("by a tape outside" in found for found in differences(case, 1))
