"""Whole programs as plain Python over numbers, eager, and traced: all that they do is the same.

`TREADLE_TWINS=20000 pytest tests/autograph/test_twins.py` runs that many, from the seed
`TREADLE_TWINS_FROM` on. A program that fails is made small (`twins.shrinking.shrunk`) and kept
in `tests/twins/kept`.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from twins.running import check
from twins.writer import program, written

COUNT = int(os.environ.get("TREADLE_TWINS", "60"))
FIRST = int(os.environ.get("TREADLE_TWINS_FROM", "0"))
CHUNK = 20
FOLDER = Path(__file__).parents[1] / "twins"
KEPT = sorted((FOLDER / "kept").glob("*.txt"))
# Seeds that differ for now; the list only shrinks.
NOT_YET = set((FOLDER / "not_yet.txt").read_text().split())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, CHUNK))
def test_twins(first: int) -> None:
    failed = []
    for seed in range(first, min(first + CHUNK, FIRST + COUNT)):
        if str(seed) in NOT_YET:
            continue
        try:
            check(program(seed))
        except AssertionError as error:
            failed.append(f"seed {seed}: {error}")
    assert not failed, "\n".join(failed)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.randoms(use_true_random=False))
def test_twins_that_hypothesis_writes(draws: random.Random) -> None:
    text = written(draws, 8)
    note(text)
    check(text)


@pytest.mark.parametrize("file", KEPT, ids=lambda file: file.stem)
def test_kept_twins(file: Path) -> None:
    check(file.read_text())
