from __future__ import annotations

import pytest

harness = pytest.importorskip("benchmarks.harness", reason="the sources are not beside the tests")


def test_the_table_shows_medians_ratios_and_missed_goals() -> None:
    rows = [
        harness.Row("add", lambda: None, {"numpy": lambda: None}, goal=2.0),
        harness.Row("trace", lambda: None, unit="ms"),
    ]
    results = [
        harness.Result(rows[0], {"treadle": 4e-6, "numpy": 2e-6}),
        harness.Result(rows[1], {"treadle": 0.06}),
    ]
    assert harness.table(results).splitlines() == [
        "           treadle  goal     numpy",
        "add    us        4   2 !  2 (0.5x)",
        "trace  ms       60",
    ]


def test_a_row_is_measured_for_one_of_many() -> None:
    calls = []
    result = harness.measure(harness.Row("loop", lambda: calls.append(1), per=10), repeats=3)
    assert len(calls) > 3
    assert 0 < result.seconds["treadle"] < 1e-3
